//! What the service fills in where a cluster's author said nothing, and what it leaves out of an
//! answer because it means nothing.

use serde_json::{Value, json};

use super::shape::{at, drop_if, fill, is_empty, is_on, set, text};
use super::version::Version;
use super::{Body, profiles};
use crate::dice::Dice;
use crate::id::ResourceId;

/// The public cloud's tenant-independent names in a new cluster: drawn once and kept.
pub(super) fn name_endpoints(properties: &mut Body, location: &str, dice: &mut Dice) {
    let prefix = match text(properties, "fqdnSubdomain") {
        "" => text(properties, "dnsPrefix"),
        subdomain => subdomain,
    };
    let prefix = prefix.to_owned();
    let random = |dice: &mut Dice| dice.hex(1).get(..8).unwrap_or_default().to_owned();
    let private = is_on(properties, "apiServerAccessProfile.enablePrivateCluster");
    let public_name = format!("{prefix}-{}", random(dice));
    let inner_name = format!("{prefix}-{}", random(dice));
    let (guid, portal) = (dice.guid(), dice.hex(2));
    let known = |properties: &Body, name: &str| properties.contains_key(name);
    if private {
        let zone = text(properties, "apiServerAccessProfile.privateDNSZone").to_owned();
        let public = !matches!(
            at(properties, "apiServerAccessProfile.enablePrivateClusterPublicFQDN"),
            Some(Value::Bool(false))
        );
        let fqdn = format!("{public_name}.hcp.{location}.azmk8s.io");
        let inner = if zone.eq_ignore_ascii_case("none") {
            fqdn.clone()
        } else if is_on(properties, "apiServerAccessProfile.enableVnetIntegration") {
            format!("{inner_name}.{guid}.private.{location}.azmk8s.io")
        } else {
            format!("{inner_name}.{guid}.privatelink.{location}.azmk8s.io")
        };
        if !known(properties, "privateFQDN") {
            properties.insert("privateFQDN".to_owned(), inner.into());
        }
        if public && !known(properties, "fqdn") {
            properties.insert("fqdn".to_owned(), fqdn.into());
        } else if !public {
            properties.shift_remove("fqdn");
        }
        if !known(properties, "azurePortalFQDN") {
            properties
                .insert("azurePortalFQDN".to_owned(), format!("{portal}-priv.portal.hcp.{location}.azmk8s.io").into());
        }
    } else {
        properties.shift_remove("privateFQDN");
        if !known(properties, "fqdn") {
            properties.insert("fqdn".to_owned(), format!("{public_name}.hcp.{location}.azmk8s.io").into());
            let portal = format!("{public_name}.portal.hcp.{location}.azmk8s.io");
            properties.insert("azurePortalFQDN".to_owned(), portal.into());
        }
    }
}

/// The name of the group of nodes, no longer than ARM takes it.
pub(super) fn node_group(id: &ResourceId, location: &str) -> String {
    let group = id.place.group.as_deref().unwrap_or_default();
    format!("MC_{group}_{}_{location}", id.name()).chars().take(80).collect()
}

/// The parts of the control plane that previews show (recorded).
const PLUGINS: [&str; 7] = [
    "azure-monitor-metrics-ccp",
    "gpu-provisioner",
    "karpenter",
    "kubelet-serving-csr-approver",
    "live-patching-controller",
    "secure-tls-bootstrap",
    "static-egress-controller",
];

/// Fills in all that follows from what is there.
pub(super) fn complete(properties: &mut Body, id: &ResourceId, location: &str, version: &Version, tenant: &str) {
    properties.insert("kubernetesVersion".to_owned(), version.asked.as_str().into());
    properties.insert("currentKubernetesVersion".to_owned(), version.current.as_str().into());
    let issues = version.issues_by_default();
    network(properties);
    fill(
        properties,
        json!({
            "powerState": { "code": "Running" },
            "servicePrincipalProfile": { "clientId": "msi" },
            "nodeResourceGroup": node_group(id, location),
            "enableRBAC": true,
            "supportPlan": "KubernetesOfficial",
            "maxAgentPools": 100,
            "autoUpgradeProfile": { "nodeOSUpgradeChannel": "NodeImage" },
            "securityProfile": {},
            "storageProfile": {
                "diskCSIDriver": { "enabled": true, "version": "v1" },
                "fileCSIDriver": { "enabled": true },
                "snapshotController": { "enabled": true },
            },
            "oidcIssuerProfile": { "enabled": issues },
            "workloadAutoScalerProfile": {},
            "metricsProfile": { "costAnalysis": { "enabled": false } },
            "nodeProvisioningProfile": { "mode": "Manual", "defaultNodePools": "Auto" },
            "bootstrapProfile": { "artifactSource": "Direct" },
            "enableFIPS": false,
            "hostedSystemProfile": { "enabled": false },
        }),
    );
    // What runs as a plugin is not for the author to say.
    let plugins = PLUGINS.iter().map(|name| ((*name).to_owned(), json!({ "enableV2": true })));
    properties.insert("controlPlanePluginProfiles".to_owned(), Value::Object(plugins.collect()));
    if let Some(Value::Object(aad)) = properties.get_mut("aadProfile") {
        fill(
            aad,
            json!({ "adminGroupObjectIDs": null, "adminUsers": null, "enableAzureRBAC": false, "tenantID": tenant }),
        );
    }
    if is_on(properties, "apiServerAccessProfile.enablePrivateCluster") {
        let defaults = json!({ "privateDNSZone": "system", "enablePrivateClusterPublicFQDN": true });
        if let Some(Value::Object(access)) = properties.get_mut("apiServerAccessProfile") {
            fill(access, defaults);
        }
        properties.entry("privateLinkResources").or_insert_with(|| {
            json!([{
                "name": "management",
                "type": "Microsoft.ContainerService/managedClusters/privateLinkResources",
                "groupId": "management",
                "requiredMembers": ["management"],
            }])
        });
    } else {
        properties.shift_remove("privateLinkResources");
    }
    if properties.contains_key("windowsProfile") {
        let defaults = json!({ "adminUsername": "azureuser", "enableCSIProxy": true });
        if let Some(Value::Object(windows)) = properties.get_mut("windowsProfile") {
            fill(windows, defaults);
        }
    }
    if let Some(Value::Object(profile)) = properties.get_mut("autoScalerProfile") {
        autoscaler(profile);
    }
    disabled_addons(properties);
    profiles::complete(properties);
}

/// What a new cluster of the Automatic SKU is, unless it was told otherwise (recorded).
pub(super) fn automatic(properties: &mut Body) {
    fill(
        properties,
        json!({
            "aadProfile": { "managed": true, "enableAzureRBAC": true },
            "disableLocalAccounts": true,
            "oidcIssuerProfile": { "enabled": true },
            "securityProfile": {
                "imageCleaner": { "enabled": true, "intervalHours": 168 },
                "workloadIdentity": { "enabled": true },
            },
            "addonProfiles": {
                "azureKeyvaultSecretsProvider": { "enabled": true, "config": { "enableSecretRotation": "true" } },
                "azurepolicy": { "enabled": true },
            },
            "networkProfile": {
                "networkPlugin": "azure",
                "networkPluginMode": "overlay",
                "networkPolicy": "cilium",
                "networkDataplane": "cilium",
                "outboundType": "managedNATGateway",
            },
            "apiServerAccessProfile": { "enablePrivateCluster": false, "enableVnetIntegration": true },
            "autoUpgradeProfile": { "upgradeChannel": "stable", "nodeOSUpgradeChannel": "NodeImage" },
            "nodeResourceGroupProfile": { "restrictionLevel": "ReadOnly" },
            "ingressProfile": { "webAppRouting": { "enabled": true } },
            "workloadAutoScalerProfile": {
                "keda": { "enabled": true },
                "verticalPodAutoscaler": { "enabled": true, "addonAutoscaling": "Unspecified" },
            },
        }),
    );
}

/// The pools of a new cluster of the Automatic SKU: the system's run nothing else, in all zones (recorded).
pub(super) fn automatic_pools(profiles: &mut Value) {
    let system = |pool: &&mut Body| text(pool, "mode").eq_ignore_ascii_case("System");
    let pools = profiles.as_array_mut().into_iter().flatten();
    for pool in pools.filter_map(Value::as_object_mut).filter(system) {
        for (name, usual) in [
            ("nodeTaints", json!(["CriticalAddonsOnly=true:NoSchedule"])),
            ("availabilityZones", json!(["1", "2", "3"])),
        ] {
            if pool.get(name).is_none_or(is_empty) {
                pool.insert(name.to_owned(), usual);
            }
        }
    }
}

/// Recorded: a new cluster that was given a network plugin for Windows, too, gets an administrator for Windows nodes.
pub(super) fn windows(properties: &mut Body) {
    let plugin = text(properties, "networkProfile.networkPlugin").to_ascii_lowercase();
    if matches!(plugin.as_str(), "azure" | "none") {
        properties.entry("windowsProfile").or_insert_with(|| json!({}));
    }
}

/// Recorded: an add-on that is off has a `config` of null, and one that is on without one, too.
pub(super) fn disabled_addons(properties: &mut Body) {
    let Some(Value::Object(addons)) = properties.get_mut("addonProfiles") else { return };
    for addon in addons.values_mut().filter_map(Value::as_object_mut) {
        if addon.get("enabled") == Some(&json!(true)) {
            addon.entry("config").or_insert(Value::Null);
        } else {
            *addon = Body::from_iter([("enabled".to_owned(), json!(false)), ("config".to_owned(), Value::Null)]);
        }
    }
}

fn network(properties: &mut Body) {
    let profile = properties.entry("networkProfile").or_insert_with(|| json!({}));
    let Value::Object(profile) = profile else { return };
    if !profile.contains_key("networkPlugin") {
        fill(profile, json!({ "networkPlugin": "azure", "networkPluginMode": "overlay" }));
    }
    let overlay = text(profile, "networkPluginMode").eq_ignore_ascii_case("overlay");
    let pods = overlay || text(profile, "networkPlugin").eq_ignore_ascii_case("kubenet");
    fill(
        profile,
        json!({
            "networkPolicy": "none",
            "networkDataplane": "azure",
            "loadBalancerSku": "standard",
            "serviceCidr": "10.0.0.0/16",
            "dnsServiceIP": "10.0.0.10",
            "outboundType": "loadBalancer",
            "ipFamilies": ["IPv4"],
            "podLinkLocalAccess": "IMDS",
        }),
    );
    if pods {
        fill(profile, json!({ "podCidr": "10.244.0.0/16" }));
    }
    for (one, many) in [("podCidr", "podCidrs"), ("serviceCidr", "serviceCidrs")] {
        if let Some(value) = profile.get(one).cloned() {
            profile.entry(many).or_insert_with(|| json!([value]));
        }
    }
    let outbound = text(profile, "outboundType").to_ascii_lowercase();
    if text(profile, "loadBalancerSku").eq_ignore_ascii_case("basic") {
        profile.shift_remove("loadBalancerProfile");
    } else if let Value::Object(balancer) = profile.entry("loadBalancerProfile").or_insert_with(|| json!({})) {
        balance(balancer, outbound == "loadbalancer");
    }
    if outbound == "managednatgateway" {
        fill(
            profile,
            json!({ "natGatewayProfile": { "managedOutboundIPProfile": { "count": 1 }, "idleTimeoutInMinutes": 4 } }),
        );
    }
}

/// How traffic can leave through a balancer.
pub(super) const WAYS: [&str; 3] = ["managedOutboundIPs", "outboundIPs", "outboundIPPrefixes"];

/// The balancer that every cluster has for what comes in; what goes out leaves through it or not.
fn balance(balancer: &mut Body, outbound: bool) {
    // A way that is no longer used goes with the end of the write.
    if outbound && !WAYS.iter().any(|way| balancer.contains_key(*way)) {
        set(balancer, "managedOutboundIPs.count", 1.into());
    }
    let kind = match text(balancer, "backendPoolType") {
        "" => "nodeIPConfiguration".into(),
        // Recorded: it comes back with a small letter.
        given if given.eq_ignore_ascii_case("nodeIPConfiguration") => "nodeIPConfiguration".into(),
        given => given.into(),
    };
    balancer.insert("backendPoolType".to_owned(), kind);
}

/// How pools scale by themselves, unless told otherwise (recorded).
pub(super) fn autoscaler(profile: &mut Body) {
    fill(
        profile,
        json!({
            "balance-similar-node-groups": "false",
            "daemonset-eviction-for-empty-nodes": false,
            "daemonset-eviction-for-occupied-nodes": true,
            "expander": "random",
            "ignore-daemonsets-utilization": false,
            "max-empty-bulk-delete": "10",
            "max-graceful-termination-sec": "600",
            "max-node-provision-time": "15m",
            "max-total-unready-percentage": "45",
            "new-pod-scale-up-delay": "0s",
            "ok-total-unready-count": "3",
            "scale-down-delay-after-add": "10m",
            "scale-down-delay-after-delete": "10s",
            "scale-down-delay-after-failure": "3m",
            "scale-down-unneeded-time": "10m",
            "scale-down-unready-time": "20m",
            "scale-down-utilization-threshold": "0.5",
            "scan-interval": "10s",
            "skip-nodes-with-local-storage": "false",
            "skip-nodes-with-system-pods": "true",
        }),
    );
}

/// Leaves out what means nothing.
pub(super) fn vanish(properties: &mut Body) {
    let off = |value: &Value| *value == json!(false);
    drop_if(properties, "apiServerAccessProfile.authorizedIPRanges", is_empty);
    drop_if(properties, "apiServerAccessProfile.disableRunCommand", off);
    drop_if(properties, "apiServerAccessProfile", is_empty);
    drop_if(properties, "addonProfiles", is_empty);
    for secret in ["servicePrincipalProfile.secret", "windowsProfile.adminPassword", "aadProfile.serverAppSecret"] {
        drop_if(properties, secret, |_| true);
    }
}
