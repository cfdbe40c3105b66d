//! Secrets: written and never read back, in no plan, ledger or event; made once; brought back from soft deletion.

use akson_applier::End;
use akson_planner::{Action, options::Mode};
use serde_json::Value;

use akson_tests::world::{Kill, World, sends};

const CANARY: &str = "canary-7f3a9c";

const STACK: &str = r#"
stack "test" {
  location = "westeurope"
}

variable "password" {
  type      = string
  sensitive = true
  default   = "canary-7f3a9c"
}

resource_group "app" {
  name = "app-rg"
}

vault "app" {
  name           = "kv-planes-test"
  resource_group = resource_group.app
}

secret "db" {
  vault   = vault.app
  name    = "db"
  value   = var.password
  version = 1
  expires = "2030-01-31T00:00:00Z"
}

secret "key" {
  vault = vault.app
  name  = "key"
  value = generated(48)
}
"#;

fn secret(world: &World, name: &str) -> Option<Value> {
    let subscription = world.emulator.identity().subscription;
    world.god().object(&format!(
        "/subscriptions/{subscription}/resourceGroups/app-rg/providers/Microsoft.KeyVault/vaults/kv-planes-test/secrets/{name}"
    ))
}

/// The requests to the vault's own endpoint that were answered well, without their versions.
fn writes(world: &World, method: &str, path: &str) -> usize {
    let asked = world.god().requests();
    let to_vault = asked.iter().filter(|request| request.host == "kv-planes-test.vault.azure.net");
    let fits = to_vault.filter(|request| request.method == method && request.path.starts_with(path));
    fits.filter(|request| request.status.is_some_and(|status| status < 300)).count()
}

fn reads_of_values(world: &World) -> usize {
    writes(world, "GET", "/secrets")
}

#[tokio::test(start_paused = true)]
async fn a_value_goes_to_the_vault_and_nowhere_else() {
    let world = World::new();
    let first = world.apply(STACK).await;
    assert_eq!(first.report.end, End::Done, "{:#?}", first.report.diagnostics);
    let shown = secret(&world, "db").unwrap();
    assert_eq!(shown["properties"]["attributes"]["exp"], 1_896_048_000);
    assert_eq!(shown["tags"]["akson-version"], "1");
    let told = format!("{:?} {:?} {:?}", first.plan, first.events, first.report);
    let kept = String::from_utf8(world.store.document().unwrap().write()).unwrap();
    assert!(!told.contains(CANARY) && !kept.contains(CANARY));
    assert!(kept.contains("/secrets/db"));

    world.god().clear_request_log();
    let second = world.apply(STACK).await;
    assert!(second.plan.is_empty() && !sends(&second.plan), "{:#?}", second.plan.changes);
    let hosts: Vec<String> = world.god().requests().into_iter().map(|request| request.host).collect();
    assert!(!hosts.iter().any(|host| host.ends_with("vault.azure.net")), "a plan asks no vault: {hosts:?}");
    assert_eq!(reads_of_values(&world), 0);
}

#[tokio::test(start_paused = true)]
async fn a_value_is_written_again_for_another_version_alone() {
    let world = World::new();
    world.apply(STACK).await;
    let changed = STACK.replace(CANARY, "canary-other");
    assert!(world.apply(&changed).await.plan.is_empty(), "a changed value does not show");
    assert_eq!(writes(&world, "PUT", "/secrets/db"), 1);

    let dated = changed.replace("2030", "2031");
    let outcome = world.apply(&dated).await;
    assert_eq!((outcome.plan.count(Action::Update), outcome.report.end), (1, End::Done));
    assert_eq!((writes(&world, "PUT", "/secrets/db"), writes(&world, "PATCH", "/secrets/db/")), (1, 1));

    let versioned = dated.replace("version = 1", "version = 2");
    assert_eq!(world.apply(&versioned).await.report.end, End::Done);
    assert_eq!(writes(&world, "PUT", "/secrets/db"), 2);
    assert!(world.apply(&versioned).await.plan.is_empty());
    assert_eq!(reads_of_values(&world), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_made_once_is_made_once_however_a_run_is_killed() {
    for at in 0..30 {
        for kill in [Kill::Before(at), Kill::After(at), Kill::OnItsWay(at)] {
            let world = World::new();
            if !world.kill(STACK, Mode::Apply, kill).await {
                continue;
            }
            world.settle_to(STACK).await;
            assert_eq!(writes(&world, "PUT", "/secrets/key"), 1, "{kill:?}");
            assert!(secret(&world, "key").unwrap()["tags"]["akson-run"].is_string(), "{kill:?}");
            assert_eq!(reads_of_values(&world), 0, "{kill:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_deleted_secret_is_brought_back_when_it_is_declared_again() {
    let world = World::new();
    world.apply(STACK).await;
    let without = STACK.split("secret \"key\"").next().unwrap();
    let outcome = world.apply(without).await;
    assert_eq!((outcome.plan.count(Action::Delete), outcome.report.end), (1, End::Done));
    assert_eq!(secret(&world, "key"), None);
    world.settle_to(STACK).await;
    assert!(secret(&world, "key").is_some());
    assert_eq!(writes(&world, "POST", "/deletedsecrets/key/recover"), 1);
}

/// A service that is so careless as to say back what it was sent.
#[tokio::test(start_paused = true)]
async fn what_a_service_echoes_of_a_secret_is_not_told_on() {
    const ECHOED: &str = "canary \"with\" quotes & signs\t 77e1";
    const TOKEN: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJvaWQiOiJ4In0.c2lnbmF0dXJl";
    let value = serde_json::to_string(ECHOED).unwrap();
    let source = STACK.replace("\"canary-7f3a9c\"", &value);
    assert_ne!(source, STACK);
    for status in [400_u16, 403, 409, 500] {
        let mut world = World::new();
        world.tamper = Some(std::sync::Arc::new(move |method, path, answer| {
            if *method == http::Method::PUT && path.starts_with("/secrets/db") {
                let message =
                    format!("the value {ECHOED} is bad, {TOKEN} too, and https://x/?sig=abc%2Fdef is no place");
                let body = serde_json::json!({"error": {"code": ECHOED, "message": message, "details": [{"code": TOKEN, "message": ECHOED}]}});
                *answer.status_mut() = http::StatusCode::from_u16(status).unwrap();
                *answer.body_mut() = bytes::Bytes::from(body.to_string());
            }
        }));
        let outcome = world.apply(&source).await;
        let told = format!("{:?}\n{:?}", outcome.report.diagnostics, outcome.events);
        if status < 500 {
            assert_eq!(outcome.report.end, End::SomeFailed, "{told}");
            assert!(told.contains("[redacted]"), "it was echoed: {told}");
        }
        for canary in ["canary", "77e1", TOKEN, "abc%2Fdef"] {
            assert!(!told.contains(canary), "{status}: {canary} in {told}");
        }
        let kept =
            serde_json::to_string(&world.store.bytes().map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
                .unwrap();
        assert!(!kept.contains("77e1") && !kept.contains("eyJ0"), "{kept}");
    }
}
