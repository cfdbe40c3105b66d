//! The view from outside, and raw objects put into a world.

use akson_emulator::{Options, SeedError};
use serde_json::{Value, json};

use crate::support::Azure;

#[tokio::test(start_paused = true)]
async fn a_snapshot_and_a_third_party() {
    let azure = Azure::new().await;
    let god = azure.emulator.god();
    azure.group("Shop").await;
    let snapshot = god.snapshot();
    let key = format!("{}/resourcegroups/shop", azure.subscription);
    let made: Vec<&String> = snapshot.objects.keys().filter(|id| !id.contains("/roleassignments/")).collect();
    assert_eq!(made, [&key]);
    assert_eq!(snapshot.objects.len(), 4, "the owner's three roles are objects too");
    let calls: Vec<(&str, Option<u16>)> =
        snapshot.requests.iter().map(|record| (record.method.as_str(), record.status)).collect();
    assert_eq!(calls, [("POST", Some(200)), ("PUT", Some(201))]);
    god.clear_request_log();
    assert!(god.requests().is_empty());

    assert!(god.edit(&key.to_uppercase(), |group| group["tags"] = json!({"by": "hand"})).unwrap());
    assert_eq!(azure.get("~/resourceGroups/shop").await["tags"], json!({"by": "hand"}));
    assert!(!god.edit("/subscriptions/none", |_| {}).unwrap());
    assert!(matches!(god.edit(&key, |group| *group = json!(1)), Err(SeedError::NotAnObject { .. })));

    let web = format!("{key}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/web");
    god.put_object(&web, json!({ "tags": {"a": "b"} })).unwrap();
    let identity = azure.get(&web).await;
    assert_eq!(identity["location"], "westeurope");
    assert!(identity["properties"]["principalId"].is_string());
    assert!(god.delete_object(&web).unwrap());
    assert!(!god.delete_object(&web).unwrap());

    azure.check("DELETE ~/resourceGroups/shop", Value::Null, "202").await;
    assert_eq!(god.snapshot().operations.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn seeds_are_completed_and_what_they_name_is_made_up() {
    let azure = Azure::new().await;
    let other = "/subscriptions/22222222-2222-4222-8222-222222222222";
    let subnet = format!("{other}/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/v/subnets/s");
    let identity = format!("{other}/resourceGroups/ids/providers/Microsoft.ManagedIdentity/userAssignedIdentities/web");
    azure
        .emulator
        .seed(vec![
            json!({ "id": format!("{other}/resourceGroups/Shop"), "location": "East US", "tags": {"a": "b"} }),
            json!({
                "id": format!("{other}/resourcegroups/shop/providers/microsoft.keyvault/vaults/Kept"),
                "location": "eastus",
                "properties": { "networkAcls": { "defaultAction": "Deny", "virtualNetworkRules": [{ "id": subnet }] } },
            }),
            json!({
                "id": format!("{other}/resourceGroups/shop/providers/A.B/c/d/e/f"),
                "identity": { "type": "UserAssigned", "userAssignedIdentities": { identity.as_str(): {} } },
            }),
        ])
        .unwrap();
    assert_eq!(azure.get(&format!("{other}/resourceGroups/shop")).await["location"], "eastus");
    let vault = azure.get(&format!("{other}/resourceGroups/shop/providers/Microsoft.KeyVault/vaults/kept")).await;
    assert_eq!(vault["type"], "Microsoft.KeyVault/vaults");
    assert_eq!(vault["properties"]["vaultUri"], "https://kept.vault.azure.net/");
    assert_eq!(vault["properties"]["tenantId"], azure.tenant.as_str());
    azure.get(&subnet).await;
    azure.get(&format!("{other}/resourceGroups/shop/providers/A.B/c/d")).await;
    assert!(azure.get(&identity).await["properties"]["clientId"].is_string());
    assert_eq!(azure.get("/subscriptions").await["value"].as_array().unwrap().len(), 2);
    // What was seeded obeys the same rules.
    let again = json!({ "location": "eastus", "properties": vault["properties"] });
    azure
        .check(&format!("PUT {other}/resourceGroups/shop/providers/Microsoft.KeyVault/vaults/kept"), again, "200")
        .await;
}

#[tokio::test(start_paused = true)]
async fn seeds_of_vaults_and_clusters() {
    let azure = Azure::new().await;
    let group = format!("{}/resourceGroups/g", azure.subscription);
    let cluster = format!("{group}/providers/Microsoft.ContainerService/managedClusters/aks");
    let vault = format!("{group}/providers/Microsoft.KeyVault/vaults/kept");
    let version = "0123456789abcdef0123456789abcdef";
    let object = |name: &str| json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "namespace": "web" }, "data": { "a": "b" } });
    azure
        .emulator
        .seed(vec![
            object("settings"),
            json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "own", "labels": { "a": "b" } } }),
            json!({ "id": format!("https://kept.vault.azure.net/secrets/password/{version}"), "value": "hidden", "tags": { "a": "b" } }),
            json!({ "id": "https://kept.vault.azure.net/secrets/listed", "attributes": { "enabled": false } }),
            json!({ "id": vault, "location": "westeurope", "properties": { "enableRbacAuthorization": true } }),
            json!({ "id": cluster, "location": "westeurope" }),
        ])
        .unwrap();
    let snapshot = azure.emulator.god().snapshot();
    let key = |rest: &str| format!("{}//{rest}", cluster.to_ascii_lowercase());
    let settings = &snapshot.kubernetes[&key("configmaps./web/settings")];
    assert_eq!(settings["data"]["a"], "b");
    assert!(settings["metadata"]["uid"].is_string());
    assert!(snapshot.kubernetes.contains_key(&key("configmaps./web/kube-root-ca.crt")));
    let own = &snapshot.kubernetes[&key("namespaces./-/own")];
    assert_eq!(own["metadata"]["labels"], json!({ "a": "b", "kubernetes.io/metadata.name": "own" }));
    assert_eq!(own["status"]["phase"], "Active");
    assert_eq!(azure.check_vault("GET kept/secrets/password", Value::Null, "200").await.body["value"], "hidden");
    azure.check_vault(&format!("GET kept/secrets/password/{version}"), Value::Null, "200").await;
    let listed = azure.check_vault("GET kept/secrets", Value::Null, "200").await;
    assert_eq!(listed.body["value"].as_array().unwrap().len(), 2);

    // A second cluster: now the object must say which.
    azure.emulator.seed(vec![json!({ "id": format!("{cluster}2"), "location": "westeurope" })]).unwrap();
    let error = azure.emulator.seed(vec![object("other")]).unwrap_err();
    assert_eq!(error.to_string(), "entry 0: no telling which cluster the ConfigMap is for; name it in \"cluster\"");
    let mut other = object("other");
    other["cluster"] = "aks2".into();
    azure.emulator.seed(vec![other]).unwrap();
    let snapshot = azure.emulator.god().snapshot();
    assert!(snapshot.kubernetes.contains_key(&format!("{}2//configmaps./web/other", cluster.to_ascii_lowercase())));
}

#[tokio::test(start_paused = true)]
async fn a_bad_seed_changes_nothing() {
    let azure = Azure::new().await;
    let good = json!({ "id": format!("{}/resourceGroups/g", azure.subscription) });
    let check = |bad: Value| {
        let before = azure.emulator.god().ids();
        let error = azure.emulator.seed(vec![good.clone(), bad]).unwrap_err();
        assert_eq!(azure.emulator.god().ids(), before);
        error.to_string()
    };
    assert_eq!(check(json!(1)), "entry 1 is not a JSON object");
    assert_eq!(check(json!({})), "entry 1 has no \"id\"");
    assert_eq!(check(json!({ "id": "nonsense" })), "entry 1: \"nonsense\" is not the id of an ARM object");
    let secret = json!({ "id": "https://nowhere.vault.azure.net/secrets/a" });
    assert_eq!(check(secret), "entry 1: no vault takes the secret \"https://nowhere.vault.azure.net/secrets/a\"");
    let object = |kind: &str| json!({ "apiVersion": "v1", "kind": kind, "metadata": { "name": "a" } });
    assert_eq!(
        check(object("ConfigMap")),
        "entry 1: no telling which cluster the ConfigMap is for; name it in \"cluster\""
    );
    let cluster =
        format!("{}/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/aks", azure.subscription);
    azure.emulator.seed(vec![json!({ "id": cluster, "location": "westeurope" })]).unwrap();
    assert_eq!(check(object("Nonsense")), "entry 1: clusters have no such Nonsense");
}

#[tokio::test(start_paused = true)]
async fn one_seed_is_one_world() {
    let ids = async |seed| {
        let azure = Azure::open(Options { seed, ..Options::default() }).await;
        azure.group("g").await;
        let path = "~/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/web";
        // Reads draw nothing that later ids depend on.
        for _ in 0..seed % 7 {
            azure.get("/subscriptions").await;
        }
        let made = azure.check(&format!("PUT {path}"), json!({ "location": "westeurope" }), "201").await;
        (azure.subscription.clone(), made.body["properties"]["clientId"].clone())
    };
    assert_eq!(ids(5).await, ids(5).await);
    assert_ne!(ids(5).await, ids(6).await);
}
