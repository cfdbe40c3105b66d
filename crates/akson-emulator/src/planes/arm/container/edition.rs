//! What a version of the API knows of clusters and pools. A cluster is kept as the newest preview has it; each answer leaves
//! out what its own version does not know. The dates are of the first version that was recorded (or is documented) with a
//! key, and where only previews have it there is no other.

use serde_json::{Map, Value, json};

use super::Body;

/// A key with the first version that shows it, and the first preview; `NEVER` where there is none.
struct Since(&'static str, &'static str, &'static str);

/// Later than every version there is.
const NEVER: &str = "9999";

/// Keys of a cluster, by their path.
const CLUSTER: [Since; 44] = [
    Since("eTag", "2025-09-01", "2025-03-02"),
    Since("kind", "2024-10-01", "2024-10-01"),
    Since("properties.autoUpgradeProfile.nodeOSUpgradeChannel", "2023-06-01", "2022-09-02"),
    Since("properties.autoScalerProfile.daemonset-eviction-for-empty-nodes", "2024-05-01", "2023-11-02"),
    Since("properties.autoScalerProfile.daemonset-eviction-for-occupied-nodes", "2024-05-01", "2023-11-02"),
    Since("properties.autoScalerProfile.ignore-daemonsets-utilization", "2024-05-01", "2023-11-02"),
    Since("properties.azureMonitorProfile", "2023-01-01", "2022-07-02"),
    Since("properties.azureMonitorProfile.containerInsights", NEVER, "2024-10-02"),
    Since("properties.bootstrapProfile", "2024-10-01", "2024-09-03"),
    Since("properties.controlPlanePluginProfiles", NEVER, "2024-09-02"),
    Since("properties.currentKubernetesVersion", "2022-02-01", "2022-01-02"),
    Since("properties.enableFIPS", NEVER, "2025-09-02"),
    Since("properties.hostedSystemProfile", "2026-03-01", "2025-09-02"),
    Since("properties.httpProxyConfig.effectiveNoProxy", "2021-09-01", "2021-09-01"),
    Since("properties.httpProxyConfig.enabled", "2025-05-01", "2025-03-02"),
    Since("properties.ingressProfile", "2023-11-01", "2022-03-02"),
    Since("properties.ingressProfile.webAppRouting.defaultDomain", "2025-10-01", "2025-08-02"),
    Since("properties.ingressProfile.webAppRouting.nginx", "2025-02-01", "2024-10-02"),
    Since("properties.metricsProfile", "2023-09-01", "2023-05-02"),
    Since("properties.networkProfile.advancedNetworking", "2024-09-01", "2023-11-02"),
    Since("properties.networkProfile.advancedNetworking.security.advancedNetworkPolicies", "2025-09-01", "2024-09-02"),
    Since("properties.networkProfile.advancedNetworking.security.transitEncryption", "2026-01-01", "2025-03-02"),
    Since("properties.networkProfile.advancedNetworking.performance", "2026-01-01", "2025-09-02"),
    Since("properties.networkProfile.ipFamilies", "2021-09-01", "2021-09-01"),
    Since("properties.networkProfile.kubeProxyConfig", NEVER, "2022-08-02"),
    Since("properties.networkProfile.loadBalancerProfile.backendPoolType", "2023-02-01", "2022-08-02"),
    Since("properties.networkProfile.networkDataplane", "2023-02-01", "2022-11-02"),
    Since("properties.networkProfile.networkPluginMode", "2023-02-01", "2022-07-02"),
    Since("properties.networkProfile.podCidrs", "2021-09-01", "2021-09-01"),
    Since("properties.networkProfile.podLinkLocalAccess", NEVER, "2024-10-02"),
    Since("properties.networkProfile.serviceCidrs", "2021-09-01", "2021-09-01"),
    Since("properties.nodeProvisioningProfile", "2025-02-01", "2023-10-02"),
    Since("properties.nodeResourceGroupProfile", "2024-07-01", "2022-09-02"),
    Since("properties.oidcIssuerProfile", "2022-09-01", "2021-11-01"),
    Since("properties.resourceUID", "2023-09-01", "2023-07-02"),
    Since("properties.schedulerProfile", "2026-01-01", "2025-06-02"),
    Since("properties.serviceMeshProfile", "2023-09-01", "2023-02-02"),
    Since("properties.serviceMeshProfile.istio.components.proxyRedirectionMechanism", "2026-03-01", "2025-06-02"),
    Since("properties.storageProfile", "2022-06-01", "2021-11-01"),
    Since("properties.storageProfile.diskCSIDriver.version", NEVER, "2022-05-02"),
    Since("properties.supportPlan", "2023-09-01", "2023-06-02"),
    Since("properties.workloadAutoScalerProfile", "2022-11-01", "2022-05-02"),
    Since("properties.workloadAutoScalerProfile.verticalPodAutoscaler", "2023-02-01", "2022-08-02"),
    Since("properties.workloadAutoScalerProfile.verticalPodAutoscaler.addonAutoscaling", NEVER, "2023-10-02"),
];

/// Keys of a pool, by their path in its properties.
const POOL: [Since; 12] = [
    Since("currentOrchestratorVersion", "2022-02-01", "2022-01-02"),
    Since("eTag", "2025-09-01", "2025-03-02"),
    Since("enableCustomCATrust", NEVER, "2022-03-02"),
    Since("localDNSProfile", "2025-07-01", "2025-02-02"),
    Since("scaleDownMode", "2021-09-01", "2021-09-01"),
    Since("securityProfile", "2024-06-01", "2023-06-02"),
    Since("securityProfile.sshAccess", "2025-02-01", "2023-06-02"),
    Since("upgradeSettings.maxUnavailable", "2025-02-01", "2024-09-03"),
    Since("upgradeSettingsBlueGreen", NEVER, "2025-08-02"),
    Since("upgradeStrategy", NEVER, "2025-08-02"),
    Since("virtualMachineNodesStatus", "2025-02-01", "2023-08-02"),
    Since("virtualMachinesProfile", "2025-02-01", "2023-08-02"),
];

/// Whether a version of the API shows a key.
fn shows(since: &Since, version: &str) -> bool {
    let Since(_, stable, preview) = since;
    let first = if version.contains("preview") { preview } else { stable };
    version.get(..10).is_none_or(|date| date >= *first)
}

/// Leaves out of a cluster's body what a version does not know.
pub(super) fn of_cluster(body: &mut Body, version: &str) {
    for key in CLUSTER.iter().filter(|key| !shows(key, version)) {
        take(body, key.0);
    }
    let automatic = body.get("sku").is_some_and(|sku| sku["name"] == "Automatic");
    let Some(Value::Object(properties)) = body.get_mut("properties") else { return };
    // Only a cluster that has, or could have, its system hosted says so before that became usual.
    let base = properties.get("hostedSystemProfile").is_some_and(|profile| profile["enabled"] == false);
    if base && !automatic && version < "2025-10" {
        properties.shift_remove("hostedSystemProfile");
    }
    // Previews alone say that a group is not restricted where nobody asked.
    if version.contains("preview") && version > "2022-09-02" {
        let free = || json!({ "restrictionLevel": "Unrestricted" });
        properties.entry("nodeResourceGroupProfile").or_insert_with(free);
    }
    // Old versions show the bridge of Docker, which nodes no longer have.
    if version < "2022-12"
        && let Some(Value::Object(network)) = properties.get_mut("networkProfile")
    {
        network.entry("dockerBridgeCidr").or_insert_with(|| "172.17.0.1/16".into());
    }
    if let Some(Value::Array(pools)) = properties.get_mut("agentPoolProfiles") {
        pools.iter_mut().filter_map(Value::as_object_mut).for_each(|pool| of_profile(pool, version));
    }
}

/// Leaves out of a pool's body what a version does not know.
pub(super) fn of_pool(body: &mut Body, version: &str) {
    if let Some(Value::Object(properties)) = body.get_mut("properties") {
        of_profile(properties, version);
    }
}

fn of_profile(pool: &mut Body, version: &str) {
    for key in POOL.iter().filter(|key| !shows(key, version)) {
        take(pool, key.0);
    }
}

fn take(body: &mut Map<String, Value>, path: &str) {
    match path.split_once('.') {
        None => _ = body.shift_remove(path),
        Some((first, rest)) => {
            if let Some(Value::Object(inner)) = body.get_mut(first) {
                take(inner, rest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(version: &str) -> Value {
        let whole = json!({
            "eTag": "1", "kind": "Base",
            "properties": {
                "controlPlanePluginProfiles": { "karpenter": { "enableV2": true } },
                "storageProfile": { "diskCSIDriver": { "enabled": true, "version": "v1" } },
                "agentPoolProfiles": [{ "name": "a", "eTag": "2", "upgradeStrategy": "Rolling" }],
            },
        });
        let Value::Object(mut body) = whole else { return Value::Null };
        of_cluster(&mut body, version);
        Value::Object(body)
    }

    #[test]
    fn versions_show_what_they_know() {
        assert_eq!(
            shown("2024-09-01"),
            json!({ "properties": {
                "storageProfile": { "diskCSIDriver": { "enabled": true } }, "agentPoolProfiles": [{ "name": "a" }],
            } })
        );
        assert_eq!(shown("2025-08-01")["kind"], "Base");
        assert_eq!(shown("2025-08-01").get("eTag"), None);
        let preview = shown("2025-09-02-preview");
        assert_eq!(
            (&preview["eTag"], &preview["properties"]["agentPoolProfiles"][0]["eTag"]),
            (&json!("1"), &json!("2"))
        );
        assert_eq!(preview["properties"]["storageProfile"]["diskCSIDriver"]["version"], "v1");
        assert_eq!(preview["properties"]["agentPoolProfiles"][0]["upgradeStrategy"], "Rolling");
        assert_eq!(shown("2026-05-01")["properties"].get("controlPlanePluginProfiles"), None);
        assert_eq!(shown("2021-05-01")["properties"], json!({ "agentPoolProfiles": [{ "name": "a" }] }));
    }
}
