//! Federated credentials of one identity: issuer and subject are unique in it, and at most 20 fit. What the configuration alone
//! shows is reported there; this looks at what is live.

use std::collections::{BTreeMap, BTreeSet};

use akson_catalog::{Quirk, SymbolicId, Value, encode::Leaf, json::lookup};
use serde_json::Value as Json;

use super::{Pending, Setting, refuse};
use crate::{
    place::parent_of,
    plan::{Action, Work},
};

/// How many credentials an identity takes.
const LIMIT: usize = 20;

/// Reports clashes with credentials that stay; answers which writes must wait for which deletions.
pub(crate) fn check(pending: &mut [Pending<'_>], setting: &Setting<'_>) -> Vec<(SymbolicId, SymbolicId)> {
    let mut waits = Vec::new();
    let mut by_identity: BTreeMap<SymbolicId, Vec<usize>> = BTreeMap::new();
    for (at, credential) in pending.iter().enumerate() {
        if credential.kind.quirks.contains(&Quirk::FederatedCredentialUniqueness)
            && let Some(identity) = parent_of(credential.symbolic_id)
        {
            by_identity.entry(identity).or_default().push(at);
        }
    }
    for (identity, members) in by_identity {
        let deleted: BTreeSet<&SymbolicId> = members
            .iter()
            .filter_map(|at| pending.get(*at))
            .filter(|member| member.decision.action == Action::Delete)
            .map(|member| member.symbolic_id)
            .collect();
        let live: BTreeMap<&SymbolicId, &str> = setting
            .snapshot
            .below(&identity)
            .filter(|(id, _)| parent_of(id).as_ref() == Some(&identity))
            .map(|(id, live)| (id, live.id.as_str()))
            .collect();
        let created: Vec<usize> = members
            .iter()
            .copied()
            .filter(|at| pending.get(*at).is_some_and(|member| member.decision.action == Action::Create))
            .collect();
        let after = live.keys().filter(|id| !deleted.contains(*id)).count() + created.len();
        let crowded = live.len() + created.len() > LIMIT;
        let mut reports = Vec::new();
        for at in &members {
            let Some(member) = pending.get(*at) else { continue };
            let Work::Write { leaves, .. } = &member.decision.work else { continue };
            for (other, text) in live.iter().filter(|(other, _)| **other != member.symbolic_id) {
                let clash = setting.snapshot.live(other).is_some_and(|other| same_trust(leaves, &other.body));
                let leaves_it = pending.iter().any(|moved| {
                    moved.symbolic_id == *other && matches!(moved.decision.action, Action::Update | Action::Replace)
                });
                if deleted.contains(other) && (clash || crowded) {
                    waits.push((member.symbolic_id.clone(), (*other).clone()));
                } else if clash && leaves_it {
                    // It gets another issuer or subject in this plan, so it has to go first.
                    waits.push((member.symbolic_id.clone(), (*other).clone()));
                } else if clash {
                    reports.push((*at, refuse::credential_clash(&member.address, member.header, text)));
                }
            }
        }
        if let (true, Some(first)) = (after > LIMIT, created.first())
            && let Some(member) = pending.get(*first)
        {
            let name = setting.addresses.get(&identity).cloned().unwrap_or_else(|| identity.to_string());
            reports.push((*first, refuse::too_many_credentials(&member.address, member.header, &name, after, LIMIT)));
        }
        for (at, report) in reports {
            if let Some(member) = pending.get_mut(at) {
                member.decision.diagnostics.push(report);
            }
        }
    }
    waits
}

/// Whether leaves want the issuer and subject that a live credential has; both compared exactly, as Azure does.
fn same_trust(leaves: &[Leaf], body: &Json) -> bool {
    ["/properties/issuer", "/properties/subject"].into_iter().all(|pointer| {
        let wanted = leaves.iter().find(|leaf| leaf.pointer == pointer).map(|leaf| &leaf.want);
        match (wanted, lookup(body, pointer)) {
            (Some(Value::Text(wanted)), Some(Json::String(live))) => wanted == live,
            _ => false,
        }
    })
}
