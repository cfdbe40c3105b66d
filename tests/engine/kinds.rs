//! Kinds whose objects come and go in a way of their own: pools that are created with their cluster, plans that are set back.

use std::sync::Arc;

use akson_applier::End;
use akson_emulator::God;
use serde_json::{Value, json};

use akson_tests::world::{World, sends};

const CLUSTER: &str = r#"
stack "test" {
  location = "westeurope"
}

resource_group "app" {
  name = "app-rg"
}

cluster "main" {
  name           = "aks"
  resource_group = resource_group.app
  entra { authorization = azure_rbac }
  local_accounts = disabled

  node_pool "system" {
    mode    = system
    vm_size = "Standard_D4s_v5"
    scale   = fixed(3)
  }

  node_pool "user" {
    vm_size = "Standard_D4s_v5"
    scale   = fixed(1)
  }
}
"#;

/// As Azure does it: the pools of a cluster's first request exist once the cluster does.
fn pools(cluster: String) -> impl Fn(&God) + Send + Sync {
    move |god: &God| {
        let Some(found) = god.object(&cluster) else { return };
        for pool in found["properties"]["agentPoolProfiles"].as_array().into_iter().flatten() {
            let id = format!("{cluster}/agentPools/{}", pool["name"].as_str().unwrap());
            if god.object(&id).is_none() {
                let mut properties = pool.clone();
                properties.as_object_mut().unwrap().remove("name");
                god.put_object(&id, json!({"name": pool["name"], "properties": properties})).unwrap();
            }
        }
    }
}

fn writes(world: &World, end: &str) -> usize {
    let path = |path: &str| path.split('?').next().unwrap_or_default().to_ascii_lowercase().ends_with(end);
    world.god().requests().iter().filter(|request| request.method == "PUT" && path(&request.path)).count()
}

#[tokio::test(start_paused = true)]
async fn the_first_system_pool_is_created_once_with_its_cluster() {
    let mut world = World::new();
    let subscription = world.emulator.identity().subscription.clone();
    let group = format!("/subscriptions/{subscription}/resourceGroups/app-rg");
    let cluster = format!("{group}/providers/Microsoft.ContainerService/managedClusters/aks");
    world.afterwards = Some(Arc::new(pools(cluster.clone())));
    let outcome = world.apply(CLUSTER).await;
    assert_eq!(outcome.report.end, End::Done, "{:#?}", outcome.report.diagnostics);
    assert_eq!(outcome.report.counts.succeeded, 4);
    assert_eq!(writes(&world, "/managedclusters/aks"), 1);
    assert_eq!(writes(&world, "/agentpools/system"), 0, "it came with the cluster");
    assert_eq!(writes(&world, "/agentpools/user"), 1);
    let pool = |name: &str| world.god().object(&format!("{cluster}/agentPools/{name}"));
    assert_eq!(pool("system").unwrap()["properties"]["count"], 3);

    let second = world.apply(CLUSTER).await;
    assert!(second.plan.is_empty() && !sends(&second.plan), "{:#?}", second.plan.changes);

    let outcome = world.destroy(CLUSTER).await;
    assert_eq!(outcome.report.end, End::Done, "{:#?}", outcome.report.diagnostics);
    assert_eq!(world.god().object(&cluster), None);
    let deletes = |end: &str| {
        let requests = world.god().requests();
        requests
            .iter()
            .filter(|request| request.method == "DELETE" && request.path.to_ascii_lowercase().contains(end))
            .count()
    };
    assert_eq!((deletes("/managedclusters/aks?"), deletes("/agentpools/")), (1, 0), "pools go with their cluster");
}

#[tokio::test(start_paused = true)]
async fn a_defender_plan_goes_back_to_free_and_is_forgotten() {
    let world = World::new();
    let id = format!(
        "/subscriptions/{}/providers/Microsoft.Security/pricings/Containers",
        world.emulator.identity().subscription
    );
    world.god().put_object(&id, json!({"name": "Containers", "properties": {"pricingTier": "Free"}})).unwrap();
    let source = "stack \"test\" {\n  location = \"westeurope\"\n}\n";
    let plan = "defender \"containers\" {\n  plan       = \"Containers\"\n  tier       = standard\n  extensions = [\"ContainerSensor\"]\n}\n";
    let outcome = world.apply(&format!("{source}{plan}")).await;
    assert_eq!(outcome.report.end, End::Done, "{:#?}", outcome.report.diagnostics);
    let properties = |world: &World| world.god().object(&id).map(|found| found["properties"].clone());
    assert_eq!(properties(&world).unwrap()["pricingTier"], "Standard");

    let outcome = world.apply(source).await;
    assert_eq!(outcome.report.end, End::Done, "{:#?}", outcome.report.diagnostics);
    assert_eq!(properties(&world).unwrap_or(Value::Null)["pricingTier"], "Free");
    assert!(world.store.document().unwrap().entries.is_empty(), "it is nobody's");
    assert!(world.apply(source).await.plan.is_empty());
}
