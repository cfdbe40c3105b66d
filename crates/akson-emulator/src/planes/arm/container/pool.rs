//! `managedClusters/agentPools`: the pools of a cluster, written one by one.

use std::borrow::Cow;

use http::StatusCode;
use serde_json::Value;

use super::pool_shape::{self, Surroundings};
use super::shape::{at, said, text};
use super::takes::Takes;
use super::types::{ArmType, Spelling};
use super::{Body, Call, POOL_KEY, actions, body, edition, flow, network, operation, removal};
use crate::clock::WorldTime;
use crate::errors::{self, Outcome, Refusal};
use crate::id::ResourceId;
use crate::reply;
use crate::world::{Object, Work, World};

const TYPE: &str = "Microsoft.ContainerService/managedClusters/agentPools";

const CREATE: Takes = Takes(120, 191, 364);
const UPDATE: Takes = Takes(5, 9, 439);
const UPGRADE: Takes = Takes(240, 474, 900);
const DELETE: Takes = Takes(90, 150, 300);
const POWER: Takes = Takes(60, 120, 240);
const ABORT: Takes = Takes(3, 5, 10);

pub(super) struct Pools;

impl ArmType for Pools {
    fn spelling(&self) -> Spelling {
        Spelling::SmallGroups(TYPE)
    }

    /// Recorded: the provider's bare 404.
    fn missing(&self, id: &ResourceId) -> Refusal {
        let subscription = id.place.subscription.as_deref().unwrap_or_default();
        let group = id.place.group.as_deref().unwrap_or_default();
        let cluster = id.parent().map(|cluster| cluster.name().to_owned()).unwrap_or_default();
        errors::container::no_pool(id.name(), subscription, group, &cluster)
    }

    /// Recorded: the missing cluster itself is what is not found.
    fn without_parent(&self, _verb: &str, _id: &ResourceId, parent: &ResourceId) -> Refusal {
        errors::resource_not_found(parent)
    }

    fn put(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        let asked = body::read(call)?;
        let wishes = match said(Value::Object(body::properties(&asked)?)) {
            Value::Object(wishes) => wishes,
            _ => Body::new(),
        };
        pool_shape::check_name(id.name(), &wishes)?;
        flow::throttle(call, id)?;
        let Some(cluster) = id.parent() else { return Err(self.missing(id)) };
        flow::check_cluster(call, cluster.key())?;
        flow::check_pool(call, id.key())?;
        let world = &call.state.world;
        let around = world.objects.get(cluster.key()).and_then(Object::properties).cloned().unwrap_or_default();
        let around = Surroundings::of(&around)?;
        let existing = world.objects.get(id.key()).cloned();
        let before = existing.as_ref().and_then(Object::properties);
        let settled = pool_shape::settle(&around, before, wishes)?;
        check_one_managed(world, id, &settled.kept)?;
        check_subnet(world, &settled.kept)?;
        if before.is_some_and(is_system) && !is_system(&settled.kept) {
            check_not_last(world, id, "changed to mode User")?;
        }
        let count = settled.kept.get("count").and_then(Value::as_i64).unwrap_or(0);
        let (state, takes, stages) = match before {
            None => ("Creating", CREATE, progress("CreatingAgentPool", count)),
            Some(before)
                if at(before, "currentOrchestratorVersion") != at(&settled.kept, "currentOrchestratorVersion") =>
            {
                ("Upgrading", UPGRADE, progress("UpgradingAgentPool", count))
            }
            // Recorded: what needs new images counts as an upgrade.
            Some(before) if ["enableFIPS", "osSKU"].iter().any(|name| at(before, name) != at(&settled.kept, name)) => {
                ("Upgrading", UPGRADE, progress("UpgradingAgentPool", count))
            }
            Some(before) if at(before, "powerState") != at(&settled.kept, "powerState") => {
                let stopped = text(&settled.kept, "powerState.code") == "Stopped";
                (if stopped { "Stopping" } else { "Starting" }, POWER, Vec::new())
            }
            Some(before)
                if ["count", "virtualMachinesProfile"]
                    .iter()
                    .any(|name| at(before, name) != at(&settled.kept, name)) =>
            {
                ("Scaling", UPDATE, progress("ScalingAgentPool", count))
            }
            Some(_) => ("Updating", UPDATE, Vec::new()),
        };
        let takes = takes.draw(&mut call.state.world.dice);
        store(&mut call.state.world, id, settled.kept, call.now);
        flow::settle_for(&mut call.state.world, id.key(), call.now.plus(takes), state);
        removal::tidy(&mut call.state.world, id.key(), call.now);
        let work = Work::Write { key: id.key().to_owned() };
        let token = flow::begin(call, work, self.spell(id), takes, stages);
        let mut shown = view(call, id);
        if let Some(Value::Object(properties)) = shown.get_mut("properties") {
            properties.extend(settled.also_shown);
        }
        let status = if existing.is_some() { StatusCode::OK } else { StatusCode::CREATED };
        Ok(flow::followed(call, reply::json(status, &shown), id, &token, false))
    }

    fn patch(&self, call: &mut Call<'_>, _id: &ResourceId, _version: &str) -> Outcome {
        Err(errors::method_not_allowed(call.visit.method.as_str()))
    }

    fn delete(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        let Some(pool) = call.state.world.objects.get(id.key()).cloned() else {
            return Ok(reply::empty(StatusCode::NO_CONTENT));
        };
        if let Some(cluster) = id.parent() {
            flow::check_cluster(call, cluster.key())?;
        }
        flow::check_pool(call, id.key())?;
        if pool.properties().is_some_and(is_system) {
            check_not_last(&call.state.world, id, "deleted")?;
        }
        let takes = DELETE.draw(&mut call.state.world.dice);
        flow::settle_for(&mut call.state.world, id.key(), call.now.plus(takes), "Deleting");
        removal::tidy(&mut call.state.world, id.key(), call.now);
        let work = Work::DeleteObject { key: id.key().to_owned() };
        let token = flow::begin(call, work, pool.id().to_owned(), takes, Vec::new());
        Ok(flow::followed(call, reply::empty(StatusCode::ACCEPTED), id, &token, true))
    }

    fn act(&self, call: &mut Call<'_>, id: &ResourceId, action: &str, version: &str) -> Outcome {
        if !call.state.world.objects.contains(id.key()) {
            return Err(self.missing(id));
        }
        if !action.eq_ignore_ascii_case("abort") {
            if let Some(outcome) = actions::of_pool(call, id, action) {
                return outcome;
            }
            let kinds = format!("managedClusters/agentPools/{action}");
            return Err(errors::invalid_type(&id.namespace, &kinds, version));
        }
        let shown = view(call, id);
        let now = call.now;
        operation::cancel(&mut call.state.world, id.key(), now);
        let takes = ABORT.draw(&mut call.state.world.dice);
        flow::settle_for(&mut call.state.world, id.key(), now.plus(takes), "Canceling");
        let token = flow::begin(call, Work::Abort { key: id.key().to_owned() }, self.spell(id), takes, Vec::new());
        Ok(flow::followed(call, reply::json(StatusCode::ACCEPTED, &shown), id, &token, true))
    }

    fn complete(&self, world: &mut World, body: &mut Body, _now: WorldTime) {
        let key = body.get("id").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
        let cluster = key.split_once("/agentpools/").and_then(|(cluster, _)| world.objects.get(cluster));
        let around = cluster.and_then(Object::properties).cloned().unwrap_or_default();
        let given = body::properties(body).unwrap_or_default();
        let kept = Surroundings::of(&around).and_then(|around| pool_shape::settle(&around, None, given.clone()));
        // What cannot be a pool's property is left as it was given: the author wanted it so.
        let mut kept = kept.map_or(given, |settled| settled.kept);
        kept.insert("provisioningState".to_owned(), "Succeeded".into());
        body.insert("properties".to_owned(), Value::Object(kept));
    }

    fn view<'a>(&self, object: &'a Object, version: &str, now: WorldTime) -> Cow<'a, Body> {
        let mut body = whole(object, now);
        edition::of_pool(&mut body, version);
        Cow::Owned(body)
    }

    fn finish(&self, world: &mut World, key: &str, now: WorldTime) {
        removal::tidy(world, key, now);
    }
}

/// A pool with all that any version shows of it.
pub(super) fn whole(pool: &Object, now: WorldTime) -> Body {
    let mut body = pool.view(now).into_owned();
    if let Some(Value::Object(properties)) = body.get_mut("properties") {
        properties.insert("eTag".to_owned(), flow::etag(pool, now).into());
    }
    body
}

/// The newest image of a pool's nodes.
pub(super) fn newest_image(properties: &Body) -> String {
    pool_shape::image(text(properties, "osType").eq_ignore_ascii_case("Windows")).to_owned()
}

pub(super) fn view(call: &Call<'_>, id: &ResourceId) -> Body {
    let version = call.visit.query.get("api-version").unwrap_or_default();
    let object = call.state.world.objects.get(id.key());
    object.map(|object| Pools.view(object, version, call.now).into_owned()).unwrap_or_default()
}

/// What an operation on nodes says of itself on the way (recorded words).
fn progress(word: &str, count: i64) -> Vec<String> {
    vec![
        "InProgress".to_owned(),
        word.to_owned(),
        format!("{word}: 0/{count} nodes completed"),
        format!("{word}: {count}/{count} nodes completed"),
    ]
}

/// Puts a pool into the world.
pub(super) fn store(world: &mut World, id: &ResourceId, kept: Body, now: WorldTime) {
    let mut properties = Body::new();
    properties.extend(kept);
    properties.insert("provisioningState".to_owned(), "Succeeded".into());
    let existing = world.objects.get(id.key());
    let shown = existing.map_or_else(|| Pools.spell(id), |old| old.id().to_owned());
    let created = existing.map_or(now, |old| old.created);
    let mut body = Body::new();
    body.insert("id".to_owned(), shown.into());
    body.insert("name".to_owned(), id.name().into());
    body.insert("type".to_owned(), TYPE.into());
    body.insert("properties".to_owned(), Value::Object(properties));
    let mut object = Object::new(POOL_KEY.to_owned(), body, now);
    object.created = created;
    world.objects.insert(id.key().to_owned(), object);
}

fn is_system(properties: &Body) -> bool {
    text(properties, "mode").eq_ignore_ascii_case("System")
}

fn check_not_last(world: &World, id: &ResourceId, done: &str) -> Result<(), Refusal> {
    let prefix = id.parent().map(|cluster| format!("{}/agentpools/", cluster.key())).unwrap_or_default();
    let others = world.objects.starting_with(&prefix, "").any(|(key, pool)| {
        let leaving = pool.settling.as_ref().is_some_and(|settling| settling.state == "Deleting");
        key != id.key() && !leaving && pool.properties().is_some_and(is_system)
    });
    if others {
        return Ok(());
    }
    let message = format!(
        "There must be at least one system agent pool in the cluster: agent pool {} cannot be {done}.",
        id.name()
    );
    Err(errors::container::bad_request(message))
}

fn check_one_managed(world: &World, id: &ResourceId, kept: &Body) -> Result<(), Refusal> {
    let managed = |properties: &Body| text(properties, "mode").eq_ignore_ascii_case("ManagedSystem");
    let prefix = id.parent().map(|cluster| format!("{}/agentpools/", cluster.key())).unwrap_or_default();
    let mut others = world.objects.starting_with(&prefix, "").filter(|(key, _)| *key != id.key());
    if managed(kept) && others.any(|(_, pool)| pool.properties().is_some_and(managed)) {
        let message = "'ManagedSystem' pool is limited to one per cluster";
        return Err(errors::container::invalid_parameter(message, "agentPoolProfile.mode"));
    }
    Ok(())
}

fn check_subnet(world: &World, kept: &Body) -> Result<(), Refusal> {
    let subnet = text(kept, "vnetSubnetID");
    if subnet.is_empty() || network::subnet(world, subnet).is_some() {
        return Ok(());
    }
    let message = format!("The subnet {subnet} of the agent pool could not be found.");
    Err(errors::container::invalid("SubnetNotFound", message, "agentPoolProfile.vnetSubnetID"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_on_the_way() {
        assert_eq!(
            progress("CreatingAgentPool", 2).last().map(String::as_str),
            Some("CreatingAgentPool: 2/2 nodes completed")
        );
        assert!(is_system(&Body::from_iter([("mode".to_owned(), json!("system"))])));
    }
}
