//! The order of a plan's steps as a value: which may start now, what follows from an outcome. No runtime, no clock, no requests.
//!
//! A step starts when everything it needs has succeeded, or has told what it is needed for, no other step of its conflict domain runs,
//! and there is room for one more of its kind; of those that could, the one with the longest remaining path first. A
//! failed step skips what needs it, however far; everything else goes on.

use std::{
    cmp::{Ordering, Reverse},
    collections::{BTreeMap, BTreeSet, BinaryHeap},
};

use akson_catalog::SymbolicId;

use crate::{Plan, Work};

/// A step: the place of its change in [`Plan::changes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StepId(pub usize);

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Done and recorded.
    Succeeded,
    /// Refused or not kept; what needs it is skipped.
    Failed,
    /// The user stopped it before it was decided; what needs it is skipped.
    Interrupted,
}

/// Where a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    /// Something it needs is not finished, or there was no room for it yet.
    Waiting,
    /// Handed out.
    Running,
    /// Ended by its own outcome.
    Ended(Outcome),
    /// Never started, since this step failed or was interrupted.
    Skipped(StepId),
}

/// The steps of a plan on their way.
#[derive(Debug, Clone)]
pub struct Schedule {
    steps: BTreeMap<StepId, Step>,
    /// Whatever could start but for room and domains.
    ready: BinaryHeap<Ready>,
    /// Steps that could start but for another one of their domain.
    queued: BTreeMap<SymbolicId, BinaryHeap<Ready>>,
    busy: BTreeSet<SymbolicId>,
    /// Steps that could start but for too many others of their kind.
    crowded: BTreeMap<String, BinaryHeap<Ready>>,
    running: BTreeMap<String, usize>,
    stopped: bool,
}

#[derive(Debug, Clone)]
struct Step {
    state: StepState,
    unmet: usize,
    dependents: Vec<Dependent>,
    domain: Option<SymbolicId>,
    /// The keyword of its kind.
    kind: String,
    /// Seconds from its start to the end of the longest chain behind it.
    path: f64,
}

/// A step that waits for another.
#[derive(Debug, Clone)]
struct Dependent {
    step: StepId,
    /// The outputs that are all it waits for, if the first answer has them.
    early: BTreeSet<String>,
    /// They were told: it waits no more.
    is_met: bool,
}

/// Seconds from a write to its first answer.
const FIRST_ANSWER: f64 = 6.0;

/// Longest path first; of equals the plan's order.
#[derive(Debug, Clone, Copy)]
struct Ready {
    path: f64,
    step: StepId,
}

impl Schedule {
    /// The schedule of a plan: a step for each change with work. What a change needs and is no step is taken as met.
    pub fn new(plan: &Plan) -> Self {
        let by_id: BTreeMap<&SymbolicId, StepId> = plan
            .changes
            .iter()
            .enumerate()
            .filter(|(_, change)| change.work.is_step())
            .map(|(at, change)| (&change.symbolic_id, StepId(at)))
            .collect();
        let mut steps: BTreeMap<StepId, Step> = BTreeMap::new();
        let mut dependents: BTreeMap<StepId, Vec<Dependent>> = BTreeMap::new();
        for (at, change) in plan.changes.iter().enumerate().filter(|(_, change)| change.work.is_step()) {
            let step = StepId(at);
            let needs: BTreeSet<StepId> =
                change.needs.iter().filter_map(|need| by_id.get(need).copied()).filter(|need| *need != step).collect();
            for need in &needs {
                let early = plan.changes.get(need.0).and_then(|need| change.early.get(&need.symbolic_id));
                let early = early.cloned().unwrap_or_default();
                dependents.entry(*need).or_default().push(Dependent { step, early, is_met: false });
            }
            let seconds = match &change.work {
                Work::Nothing | Work::Record { .. } | Work::Forget => 0.0,
                Work::Write { replace: true, .. } => 2.0 * change.seconds,
                Work::Write { .. } | Work::Delete { .. } => change.seconds,
            };
            let state = StepState::Waiting;
            let (domain, kind) = (change.conflict_domain.clone(), change.kind.keyword.clone());
            steps.insert(
                step,
                Step { state, unmet: needs.len(), dependents: Vec::new(), domain, kind, path: seconds.max(0.0) },
            );
        }
        for (need, list) in dependents {
            if let Some(step) = steps.get_mut(&need) {
                step.dependents = list;
            }
        }
        let mut schedule = Self {
            steps,
            ready: BinaryHeap::new(),
            queued: BTreeMap::new(),
            busy: BTreeSet::new(),
            crowded: BTreeMap::new(),
            running: BTreeMap::new(),
            stopped: false,
        };
        schedule.measure();
        let first: Vec<StepId> = schedule.steps.iter().filter(|(_, step)| step.unmet == 0).map(|(id, _)| *id).collect();
        for step in first {
            schedule.offer(step);
        }
        schedule
    }

    /// Steps to start now, so that at most `of_a_kind` of each kind run at once; they count as running from here on. Kinds that have
    /// much to do, and whose service is slow, take nothing from the others.
    pub fn next_ready(&mut self, of_a_kind: usize) -> Vec<StepId> {
        let mut started = Vec::new();
        while !self.stopped
            && let Some(next) = self.ready.pop()
        {
            let Some(step) = self.steps.get_mut(&next.step) else { continue };
            if let Some(domain) = step.domain.as_ref().filter(|domain| self.busy.contains(domain)) {
                self.queued.entry(domain.clone()).or_default().push(next);
                // It may stand here for another of its kind.
                self.ready.extend(self.crowded.get_mut(&step.kind).and_then(BinaryHeap::pop));
                continue;
            }
            let running = self.running.entry(step.kind.clone()).or_default();
            if *running >= of_a_kind {
                self.crowded.entry(step.kind.clone()).or_default().push(next);
                continue;
            }
            *running += 1;
            self.busy.extend(step.domain.clone());
            step.state = StepState::Running;
            started.push(next.step);
        }
        started
    }

    /// A running step's first answer told these outputs: what waits for no more than that may start.
    pub fn told(&mut self, id: StepId, outputs: &BTreeSet<String>) {
        let Some(step) = self.steps.get_mut(&id).filter(|step| step.state == StepState::Running) else { return };
        let mut met = Vec::new();
        for dependent in step.dependents.iter_mut().filter(|dependent| !dependent.is_met) {
            if !dependent.early.is_empty() && dependent.early.is_subset(outputs) {
                dependent.is_met = true;
                met.push(dependent.step);
            }
        }
        self.meet(met);
    }

    /// Takes a running step's outcome; answers which steps are skipped by it. A step that does not run is left as it is.
    pub fn complete(&mut self, id: StepId, outcome: Outcome) -> Vec<StepId> {
        let Some(step) = self.steps.get_mut(&id).filter(|step| step.state == StepState::Running) else {
            return Vec::new();
        };
        step.state = StepState::Ended(outcome);
        if let Some(running) = self.running.get_mut(&step.kind) {
            *running -= 1;
        }
        self.ready.extend(self.crowded.get_mut(&step.kind).and_then(BinaryHeap::pop));
        let dependents: Vec<(StepId, bool)> =
            step.dependents.iter().map(|dependent| (dependent.step, dependent.is_met)).collect();
        if let Some(domain) = step.domain.clone() {
            self.busy.remove(&domain);
            // All of them again: which of them starts first is for `next_ready` to decide.
            self.ready.extend(self.queued.remove(&domain).unwrap_or_default());
        }
        if outcome != Outcome::Succeeded {
            return self.skip(dependents.into_iter().map(|(step, _)| step).collect(), id);
        }
        self.meet(dependents.into_iter().filter(|(_, is_met)| !is_met).map(|(step, _)| step).collect());
        Vec::new()
    }

    /// One need less of each.
    fn meet(&mut self, dependents: Vec<StepId>) {
        for dependent in dependents {
            if let Some(step) = self.steps.get_mut(&dependent).filter(|step| step.state == StepState::Waiting) {
                step.unmet -= 1;
                if step.unmet == 0 {
                    self.offer(dependent);
                }
            }
        }
    }

    /// No further step starts. What runs still has to be completed.
    pub fn stop(&mut self) {
        self.stopped = true;
    }

    /// Whether nothing runs and nothing will start any more.
    pub fn is_finished(&self) -> bool {
        self.running.values().all(|running| *running == 0) && (self.stopped || self.ready.is_empty())
    }

    /// Steps that have neither ended nor been skipped, in the plan's order.
    pub fn remaining(&self) -> Vec<StepId> {
        let open = |step: &Step| matches!(step.state, StepState::Waiting | StepState::Running);
        self.steps.iter().filter(|(_, step)| open(step)).map(|(id, _)| *id).collect()
    }

    /// Where a step is; none for what is no step of this plan.
    pub fn state(&self, id: StepId) -> Option<StepState> {
        self.steps.get(&id).map(|step| step.state)
    }

    /// Every step and where it is, in the plan's order.
    pub fn iter(&self) -> impl Iterator<Item = (StepId, StepState)> {
        self.steps.iter().map(|(id, step)| (*id, step.state))
    }

    /// How many steps there are.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether there is no step at all.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Seconds that the longest chain takes: what an apply needs at least.
    pub fn longest_path(&self) -> f64 {
        self.steps.values().map(|step| step.path).fold(0.0, f64::max)
    }

    fn offer(&mut self, step: StepId) {
        let path = self.steps.get(&step).map_or(0.0, |step| step.path);
        self.ready.push(Ready { path, step });
    }

    /// Skips those and all behind them.
    fn skip(&mut self, mut left: Vec<StepId>, because: StepId) -> Vec<StepId> {
        let mut skipped = BTreeSet::new();
        while let Some(id) = left.pop() {
            if let Some(step) = self.steps.get_mut(&id).filter(|step| step.state == StepState::Waiting) {
                step.state = StepState::Skipped(because);
                skipped.insert(id);
                left.extend(step.dependents.iter().map(|dependent| dependent.step));
            }
        }
        skipped.into_iter().collect()
    }

    /// Lengths of the longest paths, from the ends backwards.
    fn measure(&mut self) {
        let mut open: BTreeMap<StepId, usize> =
            self.steps.iter().map(|(id, step)| (*id, step.dependents.len())).collect();
        let mut needs: BTreeMap<StepId, Vec<StepId>> = BTreeMap::new();
        for (id, step) in &self.steps {
            for dependent in &step.dependents {
                needs.entry(dependent.step).or_default().push(*id);
            }
        }
        let mut ends: BinaryHeap<Reverse<StepId>> =
            open.iter().filter(|(_, left)| **left == 0).map(|(id, _)| Reverse(*id)).collect();
        while let Some(Reverse(id)) = ends.pop() {
            let path = self.steps.get(&id).map_or(0.0, |step| {
                let path = |dependent: &Dependent| {
                    let behind = self.steps.get(&dependent.step).map_or(0.0, |step| step.path);
                    let before = if dependent.early.is_empty() { step.path } else { step.path.min(FIRST_ANSWER) };
                    before + behind
                };
                step.dependents.iter().map(path).fold(step.path, f64::max)
            });
            if let Some(step) = self.steps.get_mut(&id) {
                step.path = path;
            }
            for need in needs.get(&id).into_iter().flatten() {
                if let Some(left) = open.get_mut(need) {
                    *left -= 1;
                    if *left == 0 {
                        ends.push(Reverse(*need));
                    }
                }
            }
        }
    }
}

impl PartialEq for Ready {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ready {}

impl PartialOrd for Ready {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ready {
    fn cmp(&self, other: &Self) -> Ordering {
        self.path.total_cmp(&other.path).then_with(|| other.step.cmp(&self.step))
    }
}
