//! `/_emulator/...`: the emulator's own calls, for the loopback host only. Bodies must be declared as
//! JSON, so that no web page can send one unasked.

use http::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Call, Outside, note_deed_of, secret, token_for};
use crate::emulator::signed_in;
use crate::errors;
use crate::faults::{FaultRule, Faults};
use crate::god;
use crate::reply::{self, Answer};
use crate::seed;
use crate::world::Denial;
use crate::world::store::WORLD_FORMAT;

/// Answers one of:
/// - `GET info`: who is signed in, secret included
/// - `GET world`: all objects, soft-deleted vaults, running operations
/// - `GET requests`, `DELETE requests`: the log of calls
/// - `GET faults`, `POST faults` (an array, replaces), `DELETE faults`
/// - `POST objects`: one raw object of ARM or of the directory, or an array; `DELETE objects?id=`
/// - `POST token`: a token for anybody, as if they had signed in
/// - `POST blame`: an entry of the activity log for what is changed from outside
/// - `POST denied`: an array of actions taken away, replaces
pub(super) fn answer(call: &mut Call<'_>) -> Answer {
    let path = call.visit.path.trim_start_matches("/_emulator").trim_matches('/').to_owned();
    match (call.visit.method.as_str(), path.as_str()) {
        ("GET", "info") => info(call),
        ("GET", "world") => {
            let mut world = json!(god::look(&call.state.world, Vec::new(), call.now));
            if let Value::Object(world) = &mut world {
                world.remove("requests");
            }
            reply::json(StatusCode::OK, &world)
        }
        ("GET", "requests") => reply::json(StatusCode::OK, &call.state.log.all()),
        ("DELETE", "requests") => {
            call.state.log.clear();
            reply::empty(StatusCode::NO_CONTENT)
        }
        ("GET", "faults") => reply::json(StatusCode::OK, &call.state.faults.rules()),
        ("DELETE", "faults") => {
            call.state.faults = Faults::default();
            reply::empty(StatusCode::NO_CONTENT)
        }
        ("POST", "faults") => with_body(call, |call, rules: Vec<FaultRule>| {
            call.state.faults = Faults::new(rules);
            Ok(())
        }),
        ("POST", "token") => token(call),
        ("POST", "blame") => with_body(call, |call, asked: Blame| {
            let deed = Outside {
                object_id: &asked.object_id,
                application: &asked.application,
                id: &asked.id,
                deletes: asked.deletes,
            };
            note_deed_of(&mut call.state.world, &deed, call.now);
            Ok(())
        }),
        ("POST", "denied") => with_body(call, |call, denied: Vec<Denial>| {
            let now = call.now;
            call.state.deny(denied, now).map_err(|error| error.to_string())
        }),
        ("POST", "objects") => with_body(call, |call, objects: Value| {
            let objects = match objects {
                Value::Array(objects) => objects,
                object => vec![object],
            };
            seed::put_all(&mut call.state.world, objects, call.now).map_err(|error| {
                call.state.world.undo();
                error.to_string()
            })
        }),
        ("DELETE", "objects") => {
            let key = call.visit.query.get("id").unwrap_or_default().to_ascii_lowercase();
            if secret::remove(&mut call.state.world, &key) {
                return reply::empty(StatusCode::NO_CONTENT);
            }
            if !call.state.world.objects.contains(&key) {
                return refuse(StatusCode::NOT_FOUND, "there is no such object");
            }
            super::forget(&mut call.state.world, &key, call.now);
            reply::empty(StatusCode::NO_CONTENT)
        }
        _ => refuse(StatusCode::NOT_FOUND, "the emulator has no such call"),
    }
}

/// Who did what was done from outside.
#[derive(Deserialize)]
struct Blame {
    object_id: String,
    application: String,
    id: String,
    #[serde(default)]
    deletes: bool,
}

/// Who wants to sign in, and for what.
#[derive(Deserialize)]
struct Wanted {
    object_id: String,
    /// Through which application, of a user.
    application: Option<String>,
    audience: String,
}

fn token(call: &Call<'_>) -> Answer {
    let declared = call.visit.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
    let Some(asked) = serde_json::from_slice::<Wanted>(&call.visit.body).ok().filter(|_| declared) else {
        return refuse(StatusCode::BAD_REQUEST, "send application/json with `object_id` and `audience`");
    };
    let who = (asked.object_id.as_str(), asked.application.as_deref());
    match token_for(&call.state.world, who, &asked.audience, call.now, call.time_scale, call.options) {
        Some(token) => reply::json(StatusCode::OK, &json!({ "access_token": token })),
        None => refuse(StatusCode::NOT_FOUND, "there is no such principal or audience"),
    }
}

fn info(call: &Call<'_>) -> Answer {
    #[derive(Serialize)]
    struct Info<'a> {
        tenant: &'a str,
        subscription: &'a str,
        subscriptions: &'a [String],
        client_id: &'a str,
        client_secret: &'a str,
        object_id: &'a str,
        time_scale: f64,
        caller_address: String,
        world_time: String,
        world_format: u32,
        version: &'static str,
    }
    let signed_in = signed_in(&call.state.world, call.time_scale);
    reply::json(
        StatusCode::OK,
        &Info {
            tenant: &signed_in.tenant,
            subscription: &signed_in.subscription,
            subscriptions: &signed_in.subscriptions,
            client_id: &signed_in.client_id,
            client_secret: &signed_in.client_secret,
            object_id: &signed_in.object_id,
            time_scale: signed_in.time_scale,
            caller_address: call.options.caller_address.to_string(),
            world_time: call.now.to_string(),
            world_format: WORLD_FORMAT,
            version: env!("CARGO_PKG_VERSION"),
        },
    )
}

fn with_body<T: DeserializeOwned>(
    call: &mut Call<'_>,
    act: impl FnOnce(&mut Call<'_>, T) -> Result<(), String>,
) -> Answer {
    let declared = call.visit.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
    if call.visit.method != Method::POST || !declared {
        return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send application/json");
    }
    match serde_json::from_slice(&call.visit.body) {
        Ok(body) => match act(call, body) {
            Ok(()) => reply::empty(StatusCode::NO_CONTENT),
            Err(message) => refuse(StatusCode::BAD_REQUEST, &message),
        },
        Err(error) => refuse(StatusCode::BAD_REQUEST, &error.to_string()),
    }
}

fn refuse(status: StatusCode, message: &str) -> Answer {
    reply::json(status, &errors::wrapped("Emulator", message))
}
