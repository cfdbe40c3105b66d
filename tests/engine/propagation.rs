//! What this very run made is not known everywhere at once: a role takes minutes to work, a new principal a while to be found. The run
//! asks again until it is so; where nothing that it made can be the reason, it does not.

use akson_applier::End;
use akson_tests::world::World;

const OFFICER: &str = "b86a8fe4-44ce-4948-aee5-eccb2c155cd7";

const STACK: &str = r#"
stack "test" {
  location = "westeurope"
}

resource_group "app" {
  name = "app-rg"
}

vault "app" {
  name           = "kv-propagation"
  resource_group = resource_group.app
}

secret "app" {
  vault = vault.app
  name  = "password"
  value = generated(32)
}
"#;

/// A world whose signed-in user may not write secrets; and the stack with a grant of it to that user.
fn without_the_role(seed: u64) -> (World, String) {
    let world = World::of_seed(7, seed);
    let god = world.god();
    for id in god.ids().into_iter().filter(|id| id.to_lowercase().contains("/roleassignments/")) {
        let role = god.object(&id).unwrap()["properties"]["roleDefinitionId"].as_str().unwrap().to_owned();
        if role.ends_with(OFFICER) {
            god.delete_object(&id).unwrap();
        }
    }
    let me = world.emulator.identity().object_id;
    let grant = format!(
        "\ngrant \"me\" {{\n  to   = \"{me}\"\n  role = \"Key Vault Secrets Officer\"\n  on   = vault.app\n}}\n"
    );
    (world, format!("{STACK}{grant}"))
}

/// The statuses of the requests that write the secret.
fn writes(world: &World) -> Vec<u16> {
    let requests = world.god().requests();
    let of_secret = |path: &str| path.contains("/secrets/password");
    let writes = requests.iter().filter(|request| request.method == "PUT" && of_secret(&request.path));
    writes.map(|request| request.status.unwrap_or_default()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_secret_waits_until_the_role_of_its_writer_works() {
    let mut waited = 0;
    for seed in 0..8 {
        let (world, stack) = without_the_role(seed);
        let outcome = world.apply(&stack).await;
        assert_eq!(outcome.report.end, End::Done, "{seed}: {:#?}", outcome.report.diagnostics);
        let writes = writes(&world);
        let (last, refused) = writes.split_last().unwrap();
        assert!(*last == 200 && refused.iter().all(|status| *status == 403), "{seed}: {writes:?}");
        // Ever longer pauses: minutes are few requests.
        assert!(refused.len() < 30, "{seed}: {writes:?}");
        waited += usize::from(!refused.is_empty());
        assert!(world.apply(&stack).await.plan.is_empty());
    }
    assert!(waited > 4, "the role worked at once in {} of 8 worlds", 8 - waited);
}

#[tokio::test(start_paused = true)]
async fn a_role_that_nobody_grants_is_not_waited_for() {
    let (world, _) = without_the_role(1);
    let outcome = world.apply(STACK).await;
    assert_eq!((outcome.report.end, writes(&world)), (End::SomeFailed, vec![403]));
}

const DIRECTORY: &str = r#"
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

application "app" {
  display_name = "app"
}

service_principal "app" {
  application = application.app
}

group "app" {
  display_name = "apps"
  members      = [identity.app, service_principal.app]
}

grant "group" {
  to   = group.app
  role = "Reader"
  on   = resource_group.app
}

grant "principal" {
  to   = service_principal.app
  role = "Reader"
  on   = resource_group.app
}

grant "by_id" {
  to   = identity.app.principal_id
  role = "Reader"
  on   = resource_group.app
}
"#;

#[tokio::test(start_paused = true)]
async fn what_the_directory_learns_late_is_waited_for() {
    let mut late = 0;
    for seed in 0..12 {
        let world = World::of_seed(seed, seed);
        let outcome = world.apply(DIRECTORY).await;
        assert_eq!(outcome.report.end, End::Done, "{seed}: {:#?}", outcome.report.diagnostics);
        let outcome = world.apply(DIRECTORY).await;
        assert!(outcome.plan.is_empty(), "{seed}: {:#?}", outcome.plan.changes);
        let requests = world.god().requests();
        let unseen = |request: &&akson_emulator::RequestRecord| {
            request.method != "GET" && matches!(request.status, Some(400 | 404))
        };
        late += requests.iter().filter(unseen).count();
    }
    assert!(late > 0, "no replica was ever behind");
}
