//! What roles allow: at which scopes, with which exceptions, and from when on.

use akson_emulator::{Emulator, Options, Store};
use serde_json::{Value, json};

use crate::support::{Azure, pass};

const OWNER: &str = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
const CONTRIBUTOR: &str = "b24988ac-6180-42a0-ab88-20f7382dd24c";
const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
const ACCESS_ADMINISTRATOR: &str = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9";
const NETWORK_CONTRIBUTOR: &str = "4d97b98b-1d4f-4787-a291-c67834d212e7";
const NAME: &str = "00000000-0000-4000-8000-000000000001";

#[tokio::test(start_paused = true)]
async fn scopes_and_actions() {
    let azure = Azure::new().await;
    azure.group("g").await;
    azure.group("h").await;
    azure.check("PUT ~/resourceGroups/g/providers/A.B/c/d", json!({}), "201").await;
    azure.ungrant();
    let check = async |call: &str, allowed: bool| {
        let reply = azure.call(call, json!({ "location": "westeurope" })).await;
        assert_eq!(reply.status != 403, allowed, "{call} {}", reply.text);
    };
    check("GET ~/resourceGroups/g", false).await;
    assert_eq!(azure.get("/subscriptions").await["value"], json!([]));
    azure.grant(READER, "~/resourceGroups/g");
    assert_eq!(azure.get("/subscriptions").await["value"].as_array().unwrap().len(), 1);
    check("GET ~/resourceGroups/g", true).await;
    check("GET ~/resourceGroups/g/providers/A.B/c/d", true).await;
    check("GET ~/resourceGroups/h", false).await;
    check("GET ~/resourceGroups", false).await;
    check("PUT ~/resourceGroups/g", false).await;
    azure.grant(NETWORK_CONTRIBUTOR, "~");
    check("PUT ~/resourceGroups/h/providers/Microsoft.Network/publicIPAddresses/p", true).await;
    check("PUT ~/resourceGroups/h/providers/A.B/c/d", false).await;
    azure.grant(CONTRIBUTOR, "~");
    check("PUT ~/resourceGroups/h/providers/A.B/c/d", true).await;
    check(&format!("PUT ~/providers/Microsoft.Authorization/roleAssignments/{NAME}"), false).await;
    check("GET ~/providers/Microsoft.Authorization/roleAssignments", true).await;
    check("GET /providers/Microsoft.Authorization/roleAssignments", false).await;
    // Built-in definitions are everybody's to read.
    check("GET /providers/Microsoft.Authorization/policyDefinitions", true).await;
    let refused = azure.call("DELETE /providers/Microsoft.Management/managementGroups/m", Value::Null).await;
    let identity = azure.emulator.identity();
    assert_eq!(
        refused.body["error"]["message"],
        format!(
            "The client '{}' with object id '{}' does not have authorization to perform action 'Microsoft.Management/managementGroups/delete' over scope '/providers/Microsoft.Management/managementGroups/m' or the scope is invalid. If access was recently granted, please refresh your credentials.",
            identity.client_id, identity.object_id
        )
    );
    azure.grant(OWNER, &format!("/providers/Microsoft.Management/managementGroups/{}", azure.tenant));
    check(&format!("PUT ~/providers/Microsoft.Authorization/locks/{NAME}"), true).await;
}

#[tokio::test(start_paused = true)]
async fn an_assignment_takes_its_time() {
    let azure = Azure::new().await;
    azure.group("g").await;
    azure.ungrant();
    azure.grant(ACCESS_ADMINISTRATOR, "~");
    let path = format!("~/providers/Microsoft.Authorization/roleAssignments/{NAME}");
    let body = json!({ "properties": {
        "roleDefinitionId": format!("/providers/Microsoft.Authorization/roleDefinitions/{CONTRIBUTOR}"),
        "principalId": azure.emulator.identity().object_id,
    }});
    azure.check(&format!("PUT {path}"), body, "201").await;
    let write = "PUT ~/resourceGroups/g/providers/A.B/c/d";
    azure.check(write, json!({}), "403 AuthorizationFailed").await;
    pass(5).await;
    azure.check(write, json!({}), "403 AuthorizationFailed").await;
    pass(90).await;
    azure.check(write, json!({}), "201").await;
    azure.check(&format!("DELETE {path}"), Value::Null, "200").await;
    azure.check(write, json!({}), "403 AuthorizationFailed").await;
}

#[tokio::test(start_paused = true)]
async fn a_custom_role_has_exceptions() {
    let azure = Azure::new().await;
    azure.group("g").await;
    let role = json!({ "properties": {
        "roleName": "Almost", "assignableScopes": [azure.subscription],
        "permissions": [{ "actions": ["A.B/*", "*/read"], "notActions": ["A.B/*/delete"] }],
    }});
    azure.check(&format!("PUT ~/providers/Microsoft.Authorization/roleDefinitions/{NAME}"), role, "201").await;
    azure.ungrant();
    azure.grant(NAME, "~");
    azure.check("PUT ~/resourceGroups/g/providers/A.B/c/d", json!({}), "201").await;
    azure.check("DELETE ~/resourceGroups/g/providers/A.B/c/d", Value::Null, "403 AuthorizationFailed").await;
    azure.check("PUT ~/resourceGroups/g/providers/A.C/c/d", json!({}), "403 AuthorizationFailed").await;
}

#[tokio::test(start_paused = true)]
async fn a_world_of_an_older_version_gets_its_owner() {
    let folder = tempfile::tempdir().unwrap();
    let options = || Options { store: Store::Directory(folder.path().to_owned()), ..Options::default() };
    drop(Emulator::open(options()).unwrap());
    let file = folder.path().join("world.json");
    let mut world: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let parts = world["world"].as_object_mut().unwrap();
    for new in ["spreading", "secrets", "activity", "owned"] {
        assert!(parts.remove(new).is_some(), "{new}");
    }
    parts["objects"] = json!({});
    world["format"] = json!(1);
    std::fs::write(&file, world.to_string()).unwrap();
    let azure = Azure::open(options()).await;
    azure.group("g").await;
    let listed = azure.get("~/providers/Microsoft.Authorization/roleAssignments").await;
    assert_eq!(listed["value"].as_array().unwrap().len(), 3);
    azure.ungrant();
    drop(azure);
    let azure = Azure::open(options()).await;
    azure.check("GET ~/resourceGroups/g", Value::Null, "403 AuthorizationFailed").await;
}
