//! No step of a plan locks anybody out: a cluster that somebody can administer, and a vault whose content somebody reaches, stay so
//! after each prefix of the steps, whatever fails; the caller's own way in closes last. Waits are added where an order does it;
//! where none does, the plan is refused. Not who has which rights in truth: what the plan and its reads show of it.

mod caller;
mod doors;
mod waits;
mod words;

use std::collections::BTreeSet;

use akson_catalog::{Catalog, Quirk};

use crate::{
    decide::{Pending, Setting},
    options::Mode,
    order::Order,
    plan::{Action, Work},
};

pub(crate) use doors::wants_grants;

/// Adds what must wait for what to the order of the changes, and reports what no order mends.
pub(crate) fn check(pending: &mut [Pending<'_>], setting: &Setting<'_>, catalog: &Catalog, order: &mut Order) {
    let mut waits = waits::Waits::new(pending, order);
    let mut reports = Vec::new();
    let guarded = |change: &Pending<'_>| {
        let quirks = &change.kind.quirks;
        quirks.contains(&Quirk::ClusterAccess) || quirks.contains(&Quirk::VaultAccess)
    };
    let rights = doors::Rights::new(pending, setting, catalog);
    for at in (0..pending.len()).filter(|at| pending.get(*at).is_some_and(guarded)) {
        let stays = pending.get(at).is_some_and(|change| {
            let goes = matches!(change.decision.action, Action::Delete | Action::Replace | Action::Create);
            change.is_present && !goes && change.decision.diagnostics.iter().all(|report| !is_error(report))
        });
        if stays && let Some((closer, report)) = keep_open(pending, at, &rights, &mut waits, setting) {
            reports.push((closer, report));
        }
    }
    reports.extend(caller::own_grants(pending, setting, &mut waits));
    reports.extend(caller::addresses(pending, setting));
    for (at, report) in reports {
        if let Some(change) = pending.get_mut(at) {
            change.decision.diagnostics.push(report);
        }
    }
    order.sort_again();
}

fn is_error(report: &akson_diagnostics::Diagnostic) -> bool {
    report.severity == akson_diagnostics::Severity::Error
}

/// Makes sure that one cluster or vault has a door open at every moment; otherwise a report, at the change that closes the last.
fn keep_open(
    pending: &[Pending<'_>],
    at: usize,
    rights: &doors::Rights<'_>,
    waits: &mut waits::Waits<'_>,
    setting: &Setting<'_>,
) -> Option<(usize, akson_diagnostics::Diagnostic)> {
    let guarded = pending.get(at)?;
    let doors = rights.doors(at);
    let open: Vec<&doors::Door> = doors.iter().filter(|door| door.is_open_before()).collect();
    if open.is_empty() || doors.iter().any(doors::Door::stays) {
        return None;
    }
    let closers: BTreeSet<usize> = open.iter().flat_map(|door| door.closers()).collect();
    let is_vault = guarded.kind.quirks.contains(&Quirk::VaultAccess);
    // Whom nobody lets into a vault any more is the author's to say; that a switch does it is not seen in a plan.
    if is_vault && !closers.contains(&at) {
        return order_only(&doors, &open, waits);
    }
    let mut after: Vec<&doors::Door> = doors.iter().filter(|door| door.is_open_after()).collect();
    after.sort_by_key(|door| door.openers().count());
    let first = closers.first().copied().unwrap_or(at);
    if after.is_empty() {
        let unsure = rights.may_be_open_after(at);
        let warn = unsure || setting.options.mode == Mode::Destroy;
        return Some((first, words::nobody_left(pending, at, &closers, is_vault, unsure, warn)));
    }
    for door in &after {
        if waits.put(&closers, door) {
            return None;
        }
    }
    // One way that stays open until then is enough.
    for one in &open {
        let closers: BTreeSet<usize> = one.closers().collect();
        if after.iter().any(|door| waits.put(&closers, door)) {
            return None;
        }
    }
    let opener = after.first().and_then(|door| door.openers().next()).unwrap_or(first);
    Some((first, words::no_order(pending, at, first, opener, is_vault)))
}

/// What opens comes before what closes, where that can be.
fn order_only(
    doors: &[doors::Door],
    open: &[&doors::Door],
    waits: &mut waits::Waits<'_>,
) -> Option<(usize, akson_diagnostics::Diagnostic)> {
    let closers: BTreeSet<usize> = open.iter().flat_map(|door| door.closers()).collect();
    for door in doors.iter().filter(|door| door.is_open_after()) {
        if waits.put(&closers, door) {
            break;
        }
    }
    None
}

/// Whether a change sends anything.
fn sends(change: &Pending<'_>) -> bool {
    matches!(change.decision.work, Work::Write { .. } | Work::Delete { .. })
}
