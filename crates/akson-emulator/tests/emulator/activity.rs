//! The activity log: what is in it, when, and how it is filtered.

use serde_json::{Value, json};

use crate::support::{Azure, pass};

const LOG: &str = "~/providers/Microsoft.Insights/eventtypes/management/values?api-version=2015-04-01&$filter=";
const SINCE: &str = "eventTimestamp%20ge%20'2026-01-01T00:00:00Z'";
const NAME: &str = "00000000-0000-4000-8000-000000000001";

async fn events(azure: &Azure, filter: &str) -> Vec<Value> {
    let filter = filter.replace(' ', "%20");
    azure.get(&format!("{LOG}{SINCE}{filter}")).await["value"].as_array().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn pairs_that_come_late() {
    let azure = Azure::new().await;
    azure.group("g").await;
    assert!(events(&azure, "").await.is_empty(), "nothing is there at once");
    pass(180).await;
    azure.get("~/resourceGroups/g").await;
    let found = events(&azure, "").await;
    assert_eq!(found.len(), 2, "a write has a beginning and an end, a read has neither");
    let [end, begin] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((&begin["eventName"]["value"], &begin["status"]["value"]), (&json!("BeginRequest"), &json!("Started")));
    assert_eq!((&end["eventName"]["value"], &end["status"]["value"]), (&json!("EndRequest"), &json!("Succeeded")));
    assert_eq!(begin["operationId"], end["operationId"]);
    assert_ne!(begin["eventDataId"], end["eventDataId"]);
    let identity = azure.emulator.identity();
    assert_eq!(end["caller"], identity.object_id);
    assert_eq!(end["claims"]["appid"], identity.client_id);
    assert_eq!(
        (&end["httpRequest"]["method"], &end["httpRequest"]["clientIpAddress"]),
        (&json!("PUT"), &json!("203.0.113.10"))
    );
    assert_eq!(end["operationName"]["value"], "Microsoft.Resources/subscriptions/resourceGroups/write");
    assert_eq!(end["resourceId"], format!("{}/resourceGroups/g", azure.subscription));
    assert_eq!(end["authorization"]["scope"], end["resourceId"]);
}

#[tokio::test(start_paused = true)]
async fn failures_and_bodies() {
    let azure = Azure::new().await;
    azure.check("PUT ~/resourceGroups/none/providers/A.B/c/d", json!({}), "404 ResourceGroupNotFound").await;
    let path = format!("~/providers/Microsoft.Authorization/roleAssignments/{NAME}");
    let body = json!({ "properties": {
        "roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7",
        "principalId": NAME, "principalType": "User",
    }});
    azure.check(&format!("PUT {path}"), body.clone(), "201").await;
    pass(180).await;
    let failed = events(&azure, " and resourceProvider eq 'A.B'").await;
    assert_eq!((&failed[0]["status"]["value"], &failed[0]["level"]), (&json!("Failed"), &json!("Error")));
    let assigned = events(&azure, " and resourceProvider eq Microsoft.Authorization").await;
    let sent: Value = serde_json::from_str(assigned[1]["properties"]["requestbody"].as_str().unwrap()).unwrap();
    assert_eq!(sent, body);
    let said: Value = serde_json::from_str(assigned[0]["properties"]["responseBody"].as_str().unwrap()).unwrap();
    assert_eq!(said["name"], NAME);
}

#[tokio::test(start_paused = true)]
async fn filters() {
    let azure = Azure::new().await;
    azure.group("g").await;
    azure.check("PUT ~/resourceGroups/g/providers/A.B/c/d", json!({}), "201").await;
    azure.check("PUT ~/resourceGroups/g/providers/A.B/c/e", json!({}), "201").await;
    pass(180).await;
    azure.group("h").await;
    pass(180).await;
    let count = async |filter: &str| events(&azure, filter).await.len();
    assert_eq!(count("").await, 8);
    assert_eq!(count(" and resourceGroupName eq 'G'").await, 6);
    let one = format!(" and resourceUri eq '{}/resourceGroups/g/providers/A.B/c/d'", azure.subscription);
    assert_eq!(count(&one).await, 2);
    assert_eq!(count(" and eventTimestamp le '2026-01-01T00:02:00Z'").await, 6);
    let correlation = events(&azure, " and resourceGroupName eq 'h'").await[0]["correlationId"].clone();
    assert_eq!(count(&format!(" and correlationId eq '{}'", correlation.as_str().unwrap())).await, 2);
    let selected = azure.get(&format!("{LOG}{SINCE}&$select=caller,status")).await["value"][0].clone();
    assert_eq!(selected.as_object().unwrap().keys().collect::<Vec<_>>(), ["caller", "status"]);
    let check = async |filter: &str, message: &str| {
        let refused = azure.call(&format!("GET {LOG}{filter}"), Value::Null).await;
        assert_eq!((refused.status, &refused.body["code"]), (400, &json!("BadRequest")), "{filter}");
        assert!(refused.text.contains(message), "{}", refused.text);
    };
    check("", "must state a start time").await;
    check("eventTimestamp%20ge%20'2025-01-01T00:00:00Z'", "more than 90 days in the past").await;
    check(&format!("{SINCE}%20and%20resourceGroupName%20eq%20'g'%20and%20correlationId%20eq%20'x'"), "At most one")
        .await;
}
