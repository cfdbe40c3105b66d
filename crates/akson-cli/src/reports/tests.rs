//! Each format: how it looks, that it fits, that nothing from outside can break out of it; and who is told when.

#![allow(clippy::unwrap_used, reason = "a test that fails should say where")]

use serde_json::{Value, json};

use super::*;
use crate::{
    drift::{Actor, DriftDocument, Severity},
    schedule::{
        Look,
        tests::{document, look},
    },
};

/// What somebody might call a resource who wants to be heard by everybody.
const HOSTILE: &str = "<!channel> <@U1> @octocat #1 ```\n<script> [x](javascript:1) {{DATE(2026)}} | `` \u{202e}] --> ]]> & \" ' *b* ##vso[x]";

/// Findings of every sort.
fn rich() -> DriftDocument {
    let mut found = document(&[
        ("vault.app", "vault", "update"),
        ("lock.keep", "lock", "create"),
        ("cluster.main", "cluster", "update"),
    ]);
    let by = Actor {
        who: "tom@contoso.com".to_owned(),
        application: Some("portal".to_owned()),
        at: Some("2026-07-25T10:00:00Z".to_owned()),
        operation: Some("Microsoft.ContainerService/managedClusters/write".to_owned()),
        source: "activity_log".to_owned(),
    };
    found.plan.changes[0].severity = Some(Severity::Low);
    found.plan.changes[1].severity = Some(Severity::Medium);
    found.plan.changes[2].severity = Some(Severity::High);
    found.plan.changes[2].by = vec![by.clone()];
    found.plan.changes[2].reasons[0].attribute = Some("local_accounts".to_owned());
    found.unmanaged = serde_json::from_value(json!([{
        "severity": "high", "kind": "grant", "id": "/subscriptions/0/providers/Microsoft.Authorization/roleAssignments/1",
        "what": "gives Contributor on app-rg to tom@contoso.com", "on": "resource_group.app", "by": [by],
    }]))
    .unwrap();
    found.found.unmanaged = 1;
    found.found.tolerated = 2;
    found
}

fn hostile() -> Look {
    let mut found = rich();
    for change in &mut found.plan.changes {
        change.address = HOSTILE.to_owned();
        change.kind = HOSTILE.to_owned();
        for reason in &mut change.reasons {
            reason.attribute = Some(HOSTILE.to_owned());
            reason.before = json!(HOSTILE);
            reason.after = json!({ HOSTILE: [HOSTILE] });
        }
        for by in &mut change.by {
            by.who = HOSTILE.to_owned();
        }
    }
    found.unmanaged[0].id = HOSTILE.to_owned();
    found.unmanaged[0].what = HOSTILE.to_owned();
    let mut look = look(Some(found));
    look.stack = Some(HOSTILE.to_owned());
    look
}

/// More than fits anywhere.
fn huge() -> Look {
    let names: Vec<String> =
        (0..10_000).map(|n| format!("vault.app[\"{n}{}\"]", "&`|".repeat(if n < 60 { n * 7 } else { 1 }))).collect();
    let changes: Vec<(&str, &str, &str)> = names.iter().map(|name| (name.as_str(), "vault", "update")).collect();
    let mut found = document(&changes);
    for (at, change) in found.plan.changes.iter_mut().enumerate() {
        let reason = change.reasons[0].clone();
        change.reasons = vec![reason; if at < 60 { 40 } else { 1 }];
        for reason in &mut change.reasons {
            reason.before = json!("<>`".repeat(if at < 60 { 500 } else { 1 }));
        }
    }
    look(Some(found))
}

#[test]
fn each_format_looks_as_it_should() {
    let look = look(Some(rich()));
    insta::assert_json_snapshot!("slack", slack::message(&look));
    insta::assert_json_snapshot!("teams", teams::message(&look));
    insta::assert_json_snapshot!("sarif", sarif::log(&look));
    insta::assert_snapshot!("markdown", markdown::text(&look, Some("<!-- marker -->")));
    insta::assert_snapshot!("junit", junit::text(&look));
    let document = webhook::document(&look);
    assert_eq!((&document["outcome"], &document["at"]), (&json!("drift"), &json!("2026-07-25T17:20:00Z")));
    assert_eq!(document["changes"].as_array().unwrap().len(), 3);
    assert_eq!(document["found"]["unmanaged"], 1);
}

#[test]
fn a_look_that_failed_looks_like_one_everywhere() {
    let failed = look(None);
    insta::assert_json_snapshot!("failed_slack", slack::message(&failed));
    insta::assert_snapshot!("failed_markdown", markdown::text(&failed, None));
    insta::assert_snapshot!("failed_junit", junit::text(&failed));
    let log = sarif::log(&failed);
    assert_eq!(log["runs"][0]["invocations"][0]["executionSuccessful"], false);
    assert_eq!(webhook::document(&failed)["outcome"], "failed");
    assert_eq!(webhook::document(&failed)["error"]["code"], "AKS0511");
    // What was seen of a part is never the whole answer.
    let mut part = document(&[]);
    part.found.unseen = 2;
    let part = look(Some(part));
    assert!(
        markdown::text(&part, None).contains("2 not seen")
            && markdown::text(&part, None).contains("not the whole answer")
    );
    assert!(junit::text(&part).contains("errors=\"1\""));
    assert!(slack::message(&part)["text"].as_str().unwrap().contains("could not be seen as a whole"));
}

/// All texts in a value, by their key.
fn texts<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(entries) => {
            for (name, value) in entries {
                match value {
                    Value::String(text) if name == key => found.push(text),
                    value => texts(value, key, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, key, found)),
        _ => {}
    }
}

#[test]
fn nothing_from_outside_breaks_out() {
    let look = hostile();
    let message = slack::message(&look);
    assert!(!message["text"].as_str().unwrap().contains(['<', '>']), "{message:#}");
    for block in message["blocks"].as_array().unwrap() {
        let text = block["text"]["text"].as_str().unwrap();
        assert!(!text.contains('\u{202e}'), "{text}");
        // The header is plain text, in which Slack reads nothing.
        if block["type"] == "section" {
            assert!(!text.contains(['<', '>']) && text.matches('`').count() % 2 == 0, "{text}");
        }
    }

    let message = teams::message(&look);
    let mut kinds = Vec::new();
    texts(&message, "type", &mut kinds);
    // A text block would read Markdown.
    assert!(
        kinds.iter().all(|kind| ["message", "AdaptiveCard", "RichTextBlock", "TextRun"].contains(kind)),
        "{kinds:?}"
    );
    assert!(!message.to_string().contains("{{"));

    let text = markdown::text(&look, None);
    assert!(!text.contains("\n<script>") && !text.contains('\u{202e}'), "{text}");
    // Outside of code nothing is left of it. Fences and spans are cut away the way a reader of Markdown does it.
    let mut outside = String::new();
    let mut fence: Option<String> = None;
    for line in text.lines() {
        let run: String = line.chars().take_while(|character| *character == '`').collect();
        match &fence {
            Some(open) if line.trim_end() == open => fence = None,
            Some(_) => {}
            None if run.len() >= 3 && !line[run.len()..].contains('`') => fence = Some(run),
            None => outside.push_str(&without_spans(line)),
        }
    }
    assert_eq!(fence, None, "{text}");
    for part in ["@octocat", "#1", "<!channel", "<script", "[x]", "-->"] {
        assert!(!outside.contains(part), "{part} is in\n{outside}");
    }

    let text = junit::text(&look);
    assert!(!text.contains("<script") && !text.contains("<!") && text.matches("<testcase ").count() == 5, "{text}");
    let log = json::text(&sarif::log(&look));
    assert!(!log.contains('\u{202e}') && serde_json::from_str::<Value>(&log).is_ok());
}

/// A line without its spans of code: each ends at a run of backticks as long as the one that it begins with.
fn without_spans(line: &str) -> String {
    let mut outside = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        outside.push_str(&rest[..at]);
        let run = rest[at..].chars().take_while(|character| *character == '`').count();
        let inside = &rest[at + run..];
        let mut end = None;
        let mut from = 0;
        while let Some(next) = inside[from..].find('`').map(|next| next + from) {
            let length = inside[next..].chars().take_while(|character| *character == '`').count();
            if length == run {
                end = Some(next + length);
                break;
            }
            from = next + length;
        }
        let Some(end) = end else {
            outside.push_str(&rest[at..]);
            return outside;
        };
        rest = &inside[end..];
    }
    outside.push_str(rest);
    outside
}

#[test]
fn everything_fits() {
    for look in [huge(), hostile()] {
        let message = slack::message(&look);
        let blocks = message["blocks"].as_array().unwrap();
        assert!(blocks.len() <= 50, "{}", blocks.len());
        for block in blocks {
            let text = block["text"]["text"].as_str().unwrap();
            let most = if block["type"] == "header" { 150 } else { 3_000 };
            assert!((1..=most).contains(&text.chars().count()), "{text}");
        }
        assert!(message["text"].as_str().unwrap().chars().count() <= 3_000);
        assert!(teams::message(&look).to_string().len() <= 28 * 1024);
        assert!(markdown::text(&look, Some("<!-- -->")).len() <= 65_536);
    }
    let look = huge();
    assert!(slack::message(&look).to_string().contains("more: see the run's log"));
    assert!(teams::message(&look).to_string().contains("more: see the run's log"));
    assert!(markdown::text(&look, None).contains("more: see the run's log"));
    let log = sarif::log(&look);
    assert_eq!(log["runs"][0]["results"].as_array().unwrap().len(), 5_000);
    assert!(log.to_string().contains("5000 findings more are left out"));
}

#[track_caller]
fn check(last: Option<&Said>, now: &Said, drift: bool, change: bool) {
    assert_eq!(is_due(ReportOn::Drift, last, now), drift, "drift: {last:?} {now:?}");
    assert_eq!(is_due(ReportOn::Change, last, now), change, "change: {last:?} {now:?}");
    assert!(is_due(ReportOn::Always, last, now));
}

#[test]
fn messages_are_sent_when_they_are_due() {
    let in_sync = Said::of(&look(Some(document(&[]))));
    let drift = Said::of(&look(Some(document(&[("vault.app", "vault", "update")]))));
    let other = Said::of(&look(Some(document(&[("vault.b", "vault", "update")]))));
    let failed = Said::of(&look(None));
    check(None, &in_sync, false, false);
    check(None, &drift, true, true);
    check(None, &failed, true, true);
    check(Some(&in_sync), &in_sync, false, false);
    check(Some(&in_sync), &drift, true, true);
    check(Some(&drift), &drift, true, false);
    check(Some(&drift), &other, true, true);
    check(Some(&drift), &in_sync, true, true);
    check(Some(&drift), &failed, true, true);
    check(Some(&failed), &failed, false, false);
    check(Some(&failed), &in_sync, true, true);
    // Who did it becomes known later, and is no other finding.
    let mut found = rich();
    let before = Said::of(&look(Some(found.clone())));
    found.plan.changes[2].by.clear();
    assert_eq!(Said::of(&look(Some(found))), before);
}
