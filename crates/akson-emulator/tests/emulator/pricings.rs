//! Defender plans of a subscription.

use std::time::Duration;

use akson_emulator::{Latency, Options};
use serde_json::{Value, json};

use crate::support::Azure;

const CONTAINERS: &str = "~/providers/Microsoft.Security/pricings/Containers";

#[tokio::test(start_paused = true)]
async fn every_plan_is_there() {
    let azure = Azure::new().await;
    let all = azure.get("~/providers/Microsoft.Security/pricings").await;
    let all = all["value"].as_array().unwrap();
    assert_eq!(all.len(), 15);
    assert!(all.iter().all(|plan| plan["properties"]["pricingTier"] == "Free"));
    let old = all.iter().find(|plan| plan["name"] == "KubernetesService").unwrap();
    assert_eq!(
        (&old["properties"]["deprecated"], &old["properties"]["replacedBy"]),
        (&json!(true), &json!(["Containers"]))
    );
    assert_eq!(
        azure.get(CONTAINERS).await["properties"],
        json!({ "pricingTier": "Free", "freeTrialRemainingTime": "PT0S" })
    );
    azure.check(&format!("DELETE {CONTAINERS}"), Value::Null, "405 HttpMethodNotAllowed").await;
    azure.check("GET ~/providers/Microsoft.Security/pricings/Nonsense", Value::Null, "404 ResourceNotFound").await;
}

#[tokio::test(start_paused = true)]
async fn a_change_of_tier_sets_the_extensions() {
    let azure = Azure::new().await;
    let put = async |properties: Value, expected: &str| {
        let path = CONTAINERS.replace("Containers", "containers");
        azure.check(&format!("PUT {path}"), json!({ "properties": properties }), expected).await.body
    };
    let enabled = |body: &Value, name: &str| {
        let list = body["properties"]["extensions"].as_array().cloned().unwrap_or_default();
        list.iter().find(|one| one["name"] == name).map(|one| one["isEnabled"].clone())
    };
    let sensor = json!([{ "name": "ContainerSensor", "isEnabled": "False" }]);
    let made = put(json!({ "pricingTier": "standard", "extensions": sensor }), "200").await;
    assert_eq!((&made["name"], &made["properties"]["pricingTier"]), (&json!("Containers"), &json!("Standard")));
    assert_eq!(enabled(&made, "ContainerSensor"), Some(json!("True")), "the plan's own");
    assert!(made["properties"]["extensions"][0].get("operationStatus").is_some());
    assert!(azure.get(CONTAINERS).await["properties"]["extensions"][0].get("operationStatus").is_none());
    let again = put(json!({ "pricingTier": "Standard", "extensions": sensor }), "200").await;
    assert_eq!(enabled(&again, "ContainerSensor"), Some(json!("False")));
    assert_eq!(enabled(&again, "AgentlessVmScanning"), Some(json!("True")));
    assert_eq!(again["properties"]["enablementTime"], made["properties"]["enablementTime"]);
    let off = put(json!({ "pricingTier": "free" }), "200").await;
    assert_eq!(off["properties"], json!({ "pricingTier": "Free", "freeTrialRemainingTime": "PT0S" }));
    put(json!({ "pricingTier": "Gold" }), "400 BadRequest").await;
    put(json!({}), "400 BadRequest").await;
    put(json!({ "pricingTier": "Standard", "extensions": [{ "name": "x", "isEnabled": true }] }), "400 BadRequest")
        .await;
    let more = json!([{ "name": "x", "isEnabled": "False", "additionalExtensionProperties": {"a": "b"} }]);
    put(json!({ "pricingTier": "Standard", "extensions": more }), "500 InternalServerError").await;
    let machines = azure
        .check(
            "PUT ~/providers/Microsoft.Security/pricings/VirtualMachines",
            json!({ "properties": { "pricingTier": "standard" } }),
            "200",
        )
        .await;
    assert_eq!(machines.body["properties"]["subPlan"], "P2");
}

#[tokio::test(start_paused = true)]
async fn one_write_at_a_time() {
    let azure = Azure::open(Options { latency: Latency::Fixed { seconds: 4.0 }, ..Options::default() }).await;
    let body = json!({ "properties": { "pricingTier": "Free" } });
    let one = azure.call_owned(&format!("PUT {CONTAINERS}"), &body);
    let other = azure.call_owned("PUT ~/providers/Microsoft.Security/pricings/KeyVaults", &body);
    let (one, other) = tokio::join!(one, other);
    let mut outcomes = [one.outcome(), other.outcome()];
    outcomes.sort();
    assert_eq!(outcomes, ["200", "409 Conflict"]);
    tokio::time::advance(Duration::from_secs(5)).await;
    azure.check(&format!("PUT {CONTAINERS}"), body, "200").await;
}
