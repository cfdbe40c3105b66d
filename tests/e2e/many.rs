//! `check --each` and `plan --each`: many stacks in one run. One document for programs that take one, a line a stack, and the gravest end.

use akson_tests::Folder;
use serde_json::Value;

use super::watch::{applied, own};

fn stack(name: &str) -> String {
    format!(
        "stack \"{name}\" {{\n  location = \"westeurope\"\n}}\n\nresource_group \"main\" {{\n  name = \"{name}-rg\"\n}}\n"
    )
}

/// Two stacks that are right, and a folder that is none.
fn stacks() -> Folder {
    let folder = Folder::new();
    folder.write("stacks/mail/main.aks", &stack("mail"));
    folder.write("stacks/shop/main.aks", &stack("shop"));
    folder.write("stacks/module/main.aks", "variable \"x\" { type = string }\n");
    folder
}

/// The same mistake in both.
fn broken() -> Folder {
    let folder = stacks();
    for name in ["mail", "shop"] {
        folder.write(&format!("stacks/{name}/more.aks"), "resource_group \"more\" {\n  nam = \"x\"\n}\n");
    }
    folder.write("stacks/web/main.aks", &stack("web"));
    folder
}

#[test]
fn all_are_checked_as_if_they_were_one() {
    let folder = stacks();
    let ran = folder.akson(&["check", "--each", "stacks/*"]).exits(0);
    assert_eq!(ran.stdout, "stacks/mail  ok      1 resource\nstacks/shop  ok      1 resource\n2 stacks: 2 ok\n");
    let folder = broken();
    let ran = folder.akson(&["check", "--each", "stacks/*"]).exits(1);
    assert!(ran.stdout.ends_with("3 stacks: 1 ok, 2 failed\n"), "{}", ran.stdout);
    assert!(ran.stderr.contains("--> stacks/mail/more.aks:2:3") && ran.stderr.contains("--> stacks/shop/more.aks:2:3"));
    let lines = folder.akson(&["check", "--each", "stacks/*", "--format", "json"]).exits(1).json_lines();
    let folders: Vec<&str> = lines.iter().map(|line| line["folder"].as_str().unwrap()).collect();
    assert_eq!(folders, ["stacks/mail", "stacks/shop", "stacks/web"]);
    assert_eq!(lines[1]["diagnostics"][0]["labels"][0]["file"], "stacks/shop/more.aks");
    assert_eq!((&lines[2]["resources"], &lines[2]["summary"]["errors"]), (&1.into(), &0.into()));
    // One document; and what is the same in two stacks is two alerts, whichever of them is there.
    let alerts = |folder: &Folder| -> Vec<(String, String)> {
        let log = folder.akson(&["check", "--each", "stacks/*", "--format", "sarif"]).json();
        assert_eq!(log["runs"].as_array().unwrap().len(), 1);
        let results = log["runs"][0]["results"].as_array().unwrap().clone();
        let place = |result: &Value| result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].clone();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        results.iter().map(|r| (text(&place(r)), text(&r["partialFingerprints"]["akson/v1"]))).collect()
    };
    let both = alerts(&folder);
    let own: Vec<_> = both.iter().filter(|(file, _)| file == "stacks/shop/more.aks").collect();
    assert!(!own.is_empty() && own.len() < both.len(), "{both:?}");
    std::fs::remove_file(folder.path().join("stacks/mail/more.aks")).unwrap();
    let one = alerts(&folder);
    assert_eq!(one.iter().collect::<Vec<_>>(), own);
    let junit = folder.akson(&["check", "--each", "stacks/*", "--format", "junit"]).exits(1).stdout;
    assert_eq!((junit.matches("<?xml").count(), junit.matches("<testsuites").count()), (1, 1), "{junit}");
}

#[test]
fn all_are_planned_and_saved_where_they_are() {
    let folder = stacks();
    let plan = ["plan", "--each", "stacks/*", "--out", "app.plan", "--detailed-exitcode"];
    let ran = folder.akson(&plan).exits(2).says("saved 2 plans, each in the folder of its stack as app.plan");
    assert!(ran.stdout.starts_with("stacks/mail:\n  + resource_group.main"), "{}", ran.stdout);
    let sum = "stacks/mail  changes     1 to create\nstacks/shop  changes     1 to create\n2 stacks: 2 changes\n";
    assert!(ran.stdout.ends_with(sum), "{}", ran.stdout);
    let _ = folder.akson(&["-C", "stacks/mail", "apply", "app.plan"]).exits(0);
    let lines = folder.akson(&["plan", "--each", "**", "--jobs", "4", "--format", "json"]).exits(0).json_lines();
    let told: Vec<_> = lines.iter().map(|line| (line["stack"].as_str().unwrap(), &line["outcome"])).collect();
    assert_eq!(told, [("mail", &"no_changes".into()), ("shop", &"changes".into())]);
    assert_eq!(lines[1]["plan"]["changes"][0]["source"]["file"], "stacks/shop/main.aks");
    let _ = folder.akson(&["-C", "stacks/shop", "apply", "--auto-approve"]).exits(0);
    let ran = folder.akson(&["plan", "--each", "stacks/*", "--detailed-exitcode"]).exits(0);
    assert!(ran.stdout.ends_with("2 stacks: 2 no changes\n") && !ran.stdout.contains("stacks/mail:"), "{}", ran.stdout);
}

#[test]
fn whoever_looks_at_many_names_files_with_their_folder() {
    let folder = broken();
    let ran = folder.akson(&["drift", "--each", "stacks/*"]).exits(1);
    assert!(ran.stderr.contains("--> stacks/mail/more.aks:2:3"), "{}", ran.stderr);
    // A stack below the folder of the run, edited by somebody else.
    let (mut folder, emulator) = applied();
    std::fs::create_dir_all(folder.path().join("stacks/app")).unwrap();
    std::fs::rename(folder.path().join("main.aks"), folder.path().join("stacks/app/main.aks")).unwrap();
    folder.use_emulator(&emulator.url);
    let _ = folder.akson(&["-C", "stacks/app", "apply", "--auto-approve"]).exits(0);
    own(&emulator, "somebody else");
    let drift =
        ["drift", "--each", "stacks/*", "--report", "sarif=log-{stack}.sarif", "--report", "junit=log-{stack}.xml"];
    let _ = folder.akson(&drift).exits(2);
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let sarif: Value = serde_json::from_str(&read("log-stacks/app.sarif")).unwrap();
    let place = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "stacks/app/main.aks");
    assert!(read("log-stacks/app.xml").contains("file=\"stacks/app/main.aks\""), "{}", read("log-stacks/app.xml"));
}

#[test]
fn the_worst_of_them_is_the_end() {
    let folder = broken();
    let ran = folder.akson(&["plan", "--each", "stacks/*", "--detailed-exitcode"]).exits(1);
    assert!(ran.stdout.contains("stacks/mail  failed      AKS0206: `resource_group` has no attribute `nam`\n"));
    assert!(ran.stdout.ends_with("3 stacks: 1 changes, 2 failed\n"), "{}", ran.stdout);
    let lines = folder.akson(&["plan", "--each", "stacks/*", "--format", "json"]).exits(1).json_lines();
    assert_eq!((&lines[0]["error"]["code"], &lines[0]["plan"]), (&"AKS0206".into(), &Value::Null));
    // A guard of all of them.
    let folder = stacks();
    folder.write("akson.guard", "guard {\n  tenants = []\n}\n");
    let ran = folder.akson(&["plan", "--each", "stacks/*", "--out", "app.plan", "--guard", "akson.guard"]).exits(6);
    assert!(ran.stdout.contains("stacks/mail  refused     AKS0441: "), "{}", ran.stdout);
    assert!(!folder.path().join("stacks/mail/app.plan").exists());
}

#[test]
fn what_is_of_one_stack_is_refused() {
    let folder = stacks();
    for flags in [
        &["--target", "resource_group.main"][..],
        &["--replace", "resource_group.main"],
        &["--snapshot", "x"],
        &["--outputs", "x"],
        &["--out", "/x"],
        &["--format", "markdown"],
        &["--record", "x"],
        &["--shard", "3/2"],
    ] {
        let arguments: Vec<&str> = ["plan", "--each", "stacks/*"].into_iter().chain(flags.iter().copied()).collect();
        let ran = folder.akson(&arguments).exits(64);
        assert!(ran.stderr.starts_with("error: "), "{}", ran.stderr);
    }
    for command in ["check", "plan"] {
        let _ = folder.akson(&[command, "--each", "nowhere/*"]).exits(1).says("AKS0672");
        // Each stack is of one part.
        let parts =
            ["1/2", "2/2"].map(|part| folder.akson(&[command, "--each", "**", "--shard", part]).exits(0).stdout);
        let seen: Vec<bool> = parts.iter().map(|part| part.contains("stacks/mail  ")).collect();
        assert_eq!(seen.iter().filter(|seen| **seen).count(), 1, "{parts:?}");
    }
}
