//! `Microsoft.Authorization/locks` at any scope, and what they forbid to others.

use http::{Method, StatusCode};
use serde_json::Value;

use super::Call;
use super::body::{self, Body};
use super::types::ArmType;
use crate::clock::WorldTime;
use crate::errors::{self, Outcome, Refusal};
use crate::id::ResourceId;
use crate::planes::login;
use crate::reply;
use crate::world::{Object, World};

const TYPE: &str = "Microsoft.Authorization/locks";
pub(super) const TYPE_KEY: &str = "microsoft.authorization/locks";
/// What stands between a scope's key and a lock's name.
const BELOW: &str = "/providers/microsoft.authorization/locks/";

pub(super) struct Locks;

impl ArmType for Locks {
    fn name(&self, _id: &ResourceId) -> String {
        TYPE.to_owned()
    }

    /// Recorded: 201, then 200; the id keeps the caller's spelling of the scope.
    fn put(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        if id.name().chars().count() > 90 || id.name().contains(['<', '>', '%', '&', ':', '\\', '?', '/', '#']) {
            return Err(errors::invalid("InvalidLockName", format!("The lock name '{}' is invalid.", id.name())));
        }
        let asked = body::properties(&body::read(call)?)?;
        let level = match asked.get("level").and_then(Value::as_str) {
            Some(level) if level.eq_ignore_ascii_case("CanNotDelete") => "CanNotDelete",
            Some(level) if level.eq_ignore_ascii_case("ReadOnly") => "ReadOnly",
            _ => {
                let message = "The lock level is invalid. Supported values are 'CanNotDelete' and 'ReadOnly'.";
                return Err(errors::invalid("InvalidLockLevel", message.to_owned()));
            }
        };
        let mut properties = Body::new();
        properties.insert("level".to_owned(), level.into());
        for optional in ["notes", "owners"] {
            if let Some(value) = asked.get(optional).filter(|value| !value.is_null()) {
                properties.insert(optional.to_owned(), value.clone());
            }
        }
        let now = call.now;
        let world = &mut call.state.world;
        if world.objects.contains(id.key()) {
            let answer = world.objects.edit(id.key(), |object| {
                object.body.insert("properties".to_owned(), Value::Object(properties));
                object.changed = now;
                reply::json(StatusCode::OK, &object.body)
            });
            return answer.ok_or_else(|| self.missing(id));
        }
        let mut body = Body::new();
        body.insert("properties".to_owned(), Value::Object(properties));
        body.insert("id".to_owned(), id.spelled_extension(TYPE).into());
        body.insert("type".to_owned(), TYPE.into());
        body.insert("name".to_owned(), id.name().into());
        let answer = reply::json(StatusCode::CREATED, &body);
        world.objects.insert(id.key().to_owned(), Object::new(TYPE_KEY.to_owned(), body, now));
        Ok(answer)
    }

    fn patch(&self, call: &mut Call<'_>, _id: &ResourceId, _version: &str) -> Outcome {
        Err(errors::method_not_allowed(call.visit.method.as_str()))
    }

    fn complete(&self, _world: &mut World, body: &mut Body, _now: WorldTime) {
        body::merge_missing(body, "properties", "level", "CanNotDelete".into());
    }
}

/// Refuses a write or delete that a lock forbids: `CanNotDelete` forbids deletes at and below its
/// scope, `ReadOnly` writes and actions too. Locks themselves can always be managed. The deletion of a
/// group is also forbidden by locks inside it.
pub(super) fn check(call: &Call<'_>, shown: &str, key: &str, type_key: &str) -> Result<(), Refusal> {
    let method = &call.visit.method;
    if login::reads(method) || type_key == TYPE_KEY {
        return Ok(());
    }
    let delete = *method == Method::DELETE;
    let world = &call.state.world;
    let mut locked: Vec<String> = Vec::new();
    for end in scope_ends(key) {
        let Some(scope) = key.get(..end) else { continue };
        let prefix = format!("{scope}{BELOW}");
        if world.objects.starting_with(&prefix, "").any(|(_, lock)| delete || lock.property("level") == "ReadOnly") {
            locked.push(shown.get(..end).unwrap_or(scope).to_owned());
        }
    }
    if delete && type_key == super::resource_group::TYPE_KEY {
        let inside = format!("{key}/");
        for (below, lock) in world.objects.starting_with(&inside, "") {
            if lock.type_key == TYPE_KEY
                && let Some((scope, _)) = below.rsplit_once(BELOW)
                && scope != key
            {
                let scope = lock.id().get(..scope.len()).unwrap_or(scope).to_owned();
                if !locked.contains(&scope) {
                    locked.push(scope);
                }
            }
        }
    }
    if locked.is_empty() {
        Ok(())
    } else {
        Err(errors::locked(shown, if delete { "delete" } else { "write" }, &locked))
    }
}

/// Where the scopes at and above a key end: the subscription, the group, each resource on the way.
fn scope_ends(key: &str) -> Vec<usize> {
    let ends: Vec<usize> =
        key.char_indices().skip(1).filter(|(_, c)| *c == '/').map(|(at, _)| at).chain([key.len()]).collect();
    // A key is pairs of segments: `subscriptions/s`, `resourcegroups/g`, `providers/a.b`, `type/name`...
    ends.into_iter().skip(1).step_by(2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_above() {
        let key = "/subscriptions/s/resourcegroups/g/providers/a.b/c/d";
        let scopes: Vec<&str> = scope_ends(key).into_iter().filter_map(|end| key.get(..end)).collect();
        assert_eq!(
            scopes,
            [
                "/subscriptions/s",
                "/subscriptions/s/resourcegroups/g",
                "/subscriptions/s/resourcegroups/g/providers/a.b",
                key,
            ]
        );
    }
}
