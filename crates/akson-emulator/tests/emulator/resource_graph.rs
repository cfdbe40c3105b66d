//! Azure Resource Graph: what it knows, who is shown what, pages, mistakes, and how far it is behind.

use serde_json::{Value, json};

use crate::support::{Azure, Reply, pass};

const ASK: &str = "POST /providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01";
const IDENTITIES: &str = "~/resourceGroups/Shop/providers/Microsoft.ManagedIdentity/userAssignedIdentities";

async fn ask(azure: &Azure, query: &str, options: Value) -> Reply {
    let subscription = azure.subscription.rsplit('/').next().unwrap_or_default();
    let body = json!({ "subscriptions": [subscription], "query": query, "options": options });
    azure.check(ASK, body, "200").await
}

async fn with_identities(many: usize) -> Azure {
    let azure = Azure::new().await;
    azure.group("Shop").await;
    for number in 0..many {
        let body = json!({ "location": "westeurope", "tags": { "number": number.to_string() } });
        azure.check(&format!("PUT {IDENTITIES}/app{number}"), body, "201").await;
    }
    azure.pass(60).await
}

#[tokio::test(start_paused = true)]
async fn rows_and_columns() {
    let azure = with_identities(2).await;
    let found =
        ask(&azure, "Resources | where type =~ 'Microsoft.ManagedIdentity/userAssignedIdentities'", json!({})).await;
    assert_eq!((&found.body["totalRecords"], &found.body["count"]), (&json!(2), &json!(2)));
    assert_eq!((&found.body["resultTruncated"], &found.body["facets"]), (&json!("false"), &json!([])));
    let row = &found.body["data"][0];
    assert_eq!(row["type"], "microsoft.managedidentity/userassignedidentities");
    assert_eq!((&row["resourceGroup"], &row["location"]), (&json!("shop"), &json!("westeurope")));
    assert!(row["properties"]["principalId"].is_string());
    assert_eq!((&row["kind"], &row["sku"], &row["tags"]["number"]), (&json!(""), &json!(null), &json!("0")));
    assert_eq!(found.header("x-ms-user-quota-remaining"), "14");
    assert_eq!(found.header("x-ms-user-quota-resets-after"), "00:00:05");
    let counted = ask(&azure, "resources | summarize n = count() by type", json!({})).await;
    assert_eq!(counted.body["data"], json!([{ "type": "microsoft.managedidentity/userassignedidentities", "n": 2 }]));
    let groups = ask(&azure, "ResourceContainers | where type has 'resourcegroups' | project name", json!({})).await;
    assert_eq!(groups.body["data"], json!([{ "name": "Shop" }]));
    let table =
        ask(&azure, "Resources | where name == 'app1' | project name", json!({ "resultFormat": "table" })).await;
    let expected = json!({ "columns": [{ "name": "name", "type": "string" }], "rows": [["app1"]] });
    assert_eq!(table.body["data"], expected);
}

#[tokio::test(start_paused = true)]
async fn pages() {
    let azure = with_identities(5).await;
    let query = "Resources | project id, name | order by name asc";
    let first = ask(&azure, query, json!({ "$top": 2 })).await.body;
    assert_eq!(
        (&first["totalRecords"], &first["count"], &first["resultTruncated"]),
        (&json!(5), &json!(2), &json!("false"))
    );
    let second = ask(&azure, query, json!({ "$top": 2, "$skipToken": first["$skipToken"] })).await.body;
    assert_eq!(second["data"][0]["name"], "app2");
    let last = ask(&azure, query, json!({ "$top": 2, "$skipToken": second["$skipToken"] })).await.body;
    assert_eq!((&last["data"][0]["name"], last.get("$skipToken")), (&json!("app4"), None));
    // Without ids nobody can go on.
    let names = ask(&azure, "Resources | project name", json!({ "$top": 2 })).await.body;
    assert_eq!((&names["resultTruncated"], names.get("$skipToken")), (&json!("true"), None));
    let skipped = ask(&azure, query, json!({ "$top": 2, "$skip": 3 })).await.body;
    assert_eq!(skipped["data"][0]["name"], "app3");
    let wrong = json!({ "query": "Resources", "options": { "$skipToken": first["$skipToken"] } });
    azure.check(ASK, wrong, "400 BadRequest").await;
    azure.check(ASK, json!({ "query": "Resources", "options": { "$top": 1001 } }), "400 BadRequest").await;
}

#[tokio::test(start_paused = true)]
async fn mistakes() {
    let azure = with_identities(0).await;
    let wrong = azure.check(ASK, json!({ "query": "Resources | wher name" }), "400 BadRequest").await.body;
    let details = &wrong["error"]["details"];
    assert_eq!((&details[0]["code"], &details[1]["code"]), (&json!("InvalidQuery"), &json!("ParserFailure")));
    let place = (&details[1]["line"], &details[1]["characterPositionInLine"], &details[1]["token"]);
    assert_eq!(place, (&json!(1), &json!(12), &json!("wher")));
    for query in ["", "Nothing | take 1", "Resources | extend a = dance(name)"] {
        azure.check(ASK, json!({ "query": query }), "400 BadRequest").await;
    }
    let get = ASK.replace("POST", "GET");
    azure.check(&get, Value::Null, "405 HttpMethodNotAllowed").await;
}

#[tokio::test(start_paused = true)]
async fn it_is_behind() {
    let azure = with_identities(1).await;
    let names = async |azure: &Azure| {
        let found = ask(azure, "Resources | project name, tags.number | order by name asc", json!({})).await;
        found.body["data"].to_string()
    };
    assert_eq!(names(&azure).await, r#"[{"name":"app0","tags_number":"0"}]"#);
    azure.check(&format!("PUT {IDENTITIES}/app1"), json!({ "location": "westeurope" }), "201").await;
    let changed = json!({ "location": "westeurope", "tags": { "number": "7" } });
    azure.check(&format!("PUT {IDENTITIES}/app0"), changed, "200").await;
    assert_eq!(names(&azure).await, r#"[{"name":"app0","tags_number":"0"}]"#, "at once");
    pass(61).await;
    let later = r#"[{"name":"app0","tags_number":"7"},{"name":"app1","tags_number":null}]"#;
    assert_eq!(names(&azure).await, later);
    azure.check(&format!("DELETE {IDENTITIES}/app1"), Value::Null, "200").await;
    assert_eq!(names(&azure).await, later, "what is gone is still shown");
    pass(31).await;
    assert_eq!(names(&azure).await, r#"[{"name":"app0","tags_number":"7"}]"#);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_shown_what_he_may_not_read() {
    let azure = with_identities(1).await;
    assert_eq!(ask(&azure, "Resources", json!({})).await.body["count"], 1);
    azure.ungrant();
    let found = ask(&azure, "Resources", json!({})).await.body;
    assert_eq!((&found["count"], &found["data"]), (&json!(0), &json!([])));
}

#[tokio::test(start_paused = true)]
async fn fifteen_questions_in_five_seconds() {
    let azure = with_identities(0).await;
    for left in (0..15).rev() {
        let reply = ask(&azure, "Resources | count", json!({})).await;
        assert_eq!(reply.header("x-ms-user-quota-remaining"), left.to_string());
    }
    let refused = azure.call(ASK, json!({ "query": "Resources" })).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "1"));
}
