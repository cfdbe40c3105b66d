//! Any other type: a PUT stores its body, and what is stored comes back. Microsoft.Network answers in
//! its asynchronous dialect; everything else is done at once.

use std::time::Duration;

use http::StatusCode;
use serde_json::Value;

use super::body::{self, Body};
use super::types::{self, ArmType};
use super::{Call, operation, removal};
use crate::clock::WorldTime;
use crate::errors::{self, Outcome, Refusal};
use crate::id::ResourceId;
use crate::reply::{self, Answer, WithHeader};
use crate::world::{Object, Settling, Work, World};

pub(super) struct Anything;

/// Seconds that a Network write or delete takes, and `Retry-After` in it: what is usual there.
const NETWORK: (u64, &str) = (12, "10");

impl ArmType for Anything {
    fn put(&self, call: &mut Call<'_>, id: &ResourceId, version: &str) -> Outcome {
        check_type(id, version)?;
        let asked = body::read(call)?;
        let tags = body::tags(&asked)?;
        body::properties(&asked)?;
        let existing = call.state.world.objects.get(id.key()).cloned();
        check_conditions(call, existing.as_ref())?;
        check_busy(call, id, existing.as_ref())?;
        if let Some(location) = body::location(&asked, &id.full_type())? {
            body::stays(&location, id, existing.as_ref())?;
        }
        let mut body = whole(id, asked, existing.as_ref());
        if let Some(tags) = tags {
            body.insert("tags".to_owned(), tags);
        }
        Ok(store(call, id, body, existing.as_ref(), version))
    }

    fn patch(&self, call: &mut Call<'_>, id: &ResourceId, version: &str) -> Outcome {
        let existing = call.state.world.objects.get(id.key()).cloned();
        check_conditions(call, existing.as_ref())?;
        check_busy(call, id, existing.as_ref())?;
        let _ = version;
        types::patch(call, id)
    }

    fn delete(&self, call: &mut Call<'_>, id: &ResourceId, version: &str) -> Outcome {
        let world = &mut call.state.world;
        let Some(object) = world.objects.get(id.key()).cloned() else {
            return Ok(reply::empty(StatusCode::NO_CONTENT));
        };
        if !is_network(id) {
            removal::remove(world, id.key(), call.now);
            return Ok(reply::empty(StatusCode::OK));
        }
        let (seconds, wait) = NETWORK;
        let takes = Duration::from_secs(seconds);
        let until = call.now.plus(takes);
        world.objects.edit(id.key(), |object| {
            object.settling = Some(Settling { until, state: "Deleting".to_owned() });
        });
        let work = Work::DeleteObject { key: id.key().to_owned() };
        let token = operation::begin(call, work, object.id().to_owned(), takes);
        let answer = reply::empty(StatusCode::ACCEPTED)
            .with("azure-asyncoperation", &operation_url(call, id, &object, "operations", &token, version))
            .with("location", &operation_url(call, id, &object, "operationResults", &token, version))
            .with("retry-after", wait);
        Ok(answer)
    }

    fn complete(&self, _world: &mut World, body: &mut Body, _now: WorldTime) {
        body::merge_missing(body, "properties", "provisioningState", "Succeeded".into());
    }
}

fn is_network(id: &ResourceId) -> bool {
    id.namespace.eq_ignore_ascii_case("Microsoft.Network")
}

/// A type that can be anything must at least look like one, and be none of those whose rules are known
/// to be different and are not there yet.
fn check_type(id: &ResourceId, version: &str) -> Result<(), Refusal> {
    let shaped = id.namespace.split('.').count() >= 2 && id.namespace.split('.').all(|word| !word.is_empty());
    if !shaped {
        return Err(errors::invalid_namespace(&id.namespace));
    }
    if id.type_key() == "microsoft.keyvault/vaults/accesspolicies" {
        return Err(errors::invalid_type(&id.namespace, "vaults/accessPolicies", version));
    }
    Ok(())
}

/// `If-Match` and `If-None-Match`, where the object has an etag.
pub(super) fn check_conditions(call: &Call<'_>, existing: Option<&Object>) -> Result<(), Refusal> {
    let failed = || {
        let message = "The condition specified using HTTP conditional header(s) is not met.";
        Err(Refusal::provider(StatusCode::PRECONDITION_FAILED, "PreconditionFailed", message))
    };
    if call.visit.header("if-none-match") == Some("*") && existing.is_some() {
        return failed();
    }
    match (call.visit.header("if-match"), existing) {
        (Some("*"), None) => failed(),
        (Some(wanted), Some(object)) if wanted != "*" => {
            let etag = object.text("etag");
            if etag.is_empty() || etag == wanted { Ok(()) } else { failed() }
        }
        _ => Ok(()),
    }
}

/// What is being deleted cannot be written to.
pub(super) fn check_busy(call: &Call<'_>, id: &ResourceId, existing: Option<&Object>) -> Result<(), Refusal> {
    let deleting = existing.is_some_and(|object| {
        object.is_settling(call.now) && object.settling.as_ref().is_some_and(|settling| settling.state == "Deleting")
    });
    if !deleting {
        return Ok(());
    }
    Err(errors::conflict(
        "AnotherOperationInProgress",
        format!(
            "Another operation on this or dependent resource is in progress. The resource is '{}'.",
            id.as_written()
        ),
    ))
}

/// The body as it is kept: everything that was sent, with what only the service can say.
fn whole(id: &ResourceId, mut asked: Body, existing: Option<&Object>) -> Body {
    let mut body = Body::new();
    body.insert("id".to_owned(), existing.map_or_else(|| id.as_written(), |old| old.id().to_owned()).into());
    body.insert("name".to_owned(), id.name().into());
    body.insert("type".to_owned(), existing.map_or_else(|| id.full_type(), |old| old.text("type").to_owned()).into());
    for own in ["id", "name", "type", "etag", "tags", "systemData"] {
        asked.shift_remove(own);
    }
    if let Some(Value::String(location)) = asked.get("location") {
        let canonical = super::region::canonical(location).unwrap_or_else(|| location.clone());
        asked.insert("location".to_owned(), canonical.into());
    }
    body.extend(asked.into_iter().filter(|(_, value)| !value.is_null()));
    crate::world::set_state(&mut body, "Succeeded");
    body
}

fn store(call: &mut Call<'_>, id: &ResourceId, mut body: Body, existing: Option<&Object>, version: &str) -> Answer {
    let now = call.now;
    let status = if existing.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    let asynchronous = is_network(id);
    if asynchronous {
        body.insert("etag".to_owned(), format!("W/\"{}\"", call.state.world.dice.guid()).into());
    }
    let mut object = Object::new(id.type_key(), body, now);
    object.created = existing.map_or(now, |old| old.created);
    if !asynchronous {
        let answer = reply::json(status, &object.body);
        call.state.world.objects.insert(id.key().to_owned(), object);
        removal::tidy(&mut call.state.world, id.key(), now);
        return answer;
    }
    let (seconds, wait) = NETWORK;
    let takes = Duration::from_secs(seconds);
    object.settling = Some(Settling { until: now.plus(takes), state: "Updating".to_owned() });
    let work = Work::Write { key: id.key().to_owned() };
    let token = operation::begin(call, work, object.id().to_owned(), takes);
    let answer = reply::json(status, &object.view(now))
        .with("azure-asyncoperation", &operation_url(call, id, &object, "operations", &token, version))
        .with("azure-asyncnotification", "Enabled")
        .with("retry-after", wait);
    call.state.world.objects.insert(id.key().to_owned(), object);
    removal::tidy(&mut call.state.world, id.key(), now);
    answer
}

fn operation_url(call: &Call<'_>, id: &ResourceId, object: &Object, kind: &str, token: &str, version: &str) -> String {
    let subscription = id.place.subscription.as_deref().unwrap_or_default();
    let location = match object.text("location") {
        "" => "global",
        location => location,
    };
    let namespace = &id.namespace;
    let path = format!("/subscriptions/{subscription}/providers/{namespace}/locations/{location}/{kind}/{token}");
    operation::url(call, &path, version)
}
