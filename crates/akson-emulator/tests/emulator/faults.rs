//! Spoiled calls.

use std::time::Duration;

use akson_emulator::{ConnectionReset, Effect, FaultRule, Latency, Options, Phase, RetryAfter};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::Azure;

fn status(status: u16) -> FaultRule {
    FaultRule::new(Effect::Status { status, retry_after: RetryAfter::Absent, html: false })
}

fn exists(azure: &Azure, group: &str) -> bool {
    azure.emulator.god().object(&format!("{}/resourceGroups/{group}", azure.subscription)).is_some()
}

#[tokio::test(start_paused = true)]
async fn before_and_after_processing() {
    let azure = Azure::new().await;
    let god = azure.emulator.god();
    for (effect, name) in [(Effect::Reset, "reset"), (status(503).effect, "status")] {
        for (phase, done) in [(Phase::Before, false), (Phase::After, true)] {
            let group = format!("{name}-{done}");
            god.set_faults(vec![FaultRule {
                phase,
                ..FaultRule::new(effect.clone()).on_method("put").on_path("/resourceGroups/")
            }]);
            let request = azure.request(&format!("PUT ~/resourceGroups/{group}"), &json!({ "location": "westeurope" }));
            match azure.send(request).await {
                Err(ConnectionReset) => assert_eq!(name, "reset"),
                Ok(reply) => assert_eq!(reply.outcome(), "503 ServerTimeout"),
            }
            assert_eq!(exists(&azure, &group), done, "{group}");
            let last = god.requests().pop().unwrap();
            assert_eq!((last.processed, last.status), (done, done.then_some(201)));
        }
    }
    god.set_faults(Vec::new());
    azure.group("calm").await;
}

#[tokio::test(start_paused = true)]
async fn which_calls() {
    let azure = Azure::new().await;
    let god = azure.emulator.god();
    let tried = async |rule: FaultRule, path: &str| -> Vec<u16> {
        god.set_faults(vec![rule]);
        let mut found = Vec::new();
        for _ in 0..4 {
            found.push(azure.call(&format!("GET {path}"), Value::Null).await.status);
        }
        found
    };
    assert_eq!(tried(status(500).nth(2), "/subscriptions").await, [200, 500, 200, 200]);
    assert_eq!(tried(status(500).at_most(3), "/subscriptions").await, [500, 500, 500, 200]);
    assert_eq!(tried(status(500).on_path("*/resourcegroups"), "/subscriptions").await, [200; 4]);
    assert_eq!(tried(status(500).on_path("*/resourcegroups"), "~/resourceGroups").await, [500; 4]);
    assert_eq!(tried(status(500).with_probability(0.0), "/subscriptions").await, [200; 4]);
    assert_eq!(tried(status(500).with_probability(1.0), "/subscriptions").await, [500; 4]);
    assert_eq!(tried(status(500).on_method("PUT"), "/subscriptions").await, [200; 4]);
}

#[tokio::test(start_paused = true)]
async fn shapes() {
    let azure = Azure::new().await;
    let god = azure.emulator.god();
    let answer = async |status, retry_after, html| {
        god.set_faults(vec![FaultRule::new(Effect::Status { status, retry_after, html })]);
        azure.call("GET /subscriptions", Value::Null).await
    };
    let reply = answer(429, RetryAfter::Seconds(7), false).await;
    assert_eq!((reply.outcome().as_str(), reply.header("retry-after")), ("429 TooManyRequests", "7"));
    let reply = answer(429, RetryAfter::Date(60), false).await;
    assert_eq!(reply.header("retry-after"), "Thu, 01 Jan 2026 00:01:00 GMT");
    let reply = answer(429, RetryAfter::Absent, false).await;
    assert_eq!(reply.header("retry-after"), "");
    let reply = answer(502, RetryAfter::Text("soon".to_owned()), true).await;
    assert_eq!((reply.status, reply.header("content-type"), reply.header("retry-after")), (502, "text/html", "soon"));
    assert!(reply.text.contains("502 Bad Gateway"));
}

#[tokio::test(start_paused = true)]
async fn time() {
    let azure =
        Azure::open(Options { latency: Latency::Fixed { seconds: 4.0 }, time_scale: 2.0, ..Options::default() }).await;
    let god = azure.emulator.god();
    let started = Instant::now();
    azure.group("g").await;
    assert_eq!(started.elapsed(), Duration::from_secs(2));
    god.set_faults(vec![FaultRule::new(Effect::Latency { seconds: 10.0 })]);
    let started = Instant::now();
    azure.get("~/resourceGroups/g").await;
    assert_eq!(started.elapsed(), Duration::from_secs(7));
    god.set_faults(vec![FaultRule::new(Effect::Hang).after()]);
    let request = azure.request("PUT ~/resourceGroups/h", &json!({ "location": "westeurope" }));
    assert!(tokio::time::timeout(Duration::from_secs(60), azure.send(request)).await.is_err());
    assert!(exists(&azure, "h"));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_dies_leaves_all_or_nothing() {
    for (wait, done) in [(0.5, false), (1.5, true)] {
        let azure = Azure::open(Options { latency: Latency::Fixed { seconds: 4.0 }, ..Options::default() }).await;
        let request = azure.request("PUT ~/resourceGroups/g", &json!({ "location": "westeurope" }));
        assert!(tokio::time::timeout(Duration::from_secs_f64(wait), azure.send(request)).await.is_err());
        assert_eq!(exists(&azure, "g"), done);
    }
}

#[test]
fn rules_as_json() {
    let rule: FaultRule = serde_json::from_value(json!({
        "match": { "method": "PUT", "path": "*/vaults/*", "nth": 2, "probability": 0.5 },
        "phase": "after",
        "effect": { "kind": "status", "status": 429, "retry_after": { "seconds": 5 } },
    }))
    .unwrap();
    let same = FaultRule::new(Effect::Status { status: 429, retry_after: RetryAfter::Seconds(5), html: false })
        .on_method("PUT")
        .on_path("*/vaults/*")
        .nth(2)
        .with_probability(0.5)
        .after();
    assert_eq!(rule, same);
    assert!(serde_json::from_value::<FaultRule>(json!({ "effect": { "kind": "reset" }, "mach": {} })).is_err());
}

#[tokio::test(start_paused = true)]
async fn the_platform_does_things_by_itself() {
    use crate::clusters::{CLUSTER, with_cluster};

    let azure = with_cluster(json!({})).await;
    let god = azure.emulator.god();
    let background = |state: &str| Effect::Background { state: state.to_owned(), seconds: 300.0, changes: Value::Null };
    let pool = format!("{CLUSTER}/agentPools/user");
    let wish = json!({ "properties": { "mode": "User", "count": 1, "vmSize": "Standard_D4s_v5" } });
    // Before the call: it is in the way.
    god.set_faults(vec![FaultRule::new(background("Upgrading")).on_method("PUT").on_path("/agentPools/").at_most(1)]);
    let refused = azure.check(&format!("PUT {pool}"), wish.clone(), "409 OperationNotAllowed").await;
    assert!(refused.text.contains("Another operation (Upgrading) is in progress"), "{}", refused.text);
    assert_eq!(azure.get(CLUSTER).await["properties"]["provisioningState"], "Upgrading");
    let azure = azure.pass(301).await;
    // After the call: the call is done, then it begins.
    god.set_faults(vec![
        FaultRule::new(background("Updating")).on_method("PUT").on_path("/agentPools/").after().at_most(1),
    ]);
    azure.check(&format!("PUT {pool}"), wish.clone(), "201").await;
    let mut seen = Vec::new();
    let mut azure = azure;
    for _ in 0..200 {
        azure = azure.pass(10).await;
        let state = azure.get(CLUSTER).await["properties"]["provisioningState"].as_str().unwrap().to_owned();
        if seen.last() != Some(&state) {
            if state == "Updating" {
                assert_eq!(azure.get(&pool).await["properties"]["provisioningState"], "Succeeded");
                azure.check(&format!("PUT {pool}"), wish.clone(), "409 OperationNotAllowed").await;
            }
            seen.push(state);
        }
    }
    assert_eq!(seen, ["Succeeded", "Updating", "Succeeded"]);
}

/// What a policy with the effect `DeployIfNotExists` does once a cluster is there.
#[tokio::test(start_paused = true)]
async fn a_policy_deploys_an_add_on_by_itself() {
    use crate::clusters::{CLUSTER, with_cluster};

    let azure = with_cluster(json!({})).await;
    let rule = json!({
        "match": { "method": "PUT", "path": "*/managedClusters/*" },
        "phase": "after",
        "effect": {
            "kind": "background", "state": "Updating", "seconds": 120.0,
            "changes": { "addonProfiles": { "azurepolicy": { "enabled": true } } },
        },
        "limit": 1,
    });
    azure.emulator.god().set_faults(vec![serde_json::from_value(rule).unwrap()]);
    let before = azure.get(CLUSTER).await;
    assert!(before["properties"]["addonProfiles"].get("azurepolicy").is_none());
    azure.check(&format!("PUT {CLUSTER}"), before.clone(), "200").await;
    let mut azure = azure;
    let mut states = Vec::new();
    for _ in 0..100 {
        azure = azure.pass(10).await;
        let cluster = azure.get(CLUSTER).await;
        let addon = &cluster["properties"]["addonProfiles"]["azurepolicy"];
        let seen = (cluster["properties"]["provisioningState"].as_str().unwrap().to_owned(), addon["enabled"] == true);
        if states.last() != Some(&seen) {
            states.push(seen);
        }
    }
    let states: Vec<(&str, bool)> = states.iter().map(|(state, on)| (state.as_str(), *on)).collect();
    assert_eq!(states.last(), Some(&("Succeeded", true)));
    assert!(states.contains(&("Updating", true)), "{states:?}");
    let cluster = azure.get(CLUSTER).await;
    let addon = &cluster["properties"]["addonProfiles"]["azurepolicy"];
    assert_eq!(addon["config"], Value::Null);
    assert!(addon["identity"]["objectId"].is_string(), "{addon}");
    // A write that does not speak of it leaves it on.
    let mut silent = before;
    silent["properties"].as_object_mut().unwrap().remove("addonProfiles");
    azure.check(&format!("PUT {CLUSTER}"), silent, "200").await;
    assert_eq!(azure.get(CLUSTER).await["properties"]["addonProfiles"]["azurepolicy"]["enabled"], true);
}
