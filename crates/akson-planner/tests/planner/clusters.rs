//! Plans of what lies in clusters: looked at in one list a kind, or decided about by the ledger where nobody can look.

use akson_planner::{Action, At, Mode, PlanOptions, Way, Work};
use serde_json::json;

use crate::{
    azure::World,
    declare::{Blocks, text},
};

fn labels(team: &str) -> akson_catalog::Value {
    akson_catalog::Value::Map([("team".to_owned(), text(team))].into_iter().collect())
}

/// A cluster of somebody else's, a namespace, and accounts in it.
fn blocks(team: &str, accounts: &[&str]) -> Blocks {
    let mut blocks = Blocks::new();
    blocks.group("app").existing().add();
    let group = blocks.reference("resource_group.app");
    blocks.block("cluster", "main").set("name", text("aks")).set("resource_group", group).existing().add();
    let cluster = blocks.reference("cluster.main");
    let block = blocks.block("namespace", "app").set("cluster", cluster.clone()).set("name", text("app"));
    block.set("labels", labels(team)).add();
    for account in accounts {
        let block = blocks.block("service_account", account).set("cluster", cluster.clone());
        block.set("namespace", text("app")).set("name", text(account)).set("labels", labels(team)).add();
    }
    blocks
}

/// A world in which the cluster is.
fn world(blocks: &Blocks, known: bool) -> World {
    let mut world = World::new();
    for address in ["resource_group.app", "cluster.main"] {
        let resource = blocks.resource(address);
        world.azure.insert(resource.id.as_ref().unwrap().as_str(), json!({"properties": {}}));
    }
    if known {
        know(&mut world, blocks);
    }
    world
}

fn know(world: &mut World, blocks: &Blocks) {
    let way = Way { host: "aks.hcp.westeurope.azmk8s.io".to_owned(), authority: "PEM".to_owned() };
    world.owned.reachable.insert(blocks.id("cluster.main"), way);
}

#[test]
fn one_list_a_kind_and_cluster() {
    let blocks = blocks("one", &["a", "b", "c"]);
    let mut world = world(&blocks, true);
    world.apply(&blocks.config);
    let planned = world.plan(&blocks.config);
    let lists: Vec<(usize, &str)> = planned
        .reads
        .iter()
        .enumerate()
        .flat_map(|(wave, reads)| reads.iter().map(move |read| (wave, read)))
        .filter(|(_, read)| matches!(read.at, At::Cluster(_)))
        .map(|(wave, read)| (wave, read.path.as_str()))
        .collect();
    assert_eq!(lists, [(1, "/api/v1/namespaces"), (1, "/api/v1/serviceaccounts")]);
    assert!(planned.reads.len() <= 3);
    assert!(planned.sound().is_empty());
}

#[test]
fn without_a_way_everything_is_made_and_said_not_to_be_verified() {
    let blocks = blocks("one", &["a"]);
    let world = world(&blocks, false);
    let planned = world.plan(&blocks.config);
    assert!(planned.reads.iter().flatten().all(|read| !matches!(read.at, At::Cluster(_))), "nobody is asked");
    let plan = planned.sound();
    assert_eq!((plan.count(Action::Create), plan.not_verified().count()), (2, 2));
}

#[test]
fn a_shut_cluster_is_planned_from_the_ledger() {
    let before = blocks("one", &["a"]);
    let mut world = world(&before, true);
    world.apply(&before.config);
    world.azure.closed = true;
    let planned = world.plan(&before.config);
    assert_eq!(planned.codes(), [422]);
    let plan = planned.sound();
    assert_eq!((plan.is_empty(), plan.not_verified().count()), (true, 2));

    let plan = world.plan(&blocks("two", &["a"]).config).sound();
    assert_eq!((plan.count(Action::Update), plan.not_verified().count()), (2, 2));
    let plan = world.plan(&blocks("one", &[]).config).sound();
    assert_eq!(plan.count(Action::Delete), 1);
    // What is looked at again is as it was.
    world.azure.closed = false;
    let planned = world.plan(&before.config);
    assert_eq!(planned.codes(), [0_u16; 0]);
    assert_eq!(planned.sound().not_verified().count(), 0);
}

#[test]
fn what_a_list_does_not_show_is_gone_and_what_it_shows_unmarked_is_adopted() {
    let blocks = blocks("one", &["a"]);
    let mut world = world(&blocks, true);
    world.apply(&blocks.config);
    world.azure.delete(&blocks.id("service_account.a"));
    let plan = world.plan(&blocks.config).sound();
    assert_eq!((plan.count(Action::Create), plan.changes.len()), (1, 2), "{:#?}", plan.changes);

    let mut fresh = self::world(&blocks, true);
    let id = blocks.resource("service_account.a").id.clone().unwrap();
    fresh.azure.insert(id.as_str(), json!({"metadata": {"name": "a", "namespace": "app"}}));
    let id = blocks.resource("namespace.app").id.clone().unwrap();
    fresh.azure.insert(id.as_str(), json!({"metadata": {"name": "app"}}));
    let plan = fresh.plan(&blocks.config).sound();
    assert_eq!((plan.count(Action::Adopt), plan.count(Action::Create)), (2, 0));
}

#[test]
fn what_is_not_written_any_more_is_taken_out() {
    let before = blocks("one", &["a"]);
    let mut world = world(&before, true);
    world.apply(&before.config);
    let mut after = blocks("one", &[]);
    let cluster = after.reference("cluster.main");
    let block = after.block("service_account", "a").set("cluster", cluster);
    block.set("namespace", text("app")).set("name", text("a")).add();
    let plan = world.plan(&after.config).sound();
    let change = plan.changes.iter().find(|change| change.address == "service_account.a").unwrap();
    let reasons: Vec<_> = change.reasons.iter().filter_map(|reason| reason.attribute.as_deref()).collect();
    assert_eq!((change.action, reasons.as_slice()), (Action::Update, &["labels.team"][..]));
}

#[test]
fn objects_in_a_cluster_of_somebody_elses_are_deleted_innermost_first() {
    let before = blocks("one", &["a"]);
    let mut world = world(&before, true);
    world.apply(&before.config);
    let destroy = PlanOptions { mode: Mode::Destroy, cloud: "emulator".to_owned(), ..PlanOptions::default() };
    let plan = world.plan_with(&before.config, &destroy).sound();
    let works: Vec<bool> = plan.changes.iter().map(|change| matches!(change.work, Work::Delete { .. })).collect();
    assert_eq!(works, [true, true], "the cluster is not ours and stays: {:#?}", plan.changes);
    assert_eq!(plan.changes[0].address, "service_account.a", "what lies in a namespace goes before it");
}
