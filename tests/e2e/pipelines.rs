//! The action and the pipelines that are there to be copied: what they may say, and their life, step by step, with their own shell.

use std::{fs, process::Command};

use akson_tests::{
    Folder,
    pipeline::{
        Machine, devops,
        expression::Context,
        github::{self, Ended, Flow},
        yaml,
    },
    root,
};
use serde_json::{Value, json};

use super::stacks::TEAMS;

/// Every `run` and inline script below, with every `uses`.
fn scripts(value: &Value, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str() {
                    Some(text) if matches!(name.as_str(), "run" | "bash" | "inlineScript" | "uses") => {
                        found.push((name.clone(), text.to_owned()));
                    }
                    _ => scripts(member, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| scripts(item, found)),
        _ => {}
    }
}

const WORKFLOWS: [&str; 5] = [
    "examples/pipelines/github/plan.yml",
    "examples/pipelines/github/apply.yml",
    "examples/pipelines/github/drift.yml",
    "examples/pipelines/github/fork.yml",
    "crates/akson-cli/src/commands/init/pipeline.yml",
];
const OTHERS: [&str; 4] = [
    "action.yml",
    "examples/pipelines/azure-devops/plan.yml",
    "examples/pipelines/azure-devops/apply.yml",
    "examples/pipelines/azure-devops/drift.yml",
];

#[test]
fn scripts_are_sound_and_take_nothing_untrusted_in() {
    for path in WORKFLOWS.iter().chain(&OTHERS) {
        let mut found = Vec::new();
        scripts(&yaml(path), &mut found);
        assert!(!found.is_empty(), "{path}");
        for (name, text) in found {
            if name == "uses" {
                let (action, at) = text.split_once('@').unwrap();
                let is_pinned = at.len() == 40 && at.bytes().all(|byte| byte.is_ascii_hexdigit());
                assert!(is_pinned || text == "OWNER/akson@VERSION", "{path}: {action} is not pinned");
                continue;
            }
            // What a person wrote elsewhere reaches a script as a variable, never as its text.
            assert!(!text.contains("${{"), "{path}: {text}");
            let read = Command::new("bash").args(["-n", "-c", &text]).output().unwrap();
            assert!(read.status.success(), "{path}: {}", String::from_utf8_lossy(&read.stderr));
        }
    }
}

#[test]
fn workflows_have_the_least_rights_and_ask_for_what_there_is() {
    let action = yaml("action.yml");
    for path in WORKFLOWS {
        let flow = yaml(path);
        assert!(flow["on"].get("pull_request_target").is_none(), "{path}");
        let permissions = flow["permissions"].as_object().unwrap_or_else(|| panic!("{path}: permissions"));
        assert_eq!(permissions["contents"], "read", "{path}");
        let forks = path.ends_with("fork.yml");
        assert!(!forks || permissions.len() == 1, "{path}: a fork's job may read and nothing else");
        let text = fs::read_to_string(root().join(path)).unwrap();
        assert!(!text.contains("secrets."), "{path}");
        for (name, job) in flow["jobs"].as_object().unwrap() {
            let steps = job["steps"].as_array().unwrap();
            for step in steps {
                let uses = step["uses"].as_str().unwrap_or_default();
                for input in step["with"].as_object().into_iter().flatten().map(|(input, _)| input) {
                    let known = uses != "OWNER/akson@VERSION" || action["inputs"].get(input).is_some();
                    assert!(known, "{path}, {name}: the action has no input `{input}`");
                }
                let keeps = uses.starts_with("actions/checkout@") && step["with"]["persist-credentials"] != false;
                assert!(!keeps, "{path}, {name}: a checkout leaves its token behind");
            }
            for part in text.split("steps.").skip(1).filter(|part| part.contains(".outputs.")) {
                let Some((id, rest)) = part.split_once(".outputs.") else { continue };
                if !id.bytes().all(|byte| byte.is_ascii_lowercase()) {
                    continue;
                }
                let output: String =
                    rest.chars().take_while(|letter| letter.is_ascii_lowercase() || *letter == '-').collect();
                assert!(action["outputs"].get(&output).is_some(), "{path}: the action has no output `{output}`");
                assert!(text.contains(&format!("id: {id}\n")), "{path}: there is no step `{id}`");
            }
        }
    }
}

const GROUP: &str = "/resourceGroups/teams-rg";

/// A machine with a stack checked out; none, and it says so, if this machine has no jq.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn machine() -> Option<Machine> {
    let machine = Machine::new(Folder::with(TEAMS));
    if machine.is_none() {
        eprintln!("skipped: there is no jq here");
    }
    machine
}

fn event(members: &[(&str, &str)]) -> Context {
    let own = [("github.repository", "example/app"), ("github.token", "job-token"), ("vars.AZURE_TENANT_ID", "unused")];
    own.iter().chain(members).map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect()
}

fn pull_request_from(repository: &str) -> Context {
    let from = ("github.event.pull_request.head.repo.full_name", repository);
    event(&[("github.event_name", "pull_request"), ("github.base_ref", "main"), from])
}

fn push() -> Context {
    event(&[("github.event_name", "push")])
}

/// A workflow with nothing between its jobs.
fn run(machine: &Machine, path: &str, event: &Context) -> Flow {
    github::run(machine, &yaml(path), event, &mut |_| {})
}

#[track_caller]
fn ends(machine: &Machine, flow: &Flow, expected: &[(&str, Ended)]) {
    let ended: Vec<(&str, Ended)> = flow.ended.iter().map(|(name, end)| (name.as_str(), *end)).collect();
    assert_eq!(ended, expected, "{}", machine.file("log"));
}

/// Somebody changes a tag of the stack's group outside.
fn retag(machine: &Machine, owner: &str) {
    let world = machine.folder.world();
    let ids = world.god().ids();
    let group = ids.iter().find(|id| id.ends_with(&GROUP.to_ascii_lowercase())).expect("the group is there");
    assert!(world.god().edit(group, |group| group["tags"]["owner"] = owner.into()).unwrap());
}

/// The action alone, in a job that tells its outputs.
fn action(machine: &Machine, inputs: &Value) -> (Ended, Context) {
    let outputs = yaml("action.yml")["outputs"].clone();
    let names = outputs.as_object().unwrap().keys();
    let told: Value =
        names.map(|name| (name.clone(), Value::from(format!("${{{{ steps.it.outputs.{name} }}}}")))).collect();
    let step = json!({ "id": "it", "uses": "OWNER/akson@VERSION", "with": inputs });
    let flow = json!({ "jobs": { "it": { "outputs": told, "steps": [step] } } });
    let flow = github::run(machine, &flow, &pull_request_from("example/app"), &mut |_| {});
    let told = flow.context.into_iter().filter_map(|(path, value)| {
        let name = path.strip_prefix("needs.it.outputs.")?;
        Some((name.to_owned(), value))
    });
    (flow.ended["it"], told.collect())
}

#[test]
fn the_action_says_what_came_of_it() {
    let Some(machine) = machine() else { return };
    let (ended, _) = action(&machine, &json!({ "command": "check", "install": "path" }));
    assert_eq!(ended, Ended::Success, "{}", machine.file("log"));
    let (ended, planned) = action(&machine, &json!({ "command": "plan", "comment": true }));
    assert_eq!((ended, planned["has-changes"].as_str(), planned["exit-code"].as_str()), (Ended::Success, "true", "0"));
    assert!(planned["digest"].starts_with("sha256:") && planned["create"] != "0", "{planned:?}");
    assert!(machine.file("summary").starts_with("<!-- akson:plan stack="));
    assert_eq!(machine.list("comments").len(), 1);
    let plan = &planned["plan-file"];
    let (ended, applied) = action(&machine, &json!({ "command": "apply", "plan-file": plan }));
    assert_eq!((ended, &applied["digest"], applied["exit-code"].as_str()), (Ended::Success, &planned["digest"], "0"));
    assert!(machine.file("summary").ends_with("**Applied.**\n"));
    // What was approved is not what would be done now.
    let (ended, stale) = action(&machine, &json!({ "command": "apply", "plan-file": plan }));
    assert_eq!((ended, stale["exit-code"].as_str()), (Ended::Failure, "5"));
    assert!(machine.file("summary").contains("what was approved is not what would be done now"));
    let (ended, drift) = action(&machine, &json!({ "command": "drift" }));
    assert_eq!((ended, drift["has-changes"].as_str()), (Ended::Success, "false"));
    for wrong in [
        json!({ "command": "plan", "args": "--detailed-exitcode\n\n--parallelism-that-is-none" }),
        json!({ "command": "destroy" }),
        json!({ "install": "anyhow" }),
    ] {
        let (ended, told) = action(&machine, &wrong);
        let code = if wrong["install"].is_null() { "64" } else { "" };
        assert_eq!((ended, told["exit-code"].as_str()), (Ended::Failure, code), "{wrong}");
    }
}

#[test]
fn a_life_on_github() {
    use Ended::{Failure, Skipped, Success};
    let Some(machine) = machine() else { return };
    let (plan, apply, drift) = (WORKFLOWS[0], WORKFLOWS[1], WORKFLOWS[2]);
    // A pull request, twice: one comment.
    let own = pull_request_from("example/app");
    for _ in 0..2 {
        ends(&machine, &run(&machine, plan, &own), &[("plan", Success)]);
        let comments = machine.list("comments");
        assert_eq!(comments.len(), 1, "{comments:?}");
        assert!(comments[0]["body"].as_str().unwrap().starts_with("<!-- akson:plan stack="));
    }
    assert!(machine.place("artifacts/akson-plan/akson.plan").exists());
    // Merged: the plan of the push is that of the pull request.
    fs::rename(machine.place("artifacts"), machine.place("reviewed")).unwrap();
    fs::rename(machine.place("reviewed/akson-plan"), machine.place("reviewed-artifact")).unwrap();
    machine.put("pulls.json", "[{\"number\":7,\"head\":{\"sha\":\"0ff1ce\"}}]");
    machine.put("runs.json", "[{\"databaseId\":9}]");
    machine.put("summary", "");
    ends(&machine, &run(&machine, apply, &push()), &[("apply", Success), ("plan", Success)]);
    assert!(machine.file("summary").contains("The same plan as reviewed in #7."), "{}", machine.file("summary"));
    assert!(machine.file("summary").ends_with("**Applied.**\n"));
    assert!(machine.file("asked").contains("run list --workflow plan.yml --commit 0ff1ce --status success"));
    machine.folder.settled();
    // Nothing is left to do: nobody is asked to approve nothing, and it is not the plan of the pull request any more.
    machine.put("summary", "");
    ends(&machine, &run(&machine, apply, &push()), &[("apply", Skipped), ("plan", Success)]);
    assert!(machine.file("summary").contains("**Not the plan that was reviewed in #7**"));

    // At night: nothing; then somebody changed something, for two nights; then it is undone.
    ends(&machine, &run(&machine, drift, &push()), &[("drift", Success)]);
    assert!(machine.list("issues").is_empty());
    for owner in ["tom", "ann"] {
        retag(&machine, owner);
        ends(&machine, &run(&machine, drift, &push()), &[("drift", Success)]);
        let issues = machine.list("issues");
        assert_eq!((issues.len(), issues[0]["state"].as_str()), (1, Some("open")));
        assert_eq!(issues[0]["title"], "Drift in stack teams");
        assert!(issues[0]["body"].as_str().unwrap().contains(owner), "{issues:?}");
    }
    // Between plan and approval somebody changes it again.
    let mut between = |job: &str| {
        if job == "apply" {
            retag(&machine, "eve");
        }
    };
    let stale = github::run(&machine, &yaml(apply), &push(), &mut between);
    ends(&machine, &stale, &[("apply", Failure), ("plan", Success)]);
    assert!(machine.file("summary").contains("what was approved is not what would be done now"));
    ends(&machine, &run(&machine, apply, &push()), &[("apply", Success), ("plan", Success)]);
    ends(&machine, &run(&machine, drift, &push()), &[("drift", Success)]);
    assert_eq!(machine.list("issues")[0]["state"], "closed");
    assert_eq!(machine.list("issues")[0]["said"], "No drift any more.");
}

#[test]
fn the_pipeline_that_init_writes() {
    use Ended::{Skipped, Success};
    let Some(machine) = machine() else { return };
    let flow = WORKFLOWS[4];
    ends(&machine, &run(&machine, flow, &pull_request_from("example/app")), &[("apply", Skipped), ("plan", Success)]);
    assert_eq!(machine.list("comments").len(), 1);
    ends(&machine, &run(&machine, flow, &push()), &[("apply", Success), ("plan", Skipped)]);
    machine.folder.settled();
}

#[test]
fn a_fork_gets_a_plan_without_credentials() {
    use Ended::{Failure, Skipped, Success};
    let Some(machine) = machine() else { return };
    let (plan, fork) = (WORKFLOWS[0], WORKFLOWS[3]);
    let theirs = pull_request_from("stranger/app");
    ends(&machine, &run(&machine, plan, &theirs), &[("plan", Skipped)]);
    ends(&machine, &run(&machine, fork, &pull_request_from("example/app")), &[("plan", Skipped)]);
    assert!(!machine.place("base").exists());
    fs::create_dir(machine.place("base")).unwrap();
    ends(&machine, &run(&machine, fork, &theirs), &[("plan", Success)]);
    assert!(machine.file("summary").contains("9 to create"), "{}", machine.file("summary"));
    assert!(machine.file("asked").is_empty(), "a fork's job asks GitHub for nothing");
    // What the base branch recorded of the real thing is planned from, if there is any.
    let _ = machine.folder.apply().exits(0);
    let recording = machine.place("base/plan.recording");
    let _ = machine.folder.akson(&["plan", "--record", recording.to_str().unwrap()]).exits(0);
    machine.folder.edit("main.aks", "owner = \"platform\"", "owner = \"stranger\"");
    machine.put("summary", "");
    ends(&machine, &run(&machine, fork, &theirs), &[("plan", Success)]);
    assert!(machine.file("summary").contains("stranger"), "{}", machine.file("summary"));
    // Their mistakes are told.
    machine.folder.edit("main.aks", "resource_group \"main\"", "resource_grope \"main\"");
    ends(&machine, &run(&machine, fork, &theirs), &[("plan", Failure)]);
}

#[test]
fn a_life_on_azure_devops() {
    let Some(machine) = machine() else { return };
    let (plan, apply, drift) = (yaml(OTHERS[1]), yaml(OTHERS[2]), yaml(OTHERS[3]));
    for _ in 0..2 {
        let planned = devops::run(&machine, &plan["steps"], true);
        assert!(!planned.failed, "{}", machine.file("log"));
        assert_eq!(planned.outputs["plan.has_changes"], "true");
        assert!(planned.summaries[0].starts_with("<!-- akson:plan stack="));
        let threads = machine.list("threads");
        assert_eq!((threads.len(), threads[0]["status"].as_str()), (1, Some("closed")));
        assert!(threads[0]["comments"][0]["content"].as_str().unwrap().starts_with("<!-- akson:plan stack="));
    }
    let first = &apply["stages"][0]["jobs"][0]["steps"];
    let second = &apply["stages"][1]["jobs"][0]["strategy"]["runOnce"]["deploy"]["steps"];
    let planned = devops::run(&machine, first, false);
    assert_eq!((planned.failed, planned.outputs["plan.has_changes"].as_str()), (false, "true"));
    let applied = devops::run(&machine, second, false);
    assert!(!applied.failed, "{}", machine.file("log"));
    machine.folder.settled();
    // The same plan once more is not what would be done now.
    let stale = devops::run(&machine, second, false);
    assert!(stale.failed && stale.issues[0].contains("not what would be done now"), "{:?}", stale.issues);
    let quiet = devops::run(&machine, &drift["steps"], false);
    assert!(!quiet.failed && quiet.issues.is_empty());
    retag(&machine, "tom");
    let found = devops::run(&machine, &drift["steps"], false);
    assert!(found.failed && found.issues[0].contains("something changed outside"), "{:?}", found.issues);
    assert!(found.summaries[0].contains("tom"));
    // What a guard file refuses is told on the pull request, too.
    machine.folder.write("akson.guard", "guard {\n  federated_credential_issuers = [\"https://nobody.example\"]\n}\n");
    machine.folder.edit("main.aks", "pipeline\"\n", "pipelines\"\n");
    let refused = devops::run(&machine, &plan["steps"], true);
    assert!(refused.failed, "{}", machine.file("log"));
    let comment = machine.list("threads")[0]["comments"][0]["content"].as_str().unwrap().to_owned();
    assert!(comment.contains("AKS044"), "{comment}");
}
