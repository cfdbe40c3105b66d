//! What clients ask of clusters and pools besides reading and writing them: rotating certificates and keys, new node images,
//! taking machines away, and running a command. Credentials are `credential`, the power is with `cluster`.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use super::pool;
use super::shape::{is_on, set, text};
use super::takes::Takes;
use super::types::ArmType;
use super::{Body, Call, body, flow};
use crate::clock::WorldTime;
use crate::errors::{self, Outcome, Refusal};
use crate::id::{ResourceId, Step};
use crate::planes::kubernetes_command;
use crate::reply::{self, WithHeader};
use crate::world::{Object, Settling, Work};

const ROTATE: Takes = Takes(300, 600, 1500);
const RESET: Takes = Takes(92, 114, 470);
const IMAGE: Takes = Takes(240, 474, 900);
const MACHINES: Takes = Takes(60, 120, 300);
const RESULTS: &str = "microsoft.containerservice/managedclusters/commandresults";

/// Does an action on a cluster, if it is one of these.
pub(super) fn of_cluster(call: &mut Call<'_>, id: &ResourceId, action: &str) -> Option<Outcome> {
    Some(match action.to_ascii_lowercase().as_str() {
        "rotateclustercertificates" => reconcile(call, id, "RotatingClusterCertificates", ROTATE),
        "rotateserviceaccountsigningkeys" => reconcile(call, id, "RotatingServiceAccountSigningKeys", ROTATE),
        "resetserviceprincipalprofile" => reset(call, id, "servicePrincipalProfile"),
        "resetaadprofile" => reset(call, id, "aadProfile"),
        "runcommand" => run(call, id),
        _ => return None,
    })
}

/// The cluster is at work, and answers with 202 and both ways to follow it.
fn reconcile(call: &mut Call<'_>, id: &ResourceId, state: &str, takes: Takes) -> Outcome {
    flow::check_all(call, id.key())?;
    let takes = takes.draw(&mut call.state.world.dice);
    let until = call.now.plus(takes);
    flow::settle_for(&mut call.state.world, id.key(), until, state);
    let target = call.state.world.objects.get(id.key()).map(|object| object.id().to_owned()).unwrap_or_default();
    let token = flow::begin(call, Work::Write { key: id.key().to_owned() }, target, takes, Vec::new());
    Ok(flow::followed(call, reply::empty(StatusCode::ACCEPTED), id, &token, true))
}

/// A profile is given anew.
fn reset(call: &mut Call<'_>, id: &ResourceId, profile: &'static str) -> Outcome {
    let asked = body::read(call)?;
    flow::check_all(call, id.key())?;
    let secrets = ["secret", "serverAppSecret"];
    let given: Body = asked.into_iter().filter(|(name, _)| !secrets.contains(&name.as_str())).collect();
    call.state.world.objects.edit(id.key(), |cluster| {
        if let Some(Value::Object(properties)) = cluster.body.get_mut("properties") {
            for (name, value) in given {
                set(properties, &format!("{profile}.{name}"), value);
            }
        }
    });
    reconcile(call, id, "Updating", RESET)
}

/// Recorded: 202 and only a `Location`, which first says that the command runs.
fn run(call: &mut Call<'_>, id: &ResourceId) -> Outcome {
    let asked = body::read(call)?;
    let Some(cluster) = call.state.world.objects.get(id.key()) else { return Err(errors::resource_not_found(id)) };
    let properties = cluster.properties().cloned().unwrap_or_default();
    if is_on(&properties, "apiServerAccessProfile.disableRunCommand") {
        let message = "Run command is disabled for this cluster (apiServerAccessProfile.disableRunCommand).";
        return Err(errors::container::bad_request(message));
    }
    if text(&properties, "powerState.code") == "Stopped" {
        return Err(errors::container::bad_request("The cluster is stopped. Start it before a command is run in it."));
    }
    let command = text(&asked, "command").to_owned();
    if command.is_empty() {
        return Err(errors::container::invalid_parameter("Required parameter command is missing (null).", "command"));
    }
    let (exit_code, logs) = kubernetes_command(&call.state.world, id.key(), &command, call.now);
    let takes = Duration::from_secs(call.state.world.dice.between(3, 8));
    let ends = call.now.plus(takes);
    let token = call.state.world.dice.guid().replace('-', "");
    let result = result_id(id, &token);
    let body = json!({
        "id": token,
        "properties": {
            "provisioningState": "Succeeded", "exitCode": exit_code, "startedAt": call.now.to_seconds(),
            "finishedAt": ends.to_seconds(), "logs": logs,
        },
    });
    if let Value::Object(body) = body {
        let mut object = Object::new(RESULTS.to_owned(), body, call.now);
        object.settling = Some(Settling { until: ends, state: "Running".to_owned() });
        call.state.world.objects.insert(result.key().to_owned(), object);
    }
    let version = call.visit.query.get("api-version").unwrap_or_default();
    let url = format!("{}{}?api-version={version}", call.visit.base, result.as_written());
    Ok(reply::empty(StatusCode::ACCEPTED).with("location", &url))
}

fn result_id(cluster: &ResourceId, token: &str) -> ResourceId {
    let mut steps = cluster.steps.clone();
    steps.push(Step { kind: "commandResults".to_owned(), name: token.to_owned() });
    ResourceId::new(cluster.place.clone(), cluster.scope.clone(), cluster.namespace.clone(), steps)
}

/// `managedClusters/{c}/commandResults/{id}`.
pub(super) struct Results;

impl ArmType for Results {
    fn put(&self, call: &mut Call<'_>, _id: &ResourceId, _version: &str) -> Outcome {
        Err(errors::method_not_allowed(call.visit.method.as_str()))
    }

    fn patch(&self, call: &mut Call<'_>, _id: &ResourceId, _version: &str) -> Outcome {
        Err(errors::method_not_allowed(call.visit.method.as_str()))
    }

    fn delete(&self, call: &mut Call<'_>, _id: &ResourceId, _version: &str) -> Outcome {
        Err(errors::method_not_allowed(call.visit.method.as_str()))
    }

    fn get(&self, call: &mut Call<'_>, id: &ResourceId) -> Outcome {
        let object = call.state.world.objects.get(id.key()).ok_or_else(|| self.missing(id))?;
        if !object.is_settling(call.now) {
            return Ok(reply::json(StatusCode::OK, &object.body));
        }
        let here = format!("{}{}", call.visit.base, call.visit.path_and_query());
        let running = json!({ "id": id.name(), "properties": { "provisioningState": "Running" } });
        Ok(reply::json(StatusCode::ACCEPTED, &running).with("location", &here))
    }
}

/// Does an action on a pool, if it is one of these.
pub(super) fn of_pool(call: &mut Call<'_>, id: &ResourceId, action: &str) -> Option<Outcome> {
    Some(match action.to_ascii_lowercase().as_str() {
        "upgradenodeimageversion" => image(call, id),
        "deletemachines" => machines(call, id),
        _ => return None,
    })
}

fn check_free(call: &Call<'_>, id: &ResourceId) -> Result<(), Refusal> {
    if let Some(cluster) = id.parent() {
        flow::check_cluster(call, cluster.key())?;
    }
    flow::check_pool(call, id.key())
}

/// Recorded: 202 with the pool, which is in a state of its own.
fn image(call: &mut Call<'_>, id: &ResourceId) -> Outcome {
    check_free(call, id)?;
    call.state.world.objects.edit(id.key(), |pool| {
        if let Some(Value::Object(properties)) = pool.body.get_mut("properties") {
            let newest = pool::newest_image(properties);
            properties.insert("nodeImageVersion".to_owned(), newest.into());
        }
    });
    let token = at_work(call, id, "UpgradingNodeImageVersion", IMAGE);
    let shown = pool::view(call, id);
    Ok(flow::followed(call, reply::json(StatusCode::ACCEPTED, &shown), id, &token, true))
}

/// Recorded: 202 without a body; the pool has fewer machines then.
fn machines(call: &mut Call<'_>, id: &ResourceId) -> Outcome {
    let asked = body::read(call)?;
    let named = asked.get("machineNames").and_then(Value::as_array).map_or(0, Vec::len);
    if named == 0 {
        let message = "Required parameter machineNames is missing (null).";
        return Err(errors::container::invalid_parameter(message, "machineNames"));
    }
    check_free(call, id)?;
    let taken = i64::try_from(named).unwrap_or(i64::MAX);
    call.state.world.objects.edit(id.key(), |pool| {
        if let Some(Value::Object(properties)) = pool.body.get_mut("properties") {
            let count = properties.get("count").and_then(Value::as_i64).unwrap_or(0);
            properties.insert("count".to_owned(), count.saturating_sub(taken).max(0).into());
        }
    });
    let token = at_work(call, id, "DeletingMachines", MACHINES);
    Ok(flow::followed(call, reply::empty(StatusCode::ACCEPTED), id, &token, true))
}

fn at_work(call: &mut Call<'_>, id: &ResourceId, state: &str, takes: Takes) -> String {
    let takes = takes.draw(&mut call.state.world.dice);
    let now: WorldTime = call.now;
    call.state.world.objects.edit(id.key(), |pool| pool.changed = now);
    flow::settle_for(&mut call.state.world, id.key(), now.plus(takes), state);
    super::removal::tidy(&mut call.state.world, id.key(), now);
    let target = call.state.world.objects.get(id.key()).map(|object| object.id().to_owned()).unwrap_or_default();
    flow::begin(call, Work::Write { key: id.key().to_owned() }, target, takes, Vec::new())
}
