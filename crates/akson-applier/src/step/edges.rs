//! Edges of directory objects, such as members of a group: those that are wanted are added, those that were ours and are not wanted any
//! more are taken out. Adding one that is there and taking out one that is not are nothing, so that each may be sent again.

use std::time::Duration;

use akson_azure::{Answer, Class, Lane, Operation, Pages, classify, may_have_happened, plane::graph};
use akson_catalog::{Value, encode::Leaf, json::lookup};
use akson_planner::{Change, snapshot::add_edges};
use serde_json::Value as Json;

use super::{Run, StepError};
use crate::engine::{LOOK_AGAIN, Patience, SendError};

/// How long another replica may not know an object that was just made.
const REPLICA_LAG: Duration = Duration::from_secs(120);

impl Run<'_> {
    /// Adds the sets of edges that `leaves` speak of to an object as it was read; whether they are shown. A replica that does not
    /// know the object knows nothing of its edges: that is no empty set.
    pub(super) async fn with_edges(
        &self,
        change: &Change,
        body: &mut Json,
        leaves: &[Leaf],
    ) -> Result<bool, StepError> {
        let Some(id) = body.get("id").and_then(Json::as_str).map(str::to_owned) else { return Ok(true) };
        let mut sets: Vec<&str> = leaves.iter().filter_map(|leaf| change.kind.edge_set(&leaf.pointer)).collect();
        sets.sort_unstable();
        sets.dedup();
        for set in sets {
            let read = graph::read(&format!("{}{set}?$select=id&$top=999", change.kind.path_of(&id)));
            let first = read.request(self.engine.cloud(), &self.ids(change)).map_err(SendError::from)?;
            let mut pages = Pages::new(first.clone());
            let mut next = Some(first);
            let mut again = LOOK_AGAIN.iter();
            add_edges(body, set, &[]);
            while let Some(request) = next {
                let answer =
                    self.engine.read_request(request.clone(), &Lane::of(&read), Patience::AWhileLonger).await?;
                if answer.is_gone() {
                    let Some(wait) = again.next() else { return Ok(false) };
                    self.engine.pause(*wait, Patience::AWhileLonger).await?;
                    next = Some(request);
                    continue;
                }
                if !answer.is_success() {
                    return Err(StepError::Refused(answer.error()));
                }
                let page = pages.page(&answer).map_err(|error| StepError::Undecided(error.to_string()))?;
                add_edges(body, set, &page.items);
                next = page.next;
            }
        }
        Ok(true)
    }

    /// Makes the edges of an object what the leaves want. The object was announced.
    pub(super) async fn write_edges(
        &self,
        change: &Change,
        object: &Json,
        leaves: &[Leaf],
        deadline: Duration,
    ) -> Result<bool, StepError> {
        let id = object.get("id").and_then(Json::as_str).unwrap_or_default();
        let path = change.kind.path_of(id);
        let mut changed = false;
        for leaf in leaves {
            let Some(set) = change.kind.edge_set(&leaf.pointer) else { continue };
            let there = lookup(object, &leaf.pointer).is_some();
            let operation = match &leaf.want {
                Value::Text(to) if !there => graph::add_edge(&path, set, to),
                Value::None if there => {
                    let to = leaf.pointer.rsplit('/').next().unwrap_or_default();
                    graph::remove_edge(&path, set, to)
                }
                _ => continue,
            };
            self.send_edge(change, &operation, leaf.want == Value::None, deadline).await?;
            changed = true;
        }
        Ok(changed)
    }

    async fn send_edge(
        &self,
        change: &Change,
        operation: &Operation,
        removes: bool,
        deadline: Duration,
    ) -> Result<(), StepError> {
        let started = self.engine.now();
        let mut attempt = 0;
        loop {
            let answer = self
                .engine
                .send(self.ledger, operation, change.symbolic_id.as_str(), deadline, Patience::UntilStopped)
                .await;
            let (until, error) = match answer {
                Ok(answer) if is_done(&answer, removes) => return Ok(()),
                Ok(answer) => {
                    let error = answer.error();
                    let until = match classify(&error) {
                        _ if may_have_happened(answer.status.as_u16()) => deadline,
                        Class::RetryFast | Class::WaitForOther => deadline,
                        // The group or who is to be in it was made just now, and this replica does not know it yet.
                        Class::Gone | Class::RetrySlow => started + REPLICA_LAG,
                        Class::Throttled | Class::Denied | Class::Changed | Class::Fatal => started,
                    };
                    (until, StepError::Refused(error))
                }
                Err(error @ SendError::Transport(_)) => (deadline, error.into()),
                Err(error) => return Err(error.into()),
            };
            let wait = self.engine.backoff(attempt);
            if self.engine.now() + wait >= until.min(deadline) {
                return Err(error);
            }
            self.engine.pause(wait, Patience::UntilStopped).await?;
            attempt += 1;
        }
    }
}

/// Whether an edge is as it should be: also where it was so before.
fn is_done(answer: &Answer, removes: bool) -> bool {
    let there_already = || answer.error().message.contains("already exist");
    answer.is_success()
        || (removes && answer.is_gone())
        || (!removes && answer.status.as_u16() == 400 && there_already())
}
