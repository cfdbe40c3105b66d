//! Whole lives of small stacks: plan, apply, plan again; a change here, a change there.

use akson_catalog::Value;
use akson_planner::{Action, Cause, OwnedState, Plan, PlanOptions, Shown, Work};
use serde_json::json;

use crate::{
    azure::World,
    declare::{Blocks, text},
};

fn actions(plan: &Plan) -> Vec<String> {
    let acting = plan.changes.iter().filter(|change| change.action != Action::NoOp);
    acting.map(|change| format!("{} {}", change.action.as_str(), change.address)).collect()
}

#[track_caller]
fn check(plan: &Plan, expected: &[&str]) {
    assert_eq!(actions(plan), expected);
}

/// One group, two identities with a credential each, a vault, a lock.
pub fn stack() -> Blocks {
    let mut blocks = Blocks::new();
    blocks.group("app").tag("app", "myapp").add();
    for name in ["web", "mail"] {
        blocks.identity(name, "app").add();
        blocks.credential(&format!("{name}-main"), name, &format!("repo:example/{name}")).add();
    }
    blocks.vault("myapp-kv", "app").set("purge_protection", text("enabled")).add();
    blocks.lock("keep", "resource_group.app").add();
    blocks
}

#[test]
fn everything_is_created_and_then_nothing_is_left_to_do() {
    let blocks = stack();
    let mut world = World::new();
    let plan = world.apply(&blocks.config);
    check(
        &plan,
        &[
            "create resource_group.app",
            "create identity.web",
            "create federated_credential.web-main",
            "create identity.mail",
            "create federated_credential.mail-main",
            "create vault.myapp-kv",
            "create lock.keep",
        ],
    );
    let again = world.plan(&blocks.config);
    assert_eq!(again.requests(), 4 + 2, "4 lists, and one for each identity");
    let again = again.sound();
    assert!(again.is_empty());
    assert!(again.changes.iter().all(|change| matches!(change.work, Work::Nothing)), "{:#?}", again.changes);
}

#[test]
fn the_first_plan_reads_no_more_than_lists() {
    let planned = World::new().plan(&stack().config);
    let paths: Vec<&str> = planned.reads.iter().flatten().map(|read| read.path.split('?').next().unwrap()).collect();
    assert_eq!(planned.reads.len(), 1, "nothing is there, so nothing is listed in it: {paths:#?}");
    assert_eq!(paths.len(), 5, "four kinds and the deleted vaults: {paths:#?}");
}

#[test]
fn an_edit_is_an_update() {
    let mut world = World::new();
    world.apply(&stack().config);
    let mut blocks = stack();
    blocks.remove("resource_group.app");
    blocks.group("app").tag("app", "other").add();
    let plan = world.apply(&blocks.config);
    check(&plan, &["update resource_group.app"]);
    let change = plan.changes.iter().find(|change| change.action == Action::Update).unwrap();
    let [reason] = change.reasons.as_slice() else { panic!("{:#?}", change.reasons) };
    assert_eq!(reason.cause, Cause::Config);
    assert_eq!(reason.attribute.as_deref(), Some("tags.app"));
    assert_eq!(reason.before, Shown::Value(json!("myapp")));
    assert_eq!(reason.after, Shown::Value(json!("other")));
    assert!(world.plan(&blocks.config).sound().is_empty());
}

#[test]
fn a_change_behind_its_back_is_drift_and_both_is_both() {
    let mut blocks = stack();
    let mut world = World::new();
    world.apply(&blocks.config);
    let group = blocks.id("resource_group.app");
    world.azure.edit(&group, "/tags/app", json!("elsewhere"));
    let plan = world.plan(&blocks.config).sound();
    check(&plan, &["update resource_group.app"]);
    assert_eq!(plan.change(&group).unwrap().reasons[0].cause, Cause::Drift);

    blocks.remove("resource_group.app");
    blocks.group("app").tag("app", "third").add();
    let plan = world.plan(&blocks.config).sound();
    assert_eq!(plan.change(&group).unwrap().reasons[0].cause, Cause::Both);
    world.carry_out(&plan);
    assert!(world.plan(&blocks.config).sound().is_empty());
}

#[test]
fn what_others_add_is_theirs() {
    let blocks = stack();
    let mut world = World::new();
    world.apply(&blocks.config);
    let group = blocks.id("resource_group.app");
    world.azure.edit(&group, "/tags/cost", json!("42"));
    assert!(world.plan(&blocks.config).sound().is_empty());
}

#[test]
fn a_key_that_is_not_written_any_more_goes_and_anything_else_is_released() {
    let mut world = World::new();
    let mut blocks = Blocks::new();
    blocks.group("app").tag("app", "myapp").tag("team", "web").add();
    blocks.vault("myapp-kv", "app").set("sku", text("premium")).add();
    world.apply(&blocks.config);
    let group = blocks.id("resource_group.app");
    world.azure.edit(&group, "/tags/cost", json!("42"));

    let mut blocks = Blocks::new();
    blocks.group("app").tag("app", "myapp").add();
    blocks.vault("myapp-kv", "app").add();
    let planned = world.plan(&blocks.config);
    assert_eq!(planned.codes(), [415]);
    let plan = planned.sound();
    check(&plan, &["update resource_group.app"]);
    let vault = plan.change(&blocks.id("vault.myapp-kv")).unwrap();
    assert!(matches!(vault.work, Work::Record { .. }), "the ledger lets go of it");
    world.carry_out(&plan);
    let tags = &world.azure.objects[&group]["tags"];
    assert_eq!((&tags["team"], &tags["app"], &tags["cost"]), (&json!(null), &json!("myapp"), &json!("42")));
    let planned = world.plan(&blocks.config);
    assert_eq!(planned.codes(), [0_u16; 0]);
    assert!(planned.sound().is_empty());
}

#[test]
fn names_of_blocks_are_cosmetic() {
    let mut world = World::new();
    world.apply(&stack().config);
    let mut blocks = Blocks::new();
    blocks
        .block("resource_group", "renamed")
        .set("name", text("app"))
        .set("location", text("West Europe"))
        .tag("app", "myapp")
        .add();
    let plan = world.plan(&blocks.config).sound();
    let mut kept: Vec<String> = actions(&plan);
    kept.retain(|action| !action.starts_with("delete"));
    assert_eq!(kept, [""; 0], "the group is the same group");
}

#[test]
fn a_removed_instance_is_deleted_after_what_lies_in_it() {
    let mut world = World::new();
    let mut blocks = stack();
    blocks.remove("lock.keep");
    world.apply(&blocks.config);
    blocks.remove("identity.mail");
    blocks.remove("federated_credential.mail-main");
    let plan = world.apply(&blocks.config);
    check(&plan, &["delete federated_credential.mail-main", "delete identity.mail"]);
    let tombstones = world.plan(&blocks.config).sound();
    assert!(tombstones.is_empty());
    world.carry_out(&tombstones);
    assert_eq!(world.owned.entries.len(), 4, "tombstones are dropped once they are seen absent");
    let last = world.plan(&blocks.config).sound();
    assert!(last.changes.iter().all(|change| matches!(change.work, Work::Nothing)));
}

#[test]
fn destroy_takes_the_lock_first_and_the_group_last() {
    let mut world = World::new();
    let blocks = stack();
    world.apply(&blocks.config);
    let options = PlanOptions { mode: akson_planner::Mode::Destroy, ..PlanOptions::default() };
    let plan = world.plan_with(&blocks.config, &options).sound();
    let order = actions(&plan);
    assert_eq!(order.first().map(String::as_str), Some("delete lock.keep"));
    assert_eq!(order.last().map(String::as_str), Some("delete resource_group.app"));
    assert_eq!(order.len(), 7);
    world.carry_out(&plan);
    assert_eq!(world.azure.objects.len(), 0);
}

#[test]
fn destroy_leaves_a_group_that_holds_what_is_foreign() {
    let mut world = World::new();
    let blocks = stack();
    world.apply(&blocks.config);
    let foreign = format!("{}/providers/Microsoft.Network/routeTables/theirs", blocks.id("resource_group.app"));
    world.azure.insert(&foreign, json!({"location": "westeurope"}));
    let options = PlanOptions { mode: akson_planner::Mode::Destroy, ..PlanOptions::default() };
    let planned = world.plan_with(&blocks.config, &options);
    assert_eq!(planned.codes(), [410]);
    let plan = planned.sound();
    assert_eq!(actions(&plan).last().map(String::as_str), Some("forget resource_group.app"));
    world.carry_out(&plan);
    assert_eq!(world.azure.objects.len(), 2, "the group and what is theirs");
    assert!(world.plan_with(&blocks.config, &options).sound().is_empty());
}

#[test]
fn a_vault_deleted_outside_is_recovered() {
    let mut world = World::new();
    let blocks = stack();
    world.apply(&blocks.config);
    let vault = blocks.id("vault.myapp-kv");
    world.azure.delete(&vault);
    let plan = world.plan(&blocks.config).sound();
    check(&plan, &["create vault.myapp-kv"]);
    let change = plan.change(&vault).unwrap();
    assert!(matches!(change.work, Work::Write { recover: true, exists: false, .. }));
    assert!(change.reasons.iter().all(|reason| reason.cause == Cause::Drift));
    assert!(change.irreversible, "purge protection stays on");
    world.carry_out(&plan);
    assert!(world.plan(&blocks.config).sound().is_empty());
}

#[test]
fn what_depends_on_a_replaced_identity_is_known_after_apply() {
    let mut world = World::new();
    let mut blocks = Blocks::new();
    blocks.group("app").add();
    blocks.identity("web", "app").add();
    blocks.identity("other", "app").add();
    let subject = blocks.output_of("identity.web", "principal_id");
    blocks.credential("trust", "other", "x").set("subject", subject).add();
    blocks.output("principal", blocks.output_of("identity.web", "principal_id"));
    world.apply(&blocks.config);
    let plan = world.plan(&blocks.config).sound();
    assert!(plan.is_empty(), "folded: {:#?}", plan.changes);
    assert_eq!(plan.outputs[0].value, Value::Text("principal-2".to_owned()));

    let options = PlanOptions { replace: vec!["identity.web".to_owned()], ..PlanOptions::default() };
    let plan = world.plan_with(&blocks.config, &options).sound();
    check(&plan, &["replace identity.web", "update federated_credential.trust"]);
    let trust = plan.change(&blocks.id("federated_credential.trust")).unwrap();
    assert_eq!(trust.reasons[0].cause, Cause::Dependency);
    assert_eq!(trust.reasons[0].after, Shown::KnownAfterApply("identity.web.principal_id".to_owned()));
    assert_eq!(trust.needs, [blocks.id("identity.web")]);
    world.carry_out(&plan);
    assert!(world.plan(&blocks.config).sound().is_empty());
}

#[test]
fn a_foreign_object_is_adopted() {
    let mut world = World::new();
    let blocks = stack();
    world.apply(&blocks.config);
    // The same objects, as nobody's.
    world.owned.entries.clear();
    for body in world.azure.objects.values_mut() {
        akson_catalog::json::remove(body, "/tags/akson");
        akson_catalog::json::remove(body, "/properties/notes");
    }
    let group = blocks.id("resource_group.app");
    world.azure.edit(&group, "/tags/app", json!("theirs"));
    let plan = world.plan(&blocks.config).sound();
    assert_eq!(plan.count(Action::Adopt), 7);
    assert_eq!(plan.change(&group).unwrap().reasons[0].cause, Cause::Adopt);
    world.carry_out(&plan);
    assert!(world.plan(&blocks.config).sound().is_empty());
}

#[test]
fn a_lost_ledger_is_taken_back_from_the_marks() {
    let mut world = World::new();
    let blocks = stack();
    world.apply(&blocks.config);
    world.owned = akson_planner::Owned::default();
    let plan = world.plan(&blocks.config).sound();
    check(&plan, &["adopt federated_credential.web-main", "adopt federated_credential.mail-main"]);
    world.carry_out(&plan);
    assert_eq!(world.owned.entries.len(), 7);
    assert!(world.plan(&blocks.config).sound().changes.iter().all(|change| matches!(change.work, Work::Nothing)));
}

#[test]
fn targets_bring_what_they_need() {
    let world = World::new();
    let blocks = stack();
    let options = PlanOptions { targets: vec!["federated_credential.web-main".to_owned()], ..PlanOptions::default() };
    let plan = world.plan_with(&blocks.config, &options).sound();
    check(&plan, &["create resource_group.app", "create identity.web", "create federated_credential.web-main"]);
    let mut instances = Blocks::new();
    instances.group("app").add();
    instances.identity("web", "app").key("a").add();
    instances.identity("mail", "app").key("b").add();
    for (target, names) in
        [("identity.web", vec!["identity.web[\"a\"]"]), ("identity.mail[\"b\"]", vec!["identity.mail[\"b\"]"])]
    {
        let options = PlanOptions { targets: vec![target.to_owned()], ..PlanOptions::default() };
        let plan = world.plan_with(&instances.config, &options).sound();
        let identities =
            plan.changes.iter().map(|change| change.address.as_str()).filter(|address| address.starts_with("identity"));
        assert_eq!(identities.collect::<Vec<_>>(), names);
    }
    let options = PlanOptions { targets: vec!["federated_credential.wep-main".to_owned()], ..PlanOptions::default() };
    let planned = world.plan_with(&blocks.config, &options);
    assert!(planned.plan.is_none());
    assert_eq!(planned.codes(), [412]);
}

#[test]
fn what_an_interrupted_run_began_is_waited_for_or_written_again() {
    #[track_caller]
    fn check(state: &str, expected: Option<&str>, waits: bool) {
        let blocks = stack();
        let mut world = World::new();
        world.apply(&blocks.config);
        let vault = blocks.id("vault.myapp-kv");
        world.azure.edit(&vault, "/properties/provisioningState", json!(state));
        world.owned.entries.get_mut(&vault).unwrap().state = OwnedState::IntentWrite;
        let plan = world.plan(&blocks.config).sound();
        let change = plan.change(&vault).unwrap();
        assert_eq!(change.action, if expected.is_some() { Action::Update } else { Action::NoOp }, "{state}");
        assert_eq!(matches!(change.work, Work::Record { .. }), waits, "{state}");
        assert!(expected.is_none_or(|words| change.notes.iter().any(|note| note.contains(words))), "{change:#?}");
    }
    check("RegisteringDns", Some("still at it (RegisteringDns)"), true);
    check("Failed", Some("came to nothing"), false);
    check("Canceled", Some("came to nothing"), false);
    check("Succeeded", None, true);
}
