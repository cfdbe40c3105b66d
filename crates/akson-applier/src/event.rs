//! What a run tells while it goes on. Progress bars, plain lines and JSON lines are all made from these.

use std::time::Duration;

use akson_diagnostics::Diagnostic;
use akson_planner::Action;

/// Something happened.
#[derive(Debug, Clone, PartialEq)]
pub struct ApplyEvent {
    /// Since the start of the run, in our time.
    pub after: Duration,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// A step began.
    StepStarted(StepName),
    /// It goes on; in the service's words or ours. Foreign text: print it as such.
    StepProgress(StepName, String),
    /// It is done and recorded.
    StepSucceeded(StepName),
    /// It failed; steps that need it are skipped.
    StepFailed(StepName, Box<Diagnostic>),
    /// It was not begun.
    StepSkipped {
        /// Which.
        step: StepName,
        /// Why not.
        because: Because,
    },
    /// It was sent, or may have been, and what came of it is not recorded: the next run looks.
    StepLeft(StepName, Left),
    /// The last event.
    Summary(Counts),
}

/// Why a step was not begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Because {
    /// It needs the step with this address, which failed.
    Needs(String),
    /// The run was stopped.
    Interrupted,
    /// The ledger cannot be written, and nothing is sent that is not announced there.
    NoLedger,
}

impl Because {
    /// In the stream of `apply --format json`: an address, or a word.
    pub fn as_str(&self) -> &str {
        match self {
            Because::Needs(address) => address,
            Because::Interrupted => "interrupted",
            Because::NoLedger => "the ledger cannot be written",
        }
    }
}

/// Where the end of a step is not recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// Its end was not waited for, since the run was stopped: Azure goes on with it.
    UnderWay,
    /// It was announced, and then the ledger failed: it may be done, and the ledger does not say so.
    NotRecorded,
}

impl Left {
    /// The word for it in the stream of `apply --format json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Left::UnderWay => "under_way",
            Left::NotRecorded => "not_recorded",
        }
    }
}

/// Which step.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StepName {
    /// The resource's address.
    pub address: String,
    /// What is done to it.
    pub action: Action,
}

/// How many steps ended how. Steps that only bring the ledger up to date are not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Done and recorded.
    pub succeeded: usize,
    /// Failed.
    pub failed: usize,
    /// Not begun, or stopped before anything was sent.
    pub skipped: usize,
    /// Sent, and left to Azure.
    pub left: usize,
    /// Announced, and what came of it is not recorded.
    pub not_recorded: usize,
}

impl What {
    /// The word for it in the stream of `apply --format json`.
    pub fn as_str(&self) -> &'static str {
        match self {
            What::StepStarted(_) => "step_started",
            What::StepProgress(..) => "step_progress",
            What::StepSucceeded(_) => "step_succeeded",
            What::StepFailed(..) => "step_failed",
            What::StepSkipped { .. } => "step_skipped",
            What::StepLeft(..) => "step_left",
            What::Summary(_) => "summary",
        }
    }
}
