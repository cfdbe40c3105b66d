//! Resource providers: all are registered, and little else is known about them.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Call, region};
use crate::errors::{self, Outcome};
use crate::reply;

/// Namespaces and the types whose rules are known.
const PROVIDERS: [(&str, &[&str]); 12] = [
    (
        "Microsoft.Authorization",
        &["locks", "roleAssignments", "roleDefinitions", "policyAssignments", "policyDefinitions"],
    ),
    ("Microsoft.ContainerRegistry", &["registries"]),
    (
        "Microsoft.ContainerService",
        &["managedClusters", "managedClusters/agentPools", "managedClusters/maintenanceConfigurations"],
    ),
    ("Microsoft.Insights", &["diagnosticSettings"]),
    ("Microsoft.KeyVault", &["vaults", "deletedVaults", "locations", "locations/deletedVaults"]),
    ("Microsoft.ManagedIdentity", &["userAssignedIdentities", "userAssignedIdentities/federatedIdentityCredentials"]),
    (
        "Microsoft.Network",
        &[
            "virtualNetworks",
            "virtualNetworks/subnets",
            "routeTables",
            "routeTables/routes",
            "networkSecurityGroups",
            "networkSecurityGroups/securityRules",
            "publicIPAddresses",
            "natGateways",
            "azureFirewalls",
            "firewallPolicies",
            "firewallPolicies/ruleCollectionGroups",
            "privateDnsZones",
            "privateDnsZones/virtualNetworkLinks",
            "privateEndpoints",
            "privateEndpoints/privateDnsZoneGroups",
        ],
    ),
    ("Microsoft.OperationalInsights", &["workspaces"]),
    ("Microsoft.PolicyInsights", &["remediations"]),
    ("Microsoft.Resources", &["resourceGroups", "subscriptions"]),
    ("Microsoft.Security", &["pricings"]),
    ("Microsoft.Storage", &["storageAccounts"]),
];

pub(super) fn list(call: &Call<'_>, subscription: Option<&str>) -> Outcome {
    only_reads(call)?;
    let value: Vec<Value> =
        PROVIDERS.iter().map(|(namespace, kinds)| describe(subscription, namespace, kinds)).collect();
    Ok(reply::json(StatusCode::OK, &json!({ "value": value })))
}

/// A namespace that looks like one is registered, known or not.
pub(super) fn get(call: &Call<'_>, subscription: Option<&str>, namespace: &str) -> Outcome {
    only_reads(call)?;
    one(subscription, namespace)
}

pub(super) fn register(call: &Call<'_>, subscription: &str, namespace: &str) -> Outcome {
    if call.visit.method != Method::POST {
        return Err(errors::method_not_allowed(call.visit.method.as_str()));
    }
    one(Some(subscription), namespace)
}

fn one(subscription: Option<&str>, namespace: &str) -> Outcome {
    let known = PROVIDERS.iter().find(|(known, _)| known.eq_ignore_ascii_case(namespace));
    match known {
        Some((namespace, kinds)) => Ok(reply::json(StatusCode::OK, &describe(subscription, namespace, kinds))),
        None if namespace.contains('.') => Ok(reply::json(StatusCode::OK, &describe(subscription, namespace, &[]))),
        None => Err(errors::invalid_namespace(namespace)),
    }
}

fn only_reads(call: &Call<'_>) -> Result<(), errors::Refusal> {
    if crate::planes::login::reads(&call.visit.method) {
        Ok(())
    } else {
        Err(errors::method_not_allowed(call.visit.method.as_str()))
    }
}

fn describe(subscription: Option<&str>, namespace: &str, kinds: &[&str]) -> Value {
    let locations: Vec<&str> = region::REGIONS.iter().map(|(_, shown)| *shown).collect();
    let kinds: Vec<Value> = kinds
        .iter()
        .map(|kind| json!({ "resourceType": kind, "locations": locations, "apiVersions": ["2024-11-01", "2023-07-01"], "capabilities": "SupportsTags, SupportsLocation" }))
        .collect();
    let mut provider = json!({
        "namespace": namespace,
        "resourceTypes": kinds,
        "registrationState": "Registered",
        "registrationPolicy": "RegistrationRequired",
    });
    if let Some(subscription) = subscription {
        provider["id"] = format!("/subscriptions/{subscription}/providers/{namespace}").into();
    }
    provider
}
