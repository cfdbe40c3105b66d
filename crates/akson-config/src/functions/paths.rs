//! Functions over paths of files, as text: nothing is read. And lists of texts made by a format.

use std::collections::HashSet;

use super::{
    Function, Shape,
    arguments::{bounded, list, text},
    parameter,
    sets::fingerprint,
    strings,
};
use crate::{fault::Fault, val::Val};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::pure(
        "basename",
        &[parameter("path", Shape::Text)],
        Shape::Text,
        "The last part of a path.",
        ("basename(\"policies/baseline.json\")", "\"baseline.json\""),
        |a| {
            let path = text(a, 0)?.trim_end_matches('/');
            Ok(Val::text(path.rsplit_once('/').map_or(path, |(_, last)| last)))
        },
    ),
    Function::pure(
        "dirname",
        &[parameter("path", Shape::Text)],
        Shape::Text,
        "A path without its last part.",
        ("dirname(\"policies/baseline.json\")", "\"policies\""),
        |a| {
            let path = text(a, 0)?.trim_end_matches('/');
            Ok(Val::text(path.rsplit_once('/').map_or(".", |(first, _)| if first.is_empty() { "/" } else { first })))
        },
    ),
    Function::pure(
        "formatlist",
        &[parameter("format", Shape::Text), parameter("value", Shape::Any)],
        Shape::Texts,
        "As `format`, for each element of the lists among the values, which are of one length.",
        ("formatlist(\"%s-%s\", \"node\", [\"a\", \"b\"])", "[\"node-a\", \"node-b\"]"),
        format_list,
    )
    .variadic(),
    Function::pure(
        "strrev",
        &[parameter("text", Shape::Text)],
        Shape::Text,
        "The text with its characters in reverse order.",
        ("strrev(\"abc\")", "\"cba\""),
        |a| Ok(Val::text(text(a, 0)?.chars().rev().collect::<String>())),
    ),
    Function::pure(
        "matchkeys",
        &[parameter("values", Shape::List), parameter("keys", Shape::List), parameter("wanted", Shape::List)],
        Shape::List,
        "The values whose key, at the same place, is among the wanted ones.",
        ("matchkeys([\"a\", \"b\"], [1, 2], [2])", "[\"b\"]"),
        |a| {
            let (values, keys, wanted) = (list(a, 0)?, list(a, 1)?, list(a, 2)?);
            if values.len() != keys.len() {
                return Err(Fault::Argument(1, format!("there are {} keys for {} values", keys.len(), values.len())));
            }
            let wanted: HashSet<String> = wanted.iter().map(fingerprint).collect();
            bounded(
                values
                    .iter()
                    .zip(keys)
                    .filter(|(_, key)| wanted.contains(&fingerprint(key)))
                    .map(|(value, _)| value.clone()),
            )
        },
    ),
];

fn format_list(a: &[Val]) -> Result<Val, Fault> {
    let mut length: Option<usize> = None;
    for (at, value) in a.iter().enumerate().skip(1) {
        if let Val::List(list) = value.plain() {
            match length {
                Some(length) if length != list.items.len() => {
                    return Err(Fault::Argument(
                        at,
                        format!("this list has {} elements, and one before it has {length}", list.items.len()),
                    ));
                }
                _ => length = Some(list.items.len()),
            }
        }
    }
    let made = (0..length.unwrap_or(1)).map(|place| {
        let arguments: Vec<Val> = a
            .iter()
            .map(|value| match value.plain() {
                Val::List(list) => list.items.get(place).cloned().unwrap_or(Val::Poison),
                _ => value.clone(),
            })
            .collect();
        strings::format_text(&arguments)
    });
    bounded(made.collect::<Result<Vec<Val>, Fault>>()?.into_iter())
}
