//! Differences that a block tolerates until a day, through the real binary.

use akson_tests::{Folder, Ran};

const TAGS: &str = r#"
stack "shop" {
  location = "westeurope"
}

resource_group "app" {
  name = "shop-rg"
  tags = { app = "shop", cost = "a1" }

  tolerate "tags.cost" {
    because = "OPS-77: finance renames it"
    until   = "2026-12-31"
  }
}
"#;

/// 2026-06-01 and 2027-01-01, both at noon.
const BEFORE: &str = "1780315200";
const AFTER: &str = "1798804800";

fn at(folder: &Folder, time: &str, arguments: &[&str]) -> Ran {
    Ran::of(folder.command(arguments).env("SOURCE_DATE_EPOCH", time))
}

fn drifted() -> Folder {
    let folder = Folder::with(TAGS);
    let _ = folder.apply().exits(0);
    let world = folder.world();
    let id = format!("/subscriptions/{}/resourceGroups/shop-rg", world.identity().subscription);
    assert!(world.god().edit(&id, |group| group["tags"]["cost"] = "a2".into()).unwrap());
    drop(world);
    folder
}

fn cost(folder: &Folder) -> String {
    let world = folder.world();
    let id = format!("/subscriptions/{}/resourceGroups/shop-rg", world.identity().subscription);
    let group = world.god().object(&id).expect("the group is there");
    group["tags"]["cost"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn it_is_told_and_left_and_comes_back_as_drift() {
    let folder = drifted();
    let drift = at(&folder, BEFORE, &["drift", "--format", "json"]).exits(0).json();
    assert_eq!(drift["found"]["tolerated"], 1);
    assert_eq!((&drift["found"]["changed"], &drift["found"]["in_sync"]), (&0.into(), &0.into()));
    let tolerated = &drift["tolerated"][0];
    assert_eq!(tolerated["address"], "resource_group.app");
    let reason = &tolerated["reasons"][0];
    assert_eq!((reason["attribute"].as_str(), reason["before"].as_str()), (Some("tags.cost"), Some("a2")));
    assert_eq!(reason["because"], "OPS-77: finance renames it");
    assert_eq!(reason["until"], "2026-12-31");
    let _ = at(&folder, BEFORE, &["drift"]).exits(0).says("AKS0434").says("OPS-77");
    let _ = at(&folder, BEFORE, &["plan", "--detailed-exitcode"]).exits(0).says("tolerated until 2026-12-31");
    let _ = at(&folder, BEFORE, &["apply", "--auto-approve"]).exits(0);
    assert_eq!(cost(&folder), "a2");

    // Something else is written: it stays.
    folder.edit("main.aks", "app = \"shop\"", "app = \"store\"");
    let _ = at(&folder, BEFORE, &["apply", "--auto-approve"]).exits(0);
    assert_eq!(cost(&folder), "a2");
    let _ = at(&folder, BEFORE, &["plan", "--detailed-exitcode"]).exits(0);

    // The day after the last: drift, as it was all the time.
    let drift = at(&folder, AFTER, &["drift", "--format", "json"]).exits(2).json();
    assert_eq!(drift["changes"][0]["reasons"][0]["attribute"], "tags.cost");
    assert_eq!(drift["tolerated"].as_array().unwrap().len(), 0);
    let _ = at(&folder, AFTER, &["plan", "--detailed-exitcode"])
        .exits(2)
        .says("AKS0435")
        .says("take the `tolerate` block out");
    let _ = at(&folder, AFTER, &["apply", "--auto-approve"]).exits(0);
    assert_eq!(cost(&folder), "a1");
}

#[test]
fn a_plan_from_before_the_last_day_is_stale_after_it() {
    let folder = drifted();
    folder.edit("main.aks", "app = \"shop\"", "app = \"store\"");
    let _ = at(&folder, BEFORE, &["plan", "--out", "a.plan"]).exits(0);
    let _ = at(&folder, AFTER, &["apply", "a.plan"]).exits(5).says("tags.cost");
    assert_eq!(cost(&folder), "a2");
    let _ = at(&folder, BEFORE, &["apply", "a.plan"]).exits(0);
    assert_eq!(cost(&folder), "a2");
}

#[test]
fn the_authors_change_is_written_and_a_deleted_group_comes_back() {
    let folder = drifted();
    folder.edit("main.aks", "cost = \"a1\"", "cost = \"b1\"");
    let _ = at(&folder, BEFORE, &["apply", "--auto-approve"]).exits(0);
    assert_eq!(cost(&folder), "b1");
    let world = folder.world();
    let id = format!("/subscriptions/{}/resourceGroups/shop-rg", world.identity().subscription);
    assert!(world.god().delete_object(&id).unwrap());
    drop(world);
    let _ = at(&folder, BEFORE, &["drift"]).exits(2);
    let _ = at(&folder, BEFORE, &["apply", "--auto-approve"]).exits(0);
    assert_eq!(cost(&folder), "b1");
}
