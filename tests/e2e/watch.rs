//! Looks that are repeated and looks at many stacks: lines, metrics, health, what survives a failure, how it ends, and that each stack is
//! looked at once.
#![cfg(unix)]

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Lines},
    process::{Child, ChildStderr, ChildStdout, Command, Stdio},
};

use akson_tests::{Folder, RunningEmulator, web};
use serde_json::Value;

pub(crate) const STACK: &str = r#"stack "app" {
  location = "westeurope"
}

resource_group "app" {
  name = "app-rg"
  tags = { owner = "platform" }
}
"#;

/// An applied stack and its emulator.
pub(crate) fn applied() -> (Folder, RunningEmulator) {
    let mut folder = Folder::with(STACK);
    let emulator = folder.start_emulator(&["--latency", "none"]);
    folder.use_emulator(&emulator.url);
    let _ = folder.apply().exits(0);
    (folder, emulator)
}

/// Gives the group another owner, behind everybody's back.
pub(crate) fn own(emulator: &RunningEmulator, owner: &str) {
    let world: Value = serde_json::from_str(&emulator.ask("GET", "/_emulator/world", "")).unwrap();
    let objects = world["objects"].as_object().unwrap();
    let mut group = objects.iter().find(|(id, _)| id.ends_with("/resourcegroups/app-rg")).unwrap().1.clone();
    group["tags"]["owner"] = owner.into();
    let _ = emulator.ask("POST", "/_emulator/objects", &group.to_string());
}

/// A watch that runs.
struct Watch {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    stderr: Lines<BufReader<ChildStderr>>,
}

impl Watch {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("akson starts");
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, lines, stderr }
    }

    /// The next look.
    fn next(&mut self) -> Value {
        let line = self.lines.next().expect("the watch goes on").unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    /// The first look from here on with this outcome.
    fn until(&mut self, outcome: &str) -> Value {
        for _ in 0..30 {
            let line = self.next();
            if line["outcome"] == outcome {
                return line;
            }
        }
        panic!("no look was {outcome}");
    }

    /// Its URL for metrics.
    fn address(&mut self) -> String {
        let line = self.stderr.next().unwrap().unwrap();
        line.strip_prefix("metrics at ").unwrap().trim_end_matches("/metrics").to_owned()
    }

    fn end(mut self, signal: &str) -> i32 {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().expect("there is `kill`");
        assert!(sent.success());
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_watch_tells_each_look_and_outlives_what_fails() {
    let (folder, emulator) = applied();
    let arguments =
        ["drift", "--every", "1s", "--jitter", "0", "--metrics-addr", "127.0.0.1:0", "--metrics-file", "m.prom"];
    let mut watch = Watch::start(&mut folder.command(&arguments));
    let url = watch.address();
    let first = watch.next();
    assert_eq!((&first["outcome"], &first["stack"], &first["error"]), (&"in_sync".into(), &"app".into(), &Value::Null));
    assert_eq!((&first["found"]["changed"], &first["found"]["in_sync"]), (&0.into(), &1.into()), "{first:#}");
    assert!(first["digest"].as_str().is_some_and(|digest| digest.starts_with("sha256:")), "{first:#}");
    assert!(first["seconds"].is_f64() && first["at"].is_string(), "{first:#}");
    assert_eq!(web::get(&format!("{url}/readyz")), (200, "ok\n".to_owned()));
    assert_eq!(web::get(&format!("{url}/healthz")), (200, "ok\n".to_owned()));
    assert_eq!(web::get(&format!("{url}/else")).0, 404);

    own(&emulator, "somebody else");
    let drift = watch.until("drift");
    assert_eq!(drift["found"]["changed"], 1, "{drift:#}");
    let (status, metrics) = web::get(&format!("{url}/metrics"));
    assert_eq!(status, 200);
    let has = |begin: &str| metrics.lines().any(|line| line.starts_with(begin));
    assert!(has("akson_drift_resources{stack=\"app\",severity=\""), "{metrics}");
    assert!(has("akson_runs_total{stack=\"app\",outcome=\"drift\"} 1"), "{metrics}");
    assert!(has("akson_azure_requests_total{host=\"management.azure.com\",code=\"200\"} "), "{metrics}");
    assert!(has("akson_last_success_timestamp_seconds{stack=\"app\"} "), "{metrics}");

    // The configuration is read anew, and a mistake in it ends a look and not the watch.
    folder.write("broken.aks", "resource_group \"x\" {");
    let failed = watch.until("failed");
    assert!(failed["error"]["code"].as_str().is_some_and(|code| code.starts_with("AKS01")), "{failed:#}");
    assert_eq!(failed["found"], Value::Null);
    std::fs::remove_file(folder.path().join("broken.aks")).unwrap();
    let denied = r#"[{ "action": "Microsoft.Resources/*/read", "scope": "/" }]"#;
    let _ = emulator.ask("POST", "/_emulator/denied", denied);
    let mut refused = watch.until("failed");
    while refused["error"]["code"] != "AKS0511" {
        refused = watch.until("failed");
    }
    let _ = emulator.ask("POST", "/_emulator/denied", "[]");
    own(&emulator, "platform");
    let _ = watch.until("in_sync");
    let text = std::fs::read_to_string(folder.path().join("m.prom")).unwrap();
    assert!(!text.contains("akson_drift_resources{") && text.contains("outcome=\"failed\"} "), "{text}");
    assert_eq!(watch.end("-TERM"), 0);
}

#[test]
fn nothing_is_left_open_from_look_to_look() {
    let (folder, _emulator) = applied();
    let mut watch = Watch::start(&mut folder.command(&["-q", "drift", "--every", "1s", "--jitter", "0"]));
    let open = |watch: &Watch| std::fs::read_dir(format!("/proc/{}/fd", watch.child.id())).map_or(0, Iterator::count);
    for _ in 0..3 {
        let _ = watch.next();
    }
    let before = open(&watch);
    for _ in 0..8 {
        assert_eq!(watch.next()["outcome"], "in_sync");
    }
    // A connection may just be opened or closed.
    assert!(open(&watch) <= before + 2, "{before} became {}", open(&watch));
    assert_eq!(watch.end("-INT"), 0);
}

#[test]
fn what_is_wrong_with_the_flags_is_told_before_anything_else() {
    let folder = Folder::with(STACK);
    for (arguments, says) in [
        (&["--every", "5"][..], "write it as `30s`"),
        (&["--metrics-addr", "127.0.0.1:0"], "--every"),
        (&["--shard", "1/2"], "--each"),
        (&["--each", "*", "--shard", "3/2"], "from 1/N to N/N"),
        (&["--every", "5m", "--format", "sarif"], "--report KIND=FILE"),
        (&["--report", "slack=http://hooks.slack.com/s3cret"], "must begin with https://"),
        (&["--each", "*", "--report", "json=all.json"], "{stack}"),
    ] {
        let ran = folder.akson(&[&["drift"], arguments].concat()).exits(64).says(says);
        assert!(!ran.stderr.contains("s3cret") && ran.stdout.is_empty(), "{arguments:?}: {}", ran.stderr);
    }
    let _ = folder.akson(&["drift", "--each", "x*"]).exits(1).says("AKS0672");
}

#[test]
fn a_hundred_stacks_in_seven_parts_are_each_looked_at_once() {
    let mut folder = Folder::new();
    let emulator = folder.start_emulator(&["--latency", "none"]);
    for n in 0..100 {
        folder.write(
            &format!("stacks/team-{n}/main.aks"),
            &format!("stack \"team-{n}\" {{\n  location = \"westeurope\"\n}}\n"),
        );
    }
    folder.write("stacks/module/main.aks", "variable \"x\" {\n  type = string\n}\n");
    folder.use_emulator(&emulator.url);
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for index in 0..7 {
        let mut command =
            folder.command(&["drift", "--each", "stacks/*", "--shard", "auto/7", "--jobs", "4", "--format", "json"]);
        let ran = akson_tests::Ran::of(command.env("JOB_COMPLETION_INDEX", index.to_string())).exits(0);
        for line in ran.json_lines() {
            assert_eq!(line["outcome"], "in_sync", "{line:#}");
            *seen.entry(line["folder"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    assert_eq!(seen.len(), 100, "{seen:?}");
    assert!(seen.values().all(|times| *times == 1), "{seen:?}");
}

#[test]
fn many_stacks_end_as_the_worst_of_them() {
    let (mut folder, emulator) = applied();
    for name in ["a", "b", "c"] {
        folder.write(
            &format!("stacks/{name}/main.aks"),
            &STACK.replace("\"app\"", &format!("\"{name}\"")).replace("app-rg", &format!("{name}-rg")),
        );
    }
    folder.use_emulator(&emulator.url);
    for name in ["a", "b", "c"] {
        let _ = folder.akson(&["-C", &format!("stacks/{name}"), "apply", "--auto-approve"]).exits(0);
    }
    let _ = folder.akson(&["drift", "--each", "**"]).exits(0).says("4 stacks: 4 in sync");
    own(&emulator, "somebody else");
    let ran = folder.akson(&["drift", "--each", "**", "--metrics-file", "m.prom"]).exits(2);
    let ran = ran.says("4 stacks: 3 in sync, 1 drift").says("somebody else");
    assert!(ran.stdout.lines().any(|line| line.starts_with("stacks/b ") && line.contains("in sync")), "{}", ran.stdout);
    folder.write("stacks/b/broken.aks", "vault \"x\" {");
    let ran = folder.akson(&["drift", "--each", "**", "--metrics-file", "m.prom"]).exits(1);
    let _ = ran.says("4 stacks: 2 in sync, 1 drift, 1 failed").says("AKS01");
    // What is counted goes on from run to run, and what was seen last of the broken one is kept.
    let text = std::fs::read_to_string(folder.path().join("m.prom")).unwrap();
    for line in [
        "akson_runs_total{stack=\".\",outcome=\"drift\"} 2",
        "akson_runs_total{stack=\"stacks/b\",outcome=\"in_sync\"} 1",
        "akson_runs_total{stack=\"stacks/b\",outcome=\"failed\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(text.contains("akson_last_success_timestamp_seconds{stack=\"stacks/b\"} "), "{text}");
}
