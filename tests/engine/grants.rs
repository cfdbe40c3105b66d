//! Grants: ids that are made of what Azure tells, matched by what they say and not by what they are called.

use akson_applier::End;
use akson_planner::{Action, options::Mode};
use serde_json::{Value, json};

use akson_tests::world::{Kill, World, sends};

const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

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

grant "reads" {
  to          = identity.app
  role        = "Reader"
  on          = resource_group.app
  description = "why"
}
"#;

fn group(world: &World) -> String {
    format!("/subscriptions/{}/resourceGroups/app-rg", world.emulator.identity().subscription)
}

fn identity(world: &World) -> String {
    format!("{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/app-id", group(world))
}

/// The grants on the group, by their ids.
fn grants(world: &World) -> Vec<(String, Value)> {
    let prefix = format!("{}/providers/microsoft.authorization/roleassignments/", group(world)).to_lowercase();
    let god = world.god();
    let ids = god.ids().into_iter().filter(|id| id.to_lowercase().starts_with(&prefix));
    ids.map(|id| (id.clone(), god.object(&id).unwrap())).collect()
}

fn principal(world: &World) -> Value {
    world.god().object(&identity(world)).unwrap()["properties"]["principalId"].clone()
}

#[tokio::test(start_paused = true)]
async fn a_grant_to_what_is_new_is_made_and_made_once() {
    let world = World::new();
    let first = world.apply(STACK).await;
    assert_eq!(first.report.end, End::Done, "{:#?}", first.report.diagnostics);
    let change = first.plan.changes.iter().find(|change| change.kind.keyword == "grant").unwrap();
    assert_eq!(change.id, None, "Azure has not told it yet");
    let [(_, made)] = &grants(&world)[..] else { panic!("{:#?}", grants(&world)) };
    assert_eq!(made["properties"]["principalId"], principal(&world));
    assert_eq!(made["properties"]["principalType"], "ServicePrincipal");
    assert!(made["properties"]["roleDefinitionId"].as_str().unwrap().ends_with(READER));
    assert!(made["properties"]["description"].as_str().unwrap().starts_with("why [akson:"));

    let second = world.apply(STACK).await;
    assert!(second.plan.is_empty() && !sends(&second.plan), "{:#?}", second.plan.changes);
    let renamed = STACK.replace("\"reads\"", "\"looks\"").replace("identity.app\n", "identity.app.principal_id\n");
    let renamed = world.apply(&renamed).await;
    assert!(renamed.plan.is_empty(), "a block's name and the way the principal is written mean nothing");
}

#[tokio::test(start_paused = true)]
async fn only_what_azure_changes_in_place_is_changed_in_place() {
    let world = World::new();
    world.apply(STACK).await;
    let before = grants(&world);
    let described = STACK.replace("\"why\"", "\"because\"");
    let outcome = world.apply(&described).await;
    assert_eq!((outcome.plan.count(Action::Update), outcome.report.end), (1, End::Done));
    assert_eq!(grants(&world)[0].0, before[0].0);

    let other = described.replace("\"Reader\"", "\"Contributor\"");
    let outcome = world.apply(&other).await;
    assert_eq!((outcome.plan.count(Action::Create), outcome.plan.count(Action::Delete)), (1, 1));
    assert_eq!(outcome.report.end, End::Done, "{:#?}", outcome.report.diagnostics);
    let after = grants(&world);
    assert_eq!(after.len(), 1);
    assert_ne!(after[0].0, before[0].0);
}

#[tokio::test(start_paused = true)]
async fn a_grant_that_exists_is_adopted_whatever_its_id() {
    let world = World::new();
    let without = STACK.split("grant").next().unwrap();
    world.apply(without).await;
    let id = format!(
        "{}/providers/Microsoft.Authorization/roleAssignments/11111111-2222-4333-8444-555555555555",
        group(&world)
    );
    let role = format!(
        "/subscriptions/{}/providers/Microsoft.Authorization/roleDefinitions/{READER}",
        world.emulator.identity().subscription
    );
    let body = json!({"properties": {
        "principalId": principal(&world), "principalType": "ServicePrincipal", "roleDefinitionId": role,
        "scope": group(&world), "description": "by hand"
    }});
    world.god().put_object(&id, body).unwrap();

    let outcome = world.apply(STACK).await;
    assert_eq!((outcome.plan.count(Action::Adopt), outcome.report.end), (1, End::Done), "{:#?}", outcome.plan.changes);
    let now = grants(&world);
    assert_eq!(now.len(), 1);
    assert!(now[0].0.eq_ignore_ascii_case(&id), "it keeps its id");
    assert!(now[0].1["properties"]["description"].as_str().unwrap().starts_with("why [akson:"));
    assert!(world.apply(STACK).await.plan.is_empty());
    world.destroy(STACK).await;
    assert!(grants(&world).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_new_principal_under_the_old_name_gets_a_new_grant() {
    let world = World::new();
    world.apply(STACK).await;
    let before = (principal(&world), grants(&world)[0].0.clone());
    world.god().delete_object(&identity(&world)).unwrap();
    world.settle_to(STACK).await;
    assert_ne!(principal(&world), before.0);
    let after = grants(&world);
    assert_eq!(after.len(), 1, "{after:#?}");
    assert_eq!(after[0].1["properties"]["principalId"], principal(&world));
    assert_ne!(after[0].0, before.1, "the id is made of the principal");
}

#[tokio::test(start_paused = true)]
async fn however_a_run_is_killed_the_next_ones_make_one_grant() {
    for at in 0..24 {
        for kill in [Kill::Before(at), Kill::After(at), Kill::OnItsWay(at)] {
            let world = World::new();
            if !world.kill(STACK, Mode::Apply, kill).await {
                continue;
            }
            world.settle_to(STACK).await;
            assert_eq!(grants(&world).len(), 1, "{kill:?}");
            assert_eq!(grants(&world)[0].1["properties"]["principalId"], principal(&world), "{kill:?}");
        }
    }
}
