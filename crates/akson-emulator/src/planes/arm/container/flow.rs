//! How AKS takes its time: one thing at a time in a cluster, a limit for writes of its own, operations
//! that are followed by `Azure-AsyncOperation` alone.

use std::time::Duration;

use http::Method;
use sha2::{Digest, Sha256};

use super::super::path::Target;
use super::{Call, operation};
use crate::clock::WorldTime;
use crate::errors::{self, Refusal};
use crate::id::{ResourceId, Step};
use crate::reply::{Answer, WithHeader};
use crate::throttle::Limit;
use crate::world::{Object, Settling, Work, World};

/// The version in the URLs of operations, whatever the caller's is (recorded).
const VERSION: &str = "2025-03-01";

/// How many operations there are to one that mentions an error although nothing is wrong.
const REMARKS: u64 = 8;

/// Takes a token for a write of this cluster or pool.
pub(super) fn throttle(call: &mut Call<'_>, id: &ResourceId) -> Result<(), Refusal> {
    let subscription = id.place.subscription.as_deref().unwrap_or_default();
    take(call, (id.key(), Limit::ClusterWrites), subscription)
}

/// Takes a token for any other call to the provider.
pub(in crate::planes::arm) fn admit(call: &mut Call<'_>, target: &Target) -> Result<(), Refusal> {
    let reads = matches!(call.visit.method, Method::GET | Method::HEAD);
    let is = |step: &Step, kind: &str| step.kind.eq_ignore_ascii_case(kind);
    let subscription = target.subscription().unwrap_or_default().to_ascii_lowercase();
    let (limit, of) = match target {
        Target::Collection(all) if reads && all.type_key == "microsoft.containerservice/managedclusters" => {
            let scope = all.scope.to_ascii_lowercase();
            if scope.contains("/resourcegroups/") {
                (Limit::ClusterListsOfGroup, scope)
            } else {
                (Limit::ClusterLists, subscription.clone())
            }
        }
        Target::Resource(id) => match id.steps.as_slice() {
            [cluster] if reads && is(cluster, "managedClusters") => (Limit::ClusterGets, id.key().to_owned()),
            [_, operation] if reads && is(operation, "operations") => (Limit::ClusterOperations, subscription.clone()),
            [cluster, ..] if call.visit.method == Method::PUT && is(cluster, "managedClusters") => {
                return Ok(());
            }
            _ => (Limit::ClusterOthers, subscription.clone()),
        },
        _ => (Limit::ClusterOthers, subscription.clone()),
    };
    take(call, (&of, limit), &subscription)
}

fn take(call: &mut Call<'_>, (of, limit): (&str, Limit), subscription: &str) -> Result<(), Refusal> {
    if !call.options.rate_limits {
        return Ok(());
    }
    let taken = call.state.buckets.take(of, limit, call.now);
    taken.map(|_| ()).map_err(|seconds| errors::container::throttled(&call.visit.method, subscription, seconds))
}

/// What a settling object is doing.
fn doing<'a>(call: &Call<'_>, object: &'a Object) -> Option<&'a str> {
    object.settling.as_ref().filter(|_| object.is_settling(call.now)).map(|settling| settling.state.as_str())
}

/// Whether nothing is going on with a cluster itself.
pub(super) fn check_cluster(call: &Call<'_>, key: &str) -> Result<(), Refusal> {
    match call.state.world.objects.get(key).and_then(|cluster| doing(call, cluster)) {
        Some(state) => Err(errors::container::busy(&format!("Another operation ({state})"))),
        None => Ok(()),
    }
}

/// Whether nothing is going on with a pool.
pub(super) fn check_pool(call: &Call<'_>, key: &str) -> Result<(), Refusal> {
    match call.state.world.objects.get(key).and_then(|pool| doing(call, pool).map(|state| (pool, state))) {
        Some((pool, state)) => {
            Err(errors::container::busy(&format!("Another agentpool operation ({} - {state})", pool.text("name"))))
        }
        None => Ok(()),
    }
}

/// Whether nothing is going on with a cluster or any pool of it.
pub(super) fn check_all(call: &Call<'_>, key: &str) -> Result<(), Refusal> {
    check_cluster(call, key)?;
    let prefix = format!("{key}/agentpools/");
    call.state.world.objects.starting_with(&prefix, "").try_for_each(|(pool, _)| check_pool(call, pool))
}

/// Lets an object show a state for a while.
pub(super) fn settle_for(world: &mut World, key: &str, until: crate::clock::WorldTime, state: &str) {
    world.objects.edit(key, |object| object.settling = Some(Settling { until, state: state.to_owned() }));
}

/// Begins an operation on a cluster or a pool of it.
pub(super) fn begin(call: &mut Call<'_>, work: Work, target: String, takes: Duration, stages: Vec<String>) -> String {
    let remark = call.state.world.dice.between(1, REMARKS) == 1;
    let token = operation::begin(call, work, target, takes);
    call.state.world.operations.edit(&token, |operation| {
        operation.stages = stages;
        operation.remark = remark.then(|| "NotLatestOperation".to_owned());
    });
    token
}

/// Adds what a client follows: `Azure-AsyncOperation`, for all but a PUT `Location`, too; and never a
/// `Retry-After`.
pub(super) fn followed(call: &Call<'_>, answer: Answer, id: &ResourceId, token: &str, location: bool) -> Answer {
    let mut cluster = id.clone();
    while let Some(parent) = cluster.parent() {
        cluster = parent;
    }
    let region = call.state.world.objects.get(cluster.key()).map_or("", |cluster| cluster.text("location"));
    let subscription = id.place.subscription.as_deref().unwrap_or_default();
    let place = format!("/subscriptions/{subscription}/providers/Microsoft.ContainerService/locations/{region}");
    let url = |kind: &str| operation::url(call, &format!("{place}/{kind}/{token}"), VERSION);
    let answer = answer.with("azure-asyncoperation", &url("operations"));
    if location { answer.with("location", &url("operationresults")) } else { answer }
}

/// The etag of a cluster or a pool: another whenever it was written to or its state changed.
pub(super) fn etag(object: &Object, now: WorldTime) -> String {
    let state = if object.is_settling(now) { "settling" } else { "settled" };
    let digest = Sha256::new();
    let parts = [object.id(), &object.changed.to_string(), state];
    let digest = parts.iter().fold(digest, |digest, part| digest.chain_update(part).chain_update("\n")).finalize();
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| hex.get(part).unwrap_or_default().to_owned());
    parts.join("-")
}
