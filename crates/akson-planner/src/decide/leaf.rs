//! The three-way table, a leaf at a time: what was sent (S), what Azure then returned (O), what is wanted (D), what is live (L).

use akson_catalog::{Value, encode::Leaf};
use serde_json::Value as Json;

use crate::{
    OwnedEntry,
    hashes::{SENSITIVE, observed_hash, sent_hash},
    plan::Cause,
};

/// What is known of an object's past.
#[derive(Debug, Clone, Copy)]
pub(super) enum Past<'a> {
    /// Recorded: S and O are known.
    Recorded(&'a OwnedEntry),
    /// Ours, and S and O do not tell: a write was interrupted, or the ledger was lost.
    Unrecorded,
    /// It was there before us.
    Foreign,
}

/// What is decided about a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing to do.
    InSync,
    /// It is as wanted, and the ledger does not know it yet.
    Refresh,
    /// It is to be written.
    Differs(Cause),
}

/// Decides about an author-owned leaf of a live object.
///
/// | D = S | L = O | D is L | verdict |
/// |---|---|---|---|
/// | yes | yes | any | in sync, whatever the texts: Azure has its own spelling of what was sent |
/// | any | any | yes | in sync; the hashes are refreshed |
/// | no | yes | no | config |
/// | yes | no | no | drift |
/// | no | no | no | both |
pub(super) fn verdict(leaf: &Leaf, body: &Json, past: Past<'_>) -> Verdict {
    let recorded = |entry: &OwnedEntry| {
        let sent = entry.sent.get(&leaf.pointer)?;
        Some((sent.clone(), entry.observed.get(&leaf.pointer).cloned()))
    };
    let hashes = match past {
        Past::Recorded(entry) => recorded(entry),
        Past::Unrecorded | Past::Foreign => None,
    };
    if leaf.want.has_holes() {
        return Verdict::Differs(Cause::Dependency);
    }
    if leaf.sensitive {
        // Nothing comes back to compare with; what was sent once stays sent.
        return match (past, hashes) {
            (_, Some((sent, _))) if sent == SENSITIVE => Verdict::InSync,
            // What is made once is not made over what is there.
            _ if matches!(leaf.want, Value::Choice { .. }) => Verdict::Refresh,
            (Past::Foreign, _) => Verdict::Differs(Cause::Adopt),
            _ => Verdict::Differs(Cause::Config),
        };
    }
    let same = leaf.in_sync(body) == Some(true);
    let Some((sent, observed)) = hashes else {
        return match past {
            _ if same => Verdict::Refresh,
            Past::Foreign => Verdict::Differs(Cause::Adopt),
            Past::Recorded(_) | Past::Unrecorded => Verdict::Differs(Cause::Config),
        };
    };
    let written = sent_hash(leaf).is_some_and(|wanted| wanted == sent);
    let kept = observed.is_some_and(|observed| observed == observed_hash(leaf, body));
    match (written, kept, same) {
        (true, true, _) => Verdict::InSync,
        (_, _, true) => Verdict::Refresh,
        (false, true, false) => Verdict::Differs(Cause::Config),
        (true, false, false) => Verdict::Differs(Cause::Drift),
        (false, false, false) => Verdict::Differs(Cause::Both),
    }
}
