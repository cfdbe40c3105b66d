//! Stopped by a real signal: nothing new is sent, what is in flight is followed for a while and recorded, and what is said is what is:
//! done, still under way in Azure, not started.
#![cfg(unix)]

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, Stdio},
};

use akson_tests::{Folder, RunningEmulator};
use serde_json::Value;

const STACK: &str = r#"stack "app" {
  location = "westeurope"
}

resource_group "app" {
  name = "app-rg"
}

cluster "main" {
  name           = "aks"
  resource_group = resource_group.app
  entra { authorization = azure_rbac }

  node_pool "system" {
    mode    = system
    vm_size = "Standard_D4s_v5"
    scale   = fixed(3)
  }
}

namespace "app" {
  cluster = cluster.main
  name    = "app"
}
"#;

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([name, &child.id().to_string()]).status().expect("there is `kill`");
    assert!(sent.success());
}

/// Begins an apply, and stops it by this signal once the cluster is being made; its code, its events and what it said.
fn stopped(folder: &Folder, name: &str, times: usize) -> (i32, Vec<Value>, String) {
    let mut child = folder
        .command(&["apply", "--auto-approve", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("akson starts");
    let mut events = Vec::new();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut left = times;
    for line in &mut lines {
        let event: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let is_under_way = event["event"] == "step_progress" && event["address"] == "cluster.main";
        events.push(event);
        if is_under_way && left > 0 {
            signal(&child, name);
            left -= 1;
        }
    }
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    (child.wait().unwrap().code().unwrap_or(-1), events, said)
}

/// Whether a write of what has such an id was answered.
fn is_sent(emulator: &RunningEmulator, id: &str) -> bool {
    let requests: Value = serde_json::from_str(&emulator.ask("GET", "/_emulator/requests", "")).unwrap();
    requests.as_array().unwrap().iter().any(|request| {
        let path = request["path"].as_str().unwrap_or_default().split('?').next().unwrap_or_default();
        request["method"] == "PUT" && path.ends_with(id) && request["status"].is_u64()
    })
}

fn addresses<'a>(events: &'a [Value], word: &str) -> Vec<&'a str> {
    let those = events.iter().filter(|event| event["event"] == word);
    those.map(|event| event["address"].as_str().unwrap()).collect()
}

#[test]
fn what_is_said_is_what_is() {
    for name in ["-INT", "-TERM"] {
        let mut folder = Folder::with(STACK);
        // A minute of the cloud, for which what is in flight is followed, is over before a cluster is there.
        let emulator = folder.start_emulator(&["--time-scale", "60"]);
        folder.use_emulator(&emulator.url);
        let (code, events, said) = stopped(&folder, name, 1);
        assert_eq!(code, 130, "{said}");
        assert!(said.contains("interrupted: finishing what is in flight"), "{said}");
        assert_eq!(addresses(&events, "step_succeeded"), ["resource_group.app"], "{events:#?}");
        assert_eq!(addresses(&events, "step_left"), ["cluster.main"], "{events:#?}");
        let skipped = addresses(&events, "step_skipped");
        assert_eq!(skipped, ["cluster.main.node_pool.system", "namespace.app"], "{events:#?}");
        let summary = events.last().unwrap();
        assert_eq!((&summary["succeeded"], &summary["left"], &summary["skipped"]), (&1.into(), &1.into(), &2.into()));
        // The ledger knows it, and the next run goes on from there: nothing is made twice.
        let entries = folder.akson(&["ledger", "show", "--format", "json"]).exits(0).json();
        let states: Vec<&str> =
            entries["entries"].as_array().unwrap().iter().map(|entry| entry["state"].as_str().unwrap()).collect();
        assert_eq!(states, ["owned", "intent"], "{entries:#}");
        let _ = folder.apply().exits(0);
        folder.settled();
    }
}

#[test]
fn people_are_told_what_azure_goes_on_with_and_what_was_not_begun() {
    let mut folder = Folder::with(STACK);
    let emulator = folder.start_emulator(&["--time-scale", "60"]);
    folder.use_emulator(&emulator.url);
    let mut child = folder
        .command(&["apply", "--auto-approve"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("akson starts");
    let mut said = String::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        // What comes after the group is the cluster: it is under way once the emulator has answered its request.
        if line.contains("resource_group.app") && line.contains("created") {
            while !is_sent(&emulator, "/managedClusters/aks") {}
            signal(&child, "-INT");
        }
        said.push_str(&line);
        said.push('\n');
    }
    assert_eq!(child.wait().unwrap().code(), Some(130), "{said}");
    assert!(said.contains("still under way in Azure: cluster.main\n"), "{said}");
    assert!(said.contains("not started: cluster.main.node_pool.system, namespace.app\n"), "{said}");
    assert!(said.contains("1 of 4 done in ") && said.contains("1 still under way in Azure, 2 skipped"), "{said}");
    assert!(said.contains("it looks first what came of what is under way"), "{said}");
}

#[test]
fn a_second_signal_ends_it_at_once_and_loses_nothing() {
    let mut folder = Folder::with(STACK);
    let emulator = folder.start_emulator(&["--time-scale", "60"]);
    folder.use_emulator(&emulator.url);
    let (code, events, said) = stopped(&folder, "-INT", 2);
    assert_eq!(code, 130, "{said}");
    assert!(events.last().is_none_or(|event| event["event"] != "summary"), "it did not wait: {events:#?}");
    let _ = folder.apply().exits(0);
    folder.settled();
}
