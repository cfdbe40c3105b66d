//! One step of a plan, from its first look to its record. Which step when is the schedule's; what is told of it is `report`'s.

mod cluster;
mod delete;
mod edges;
mod look;
mod plane;
mod record;
mod secret;
mod send;
mod write;

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use akson_azure::{AzureError, FollowError, RequestIds, TransportError, plane::kubernetes::ApiServer};
use akson_catalog::{Kind, SymbolicId, kind::Plane};
use akson_diagnostics::Span;
use akson_planner::{Change, Plan, Snapshot, Work};
use serde_json::Value as Json;
use tokio::sync::mpsc::UnboundedSender;

pub(crate) use record::marker_word;
pub(crate) use send::is_no_definition;

use crate::{
    ApplyEvent, StepName, What,
    engine::{Engine, SendError},
    holes::{HoleError, Known},
    ledger::{Ledger, StoreError},
};

/// Why a step failed. Becomes a diagnostic in `report`, and only there.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StepError {
    /// Azure said no: nothing was done.
    #[error("refused: {}", .0.code)]
    Refused(AzureError),
    /// It was accepted and failed afterwards.
    #[error("failed after it was accepted: {0}")]
    Ended(FollowError),
    /// Whether it happened could not be found out.
    #[error("whether it happened is not known: {0}")]
    Undecided(String),
    /// Azure could not be reached: nothing was sent.
    #[error(transparent)]
    Unreachable(TransportError),
    /// The API server of a cluster could not be reached: nothing was sent.
    #[error(transparent)]
    Closed(TransportError),
    /// No token, or no request to send.
    #[error(transparent)]
    Send(SendError),
    /// It is not as it was when the plan was made.
    #[error("changed since the plan: {0}")]
    Stale(Stale),
    /// What was written is not what is there afterwards.
    #[error("not kept")]
    NotKept(Vec<NotKept>),
    /// It does not bear our mark, so that it is not deleted or written.
    #[error("not ours")]
    NotOurs {
        /// The stack whose mark it bears, if it bears any.
        stack: Option<String>,
    },
    /// A soft-deleted object that is not this stack's has its name.
    #[error("a deleted one has its name")]
    HeldByDeleted,
    /// A value from another step does not fit.
    #[error(transparent)]
    Hole(#[from] HoleError),
    /// The ledger cannot be written: nothing more is sent.
    #[error(transparent)]
    Ledger(StoreError),
    /// Stopped before it was decided.
    #[error("interrupted")]
    Interrupted,
}

/// In what way something changed since the plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stale {
    /// It is there, and was not.
    #[error("it appeared")]
    Appeared,
    /// It is not there, and was.
    #[error("it is gone")]
    Gone,
    /// These attributes differ.
    #[error("{}", .0.join(", "))]
    Differs(Vec<String>),
    /// The service says so, without saying what.
    #[error("{}", .0.code)]
    Told(AzureError),
}

/// An attribute that Azure did not keep.
#[derive(Debug, Clone, PartialEq)]
pub struct NotKept {
    /// What the user calls it.
    pub attribute: String,
    /// Where it is written.
    pub span: Option<Span>,
    /// What was sent, and what is there; none where it is absent. Not for sensitive ones.
    pub values: (Option<Json>, Option<Json>),
}

impl From<SendError> for StepError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Interrupted => StepError::Interrupted,
            SendError::Transport(error @ (TransportError::Refused { .. } | TransportError::Untrusted { .. })) => {
                StepError::Unreachable(error)
            }
            SendError::Transport(error) => StepError::Undecided(error.to_string()),
            SendError::Ledger(error) => StepError::Ledger(error),
            error => StepError::Send(error),
        }
    }
}

/// What the steps of one apply share. They run in one task: nothing here is shared between threads.
pub(crate) struct Run<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) plan: &'a Plan,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) ledger: &'a Ledger,
    pub(crate) known: RefCell<Known>,
    pub(crate) observer: RefCell<&'a mut dyn FnMut(ApplyEvent)>,
    /// What first answers have told.
    pub(crate) early: UnboundedSender<(SymbolicId, BTreeSet<String>)>,
    /// Whether this apply has granted a right, which takes minutes to work everywhere.
    pub(crate) granted: Cell<bool>,
    /// API servers of clusters that steps have opened.
    pub(crate) servers: RefCell<BTreeMap<SymbolicId, ApiServer>>,
    /// Clusters whose way was asked of Azure in this apply.
    pub(crate) asked: RefCell<BTreeSet<SymbolicId>>,
    /// Whose turn it is to ask for one.
    pub(crate) asking: futures_util::lock::Mutex<()>,
}

impl Run<'_> {
    pub(crate) fn tell(&self, what: What) {
        let event = ApplyEvent { after: self.engine.elapsed(), what };
        (self.observer.borrow_mut())(event);
    }

    fn progress(&self, change: &Change, text: impl Into<String>) {
        self.tell(What::StepProgress(name_of(change), text.into()));
    }

    /// Runs a step to its end.
    ///
    /// # Errors
    /// [`StepError`]
    pub(crate) async fn step(&self, change: &Change) -> Result<(), StepError> {
        if change.kind.plane == Plane::Kubernetes
            && let Work::Write { id, .. } | Work::Delete { id, .. } = &change.work
        {
            match self.open(change, id).await {
                // With the cluster all that was in it is gone.
                Err(StepError::Refused(error)) if error.status == 404 && matches!(change.work, Work::Delete { .. }) => {
                    return self.forget(change).await;
                }
                opened => opened?,
            }
        }
        match &change.work {
            Work::Nothing => Ok(()),
            Work::Record { leaves } => self.record(change, leaves).await,
            Work::Forget => self.forget(change).await,
            Work::Write { .. } => self.write(change).await,
            Work::Delete { id, api_version } => self.delete(change, id, api_version).await,
        }
    }

    fn ids(&self, change: &Change) -> RequestIds {
        self.engine.ids(change.symbolic_id.as_str())
    }
}

/// How a step is called in events.
pub(crate) fn name_of(change: &Change) -> StepName {
    StepName { address: change.address.clone(), action: change.action }
}

/// How long a write may take, from now: several times what it usually takes.
fn write_deadline(run: &Run<'_>, kind: &Kind) -> Duration {
    const LEAST: Duration = Duration::from_secs(600);
    run.engine.now() + Duration::try_from_secs_f64(kind.seconds * 6.0).unwrap_or(LEAST).max(LEAST)
}

/// How long a deletion may take, from now. Groups were seen to take 23 minutes.
fn delete_deadline(run: &Run<'_>, kind: &Kind) -> Duration {
    const LEAST: Duration = Duration::from_secs(2400);
    run.engine.now() + Duration::try_from_secs_f64(kind.seconds * 6.0).unwrap_or(LEAST).max(LEAST)
}
