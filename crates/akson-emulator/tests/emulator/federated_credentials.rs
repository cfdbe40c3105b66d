//! Federated credentials of an identity.

use std::time::Duration;

use akson_emulator::{Latency, Options};
use serde_json::{Value, json};

use crate::support::Azure;

const WEB: &str = "~/resourceGroups/shop/providers/Microsoft.ManagedIdentity/userAssignedIdentities/web";

fn trust(subject: &str) -> Value {
    json!({ "properties": {
        "issuer": "https://token.actions.githubusercontent.com",
        "subject": subject,
        "audiences": ["api://AzureADTokenExchange"],
    }})
}

async fn with_identity(options: Options) -> Azure {
    let azure = Azure::open(options).await;
    azure.group("shop").await;
    azure.check(&format!("PUT {WEB}"), json!({ "location": "westeurope" }), "201").await;
    azure
}

fn credential(name: &str) -> String {
    format!("{WEB}/federatedIdentityCredentials/{name}")
}

#[tokio::test(start_paused = true)]
async fn verbs() {
    let azure = with_identity(Options::default()).await;
    let main = credential("main");
    let missing = azure.check(&format!("GET {main}"), Value::Null, "404 NotFound").await;
    assert_eq!(missing.header("x-ms-failure-cause"), "", "the provider speaks, not the gateway");
    let made = azure.check(&format!("PUT {main}"), trust("repo:a/b:ref:refs/heads/main"), "201").await;
    let id = format!(
        "{}/resourcegroups/shop/providers/Microsoft.ManagedIdentity/userAssignedIdentities/web/federatedIdentityCredentials/main",
        azure.subscription
    );
    assert_eq!((made.body["id"].as_str(), made.header("location")), (Some(id.as_str()), id.as_str()));
    assert_eq!(made.body["properties"], trust("repo:a/b:ref:refs/heads/main")["properties"]);
    let changed = azure.check(&format!("PUT {main}"), trust("repo:a/b:pull_request"), "200").await;
    assert_eq!(changed.body["properties"]["subject"], "repo:a/b:pull_request");
    assert_eq!(changed.header("location"), "");
    let listed = azure.get(&format!("{WEB}/federatedIdentityCredentials")).await;
    assert_eq!(listed["value"], json!([azure.get(&main).await]));
    azure.check(&format!("PATCH {main}"), json!({}), "405 HttpMethodNotAllowed").await;
    azure.check(&format!("DELETE {main}"), Value::Null, "200").await;
    azure.check(&format!("DELETE {main}"), Value::Null, "204").await;
}

#[tokio::test(start_paused = true)]
async fn refusals() {
    let azure = with_identity(Options::default()).await;
    azure.check(&format!("PUT {}", credential("main")), trust("a"), "201").await;
    let check = async |name: &str, body: Value, expected: &str| {
        azure.check(&format!("PUT {}", credential(name)), body, expected).await;
    };
    check("other", trust("a"), "409 Conflict").await;
    // Exact and case-sensitive: this is another subject.
    check("other", trust("A"), "201").await;
    check("other", trust("a"), "409 Conflict").await;
    check("x", trust("b"), "400 BadRequest").await;
    check("none", json!({ "properties": { "issuer": "i", "subject": "s" } }), "400 BadRequest").await;
    check(
        "none",
        json!({ "properties": { "issuer": "i", "subject": "s", "audiences": ["a", "b"] } }),
        "400 BadRequest",
    )
    .await;
    let orphan = credential("main").replace("/web/", "/none/");
    azure.check(&format!("PUT {orphan}"), trust("a"), "404 ParentResourceNotFound").await;
    azure.check(&format!("DELETE {orphan}"), Value::Null, "404 ParentResourceNotFound").await;
    azure.check("GET ~/resourceGroups/shop/providers/Microsoft.ManagedIdentity/userAssignedIdentities/none/federatedIdentityCredentials", Value::Null, "404 ParentResourceNotFound").await;
}

#[tokio::test(start_paused = true)]
async fn twenty_and_no_more() {
    let azure = with_identity(Options::default()).await;
    for number in 0..20 {
        azure
            .check(&format!("PUT {}", credential(&format!("number-{number}"))), trust(&number.to_string()), "201")
            .await;
    }
    azure.check(&format!("PUT {}", credential("number-20")), trust("20"), "400 BadRequest").await;
    azure.check(&format!("PUT {}", credential("number-3")), trust("20"), "200").await;
}

#[tokio::test(start_paused = true)]
async fn one_write_at_a_time_under_one_identity() {
    let azure = with_identity(Options { latency: Latency::Fixed { seconds: 1.0 }, ..Options::default() }).await;
    azure.check(&format!("PUT {}", WEB.replace("/web", "/api")), json!({ "location": "westeurope" }), "201").await;
    let put = |name: &str| azure.call_owned(&format!("PUT {}", credential(name)), &trust(name));
    let elsewhere = format!("PUT {}", credential("one").replace("/web/", "/api/"));
    let second = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        put("two").await.outcome()
    };
    let third = async {
        tokio::time::sleep(Duration::from_millis(1100)).await;
        put("three").await.outcome()
    };
    let other = azure.call_owned(&elsewhere, &trust("one"));
    let (first, second, third, other) = tokio::join!(put("one"), second, third, other);
    assert_eq!(first.outcome(), "201");
    assert_eq!(second, "409 ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity");
    assert_eq!(third, "201");
    assert_eq!(other.outcome(), "201", "another identity");
    azure.check(&format!("DELETE {}", credential("one")), Value::Null, "200").await;
}
