//! Names and texts that attack whoever reads them: terminals, build agents, comments of pull requests, programs. In each format they are
//! shown, and are nothing but text.

use std::{fs, sync::Arc};

use akson_tests::{Folder, hostile};
use serde_json::{Value, json};

/// Escape sequences, the C1 form of one, bidirectional and invisible characters, agents' commands, mentions, fences, HTML, a table's bars.
const HOSTILE: &str = "a\u{1b}]0;owned\u{7}\u{1b}[31m\u{9b}2J\r\u{202e}txet\u{2066}\u{200b}\u{e0041} ##vso[task.setvariable variable=x]y \n::add-mask::x\n##[error]z ```\n</details> <script>alert(1)</script> <!-- @platform/owners #1 | **b** ![x](https://evil.example/p.png) ````` end";

/// A part of it that is nothing but text, by which it is recognised.
const PART: &str = "task.setvariable variable=x";

const STACK: &str = r#"stack "app" {
  location = "westeurope"
}

locals {
  keys = ["a`@team/owners|<b>``` </details>", "plain"]
}

resource_group "app" {
  name = "app-rg"
  tags = { owner = "platform" }
}

identity "app" {
  for_each       = local.keys
  name           = "id-${substr(sha256(each.key), 0, 12)}"
  resource_group = resource_group.app
}

lock "app" {
  name  = "keep"
  on    = resource_group.app
  level = cannot_delete
  notes = "why"
}
"#;

/// Nothing that a terminal or an agent acts on, in any stream.
#[track_caller]
fn is_plain(what: &str, text: &str) {
    let acts = |letter: char| {
        (letter.is_control() && letter != '\n' && letter != '\t')
            || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
    };
    if let Some(letter) = text.chars().find(|letter| acts(*letter)) {
        panic!("{what}: U+{:04X} in\n{}", u32::from(letter), text.escape_debug());
    }
    for command in ["##vso[", "##["] {
        assert!(!text.contains(command), "{what}: {command} in\n{text}");
    }
    for line in text.lines() {
        let line = line.trim_start();
        // What is ours in GitHub's own format is no text of others.
        assert!(!line.starts_with("::add-mask"), "{what}: {line}");
    }
}

/// A comment in which no text of others stands outside of code.
#[track_caller]
fn is_contained(text: &str) {
    let mut fence: Option<String> = None;
    for line in text.lines() {
        let ticks: String = line.chars().take_while(|letter| *letter == '`').collect();
        match &fence {
            Some(open) if ticks.len() >= open.len() && line.trim_end() == ticks => fence = None,
            Some(_) => {}
            None if ticks.len() >= 3 && !line[ticks.len()..].contains('`') => fence = Some(ticks),
            None => {
                let outside = without_code(line);
                for bad in ["@", "<script", "</details> ", "![", "**b**", "##vso"] {
                    assert!(!outside.contains(bad), "{bad} outside of code in: {line}");
                }
                // A bar that is not escaped makes a cell, also within code.
                if line.starts_with("| ") {
                    let bars = line.replace("\\|", "").matches('|').count();
                    assert_eq!(bars, 4, "{line}");
                }
            }
        }
    }
    assert_eq!(fence, None, "a fence is open at the end");
}

/// A line of Markdown without its spans of code, as `CommonMark` has them.
fn without_code(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(start) = rest.find('`') {
        out.push_str(&rest[..start]);
        let ticks = rest[start..].chars().take_while(|letter| *letter == '`').count();
        let inside = &rest[start + ticks..];
        let mut from = 0;
        let end = loop {
            let Some(at) = inside[from..].find('`').map(|at| at + from) else { break None };
            let run = inside[at..].chars().take_while(|letter| *letter == '`').count();
            if run == ticks {
                break Some(at + run);
            }
            from = at + run;
        };
        match end {
            Some(end) => rest = &inside[end..],
            None => {
                out.push_str(&rest[start..start + ticks]);
                rest = inside;
            }
        }
    }
    out.push_str(rest);
    out
}

#[test]
fn spans_of_code_are_read_as_commonmark_reads_them() {
    assert_eq!(without_code("a `b` c ``d ` e`` f"), "a  c  f");
    assert_eq!(without_code("a `b"), "a `b");
    assert_eq!(without_code("`` ` @x"), "`` ` @x");
}

/// An applied stack on whose objects somebody wrote.
fn written_on() -> Folder {
    let folder = Folder::with(STACK);
    let _ = folder.apply().exits(0);
    let world = folder.world();
    let god = world.god();
    let find = |end: &str| god.ids().into_iter().find(|id| id.ends_with(end)).unwrap();
    assert!(god.edit(&find("/app-rg"), |group| group["tags"]["owner"] = json!(HOSTILE)).unwrap());
    assert!(god.edit(&find("/locks/keep"), |lock| lock["properties"]["notes"] = json!(HOSTILE)).unwrap());
    drop(world);
    folder
}

#[test]
fn in_every_format_it_is_text() {
    let folder = written_on();
    for arguments in [
        &["plan"][..],
        &["plan", "--format", "markdown"],
        &["plan", "--format", "json", "--all"],
        &["drift"],
        &["drift", "--format", "json"],
        &["plan", "--out", "saved.plan"],
        &["show", "saved.plan"],
        &["show", "saved.plan", "--format", "markdown"],
        &["show", "saved.plan", "--format", "json"],
        &["ledger", "show"],
        &["ledger", "show", "--format", "json"],
        &["graph"],
        &["graph", "--format", "json"],
        &["graph", "--format", "mermaid"],
        &["plan", "--destroy"],
        &["plan", "--destroy", "--format", "markdown"],
    ] {
        let ran = folder.akson(arguments);
        let what = arguments.join(" ");
        // The lock has lost its mark with its notes, and stands in the way of destroying anything.
        let ends = if what.contains("destroy") { ran.code == 1 } else { matches!(ran.code, 0 | 2) };
        assert!(ends, "{what}: {}\n{}", ran.stdout, ran.stderr);
        is_plain(&what, &ran.stdout);
        is_plain(&what, &ran.stderr);
        let shows_values = matches!(arguments[0], "plan" | "drift" | "show") && !what.contains("destroy");
        assert!(
            !shows_values || ran.stdout.contains(PART) || ran.stderr.contains("saved"),
            "{what}: it is shown\n{}",
            ran.stdout
        );
        if what.contains("markdown") {
            is_contained(&ran.stdout);
        }
        if what.contains("json") {
            let _ = ran.json();
        }
    }
    let events = folder.akson(&["apply", "--auto-approve", "--format", "json"]).exits(0);
    is_plain("events", &events.stdout);
    assert!(events.json_lines().len() > 2);
    folder.settled();
}

#[test]
fn what_azure_says_in_an_error_is_text() {
    let body =
        json!({"error": {"code": HOSTILE, "message": HOSTILE, "details": [{"code": HOSTILE, "message": HOSTILE}]}});
    for format in ["human", "json"] {
        let mut folder = Folder::with(STACK);
        let emulator = folder.start_emulator(&["--time-scale", "400"]);
        let body = body.to_string();
        let spoil: hostile::Spoil = Arc::new(move |request, answer| {
            if request.starts_with("PUT ") && request.contains("/userAssignedIdentities/") {
                return hostile::answer(400, "application/json", body.as_bytes());
            }
            answer
        });
        folder.use_emulator(&hostile::start(&emulator.url, spoil));
        let ran = folder.akson(&["apply", "--auto-approve", "--format", format]).exits(3);
        is_plain(format, &ran.stdout);
        is_plain(format, &ran.stderr);
        assert!(format!("{}{}", ran.stdout, ran.stderr).contains(PART), "{format}: it is told");
    }
}

#[test]
fn a_plan_file_that_somebody_wrote_is_text() {
    let folder = written_on();
    let _ = folder.akson(&["plan", "--out", "saved.plan"]).exits(0);
    let path = folder.path().join("saved.plan");
    let mut plan: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let inner = &mut plan["plan"];
    inner["stack"] = json!(HOSTILE);
    inner["digest"] = json!(HOSTILE);
    inner["changes"][0]["address"] = json!(HOSTILE);
    inner["changes"][0]["action"] = json!(HOSTILE);
    inner["changes"][0]["notes"] = json!([HOSTILE]);
    fs::write(&path, plan.to_string()).unwrap();
    for format in ["human", "markdown", "json"] {
        let ran = folder.akson(&["show", "saved.plan", "--format", format]);
        is_plain(format, &ran.stdout);
        is_plain(format, &ran.stderr);
        if format == "markdown" && ran.code == 0 {
            is_contained(&ran.stdout);
        }
    }
    let ran = folder.akson(&["apply", "saved.plan"]);
    assert!(matches!(ran.code, 1 | 5), "{}", ran.stderr);
    is_plain("apply", &ran.stderr);
}
