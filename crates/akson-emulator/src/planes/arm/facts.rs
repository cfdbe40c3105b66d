//! What can be read below an object and is no list of objects: usages, addresses that are free, solutions of a workspace.

use http::StatusCode;
use serde_json::{Value, json};

use super::path::Collection;
use super::types::ArmType;
use super::{Call, network};
use crate::errors::{self, Outcome};
use crate::id::ResourceId;
use crate::reply;
use crate::world::{Object, World};

pub(super) struct Facts;

/// The type keys that are read here.
pub(super) const KEYS: [&str; 5] = [
    "microsoft.containerregistry/registries/listusages",
    "microsoft.network/virtualnetworks/checkipaddressavailability",
    "microsoft.operationalinsights/workspaces/intelligencepacks",
    "microsoft.operationalinsights/workspaces/managementgroups",
    "microsoft.operationalinsights/workspaces/usages",
];

impl ArmType for Facts {
    fn put(&self, call: &mut Call<'_>, _id: &ResourceId, _version: &str) -> Outcome {
        Err(errors::method_not_allowed(call.visit.method.as_str()))
    }

    fn without_parent(&self, _verb: &str, _id: &ResourceId, parent: &ResourceId) -> errors::Refusal {
        errors::resource_not_found(parent)
    }

    fn list(&self, call: &mut Call<'_>, collection: &Collection, version: &str) -> Outcome {
        let parent = collection.parent.as_ref().map(ResourceId::key).unwrap_or_default();
        let Some(object) = call.state.world.objects.get(parent) else {
            return Err(errors::invalid_type(&collection.namespace, &collection.kind, version));
        };
        let body = match collection.type_key.rsplit('/').next().unwrap_or_default() {
            "listusages" => registry_usages(object),
            "checkipaddressavailability" => {
                let asked = call.visit.query.get("ipAddress").unwrap_or_default();
                let found = network::free_addresses(&call.state.world, parent, asked);
                found.ok_or_else(|| {
                    let message = format!("IP address {asked} does not belong to the range of any subnet.");
                    errors::network::invalid("PrivateIPAddressNotInAnySubnet", message)
                })?
            }
            "intelligencepacks" => solutions(&call.state.world, parent),
            "usages" => workspace_usages(call.now.to_seconds().get(..10).unwrap_or_default()),
            _ => json!({ "value": [] }),
        };
        Ok(reply::json(StatusCode::OK, &body))
    }

    /// A solution of a workspace is switched on and off: 200 without a body.
    fn act(&self, call: &mut Call<'_>, id: &ResourceId, action: &str, version: &str) -> Outcome {
        let on = match action.to_ascii_lowercase().as_str() {
            "enable" => true,
            "disable" => false,
            _ => return Err(errors::invalid_type(&id.namespace, &format!("workspaces/{action}"), version)),
        };
        let Some(parent) = id.parent() else { return Err(self.missing(id)) };
        if !call.state.world.objects.contains(parent.key()) {
            return Err(errors::resource_not_found(&parent));
        }
        let body = json!({ "id": id.as_written(), "name": id.name(), "type": id.full_type(), "enabled": on });
        if let Value::Object(body) = body {
            call.state.world.objects.insert(id.key().to_owned(), Object::new(id.type_key(), body, call.now));
        }
        Ok(reply::empty(StatusCode::OK))
    }
}

/// Recorded: what is counted of a registry, and how much of it there can be in the Premium tier.
fn registry_usages(registry: &Object) -> Value {
    let premium = registry.body.get("sku").is_some_and(|sku| sku["name"] == "Premium");
    let rules = |name: &str| {
        let all = registry.properties().and_then(|properties| properties.get("networkRuleSet"));
        all.and_then(|all| all.get(name)).and_then(Value::as_array).map_or(0, Vec::len)
    };
    let line = |name: &str, limit: i64, used: usize, unit: &str| json!({ "name": name, "limit": limit, "currentValue": used, "unit": unit });
    let size = if premium { 536_870_912_000 } else { 10_737_418_240 };
    let mut lines = vec![line("Size", size, 0, "Bytes"), line("Webhooks", if premium { 500 } else { 2 }, 0, "Count")];
    if premium {
        lines.push(line("Geo-replications", -1, 0, "Count"));
        lines.push(line("IPRules", 100, rules("ipRules"), "Count"));
        lines.push(line("VNetRules", 100, rules("virtualNetworkRules"), "Count"));
        lines.push(line("PrivateEndpointConnections", 200, 0, "Count"));
    }
    lines.push(line("ScopeMaps", 50_000, 0, "Count"));
    lines.push(line("Tokens", 50_000, 0, "Count"));
    json!({ "value": lines })
}

/// Solutions that every workspace can have, and whether a new one has them.
const PACKS: [(&str, &str, bool); 6] = [
    ("AzureSecurityOfThings", "Azure Security of Things solution", false),
    ("CapacityPerformance", "Capacity and Performance", false),
    ("Security", "Security and Audit", false),
    ("Updates", "Update Management", false),
    ("AntiMalware", "Antimalware Assessment", false),
    ("LogManagement", "Log Management", true),
];

/// Recorded: a bare list.
fn solutions(world: &World, workspace: &str) -> Value {
    let shown = PACKS.iter().map(|(name, title, usual)| {
        let key = format!("{workspace}/intelligencepacks/{}", name.to_ascii_lowercase());
        let kept = world.objects.get(&key).and_then(|pack| pack.body.get("enabled")).and_then(Value::as_bool);
        let on = kept.unwrap_or(*usual);
        json!({ "displayname": title, "enabled": on, "name": name })
    });
    shown.collect()
}

fn workspace_usages(today: &str) -> Value {
    json!({ "value": [{
        "name": { "value": "DataAnalyzed", "localizedValue": "Data Analyzed" },
        "unit": "Bytes",
        "currentValue": 0.0,
        "limit": -1.0,
        "nextResetTime": format!("{today}T23:59:59Z"),
        "quotaPeriod": "P1D",
    }] })
}
