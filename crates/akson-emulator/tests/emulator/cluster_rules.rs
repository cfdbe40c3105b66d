//! What a cluster may not be and may not become, and the rules of its pools, as tables.

use serde_json::{Value, json};

use crate::clusters::{CLUSTER, LONG, body, with_cluster};
use crate::support::Azure;

#[tokio::test(start_paused = true)]
async fn parts_that_do_not_go_together() {
    let azure = Azure::new().await;
    azure.group("Shop").await;
    for (extra, expected) in [
        (json!({ "dnsPrefix": "" }), "400 InvalidParameter"),
        (json!({ "dnsPrefix": "-x" }), "400 InvalidParameter"),
        (json!({ "kubernetesVersion": "9.9" }), "400 K8sVersionNotSupported"),
        (json!({ "agentPoolProfiles": [] }), "400 InvalidParameter"),
        (json!({ "agentPoolProfiles": [{ "name": "Upper", "mode": "System" }] }), "400 InvalidParameter"),
        (json!({ "agentPoolProfiles": [{ "name": "a", "mode": "User" }] }), "400 InvalidParameter"),
        (json!({ "agentPoolProfiles": [{ "name": "a", "mode": "System" }, { "name": "a" }] }), "400 InvalidParameter"),
        (
            json!({ "agentPoolProfiles": [{ "name": "a", "mode": "System", "nodeTaints": ["k=v:NoSchedule"] }] }),
            "400 SystemPoolHasRestrictedTaint",
        ),
        (json!({ "disableLocalAccounts": true }), "400 BadRequest"),
        (json!({ "aadProfile": { "enableAzureRBAC": true } }), "400 BadRequest"),
        (json!({ "securityProfile": { "workloadIdentity": { "enabled": true } } }), "400 BadRequest"),
        (
            json!({ "apiServerAccessProfile": { "enablePrivateCluster": true, "authorizedIPRanges": ["1.2.3.4/32"] } }),
            "400 BadRequest",
        ),
        (
            json!({ "apiServerAccessProfile": { "enablePrivateCluster": true, "privateDNSZone": "none", "enablePrivateClusterPublicFQDN": false } }),
            "400 BadRequest",
        ),
        (
            json!({ "apiServerAccessProfile": { "enablePrivateCluster": true, "privateDNSZone": "/subscriptions/x" } }),
            "400 BadRequest",
        ),
        (json!({ "networkProfile": { "outboundType": "userDefinedRouting" } }), "400 BadRequest"),
        (json!({ "networkProfile": { "outboundType": "none" } }), "400 BadRequest"),
        (json!({ "metricsProfile": { "costAnalysis": { "enabled": true } } }), "400 BadRequest"),
        (json!({ "supportPlan": "AKSLongTermSupport" }), "400 BadRequest"),
        (
            json!({ "securityProfile": { "azureKeyVaultKms": { "enabled": true, "keyVaultNetworkAccess": "Private" } } }),
            "400 BadRequest",
        ),
        (
            json!({ "agentPoolProfiles": [{ "name": "a", "mode": "System", "vnetSubnetID": "/subscriptions/x" }] }),
            "400 SubnetNotFound",
        ),
    ] {
        let reply = azure.check(&format!("PUT {CLUSTER}"), body(&extra), expected).await;
        assert!(reply.body["message"].is_string(), "bare: {}", reply.text);
        assert_eq!(azure.emulator.god().object(&CLUSTER.replace('~', &azure.subscription)), None, "{extra}");
        crate::support::pass(61).await;
    }
    let mut without = body(&json!({}));
    without.as_object_mut().unwrap().remove("identity");
    azure.check(&format!("PUT {CLUSTER}"), without, "400 InvalidParameter").await;
}

#[tokio::test(start_paused = true)]
async fn what_is_settled_stays() {
    let mut azure = with_cluster(json!({
        "oidcIssuerProfile": { "enabled": true },
        "aadProfile": { "managed": true },
        "networkProfile": { "networkPlugin": "azure", "networkPolicy": "azure", "networkDataplane": "azure" },
    }))
    .await;
    for (change, target) in [
        (json!({ "dnsPrefix": "other" }), "dnsPrefix"),
        (json!({ "nodeResourceGroup": "other" }), "nodeResourceGroup"),
        (json!({ "enableRBAC": false }), "enableRBAC"),
        (json!({ "networkProfile": { "serviceCidr": "10.1.0.0/16" } }), "networkProfile.serviceCidr"),
        (json!({ "networkProfile": { "dnsServiceIP": "10.0.0.11" } }), "networkProfile.dnsServiceIP"),
        (json!({ "networkProfile": { "loadBalancerSku": "basic" } }), "networkProfile.loadBalancerSku"),
        (json!({ "networkProfile": { "networkPlugin": "kubenet" } }), "networkProfile.networkPlugin"),
        (json!({ "networkProfile": { "networkPolicy": "calico" } }), "networkProfile.networkPolicy"),
        (json!({ "networkProfile": { "outboundType": "userAssignedNATGateway" } }), "networkProfile.outboundType"),
        (
            json!({ "apiServerAccessProfile": { "enablePrivateCluster": true } }),
            "apiServerAccessProfile.enablePrivateCluster",
        ),
        (json!({ "oidcIssuerProfile": { "enabled": false } }), "oidcIssuerProfile.enabled"),
        (json!({ "aadProfile": { "managed": false } }), "aadProfile.managed"),
        (json!({ "servicePrincipalProfile": { "clientId": "x" } }), "servicePrincipalProfile.clientId"),
        (
            json!({ "agentPoolProfiles": [{ "name": "system", "vmSize": "Standard_D8s_v5" }] }),
            "agentPoolProfile.vmSize",
        ),
    ] {
        let asked = json!({ "location": "westeurope", "properties": change });
        let reply = azure.check(&format!("PUT {CLUSTER}"), asked, "400 PropertyChangeNotAllowed").await;
        assert_eq!(reply.body["target"], target, "{}", reply.text);
        crate::support::pass(61).await;
    }
    for (change, expected) in [
        (json!({ "agentPoolProfiles": [{ "name": "more" }] }), "400 BadRequest"),
        (json!({ "kubernetesVersion": "1.32" }), "400 BadRequest"),
        (json!({ "kubernetesVersion": "1.35" }), "400 BadRequest"),
    ] {
        azure
            .check(&format!("PUT {CLUSTER}"), json!({ "location": "westeurope", "properties": change }), expected)
            .await;
    }
    azure
        .check(
            &format!("PUT {CLUSTER}"),
            json!({ "location": "eastus", "properties": {} }),
            "409 InvalidResourceLocation",
        )
        .await;
    for (change, state) in [
        (json!({ "kubernetesVersion": "1.34" }), "Upgrading"),
        (json!({ "agentPoolProfiles": [{ "name": "system", "count": 3 }] }), "Scaling"),
        (json!({ "networkProfile": { "networkPolicy": "cilium", "networkDataplane": "cilium" } }), "Updating"),
        (json!({ "apiServerAccessProfile": { "authorizedIPRanges": ["1.2.3.4/32"] } }), "Updating"),
    ] {
        let asked = json!({ "location": "westeurope", "properties": change });
        let reply = azure.check(&format!("PUT {CLUSTER}"), asked, "200").await;
        assert_eq!(reply.body["properties"]["provisioningState"], state, "{change}");
        azure = azure.pass(LONG).await;
    }
}

#[tokio::test(start_paused = true)]
async fn routing_of_ones_own_needs_a_way_out() {
    let azure = Azure::new().await;
    azure.group("Shop").await;
    let net = "~/resourceGroups/Shop/providers/Microsoft.Network";
    let space = json!({ "addressSpace": { "addressPrefixes": ["10.1.0.0/16"] }, "subnets": [{ "name": "nodes", "properties": { "addressPrefix": "10.1.0.0/24" } }] });
    azure
        .check(
            &format!("PUT {net}/virtualNetworks/net"),
            json!({ "location": "westeurope", "properties": space }),
            "201",
        )
        .await;
    crate::support::pass(30).await;
    let subnet = format!("{net}/virtualNetworks/net/subnets/nodes").replace('~', &azure.subscription);
    let asked = body(&json!({
        "networkProfile": { "outboundType": "userDefinedRouting" },
        "agentPoolProfiles": [{ "name": "a", "mode": "System", "vnetSubnetID": subnet }],
    }));
    azure.check(&format!("PUT {CLUSTER}"), asked.clone(), "400 ExistingRouteTableNotAssociatedWithSubnet").await;
    let table = format!("{net}/routeTables/out");
    azure.check(&format!("PUT {table}"), json!({ "location": "westeurope" }), "201").await;
    crate::support::pass(30).await;
    let with_table = json!({ "properties": { "addressPrefix": "10.1.0.0/24", "routeTable": { "id": table.replace('~', &azure.subscription) } } });
    azure.check(&format!("PUT {net}/virtualNetworks/net/subnets/nodes"), with_table, "200").await;
    azure.check(&format!("PUT {CLUSTER}"), asked.clone(), "400 BadRequest").await;
    let route = json!({ "properties": { "addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.1.1.4" } });
    azure.check(&format!("PUT {table}/routes/all"), route, "201").await;
    azure.check(&format!("PUT {CLUSTER}"), asked, "201").await;
    let azure = azure.pass(LONG).await;
    // The nodes are in the subnet now.
    azure
        .check(
            &format!("DELETE {net}/virtualNetworks/net/subnets/nodes"),
            Value::Null,
            "400 InUseSubnetCannotBeDeleted",
        )
        .await;
    azure.check(&format!("DELETE {net}/virtualNetworks/net"), Value::Null, "400 InUseSubnetCannotBeDeleted").await;
    azure.check(&format!("DELETE {CLUSTER}"), Value::Null, "202").await;
    let azure = azure.pass(LONG).await;
    azure.check(&format!("DELETE {net}/virtualNetworks/net"), Value::Null, "202").await;
}

#[tokio::test(start_paused = true)]
async fn pools() {
    let azure = with_cluster(json!({})).await;
    let pool = format!("{CLUSTER}/agentPools/work");
    let missing = azure.check(&format!("GET {pool}"), Value::Null, "404 NotFound").await;
    assert_eq!(missing.body["subcode"], "GetAgentPool_NotFound_HCPServerError");
    let asked = json!({ "properties": { "count": 1, "vmSize": "Standard_D2s_v5", "nodeLabels": {}, "nodeTaints": [], "spotMaxPrice": -1, "scaleSetPriority": "Regular" } });
    let made = azure.check(&format!("PUT {pool}"), asked, "201").await;
    assert_eq!((made.header("location"), made.header("retry-after")), ("", ""));
    assert!(made.body["id"].as_str().unwrap().contains("/resourcegroups/Shop/"));
    assert_eq!(made.body["properties"]["nodeLabels"], json!({}), "shown once");
    assert_eq!(made.body["properties"]["provisioningState"], "Creating");
    assert_eq!(azure.get(CLUSTER).await["properties"]["agentPoolProfiles"][1]["provisioningState"], "Creating");
    let azure = azure.pass(LONG).await;
    let read = azure.get(&pool).await;
    for absent in ["nodeLabels", "nodeTaints", "spotMaxPrice", "scaleSetPriority"] {
        assert!(read["properties"].get(absent).is_none(), "{absent}");
    }
    assert_eq!(azure.get(CLUSTER).await["properties"]["agentPoolProfiles"][1]["name"], "work");
    let put = async |properties: Value, expected: &str| {
        azure.check(&format!("PUT {pool}"), json!({ "properties": properties }), expected).await
    };
    put(json!({ "vmSize": "Standard_D8s_v5" }), "400 PropertyChangeNotAllowed").await;
    put(json!({ "orchestratorVersion": "1.34" }), "400 NodePoolMcVersionIncompatible").await;
    put(json!({ "enableAutoScaling": true }), "400 InvalidParameter").await;
    let scaled = put(json!({ "count": 3 }), "200").await;
    assert_eq!(scaled.body["properties"]["provisioningState"], "Scaling");
    put(json!({ "count": 4 }), "409 OperationNotAllowed").await;
    let azure = azure.pass(LONG).await;
    assert_eq!(azure.get(&pool).await["properties"]["vmSize"], "Standard_D2s_v5", "a write of a pool merges, too");
    let system = format!("{CLUSTER}/agentPools/system");
    azure.check(&format!("DELETE {system}"), Value::Null, "400 BadRequest").await;
    azure.check(&format!("PUT {system}"), json!({ "properties": { "mode": "User" } }), "400 BadRequest").await;
    azure.check(&format!("PUT {CLUSTER}/agentPools/Bad"), json!({ "properties": {} }), "400 InvalidParameter").await;
    let deleted = azure.check(&format!("DELETE {pool}"), Value::Null, "202").await;
    assert!(!deleted.header("location").is_empty() && !deleted.header("azure-asyncoperation").is_empty());
    let azure = azure.pass(LONG).await;
    azure.check(&format!("GET {pool}"), Value::Null, "404 NotFound").await;
    azure.check(&format!("DELETE {pool}"), Value::Null, "204").await;
    assert_eq!(azure.get(&format!("{CLUSTER}/agentPools")).await["value"].as_array().unwrap().len(), 1);
    assert_eq!(azure.get(CLUSTER).await["properties"]["agentPoolProfiles"].as_array().unwrap().len(), 1);
}
