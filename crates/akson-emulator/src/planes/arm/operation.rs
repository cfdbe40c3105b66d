//! Long-running operations: their signed URLs, how they are followed, and what happens when they end.
//! Nothing runs by itself; what has ended takes effect at the next call.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::types::ArmType;
use super::{Call, resource_group, vault};
use crate::clock::WorldTime;
use crate::errors::{self, Outcome, Refusal};
use crate::id::ResourceId;
use crate::reply::{self, WithHeader};
use crate::world::{Operation, Work, World};

/// How long an operation can be asked for after its end, in world time.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);

/// Applies everything whose time has come: ended operations, purges of soft-deleted vaults.
pub(crate) fn settle(world: &mut World, now: WorldTime) {
    if world.operations.len() == 0 && world.deleted_vaults.len() == 0 {
        return;
    }
    let due: Vec<String> = world
        .operations
        .iter()
        .filter(|(_, operation)| !operation.done && operation.ends <= now)
        .map(|(token, _)| token.to_owned())
        .collect();
    for token in due {
        let work = world.operations.edit(&token, |operation| {
            operation.done = true;
            operation.work.clone()
        });
        match work {
            Some(Work::DeleteGroup { key }) => resource_group::remove(world, &key, now),
            Some(Work::DeleteObject { key }) => world.remove_tree(&key),
            Some(Work::PurgeVault { name }) => vault::purge(world, &name),
            Some(Work::Write { .. }) | None => {}
        }
    }
    let forgotten: Vec<String> = world
        .operations
        .iter()
        .filter(|(_, operation)| operation.done && operation.ends.plus(REMEMBERED) < now)
        .map(|(token, _)| token.to_owned())
        .collect();
    for token in forgotten {
        world.operations.remove(&token);
    }
    let purged: Vec<String> =
        world.deleted_vaults.iter().filter(|(_, vault)| vault.purge <= now).map(|(name, _)| name.to_owned()).collect();
    for name in purged {
        vault::purge(world, &name);
    }
}

/// Begins an operation; the token stands in its URLs.
pub(super) fn begin(call: &mut Call<'_>, work: Work, target: String, takes: Duration) -> String {
    let world = &mut call.state.world;
    let token = world.dice.guid();
    let operation = Operation { work, target, started: call.now, ends: call.now.plus(takes), done: false };
    world.operations.insert(token.clone(), operation);
    token
}

/// The URL of an operation: absolute, and signed, so that it must come back as it is.
pub(super) fn url(call: &Call<'_>, path: &str, version: &str) -> String {
    let ticks = call.now.ticks().to_string();
    let [c, s, h] = signature(&call.state.world.key, path, version, &ticks);
    format!("{}{path}?api-version={version}&t={ticks}&c={c}&s={s}&h={h}", call.visit.base)
}

/// The opaque parameters of a URL. As on the wire, `c` is long.
fn signature(key: &str, path: &str, version: &str, ticks: &str) -> [String; 3] {
    let part = |name: &str| {
        let digest = Sha256::new();
        let digest = [key, name, path, version, ticks]
            .iter()
            .fold(digest, |digest, text| digest.chain_update(text).chain_update("\n"));
        URL_SAFE_NO_PAD.encode(digest.finalize())
    };
    [["c1", "c2", "c3", "c4"].map(part).concat(), part("s"), part("h")]
}

/// Whether a URL of ours came back unaltered.
fn check(call: &Call<'_>) -> Result<(), Refusal> {
    let query = &call.visit.query;
    let text = |name: &str| query.get(name).unwrap_or_default();
    let expected = signature(&call.state.world.key, &call.visit.path, text("api-version"), text("t"));
    if [text("c"), text("s"), text("h")] == expected.each_ref().map(String::as_str) {
        return Ok(());
    }
    Err(errors::no_such_path(&call.visit.path))
}

fn find(call: &Call<'_>, token: &str) -> Result<Operation, Refusal> {
    check(call)?;
    call.state.world.operations.get(token).cloned().ok_or_else(|| errors::no_such_path(&call.visit.path))
}

/// Recorded: 202 with the same headers as before and no body, in the end 200 without a body.
pub(super) fn poll_group(call: &Call<'_>, token: &str) -> Outcome {
    let operation = find(call, token)?;
    if operation.done {
        return Ok(reply::empty(StatusCode::OK));
    }
    let here = format!("{}{}", call.visit.base, call.visit.path_and_query());
    Ok(reply::empty(StatusCode::ACCEPTED).with("location", &here).with("retry-after", "15"))
}

/// `locations/{l}/operations|operationStatuses|operationResults/{token}` of any provider.
pub(super) struct Operations;

impl ArmType for Operations {
    fn has_parents(&self) -> bool {
        false
    }

    fn put(&self, call: &mut Call<'_>, _id: &ResourceId, _version: &str) -> Outcome {
        Err(errors::method_not_allowed(call.visit.method.as_str()))
    }

    fn get(&self, call: &mut Call<'_>, id: &ResourceId) -> Outcome {
        let kind = id.steps.last().map(|step| step.kind.to_ascii_lowercase()).unwrap_or_default();
        match kind.as_str() {
            "operations" | "operationstatuses" => status(call, id.name()),
            "operationresults" => result(call, id.name()),
            _ => Err(errors::resource_not_found(id)),
        }
    }
}

/// What `Azure-AsyncOperation` leads to: 200 with a status.
fn status(call: &Call<'_>, token: &str) -> Outcome {
    let operation = find(call, token)?;
    if operation.done {
        return Ok(reply::json(StatusCode::OK, &json!({ "status": "Succeeded" })));
    }
    Ok(reply::json(StatusCode::OK, &json!({ "status": "InProgress" })).with("retry-after", "10"))
}

/// What `Location` leads to: 202 until it is done. A purge says in words how far it is.
fn result(call: &Call<'_>, token: &str) -> Outcome {
    let operation = find(call, token)?;
    let here = format!("{}{}", call.visit.base, call.visit.path_and_query());
    let purge = matches!(operation.work, Work::PurgeVault { .. });
    let created = operation.started.spaced();
    let answer = match (operation.done, purge) {
        (false, true) => {
            let body = json!({ "createdDateTime": created, "status": "NotStarted" });
            reply::json(StatusCode::ACCEPTED, &body).with("location", &here)
        }
        (true, true) => {
            let body = json!({
                "createdDateTime": created,
                "lastActionDateTime": operation.ends.spaced(),
                "status": "Succeeded",
            });
            reply::json(StatusCode::OK, &body)
        }
        (false, false) => reply::empty(StatusCode::ACCEPTED).with("location", &here).with("retry-after", "10"),
        (true, false) => reply::empty(StatusCode::NO_CONTENT),
    };
    Ok(if purge { vault::stamped(answer) } else { answer })
}
