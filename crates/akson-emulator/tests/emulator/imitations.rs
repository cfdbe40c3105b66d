//! Habits of the real services that no client may stumble over and that belong to no one subject: how ids are spelled, what
//! operations say on their way, the two shapes of a 404, texts that stand for truths.

use std::collections::BTreeSet;

use akson_emulator::Options;
use serde_json::{Value, json};

use crate::support::{Azure, pass};

const CLUSTER: &str = "~/resourceGroups/Shop/providers/Microsoft.ContainerService/managedClusters/Main";

fn body(properties: &Value) -> Value {
    let mut whole = json!({
        "location": "westeurope", "identity": { "type": "SystemAssigned" },
        "properties": { "dnsPrefix": "main", "agentPoolProfiles": [{ "name": "sys", "mode": "System", "count": 1 }] },
    });
    for (name, value) in properties.as_object().cloned().unwrap_or_default() {
        whole["properties"][name] = value;
    }
    whole
}

async fn group(options: Options) -> Azure {
    let azure = Azure::open(options).await;
    azure.group("Shop").await;
    azure
}

#[tokio::test(start_paused = true)]
async fn ids_are_spelled_as_each_part_of_the_service_likes() {
    let azure = group(Options::default()).await;
    let addons = json!({ "addonProfiles": { "azurePolicy": { "enabled": true } } });
    azure.check(&format!("PUT {CLUSTER}"), body(&addons), "201").await;
    let azure = azure.pass(600).await;
    let found = azure.get(CLUSTER).await;
    let text = |pointer: &str| found.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    assert!(text("/id").contains("/resourcegroups/Shop/"), "{}", text("/id"));
    assert_eq!(text("/type"), "Microsoft.ContainerService/ManagedClusters");
    let addon = found["properties"]["addonProfiles"].as_object().and_then(|all| all.values().next()).unwrap();
    for id in [
        addon["identity"]["resourceId"].as_str().unwrap_or_default().to_owned(),
        text("/properties/identityProfile/kubeletidentity/resourceId"),
    ] {
        assert!(id.contains("/resourcegroups/MC_Shop_Main_westeurope/"), "{id}");
    }
    let address = text("/properties/networkProfile/loadBalancerProfile/effectiveOutboundIPs/0/id");
    assert!(address.contains("/resourceGroups/MC_Shop_Main_westeurope/"), "{address}");
    let maintenance = format!("{CLUSTER}/maintenanceConfigurations/default");
    let kept = azure.check(&format!("PUT {maintenance}"), json!({ "properties": {} }), "200").await.body;
    assert!(kept["id"].as_str().unwrap_or_default().contains("/resourceGroups/Shop/"), "{}", kept["id"]);
}

#[tokio::test(start_paused = true)]
async fn operations_of_clusters_say_what_they_like() {
    let azure = group(Options { rate_limits: false, ..Options::default() }).await;
    let (mut words, mut remarked) = (BTreeSet::new(), 0);
    let made = azure.check(&format!("PUT {CLUSTER}"), body(&json!({})), "201").await;
    assert_eq!((made.header("retry-after"), made.header("location")), ("", ""));
    let url = made.header("azure-asyncoperation").to_owned();
    for _ in 0..60 {
        let state = azure.check(&format!("GET {url}"), Value::Null, "200").await;
        assert_eq!(state.header("retry-after"), "");
        words.insert(state.body["status"].as_str().unwrap_or_default().to_owned());
        pass(10).await;
    }
    assert!(
        words.contains("Succeeded") && words.iter().any(|word| word.starts_with("CreatingAgentPools")),
        "{words:?}"
    );
    assert!(words.contains("ProvisioningControlPlane"), "{words:?}");
    // An operation that ended well may speak of an error.
    let mut azure = azure.pass(10).await;
    for number in 0..30 {
        let tags = json!({ "tags": { "n": number.to_string() } });
        let url = azure.check(&format!("PATCH {CLUSTER}"), tags, "200").await.header("azure-asyncoperation").to_owned();
        azure = azure.pass(600).await;
        let end = azure.get(&url).await;
        assert_eq!(end["status"], "Succeeded");
        remarked += usize::from(end["error"]["code"] == "NotLatestOperation");
    }
    assert!((1..30).contains(&remarked), "{remarked} of 30");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_said_in_two_shapes() {
    let azure = group(Options::default()).await;
    let missing = azure.check(&format!("GET {CLUSTER}"), Value::Null, "404 ResourceNotFound").await;
    assert_eq!(missing.header("x-ms-failure-cause"), "gateway");
    assert!(missing.body["error"]["message"].is_string());
    azure.check(&format!("PUT {CLUSTER}"), body(&json!({})), "201").await;
    let azure = azure.pass(600).await;
    let pool = azure.check(&format!("GET {CLUSTER}/agentPools/none"), Value::Null, "404 NotFound").await;
    assert_eq!((pool.header("x-ms-failure-cause"), &pool.body["error"]), ("", &Value::Null));
    assert!(
        pool.body["subcode"].as_str().is_some_and(|code| code.starts_with("GetAgentPool_NotFound")),
        "{}",
        pool.text
    );
    azure.check(&format!("DELETE {CLUSTER}/agentPools/none"), Value::Null, "204").await;
}

#[tokio::test(start_paused = true)]
async fn the_configuration_of_an_addon_is_text() {
    let azure = group(Options::default()).await;
    let addon = |rotation: Value| {
        let config = json!({ "enableSecretRotation": rotation, "rotationPollInterval": "2m" });
        body(&json!({ "addonProfiles": { "azureKeyvaultSecretsProvider": { "enabled": true, "config": config } } }))
    };
    let refused = azure.check(&format!("PUT {CLUSTER}"), addon(json!(true)), "400 UnmarshalError").await;
    assert!(refused.text.contains("cannot unmarshal bool"), "{}", refused.text);
    let made = azure.check(&format!("PUT {CLUSTER}"), addon(json!("true")), "201").await.body;
    let kept = &made["properties"]["addonProfiles"]["azureKeyvaultSecretsProvider"]["config"];
    assert_eq!(*kept, json!({ "enableSecretRotation": "true", "rotationPollInterval": "2m" }));
}
