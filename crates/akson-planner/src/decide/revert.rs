//! Undoing what changed outside, and nothing else: what the author changed since the last apply waits for the next one, also within one
//! resource, and the ledger still knows that it does.

use std::collections::BTreeSet;

use akson_catalog::{SymbolicId, encode::Leaf};
use akson_diagnostics::Diagnostic;

use super::{Case, Decision, Setting, declared, leaf::Verdict, tolerate::is_outside};
use crate::{OwnedEntry, OwnedState, codes, plan::Cause, presence::Presence};

/// Decides about a managed resource. `missing` are resources that are not there and will not be.
pub(crate) fn decide(case: &Case<'_>, setting: &Setting<'_>, missing: &BTreeSet<SymbolicId>) -> Decision {
    let nothing = || {
        let id = match case.presence {
            Presence::Present(live) => Some(live.id.clone()),
            _ => None,
        };
        let not_verified = matches!(case.presence, Presence::NotVerified) && case.entry.is_some();
        Decision { id, not_verified, ..Decision::nothing() }
    };
    let Some(entry) = case.entry.filter(|_| setting.options.reverts(case.address)) else { return nothing() };
    if entry.state != OwnedState::Owned {
        let mut decision = nothing();
        decision.notes.push("an earlier run was interrupted while it wrote this: apply first".to_owned());
        return decision;
    }
    match case.presence {
        Presence::NotVerified => nothing(),
        Presence::Absent => match case.dependencies.iter().find(|on| missing.contains(on)) {
            None => declared::decide(case, setting),
            Some(on) => {
                let name = setting.addresses.get(on).cloned().unwrap_or_else(|| on.to_string());
                let mut decision = nothing();
                decision.diagnostics.push(
                    Diagnostic::warning(codes::NOT_REVERTED, format!("`{}` cannot come back alone", case.address))
                        .at(case.resource.header, "")
                        .on(case.address)
                        .note(format!("it needs `{name}`, which is not there and was not asked for"))
                        .help("apply the whole configuration, or revert both"),
                );
                decision
            }
        },
        _ => declared::decide(case, setting),
    }
}

/// Whether the difference of a leaf is undone: it was made outside, and the author changed nothing of its attribute.
pub(super) fn is_undone(case: &Case<'_>, leaf: &Leaf, verdicts: &[(&Leaf, Verdict)]) -> bool {
    let mut own = verdicts.iter().filter(|(other, _)| other.attribute == leaf.attribute);
    own.all(|(other, verdict)| match *verdict {
        Verdict::Differs(why) => is_outside(case, other, why) && why == Cause::Drift,
        _ => true,
    })
}

/// Pointers of what was sent and is not written any more.
pub(super) fn not_written(case: &Case<'_>, entry: &OwnedEntry) -> Vec<String> {
    let written: BTreeSet<&str> =
        case.leaves.iter().filter(|leaf| !leaf.on_create_only).map(|leaf| leaf.pointer.as_str()).collect();
    entry.sent.keys().filter(|pointer| !written.contains(pointer.as_str())).cloned().collect()
}
