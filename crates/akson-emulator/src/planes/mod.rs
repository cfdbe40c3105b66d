//! Which plane a call is for, one module each, and what all their answers have in common.

mod absent;
mod arm;
mod blob;
mod control;
mod graph;
mod kubernetes;
mod login;
mod metadata;
mod sign_in;
mod vault;

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{Method, StatusCode};

use crate::access::grants;
use crate::clock::WorldTime;
use crate::emulator::State;
use crate::options::Options;
use crate::reply::{Answer, WithHeader};
use crate::tls::Authority;
use crate::visit::Visit;
use crate::world::World;

pub(crate) use arm::GraphIndex;
pub(crate) use arm::container::background::{Doing as BackgroundWork, begin as work_in_background};
pub(crate) use arm::{Outside, forget, note_deed_of};
pub(crate) use arm::{secret, seeding};
pub(crate) use graph::everything as everything_in_directory;
pub(crate) use graph::seeding as directory_seeding;
pub(crate) use kubernetes::everything as everything_in_clusters;
pub(crate) use kubernetes::run_command as kubernetes_command;
pub(crate) use kubernetes::seeding::{self as cluster_seeding, Misfit};
pub(crate) use kubernetes::{Journal, Watch};
pub(crate) use login::Bearer;
pub(crate) use vault::seeding as secret_seeding;

/// Applies everything whose time has come.
pub(crate) fn settle(world: &mut World, now: WorldTime) {
    arm::settle(world, now);
    vault::settle(world, now);
    grants::settle(world, now);
    graph::settle(world, now);
    kubernetes::settle(world, now);
}

/// A token for a principal, as if it had signed in.
pub(crate) fn token_for(
    world: &World,
    (object_id, application): (&str, Option<&str>),
    audience: &str,
    now: WorldTime,
    scale: f64,
    options: &Options,
) -> Option<String> {
    let terms = login::Terms { now, time_scale: scale, address: options.caller_address };
    login::token_for(world, (object_id, application), audience, &terms)
}

/// One call and what it may touch.
pub(crate) struct Call<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) visit: &'a Visit,
    pub(crate) now: WorldTime,
    /// World time that the service spends on the call, from now on.
    pub(crate) work: Duration,
    pub(crate) options: &'a Options,
    /// Vouches for every host that is played.
    pub(crate) authority: &'a Authority,
    pub(crate) time_scale: f64,
    /// Who calls, once a plane has found the token good.
    pub(crate) bearer: Option<Bearer>,
}

impl Call<'_> {
    /// Who calls; before the token was looked at, the signed-in principal.
    pub(crate) fn bearer(&self) -> Bearer {
        self.bearer.clone().unwrap_or_else(|| Bearer {
            object_id: self.state.world.caller.object_id.clone(),
            client_id: self.state.world.caller.client_id.clone(),
        })
    }
}

/// Answers a call.
pub(crate) fn answer(call: &mut Call<'_>) -> Answer {
    let path = call.visit.path.as_str();
    match call.visit.host.as_str() {
        "management.azure.com" | "management.core.windows.net" => of_resource_manager(call),
        "login.microsoftonline.com" | "login.windows.net" | "sts.windows.net" => login::answer(call),
        "graph.microsoft.com" => graph::answer(call),
        host if host.ends_with(vault::SUFFIX) => vault::answer(call),
        host if host.ends_with(blob::SUFFIX) => blob::answer(call),
        host if host.ends_with(kubernetes::SUFFIX) => kubernetes::answer(call),
        _ if call.visit.loopback => {
            if is_control_path(path) {
                control::answer(call)
            } else if login::is_for(path) {
                login::answer(call)
            } else if path.starts_with("/v1.0/") || path.starts_with("/beta/") {
                graph::answer(call)
            } else {
                of_resource_manager(call)
            }
        }
        _ => absent::host(call),
    }
}

fn of_resource_manager(call: &mut Call<'_>) -> Answer {
    if metadata::is_for(&call.visit.path) { metadata::answer(call) } else { arm::answer(call) }
}

/// Whether a call is for the emulator itself. Such calls are neither spoiled nor logged.
pub(crate) fn is_control(visit: &Visit) -> bool {
    visit.loopback && is_control_path(&visit.path)
}

/// Whether a path is the emulator's own.
pub(crate) fn is_control_path(path: &str) -> bool {
    path == "/_emulator" || path.starts_with("/_emulator/")
}

/// Whether a host, with a port or without, is the API server of a cluster.
pub(crate) fn is_cluster_host(host: &str) -> bool {
    let name = host.split_once(':').map_or(host, |(name, _)| name);
    name.to_ascii_lowercase().ends_with(kubernetes::SUFFIX)
}

/// Milliseconds of the callers' time for what is half a minute in the world, at least a tenth of a second. So long do Azure's
/// clients wait before they look at an operation again if nothing tells them; they know of no time scale.
fn wait_of_callers(scale: f64) -> u128 {
    let wait = Duration::try_from_secs_f64(30.0 / scale).unwrap_or_default();
    wait.max(Duration::from_millis(100)).as_millis()
}

/// Adds what every answer carries: ids to quote to the support, date, no caching. Takes the body away
/// where there can be none.
pub(crate) fn with_usual_headers(
    answer: Answer,
    visit: &Visit,
    world: &mut World,
    now: WorldTime,
    scale: f64,
) -> Answer {
    let request_id = world.luck.guid();
    if visit.host.ends_with(kubernetes::SUFFIX) {
        return kubernetes::with_usual_headers(answer, visit, &request_id, now);
    }
    let correlation = visit.header("x-ms-correlation-request-id").unwrap_or(&request_id).to_owned();
    let mut answer = answer
        .with("x-ms-request-id", &request_id)
        .with("x-ms-correlation-request-id", &correlation)
        .with("cache-control", "no-cache")
        .with("date", &now.http_date());
    if let Some(client) = visit.header("x-ms-client-request-id") {
        answer = answer.with("x-ms-client-request-id", client);
    }
    if scale > 1.0 && answer.status().is_success() && !answer.headers().contains_key(RETRY_AFTER) {
        answer = answer.with("x-ms-retry-after-ms", &wait_of_callers(scale).to_string());
    }
    if visit.method == Method::HEAD || answer.status() == StatusCode::NO_CONTENT {
        answer.body_mut().clear();
    }
    answer
}
