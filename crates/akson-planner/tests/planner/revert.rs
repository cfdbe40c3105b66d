//! Undoing what changed outside and nothing else: what the author changed since waits, and the ledger still knows that it does.

use akson_planner::{Action, Cause, OwnedState, Plan, PlanOptions};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::{
    azure::World,
    declare::{Blocks, text},
};

fn reverting(addresses: &[&str]) -> PlanOptions {
    let revert = Some(addresses.iter().map(|address| (*address).to_owned()).collect());
    PlanOptions { cloud: "emulator".to_owned(), revert, ..PlanOptions::default() }
}

fn group(tags: &[(&str, &str)]) -> Blocks {
    let mut blocks = Blocks::new();
    let mut block = blocks.group("g");
    for (key, value) in tags {
        block = block.tag(key, value);
    }
    block.add();
    blocks
}

fn done(plan: &Plan) -> Vec<(String, Action)> {
    let changes = plan.changes.iter().filter(|change| change.action != Action::NoOp);
    changes.map(|change| (change.address.clone(), change.action)).collect()
}

fn causes(plan: &Plan) -> Vec<(String, Cause)> {
    let reasons = plan.changes.iter().flat_map(|change| &change.reasons);
    reasons.map(|reason| (reason.attribute.clone().unwrap_or_default(), reason.cause)).collect()
}

#[test]
fn what_the_author_changed_waits() {
    let before = group(&[("cost", "a1"), ("app", "shop"), ("gone", "x")]);
    let id = before.id("resource_group.g");
    let mut world = World::new();
    world.apply(&before.config);
    world.azure.edit(&id, "/tags/cost", json!("a2"));
    // One changed, one added, one left out, and a resource of its own.
    let mut after = group(&[("cost", "a1"), ("app", "store"), ("new", "y")]);
    after.identity("i", "g").add();
    let plan = world.plan_with(&after.config, &reverting(&[])).sound();
    assert_eq!(causes(&plan), [("tags.cost".to_owned(), Cause::Drift)]);
    world.carry_out(&plan);
    let tags = &world.azure.objects[&id]["tags"];
    assert_eq!((&tags["cost"], &tags["app"], &tags["gone"]), (&json!("a1"), &json!("shop"), &json!("x")));
    assert!(tags.get("new").is_none());
    assert!(done(&world.plan_with(&after.config, &reverting(&[])).sound()).is_empty());
    // All of it is the author's change, as it was.
    let plan = world.plan(&after.config).sound();
    assert!(causes(&plan).iter().all(|(_, cause)| *cause == Cause::Config), "{:?}", causes(&plan));
    world.carry_out(&plan);
    let tags = &world.azure.objects[&id]["tags"];
    assert_eq!((&tags["app"], &tags["new"]), (&json!("store"), &json!("y")));
    assert!(tags.get("gone").is_none());
}

#[test]
fn what_both_changed_waits() {
    let before = group(&[("cost", "a1")]);
    let mut world = World::new();
    world.apply(&before.config);
    world.azure.edit(&before.id("resource_group.g"), "/tags/cost", json!("a2"));
    let after = group(&[("cost", "b1")]);
    assert!(done(&world.plan_with(&after.config, &reverting(&[])).sound()).is_empty());
    assert_eq!(causes(&world.plan(&after.config).sound()), [("tags.cost".to_owned(), Cause::Both)]);
}

#[test]
fn what_was_deleted_comes_back_and_what_was_asked_for_alone() {
    let mut blocks = Blocks::new();
    blocks.group("g").tag("a", "1").add();
    blocks.identity("one", "g").add();
    blocks.identity("two", "g").tag("a", "1").add();
    let mut world = World::new();
    world.apply(&blocks.config);
    world.azure.delete(&blocks.id("identity.one"));
    world.azure.edit(&blocks.id("identity.two"), "/tags/a", json!("2"));
    world.azure.edit(&blocks.id("resource_group.g"), "/tags/a", json!("2"));
    let all = world.plan_with(&blocks.config, &reverting(&[])).sound();
    assert_eq!(done(&all).len(), 3);
    let one = world.plan_with(&blocks.config, &reverting(&["identity.one"])).sound();
    assert_eq!(done(&one), [("identity.one".to_owned(), Action::Create)]);
    assert_ne!(all.digest, one.digest);
    world.carry_out(&one);
    let rest = world.plan_with(&blocks.config, &reverting(&[])).sound();
    assert_eq!(done(&rest).len(), 2);
}

#[test]
fn what_needs_something_new_cannot_come_back_alone() {
    let mut blocks = Blocks::new();
    blocks.group("g").add();
    blocks.identity("i", "g").add();
    let mut world = World::new();
    world.apply(&blocks.config);
    world.azure.delete(&blocks.id("identity.i"));
    world.azure.delete(&blocks.id("resource_group.g"));
    let planned = world.plan_with(&blocks.config, &reverting(&["identity.i"]));
    assert_eq!(planned.codes(), [436]);
    assert!(done(&planned.sound()).is_empty());
    let both = world.plan_with(&blocks.config, &reverting(&["identity.i", "resource_group.g"])).sound();
    assert_eq!(done(&both).len(), 2);
}

#[test]
fn nothing_is_deleted_adopted_or_settled() {
    let mut blocks = Blocks::new();
    blocks.group("g").add();
    blocks.identity("kept", "g").add();
    blocks.identity("left", "g").add();
    let mut world = World::new();
    world.apply(&blocks.config);
    blocks.remove("identity.left");
    blocks.identity("theirs", "g").add();
    let mut body = world.azure.objects[&blocks.id("identity.kept")].clone();
    body["tags"] = json!({});
    world.azure.insert(blocks.id("identity.theirs").as_str(), body);
    world.owned.entries.get_mut(&blocks.id("identity.kept")).expect("it is ours").state = OwnedState::IntentWrite;
    let plan = world.plan_with(&blocks.config, &reverting(&[])).sound();
    assert!(done(&plan).is_empty(), "{:?}", done(&plan));
    assert!(plan.changes.iter().all(|change| !change.work.is_step()));
}

#[test]
fn an_address_that_names_nothing_is_told() {
    let blocks = group(&[]);
    let mut world = World::new();
    world.apply(&blocks.config);
    assert_eq!(world.plan_with(&blocks.config, &reverting(&["resource_group.x"])).codes(), [412]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(300), failure_persistence: None, ..ProptestConfig::default() })]

    /// Reverting and applying then comes to the same as applying at once; and what reverting leaves is the author's alone.
    #[test]
    fn reverting_leaves_the_authors_changes(
        first in prop::collection::vec(0..4_u8, 4),
        second in prop::collection::vec(0..4_u8, 4),
        live in prop::collection::vec(0..5_u8, 4),
    ) {
        const KEYS: [&str; 4] = ["a", "b", "c", "d"];
        const VALUES: [&str; 5] = ["", "v1", "v2", "v3", "v4"];
        let declare = |picks: &[u8]| {
            let picked = KEYS.iter().zip(picks).filter(|(_, value)| **value > 0);
            let tags: Vec<(&str, &str)> = picked.map(|(key, value)| (*key, VALUES[usize::from(*value)])).collect();
            group(&tags)
        };
        let (before, after) = (declare(&first), declare(&second));
        let id = before.id("resource_group.g");
        let mut world = World::new();
        world.apply(&before.config);
        for (key, value) in KEYS.iter().zip(&live) {
            match value {
                0 => world.azure.edit(&id, &format!("/tags/{key}"), Json::Null),
                4 => {}
                value => world.azure.edit(&id, &format!("/tags/{key}"), json!(VALUES[usize::from(*value)])),
            }
        }
        let mut straight = world.clone();
        straight.apply(&after.config);
        let drift: Vec<_> = causes(&world.plan(&after.config).sound()).into_iter().filter(|(_, cause)| *cause == Cause::Drift).collect();
        let others: Vec<_> = causes(&world.plan(&after.config).sound()).into_iter().filter(|(_, cause)| *cause != Cause::Drift).collect();
        let plan = world.plan_with(&after.config, &reverting(&[])).sound();
        prop_assert_eq!(causes(&plan), drift);
        world.carry_out(&plan);
        prop_assert!(done(&world.plan_with(&after.config, &reverting(&[])).sound()).is_empty());
        let rest = world.plan(&after.config).sound();
        prop_assert_eq!(causes(&rest), others);
        world.carry_out(&rest);
        prop_assert_eq!(&world.azure.objects[&id], &straight.azure.objects[&id]);
        prop_assert!(world.plan(&after.config).sound().is_empty());
    }
}

#[test]
fn a_value_is_undone_whatever_its_kind() {
    let mut blocks = Blocks::new();
    blocks.group("g").add();
    blocks.vault("v", "g").set("network", text("public")).add();
    let mut world = World::new();
    world.apply(&blocks.config);
    world.azure.edit(&blocks.id("vault.v"), "/properties/networkAcls/defaultAction", json!("Deny"));
    let plan = world.plan_with(&blocks.config, &reverting(&[])).sound();
    assert_eq!(done(&plan), [("vault.v".to_owned(), Action::Update)]);
    world.carry_out(&plan);
    assert_eq!(world.azure.objects[&blocks.id("vault.v")]["properties"]["networkAcls"]["defaultAction"], "Allow");
}
