//! `Microsoft.Authorization/roleAssignments` at any scope. From when one has effect stands in
//! `access::grants`.

use std::borrow::Cow;
use std::time::Duration;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::super::path::Collection;
use super::scope::{self, Filter};
use super::{
    ArmType, Body, Call, Outcome, Refusal, ResourceId, Spelling, body, invalid, is_guid, refuse, reply, role_definition,
};
use crate::access::grants::{self, TYPE, TYPE_KEY, ticks};
use crate::access::roles;
use crate::clock::WorldTime;
use crate::errors;
use crate::world::principals::PrincipalKind;
use crate::world::{Object, World};

pub(super) struct RoleAssignments;

/// What was asked for, checked.
struct Asked {
    role: String,
    principal: String,
    kind: String,
    rest: Map<String, Value>,
}

impl ArmType for RoleAssignments {
    fn spelling(&self) -> Spelling {
        Spelling::Extension(TYPE)
    }

    /// Recorded.
    fn missing(&self, id: &ResourceId) -> Refusal {
        refuse(
            StatusCode::NOT_FOUND,
            "RoleAssignmentNotFound",
            format!("The role assignment '{}' is not found.", id.name()),
        )
    }

    /// Recorded: 201 on create and on update; the answer does not know yet who created it, and when.
    fn put(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        if !is_guid(id.name()) {
            return Err(invalid(
                "InvalidRoleAssignmentId",
                format!("The role assignment ID '{}' is not valid. The role assignment ID must be a GUID.", id.name()),
            ));
        }
        let asked = body::properties(&body::read(call)?)?;
        let asked = check(call, &asked)?;
        let existing = call.state.world.objects.get(id.key()).cloned();
        check_tuple(&call.state.world, id, &asked, existing.as_ref())?;
        let now = call.now;
        let by = call.bearer().object_id;
        let written = ticks(now);
        let scope = if id.scope.is_empty() { "/".to_owned() } else { id.scope.clone() };
        let field = |name: &str| asked.rest.get(name).cloned().unwrap_or(Value::Null);
        let mut body = json!({
            "properties": {
                "roleDefinitionId": role_id(id, &asked.role),
                "principalId": asked.principal,
                "principalType": asked.kind,
                "scope": scope,
                "condition": field("condition"),
                "conditionVersion": field("conditionVersion"),
                "createdOn": written,
                "updatedOn": written,
                "createdBy": null,
                "updatedBy": by,
                "delegatedManagedIdentityResourceId": field("delegatedManagedIdentityResourceId"),
                "description": field("description"),
            },
            "id": self.spell(id),
            "type": TYPE,
            "name": id.name(),
        });
        let answer = reply::json(StatusCode::CREATED, &body);
        let kept = |name: &str| existing.as_ref().and_then(|old| old.properties()?.get(name)).cloned();
        body["properties"]["createdOn"] = kept("createdOn").unwrap_or_else(|| written.into());
        body["properties"]["createdBy"] = kept("createdBy").unwrap_or_else(|| by.into());
        let mut object = Object::new(TYPE_KEY.to_owned(), body.as_object().cloned().unwrap_or_default(), now);
        object.created = existing.as_ref().map_or(now, |old| old.created);
        let world = &mut call.state.world;
        world.objects.insert(id.key().to_owned(), object);
        if existing.is_none() {
            grants::spread(world, id.key(), now);
        }
        Ok(answer)
    }

    fn patch(&self, call: &mut Call<'_>, _id: &ResourceId, _version: &str) -> Outcome {
        Err(errors::method_not_allowed(call.visit.method.as_str()))
    }

    fn delete(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        call.state.world.spreading.remove(id.key());
        Ok(super::delete(call, id))
    }

    fn list(&self, call: &mut Call<'_>, collection: &Collection, _version: &str) -> Outcome {
        let filter = Filter::of(call)?;
        let mut holders: Option<Vec<String>> = filter.field("principalid").map(|id| vec![id.to_owned()]);
        if let Some((_, principal)) = filter.functions.iter().find(|(name, _)| name == "assignedto") {
            let mut all = call.state.world.groups_of(principal);
            all.push(principal.clone());
            holders = Some(all);
        }
        let reach = filter.reach(holders.is_some());
        let keep = |row: &Map<String, Value>| {
            let holder = row.get("properties").and_then(|all| all.get("principalId")).and_then(Value::as_str);
            holders.as_ref().is_none_or(|known| {
                holder.is_some_and(|holder| known.iter().any(|known| known.eq_ignore_ascii_case(holder)))
            })
        };
        scope::page(call, collection, reach, Vec::new(), keep, |object| Cow::Borrowed(&object.body))
    }

    fn complete(&self, world: &mut World, body: &mut Body, now: WorldTime) {
        let id = body.get("id").and_then(Value::as_str).unwrap_or_default();
        let at = id.to_ascii_lowercase().rfind("/providers/microsoft.authorization/").unwrap_or(0);
        let scope = id.get(..at).filter(|scope| !scope.is_empty()).unwrap_or("/").to_owned();
        let holder = world.caller.object_id.clone();
        let given = body.entry("properties").or_insert_with(|| json!({}));
        if let Value::Object(given) = given {
            for (field, value) in [
                ("principalId", holder.as_str().into()),
                ("principalType", "ServicePrincipal".into()),
                ("scope", scope.into()),
                ("condition", Value::Null),
                ("conditionVersion", Value::Null),
                ("createdOn", ticks(now).into()),
                ("updatedOn", ticks(now).into()),
                ("createdBy", holder.as_str().into()),
                ("updatedBy", holder.as_str().into()),
                ("delegatedManagedIdentityResourceId", Value::Null),
                ("description", Value::Null),
            ] {
                given.entry(field).or_insert(value);
            }
        }
    }
}

/// Recorded: the definition's id is of the subscription, at management groups and the tenant of the tenant.
fn role_id(id: &ResourceId, role: &str) -> String {
    let home = id.place.subscription.as_ref().map_or_else(String::new, |home| format!("/subscriptions/{home}"));
    format!("{home}/providers/{}/{role}", roles::TYPE)
}

fn check(call: &Call<'_>, asked: &Body) -> Result<Asked, Refusal> {
    let world = &call.state.world;
    let text = |name: &str| asked.get(name).and_then(Value::as_str).unwrap_or_default();
    let principal = text("principalId");
    if !is_guid(principal) {
        return Err(invalid(
            "InvalidPrincipalId",
            format!("The Principal ID '{principal}' is not valid. Principal ID must be a GUID."),
        ));
    }
    let role = text("roleDefinitionId").trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    if !is_guid(role) {
        return Err(invalid(
            "InvalidRoleDefinitionId",
            format!("The role definition ID '{role}' is not valid. Role definition ID must be a GUID."),
        ));
    }
    let role = roles::find_built_in(role)
        .map(|known| known.name.clone())
        .or_else(|| roles::find_custom(world, role).map(|(_, known)| known.text("name").to_owned()))
        .ok_or_else(|| role_definition::does_not_exist(role))?;
    let kind = kind_of(world, principal, text("principalType"), call.now)?;
    let rest = asked.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.clone(), value.clone()));
    Ok(Asked { role, principal: principal.to_ascii_lowercase(), kind, rest: rest.collect() })
}

/// The type of the principal. Recorded: if it is given, nobody looks whether the principal can be found
/// already; if it is not, a fresh one cannot be for up to 37 s.
fn kind_of(world: &World, principal: &str, given: &str, now: WorldTime) -> Result<String, Refusal> {
    const KINDS: [&str; 5] = ["User", "Group", "ServicePrincipal", "ForeignGroup", "Device"];
    let found = world.principal(principal);
    if given.is_empty() {
        let found = found.filter(|found| {
            let digits = principal.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
            let itself = principal.eq_ignore_ascii_case(&world.caller.object_id);
            itself || found.since.plus(Duration::from_secs(8 + digits % 30)) <= now
        });
        return found.map(|found| word(found.kind).to_owned()).ok_or_else(|| not_found(world, principal));
    }
    let kind = KINDS
        .into_iter()
        .find(|kind| kind.eq_ignore_ascii_case(given))
        .ok_or_else(|| invalid("InvalidPrincipalType", format!("The principal type '{given}' is not valid.")))?;
    match found {
        Some(found) if word(found.kind) != kind => Err(invalid(
            "UnmatchedPrincipalType",
            format!(
                "The PrincipalId '{}' has type '{}' , which is different from specified PrinciaplType '{kind}'.",
                principal.replace('-', ""),
                word(found.kind)
            ),
        )),
        _ => Ok(kind.to_owned()),
    }
}

/// The kind of a principal as this provider writes it.
fn word(kind: PrincipalKind) -> &'static str {
    match kind {
        PrincipalKind::User => "User",
        PrincipalKind::Group => "Group",
        PrincipalKind::ServicePrincipal => "ServicePrincipal",
    }
}

/// Recorded, with the principal's id without dashes.
fn not_found(world: &World, principal: &str) -> Refusal {
    invalid(
        "PrincipalNotFound",
        format!(
            "Principal {} does not exist in the directory {}. Check that you have the correct principal ID. If you are creating this principal and then immediately assigning a role, this error might be related to a replication delay. In this case, set the role assignment principalType property to a value, such as ServicePrincipal, User, or Group.  See https://aka.ms/docs-principaltype",
            principal.to_ascii_lowercase().replace('-', ""),
            world.tenant
        ),
    )
}

/// Whether principal, role and scope are what they were, and no other assignment's.
fn check_tuple(world: &World, id: &ResourceId, asked: &Asked, existing: Option<&Object>) -> Result<(), Refusal> {
    let same = |object: &Object| {
        object.property("principalId").eq_ignore_ascii_case(&asked.principal)
            && object
                .property("roleDefinitionId")
                .rsplit('/')
                .next()
                .is_some_and(|role| role.eq_ignore_ascii_case(&asked.role))
    };
    let elsewhere = || {
        world
            .objects
            .iter()
            .any(|(_, object)| object.type_key == TYPE_KEY && object.text("name").eq_ignore_ascii_case(id.name()))
    };
    if existing.map_or_else(elsewhere, |old| !same(old)) {
        return Err(invalid(
            "RoleAssignmentUpdateNotPermitted",
            "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
        ));
    }
    let prefix = format!("{}/providers/{TYPE_KEY}/", id.scope_key());
    let twin = world.objects.starting_with(&prefix, "").find(|(key, object)| *key != id.key() && same(object));
    match twin {
        None => Ok(()),
        Some((_, twin)) => Err(errors::conflict(
            "RoleAssignmentExists",
            format!(
                "The role assignment already exists. The ID of the existing role assignment is {}.",
                twin.text("name").replace('-', "")
            ),
        )),
    }
}
