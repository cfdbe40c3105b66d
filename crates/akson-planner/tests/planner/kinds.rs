//! Plans of kinds with something of their own: keyed lists, pools of a cluster, what is set back and not deleted.

use akson_catalog::Value;
use akson_planner::{Action, Plan, PlanOptions, Work, options::Mode};
use indexmap::IndexMap;
use serde_json::json;

use crate::{
    azure::World,
    declare::{Blocks, text},
};

fn empty() -> Value {
    Value::Map(IndexMap::new())
}

fn table(routes: &[&str]) -> Blocks {
    let mut blocks = Blocks::new();
    blocks.group("app").add();
    let group = blocks.reference("resource_group.app");
    let mut block = blocks.block("route_table", "egress").set("name", text("egress"));
    block = block.set("resource_group", group).set("location", text("westeurope"));
    for route in routes {
        block = block
            .set(&format!("route.{route}"), empty())
            .set(&format!("route.{route}.to"), text("10.0.0.0/8"))
            .set(&format!("route.{route}.next_hop"), text("internet"));
    }
    block.add();
    blocks
}

fn updated(plan: &Plan) -> Vec<&str> {
    let update = plan.changes.iter().filter(|change| change.action == Action::Update);
    update.flat_map(|change| &change.reasons).filter_map(|reason| reason.attribute.as_deref()).collect()
}

#[test]
fn a_route_that_is_not_written_any_more_goes_and_others_stay() {
    let mut world = World::new();
    let both = table(&["default", "other"]);
    world.apply(&both.config);
    let id = both.id("route_table.egress");
    let theirs = json!({"addressPrefix": "10.244.0.0/24", "nextHopType": "VirtualAppliance"});
    world.azure.edit(&id, "/properties/routes/~kname=aks/properties", theirs);
    assert!(world.plan(&both.config).sound().is_empty(), "a route of somebody else is no difference");

    let one = table(&["default"]);
    let plan = world.plan(&one.config).sound();
    assert_eq!(updated(&plan), ["route.other"]);
    world.carry_out(&plan);
    let names: Vec<String> = world.azure.objects[&id]["properties"]["routes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|route| route["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["default", "aks"]);
    assert!(world.plan(&one.config).sound().is_empty());
}

#[test]
fn drift_in_a_route_names_its_field() {
    let mut world = World::new();
    let blocks = table(&["default"]);
    world.apply(&blocks.config);
    world.azure.edit(
        &blocks.id("route_table.egress"),
        "/properties/routes/~kname=default/properties/nextHopType",
        json!("None"),
    );
    assert_eq!(updated(&world.plan(&blocks.config).sound()), ["route.default.next_hop"]);
}

fn cluster() -> Blocks {
    let mut blocks = Blocks::new();
    blocks.group("app").add();
    let group = blocks.reference("resource_group.app");
    let block = blocks.block("cluster", "main").set("name", text("aks")).set("resource_group", group);
    block
        .set("location", text("westeurope"))
        .set("entra", empty())
        .set("entra.authorization", text("azure_rbac"))
        .add();
    let main = blocks.reference("cluster.main");
    let pool = blocks.block("node_pool", "system").set("name", text("system")).set("cluster", main);
    pool.set("mode", text("system")).add();
    blocks
}

#[test]
fn pools_go_with_their_cluster_and_alone_by_a_request_of_their_own() {
    let mut world = World::new();
    let blocks = cluster();
    world.apply(&blocks.config);
    assert!(world.plan(&blocks.config).sound().is_empty());
    let pool = blocks.id("node_pool.system");

    let mut alone = cluster();
    alone.remove("node_pool.system");
    let plan = world.plan(&alone.config).sound();
    let change = plan.change(&pool).unwrap();
    assert!(change.action == Action::Delete && matches!(change.work, Work::Delete { .. }), "{change:#?}");

    let options = PlanOptions { mode: Mode::Destroy, ..PlanOptions::default() };
    let plan = world.plan_with(&blocks.config, &options).sound();
    let change = plan.change(&pool).unwrap();
    assert!(change.action == Action::Delete && matches!(change.work, Work::Forget), "{change:#?}");
    assert_eq!(change.notes, ["it goes with what it lies in"]);
}

#[test]
fn switching_entra_off_is_refused_before_anything_is_sent() {
    let mut world = World::new();
    let blocks = cluster();
    world.apply(&blocks.config);
    let mut off = cluster();
    let group = off.reference("resource_group.app");
    off.remove("node_pool.system");
    off.remove("cluster.main");
    let block = off.block("cluster", "main").set("name", text("aks")).set("resource_group", group);
    block.set("location", text("westeurope")).set("entra", Value::None).add();
    let planned = world.plan(&off.config);
    assert!(planned.plan.is_none());
    assert!(planned.diagnostics.iter().any(|found| found.message.contains("entra")), "{:?}", planned.diagnostics);
}

#[test]
fn a_defender_plan_is_set_back_and_not_deleted() {
    let mut world = World::new();
    let id = "/subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.Security/pricings/Containers";
    world.azure.insert(id, json!({"name": "Containers", "properties": {"pricingTier": "Free"}}));
    let mut blocks = Blocks::new();
    blocks.block("defender", "containers").set("plan", text("Containers")).set("tier", text("standard")).add();
    let plan = world.apply(&blocks.config);
    assert_eq!(plan.changes[0].action, Action::Adopt);
    let gone = Blocks::new();
    let plan = world.plan(&gone.config).sound();
    assert!(plan.changes[0].notes.iter().any(|note| note.contains("set back")), "{:#?}", plan.changes[0]);
}
