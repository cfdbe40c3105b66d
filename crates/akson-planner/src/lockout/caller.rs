//! The caller's own way in: role assignments of the caller go after what needs them, and no range shuts the caller out. Who the
//! caller is, and from where, is told; nothing is guessed.

use std::net::IpAddr;

use akson_catalog::{Quirk, Value, encode::Leaf, json::lookup};
use akson_diagnostics::Diagnostic;

use super::{sends, waits::Waits, words};
use crate::{
    decide::{Pending, Setting},
    options::Mode,
    place::{covers, scope_of},
    plan::{Action, Work},
    snapshot::LiveObject,
};

/// From where a cluster's API server is reached.
const RANGES: &str = "/properties/apiServerAccessProfile/authorizedIPRanges";
/// Whether it has no public address.
const PRIVATE: &str = "/properties/apiServerAccessProfile/enablePrivateCluster";

/// Has the deletion of a role assignment of the caller wait for whatever is done where it holds. Where that cannot be, a report.
pub(super) fn own_grants(
    pending: &[Pending<'_>],
    setting: &Setting<'_>,
    waits: &mut Waits<'_>,
) -> Vec<(usize, Diagnostic)> {
    let mut reports = Vec::new();
    let Some(caller) = setting.options.caller.object_id.as_deref() else { return reports };
    let is_own = |change: &Pending<'_>| {
        let live = setting.snapshot.live(change.symbolic_id);
        let principal = live.and_then(|live| lookup(&live.body, "/properties/principalId")?.as_str());
        principal.is_some_and(|principal| principal.eq_ignore_ascii_case(caller))
    };
    let own: Vec<usize> = (0..pending.len())
        .filter(|at| {
            pending.get(*at).is_some_and(|change| {
                let deleted = change.decision.action == Action::Delete && sends(change);
                deleted && change.kind.quirks.contains(&Quirk::GivesRights) && is_own(change)
            })
        })
        .collect();
    for at in &own {
        let Some(grant) = pending.get(*at) else { continue };
        let scope = scope_of(grant.symbolic_id);
        for (other, change) in pending.iter().enumerate() {
            // Of several of the caller's own, the widest goes last.
            let own_too = own.contains(&other) && !is_narrower(change, grant);
            if other == *at || own_too || !sends(change) || !covers(&scope, change.symbolic_id) {
                continue;
            }
            // What it holds on goes by a right from above, and takes the assignment along.
            let takes_along = change.decision.deletes() && *change.symbolic_id == scope;
            if !waits.wait(*at, other) && !takes_along {
                reports.push((*at, words::own_grant_first(grant, change)));
                break;
            }
        }
    }
    reports
}

fn is_narrower(one: &Pending<'_>, other: &Pending<'_>) -> bool {
    let (one, other) = (scope_of(one.symbolic_id), scope_of(other.symbolic_id));
    one != other && covers(&other, &one)
}

/// Reports ranges that would be set and do not have the caller in them; a warning where nobody said from where the caller comes.
pub(super) fn addresses(pending: &[Pending<'_>], setting: &Setting<'_>) -> Vec<(usize, Diagnostic)> {
    let mut reports = Vec::new();
    if setting.options.mode == Mode::Destroy {
        return reports;
    }
    for (at, change) in pending.iter().enumerate() {
        if !change.kind.quirks.contains(&Quirk::ClusterAccess) {
            continue;
        }
        let Work::Write { leaves, .. } = &change.decision.work else { continue };
        let leaf = |pointer: &str| leaves.iter().find(|leaf| leaf.pointer == pointer && !leaf.on_create_only);
        let live = setting.snapshot.live(change.symbolic_id);
        let Some(ranges) = leaf(RANGES).filter(|leaf| narrows(leaf, live)) else { continue };
        if leaf(PRIVATE).is_some_and(|leaf| leaf.want == Value::Bool(true)) {
            continue;
        }
        let Value::List(items) = &ranges.want else { continue };
        let texts: Vec<&str> = items.iter().filter_map(Value::as_text).collect();
        if texts.is_empty() || texts.len() < items.len() {
            continue;
        }
        let caller = &setting.options.caller.addresses;
        let outside: Vec<&IpAddr> =
            caller.iter().filter(|address| !texts.iter().any(|range| contains(range, **address))).collect();
        if caller.is_empty() {
            reports.push((at, words::caller_unknown(change, ranges.span)));
        } else if let Some(address) = outside.first() {
            reports.push((at, words::caller_shut_out(change, ranges.span, address)));
        }
    }
    reports
}

/// Whether other ranges are wanted than there are.
fn narrows(leaf: &Leaf, live: Option<&LiveObject>) -> bool {
    live.is_none_or(|live| leaf.in_sync(&live.body) != Some(true))
}

/// Whether an address lies in a range: `203.0.113.0/28`, `203.0.113.7`, `2001:db8::/32`.
fn contains(range: &str, address: IpAddr) -> bool {
    let (network, length) = range.split_once('/').map_or((range, None), |(network, length)| (network, Some(length)));
    let Ok(network) = network.trim().parse::<IpAddr>() else { return false };
    let (network, address, width) = match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            (u128::from(network.to_bits()), u128::from(address.to_bits()), 32)
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => (network.to_bits(), address.to_bits(), 128),
        _ => return false,
    };
    let Some(length) = length.map_or(Some(width), |length| length.parse::<u32>().ok()).filter(|bits| *bits <= width)
    else {
        return false;
    };
    // A shift by all bits is none.
    let shift = width - length;
    network.checked_shr(shift).unwrap_or(0) == address.checked_shr(shift).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_in_a_range_or_not() {
        #[track_caller]
        fn check(range: &str, address: &str, inside: bool) {
            assert_eq!(contains(range, address.parse().expect("an address")), inside, "{address} in {range}");
        }
        check("203.0.113.0/28", "203.0.113.15", true);
        check("203.0.113.0/28", "203.0.113.16", false);
        check("203.0.113.7", "203.0.113.7", true);
        check("203.0.113.7", "203.0.113.6", false);
        check("203.0.113.7/32", "203.0.113.7", true);
        check("0.0.0.0/0", "198.51.100.1", true);
        check("0.0.0.0/32", "198.51.100.1", false);
        check("2001:db8::/32", "2001:db8:1::1", true);
        check("2001:db8::/32", "2001:db9::1", false);
        check("::/0", "2001:db9::1", true);
        check("::/0", "198.51.100.1", false);
        for nonsense in ["", "x", "1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/", "::/129"] {
            check(nonsense, "1.2.3.4", false);
        }
    }
}
