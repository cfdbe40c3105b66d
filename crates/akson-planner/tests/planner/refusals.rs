//! What planning refuses or warns of: each code comes out for the situation its page describes, at the block it is about.

use akson_catalog::Value;
use akson_diagnostics::{Diagnostic, Severity};
use akson_planner::{Action, Mode, OwnedState, PlanOptions, Work};
use serde_json::{Value as Json, json};

use crate::{
    azure::{Planned, World},
    declare::{Blocks, text},
};

fn base() -> Blocks {
    let mut blocks = Blocks::new();
    blocks.group("app").add();
    blocks.identity("web", "app").add();
    blocks
}

fn destroy() -> PlanOptions {
    PlanOptions { mode: Mode::Destroy, ..PlanOptions::default() }
}

/// The one diagnostic of a plan, which is of that code and about that resource.
#[track_caller]
fn check(planned: &Planned, code: u16, address: Option<&str>) -> Diagnostic {
    let found: Vec<&Diagnostic> = planned.diagnostics.iter().collect();
    let [one] = found.as_slice() else { panic!("{:#?}", planned.diagnostics) };
    assert_eq!((one.code.0, one.address.as_deref()), (code, address), "{one:#?}");
    assert_eq!(planned.plan.is_none(), one.severity == Severity::Error);
    assert!(one.help.is_some(), "there is a way out");
    assert!(akson_diagnostics::codes::page(one.code).is_some(), "there is a page");
    (*one).clone()
}

#[test]
fn a_circle_is_shown_with_every_reference() {
    let mut blocks = Blocks::new();
    blocks.group("app").add();
    blocks.identity("web", "app").add();
    blocks.lock("keep", "resource_group.app").add();
    blocks.remove("identity.web");
    blocks.identity("web", "app").after("lock.keep").add();
    let diagnostic = check(&World::new().plan(&blocks.config), 401, Some("lock.keep"));
    assert_eq!(diagnostic.message, "resources need each other: lock.keep → identity.web → lock.keep");
    assert_eq!(diagnostic.labels.len(), 2);
}

#[test]
fn an_irreversible_switch_stays_on() {
    let mut blocks = base();
    blocks.vault("kv", "app").set("purge_protection", text("enabled")).add();
    let mut world = World::new();
    let plan = world.apply(&blocks.config);
    assert!(plan.change(&blocks.id("vault.kv")).unwrap().irreversible);
    blocks.remove("vault.kv");
    blocks.vault("kv", "app").set("purge_protection", text("disabled")).add();
    let diagnostic = check(&world.plan(&blocks.config), 405, Some("vault.kv"));
    assert!(diagnostic.labels[0].text.starts_with("wanted: `disabled`"), "{diagnostic:#?}");
}

#[test]
fn an_immutable_change_cites_the_fact_and_replace_permits_it() {
    let mut blocks = base();
    let mut world = World::new();
    world.apply(&blocks.config);
    blocks.remove("identity.web");
    blocks.identity("web", "app").set("location", text("northeurope")).add();
    let diagnostic = check(&world.plan(&blocks.config), 404, Some("identity.web"));
    assert!(diagnostic.notes[0].contains("immutable"), "{diagnostic:#?}");

    let options = PlanOptions { replace: vec!["identity.web".to_owned()], ..PlanOptions::default() };
    let plan = world.plan_with(&blocks.config, &options).sound();
    assert_eq!(plan.count(Action::Replace), 1);
    world.carry_out(&plan);
    assert!(world.plan(&blocks.config).sound().is_empty());
}

#[test]
fn a_vault_cannot_be_replaced_under_its_name() {
    let mut blocks = base();
    blocks.vault("kv", "app").add();
    let mut world = World::new();
    world.apply(&blocks.config);
    let options = PlanOptions { replace: vec!["vault.kv".to_owned()], ..PlanOptions::default() };
    check(&world.plan_with(&blocks.config, &options), 418, Some("vault.kv"));
    // Nor can it move: the name stays behind.
    blocks.remove("vault.kv");
    blocks.group("other").add();
    blocks.vault("kv", "other").add();
    check(&world.plan(&blocks.config), 409, Some("vault.kv"));
}

#[test]
fn a_soft_deleted_vault_that_is_not_ours_holds_the_name() {
    let mut blocks = base();
    blocks.vault("kv", "app").add();
    let id = blocks.id("vault.kv");
    for (tags, location) in [(json!({}), "westeurope"), (json!(null), "westeurope")] {
        let mut world = World::new();
        let properties = json!({"vaultId": id.as_str(), "location": location, "tags": tags, "purgeProtectionEnabled": true,
            "scheduledPurgeDate": "2026-12-24T00:00:00Z"});
        world.azure.deleted.insert(id.clone(), json!({ "properties": properties }));
        let diagnostic = check(&world.plan(&blocks.config), 409, Some("vault.kv"));
        assert!(diagnostic.notes.iter().any(|note| note.contains("2026-12-24")), "{diagnostic:#?}");
    }
    // Ours, and in another location.
    let mut world = World::new();
    world.apply(&blocks.config);
    world.azure.delete(&id);
    world.azure.deleted.get_mut(&id).unwrap()["properties"]["location"] = json!("northeurope");
    check(&world.plan(&blocks.config), 409, Some("vault.kv"));
    // Somebody's in another group, under the same name.
    let elsewhere = id.as_str().replace("/app/", "/theirs/");
    let mut world = World::new();
    let properties = json!({"vaultId": elsewhere, "location": "westeurope"});
    world.azure.deleted.insert(akson_planner::place::symbolic(&elsewhere), json!({ "properties": properties }));
    check(&world.plan(&blocks.config), 409, Some("vault.kv"));
}

#[test]
fn protect_holds_for_deletion_destroy_and_replacement() {
    let mut blocks = base();
    blocks.remove("identity.web");
    blocks.identity("web", "app").protect().add();
    let mut world = World::new();
    world.apply(&blocks.config);
    let diagnostic = check(&world.plan_with(&blocks.config, &destroy()), 406, Some("identity.web"));
    assert_eq!(diagnostic.labels.len(), 1, "at its block");
    let options = PlanOptions { replace: vec!["identity.web".to_owned()], ..PlanOptions::default() };
    check(&world.plan_with(&blocks.config, &options), 406, Some("identity.web"));
    blocks.remove("identity.web");
    let diagnostic = check(&world.plan(&blocks.config), 406, Some("identity.web"));
    assert_eq!(diagnostic.labels.len(), 0, "its block is gone");

    // Taking `protect` away is applied without a request, and then it may go.
    blocks.identity("web", "app").add();
    let plan = world.plan(&blocks.config).sound();
    assert!(plan.is_empty());
    world.carry_out(&plan);
    blocks.remove("identity.web");
    assert_eq!(world.plan(&blocks.config).sound().count(Action::Delete), 1);
}

#[test]
fn a_lock_that_stays_forbids_deletions_and_one_that_goes_does_not() {
    let mut blocks = base();
    blocks.lock("keep", "resource_group.app").add();
    let mut world = World::new();
    world.apply(&blocks.config);
    blocks.remove("identity.web");
    let diagnostic = check(&world.plan(&blocks.config), 411, Some("identity.web"));
    assert_eq!(diagnostic.labels.len(), 1, "at the lock");
    blocks.remove("lock.keep");
    let plan = world.plan(&blocks.config).sound();
    let order: Vec<&str> = plan
        .changes
        .iter()
        .filter(|change| change.action == Action::Delete)
        .map(|change| change.address.as_str())
        .collect();
    assert_eq!(order, ["lock.keep", "identity.web"]);
}

#[test]
fn a_lock_that_is_new_comes_after_deletions_below_it() {
    let mut blocks = base();
    let mut world = World::new();
    world.apply(&blocks.config);
    blocks.remove("identity.web");
    blocks.lock("keep", "resource_group.app").add();
    let plan = world.plan(&blocks.config).sound();
    let lock = plan.change(&blocks.id("lock.keep")).unwrap();
    let gone = plan.changes.iter().find(|change| change.action == Action::Delete).unwrap();
    assert_eq!(lock.needs, std::slice::from_ref(&gone.symbolic_id));
}

#[test]
fn a_foreign_lock_is_a_warning() {
    let mut blocks = base();
    blocks.lock("ours", "identity.web").add();
    let mut world = World::new();
    world.apply(&blocks.config);
    let theirs = format!("{}/providers/Microsoft.Authorization/locks/theirs", blocks.id("resource_group.app"));
    world.azure.insert(&theirs, json!({"properties": {"level": "CanNotDelete"}}));
    blocks.remove("lock.ours");
    blocks.remove("identity.web");
    let planned = world.plan(&blocks.config);
    check(&planned, 417, Some("identity.web"));
    assert_eq!(planned.plan.unwrap().count(Action::Delete), 2);
}

#[test]
fn a_read_only_lock_forbids_changes_until_it_goes() {
    let mut blocks = base();
    blocks.lock("keep", "resource_group.app").set("level", text("read_only")).add();
    let mut world = World::new();
    world.apply(&blocks.config);
    blocks.remove("identity.web");
    blocks.identity("web", "app").tag("a", "b").add();
    let diagnostic = check(&world.plan(&blocks.config), 411, Some("identity.web"));
    assert_eq!(diagnostic.message, "`identity.web` cannot be changed: `lock.keep` forbids it");
    let lock = blocks.id("lock.keep");
    blocks.remove("lock.keep");
    let plan = world.plan(&blocks.config).sound();
    assert_eq!(plan.change(&blocks.id("identity.web")).unwrap().needs, [lock]);
}

#[test]
fn credentials_clash_with_what_is_live() {
    let mut blocks = base();
    let mut world = World::new();
    world.apply(&blocks.config);
    let host = blocks.id("identity.web");
    let credential =
        |subject: &str| json!({"properties": {"issuer": "https://issuer.example.com", "subject": subject}});
    world.azure.insert(&format!("{host}/federatedIdentityCredentials/theirs"), credential("s"));
    blocks.credential("ours", "web", "s").add();
    let diagnostic = check(&world.plan(&blocks.config), 414, Some("federated_credential.ours"));
    assert!(diagnostic.help.unwrap().contains("name = \"theirs\""));

    for number in 1..20 {
        world
            .azure
            .insert(&format!("{host}/federatedIdentityCredentials/theirs{number}"), credential(&format!("x{number}")));
    }
    blocks.remove("federated_credential.ours");
    blocks.credential("ours", "web", "other").add();
    check(&world.plan(&blocks.config), 414, Some("federated_credential.ours"));
}

#[test]
fn a_renamed_credential_is_deleted_before_it_is_created() {
    let mut blocks = base();
    blocks.credential("old", "web", "s").add();
    let mut world = World::new();
    world.apply(&blocks.config);
    let old = blocks.id("federated_credential.old");
    blocks.remove("federated_credential.old");
    blocks.credential("new", "web", "s").add();
    let plan = world.plan(&blocks.config).sound();
    assert_eq!(plan.change(&blocks.id("federated_credential.new")).unwrap().needs, [old]);
}

#[test]
fn a_kept_child_keeps_its_container() {
    let mut blocks = base();
    blocks.remove("identity.web");
    blocks.identity("web", "app").keep().add();
    let mut world = World::new();
    world.apply(&blocks.config);
    let planned = world.plan_with(&blocks.config, &destroy());
    check(&planned, 410, Some("resource_group.app"));
    let plan = planned.sound();
    assert_eq!(plan.count(Action::Forget), 2);
    world.carry_out(&plan);
    assert_eq!((world.azure.objects.len(), world.owned.entries.len()), (2, 0));
}

#[test]
fn limits_are_kept() {
    let blocks = base();
    let mut world = World::new();
    world.apply(&blocks.config);
    let options = PlanOptions { max_deletes: Some(1), ..destroy() };
    check(&world.plan_with(&blocks.config, &options), 413, None);
    let options = PlanOptions { max_deletes: Some(2), ..destroy() };
    assert_eq!(world.plan_with(&blocks.config, &options).sound().count(Action::Delete), 2);
    let options = PlanOptions { adopt_only: true, ..PlanOptions::default() };
    assert_eq!(World::new().plan_with(&blocks.config, &options).codes(), [416, 416]);
    assert!(world.plan_with(&blocks.config, &options).sound().is_empty());
}

#[test]
fn an_entry_of_an_unknown_kind_is_not_guessed_about() {
    let mut blocks = base();
    let mut world = World::new();
    world.apply(&blocks.config);
    blocks.remove("identity.web");
    world.owned.entries.values_mut().for_each(|entry| {
        if entry.kind == "identity" {
            entry.kind = "frobnicator".to_owned();
        }
    });
    check(&world.plan(&blocks.config), 419, Some("identity.web"));
}

#[test]
fn without_a_stack_block_nothing_is_deleted() {
    let mut blocks = base();
    let mut world = World::new();
    world.apply(&blocks.config);
    blocks.config.resources.clear();
    blocks.config.stack.span = None;
    assert!(world.plan(&blocks.config).sound().changes.is_empty());
}

#[test]
fn raw_resources_are_deleted_by_what_the_ledger_says_of_them() {
    let mut blocks = base();
    let group = blocks.reference("resource_group.app");
    let body = Value::Map(
        [(
            "properties".to_owned(),
            Value::Map([("disableBgpRoutePropagation".to_owned(), Value::Bool(true))].into_iter().collect()),
        )]
        .into_iter()
        .collect(),
    );
    let block = blocks.block("Microsoft.Network/routeTables@2025-03-01", "nodes").set("name", text("routes"));
    block.set("parent", group).set("location", text("westeurope")).set("body", body).add();
    let mut world = World::new();
    world.apply(&blocks.config);
    assert!(world.plan(&blocks.config).sound().is_empty());
    blocks.remove("resource.nodes");
    let plan = world.plan(&blocks.config).sound();
    let change = plan.changes.iter().find(|change| change.action == Action::Delete).unwrap();
    let Work::Delete { id, api_version } = &change.work else { panic!("{:#?}", change.work) };
    assert!(id.ends_with("/Microsoft.Network/routeTables/routes"));
    assert_eq!(api_version, "2025-03-01");
}

#[test]
fn a_list_never_decides_that_what_is_ours_is_gone() {
    let mut blocks = base();
    blocks.credential("main", "web", "s").add();
    let mut world = World::new();
    world.apply(&blocks.config);
    let (identity, credential) = (blocks.id("identity.web"), blocks.id("federated_credential.main"));

    // The list of identities is short; a look at the object shows it.
    let mut snapshot = akson_planner::Snapshot::default();
    let options = PlanOptions::default();
    let catalog = crate::declare::catalog();
    let mut asked = Vec::new();
    let mut wave = akson_planner::first_wave(&blocks.config, &world.owned, catalog, &options);
    while !wave.is_empty() {
        for read in &wave {
            let mut answer = world.azure.answer(read);
            if let akson_planner::Answer::Page { items, .. } = &mut answer {
                items.retain(|item| !item["id"].as_str().unwrap_or_default().contains("userAssignedIdentities"));
            }
            snapshot.absorb(read, answer);
            asked.push(read.path.split('?').next().unwrap().to_ascii_lowercase());
        }
        wave = akson_planner::next_wave(&blocks.config, &world.owned, catalog, &options, &mut snapshot);
    }
    assert!(asked.contains(&identity.to_string()) && asked.contains(&credential.to_string()), "{asked:#?}");
    let mut diagnostics = akson_diagnostics::Diagnostics::new();
    let plan =
        akson_planner::plan(&blocks.config, &snapshot, &world.owned, catalog, &options, &mut diagnostics).unwrap();
    assert!(plan.is_empty());

    // Really gone with its group: one look at the group tells of all that lay in it.
    let group = blocks.id("resource_group.app");
    world.azure.delete(&group);
    let planned = world.plan(&blocks.config);
    let looks: Vec<&str> = planned.reads[1].iter().map(|read| read.path.split('?').next().unwrap()).collect();
    assert_eq!(looks.len(), 1, "{looks:#?}");
    assert_eq!(planned.sound().count(Action::Create), 3);
}

#[test]
fn what_was_not_read_is_not_guessed_about() {
    let blocks = base();
    let mut world = World::new();
    world.apply(&blocks.config);
    let mut diagnostics = akson_diagnostics::Diagnostics::new();
    let (catalog, options) = (crate::declare::catalog(), PlanOptions::default());
    let nothing = akson_planner::Snapshot::default();
    let plan = akson_planner::plan(&blocks.config, &nothing, &world.owned, catalog, &options, &mut diagnostics);
    assert!(plan.is_none());
    assert!(diagnostics.iter().all(|diagnostic| diagnostic.code.0 == 419));
}

#[test]
fn intents_of_a_dead_run_are_looked_at_even_if_their_block_is_gone() {
    let mut blocks = base();
    let mut world = World::new();
    world.apply(&blocks.config);
    let identity = blocks.id("identity.web");
    let entry = world.owned.entries.get_mut(&identity).unwrap();
    entry.state = OwnedState::IntentDelete;
    world.azure.delete(&identity);
    blocks.remove("identity.web");
    let plan = world.plan(&blocks.config).sound();
    let change = plan.change(&identity).unwrap();
    assert!(matches!(change.work, Work::Delete { .. }), "only the answer to a deletion says that it is gone");
}

#[test]
fn the_document_of_a_plan_has_its_promised_form() {
    let mut blocks = base();
    blocks.vault("kv", "app").set("purge_protection", text("enabled")).add();
    blocks.output("principal", blocks.output_of("identity.web", "principal_id"));
    let planned = World::new().plan(&blocks.config);
    let plan = planned.plan.clone().unwrap();
    let document = akson_planner::json::to_json(&plan, &blocks.sources, &planned.diagnostics, false);
    assert_eq!(document["format_version"], "1");
    assert_eq!(
        document["summary"],
        json!({"create": 3, "update": 0, "replace": 0, "delete": 0, "adopt": 0, "forget": 0, "no_op": 0})
    );
    assert_eq!(document["requests"]["reads"], json!(planned.requests()));
    assert_eq!(document["access"], json!({"gained": [], "lost": [], "complete": false}));
    assert_eq!(document["outputs"]["principal"], json!({"value": null, "sensitive": false, "known_after_apply": true}));
    let vault = document["changes"].as_array().unwrap().iter().find(|change| change["address"] == "vault.kv").unwrap();
    assert_eq!((&vault["action"], &vault["kind"], &vault["id"]), (&json!("create"), &json!("vault"), &Json::Null));
    assert_eq!(vault["irreversible"], json!(true));
    assert_eq!(vault["source"], json!({"file": "main.aks", "line": 3}));
    let reason =
        vault["reasons"].as_array().unwrap().iter().find(|reason| reason["attribute"] == "purge_protection").unwrap();
    assert_eq!(
        *reason,
        json!({"cause": "config", "attribute": "purge_protection", "before": null, "after": "enabled", "sensitive": false,
            "expression": false, "known_after_apply": false, "effect": "irreversible"})
    );
}
