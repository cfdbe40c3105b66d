//! `Microsoft.Resources/resourceGroups`. Deleting one is the only way to delete many things at once,
//! and takes its time.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::body::{self, Body};
use super::{Call, inventory, list, lock, operation, region, version};
use crate::clock::WorldTime;
use crate::errors::{self, Outcome, Refusal};
use crate::id::group_key;
use crate::reply::{self, WithHeader};
use crate::world::{Object, Work, World};

pub(super) const TYPE: &str = "Microsoft.Resources/resourceGroups";
pub(super) const TYPE_KEY: &str = "microsoft.resources/resourcegroups";

/// Recorded durations of a deletion: 16 s at the 10th percentile, 68 s in the middle.
const EMPTY_TAKES: u64 = 16;
const EACH_TAKES: u64 = 4;
const AT_MOST: u64 = 68;

pub(super) fn answer(call: &mut Call<'_>, subscription: &str, group: &str) -> Outcome {
    let key = group_key(subscription, group);
    let shown = format!("/subscriptions/{subscription}/resourceGroups/{group}");
    lock::check(call, &shown, &key, TYPE_KEY)?;
    match call.visit.method {
        Method::GET => {
            let object = call.state.world.objects.get(&key).ok_or_else(|| errors::group_not_found(group))?;
            Ok(reply::json(StatusCode::OK, &object.body))
        }
        Method::HEAD if call.state.world.objects.contains(&key) => Ok(reply::empty(StatusCode::NO_CONTENT)),
        Method::HEAD => Err(errors::group_not_found(group)),
        Method::PUT => put(call, subscription, group, &key),
        Method::PATCH => patch(call, group, &key),
        Method::DELETE => delete(call, subscription, group, &key),
        _ => Err(errors::method_not_allowed(call.visit.method.as_str())),
    }
}

pub(super) fn list(call: &mut Call<'_>, subscription: &str) -> Outcome {
    if !crate::planes::login::reads(&call.visit.method) {
        return Err(errors::method_not_allowed(call.visit.method.as_str()));
    }
    let filter = inventory::Filter::of(call)?;
    list::of_groups(call, subscription, |body| filter.holds(body))
}

/// Recorded: 201 on create, 200 on update, done at once. Tags are replaced.
fn put(call: &mut Call<'_>, subscription: &str, group: &str, key: &str) -> Outcome {
    let asked = body::read(call)?;
    check_name(group)?;
    let location = match asked.get("location") {
        None | Some(Value::Null) => return Err(errors::location_required()),
        Some(Value::String(text)) => region::canonical(text)
            .filter(|location| location != "global")
            .ok_or_else(|| errors::group_location_unavailable(text, &region::names()))?,
        Some(_) => return Err(errors::invalid_content("Error reading string. Path 'location'.")),
    };
    let tags = body::tags(&asked)?;
    let managed_by = asked.get("managedBy").filter(|value| value.is_string()).cloned();
    let existing = call.state.world.objects.get(key);
    if let Some(object) = existing {
        check_alive(object, group)?;
        if object.text("location") != location {
            return Err(errors::group_elsewhere(&location, object.text("location")));
        }
    }
    let shown = existing.map_or_else(
        || format!("/subscriptions/{subscription}/resourceGroups/{group}"),
        |object| object.id().to_owned(),
    );
    let name = existing.map_or_else(|| group.to_owned(), |object| object.text("name").to_owned());
    let status = if existing.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    let created = existing.map_or(call.now, |object| object.created);
    let mut body = Body::new();
    body.insert("id".to_owned(), shown.into());
    body.insert("name".to_owned(), name.into());
    body.insert("type".to_owned(), TYPE.into());
    body.insert("location".to_owned(), location.into());
    if let Some(managed_by) = managed_by {
        body.insert("managedBy".to_owned(), managed_by);
    }
    if let Some(tags) = tags {
        body.insert("tags".to_owned(), tags);
    }
    body.insert("properties".to_owned(), json!({ "provisioningState": "Succeeded" }));
    let answer = reply::json(status, &body);
    let mut object = Object::new(TYPE_KEY.to_owned(), body, call.now);
    object.created = created;
    call.state.world.objects.insert(key.to_owned(), object);
    Ok(answer)
}

/// Recorded: only `tags`, and they are replaced.
fn patch(call: &mut Call<'_>, group: &str, key: &str) -> Outcome {
    let asked = body::read(call)?;
    let tags = body::tags(&asked)?;
    check_alive(call.state.world.objects.get(key).ok_or_else(|| errors::group_not_found(group))?, group)?;
    let now = call.now;
    let answer = call.state.world.objects.edit(key, |object| {
        if let Some(tags) = tags {
            // The state stays the last thing in the body, as on the wire.
            let properties = object.body.shift_remove("properties");
            object.body.insert("tags".to_owned(), tags);
            object.body.extend(properties.map(|properties| ("properties".to_owned(), properties)));
        }
        object.changed = now;
        reply::json(StatusCode::OK, &object.body)
    });
    answer.ok_or_else(|| errors::group_not_found(group))
}

/// Recorded: 202 without a body, `Location` and `Retry-After: 15`. Asked again meanwhile, the same.
fn delete(call: &mut Call<'_>, subscription: &str, group: &str, key: &str) -> Outcome {
    let object = call.state.world.objects.get(key).ok_or_else(|| errors::group_not_found(group))?;
    let shown = object.id().to_owned();
    let token = if object.property("provisioningState") == "Deleting" { running(&call.state.world, key) } else { None };
    let token = token.unwrap_or_else(|| {
        let inside = u64::try_from(call.state.world.objects.keys_below(key).len()).unwrap_or(AT_MOST);
        let seconds = EMPTY_TAKES.saturating_add(EACH_TAKES.saturating_mul(inside)).min(AT_MOST);
        call.state.world.objects.edit(key, |object| {
            object.body.insert("properties".to_owned(), json!({ "provisioningState": "Deleting" }));
        });
        let work = Work::DeleteGroup { key: key.to_owned() };
        operation::begin(call, work, shown, Duration::from_secs(seconds))
    });
    let path = format!("/subscriptions/{subscription}/operationresults/{token}");
    let api_version = call.visit.query.get("api-version").unwrap_or_default();
    let api_version = version::date(api_version).map_or("2021-04-01", |_| api_version).to_owned();
    let url = operation::url(call, &path, &api_version);
    Ok(reply::empty(StatusCode::ACCEPTED).with("location", &url).with("retry-after", "15"))
}

fn running(world: &World, key: &str) -> Option<String> {
    world
        .operations
        .iter()
        .find(|(_, operation)| {
            !operation.done && matches!(&operation.work, Work::DeleteGroup { key: group } if group == key)
        })
        .map(|(token, _)| token.to_owned())
}

fn check_alive(object: &Object, group: &str) -> Result<(), Refusal> {
    if object.property("provisioningState") == "Deleting" { Err(errors::group_being_deleted(group)) } else { Ok(()) }
}

/// Puts a group into the world from outside.
pub(super) fn make_up(world: &mut World, subscription: &str, group: &str, location: &str, now: WorldTime) {
    let mut body = Body::new();
    body.insert("id".to_owned(), format!("/subscriptions/{subscription}/resourceGroups/{group}").into());
    body.insert("name".to_owned(), group.into());
    body.insert("type".to_owned(), TYPE.into());
    body.insert("location".to_owned(), location.into());
    body.insert("properties".to_owned(), json!({ "provisioningState": "Succeeded" }));
    world.objects.insert(group_key(subscription, group), Object::new(TYPE_KEY.to_owned(), body, now));
}

/// 1-90 letters, digits, `-._()`, no full stop at the end.
fn check_name(name: &str) -> Result<(), Refusal> {
    let fits = name.chars().count() <= 90
        && !name.ends_with('.')
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '.' | '_' | '(' | ')'));
    if fits {
        return Ok(());
    }
    Err(errors::invalid(
        "InvalidResourceGroup",
        format!(
            "The provided resource group name '{name}' is invalid. It must have 1 to 90 characters, which can be letters, digits, '-', '.', '(', ')' or '_', and it cannot end with '.'."
        ),
    ))
}
