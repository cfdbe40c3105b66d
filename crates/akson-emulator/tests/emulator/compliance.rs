//! Which objects comply with assigned policies, and remediations.

use serde_json::{Value, json};

use crate::support::{Azure, pass};

const STATES: &str = "~/providers/Microsoft.PolicyInsights/policyStates/latest";
const DEFINITION: &str = "~/providers/Microsoft.Authorization/policyDefinitions/places";
const ASSIGNMENT: &str = "~/resourceGroups/Shop/providers/Microsoft.Authorization/policyAssignments/here";

/// Identities in two places, of which a policy allows one.
async fn with_policy(effect: &str) -> Azure {
    let azure = Azure::new().await;
    azure.group("Shop").await;
    for (name, place) in [("good", "westeurope"), ("bad", "eastus")] {
        let path = format!("~/resourceGroups/Shop/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}");
        azure.check(&format!("PUT {path}"), json!({ "location": place }), "201").await;
    }
    let definition = json!({ "properties": {
        "mode": "Indexed",
        "parameters": { "places": { "type": "Array", "defaultValue": ["westeurope"] } },
        "policyRule": {
            "if": { "not": { "field": "location", "in": "[parameters('places')]" } }, "then": { "effect": effect },
        },
    } });
    azure.check(&format!("PUT {DEFINITION}"), definition, "201").await;
    let body = json!({ "properties": { "policyDefinitionId": DEFINITION.replace('~', &azure.subscription) } });
    azure.check(&format!("PUT {ASSIGNMENT}"), body, "201").await;
    azure
}

async fn states(azure: &Azure, scope: &str, filter: &str) -> Vec<(String, bool)> {
    let filter = if filter.is_empty() { String::new() } else { format!("?$filter={}", filter.replace(' ', "%20")) };
    let found = azure.check(&format!("POST {scope}/queryResults{filter}"), Value::Null, "200").await.body;
    let rows = found["value"].as_array().cloned().unwrap_or_default();
    assert_eq!(found["@odata.count"], rows.len());
    let name = |row: &Value| row["resourceId"].as_str().unwrap_or_default().rsplit('/').next().map(str::to_owned);
    rows.iter().filter_map(|row| Some((name(row)?, row["isCompliant"] == true))).collect()
}

#[tokio::test(start_paused = true)]
async fn who_complies() {
    let azure = with_policy("audit").await;
    let (good, bad) = (("good".to_owned(), true), ("bad".to_owned(), false));
    assert_eq!(states(&azure, STATES, "").await, [bad.clone(), good.clone()]);
    assert_eq!(states(&azure, STATES, "isCompliant eq false").await, std::slice::from_ref(&bad));
    assert_eq!(
        states(&azure, STATES, "complianceState eq 'Compliant' and policyAssignmentName eq 'here'").await,
        [good]
    );
    let of_assignment = format!("{ASSIGNMENT}/providers/Microsoft.PolicyInsights/policyStates/latest");
    assert_eq!(states(&azure, &of_assignment, "isCompliant eq false").await, std::slice::from_ref(&bad));
    let summary = azure.check(&format!("POST {STATES}/summarize"), Value::Null, "200").await.body;
    let results = &summary["value"][0]["results"];
    assert_eq!((&results["nonCompliantResources"], &results["nonCompliantPolicies"]), (&json!(1), &json!(1)));
    azure.check(&format!("POST {STATES}/queryResults?$filter=contains(a,b)"), Value::Null, "400 BadRequest").await;
    azure.check(&format!("POST {STATES}/dance"), Value::Null, "404 InvalidResourceType").await;
}

#[tokio::test(start_paused = true)]
async fn what_is_off_or_excluded_judges_nobody() {
    assert_eq!(states(&with_policy("disabled").await, STATES, "").await, []);
    let azure = with_policy("audit").await;
    let group = format!("{}/resourceGroups/Shop", azure.subscription);
    let properties =
        json!({ "policyDefinitionId": DEFINITION.replace('~', &azure.subscription), "notScopes": [group] });
    azure.check(&format!("PUT {ASSIGNMENT}"), json!({ "properties": properties }), "201").await;
    assert_eq!(states(&azure, STATES, "").await, []);
}

#[tokio::test(start_paused = true)]
async fn an_evaluation_is_followed() {
    let azure = with_policy("audit").await;
    let begun = azure.check(&format!("POST {STATES}/triggerEvaluation"), Value::Null, "202").await;
    let location = begun.header("location").to_owned();
    azure.check(&format!("GET {location}"), Value::Null, "202").await;
    pass(61).await;
    let ended = azure.check(&format!("GET {location}"), Value::Null, "200").await;
    assert_eq!(ended.body, json!({ "status": "Succeeded" }));
}

#[tokio::test(start_paused = true)]
async fn remediations() {
    let azure = with_policy("audit").await;
    let path = "~/resourceGroups/Shop/providers/Microsoft.PolicyInsights/remediations/Mend";
    let body = |assignment: &str| json!({ "properties": { "policyAssignmentId": assignment.replace('~', &azure.subscription) } });
    azure.check(&format!("PUT {path}"), body("~/none"), "400 InvalidCreateRemediationRequest").await;
    azure.check(&format!("PUT {path}"), json!({}), "400 BadRequest").await;
    let made = azure.check(&format!("PUT {path}"), body(ASSIGNMENT), "201").await.body;
    assert_eq!(made["properties"]["provisioningState"], "Accepted");
    assert_eq!(made["properties"]["policyAssignmentId"], ASSIGNMENT.replace('~', &azure.subscription).to_lowercase());
    assert!(
        made["id"].as_str().is_some_and(|id| id.ends_with("/microsoft.policyinsights/remediations/mend")),
        "{made}"
    );
    let deployments = azure.check(&format!("POST {path}/listDeployments"), Value::Null, "200").await.body;
    assert_eq!(deployments, json!({ "value": [] }));
    let canceled = azure.check(&format!("POST {path}/cancel"), Value::Null, "200").await.body;
    assert_eq!(canceled["properties"]["provisioningState"], "Cancelling");
    assert_eq!(azure.get(path).await["properties"]["provisioningState"], "Canceled");
    let gone = azure.check(&format!("DELETE {path}"), Value::Null, "200").await.body;
    assert_eq!(gone["name"], "Mend");
    azure.check(&format!("DELETE {path}"), Value::Null, "204").await;
}
