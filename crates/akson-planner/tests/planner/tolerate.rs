//! Differences that a block tolerates for a while: left as they are, remembered as what they are, and never a cover for what the author changed.

use akson_config::{Day, Tolerance};
use akson_planner::{Action, Cause, Plan, PlanOptions, Work};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::{
    azure::{Planned, World},
    declare::{Blocks, text},
};

const GROUP: &str = "resource_group.g";

fn day(text: &str) -> Day {
    Day::parse(text).expect("a day")
}

fn on(today: &str) -> PlanOptions {
    PlanOptions { cloud: "emulator".to_owned(), today: Some(day(today)), ..PlanOptions::default() }
}

/// A group with tags, of which some are tolerated until the end of 2026.
fn group(tags: &[(&str, &str)], tolerated: &[&str]) -> Blocks {
    let mut blocks = Blocks::new();
    let mut block = blocks.group("g");
    for (key, value) in tags {
        block = block.tag(key, value);
    }
    block.add();
    tolerate(&mut blocks, GROUP, tolerated);
    blocks
}

fn tolerate(blocks: &mut Blocks, address: &str, tolerated: &[&str]) {
    let resource = blocks.config.resources.iter_mut().find(|resource| resource.address.to_string() == address);
    let resource = resource.expect("it is declared");
    let span = resource.header;
    resource.tolerated = tolerated
        .iter()
        .map(|path| Tolerance {
            attribute: (*path).to_owned(),
            path: Tolerance::steps(path).expect("a path"),
            because: "OPS-77".to_owned(),
            until: day("2026-12-31"),
            span,
        })
        .collect();
}

fn edit(world: &mut World, blocks: &Blocks, pointer: &str, value: Json) {
    world.azure.edit(&blocks.id(GROUP), pointer, value);
}

fn causes(plan: &Plan) -> Vec<(String, Cause)> {
    let reasons = plan.changes.iter().flat_map(|change| &change.reasons);
    reasons.map(|reason| (reason.attribute.clone().unwrap_or_default(), reason.cause)).collect()
}

fn codes(planned: &Planned) -> Vec<u16> {
    planned.codes().into_iter().filter(|code| [434, 435].contains(code)).collect()
}

#[test]
fn it_is_left_until_its_last_day_and_drift_again_after_it() {
    let blocks = group(&[("cost", "a1"), ("app", "shop")], &["tags.cost"]);
    let mut world = World::new();
    world.apply(&blocks.config);
    edit(&mut world, &blocks, "/tags/cost", json!("a2"));
    for today in ["2026-01-01", "2026-12-31"] {
        let planned = world.plan_with(&blocks.config, &on(today));
        assert_eq!(codes(&planned), [434], "{today}");
        let plan = planned.sound();
        assert!(plan.is_empty(), "{today}: {:#?}", plan.changes);
        let tolerated = &plan.changes[0].tolerated;
        assert_eq!(
            (tolerated.len(), tolerated[0].because.as_str(), tolerated[0].reason.cause),
            (1, "OPS-77", Cause::Drift)
        );
        assert!(matches!(plan.changes[0].work, Work::Nothing), "nothing about it is written down either");
    }
    let planned = world.plan_with(&blocks.config, &on("2027-01-01"));
    assert_eq!(codes(&planned), [435]);
    assert_eq!(causes(&planned.sound()), [("tags.cost".to_owned(), Cause::Drift)]);
    // Without a day nothing is tolerated.
    assert_eq!(causes(&world.plan(&blocks.config).sound()), [("tags.cost".to_owned(), Cause::Drift)]);
}

#[test]
fn an_ended_one_is_told_also_where_nothing_differs() {
    let blocks = group(&[("cost", "a1")], &["tags"]);
    let mut world = World::new();
    world.apply(&blocks.config);
    assert_eq!(codes(&world.plan_with(&blocks.config, &on("2027-03-01"))), [435]);
    assert!(codes(&world.plan_with(&blocks.config, &on("2026-03-01"))).is_empty());
}

#[test]
fn a_write_for_another_reason_leaves_it_and_the_ledger_knows_that_it_is_drift() {
    let mut world = World::new();
    let blocks = group(&[("cost", "a1"), ("app", "shop")], &["tags.cost"]);
    world.apply(&blocks.config);
    edit(&mut world, &blocks, "/tags/cost", json!("a2"));
    let next = group(&[("cost", "a1"), ("app", "store")], &["tags.cost"]);
    let plan = world.plan_with(&next.config, &on("2026-06-01")).sound();
    assert_eq!(causes(&plan), [("tags.app".to_owned(), Cause::Config)]);
    world.carry_out(&plan);
    let live = &world.azure.objects[&next.id(GROUP)]["tags"];
    assert_eq!((live["cost"].as_str(), live["app"].as_str()), (Some("a2"), Some("store")));
    assert!(world.plan_with(&next.config, &on("2026-06-01")).sound().is_empty());
    // After the last day it is what it was: drift, and no change of the author's.
    let plan = world.plan_with(&next.config, &on("2027-01-01")).sound();
    assert_eq!(causes(&plan), [("tags.cost".to_owned(), Cause::Drift)]);
    world.carry_out(&plan);
    assert_eq!(world.azure.objects[&next.id(GROUP)]["tags"]["cost"], "a1");
}

#[test]
fn one_that_vanished_stays_away_when_something_else_is_written() {
    let mut world = World::new();
    let blocks = group(&[("cost", "a1"), ("app", "shop")], &["tags.cost"]);
    world.apply(&blocks.config);
    edit(&mut world, &blocks, "/tags/cost", Json::Null);
    let next = group(&[("cost", "a1"), ("app", "store")], &["tags.cost"]);
    let plan = world.plan_with(&next.config, &on("2026-06-01")).sound();
    world.carry_out(&plan);
    assert!(world.azure.objects[&next.id(GROUP)]["tags"].get("cost").is_none());
    assert!(world.plan_with(&next.config, &on("2026-06-01")).sound().is_empty());
}

#[test]
fn what_the_author_changes_is_written_as_always() {
    let mut world = World::new();
    let blocks = group(&[("cost", "a1")], &["tags"]);
    world.apply(&blocks.config);
    edit(&mut world, &blocks, "/tags/cost", json!("a2"));
    let next = group(&[("cost", "b1")], &["tags"]);
    let plan = world.plan_with(&next.config, &on("2026-06-01")).sound();
    assert_eq!(causes(&plan), [("tags.cost".to_owned(), Cause::Both)]);
    world.carry_out(&plan);
    assert_eq!(world.azure.objects[&next.id(GROUP)]["tags"]["cost"], "b1");
}

#[test]
fn a_deleted_object_comes_back_whatever_is_tolerated() {
    let mut world = World::new();
    let blocks = group(&[("cost", "a1")], &["tags"]);
    world.apply(&blocks.config);
    world.azure.delete(&blocks.id(GROUP));
    let plan = world.plan_with(&blocks.config, &on("2026-06-01")).sound();
    assert_eq!(plan.changes[0].action, Action::Create);
    assert!(plan.changes[0].tolerated.is_empty());
}

#[test]
fn an_interrupted_write_does_not_make_it_the_authors_change() {
    let mut world = World::new();
    let blocks = group(&[("cost", "a1"), ("app", "shop")], &["tags.cost"]);
    world.apply(&blocks.config);
    edit(&mut world, &blocks, "/tags/cost", json!("a2"));
    let id = blocks.id(GROUP);
    world.owned.entries.get_mut(&id).expect("it is ours").state = akson_planner::OwnedState::IntentWrite;
    let plan = world.plan_with(&blocks.config, &on("2026-06-01")).sound();
    assert_eq!(plan.changes[0].tolerated.len(), 1);
    world.carry_out(&plan);
    assert_eq!(world.azure.objects[&id]["tags"]["cost"], "a2");
    assert_eq!(
        causes(&world.plan_with(&blocks.config, &on("2027-01-01")).sound()),
        [("tags.cost".to_owned(), Cause::Drift)]
    );
}

#[test]
fn the_digest_knows_what_is_done_and_not_why_the_rest_is_not() {
    let mut world = World::new();
    let plain = group(&[("cost", "a1"), ("app", "shop")], &[]);
    world.apply(&plain.config);
    let next = group(&[("cost", "a1"), ("app", "store")], &[]);
    let tolerant = group(&[("cost", "a1"), ("app", "store")], &["tags.cost"]);
    let before = world.plan_with(&next.config, &on("2026-06-01")).sound().digest;
    assert_eq!(before, world.plan_with(&tolerant.config, &on("2026-06-01")).sound().digest);
    edit(&mut world, &next, "/tags/cost", json!("a2"));
    assert_eq!(before, world.plan_with(&tolerant.config, &on("2026-06-01")).sound().digest);
    assert_ne!(before, world.plan_with(&tolerant.config, &on("2027-01-01")).sound().digest);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(400), failure_persistence: None, ..ProptestConfig::default() })]

    /// With and without tolerance, what the author changed is planned alike; what is tolerated is drift alone, and covered.
    #[test]
    fn tolerating_never_hides_what_the_author_changed(
        first in prop::collection::vec(0..4_u8, 4),
        second in prop::collection::vec(0..4_u8, 4),
        live in prop::collection::vec(0..5_u8, 4),
        covered in prop::collection::vec(any::<bool>(), 4),
        all in any::<bool>(),
    ) {
        const KEYS: [&str; 4] = ["a", "b", "c", "d"];
        let values: Vec<String> = (0..5).map(|value| format!("v{value}")).collect();
        let tags = |picks: &[u8]| -> Vec<(&str, String)> {
            // Zero is left out.
            let picked = KEYS.iter().zip(picks).filter(|(_, value)| **value > 0);
            picked.map(|(key, value)| (*key, values[usize::from(*value)].clone())).collect()
        };
        let paths: Vec<String> = if all {
            vec!["tags".to_owned()]
        } else {
            KEYS.iter().zip(&covered).filter(|(_, covered)| **covered).map(|(key, _)| format!("tags.{key}")).collect()
        };
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let declare = |tags: &[(&str, String)], tolerated: &[&str]| {
            let tags: Vec<(&str, &str)> = tags.iter().map(|(key, value)| (*key, value.as_str())).collect();
            group(&tags, tolerated)
        };
        let mut world = World::new();
        let before = declare(&tags(&first), &[]);
        world.apply(&before.config);
        for (key, value) in KEYS.iter().zip(&live) {
            match value {
                0 => edit(&mut world, &before, &format!("/tags/{key}"), Json::Null),
                4 => {}
                value => edit(&mut world, &before, &format!("/tags/{key}"), json!(values[usize::from(*value)])),
            }
        }
        let plain = world.plan_with(&declare(&tags(&second), &[]).config, &on("2026-06-01")).sound();
        let tolerant = declare(&tags(&second), &paths);
        let planned = world.plan_with(&tolerant.config, &on("2026-06-01")).sound();
        let is_covered = |attribute: &str| {
            let tolerated = &tolerant.resource(GROUP).tolerated;
            tolerated.iter().any(|tolerance| tolerance.covers(attribute))
        };
        let mut expected = causes(&plain);
        expected.retain(|(attribute, cause)| *cause != Cause::Drift || !is_covered(attribute));
        prop_assert_eq!(&causes(&planned), &expected);
        let spared = causes(&plain).len() - expected.len();
        prop_assert_eq!(planned.changes.iter().map(|change| change.tolerated.len()).sum::<usize>(), spared);
        // Carried out, what is tolerated is as it was, and all else as it is wanted.
        let live = world.azure.objects[&tolerant.id(GROUP)].clone();
        let spared: Vec<String> = planned.changes.iter().flat_map(|change| &change.tolerated).map(|one| one.pointer.clone()).collect();
        world.carry_out(&planned);
        let after = &world.azure.objects[&tolerant.id(GROUP)];
        for pointer in &spared {
            prop_assert_eq!(live.pointer(pointer), after.pointer(pointer));
        }
        for (key, value) in tags(&second) {
            let pointer = format!("/tags/{key}");
            if !spared.contains(&pointer) {
                prop_assert_eq!(after.pointer(&pointer), Some(&json!(value)));
            }
        }
        prop_assert!(world.plan_with(&tolerant.config, &on("2026-06-01")).sound().is_empty());
        let end = world.plan_with(&tolerant.config, &on("2027-01-01")).sound();
        prop_assert!(causes(&end).iter().all(|(_, cause)| *cause == Cause::Drift), "{:?}", causes(&end));
        prop_assert_eq!(causes(&end).len(), spared.len());
    }
}

#[test]
fn a_constructor_is_tolerated_as_a_whole() {
    let mut blocks = Blocks::new();
    blocks.group("g").add();
    blocks.vault("v", "g").set("network", text("public")).add();
    tolerate(&mut blocks, "vault.v", &["network"]);
    let mut world = World::new();
    world.apply(&blocks.config);
    world.azure.edit(&blocks.id("vault.v"), "/properties/publicNetworkAccess", json!("Disabled"));
    world.azure.edit(&blocks.id("vault.v"), "/properties/networkAcls/defaultAction", json!("Deny"));
    assert!(world.plan_with(&blocks.config, &on("2026-06-01")).sound().is_empty());
    assert_eq!(world.plan_with(&blocks.config, &on("2027-06-01")).sound().changes[1].action, Action::Update);
}
