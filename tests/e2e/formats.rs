//! What programs read.

use akson_tests::Folder;

use super::stacks::TEAMS;

#[test]
fn the_plan_document_has_its_shape() {
    let plan = Folder::with(TEAMS).plan();
    assert_eq!(plan["format_version"], "1");
    assert_eq!(plan["stack"], "teams");
    assert_eq!(plan["cloud"], "emulator");
    assert!(plan["digest"].as_str().unwrap().starts_with("sha256:"));
    assert_eq!(plan["summary"]["create"], 9);
    for name in ["update", "replace", "delete", "adopt", "forget", "no_op"] {
        assert_eq!(plan["summary"][name], 0, "{name}");
    }
    assert_eq!(plan["access"]["complete"], false);
    assert!(plan["requests"]["reads"].as_u64().unwrap() > 0);
    for change in plan["changes"].as_array().unwrap() {
        assert!(change["id"].is_null(), "{change}");
        assert_eq!(change["source"]["file"], "main.aks");
        assert!(change["source"]["line"].as_u64().unwrap() > 1);
        for reason in change["reasons"].as_array().unwrap() {
            for name in ["cause", "attribute", "before", "after", "sensitive", "known_after_apply", "effect"] {
                assert!(reason.get(name).is_some(), "{name} in {reason}");
            }
        }
    }
}

#[test]
fn apply_tells_one_event_a_line() {
    let folder = Folder::with(TEAMS);
    let events = folder.akson(&["apply", "--auto-approve", "--format", "json"]).exits(0).json_lines();
    let of = |name: &str| events.iter().filter(|event| event["event"] == name).count();
    assert_eq!(of("step_started"), 9);
    assert_eq!(of("step_succeeded"), 9);
    assert_eq!(of("step_failed"), 0);
    assert_eq!(events.last().unwrap()["event"], "summary");
    for event in &events {
        assert!(event["at"].is_string(), "{event}");
    }
}

#[test]
fn no_ops_are_listed_on_demand_and_reads_are_few() {
    let folder = Folder::with(TEAMS);
    let _ = folder.apply().exits(0);
    let plan = folder.akson(&["plan", "--format", "json", "--all"]).exits(0).json();
    assert_eq!(plan["changes"].as_array().unwrap().len(), 9);
    assert_eq!(plan["summary"]["no_op"], 9);
    let reads = plan["requests"]["reads"].as_u64().unwrap();
    assert!(reads <= 5 + 3, "{reads} reads");
}

#[test]
fn the_ledger_holds_ids_and_no_values() {
    let folder = Folder::with(TEAMS);
    let _ = folder.apply().exits(0);
    let ledger = folder.akson(&["ledger", "show", "--format", "json"]).exits(0).json();
    let entries = ledger["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 9);
    for entry in entries {
        assert_eq!(entry["state"], "owned");
        assert_eq!(entry["symbolic_id"].as_str().unwrap(), entry["id"].as_str().unwrap().to_lowercase());
        assert!(entry["kind"].is_string());
    }
    let text = std::fs::read_to_string(folder.path().join(".akson/emulator/teams.json")).unwrap();
    assert!(!text.contains("Holds the teams"), "a value in the ledger");
}

#[test]
fn check_speaks_every_format() {
    let folder = Folder::with("stack \"x\" { location = \"westeurope\" }\nresource_group \"a\" { nam = \"a-rg\" }\n");
    let check = |format: &str| folder.akson(&["check", "--format", format]).exits(1);
    let found = check("json").json();
    assert_eq!(found["summary"]["errors"], 1);
    let label = &found["diagnostics"][0]["labels"][0];
    assert_eq!(
        (label["file"].as_str(), label["line"].as_u64(), label["column"].as_u64()),
        (Some("main.aks"), Some(2), Some(22))
    );
    assert_eq!(check("sarif").json()["version"], "2.1.0");
    assert!(check("junit").stdout.starts_with("<?xml"));
    assert!(check("github").stdout.starts_with("::error "));
    assert!(check("concise").stderr.starts_with("main.aks:2:22: error[AKS"));
}

#[test]
fn the_graph_and_pages_print() {
    let folder = Folder::with(TEAMS);
    let _ = folder.akson(&["graph"]).exits(0).says("\"identity.team[\\\"mail\\\"]\" -> \"resource_group.main\"");
    let _ = folder.akson(&["graph", "--format", "mermaid"]).exits(0).says("graph LR");
    let _ = folder.akson(&["explain", "vault"]).exits(0).says("purge_protection");
    let _ = folder.akson(&["explain", "AKS0101"]).exits(0).says("AKS0101");
    let _ = folder.akson(&["explain", "cidrsubnet"]).exits(0);
    let _ = folder.akson(&["explain", "vualt"]).exits(1).says("did you mean `vault`");
    let _ = folder.akson(&["completions", "bash"]).exits(0).says("akson");
}
