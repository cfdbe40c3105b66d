//! The built-in policy definitions and initiatives of the domain, from a table of names, effects and
//! parameters. Their rules are not evaluated; what a GET shows of a rule is its target and its effect.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value, json};

const DEFINITIONS: &str = "/providers/Microsoft.Authorization/policyDefinitions";
const SETS: &str = "/providers/Microsoft.Authorization/policySetDefinitions";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    definitions: Vec<Definition>,
    sets: Vec<Set>,
}

/// What a definition is about.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// Clusters as Azure sees them.
    Clusters,
    /// Vaults as Azure sees them.
    Vaults,
    /// Containers inside of clusters.
    Pods,
    /// Other objects inside of clusters.
    Objects,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Definition {
    name: String,
    display_name: String,
    version: String,
    kind: Kind,
    effects: Vec<String>,
    default: String,
    #[serde(default)]
    parameters: Map<String, Value>,
    #[serde(default)]
    roles: Vec<String>,
    category: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Set {
    name: String,
    display_name: String,
    version: String,
    effects: Vec<String>,
    default: String,
    parameters: Map<String, Value>,
    members: Vec<Member>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Member {
    policy_definition_reference_id: String,
    policy_definition_id: String,
    definition_version: String,
    /// Parameters of the initiative that are handed on under the same name.
    pass: Vec<String>,
    /// Parameters with a value of their own.
    #[serde(default)]
    set: Map<String, Value>,
}

/// A built-in definition or initiative as a GET answers it.
pub(super) struct BuiltIn {
    /// The key of its id.
    pub(super) key: String,
    pub(super) body: Map<String, Value>,
}

static DEFINED: LazyLock<[Vec<BuiltIn>; 2]> = LazyLock::new(|| {
    let table: Table =
        serde_json::from_str(include_str!("builtin_policies.json")).expect("a test reads the table of policies");
    let mut found = [
        table.definitions.iter().map(Definition::built_in).collect::<Vec<_>>(),
        table.sets.iter().map(Set::built_in).collect::<Vec<_>>(),
    ];
    for list in &mut found {
        list.sort_by(|one, other| one.key.cmp(&other.key));
    }
    found
});

/// All built-in definitions (or initiatives), by key.
pub(super) fn all(sets: bool) -> &'static [BuiltIn] {
    &DEFINED[usize::from(sets)]
}

/// The built-in of a key.
pub(super) fn find(key: &str) -> Option<&'static BuiltIn> {
    let sets = key.contains("/policysetdefinitions/");
    let list = all(sets);
    list.binary_search_by(|known| known.key.as_str().cmp(key)).ok().and_then(|at| list.get(at))
}

fn effect(effects: &[String], default: &str) -> Value {
    json!({ "type": "String", "metadata": { "displayName": "Effect" }, "allowedValues": effects, "defaultValue": default })
}

fn metadata(version: &str, category: &str) -> Value {
    let mut metadata = json!({ "version": version, "category": category });
    if version.ends_with("-preview") {
        metadata["preview"] = true.into();
    }
    metadata
}

/// `9.2.0` is one of `9.*.*`.
pub(super) fn wildcard(version: &str) -> String {
    let (numbers, preview) = version.split_once('-').map_or((version, ""), |(numbers, _)| (numbers, "-preview"));
    format!("{}.*.*{preview}", numbers.split('.').next().unwrap_or("1"))
}

impl Definition {
    fn built_in(&self) -> BuiltIn {
        let inside = matches!(self.kind, Kind::Pods | Kind::Objects);
        let mut parameters = Map::new();
        if inside {
            parameters.insert(
                "source".to_owned(),
                json!({ "type": "String", "defaultValue": "Original", "allowedValues": ["All", "Generated", "Original"] }),
            );
            parameters.insert("warn".to_owned(), json!({ "type": "Boolean", "defaultValue": false }));
        }
        parameters.insert("effect".to_owned(), effect(&self.effects, &self.default));
        if inside {
            let excluded = json!(["kube-system", "gatekeeper-system", "azure-arc", "azure-extensions-usage-system"]);
            parameters.insert("excludedNamespaces".to_owned(), json!({ "type": "Array", "defaultValue": excluded }));
            parameters.insert("namespaces".to_owned(), json!({ "type": "Array", "defaultValue": [] }));
            parameters.insert("labelSelector".to_owned(), json!({ "type": "Object", "defaultValue": {} }));
        }
        parameters.extend(self.parameters.clone());
        if self.kind == Kind::Pods {
            parameters.insert("excludedContainers".to_owned(), json!({ "type": "Array", "defaultValue": [] }));
            parameters.insert("excludedImages".to_owned(), json!({ "type": "Array", "defaultValue": [] }));
        }
        let condition = match self.kind {
            Kind::Clusters => json!({ "field": "type", "equals": "Microsoft.ContainerService/managedClusters" }),
            Kind::Vaults => json!({ "field": "type", "equals": "Microsoft.KeyVault/vaults" }),
            Kind::Pods | Kind::Objects => json!({
                "field": "type",
                "in": ["Microsoft.Kubernetes/connectedClusters", "Microsoft.ContainerService/managedClusters"],
            }),
        };
        let mut then = json!({ "effect": "[parameters('effect')]" });
        if !self.roles.is_empty() {
            let roles: Vec<String> = self
                .roles
                .iter()
                .map(|role| format!("/providers/microsoft.authorization/roleDefinitions/{role}"))
                .collect();
            then["details"] = json!({ "roleDefinitionIds": roles });
        }
        let id = format!("{DEFINITIONS}/{}", self.name);
        let body = json!({
            "properties": {
                "displayName": self.display_name,
                "policyType": "BuiltIn",
                "mode": if inside { "Microsoft.Kubernetes.Data" } else { "Indexed" },
                "metadata": metadata(&self.version, self.category.as_deref().unwrap_or("Kubernetes")),
                "version": self.version,
                "parameters": parameters,
                "policyRule": { "if": condition, "then": then },
                "versions": [self.version],
            },
            "id": id,
            "type": "Microsoft.Authorization/policyDefinitions",
            "name": self.name,
        });
        BuiltIn { key: id.to_ascii_lowercase(), body: body.as_object().cloned().unwrap_or_default() }
    }
}

impl Set {
    fn built_in(&self) -> BuiltIn {
        let mut parameters = Map::new();
        parameters.insert("effect".to_owned(), effect(&self.effects, &self.default));
        parameters.extend(self.parameters.clone());
        let members: Vec<Value> = self
            .members
            .iter()
            .map(|member| {
                let passed = member
                    .pass
                    .iter()
                    .map(|name| (name.clone(), json!({ "value": format!("[parameters('{name}')]") })));
                let set = member.set.iter().map(|(name, value)| (name.clone(), json!({ "value": value })));
                json!({
                    "policyDefinitionReferenceId": member.policy_definition_reference_id,
                    "policyDefinitionId": format!("{DEFINITIONS}/{}", member.policy_definition_id),
                    "definitionVersion": member.definition_version,
                    "parameters": passed.chain(set).collect::<Map<String, Value>>(),
                })
            })
            .collect();
        let id = format!("{SETS}/{}", self.name);
        let body = json!({
            "properties": {
                "displayName": self.display_name,
                "policyType": "BuiltIn",
                "metadata": metadata(&self.version, "Kubernetes"),
                "version": self.version,
                "parameters": parameters,
                "policyDefinitions": members,
                "versions": [self.version],
            },
            "id": id,
            "type": "Microsoft.Authorization/policySetDefinitions",
            "name": self.name,
        });
        BuiltIn { key: id.to_ascii_lowercase(), body: body.as_object().cloned().unwrap_or_default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        assert!(all(false).len() > 50 && all(true).len() == 5);
        for set in all(true) {
            let members = set.body["properties"]["policyDefinitions"].as_array().cloned().unwrap_or_default();
            assert!(members.len() >= 3, "{}", set.key);
            for member in members {
                let id = member["policyDefinitionId"].as_str().unwrap_or_default().to_ascii_lowercase();
                assert!(find(&id).is_some(), "{id}");
            }
        }
        for known in all(false).iter().chain(all(true)) {
            let effect = &known.body["properties"]["parameters"]["effect"];
            let allowed = effect["allowedValues"].as_array().cloned().unwrap_or_default();
            assert!(allowed.contains(&effect["defaultValue"]), "{}", known.key);
            assert_eq!(find(&known.key).map(|found| found.key.as_str()), Some(known.key.as_str()));
        }
    }

    #[test]
    fn wildcards() {
        assert_eq!(wildcard("9.2.0"), "9.*.*");
        assert_eq!(wildcard("1.1.0-preview"), "1.*.*-preview");
    }
}
