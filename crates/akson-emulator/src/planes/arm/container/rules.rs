//! What a cluster may not be, and what it may not become.

use serde_json::{Value, json};

use super::Body;
use super::network;
use super::shape::{at, is_empty, is_on, same, text};
use super::version::Version;
use crate::errors::{self, Refusal};
use crate::world::World;

/// Settled with the cluster's creation, by the path in its properties.
const SETTLED: [&str; 11] = [
    "dnsPrefix",
    "fqdnSubdomain",
    "nodeResourceGroup",
    "diskEncryptionSetID",
    "enableRBAC",
    "linuxProfile.adminUsername",
    "windowsProfile.adminUsername",
    "networkProfile.serviceCidr",
    "networkProfile.serviceCidrs",
    "networkProfile.dnsServiceIP",
    "networkProfile.networkMode",
];

/// Values that may change in one direction: path, from, to. `*` is anything.
const ONE_WAY: [(&str, &[(&str, &str)]); 4] = [
    // Recorded, together with the way out of availability sets.
    ("networkProfile.loadBalancerSku", &[("basic", "standard")]),
    ("networkProfile.networkPlugin", &[("kubenet", "azure")]),
    ("networkProfile.networkPolicy", &[("*", "cilium"), ("*", "none")]),
    ("networkProfile.networkDataplane", &[("azure", "cilium")]),
];

/// Whether what is settled stays.
pub(super) fn check_change(before: &Body, after: &Body) -> Result<(), Refusal> {
    for path in SETTLED {
        // A part that the cluster never had can be given once.
        if at(before, path).is_some() && !same(at(before, path), at(after, path)) {
            return Err(errors::container::unchangeable(path));
        }
    }
    for (path, ways) in ONE_WAY {
        let (old, new) = (text(before, path), text(after, path));
        let open = ways
            .iter()
            .any(|(from, to)| (*from == "*" || from.eq_ignore_ascii_case(old)) && to.eq_ignore_ascii_case(new));
        if !old.eq_ignore_ascii_case(new) && !open {
            return Err(errors::container::unchangeable(path));
        }
    }
    if text(before, "networkProfile.networkPluginMode").eq_ignore_ascii_case("overlay")
        && !same(at(before, "networkProfile.podCidr"), at(after, "networkProfile.podCidr"))
    {
        return Err(errors::container::unchangeable("networkProfile.podCidr"));
    }
    let private = "apiServerAccessProfile.enablePrivateCluster";
    if is_on(before, private) != is_on(after, private) && !is_on(after, "apiServerAccessProfile.enableVnetIntegration")
    {
        return Err(errors::container::unchangeable(private));
    }
    for once_on in ["oidcIssuerProfile.enabled", "aadProfile.managed", "apiServerAccessProfile.enableVnetIntegration"] {
        if is_on(before, once_on) && !is_on(after, once_on) {
            return Err(errors::container::unchangeable(once_on));
        }
    }
    if text(before, "servicePrincipalProfile.clientId") == "msi"
        && text(after, "servicePrincipalProfile.clientId") != "msi"
    {
        return Err(errors::container::unchangeable("servicePrincipalProfile.clientId"));
    }
    check_outbound(before, after)?;
    let old = Version::parse(text(before, "currentKubernetesVersion"), "properties.kubernetesVersion")?;
    let new = Version::parse(text(after, "currentKubernetesVersion"), "properties.kubernetesVersion")?;
    if !new.follows(&old) {
        let message = format!("Upgrading Kubernetes version {} to {} is not allowed.", old.current, new.current);
        return Err(errors::container::bad_request(message));
    }
    Ok(())
}

/// The ways between outbound types: they differ for networks that AKS made and for others.
fn check_outbound(before: &Body, after: &Body) -> Result<(), Refusal> {
    const PATH: &str = "networkProfile.outboundType";
    let (old, new) = (text(before, PATH).to_ascii_lowercase(), text(after, PATH).to_ascii_lowercase());
    let own_network = !subnets(after).is_empty();
    let open = old == new
        || if own_network {
            new != "block" && new != "managednatgateway"
        } else {
            matches!(
                (old.as_str(), new.as_str()),
                ("loadbalancer", "managednatgateway" | "none" | "block")
                    | ("managednatgateway", "none" | "block")
                    | ("block", "none")
                    | ("none", _)
            )
        };
    if open { Ok(()) } else { Err(errors::container::unchangeable(PATH)) }
}

/// The subnets that the pools of a cluster are in.
fn subnets(properties: &Body) -> Vec<&str> {
    let pools = properties.get("agentPoolProfiles").and_then(Value::as_array);
    pools.into_iter().flatten().filter_map(|pool| pool.get("vnetSubnetID").and_then(Value::as_str)).collect()
}

/// Whether the parts of a cluster go together.
pub(super) fn check_whole(world: &World, body: &Body, properties: &Body) -> Result<(), Refusal> {
    let identity =
        body.get("identity").and_then(|identity| identity.get("type")).and_then(Value::as_str).unwrap_or_default();
    let user_assigned = identity.eq_ignore_ascii_case("UserAssigned");
    let tier = body.get("sku").and_then(|sku| sku.get("tier")).and_then(Value::as_str).unwrap_or("Free");
    let integrated = is_on(properties, "apiServerAccessProfile.enableVnetIntegration");
    let private = is_on(properties, "apiServerAccessProfile.enablePrivateCluster");
    let ranges = at(properties, "apiServerAccessProfile.authorizedIPRanges").is_some_and(|ranges| !is_empty(ranges));
    let zone = text(properties, "apiServerAccessProfile.privateDNSZone");
    let custom_zone = zone.starts_with('/');
    let public_name = at(properties, "apiServerAccessProfile.enablePrivateClusterPublicFQDN") != Some(&json!(false));
    let managed = is_on(properties, "aadProfile.managed");
    let kubelet = text(properties, "identityProfile.kubeletidentity.resourceId");
    let own_kubelet = !kubelet.is_empty() && !kubelet.to_ascii_lowercase().contains("/resourcegroups/mc_");
    let outbound = text(properties, "networkProfile.outboundType").to_ascii_lowercase();
    let cached = text(properties, "bootstrapProfile.artifactSource").eq_ignore_ascii_case("Cache");
    let premium = tier.eq_ignore_ascii_case("Premium");
    let kms = "securityProfile.azureKeyVaultKms";
    let refused: [(bool, &str); 13] = [
        (
            text(properties, "ingressProfile.gatewayAPI.installation").eq_ignore_ascii_case("Standard")
                && !text(properties, "serviceMeshProfile.mode").eq_ignore_ascii_case("Istio")
                && !text(properties, "ingressProfile.webAppRouting.gatewayAPIImplementations.appRoutingIstio.mode")
                    .eq_ignore_ascii_case("Enabled"),
            "Gateway API installation requires at least one implementation that uses Gateway API to be enabled. Supported implementations are Istio Service Mesh Addon.",
        ),
        (
            is_on(properties, "disableLocalAccounts") && !managed,
            "Local accounts can only be disabled on a cluster with managed Azure Active Directory integration (aadProfile.managed).",
        ),
        (
            is_on(properties, "aadProfile.enableAzureRBAC") && !managed,
            "Azure RBAC for Kubernetes authorization needs managed Azure Active Directory integration (aadProfile.managed).",
        ),
        (
            is_on(properties, "securityProfile.workloadIdentity.enabled")
                && !is_on(properties, "oidcIssuerProfile.enabled"),
            "Workload identity can only be enabled on a cluster with its OIDC issuer enabled (oidcIssuerProfile.enabled).",
        ),
        (private && ranges && !integrated, "Private cluster cannot be enabled together with authorized IP ranges."),
        (
            private && zone.eq_ignore_ascii_case("none") && !public_name,
            "privateDNSZone can only be none if the public FQDN of the private cluster is enabled.",
        ),
        (private && custom_zone && !user_assigned, "A custom private DNS zone needs a user-assigned identity."),
        (own_kubelet && !user_assigned, "A custom kubelet identity needs a user-assigned identity of the cluster."),
        (
            is_on(properties, "metricsProfile.costAnalysis.enabled") && tier.eq_ignore_ascii_case("Free"),
            "Cost analysis needs a cluster of the Standard or Premium tier.",
        ),
        (
            text(properties, "supportPlan").eq_ignore_ascii_case("AKSLongTermSupport") && !premium,
            "Long term support needs a cluster of the Premium tier.",
        ),
        (
            matches!(outbound.as_str(), "none" | "block") && !cached,
            "Outbound type none or block needs bootstrapProfile.artifactSource to be Cache.",
        ),
        (
            is_on(properties, &format!("{kms}.enabled"))
                && text(properties, &format!("{kms}.keyVaultNetworkAccess")).eq_ignore_ascii_case("Private")
                && !integrated,
            "A key vault with private access only needs API server VNet integration.",
        ),
        (
            outbound == "userdefinedrouting"
                && !text(properties, "networkProfile.loadBalancerSku").eq_ignore_ascii_case("standard"),
            "Outbound type userDefinedRouting needs a load balancer of the standard SKU.",
        ),
    ];
    if let Some((_, message)) = refused.iter().find(|(refused, _)| *refused) {
        return Err(errors::container::bad_request(*message));
    }
    check_subnets(world, properties, outbound == "userdefinedrouting")
}

/// The subnets exist; user-defined routing needs one for each pool, with a route for everything.
fn check_subnets(world: &World, properties: &Body, routed: bool) -> Result<(), Refusal> {
    let used = subnets(properties);
    let pools = properties.get("agentPoolProfiles").and_then(Value::as_array).map_or(0, Vec::len);
    if routed && (used.is_empty() || used.len() < pools) {
        return Err(errors::container::bad_request(
            "Outbound type userDefinedRouting needs all agent pools to be in a subnet of your own (agentPoolProfiles.vnetSubnetID).",
        ));
    }
    for id in used {
        let Some(subnet) = network::subnet(world, id) else {
            let message = format!("The subnet {id} of the agent pool could not be found.");
            return Err(errors::container::invalid("SubnetNotFound", message, "agentPoolProfile.vnetSubnetID"));
        };
        if !routed {
            continue;
        }
        let Some(routes) = subnet.routed else {
            let message = format!(
                "An existing route table has not been associated with subnet {id}. Please update the route table association."
            );
            return Err(errors::container::invalid(
                "ExistingRouteTableNotAssociatedWithSubnet",
                message,
                "networkProfile.outboundType",
            ));
        };
        if !routes.iter().any(|prefix| prefix == "0.0.0.0/0") {
            let message = format!(
                "The route table of subnet {id} has no route for 0.0.0.0/0, which outbound type userDefinedRouting needs."
            );
            return Err(errors::container::bad_request(message));
        }
    }
    Ok(())
}

/// 1-63 letters, digits, `-` and `_`, with a letter or digit at both ends.
pub(super) fn check_name(name: &str) -> Result<(), Refusal> {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let fits = (1..=63).contains(&name.len())
        && edge(name.chars().next())
        && edge(name.chars().last())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if fits {
        return Ok(());
    }
    let message = format!(
        "The value of parameter resourceName is invalid. Error details: '{name}' must be 1 to 63 letters, digits, '-' and '_' and start and end with a letter or digit. Please see https://aka.ms/aks-naming-rules for more details."
    );
    Err(errors::container::invalid_parameter(message, "resourceName"))
}

/// 1-54 letters, digits and `-`, with a letter or digit at both ends.
pub(super) fn check_dns_prefix(properties: &Body) -> Result<(), Refusal> {
    let prefix = text(properties, "dnsPrefix");
    if prefix.is_empty() {
        if !text(properties, "fqdnSubdomain").is_empty() {
            return Ok(());
        }
        let message = "Required parameter dnsPrefix is missing (null).";
        return Err(errors::container::invalid_parameter(message, "managedCluster.properties.dnsPrefix"));
    }
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let fits = prefix.len() <= 54
        && edge(prefix.chars().next())
        && edge(prefix.chars().last())
        && prefix.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if fits {
        return Ok(());
    }
    let message = format!(
        "The value of parameter dnsPrefix is invalid. Error details: DNS prefix '{prefix}' is invalid. DNS prefix must contain between 1 and 54 characters, letters, numbers and hyphens, and start and end with a letter or number. Please see https://aka.ms/aks-naming-rules for more details."
    );
    Err(errors::container::invalid_parameter(message, "dnsPrefix"))
}
