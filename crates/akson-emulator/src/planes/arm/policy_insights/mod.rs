//! Microsoft.PolicyInsights: which objects comply with what is assigned, and remediations. Of definitions that are built in the
//! rules are not known here, so they say nothing of anybody.

mod rule;

use std::time::Duration;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::body::Body;
use super::types::ArmType;
use super::{Call, operation};
use crate::errors::{self, Outcome, Refusal};
use crate::id::ResourceId;
use crate::reply::{self, WithHeader};
use crate::world::{Object, Work, World};

pub(super) const STATES: &str = "microsoft.policyinsights/policystates";
pub(super) const REMEDIATIONS: &str = "microsoft.policyinsights/remediations";
pub(super) const RESULTS: &str = "microsoft.policyinsights/asyncoperationresults";

/// How long it takes to look at everything again.
const EVALUATION: Duration = Duration::from_secs(60);

/// `policyStates/latest`.
pub(super) struct States;

impl ArmType for States {
    fn has_parents(&self) -> bool {
        false
    }

    fn put(&self, call: &mut Call<'_>, _id: &ResourceId, _version: &str) -> Outcome {
        Err(errors::method_not_allowed(call.visit.method.as_str()))
    }

    fn act(&self, call: &mut Call<'_>, id: &ResourceId, action: &str, version: &str) -> Outcome {
        match action.to_ascii_lowercase().as_str() {
            "queryresults" => query(call, id),
            "summarize" => Ok(summarize(call, id)),
            "triggerevaluation" => Ok(trigger(call, id, version)),
            _ => Err(errors::invalid_type(&id.namespace, &format!("policyStates/{action}"), version)),
        }
    }
}

/// Where an evaluation is followed.
pub(super) struct Results;

impl ArmType for Results {
    fn has_parents(&self) -> bool {
        false
    }

    fn put(&self, call: &mut Call<'_>, _id: &ResourceId, _version: &str) -> Outcome {
        Err(errors::method_not_allowed(call.visit.method.as_str()))
    }

    /// Recorded: 202 without a body, then 200 with the end.
    fn get(&self, call: &mut Call<'_>, id: &ResourceId) -> Outcome {
        let operation = operation::find(call, id.name())?;
        if operation.done {
            return Ok(reply::json(StatusCode::OK, &json!({ "status": "Succeeded" })));
        }
        let here = format!("{}{}", call.visit.base, call.visit.path_and_query());
        Ok(reply::empty(StatusCode::ACCEPTED).with("location", &here))
    }
}

fn trigger(call: &mut Call<'_>, id: &ResourceId, version: &str) -> reply::Answer {
    let work = Work::Write { key: id.scope_key().to_owned() };
    let token = operation::begin(call, work, id.scope.clone(), EVALUATION);
    let subscription = id.place.subscription.as_deref().unwrap_or_default();
    let path =
        format!("/subscriptions/{subscription}/providers/Microsoft.PolicyInsights/asyncOperationResults/{token}");
    reply::empty(StatusCode::ACCEPTED).with("location", &operation::url(call, &path, version))
}

/// Recorded: in the dialect of `OData`.
fn query(call: &mut Call<'_>, id: &ResourceId) -> Outcome {
    let filter = call.visit.query.get("$filter").unwrap_or_default();
    let tests = tests(filter)?;
    let top = call.visit.query.get("$top").and_then(|top| top.parse().ok()).unwrap_or(1000);
    let context = format!("{}{}/$metadata#latest", call.visit.base, id.as_written().trim_end_matches("/latest"));
    let rows = rows(&call.state.world, id).into_iter().filter(|row| {
        tests.iter().all(|(name, value)| row.get(name).is_some_and(|known| text(known).eq_ignore_ascii_case(value)))
    });
    let stamp = call.now.to_string();
    let rows: Vec<Value> = rows
        .take(top)
        .map(|row| {
            let mut shown = json!({
                "@odata.id": null, "@odata.context": format!("{context}/$entity"), "timestamp": stamp,
            });
            if let Value::Object(shown) = &mut shown {
                shown.extend(row);
            }
            shown
        })
        .collect();
    let body = json!({
        "@odata.nextLink": null, "@odata.context": context, "@odata.count": rows.len(), "value": rows,
    });
    Ok(reply::json(StatusCode::OK, &body))
}

fn summarize(call: &Call<'_>, id: &ResourceId) -> reply::Answer {
    let rows = rows(&call.state.world, id);
    let bad: Vec<&Row> = rows.iter().filter(|row| row.get("isCompliant") == Some(&json!(false))).collect();
    let distinct = |name: &str| {
        let mut all: Vec<String> = bad.iter().map(|row| row.get(name).map(text).unwrap_or_default()).collect();
        all.sort();
        all.dedup();
        all.len()
    };
    let results = json!({
        "queryResultsUri": format!("{}{}/queryResults", call.visit.base, id.as_written()),
        "nonCompliantResources": distinct("resourceId"),
        "nonCompliantPolicies": distinct("policyDefinitionId"),
    });
    let value = json!([{ "results": results, "policyAssignments": [] }]);
    reply::json(StatusCode::OK, &json!({ "@odata.count": 1, "value": value }))
}

type Row = Map<String, Value>;

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `name eq value and ...`, values quoted or not.
fn tests(filter: &str) -> Result<Vec<(String, String)>, Refusal> {
    let conditions = filter.split(" and ").map(str::trim).filter(|condition| !condition.is_empty());
    let test = |condition: &str| {
        let (name, value) = condition.split_once(" eq ").ok_or_else(|| {
            errors::bad_request(format!("The filter '{condition}' is not valid here: only eq and and are known."))
        })?;
        Ok((name.trim().to_owned(), value.trim().trim_matches('\'').to_owned()))
    };
    conditions.map(test).collect()
}

/// The states at and below a scope, or of an assignment.
fn rows(world: &World, id: &ResourceId) -> Vec<Row> {
    let scope = id.scope_key();
    let mut rows = Vec::new();
    for (key, assignment) in
        world.objects.iter().filter(|(_, object)| object.type_key == "microsoft.authorization/policyassignments")
    {
        let own = key == scope;
        let Some((at, _)) = key.split_once("/providers/microsoft.authorization/policyassignments/") else { continue };
        let definition = assignment.property("policyDefinitionId").to_ascii_lowercase();
        let excluded: Vec<String> = assignment
            .properties()
            .and_then(|all| all.get("notScopes")?.as_array())
            .map(|all| all.iter().map(|one| text(one).to_ascii_lowercase()).collect())
            .unwrap_or_default();
        for (definition, given) in definitions(world, assignment, &definition) {
            for (object_key, object) in world.objects.starting_with(at, "") {
                let below = |scope: &str| object_key == scope || object_key.starts_with(&format!("{scope}/"));
                let asked = own || below(scope) || scope.is_empty();
                if !asked || !below(at) || excluded.iter().any(|scope| below(scope)) {
                    continue;
                }
                rows.extend(state(assignment, definition, &given, object));
            }
        }
    }
    rows
}

/// The definitions of an assignment that were written and not built in, with the values of their parameters.
fn definitions<'a>(world: &'a World, assignment: &Object, id: &str) -> Vec<(&'a Object, Map<String, Value>)> {
    let assigned = values(assignment.properties().and_then(|all| all.get("parameters")));
    let Some(object) = world.objects.get(id) else { return Vec::new() };
    let members = object.properties().and_then(|all| all.get("policyDefinitions")).and_then(Value::as_array);
    let Some(members) = members else { return vec![(object, with_defaults(object, assigned))] };
    let outer = with_defaults(object, assigned);
    let member = |member: &Value| {
        let definition = world.objects.get(&member["policyDefinitionId"].as_str()?.to_ascii_lowercase())?;
        let handed = values(member.get("parameters"));
        let resolved =
            handed.into_iter().filter_map(|(name, value)| Some((name, rule::resolved(&value, &outer).ok()?)));
        Some((definition, with_defaults(definition, resolved.collect())))
    };
    members.iter().filter_map(member).collect()
}

/// `{"name": {"value": ...}}` without its middle.
fn values(parameters: Option<&Value>) -> Map<String, Value> {
    let all = parameters.and_then(Value::as_object).into_iter().flatten();
    all.map(|(name, given)| (name.clone(), given["value"].clone())).collect()
}

fn with_defaults(definition: &Object, mut given: Map<String, Value>) -> Map<String, Value> {
    let declared = definition.properties().and_then(|all| all.get("parameters")).and_then(Value::as_object);
    for (name, parameter) in declared.into_iter().flatten() {
        if let Some(default) = parameter.get("defaultValue").filter(|_| !given.contains_key(name)) {
            given.insert(name.clone(), default.clone());
        }
    }
    given
}

/// Effects whose condition alone says who does not comply.
const JUDGING: [&str; 4] = ["audit", "deny", "append", "modify"];

/// What a definition says of an object, if it says anything.
fn state(assignment: &Object, definition: &Object, given: &Map<String, Value>, object: &Object) -> Option<Row> {
    let place = object.body.get("location").and_then(Value::as_str)?;
    let whole = definition.property("mode").eq_ignore_ascii_case("All");
    let is_group = object.type_key.ends_with("/resourcegroups");
    if is_group && !whole {
        return None;
    }
    let rule = definition.properties()?.get("policyRule")?;
    let effect = text(&rule::resolved(&rule["then"]["effect"], given).ok()?).to_ascii_lowercase();
    if !JUDGING.contains(&effect.as_str()) {
        return None;
    }
    let compliant = !rule::holds(&rule["if"], &object.body, given).ok()?;
    let id = object.id();
    let part = |at: usize| id.split('/').nth(at).unwrap_or_default();
    let kind = if is_group { "Microsoft.Resources/subscriptions/resourceGroups" } else { object.text("type") };
    let row = json!({
        "resourceId": id.to_ascii_lowercase(),
        "policyAssignmentId": assignment.id().to_ascii_lowercase(),
        "policyDefinitionId": definition.id().to_ascii_lowercase(),
        "effectiveParameters": "",
        "isCompliant": compliant,
        "subscriptionId": part(2),
        "resourceType": kind,
        "resourceLocation": place,
        "resourceGroup": part(4).to_ascii_lowercase(),
        "resourceTags": "tbd",
        "policyAssignmentName": assignment.text("name"),
        "policyAssignmentOwner": "tbd",
        "policyAssignmentParameters": "",
        "policyAssignmentScope": assignment.property("scope"),
        "policyDefinitionName": definition.text("name"),
        "policyDefinitionAction": effect,
        "policyDefinitionCategory": "tbd",
        "policySetDefinitionId": "",
        "policySetDefinitionName": "",
        "policySetDefinitionOwner": "",
        "policySetDefinitionCategory": "",
        "policySetDefinitionParameters": "",
        "managementGroupIds": "",
        "policyDefinitionReferenceId": "",
        "complianceState": if compliant { "Compliant" } else { "NonCompliant" },
        "policyDefinitionGroupNames": [""],
        "policyDefinitionVersion": "",
        "policySetDefinitionVersion": "",
        "policyAssignmentVersion": "",
        "complianceReasonCode": "",
    });
    row.as_object().cloned()
}

/// `remediations`: kept as they are written, and over at once, for nothing is deployed here.
pub(super) struct Remediations;

impl ArmType for Remediations {
    fn has_parents(&self) -> bool {
        false
    }

    /// Recorded: 201, with ids in small letters.
    fn put(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        let asked = super::body::read(call)?;
        let mut properties = super::body::properties(&asked)?;
        let Some(assignment) = properties.get("policyAssignmentId").and_then(Value::as_str) else {
            return Err(errors::bad_request("The policy assignment of a remediation must be given."));
        };
        let assignment = assignment.to_ascii_lowercase();
        if !call.state.world.objects.contains(&assignment) {
            let message = format!("The policy assignment '{assignment}' could not be found.");
            return Err(Refusal::provider(StatusCode::BAD_REQUEST, "InvalidCreateRemediationRequest", message));
        }
        let stamp = call.now.to_string();
        properties.insert("policyAssignmentId".to_owned(), assignment.into());
        for (name, value) in [
            ("provisioningState", json!("Succeeded")),
            ("createdOn", stamp.as_str().into()),
            ("lastUpdatedOn", stamp.as_str().into()),
            ("deploymentStatus", json!({ "totalDeployments": 0, "successfulDeployments": 0, "failedDeployments": 0 })),
            ("correlationId", call.state.world.dice.guid().into()),
        ] {
            properties.insert(name.to_owned(), value);
        }
        properties.entry("resourceDiscoveryMode").or_insert_with(|| "ExistingNonCompliant".into());
        let existing = call.state.world.objects.get(id.key()).cloned();
        let mut body = Body::new();
        body.insert("properties".to_owned(), Value::Object(properties));
        body.insert("id".to_owned(), id.as_written().to_ascii_lowercase().into());
        body.insert("name".to_owned(), id.name().into());
        body.insert("type".to_owned(), "Microsoft.PolicyInsights/remediations".into());
        body.insert("systemData".to_owned(), super::body::system_data(call, existing.as_ref()));
        let mut shown = body.clone();
        crate::world::set_state(&mut shown, "Accepted");
        let object = Object::new(id.type_key(), body, call.now);
        call.state.world.objects.insert(id.key().to_owned(), object);
        let status = if existing.is_some() { StatusCode::OK } else { StatusCode::CREATED };
        Ok(reply::json(status, &shown))
    }

    fn act(&self, call: &mut Call<'_>, id: &ResourceId, action: &str, version: &str) -> Outcome {
        let Some(remediation) = call.state.world.objects.get(id.key()).cloned() else { return Err(self.missing(id)) };
        match action.to_ascii_lowercase().as_str() {
            "listdeployments" => Ok(reply::json(StatusCode::OK, &json!({ "value": [] }))),
            "cancel" => {
                let mut shown = remediation.body;
                crate::world::set_state(&mut shown, "Cancelling");
                call.state.world.objects.edit(id.key(), |kept| crate::world::set_state(&mut kept.body, "Canceled"));
                Ok(reply::json(StatusCode::OK, &shown))
            }
            _ => Err(errors::invalid_type(&id.namespace, &format!("remediations/{action}"), version)),
        }
    }

    /// Recorded: 200 with what was deleted.
    fn delete(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        match call.state.world.objects.remove(id.key()) {
            Some(gone) => Ok(reply::json(StatusCode::OK, &gone.body)),
            None => Ok(reply::empty(StatusCode::NO_CONTENT)),
        }
    }
}
