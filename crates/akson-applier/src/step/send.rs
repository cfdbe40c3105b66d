//! A mutating request until its outcome is decided. It is announced before; a retry is the same request at the same id.

use std::time::Duration;

use akson_azure::{
    Answer, Audience, AzureError, Class, Follow, FollowError, Lane, LaneKind, Next, Operation, TransportError, Verb,
    classify, may_have_happened,
};
use akson_catalog::{SymbolicId, kind::Plane};
use akson_planner::{
    Action, Change, Work,
    place::{cluster_of, covers, scope_of},
    rest::unsettled,
};
use serde_json::Value as Json;

use super::{Run, Stale, StepError, write_deadline};
use crate::engine::{Passage, Patience, SendError};

/// How it failed.
#[derive(Debug)]
pub(super) struct Unsettled {
    pub(super) error: StepError,
    /// Certainly nothing was done: the announcement may be taken back.
    pub(super) untouched: bool,
}

/// How long what other services see late is waited for.
pub(super) const SEEN_LATE: Duration = Duration::from_secs(600);
/// How long a parent that was just created may stay invisible.
const PARENT_LAG: Duration = Duration::from_secs(120);
/// How often an operation that was accepted and failed for a passing reason is begun again.
const BEGIN_AGAIN: u32 = 3;

/// What one attempt came to.
enum Attempt {
    /// Done: the settled object, or nothing after a deletion.
    Done(Option<Json>),
    /// To be tried again until then, for this reason.
    Again { until: Duration, why: StepError, hint: Option<Duration> },
    /// It may have happened.
    Unknown { why: StepError },
    /// It failed for good.
    Failed(StepError),
}

impl Run<'_> {
    /// Sends until it is decided. `is_wanted` recognises an object, as `read` shows it, that is as the request would make it;
    /// it fails for one that the request may not be sent to again.
    pub(super) async fn decide(
        &self,
        change: &Change,
        operation: &Operation,
        read: &Operation,
        deadline: Duration,
        is_wanted: &dyn Fn(&Json) -> Result<bool, StepError>,
    ) -> Result<Option<Json>, Unsettled> {
        let (mut started, mut deadline) = (self.engine.now(), deadline);
        let allowed = deadline.saturating_sub(started);
        let mut untouched = true;
        let mut begun_again = 0;
        let mut attempt = 0_u32;
        loop {
            let step = change.symbolic_id.as_str();
            let passage = Passage::default();
            let answer = self
                .engine
                .send_telling(self.ledger, (operation, step), deadline, Patience::UntilStopped, &passage)
                .await;
            (started, deadline) = (started + passage.waited.get(), deadline + passage.waited.get());
            if attempt == 0 {
                // What Azure began with its answer has all the time from there on.
                deadline = deadline.max(self.engine.now() + allowed);
            }
            untouched &= !touched(&answer) && !passage.throttled.get();
            let outcome = match self.judge(change, operation, answer, started, deadline, &mut begun_again).await {
                Attempt::Unknown { why } => self.probe(change, (operation, read), deadline, is_wanted, why).await,
                outcome => outcome,
            };
            let (until, why, hint) = match outcome {
                Attempt::Done(object) => return Ok(object),
                Attempt::Failed(error) => return Err(Unsettled { error, untouched }),
                Attempt::Unknown { why } => (deadline, why, None),
                Attempt::Again { until, why, hint } => (until, why, hint),
            };
            let wait = hint.unwrap_or_else(|| self.engine.backoff(attempt));
            if self.engine.now() + wait >= until {
                return Err(Unsettled { error: why, untouched });
            }
            if attempt == 0 {
                self.progress(change, waiting_for(&why));
            }
            if let Err(error) = self.engine.pause(wait, Patience::UntilStopped).await {
                return Err(Unsettled { error: error.into(), untouched });
            }
            attempt = attempt.saturating_add(1);
        }
    }

    async fn judge(
        &self,
        change: &Change,
        operation: &Operation,
        answer: Result<Answer, SendError>,
        started: Duration,
        deadline: Duration,
        begun_again: &mut u32,
    ) -> Attempt {
        let deleting = operation.verb() == Verb::Delete;
        let answer = match answer {
            Ok(answer) => answer,
            Err(SendError::Transport(error @ TransportError::Refused { .. })) => {
                let until = (started + self.engine.limits().read).min(deadline);
                return Attempt::Again { until, why: StepError::Unreachable(error), hint: None };
            }
            Err(error) if error.may_have_happened() => return Attempt::Unknown { why: error.into() },
            Err(error) => return Attempt::Failed(error.into()),
        };
        if answer.is_success() || (deleting && answer.is_gone()) {
            // ARM alone has operations that go on after their answer.
            if operation.audience() != Audience::Arm {
                return Attempt::Done(None);
            }
            if operation.verb() == Verb::Put {
                self.tell_early(change, &answer);
            }
            return match self.follow(change, operation, &answer, deadline).await {
                Ok(object) => Attempt::Done(object),
                Err(StepError::Ended(FollowError::Azure(error)))
                    if is_passing(&error) && *begun_again < BEGIN_AGAIN =>
                {
                    *begun_again += 1;
                    Attempt::Again { until: deadline, why: StepError::Ended(FollowError::Azure(error)), hint: None }
                }
                Err(error) => Attempt::Failed(error),
            };
        }
        let hint = answer.retry_after();
        let error = answer.error();
        if may_have_happened(answer.status.as_u16()) {
            return Attempt::Unknown { why: StepError::Undecided(described(&error)) };
        }
        let until = match classify(&error) {
            Class::Gone if change.kind.plane == Plane::Kubernetes => {
                self.seen_late(change, &error).then_some(started + SEEN_LATE)
            }
            Class::Changed => return Attempt::Failed(StepError::Stale(Stale::Told(error))),
            Class::Fatal | Class::Throttled => None,
            Class::RetryFast | Class::WaitForOther => Some(deadline),
            Class::RetrySlow => Some(started + SEEN_LATE),
            Class::Gone if is_no_definition(&error) && !self.makes_definitions() => None,
            Class::Gone => Some(started + PARENT_LAG),
            Class::Denied => {
                let is_new = cluster_of(&change.symbolic_id).is_some_and(|cluster| self.is_new(&cluster));
                (is_new || self.is_granted(change)).then_some(started + SEEN_LATE)
            }
        };
        match until {
            Some(until) => Attempt::Again { until: until.min(deadline), why: StepError::Refused(error), hint },
            None => Attempt::Failed(StepError::Refused(error)),
        }
    }

    /// What does not change any more until the operation ends is told at once: others wait for no more than that.
    fn tell_early(&self, change: &Change, answer: &Answer) {
        let Some(body) = answer.json() else { return };
        let told = self.known.borrow_mut().tell_early(&change.kind, &change.symbolic_id, body);
        if !told.is_empty() {
            // Nobody listens once the apply is over.
            let _ = self.early.send((change.symbolic_id.clone(), told));
        }
    }

    /// Whether what a cluster lacks comes about in this very run: the namespace, or the API that an add-on brings.
    fn seen_late(&self, change: &Change, error: &AzureError) -> bool {
        let Some(cluster) = cluster_of(&change.symbolic_id) else { return false };
        if error.says("NamespaceNotFound") {
            return self.plan.changes.iter().any(|other| {
                let made = matches!(other.action, Action::Create | Action::Replace);
                made && cluster != other.symbolic_id
                    && other.symbolic_id != change.symbolic_id
                    && covers(&other.symbolic_id, &change.symbolic_id)
                    && covers(&cluster, &other.symbolic_id)
            });
        }
        self.is_new(&cluster)
    }

    /// Whether this run grants something that may be what is lacking: on what the object lies in, or anywhere before now.
    pub(super) fn is_granted(&self, change: &Change) -> bool {
        let grants = self.plan.changes.iter().filter(|other| is_grant(other) && other.work.is_step());
        let cluster = cluster_of(&change.symbolic_id);
        // Rights in a cluster are granted on it, on what it lies in, or on a namespace of it.
        let reaches = |scope: &SymbolicId| {
            covers(scope, &change.symbolic_id) || cluster.as_ref().is_some_and(|cluster| covers(cluster, scope))
        };
        let granting =
            |other: &Change| matches!(other.work, Work::Write { .. }) && reaches(&scope_of(&other.symbolic_id));
        self.granted.get() || grants.into_iter().any(granting)
    }

    /// Whether this run makes a role or policy, which others may see late.
    fn makes_definitions(&self) -> bool {
        self.plan.changes.iter().any(|other| {
            matches!(other.work, Work::Write { .. })
                && DEFINITIONS.iter().any(|of| other.kind.resource_type.eq_ignore_ascii_case(of))
        })
    }

    /// Follows an accepted operation to its end.
    async fn follow(
        &self,
        change: &Change,
        operation: &Operation,
        answer: &Answer,
        deadline: Duration,
    ) -> Result<Option<Json>, StepError> {
        let (cloud, ids, now) = (self.engine.cloud(), self.ids(change), self.engine.now());
        // An update may be over at once, whatever creating takes.
        let creates = matches!(change.action, Action::Create | Action::Replace) && operation.verb() == Verb::Put;
        let usual = Duration::try_from_secs_f64(if creates { change.kind.seconds } else { 0.0 }).unwrap_or_default();
        let begun = Follow::start(operation, cloud, &ids, answer, now, usual, deadline);
        let (follow, next) = begun.map_err(SendError::from)?;
        self.follow_on(change, operation, follow, next).await
    }

    /// An object once Azure has done with it what an earlier run asked for.
    pub(super) async fn wait_for(&self, change: &Change, id: &str) -> Result<Option<Json>, StepError> {
        let read = self.reading(change, id)?;
        let deadline = write_deadline(self, &change.kind);
        let resumed = Follow::resume(&read, self.engine.cloud(), &self.ids(change), deadline);
        let (follow, next) = resumed.map_err(SendError::from)?;
        self.follow_on(change, &read, follow, next).await
    }

    async fn follow_on(
        &self,
        change: &Change,
        operation: &Operation,
        mut follow: Follow,
        mut next: Next,
    ) -> Result<Option<Json>, StepError> {
        let mut told = None;
        loop {
            let (after, request) = match next {
                Next::Done(object) => return Ok(object),
                Next::Failed(error) => return Err(StepError::Ended(error)),
                Next::Wait { after, request } | Next::ReadBack { after, request } => (after, request),
            };
            if follow.status() != told.as_deref() {
                told = follow.status().map(str::to_owned);
                self.progress(change, told.clone().unwrap_or_default());
            }
            self.engine.pause(after, Patience::AWhileLonger).await?;
            let lane = match operation.audience() {
                Audience::Arm => Lane::of_path(request.uri().path(), LaneKind::Read),
                other => Lane::beside(other, LaneKind::Read),
            };
            let now = self.engine.now();
            let answer =
                self.engine.send_request(request, &lane, now + self.engine.limits().read, Patience::AWhileLonger).await;
            next = match answer {
                Ok(answer) => follow.next(&answer, self.engine.now()),
                Err(SendError::Transport(_)) => follow.unanswered(self.engine.now()),
                Err(error) => return Err(error.into()),
            };
        }
    }

    /// Whether a request whose answer is not known has happened: done if the object is as it would be; else it is sent again. For a
    /// deletion only its own answer decides.
    async fn probe(
        &self,
        change: &Change,
        (operation, read): (&Operation, &Operation),
        deadline: Duration,
        is_wanted: &dyn Fn(&Json) -> Result<bool, StepError>,
        why: StepError,
    ) -> Attempt {
        if operation.verb() == Verb::Delete {
            return Attempt::Unknown { why };
        }
        self.progress(change, "no answer: looking whether it happened");
        let mut body = match self.engine.read(read, change.symbolic_id.as_str(), Patience::AWhileLonger).await {
            Ok(answer) if answer.is_success() => answer.json().cloned(),
            Ok(_) | Err(SendError::Transport(_)) => return Attempt::Unknown { why },
            Err(error) => return Attempt::Failed(error.into()),
        };
        if body.as_ref().and_then(unsettled).is_some() {
            let resumed = Follow::resume(operation, self.engine.cloud(), &self.ids(change), deadline);
            let (follow, next) = match resumed {
                Ok(resumed) => resumed,
                Err(error) => return Attempt::Failed(SendError::from(error).into()),
            };
            body = match self.follow_on(change, operation, follow, next).await {
                Ok(object) => object,
                Err(StepError::Ended(_)) => None,
                Err(error) => return Attempt::Failed(error),
            };
        }
        let Some(body) = body else { return Attempt::Unknown { why } };
        match is_wanted(&body) {
            Ok(true) => Attempt::Done(Some(body)),
            Ok(false) => Attempt::Unknown { why },
            Err(error) => Attempt::Failed(error),
        }
    }
}

/// Whether anything may have been done by the request that was answered so.
fn touched(answer: &Result<Answer, SendError>) -> bool {
    match answer {
        Ok(answer) => answer.is_success() || may_have_happened(answer.status.as_u16()),
        Err(error) => error.may_have_happened(),
    }
}

/// Whether a change gives somebody a role.
pub(super) fn is_grant(change: &Change) -> bool {
    change.kind.resource_type.eq_ignore_ascii_case("Microsoft.Authorization/roleAssignments")
}

/// What grants and policies refer to.
const DEFINITIONS: [&str; 3] = [
    "Microsoft.Authorization/roleDefinitions",
    "Microsoft.Authorization/policyDefinitions",
    "Microsoft.Authorization/policySetDefinitions",
];

/// Whether what a grant or policy refers to is not there: waiting makes no role or policy.
pub(crate) fn is_no_definition(error: &AzureError) -> bool {
    ["RoleDefinitionDoesNotExist", "PolicyDefinitionNotFound", "PolicySetDefinitionNotFound"]
        .iter()
        .any(|code| error.says(code))
}

fn is_passing(error: &AzureError) -> bool {
    matches!(classify(error), Class::RetryFast | Class::RetrySlow | Class::WaitForOther | Class::Throttled)
}

fn described(error: &AzureError) -> String {
    if error.message.is_empty() { error.code.clone() } else { format!("{}: {}", error.code, error.message) }
}

fn waiting_for(why: &StepError) -> String {
    match why {
        StepError::Refused(error) if classify(error) == Class::WaitForOther => {
            "waiting for another operation to end".to_owned()
        }
        StepError::Refused(error) => format!("trying again: {}", error.code),
        StepError::Ended(_) => "trying again: the operation failed".to_owned(),
        StepError::Unreachable(_) | StepError::Closed(_) => "trying again: no connection".to_owned(),
        _ => "trying again: no answer".to_owned(),
    }
}
