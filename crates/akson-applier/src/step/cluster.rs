//! The way into a cluster while a plan is carried out: learned from Azure once, remembered in the ledger, and waited for where the cluster or the
//! right to enter it is new. Not what is done there.

use std::time::Duration;

use akson_azure::{
    Lane, Operation,
    plane::kubernetes::{ApiServer, CLUSTER_VERSION, ObjectAt},
};
use akson_catalog::{
    ArmId, Kind, SymbolicId,
    json::put,
    kind::{ListScope, Plane},
};
use akson_planner::{Action, Change, Way, Work, place::cluster_of, rest::unsettled};
use serde_json::Value as Json;

use super::{Run, StepError, send::SEEN_LATE};
use crate::{
    engine::{Patience, SendError},
    reach::{is_outdated, kubeconfig},
    refresh::ReadCause,
};

/// How long a cluster that is neither new nor newly granted is tried.
const ENTERED_WITHIN: Duration = Duration::from_secs(20);

/// Of clusters.
const CLUSTERS: &str = "Microsoft.ContainerService/managedClusters";

/// Whether a change is about a cluster itself.
pub(super) fn is_cluster(kind: &Kind) -> bool {
    kind.resource_type.eq_ignore_ascii_case(CLUSTERS)
}

/// Where all objects of a kind are listed, in a cluster.
fn list_of(kind: &Kind) -> Option<&str> {
    kind.lists.iter().find(|list| list.scope == ListScope::Cluster).map(|list| list.path.as_str())
}

/// An object as it is known in a stack: with its id.
pub(super) fn with_id(change: &Change, id: &str, mut body: Json) -> Json {
    if change.kind.plane == Plane::Kubernetes {
        put(&mut body, "/id", Json::from(id));
    }
    body
}

impl Run<'_> {
    /// The API server of the cluster that an object lies in, and the object's path there. It was opened before.
    pub(super) fn place(&self, change: &Change, id: &str) -> Result<(ApiServer, String), StepError> {
        let place = ObjectAt::of(id).zip(list_of(&change.kind)).and_then(|(at, list)| at.path(list));
        let server = cluster_of(&change.symbolic_id).and_then(|cluster| self.servers.borrow().get(&cluster).cloned());
        server.zip(place).ok_or_else(|| super::plane::no_way(id))
    }

    /// Opens the way into the cluster that an object lies in, and waits until it lets us look, if it is new or the right to enter is.
    pub(super) async fn open(&self, change: &Change, id: &str) -> Result<(), StepError> {
        let Some(cluster) = cluster_of(&change.symbolic_id) else { return Err(super::plane::no_way(id)) };
        let started = self.engine.now();
        let mut anew = false;
        let mut attempt = 0;
        loop {
            self.find_server(&cluster, id, anew).await?;
            let (server, path) = self.place(change, id)?;
            let answer = self.glance(change, &server.read(&path)).await;
            let is_new = self.is_new(&cluster) || self.is_granted(change);
            let error = match answer {
                Ok(answer) if answer.is_success() || answer.is_gone() => return Ok(()),
                Ok(answer) if matches!(answer.status.as_u16(), 401 | 403) => StepError::Refused(answer.error()),
                Ok(answer) => return Err(StepError::Refused(answer.error())),
                Err(SendError::Transport(error)) => {
                    // What the ledger remembers may be out of date: Azure is asked once.
                    if !anew {
                        anew = true;
                        continue;
                    }
                    StepError::Closed(error)
                }
                Err(error) => return Err(error.into()),
            };
            let wait = self.engine.backoff(attempt);
            let until = started + if is_new { SEEN_LATE } else { Duration::ZERO };
            if self.engine.now() + wait >= until {
                return Err(error);
            }
            if attempt == 0 {
                self.progress(change, "waiting until its cluster lets us in");
            }
            self.engine.pause(wait, Patience::UntilStopped).await?;
            attempt += 1;
        }
    }

    async fn glance(&self, change: &Change, read: &Operation) -> Result<akson_azure::Answer, SendError> {
        let request = read.request(self.engine.cloud(), &self.ids(change))?;
        self.engine.read_within(request, &Lane::of(read), Patience::UntilStopped, ENTERED_WITHIN).await
    }

    /// Whether a cluster may not let us in yet: this plan writes it, or something does right now.
    pub(super) fn is_new(&self, cluster: &SymbolicId) -> bool {
        let busy = || self.snapshot.live(cluster).is_some_and(|live| unsettled(&live.body).is_some());
        self.is_written(cluster) || busy()
    }

    /// Whether this plan writes the cluster itself.
    pub(super) fn is_written(&self, cluster: &SymbolicId) -> bool {
        self.plan
            .changes
            .iter()
            .any(|change| change.symbolic_id == *cluster && matches!(change.work, Work::Write { .. }))
    }

    /// The server of a cluster, known to all steps from then on. `anew`: what is known of it does not lead there.
    async fn find_server(&self, cluster: &SymbolicId, id: &str, anew: bool) -> Result<(), StepError> {
        let _turn = self.asking.lock().await;
        let told = self.asked.borrow().contains(cluster);
        if self.servers.borrow().contains_key(cluster) && (!anew || told) {
            return Ok(());
        }
        let known = self.ledger.way(cluster).filter(|way| !anew && !self.is_outdated(cluster, way));
        let way = match known {
            Some(way) => way,
            None => {
                let id = ObjectAt::of(id).map_or(cluster.as_str(), |at| at.cluster);
                self.learn(cluster, &ArmId::new(id)).await?
            }
        };
        self.enter(cluster, &way)
    }

    fn enter(&self, cluster: &SymbolicId, way: &Way) -> Result<(), StepError> {
        let server = self
            .engine
            .cluster(way)
            .map_err(|error| StepError::Undecided(format!("Azure named no API server of a cluster: {error}")))?;
        self.servers.borrow_mut().insert(cluster.clone(), server);
        Ok(())
    }

    fn is_outdated(&self, cluster: &SymbolicId, way: &Way) -> bool {
        self.snapshot.live(cluster).is_some_and(|live| is_outdated(way, &live.body))
    }

    /// Asks Azure for the way, and remembers it.
    async fn learn(&self, cluster: &SymbolicId, id: &ArmId) -> Result<Way, StepError> {
        let kubeconfig =
            kubeconfig(self.engine, id, CLUSTER_VERSION, false).await.map_err(|failure| match failure.cause {
                ReadCause::Send(error) => error.into(),
                ReadCause::Azure(error) => StepError::Refused(error),
                ReadCause::Page(_) | ReadCause::NoObject | ReadCause::Absent | ReadCause::UnknownType => {
                    StepError::Undecided(failure.to_string())
                }
            })?;
        let way = kubeconfig
            .way()
            .ok_or_else(|| StepError::Undecided("Azure did not tell the way to its API server".to_owned()))?;
        self.asked.borrow_mut().insert(cluster.clone());
        if self.ledger.way(cluster).as_ref() != Some(&way) {
            self.ledger.remember(cluster, Some(way.clone())).await.map_err(|error| self.ledger_failed(error))?;
        }
        Ok(way)
    }

    /// After a cluster was written: the way into it is remembered for later plans. That it cannot be asked for now is no failure of the cluster.
    pub(super) async fn cluster_settled(&self, change: &Change, body: &Json) -> Result<(), StepError> {
        let cluster = &change.symbolic_id;
        let _turn = self.asking.lock().await;
        let known = self.ledger.way(cluster).filter(|way| !is_outdated(way, body));
        let is_new = matches!(change.action, Action::Create | Action::Replace);
        if known.is_some() && !is_new {
            return Ok(());
        }
        if known.is_none() || is_new {
            self.servers.borrow_mut().remove(cluster);
        }
        let id = body.get("id").and_then(Json::as_str).unwrap_or(cluster.as_str());
        match self.learn(cluster, &ArmId::new(id)).await {
            Ok(way) => self.enter(cluster, &way),
            Err(error @ (StepError::Ledger(_) | StepError::Interrupted)) => Err(error),
            Err(_) if self.ledger.way(cluster).is_some() => {
                self.ledger.remember(cluster, None).await.map_err(|error| self.ledger_failed(error))
            }
            Err(_) => Ok(()),
        }
    }

    /// Ways that the plan lacked, for the next one: of clusters that are there and have objects which nobody could look at.
    pub(crate) async fn learn_ways(&self) {
        let mut unseen: Vec<(SymbolicId, &str)> = self
            .plan
            .changes
            .iter()
            .filter(|change| change.not_verified)
            .filter_map(|change| {
                let id = change.id.as_deref().unwrap_or(change.symbolic_id.as_str());
                Some((cluster_of(&change.symbolic_id)?, ObjectAt::of(id)?.cluster))
            })
            .collect();
        unseen.sort();
        unseen.dedup_by(|left, right| left.0 == right.0);
        for (cluster, id) in unseen {
            let _turn = self.asking.lock().await;
            if !self.asked.borrow().contains(&cluster) && self.snapshot.live(&cluster).is_some() {
                // A plan without it says that it could not look: nothing is lost.
                let _ = self.learn(&cluster, &ArmId::new(id)).await;
            }
        }
    }

    /// Waits until an object is gone whose deletion was accepted.
    pub(super) async fn gone(&self, change: &Change, read: &Operation, deadline: Duration) -> Result<(), StepError> {
        let mut attempt = 0;
        loop {
            let answer = self.engine.read(read, change.symbolic_id.as_str(), Patience::AWhileLonger).await?;
            if answer.is_gone() {
                return Ok(());
            }
            let wait = self.engine.backoff(attempt);
            if self.engine.now() + wait >= deadline {
                return Err(StepError::Undecided("it is still on its way out: something in it holds it".to_owned()));
            }
            self.engine.pause(wait, Patience::AWhileLonger).await?;
            attempt += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_on_a_cluster_have_the_version_of_its_kind() {
        let kind = akson_catalog::Catalog::builtin().ok().and_then(|catalog| catalog.get("cluster")).cloned();
        let versions = kind.map(|kind| (is_cluster(&kind), kind.api_version.clone()));
        assert_eq!(versions, Some((true, CLUSTER_VERSION.to_owned())));
    }
}
