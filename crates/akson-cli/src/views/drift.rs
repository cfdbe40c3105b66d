//! Drift for people: the worst first, what was declared and what is there, who did it, and what to do about it.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde_json::Value;

use super::{
    literal,
    plan::{count, lines, side},
};
use crate::{
    document::{ChangeDocument, ReasonDocument},
    drift::{Actor, DriftDocument, Severity, Unmanaged, quoted},
};

const HIGH: Style = AnsiColor::Red.on_default().bold();
const MEDIUM: Style = AnsiColor::Yellow.on_default();
const FAINT: Style = Style::new().dimmed();
const STRONG: Style = Style::new().bold();

/// The whole view. Styled; whoever prints it strips the styles where they are not wanted.
pub(crate) fn human(drift: &DriftDocument) -> String {
    let mut out = String::new();
    for severity in [Severity::High, Severity::Medium, Severity::Low] {
        for change in drift.plan.changes.iter().filter(|change| worst(change) == severity) {
            one(&mut out, change);
        }
        for found in drift.unmanaged.iter().filter(|found| found.severity == severity) {
            unmanaged(&mut out, found);
        }
    }
    for found in &drift.of_other_stacks {
        unmanaged(&mut out, found);
    }
    for change in &drift.tolerated {
        differences(&mut out, change, "  # tolerated");
        notes(&mut out, &change.notes);
    }
    notes(&mut out, &drift.notes);
    if !out.is_empty() {
        out.push('\n');
    }
    if drift.is_drift() {
        let _ = writeln!(out, "{STRONG}drift:{STRONG:#} {}", summary(drift));
    } else if drift.found.unseen == 0 {
        let _ = writeln!(
            out,
            "No drift: what stack `{}` owns is as it was applied ({}).",
            literal::safe(&drift.plan.stack),
            count(drift.plan.requests.reads, "request")
        );
    }
    out
}

/// `1 changed, 0 deleted, 1 unmanaged, 0 tolerated, 8 in sync`.
pub(crate) fn summary(drift: &DriftDocument) -> String {
    let found = drift.found;
    let mut text = format!(
        "{} changed, {} deleted, {} unmanaged, {} tolerated, {} in sync",
        found.changed, found.deleted, found.unmanaged, found.tolerated, found.in_sync
    );
    if found.unseen > 0 {
        let _ = write!(text, ", {} not looked at", found.unseen);
    }
    text
}

/// How bad a change is; one that says nothing of it is told among the others.
pub(crate) fn worst(change: &ChangeDocument) -> Severity {
    change.severity.unwrap_or(Severity::Medium)
}

/// `by tom@example.com, with Azure portal, 2026-11-22 17:03Z (activity log, Microsoft.KeyVault/vaults/write)`.
pub(crate) fn by(actor: &Actor) -> String {
    let mut text = format!("by {}", literal::safe(&actor.who));
    if let Some(application) = &actor.application {
        let _ = write!(text, ", with {}", literal::safe(application));
    }
    if let Some(at) = &actor.at {
        let at = literal::safe(at);
        // To the minute: logs are no stopwatches.
        let minute = at.get(..16).map(|minute| format!("{}Z", minute.replace('T', " ")));
        let _ = write!(text, ", {}", minute.unwrap_or(at));
    }
    let source = literal::safe(&actor.source).replace('_', " ");
    match &actor.operation {
        Some(operation) => drop(write!(text, " ({source}, {})", literal::safe(operation))),
        None => drop(write!(text, " ({source})")),
    }
    text
}

/// What undoes one change.
pub(crate) fn undo(change: &ChangeDocument) -> String {
    // A cluster remembers who set a field, and nothing is taken from somebody else.
    if let Some(owner) = change.by.iter().find(|actor| actor.source == "managed_fields") {
        return format!("set it back with {}, which has the field now", literal::safe(&owner.who));
    }
    format!("akson apply --target {}", quoted(&literal::safe(&change.address)))
}

fn one(out: &mut String, change: &ChangeDocument) {
    differences(out, change, "");
    actors(out, &change.by);
    notes(out, &change.notes);
    let replaces = if change.action == "replace" { "  # makes it anew" } else { "" };
    let _ = writeln!(out, "        undo: {}{FAINT}{replaces}{FAINT:#}", undo(change));
}

/// What is said behind a difference: of one that is tolerated, until when and why.
fn told(mark: &str, reason: &ReasonDocument) -> String {
    let mut text = mark.to_owned();
    if let Some(until) = &reason.until {
        let _ = write!(text, " until {}", literal::safe(until));
    }
    if let Some(because) = &reason.because {
        let _ = write!(text, ": {}", literal::safe(because));
    }
    text
}

/// A line for what is gone, or one for each attribute that differs, the worst first.
fn differences(out: &mut String, change: &ChangeDocument, mark: &str) {
    let address = literal::safe(&change.address);
    if change.action == "create" {
        line(out, worst(change), &address, &format!("declared, now gone{FAINT}{mark}{FAINT:#}"));
        return;
    }
    let mut reasons: Vec<&ReasonDocument> = change.reasons.iter().collect();
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.severity));
    for reason in reasons {
        let mark = &told(mark, reason);
        let severity = reason.severity.unwrap_or_else(|| worst(change));
        let Some(attribute) = &reason.attribute else {
            line(out, severity, &address, &format!("is not as it was applied{FAINT}{mark}{FAINT:#}"));
            continue;
        };
        let place = format!("{address}.{}", literal::safe(attribute));
        if !reason.sensitive
            && let (Value::String(live), Value::String(declared)) = (&reason.before, &reason.after)
            && (live.contains('\n') || declared.contains('\n'))
        {
            line(out, severity, &place, &format!("{FAINT}# + declared, - now{mark}{FAINT:#}"));
            lines(out, live, declared);
            continue;
        }
        let (declared, live) = (side(reason, &reason.after, true), side(reason, &reason.before, false));
        line(out, severity, &place, &format!("declared {declared}, now {live}{FAINT}{mark}{FAINT:#}"));
    }
}

fn unmanaged(out: &mut String, found: &Unmanaged) {
    let kind = literal::safe(&found.kind);
    let whose = found.stack.as_ref().map(|stack| format!("  # of stack {}", literal::safe(stack))).unwrap_or_default();
    let what = format!("{}{FAINT}{whose}{FAINT:#}", literal::safe(&found.what));
    line(out, found.severity, &format!("unmanaged {kind}"), &what);
    actors(out, &found.by);
    notes(out, &found.notes);
    if found.stack.is_none() {
        let _ = writeln!(out, "        adopt: {}", literal::safe(&found.adopt));
        let _ = writeln!(out, "        remove: {}", literal::safe(&found.remove));
    }
}

fn line(out: &mut String, severity: Severity, what: &str, says: &str) {
    let style = match severity {
        Severity::High => HIGH,
        Severity::Medium => MEDIUM,
        Severity::Low => FAINT,
    };
    let _ = writeln!(out, "{style}{:<7}{style:#} {STRONG}{what}{STRONG:#}  {says}", severity.word());
}

fn actors(out: &mut String, by: &[Actor]) {
    for actor in by {
        let _ = writeln!(out, "        {}", self::by(actor));
    }
}

fn notes(out: &mut String, notes: &[String]) {
    for note in notes {
        let _ = writeln!(out, "        {FAINT}note: {}{FAINT:#}", literal::safe(note));
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails should say where")]
    use serde_json::json;

    use super::*;

    /// Drift of every sort, with names that want to be something else.
    pub(crate) fn document() -> DriftDocument {
        let reason = |attribute: &str, before: Value, after: Value, severity: &str| {
            json!({ "cause": "drift", "attribute": attribute, "before": before, "after": after, "sensitive": false,
                "known_after_apply": false, "effect": "in_place", "severity": severity })
        };
        let change = |address: &str, action: &str, severity: &str, reasons: Value| {
            json!({ "address": address, "kind": "vault", "id": null, "action": action, "irreversible": false,
                "reasons": reasons, "source": null, "severity": severity })
        };
        let mut changed = change(
            "vault.a[\"x\"]",
            "update",
            "high",
            json!([
                reason("tags.owner", json!("\u{1b}[31mred"), json!("a|b"), "low"),
                reason("purge_protection", json!("disabled"), json!("enabled"), "high"),
            ]),
        );
        changed["by"] = json!([{ "who": "tom@example.com", "application": "Azure portal",
            "at": "2026-11-22T17:03:05Z", "operation": "Microsoft.KeyVault/vaults/write", "source": "activity_log" }]);
        let mut gone =
            change("vault.b", "create", "medium", json!([reason("sku", json!(null), json!("standard"), "medium")]));
        gone["notes"] = json!(["nobody wrote down who yet"]);
        let mut tolerated =
            change("vault.c", "update", "low", json!([reason("sku", json!("premium"), json!("standard"), "low")]));
        tolerated["reasons"][0]["until"] = json!("2026-12-31");
        tolerated["reasons"][0]["because"] = json!("OPS-77");
        let found = |stack: Value| {
            json!({ "severity": if stack.is_null() { "high" } else { "low" }, "kind": "grant", "id": "/i", "what": "gives `Owner` to </details>", "on": "vault.a",
                "adopt": "akson import /i", "remove": "az rest --method delete --url /i", "stack": stack })
        };
        let mut document: DriftDocument = serde_json::from_value(json!({
            "format_version": "1", "stack": "s", "cloud": "public", "digest": "sha256:0",
            "summary": { "create": 1, "update": 1, "replace": 0, "delete": 0, "adopt": 0, "forget": 0, "no_op": 3 },
            "changes": [changed, gone], "access": {}, "requests": { "reads": 4 },
            "found": { "high": 0, "medium": 0, "low": 0, "changed": 1, "deleted": 1, "unmanaged": 0, "tolerated": 0,
                "unseen": 0, "in_sync": 3 },
            "unmanaged": [found(Value::Null)], "of_other_stacks": [found(json!("other"))], "tolerated": [tolerated],
            "notes": ["the log was not read"],
        }))
        .unwrap();
        document.count();
        document
    }

    #[test]
    fn the_worst_first() {
        let text = anstream::adapter::strip_str(&human(&document())).to_string();
        let expected = r#"HIGH    vault.a["x"].purge_protection  declared "enabled", now "disabled"
LOW     vault.a["x"].tags.owner  declared "a|b", now "\u{1b}[31mred"
        by tom@example.com, with Azure portal, 2026-11-22 17:03Z (activity log, Microsoft.KeyVault/vaults/write)
        undo: akson apply --target 'vault.a["x"]'
HIGH    unmanaged grant  gives `Owner` to </details>
        adopt: akson import /i
        remove: az rest --method delete --url /i
MEDIUM  vault.b  declared, now gone
        note: nobody wrote down who yet
        undo: akson apply --target vault.b
LOW     unmanaged grant  gives `Owner` to </details>  # of stack other
LOW     vault.c.sku  declared "standard", now "premium"  # tolerated until 2026-12-31: OPS-77
        note: the log was not read

drift: 1 changed, 1 deleted, 1 unmanaged, 1 tolerated, 3 in sync
"#;
        assert_eq!(text, expected);
        let found = document().found;
        assert_eq!((found.high, found.medium, found.low), (2, 1, 0));
    }

    #[test]
    fn nothing_changed() {
        let mut document = document();
        document.plan.changes.clear();
        document.plan.summary = crate::document::Summary { no_op: 5, ..Default::default() };
        document.unmanaged.clear();
        document.of_other_stacks.clear();
        document.tolerated.clear();
        document.notes.clear();
        assert_eq!(human(&document), "No drift: what stack `s` owns is as it was applied (4 requests).\n");
    }
}
