//! Kubernetes API servers, one for each managed cluster in the world, at the host of its FQDN. Objects
//! are stored, not run: no pod starts.

mod command;
mod discovery;
mod fields;
mod journal;
mod json_patch;
mod kinds;
mod list;
mod managed;
mod network;
mod openapi;
mod protobuf;
mod reviews;
mod rights;
pub(crate) mod seeding;
mod status;
mod store;
mod strategic;
mod table;
mod validate;
mod watch;
mod write;

use http::StatusCode;
use serde_json::Value;

use super::Call;
use super::arm::container::authority;
use super::login;
use crate::clock::WorldTime;
use crate::reply::{self, Answer, WithHeader};
use crate::visit::Visit;
use crate::world::{Object, World};
use kinds::Kind;
use rights::{Attempt, User};
use status::Outcome;

pub(crate) use command::run as run_command;
pub(crate) use journal::Journal;
pub(crate) use store::settle;
pub(crate) use watch::Watch;

/// What the hosts of API servers end with.
pub(super) const SUFFIX: &str = ".azmk8s.io";

/// The application whose tokens the API servers of AKS accept.
const AUDIENCES: [&str; 1] = ["6dae42f8-4368-4678-94ff-3960e28e3630"];

/// One object or a collection in a cluster, and who asks for it.
#[derive(Clone, Debug)]
struct Target {
    /// The key of the managed cluster.
    cluster: String,
    kind: &'static Kind,
    namespace: Option<String>,
    /// Empty for a collection.
    name: String,
    user: User,
}

impl Target {
    fn key(&self) -> String {
        store::key(&self.cluster, self.kind, self.namespace.as_deref(), &self.name)
    }
}

/// Every object of every cluster, for the view from outside: by the cluster's id in lower case, two
/// slashes, and the object's place.
pub(crate) fn everything(world: &World) -> impl Iterator<Item = (String, Value)> {
    world.kube_objects.iter().map(|(key, row)| (key.to_owned(), Value::Object(row.body.clone())))
}

/// Answers a caller, or lets its connection be reset: nobody listens at a host without a cluster, and
/// a cluster can be out of reach.
pub(super) fn answer(call: &mut Call<'_>) -> Answer {
    let cluster = call.state.world.arm_index().api_servers.get(&call.visit.host).cloned();
    let object = cluster.as_ref().and_then(|cluster| call.state.world.objects.get(cluster));
    let (Some(cluster), Some(object)) = (cluster.clone(), object) else { return reply::reset() };
    if !network::admits(object, call.options.caller_address, call.now) {
        return reply::reset();
    }
    route(call, &cluster).unwrap_or_else(status::Failure::into_answer)
}

/// The id of the call in the audit log; nothing of ARM's.
pub(super) fn with_usual_headers(answer: Answer, visit: &Visit, request_id: &str, now: WorldTime) -> Answer {
    let mut answer =
        answer.with("audit-id", request_id).with("cache-control", "no-cache, private").with("date", &now.http_date());
    if visit.method == http::Method::HEAD {
        answer.body_mut().clear();
    }
    answer
}

fn route(call: &mut Call<'_>, cluster: &str) -> Outcome {
    let object = call.state.world.objects.get(cluster).ok_or_else(status::no_such_path)?;
    let user = user(call, cluster, object)?;
    let segments = call.visit.segments().ok_or_else(status::no_such_path)?;
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    if let Some(outcome) = discovery::answer(call, cluster, &segments) {
        return if login::reads(&call.visit.method) { outcome } else { Err(status::method_not_allowed()) };
    }
    if let Some(outcome) = openapi::answer(call, cluster, &segments) {
        return if login::reads(&call.visit.method) { outcome } else { Err(status::method_not_allowed()) };
    }
    let target = find(call, cluster, user, &segments)?;
    let method = call.visit.method.as_str();
    let one = !target.name.is_empty();
    let verb = match (method, one) {
        ("GET", _) if call.visit.query.get("watch").is_some_and(|watch| matches!(watch, "true" | "1")) => "watch",
        ("GET" | "HEAD", true) => "get",
        ("GET" | "HEAD", false) => "list",
        ("POST", false) => "create",
        ("PUT", true) => "update",
        ("PATCH", true) => "patch",
        ("DELETE", true) => "delete",
        ("DELETE", false) => "deletecollection",
        _ => return Err(status::method_not_allowed()),
    };
    let attempt = Attempt::new(verb, target.kind, target.namespace.as_deref(), &target.name);
    if let Err(why) = rights::check(&call.state.world, cluster, &target.user, attempt, call.now) {
        let namespace = target.namespace.as_deref();
        return Err(status::forbidden(&target.user.name, verb, target.kind, namespace, &target.name, why));
    }
    if !target.kind.verbs().contains(&verb) {
        return Err(status::method_not_allowed());
    }
    // What is namespaced is written in a namespace.
    if target.kind.namespaced && target.namespace.is_none() && verb != "list" && verb != "watch" {
        return Err(status::method_not_allowed());
    }
    match verb {
        "get" => get(call, &target),
        "create" => write::create(call, &target),
        "update" => write::replace(call, &target),
        "patch" => write::patch(call, &target),
        "delete" => write::delete(call, &target),
        "deletecollection" => write::delete_all(call, &target),
        "watch" => watch::begin(call, target),
        _ => list::answer(call, &target),
    }
}

/// Who calls: somebody with a token of Entra's, where the cluster knows Entra, or a local account.
fn user(call: &Call<'_>, cluster: &str, object: &Object) -> Outcome<User> {
    let header = call.visit.header("authorization");
    if let Some(account) = authority::local_account(&call.state.world, cluster, object, header) {
        return Ok(User::local(account));
    }
    let entra =
        object.properties().is_some_and(|properties| properties.get("aadProfile").is_some_and(Value::is_object));
    let principal = login::principal(&call.state.world, header, &AUDIENCES, call.now);
    let principal = principal.ok().filter(|_| entra).ok_or_else(status::unauthorized)?;
    Ok(User::new(&call.state.world, principal))
}

/// The object or collection that a path means.
fn find(call: &Call<'_>, cluster: &str, user: User, segments: &[&str]) -> Outcome<Target> {
    let (group, version, rest) = match segments {
        ["api", version, rest @ ..] => ("", *version, rest),
        ["apis", group, version, rest @ ..] => (*group, *version, rest),
        _ => return Err(status::no_such_path()),
    };
    let (namespace, rest) = match rest {
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() && rest[0] != "status" && rest[0] != "finalize" => {
            (Some((*namespace).to_owned()), rest)
        }
        rest => (None, rest),
    };
    let (plural, name) = match rest {
        [plural] => (*plural, ""),
        [plural, name] => (*plural, *name),
        // No subresources.
        _ => return Err(status::no_such_path()),
    };
    let kinds = kinds::of_cluster(&call.state.world, cluster);
    let kind = kinds.into_iter().find(|kind| kind.group == group && kind.version == version && kind.plural == plural);
    let kind = kind.filter(|kind| kind.namespaced == namespace.is_some() || (kind.namespaced && name.is_empty()));
    let kind = kind.ok_or_else(status::no_such_path)?;
    Ok(Target { cluster: cluster.to_owned(), kind, namespace, name: name.to_owned(), user })
}

fn get(call: &Call<'_>, target: &Target) -> Outcome {
    let world = &call.state.world;
    let body = if target.kind.group == kinds::EXTENSIONS {
        let found = list::selected(call, &Target { name: String::new(), ..target.clone() })?;
        found.into_iter().map(|(_, body)| body).find(|body| validate::name_of(body) == target.name)
    } else {
        world.kube_objects.get(&target.key()).map(|row| row.body.clone())
    };
    let body = body.ok_or_else(|| status::not_found(target.kind, &target.name))?;
    let shown = if table::is_wanted(call) {
        let version = body.get("metadata").and_then(|metadata| metadata.get("resourceVersion")).cloned();
        let metadata = serde_json::json!({ "resourceVersion": version.unwrap_or_default() });
        table::of(target.kind, std::iter::once(&body), &metadata, table::Include::asked(call), call.now)
    } else if list::wants_metadata(call, "PartialObjectMetadata") {
        list::metadata_of(&body)
    } else {
        Value::Object(body)
    };
    Ok(reply::typed(StatusCode::OK, "application/json", shown.to_string().into()))
}
