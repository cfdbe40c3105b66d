//! A saved plan: executed if it is still the same, refused with the reason if it is not.

use akson_tests::Folder;

use super::stacks::TEAMS;

#[test]
fn the_same_plan_is_executed_without_asking() {
    let folder = Folder::with(TEAMS);
    let _ = folder.akson(&["plan", "--out", "a.plan"]).exits(0);
    let shown = folder.akson(&["show", "a.plan", "--format", "json"]).exits(0).json();
    assert_eq!(shown["digest"], folder.plan()["digest"]);
    let _ = folder.akson(&["show", "a.plan"]).exits(0).says("vault.main");
    let _ = folder.akson(&["show", "a.plan", "--format", "markdown"]).exits(0).says("vault.main");
    let _ = folder.akson(&["apply", "a.plan"]).exits(0);
    folder.settled();
    let _ = folder.akson(&["apply", "a.plan"]).exits(5);
}

#[test]
fn another_plan_is_refused_and_nothing_changes() {
    let folder = Folder::with(TEAMS);
    let _ = folder.apply().exits(0);
    folder.edit("main.aks", "owner = \"platform\"", "owner = \"security\"");
    let _ = folder.akson(&["plan", "--out", "a.plan"]).exits(0);
    folder.edit("main.aks", "owner = \"security\"", "owner = \"mallory\"");
    let _ = folder.akson(&["apply", "a.plan"]).exits(5).says("tags.owner");
    assert_eq!(folder.actions(), ["resource_group.main update"]);
}

#[test]
fn a_broken_plan_file_is_refused() {
    let folder = Folder::with(TEAMS);
    folder.write("a.plan", "{\"format\": 1");
    let _ = folder.akson(&["apply", "a.plan"]).exits(1).says("AKS0684");
    let _ = folder.akson(&["apply", "missing.plan"]).exits(1).says("AKS0684");
}

#[test]
fn the_digest_knows_no_names() {
    let folder = Folder::with(TEAMS);
    let before = folder.plan()["digest"].clone();
    folder.write(
        "main.aks",
        &TEAMS
            .replace("resource_group.main", "resource_group.x")
            .replace("resource_group \"main\"", "resource_group \"x\""),
    );
    assert_eq!(folder.plan()["digest"], before);
    folder.write("main.aks", &TEAMS.replace("platform", "security"));
    assert_ne!(folder.plan()["digest"], before);
}
