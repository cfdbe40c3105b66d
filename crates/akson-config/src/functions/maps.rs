//! Functions over maps.

use std::sync::Arc;

use super::{
    Function, Shape,
    arguments::{list, map, text, texts},
    parameter,
};
use crate::{
    fault::Fault,
    operators::missing_key,
    val::{Entries, Val},
};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::pure(
        "keys",
        &[parameter("map", Shape::Map)],
        Shape::Texts,
        "The keys of a map, sorted.",
        ("keys({ b = 1, a = 2 })", "[\"a\", \"b\"]"),
        |a| {
            let mut keys: Vec<&Arc<str>> = map(a, 0)?.keys().collect();
            keys.sort();
            Ok(Val::list(keys.into_iter().map(|key| Val::Text(Arc::clone(key))).collect()))
        },
    )
    .structural(),
    Function::pure(
        "values",
        &[parameter("map", Shape::Map)],
        Shape::List,
        "The values of a map, in the order of its sorted keys.",
        ("values({ b = 1, a = 2 })", "[2, 1]"),
        |a| {
            let mut entries: Vec<(&Arc<str>, &Val)> = map(a, 0)?.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            Ok(Val::list(entries.into_iter().map(|(_, value)| value.clone()).collect()))
        },
    )
    .structural(),
    Function::pure(
        "lookup",
        &[parameter("map", Shape::Map), parameter("key", Shape::Text), parameter("otherwise", Shape::Any)],
        Shape::Any,
        "The value of a key, or another value if the map has no such key.",
        ("lookup({ a = 1 }, \"b\", 0)", "0"),
        |a| {
            let (map, key) = (map(a, 0)?, text(a, 1)?);
            match (map.get(key), a.get(2)) {
                (Some(value), _) | (None, Some(value)) => Ok(value.clone()),
                (None, None) => Err(missing_key(key, map.keys().map(AsRef::as_ref))),
            }
        },
    )
    .optional(1)
    .structural()
    .constant_time(),
    Function::pure(
        "haskey",
        &[parameter("map", Shape::Map), parameter("key", Shape::Text)],
        Shape::Bool,
        "Whether a map has a key.",
        ("haskey({ a = 1 }, \"a\")", "true"),
        |a| Ok(Val::Bool(map(a, 0)?.contains_key(text(a, 1)?))),
    )
    .structural()
    .constant_time(),
    Function::pure(
        "merge",
        &[parameter("map", Shape::Map), parameter("more", Shape::Map)],
        Shape::Map,
        "The entries of several maps in one; of equal keys the last counts.",
        ("merge({ a = 1, b = 1 }, { b = 2 })", "{ a = 1, b = 2 }"),
        |a| {
            let mut merged = Entries::new();
            for at in 0..a.len() {
                for (key, value) in map(a, at)? {
                    merged.insert(Arc::clone(key), value.clone());
                }
            }
            Ok(Val::map(merged))
        },
    )
    .variadic()
    .structural(),
    Function::pure(
        "zipmap",
        &[parameter("keys", Shape::Texts), parameter("values", Shape::List)],
        Shape::Map,
        "A map from a list of keys and a list of values.",
        ("zipmap([\"a\", \"b\"], [1, 2])", "{ a = 1, b = 2 }"),
        |a| {
            let (keys, values) = (texts(a, 0)?, list(a, 1)?);
            if keys.len() != values.len() {
                return Err(Fault::Failed(format!("there are {} keys and {} values", keys.len(), values.len())));
            }
            Ok(Val::map(keys.into_iter().cloned().zip(values.iter().cloned()).collect()))
        },
    )
    .structural(),
    Function::pure(
        "transpose",
        &[parameter("map", Shape::Map)],
        Shape::Map,
        "A map of lists of texts, turned round: from each text to the keys whose list has it.",
        ("transpose({ a = [\"x\"], b = [\"x\", \"y\"] })", "{ x = [\"a\", \"b\"], y = [\"b\"] }"),
        |a| {
            let mut turned: indexmap::IndexMap<Arc<str>, Vec<Val>> = indexmap::IndexMap::new();
            for (key, value) in map(a, 0)? {
                for text in texts(std::slice::from_ref(value), 0)? {
                    turned.entry(Arc::clone(text)).or_default().push(Val::Text(Arc::clone(key)));
                }
            }
            turned.sort_keys();
            Ok(Val::map(turned.into_iter().map(|(key, keys)| (key, Val::list(keys))).collect()))
        },
    ),
    Function::pure(
        "tomap",
        &[parameter("map", Shape::Map)],
        Shape::Map,
        "A map as it is: for those who write it from habit.",
        ("tomap({ a = 1 })", "{ a = 1 }"),
        |a| Ok(Val::map(map(a, 0)?.clone())),
    )
    .structural(),
];
