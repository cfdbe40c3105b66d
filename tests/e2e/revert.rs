//! `drift --revert`: a plan that undoes what changed outside and nothing else, saved, shown and carried out as any other.

use akson_tests::{Folder, actions};

use super::stacks::TEAMS;

fn drifted() -> Folder {
    let folder = Folder::with(TEAMS);
    let _ = folder.apply().exits(0);
    let world = folder.world();
    let group = format!("/subscriptions/{}/resourceGroups/teams-rg", world.identity().subscription);
    assert!(world.god().edit(&group, |group| group["tags"]["owner"] = "mallory".into()).unwrap());
    let identity = format!("{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/team-mail");
    let credential = format!("{identity}/federatedIdentityCredentials/pipeline");
    assert!(world.god().delete_object(&credential).unwrap());
    drop(world);
    // Changes of the author's that are not applied yet: a new resource, one that goes, an attribute.
    folder.edit("main.aks", "[\"mail\", \"shop\", \"web\"]", "[\"mail\", \"shop\", \"cash\"]");
    folder.edit("main.aks", "{ owner = \"platform\" }", "{ owner = \"platform\", cost = \"a1\" }");
    folder
}

#[test]
fn it_undoes_drift_and_carries_nothing_else_along() {
    let folder = drifted();
    let plan = folder.akson(&["drift", "--revert", "--format", "json"]).exits(0).json();
    let both = ["federated_credential.pipeline[\"mail\"] create", "resource_group.main update"];
    assert_eq!(actions(&plan), both);
    let _ = folder.akson(&["drift", "--revert", "--out", "back.plan"]).exits(0).says("mallory");
    let shown = folder.akson(&["show", "back.plan", "--format", "json"]).exits(0).json();
    assert_eq!(shown["digest"], plan["digest"]);
    let _ = folder.akson(&["apply", "back.plan"]).exits(0);
    let _ = folder.akson(&["drift", "--no-unmanaged"]).exits(0);
    let world = folder.world();
    let group = format!("/subscriptions/{}/resourceGroups/teams-rg", world.identity().subscription);
    let tags = world.god().object(&group).unwrap()["tags"].clone();
    assert_eq!((tags["owner"].as_str(), tags.get("cost")), (Some("platform"), None));
    drop(world);
    // The author's changes are still to be done, as his.
    let plan = folder.plan();
    assert_eq!(plan["summary"]["delete"], 2);
    let causes = plan["changes"].as_array().unwrap().iter().flat_map(|change| change["reasons"].as_array().unwrap());
    assert!(causes.into_iter().all(|reason| reason["cause"] != "drift"));
    let _ = folder.apply().exits(0);
    folder.settled();
}

#[test]
fn only_what_is_named_and_only_if_it_is_still_the_same() {
    let folder = drifted();
    let _ = folder.akson(&["drift", "--revert", "resource_group.main", "--out", "back.plan"]).exits(0);
    let plan = folder.akson(&["show", "back.plan", "--format", "json"]).exits(0).json();
    assert_eq!(plan["summary"]["update"], 1);
    assert_eq!(plan["summary"]["create"], 0);
    let world = folder.world();
    let group = format!("/subscriptions/{}/resourceGroups/teams-rg", world.identity().subscription);
    assert!(world.god().edit(&group, |group| group["tags"]["owner"] = "eve".into()).unwrap());
    drop(world);
    let _ = folder.akson(&["apply", "back.plan"]).exits(5).says("eve");
    let _ = folder.akson(&["drift", "--revert", "resource_group.mian"]).exits(1).says("AKS0412");
    let _ = folder.akson(&["drift", "--out", "x.plan"]).exits(64);
    let _ = folder.akson(&["drift", "--revert", "--every", "5m"]).exits(64);
}
