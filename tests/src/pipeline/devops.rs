//! An agent of Azure DevOps: the steps of a stage, the commands that scripts print for it, and its artifacts.

use std::{collections::BTreeMap, fs};

use serde_json::Value;

use super::Machine;

/// What came of a stage.
#[derive(Debug, Default)]
pub struct Stage {
    /// Whether a step failed.
    pub failed: bool,
    /// Output variables by step and name.
    pub outputs: BTreeMap<String, String>,
    /// What was logged as an error.
    pub issues: Vec<String>,
    /// The files that were shown as summaries.
    pub summaries: Vec<String>,
}

/// Runs steps. Of conditions there is the one that the pipelines use.
pub fn run(machine: &Machine, steps: &Value, of_pull_request: bool) -> Stage {
    let mut stage = Stage::default();
    for step in steps.as_array().unwrap() {
        let wanted = match step["condition"].as_str() {
            None => !stage.failed,
            Some("and(not(canceled()), eq(variables['Build.Reason'], 'PullRequest'))") => of_pull_request,
            Some(other) => panic!("the condition `{other}` is not known here"),
        };
        if wanted {
            one(machine, step, &mut stage);
        }
    }
    stage
}

fn one(machine: &Machine, step: &Value, stage: &mut Stage) {
    let temporary = machine.temp.path().display().to_string();
    if step["checkout"] == "self" {
        assert_eq!(step["persistCredentials"], false);
    } else if let Some(path) = step["publish"].as_str() {
        let place = machine.place("artifacts").join(step["artifact"].as_str().unwrap());
        Machine::copy(path.replace("$(Agent.TempDirectory)", &temporary).as_ref(), &place);
    } else if step["download"] == "current" {
        let name = step["artifact"].as_str().unwrap();
        Machine::copy(&machine.place("artifacts").join(name), &machine.place("workspace").join(name));
    } else {
        let script = match step["task"].as_str() {
            Some("AzureCLI@2") => &step["inputs"]["inlineScript"],
            None => &step["bash"],
            Some(other) => panic!("the task `{other}` is not known here"),
        };
        let mut environment: Vec<(String, String)> = [
            ("TF_BUILD", "True"),
            ("AGENT_TEMPDIRECTORY", &temporary),
            ("PIPELINE_WORKSPACE", &machine.place("workspace").display().to_string()),
            ("SYSTEM_COLLECTIONURI", "https://dev.azure.com/example/"),
            ("SYSTEM_TEAMPROJECT", "app"),
            ("SYSTEM_PULLREQUEST_PULLREQUESTID", "7"),
            ("BUILD_REPOSITORY_ID", "4711"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        for (name, value) in step["env"].as_object().into_iter().flatten() {
            environment.push((name.clone(), value.as_str().unwrap().replace("$(System.AccessToken)", "devops-token")));
        }
        let ran = machine.bash(script.as_str().unwrap(), &[], &environment);
        stage.failed |= ran.code != 0;
        for line in ran.stdout.lines() {
            let Some((command, value)) = line.strip_prefix("##vso[").and_then(|rest| rest.split_once(']')) else {
                continue;
            };
            if command == "task.uploadsummary" {
                stage.summaries.push(fs::read_to_string(value).unwrap());
            } else if command.starts_with("task.logissue type=error") {
                stage.issues.push(value.to_owned());
            } else if let Some(variable) = command.strip_prefix("task.setvariable variable=") {
                let name = variable.strip_suffix(";isOutput=true").expect("it is an output");
                stage.outputs.insert(format!("{}.{name}", step["name"].as_str().unwrap()), value.to_owned());
            } else {
                panic!("the command `{command}` is not known here");
            }
        }
    }
}
