//! Objects that nobody recorded, made from Azure's type data: of each kind that everything must be sayable of, every property that may be
//! written, one at a time with each of its words, and all at once. What is imported of each is right and in sync with it, and writes
//! again what was there. The data is not part of the repository; without it the test says so and passes.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a table of what was found")]

use std::collections::{BTreeMap, BTreeSet};

use akson_catalog::{Catalog, Kind, json::put};
use akson_config::import::{ImportOptions, import};
use akson_tests::world::World;
use serde_json::{Map, Value as Json, json};

use crate::{
    recorded_import::folder,
    recorded_writes::{MISSION, is_unsaid, missing, types},
};

const SUBSCRIPTION: &str = "/subscriptions/11111111-0000-4000-8000-000000000001";
const GUID: &str = "22222222-0000-4000-8000-000000000002";

/// An id of something, by what a property's name or description speaks of.
fn id(of: &str) -> String {
    format!("{SUBSCRIPTION}/resourceGroups/app/providers/{of}")
}

/// A text that fits where a property stands.
fn text(place: &str, node: &Json) -> Option<String> {
    let lower = place.to_ascii_lowercase();
    let (head, last) = lower.rsplit_once('/').unwrap_or(("", &lower));
    let last = if last == "*" || last == "0" { head.rsplit('/').next().unwrap_or_default() } else { last };
    let described = node["description"].as_str().unwrap_or_default().to_ascii_lowercase();
    let subnet = id("Microsoft.Network/virtualNetworks/net/subnets/sub");
    let fixed = match last {
        _ if last.contains("subnetid") || last.contains("subnetresourceid") => subnet,
        "id" if lower.contains("publicips") => id("Microsoft.Network/publicIPAddresses/ip"),
        "id" if lower.contains("publicipprefixes") => id("Microsoft.Network/publicIPPrefixes/prefix"),
        "id" if lower.contains("virtualnetworkrules") => subnet,
        "resourceid" if lower.contains("identit") => id("Microsoft.ManagedIdentity/userAssignedIdentities/id"),
        _ if last.contains("workspace") && last.contains("id") => id("Microsoft.OperationalInsights/workspaces/logs"),
        "delegatedmanagedidentityresourceid" => id("Microsoft.ManagedIdentity/userAssignedIdentities/id"),
        "kind" if lower == "/kind" => "Automatic".to_owned(),
        "keyvaultid" | "keyvaultresourceid" => id("Microsoft.KeyVault/vaults/kv"),
        "diskencryptionsetid" => id("Microsoft.Compute/diskEncryptionSets/set"),
        "proximityplacementgroupid" => id("Microsoft.Compute/proximityPlacementGroups/near"),
        "capacityreservationgroupid" => id("Microsoft.Compute/capacityReservationGroups/kept"),
        "hostgroupid" => id("Microsoft.Compute/hostGroups/hosts"),
        "applicationsecuritygroups" => id("Microsoft.Network/applicationSecurityGroups/asg"),
        "nodepublicipprefixid" => id("Microsoft.Network/publicIPPrefixes/prefix"),
        "containerregistryid" => id("Microsoft.ContainerRegistry/registries/reg"),
        "privatednszone" => id("Microsoft.Network/privateDnsZones/privatelink.westeurope.azmk8s.io"),
        "dnszoneresourceids" => id("Microsoft.Network/dnsZones/example.com"),
        "policyassignmentid" => id("Microsoft.Authorization/policyAssignments/one"),
        "policydefinitionid" if lower.contains("assign") || lower.contains("policydefinitions") => {
            format!("{SUBSCRIPTION}/providers/Microsoft.Authorization/policyDefinitions/one")
        }
        "policydefinitionid" => format!("{SUBSCRIPTION}/providers/Microsoft.Authorization/policyDefinitions/one"),
        "sourceresourceid" => id("Microsoft.ContainerService/managedClusters/other/agentPools/pool"),
        "roledefinitionid" => {
            format!(
                "{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"
            )
        }
        "assignablescopes" | "notscopes" => SUBSCRIPTION.to_owned(),
        "keyid" => "https://kv.vault.azure.net/keys/key/0123456789abcdef0123456789abcdef".to_owned(),
        "issuer" => "https://issuer.example.com/a".to_owned(),
        "servicecidr" | "servicecidrs" => "10.240.0.0/16".to_owned(),
        "podcidr" | "podcidrs" => "10.244.0.0/16".to_owned(),
        "authorizedipranges" | "value" if lower.contains("ip") => "203.0.113.0/24".to_owned(),
        "dnsserviceip" => "10.240.0.10".to_owned(),
        "gmsaprofile" | "dnsserver" => "10.0.0.53".to_owned(),
        "httpproxy" | "httpsproxy" => "http://proxy.example.com:3128/".to_owned(),
        "trustedca" | "customcatrustcertificates" => "TFMwdExTMUNSVWRKVGlCRFJWSlVTVVpKUTBGVVJTMHRMUzB0".to_owned(),
        _ if lower.contains("/autoscalerprofile/") => match last {
            _ if last.starts_with("balance") || last.starts_with("skip") => "true".to_owned(),
            _ if last.ends_with("threshold") => "0.5".to_owned(),
            _ if last.starts_with("max-node")
                || last.contains("delay")
                || last.contains("time")
                || last.contains("interval") =>
            {
                "10m".to_owned()
            }
            _ => "10".to_owned(),
        },
        "maxsurge" | "maxunavailable" => "33%".to_owned(),
        "cpumanagerpolicy" => "static".to_owned(),
        "topologymanagerpolicy" => "best-effort".to_owned(),
        "transparenthugepageenabled" => "madvise".to_owned(),
        "transparenthugepagedefrag" => "defer+madvise".to_owned(),
        "conditionversion" => "2.0".to_owned(),
        "mode" if lower.ends_with("/properties/mode") => "All".to_owned(),
        "publicnetworkaccess" => "Disabled".to_owned(),
        "version" | "versions" | "definitionversion" => "1.*.*".to_owned(),
        "revisions" => "asm-1-25".to_owned(),
        "effect" => "Deny".to_owned(),
        "keydata" => "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ user".to_owned(),
        "nodelabels" => "x".to_owned(),
        "location" | "locations" => "westeurope".to_owned(),
        "kubernetesversion" | "orchestratorversion" => "1.33".to_owned(),
        "expireson" | "until" | "creationdate" => "2030-01-01T00:00:00Z".to_owned(),
        "availabilityzones" => "1".to_owned(),
        "nodetaints" | "nodeinitializationtaints" => "key=value:NoSchedule".to_owned(),
        _ if described.contains("resource id") || described.contains("resourceid") => return None,
        _ if last.ends_with("id") || last.ends_with("ids") => GUID.to_owned(),
        _ => {
            let least = usize::try_from(node["minLength"].as_u64().unwrap_or(0)).unwrap_or(0);
            "app".repeat(1 + least / 3)
        }
    };
    Some(fixed)
}

/// What a node stands for.
fn resolved<'a>(data: &'a Json, node: &'a Json) -> &'a Json {
    let name = node["ref"].as_str().and_then(|reference| reference.rsplit('/').next());
    name.map_or(node, |name| &data["definitions"][name])
}

fn is_read_only(node: &Json) -> bool {
    node["flags"].as_array().is_some_and(|flags| flags.iter().any(|flag| flag == "readOnly"))
}

fn is_required(node: &Json) -> bool {
    node["flags"].as_array().is_some_and(|flags| flags.iter().any(|flag| flag == "required"))
}

/// Values of a node: each of its words; of an object with what it requires.
fn values(data: &Json, node: &Json, place: &str) -> Vec<Json> {
    let node = resolved(data, node);
    if let Some(words) = node["enum"].as_array() {
        return words.clone();
    }
    match node["type"].as_str().unwrap_or_default() {
        "boolean" => vec![json!(true), json!(false)],
        "integer" => {
            let least = node["min"].as_i64().unwrap_or(0);
            vec![json!(node["max"].as_i64().unwrap_or(least + 30).min(least + 30))]
        }
        "number" => vec![json!(-1)],
        "string" => text(place, node).map(|text| json!(text)).into_iter().collect(),
        "array" => values(data, &node["items"], &format!("{place}/*")).into_iter().map(|item| json!([item])).collect(),
        "object" if node["properties"].is_object() => vec![full(data, node, place)],
        "any" if place.ends_with("customCATrustCertificates/*") => {
            vec![json!("TFMwdExTMUNSVWRKVGlCRFJWSlVTVVpKUTBGVVJTMHRMUzB0")]
        }
        "object" | "any" if place.ends_with("/parameters") => vec![json!({"app": {"value": "one"}})],
        "object" | "any" if place.ends_with("userAssignedIdentities") => {
            vec![json!({id("Microsoft.ManagedIdentity/userAssignedIdentities/id"): {}})]
        }
        "object" | "any" if place.ends_with("identityProfile") => vec![json!({"kubeletidentity": {
            "resourceId": id("Microsoft.ManagedIdentity/userAssignedIdentities/kubelet"), "clientId": GUID, "objectId": GUID,
        }})],
        "object" | "any" if place.ends_with("addonProfiles") => vec![
            json!({"azurepolicy": {"enabled": true}}),
            json!({"azureKeyvaultSecretsProvider": {"enabled": true, "config": {"enableSecretRotation": "true", "rotationPollInterval": "2m"}}}),
            json!({"omsagent": {"enabled": true, "config": {
                "logAnalyticsWorkspaceResourceID": id("Microsoft.OperationalInsights/workspaces/logs"), "useAADAuth": "true",
            }}}),
            json!({"ingressApplicationGateway": {"enabled": true, "config": {
                "applicationGatewayName": "gate", "subnetCIDR": "10.225.0.0/16", "watchNamespace": "default",
            }}}),
            json!({"aciConnectorLinux": {"enabled": true, "config": {"SubnetName": "virtual"}}}),
            json!({"ACCSGXDevicePlugin": {"enabled": true, "config": {"ACCSGXQuoteHelperEnabled": "true"}}}),
            json!({"httpApplicationRouting": {"enabled": true}}),
            json!({"kubeDashboard": {"enabled": false}}),
        ],
        "object" | "any" => vec![json!({"app": "one"})],
        _ => Vec::new(),
    }
}

/// An object with all of its members.
fn full(data: &Json, node: &Json, place: &str) -> Json {
    let mut members = Map::new();
    for (name, inner) in node["properties"].as_object().into_iter().flatten() {
        // Who an identity is follows from it.
        let follows = place.ends_with("/securityGating/identities/*/identity") && name != "resourceId";
        if follows || is_read_only(inner) || is_read_only(resolved(data, inner)) {
            continue;
        }
        if let Some(value) = values(data, inner, &format!("{place}/{name}")).into_iter().next() {
            members.insert(name.clone(), value);
        }
    }
    Json::Object(members)
}

/// Every place that may be written below a node, with the values to try there; items of lists are taken whole.
fn places(data: &Json, node: &Json, at: &str, found: &mut Vec<(String, Vec<Json>)>) {
    for (name, inner) in node["properties"].as_object().into_iter().flatten() {
        let own = resolved(data, inner);
        if is_read_only(inner) || is_read_only(own) {
            continue;
        }
        let place = format!("{at}/{name}");
        if own["type"] == "object" && own["properties"].is_object() {
            places(data, own, &place, found);
        } else {
            found.push((place.clone(), values(data, inner, &place)));
        }
    }
}

/// What an object has that nobody can leave out.
fn required(data: &Json, node: &Json, at: &str, body: &mut Json) {
    for (name, inner) in node["properties"].as_object().into_iter().flatten() {
        let own = resolved(data, inner);
        if is_read_only(inner) {
            continue;
        }
        let place = format!("{at}/{name}");
        if own["type"] == "object" && own["properties"].is_object() {
            if is_required(inner) || place == "/properties" {
                required(data, own, &place, body);
            }
        } else if is_required(inner)
            && let Some(value) = values(data, inner, &place).into_iter().next()
        {
            put(body, &place, value);
        }
    }
}

/// The least that an object of a kind is.
fn least(kind: &Kind, data: &Json) -> Json {
    let mut body = json!({});
    required(data, &data["body"], "", &mut body);
    let group = format!("{SUBSCRIPTION}/resourceGroups/app");
    let cluster = format!("{group}/providers/Microsoft.ContainerService/managedClusters/aks");
    let identity = format!("{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/app-id");
    let (id, name) = match kind.keyword.as_str() {
        "cluster" => (cluster, "aks"),
        "node_pool" => (format!("{cluster}/agentPools/pool"), "pool"),
        "identity" => (identity, "app-id"),
        "federated_credential" => (format!("{identity}/federatedIdentityCredentials/app-fc"), "app-fc"),
        "resource_group" => (group, "app"),
        "vault" => (format!("{group}/providers/Microsoft.KeyVault/vaults/app-kv"), "app-kv"),
        "grant" => (format!("{group}/providers/{}/{GUID}", kind.resource_type), GUID),
        "role" => (format!("{SUBSCRIPTION}/providers/{}/{GUID}", kind.resource_type), GUID),
        "policy_definition" | "initiative" | "role_definition" => {
            (format!("{SUBSCRIPTION}/providers/{}/one", kind.resource_type), "one")
        }
        _ => (format!("{group}/providers/{}/one", kind.resource_type), "one"),
    };
    put(&mut body, "/id", json!(id));
    put(&mut body, "/name", json!(name));
    if let Some(location) = body.get_mut("location") {
        *location = json!("westeurope");
    }
    match kind.keyword.as_str() {
        "cluster" => {
            put(
                &mut body,
                "/properties/agentPoolProfiles",
                json!([{
                    "name": "system", "mode": "System", "count": 1, "vmSize": "Standard_D4s_v5", "type": "VirtualMachineScaleSets",
                }]),
            );
            put(&mut body, "/properties/aadProfile", json!({"managed": true, "enableAzureRBAC": true}));
            put(&mut body, "/properties/disableLocalAccounts", json!(true));
            put(&mut body, "/identity", json!({"type": "SystemAssigned"}));
        }
        "node_pool" => put(&mut body, "/properties/vmSize", json!("Standard_D4s_v5")),
        "initiative" => put(
            &mut body,
            "/properties/policyDefinitions",
            json!([
                {"policyDefinitionId": format!("{SUBSCRIPTION}/providers/Microsoft.Authorization/policyDefinitions/one")},
            ]),
        ),
        "vault" => put(&mut body, "/properties/tenantId", json!(GUID)),
        "role" => {
            put(&mut body, "/properties/roleName", json!("one"));
            put(&mut body, "/properties/type", json!("CustomRole"));
            put(&mut body, "/properties/assignableScopes", json!([SUBSCRIPTION]));
            put(&mut body, "/properties/permissions", json!([{"actions": ["*/read"]}]));
        }
        _ => {}
    }
    body
}

/// What a property has no meaning without: below which place, what else is there.
fn context(kind: &str) -> Vec<(&'static str, Vec<(&'static str, Json)>)> {
    let identity = json!({id("Microsoft.ManagedIdentity/userAssignedIdentities/id"): {}});
    let user_assigned = vec![("/identity/type", json!("UserAssigned")), ("/identity/userAssignedIdentities", identity)];
    let private = ("/properties/apiServerAccessProfile/enablePrivateCluster", json!(true));
    let subnet = json!(id("Microsoft.Network/virtualNetworks/net/subnets/sub"));
    let vnet = vec![
        ("/properties/apiServerAccessProfile/enableVnetIntegration", json!(true)),
        ("/properties/apiServerAccessProfile/subnetId", subnet),
    ];
    let kms = vec![
        ("/properties/securityProfile/azureKeyVaultKms/enabled", json!(true)),
        (
            "/properties/securityProfile/azureKeyVaultKms/keyId",
            json!("https://kv.vault.azure.net/keys/key/0123456789abcdef0123456789abcdef"),
        ),
        ("/properties/securityProfile/azureKeyVaultKms/keyVaultNetworkAccess", json!("Public")),
    ];
    let mesh = ("/properties/serviceMeshProfile/mode", json!("Istio"));
    let plugin = |name| {
        json!({
            "keyVaultId": id("Microsoft.KeyVault/vaults/kv"), "certObjectName": "cert", "keyObjectName": "key",
            "rootCertObjectName": "root", "certChainObjectName": name,
        })
    };
    let policy = format!("{SUBSCRIPTION}/providers/Microsoft.Authorization/policyDefinitions/one");
    match kind {
        "cluster" => vec![
            ("/identity", user_assigned.clone()),
            ("/properties/identityProfile", user_assigned.clone()),
            ("/properties/aadProfile/clientAppID", vec![("/properties/aadProfile/managed", json!(false))]),
            ("/properties/aadProfile/serverApp", vec![("/properties/aadProfile/managed", json!(false))]),
            (
                "/properties/servicePrincipalProfile",
                vec![
                    ("/properties/servicePrincipalProfile/clientId", json!(GUID)),
                    ("/properties/servicePrincipalProfile/secret", json!("app")),
                    ("/identity/type", json!("None")),
                ],
            ),
            ("/properties/apiServerAccessProfile/enableVnetIntegration", vnet.clone()),
            ("/properties/apiServerAccessProfile/subnetId", vnet.clone()),
            ("/properties/apiServerAccessProfile/authorizedIPRanges", vec![]),
            (
                "/properties/apiServerAccessProfile/privateDNSZone",
                [vec![private.clone()], user_assigned.clone()].concat(),
            ),
            ("/properties/apiServerAccessProfile/enablePrivateClusterPublicFQDN", vec![private]),
            (
                "/properties/azureMonitorProfile/metrics",
                vec![("/properties/azureMonitorProfile/metrics/enabled", json!(true))],
            ),
            ("/properties/hostedSystemProfile", vec![("/properties/hostedSystemProfile/enabled", json!(true))]),
            (
                "/properties/ingressProfile/webAppRouting",
                vec![("/properties/ingressProfile/webAppRouting/enabled", json!(true))],
            ),
            (
                "/properties/linuxProfile",
                vec![
                    ("/properties/linuxProfile/adminUsername", json!("azureuser")),
                    (
                        "/properties/linuxProfile/ssh/publicKeys",
                        json!([{"keyData": "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ user"}]),
                    ),
                ],
            ),
            ("/properties/metricsProfile", vec![("/sku/tier", json!("Standard"))]),
            ("/properties/supportPlan", vec![("/sku/tier", json!("Premium"))]),
            (
                "/properties/networkProfile/advancedNetworking",
                vec![
                    ("/properties/networkProfile/advancedNetworking/enabled", json!(true)),
                    ("/properties/networkProfile/advancedNetworking/security/enabled", json!(true)),
                ],
            ),
            (
                "/properties/networkProfile/natGatewayProfile",
                vec![("/properties/networkProfile/outboundType", json!("managedNATGateway"))],
            ),
            (
                "/properties/networkProfile/outboundType",
                vec![(
                    "/properties/bootstrapProfile",
                    json!({
                        "artifactSource": "Cache", "containerRegistryId": id("Microsoft.ContainerRegistry/registries/reg"),
                    }),
                )],
            ),
            (
                "/properties/securityProfile/azureKeyVaultKms/keyVaultNetworkAccess",
                [
                    kms.clone(),
                    vec![(
                        "/properties/securityProfile/azureKeyVaultKms/keyVaultResourceId",
                        json!(id("Microsoft.KeyVault/vaults/kv")),
                    )],
                ]
                .concat(),
            ),
            (
                "/properties/securityProfile/azureKeyVaultKms/keyVaultResourceId",
                [
                    kms.clone(),
                    vec![("/properties/securityProfile/azureKeyVaultKms/keyVaultNetworkAccess", json!("Private"))],
                ]
                .concat(),
            ),
            ("/properties/securityProfile/azureKeyVaultKms", kms),
            (
                "/properties/securityProfile/defender",
                vec![
                    ("/properties/securityProfile/defender/securityMonitoring/enabled", json!(true)),
                    (
                        "/properties/securityProfile/defender/logAnalyticsWorkspaceResourceId",
                        json!(id("Microsoft.OperationalInsights/workspaces/logs")),
                    ),
                    ("/properties/securityProfile/defender/securityGating/enabled", json!(true)),
                ],
            ),
            (
                "/properties/securityProfile/workloadIdentity",
                vec![("/properties/oidcIssuerProfile/enabled", json!(true))],
            ),
            (
                "/properties/serviceMeshProfile/istio/certificateAuthority",
                vec![
                    mesh.clone(),
                    ("/properties/serviceMeshProfile/istio/certificateAuthority/plugin", plugin("chain")),
                ],
            ),
            ("/properties/serviceMeshProfile/istio", vec![mesh]),
            (
                "/properties/windowsProfile/gmsaProfile",
                vec![
                    ("/properties/windowsProfile/adminUsername", json!("azureuser")),
                    ("/properties/windowsProfile/gmsaProfile/enabled", json!(true)),
                ],
            ),
            ("/properties/windowsProfile", vec![("/properties/windowsProfile/adminUsername", json!("azureuser"))]),
            (
                "/extendedLocation",
                vec![("/extendedLocation/name", json!("losangeles")), ("/extendedLocation/type", json!("EdgeZone"))],
            ),
        ],
        "node_pool" => vec![
            (
                "/properties/enableAutoScaling",
                vec![("/properties/minCount", json!(1)), ("/properties/maxCount", json!(3))],
            ),
            (
                "/properties/minCount",
                vec![("/properties/enableAutoScaling", json!(true)), ("/properties/maxCount", json!(50))],
            ),
            (
                "/properties/maxCount",
                vec![("/properties/enableAutoScaling", json!(true)), ("/properties/minCount", json!(1))],
            ),
        ],
        "policy" => vec![
            (
                "/identity",
                [
                    vec![("/properties/policyDefinitionId", json!(policy)), ("/location", json!("westeurope"))],
                    user_assigned,
                ]
                .concat(),
            ),
            ("", vec![("/properties/policyDefinitionId", json!(policy))]),
        ],
        "policy_definition" => vec![(
            "",
            vec![
                (
                    "/properties/policyRule",
                    json!({"if": {"field": "type", "equals": "x"}, "then": {"effect": "audit"}}),
                ),
                ("/properties/displayName", json!("one")),
            ],
        )],
        "grant" => vec![(
            "/properties/conditionVersion",
            vec![("/properties/condition", json!("@Resource[x] StringEquals 'a'"))],
        )],
        _ => Vec::new(),
    }
}

/// Where only one of several can be, and another one is there when all is, with what that is.
const ALTERNATIVES: [(&str, &str, &str); 10] = [
    ("cluster", "/properties/servicePrincipalProfile", "it has an identity"),
    ("cluster", "/properties/aadProfile/clientAppID", "the integration is that of today"),
    ("cluster", "/properties/aadProfile/serverApp", "the integration is that of today"),
    ("cluster", "/properties/apiServerAccessProfile/authorizedIPRanges", "the cluster is private"),
    ("cluster", "/properties/networkProfile/outboundType", "the way out is a load balancer"),
    ("cluster", "/properties/networkProfile/natGatewayProfile", "the way out is a load balancer"),
    ("node_pool", "/properties/count", "it scales by itself"),
    ("vault", "/properties/accessPolicies", "access is by roles"),
    ("vault", "/properties/networkAcls/ipRules", "it is private"),
    ("vault", "/properties/networkAcls/virtualNetworkRules", "it is private"),
];

/// Words that stand for what people do not write, with the reason.
fn is_word_of_azure(place: &str, value: &Json) -> bool {
    const WORDS: [(&str, &str, &str); 5] = [
        ("/properties/policyType", "BuiltIn", "nobody makes it"),
        ("/properties/policyType", "Static", "nobody makes it"),
        ("/properties/policyType", "NotSpecified", "Azure refuses it in a request"),
        ("/properties/enforcementMode", "Enroll", "of a preview at the api-version of the kind"),
        ("/properties/type", "app", "a role that people make is a `CustomRole`"),
    ];
    WORDS.iter().any(|(at, word, _)| *at == place && value == word)
}

/// What is wrong with the import of an object; nothing if it is in sync and writes again what is there.
fn wrong(world: &World, kind: &Kind, body: &Json, data: &Json) -> Vec<String> {
    let options = ImportOptions {
        stack: "made".to_owned(),
        tenant: Some(world.emulator.identity().tenant),
        token_exchange_audience: "api://AzureADTokenExchange".to_owned(),
        ..ImportOptions::default()
    };
    let imported = import(std::slice::from_ref(body), Catalog::builtin().unwrap(), &options);
    let mut wrong = Vec::new();
    let is_managed = imported.declared.iter().any(|one| one.kind == kind.keyword && !one.existing);
    if !is_managed {
        let why =
            imported.declared.iter().flat_map(|one| &one.unsaid).map(|one| format!("{}: {}", one.attribute, one.why));
        wrong.push(format!("not declared: {:?} {:?}", imported.skipped, why.collect::<Vec<_>>()));
    }
    match world.evaluated(&imported.text, BTreeMap::new()) {
        Err(why) => wrong.push(format!(
            "{}\n{}",
            why.lines().filter(|line| line.contains("message") || line.contains("text:")).collect::<String>(),
            imported.text
        )),
        Ok(config) => {
            for resource in config.resources.iter().filter(|resource| resource.kind.keyword == kind.keyword) {
                let leaves = resource.leaves.iter().filter(|leaf| !leaf.on_create_only);
                let off = leaves.filter(|leaf| leaf.in_sync(body) == Some(false));
                wrong.extend(off.map(|leaf| format!("a plan would change {}", leaf.pointer)));
            }
        }
    }
    let name = body["name"].as_str().unwrap_or_default();
    let lost = missing(kind, name, body, Some(data));
    wrong.extend(lost.into_iter().map(|place| format!("lost: {place}")));
    wrong
}

#[test]
fn every_property_can_be_imported_and_written_again() {
    let Some(folder) = folder() else {
        eprintln!("skipped: no type data (AKSON_AZURE_DATA, else ../shared/azure)");
        return;
    };
    let world = World::new();
    let catalog = Catalog::builtin().unwrap();
    let only = std::env::var("AKSON_RECORDED_KIND").ok();
    let mut failures: BTreeSet<String> = BTreeSet::new();
    for keyword in MISSION.iter().filter(|keyword| only.as_ref().is_none_or(|only| only == *keyword)) {
        let kind = catalog.get(keyword).unwrap();
        let data = types(&folder, kind).unwrap();
        let mut found = Vec::new();
        places(&data, &data["body"], "", &mut found);
        let least = least(kind, &data);
        let (mut tried, mut right) = (0, 0);
        let mut all = least.clone();
        for (place, values) in found {
            if ["/id", "/name", "/type", "/location"].contains(&place.as_str()) {
                continue;
            }
            let usual = values.iter().find(|value| !is_word_of_azure(&place, value));
            if values.is_empty() {
                failures.insert(format!("{keyword} {place}: no value was made for it"));
            }
            let alternative = ALTERNATIVES.iter().any(|(of, at, _)| of == keyword && place.starts_with(at));
            if let Some(value) = usual.filter(|_| !alternative) {
                put(&mut all, &place, value.clone());
            }
            for value in values.into_iter().filter(|value| !is_word_of_azure(&place, value)) {
                let mut body = least.clone();
                let around = context(keyword);
                // What is off needs nothing beside it.
                let around = around.iter().find(|(below, _)| place.starts_with(below) && value != json!(false));
                for (at, value) in around.into_iter().flat_map(|(_, beside)| beside) {
                    put(&mut body, at, value.clone());
                }
                put(&mut body, &place, value.clone());
                if is_unsaid(keyword, &place, &body) {
                    continue;
                }
                tried += 1;
                let wrong = wrong(&world, kind, &body, &data);
                right += usize::from(wrong.is_empty());
                for wrong in wrong {
                    failures.insert(format!("{keyword} {place} = {value}: {wrong}"));
                }
            }
        }
        let together = |(below, _): &(&str, Vec<(&str, Json)>)| {
            !ALTERNATIVES.iter().any(|(of, at, _)| of == keyword && below.starts_with(at))
        };
        for (_, beside) in context(keyword).into_iter().filter(together) {
            for (at, value) in beside {
                if !ALTERNATIVES.iter().any(|(of, alternative, _)| of == keyword && at.starts_with(alternative)) {
                    put(&mut all, at, value.clone());
                }
            }
        }
        let whole = wrong(&world, kind, &all, &data);
        println!(
            "{keyword}: {right} of {tried} properties by themselves; all at once: {}",
            if whole.is_empty() { "right" } else { "wrong" }
        );
        failures.extend(whole.into_iter().map(|wrong| format!("{keyword}, all at once: {wrong}")));
    }
    assert!(
        failures.is_empty(),
        "{} are wrong:\n{}",
        failures.len(),
        failures.into_iter().collect::<Vec<_>>().join("\n")
    );
}
