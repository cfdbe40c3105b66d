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
