//! `Microsoft.Security/pricings` of a subscription: every plan exists, none can be deleted. Nothing is
//! billed and no extension does anything.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::Call;
use super::body::{self, Body};
use super::path::Collection;
use super::types::ArmType;
use crate::access::grants::ticks;
use crate::clock::WorldTime;
use crate::errors::{self, Outcome, Refusal};
use crate::id::ResourceId;
use crate::reply;
use crate::world::{Object, World};

const TYPE: &str = "Microsoft.Security/pricings";
pub(super) const TYPE_KEY: &str = "microsoft.security/pricings";

/// A plan: its kind (Azure's sub-plan) and its extensions when it is switched on, and what replaces it.
struct Plan {
    name: &'static str,
    kind: Option<&'static str>,
    extensions: &'static [(&'static str, bool)],
    replaced_by: Option<&'static str>,
}

const fn plan(name: &'static str) -> Plan {
    Plan { name, kind: None, extensions: &[], replaced_by: None }
}

const fn old(name: &'static str, by: &'static str) -> Plan {
    Plan { name, kind: None, extensions: &[], replaced_by: Some(by) }
}

/// All plans, in the service's order.
const PLANS: [Plan; 15] = [
    Plan {
        name: "VirtualMachines",
        kind: Some("P2"),
        extensions: &[("MdeDesignatedSubscription", false), ("AgentlessVmScanning", true)],
        replaced_by: None,
    },
    plan("SqlServers"),
    plan("AppServices"),
    Plan {
        name: "StorageAccounts",
        kind: Some("DefenderForStorageV2"),
        extensions: &[("OnUploadMalwareScanning", true), ("SensitiveDataDiscovery", true)],
        replaced_by: None,
    },
    plan("SqlServerVirtualMachines"),
    old("KubernetesService", "Containers"),
    old("ContainerRegistry", "Containers"),
    plan("KeyVaults"),
    old("Dns", "VirtualMachines"),
    plan("Arm"),
    plan("OpenSourceRelationalDatabases"),
    plan("CosmosDbs"),
    Plan {
        name: "Containers",
        kind: None,
        extensions: &[
            ("AgentlessDiscoveryForKubernetes", true),
            ("ContainerRegistriesVulnerabilityAssessments", true),
            ("ContainerSensor", true),
            ("AgentlessVmScanning", true),
        ],
        replaced_by: None,
    },
    Plan {
        name: "CloudPosture",
        kind: None,
        extensions: &[
            ("SensitiveDataDiscovery", true),
            ("ContainerRegistriesVulnerabilityAssessments", true),
            ("AgentlessDiscoveryForKubernetes", true),
            ("AgentlessVmScanning", true),
        ],
        replaced_by: None,
    },
    plan("Api"),
];

pub(super) struct Pricings;

impl ArmType for Pricings {
    fn spell(&self, id: &ResourceId) -> String {
        let name = find(id.name()).map_or(id.name(), |plan| plan.name);
        format!("{}/providers/{TYPE}/{name}", id.scope)
    }

    fn name(&self, _id: &ResourceId) -> String {
        TYPE.to_owned()
    }

    fn missing(&self, id: &ResourceId) -> Refusal {
        Refusal::provider(
            StatusCode::NOT_FOUND,
            "ResourceNotFound",
            format!("The pricing bundle '{}' was not found.", id.name()),
        )
    }

    fn get(&self, call: &mut Call<'_>, id: &ResourceId) -> Outcome {
        let plan = find(id.name()).ok_or_else(|| self.missing(id))?;
        Ok(reply::json(StatusCode::OK, &current(&call.state.world, &id.scope, plan)))
    }

    /// Recorded: 200, the tier in the service's spelling. A change of the tier sets the extensions to the
    /// plan's own, whatever else the call says.
    fn put(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        let plan = find(id.name()).ok_or_else(|| self.missing(id))?;
        let asked = body::properties(&body::read(call)?)?;
        let tier = match asked.get("pricingTier").and_then(Value::as_str) {
            Some(tier) if tier.eq_ignore_ascii_case("Free") => "Free",
            Some(tier) if tier.eq_ignore_ascii_case("Standard") => "Standard",
            _ => return Err(errors::bad_request("The pricing tier is not valid. It must be 'Free' or 'Standard'.")),
        };
        let given = extensions(&asked)?;
        occupy(call, id)?;
        let before = current(&call.state.world, &id.scope, plan);
        let switched = before["properties"]["pricingTier"] != tier;
        let mut properties = Map::new();
        if tier == "Standard" {
            let kept =
                if switched { own_extensions(plan) } else { merged(&before["properties"]["extensions"], &given) };
            if !kept.is_empty() {
                properties.insert("extensions".to_owned(), Value::Array(kept));
            }
            let since = before["properties"].get("enablementTime").filter(|_| !switched).cloned();
            properties.insert("enablementTime".to_owned(), since.unwrap_or_else(|| ticks(call.now).into()));
            let sub_plan = asked.get("subPlan").and_then(Value::as_str).or(plan.kind);
            if let Some(sub_plan) = sub_plan {
                properties.insert("subPlan".to_owned(), sub_plan.into());
            }
        }
        properties.insert("pricingTier".to_owned(), tier.into());
        properties.insert("freeTrialRemainingTime".to_owned(), "PT0S".into());
        let body = whole(&id.scope, plan, properties);
        let mut shown = Value::Object(body.clone());
        if let Some(list) = shown["properties"].get_mut("extensions").and_then(Value::as_array_mut) {
            // Recorded: only this answer says what became of an extension that is switched on.
            for extension in list.iter_mut().filter(|extension| extension["isEnabled"] == "True") {
                extension["operationStatus"] =
                    json!({ "code": "Succeeded", "message": "Successfully enabled extension" });
            }
        }
        let mut object = Object::new(TYPE_KEY.to_owned(), body, call.now);
        object.created = call.state.world.objects.get(id.key()).map_or(call.now, |old| old.created);
        call.state.world.objects.insert(id.key().to_owned(), object);
        Ok(reply::json(StatusCode::OK, &shown))
    }

    fn patch(&self, call: &mut Call<'_>, _id: &ResourceId, _version: &str) -> Outcome {
        Err(errors::method_not_allowed(call.visit.method.as_str()))
    }

    /// A plan of a subscription can be set to Free, never deleted.
    fn delete(&self, call: &mut Call<'_>, _id: &ResourceId, _version: &str) -> Outcome {
        Err(errors::method_not_allowed(call.visit.method.as_str()))
    }

    /// Recorded: all plans in one answer.
    fn list(&self, call: &mut Call<'_>, collection: &Collection, _version: &str) -> Outcome {
        let all: Vec<Value> = PLANS.iter().map(|plan| current(&call.state.world, &collection.scope, plan)).collect();
        Ok(reply::json(StatusCode::OK, &json!({ "value": all })))
    }

    fn complete(&self, _world: &mut World, body: &mut Body, _now: WorldTime) {
        body::merge_missing(body, "properties", "pricingTier", "Free".into());
        body::merge_missing(body, "properties", "freeTrialRemainingTime", "PT0S".into());
    }
}

fn find(name: &str) -> Option<&'static Plan> {
    PLANS.iter().find(|plan| plan.name.eq_ignore_ascii_case(name))
}

fn whole(scope: &str, plan: &Plan, mut properties: Map<String, Value>) -> Map<String, Value> {
    if let Some(by) = plan.replaced_by {
        properties.insert("deprecated".to_owned(), true.into());
        properties.insert("replacedBy".to_owned(), json!([by]));
    }
    let body = json!({
        "id": format!("{scope}/providers/{TYPE}/{}", plan.name),
        "name": plan.name,
        "type": TYPE,
        "properties": properties,
    });
    body.as_object().cloned().unwrap_or_default()
}

/// A plan as it is now: as it was last written, else free.
fn current(world: &World, scope: &str, plan: &Plan) -> Value {
    let key = format!("{scope}/providers/{TYPE}/{}", plan.name).to_ascii_lowercase();
    if let Some(object) = world.objects.get(&key) {
        return Value::Object(object.body.clone());
    }
    let mut properties = Map::new();
    properties.insert("pricingTier".to_owned(), "Free".into());
    properties.insert("freeTrialRemainingTime".to_owned(), "PT0S".into());
    Value::Object(whole(scope, plan, properties))
}

fn own_extensions(plan: &Plan) -> Vec<Value> {
    let own = plan.extensions.iter();
    own.map(|(name, on)| detailed(json!({ "name": name, "isEnabled": if *on { "True" } else { "False" } }))).collect()
}

/// Recorded: scanning without an agent says which machines it leaves out.
fn detailed(mut extension: Value) -> Value {
    let more = extension.get("additionalExtensionProperties").is_some_and(|more| !more.is_null());
    if extension["name"] == "AgentlessVmScanning" && extension["isEnabled"] == "True" && !more {
        extension["additionalExtensionProperties"] = json!({ "ExclusionTags": "[]" });
    }
    extension
}

/// The extensions of a call, checked: whether one is on is a text.
fn extensions(asked: &Body) -> Result<Vec<Value>, Refusal> {
    let list = match asked.get("extensions") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(errors::invalid_content("Error converting value. Path 'properties.extensions'.")),
    };
    for extension in list {
        let on = extension["isEnabled"].as_str().unwrap_or_default();
        if extension["name"].as_str().is_none_or(str::is_empty) || !matches!(on, "True" | "False") {
            return Err(errors::bad_request(
                "An extension must have a name, and 'isEnabled' must be 'True' or 'False'.",
            ));
        }
        let more = extension.get("additionalExtensionProperties").is_some_and(|more| !more.is_null());
        if on == "False" && more {
            return Err(Refusal::provider(
                StatusCode::INTERNAL_SERVER_ERROR,
                "InternalServerError",
                "An unexpected error occurred.",
            ));
        }
    }
    Ok(list.clone())
}

/// What is given over what is there, by name.
fn merged(before: &Value, given: &[Value]) -> Vec<Value> {
    let mut merged: Vec<Value> = before.as_array().cloned().unwrap_or_default();
    for extension in given {
        match merged.iter_mut().find(|known| known["name"] == extension["name"]) {
            Some(known) => *known = detailed(extension.clone()),
            None => merged.push(detailed(extension.clone())),
        }
    }
    merged
}

/// One write at a time in a subscription: a second one meanwhile is refused.
fn occupy(call: &mut Call<'_>, id: &ResourceId) -> Result<(), Refusal> {
    let key = format!("{}/providers/{TYPE_KEY}", id.scope_key());
    let (now, until) = (call.now, call.now.plus(call.work));
    let occupied = &mut call.state.occupied;
    if occupied.get(&key).is_some_and(|busy| now < *busy) {
        return Err(errors::conflict(
            "Conflict",
            "Another update operation of pricings is in progress for this subscription.",
        ));
    }
    if until > now {
        occupied.retain(|_, busy| now < *busy);
        occupied.insert(key, until);
    }
    Ok(())
}
