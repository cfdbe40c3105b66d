//! A GitHub runner: the jobs of a workflow in the order of their needs, and the project's own action as the composite that it is.

use std::{collections::BTreeMap, fs};

use serde_json::Value;

use super::{
    Machine,
    expression::{Context, fill, holds},
    yaml,
};

/// The project's own action, as the examples name it.
const OWN: &str = "OWNER/akson@VERSION";

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Every step did what it should.
    Success,
    /// A step failed.
    Failure,
    /// It was not to run.
    Skipped,
}

/// What came of a workflow.
#[derive(Debug)]
pub struct Flow {
    /// How its jobs ended, by name.
    pub ended: BTreeMap<String, Ended>,
    /// What they told, with what the event brought: `needs.plan.outputs.has-changes`.
    pub context: Context,
}

/// Runs the jobs of a workflow; `context` is what the event brings, and `before` happens before each job.
pub fn run(machine: &Machine, flow: &Value, context: &Context, before: &mut dyn FnMut(&str)) -> Flow {
    let mut context = context.clone();
    let mut ended = BTreeMap::new();
    let mut jobs: Vec<(&String, &Value)> = flow["jobs"].as_object().unwrap().iter().collect();
    while !jobs.is_empty() {
        // Those whose needs have ended.
        let ready = jobs.iter().position(|(_, job)| job["needs"].as_str().is_none_or(|need| ended.contains_key(need)));
        let (name, job) = jobs.remove(ready.expect("needs end"));
        let needed = job["needs"].as_str().is_none_or(|need| ended.get(need) == Some(&Ended::Success));
        let wanted = job["if"].as_str().is_none_or(|condition| holds(condition, &context, true));
        let end = if needed && wanted {
            before(name);
            self::job(machine, name, job, &mut context)
        } else {
            Ended::Skipped
        };
        ended.insert(name.clone(), end);
    }
    Flow { ended, context }
}

fn job(machine: &Machine, name: &str, job: &Value, context: &mut Context) -> Ended {
    let mut inside = context.clone();
    let environment = variables(&job["env"], &inside);
    let mut succeeded = true;
    for step in job["steps"].as_array().unwrap() {
        let condition = step["if"].as_str().unwrap_or("success()");
        if holds(condition, &inside, succeeded) {
            succeeded &= self::step(machine, step, &environment, &mut inside);
        }
    }
    for (output, text) in job["outputs"].as_object().into_iter().flatten() {
        let value = fill(text.as_str().unwrap(), &inside);
        context.insert(format!("needs.{name}.outputs.{output}"), value);
    }
    if succeeded { Ended::Success } else { Ended::Failure }
}

/// Carries one step out; whether it succeeded. What it tells later steps goes into the context.
fn step(machine: &Machine, step: &Value, environment: &[(String, String)], context: &mut Context) -> bool {
    let given = variables(&step["with"], context);
    let input = |name: &str| given.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str());
    let uses = step["uses"].as_str().unwrap_or_default();
    let (succeeded, told) = match uses.split_once('@').map_or("", |(action, _)| action) {
        "" => {
            let more = variables(&step["env"], context);
            script(machine, step["run"].as_str().unwrap(), step["shell"].as_str(), environment, more)
        }
        "OWNER/akson" => {
            assert_eq!(uses, OWN);
            action(machine, &given, environment, context)
        }
        "actions/checkout" => {
            if let Some(path) = input("path") {
                // The base branch beside what was checked out.
                Machine::copy(&machine.place("base"), &machine.folder.path().join(path));
            }
            (true, Context::new())
        }
        "actions/upload-artifact" => {
            let place = machine.place("artifacts").join(input("name").unwrap());
            Machine::copy(&machine.folder.path().join(input("path").unwrap()), &place);
            (true, Context::new())
        }
        "actions/download-artifact" => {
            let place = machine.place("artifacts").join(input("name").unwrap());
            Machine::copy(&place, &machine.folder.path().join(input("path").unwrap()));
            (true, Context::new())
        }
        other => panic!("the action `{other}` is not known here"),
    };
    if let Some(id) = step["id"].as_str() {
        context.extend(told.into_iter().map(|(name, value)| (format!("steps.{id}.outputs.{name}"), value)));
    }
    succeeded
}

/// The project's own action: its steps see its inputs, and its outputs are what they told.
fn action(
    machine: &Machine,
    given: &[(String, String)],
    environment: &[(String, String)],
    outside: &Context,
) -> (bool, Context) {
    let action = yaml("action.yml");
    let mut inside: Context =
        outside.iter().filter(|(path, _)| path.starts_with("github.")).map(|(a, b)| (a.clone(), b.clone())).collect();
    for (name, input) in action["inputs"].as_object().unwrap() {
        let default = fill(input["default"].as_str().unwrap_or_default(), outside);
        let value = given.iter().find(|(given, _)| given == name).map_or(default, |(_, value)| value.clone());
        inside.insert(format!("inputs.{name}"), value);
    }
    let mut succeeded = true;
    for step in action["runs"]["steps"].as_array().unwrap() {
        if holds(step["if"].as_str().unwrap_or("success()"), &inside, succeeded) {
            succeeded &= self::step(machine, step, environment, &mut inside);
        }
    }
    let outputs = action["outputs"].as_object().unwrap().iter();
    let told = outputs.map(|(name, output)| (name.clone(), fill(output["value"].as_str().unwrap(), &inside))).collect();
    (succeeded, told)
}

/// A `run` step, as a runner runs it.
fn script(
    machine: &Machine,
    text: &str,
    shell: Option<&str>,
    job: &[(String, String)],
    step: Vec<(String, String)>,
) -> (bool, Context) {
    let told = machine.place("output");
    fs::write(&told, "").unwrap();
    let place = |name: &str| machine.place(name).display().to_string();
    let mut environment = job.to_vec();
    environment.extend(step);
    for (name, value) in [
        ("GITHUB_ACTIONS", "true".to_owned()),
        ("GITHUB_OUTPUT", place("output")),
        ("GITHUB_PATH", place("path")),
        ("GITHUB_STEP_SUMMARY", place("summary")),
        ("GITHUB_EVENT_PATH", place("event.json")),
        ("GITHUB_REPOSITORY", "example/app".to_owned()),
        ("GITHUB_SHA", "5f1c0ffee".to_owned()),
        ("RUNNER_TEMP", machine.temp.path().display().to_string()),
    ] {
        environment.push((name.to_owned(), value));
    }
    // Where a shell is named, a runner is stricter.
    let options: &[&str] = match shell {
        None => &["-e"],
        Some("bash") => &["--noprofile", "--norc", "-eo", "pipefail"],
        Some(other) => panic!("the shell `{other}` is not known here"),
    };
    let ran = machine.bash(text, options, &environment);
    let told = fs::read_to_string(told).unwrap();
    let told = told.lines().filter_map(|line| line.split_once('='));
    (ran.code == 0, told.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

fn variables(value: &Value, context: &Context) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let members = value.as_object().into_iter().flatten();
    members.map(|(name, value)| (name.clone(), fill(&text(value), context))).collect()
}
