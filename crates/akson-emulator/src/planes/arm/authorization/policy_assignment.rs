//! `Microsoft.Authorization/policyAssignments` at any scope. Parameters are checked against the
//! definition; nothing is evaluated or remediated.

use std::borrow::Cow;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::super::{identity, path::Collection};
use super::policy_parameters::{self, Giver};
use super::scope::{self, Filter};
use super::{
    ArmType, Body, Call, Outcome, Refusal, ResourceId, Spelling, body, invalid, policy, policy_builtin, refuse, reply,
};
use crate::clock::WorldTime;
use crate::dice;
use crate::errors;
use crate::world::{Object, World};

const TYPE: &str = "Microsoft.Authorization/policyAssignments";
pub(super) const TYPE_KEY: &str = "microsoft.authorization/policyassignments";

/// Since when an assignment says these things about itself (the first recorded).
const LATE: [(&str, &str); 3] =
    [("definitionVersion", "2023-04-01"), ("instanceId", "2024-04-01"), ("assignmentType", "2024-04-01")];

/// Effects that change resources and so need an identity.
const ACTING: [&str; 2] = ["deployIfNotExists", "modify"];

pub(super) struct PolicyAssignments;

impl ArmType for PolicyAssignments {
    fn spelling(&self) -> Spelling {
        Spelling::Extension(TYPE)
    }

    fn missing(&self, id: &ResourceId) -> Refusal {
        refuse(
            StatusCode::NOT_FOUND,
            "PolicyAssignmentNotFound",
            format!("The policy assignment '{}' is not found.", id.name()),
        )
    }

    fn get(&self, call: &mut Call<'_>, id: &ResourceId) -> Outcome {
        let object = call.state.world.objects.get(id.key()).ok_or_else(|| self.missing(id))?;
        Ok(reply::json(StatusCode::OK, &shown(call, &object.body)))
    }

    /// Recorded: 201 on create and on update.
    fn put(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        let at_management_group = id.scope_key().starts_with("/providers/microsoft.management/");
        policy::check_name(id.name(), if at_management_group { 24 } else { 64 }, "InvalidPolicyAssignmentName")?;
        let asked = body::read(call)?;
        let existing = call.state.world.objects.get(id.key()).cloned();
        let location = body::location(&asked, TYPE)?;
        let properties = body::properties(&asked)?;
        let identity = identity_of(call, asked.get("identity"), existing.as_ref())?;
        let acts = identity.as_ref().is_some_and(|identity| identity["type"] != "None");
        if acts && location.is_none() {
            return Err(errors::location_required());
        }
        if let Some(location) = &location {
            body::stays(location, id, existing.as_ref())?;
        }
        let kept = settle(call, id, &properties, existing.as_ref(), acts)?;
        let mut body = Body::new();
        if let Some(identity) = identity {
            body.insert("identity".to_owned(), identity);
        }
        body.insert("properties".to_owned(), Value::Object(kept));
        body.insert("id".to_owned(), self.spell(id).into());
        body.insert("type".to_owned(), TYPE.into());
        body.insert("name".to_owned(), id.name().into());
        if let Some(location) = location {
            body.insert("location".to_owned(), location.into());
        }
        body.insert("systemData".to_owned(), body::system_data(call, existing.as_ref()));
        let answer = reply::json(StatusCode::CREATED, &shown(call, &body));
        let mut object = Object::new(TYPE_KEY.to_owned(), body, call.now);
        object.created = existing.as_ref().map_or(call.now, |old| old.created);
        call.state.world.objects.insert(id.key().to_owned(), object);
        Ok(answer)
    }

    /// Identity, location, overrides and selectors only.
    fn patch(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        let change = body::read(call)?;
        let existing = call.state.world.objects.get(id.key()).cloned().ok_or_else(|| self.missing(id))?;
        let location = body::location(&change, TYPE)?;
        let identity = identity_of(call, change.get("identity"), Some(&existing))?;
        let properties = policy::copy(&body::properties(&change)?, &["overrides", "resourceSelectors"]);
        let mut body = existing.body.clone();
        if let Some(location) = location {
            body::stays(&location, id, Some(&existing))?;
            body.insert("location".to_owned(), location.into());
        }
        if let Some(identity) = identity {
            if identity["type"] != "None" && !body.contains_key("location") {
                return Err(errors::location_required());
            }
            body.insert("identity".to_owned(), identity);
        }
        if let Some(Value::Object(kept)) = body.get_mut("properties") {
            kept.extend(properties);
        }
        body.insert("systemData".to_owned(), body::system_data(call, Some(&existing)));
        let answer = reply::json(StatusCode::OK, &shown(call, &body));
        let now = call.now;
        call.state.world.objects.edit(id.key(), |object| {
            object.body = body;
            object.changed = now;
        });
        Ok(answer)
    }

    fn delete(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        let Some(object) = call.state.world.objects.get(id.key()) else {
            return Ok(reply::empty(StatusCode::NO_CONTENT));
        };
        let answer = reply::json(StatusCode::OK, &shown(call, &object.body));
        call.state.world.remove_tree(id.key());
        Ok(answer)
    }

    fn list(&self, call: &mut Call<'_>, collection: &Collection, _version: &str) -> Outcome {
        let filter = Filter::of(call)?;
        let definition = filter.field("policydefinitionid");
        let keep = |row: &Map<String, Value>| {
            let used = row.get("properties").and_then(|all| all.get("policyDefinitionId")).and_then(Value::as_str);
            definition.is_none_or(|wanted| used.is_some_and(|used| used.eq_ignore_ascii_case(wanted)))
        };
        let call = &*call;
        scope::page(call, collection, filter.reach(false), Vec::new(), keep, |object| shown(call, &object.body))
    }

    fn complete(&self, world: &mut World, body: &mut Body, now: WorldTime) {
        let id = body.get("id").and_then(Value::as_str).unwrap_or_default();
        let at = id.to_ascii_lowercase().rfind("/providers/microsoft.authorization/").unwrap_or(0);
        let scope = id.get(..at).unwrap_or_default().to_owned();
        let by = world.caller.object_id.clone();
        let given = body.entry("properties").or_insert_with(|| json!({}));
        if let Value::Object(given) = given {
            given.entry("scope").or_insert_with(|| scope.into());
            given.entry("enforcementMode").or_insert_with(|| "Default".into());
            given.entry("metadata").or_insert_with(|| {
                let on = crate::access::grants::ticks(now);
                json!({ "createdBy": by, "createdOn": on, "updatedBy": null, "updatedOn": null })
            });
        }
    }
}

/// What this version of the API shows.
fn shown<'a>(call: &Call<'_>, body: &'a Map<String, Value>) -> Cow<'a, Map<String, Value>> {
    let version = call.visit.query.get("api-version").unwrap_or_default();
    if LATE.iter().all(|(_, since)| version >= *since) {
        return Cow::Borrowed(body);
    }
    let mut body = body.clone();
    if let Some(Value::Object(properties)) = body.get_mut("properties") {
        for (late, _) in LATE.iter().filter(|(_, since)| version < *since) {
            properties.shift_remove(*late);
        }
    }
    Cow::Owned(body)
}

/// The properties as they are kept.
fn settle(
    call: &Call<'_>,
    id: &ResourceId,
    asked: &Body,
    existing: Option<&Object>,
    acts: bool,
) -> Result<Body, Refusal> {
    let target = asked.get("policyDefinitionId").and_then(Value::as_str).filter(|target| !target.is_empty());
    let target = target.ok_or_else(|| {
        invalid(
            "InvalidCreatePolicyAssignmentRequest",
            format!(
                "The policy assignment '{}' create request is invalid. The property 'policyDefinitionId' is required.",
                id.name()
            ),
        )
    })?;
    let definition = policy::find(&call.state.world, target)?;
    let given = match asked.get("parameters") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(given)) => given.clone(),
        Some(_) => {
            return Err(errors::invalid_content("Error converting value to an object. Path 'properties.parameters'."));
        }
    };
    policy_parameters::check(&Giver { what: "policy assignment", name: id.name() }, &given, &definition)?;
    if !acts && needs_identity(&call.state.world, &definition, &given) {
        return Err(invalid(
            "ResourceIdentityRequired",
            "Policy assignments must include a 'managed identity' when assigning policies with 'DeployIfNotExists' or 'Modify' effects. Please see https://aka.ms/azurepolicyremediation for usage details.",
        ));
    }
    let enforcement = match asked.get("enforcementMode") {
        None | Some(Value::Null) => "Default",
        Some(Value::String(mode)) if mode.eq_ignore_ascii_case("Default") => "Default",
        Some(Value::String(mode)) if mode.eq_ignore_ascii_case("DoNotEnforce") => "DoNotEnforce",
        Some(other) => {
            return Err(errors::invalid_content(&format!(
                "Error converting value {other} to type 'EnforcementMode'. Path 'properties.enforcementMode'."
            )));
        }
    };
    let mut kept = policy::copy(asked, &["displayName"]);
    kept.insert("policyDefinitionId".to_owned(), target.into());
    kept.insert(
        "definitionVersion".to_owned(),
        asked
            .get("definitionVersion")
            .cloned()
            .unwrap_or_else(|| policy_builtin::wildcard(definition.version()).into()),
    );
    let scope = if id.scope.is_empty() { "/" } else { id.scope.as_str() };
    kept.insert("scope".to_owned(), scope.into());
    kept.extend(policy::copy(asked, &["notScopes", "parameters", "description"]));
    kept.insert("metadata".to_owned(), policy::metadata(call, asked.get("metadata"), existing));
    kept.insert("enforcementMode".to_owned(), enforcement.into());
    kept.extend(policy::copy(asked, &["nonComplianceMessages", "resourceSelectors", "overrides"]));
    kept.insert("instanceId".to_owned(), dice::guid_of(&["assignment", id.key()]).into());
    kept.insert("assignmentType".to_owned(), "Custom".into());
    Ok(kept)
}

/// The identity as it is kept: a system-assigned one is a new principal, and stays the same as long as
/// there is one.
fn identity_of(
    call: &mut Call<'_>,
    asked: Option<&Value>,
    existing: Option<&Object>,
) -> Result<Option<Value>, Refusal> {
    let old = existing.and_then(|object| object.body.get("identity"));
    let Some(asked) = asked.filter(|asked| !asked.is_null()) else { return Ok(old.cloned()) };
    let kind = asked.get("type").and_then(Value::as_str).unwrap_or_default();
    match kind.to_ascii_lowercase().as_str() {
        "none" => Ok(Some(json!({ "type": "None" }))),
        "systemassigned" => {
            let world = &mut call.state.world;
            let kept = old.filter(|old| old["type"] == "SystemAssigned").and_then(|old| old["principalId"].as_str());
            let principal = kept.map_or_else(|| world.dice.guid(), str::to_owned);
            Ok(Some(json!({ "principalId": principal, "tenantId": world.tenant, "type": "SystemAssigned" })))
        }
        "userassigned" => {
            let ids = asked.get("userAssignedIdentities").and_then(Value::as_object).filter(|ids| ids.len() == 1);
            let (id, _) = ids.and_then(|ids| ids.iter().next()).ok_or_else(|| {
                invalid("InvalidIdentity", "A policy assignment must have exactly one user assigned identity.")
            })?;
            let found = call.state.world.objects.get(&id.to_ascii_lowercase());
            let found = found.filter(|object| object.type_key == identity::TYPE_KEY).ok_or_else(|| {
                invalid("FailedIdentityOperation", format!("The user assigned identity '{id}' could not be found."))
            })?;
            Ok(Some(json!({ "type": "UserAssigned", "userAssignedIdentities": { id: {
                "principalId": found.property("principalId"),
                "clientId": found.property("clientId"),
            }}})))
        }
        _ => Err(errors::invalid_content(&format!(
            "Error converting value \"{kind}\" to type 'ResourceIdentityType'. Path 'identity.type'."
        ))),
    }
}

/// Whether a definition, with these parameters, changes resources.
fn needs_identity(world: &World, definition: &policy::Definition<'_>, given: &Map<String, Value>) -> bool {
    if !definition.is_set {
        let effect = definition.property("policyRule").and_then(|rule| rule["then"]["effect"].as_str());
        return effect.is_some_and(|effect| acts(&value_of(effect, definition, given).unwrap_or_default()));
    }
    let members = definition.property("policyDefinitions").and_then(Value::as_array);
    members.into_iter().flatten().any(|member| {
        let target = member["policyDefinitionId"].as_str().unwrap_or_default();
        let Ok(inner) = policy::find(world, target) else { return false };
        let handed: Map<String, Value> = member["parameters"]
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(name, given_to)| {
                let value = match given_to["value"].as_str() {
                    Some(text) => Value::String(value_of(text, definition, given)?),
                    None => given_to["value"].clone(),
                };
                Some((name.clone(), json!({ "value": value })))
            })
            .collect();
        needs_identity(world, &inner, &handed)
    })
}

fn acts(effect: &str) -> bool {
    ACTING.iter().any(|acting| acting.eq_ignore_ascii_case(effect))
}

/// What a text stands for: itself, or the parameter of `[parameters('name')]` as it is given or by
/// default. Other expressions are not understood; then the default of the definition behind decides.
fn value_of(text: &str, definition: &policy::Definition<'_>, given: &Map<String, Value>) -> Option<String> {
    if !text.starts_with('[') {
        return Some(text.to_owned());
    }
    let name = text.strip_prefix("[parameters('")?.strip_suffix("')]")?;
    let given =
        given.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, given)| given["value"].clone());
    let value = given.or_else(|| definition.parameters().get(name)?.get("defaultValue").cloned())?;
    value.as_str().map(str::to_owned)
}
