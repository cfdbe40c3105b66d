//! The examples of schedules: they are what Kubernetes and systemd expect of them, and their commands do what they are there for.
#![cfg(unix)]

use std::{fs, os::unix::fs::symlink};

use akson_tests::{
    Folder, Ran,
    web::{Web, reply},
};
use serde_json::Value;

use super::watch::{STACK, applied, own};

fn file(name: &str) -> String {
    fs::read_to_string(akson_tests::root().join("examples/schedule").join(name)).unwrap()
}

fn documents(name: &str) -> Vec<Value> {
    file(name).split("\n---\n").map(|text| serde_saphyr::from_str(text).unwrap()).collect()
}

/// The `CronJob` in a file, checked for what both have in common; its job and its container.
fn job_of(name: &str) -> (Value, Value) {
    let documents = documents(name);
    let cron = documents.iter().find(|document| document["kind"] == "CronJob").unwrap();
    assert_eq!((&cron["apiVersion"], &cron["spec"]["concurrencyPolicy"]), (&"batch/v1".into(), &"Forbid".into()));
    let job = &cron["spec"]["jobTemplate"]["spec"];
    let pod = &job["template"];
    // The webhook looks at the pod's label, not at the job's.
    assert_eq!(pod["metadata"]["labels"]["azure.workload.identity/use"], "true");
    assert_eq!((&pod["spec"]["serviceAccountName"], &pod["spec"]["restartPolicy"]), (&"drift".into(), &"Never".into()));
    assert_eq!(pod["spec"]["securityContext"]["runAsNonRoot"], true);
    let container = &pod["spec"]["containers"][0];
    let security = &container["securityContext"];
    assert_eq!(
        (&security["readOnlyRootFilesystem"], &security["allowPrivilegeEscalation"]),
        (&true.into(), &false.into())
    );
    assert_eq!(security["capabilities"]["drop"][0], "ALL");
    assert!(
        container["resources"]["requests"]["memory"].is_string()
            && container["resources"]["limits"]["memory"].is_string()
    );
    let rule = &job["podFailurePolicy"]["rules"][0]["onExitCodes"];
    assert_eq!((&rule["containerName"], &rule["values"][0]), (&container["name"], &2.into()));
    (job.clone(), container.clone())
}

/// Its command with other places, in an environment as the cluster would make it.
fn run(folder: &Folder, container: &Value, places: &[(&str, &str)], web: &Web, index: Option<u64>) -> Ran {
    let arguments: Vec<String> = container["args"]
        .as_array()
        .unwrap()
        .iter()
        .map(|argument| {
            let argument = argument.as_str().expect("arguments are texts");
            let place = places.iter().find(|(from, _)| *from == argument);
            place.map_or(argument, |(_, to)| to).to_owned()
        })
        .collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut command = folder.command(&arguments);
    for variable in container["env"].as_array().unwrap() {
        match variable["name"].as_str().unwrap() {
            // Whoever runs this has a ledger of its own.
            "AKSON_LEDGER" => assert!(variable["value"].as_str().unwrap().starts_with("https://")),
            name => {
                assert!(variable["valueFrom"]["secretKeyRef"]["name"].is_string(), "{name} is a secret");
                command.env(name, format!("{}/x", web.url));
            }
        }
    }
    if let Some(index) = index {
        command.env("JOB_COMPLETION_INDEX", index.to_string());
    }
    Ran::of(&mut command)
}

#[test]
fn the_cron_job_looks_and_tells() {
    let account = &documents("cronjob.yaml")[0];
    assert_eq!((&account["kind"], &account["metadata"]["name"]), (&"ServiceAccount".into(), &"drift".into()));
    assert!(account["metadata"]["annotations"]["azure.workload.identity/client-id"].is_string());
    let (_, container) = job_of("cronjob.yaml");
    let (folder, emulator) = applied();
    // A mounted ConfigMap is links to what is behind another link.
    fs::create_dir_all(folder.path().join("mount/..2026")).unwrap();
    fs::create_dir_all(folder.path().join("mount/.akson/emulator")).unwrap();
    let ledger = ".akson/emulator/app.json";
    fs::copy(folder.path().join(ledger), folder.path().join("mount").join(ledger)).unwrap();
    fs::rename(folder.path().join("main.aks"), folder.path().join("mount/..2026/main.aks")).unwrap();
    symlink("..2026", folder.path().join("mount/..data")).unwrap();
    symlink("..data/main.aks", folder.path().join("mount/main.aks")).unwrap();
    let web = Web::serve(|_| reply(200, "ok"));
    let places = [("/stack", "mount")];
    let _ = run(&folder, &container, &places, &web, None).exits(0).says("No drift");
    assert!(web.asked().is_empty());
    own(&emulator, "somebody else");
    let _ = run(&folder, &container, &places, &web, None).exits(2);
    assert_eq!(web.asked().len(), 1);
}

#[test]
fn the_indexed_job_looks_at_each_stack_once() {
    let (job, container) = job_of("indexed-job.yaml");
    assert_eq!((&job["completionMode"], &job["parallelism"]), (&"Indexed".into(), &job["completions"]));
    let parts = job["completions"].as_u64().unwrap();
    let shard = format!("auto/{parts}");
    assert!(container["args"].as_array().unwrap().iter().any(|argument| argument == shard.as_str()), "{container:#}");
    let mut folder = Folder::new();
    let emulator = folder.start_emulator(&["--latency", "none"]);
    folder.use_emulator(&emulator.url);
    for n in 0..12 {
        folder.write(
            &format!("stacks/{n}/main.aks"),
            &STACK.replace("\"app\"", &format!("\"app-{n}\"")).replace("app-rg", &format!("{n}-rg")),
        );
    }
    let web = Web::serve(|_| reply(200, "ok"));
    let mut seen = Vec::new();
    for index in 0..parts {
        let ran = run(&folder, &container, &[("/stacks", "stacks")], &web, Some(index)).exits(0);
        seen.extend(ran.json_lines().iter().map(|line| line["folder"].as_str().unwrap().to_owned()));
    }
    seen.sort_by_key(|folder| folder.parse::<u32>().unwrap());
    assert_eq!(seen, (0..12).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[test]
fn the_unit_looks_tells_and_counts() {
    let unit = file("akson-drift.service");
    let value = |key: &str| unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).unwrap().to_owned();
    assert_eq!((value("Type").as_str(), value("SuccessExitStatus").as_str()), ("oneshot", "2"));
    let timer = file("akson-drift.timer");
    assert!(timer.contains("\nOnCalendar=") && timer.contains("\nWantedBy=timers.target\n"), "{timer}");
    let (folder, emulator) = applied();
    own(&emulator, "somebody else");
    let web = Web::serve(|_| reply(200, "ok"));
    let line = value("ExecStart").replace("/etc/akson/stack", ".").replace("/var/lib/akson", "state");
    let mut words = line.split(' ');
    assert_eq!(words.next(), Some("/usr/bin/akson"));
    let arguments: Vec<&str> = words.collect();
    let _ = Ran::of(folder.command(&arguments).env("SLACK_URL", format!("{}/x", web.url))).exits(2);
    assert_eq!(web.asked().len(), 1);
    let metrics = fs::read_to_string(folder.path().join("state/akson.prom")).unwrap();
    assert!(metrics.contains("akson_runs_total{stack=\"app\",outcome=\"drift\"} 1\n"), "{metrics}");
}
