//! Whose a live object is, by the mark on it. Where a mark stands is the kind's; its form is the catalog's.

use akson_catalog::{
    Kind, SymbolicId,
    json::lookup,
    kind::Marker,
    marker::{Mark, TAG},
};
use serde_json::Value;

/// Whose an object is, as far as it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ownership {
    /// It bears this stack's mark.
    Ours,
    /// It bears the mark of the stack with this id.
    OtherStack(String),
    /// It bears no mark, or one that was made for another object: services copy tags.
    Unmarked,
    /// Its kind takes no mark: the ledger and its parent decide.
    Unmarkable,
}

/// The mark that an object gets: the tag's value, or what its free text ends with. Empty for kinds that take none.
pub fn marker(kind: &Kind, stack_id: &str, id: &SymbolicId) -> String {
    match kind.marker {
        Marker::Tag | Marker::Text(_) => Mark::new(stack_id, id).to_string(),
        Marker::Parent => String::new(),
    }
}

/// Whose a live object is.
pub fn ownership(kind: &Kind, stack_id: &str, id: &SymbolicId, body: &Value) -> Ownership {
    let mark = match &kind.marker {
        Marker::Tag => tag(body),
        Marker::Text(pointer) => lookup(body, pointer).and_then(Value::as_str).and_then(Mark::parse_text),
        Marker::Parent => return Ownership::Unmarkable,
    };
    judge(mark, stack_id, id)
}

/// Whose an object is by its tags alone: for items of an inventory and of deleted vaults.
pub fn ownership_by_tag(stack_id: &str, id: &SymbolicId, holder: &Value) -> Ownership {
    judge(tag(holder), stack_id, id)
}

fn tag(holder: &Value) -> Option<Mark> {
    lookup(holder, &format!("/tags/{TAG}")).and_then(Value::as_str).and_then(Mark::parse)
}

fn judge(mark: Option<Mark>, stack_id: &str, id: &SymbolicId) -> Ownership {
    match mark {
        Some(mark) if !mark.fits(id) => Ownership::Unmarked,
        Some(mark) if mark.stack.eq_ignore_ascii_case(stack_id) => Ownership::Ours,
        Some(mark) => Ownership::OtherStack(mark.stack),
        None => Ownership::Unmarked,
    }
}
