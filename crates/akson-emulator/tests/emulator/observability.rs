//! Registries, workspaces and diagnostic settings.

use serde_json::{Value, json};

use crate::support::{Azure, pass};

const REGISTRY: &str = "~/resourceGroups/shop/providers/Microsoft.ContainerRegistry/registries/shopImages";
const WORKSPACE: &str = "~/resourceGroups/shop/providers/Microsoft.OperationalInsights/workspaces/logs";

async fn with_group() -> Azure {
    let azure = Azure::new().await;
    azure.group("shop").await;
    azure
}

#[tokio::test(start_paused = true)]
async fn registries() {
    let azure = with_group().await;
    let body = |sku: &str, properties: Value| json!({ "location": "westeurope", "sku": { "name": sku }, "properties": properties });
    for (call, body, expected) in [
        (format!("PUT {REGISTRY}"), body("Gold", json!({})), "400 InvalidSku"),
        (format!("PUT {REGISTRY}-x"), body("Basic", json!({})), "400 InvalidResourceName"),
    ] {
        azure.check(&call, body, expected).await;
    }
    let basic = azure.check(&format!("PUT {REGISTRY}"), body("Basic", json!({})), "200").await;
    let properties = &basic.body["properties"];
    assert_eq!(
        (&properties["provisioningState"], &properties["loginServer"]),
        (&json!("Succeeded"), &json!("shopimages.azurecr.io"))
    );
    assert!(properties.get("networkRuleSet").is_none());
    for (path, value) in [
        ("/adminUserEnabled", json!(false)),
        ("/anonymousPullEnabled", json!(false)),
        ("/publicNetworkAccess", json!("Enabled")),
        ("/networkRuleBypassOptions", json!("AzureServices")),
        ("/policies/trustPolicy", json!({ "type": "Notary", "status": "disabled" })),
        ("/policies/exportPolicy/status", json!("enabled")),
    ] {
        assert_eq!(properties.pointer(path), Some(&value), "{path}");
    }
    azure.group("other").await;
    azure
        .check(
            &format!(
                "PUT {}",
                REGISTRY.replace("groups/shop/", "groups/other/").replace("Groups/shop/", "Groups/other/")
            ),
            body("Basic", json!({})),
            "409 AlreadyInUse",
        )
        .await;
    let premium = format!("PUT {REGISTRY}?api-version=2025-11-01");
    let rules = json!({ "networkRuleSet": { "defaultAction": "Deny", "ipRules": [{ "action": "Allow", "value": "1.2.3.4/32" }] } });
    let made = azure.check(&premium, body("Premium", rules), "201").await;
    assert_eq!((made.header("retry-after"), &made.body["properties"]["provisioningState"]), ("10", &json!("Updating")));
    assert_eq!(made.body.pointer("/properties/networkRuleSet/ipRules/0/value"), Some(&json!("1.2.3.4")));
    let status = azure.check(&format!("GET {}", made.header("azure-asyncoperation")), Value::Null, "200").await;
    assert_eq!((&status.body["status"], status.header("retry-after")), (&json!("Updating"), "10"));
    pass(30).await;
    assert_eq!(azure.get(made.header("azure-asyncoperation")).await["status"], "Succeeded");
    let patched =
        azure.check(&format!("PATCH {REGISTRY}"), json!({ "identity": { "type": "SystemAssigned" } }), "200").await;
    assert_eq!(patched.body["identity"]["type"], "systemassigned");
    azure
        .check(
            &format!("PATCH {REGISTRY}"),
            json!({ "properties": { "zoneRedundancy": "Enabled" } }),
            "400 ZoneRedundancyNotSupported",
        )
        .await;
    let deleted = azure.check(&format!("DELETE {REGISTRY}"), Value::Null, "202").await;
    assert_eq!(
        (deleted.header("retry-after"), &deleted.body["properties"]["provisioningState"]),
        ("10", &json!("Deleting"))
    );
    pass(30).await;
    azure.check(&format!("GET {}", deleted.header("location")), Value::Null, "200").await;
    azure.check(&format!("GET {REGISTRY}"), Value::Null, "404 ResourceNotFound").await;
    azure.check(&format!("DELETE {REGISTRY}"), Value::Null, "204").await;
}

#[tokio::test(start_paused = true)]
async fn a_workspace_is_only_soft_deleted() {
    let azure = with_group().await;
    let body = |days: u64| json!({ "location": "westeurope", "properties": { "retentionInDays": days, "sku": { "name": "PerGB2018" } } });
    let made = azure.check(&format!("PUT {WORKSPACE}"), body(30), "201").await;
    assert_eq!((made.header("retry-after"), &made.body["properties"]["provisioningState"]), ("20", &json!("Creating")));
    assert!(made.header("location").contains("/workspaces/logs?api-version="), "{}", made.header("location"));
    let operation = made.header("azure-asyncoperation").to_owned();
    assert!(
        operation.contains("/operationstatuses/") && operation.contains("api-version=2015-11-01-preview"),
        "{operation}"
    );
    assert_eq!(azure.get(&operation).await["status"], "InProgress");
    pass(60).await;
    assert_eq!(azure.get(&operation).await["status"], "Succeeded");
    assert_eq!(azure.get(WORKSPACE).await["properties"]["features"]["searchVersion"], 1);
    azure.check(&format!("PUT {WORKSPACE}"), body(2), "400 InvalidParameter").await;
    let updated = azure.check(&format!("PUT {WORKSPACE}"), body(60), "200").await;
    assert_eq!(updated.body["properties"]["provisioningState"], "Updating");
    pass(60).await;
    assert_eq!(azure.check(&format!("PUT {WORKSPACE}"), body(60), "200").await.header("azure-asyncoperation"), "");
    let keys = azure.check(&format!("POST {WORKSPACE}/sharedKeys"), Value::Null, "200").await;
    assert_ne!(keys.body["primarySharedKey"], keys.body["secondarySharedKey"]);

    let customer = azure.get(WORKSPACE).await["properties"]["customerId"].clone();
    azure.check(&format!("DELETE {WORKSPACE}"), Value::Null, "200").await;
    azure.check(&format!("GET {WORKSPACE}"), Value::Null, "404 ResourceNotFound").await;
    azure.group("other").await;
    let other = WORKSPACE.replace("Groups/shop/", "Groups/other/");
    azure.check(&format!("PUT {other}"), body(30), "409 Conflict").await;
    let restored = azure.check(&format!("PUT {WORKSPACE}"), body(30), "201").await;
    assert_eq!(restored.body["properties"]["provisioningState"], "Restoring");
    assert_eq!(restored.body["properties"]["customerId"], customer);
    pass(60).await;
    azure.check(&format!("DELETE {WORKSPACE}?force=true"), Value::Null, "200").await;
    azure.check(&format!("PUT {other}"), body(30), "201").await;
    // A group's end is soft for them, too; two weeks later the name is free.
    azure.check("DELETE ~/resourceGroups/other", Value::Null, "202").await;
    pass(100).await;
    azure.check(&format!("PUT {WORKSPACE}"), body(30), "409 Conflict").await;
    let azure = azure.pass(15 * 24 * 3600).await;
    azure.check(&format!("PUT {WORKSPACE}"), body(30), "201").await;
}

#[tokio::test(start_paused = true)]
async fn diagnostic_settings() {
    let azure = with_group().await;
    azure.check(&format!("PUT {WORKSPACE}"), json!({ "location": "westeurope" }), "201").await;
    let setting = |name: &str| format!("{WORKSPACE}/providers/Microsoft.Insights/diagnosticSettings/{name}");
    let sink = WORKSPACE.replace('~', &azure.subscription);
    let body = |categories: &[&str]| {
        let logs: Vec<Value> = categories.iter().map(|name| json!({ "category": name, "enabled": true })).collect();
        json!({ "properties": { "workspaceId": sink, "logs": logs } })
    };
    let missing = azure.check(&format!("GET {}", setting("d")), Value::Null, "404 ResourceNotFound").await;
    assert!(missing.body.get("error").is_none(), "bare");
    azure.check(&format!("PUT {}", setting("d")), json!({ "properties": { "logs": [] } }), "400 BadRequest").await;
    let made = azure.check(&format!("PUT {}", setting("d")), body(&["kube-audit"]), "200").await;
    let scope = sink.to_ascii_lowercase();
    assert_eq!(made.body["id"], format!("{scope}/providers/microsoft.insights/diagnosticSettings/d"));
    assert_eq!((&made.body["location"], &made.body["properties"]["metrics"]), (&Value::Null, &json!([])));
    let retention = json!({ "enabled": false, "days": 0 });
    assert_eq!(made.body["properties"]["logs"][0]["retentionPolicy"], retention);
    assert_eq!(made.body["properties"]["workspaceId"], sink, "case is kept inside");
    let later = azure.get(&setting("d")).await;
    assert_eq!(later["location"], "westeurope");
    assert_eq!(
        later["properties"]["metrics"],
        json!([{ "category": "AllMetrics", "enabled": false, "retentionPolicy": retention }])
    );
    azure.check(&format!("PUT {}", setting("twice")), body(&["kube-audit"]), "409 Conflict").await;
    for name in ["e", "f", "g", "h"] {
        azure.check(&format!("PUT {}", setting(name)), body(&[name]), "200").await;
    }
    azure.check(&format!("PUT {}", setting("i")), body(&["i"]), "409 Conflict").await;
    azure.check(&format!("PUT {}", setting("h")), body(&[]), "200").await;
    azure.check(&format!("GET {}", setting("h")), Value::Null, "404 ResourceNotFound").await;
    assert_eq!(azure.get(setting("").trim_end_matches('/')).await["value"].as_array().unwrap().len(), 4);
    azure.check(&format!("DELETE {}", setting("d")), Value::Null, "200").await;
    azure.check(&format!("DELETE {}", setting("d")), Value::Null, "204").await;
    azure.check(&format!("PUT {}", setting("d").replace("logs/", "none/")), body(&["a"]), "404 ResourceNotFound").await;
}

#[tokio::test(start_paused = true)]
async fn providers_and_the_inventory_know_them() {
    let azure = with_group().await;
    azure.check(&format!("PUT {WORKSPACE}"), json!({ "location": "westeurope" }), "201").await;
    for (namespace, kind) in [
        ("Microsoft.Network", "privateDnsZones/virtualNetworkLinks"),
        ("Microsoft.ContainerService", "managedClusters/maintenanceConfigurations"),
        ("Microsoft.OperationalInsights", "workspaces"),
    ] {
        let provider = azure.get(&format!("~/providers/{namespace}")).await;
        let known = provider["resourceTypes"].as_array().unwrap().iter().any(|one| one["resourceType"] == kind);
        assert!(known, "{namespace}/{kind}");
    }
    let found = azure.get("~/resources").await;
    assert_eq!(found["value"][0]["type"], "Microsoft.OperationalInsights/workspaces");
    assert!(found["value"][0].get("properties").is_none());
}
