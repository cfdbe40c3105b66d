//! Long-running operations: their signed URLs and what happens when they end. Nothing runs by itself;
//! what has ended takes effect at the next call. What is said of one on the way is `progress`.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use sha2::{Digest, Sha256};

use super::{Call, container, removal, types, vault};
use crate::clock::WorldTime;
use crate::errors::{self, Outcome, Refusal};
use crate::reply::{self, WithHeader};
use crate::world::{Operation, Work, World, set_state};

/// How long an operation can be asked for after its end, in world time.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);

/// Applies everything whose time has come: ended operations, purges of soft-deleted vaults.
pub(crate) fn settle(world: &mut World, now: WorldTime) {
    if world.operations.len() == 0 && world.deleted_vaults.len() == 0 {
        return;
    }
    let mut due: Vec<(WorldTime, String)> = world
        .operations
        .iter()
        .filter(|(_, operation)| !operation.done && operation.ends <= now)
        .map(|(token, operation)| (operation.ends, token.to_owned()))
        .collect();
    due.sort();
    for (_, token) in due {
        let work = world.operations.edit(&token, |operation| {
            operation.done = true;
            operation.work.clone()
        });
        if let Some(work) = work {
            finish(world, work, now);
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

/// The effect of an operation's end.
fn finish(world: &mut World, work: Work, now: WorldTime) {
    match work {
        Work::DeleteGroup { key } | Work::DeleteObject { key } => removal::remove(world, &key, now),
        Work::PurgeVault { name } => vault::purge(world, &name),
        Work::Write { key } => {
            if let Some(object) = world.objects.get(&key) {
                let rules = types::of(&object.type_key.clone());
                rules.finish(world, &key, now);
            }
        }
        Work::Background { key, state, seconds, changes } => {
            let doing = container::background::Doing { state, takes: Duration::from_secs(seconds), changes };
            container::background::go_on(world, &key, &doing, now);
        }
        Work::Abort { key } => {
            world.objects.edit(&key, |object| {
                object.settling = None;
                set_state(&mut object.body, "Canceled");
            });
            removal::tidy(world, &key, now);
        }
    }
}

/// Begins an operation; the token stands in its URLs.
pub(super) fn begin(call: &mut Call<'_>, work: Work, target: String, takes: Duration) -> String {
    let world = &mut call.state.world;
    let token = world.dice.guid();
    let operation = Operation {
        work,
        target,
        started: call.now,
        ends: call.now.plus(takes),
        done: false,
        canceled: false,
        stages: Vec::new(),
        remark: None,
    };
    world.operations.insert(token.clone(), operation);
    token
}

/// The running operation that writes to an object, or deletes it.
pub(super) fn running<'a>(world: &'a World, key: &str) -> Option<(&'a str, &'a Operation)> {
    world.operations.iter().find(|(_, operation)| {
        !operation.done
            && match &operation.work {
                Work::DeleteObject { key: of } | Work::Write { key: of } | Work::Abort { key: of } => of == key,
                Work::DeleteGroup { .. } | Work::PurgeVault { .. } | Work::Background { .. } => false,
            }
    })
}

/// Gives up whatever writes to an object.
pub(super) fn cancel(world: &mut World, key: &str, now: WorldTime) {
    let Some(token) = running(world, key).map(|(token, _)| token.to_owned()) else { return };
    world.operations.edit(&token, |operation| {
        operation.done = true;
        operation.canceled = true;
        operation.ends = now;
    });
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

/// The token in the last name of a URL, which may begin with a word (`registries-...`).
pub(super) fn token(name: &str) -> &str {
    name.get(name.len().saturating_sub(36)..).unwrap_or(name)
}

/// The operation that a URL is of, if it is ours and unaltered.
pub(super) fn find(call: &Call<'_>, name: &str) -> Result<Operation, Refusal> {
    check(call)?;
    call.state.world.operations.get(token(name)).cloned().ok_or_else(|| errors::no_such_path(&call.visit.path))
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
