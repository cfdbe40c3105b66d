//! Secrets of a vault, at its own endpoint and as ARM shows them.

use std::net::{IpAddr, Ipv4Addr};

use akson_emulator::Options;
use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

use crate::support::{Azure, pass};

const VAULT: &str = "~/resourceGroups/g/providers/Microsoft.KeyVault/vaults/Kv-Shop";
const DELETED: &str = "~/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/Kv-Shop";
const SECRETS_USER: &str = "4633458b-17de-408a-b874-0445c86b69e6";
const SECRETS_OFFICER: &str = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7";
const OWNER: &str = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";

fn body(azure: &Azure, extra: &Value) -> Value {
    let mut properties = json!({
        "tenantId": azure.tenant, "sku": { "family": "A", "name": "standard" }, "enableRbacAuthorization": true,
        "softDeleteRetentionInDays": 7,
    });
    for (name, value) in extra.as_object().into_iter().flatten() {
        properties[name.as_str()] = value.clone();
    }
    json!({ "location": "westeurope", "properties": properties })
}

async fn with_vault(extra: &Value) -> Azure {
    let azure = Azure::new().await;
    azure.group("g").await;
    azure.check(&format!("PUT {VAULT}"), body(&azure, extra), "200").await;
    azure
}

#[tokio::test(start_paused = true)]
async fn the_challenge_and_hosts() {
    let azure = with_vault(&json!({})).await;
    let request = Request::get("https://kv-shop.vault.azure.net/secrets?api-version=7.4").body(Bytes::new()).unwrap();
    let reply = azure.send(request).await.unwrap();
    assert_eq!(reply.outcome(), "401 Unauthorized");
    assert_eq!(
        reply.header("www-authenticate"),
        format!(
            "Bearer authorization=\"https://login.microsoftonline.com/{}\", resource=\"https://vault.azure.net\"",
            azure.tenant
        )
    );
    azure.check_vault("GET kv-shop/secrets", Value::Null, "200").await;
    azure.check_vault("GET none/secrets", Value::Null, "404 HostNotFound").await;
    azure.check_vault("GET kv-shop/keys", Value::Null, "404 NotFound").await;
    azure.check_vault("POST kv-shop/secrets", json!({}), "405 MethodNotAllowed").await;
    let wrong = azure.request("GET https://kv-shop.vault.azure.net/secrets", &Value::Null);
    assert_eq!(azure.send(wrong).await.unwrap().outcome(), "401 Unauthorized", "a token for ARM");
}

#[tokio::test(start_paused = true)]
async fn versions() {
    let azure = with_vault(&json!({})).await;
    let first = azure
        .check_vault(
            "PUT kv-shop/secrets/Db",
            json!({ "value": "one", "tags": {"a": "b"}, "contentType": "text" }),
            "200",
        )
        .await
        .body;
    assert_eq!(first["value"], "one");
    assert_eq!(first["attributes"]["recoveryLevel"], "CustomizedRecoverable+Purgeable");
    assert_eq!(first["attributes"]["recoverableDays"], 7);
    let id = first["id"].as_str().unwrap();
    let version = id.strip_prefix("https://kv-shop.vault.azure.net/secrets/Db/").unwrap();
    assert_eq!(version.len(), 32);
    pass(10).await;
    let second = azure.check_vault("PUT kv-shop/secrets/db", json!({ "value": "one" }), "200").await.body;
    assert_ne!(second["id"], first["id"], "the same value is a new version");
    assert!(second.get("tags").is_none());
    assert_eq!(azure.vault("GET kv-shop/secrets/db/", Value::Null).await.body, second);
    assert_eq!(azure.vault(&format!("GET kv-shop/secrets/db/{version}"), Value::Null).await.body, first);
    let versions = azure.check_vault("GET kv-shop/secrets/db/versions", Value::Null, "200").await.body;
    assert_eq!(versions["value"].as_array().unwrap().len(), 2);
    assert!(versions["value"][0].get("value").is_none());
    let all = azure.check_vault("GET kv-shop/secrets", Value::Null, "200").await.body;
    assert_eq!(all["value"][0]["id"], "https://kv-shop.vault.azure.net/secrets/Db");
    assert_eq!(all["nextLink"], Value::Null);

    let off = json!({ "attributes": { "enabled": false, "exp": 1_800_000_000 } });
    let changed = azure.check_vault(&format!("PATCH kv-shop/secrets/db/{version}"), off, "200").await.body;
    assert_eq!((&changed["attributes"]["exp"], &changed["tags"]), (&json!(1_800_000_000), &json!({"a": "b"})));
    assert!(changed.get("value").is_none());
    azure.check_vault(&format!("GET kv-shop/secrets/db/{version}"), Value::Null, "403 Forbidden SecretDisabled").await;
    azure.check_vault("GET kv-shop/secrets/db", Value::Null, "200").await;
    for (call, body, expected) in [
        ("GET kv-shop/secrets/none", Value::Null, "404 SecretNotFound"),
        ("GET kv-shop/secrets/db/0123", Value::Null, "404 SecretNotFound"),
        ("PATCH kv-shop/secrets/none", json!({}), "404 SecretNotFound"),
        ("DELETE kv-shop/secrets/none", Value::Null, "404 SecretNotFound"),
        ("PUT kv-shop/secrets/a_b", json!({ "value": "x" }), "400 BadParameter"),
        ("PUT kv-shop/secrets/a", json!({}), "400 BadParameter"),
        ("PUT kv-shop/secrets/a", json!({ "value": 1 }), "400 BadParameter"),
        ("PUT kv-shop/secrets/a", json!({ "value": "x".repeat(25_601) }), "400 BadParameter"),
        ("PUT kv-shop/secrets/a", json!([]), "400 BadParameter"),
        ("GET kv-shop/secrets?maxresults=26", Value::Null, "400 BadParameter"),
    ] {
        azure.check_vault(call, body, expected).await;
    }
}

#[tokio::test(start_paused = true)]
async fn pages() {
    let azure = with_vault(&json!({})).await;
    for name in ["a", "b", "c"] {
        azure.check_vault(&format!("PUT kv-shop/secrets/{name}"), json!({ "value": "x" }), "200").await;
    }
    let mut seen = Vec::new();
    let mut call = "GET kv-shop/secrets?maxresults=1".to_owned();
    loop {
        let page = azure.check_vault(&call, Value::Null, "200").await.body;
        seen.extend(page["value"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["nextLink"].as_str() else { break };
        let query = next.strip_prefix("https://kv-shop.vault.azure.net:443/secrets?api-version=7.4&").unwrap();
        call = format!("GET kv-shop/secrets?{query}");
    }
    assert_eq!(seen.len(), 3, "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn deleted_recovered_purged() {
    let azure = with_vault(&json!({})).await;
    let set =
        async |expected: &str| azure.check_vault("PUT kv-shop/secrets/db", json!({ "value": "x" }), expected).await;
    set("200").await;
    set("200").await;
    let gone = azure.check_vault("DELETE kv-shop/secrets/db", Value::Null, "200").await.body;
    assert_eq!(gone["recoveryId"], "https://kv-shop.vault.azure.net/deletedsecrets/db");
    assert_eq!(gone["scheduledPurgeDate"].as_i64().unwrap() - gone["deletedDate"].as_i64().unwrap(), 7 * 86_400);
    azure.check_vault("GET kv-shop/secrets/db", Value::Null, "404 SecretNotFound").await;
    let early = "400 MethodNotAllowed RequestNotAllowedOnNonDeletedObject";
    azure.check_vault("POST kv-shop/deletedsecrets/db/recover", Value::Null, early).await;
    let hidden = azure.check_vault("GET kv-shop/deletedsecrets", Value::Null, "200").await.body;
    assert_eq!(hidden["value"], json!([]));
    set("409 Conflict ObjectIsBeingDeleted").await;
    pass(15).await;
    set("409 Conflict ObjectIsDeletedButRecoverable").await;
    azure.check_vault("GET kv-shop/deletedsecrets/db", Value::Null, "200").await;
    azure.check_vault("POST kv-shop/deletedsecrets/db/recover", Value::Null, "200").await;
    set("409 Conflict ObjectIsBeingRecovered").await;
    pass(15).await;
    let back = azure.check_vault("GET kv-shop/secrets/db/versions", Value::Null, "200").await.body;
    assert_eq!(back["value"].as_array().unwrap().len(), 2, "all versions are back");
    azure.check_vault("DELETE kv-shop/deletedsecrets/db", Value::Null, "404 SecretNotFound").await;
    azure.check_vault("DELETE kv-shop/secrets/db", Value::Null, "200").await;
    pass(15).await;
    azure.check_vault("DELETE kv-shop/deletedsecrets/db", Value::Null, "204").await;
    azure.check_vault("GET kv-shop/deletedsecrets/db", Value::Null, "404 SecretNotFound").await;
    set("200").await;
    azure.check_vault("DELETE kv-shop/secrets/db", Value::Null, "200").await;
    pass(7 * 86_400).await;
    azure.check_vault("GET kv-shop/deletedsecrets/db", Value::Null, "404 SecretNotFound").await;
}

#[tokio::test(start_paused = true)]
async fn protected_from_purges() {
    let azure = with_vault(&json!({ "enablePurgeProtection": true, "softDeleteRetentionInDays": 90 })).await;
    let made = azure.check_vault("PUT kv-shop/secrets/db", json!({ "value": "x" }), "200").await.body;
    assert_eq!(made["attributes"]["recoveryLevel"], "Recoverable");
    azure.check_vault("DELETE kv-shop/secrets/db", Value::Null, "200").await;
    pass(15).await;
    let refused = "403 Forbidden ForbiddenByPurgeProtection";
    azure.check_vault("DELETE kv-shop/deletedsecrets/db", Value::Null, refused).await;
}

#[tokio::test(start_paused = true)]
async fn a_vault_keeps_its_secrets_until_it_is_purged() {
    let azure = with_vault(&json!({})).await;
    azure.check_vault("PUT kv-shop/secrets/db", json!({ "value": "kept" }), "200").await;
    azure.check(&format!("DELETE {VAULT}"), Value::Null, "200").await;
    azure.check_vault("GET kv-shop/secrets/db", Value::Null, "404 HostNotFound").await;
    azure.check(&format!("PUT {VAULT}"), body(&azure, &json!({ "createMode": "recover" })), "200").await;
    assert_eq!(azure.vault("GET kv-shop/secrets/db", Value::Null).await.body["value"], "kept");
    azure.check(&format!("DELETE {VAULT}"), Value::Null, "200").await;
    azure.check(&format!("POST {DELETED}/purge"), Value::Null, "202").await;
    pass(30).await;
    azure.check(&format!("PUT {VAULT}"), body(&azure, &json!({})), "200").await;
    azure.check_vault("GET kv-shop/secrets/db", Value::Null, "404 SecretNotFound").await;
}

#[tokio::test(start_paused = true)]
async fn roles_decide() {
    let azure = with_vault(&json!({})).await;
    azure.check_vault("PUT kv-shop/secrets/db", json!({ "value": "x" }), "200").await;
    azure.check_vault("PUT kv-shop/secrets/web", json!({ "value": "x" }), "200").await;
    azure.ungrant();
    azure.grant(OWNER, "~");
    let refused = azure.check_vault("GET kv-shop/secrets/db", Value::Null, "403 Forbidden ForbiddenByRbac").await.body;
    let message = refused["error"]["message"].as_str().unwrap();
    for part in [
        "Action: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'",
        "/providers/microsoft.keyvault/vaults/kv-shop/secrets/db'",
        "Assignment: (not found)",
        "DeniedWithNoValidRBAC",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    azure.grant(SECRETS_USER, &format!("{VAULT}/secrets/db"));
    azure.check_vault("GET kv-shop/secrets/db", Value::Null, "200").await;
    azure.check_vault("GET kv-shop/secrets/web", Value::Null, "403 Forbidden ForbiddenByRbac").await;
    azure.check_vault("GET kv-shop/secrets", Value::Null, "403 Forbidden ForbiddenByRbac").await;
    azure.check_vault("PUT kv-shop/secrets/db", json!({ "value": "y" }), "403 Forbidden ForbiddenByRbac").await;
    // A role that is written through ARM takes its time here too.
    let assignment = json!({ "properties": {
        "roleDefinitionId": format!("/providers/Microsoft.Authorization/roleDefinitions/{SECRETS_OFFICER}"),
        "principalId": azure.emulator.identity().object_id,
    }});
    let path =
        "~/resourceGroups/g/providers/Microsoft.Authorization/roleAssignments/00000000-0000-4000-8000-000000000001";
    azure.check(&format!("PUT {path}"), assignment, "201").await;
    pass(15).await;
    azure.check_vault("GET kv-shop/secrets", Value::Null, "403 Forbidden ForbiddenByRbac").await;
    pass(180).await;
    azure.check_vault("GET kv-shop/secrets", Value::Null, "200").await;
    azure.check_vault("PUT kv-shop/secrets/db", json!({ "value": "y" }), "200").await;
}

#[tokio::test(start_paused = true)]
async fn access_policies_decide() {
    let me = |azure: &Azure, permissions: Value| {
        json!({
            "enableRbacAuthorization": false,
            "accessPolicies": [{
                "tenantId": azure.tenant, "objectId": azure.emulator.identity().object_id,
                "permissions": { "secrets": permissions },
            }],
        })
    };
    let azure = with_vault(&json!({ "enableRbacAuthorization": false, "accessPolicies": [] })).await;
    let put = async |permissions: Value| {
        azure.check(&format!("PUT {VAULT}"), body(&azure, &me(&azure, permissions)), "200").await;
    };
    azure.check_vault("GET kv-shop/secrets", Value::Null, "403 Forbidden ForbiddenByPolicy").await;
    put(json!(["Get", "set"])).await;
    azure.check_vault("PUT kv-shop/secrets/a", json!({ "value": "x" }), "200").await;
    azure.check_vault("GET kv-shop/secrets/a", Value::Null, "200").await;
    azure.check_vault("DELETE kv-shop/secrets/a", Value::Null, "403 Forbidden ForbiddenByPolicy").await;
    put(json!(["all"])).await;
    azure.check_vault("DELETE kv-shop/secrets/a", Value::Null, "200").await;
    // Switching to roles voids the policies at once.
    azure.check(&format!("PUT {VAULT}"), body(&azure, &json!({})), "200").await;
    azure.ungrant();
    azure.check_vault("GET kv-shop/secrets", Value::Null, "403 Forbidden ForbiddenByRbac").await;
}

#[tokio::test(start_paused = true)]
async fn the_firewall_decides() {
    let caller_address = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));
    let azure = Azure::open(Options { caller_address, ..Options::default() }).await;
    azure.group("g").await;
    let check = async |network: Value, expected: &str| {
        azure.check(&format!("PUT {VAULT}"), body(&azure, &network), "200").await;
        azure.check_vault("GET kv-shop/secrets", Value::Null, expected).await
    };
    let rules = |ranges: &[&str]| {
        let ranges: Vec<Value> = ranges.iter().map(|range| json!({ "value": range })).collect();
        json!({ "networkAcls": { "bypass": "AzureServices", "defaultAction": "Deny", "ipRules": ranges } })
    };
    check(json!({}), "200").await;
    let refused = check(rules(&[]), "403 Forbidden ForbiddenByFirewall").await;
    assert!(refused.text.contains("Client address: 198.51.100.7"), "{}", refused.text);
    check(rules(&["203.0.113.0/24"]), "403 Forbidden ForbiddenByFirewall").await;
    check(rules(&["203.0.113.0/24", "198.51.100.0/24"]), "200").await;
    let refused = check(json!({ "publicNetworkAccess": "Disabled" }), "403 Forbidden ForbiddenByFirewall").await;
    assert!(refused.text.contains("Public network access is disabled"), "{}", refused.text);
}

#[tokio::test(start_paused = true)]
async fn as_arm_shows_them() {
    let azure = with_vault(&json!({})).await;
    let path = format!("{VAULT}/secrets/db");
    azure.check(&format!("GET {path}"), Value::Null, "404 ResourceNotFound").await;
    let asked = json!({ "tags": {"a": "b"}, "properties": { "value": "one", "contentType": "text" } });
    let made = azure.check(&format!("PUT {path}"), asked.clone(), "201").await;
    assert!(!made.text.contains("one") && made.text.contains("secretUriWithVersion"), "{}", made.text);
    assert_eq!(made.body["properties"]["secretUri"], "https://kv-shop.vault.azure.net/secrets/db");
    azure.check(&format!("PUT {path}"), asked, "200").await;
    assert_eq!(azure.vault("GET kv-shop/secrets/db", Value::Null).await.body["value"], "one");
    let versions = azure.vault("GET kv-shop/secrets/db/versions", Value::Null).await.body;
    assert_eq!(versions["value"].as_array().unwrap().len(), 2);
    azure.check(&format!("PATCH {path}"), json!({ "properties": { "attributes": {"enabled": false} } }), "200").await;
    let listed = azure.get(&format!("{VAULT}/secrets")).await;
    assert_eq!(listed["value"], json!([azure.get(&path).await]));
    assert_eq!(listed["value"][0]["properties"]["attributes"]["enabled"], false);
    azure.check(&format!("DELETE {path}"), Value::Null, "405 HttpMethodNotAllowed").await;
    azure.check(&format!("PUT {path}"), json!({ "properties": {} }), "400 BadParameter").await;
    azure.check(&format!("PUT {VAULT}x/secrets/db"), json!({}), "404 ParentResourceNotFound").await;

    let god = azure.emulator.god();
    let id = path.replace('~', &azure.subscription);
    assert!(god.object(&id).is_some() && god.ids().contains(&id.to_lowercase()));
    assert!(god.snapshot().objects.contains_key(&id.to_lowercase()));
    assert!(god.delete_object(&id).unwrap());
    azure.check_vault("GET kv-shop/secrets/db", Value::Null, "404 SecretNotFound").await;
    god.put_object(&id, json!({ "properties": { "value": "seeded" } })).unwrap();
    assert_eq!(azure.vault("GET kv-shop/secrets/db", Value::Null).await.body["value"], "seeded");
}
