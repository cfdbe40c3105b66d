//! The main job: apply, nothing left to do, outputs, destroy.

use akson_tests::Folder;

#[test]
fn the_example_comes_up_and_stays() {
    let folder = Folder::example("myapp");
    let _ = folder.apply().exits(0).says("issuer");
    folder.settled();
    let _ = folder.apply().exits(0).says("No changes");
    let plan = folder.akson(&["plan", "--format", "json"]).exits(0).json();
    let reads = plan["requests"]["reads"].as_u64().unwrap();
    assert!(reads <= 35, "a plan of the whole domain takes {reads} requests");
}

#[test]
fn every_example_checks_applies_and_is_settled() {
    for entry in std::fs::read_dir(akson_tests::root().join("examples")).unwrap() {
        let entry = entry.unwrap();
        // Of those without a configuration, what they are is tried elsewhere: see `pipelines`.
        if !entry.path().join("main.aks").exists() {
            continue;
        }
        let name = entry.file_name().into_string().unwrap();
        let folder = Folder::example(&name);
        let _ = folder.akson(&["fmt", "--check"]).exits(0);
        let _ = folder.akson(&["check"]).exits(0);
        let _ = folder.apply().exits(0);
        folder.settled();
        let _ = folder.akson(&["destroy", "--auto-approve"]).exits(0);
        // What was deleted can be brought back, also a vault whose name is still taken.
        let _ = folder.apply().exits(0);
        folder.settled();
    }
}

#[test]
fn what_init_writes_works() {
    let folder = Folder::new();
    let _ = folder.akson(&["init"]).exits(0);
    let _ = folder.akson(&["fmt", "--check"]).exits(0);
    let _ = folder.akson(&["check"]).exits(0);
    let _ = folder.apply().exits(0);
    folder.settled();
    let _ = folder.akson(&["init"]).exits(1);
    // A folder is made where it is asked for, below the folder of `-C`.
    let _ = folder.akson(&["init", "demo"]).exits(0).says("akson -C ./demo apply");
    let _ = folder.akson(&["-C", "demo", "check"]).exits(0);
    let _ = folder.akson(&["-C", "demo", "init", "deeper"]).exits(0);
    assert!(folder.path().join("demo/deeper/main.aks").exists());
}

#[test]
fn destroy_leaves_nothing_of_ours_and_all_that_is_foreign() {
    let folder = Folder::with(super::stacks::TEAMS);
    let _ = folder.apply().exits(0);
    let foreign = {
        let world = folder.world();
        let subscription = world.identity().subscription.clone();
        let group = format!("/subscriptions/{subscription}/resourceGroups/foreign-rg");
        let identity = format!("{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/foreign");
        let seeded = world.seed(vec![serde_json::json!({
            "id": identity, "name": "foreign", "type": "Microsoft.ManagedIdentity/userAssignedIdentities", "location": "westeurope"
        })]);
        seeded.expect("a foreign object can be seeded");
        identity.to_lowercase()
    };
    let _ = folder.akson(&["destroy", "--auto-approve"]).exits(0);
    let world = folder.world();
    let left: Vec<String> = world.god().ids().into_iter().filter(|id| id.contains("/resourcegroups/")).collect();
    assert!(left.contains(&foreign), "{left:?}");
    assert!(!left.iter().any(|id| id.contains("teams-rg")), "{left:?}");
    drop(world);
    let ledger = folder.akson(&["ledger", "show", "--format", "json"]).exits(0).json();
    let owned: Vec<_> =
        ledger["entries"].as_array().unwrap().iter().filter(|entry| entry["state"] == "owned").collect();
    assert!(owned.is_empty(), "{owned:?}");
}

#[test]
fn a_group_with_foreign_content_is_not_deleted() {
    let folder = Folder::with(super::stacks::TEAMS);
    let _ = folder.apply().exits(0);
    let subscription = {
        let world = folder.world();
        let subscription = world.identity().subscription.clone();
        let id = format!(
            "/subscriptions/{subscription}/resourceGroups/teams-rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/foreign"
        );
        let seeded = world.seed(vec![serde_json::json!({
            "id": id, "name": "foreign", "type": "Microsoft.ManagedIdentity/userAssignedIdentities", "location": "westeurope"
        })]);
        seeded.expect("a foreign object can be seeded");
        subscription
    };
    let _ = folder.akson(&["destroy", "--auto-approve"]);
    let left = folder.world().god().ids();
    let group = format!("/subscriptions/{subscription}/resourcegroups/teams-rg");
    assert!(left.contains(&group), "{left:?}");
    assert!(left.contains(&format!("{group}/providers/microsoft.managedidentity/userassignedidentities/foreign")));
    assert!(!left.iter().any(|id| id.contains("team-mail")), "{left:?}");
}
