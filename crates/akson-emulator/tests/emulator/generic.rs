//! Any other type, and Microsoft.Network's way of taking its time.

use serde_json::{Value, json};

use crate::support::{Azure, pass};

const ACCOUNT: &str = "~/resourceGroups/shop/providers/Microsoft.Storage/storageAccounts/logs";
const BALANCER: &str = "~/resourceGroups/shop/providers/Microsoft.Network/loadBalancers/lb";

async fn with_group() -> Azure {
    let azure = Azure::new().await;
    azure.group("shop").await;
    azure
}

#[tokio::test(start_paused = true)]
async fn a_body_is_stored_and_comes_back() {
    let azure = with_group().await;
    let body = json!({ "location": "West Europe", "name": "ignored", "tags": {"a": "b"}, "properties": { "sku": {"name": "PerGB2018"}, "retentionInDays": 30 } });
    let made = azure.check(&format!("PUT {ACCOUNT}"), body, "201").await;
    assert_eq!(
        made.body,
        json!({
            "id": ACCOUNT.replace('~', &azure.subscription),
            "name": "logs",
            "type": "Microsoft.Storage/storageAccounts",
            "location": "westeurope",
            "properties": { "sku": {"name": "PerGB2018"}, "retentionInDays": 30, "provisioningState": "Succeeded" },
            "tags": {"a": "b"},
        })
    );
    let patched = azure
        .check(
            &format!("PATCH {ACCOUNT}"),
            json!({ "tags": {"c": "d"}, "properties": { "retentionInDays": 60 } }),
            "200",
        )
        .await;
    assert_eq!(patched.body["tags"], json!({"c": "d"}));
    assert_eq!(
        patched.body["properties"],
        json!({ "sku": {"name": "PerGB2018"}, "retentionInDays": 60, "provisioningState": "Succeeded" })
    );
    let replaced = azure.check(&format!("PUT {ACCOUNT}"), json!({ "location": "westeurope" }), "200").await;
    assert_eq!(replaced.body["properties"], json!({ "provisioningState": "Succeeded" }));
    assert_eq!(replaced.body.get("tags"), None);
    assert_eq!(azure.get(ACCOUNT).await, replaced.body);
    azure.check(&format!("PUT {ACCOUNT}"), json!({ "location": "eastus" }), "409 InvalidResourceLocation").await;
    azure.check(&format!("POST {ACCOUNT}/dance"), json!({}), "404 InvalidResourceType").await;
    azure.check(&format!("DELETE {ACCOUNT}"), Value::Null, "200").await;
    azure.check(&format!("DELETE {ACCOUNT}"), Value::Null, "204").await;
    azure.check(&format!("PATCH {ACCOUNT}"), json!({}), "404 ResourceNotFound").await;
}

#[tokio::test(start_paused = true)]
async fn parents_and_children() {
    let azure = with_group().await;
    let child = format!("{ACCOUNT}/blobServices/t");
    azure.check(&format!("PUT {child}"), json!({}), "404 ParentResourceNotFound").await;
    azure.check(&format!("PUT {ACCOUNT}"), json!({ "location": "westeurope" }), "201").await;
    azure.check(&format!("PUT {child}"), json!({ "properties": {} }), "201").await;
    assert_eq!(azure.get(&format!("{ACCOUNT}/blobServices")).await["value"].as_array().unwrap().len(), 1);
    let all = azure.get("~/providers/Microsoft.Storage/storageAccounts").await;
    assert_eq!(all["value"].as_array().unwrap().len(), 1, "children are no accounts");
    azure.check(&format!("DELETE {ACCOUNT}"), Value::Null, "200").await;
    assert!(azure.emulator.god().object(&child.replace('~', &azure.subscription)).is_none());
    azure.check("PUT ~/resourceGroups/shop/providers/nonsense/a/b", json!({}), "404 InvalidResourceNamespace").await;
    azure.check("PUT ~/resourceGroups/none/providers/A.B/c/d", json!({}), "404 ResourceGroupNotFound").await;
}

#[tokio::test(start_paused = true)]
async fn at_every_scope() {
    let azure = with_group().await;
    azure.check(&format!("PUT {ACCOUNT}"), json!({ "location": "westeurope" }), "201").await;
    azure.grant("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "");
    for path in [
        "/providers/Microsoft.Management/managementGroups/root".to_owned(),
        "~/providers/A.B/settings/s".to_owned(),
        format!("{ACCOUNT}/providers/Microsoft.Insights/autoscaleSettings/d"),
    ] {
        azure.check(&format!("PUT {path}"), json!({ "properties": {"a": 1} }), "201").await;
        assert_eq!(azure.get(&path).await["properties"]["a"], 1);
    }
    let settings = azure.get(&format!("{ACCOUNT}/providers/Microsoft.Insights/autoscaleSettings")).await;
    assert_eq!(settings["value"].as_array().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn network_takes_its_time() {
    let azure = with_group().await;
    let made = azure
        .check(&format!("PUT {BALANCER}"), json!({ "location": "westeurope", "properties": {"probes": []} }), "201")
        .await;
    assert_eq!(made.body["properties"]["provisioningState"], "Updating");
    assert_eq!(
        (made.header("retry-after"), made.header("azure-asyncnotification"), made.header("location")),
        ("10", "Enabled", "")
    );
    assert!(made.body["etag"].as_str().unwrap().starts_with("W/\""));
    let operation = made.header("azure-asyncoperation").to_owned();
    assert!(operation.contains("/providers/Microsoft.Network/locations/westeurope/operations/"), "{operation}");
    assert_eq!(azure.get(&operation).await, json!({ "status": "InProgress" }));
    pass(15).await;
    assert_eq!(azure.get(&operation).await, json!({ "status": "Succeeded" }));
    assert_eq!(azure.get(BALANCER).await["properties"]["provisioningState"], "Succeeded");

    let accepted = azure.check(&format!("DELETE {BALANCER}"), Value::Null, "202").await;
    let (status, result) = (accepted.header("azure-asyncoperation").to_owned(), accepted.header("location").to_owned());
    assert_eq!(azure.get(BALANCER).await["properties"]["provisioningState"], "Deleting");
    azure
        .check(&format!("PUT {BALANCER}"), json!({ "location": "westeurope" }), "409 AnotherOperationInProgress")
        .await;
    azure.check(&format!("GET {result}"), Value::Null, "202").await;
    pass(30).await;
    assert_eq!(azure.get(&status).await["status"], "Succeeded");
    azure.check(&format!("GET {result}"), Value::Null, "204").await;
    azure.check(&format!("GET {BALANCER}"), Value::Null, "404 ResourceNotFound").await;
}

#[tokio::test(start_paused = true)]
async fn conditions() {
    let azure = with_group().await;
    let put = async |name: &'static str, value: &str| {
        let mut request = azure.request(&format!("PUT {BALANCER}"), &json!({ "location": "westeurope" }));
        request.headers_mut().insert(name, value.parse().unwrap());
        azure.send(request).await.unwrap().outcome()
    };
    assert_eq!(put("if-match", "*").await, "412 PreconditionFailed");
    assert_eq!(put("if-none-match", "*").await, "201");
    assert_eq!(put("if-none-match", "*").await, "412 PreconditionFailed");
    let etag = azure.get(BALANCER).await["etag"].as_str().unwrap().to_owned();
    assert_eq!(put("if-match", "W/\"other\"").await, "412 PreconditionFailed");
    assert_eq!(put("if-match", &etag).await, "200");
}
