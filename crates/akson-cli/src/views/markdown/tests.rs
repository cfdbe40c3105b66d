//! What the comment says, that it always fits, and that nothing breaks out of it. Not the text itself.

use serde_json::json;

use super::*;

/// A plan that creates `count` identities, gives each a role, and deletes one vault; names get a text put in.
fn plan(count: usize, name: &str) -> PlanDocument {
    let reason = |attribute: &str, after: Value| {
        json!({
            "cause": "config", "attribute": attribute, "before": null, "after": after, "sensitive": false,
            "known_after_apply": false, "effect": "in_place",
        })
    };
    let one = |at: usize| {
        json!({
            "address": format!("identity.team[\"{name}{at}\"]"), "kind": "identity", "id": null, "action": "create",
            "irreversible": false, "reasons": [reason("tags.owner", json!(format!("{name}{at}")))], "needs": ["vault.old"],
            "notes": [name],
        })
    };
    let gained = |at: usize| json!({ "who": format!("{name}{at}"), "can": name, "on": "vault.old", "path": [format!("grant.g[{at}]")] });
    let mut changes: Vec<Value> = (0..count).map(one).collect();
    changes.push(json!({
        "address": "vault.old", "kind": "vault", "id": null, "action": "delete", "irreversible": false, "reasons": [], "needs": [],
    }));
    let document = json!({
        "format_version": "1", "stack": format!("s{name}"), "cloud": "emulator", "digest": "sha256:0",
        "summary": { "create": count, "update": 0, "replace": 0, "delete": 1, "adopt": 0, "forget": 0, "no_op": 0 },
        "changes": changes,
        "access": { "gained": (0..count).map(gained).collect::<Vec<Value>>(), "lost": [] },
        "diagnostics": [{ "severity": "error", "code": "AKS0441", "message": format!("no {name}"), "labels": [{ "file": name, "line": 3 }] }],
        "requests": { "reads": 3 },
    });
    serde_json::from_value(document).expect("the document is complete")
}

/// What is outside of fences.
fn prose(text: &str) -> String {
    let mut out = String::new();
    let mut fence: Option<String> = None;
    for line in text.lines() {
        let ticks: String = line.chars().take_while(|character| *character == '`').collect();
        match &fence {
            None if ticks.len() >= 3 => fence = Some(ticks),
            Some(open) if line == open => fence = None,
            Some(_) => {}
            None => {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    assert!(fence.is_none(), "a fence is open at the end");
    out
}

/// Prose without its code spans.
fn bare(text: &str) -> String {
    let mut out = String::new();
    for line in prose(text).lines() {
        let mut rest = line;
        while let Some(at) = rest.find('`') {
            out.push_str(&rest[..at]);
            let run = rest[at..].chars().take_while(|character| *character == '`').count();
            let fence = "`".repeat(run);
            let inside = &rest[at + run..];
            let mut from = 0;
            rest = loop {
                let end = from + inside[from..].find(&fence).expect("a code span is closed");
                let length = inside[end..].chars().take_while(|character| *character == '`').count();
                if length == run {
                    break &inside[end + run..];
                }
                from = end + length;
            };
        }
        out.push_str(rest);
        out.push('\n');
    }
    out
}

#[test]
fn however_many_changes_it_fits() {
    for count in [0, 1, 2, 50, 10_000] {
        for name in ["a", &"long".repeat(200)] {
            let text = markdown(&plan(count, name));
            assert!(text.len() <= BUDGET, "{count}: {}", text.len());
            let _ = prose(&text);
            // What is lost stands before what is new.
            let (gone, new) = (text.find("| - | `vault.old` | delete |"), text.find("| + |"));
            assert!(gone.is_some(), "{text}");
            assert!(new.is_some() || count == 0);
        }
    }
}

#[test]
fn alike_changes_are_told_once() {
    let text = markdown(&plan(10_000, "team-"));
    assert!(text.contains("10000 × `identity`: `identity.team[\"team-0\"]`"), "{text}");
    assert!(text.contains("and 9999 like it"));
    assert_eq!(text.matches("tags.owner").count(), 1);
}

#[test]
fn nothing_breaks_out() {
    for name in [
        "@octocat",
        "```\n</details>",
        "````````",
        "`",
        "--> <script>alert(1)</script>",
        "| a | b |",
        "[x](https://evil.example)",
        "\u{202e}gnp.exe",
        "\u{1b}[31m",
        "\"]; click r0 \"javascript:alert(1)\"",
        "<!-- akson:plan stack=other -->",
        "\n# heading",
        "**bold** _it_ ~~s~~ #1 https://evil.example",
    ] {
        let text = markdown(&plan(2, name));
        // In the marker only letters are left of it.
        let bare = bare(text.split_once('\n').expect("it has lines").1);
        for bad in ["octocat", "script", "evil.example", "javascript", "heading", "bold", "\u{202e}", "\u{1b}"] {
            assert!(!bare.contains(bad), "{name:?}: `{bad}` in {bare}");
        }
        assert_eq!(text.lines().filter(|line| line.starts_with("<!-- akson:plan")).count(), 1);
        assert_eq!(bare.matches("</details>").count(), bare.matches("<details>").count(), "{name:?}");
        // The picture has no letter that Mermaid could read as its own.
        let picture =
            text.split("```mermaid\n").nth(1).and_then(|rest| rest.split("```\n").next()).expect("it has one");
        for line in picture.lines().filter(|line| line.contains('"')) {
            assert_eq!(line.matches('"').count() % 2, 0, "{line}");
        }
    }
}
