//! `Microsoft.Authorization/policyExemptions` at any scope: kept, not evaluated.

use std::borrow::Cow;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::super::path::Collection;
use super::scope::{self, Filter};
use super::{
    ArmType, Body, Call, Outcome, Refusal, ResourceId, Spelling, body, invalid, policy, policy_assignment, refuse,
    reply,
};
use crate::clock::WorldTime;
use crate::world::{Object, World};

const TYPE: &str = "Microsoft.Authorization/policyExemptions";
pub(super) const TYPE_KEY: &str = "microsoft.authorization/policyexemptions";

/// What is kept, in the service's order.
const KEPT: [&str; 9] = [
    "policyAssignmentId",
    "policyDefinitionReferenceIds",
    "exemptionCategory",
    "displayName",
    "description",
    "expiresOn",
    "resourceSelectors",
    "metadata",
    "assignmentScopeValidation",
];

pub(super) struct PolicyExemptions;

impl ArmType for PolicyExemptions {
    fn spelling(&self) -> Spelling {
        Spelling::Extension(TYPE)
    }

    fn missing(&self, id: &ResourceId) -> Refusal {
        refuse(
            StatusCode::NOT_FOUND,
            "PolicyExemptionNotFound",
            format!("The policy exemption '{}' could not be found.", id.name()),
        )
    }

    /// Recorded: 201 on create.
    fn put(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        policy::check_name(id.name(), 64, "InvalidPolicyExemptionName")?;
        let asked = body::properties(&body::read(call)?)?;
        let existing = call.state.world.objects.get(id.key()).cloned();
        let refused = |detail: String| invalid("InvalidCreatePolicyExemptionRequest", detail);
        let category = asked.get("exemptionCategory").and_then(Value::as_str).unwrap_or_default();
        if !["Waiver", "Mitigated"].iter().any(|known| known.eq_ignore_ascii_case(category)) {
            return Err(refused(format!(
                "The exemption category '{category}' of the policy exemption '{}' is not valid.",
                id.name()
            )));
        }
        let assignment = asked.get("policyAssignmentId").and_then(Value::as_str).unwrap_or_default();
        let found = call.state.world.objects.get(&assignment.to_ascii_lowercase());
        if found.is_none_or(|object| object.type_key != policy_assignment::TYPE_KEY) {
            return Err(refused(format!(
                "The policy assignment '{assignment}' of the policy exemption '{}' could not be found.",
                id.name()
            )));
        }
        let mut body = Body::new();
        body.insert("properties".to_owned(), Value::Object(policy::copy(&asked, &KEPT)));
        body.insert("id".to_owned(), self.spell(id).into());
        body.insert("type".to_owned(), TYPE.into());
        body.insert("name".to_owned(), id.name().into());
        body.insert("systemData".to_owned(), body::system_data(call, existing.as_ref()));
        let status = if existing.is_some() { StatusCode::OK } else { StatusCode::CREATED };
        let answer = reply::json(status, &body);
        let mut object = Object::new(TYPE_KEY.to_owned(), body, call.now);
        object.created = existing.as_ref().map_or(call.now, |old| old.created);
        call.state.world.objects.insert(id.key().to_owned(), object);
        Ok(answer)
    }

    fn delete(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        Ok(super::delete(call, id))
    }

    fn list(&self, call: &mut Call<'_>, collection: &Collection, _version: &str) -> Outcome {
        let filter = Filter::of(call)?;
        let text = |row: &Map<String, Value>, name: &str| {
            row.get("properties").and_then(|all| all.get(name)).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let now = call.now.to_seconds();
        let keep = |row: &Map<String, Value>| {
            let expires = text(row, "expiresOn");
            filter
                .field("policyassignmentid")
                .is_none_or(|wanted| text(row, "policyAssignmentId").eq_ignore_ascii_case(wanted))
                && (!filter.has("excludeexpired") || expires.is_empty() || expires > now)
        };
        scope::page(call, collection, filter.reach(false), Vec::new(), keep, |object| Cow::Borrowed(&object.body))
    }

    fn complete(&self, _world: &mut World, body: &mut Body, _now: WorldTime) {
        let given = body.entry("properties").or_insert_with(|| json!({}));
        if let Value::Object(given) = given {
            given.entry("exemptionCategory").or_insert_with(|| "Waiver".into());
        }
    }
}
