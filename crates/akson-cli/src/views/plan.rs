//! A plan for people: one line a change, the attributes that differ below it, the sum at the end.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde_json::Value;

use super::literal;
use crate::{
    document::{ChangeDocument, PlanDocument, ReasonDocument, Summary},
    recording::Made,
};

const CREATE: Style = AnsiColor::Green.on_default();
const UPDATE: Style = AnsiColor::Yellow.on_default();
const DELETE: Style = AnsiColor::Red.on_default();
const ADOPT: Style = AnsiColor::Cyan.on_default();
const FAINT: Style = Style::new().dimmed();
const STRONG: Style = Style::new().bold();

/// The whole view. Styled; whoever prints it strips the styles where they are not wanted.
pub(crate) fn human(plan: &PlanDocument) -> String {
    let mut out = String::new();
    access(&mut out, plan);
    let changes: Vec<&ChangeDocument> = plan.changes.iter().filter(|change| change.action != "no_op").collect();
    let width = changes.iter().map(|change| change.address.chars().count()).max().unwrap_or(0).clamp(16, 48);
    for change in &changes {
        one(&mut out, change, width);
    }
    if !changes.is_empty() {
        out.push('\n');
    }
    if plan.summary.changes() == 0 {
        let _ = writeln!(
            out,
            "{STRONG}No changes.{STRONG:#} {} of stack `{}` {} as declared ({}).",
            count(plan.summary.no_op, "resource"),
            literal::safe(&plan.stack),
            if plan.summary.no_op == 1 { "is" } else { "are" },
            count(plan.requests.reads, "request"),
        );
    } else {
        let _ = writeln!(
            out,
            "{STRONG}Plan:{STRONG:#} {} ({}).",
            summary(plan.summary),
            count(plan.requests.reads, "request")
        );
    }
    out
}

/// That a plan is of a recording, and what it took for absent.
pub(crate) fn recorded(made: &Made) -> String {
    /// More of them are counted.
    const SHOWN: usize = 5;
    let mut text = format!(
        "from a recording of {}: what changed in Azure since then is not seen; `akson apply` looks for itself",
        literal::safe(&made.recorded_at)
    );
    if !made.assumed_absent.is_empty() {
        let mut shown: Vec<String> =
            made.assumed_absent.iter().take(SHOWN).map(|path| format!("`{}`", literal::safe(path))).collect();
        if made.assumed_absent.len() > SHOWN {
            shown.push(format!("{} more", made.assumed_absent.len() - SHOWN));
        }
        let _ = write!(text, "\nthe recording does not tell, and taken for absent: {}", shown.join(", "));
    }
    text
}

fn access(out: &mut String, plan: &PlanDocument) {
    for (list, sign, style) in [("gained", '+', CREATE), ("lost", '-', DELETE)] {
        let Some(edges) = plan.access.get(list).and_then(Value::as_array) else { continue };
        for edge in edges {
            let text = |name: &str| edge.get(name).map(literal::plain).unwrap_or_default();
            let _ =
                writeln!(out, "  {style}{sign} access{style:#}  {}: {} on {}", text("who"), text("can"), text("on"));
        }
    }
}

/// `2 to create, 1 to delete, 5 unchanged`.
pub(crate) fn summary(summary: Summary) -> String {
    let parts: Vec<String> = [
        (summary.create, "to create"),
        (summary.update, "to update"),
        (summary.replace, "to replace"),
        (summary.delete, "to delete"),
        (summary.adopt, "to adopt"),
        (summary.forget, "to forget"),
        (summary.no_op, "unchanged"),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, words)| format!("{number} {words}"))
    .collect();
    parts.join(", ")
}

/// `1 request`, `3 requests`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

fn sign(action: &str) -> (&'static str, Style) {
    match action {
        "create" => ("+", CREATE),
        "update" => ("~", UPDATE),
        "replace" => ("-/+", DELETE),
        "delete" => ("-", DELETE),
        "adopt" => (">", ADOPT),
        "forget" => ("x", FAINT),
        _ => (" ", FAINT),
    }
}

fn one(out: &mut String, change: &ChangeDocument, width: usize) {
    let (sign, style) = sign(&change.action);
    let address = literal::safe(&change.address);
    let name = change.id.as_deref().map(|id| literal::safe(id.rsplit('/').next().unwrap_or(id))).unwrap_or_default();
    let pad = width.saturating_sub(address.chars().count());
    let place = change
        .source
        .as_ref()
        .map(|place| format!("{}:{}", literal::safe(&place.file), place.line))
        .unwrap_or_default();
    let _ = writeln!(
        out,
        "{style}{sign:>3} {address}{style:#}{:pad$}  {:<8} {name}{FAINT}{}{place}{FAINT:#}",
        "",
        literal::safe(&change.action).replace('_', "-"),
        if name.is_empty() { "" } else { "  " },
    );
    if change.irreversible {
        let _ = writeln!(out, "      {DELETE}cannot be undone{DELETE:#}");
    }
    let align = change
        .reasons
        .iter()
        .filter_map(|reason| reason.attribute.as_ref())
        .map(|attribute| attribute.chars().count())
        .max()
        .unwrap_or(0)
        .min(40);
    for reason in change.reasons.iter().filter(|reason| reason.cause != "removed" || reason.attribute.is_none()) {
        because(out, change, reason, align);
    }
    for note in &change.notes {
        let _ = writeln!(out, "      {FAINT}note: {}{FAINT:#}", literal::safe(note));
    }
}

fn because(out: &mut String, change: &ChangeDocument, reason: &ReasonDocument, align: usize) {
    let Some(attribute) = &reason.attribute else {
        if let Some(words) = whole(change, reason) {
            let _ = writeln!(out, "      {FAINT}{words}{FAINT:#}");
        }
        return;
    };
    let attribute = literal::safe(attribute);
    let pad = align.saturating_sub(attribute.chars().count());
    let (before, after) = (side(reason, &reason.before, false), side(reason, &reason.after, true));
    let mut marks: Vec<&str> = Vec::new();
    match reason.cause.as_str() {
        "drift" => marks.push("changed outside"),
        "dependency" => marks.push("follows what it depends on"),
        "adopt" => marks.push("differs from the declaration"),
        _ => {}
    }
    match reason.effect.as_str() {
        "replace" => marks.push("needs replacement"),
        "irreversible" => marks.push("cannot be undone"),
        _ => {}
    }
    let marks = if marks.is_empty() { String::new() } else { format!("  {FAINT}# {}{FAINT:#}", marks.join(", ")) };
    if !reason.sensitive
        && let (Value::String(old), Value::String(new)) = (&reason.before, &reason.after)
        && (old.contains('\n') || new.contains('\n'))
    {
        let _ = writeln!(out, "      {attribute}{marks}");
        lines(out, old, new);
    } else if reason.before.is_null() && !reason.sensitive {
        let _ = writeln!(out, "      {attribute}{:pad$} = {after}{marks}", "");
    } else {
        let _ = writeln!(out, "      {attribute}{:pad$} {before} {FAINT}->{FAINT:#} {after}{marks}", "");
    }
}

/// A reason that is about the whole resource, where the action alone does not say it.
fn whole(change: &ChangeDocument, reason: &ReasonDocument) -> Option<&'static str> {
    match (change.action.as_str(), reason.cause.as_str()) {
        ("delete", "removed") => Some("no longer declared"),
        ("create", "drift") => Some("was deleted outside"),
        ("adopt", _) => Some("exists already and becomes ours"),
        (_, "drift") => Some("changed outside"),
        _ => None,
    }
}

pub(crate) fn side(reason: &ReasonDocument, value: &Value, wanted: bool) -> String {
    if reason.sensitive {
        return "(sensitive)".to_owned();
    }
    if wanted && reason.known_after_apply {
        return match value {
            Value::String(expression) => format!("(known after apply: {})", literal::safe(expression)),
            _ => "(known after apply)".to_owned(),
        };
    }
    match value {
        Value::Null => "(absent)".to_owned(),
        value if reason.expression => literal::expression(value),
        value => literal::aks(value),
    }
}

/// The lines that differ of a text of several lines.
pub(crate) fn lines(out: &mut String, old: &str, new: &str) {
    let difference = similar::TextDiff::from_lines(old, new);
    for group in difference.grouped_ops(2) {
        for operation in group {
            for change in difference.iter_changes(&operation) {
                let (sign, style) = match change.tag() {
                    similar::ChangeTag::Delete => ('-', DELETE),
                    similar::ChangeTag::Insert => ('+', CREATE),
                    similar::ChangeTag::Equal => (' ', FAINT),
                };
                let text = literal::safe(change.value().trim_end_matches('\n'));
                let _ = writeln!(out, "        {style}{sign} {text}{style:#}");
            }
        }
    }
}
