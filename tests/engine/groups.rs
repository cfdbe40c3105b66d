//! Groups of Entra: made by a name of ours, changed in place, members of others left alone, never replaced by an edit.

use akson_applier::{Cancel, End};
use akson_planner::{Action, options::Mode};
use akson_tests::world::{Kill, World};

const STACK: &str = r#"
stack "test" {
  location = "westeurope"
}

resource_group "app" {
  name = "app-rg"
}

identity "app" {
  name           = "id-app"
  resource_group = resource_group.app
}

group "dev" {
  display_name = "developers"
  description  = "They write it."
  members      = [identity.app]
}
"#;

/// The display names of all groups, sorted.
fn names(world: &World) -> Vec<String> {
    let directory = world.god().snapshot().directory;
    let groups = directory.values().filter(|object| object.get("securityEnabled").is_some());
    let mut names: Vec<String> = groups.map(|group| group["displayName"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[tokio::test(start_paused = true)]
async fn a_group_comes_up_is_settled_and_goes() {
    let world = World::new();
    let before = names(&world);
    let first = world.apply(STACK).await;
    assert_eq!(first.report.end, End::Done, "{:#?}", first.report.diagnostics);
    assert!(world.apply(STACK).await.plan.is_empty());
    let edited = STACK.replace("They write it.", "They run it.");
    let outcome = world.apply(&edited).await;
    assert_eq!((outcome.plan.count(Action::Update), outcome.report.counts.succeeded), (1, 1));
    assert!(world.apply(&edited).await.plan.is_empty());
    world.destroy(&edited).await;
    assert_eq!(names(&world), before);
}

#[tokio::test(start_paused = true)]
async fn an_edited_display_name_never_makes_another_group() {
    let world = World::new();
    world.apply(STACK).await;
    let group = world.store.document().unwrap();
    let id = group.entries.keys().find(|id| id.as_str().starts_with("group:")).unwrap().as_str().to_owned();
    let renamed = STACK.replace("\"developers\"", "\"engineers\"");
    let refused = world.attempt(&renamed, Mode::Apply, &Cancel::new()).await.err().unwrap();
    let name = id.strip_prefix("group:").unwrap();
    assert!(refused.contains("AKS0421") && refused.contains(name), "{refused}");
    let before = names(&world);
    // With the name that it has it is the same group, renamed in place.
    let kept = renamed.replace("\"engineers\"", &format!("\"engineers\"\n  unique_name  = \"{name}\""));
    let outcome = world.apply(&kept).await;
    assert_eq!((outcome.plan.count(Action::Update), outcome.plan.count(Action::Delete)), (1, 0));
    assert_eq!(names(&world).len(), before.len());
    assert!(names(&world).contains(&"engineers".to_owned()));
    assert!(world.apply(&kept).await.plan.is_empty());
}

#[tokio::test(start_paused = true)]
async fn killed_at_each_request_there_is_one_group() {
    for kill in [Kill::Before, Kill::After, Kill::OnItsWay] {
        let mut number = 0;
        loop {
            let world = World::new();
            let died = world.kill(STACK, Mode::Apply, kill(number)).await;
            world.converge(STACK).await;
            assert_eq!(names(&world), ["developers"], "{:?}", kill(number));
            world.destroy(STACK).await;
            assert!(names(&world).is_empty(), "{:?}", kill(number));
            if !died {
                break;
            }
            number += 1;
        }
        assert!(number > 8, "only {number} requests");
    }
}
