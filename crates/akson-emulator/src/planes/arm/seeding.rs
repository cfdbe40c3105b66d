//! Raw ARM objects put into the world from outside, completed as their service would have done, with
//! what they refer to made up.

use http::Method;
use serde_json::Value;

use super::body::Body;
use super::path::Target;
use super::{resource_group, types};
use crate::access::grants;
use crate::clock::WorldTime;
use crate::id::{ResourceId, group_key};
use crate::world::{Object, Subscription, World};

/// Where made-up objects are, if nothing near them says otherwise.
const SOMEWHERE: &str = "westeurope";

/// Puts one object into the world. `false` if the id is not ARM's.
pub(crate) fn put(world: &mut World, id: &str, body: Body, now: WorldTime) -> bool {
    let location = body.get("location").and_then(Value::as_str).and_then(super::region::canonical);
    match Target::parse(id, &Method::GET) {
        Some(Target::Subscription(subscription)) => {
            make_up_subscription(world, &subscription, body.get("displayName").and_then(Value::as_str), now);
        }
        Some(Target::Group { subscription, group }) => {
            make_up_subscription(world, &subscription, None, now);
            put_group(world, &subscription, &group, location.as_deref(), body, now);
        }
        Some(Target::Resource(id)) => {
            let place = location.as_deref().unwrap_or(SOMEWHERE).to_owned();
            make_up_above(world, &id, &place, now);
            put_resource(world, &id, body, now);
        }
        _ => return false,
    }
    true
}

/// Makes up every resource that a value names and that is not there.
pub(crate) fn make_up_named(world: &mut World, value: &Value, now: WorldTime) {
    match value {
        Value::String(text) if text.get(..15).is_some_and(|start| start.eq_ignore_ascii_case("/subscriptions/")) => {
            match Target::parse(text, &Method::GET) {
                Some(Target::Resource(id)) if id.place.group.is_some() && !is_virtual(&id) => {
                    make_up_above(world, &id, SOMEWHERE, now);
                    make_up(world, &id, SOMEWHERE, now);
                }
                Some(Target::Group { subscription, group }) => {
                    make_up_group(world, &subscription, &group, SOMEWHERE, now);
                }
                Some(Target::Subscription(subscription)) => make_up_subscription(world, &subscription, None, now),
                _ => {}
            }
        }
        Value::Array(items) => items.iter().for_each(|item| make_up_named(world, item, now)),
        Value::Object(fields) => {
            for (name, field) in fields {
                // `identity.userAssignedIdentities` names identities in its keys.
                make_up_named(world, &Value::String(name.clone()), now);
                make_up_named(world, field, now);
            }
        }
        _ => {}
    }
}

fn is_virtual(id: &ResourceId) -> bool {
    !types::of(&id.type_key()).has_parents()
}

fn make_up_subscription(world: &mut World, subscription: &str, name: Option<&str>, now: WorldTime) {
    let key = subscription.to_ascii_lowercase();
    if name.is_none() && world.subscriptions.contains(&key) {
        return;
    }
    let name = name.unwrap_or("Made up").to_owned();
    let made_up = !world.subscriptions.contains(&key);
    world.subscriptions.insert(key, Subscription { id: subscription.to_ascii_lowercase(), name });
    if made_up {
        grants::own(world, subscription, now);
    }
}

fn make_up_group(world: &mut World, subscription: &str, group: &str, location: &str, now: WorldTime) {
    make_up_subscription(world, subscription, None, now);
    if !world.objects.contains(&group_key(subscription, group)) {
        resource_group::make_up(world, subscription, group, location, now);
    }
}

/// Makes up the subscription, group, scope and parents of a resource, where they are missing.
fn make_up_above(world: &mut World, id: &ResourceId, location: &str, now: WorldTime) {
    if let Some(subscription) = &id.place.subscription {
        make_up_subscription(world, subscription, None, now);
        if let Some(group) = &id.place.group {
            make_up_group(world, subscription, group, location, now);
        }
    }
    if id.on_resource()
        && let Some(Target::Resource(scope)) = Target::parse(&id.scope, &Method::GET)
    {
        make_up_above(world, &scope, location, now);
        make_up(world, &scope, location, now);
    }
    if let Some(parent) = id.parent().filter(|_| !is_virtual(id)) {
        make_up_above(world, &parent, location, now);
        make_up(world, &parent, location, now);
    }
}

fn make_up(world: &mut World, id: &ResourceId, location: &str, now: WorldTime) {
    if world.objects.contains(id.key()) {
        return;
    }
    let mut body = Body::new();
    if id.parent().is_none() && !id.on_resource() && id.place.group.is_some() {
        body.insert("location".to_owned(), location.into());
    }
    put_resource(world, id, body, now);
}

fn put_group(world: &mut World, subscription: &str, group: &str, location: Option<&str>, body: Body, now: WorldTime) {
    let key = group_key(subscription, group);
    let created = world.objects.get(&key).map(|object| object.created);
    resource_group::make_up(world, subscription, group, location.unwrap_or(SOMEWHERE), now);
    world.objects.edit(&key, |object| {
        object.created = created.unwrap_or(now);
        for (name, value) in body {
            if !matches!(name.as_str(), "id" | "name" | "type" | "location" | "properties") {
                object.body.insert(name, value);
            }
        }
    });
}

fn put_resource(world: &mut World, id: &ResourceId, given: Body, now: WorldTime) {
    let rules = types::of(&id.type_key());
    if rules.place(world, id, &given, now) {
        return;
    }
    let mut body = Body::new();
    body.insert("id".to_owned(), rules.spell(id).into());
    body.insert("name".to_owned(), id.name().into());
    body.insert("type".to_owned(), rules.name(id).into());
    body.extend(given.into_iter().filter(|(name, _)| !matches!(name.as_str(), "id" | "name" | "type")));
    if let Some(Value::String(location)) = body.get("location") {
        let canonical = super::region::canonical(location).unwrap_or_else(|| location.clone());
        body.insert("location".to_owned(), canonical.into());
    }
    rules.complete(world, &mut body, now);
    let mut object = Object::new(id.type_key(), body, now);
    object.created = world.objects.get(id.key()).map_or(now, |old| old.created);
    world.objects.insert(id.key().to_owned(), object);
    rules.finish(world, id.key(), now);
    super::removal::tidy(world, id.key(), now);
}
