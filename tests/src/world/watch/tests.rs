//! Each rule is broken on purpose, and says so.

use std::time::Duration;

use akson_applier::ledger::{Binding, Entry};
use akson_planner::Action;
use serde_json::json;

use super::{super::World, *};
use crate::world::STACK;

/// A world in which planners make a mistake from now on.
fn broken(world: &mut World, mistake: impl Fn(&mut Plan) + Send + Sync + 'static) {
    world.breaks = Some(Arc::new(mistake));
}

/// Deletes what the plan leaves as it is.
fn delete(plan: &mut Plan, addresses: &[&str]) {
    for change in plan.changes.iter_mut().filter(|change| addresses.contains(&change.address.as_str())) {
        let id = change.id.clone().unwrap();
        change.action = Action::Delete;
        change.work = Work::Delete { id, api_version: change.kind.api_version.clone() };
    }
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "goes before `resource_group.app`, which it needs")]
async fn a_write_before_what_it_needs() {
    let mut world = World::new();
    broken(&mut world, |plan| plan.changes.iter_mut().for_each(|change| change.needs.clear()));
    world.apply(STACK).await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "goes before `vault.app`, which it needs")]
async fn a_deletion_before_what_depends_on_it() {
    let mut world = World::new();
    world.apply(STACK).await;
    broken(&mut world, |plan| plan.changes.iter_mut().for_each(|change| change.needs.clear()));
    world.destroy(STACK).await;
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "the plan does nothing to")]
async fn a_deletion_that_is_not_planned() {
    let mut world = World::new();
    world.apply(STACK).await;
    broken(&mut world, |plan| delete(plan, &["vault.app"]));
    world.apply(STACK).await;
}

const PROTECTED: &str = r#"
stack "test" { location = "westeurope" }
resource_group "app" { name = "app-rg" }
identity "kept" {
  name           = "kept"
  resource_group = resource_group.app
  protect        = true
}
"#;

#[tokio::test(start_paused = true)]
async fn what_is_protected_and_more_than_may_go_stays() {
    let document = |protected| {
        let mut document = Document::new(Binding::default());
        let mut entry = Entry::default();
        entry.owned.protected = protected;
        document.entries.insert(SymbolicId::from_ledger("/a"), entry);
        document
    };
    let ids = |names: &[&str]| -> Vec<SymbolicId> { names.iter().map(|name| SymbolicId::from_ledger(*name)).collect() };
    let order = |declared: Option<bool>, max_deletes| Order {
        steps: BTreeMap::new(),
        before: document(false),
        protects: declared.map(|protect| (SymbolicId::from_ledger("/a"), protect)).into_iter().collect(),
        max_deletes,
    };
    let check = |declared, remembered, most, deleted: &[&str]| {
        let deleted = ids(deleted).into_iter().collect();
        consented(&order(declared, most), &ids(&["/a"]), &deleted, &document(remembered))
    };
    assert_eq!(check(None, false, None, &["/a", "/b", "/c"]), Ok(()));
    assert_eq!(check(Some(false), true, Some(1), &["/a"]), Ok(()));
    assert_eq!(check(None, true, None, &["/a"]), Err("/a is protected".to_owned()));
    assert_eq!(check(Some(true), false, None, &["/a"]), Err("/a is protected".to_owned()));
    assert_eq!(check(None, false, Some(1), &["/a", "/b"]), Err("2 are deleted, and 1 may be".to_owned()));

    // And the planner sees to it.
    let mut world = World::new();
    world.apply(PROTECTED).await;
    let refused = |why: Result<super::super::Outcome, String>| why.map(drop).unwrap_err();
    let cancel = akson_applier::Cancel::new();
    let mode = akson_planner::options::Mode::Destroy;
    assert!(refused(world.attempt(PROTECTED, mode, &cancel).await).contains("is protected and would be deleted"));
    world.max_deletes = Some(1);
    let free = PROTECTED.replace("true", "false");
    assert!(refused(world.attempt(&free, mode, &cancel).await).contains("the plan deletes 2 resources"));
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "is protected")]
async fn a_deletion_of_what_is_protected() {
    let mut world = World::new();
    world.apply(PROTECTED).await;
    // One who forgot the word plans a destroy; the watch is told what is declared.
    let free = PROTECTED.replace("true", "false");
    let wire = Arc::new(super::super::Wire::new(&world, None));
    let watched = Arc::clone(&wire.watched);
    let declared = world.config(PROTECTED);
    world.breaks = Some(Arc::new(move |_: &mut Plan| {
        if let Some(order) = &mut watched.state().order {
            order.protects =
                declared.resources.iter().map(|resource| (resource.symbolic_id.clone(), resource.protect)).collect();
        }
    }));
    let mode = akson_planner::options::Mode::Destroy;
    let _ = world.attempt_over(wire, &free, mode, &akson_applier::Cancel::new()).await;
}

#[tokio::test(start_paused = true)]
async fn two_runs_at_one_object() {
    let watch = Arc::new(Watch::default());
    let (first, second) = (watch.run(None), watch.run(Some(2)));
    let id = SymbolicId::from_ledger("/a");
    let step = Step {
        address: "a".to_owned(),
        does: Does::Write,
        needs: Vec::new(),
        early: BTreeSet::new(),
        names: Vec::new(),
    };
    for run in [&first, &second] {
        run.state().order = Some(Order {
            steps: BTreeMap::from([(id.clone(), step.clone())]),
            before: Document::new(Binding::default()),
            protects: BTreeMap::new(),
            max_deletes: None,
        });
    }
    let document = Document::new(Binding::default());
    let put = |run: &Watched| run.arrives(&Method::PUT, "host/a", std::slice::from_ref(&id), &document);
    let refused = |run: &Watched| {
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(put(run)))).unwrap_err();
        panic.downcast_ref::<String>().cloned().unwrap_or_default()
    };
    assert!(refused(&first).contains("was not looked at"));
    first.assure().unwrap();
    second.assure().unwrap();
    assert!(refused(&first).contains("has not got the lock"));
    watch.state().inside = Some(first.run);
    let flight = put(&first);
    let again = put(&first);
    watch.state().inside = Some(second.run);
    assert!(refused(&second).contains("another run's request is on its way there"));
    drop(flight);
    assert!(refused(&second).contains("another run's request is on its way there"));
    drop(again);
    drop(put(&second));
    tokio::time::advance(Duration::from_millis(1)).await;
    assert!(refused(&second).contains("was not looked at"));
    second.assure().unwrap();
    drop(put(&second));
    assert_eq!(second.assure(), Err(StoreError::Lost));
}

#[test]
fn a_generation_that_does_not_follow() {
    let at = |generation| Document { generation, ..Document::new(Binding::default()) }.write();
    let check = |before: Option<&[u8]>, after: Option<&[u8]>, succeeded, says: &str| {
        let judged = follows(before, after, succeeded).map(|document| document.map(|document| document.generation));
        let text = judged.map_or_else(|why| why, |generation| format!("{generation:?}"));
        assert!(text.contains(says), "{text}");
    };
    check(None, Some(&at(1)), true, "Some(1)");
    check(Some(&at(1)), Some(&at(2)), true, "Some(2)");
    check(Some(&at(1)), Some(&at(2)), false, "Some(2)");
    check(Some(&at(1)), Some(&at(1)), false, "Some(1)");
    check(None, None, false, "None");
    check(Some(b"damaged"), Some(&at(7)), true, "Some(7)");
    check(Some(b"damaged"), Some(b"damaged"), false, "None");
    check(Some(&at(1)), Some(&at(1)), true, "writes nothing");
    check(Some(&at(1)), Some(&[&at(1)[..], b"\n"].concat()), true, "generation 1 after 1");
    check(Some(&at(1)), Some(&[&at(1)[..], b"\n"].concat()), false, "Some(1)");
    check(Some(&at(1)), Some(&at(3)), true, "generation 3 after 1");
    check(Some(&at(2)), Some(&at(1)), true, "generation 1 after 2");
    check(None, Some(&at(2)), true, "generation 2 after 0");
    check(Some(&at(1)), None, false, "no ledger is left");
    check(None, None, true, "no ledger is left");
    check(Some(&at(1)), Some(b"{"), true, "damaged");
    assert!(at_a_step(Some(&at(1)), Some(&at(1))).is_ok() && at_a_step(Some(&at(1)), Some(&at(2))).is_ok());
    assert!(at_a_step(Some(&at(1)), Some(&at(2)[..9])).is_err() && at_a_step(Some(&at(1)), None).is_err());
}

#[tokio::test(start_paused = true)]
async fn an_object_twice_one_made_by_a_post_and_one_that_nobody_knows() {
    let world = World::new();
    world.apply(STACK).await;
    let before = world.god().snapshot();
    assert_eq!(duplicates(&before), Ok(()));
    assert_eq!(unrecorded(&before, "/app-rg", world.store.document().as_ref()), Ok(()));
    assert!(unrecorded(&before, "/app-rg", None).unwrap_err().contains("the ledger does not know it"));

    let (id, vault) = before.objects.iter().find(|(id, _)| id.ends_with("/kv-applier-test")).unwrap();
    let mut copy = vault.clone();
    copy["name"] = json!("kv-applier-again");
    world.god().put_object(&id.replace("-test", "-again"), copy).unwrap();
    let after = world.god().snapshot();
    assert!(duplicates(&after).unwrap_err().contains("bear the same mark"));
    assert!(made_by_post(&before, &after).unwrap_err().contains("kv-applier-again"));
    assert_eq!(made_by_post(&after, &before), Ok(()));
    let known = unrecorded(&after, "/app-rg", world.store.document().as_ref());
    assert!(known.unwrap_err().contains("kv-applier-again lives"));

    let mut people = before.clone();
    people.directory.insert("1".to_owned(), json!({"uniqueName": "akson-1"}));
    assert_eq!(duplicates(&people), Ok(()));
    people.directory.insert("2".to_owned(), json!({"uniqueName": "akson-1"}));
    assert!(duplicates(&people).unwrap_err().contains("unique name akson-1"));
}
