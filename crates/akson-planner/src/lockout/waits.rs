//! Waits that are added between steps without making a circle. Not why: see the module above.

use std::collections::{BTreeMap, BTreeSet};

use akson_catalog::{Residual, SymbolicId, Value};

use super::doors::Door;
use crate::{
    decide::Pending,
    order::{Order, reaches},
    plan::Work,
};

/// The needs of all steps, as far as they may be added to.
pub(super) struct Waits<'a> {
    needs: &'a mut Vec<BTreeSet<usize>>,
    /// What is waited for here is waited for to its end.
    early: &'a mut BTreeMap<(usize, usize), BTreeSet<String>>,
    /// Pairs of which the first waits for the second by where it lies alone: it is there already, so that the wait can be turned.
    turnable: BTreeSet<(usize, usize)>,
}

impl<'a> Waits<'a> {
    pub(super) fn new(pending: &[Pending<'_>], order: &'a mut Order) -> Self {
        let Order { needs, early, .. } = order;
        let mut turnable = BTreeSet::new();
        for (at, needed) in needs.iter().enumerate() {
            for need in needed {
                let (Some(change), Some(other)) = (pending.get(at), pending.get(*need)) else { continue };
                let stays = other.is_present && !other.decision.deletes();
                if stays && !awaits(change, other.symbolic_id) {
                    turnable.insert((at, *need));
                }
            }
        }
        Self { needs, early, turnable }
    }

    /// Has all of `closers` wait for whatever opens a door. If that makes a circle nothing is changed, and it answers no.
    pub(super) fn put(&mut self, closers: &BTreeSet<usize>, door: &Door) -> bool {
        let openers: Vec<usize> = door.openers().collect();
        let before = self.needs.clone();
        for closer in closers {
            // One request that closes one way and opens another does both at once; one that deletes and creates anew does not.
            let at_once = !openers.contains(closer) || !door.has_gap(*closer);
            if !at_once || !openers.iter().all(|opener| self.wait(*closer, *opener)) {
                *self.needs = before;
                return false;
            }
        }
        true
    }

    /// Has one step wait for another, if that makes no circle.
    pub(super) fn wait(&mut self, step: usize, on: usize) -> bool {
        if step == on {
            return true;
        }
        if reaches(self.needs, on, step) {
            if !self.turnable.contains(&(on, step)) {
                return false;
            }
            if let Some(needs) = self.needs.get_mut(on) {
                needs.remove(&step);
            }
            if reaches(self.needs, on, step) {
                if let Some(needs) = self.needs.get_mut(on) {
                    needs.insert(step);
                }
                return false;
            }
        }
        if let Some(needs) = self.needs.get_mut(step) {
            needs.insert(on);
        }
        self.early.remove(&(step, on));
        true
    }
}

/// Whether a change has a hole that only the other's outcome fills.
fn awaits(change: &Pending<'_>, other: &SymbolicId) -> bool {
    let Work::Write { leaves, late, .. } = &change.decision.work else { return false };
    leaves.iter().map(|leaf| &leaf.want).chain(late.as_deref()).any(|value| mentions(value, other))
}

fn mentions(value: &Value, other: &SymbolicId) -> bool {
    match value {
        Value::Unknown { residual, .. } => in_residual(residual, other),
        Value::List(items) => items.iter().any(|item| mentions(item, other)),
        Value::Map(entries) => entries.values().any(|item| mentions(item, other)),
        _ => false,
    }
}

fn in_residual(residual: &Residual, other: &SymbolicId) -> bool {
    match residual {
        Residual::Known(value) => mentions(value, other),
        Residual::Output { of, .. } => of == other,
        Residual::List(parts) | Residual::Operation(_, parts) | Residual::Call { arguments: parts, .. } => {
            parts.iter().any(|part| in_residual(part, other))
        }
        Residual::Map(entries) => entries.values().any(|part| in_residual(part, other)),
    }
}
