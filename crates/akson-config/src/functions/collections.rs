//! Functions over lists. Maps: `maps`; sets: `sets`.

use super::{
    Function, Shape,
    arguments::{bounded, count, int, list, text},
    parameter,
};
use crate::{
    fault::Fault,
    operators::{as_f64, same},
    val::Val,
};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::pure(
        "length",
        &[parameter("value", Shape::Sized)],
        Shape::Int,
        "How many elements a list or map has, or characters a text.",
        ("length([\"a\", \"b\"])", "2"),
        |a| {
            let length = match a.first() {
                Some(Val::List(list)) => list.items.len(),
                Some(Val::Map(map)) => map.entries.len(),
                _ => text(a, 0)?.chars().count(),
            };
            Ok(Val::Int(i64::try_from(length).unwrap_or(i64::MAX)))
        },
    )
    .structural()
    .constant_time(),
    Function::pure(
        "concat",
        &[parameter("list", Shape::List), parameter("more", Shape::List)],
        Shape::List,
        "The elements of several lists in one.",
        ("concat([1], [2, 3])", "[1, 2, 3]"),
        |a| {
            let mut items = Vec::new();
            for at in 0..a.len() {
                items.extend_from_slice(list(a, at)?);
                if items.len() > crate::sink::limits::ELEMENTS {
                    break;
                }
            }
            bounded(items.into_iter())
        },
    )
    .variadic()
    .structural(),
    Function::pure(
        "flatten",
        &[parameter("list", Shape::List)],
        Shape::List,
        "The list with the elements of inner lists in their place.",
        ("flatten([[1, 2], [3], 4])", "[1, 2, 3, 4]"),
        |a| {
            let mut items = Vec::new();
            flatten(list(a, 0)?, &mut items)?;
            Ok(Val::list(items))
        },
    )
    .structural(),
    Function::pure(
        "reverse",
        &[parameter("list", Shape::List)],
        Shape::List,
        "The list from its end.",
        ("reverse([1, 2])", "[2, 1]"),
        |a| Ok(Val::list(list(a, 0)?.iter().rev().cloned().collect())),
    )
    .structural(),
    Function::pure(
        "element",
        &[parameter("list", Shape::List), parameter("index", Shape::Int)],
        Shape::Any,
        "An element of a list; past the end it begins anew.",
        ("element([\"a\", \"b\"], 3)", "\"b\""),
        |a| {
            let items = list(a, 0)?;
            let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
            if length == 0 {
                return Err(Fault::Failed("an empty list has no element".to_owned()));
            }
            let at = int(a, 1)?.rem_euclid(length);
            Ok(usize::try_from(at).ok().and_then(|at| items.get(at)).cloned().unwrap_or(Val::Poison))
        },
    )
    .structural()
    .constant_time(),
    Function::pure(
        "slice",
        &[parameter("list", Shape::List), parameter("start", Shape::Int), parameter("end", Shape::Int)],
        Shape::List,
        "The elements from a start up to, not including, an end.",
        ("slice([1, 2, 3, 4], 1, 3)", "[2, 3]"),
        |a| {
            let (from, to) = (count(a, 1)?, count(a, 2)?);
            let items = list(a, 0)?;
            items.get(from..to).map(|part| Val::list(part.to_vec())).ok_or_else(|| {
                Fault::Failed(format!("the list has {} elements: there is no part from {from} to {to}", items.len()))
            })
        },
    )
    .structural(),
    Function::pure(
        "chunklist",
        &[parameter("list", Shape::List), parameter("size", Shape::Int)],
        Shape::List,
        "The list in parts of at most that many elements.",
        ("chunklist([1, 2, 3], 2)", "[[1, 2], [3]]"),
        |a| {
            let size = count(a, 1)?;
            if size == 0 {
                return Err(Fault::Argument(1, "a part has at least one element".to_owned()));
            }
            Ok(Val::list(list(a, 0)?.chunks(size).map(|part| Val::list(part.to_vec())).collect()))
        },
    )
    .structural(),
    Function::pure(
        "one",
        &[parameter("list", Shape::List)],
        Shape::Any,
        "The only element of a list of one.",
        ("one([\"a\"])", "\"a\""),
        |a| match list(a, 0)? {
            [only] => Ok(only.clone()),
            items => Err(Fault::Failed(format!("the list has {} elements, not one", items.len()))),
        },
    )
    .structural()
    .constant_time(),
    Function::pure(
        "index",
        &[parameter("list", Shape::List), parameter("value", Shape::Any)],
        Shape::Int,
        "Where a value stands in a list, from 0.",
        ("index([\"a\", \"b\"], \"b\")", "1"),
        |a| {
            let wanted = a.get(1).map_or(&Val::Poison, Val::plain);
            let at = list(a, 0)?
                .iter()
                .position(|item| same(item.plain(), wanted))
                .ok_or_else(|| Fault::Failed("the list does not contain the value".to_owned()))?;
            Ok(Val::Int(i64::try_from(at).unwrap_or(i64::MAX)))
        },
    ),
    Function::pure(
        "contains",
        &[parameter("list", Shape::List), parameter("value", Shape::Any)],
        Shape::Bool,
        "Whether a list contains a value.",
        ("contains([\"a\", \"b\"], \"b\")", "true"),
        |a| {
            let wanted = a.get(1).map_or(&Val::Poison, Val::plain);
            Ok(Val::Bool(list(a, 0)?.iter().any(|item| same(item.plain(), wanted))))
        },
    ),
    Function::pure(
        "compact",
        &[parameter("list", Shape::Texts)],
        Shape::Texts,
        "The list without empty texts.",
        ("compact([\"a\", \"\"])", "[\"a\"]"),
        |a| {
            Ok(Val::list(
                list(a, 0)?
                    .iter()
                    .filter(|item| !matches!(item.plain(), Val::Text(text) if text.is_empty()))
                    .cloned()
                    .collect(),
            ))
        },
    ),
    Function::pure(
        "sort",
        &[parameter("list", Shape::List)],
        Shape::List,
        "The list in order: texts by code point, numbers by value.",
        ("sort([\"b\", \"a\"])", "[\"a\", \"b\"]"),
        sort,
    ),
    Function::pure(
        "alltrue",
        &[parameter("list", Shape::List)],
        Shape::Bool,
        "Whether every element is true.",
        ("alltrue([true, false])", "false"),
        |a| bools(a).map(|bools| Val::Bool(bools.iter().all(|value| *value))),
    ),
    Function::pure(
        "anytrue",
        &[parameter("list", Shape::List)],
        Shape::Bool,
        "Whether any element is true.",
        ("anytrue([true, false])", "true"),
        |a| bools(a).map(|bools| Val::Bool(bools.iter().any(|value| *value))),
    ),
    Function::pure(
        "coalesce",
        &[parameter("value", Shape::Any), parameter("more", Shape::Any)],
        Shape::Any,
        "The first value that is no empty text.",
        ("coalesce(\"\", \"b\")", "\"b\""),
        |a| {
            a.iter()
                .find(|value| !matches!(value.plain(), Val::Text(text) if text.is_empty()))
                .cloned()
                .ok_or_else(|| Fault::Failed("every value is empty".to_owned()))
        },
    )
    .variadic(),
    Function::pure(
        "coalescelist",
        &[parameter("list", Shape::List), parameter("more", Shape::List)],
        Shape::List,
        "The first list that is not empty.",
        ("coalescelist([], [1])", "[1]"),
        |a| {
            for at in 0..a.len() {
                if !list(a, at)?.is_empty() {
                    return Ok(a[at].clone());
                }
            }
            Err(Fault::Failed("every list is empty".to_owned()))
        },
    )
    .variadic()
    .structural(),
    Function::pure(
        "tolist",
        &[parameter("value", Shape::Collection)],
        Shape::List,
        "A list: of a map its values.",
        ("tolist({ a = 1 })", "[1]"),
        |a| match a.first() {
            Some(Val::Map(map)) => Ok(Val::list(map.entries.values().cloned().collect())),
            _ => Ok(Val::list(list(a, 0)?.to_vec())),
        },
    )
    .structural(),
];

fn flatten(items: &[Val], into: &mut Vec<Val>) -> Result<(), Fault> {
    for item in items {
        match item {
            Val::List(inner) => flatten(&inner.items, into)?,
            other => into.push(other.clone()),
        }
        if into.len() > crate::sink::limits::ELEMENTS {
            return Err(Fault::TooLarge("the result has too many elements: the limit is 100,000"));
        }
    }
    Ok(())
}

fn bools(a: &[Val]) -> Result<Vec<bool>, Fault> {
    list(a, 0)?
        .iter()
        .map(|item| match item.plain() {
            Val::Bool(value) => Ok(*value),
            other => Err(Fault::Argument(0, format!("every element must be a bool, and one is {}", other.type_name()))),
        })
        .collect()
}

fn sort(a: &[Val]) -> Result<Val, Fault> {
    let mut items = list(a, 0)?.to_vec();
    if items.iter().all(|item| as_f64(item.plain()).is_some()) {
        items.sort_by(|left, right| {
            as_f64(left.plain()).unwrap_or(0.0).total_cmp(&as_f64(right.plain()).unwrap_or(0.0))
        });
    } else if items.iter().all(|item| matches!(item.plain(), Val::Text(_))) {
        items.sort_by(|left, right| match (left.plain(), right.plain()) {
            (Val::Text(left), Val::Text(right)) => left.cmp(right),
            _ => std::cmp::Ordering::Equal,
        });
    } else {
        return Err(Fault::Argument(0, "only a list of texts or a list of numbers has an order".to_owned()));
    }
    Ok(Val::list(items))
}
