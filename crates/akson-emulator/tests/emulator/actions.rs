//! What is asked of objects besides reading and writing them: keys, names, node images, machines, commands.

use serde_json::{Value, json};

use crate::support::{Azure, pass};

const CLUSTER: &str = "~/resourceGroups/Shop/providers/Microsoft.ContainerService/managedClusters/Main";
const POOL: &str = "~/resourceGroups/Shop/providers/Microsoft.ContainerService/managedClusters/Main/agentPools/work";

async fn with_cluster(properties: Value) -> Azure {
    let azure = Azure::new().await;
    azure.group("Shop").await;
    let mut whole = json!({ "dnsPrefix": "main", "agentPoolProfiles": [
        { "name": "sys", "mode": "System", "count": 1, "vmSize": "Standard_D2s_v5" },
        { "name": "work", "mode": "User", "count": 3, "vmSize": "Standard_D2s_v5" },
    ] });
    for (name, value) in properties.as_object().cloned().unwrap_or_default() {
        whole[name] = value;
    }
    let body = json!({ "location": "westeurope", "identity": { "type": "SystemAssigned" }, "properties": whole });
    azure.check(&format!("PUT {CLUSTER}"), body, "201").await;
    azure.pass(600).await
}

#[tokio::test(start_paused = true)]
async fn a_pool_gets_the_newest_image() {
    let azure = with_cluster(json!({})).await;
    let reply = azure.check(&format!("POST {POOL}/upgradeNodeImageVersion"), Value::Null, "202").await;
    assert_eq!(reply.body["properties"]["provisioningState"], "UpgradingNodeImageVersion");
    assert!(!reply.header("azure-asyncoperation").is_empty() && !reply.header("location").is_empty());
    azure.check(&format!("POST {POOL}/upgradeNodeImageVersion"), Value::Null, "409 OperationNotAllowed").await;
    let azure = azure.pass(1000).await;
    assert_eq!(azure.get(POOL).await["properties"]["provisioningState"], "Succeeded");
    azure.check(&format!("POST {POOL}/dance"), Value::Null, "404 InvalidResourceType").await;
}

#[tokio::test(start_paused = true)]
async fn machines_are_taken_away() {
    let azure = with_cluster(json!({})).await;
    azure.check(&format!("POST {POOL}/deleteMachines"), json!({}), "400 InvalidParameter").await;
    let body = json!({ "machineNames": ["aks-work-1-vmss000000", "aks-work-1-vmss000002"] });
    azure.check(&format!("POST {POOL}/deleteMachines"), body, "202").await;
    let azure = azure.pass(400).await;
    assert_eq!(azure.get(POOL).await["properties"]["count"], 1);
}

#[tokio::test(start_paused = true)]
async fn certificates_are_rotated() {
    let azure = with_cluster(json!({})).await;
    let reply = azure.check(&format!("POST {CLUSTER}/rotateClusterCertificates"), Value::Null, "202").await;
    assert!(reply.body.is_null() && !reply.header("azure-asyncoperation").is_empty());
    assert_eq!(azure.get(CLUSTER).await["properties"]["provisioningState"], "RotatingClusterCertificates");
    azure.check(&format!("POST {CLUSTER}/rotateClusterCertificates"), Value::Null, "409 OperationNotAllowed").await;
    let azure = azure.pass(1600).await;
    assert_eq!(azure.get(CLUSTER).await["properties"]["provisioningState"], "Succeeded");
    azure.check(&format!("POST {CLUSTER}/rotateServiceAccountSigningKeys"), Value::Null, "202").await;
}

#[tokio::test(start_paused = true)]
async fn a_command_runs_in_the_cluster() {
    let azure = with_cluster(json!({})).await;
    let run = async |azure: &Azure, command: &str| {
        let body = json!({ "command": command, "context": "" });
        let reply = azure.check(&format!("POST {CLUSTER}/runCommand"), body, "202").await;
        let location = reply.header("location").to_owned();
        assert!(reply.header("azure-asyncoperation").is_empty() && location.contains("/commandResults/"));
        let running = azure.check(&format!("GET {location}"), Value::Null, "202").await;
        assert_eq!(running.body["properties"], json!({ "provisioningState": "Running" }));
        pass(10).await;
        azure.check(&format!("GET {location}"), Value::Null, "200").await.body["properties"].clone()
    };
    let found = run(&azure, "kubectl get namespaces").await;
    assert_eq!((&found["provisioningState"], &found["exitCode"]), (&json!("Succeeded"), &json!(0)));
    let logs = found["logs"].as_str().unwrap_or_default();
    assert!(logs.starts_with("NAME") && logs.contains("kube-system"), "{logs}");
    let missing = run(&azure, "kubectl get ns/nowhere").await;
    assert_eq!(missing["exitCode"], 1);
    assert_eq!(missing["logs"], "Error from server (NotFound): namespaces \"nowhere\" not found\n");
    assert_eq!(run(&azure, "helm list").await["exitCode"], 127);
    azure.check(&format!("POST {CLUSTER}/runCommand"), json!({ "context": "" }), "400 InvalidParameter").await;
}

#[tokio::test(start_paused = true)]
async fn no_command_runs_where_it_is_switched_off() {
    let azure = with_cluster(json!({ "apiServerAccessProfile": { "disableRunCommand": true } })).await;
    let body = json!({ "command": "kubectl get pods" });
    azure.check(&format!("POST {CLUSTER}/runCommand"), body, "400 BadRequest").await;
}

#[tokio::test(start_paused = true)]
async fn keys_of_accounts_and_registries() {
    let azure = Azure::new().await;
    azure.group("g").await;
    let account = "~/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/shop1";
    azure.check(&format!("PUT {account}"), json!({ "location": "westeurope" }), "201").await;
    let keys = azure.check(&format!("POST {account}/listKeys"), Value::Null, "200").await.body;
    assert_eq!((&keys["keys"][0]["keyName"], &keys["keys"][1]["keyName"]), (&json!("key1"), &json!("key2")));
    let anew = azure.check(&format!("POST {account}/regenerateKey"), json!({ "keyName": "key1" }), "200").await.body;
    assert_ne!(anew["keys"][0]["value"], keys["keys"][0]["value"]);
    assert_eq!(anew["keys"][1]["value"], keys["keys"][1]["value"]);
    azure.check(&format!("POST {account}/regenerateKey"), json!({ "keyName": "key9" }), "400 BadRequest").await;
    let registry = "~/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/shopimages";
    let body = |admin: bool| json!({ "location": "westeurope", "sku": { "name": "Premium" }, "properties": { "adminUserEnabled": admin } });
    azure.check(&format!("PUT {registry}"), body(false), "200").await;
    let azure = azure.pass(60).await;
    azure.check(&format!("POST {registry}/listCredentials"), Value::Null, "400 AdminUserDisabled").await;
    azure.call(&format!("PUT {registry}"), body(true)).await;
    let azure = azure.pass(60).await;
    let found = azure.check(&format!("POST {registry}/listCredentials"), Value::Null, "200").await.body;
    assert_eq!((&found["username"], &found["passwords"][1]["name"]), (&json!("shopimages"), &json!("password2")));
    let usages = azure.get(&format!("{registry}/listUsages")).await;
    assert_eq!(usages["value"][0]["name"], "Size");
}

#[tokio::test(start_paused = true)]
async fn names_that_can_be_had() {
    let azure = Azure::new().await;
    azure.group("g").await;
    let account = "~/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/shop1";
    azure.check(&format!("PUT {account}"), json!({ "location": "westeurope" }), "201").await;
    let ask = async |provider: &str, name: &str| {
        let call = format!("POST ~/providers/{provider}/checkNameAvailability");
        azure.check(&call, json!({ "name": name }), "200").await.body
    };
    assert_eq!(ask("Microsoft.Storage", "shop2").await, json!({ "nameAvailable": true }));
    let taken = ask("Microsoft.Storage", "shop1").await;
    assert_eq!((&taken["nameAvailable"], &taken["reason"]), (&json!(false), &json!("AlreadyExists")));
    assert_eq!(ask("Microsoft.Storage", "No").await["reason"], "AccountNameInvalid");
    assert_eq!(ask("Microsoft.ContainerRegistry", "images1").await["nameAvailable"], true);
    assert_eq!(ask("Microsoft.KeyVault", "vault-1").await["nameAvailable"], true);
    azure
        .check("GET ~/providers/Microsoft.Storage/checkNameAvailability", Value::Null, "405 HttpMethodNotAllowed")
        .await;
    azure
        .check(
            "POST ~/providers/Microsoft.Web/checkNameAvailability",
            json!({ "name": "x" }),
            "404 InvalidResourceType",
        )
        .await;
}

#[tokio::test(start_paused = true)]
async fn who_uses_an_identity_and_which_addresses_are_free() {
    let azure = Azure::new().await;
    azure.group("g").await;
    let identity = "~/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/app";
    azure.check(&format!("PUT {identity}"), json!({ "location": "westeurope" }), "201").await;
    let found = azure.check(&format!("POST {identity}/listAssociatedResources"), Value::Null, "200").await.body;
    assert_eq!(found, json!({ "totalCount": 0, "value": [] }));
    let network = "~/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/net";
    let body = json!({ "location": "westeurope", "properties": {
        "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] },
        "subnets": [{ "name": "a", "properties": { "addressPrefix": "10.0.0.0/24" } }],
    } });
    azure.check(&format!("PUT {network}"), body, "201").await;
    let ask = async |address: &str, outcome: &str| {
        let call = format!("GET {network}/CheckIPAddressAvailability?ipAddress={address}");
        azure.check(&call, Value::Null, outcome).await.body
    };
    assert_eq!(ask("10.0.0.50", "200").await, json!({ "available": true, "isPlatformReserved": false }));
    let reserved = ask("10.0.0.3", "200").await;
    assert_eq!(
        (&reserved["isPlatformReserved"], &reserved["availableIPAddresses"][0]),
        (&json!(true), &json!("10.0.0.4"))
    );
    ask("10.9.0.1", "400 PrivateIPAddressNotInAnySubnet").await;
}

#[tokio::test(start_paused = true)]
async fn the_next_page_of_a_list_of_clusters_is_empty() {
    let azure = with_cluster(json!({})).await;
    let first = azure.get("~/providers/Microsoft.ContainerService/managedClusters").await;
    assert_eq!(first["value"].as_array().map(Vec::len), Some(1));
    let next = first["nextLink"].as_str().unwrap();
    assert!(next.contains("%24skipToken=1&") && next.ends_with("&skipToken=1"), "{next}");
    assert_eq!(azure.get(next).await, json!({ "value": [] }));
}
