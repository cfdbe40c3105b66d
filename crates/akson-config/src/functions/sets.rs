//! Functions that treat lists as sets: each element once, in the order of first appearance.

use std::collections::HashSet;

use super::{Function, Shape, arguments::list, parameter};
use crate::{fault::Fault, val::Val};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::pure(
        "distinct",
        &[parameter("list", Shape::List)],
        Shape::List,
        "The list with each element once.",
        ("distinct([1, 2, 1])", "[1, 2]"),
        |a| Ok(once(list(a, 0)?.iter())),
    ),
    Function::pure(
        "toset",
        &[parameter("list", Shape::List)],
        Shape::List,
        "The list as a set: each element once.",
        ("toset([\"a\", \"b\", \"a\"])", "[\"a\", \"b\"]"),
        |a| Ok(once(list(a, 0)?.iter())),
    ),
    Function::pure(
        "setunion",
        &[parameter("set", Shape::List), parameter("more", Shape::List)],
        Shape::List,
        "What is in any of the sets.",
        ("setunion([1], [1, 2])", "[1, 2]"),
        |a| {
            let mut items = Vec::new();
            for at in 0..a.len() {
                items.extend_from_slice(list(a, at)?);
            }
            Ok(once(items.iter()))
        },
    )
    .variadic(),
    Function::pure(
        "setintersection",
        &[parameter("set", Shape::List), parameter("more", Shape::List)],
        Shape::List,
        "What is in every set.",
        ("setintersection([1, 2], [2, 3])", "[2]"),
        |a| {
            let others = (1..a.len()).map(|at| list(a, at).map(members)).collect::<Result<Vec<_>, Fault>>()?;
            Ok(once(list(a, 0)?.iter().filter(|item| others.iter().all(|other| other.contains(&fingerprint(item))))))
        },
    )
    .variadic(),
    Function::pure(
        "setsubtract",
        &[parameter("set", Shape::List), parameter("other", Shape::List)],
        Shape::List,
        "What is in the first set and not in the second.",
        ("setsubtract([1, 2], [2])", "[1]"),
        |a| {
            let other = members(list(a, 1)?);
            Ok(once(list(a, 0)?.iter().filter(|item| !other.contains(&fingerprint(item)))))
        },
    ),
    Function::pure(
        "setproduct",
        &[parameter("list", Shape::List), parameter("more", Shape::List)],
        Shape::List,
        "Every combination of an element of each list.",
        ("setproduct([\"a\", \"b\"], [1])", "[[\"a\", 1], [\"b\", 1]]"),
        product,
    )
    .variadic(),
];

/// A text that is equal for equal values.
pub(super) fn fingerprint(value: &Val) -> String {
    let mut text = String::new();
    write(value.plain(), &mut text);
    text
}

fn write(value: &Val, text: &mut String) {
    use std::fmt::Write as _;
    // Writing to a String cannot fail.
    let _ = match value {
        Val::Bool(value) => write!(text, "b{value};"),
        Val::Int(value) => write!(text, "n{value};"),
        Val::Decimal(value) => write!(text, "n{value};"),
        Val::Text(value) => write!(text, "t{}:{value};", value.len()),
        Val::List(list) => {
            text.push('[');
            list.items.iter().for_each(|item| write(item.plain(), text));
            text.push(']');
            Ok(())
        }
        Val::Map(map) => {
            let mut entries: Vec<_> = map.entries.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            text.push('{');
            for (key, item) in entries {
                let _ = write!(text, "{}:{key}=", key.len());
                write(item.plain(), text);
            }
            text.push('}');
            Ok(())
        }
        Val::Ref(pointed) => write!(text, "r{};", pointed.reference.symbolic_id),
        _ => write!(text, "?;"),
    };
}

fn members(items: &[Val]) -> HashSet<String> {
    items.iter().map(fingerprint).collect()
}

fn once<'v>(items: impl Iterator<Item = &'v Val>) -> Val {
    let mut seen = HashSet::new();
    Val::list(items.filter(|item| seen.insert(fingerprint(item))).cloned().collect())
}

fn product(a: &[Val]) -> Result<Val, Fault> {
    let mut combinations: Vec<Vec<Val>> = vec![Vec::new()];
    for at in 0..a.len() {
        let items = list(a, at)?;
        if combinations.len().saturating_mul(items.len()) > 10_000 {
            return Err(Fault::TooLarge("there are too many combinations: the limit is 10,000"));
        }
        combinations = combinations
            .iter()
            .flat_map(|start| items.iter().map(|item| start.iter().cloned().chain([item.clone()]).collect()))
            .collect();
    }
    Ok(Val::list(combinations.into_iter().map(Val::list).collect()))
}
