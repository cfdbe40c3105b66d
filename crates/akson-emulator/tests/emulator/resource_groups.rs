//! Resource groups: verbs, tags, locations, and the slow end of everything inside.

use serde_json::{Value, json};

use crate::support::{Azure, pass};

#[tokio::test(start_paused = true)]
async fn verbs() {
    let azure = Azure::new().await;
    let g = "~/resourceGroups/Shop";
    azure.check(&format!("HEAD {g}"), Value::Null, "404").await;
    let missing = azure.check(&format!("GET {g}"), Value::Null, "404 ResourceGroupNotFound").await;
    assert_eq!(missing.header("x-ms-failure-cause"), "gateway");
    let made = azure
        .check(&format!("PUT {g}"), json!({ "location": "West Europe", "tags": {"a": "1", "b": "2"} }), "201")
        .await;
    assert_eq!(
        made.body,
        json!({
            "id": format!("{}/resourceGroups/Shop", azure.subscription),
            "name": "Shop",
            "type": "Microsoft.Resources/resourceGroups",
            "location": "westeurope",
            "tags": {"a": "1", "b": "2"},
            "properties": { "provisioningState": "Succeeded" },
        })
    );
    // Case does not matter, and the first spelling stays.
    let again =
        azure.check("PUT ~/RESOURCEGROUPS/sHOP", json!({ "location": "westeurope", "tags": {"c": "3"} }), "200").await;
    assert_eq!((again.body["name"].as_str(), &again.body["tags"]), (Some("Shop"), &json!({"c": "3"})));
    let patched = azure.check(&format!("PATCH {g}"), json!({ "tags": {"d": "4"} }), "200").await;
    assert_eq!(patched.body["tags"], json!({"d": "4"}));
    azure.check(&format!("PATCH {g}"), json!({}), "200").await;
    assert_eq!(azure.get(g).await["tags"], json!({"d": "4"}));
    azure.check(&format!("HEAD {g}"), Value::Null, "204").await;
    azure.check(&format!("PUT {g}"), json!({ "location": "westeurope" }), "200").await;
    assert_eq!(azure.get(g).await.get("tags"), None);
    azure.check(&format!("POST {g}"), json!({}), "405 HttpMethodNotAllowed").await;
    assert_eq!(azure.get("~/resourcegroups").await["value"].as_array().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn refusals() {
    let azure = Azure::new().await;
    azure.group("taken").await;
    let check = async |name: &str, body: Value, expected: &str| {
        azure.check(&format!("PUT ~/resourceGroups/{name}"), body, expected).await;
    };
    check("g", json!({}), "400 LocationRequired").await;
    check("g", json!({ "location": "BadLocation" }), "400 LocationNotAvailableForResourceGroup").await;
    check("g", json!({ "location": 7 }), "400 InvalidRequestContent").await;
    check("g", json!([]), "400 InvalidRequestContent").await;
    check("g", Value::Null, "400 InvalidRequestContent").await;
    check("g", json!({ "location": "westeurope", "tags": {"a/b": "c"} }), "400 InvalidTagNameCharacters").await;
    check("g.", json!({ "location": "westeurope" }), "400 InvalidResourceGroup").await;
    check("g%20h", json!({ "location": "westeurope" }), "400 InvalidResourceGroup").await;
    check("taken", json!({ "location": "eastus" }), "409 InvalidResourceGroupLocation").await;
    azure.check("DELETE ~/resourceGroups/none", Value::Null, "404 ResourceGroupNotFound").await;
    azure.check("PATCH ~/resourceGroups/none", json!({}), "404 ResourceGroupNotFound").await;
}

#[tokio::test(start_paused = true)]
async fn a_deletion_takes_its_time_and_everything_with_it() {
    let azure = Azure::new().await;
    azure.group("g").await;
    let identity = "~/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/web";
    azure.check(&format!("PUT {identity}"), json!({ "location": "westeurope" }), "201").await;
    let vault = "~/resourceGroups/g/providers/Microsoft.KeyVault/vaults/shop-vault";
    let body = json!({ "location": "westeurope", "properties": { "tenantId": azure.tenant, "sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": true } });
    azure.check(&format!("PUT {vault}"), body, "200").await;

    let accepted = azure.check("DELETE ~/resourceGroups/g", Value::Null, "202").await;
    assert_eq!((accepted.header("retry-after"), accepted.text.as_str()), ("15", ""));
    let operation = accepted.header("location").to_owned();
    assert!(operation.starts_with("https://management.azure.com/subscriptions/"), "{operation}");

    assert_eq!(azure.get("~/resourceGroups/g").await["properties"]["provisioningState"], "Deleting");
    azure.get(identity).await;
    let new = identity.replace("/web", "/other");
    azure.check(&format!("PUT {new}"), json!({ "location": "westeurope" }), "409 ResourceGroupBeingDeleted").await;
    azure.check("PUT ~/resourceGroups/g", json!({ "location": "westeurope" }), "409 ResourceGroupBeingDeleted").await;
    azure.check("PATCH ~/resourceGroups/g", json!({ "tags": {} }), "409 ResourceGroupBeingDeleted").await;
    let again = azure.check("DELETE ~/resourceGroups/g", Value::Null, "202").await;
    assert_eq!(again.header("location").split('?').next(), operation.split('?').next());

    let poll = azure.check(&format!("GET {operation}"), Value::Null, "202").await;
    assert_eq!(
        (poll.header("location"), poll.header("retry-after"), poll.text.as_str()),
        (operation.as_str(), "15", "")
    );
    pass(120).await;
    let done = azure.check(&format!("GET {operation}"), Value::Null, "200").await;
    assert_eq!((done.text.as_str(), done.header("location")), ("", ""));
    azure.check("GET ~/resourceGroups/g", Value::Null, "404 ResourceGroupNotFound").await;
    azure.check(&format!("GET {identity}"), Value::Null, "404 ResourceGroupNotFound").await;
    azure.check(&format!("DELETE {identity}"), Value::Null, "404 ResourceGroupNotFound").await;
    assert!(azure.emulator.god().snapshot().deleted_vaults.contains_key("shop-vault"));
    // Finished operations can still be asked for, and the group made again.
    azure.check(&format!("GET {operation}"), Value::Null, "200").await;
    azure.group("g").await;
}

#[tokio::test(start_paused = true)]
async fn an_operation_url_comes_back_as_it_is_or_not_at_all() {
    let azure = Azure::new().await;
    azure.group("g").await;
    let operation = azure.check("DELETE ~/resourceGroups/g", Value::Null, "202").await.header("location").to_owned();
    for altered in [
        operation.to_lowercase(),
        operation.replace("&h=", "&h=x"),
        operation.replace("api-version=2023-01-31", "api-version=2023-01-30"),
        operation.split("&t=").next().unwrap().to_owned(),
    ] {
        azure.check(&format!("GET {altered}"), Value::Null, "404 NotFound").await;
    }
    azure.check(&format!("GET {operation}"), Value::Null, "202").await;
}
