//! Tokens stay with Azure: whatever an answer says about where to go on, nobody else is asked. That no other host is asked is checked by
//! the world itself, at each request of each test.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use akson_applier::{Cancel, End};
use akson_planner::options::Mode;
use akson_tests::world::{Tamper, World};
use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode};
use serde_json::Value;

const STACK: &str = r#"
stack "test" {
  location = "westeurope"
}

resource_group "app" {
  name = "app-rg"
}

network "app" {
  name           = "app-net"
  resource_group = resource_group.app
  ranges         = ["10.0.0.0/16"]
}

vault "app" {
  name           = "kv-hosts-test"
  resource_group = resource_group.app
}

secret "app" {
  vault = vault.app
  name  = "password"
  value = generated(32)
}

group "app" {
  display_name = "apps"
}
"#;

/// Other places, and ways to write one that look like Azure's.
const ELSEWHERE: [&str; 8] = [
    "https://evil.example/next?api-version=1",
    "http://management.azure.com/next",
    "https://management.azure.com:8443/next",
    "https://management.azure.com@evil.example/next",
    "https://management.azure.com.evil.example/next",
    "https://evil.vault.azure.net/secrets",
    "https://evil.hcp.westeurope.azmk8s.io/api",
    "//evil.example/next",
];

/// Counts how often it did something.
fn counted(
    change: impl Fn(&Method, &str, &mut Response<Bytes>) -> bool + Send + Sync + 'static,
) -> (Tamper, Arc<AtomicUsize>) {
    let times = Arc::<AtomicUsize>::default();
    let count = Arc::clone(&times);
    let tamper: Tamper = Arc::new(move |method, path, answer| {
        if !path.contains("/oauth2/") && change(method, path, answer) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    });
    (tamper, times)
}

fn text(to: &str) -> HeaderValue {
    HeaderValue::from_str(to).unwrap()
}

/// Applies under a tampering that happens, then without it: it converges, whatever the first run came to.
async fn check(to: &'static str, change: impl Fn(&Method, &str, &mut Response<Bytes>) -> bool + Send + Sync + 'static) {
    let mut world = World::new();
    // Something is there to be listed and followed.
    let (tamper, times) = counted(change);
    world.tamper = Some(tamper);
    let _ = world.attempt(STACK, Mode::Apply, &Cancel::new()).await;
    assert!(times.load(Ordering::Relaxed) > 0, "{to}: nothing was tampered with");
    world.tamper = None;
    world.settle_to(STACK).await;
}

#[tokio::test(start_paused = true)]
async fn operations_are_followed_at_azure_only() {
    for to in ELSEWHERE {
        for header in ["azure-asyncoperation", "location"] {
            check(to, move |method, _, answer| {
                let written = matches!(*method, Method::PUT | Method::DELETE | Method::POST | Method::PATCH);
                if written && answer.status().is_success() {
                    *answer.status_mut() = StatusCode::ACCEPTED;
                    for name in ["azure-asyncoperation", "location"] {
                        answer.headers_mut().remove(name);
                    }
                    answer.headers_mut().insert(header, text(to));
                }
                written
            })
            .await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn lists_go_on_at_azure_only() {
    for to in ELSEWHERE {
        for member in ["nextLink", "@odata.nextLink"] {
            check(to, move |method, _, answer| {
                let mut body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
                if *method != Method::GET || !body["value"].is_array() {
                    return false;
                }
                body[member] = to.into();
                *answer.body_mut() = Bytes::from(body.to_string());
                true
            })
            .await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn redirects_are_not_followed() {
    for to in ELSEWHERE {
        for status in [StatusCode::MOVED_PERMANENTLY, StatusCode::TEMPORARY_REDIRECT] {
            check(to, move |_, _, answer| {
                *answer.status_mut() = status;
                answer.headers_mut().insert("location", text(to));
                true
            })
            .await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_objects_say_of_hosts_leads_nowhere() {
    let mut world = World::new();
    let (tamper, times) = counted(|_, path, answer| {
        let mut body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
        if !path.to_lowercase().contains("/vaults/") || body["properties"]["vaultUri"].is_null() {
            return false;
        }
        body["properties"]["vaultUri"] = "https://evil.example/".into();
        *answer.body_mut() = Bytes::from(body.to_string());
        true
    });
    world.tamper = Some(tamper);
    let outcome = world.apply(STACK).await;
    assert_eq!(outcome.report.end, End::Done, "{:#?}", outcome.report.diagnostics);
    assert!(times.load(Ordering::Relaxed) > 0);
}
