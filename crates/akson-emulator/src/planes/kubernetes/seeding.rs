//! Raw objects put into a cluster from outside, completed as its API server would have done; a namespace that is not
//! there is made up. No rule is checked.

use serde_json::{Value, json};

use super::fields::Body;
use super::{kinds, store, validate};
use crate::clock::WorldTime;
use crate::world::World;

/// What names the cluster of an object, beside what the object itself says.
const CLUSTER: &str = "cluster";

/// Why an object cannot be put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Misfit {
    /// No such cluster, or no telling which.
    Cluster,
    /// Clusters have no such kind, or it has no name.
    Kind,
}

/// Whether an object is of a cluster.
pub(crate) fn is_one(body: &Body) -> bool {
    body.get("apiVersion").is_some_and(Value::is_string)
        && body.get("kind").is_some_and(Value::is_string)
        && body.get("metadata").is_some_and(Value::is_object)
}

/// Puts an object over what is there. Its `cluster` is an id or a name, and can be left out where there is one only.
pub(crate) fn put(world: &mut World, mut body: Body, now: WorldTime) -> Result<(), Misfit> {
    let wanted = body.remove(CLUSTER).and_then(|name| name.as_str().map(str::to_ascii_lowercase));
    let all = &world.arm_index().clusters;
    let mut fitting = all.iter().filter(|id| {
        wanted.as_ref().is_none_or(|wanted| *id == wanted || id.rsplit('/').next() == Some(wanted.as_str()))
    });
    let cluster = match (fitting.next(), fitting.next()) {
        (Some(cluster), None) => cluster.clone(),
        _ => return Err(Misfit::Cluster),
    };
    // What every cluster has is there before anything else.
    store::settle(world, now);
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let (api_version, word) = (text("apiVersion"), text("kind"));
    let known = kinds::of_cluster(world, &cluster);
    let kind = known.into_iter().find(|kind| kind.word == word && kind.api_version() == api_version);
    let kind = kind.filter(|kind| kind.verbs().contains(&"delete")).ok_or(Misfit::Kind)?;
    if validate::name_of(&body).is_empty() {
        return Err(Misfit::Kind);
    }
    let namespace = body["metadata"]["namespace"].as_str().unwrap_or("default").to_owned();
    let namespace = kind.namespaced.then_some(namespace);
    if let Some(name) = &namespace {
        make_up_namespace(world, &cluster, name, now);
    }
    validate::complete(kind, &mut body);
    if let Some(Value::Object(metadata)) = body.get_mut("metadata") {
        metadata.remove("deletionTimestamp");
        if kind.counted {
            metadata.entry("generation").or_insert_with(|| 1.into());
        }
    }
    let name = validate::name_of(&body).to_owned();
    if kind.plural == "namespaces" {
        make_up_namespace(world, &cluster, &name, now);
    }
    store::put(world, &cluster, kind.plural, namespace.as_deref(), Value::Object(body), now);
    Ok(())
}

fn make_up_namespace(world: &mut World, cluster: &str, name: &str, now: WorldTime) {
    let Some(spaces) = store::kind("namespaces") else { return };
    if world.kube_objects.contains(&store::key(cluster, spaces, None, name)) {
        return;
    }
    let mut body = Body::new();
    body.insert("metadata".to_owned(), json!({ "name": name }));
    validate::complete(spaces, &mut body);
    store::put(world, cluster, spaces.plural, None, Value::Object(body), now);
    store::furnish_namespace(world, cluster, name, now);
}
