//! What AKS does to a cluster by itself: upgrades, node images, add-ons. Whoever writes meanwhile is told that something else
//! is going on. It happens only where a fault rule asks for it.

use std::time::Duration;

use http::Method;

use super::super::path::Target;
use super::{CLUSTER_KEY, flow, operation};
use crate::clock::WorldTime;
use crate::world::{Operation, Work, World};

/// Begins an operation of the platform on the cluster that a path is of or below: now, or when what is going on there
/// ends. Nothing happens where the path is of no cluster that there is.
pub(crate) fn begin(world: &mut World, path: &str, state: &str, takes: Duration, now: WorldTime) {
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
        go_on(world, id.key(), state, takes, now);
        return;
    };
    let work = Work::Background { key: id.key().to_owned(), state: state.to_owned(), seconds: takes.as_secs() };
    let operation = Operation {
        work,
        target: id.as_written(),
        started: now,
        ends: until,
        done: false,
        canceled: false,
        stages: Vec::new(),
        remark: None,
    };
    let token = world.dice.guid();
    world.operations.insert(token, operation);
}

/// The cluster is busy from now on, unless it is gone or being deleted.
pub(crate) fn go_on(world: &mut World, key: &str, state: &str, takes: Duration, now: WorldTime) {
    let deleting = operation::running(world, key).is_some_and(|(_, of)| matches!(of.work, Work::DeleteObject { .. }));
    if !deleting && !takes.is_zero() {
        flow::settle_for(world, key, now.plus(takes), state);
    }
}
