//! `Microsoft.Authorization/roleDefinitions`: built-in roles, which are everywhere, and custom ones. A
//! custom role belongs to the subscription, wherever it was written.

use std::borrow::Cow;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::super::path::Collection;
use super::scope::Filter;
use super::{ArmType, Body, Call, Outcome, Refusal, ResourceId, body, invalid, is_guid, refuse, reply};
use crate::access::grants::{self, ticks};
use crate::access::roles::{self, TYPE, TYPE_KEY};
use crate::clock::WorldTime;
use crate::errors;
use crate::id::{Place, Step};
use crate::world::{Object, World};

pub(super) struct RoleDefinitions;

impl ArmType for RoleDefinitions {
    fn spell(&self, id: &ResourceId) -> String {
        format!("{}/providers/{TYPE}/{}", home_of(id), id.name())
    }

    fn name(&self, _id: &ResourceId) -> String {
        TYPE.to_owned()
    }

    fn missing(&self, id: &ResourceId) -> Refusal {
        does_not_exist(id.name())
    }

    fn get(&self, call: &mut Call<'_>, id: &ResourceId) -> Outcome {
        if let Some(role) = roles::find_built_in(id.name()) {
            return Ok(reply::json(StatusCode::OK, &role.body(&home_of(id))));
        }
        let (_, object) = roles::find_custom(&call.state.world, id.name()).ok_or_else(|| self.missing(id))?;
        Ok(reply::json(StatusCode::OK, &object.body))
    }

    /// Recorded: 201 always; the answer does not know who created it.
    fn put(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        if !is_guid(id.name()) {
            return Err(invalid(
                "InvalidRoleDefinitionId",
                format!("The role definition ID '{}' is not valid. Role definition ID must be a GUID.", id.name()),
            ));
        }
        if roles::find_built_in(id.name()).is_some() {
            return Err(invalid(
                "RoleDefinitionUpdateNotPermitted",
                "Built-in role definitions cannot be updated or deleted.",
            ));
        }
        let asked = body::properties(&body::read(call)?)?;
        let mut properties = settle(&asked)?;
        let existing = roles::find_custom(&call.state.world, id.name()).map(|(key, object)| (key, object.clone()));
        check_name_free(&call.state.world, id, properties.get("roleName").and_then(Value::as_str).unwrap_or_default())?;
        let now = call.now;
        let by = call.bearer().object_id;
        let written = ticks(now);
        let (shown, kept) = match &existing {
            Some((_, old)) => (old.id().to_owned(), old.properties().cloned().unwrap_or_default()),
            None => (self.spell(id), Map::new()),
        };
        let created = kept.get("createdOn").cloned().unwrap_or_else(|| written.as_str().into());
        let creator = kept.get("createdBy").cloned().unwrap_or_else(|| by.as_str().into());
        properties.insert("createdOn".to_owned(), written.as_str().into());
        properties.insert("updatedOn".to_owned(), written.into());
        properties.insert("createdBy".to_owned(), Value::Null);
        properties.insert("updatedBy".to_owned(), by.into());
        let mut body = Body::new();
        body.insert("properties".to_owned(), Value::Object(properties));
        body.insert("id".to_owned(), shown.as_str().into());
        body.insert("type".to_owned(), TYPE.into());
        body.insert("name".to_owned(), id.name().into());
        let answer = reply::json(StatusCode::CREATED, &body);
        if let Some(Value::Object(properties)) = body.get_mut("properties") {
            properties.insert("createdOn".to_owned(), created);
            properties.insert("createdBy".to_owned(), creator);
        }
        let mut object = Object::new(TYPE_KEY.to_owned(), body, now);
        object.created = existing.as_ref().map_or(now, |(_, old)| old.created);
        let key = existing.map_or_else(|| shown.to_ascii_lowercase(), |(key, _)| key);
        call.state.world.objects.insert(key, object);
        Ok(answer)
    }

    fn patch(&self, call: &mut Call<'_>, _id: &ResourceId, _version: &str) -> Outcome {
        Err(errors::method_not_allowed(call.visit.method.as_str()))
    }

    fn delete(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        if roles::find_built_in(id.name()).is_some() {
            return Err(invalid(
                "RoleDefinitionUpdateNotPermitted",
                "Built-in role definitions cannot be updated or deleted.",
            ));
        }
        let world = &mut call.state.world;
        let Some((key, object)) = roles::find_custom(world, id.name()) else {
            return Ok(reply::empty(StatusCode::NO_CONTENT));
        };
        let answer = reply::json(StatusCode::OK, &object.body);
        if is_assigned(world, id.name()) {
            return Err(invalid(
                "RoleDefinitionHasAssignments",
                "There are existing role assignments referencing role (code: RoleDefinitionHasAssignments).",
            ));
        }
        world.remove_tree(&key);
        Ok(answer)
    }

    /// The built-in roles and the custom ones that can be assigned there.
    fn list(&self, call: &mut Call<'_>, collection: &Collection, _version: &str) -> Outcome {
        let filter = Filter::of(call)?;
        let place = Place { subscription: collection.place.subscription.clone(), group: None };
        let home = place.subscription.as_ref().map_or_else(String::new, |home| format!("/subscriptions/{home}"));
        let mut rows: Vec<(String, Map<String, Value>)> = roles::built_in()
            .iter()
            .map(|role| (format!("{home}/providers/{TYPE}/{}", role.name).to_ascii_lowercase(), role.body(&home)))
            .collect();
        let custom = format!("{}/providers/{TYPE_KEY}/", home.to_ascii_lowercase());
        let objects = call.state.world.objects.starting_with(&custom, "");
        rows.extend(objects.map(|(key, object)| (key.to_owned(), object.body.clone())));
        let property = |row: &Map<String, Value>, name: &str| {
            row.get("properties").and_then(|all| all.get(name)).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        rows.retain(|(_, row)| {
            filter.field("rolename").is_none_or(|name| property(row, "roleName").eq_ignore_ascii_case(name))
                && filter.field("type").is_none_or(|kind| property(row, "type").eq_ignore_ascii_case(kind))
        });
        rows.sort_by(|(one, _), (other, _)| one.cmp(other));
        let after = super::list::start(call)?;
        let rows = rows.iter().filter(|(key, _)| *key > after).map(|(key, row)| (key.as_str(), Cow::Borrowed(row)));
        Ok(super::list::page(call, rows))
    }

    fn complete(&self, _world: &mut World, body: &mut Body, now: WorldTime) {
        let name = body.get("name").cloned().unwrap_or(Value::Null);
        let scope = body.get("id").and_then(Value::as_str).and_then(|id| id.split_once("/providers/"));
        let scope = scope.map_or_else(|| "/".to_owned(), |(scope, _)| scope.to_owned());
        let given = body.entry("properties").or_insert_with(|| json!({}));
        if let Value::Object(given) = given {
            for (field, value) in [
                ("roleName", name),
                ("type", "CustomRole".into()),
                ("description", Value::Null),
                ("assignableScopes", json!([scope])),
                ("permissions", json!([])),
                ("createdOn", ticks(now).into()),
                ("updatedOn", ticks(now).into()),
                ("createdBy", Value::Null),
                ("updatedBy", Value::Null),
            ] {
                given.entry(field).or_insert(value);
            }
        }
    }

    /// From outside too, a role belongs to the subscription.
    fn place(&self, world: &mut World, id: &ResourceId, body: &Body, now: WorldTime) -> bool {
        let home = home_of(id);
        if home == id.scope {
            return false;
        }
        let steps = vec![Step { kind: "roleDefinitions".to_owned(), name: id.name().to_owned() }];
        let place = Place { subscription: id.place.subscription.clone(), group: None };
        let at = ResourceId::new(place, home, "Microsoft.Authorization".to_owned(), steps);
        super::super::seeding::put(world, &at.as_written(), body.clone(), now)
    }
}

/// The scope of a role's id: the subscription, or the tenant.
fn home_of(id: &ResourceId) -> String {
    id.place.subscription.as_ref().map_or_else(String::new, |home| format!("/subscriptions/{home}"))
}

/// Recorded.
pub(super) fn does_not_exist(name: &str) -> Refusal {
    refuse(
        StatusCode::NOT_FOUND,
        "RoleDefinitionDoesNotExist",
        format!("The specified role definition with ID '{name}' does not exist."),
    )
}

fn is_assigned(world: &World, role: &str) -> bool {
    world.objects.iter().any(|(_, object)| {
        object.type_key == grants::TYPE_KEY
            && object
                .property("roleDefinitionId")
                .rsplit('/')
                .next()
                .is_some_and(|name| name.eq_ignore_ascii_case(role))
    })
}

fn check_name_free(world: &World, id: &ResourceId, name: &str) -> Result<(), Refusal> {
    let custom = world
        .objects
        .iter()
        .filter(|(_, object)| object.type_key == TYPE_KEY && !object.text("name").eq_ignore_ascii_case(id.name()));
    let built_in = roles::built_in().iter().any(|role| role.role_name.eq_ignore_ascii_case(name));
    let mut names = custom.map(|(_, object)| object.property("roleName"));
    if !built_in && !names.any(|known| known.eq_ignore_ascii_case(name)) {
        return Ok(());
    }
    Err(errors::conflict(
        "RoleDefinitionWithSameNameExists",
        format!("A role definition cannot be updated with a name that already exists: '{name}'."),
    ))
}

/// The properties in the service's order, with the lists filled in.
fn settle(asked: &Body) -> Result<Body, Refusal> {
    let missing = |what: &str| invalid("BadRequestFormat", format!("The request was incorrectly formatted: '{what}'."));
    let name = asked.get("roleName").and_then(Value::as_str).filter(|name| !name.trim().is_empty());
    let name = name.ok_or_else(|| missing("roleName"))?;
    let scopes = asked.get("assignableScopes").and_then(Value::as_array).filter(|scopes| !scopes.is_empty());
    let scopes = scopes.ok_or_else(|| missing("assignableScopes"))?;
    let given = asked.get("permissions").and_then(Value::as_array).ok_or_else(|| missing("permissions"))?;
    let mut permissions = Vec::with_capacity(given.len());
    for permission in given {
        let mut lists = Map::new();
        for name in ["actions", "notActions", "dataActions", "notDataActions"] {
            let list = match permission.get(name) {
                None | Some(Value::Null) => Vec::new(),
                Some(Value::Array(list)) if list.iter().all(Value::is_string) => list.clone(),
                Some(_) => return Err(missing(name)),
            };
            lists.insert(name.to_owned(), Value::Array(list));
        }
        permissions.push(Value::Object(lists));
    }
    let mut properties = Body::new();
    properties.insert("roleName".to_owned(), name.into());
    properties.insert("type".to_owned(), "CustomRole".into());
    properties.insert("description".to_owned(), asked.get("description").cloned().unwrap_or(Value::Null));
    properties.insert("assignableScopes".to_owned(), Value::Array(scopes.clone()));
    properties.insert("permissions".to_owned(), Value::Array(permissions));
    Ok(properties)
}
