//! The action and the pipelines that are there to be copied: what they may say, and the action's own commands as a runner runs them, with the
//! emulator in place of Azure and a script in place of `gh`.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf, process::Command};

use akson_tests::{Folder, Ran, binary, root};
use serde_json::Value;

fn yaml(path: &str) -> Value {
    let text = fs::read_to_string(root().join(path)).unwrap();
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

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

/// A runner's folder, around a folder with a configuration.
struct Runner {
    folder: Folder,
    temp: tempfile::TempDir,
}

impl Runner {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let bin = temp.path().join("bin");
        fs::create_dir(&bin).unwrap();
        std::os::unix::fs::symlink(binary(), bin.join("akson")).unwrap();
        // It answers a question with what the file `ids` has, and notes what it was asked.
        fs::write(bin.join("gh"), "#!/bin/sh\nprintf '%s\\n' \"$*\" >>\"$RUNNER_TEMP/asked\"\ncase \"$*\" in *paginate*) cat \"$RUNNER_TEMP/ids\" ;; esac\n").unwrap();
        fs::set_permissions(bin.join("gh"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(temp.path().join("ids"), "").unwrap();
        fs::write(temp.path().join("event.json"), "{\"pull_request\":{\"number\":7}}").unwrap();
        let folder = Folder::with(super::stacks::TEAMS);
        Self { folder, temp }
    }

    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.temp.path().join(name)).unwrap_or_default()
    }

    /// Runs a step of the action, as a runner does; what it told later steps.
    fn step(&self, name: &str, environment: &[(&str, &str)], code: i32) -> String {
        let action = yaml("action.yml");
        let steps = action["runs"]["steps"].as_array().unwrap();
        let step = steps.iter().find(|step| step["name"] == name).unwrap();
        let output: PathBuf = self.temp.path().join("output");
        fs::write(&output, "").unwrap();
        let path = format!("{}:{}", self.temp.path().join("bin").display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("bash");
        command
            .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"].as_str().unwrap()])
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", path)
            .env("AKSON_CLOUD", "emulator")
            .env("CI", "true")
            .env("GITHUB_OUTPUT", &output)
            .env("GITHUB_STEP_SUMMARY", self.temp.path().join("summary"))
            .env("GITHUB_EVENT_PATH", self.temp.path().join("event.json"))
            .env("GITHUB_REPOSITORY", "example/app")
            .env("RUNNER_TEMP", self.temp.path())
            .envs(environment.iter().copied());
        let _ = Ran::of(&mut command).exits(code);
        fs::read_to_string(output).unwrap()
    }

    fn run(&self, command: &str, plan: &str, args: &str, code: i32) -> String {
        let environment = [("COMMAND", command), ("DIRECTORY", "."), ("PLAN_FILE", plan), ("ARGS", args)];
        self.step("Run Akson", &environment, code)
    }
}

fn output<'t>(told: &'t str, name: &str) -> &'t str {
    told.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).unwrap_or_default()
}

#[test]
fn the_action_plans_comments_applies_and_looks_for_drift() {
    let runner = Runner::new();
    let _ = runner.step("Install Akson", &[("INSTALL", "path")], 0);
    let _ = runner.run("check", "", "", 0);
    let planned = runner.run("plan", "", "", 0);
    assert_eq!((output(&planned, "has-changes"), output(&planned, "exit-code")), ("true", "0"), "{planned}");
    assert!(output(&planned, "digest").starts_with("sha256:") && output(&planned, "create") != "0", "{planned}");
    assert!(runner.file("summary").starts_with("<!-- akson:plan stack="));

    // A comment is made once, and changed from then on.
    let comment = [("AUTHOR", "github-actions[bot]"), ("COMMENT_FILE", output(&planned, "comment-file"))];
    let _ = runner.step("Keep the comment up to date", &comment, 0);
    assert!(
        runner.file("asked").contains("--method POST repos/example/app/issues/7/comments"),
        "{}",
        runner.file("asked")
    );
    fs::write(runner.temp.path().join("ids"), "41\n42\n").unwrap();
    let _ = runner.step("Keep the comment up to date", &comment, 0);
    assert!(runner.file("asked").contains("--method PATCH repos/example/app/issues/comments/41"));

    let plan = output(&planned, "plan-file");
    let applied = runner.run("apply", plan, "", 0);
    assert_eq!((output(&applied, "digest"), output(&applied, "exit-code")), (output(&planned, "digest"), "0"));
    assert!(runner.file("summary").ends_with("**Applied.**\n"));
    // What was approved is not what would be done now.
    let stale = runner.run("apply", plan, "", 5);
    assert_eq!(output(&stale, "exit-code"), "5");
    assert!(runner.file("summary").contains("what was approved is not what would be done now"));

    let quiet = runner.run("drift", "", "", 0);
    assert_eq!(output(&quiet, "has-changes"), "false");
    let empty = runner.run("plan", "", "--detailed-exitcode\n\n--parallelism-that-is-none", 64);
    assert_eq!(output(&empty, "exit-code"), "64");
    let _ = runner.run("destroy", "", "", 64);
}
