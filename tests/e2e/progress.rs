//! The line that says how far a long read is: on a terminal, and nowhere else; gone before anything else is printed, also when the user
//! interrupts. The terminal is that of `script`, where it is there.
#![cfg(unix)]
#![allow(clippy::print_stderr, reason = "a test says why it skips")]

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Command, Stdio},
};

use akson_tests::{Folder, Ran, RunningEmulator};

const STACK: &str = "stack \"app\" {\n  location = \"westeurope\"\n}\n\nresource_group \"app\" {\n  name = \"app-rg\"\n}\n\ngroup \"team\" {\n  display_name = \"team\"\n}\n";
const SHOWN: &str = "Reading the emulator";
/// How a line is taken away.
const TAKEN: &str = "\r\u{1b}[2K";

/// A stack in a world that is slower than ours.
fn slow() -> (Folder, RunningEmulator) {
    let mut folder = Folder::with(STACK);
    let emulator = folder.start_emulator(&["--time-scale", "0.6"]);
    folder.use_emulator(&emulator.url);
    (folder, emulator)
}

/// The same command on a terminal, after a line that is its process's id; none where there is no terminal to be had.
fn on_a_terminal(command: &Command) -> Option<Command> {
    let version = Command::new("script").arg("--version").output().ok()?;
    if !String::from_utf8_lossy(&version.stdout).contains("util-linux") {
        return None;
    }
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<String> = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect();
    let mut terminal = Command::new("script");
    terminal.env_clear().stdin(Stdio::null()).current_dir(command.get_current_dir().unwrap());
    for (name, value) in command.get_envs() {
        terminal.env(name, value.unwrap_or_default());
    }
    terminal.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("TERM", "xterm").env("SHELL", "/bin/sh");
    terminal.args(["-qec", &format!("echo $$; exec {}", words.join(" ")), "/dev/null"]);
    Some(terminal)
}

/// Fails unless each time that the line was drawn, it was taken away before anything else came.
#[track_caller]
fn leaves_no_trace(printed: &str) {
    for after in printed.split(SHOWN).skip(1) {
        let until = after.find(['\n', '\r']).unwrap_or(after.len());
        assert!(after[until..].starts_with(TAKEN), "{printed:?}");
    }
}

#[test]
fn it_is_shown_on_a_terminal_and_is_gone_afterwards() {
    let (folder, _emulator) = slow();
    let Some(mut command) = on_a_terminal(&folder.command(&["plan"])) else {
        eprintln!("skipped: there is no `script` of util-linux here");
        return;
    };
    let ran = Ran::of(&mut command).exits(0).says(SHOWN).says("Plan:");
    leaves_no_trace(&ran.stdout);
    let (before, plan) = ran.stdout.rsplit_once(TAKEN).unwrap();
    assert!(
        before.contains(" of ") && !plan.contains(SHOWN) && plan.contains("resource_group.app"),
        "{before:?}\n{plan}"
    );
    let mut command = on_a_terminal(&folder.command(&["plan"])).unwrap();
    let mut for_a_program = on_a_terminal(&folder.command(&["plan", "--format", "json"])).unwrap();
    for command in [command.env("CI", "true"), &mut for_a_program] {
        let ran = Ran::of(command).exits(0);
        assert!(!ran.stdout.contains(SHOWN) && !ran.stdout.contains(TAKEN), "{}", ran.stdout);
    }
}

#[test]
fn elsewhere_there_is_none() {
    let (folder, _emulator) = slow();
    for arguments in [&["plan"][..], &["import", "--no-clusters", "--resource-group", "x"]] {
        let ran = folder.akson(arguments);
        assert!(!ran.stderr.contains("Reading") && !ran.stderr.contains('\r'), "{arguments:?}\n{}", ran.stderr);
    }
}

/// With `--verbose` each request is a line, and each line a request.
#[test]
fn requests_are_told_on_demand() {
    // Of a group, which is not found at once everywhere, a plan asks more than once.
    let stack = STACK.split_once("\ngroup").unwrap().0;
    let folder = Folder::with(stack);
    let _ = folder.akson(&["apply", "--auto-approve"]).exits(0);
    let ran = folder.akson(&["plan", "--verbose", "--format", "json"]).exits(0);
    let reads = ran.json()["requests"]["reads"].as_u64().unwrap();
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(lines.len() as u64, reads, "{}", ran.stderr);
    assert!(lines.iter().all(|line| line.starts_with("200 ")), "{}", ran.stderr);
    assert!(lines.iter().any(|line| line.contains("  GET management.azure.com/subscriptions/")), "{}", ran.stderr);
    assert!(!ran.stderr.contains('?') && !ran.stderr.contains("oauth2"), "{}", ran.stderr);
    let ran = folder.akson(&["destroy", "--auto-approve", "-v", "--log-format", "json"]).exits(0);
    let events: Vec<serde_json::Value> =
        ran.stderr.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let of = |name: &str| events.iter().filter(|event| event["event"] == name).count();
    assert!(of("request") > 1 && of("step_succeeded") == 1 && of("summary") == 1, "{}", ran.stderr);
    assert!(events.iter().any(|event| event["method"] == "DELETE" && event["status"].is_number()), "{}", ran.stderr);
    assert_eq!(folder.akson(&["plan"]).exits(0).stderr, "");
}

/// What follows on the terminal is the shell's prompt: the line must not stand before it.
#[test]
fn it_is_gone_when_the_user_interrupts() {
    for arguments in [&["plan"][..], &["apply", "--auto-approve"]] {
        let (folder, _emulator) = slow();
        let Some(mut command) = on_a_terminal(&folder.command(arguments)) else {
            eprintln!("skipped: there is no `script` of util-linux here");
            return;
        };
        let mut child = command.stdout(Stdio::piped()).spawn().expect("script starts");
        let mut printed = BufReader::new(child.stdout.take().unwrap());
        let mut id = String::new();
        printed.read_line(&mut id).unwrap();
        let mut seen = String::new();
        while !seen.contains(SHOWN) {
            let mut some = Vec::new();
            assert!(printed.read_until(b'\r', &mut some).unwrap() > 0, "{arguments:?} ended without it\n{seen}");
            seen.push_str(&String::from_utf8_lossy(&some));
        }
        let sent = Command::new("kill").args(["-INT", id.trim()]).status().expect("there is `kill`");
        assert!(sent.success());
        let mut rest = String::new();
        printed.read_to_string(&mut rest).unwrap();
        seen.push_str(&rest);
        assert_eq!(child.wait().unwrap().code(), Some(130), "{arguments:?}\n{seen}");
        leaves_no_trace(&seen);
    }
}
