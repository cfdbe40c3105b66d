//! Parts of a cluster that its author switches on and the service completes: network observability, ingress, mesh,
//! monitoring, proxies. All as recorded. What every cluster has is `defaults`.

use serde_json::{Value, json};

use super::Body;
use super::shape::{at, fill, is_on, set, text};

/// The newest revision of the mesh, which a mesh without one gets.
const MESH: &str = "asm-1-26";

/// Fills in what follows from what is switched on.
pub(super) fn complete(properties: &mut Body) {
    advanced_networking(properties);
    if let Some(Value::Object(routing)) =
        properties.get_mut("ingressProfile").and_then(|ingress| ingress.get_mut("webAppRouting"))
    {
        fill(
            routing,
            json!({
                "enabled": false,
                "dnsZoneResourceIds": null,
                "nginx": { "defaultIngressControllerType": "AnnotationControlled" },
                "defaultDomain": { "enabled": false },
            }),
        );
    }
    if text(properties, "serviceMeshProfile.mode").eq_ignore_ascii_case("Istio")
        && let Some(Value::Object(mesh)) = properties.get_mut("serviceMeshProfile")
    {
        let istio = json!({
            "components": { "proxyRedirectionMechanism": "InitContainers" },
            "revisions": [MESH],
        });
        fill(mesh, json!({ "istio": istio }));
    }
    container_insights(properties);
    if let Some(Value::Object(gmsa)) =
        properties.get_mut("windowsProfile").and_then(|windows| windows.get_mut("gmsaProfile"))
    {
        fill(gmsa, json!({ "dnsServer": "", "rootDomainName": "" }));
    }
    if let Some(Value::Object(guards)) = properties.get_mut("safeguardsProfile") {
        let spared = ["kube-system", "calico-system", "tigera-system", "gatekeeper-system"];
        fill(guards, json!({ "systemExcludedNamespaces": spared }));
    }
    if is_on(properties, "apiServerAccessProfile.enableVnetIntegration")
        && let Some(Value::Object(access)) = properties.get_mut("apiServerAccessProfile")
    {
        fill(access, json!({ "enablePrivateCluster": false, "subnetId": "" }));
    }
}

/// Observability and security of the network go on and off together; policies and encryption need Cilium.
fn advanced_networking(properties: &mut Body) {
    let cilium = text(properties, "networkProfile.networkDataplane").eq_ignore_ascii_case("cilium");
    let on = is_on(properties, "networkProfile.advancedNetworking.enabled");
    let Some(Value::Object(profile)) =
        properties.get_mut("networkProfile").and_then(|network| network.get_mut("advancedNetworking"))
    else {
        return;
    };
    if !on {
        profile.insert("enabled".to_owned(), json!(false));
        set(profile, "observability.enabled", json!(false));
        set(profile, "security.enabled", json!(false));
        return;
    }
    fill(profile, json!({ "observability": { "enabled": true }, "security": { "enabled": cilium } }));
    if cilium && is_on(profile, "security.enabled") {
        let secured = json!({ "advancedNetworkPolicies": "FQDN", "transitEncryption": { "type": "None" } });
        fill(profile, json!({ "security": secured, "performance": { "accelerationMode": "None" } }));
    }
}

/// Container Insights is an add-on that previews show among the monitors, too.
fn container_insights(properties: &mut Body) {
    let Some(addons) = properties.get("addonProfiles").and_then(Value::as_object) else { return };
    let Some((_, addon)) = addons.iter().find(|(name, _)| name.eq_ignore_ascii_case("omsagent")) else { return };
    let on = addon["enabled"] == true;
    let workspace = addon["config"].as_object().and_then(|config| {
        config.iter().find(|(name, _)| name.eq_ignore_ascii_case("logAnalyticsWorkspaceResourceID"))
    });
    let workspace = workspace.map(|(_, workspace)| workspace.clone()).filter(|_| on);
    match workspace {
        Some(workspace) => {
            let shown = json!({ "enabled": true, "logAnalyticsWorkspaceResourceId": workspace });
            set(properties, "azureMonitorProfile.containerInsights", shown);
        }
        None => {
            if let Some(Value::Object(monitor)) = properties.get_mut("azureMonitorProfile") {
                monitor.shift_remove("containerInsights");
                if monitor.is_empty() {
                    properties.shift_remove("azureMonitorProfile");
                }
            }
        }
    }
}

/// Where both the monitor and the add-on behind it are written, the monitor counts.
pub(super) fn monitored(wishes: &mut Body) {
    let workspace = at(wishes, "azureMonitorProfile.containerInsights.logAnalyticsWorkspaceResourceId").cloned();
    let addons = wishes.entry("addonProfiles").or_insert_with(|| json!({}));
    let Some(addons) = addons.as_object_mut() else { return };
    let name = addons.keys().find(|name| name.eq_ignore_ascii_case("omsagent")).cloned();
    let name = name.unwrap_or_else(|| "omsagent".to_owned());
    set(addons, &format!("{name}.enabled"), json!(true));
    if let Some(workspace) = workspace {
        set(addons, &format!("{name}.config.logAnalyticsWorkspaceResourceID"), workspace);
    }
}

/// What goes around a proxy: what the author named, and what nodes need in any case.
pub(super) fn around_proxy(properties: &mut Body) {
    if at(properties, "httpProxyConfig").is_none() {
        return;
    }
    let network = |name: &str| text(properties, &format!("networkProfile.{name}")).to_owned();
    let own = at(properties, "httpProxyConfig.noProxy").and_then(Value::as_array).cloned().unwrap_or_default();
    let usual = ["localhost", "127.0.0.1", "168.63.129.16", "169.254.169.254", "konnectivity"].map(str::to_owned);
    let subnets = [network("serviceCidr"), network("podCidr"), text(properties, "fqdn").to_owned()];
    let mut names: Vec<Value> = own;
    for name in usual.into_iter().chain(subnets).filter(|name| !name.is_empty()) {
        if !names.iter().any(|known| known == name.as_str()) {
            names.push(name.into());
        }
    }
    set(properties, "httpProxyConfig.effectiveNoProxy", names.into());
    if at(properties, "httpProxyConfig.enabled").is_none() {
        set(properties, "httpProxyConfig.enabled", json!(true));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(properties: Value) -> Value {
        let Value::Object(mut properties) = properties else { return Value::Null };
        complete(&mut properties);
        Value::Object(properties)
    }

    #[test]
    fn the_network_is_watched() {
        let on = completed(json!({
            "networkProfile": { "networkDataplane": "cilium", "advancedNetworking": { "enabled": true } },
        }));
        assert_eq!(
            on["networkProfile"]["advancedNetworking"],
            json!({
                "enabled": true,
                "observability": { "enabled": true },
                "security": {
                    "enabled": true, "advancedNetworkPolicies": "FQDN", "transitEncryption": { "type": "None" },
                },
                "performance": { "accelerationMode": "None" },
            })
        );
        let azure = completed(json!({ "networkProfile": { "advancedNetworking": { "enabled": true } } }));
        assert_eq!(azure["networkProfile"]["advancedNetworking"]["security"], json!({ "enabled": false }));
        let off = json!({ "enabled": false, "observability": { "enabled": true }, "security": { "enabled": true } });
        let off = completed(json!({ "networkProfile": { "advancedNetworking": off } }));
        assert_eq!(off["networkProfile"]["advancedNetworking"]["observability"]["enabled"], false);
    }

    #[test]
    fn container_insights_follow_the_addon() {
        let addon = |on| json!({ "enabled": on, "config": { "logAnalyticsWorkspaceResourceID": "/w" } });
        let on = completed(json!({ "addonProfiles": { "omsAgent": addon(true) } }));
        assert_eq!(
            on["azureMonitorProfile"],
            json!({ "containerInsights": { "enabled": true, "logAnalyticsWorkspaceResourceId": "/w" } })
        );
        let off = completed(json!({
            "addonProfiles": { "omsagent": addon(false) }, "azureMonitorProfile": { "containerInsights": {} },
        }));
        assert_eq!(off.get("azureMonitorProfile"), None);
    }

    #[test]
    fn a_proxy_is_gone_around() {
        let Value::Object(mut properties) = json!({
            "networkProfile": { "serviceCidr": "10.0.0.0/16" },
            "httpProxyConfig": { "noProxy": ["a.example", "localhost"] },
        }) else {
            return;
        };
        around_proxy(&mut properties);
        assert_eq!(
            properties["httpProxyConfig"]["effectiveNoProxy"],
            json!([
                "a.example",
                "localhost",
                "127.0.0.1",
                "168.63.129.16",
                "169.254.169.254",
                "konnectivity",
                "10.0.0.0/16"
            ])
        );
    }
}
