//! One edit shows as one change, a rename as none, a change behind our back as drift.

use akson_tests::{Folder, actions};

use super::stacks::TEAMS;

fn applied() -> Folder {
    let folder = Folder::with(TEAMS);
    let _ = folder.apply().exits(0);
    folder
}

#[test]
fn one_edit_is_one_update() {
    let folder = applied();
    folder.edit("main.aks", "owner = \"platform\"", "owner = \"security\"");
    let plan = folder.plan();
    assert_eq!(actions(&plan), ["resource_group.main update"]);
    let reason = &plan["changes"][0]["reasons"][0];
    assert_eq!(reason["cause"], "config");
    assert_eq!(reason["attribute"], "tags.owner");
    assert_eq!((reason["before"].as_str(), reason["after"].as_str()), (Some("platform"), Some("security")));
    let _ = folder.akson(&["plan", "--detailed-exitcode"]).exits(2);
    let _ = folder.apply().exits(0);
    folder.settled();
}

#[test]
fn a_removed_instance_is_its_deletes() {
    let folder = applied();
    folder.edit("main.aks", "[\"mail\", \"shop\", \"web\"]", "[\"mail\", \"web\"]");
    assert_eq!(folder.actions(), ["federated_credential.pipeline[\"shop\"] delete", "identity.team[\"shop\"] delete"]);
    let _ = folder.apply().exits(0);
    folder.settled();
    assert!(!folder.world().god().ids().iter().any(|id| id.contains("team-shop")));
}

#[test]
fn a_rename_or_a_move_to_another_file_is_nothing() {
    let folder = applied();
    let text = TEAMS
        .replace("identity \"team\"", "identity \"crew\"")
        .replace("identity.team", "identity.crew")
        .replace("resource_group \"main\"", "resource_group \"all\"")
        .replace("resource_group.main", "resource_group.all");
    let (before, after) = text.split_once("vault \"main\"").unwrap();
    folder.write("main.aks", before);
    folder.write("vault.aks", &format!("vault \"main\"{after}"));
    folder.settled();
}

#[test]
fn a_change_behind_our_back_is_drift() {
    let folder = applied();
    let subscription = {
        let world = folder.world();
        let subscription = world.identity().subscription.clone();
        let id = format!("/subscriptions/{subscription}/resourceGroups/teams-rg");
        assert!(world.god().edit(&id, |group| group["tags"]["owner"] = "somebody else".into()).unwrap());
        subscription
    };
    let drift = folder.akson(&["drift"]).exits(2).says("somebody else");
    drop(drift);
    let plan = folder.plan();
    assert_eq!(actions(&plan), ["resource_group.main update"]);
    assert_eq!(plan["changes"][0]["reasons"][0]["cause"], "drift");
    let _ = folder.apply().exits(0);
    folder.settled();
    let _ = folder.akson(&["drift"]).exits(0);
    // Deleted outside: it comes back.
    let id = format!(
        "/subscriptions/{subscription}/resourceGroups/teams-rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/team-mail/federatedIdentityCredentials/pipeline"
    );
    assert!(folder.world().god().delete_object(&id).unwrap());
    assert_eq!(folder.actions(), ["federated_credential.pipeline[\"mail\"] create"]);
    let _ = folder.apply().exits(0);
    folder.settled();
}

#[test]
fn what_others_added_is_left_alone() {
    let folder = applied();
    {
        let world = folder.world();
        let subscription = world.identity().subscription.clone();
        let id = format!("/subscriptions/{subscription}/resourceGroups/teams-rg");
        assert!(world.god().edit(&id, |group| group["tags"]["cost"] = "a1".into()).unwrap());
    }
    folder.settled();
    folder.edit("main.aks", "owner = \"platform\"", "owner = \"security\"");
    let _ = folder.apply().exits(0);
    let world = folder.world();
    let subscription = world.identity().subscription.clone();
    let group = world.god().object(&format!("/subscriptions/{subscription}/resourceGroups/teams-rg")).unwrap();
    assert_eq!(group["tags"]["cost"], "a1");
    assert_eq!(group["tags"]["owner"], "security");
}

#[test]
fn what_exists_is_adopted() {
    let folder = Folder::with(TEAMS);
    let _ = folder.apply().exits(0);
    std::fs::remove_file(folder.path().join(".akson/emulator/teams.json")).unwrap();
    // Without a ledger what bears our marker is taken back, and nothing is changed.
    let _ = folder.apply().exits(0);
    folder.settled();
}

#[test]
fn protect_and_keep_hold() {
    let folder = Folder::with(&TEAMS.replace(
        "  name           = \"teams-kv-7421\"",
        "  protect        = true\n  name           = \"teams-kv-7421\"",
    ));
    let _ = folder.apply().exits(0);
    let _ = folder.akson(&["destroy", "--auto-approve"]).exits(1).says("protect");
    let text = std::fs::read_to_string(folder.path().join("main.aks")).unwrap();
    folder.write("main.aks", &text.replace("protect        = true", "on_remove      = keep"));
    let _ = folder.apply().exits(0);
    let (before, rest) = text.split_once("vault \"main\"").unwrap();
    let (_, outputs) = rest.split_once("output ").unwrap();
    folder.write("main.aks", &format!("{before}output {outputs}"));
    assert_eq!(folder.actions(), ["lock.main delete", "vault.main forget"]);
    let _ = folder.apply().exits(0);
    folder.settled();
    assert!(folder.world().god().ids().iter().any(|id| id.ends_with("/vaults/teams-kv-7421")));
}
