//! Whose a live object is, by the mark on it. Where a mark stands is the kind's; its form is the catalog's.

use akson_catalog::{
    Kind, SymbolicId,
    json::lookup,
    kind::Marker,
    marker::{LABEL, Mark, TAG, short, stack_of_name},
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
        Marker::Tag | Marker::Text(_) | Marker::Label => Mark::new(stack_id, id).to_string(),
        Marker::UniqueName(_) | Marker::Parent => String::new(),
    }
}

/// Whose a live object is.
pub fn ownership(kind: &Kind, stack_id: &str, id: &SymbolicId, body: &Value) -> Ownership {
    let mark = match &kind.marker {
        Marker::Tag => tag(body),
        Marker::Text(pointer) => lookup(body, pointer).and_then(Value::as_str).and_then(Mark::parse_text),
        Marker::Label => lookup(body, LABEL).and_then(Value::as_str).and_then(Mark::parse_label),
        Marker::UniqueName(pointer) => {
            let name = lookup(body, pointer).and_then(Value::as_str);
            return match name.and_then(stack_of_name) {
                Some(stack) if stack.eq_ignore_ascii_case(short(stack_id)) => Ownership::Ours,
                Some(stack) => Ownership::OtherStack(stack.to_owned()),
                // A name that somebody chose: what is in the ledger under it is ours.
                None => Ownership::Unmarkable,
            };
        }
        Marker::Parent => return Ownership::Unmarkable,
    };
    judge(mark, stack_id, id)
}

/// Whether the name that an object is known by is still on it: then what the ledger has under it is this.
pub fn bears_its_name(kind: &Kind, id: &SymbolicId, body: &Value) -> bool {
    let Marker::UniqueName(pointer) = &kind.marker else { return false };
    let name = lookup(body, pointer).and_then(Value::as_str).unwrap_or_default();
    !name.is_empty() && id.as_str().split_once(':').is_some_and(|(_, known)| known.eq_ignore_ascii_case(name))
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
