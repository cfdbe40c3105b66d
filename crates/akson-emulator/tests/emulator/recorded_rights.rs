//! What recordings of roles and policies presume: principals, roles and definitions that are there, twins
//! that are not (recordings show different principals under one id), rights that the caller lacks.

use akson_emulator::Denial;
use serde_json::{Map, Value, json};

use crate::recorded::{Exchange, Replay};
use crate::support::pass;

impl Replay {
    pub(crate) async fn presume_rights(&self, exchange: &Exchange) {
        let god = self.azure.emulator.god();
        let lower = self.path(exchange).to_ascii_lowercase();
        let Some((_, kind)) = lower.rsplit_once("/providers/microsoft.authorization/") else { return };
        let refused = exchange.response_body["error"]["code"] == "AuthorizationFailed";
        let denied = Denial { action: "Microsoft.Authorization/*".to_owned(), scope: "/".to_owned() };
        god.set_denied_actions(if refused { vec![denied] } else { Vec::new() }).unwrap();
        let asked = self.ours_json(&exchange.request_body, exchange)["properties"].clone();
        if exchange.method != "PUT" {
            return;
        }
        if kind.starts_with("roleassignments/") {
            self.presume_role(&asked);
            if exchange.status == 201 {
                self.presume_principal(&lower, &asked);
                // By then it is known everywhere.
                pass(40).await;
            }
        }
        for id in ids_of(&asked) {
            self.presume_definition(&id, &asked);
        }
        if let Some(assignment) = asked["policyAssignmentId"].as_str() {
            self.put(assignment);
        }
        let identities = exchange.request_body["identity"]["userAssignedIdentities"].as_object();
        for (id, _) in identities.into_iter().flatten() {
            self.put(&self.ours(id, exchange));
        }
    }

    /// The role exists, be it none of the domain.
    fn presume_role(&self, asked: &Value) {
        let role = asked["roleDefinitionId"].as_str().unwrap_or_default();
        let name = role.rsplit('/').next().unwrap_or_default();
        let id = format!("/providers/Microsoft.Authorization/roleDefinitions/{name}");
        self.put(&id);
    }

    /// The principal exists for long, and holds nothing else there.
    fn presume_principal(&self, path: &str, asked: &Value) {
        let god = self.azure.emulator.god();
        for (id, object) in god.snapshot().objects {
            let kept = id == path && object["properties"]["principalId"] == asked["principalId"];
            let name = path.rsplit('/').next().unwrap_or_default();
            let same = object["properties"]["principalId"] == asked["principalId"] || id.ends_with(name);
            if id.contains("/roleassignments/") && same && !kept {
                god.delete_object(&id).unwrap();
            }
        }
        if asked["principalType"].is_null() {
            let principal = asked["principalId"].as_str().unwrap_or_default();
            let id = format!(
                "{}/resourceGroups/principals/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{principal}",
                self.azure.subscription
            );
            god.put_object(&id, json!({ "properties": { "principalId": principal } })).unwrap();
        }
    }

    /// The definition exists and declares what is given.
    fn presume_definition(&self, id: &str, asked: &Value) {
        if self.has(id) {
            return;
        }
        let mut declared = Map::new();
        for (name, given) in asked["parameters"].as_object().into_iter().flatten() {
            let kind = match &given["value"] {
                Value::Array(_) => "Array",
                Value::Object(_) => "Object",
                Value::Bool(_) => "Boolean",
                Value::Number(_) => "Integer",
                _ => "String",
            };
            declared.insert(name.clone(), json!({ "type": kind }));
        }
        let properties = json!({ "parameters": declared });
        self.azure.emulator.god().put_object(id, json!({ "properties": properties })).unwrap();
    }
}

/// The ids of the definitions that a body names.
fn ids_of(asked: &Value) -> Vec<String> {
    let members = asked["policyDefinitions"].as_array().into_iter().flatten();
    let named = members.chain([asked]).filter_map(|body| body["policyDefinitionId"].as_str());
    named.map(str::to_owned).collect()
}
