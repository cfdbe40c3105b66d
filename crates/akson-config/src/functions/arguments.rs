//! Reading arguments: what a function asks of elements beyond the shape that was checked before it is called.

use std::sync::Arc;

use crate::{
    fault::Fault,
    operators::as_f64,
    sink::limits,
    val::{Entries, Val},
};

pub(super) fn text(arguments: &[Val], at: usize) -> Result<&str, Fault> {
    match arguments.get(at).map(Val::plain) {
        Some(Val::Text(text)) => Ok(text),
        other => Err(mismatch(at, "text", other)),
    }
}

pub(super) fn int(arguments: &[Val], at: usize) -> Result<i64, Fault> {
    match arguments.get(at).map(Val::plain) {
        Some(Val::Int(value)) => Ok(*value),
        other => Err(mismatch(at, "a whole number", other)),
    }
}

/// A count or position: whole and not negative.
pub(super) fn count(arguments: &[Val], at: usize) -> Result<usize, Fault> {
    let value = int(arguments, at)?;
    usize::try_from(value).map_err(|_| Fault::Argument(at, format!("{value} is negative: this counts from 0")))
}

pub(super) fn number(arguments: &[Val], at: usize) -> Result<f64, Fault> {
    arguments.get(at).and_then(|value| as_f64(value.plain())).ok_or_else(|| mismatch(at, "a number", arguments.get(at)))
}

pub(super) fn list(arguments: &[Val], at: usize) -> Result<&[Val], Fault> {
    match arguments.get(at).map(Val::plain) {
        Some(Val::List(list)) => Ok(&list.items),
        other => Err(mismatch(at, "a list", other)),
    }
}

pub(super) fn map(arguments: &[Val], at: usize) -> Result<&Entries, Fault> {
    match arguments.get(at).map(Val::plain) {
        Some(Val::Map(map)) => Ok(&map.entries),
        other => Err(mismatch(at, "a map", other)),
    }
}

/// A list whose every element is text.
pub(super) fn texts(arguments: &[Val], at: usize) -> Result<Vec<&Arc<str>>, Fault> {
    list(arguments, at)?
        .iter()
        .map(|item| match item.plain() {
            Val::Text(text) => Ok(text),
            other => Err(Fault::Argument(at, format!("every element must be text, and one is {}", other.type_name()))),
        })
        .collect()
}

fn mismatch(at: usize, wanted: &str, found: Option<&Val>) -> Fault {
    Fault::Argument(at, format!("{wanted} is wanted here, not {}", found.map_or("nothing".to_owned(), Val::type_name)))
}

/// Text that is made bit by bit, within the limit of one text.
#[derive(Default)]
pub(super) struct Growing(String);

impl Growing {
    pub(super) fn push(&mut self, text: &str) -> Result<(), Fault> {
        if self.0.len() + text.len() > limits::TEXT {
            return Err(Fault::TooLarge("the result is too long: the limit of one text is 1 MiB"));
        }
        self.0.push_str(text);
        Ok(())
    }

    pub(super) fn finish(self) -> Val {
        Val::text(self.0)
    }
}

/// A list from elements, within the limit of one list.
pub(super) fn bounded(items: impl Iterator<Item = Val>) -> Result<Val, Fault> {
    let items: Vec<Val> = items.take(limits::ELEMENTS + 1).collect();
    if items.len() > limits::ELEMENTS {
        return Err(Fault::TooLarge("the result has too many elements: the limit is 100,000"));
    }
    Ok(Val::list(items))
}
