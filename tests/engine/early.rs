//! What a cluster tells with its first answer is used at once; what it tells at its end is waited for.

use std::{sync::Arc, time::Duration};

use akson_applier::{End, What};

use akson_tests::world::{Outcome, World};

const STACK: &str = r#"
stack "test" {
  location = "westeurope"
}

resource_group "app" {
  name = "app-rg"
}

identity "app" {
  name           = "app-id"
  resource_group = resource_group.app
}

cluster "main" {
  name           = "aks"
  resource_group = resource_group.app
  entra { authorization = azure_rbac }
  identity       = system
  local_accounts = disabled
  oidc_issuer    = enabled

  node_pool "system" {
    mode    = system
    vm_size = "Standard_D4s_v5"
    scale   = fixed(3)
  }
}

federated_credential "app" {
  identity = identity.app
  name     = "app"
  issuer   = cluster.main.oidc_issuer_url
  subject  = "system:serviceaccount:app:web"
}

federated_credential "later" {
  identity = identity.app
  name     = "later"
  issuer   = cluster.main.oidc_issuer_url
  subject  = "system:serviceaccount:app:later"
  after    = [cluster.main]
}

grant "nodes" {
  to   = cluster.main.kubelet_identity.object_id
  role = "Reader"
  on   = resource_group.app
}
"#;

/// When a step is told of, since the start of the run.
fn when(outcome: &Outcome, is_it: impl Fn(&What) -> bool) -> Duration {
    let mut events = outcome.events.iter();
    events.find(|event| is_it(&event.what)).unwrap_or_else(|| panic!("{:#?}", outcome.events)).after
}

fn begins(outcome: &Outcome, address: &str) -> Duration {
    when(outcome, |what| matches!(what, What::StepStarted(step) if step.address == address))
}

fn succeeds(outcome: &Outcome, address: &str) -> Duration {
    when(outcome, |what| matches!(what, What::StepSucceeded(step) if step.address == address))
}

#[tokio::test(start_paused = true)]
async fn who_needs_the_issuer_does_not_wait_for_the_nodes() {
    let world = World::new();
    let outcome = world.apply(STACK).await;
    assert_eq!(outcome.report.end, End::Done, "{:#?}", outcome.report.diagnostics);
    let there = succeeds(&outcome, "cluster.main");
    assert!(there > Duration::from_secs(100));
    assert!(succeeds(&outcome, "federated_credential.app") < there / 2);
    assert!(begins(&outcome, "federated_credential.later") >= there);
    assert!(begins(&outcome, "grant.nodes") >= there);
    assert_eq!(world.converge(STACK).await, 0);
    world.destroy(STACK).await;
    assert!(world.objects().keys().all(|id| !id.contains("app-rg")));
}

#[tokio::test(start_paused = true)]
async fn what_was_made_meanwhile_is_kept_if_the_cluster_fails() {
    let mut world = World::new();
    // Out of quota, which is found out minutes later.
    world.tamper = Some(Arc::new(|_, path, answer| {
        let Ok(mut body) = serde_json::from_slice::<serde_json::Value>(answer.body()) else { return };
        if path.contains("/operations/") && body["status"].is_string() {
            body["status"] = "Failed".into();
            body["error"] = serde_json::json!({"code": "QuotaExceeded", "message": "Too many cores."});
            *answer.body_mut() = body.to_string().into();
        }
    }));
    let outcome = world.apply(STACK).await;
    assert_eq!(outcome.report.end, End::SomeFailed);
    let credentials = |world: &World| {
        world.objects().into_keys().filter(|id| id.contains("/federatedidentitycredentials/")).collect::<Vec<_>>()
    };
    assert_eq!(credentials(&world).len(), 1, "{:#?}", outcome.report.diagnostics);
    world.tamper = None;
    world.settle_to(STACK).await;
    assert_eq!(credentials(&world).len(), 2);
}
