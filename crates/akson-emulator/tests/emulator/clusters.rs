//! Clusters: the first answer and the later one, what merges and what vanishes, one thing at a time,
//! credentials, the group of nodes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::{Azure, pass};

pub(crate) const CLUSTER: &str = "~/resourceGroups/Shop/providers/Microsoft.ContainerService/managedClusters/Main";

/// Longer than anything takes.
pub(crate) const LONG: u64 = 1500;

/// The body of a cluster with one system pool, and more properties.
pub(crate) fn body(extra: &Value) -> Value {
    let mut properties = json!({
        "dnsPrefix": "main",
        "agentPoolProfiles": [{ "name": "system", "mode": "System", "count": 2, "vmSize": "Standard_D4s_v5" }],
    });
    for (name, value) in extra.as_object().unwrap() {
        properties[name] = value.clone();
    }
    json!({ "location": "westeurope", "identity": { "type": "SystemAssigned" }, "properties": properties })
}

pub(crate) async fn with_cluster(extra: Value) -> Azure {
    let azure = Azure::new().await;
    azure.group("Shop").await;
    azure.check(&format!("PUT {CLUSTER}"), body(&extra), "201").await;
    azure.pass(LONG).await
}

async fn kubeconfig(azure: &Azure, call: &str) -> String {
    let reply = azure.check(&format!("POST {CLUSTER}/{call}"), Value::Null, "200").await;
    let value = reply.body["kubeconfigs"][0]["value"].as_str().unwrap().to_owned();
    String::from_utf8(STANDARD.decode(value).unwrap()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_new_cluster_says_at_once_all_but_the_principals_of_others() {
    let azure = Azure::new().await;
    azure.group("Shop").await;
    azure.check(&format!("GET {CLUSTER}"), Value::Null, "404 ResourceNotFound").await;
    let asked = body(&json!({
        "aadProfile": { "managed": true, "enableAzureRBAC": true },
        "oidcIssuerProfile": { "enabled": true },
        "securityProfile": { "workloadIdentity": { "enabled": true } },
        "addonProfiles": { "azurepolicy": { "enabled": true } },
        "apiServerAccessProfile": { "authorizedIPRanges": [], "disableRunCommand": false },
        "storageProfile": {},
        "disableLocalAccounts": false,
    }));
    let made = azure.check(&format!("PUT {CLUSTER}"), asked, "201").await;
    for absent in ["location", "retry-after"] {
        assert_eq!(made.header(absent), "", "{absent}");
    }
    let operation = made.header("azure-asyncoperation").to_owned();
    assert!(
        operation.contains("/providers/Microsoft.ContainerService/locations/westeurope/operations/"),
        "{operation}"
    );
    let id =
        format!("{}/resourcegroups/Shop/providers/Microsoft.ContainerService/managedClusters/Main", azure.subscription);
    assert_eq!(
        (&made.body["id"], &made.body["type"]),
        (&json!(id), &json!("Microsoft.ContainerService/ManagedClusters"))
    );
    let first = &made.body["properties"];
    assert_eq!(first["provisioningState"], "Creating");
    assert_eq!(first["apiServerAccessProfile"], json!({}), "empty in the first answer, absent later");
    assert_eq!(first["agentPoolProfiles"][0]["provisioningState"], "Creating");
    assert!(made.body["identity"]["principalId"].is_string(), "its own principal is there at once");
    assert!(first["addonProfiles"]["azurepolicy"].get("identity").is_none());
    assert!(first.get("identityProfile").is_none());
    let issuer = first["oidcIssuerProfile"]["issuerURL"].as_str().unwrap();
    assert!(issuer.starts_with("https://westeurope.oic.prod-aks.azure.com/") && issuer.ends_with('/'), "{issuer}");
    let fqdn = first["fqdn"].as_str().unwrap();
    assert!(fqdn.starts_with("main-") && fqdn.ends_with(".hcp.westeurope.azmk8s.io"), "{fqdn}");

    let mut words = Vec::new();
    for _ in 0..100 {
        let status = azure.get(&operation).await["status"].as_str().unwrap().to_owned();
        if words.last() != Some(&status) {
            words.push(status.clone());
        }
        if status == "Succeeded" {
            break;
        }
        pass(5).await;
    }
    assert!(words.contains(&"ProvisioningControlPlane".to_owned()), "{words:?}");
    assert!(words.contains(&"CreatingAgentPools: 2/2 nodes completed".to_owned()), "{words:?}");
    assert_eq!(words.last().map(String::as_str), Some("Succeeded"));
    let done = azure.get(&operation).await;
    assert!(done["name"].is_string() && done["startTime"].is_string() && done["endTime"].is_string());

    let later = azure.get(CLUSTER).await;
    let properties = &later["properties"];
    assert_eq!(properties["provisioningState"], "Succeeded");
    assert!(properties.get("apiServerAccessProfile").is_none());
    assert_eq!(properties["oidcIssuerProfile"], first["oidcIssuerProfile"]);
    assert!(later["identity"]["principalId"].is_string());
    let kubelet = &properties["identityProfile"]["kubeletidentity"];
    let name = "MC_Shop_Main_westeurope";
    assert_eq!(properties["nodeResourceGroup"], name);
    assert_eq!(
        kubelet["resourceId"],
        format!(
            "{}/resourcegroups/{name}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/Main-agentpool",
            azure.subscription
        )
    );
    for shown in [kubelet, &properties["addonProfiles"]["azurepolicy"]["identity"]] {
        let identity = azure.get(&shown["resourceId"].as_str().unwrap().replace(&azure.subscription, "~")).await;
        assert_eq!(identity["properties"]["principalId"], shown["objectId"]);
        assert_eq!(identity["properties"]["clientId"], shown["clientId"]);
    }
    assert_eq!(azure.get(&format!("~/resourceGroups/{name}")).await["managedBy"], id);
    let address =
        properties["networkProfile"]["loadBalancerProfile"]["effectiveOutboundIPs"][0]["id"].as_str().unwrap();
    assert!(azure.get(&address.replace(&azure.subscription, "~")).await["properties"]["ipAddress"].is_string());

    for (path, value) in [
        ("/sku", json!({ "name": "Base", "tier": "Free" })),
        ("/kind", json!("Base")),
        ("/properties/enableRBAC", json!(true)),
        ("/properties/disableLocalAccounts", json!(false)),
        ("/properties/servicePrincipalProfile/clientId", json!("msi")),
        ("/properties/kubernetesVersion", json!("1.33")),
        ("/properties/currentKubernetesVersion", json!("1.33.5")),
        ("/properties/networkProfile/networkPluginMode", json!("overlay")),
        ("/properties/networkProfile/podCidrs", json!(["10.244.0.0/16"])),
        ("/properties/storageProfile/diskCSIDriver/enabled", json!(true)),
        ("/properties/autoUpgradeProfile", json!({ "nodeOSUpgradeChannel": "NodeImage" })),
        ("/properties/aadProfile/adminGroupObjectIDs", Value::Null),
        ("/properties/aadProfile/tenantID", json!(azure.tenant)),
        ("/properties/agentPoolProfiles/0/maxPods", json!(250)),
        ("/properties/agentPoolProfiles/0/osDiskSizeGB", json!(128)),
    ] {
        assert_eq!(later.pointer(path), Some(&value), "{path}");
    }
    for list in ["~", "~/resourceGroups/Shop"] {
        let listed = azure.get(&format!("{list}/providers/Microsoft.ContainerService/managedClusters")).await;
        assert_eq!(listed["value"], json!([later]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_lays_itself_over_what_there_is() {
    let azure = with_cluster(json!({
        "oidcIssuerProfile": { "enabled": true },
        "addonProfiles": { "azurepolicy": { "enabled": true } },
        "autoUpgradeProfile": { "upgradeChannel": "stable" },
        "aadProfile": { "managed": true, "adminGroupObjectIDs": ["11111111-1111-4111-8111-111111111111"] },
    }))
    .await;
    let before = azure.get(CLUSTER).await;
    let sparse = json!({
        "location": "westeurope",
        "properties": { "addonProfiles": null, "aadProfile": { "adminGroupObjectIDs": [] }, "disableLocalAccounts": true },
        "sku": { "name": "Base", "tier": "Standard" },
    });
    let written = azure.check(&format!("PUT {CLUSTER}"), sparse, "200").await;
    assert_eq!(written.body["properties"]["provisioningState"], "Updating");
    let azure = azure.pass(LONG).await;
    let mut after = azure.get(CLUSTER).await;
    assert_eq!(after["sku"]["tier"], "Standard");
    assert_eq!(after["properties"]["aadProfile"]["adminGroupObjectIDs"], json!([]));
    assert_eq!(after["properties"]["disableLocalAccounts"], true);
    after["sku"] = before["sku"].clone();
    after["properties"]["aadProfile"] = before["properties"]["aadProfile"].clone();
    after["properties"].as_object_mut().unwrap().remove("disableLocalAccounts");
    assert_eq!(after, before, "nothing else has changed");

    // An add-on is turned off by saying so; its identity goes with it.
    let identity = before["properties"]["addonProfiles"]["azurepolicy"]["identity"]["resourceId"].as_str().unwrap();
    let off =
        json!({ "location": "westeurope", "properties": { "addonProfiles": { "azurePolicy": { "enabled": false } } } });
    azure.check(&format!("PUT {CLUSTER}"), off, "200").await;
    let azure = azure.pass(LONG).await;
    let profiles = &azure.get(CLUSTER).await["properties"]["addonProfiles"];
    assert_eq!(profiles, &json!({ "azurepolicy": { "enabled": false, "config": null } }));
    assert_eq!(azure.emulator.god().object(identity), None);
}

#[tokio::test(start_paused = true)]
async fn one_thing_at_a_time() {
    let azure = with_cluster(json!({})).await;
    let sparse = json!({ "location": "westeurope", "properties": {} });
    let pool = json!({ "properties": { "mode": "User", "count": 1 } });
    azure.check(&format!("PUT {CLUSTER}"), sparse.clone(), "200").await;
    let busy = azure.check(&format!("PUT {CLUSTER}"), sparse.clone(), "409 OperationNotAllowed").await;
    assert!(busy.body["message"].as_str().unwrap().contains("Another operation (Updating) is in progress"));
    azure.check(&format!("PUT {CLUSTER}/agentPools/more"), pool.clone(), "409 OperationNotAllowed").await;
    let azure = azure.pass(LONG).await;
    azure.check(&format!("PUT {CLUSTER}/agentPools/more"), pool.clone(), "201").await;
    let busy = azure.check(&format!("PUT {CLUSTER}"), sparse.clone(), "409 OperationNotAllowed").await;
    assert!(busy.body["message"].as_str().unwrap().contains("Another agentpool operation (more - Creating)"));
    // Pools do not wait for each other.
    azure.check(&format!("PUT {CLUSTER}/agentPools/other"), pool, "201").await;
    // Nothing waits for a configuration of maintenance, and a deletion for nothing.
    let window = json!({ "properties": { "timeInWeek": [{ "day": "Monday", "hourSlots": [1] }] } });
    azure.check(&format!("PUT {CLUSTER}/maintenanceConfigurations/default"), window, "200").await;
    let deleted = azure.check(&format!("DELETE {CLUSTER}"), Value::Null, "202").await;
    assert!(!deleted.header("location").is_empty() && !deleted.header("azure-asyncoperation").is_empty());
    assert_eq!(deleted.header("retry-after"), "");
    assert_eq!(azure.get(CLUSTER).await["properties"]["provisioningState"], "Deleting");
    let azure = azure.pass(LONG).await;
    azure.check(&format!("GET {CLUSTER}"), Value::Null, "404 ResourceNotFound").await;
    azure.check(&format!("DELETE {CLUSTER}/agentPools/more"), Value::Null, "404 ResourceNotFound").await;
    azure.check(&format!("DELETE {CLUSTER}"), Value::Null, "204").await;
    azure.check("GET ~/resourceGroups/MC_Shop_Main_westeurope", Value::Null, "404 ResourceGroupNotFound").await;
}

#[tokio::test(start_paused = true)]
async fn the_group_takes_everything_along() {
    let azure = with_cluster(json!({})).await;
    azure.check("DELETE ~/resourceGroups/Shop", Value::Null, "202").await;
    let azure = azure.pass(LONG).await;
    // What the caller's own roles stand in is the subscription, not the group.
    let left = azure.emulator.god().ids().into_iter().filter(|id| id.contains("/resourcegroups/"));
    assert_eq!(left.collect::<Vec<_>>(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn writes_of_one_cluster_are_limited() {
    let azure = with_cluster(json!({})).await;
    let sparse = json!({ "location": "westeurope", "properties": {} });
    let mut last = None;
    for _ in 0..25 {
        last = Some(azure.call(&format!("PUT {CLUSTER}"), sparse.clone()).await);
    }
    let last = last.unwrap();
    assert_eq!(last.outcome(), "429 Throttled");
    let wait: u64 = last.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    azure
        .check(&format!("PUT {CLUSTER}/agentPools/more"), json!({ "properties": {} }), "409 OperationNotAllowed")
        .await;
    let azure = azure.pass(LONG).await;
    azure.check(&format!("PUT {CLUSTER}"), sparse, "200").await;
}

#[tokio::test(start_paused = true)]
async fn abort_stop_and_start() {
    let azure = with_cluster(json!({})).await;
    let sparse = json!({ "location": "westeurope", "properties": {} });
    let operation = azure.check(&format!("PUT {CLUSTER}"), sparse.clone(), "200").await;
    let aborted = azure.check(&format!("POST {CLUSTER}/abort"), Value::Null, "202").await;
    assert!(!aborted.header("location").is_empty() && !aborted.header("azure-asyncoperation").is_empty());
    assert_eq!(azure.get(operation.header("azure-asyncoperation")).await["status"], "Canceled");
    pass(30).await;
    assert_eq!(azure.get(aborted.header("azure-asyncoperation")).await["status"], "Succeeded");
    azure.check(&format!("GET {}", aborted.header("location")), Value::Null, "204").await;
    assert_eq!(azure.get(CLUSTER).await["properties"]["provisioningState"], "Canceled");
    azure.check(&format!("PUT {CLUSTER}"), sparse, "200").await;
    let azure = azure.pass(LONG).await;
    for (call, code) in [("stop", "Stopped"), ("start", "Running")] {
        azure.check(&format!("POST {CLUSTER}/{call}"), Value::Null, "202").await;
        azure.check(&format!("POST {CLUSTER}/{call}"), Value::Null, "409 OperationNotAllowed").await;
        pass(300).await;
        assert_eq!(azure.get(CLUSTER).await["properties"]["powerState"]["code"], code);
    }
    azure.check(&format!("POST {CLUSTER}/dance"), Value::Null, "404 InvalidResourceType").await;
}

#[tokio::test(start_paused = true)]
async fn credentials() {
    let azure = with_cluster(json!({ "apiServerAccessProfile": { "enablePrivateCluster": true } })).await;
    let properties = azure.get(CLUSTER).await["properties"].clone();
    let server = |name: &str| format!("server: https://{}:443", properties[name].as_str().unwrap());
    let user = kubeconfig(&azure, "listClusterUserCredential").await;
    assert!(user.contains(&server("privateFQDN")) && user.contains("token: "), "{user}");
    let public = kubeconfig(&azure, "listClusterUserCredential?server-fqdn=public").await;
    assert!(public.contains(&server("fqdn")), "{public}");
    let admin = kubeconfig(&azure, "listClusterAdminCredential").await;
    assert!(admin.contains("name: clusterAdmin_Shop_Main") && admin.contains("current-context: Main\n"), "{admin}");
    let entra = json!({ "location": "westeurope", "properties": { "aadProfile": { "managed": true }, "disableLocalAccounts": true } });
    azure.check(&format!("PUT {CLUSTER}"), entra, "200").await;
    let azure = azure.pass(LONG).await;
    azure.check(&format!("POST {CLUSTER}/listClusterAdminCredential"), Value::Null, "400 BadRequest").await;
    let user = kubeconfig(&azure, "listClusterUserCredential?format=exec").await;
    for part in ["command: kubelogin", "- get-token", "6dae42f8-4368-4678-94ff-3960e28e3630", azure.tenant.as_str()] {
        assert!(user.contains(part), "{part} {user}");
    }
    let legacy = kubeconfig(&azure, "listClusterUserCredential?format=azure").await;
    assert!(legacy.contains("auth-provider:"), "{legacy}");
    let missing = CLUSTER.replace("Main", "None");
    for call in
        ["upgradeProfiles/default", "availableAgentPoolVersions/default", "agentPools/system/upgradeProfiles/default"]
    {
        let profile = azure.get(&format!("{CLUSTER}/{call}")).await;
        assert_eq!(profile["name"], "default", "{profile}");
    }
    let upgrades = azure.get(&format!("{CLUSTER}/upgradeProfiles/default")).await;
    assert_eq!(upgrades["properties"]["controlPlaneProfile"]["upgrades"][0]["kubernetesVersion"], "1.34.0");
    azure.check(&format!("GET {CLUSTER}/upgradeProfiles/other"), Value::Null, "404 ResourceNotFound").await;
    let versions = azure.get("~/providers/Microsoft.ContainerService/locations/westeurope/kubernetesVersions").await;
    assert_eq!(versions["values"][1]["isDefault"], true, "{versions}");
    azure.check(&format!("POST {missing}/listClusterUserCredential"), Value::Null, "404 ResourceNotFound").await;
}

#[tokio::test(start_paused = true)]
async fn an_identity_of_ones_own() {
    let azure = Azure::new().await;
    azure.group("Shop").await;
    let id = "~/resourceGroups/Shop/providers/Microsoft.ManagedIdentity/userAssignedIdentities/plane";
    let kubelet = id.replace("/plane", "/kubelet");
    let own = id.replace('~', &azure.subscription);
    let mut asked = body(
        &json!({ "identityProfile": { "kubeletidentity": { "resourceId": kubelet.replace('~', &azure.subscription) } } }),
    );
    azure.check(&format!("PUT {CLUSTER}"), asked.clone(), "400 BadRequest").await;
    asked["identity"] = json!({ "type": "UserAssigned", "userAssignedIdentities": { own.as_str(): {} } });
    azure.check(&format!("PUT {CLUSTER}"), asked.clone(), "400 FailedIdentityOperation").await;
    for id in [id, &kubelet] {
        azure.check(&format!("PUT {id}"), json!({ "location": "westeurope" }), "201").await;
    }
    let made = azure.check(&format!("PUT {CLUSTER}"), asked, "201").await;
    assert_eq!(made.body["identity"]["userAssignedIdentities"][&own], json!({}));
    let azure = azure.pass(LONG).await;
    let cluster = azure.get(CLUSTER).await;
    let plane = azure.get(id).await["properties"].clone();
    assert_eq!(
        cluster["identity"]["userAssignedIdentities"][&own],
        json!({ "clientId": plane["clientId"], "principalId": plane["principalId"] })
    );
    let principal = azure.get(&kubelet).await["properties"]["principalId"].clone();
    assert_eq!(cluster["properties"]["identityProfile"]["kubeletidentity"]["objectId"], principal);
}

#[tokio::test(start_paused = true)]
async fn tags_are_patched_and_maintenance_is_replaced() {
    let azure = with_cluster(json!({})).await;
    let patched = azure.check(&format!("PATCH {CLUSTER}"), json!({ "tags": { "a": "b" } }), "200").await;
    assert_eq!(
        (&patched.body["tags"], &patched.body["properties"]["provisioningState"]),
        (&json!({ "a": "b" }), &json!("Updating"))
    );
    let path = format!("{CLUSTER}/maintenanceConfigurations/aksManagedAutoUpgradeSchedule");
    azure.check(&format!("GET {path}"), Value::Null, "404 ResourceNotFound").await;
    let window = json!({ "durationHours": 4, "startTime": "01:00", "schedule": { "weekly": { "intervalWeeks": 1, "dayOfWeek": "Friday" } } });
    let made =
        azure.check(&format!("PUT {path}"), json!({ "properties": { "maintenanceWindow": window } }), "200").await;
    assert!(made.body["id"].as_str().unwrap().contains("/resourceGroups/Shop/"), "{}", made.text);
    let shown = &made.body["properties"]["maintenanceWindow"];
    assert_eq!((&shown["startDate"], &shown["utcOffset"]), (&json!("2026-01-01"), &json!("+00:00")));
    assert_eq!(azure.get(&path).await, made.body);
    for (name, properties) in [
        ("any", json!({})),
        ("default", json!({ "maintenanceWindow": window })),
        ("aksManagedNodeOSUpgradeSchedule", json!({})),
        ("aksManagedNodeOSUpgradeSchedule", json!({ "maintenanceWindow": { "durationHours": 2 } })),
    ] {
        let path = format!("PUT {CLUSTER}/maintenanceConfigurations/{name}");
        azure.check(&path, json!({ "properties": properties }), "400 InvalidParameter").await;
    }
    azure.check(&format!("DELETE {path}"), Value::Null, "200").await;
}
