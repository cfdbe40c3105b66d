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

/// The object ids of the groups, by display name.
fn ids(world: &World) -> Vec<(String, String)> {
    let directory = world.god().snapshot().directory;
    let groups = directory.iter().filter(|(_, object)| object.get("securityEnabled").is_some());
    let mut ids: Vec<(String, String)> =
        groups.map(|(id, group)| (group["displayName"].as_str().unwrap().to_owned(), id.clone())).collect();
    ids.sort();
    ids
}

fn renamed() -> String {
    STACK.replace("\"developers\"", "\"engineers\"")
}

#[tokio::test(start_paused = true)]
async fn an_edited_display_name_renames_the_group_that_the_ledger_has_there() {
    let world = World::new();
    world.apply(STACK).await;
    let [(_, id)] = &ids(&world)[..] else { panic!() };
    let outcome = world.apply(&renamed()).await;
    assert_eq!(outcome.report.end, End::Done, "{:#?}", outcome.report.diagnostics);
    let counts = [Action::Create, Action::Update, Action::Delete].map(|action| outcome.plan.count(action));
    assert_eq!((counts, outcome.report.counts.succeeded), ([0, 1, 0], 1));
    assert_eq!(ids(&world), [("engineers".to_owned(), id.clone())]);
    assert!(world.apply(&renamed()).await.plan.is_empty());
    // Then the block is called otherwise, which means nothing; and then its group is, from there.
    let moved = renamed().replace("group \"dev\"", "group \"eng\"");
    let outcome = world.apply(&moved).await;
    assert!(outcome.plan.is_empty(), "{:#?}", outcome.plan.changes);
    let back = moved.replace("\"engineers\"", "\"developers\"");
    let outcome = world.apply(&back).await;
    assert_eq!(outcome.report.end, End::Done, "{:#?}", outcome.report.diagnostics);
    assert_eq!(ids(&world), [("developers".to_owned(), id.clone())]);
    world.destroy(&back).await;
    assert!(names(&world).is_empty());
}

#[tokio::test(start_paused = true)]
async fn killed_at_each_request_of_a_rename_there_is_one_group() {
    for kill in [Kill::Before, Kill::After, Kill::OnItsWay] {
        let mut number = 0;
        loop {
            let world = World::new();
            world.apply(STACK).await;
            let [(_, id)] = &ids(&world)[..] else { panic!() };
            let died = world.kill(&renamed(), Mode::Apply, kill(number)).await;
            world.converge(&renamed()).await;
            assert_eq!(ids(&world), [("engineers".to_owned(), id.clone())], "{:?}", kill(number));
            if !died {
                break;
            }
            number += 1;
        }
        assert!(number > 4, "only {number} requests");
    }
}

const TWO: &str = r#"
stack "test" {
  location = "westeurope"
}

group "one" {
  display_name = "first"
}

group "two" {
  display_name = "second"
}
"#;

#[tokio::test(start_paused = true)]
async fn what_cannot_be_decided_is_not() {
    let world = World::new();
    world.apply(TWO).await;
    let before = ids(&world);
    let swapped = TWO.replace("first", "third").replace("second", "first").replace("third", "second");
    let refused = world.attempt(&swapped, Mode::Apply, &Cancel::new()).await.err().unwrap();
    assert_eq!(refused.matches("AKS0421").count(), 2, "{refused}");
    // One of the two goes, and the other is called as that was: either may be meant.
    let one = TWO.split("group \"two\"").next().unwrap().replace("first", "second");
    let refused = world.attempt(&one, Mode::Apply, &Cancel::new()).await.err().unwrap();
    assert!(refused.contains("AKS0421") && refused.contains("cannot be told"), "{refused}");
    assert_eq!(ids(&world), before);
    // A name of its own decides it.
    let document = world.store.document().unwrap();
    let at = |address: &str| {
        let (id, _) = document.entries.iter().find(|(_, entry)| entry.owned.address == address).unwrap();
        id.as_str().strip_prefix("group:").unwrap().to_owned()
    };
    let named = one.replace("\"second\"", &format!("\"second\"\n  unique_name  = \"{}\"", at("group.one")));
    let outcome = world.apply(&named).await;
    assert_eq!((outcome.plan.count(Action::Update), outcome.plan.count(Action::Delete)), (1, 1));
    assert_eq!(ids(&world), [("second".to_owned(), before[0].1.clone())]);
}

#[tokio::test(start_paused = true)]
async fn a_block_that_moved_takes_its_group_along() {
    let world = World::new();
    world.apply(TWO).await;
    let before = ids(&world);
    // `one` is called otherwise, and a new block has its old label.
    let moved = TWO.replace("group \"one\"", "group \"uno\"") + "\ngroup \"one\" {\n  display_name = \"another\"\n}\n";
    let outcome = world.apply(&moved).await;
    let counts = [Action::Create, Action::Update, Action::Delete].map(|action| outcome.plan.count(action));
    assert_eq!(counts, [1, 0, 0], "{:#?}", outcome.plan.changes);
    let after = ids(&world);
    assert!(before.iter().all(|group| after.contains(group)) && after.len() == 3, "{after:?}");
    // Each is then renamed as itself.
    let again = moved.replace("another", "other").replace("first", "primero");
    let outcome = world.apply(&again).await;
    let counts = [Action::Create, Action::Update, Action::Delete].map(|action| outcome.plan.count(action));
    assert_eq!(counts, [0, 2, 0], "{:#?}", outcome.plan.changes);
    let of = |name: &str, of: &[(String, String)]| of.iter().find(|(known, _)| known == name).unwrap().1.clone();
    let last = ids(&world);
    assert_eq!((of("primero", &last), of("other", &last)), (of("first", &after), of("another", &after)));
}

#[tokio::test(start_paused = true)]
async fn without_its_ledger_no_group_is_deleted() {
    let mut world = World::new();
    world.apply(STACK).await;
    let before = ids(&world);
    world.store = akson_applier::ledger::MemoryStore::new();
    let outcome = world.apply(&renamed()).await;
    assert_eq!(outcome.plan.count(Action::Delete), 0);
    assert!(before.iter().all(|group| ids(&world).contains(group)));
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
