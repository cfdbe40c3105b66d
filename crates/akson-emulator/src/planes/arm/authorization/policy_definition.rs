//! `Microsoft.Authorization/policyDefinitions` and `policySetDefinitions`: custom ones of a subscription
//! or a management group, and the built-in ones, which are read only and of the tenant. Rules are kept,
//! not evaluated.

use std::borrow::Cow;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::super::path::Collection;
use super::policy_parameters::{self, Giver};
use super::scope::{self, Filter, Reach};
use super::{
    ArmType, Body, Call, Outcome, Refusal, ResourceId, Spelling, body, invalid, policy, policy_assignment,
    policy_builtin, reply,
};
use crate::clock::WorldTime;
use crate::dice;
use crate::errors;
use crate::world::{Object, World};

const TYPE: &str = "Microsoft.Authorization/policyDefinitions";
const SET_TYPE: &str = "Microsoft.Authorization/policySetDefinitions";
pub(super) const TYPE_KEY: &str = "microsoft.authorization/policydefinitions";
pub(super) const SET_TYPE_KEY: &str = "microsoft.authorization/policysetdefinitions";

/// Single definitions.
pub(super) const DEFINITIONS: PolicyDefinitions = PolicyDefinitions { sets: false };
/// Initiatives.
pub(super) const SETS: PolicyDefinitions = PolicyDefinitions { sets: true };

/// The rules of both types.
pub(super) struct PolicyDefinitions {
    sets: bool,
}

impl PolicyDefinitions {
    fn kind(&self) -> (&'static str, &'static str) {
        if self.sets { (SET_TYPE, SET_TYPE_KEY) } else { (TYPE, TYPE_KEY) }
    }

    /// The properties as they are kept.
    fn settle(&self, call: &Call<'_>, id: &ResourceId, asked: &Body, old: Option<&Object>) -> Result<Body, Refusal> {
        let mut kept = policy::copy(asked, &["displayName"]);
        kept.insert("policyType".to_owned(), "Custom".into());
        if !self.sets {
            kept.insert("mode".to_owned(), asked.get("mode").cloned().unwrap_or_else(|| "Indexed".into()));
        }
        kept.extend(policy::copy(asked, &["description"]));
        kept.insert("metadata".to_owned(), policy::metadata(call, asked.get("metadata"), old));
        kept.extend(policy::copy(asked, &["version", "parameters"]));
        check_parameters(asked, old)?;
        if self.sets {
            let members =
                asked.get("policyDefinitions").and_then(Value::as_array).filter(|members| !members.is_empty());
            let members = members.ok_or_else(|| {
                invalid(
                    "InvalidCreatePolicySetDefinitionRequest",
                    format!("The policy set definition '{}' must have at least one policy definition.", id.name()),
                )
            })?;
            let members: Vec<Value> =
                members.iter().map(|member| settle_member(call, id, member)).collect::<Result<_, _>>()?;
            kept.insert("policyDefinitions".to_owned(), Value::Array(members));
            kept.extend(policy::copy(asked, &["policyDefinitionGroups"]));
        } else {
            let rule = asked.get("policyRule").filter(|rule| rule["if"].is_object() && rule["then"].is_object());
            let rule = rule.ok_or_else(|| {
                invalid(
                    "InvalidPolicyRule",
                    format!(
                        "Failed to parse policy rule of the policy definition '{}': 'if' and 'then' are required.",
                        id.name()
                    ),
                )
            })?;
            kept.insert("policyRule".to_owned(), rule.clone());
        }
        Ok(kept)
    }
}

impl ArmType for PolicyDefinitions {
    fn spelling(&self) -> Spelling {
        Spelling::Extension(self.kind().0)
    }

    fn missing(&self, id: &ResourceId) -> Refusal {
        policy::not_found(self.sets, id.name())
    }

    /// Recorded: what is built in is found under the tenant only.
    fn get(&self, call: &mut Call<'_>, id: &ResourceId) -> Outcome {
        let found = match call.state.world.objects.get(id.key()) {
            Some(object) => Some(&object.body),
            None => policy_builtin::find(id.key()).map(|known| &known.body),
        };
        found.map(|body| reply::json(StatusCode::OK, body)).ok_or_else(|| self.missing(id))
    }

    /// Recorded: 201 always for definitions; initiatives are 200 on update.
    fn put(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        if id.scope.is_empty() || id.place.group.is_some() {
            return Err(errors::method_not_allowed(call.visit.method.as_str()));
        }
        policy::check_name(
            id.name(),
            64,
            if self.sets { "InvalidPolicySetDefinitionName" } else { "InvalidPolicyDefinitionName" },
        )?;
        let asked = body::properties(&body::read(call)?)?;
        let existing = call.state.world.objects.get(id.key()).cloned();
        let properties = self.settle(call, id, &asked, existing.as_ref())?;
        let mut body = Body::new();
        body.insert("properties".to_owned(), Value::Object(properties));
        body.insert("id".to_owned(), self.spell(id).into());
        body.insert("type".to_owned(), self.kind().0.into());
        body.insert("name".to_owned(), id.name().into());
        body.insert("systemData".to_owned(), body::system_data(call, existing.as_ref()));
        let status = if self.sets && existing.is_some() { StatusCode::OK } else { StatusCode::CREATED };
        let answer = reply::json(status, &body);
        let mut object = Object::new(self.kind().1.to_owned(), body, call.now);
        object.created = existing.as_ref().map_or(call.now, |old| old.created);
        call.state.world.objects.insert(id.key().to_owned(), object);
        Ok(answer)
    }

    fn patch(&self, call: &mut Call<'_>, _id: &ResourceId, _version: &str) -> Outcome {
        Err(errors::method_not_allowed(call.visit.method.as_str()))
    }

    fn delete(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        if id.scope.is_empty() {
            return Err(errors::method_not_allowed(call.visit.method.as_str()));
        }
        if let Some(by) = user_of(&call.state.world, id.key()) {
            let (code, what) = if self.sets {
                ("InvalidDeletePolicySetDefinitionRequest", "policy set definition")
            } else {
                ("InvalidDeletePolicyDefinitionRequest", "policy definition")
            };
            let (user, users) = by;
            let message = format!(
                "The {what} '{}' cannot be deleted. It is referenced by the {users} '{user}'. Please delete all {users}s referencing the policy.",
                id.name()
            );
            return Err(invalid(code, message));
        }
        Ok(super::delete(call, id))
    }

    /// What is built in, and what was made at the scope or above it.
    fn list(&self, call: &mut Call<'_>, collection: &Collection, _version: &str) -> Outcome {
        let filter = Filter::of(call)?;
        let exact = filter.has("atexactscope") && !collection.scope.is_empty();
        let built_in = if exact { &[] } else { policy_builtin::all(self.sets) };
        let more = built_in.iter().map(|known| (known.key.clone(), known.body.clone())).collect();
        let property = |row: &Map<String, Value>, name: &str| {
            row.get("properties").and_then(|all| all.get(name)).cloned().unwrap_or(Value::Null)
        };
        let keep = |row: &Map<String, Value>| {
            let is = |value: &Value, wanted: &str| value.as_str().is_some_and(|text| text.eq_ignore_ascii_case(wanted));
            filter.field("policytype").is_none_or(|wanted| is(&property(row, "policyType"), wanted))
                && filter.field("category").is_none_or(|wanted| is(&property(row, "metadata")["category"], wanted))
        };
        let reach = if exact { Reach::Exact } else { Reach::Above };
        scope::page(call, collection, reach, more, keep, |object| Cow::Borrowed(&object.body))
    }

    fn complete(&self, _world: &mut World, body: &mut Body, _now: WorldTime) {
        let custom = body.get("id").and_then(Value::as_str).is_some_and(|id| !id.starts_with("/providers/Microsoft.A"));
        let name = body.get("name").cloned().unwrap_or(Value::Null);
        let given = body.entry("properties").or_insert_with(|| json!({}));
        if let Value::Object(given) = given {
            given.entry("displayName").or_insert(name);
            given.entry("policyType").or_insert_with(|| if custom { "Custom".into() } else { "BuiltIn".into() });
            given.entry("metadata").or_insert_with(|| json!({}));
            given.entry("parameters").or_insert_with(|| json!({}));
            if self.sets {
                given.entry("policyDefinitions").or_insert_with(|| json!([]));
            } else {
                given.entry("mode").or_insert_with(|| "Indexed".into());
            }
        }
    }
}

/// Parameters can be added to a definition if they have a default, and never be taken away.
fn check_parameters(asked: &Body, old: Option<&Object>) -> Result<(), Refusal> {
    let Some(old) = old.and_then(Object::properties) else { return Ok(()) };
    let names = |body: &Body| body.get("parameters").and_then(Value::as_object).cloned().unwrap_or_default();
    let (before, after) = (names(old), names(asked));
    let gone: Vec<&str> = before.keys().filter(|name| !after.contains_key(*name)).map(String::as_str).collect();
    if !gone.is_empty() {
        return Err(invalid(
            "InvalidPolicyParameterUpdate",
            format!(
                "The policy is missing the parameter(s) '{}' of the existing policy. Parameters may not be removed from a policy.",
                gone.join(",")
            ),
        ));
    }
    let new: Vec<&str> = after
        .iter()
        .filter(|(name, declaration)| !before.contains_key(*name) && declaration.get("defaultValue").is_none())
        .map(|(name, _)| name.as_str())
        .collect();
    if new.is_empty() {
        return Ok(());
    }
    Err(invalid(
        "InvalidPolicyParameterUpdate",
        format!(
            "The policy contains new parameter(s) '{}' which are not present in the existing policy and have no default value. New parameters may be added to a policy only if they have a default value.",
            new.join(",")
        ),
    ))
}

/// A member of an initiative: its definition must exist and take its parameters; it gets a reference id
/// if it has none.
fn settle_member(call: &Call<'_>, id: &ResourceId, member: &Value) -> Result<Value, Refusal> {
    let member = member.as_object().ok_or_else(|| errors::invalid_content("Path 'properties.policyDefinitions'."))?;
    let target = member.get("policyDefinitionId").and_then(Value::as_str).unwrap_or_default();
    let definition = policy::find(&call.state.world, target)?;
    let given = member.get("parameters").and_then(Value::as_object).cloned().unwrap_or_default();
    policy_parameters::check(&Giver { what: "policy set definition", name: id.name() }, &given, &definition)?;
    let reference = member.get("policyDefinitionReferenceId").and_then(Value::as_str).map_or_else(
        || {
            let digits: String = dice::guid_of(&[id.key(), target, &Value::Object(given.clone()).to_string()])
                .bytes()
                .filter(u8::is_ascii_hexdigit)
                .map(|digit| char::from(b'0' + digit % 10))
                .take(19)
                .collect();
            digits
        },
        str::to_owned,
    );
    let mut kept = Body::new();
    kept.insert("policyDefinitionReferenceId".to_owned(), reference.into());
    kept.insert("policyDefinitionId".to_owned(), target.into());
    kept.extend(policy::copy(member, &["definitionVersion", "parameters", "groupNames"]));
    Ok(Value::Object(kept))
}

/// An assignment or initiative that uses a definition, and what it is.
fn user_of(world: &World, key: &str) -> Option<(String, &'static str)> {
    let is = |value: &Value| value.as_str().is_some_and(|id| id.eq_ignore_ascii_case(key));
    world.objects.iter().find_map(|(_, object)| {
        let properties = object.properties()?;
        match object.type_key.as_str() {
            policy_assignment::TYPE_KEY => properties
                .get("policyDefinitionId")
                .is_some_and(is)
                .then(|| (object.id().to_owned(), "policy assignment")),
            SET_TYPE_KEY => {
                let members = properties.get("policyDefinitions")?.as_array()?;
                let uses = members.iter().any(|member| member.get("policyDefinitionId").is_some_and(is));
                uses.then(|| (object.id().to_owned(), "policy set definition"))
            }
            _ => None,
        }
    })
}
