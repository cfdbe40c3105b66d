//! What AKS does to a cluster by itself: upgrades, node images, add-ons. Whoever writes meanwhile is told that something else
//! is going on. It happens only where a fault rule asks for it.

use std::time::Duration;

use http::Method;
use serde_json::Value;

use super::super::path::Target;
use super::{CLUSTER_KEY, body, defaults, flow, operation};
use crate::clock::WorldTime;
use crate::world::{Operation, Work, World};

/// What the platform does to a cluster.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Doing {
    /// What the cluster shows meanwhile.
    pub(crate) state: String,
    pub(crate) takes: Duration,
    /// What is merged into the cluster's properties.
    pub(crate) changes: Value,
}

/// Begins an operation of the platform on the cluster that a path is of or below: now, or when what is going on there
/// ends. Nothing happens where the path is of no cluster that there is.
pub(crate) fn begin(world: &mut World, path: &str, doing: &Doing, now: WorldTime) {
    let Some(Target::Resource(mut id) | Target::Action { mut id, .. }) = Target::parse(path, &Method::POST) else {
        return;
    };
    while let Some(parent) = id.parent() {
        id = parent;
    }
    if id.type_key() != CLUSTER_KEY || !world.objects.contains(id.key()) {
        return;
    }
    let below = format!("{}/", id.key());
    let busy = std::iter::once(id.key())
        .chain(world.objects.starting_with(&below, "").map(|(key, _)| key))
        .filter_map(|key| world.objects.get(key)?.settling.as_ref())
        .map(|settling| settling.until)
        .filter(|until| *until > now)
        .max();
    let Some(until) = busy else {
        go_on(world, id.key(), doing, now);
        return;
    };
    let Doing { state, takes, changes } = doing.clone();
    let work = Work::Background { key: id.key().to_owned(), state, seconds: takes.as_secs(), changes };
    note(world, work, id.as_written(), now, until);
}

fn note(world: &mut World, work: Work, target: String, started: WorldTime, ends: WorldTime) {
    let operation =
        Operation { work, target, started, ends, done: false, canceled: false, stages: Vec::new(), remark: None };
    let token = world.dice.guid();
    world.operations.insert(token, operation);
}

/// The cluster is busy from now on, unless it is gone or being deleted.
pub(crate) fn go_on(world: &mut World, key: &str, doing: &Doing, now: WorldTime) {
    let Doing { state, takes, changes } = doing;
    let deleting = operation::running(world, key).is_some_and(|(_, of)| matches!(of.work, Work::DeleteObject { .. }));
    if deleting || takes.is_zero() {
        return;
    }
    let ends = now.plus(*takes);
    flow::settle_for(world, key, ends, state);
    if changes.is_null() {
        return;
    }
    world.objects.edit(key, |cluster| {
        let properties = cluster.body.entry("properties").or_insert(Value::Null);
        body::merge(properties, changes);
        if let Value::Object(properties) = properties {
            defaults::disabled_addons(properties);
        }
        cluster.changed = now;
    });
    // The end of a write brings identities of add-ons.
    let target = world.objects.get(key).map(|cluster| cluster.id().to_owned()).unwrap_or_default();
    note(world, Work::Write { key: key.to_owned() }, target, now, ends);
}
