//! Vaults, the management side: creation, what is forced and kept, soft delete and its end.

use serde_json::{Value, json};

use crate::support::{Azure, pass};

const VAULT: &str = "~/resourceGroups/shop/providers/Microsoft.KeyVault/vaults/Shop-Vault";
const DELETED: &str = "~/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/shop-vault";

fn body(azure: &Azure, extra: &Value) -> Value {
    let mut properties = json!({
        "tenantId": azure.tenant,
        "sku": { "family": "A", "name": "standard" },
        "accessPolicies": [],
    });
    for (name, value) in extra.as_object().unwrap() {
        properties[name] = value.clone();
    }
    json!({ "location": "westeurope", "properties": properties })
}

async fn with_group() -> Azure {
    let azure = Azure::new().await;
    azure.group("shop").await;
    azure
}

#[tokio::test(start_paused = true)]
async fn a_new_vault_registers_its_name_first() {
    let azure = with_group().await;
    azure.check(&format!("GET {VAULT}"), Value::Null, "404 ResourceNotFound").await;
    let made = azure.check(&format!("PUT {VAULT}"), body(&azure, &json!({ "enableSoftDelete": false })), "200").await;
    for absent in ["azure-asyncoperation", "location", "retry-after"] {
        assert_eq!(made.header(absent), "", "{absent}");
    }
    assert!(!made.header("x-ms-keyvault-service-version").is_empty());
    let properties = &made.body["properties"];
    assert_eq!(
        made.body["id"],
        format!("{}/resourceGroups/shop/providers/Microsoft.KeyVault/vaults/Shop-Vault", azure.subscription).as_str()
    );
    assert_eq!(properties["provisioningState"], "RegisteringDns");
    assert_eq!(properties["vaultUri"], "https://shop-vault.vault.azure.net");
    assert_eq!(
        [
            &properties["enableSoftDelete"],
            &properties["enabledForDeployment"],
            &properties["publicNetworkAccess"],
            &properties["softDeleteRetentionInDays"]
        ],
        [&json!(true), &json!(false), &json!("Enabled"), &json!(90)]
    );
    assert_eq!(made.body["tags"], json!({}));
    assert_eq!(made.body["systemData"]["createdByType"], "Application");
    assert!(properties.get("enablePurgeProtection").is_none());

    let early = azure.get(VAULT).await;
    assert_eq!(early["properties"]["provisioningState"], "RegisteringDns");
    assert_eq!(early["properties"]["vaultUri"], "https://shop-vault.vault.azure.net/");
    pass(60).await;
    assert_eq!(azure.get(VAULT).await["properties"]["provisioningState"], "Succeeded");
    let updated = azure.check(&format!("PUT {VAULT}"), body(&azure, &json!({})), "200").await;
    assert_eq!(updated.body["properties"]["provisioningState"], "Succeeded");
    for list in ["~/resourceGroups/shop", "~"] {
        let listed = azure.get(&format!("{list}/providers/Microsoft.KeyVault/vaults")).await;
        assert_eq!(listed["value"], json!([azure.get(VAULT).await]));
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_taken_back() {
    let azure = with_group().await;
    let check =
        async |extra: Value, expected: &str| azure.check(&format!("PUT {VAULT}"), body(&azure, &extra), expected).await;
    check(json!({ "enablePurgeProtection": false }), "400 BadRequest").await;
    check(json!({ "softDeleteRetentionInDays": 6 }), "400 BadRequest").await;
    check(json!({ "softDeleteRetentionInDays": 7 }), "200").await;
    check(json!({ "softDeleteRetentionInDays": 8 }), "400 BadRequest").await;
    check(json!({ "enablePurgeProtection": true }), "200").await;
    check(json!({ "enablePurgeProtection": false }), "400 BadRequest").await;
    let kept = check(json!({}), "200").await.body["properties"].clone();
    assert_eq!(kept["enablePurgeProtection"], true);
    assert_eq!(kept["softDeleteRetentionInDays"], 7);
    let patch = azure.check(&format!("PATCH {VAULT}"), json!({ "tags": {"a": "b"}, "properties": { "enableRbacAuthorization": true, "publicNetworkAccess": "disabled" } }), "200").await;
    assert_eq!(patch.body["tags"], json!({"a": "b"}));
    assert_eq!(patch.body["properties"]["publicNetworkAccess"], "Disabled");
    azure
        .check(&format!("PATCH {VAULT}"), json!({ "properties": { "softDeleteRetentionInDays": 9 } }), "400 BadRequest")
        .await;
    // A PUT replaces: what is left out is not set any more.
    assert!(check(json!({}), "200").await.body["properties"].get("enableRbacAuthorization").is_none());
}

#[tokio::test(start_paused = true)]
async fn bodies() {
    let azure = with_group().await;
    let check =
        async |extra: Value, expected: &str| azure.check(&format!("PUT {VAULT}"), body(&azure, &extra), expected).await;
    check(json!({ "tenantId": null }), "400 BadRequest").await;
    check(json!({ "sku": {"family": "B", "name": "standard"} }), "400 BadRequest").await;
    check(json!({ "accessPolicies": null }), "400 BadRequest").await;
    check(json!({ "publicNetworkAccess": "Maybe" }), "400 BadRequest").await;
    check(json!({ "networkAcls": {"defaultAction": "Deny", "ipRules": [{"value": "nonsense"}]} }), "400 BadRequest")
        .await;
    check(json!({ "accessPolicies": null, "enableRbacAuthorization": true }), "200").await;
    let open = check(json!({ "networkAcls": {"bypass": "AzureServices", "defaultAction": "Allow"} }), "200").await;
    assert!(open.body["properties"].get("networkAcls").is_none(), "rules that allow everything are dropped");
    let subnet = "/subscriptions/S/resourceGroups/G/providers/Microsoft.Network/virtualNetworks/V/subnets/S";
    let closed = check(
        json!({ "networkAcls": {"defaultAction": "deny", "ipRules": [{"value": "1.2.3.4"}, {"value": "10.0.0.0/8"}], "virtualNetworkRules": [{"id": subnet}]} }),
        "200",
    )
    .await;
    assert_eq!(
        closed.body["properties"]["networkAcls"],
        json!({
            "bypass": "AzureServices",
            "defaultAction": "Deny",
            "ipRules": [{"value": "1.2.3.4/32"}, {"value": "10.0.0.0/8"}],
            "virtualNetworkRules": [{"id": subnet.to_lowercase()}],
        })
    );
    let rbac =
        |version: &str| format!("PUT {}?api-version={version}", VAULT.replace("Shop-Vault", &format!("kv{version}")));
    let old = azure.check(&rbac("2023-07-01"), body(&azure, &json!({})), "200").await;
    assert_eq!(old.body["properties"]["enableRbacAuthorization"], false);
    let new = azure.check(&rbac("2026-02-01"), body(&azure, &json!({})), "200").await;
    assert_eq!(new.body["properties"]["enableRbacAuthorization"], true);
}

#[tokio::test(start_paused = true)]
async fn names() {
    let azure = with_group().await;
    azure.group("other").await;
    let check = async |name: &str, expected: &str| {
        let path = VAULT.replace("Shop-Vault", name);
        azure.check(&format!("PUT {path}"), body(&azure, &json!({})), expected).await;
    };
    for name in ["ab", "1abc", "abc-", "a--b", "a_bc", "abcdefghijklmnopqrstuvwxy"] {
        check(name, "400 VaultNameNotValid").await;
    }
    check("abc", "200").await;
    let elsewhere = VAULT.replace("Shop-Vault", "ABC").replace("/shop/", "/other/");
    azure.check(&format!("PUT {elsewhere}"), body(&azure, &json!({})), "409 VaultAlreadyExists").await;
    let moved = json!({ "location": "eastus", "properties": body(&azure, &json!({}))["properties"] });
    azure.check(&format!("PUT {}", VAULT.replace("Shop-Vault", "abc")), moved, "409 InvalidResourceLocation").await;
}

#[tokio::test(start_paused = true)]
async fn deleted_recovered_purged() {
    let azure = with_group().await;
    azure.group("other").await;
    azure.check(&format!("GET {DELETED}"), Value::Null, "404 DeletedVaultNotFound").await;
    azure.check(&format!("PUT {VAULT}"), body(&azure, &json!({ "enableRbacAuthorization": true })), "200").await;
    azure.check(&format!("DELETE {VAULT}"), Value::Null, "200").await;
    azure.check(&format!("DELETE {VAULT}"), Value::Null, "204").await;
    azure.check(&format!("GET {VAULT}"), Value::Null, "404 ResourceNotFound").await;

    let deleted = azure.get(DELETED).await;
    assert_eq!(deleted["type"], "Microsoft.KeyVault/deletedVaults");
    assert_eq!(deleted["properties"]["location"], "westeurope");
    assert_eq!(azure.get("~/providers/Microsoft.KeyVault/deletedVaults").await["value"], json!([deleted]));
    azure.check(&format!("PUT {VAULT}"), body(&azure, &json!({})), "409 ConflictError").await;
    let elsewhere = VAULT.replace("/shop/", "/other/");
    azure.check(&format!("PUT {elsewhere}"), body(&azure, &json!({})), "409 ConflictError").await;
    azure
        .check(&format!("PUT {elsewhere}"), body(&azure, &json!({ "createMode": "recover" })), "409 ConflictError")
        .await;

    let back = azure.check(&format!("PUT {VAULT}"), body(&azure, &json!({ "createMode": "recover" })), "200").await;
    assert_eq!(back.body["properties"]["provisioningState"], "Succeeded");
    assert_eq!(back.body["properties"]["enableRbacAuthorization"], true, "as it was");
    assert!(back.body["properties"].get("createMode").is_none());
    azure.check(&format!("GET {DELETED}"), Value::Null, "404 DeletedVaultNotFound").await;

    azure.check(&format!("DELETE {VAULT}"), Value::Null, "200").await;
    let purge = azure.check(&format!("POST {DELETED}/purge"), Value::Null, "202").await;
    assert_eq!((purge.text.as_str(), purge.header("retry-after")), ("", "5"));
    let operation = purge.header("location").to_owned();
    let running = azure.check(&format!("GET {operation}"), Value::Null, "202").await;
    assert_eq!(running.body["status"], "NotStarted");
    pass(20).await;
    let done = azure.check(&format!("GET {operation}"), Value::Null, "200").await;
    assert_eq!(done.body["status"], "Succeeded");
    azure.check(&format!("GET {DELETED}"), Value::Null, "404 DeletedVaultNotFound").await;
    azure.check(&format!("POST {DELETED}/purge"), Value::Null, "404 DeletedVaultNotFound").await;
    azure
        .check(&format!("PUT {VAULT}"), body(&azure, &json!({ "createMode": "recover" })), "404 DeletedVaultNotFound")
        .await;
    azure.check(&format!("PUT {VAULT}"), body(&azure, &json!({})), "200").await;
}

#[tokio::test(start_paused = true)]
async fn purge_protection_holds_until_the_retention_ends() {
    let azure = with_group().await;
    let properties = json!({ "enablePurgeProtection": true, "softDeleteRetentionInDays": 7 });
    azure.check(&format!("PUT {VAULT}"), body(&azure, &properties), "200").await;
    azure.check(&format!("DELETE {VAULT}"), Value::Null, "200").await;
    assert_eq!(azure.get(DELETED).await["properties"]["purgeProtectionEnabled"], true);
    azure.check(&format!("POST {DELETED}/purge"), Value::Null, "405 MethodNotAllowed").await;
    // The token is good for an hour; another emulator caller waits a week.
    pass(7 * 86_400 + 1).await;
    let later = Azure::with(azure.emulator.clone()).await;
    later.check(&format!("GET {DELETED}"), Value::Null, "404 DeletedVaultNotFound").await;
}
