//! A ledger in a blob: shared by folders on several machines, locked by a lease, and told each time where it is.

use akson_tests::Folder;

use super::stacks::TEAMS;

const URL: &str = "https://platform.blob.core.windows.net/ledgers/teams.json";

fn shared() -> String {
    TEAMS.replacen("stack \"teams\" {", &format!("stack \"teams\" {{\n  ledger = azure_blob(\"{URL}\")"), 1)
}

#[test]
fn two_folders_share_one() {
    let text = shared();
    assert!(text.contains("azure_blob"), "{text}");
    let mut first = Folder::with(&text);
    let emulator = first.start_emulator(&["--time-scale", "200"]);
    first.use_emulator(&emulator.url);
    let _ = first.apply().exits(0).says(&format!("the ledger is {URL}"));
    assert!(!first.path().join(".akson/emulator/teams.json").exists(), "a ledger in a file as well");
    first.settled();
    let mut second = Folder::with(&text);
    second.use_emulator(&emulator.url);
    second.settled();
    let entries = second.akson(&["ledger", "show", "--format", "json"]).exits(0).json();
    assert_eq!(entries["entries"].as_array().unwrap().len(), 9);
    // By the flag, a configuration that does not name it has the same.
    let mut third = Folder::with(TEAMS);
    third.use_emulator(&emulator.url);
    let _ = third.akson(&["plan", "--detailed-exitcode", "--ledger", URL]).exits(0).says("No changes");
    let _ = second.akson(&["destroy", "--auto-approve"]).exits(0);
    let _ = first.akson(&["plan", "--detailed-exitcode"]).exits(2).says("9 to create");
}

#[test]
fn what_is_forgotten_stays_in_azure() {
    let folder = Folder::with(TEAMS);
    let _ = folder.apply().exits(0);
    let _ = folder.akson(&["ledger", "forget", "vault.nothing"]).exits(1).says("AKS0610");
    let _ = folder.akson(&["ledger", "forget", "vault.main"]).exits(0).says("forgotten: ");
    let entries = folder.akson(&["ledger", "show", "--format", "json"]).exits(0).json();
    assert_eq!(entries["entries"].as_array().unwrap().len(), 8);
    assert!(folder.world().god().ids().iter().any(|id| id.contains("teams-kv")), "it is still there");
    // It bears our mark and is declared, so that it is taken back without being touched.
    let _ = folder.apply().exits(0);
    let entries = folder.akson(&["ledger", "show", "--format", "json"]).exits(0).json();
    assert_eq!(entries["entries"].as_array().unwrap().len(), 9);
}

#[test]
fn places_that_are_none_and_locks() {
    let folder = Folder::with(TEAMS);
    let _ = folder.akson(&["plan", "--ledger", "teams.json"]).exits(1).says("AKS0609");
    let signed = format!("{URL}?sig=abc");
    let _ = folder.akson(&["plan", "--ledger", &signed]).exits(1).says("AKS0609");
    let _ = folder.akson(&["ledger", "unlock"]).exits(0).says("nothing to do");
    let _ = folder.akson(&["ledger", "unlock", "--ledger", URL]).exits(0).says("nobody holds the ledger");
}

#[test]
fn a_pipeline_does_not_go_on_without_the_ledger_of_the_runs_before() {
    let folder = Folder::with(TEAMS);
    let in_ci = |arguments: &[&str]| akson_tests::Ran::of(folder.command(arguments).env("CI", "true"));
    let _ = in_ci(&["apply", "--auto-approve"]).exits(0);
    let _ = in_ci(&["apply", "--auto-approve"]).exits(0);
    for entry in std::fs::read_dir(folder.path().join(".akson/emulator")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            std::fs::remove_file(path).unwrap();
        }
    }
    let _ = in_ci(&["plan"]).exits(0);
    let _ = in_ci(&["apply", "--auto-approve"]).exits(1).says("AKS0611");
    let _ = in_ci(&["apply", "--auto-approve", "--ledger", URL]).exits(0);
    let _ = in_ci(&["plan", "--detailed-exitcode", "--ledger", URL]).exits(0);
}
