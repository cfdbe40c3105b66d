//! Who did it: the activity log and the directory's audit log tell of users, applications and identities, whoever calls.

use akson_emulator::{Denial, Emulator};
use http::Request;
use serde_json::{Value, json};

use crate::support::{Azure, Reply, pass, read, token};

const PORTAL: &str = "c44b4083-3bb0-49c1-b47d-974e53cbdf3c";
const CONTRIBUTOR: &str = "b24988ac-6180-42a0-ab88-20f7382dd24c";
const LOG: &str = "~/providers/Microsoft.Insights/eventtypes/management/values?api-version=2015-04-01&$filter=eventTimestamp%20ge%20'2026-01-01T00:00:00Z'";

async fn send(emulator: &Emulator, token: &str, call: &str, body: Value) -> Reply {
    let (method, url) = call.split_once(' ').unwrap();
    let request = Request::builder()
        .method(method)
        .uri(url.replace(' ', "%20").replace('\'', "%27"))
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .header("user-agent", "curl/8")
        .body(if body.is_null() { Vec::new() } else { body.to_string().into_bytes() }.into())
        .unwrap();
    read(&emulator.handle(request).await.unwrap())
}

/// A user and what she signs in with.
fn tom(azure: &Azure) -> String {
    let id = "00000000-0000-4000-8000-0000000000aa";
    let user = json!({ "@odata.type": "#microsoft.graph.user", "id": id, "userPrincipalName": "tom@example.com" });
    azure.emulator.seed(vec![user]).unwrap();
    id.to_owned()
}

fn give(azure: &Azure, role: &str, to: &str) {
    let id = format!("{}/providers/Microsoft.Authorization/roleAssignments/{to}", azure.subscription);
    let role = format!("/providers/Microsoft.Authorization/roleDefinitions/{role}");
    let body = json!({ "properties": { "roleDefinitionId": role, "principalId": to } });
    azure.emulator.god().put_object(&id, body).unwrap();
}

async fn newest(azure: &Azure) -> Value {
    pass(180).await;
    azure.get(LOG).await["value"][0].clone()
}

#[tokio::test(start_paused = true)]
async fn users_and_identities_in_the_activity_log() {
    let azure = Azure::new().await;
    let god = azure.emulator.god();
    azure.group("g").await;
    let identity = "~/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/pod";
    azure.check(&format!("PUT {identity}"), json!({ "location": "westeurope" }), "201").await;
    let pod = azure.get(identity).await["properties"]["principalId"].as_str().unwrap().to_owned();
    let user = tom(&azure);
    give(&azure, CONTRIBUTOR, &user);
    give(&azure, CONTRIBUTOR, &pod);
    let audience = "https://management.azure.com/";
    let url = azure.url("~/resourceGroups/g");
    let body = json!({ "location": "westeurope", "tags": { "a": "b" } });

    let token = god.token_through(&user, PORTAL, audience).unwrap();
    assert_eq!(send(&azure.emulator, &token, &format!("PUT {url}"), body.clone()).await.outcome(), "200");
    let event = newest(&azure).await;
    assert_eq!(event["caller"], "tom@example.com");
    let claims = &event["claims"];
    assert_eq!(
        (&claims["appid"], &claims["idtyp"], &claims["name"]),
        (&json!(PORTAL), &json!("user"), &event["caller"])
    );
    assert_eq!(claims["http://schemas.microsoft.com/identity/claims/objectidentifier"], user);

    let token = god.token(&pod, audience).unwrap();
    assert_eq!(send(&azure.emulator, &token, &format!("PUT {url}"), body).await.outcome(), "200");
    let event = newest(&azure).await;
    assert_eq!(event["caller"], pod);
    assert!(event["claims"]["xms_mirid"].as_str().unwrap().ends_with("/userAssignedIdentities/pod"), "{event}");

    // What is changed from outside is nobody's, unless somebody is named.
    let id = format!("{}/resourceGroups/g", azure.subscription);
    assert!(god.edit(&id, |group| group["tags"] = json!({})).unwrap());
    assert_eq!(newest(&azure).await["caller"], pod);
    god.blame(&user, PORTAL, &id, true).unwrap();
    let event = newest(&azure).await;
    assert_eq!((&event["caller"], &event["resourceId"]), (&json!("tom@example.com"), &json!(id)));
    assert_eq!(event["operationName"]["value"], "Microsoft.Resources/subscriptions/resourceGroups/delete");
}

#[tokio::test(start_paused = true)]
async fn the_directory_audits() {
    let azure = Azure::new().await;
    let emulator = &azure.emulator;
    let graph = token(emulator, "https://graph.microsoft.com/.default").await;
    let root = "https://graph.microsoft.com/v1.0";
    let member = tom(&azure);
    let group = json!({ "displayName": "g", "mailEnabled": false, "mailNickname": "g", "securityEnabled": true });
    let made = send(emulator, &graph, &format!("POST {root}/groups"), group).await;
    let group = made.body["id"].as_str().unwrap().to_owned();
    let reference = json!({ "@odata.id": format!("{root}/directoryObjects/{member}") });
    assert_eq!(
        send(emulator, &graph, &format!("POST {root}/groups/{group}/members/$ref"), reference).await.status,
        204
    );
    assert_eq!(
        send(emulator, &graph, &format!("PATCH {root}/groups/{group}"), json!({ "description": "d" })).await.status,
        204
    );
    let without = format!("DELETE {root}/groups/{group}/members/{member}/$ref");
    assert_eq!(send(emulator, &graph, &without, Value::Null).await.status, 204);
    assert_eq!(send(emulator, &graph, &format!("DELETE {root}/groups/{group}"), Value::Null).await.status, 204);

    let filter = format!("activityDateTime ge 2026-01-01T00:00:00Z and targetResources/any(t:t/id eq '{group}')");
    let list = format!("GET {root}/auditLogs/directoryAudits?$filter={filter}");
    assert_eq!(send(emulator, &graph, &list, Value::Null).await.body["value"], json!([]), "nothing is there at once");
    pass(240).await;
    let found = send(emulator, &graph, &list, Value::Null).await.body["value"].clone();
    let names: Vec<&str> =
        found.as_array().unwrap().iter().map(|row| row["activityDisplayName"].as_str().unwrap()).collect();
    assert_eq!(names, ["Delete group", "Remove member from group", "Update group", "Add member to group", "Add group"]);
    let added = &found[3];
    assert_eq!(added["targetResources"][0]["id"], member);
    assert_eq!(added["targetResources"][0]["modifiedProperties"][0]["newValue"], format!("\"{group}\""));
    assert_eq!(added["initiatedBy"]["app"]["appId"], emulator.identity().client_id);
    assert_eq!(added["additionalDetails"][0], json!({ "key": "User-Agent", "value": "curl/8" }));
    let described = &found[2]["targetResources"][0]["modifiedProperties"][0];
    assert_eq!((&described["displayName"], &described["newValue"]), (&json!("description"), &json!("[\"d\"]")));

    // Page by page, and one by its id.
    let first = send(emulator, &graph, &format!("GET {root}/auditLogs/directoryAudits?$top=2"), Value::Null).await.body;
    let next = first["@odata.nextLink"].as_str().unwrap();
    let second = send(emulator, &graph, &format!("GET {next}"), Value::Null).await.body;
    assert_eq!(
        (first["value"][1]["id"].clone(), second["value"][0]["id"].clone()),
        (found[1]["id"].clone(), found[2]["id"].clone())
    );
    let id = found[0]["id"].as_str().unwrap();
    let one = send(emulator, &graph, &format!("GET {root}/auditLogs/directoryAudits/{id}"), Value::Null).await;
    assert_eq!(one.body["activityDisplayName"], "Delete group");

    // A person is told by name; not everybody may read it.
    let person = emulator.god().snapshot().directory.into_iter().find(|(_, entry)| entry["mail"] == "user@example.com");
    let hers = emulator.god().token(&person.unwrap().0, "https://graph.microsoft.com").unwrap();
    let group = json!({ "displayName": "h", "mailEnabled": false, "mailNickname": "h", "securityEnabled": true });
    assert_eq!(send(emulator, &hers, &format!("POST {root}/groups"), group).await.status, 201);
    pass(240).await;
    let all = format!("GET {root}/auditLogs/directoryAudits");
    let newest = send(emulator, &graph, &all, Value::Null).await.body["value"][0].clone();
    assert_eq!(newest["initiatedBy"]["user"]["userPrincipalName"], "user@example.com");
    let denied: Vec<Denial> =
        serde_json::from_value(json!([{ "action": "microsoft.directory/auditLogs/*", "scope": "/" }])).unwrap();
    emulator.god().set_denied_actions(denied).unwrap();
    assert_eq!(send(emulator, &graph, &all, Value::Null).await.outcome(), "403 Authorization_RequestDenied");
}
