//! Who did what was found, as far as somebody wrote it down. It never fails: what cannot be told is a note.

use std::collections::BTreeMap;

use akson_applier::{Deed, Happened, actors};
use akson_planner::{Action, Change, Owned, Plan, Snapshot};

use super::{Actor, DriftDocument};
use crate::session::Run;

/// Asks, if something was done. Nothing is sent on a clean run.
pub(super) async fn ask(run: &Run, drift: &mut DriftDocument, plan: &Plan, owned: &Owned, snapshot: &Snapshot) {
    let mut deeds: Vec<Deed> = Vec::new();
    // Which change each deed is of: those of the document are some of the plan's.
    let mut changed: Vec<usize> = Vec::new();
    let planned: BTreeMap<(&str, &str), &Change> =
        plan.changes.iter().map(|change| ((change.address.as_str(), change.action.as_str()), change)).collect();
    for (at, told) in drift.plan.changes.iter().enumerate() {
        if let Some(change) = planned.get(&(told.address.as_str(), told.action.as_str())) {
            deeds.push(deed(change, owned, snapshot));
            changed.push(at);
        }
    }
    deeds.extend(drift.unmanaged.iter().map(|one| Deed::to(&one.id, Happened::Changed)));
    if deeds.is_empty() {
        return;
    }
    let found = actors(&run.engine, &deeds, None).await;
    let mut told = found.of.into_iter();
    for (at, told) in changed.iter().zip(&mut told) {
        if let Some(change) = drift.plan.changes.get_mut(*at) {
            change.by = told.by.into_iter().map(Actor::from).collect();
            change.notes.extend(told.note);
        }
    }
    for (one, told) in drift.unmanaged.iter_mut().zip(told) {
        one.by = told.by.into_iter().map(Actor::from).collect();
        one.notes.extend(told.note);
    }
    let unread = found.unread.into_iter();
    drift.notes.extend(unread.map(|unread| format!("{} was not read: {}", unread.id, unread.why)));
}

fn deed(change: &Change, owned: &Owned, snapshot: &Snapshot) -> Deed {
    let recorded = owned.entries.get(&change.symbolic_id).map(|entry| entry.id.clone());
    let live = snapshot.live(&change.symbolic_id);
    // Of what was deleted, the ledger alone knows under which id it was.
    let known = live.map(|live| live.id.clone()).or(recorded.filter(|id| !id.is_empty())).or_else(|| change.id.clone());
    let deleted = change.action == Action::Create;
    Deed {
        symbolic_id: change.symbolic_id.clone(),
        id: known.filter(|id| !id.is_empty()).unwrap_or_else(|| change.symbolic_id.to_string()),
        plane: change.kind.plane,
        happened: if deleted { Happened::Deleted } else { Happened::Changed },
        pointers: if deleted {
            Vec::new()
        } else {
            change.differences.iter().map(|difference| difference.pointer.clone()).collect()
        },
        body: live.map(|live| live.body.clone()),
    }
}
