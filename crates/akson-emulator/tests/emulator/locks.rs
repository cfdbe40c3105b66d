//! Locks: at any scope, and what they forbid below it.

use serde_json::{Value, json};

use crate::support::Azure;

const GROUP: &str = "~/resourceGroups/shop";
const WEB: &str = "~/resourceGroups/shop/providers/Microsoft.ManagedIdentity/userAssignedIdentities/web";

fn lock(scope: &str) -> String {
    format!("{scope}/providers/Microsoft.Authorization/locks/keep")
}

fn level(level: &str) -> Value {
    json!({ "properties": { "level": level, "notes": "why" } })
}

async fn with_identity() -> Azure {
    let azure = Azure::new().await;
    azure.group("shop").await;
    azure.check(&format!("PUT {WEB}"), json!({ "location": "westeurope" }), "201").await;
    azure
}

#[tokio::test(start_paused = true)]
async fn verbs() {
    let azure = with_identity().await;
    for scope in ["~", GROUP, WEB] {
        let path = lock(scope);
        azure.check(&format!("GET {path}"), Value::Null, "404 ResourceNotFound").await;
        let made = azure.check(&format!("PUT {path}"), level("CanNotDelete"), "201").await;
        assert_eq!(
            made.body,
            json!({
                "properties": { "level": "CanNotDelete", "notes": "why" },
                "id": path.replace('~', &azure.subscription),
                "type": "Microsoft.Authorization/locks",
                "name": "keep",
            })
        );
        azure.check(&format!("PUT {path}"), level("readonly"), "200").await;
        assert_eq!(azure.get(&path).await["properties"]["level"], "ReadOnly");
    }
    let count = async |scope: &str| {
        azure.get(&format!("{scope}/providers/Microsoft.Authorization/locks")).await["value"].as_array().unwrap().len()
    };
    assert_eq!((count("~").await, count(GROUP).await, count(WEB).await), (3, 2, 1));
    for scope in ["~", GROUP, WEB] {
        azure.check(&format!("DELETE {}", lock(scope)), Value::Null, "200").await;
        azure.check(&format!("DELETE {}", lock(scope)), Value::Null, "204").await;
    }
    azure.check(&format!("PUT {}", lock(GROUP)), level("Sometimes"), "400 InvalidLockLevel").await;
    azure
        .check(&format!("PUT {}", lock(&WEB.replace("/web", "/none"))), level("ReadOnly"), "404 ResourceNotFound")
        .await;
}

#[tokio::test(start_paused = true)]
async fn what_a_lock_forbids() {
    for (scope, shown) in [("~", "~"), (GROUP, GROUP), (WEB, WEB)] {
        let azure = with_identity().await;
        azure.check(&format!("PUT {}", lock(scope)), level("CanNotDelete"), "201").await;
        azure.check(&format!("PUT {WEB}"), json!({ "location": "westeurope" }), "200").await;
        let refused = azure.check(&format!("DELETE {WEB}"), Value::Null, "409 ScopeLocked").await;
        let shown = shown.replace('~', &azure.subscription);
        assert!(refused.text.contains(&format!("locked: '{shown}'")), "{}", refused.text);
        azure.check(&format!("DELETE {GROUP}"), Value::Null, "409 ScopeLocked").await;

        azure.check(&format!("PUT {}", lock(scope)), level("ReadOnly"), "200").await;
        azure.check(&format!("PUT {WEB}"), json!({ "location": "westeurope" }), "409 ScopeLocked").await;
        azure.check(&format!("PATCH {WEB}"), json!({}), "409 ScopeLocked").await;
        azure.get(WEB).await;
        azure.check(&format!("DELETE {}", lock(scope)), Value::Null, "200").await;
        azure.check(&format!("DELETE {WEB}"), Value::Null, "200").await;
        azure.check(&format!("DELETE {GROUP}"), Value::Null, "202").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_lock_goes_with_its_scope() {
    let azure = with_identity().await;
    let god = azure.emulator.god();
    azure.check(&format!("PUT {}", lock(WEB)), level("CanNotDelete"), "201").await;
    god.delete_object(&WEB.replace('~', &azure.subscription)).unwrap();
    azure.check(&format!("GET {}", lock(WEB)), Value::Null, "404 ResourceNotFound").await;
    assert_eq!(azure.get("~/providers/Microsoft.Authorization/locks").await["value"], json!([]));
}
