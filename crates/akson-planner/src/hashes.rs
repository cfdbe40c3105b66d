//! What the ledger keeps of a leaf in place of its value. Planner and applier hash alike because they hash here.

use std::collections::BTreeMap;

use akson_catalog::{
    Kind, Value,
    canonical::leaf_hash,
    encode::Leaf,
    equality::Equality,
    json::{lookup, to_plain_json},
    marker::without_mark,
};
use serde_json::Value as Json;

/// What stands in a ledger for a sensitive leaf: no hash, since a short secret could be guessed from one.
pub const SENSITIVE: &str = "-";

/// The hash of what a leaf wants. None while it has holes.
pub fn sent_hash(leaf: &Leaf) -> Option<String> {
    if leaf.sensitive {
        return Some(SENSITIVE.to_owned());
    }
    to_plain_json(&leaf.want).map(|want| leaf_hash(&want))
}

/// The hash of what a live body has for a leaf; an absent key and what Azure means by it are one.
pub fn observed_hash(leaf: &Leaf, body: &Json) -> String {
    if leaf.sensitive {
        return SENSITIVE.to_owned();
    }
    match leaf.live(body) {
        // The mark is ours and no part of the author's text.
        Some(Json::String(text)) if leaf.equality == Equality::MarkedText => leaf_hash(&Json::from(without_mark(text))),
        live => leaf_hash(live.unwrap_or(&Json::Null)),
    }
}

/// Both hashes of every owned leaf, by pointer, after a write settled with `body`: what the ledger records. Leaves that are sent at
/// create only are not owned; a key that was taken out leaves no entry.
pub fn recorded(leaves: &[Leaf], body: &Json) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let owned = || leaves.iter().filter(|leaf| !leaf.on_create_only && !is_taken_out(leaf));
    let sent = owned().filter_map(|leaf| Some((leaf.pointer.clone(), sent_hash(leaf)?))).collect();
    let observed = owned().map(|leaf| (leaf.pointer.clone(), observed_hash(leaf, body))).collect();
    (sent, observed)
}

/// Whether a leaf stands for a key that was ours and is to be taken out of its map; `= none` is written by someone.
pub fn is_taken_out(leaf: &Leaf) -> bool {
    leaf.want == Value::None && leaf.span.is_none()
}

/// Whether what was observed at a pointer is still there, by hash alone: for objects whose block is gone.
pub(crate) fn is_unchanged(kind: &Kind, pointer: &str, observed: &str, body: &Json) -> bool {
    let absent = || kind.absent_at(pointer);
    let live = lookup(body, pointer).filter(|value| !value.is_null()).or_else(absent);
    observed == SENSITIVE || leaf_hash(live.unwrap_or(&Json::Null)) == observed
}
