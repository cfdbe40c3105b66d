//! Runs a plan's steps, as many at once as their needs allow, and records each. It never plans anew: what has changed since the plan fails its step.
//!
//! All of it runs in the caller's task, so that one seed decides one run.

use std::{
    cell::{Cell, RefCell},
    pin::Pin,
};

use akson_config::OutputValue;
use akson_diagnostics::Diagnostics;
use akson_planner::{Action, Change, Outcome, Plan, Schedule, Snapshot, StepId, StepState};
use futures_util::stream::{FuturesUnordered, StreamExt as _};

use crate::{
    ApplyEvent, Because, Counts, Left, What,
    engine::Engine,
    holes::Known,
    ledger::Ledger,
    report,
    step::{Run, StepError, name_of},
};

/// How an apply ended.
#[derive(Debug)]
pub struct Report {
    /// In a word.
    pub end: End,
    /// How many steps ended how.
    pub counts: Counts,
    /// What was sent and left to Azure, since the run was stopped: addresses.
    pub left: Vec<String>,
    /// What was not begun, by address.
    pub not_begun: Vec<String>,
    /// What went wrong, each with its block's place.
    pub diagnostics: Diagnostics,
    /// The outputs, as far as they are known now.
    pub outputs: Vec<OutputValue>,
}

/// How an apply ended, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Every step succeeded.
    Done,
    /// Some failed; what succeeded is recorded, and running again continues.
    SomeFailed,
    /// The user stopped it; what was in flight is recorded, and running again continues.
    Interrupted,
    /// The ledger could not be written: nothing more was sent. Intents say what was under way.
    LedgerFailed,
}

/// How many steps of a kind are under way at once, those that wait for Azure included.
const UNDER_WAY: usize = 256;

type Step<'a> = Pin<Box<dyn Future<Output = (StepId, Result<(), StepError>)> + 'a>>;

/// Runs `plan`, made from `snapshot` and the ledger's entries. `observer` is told of each step as it goes.
///
/// It returns when every step has ended or will not be begun. If the ledger cannot be written, the engine's switch is thrown.
pub async fn apply(
    engine: &Engine,
    plan: &Plan,
    snapshot: &Snapshot,
    ledger: &Ledger,
    observer: &mut dyn FnMut(ApplyEvent),
) -> Report {
    let (early, mut told) = tokio::sync::mpsc::unbounded_channel();
    let run = Run {
        engine,
        plan,
        snapshot,
        ledger,
        known: RefCell::new(Known::new(plan.known.clone())),
        observer: RefCell::new(observer),
        early,
        granted: Cell::new(false),
        servers: RefCell::default(),
        asked: RefCell::default(),
        secrets: RefCell::default(),
        asking: futures_util::lock::Mutex::default(),
    };
    let mut tally = Tally::default();
    let mut schedule = Schedule::new(plan);
    let mut running: FuturesUnordered<Step<'_>> = FuturesUnordered::new();
    loop {
        if engine.cancel().is_stopped() {
            schedule.stop();
        }
        // Requests are bounded by the engine, and a step that only waits takes no place of theirs. But were all begun at once, the polls of
        // those that are under way would stand behind the first requests of all others.
        for id in schedule.next_ready(UNDER_WAY) {
            let Some(change) = plan.changes.get(id.0) else { continue };
            if is_told(change) {
                run.tell(What::StepStarted(name_of(change)));
            }
            let run = &run;
            running.push(Box::pin(async move { (id, run.step(change).await) }));
        }
        if running.is_empty() {
            break;
        }
        let ended = tokio::select! {
            biased;
            Some((of, outputs)) = told.recv() => {
                if let Some(at) = plan.changes.iter().position(|change| change.symbolic_id == of) {
                    schedule.told(StepId(at), &outputs);
                }
                continue;
            }
            ended = running.next() => ended,
        };
        let Some((id, ended)) = ended else { break };
        let Some(change) = plan.changes.get(id.0) else { continue };
        let outcome = tally.take(&run, change, ended);
        for skipped in schedule.complete(id, outcome) {
            tally.skip(&run, plan.changes.get(skipped.0), Because::Needs(change.address.clone()));
        }
    }
    // What was never begun.
    for (id, state) in schedule.iter() {
        if state == StepState::Waiting {
            tally.interrupted |= !tally.ledger_failed;
            tally.skip(&run, plan.changes.get(id.0), tally.why_stopped());
        }
    }
    if !tally.ledger_failed && !engine.cancel().is_stopped() {
        run.learn_ways().await;
    }
    run.tell(What::Summary(tally.counts));
    let known = run.known.borrow();
    let outputs = plan.outputs.iter().map(|output| filled(&known, snapshot, output)).collect();
    Report {
        end: tally.end(),
        counts: tally.counts,
        left: tally.left,
        not_begun: tally.not_begun,
        diagnostics: tally.diagnostics,
        outputs,
    }
}

#[derive(Default)]
struct Tally {
    counts: Counts,
    left: Vec<String>,
    not_begun: Vec<String>,
    diagnostics: Diagnostics,
    ledger_failed: bool,
    interrupted: bool,
}

impl Tally {
    /// Counts and tells how a step ended.
    fn take(&mut self, run: &Run<'_>, change: &Change, ended: Result<(), StepError>) -> Outcome {
        let error = match ended {
            Ok(()) => {
                if is_told(change) {
                    self.counts.succeeded += 1;
                    run.tell(What::StepSucceeded(name_of(change)));
                }
                return Outcome::Succeeded;
            }
            Err(error) => error,
        };
        if error == StepError::Interrupted {
            // Stopped because the ledger failed is told by the step whose write it was.
            self.interrupted |= !self.ledger_failed;
            self.leave(run, change, Left::UnderWay);
            return Outcome::Interrupted;
        }
        if let StepError::Ledger(_) = error {
            run.engine.cancel().stop();
            let again = std::mem::replace(&mut self.ledger_failed, true);
            self.interrupted = false;
            if again {
                self.leave(run, change, Left::NotRecorded);
                return Outcome::Interrupted;
            }
        }
        let error = error.without(&|text| run.without_secrets(text));
        let diagnostic = run.scrubbed(report::of_step(change, &error, &run.ledger.place()));
        self.counts.failed += 1;
        self.diagnostics.push(diagnostic.clone());
        run.tell(What::StepFailed(name_of(change), Box::new(diagnostic)));
        Outcome::Failed
    }

    /// A step that was stopped: what it announced and did not take back was sent, or may have been.
    fn leave(&mut self, run: &Run<'_>, change: &Change, how: Left) {
        let announced = run.ledger.entry(&change.symbolic_id).and_then(|entry| entry.intent);
        if announced.is_none_or(|intent| intent.run != run.engine.run()) {
            self.skip(run, Some(change), self.why_stopped());
            return;
        }
        match how {
            Left::UnderWay => {
                self.counts.left += 1;
                self.left.push(change.address.clone());
            }
            Left::NotRecorded => self.counts.not_recorded += 1,
        }
        run.tell(What::StepLeft(name_of(change), how));
    }

    fn skip(&mut self, run: &Run<'_>, change: Option<&Change>, because: Because) {
        if let Some(change) = change.filter(|change| is_told(change)) {
            self.counts.skipped += 1;
            self.not_begun.push(change.address.clone());
            run.tell(What::StepSkipped { step: name_of(change), because });
        }
    }

    fn why_stopped(&self) -> Because {
        if self.ledger_failed { Because::NoLedger } else { Because::Interrupted }
    }

    fn end(&self) -> End {
        if self.ledger_failed {
            End::LedgerFailed
        } else if self.interrupted {
            End::Interrupted
        } else if self.counts.failed > 0 {
            End::SomeFailed
        } else {
            End::Done
        }
    }
}

/// Whether people are told of it: bringing the ledger up to date in passing is nobody's news.
fn is_told(change: &Change) -> bool {
    change.action != Action::NoOp
}

/// An output with its holes filled, as far as they can be.
fn filled(known: &Known, snapshot: &Snapshot, output: &OutputValue) -> OutputValue {
    let value = known.fill(snapshot, &output.value).unwrap_or_else(|_| output.value.clone());
    OutputValue { value, ..output.clone() }
}
