//! User-assigned identities.

use serde_json::{Value, json};

use crate::support::Azure;

const WEB: &str = "~/resourceGroups/Shop/providers/Microsoft.ManagedIdentity/userAssignedIdentities/web";

#[tokio::test(start_paused = true)]
async fn verbs() {
    let azure = Azure::new().await;
    azure.group("Shop").await;
    let missing = azure.check(&format!("GET {WEB}"), Value::Null, "404 ResourceNotFound").await;
    assert_eq!(missing.header("x-ms-failure-cause"), "gateway");
    let made = azure.check(&format!("PUT {WEB}"), json!({ "location": "West Europe" }), "201").await;
    let id = format!(
        "{}/resourcegroups/Shop/providers/Microsoft.ManagedIdentity/userAssignedIdentities/web",
        azure.subscription
    );
    assert_eq!(made.body["id"], id.as_str());
    assert_eq!(made.header("location"), id, "relative, and no operation");
    assert_eq!(made.header("azure-asyncoperation"), "");
    assert_eq!((&made.body["tags"], &made.body["location"]), (&json!({}), &json!("westeurope")));
    assert_eq!(made.body["properties"]["tenantId"], azure.tenant.as_str());
    assert!(made.body["properties"].get("provisioningState").is_none());

    let again =
        azure.check(&format!("PUT {WEB}"), json!({ "location": "westeurope", "tags": {"a": "b"} }), "200").await;
    assert_eq!(again.header("location"), "");
    assert_eq!(again.body["properties"], made.body["properties"]);
    let patched = azure.check(&format!("PATCH {WEB}"), json!({ "tags": {"c": "d"} }), "200").await;
    assert_eq!(patched.body["tags"], json!({"c": "d"}));
    for list in ["~/resourceGroups/Shop", "~"] {
        let listed = azure.get(&format!("{list}/providers/microsoft.managedidentity/userassignedidentities")).await;
        assert_eq!(listed["value"], json!([azure.get(WEB).await]));
    }
    let gone = azure.check(&format!("DELETE {WEB}"), Value::Null, "200").await;
    assert_eq!(gone.text, "");
    azure.check(&format!("DELETE {WEB}"), Value::Null, "204").await;
    azure.check(&format!("GET {WEB}"), Value::Null, "404 ResourceNotFound").await;

    let new = azure.check(&format!("PUT {WEB}"), json!({ "location": "westeurope" }), "201").await;
    for name in ["principalId", "clientId"] {
        assert_ne!(new.body["properties"][name], made.body["properties"][name], "another principal");
    }
}

#[tokio::test(start_paused = true)]
async fn refusals() {
    let azure = Azure::new().await;
    azure.group("Shop").await;
    azure.check(&format!("PUT {WEB}"), json!({ "location": "westeurope" }), "201").await;
    let check = async |path: &str, body: Value, expected: &str| {
        azure.check(&format!("PUT {path}"), body, expected).await;
    };
    check(WEB, json!({}), "400 LocationRequired").await;
    check(WEB, json!({ "location": "mars" }), "400 LocationNotAvailableForResourceType").await;
    check(WEB, json!({ "location": "eastus" }), "409 InvalidResourceLocation").await;
    check(&WEB.replace("/web", "/-web"), json!({ "location": "eastus" }), "400 BadRequest").await;
    check(&WEB.replace("/web", "/w"), json!({ "location": "eastus" }), "400 BadRequest").await;
    check(&WEB.replace("Shop", "none"), json!({ "location": "eastus" }), "404 ResourceGroupNotFound").await;
    azure.check(&format!("PATCH {}", WEB.replace("/web", "/none")), json!({}), "404 ResourceNotFound").await;
    azure
        .check(
            "GET ~/resourceGroups/none/providers/Microsoft.ManagedIdentity/userAssignedIdentities",
            Value::Null,
            "404 ResourceGroupNotFound",
        )
        .await;
}
