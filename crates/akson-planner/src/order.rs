//! Which step waits for which: what a plan's changes need of each other. Not when they start: see `schedule`.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
};

use akson_catalog::{Quirk, SymbolicId};

use crate::{
    Owned, Snapshot,
    decide::{Pending, is_read_only},
    graph::{Graph, below},
    place::scope_of,
    plan::Action,
};

/// For each change its needs, by place; and the changes in an order that respects them.
pub(crate) struct Order {
    pub needs: Vec<BTreeSet<usize>>,
    /// Pairs of a change and a need of it that has told enough with its first answer: these outputs.
    pub early: BTreeMap<(usize, usize), BTreeSet<String>>,
    /// Every place, after what it needs; of those that could come next the first.
    pub sorted: Vec<usize>,
}

impl Order {
    /// Puts the changes in order again, after more needs were added that make no circle.
    pub(crate) fn sort_again(&mut self) {
        if let Some(sorted) = sort(&self.needs) {
            self.sorted = sorted;
        }
    }
}

/// Puts changes in order. The first changes are those of the graph's resources that are `managed`, by place in the configuration;
/// `waits` are further pairs: the first waits for the second.
pub(crate) fn order(
    pending: &[Pending<'_>],
    graph: &Graph,
    managed: &BTreeMap<usize, usize>,
    (owned, snapshot): (&Owned, &Snapshot),
    waits: &[(SymbolicId, SymbolicId)],
) -> Order {
    let is_step = |at: usize| pending.get(at).is_some_and(|change| change.decision.work.is_step());
    let by_id: BTreeMap<&SymbolicId, usize> =
        pending.iter().enumerate().map(|(at, change)| (change.symbolic_id, at)).collect();
    let mut hard: Vec<(usize, usize)> = Vec::new();
    let mut early: BTreeMap<(usize, usize), BTreeSet<String>> = BTreeMap::new();

    // Creations and updates wait for the nearest steps among what they need: what is no step is passed through.
    let mut nearest: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for at in graph.order() {
        let mut steps: BTreeSet<usize> = BTreeSet::new();
        for need in graph.needs(*at) {
            match managed.get(&need).filter(|change| is_step(**change)) {
                Some(change) => drop(steps.insert(*change)),
                None => steps.extend(nearest.get(&need).into_iter().flatten()),
            }
        }
        match managed.get(at).filter(|change| is_step(**change)) {
            Some(change) => {
                for need in graph.needs(*at) {
                    let (Some(step), outputs) = (managed.get(&need), graph.early(*at, need)) else { continue };
                    // What is needed in another way, too, through something that is no step, is waited for.
                    let through =
                        graph.needs(*at).filter_map(|other| nearest.get(&other)).any(|all| all.contains(step));
                    if !outputs.is_empty() && !through {
                        early.insert((*change, *step), outputs.clone());
                    }
                }
                hard.extend(steps.iter().map(|need| (*change, *need)));
            }
            None => drop(nearest.insert(*at, steps)),
        }
    }
    let by_need = hard.len();

    let deletes = |at: usize| pending.get(at).is_some_and(|change| change.decision.deletes());
    let is_lock = |at: usize| pending.get(at).is_some_and(|change| change.kind.quirks.contains(&Quirk::Blocks));
    for (at, change) in pending.iter().enumerate().filter(|(at, _)| is_step(*at)) {
        if deletes(at) || change.decision.action == Action::Forget {
            // What lies in it goes first, also where the container itself stays. What a replaced one holds and is declared comes back after it.
            let inside = below(change.symbolic_id, &by_id).filter(|other| *other != at);
            let gone = |other: &usize| pending.get(*other).is_some_and(|other| other.decision.action == Action::Delete);
            hard.extend(inside.filter(gone).map(|other| (at, other)));
        }
        if !is_lock(at) {
            continue;
        }
        for other in below(&scope_of(change.symbolic_id), &by_id).filter(|other| is_step(*other) && !is_lock(*other)) {
            match change.decision.action {
                // It stops them from being deleted.
                Action::Delete if deletes(other) || is_read_only(snapshot, change.symbolic_id) => {
                    hard.push((other, at));
                }
                Action::Delete => {}
                // It would stop them, once it stands.
                _ if deletes(other) => hard.push((at, other)),
                _ => {}
            }
        }
    }

    // Deletions wait for what depended on them when it was last applied: to be deleted, or to be written without them.
    let mut soft: Vec<(usize, usize)> = Vec::new();
    for (id, entry) in &owned.entries {
        let Some(at) = by_id.get(id).copied().filter(|at| is_step(*at)) else { continue };
        for on in entry.dependencies.iter().filter_map(|on| by_id.get(on).copied()) {
            let gone = pending.get(on).is_some_and(|change| change.decision.action == Action::Delete);
            if gone && on != at {
                soft.push((on, at));
            }
        }
    }
    let place = |id: &SymbolicId| by_id.get(id).copied().filter(|at| is_step(*at));
    soft.extend(waits.iter().filter_map(|(first, second)| Some((place(first)?, place(second)?))));

    for pair in hard.iter().skip(by_need).chain(&soft) {
        early.remove(pair);
    }
    let all = edges(pending.len(), hard.iter().chain(&soft));
    if let Some(sorted) = sort(&all) {
        return Order { needs: all, early, sorted };
    }
    // What is remembered contradicts what is declared now: of it as much as fits.
    let mut needs = edges(pending.len(), hard.iter());
    for (at, need) in soft {
        if !reaches(&needs, need, at)
            && let Some(needs) = needs.get_mut(at)
        {
            needs.insert(need);
        }
    }
    let sorted = sort(&needs).unwrap_or_else(|| (0..pending.len()).collect());
    Order { needs, early, sorted }
}

fn edges<'a>(count: usize, pairs: impl Iterator<Item = &'a (usize, usize)>) -> Vec<BTreeSet<usize>> {
    let mut needs = vec![BTreeSet::new(); count];
    for (at, need) in pairs.filter(|(at, need)| at != need) {
        if let Some(needs) = needs.get_mut(*at) {
            needs.insert(*need);
        }
    }
    needs
}

/// Kahn's order, the smallest place first; none if there is a circle.
fn sort(needs: &[BTreeSet<usize>]) -> Option<Vec<usize>> {
    let mut left: Vec<usize> = needs.iter().map(BTreeSet::len).collect();
    let mut dependents: Vec<Vec<usize>> = vec![Vec::new(); needs.len()];
    for (at, needs) in needs.iter().enumerate() {
        for need in needs {
            if let Some(list) = dependents.get_mut(*need) {
                list.push(at);
            }
        }
    }
    let mut ready: BinaryHeap<Reverse<usize>> =
        left.iter().enumerate().filter(|(_, left)| **left == 0).map(|(at, _)| Reverse(at)).collect();
    let mut sorted = Vec::with_capacity(needs.len());
    while let Some(Reverse(at)) = ready.pop() {
        sorted.push(at);
        for dependent in dependents.get(at).into_iter().flatten() {
            if let Some(count) = left.get_mut(*dependent) {
                *count -= 1;
                if *count == 0 {
                    ready.push(Reverse(*dependent));
                }
            }
        }
    }
    (sorted.len() == needs.len()).then_some(sorted)
}

/// Whether `from` waits for `to`, however far.
pub(crate) fn reaches(needs: &[BTreeSet<usize>], from: usize, to: usize) -> bool {
    let mut seen = BTreeSet::new();
    let mut left = vec![from];
    while let Some(at) = left.pop() {
        if at == to {
            return true;
        }
        if seen.insert(at) {
            left.extend(needs.get(at).into_iter().flatten());
        }
    }
    false
}
