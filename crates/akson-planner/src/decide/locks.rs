//! Locks over what is deleted: one of ours that stays is an error, a foreign one a warning. The order of locks and deletions in
//! one plan is not decided here.

use std::collections::{BTreeMap, BTreeSet};

use akson_catalog::{Quirk, SymbolicId, json::lookup};

use super::{Pending, Setting, refuse};
use crate::{
    Snapshot,
    place::{ancestors, scope_of},
    plan::{Action, Work},
};

/// What the ids of locks have before their name.
const LOCKS: &str = "/providers/microsoft.authorization/locks/";

/// Whether a live lock also forbids changes.
pub(crate) fn is_read_only(snapshot: &Snapshot, lock: &SymbolicId) -> bool {
    let level = snapshot.live(lock).and_then(|live| lookup(&live.body, "/properties/level")?.as_str());
    level.is_some_and(|level| level.eq_ignore_ascii_case("ReadOnly"))
}

/// Reports every deletion below a lock that the plan leaves standing, and every change below one that is read-only.
pub(crate) fn check(pending: &mut [Pending<'_>], setting: &Setting<'_>) {
    let live = setting.snapshot.objects.iter().filter(|(id, _)| id.as_str().contains(LOCKS));
    let locks: Vec<(SymbolicId, &SymbolicId, &str)> =
        live.map(|(id, lock)| (scope_of(id), id, lock.id.as_str())).collect();
    if locks.is_empty() {
        return;
    }
    let mut by_scope: BTreeMap<&SymbolicId, Vec<(&SymbolicId, &str)>> = BTreeMap::new();
    for (scope, id, text) in &locks {
        by_scope.entry(scope).or_default().push((id, text));
    }
    let read_only: BTreeSet<&SymbolicId> =
        locks.iter().map(|(_, id, _)| *id).filter(|id| is_read_only(setting.snapshot, id)).collect();
    let ours: BTreeMap<SymbolicId, (String, Option<akson_diagnostics::Span>, Action)> = pending
        .iter()
        .filter(|lock| lock.kind.quirks.contains(&Quirk::Blocks))
        .map(|lock| (lock.symbolic_id.clone(), (lock.address.clone(), lock.header, lock.decision.action)))
        .collect();
    for deleted in pending.iter_mut() {
        let is_lock = deleted.kind.quirks.contains(&Quirk::Blocks);
        let deletes = deleted.decision.deletes() && deleted.is_present;
        let writes = matches!(deleted.decision.work, Work::Write { .. });
        if is_lock || !(deletes || writes) {
            continue;
        }
        let scopes = std::iter::once(deleted.symbolic_id.clone()).chain(ancestors(deleted.symbolic_id));
        let standing: Vec<(&SymbolicId, &str)> =
            scopes.filter_map(|scope| by_scope.get(&scope)).flatten().copied().collect();
        for (lock, text) in standing {
            if !deletes && !read_only.contains(lock) {
                continue;
            }
            let diagnostic = match ours.get(lock) {
                Some((_, _, Action::Delete)) => continue,
                Some((address, place, Action::NoOp | Action::Update | Action::Create | Action::Replace)) => {
                    refuse::locked(&deleted.address, deleted.header, address, *place, deletes)
                }
                _ => refuse::foreign_lock(&deleted.address, deleted.header, text, deletes),
            };
            deleted.decision.diagnostics.push(diagnostic);
        }
    }
}
