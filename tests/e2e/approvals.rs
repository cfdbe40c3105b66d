//! A plan is approved, and Azure or the configuration moves before it is applied: exactly that is refused, with what was there, what was
//! approved and what is there now.

use akson_tests::{Folder, actions};
use serde_json::{Value, json};

use super::drift;

/// Forty resources: a group, thirteen identities with two credentials each.
const FORTY: &str = r#"stack "fleet" {
  location = "westeurope"
}

resource_group "fleet" {
  name = "fleet-rg"
  tags = { owner = "platform" }
}

identity "team" {
  for_each       = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m"]
  name           = "team-${each.key}"
  resource_group = resource_group.fleet
  tags           = { owner = "platform" }
}

federated_credential "main" {
  for_each = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m"]
  name     = "main"
  identity = identity.team[each.key]
  issuer   = "https://token.actions.githubusercontent.com"
  subject  = "repo:contoso/${each.key}:ref:refs/heads/main"
}

federated_credential "release" {
  for_each = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m"]
  name     = "release"
  identity = identity.team[each.key]
  issuer   = "https://token.actions.githubusercontent.com"
  subject  = "repo:contoso/${each.key}:environment:release"
}
"#;

fn applied() -> Folder {
    let folder = Folder::with(FORTY);
    let _ = folder.apply().exits(0);
    folder
}

/// The ids of the stack's resources, by address.
fn ids(folder: &Folder) -> Vec<(String, String)> {
    let plan = folder.akson(&["plan", "--all", "--format", "json"]).exits(0).json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    plan["changes"].as_array().unwrap().iter().map(|change| (text(&change["address"]), text(&change["id"]))).collect()
}

/// Changes one owned leaf behind the stack's back; the attribute.
fn meddle(folder: &Folder, id: &str) -> &'static str {
    let credential = id.contains("/federatedIdentityCredentials/");
    let changed = folder.world().god().edit(id, |object| {
        if credential {
            object["properties"]["subject"] = "repo:mallory/all:ref:refs/heads/main".into();
        } else {
            object["tags"]["owner"] = "mallory".into();
        }
    });
    assert!(changed.unwrap(), "{id}");
    if credential { "subject" } else { "tags.owner" }
}

/// The events of an `apply FILE` that was refused.
fn stale(folder: &Folder, arguments: &[&str]) -> Vec<Value> {
    let mut all = vec!["apply", "a.plan", "--format", "json"];
    all.extend_from_slice(arguments);
    let lines = folder.akson(&all).exits(5).json_lines();
    lines.into_iter().filter(|line| line["event"] == "stale").collect()
}

/// An edit between plan and apply at one of forty resources, in turn: exactly that one is named, with the field, and nothing is changed.
#[test]
fn each_of_forty_in_turn() {
    let folder = applied();
    let all = ids(&folder);
    assert_eq!(all.len(), 40);
    folder.edit("main.aks", "\"platform\"", "\"security\"");
    folder.edit("main.aks", "refs/heads/main", "refs/heads/trunk");
    folder.edit("main.aks", "environment:release", "environment:production");
    let _ = folder.akson(&["plan", "--out", "a.plan"]).exits(0);
    // Each takes a run; every day some of them, and all before a release.
    let step = if akson_tests::scale() > 1 { 1 } else { 9 };
    for (address, id) in all.iter().step_by(step) {
        let before = folder.world().god().object(id).unwrap();
        let attribute = meddle(&folder, id);
        let moved = stale(&folder, &[]);
        let [moved] = moved.as_slice() else { panic!("{address}: {moved:#?}") };
        assert_eq!(&moved["address"], address);
        let field = &moved["fields"][0];
        assert_eq!((&field["attribute"], &field["moved"]), (&json!(attribute), &json!("outside")), "{moved:#}");
        assert!(field["now"]["live"].as_str().unwrap().contains("mallory"), "{moved:#}");
        assert_eq!(field["approved"]["wanted"], field["now"]["wanted"]);
        folder.world().god().put_object(id, before).unwrap();
    }
    // As it was: the approval holds.
    let _ = folder.akson(&["apply", "a.plan"]).exits(0);
    folder.settled();
}

/// The rest is still what was approved, and is done with `--partial`; so is the rest of a plan of deletions.
#[test]
fn the_rest_is_applied() {
    let folder = applied();
    let all = ids(&folder);
    folder.edit("main.aks", "\"l\", \"m\"]", "\"l\"]");
    folder.edit("main.aks", "\"platform\"", "\"security\"");
    let _ = folder.akson(&["plan", "--out", "a.plan"]).exits(0);
    let of = |address: &str| all.iter().find(|(known, _)| known == address).unwrap().1.clone();
    // One to be updated, and one to be deleted.
    meddle(&folder, &of("identity.team[\"c\"]"));
    meddle(&folder, &of("federated_credential.main[\"m\"]"));
    let named: Vec<Value> = stale(&folder, &[]).iter().map(|moved| moved["address"].clone()).collect();
    assert_eq!(named, ["identity.team[\"c\"]", "federated_credential.main[\"m\"]"]);
    let human = folder.akson(&["apply", "a.plan"]).exits(5);
    let human = human.says("\"platform\" -> \"security\"").says("\"mallory\" -> \"security\"").says("changed outside");
    assert!(human.stdout.is_empty(), "{}", human.stdout);
    let _ = folder.akson(&["apply", "a.plan", "--format", "markdown"]).exits(5).says(
        "| `identity.team[\"c\"]` | `tags.owner` | `\"platform\" -> \"security\"` | `\"mallory\" -> \"security\"` |",
    );
    let _ = folder.akson(&["apply", "a.plan", "--partial"]).exits(5);
    // What needs the deletion of the credential is not done either.
    let left = actions(&folder.plan());
    assert_eq!(
        left,
        ["federated_credential.main[\"m\"] delete", "identity.team[\"c\"] update", "identity.team[\"m\"] delete"]
    );
}

/// Made, deleted or brought there already in between.
#[test]
fn what_somebody_else_did_in_between() {
    let folder = Folder::with(FORTY);
    let _ = folder.akson(&["plan", "--out", "a.plan"]).exits(0);
    let id = format!("/subscriptions/{}/resourceGroups/fleet-rg", folder.world().identity().subscription);
    folder.world().god().put_object(&id, json!({ "location": "westeurope" })).unwrap();
    let moved = stale(&folder, &[]);
    assert_eq!(moved.len(), 1, "{moved:#?}");
    assert_eq!((&moved[0]["approved"], &moved[0]["now"]), (&json!("create"), &json!("adopt")));

    let folder = applied();
    let all = ids(&folder);
    folder.edit("main.aks", "\"platform\"", "\"security\"");
    let _ = folder.akson(&["plan", "--out", "a.plan"]).exits(0);
    let (address, id) = all.iter().find(|(address, _)| address == "federated_credential.main[\"a\"]").unwrap();
    assert!(folder.world().god().delete_object(id).unwrap());
    let moved = stale(&folder, &[]);
    assert_eq!(moved.len(), 1, "{moved:#?}");
    assert_eq!(&moved[0]["address"], address);
    assert_eq!((&moved[0]["approved"], &moved[0]["now"]), (&json!("no_op"), &json!("create")));

    // Planning again to the same digest keeps the approval.
    let folder = applied();
    folder.edit("main.aks", "\"platform\"", "\"security\"");
    let _ = folder.akson(&["plan", "--out", "a.plan"]).exits(0);
    let _ = folder.akson(&["plan", "--out", "b.plan"]).exits(0);
    folder.edit("main.aks", "identity \"team\"", "identity \"crew\"");
    folder.edit("main.aks", "identity.team", "identity.crew");
    let _ = folder.akson(&["apply", "a.plan"]).exits(0);
    folder.settled();
}

/// Who moved it, with what and by which operation, as Azure wrote it down; what the configuration moved has nobody.
#[test]
fn it_is_told_who_moved_it() {
    let folder = drift::applied(drift::SHOP);
    folder.edit("main.aks", "\"platform\"", "\"security\"");
    let _ = folder.akson(&["plan", "--out", "a.plan"]).exits(0);
    drift::behind(&folder, async |world| {
        let portal = world.emulator.god().token_through(drift::TOM, drift::PORTAL, drift::ARM).unwrap();
        let open = json!({ "properties": { "networkAcls": { "defaultAction": "Allow" } } });
        world.send(&portal, "Mozilla", &format!("PATCH {}?api-version=2023-07-01", world.vault()), open).await;
    });
    let moved = stale(&folder, &[]);
    assert_eq!(moved.len(), 1, "{moved:#?}");
    assert_eq!((&moved[0]["address"], &moved[0]["approved"]), (&json!("vault.shop"), &json!("no_op")));
    assert_eq!(
        (&moved[0]["fields"][0]["attribute"], &moved[0]["fields"][0]["moved"]),
        (&json!("network"), &json!("outside"))
    );
    let by = &moved[0]["by"][0];
    assert_eq!((&by["who"], &by["application"]), (&json!("tom@example.com"), &json!("Azure portal")), "{moved:#?}");
    let human = folder.akson(&["apply", "a.plan"]).exits(5);
    let _ = human.says("by tom@example.com, Azure portal").says("activity log");

    let _ = folder.apply().exits(0);
    folder.edit("main.aks", "\"security\"", "\"operations\"");
    let _ = folder.akson(&["plan", "--out", "a.plan"]).exits(0);
    folder.edit("main.aks", "\"operations\"", "\"finance\"");
    let moved = stale(&folder, &[]);
    assert_eq!(moved[0]["fields"][0]["moved"], "configuration", "{moved:#?}");
    assert!(moved[0].get("by").is_none(), "{moved:#?}");
}
