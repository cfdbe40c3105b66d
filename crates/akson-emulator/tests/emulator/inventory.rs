//! The inventory of resources, without their properties.

use serde_json::json;

use crate::support::Azure;

#[tokio::test(start_paused = true)]
async fn what_it_shows_and_filters() {
    let azure = Azure::new().await;
    for group in ["g", "h"] {
        azure.group(group).await;
        let workspace =
            format!("PUT ~/resourceGroups/{group}/providers/Microsoft.OperationalInsights/workspaces/logs-{group}");
        azure
            .check(
                &workspace,
                json!({ "location": "westeurope", "tags": {"team": group}, "properties": {"secret": 1} }),
                "201",
            )
            .await;
        let identity =
            format!("PUT ~/resourceGroups/{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/web");
        azure.check(&identity, json!({ "location": "westeurope" }), "201").await;
    }
    let names = async |path: &str| -> Vec<String> {
        let found = azure.get(&path.replace(' ', "%20")).await;
        found["value"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["id"].as_str().unwrap().rsplit('/').next().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names("~/resources").await, ["web", "logs-g", "web", "logs-h"]);
    assert_eq!(names("~/resourceGroups/g/resources").await, ["web", "logs-g"]);
    assert_eq!(names("~/resources?$filter=tagName eq 'team' and tagValue eq 'h'").await, ["logs-h"]);
    assert_eq!(
        names("~/resources?$filter=resourceType eq 'microsoft.managedidentity/userassignedidentities'").await.len(),
        2
    );
    let all = azure.get("~/resourceGroups/g/resources?$expand=createdTime,provisioningState").await;
    let logs = &all["value"][1];
    assert!(logs.get("properties").is_none() && logs["createdTime"].is_string());
    assert_eq!(logs["provisioningState"], "Succeeded");
    azure.check("GET ~/resources?$filter=nonsense", json!(null), "400 InvalidFilterInQueryString").await;
    azure.check("GET ~/resourceGroups/none/resources", json!(null), "404 ResourceGroupNotFound").await;
}
