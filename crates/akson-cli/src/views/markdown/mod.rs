//! A plan as a pull request's comment: what it means first, then all of it as far as there is room. It always fits a comment, and nothing from
//! outside can break out of it.

mod classes;
mod picture;

use std::fmt::Write as _;

use serde_json::Value;

use super::{literal, plan};
use crate::document::{ChangeDocument, PlanDocument, ReasonDocument};
use classes::Class;

/// Where to stop, in bytes: hosts take 65,536 characters.
pub(crate) const BUDGET: usize = 60_000;
/// What is left for the closing lines.
const CLOSING: usize = 1_000;
/// Up to how many alike changes are told one by one.
const EACH: usize = 8;

/// The comment.
pub(crate) fn markdown(document: &PlanDocument) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "<!-- akson:plan stack={} -->", comment(&document.stack));
    let _ = writeln!(out, "### akson plan · {} · {}\n", code(&document.stack), code(&document.cloud));
    if document.summary.changes() == 0 {
        let _ = writeln!(out, "**No changes.** {} as declared.", plan::count(document.summary.no_op, "resource"));
    } else {
        let _ = writeln!(out, "**{}**", plan::summary(document.summary));
    }
    findings(&mut out, document);
    access(&mut out, document);
    let classes = classes::of(&document.changes);
    let (grave, rest): (Vec<&Class<'_>>, Vec<&Class<'_>>) = classes.iter().partition(|class| class.is_grave());
    table(&mut out, "Deleted, replaced, or not to be undone", &grave, BUDGET * 2 / 5);
    table(&mut out, if grave.is_empty() { "Changes" } else { "Everything else" }, &rest, BUDGET * 3 / 5);
    if !classes.is_empty() {
        if let Some(picture) = picture::mermaid(document, &classes)
            && out.len() + picture.len() < BUDGET * 4 / 5
        {
            let _ = write!(out, "\n<details><summary>Picture</summary>\n\n```mermaid\n{picture}```\n\n</details>\n");
        }
        details(&mut out, &classes);
    }
    let _ = write!(out, "\nPlan {} · {}", code(&document.digest), plan::count(document.requests.reads, "request"));
    if document.summary.changes() > 0 {
        out.push_str(" · what is applied is this or nothing: if anything of it moved by then, `akson apply` refuses and says what");
    }
    out.push('\n');
    out
}

/// What was found: errors such as a guard file's refusal, and warnings.
fn findings(out: &mut String, document: &PlanDocument) {
    for (severity, title, most) in [("error", "Refused", 20), ("warning", "Warnings", 10)] {
        let of = |found: &&Value| found.get("severity").and_then(Value::as_str) == Some(severity);
        let found: Vec<&Value> = document.diagnostics.iter().filter(of).collect();
        if found.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\n#### {title}\n");
        for one in found.iter().take(most) {
            let text = |name: &str| one.get(name).and_then(Value::as_str).map(|text| code(&cut(text, 500)));
            let place = one.get("labels").and_then(|labels| labels.get(0));
            let place = place.and_then(|label| {
                Some(format!("{}:{}", label.get("file").and_then(Value::as_str)?, label.get("line")?))
            });
            let place = place.map(|place| format!(" {}", code(&place))).unwrap_or_default();
            let _ = writeln!(
                out,
                "- **{}** {}{place}",
                text("code").unwrap_or_default().trim_matches('`'),
                text("message").unwrap_or_default()
            );
        }
        more(out, found.len().saturating_sub(most), "finding");
    }
}

fn access(out: &mut String, document: &PlanDocument) {
    let edges = |list: &str| document.access.get(list).and_then(Value::as_array).cloned().unwrap_or_default();
    let all: Vec<(char, Value)> = edges("gained")
        .into_iter()
        .map(|edge| ('+', edge))
        .chain(edges("lost").into_iter().map(|edge| ('-', edge)))
        .collect();
    if all.is_empty() {
        return;
    }
    out.push_str("\n#### Access\n\n| | who | can | on | by |\n|---|---|---|---|---|\n");
    let mut left_out = 0;
    for (sign, edge) in &all {
        let text = |name: &str| edge.get(name).map(|value| code(&cut(&literal::plain(value), 300))).unwrap_or_default();
        let by = edge.get("path").and_then(|path| path.get(0)).map(|by| code(&cut(&literal::plain(by), 200)));
        let line =
            format!("| {sign} | {} | {} | {} | {} |\n", text("who"), text("can"), text("on"), by.unwrap_or_default());
        if left_out > 0 || out.len() + line.len() > BUDGET / 4 {
            left_out += 1;
        } else {
            out.push_str(&line);
        }
    }
    more(out, left_out, "grant of access");
}

fn table(out: &mut String, title: &str, classes: &[&Class<'_>], until: usize) {
    if classes.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n#### {title}\n\n| | resource | action |\n|---|---|---|");
    let mut left_out = 0;
    for class in classes {
        let line = format!(
            "| {} | {} | {}{} |\n",
            sign(class.action()),
            class.title(),
            word(class.action()),
            if class.first().irreversible { ", **cannot be undone**" } else { "" }
        );
        if left_out > 0 || out.len() + line.len() > until {
            left_out += class.changes.len();
        } else {
            out.push_str(&line);
        }
    }
    more(out, left_out, "change");
}

/// Each class once, as a difference.
fn details(out: &mut String, classes: &[Class<'_>]) {
    let mut body = String::new();
    let mut left_out = 0;
    // The same said of many is said once; a few are each told.
    let blocks = classes.iter().flat_map(|class| match class.changes.len() {
        count if count <= EACH => class.changes.iter().map(|change| (block(change, 0), 1)).collect::<Vec<_>>(),
        count => vec![(block(class.first(), count - 1), count)],
    });
    for (block, count) in blocks {
        if left_out > 0 || out.len() + body.len() + block.len() + CLOSING > BUDGET {
            left_out += count;
        } else {
            body.push_str(&block);
        }
    }
    let fence = "`".repeat(longest_run(&body).max(2) + 1);
    let _ = write!(out, "\n<details><summary>Details</summary>\n\n{fence}diff\n{body}{fence}\n");
    more(out, left_out, "change");
    out.push_str("\n</details>\n");
}

fn block(change: &ChangeDocument, like_it: usize) -> String {
    let lead = match change.action.as_str() {
        "create" => '+',
        "delete" | "replace" => '-',
        _ => '!',
    };
    let mut block =
        format!("{lead} {}  {}", literal::safe(&change.address), literal::safe(&change.action.replace('_', "-")));
    if like_it > 0 {
        let _ = write!(block, ", and {like_it} like it");
    }
    block.push('\n');
    // Of what goes, the table says it.
    for reason in change.reasons.iter().filter(|reason| reason.cause != "removed") {
        let Some(attribute) = &reason.attribute else { continue };
        let attribute = literal::safe(attribute);
        let marks = match reason.cause.as_str() {
            "drift" => "  # changed outside",
            "dependency" => "  # follows what it depends on",
            _ => "",
        };
        if change.action != "create" && !reason.before.is_null() {
            let _ = writeln!(block, "-     {attribute} = {}", shown(reason, false));
        }
        if reason.known_after_apply || !reason.after.is_null() || reason.sensitive {
            let _ = writeln!(block, "+     {attribute} = {}{marks}", shown(reason, true));
        }
    }
    for note in &change.notes {
        let _ = writeln!(block, "      note: {}", literal::safe(note));
    }
    block
}

fn shown(reason: &ReasonDocument, wanted: bool) -> String {
    let value = if wanted { &reason.after } else { &reason.before };
    let text = match value {
        _ if reason.sensitive => "(sensitive)".to_owned(),
        Value::String(expression) if wanted && reason.known_after_apply => {
            format!("(known after apply: {})", literal::safe(expression))
        }
        _ if wanted && reason.known_after_apply => "(known after apply)".to_owned(),
        value if reason.expression => literal::expression(value),
        value => literal::aks(value),
    };
    cut(&text, 1_000)
}

fn more(out: &mut String, left_out: usize, what: &str) {
    if left_out > 0 {
        let what = if left_out == 1 { what.to_owned() } else { what.replacen("grant", "grants", 1) };
        let count =
            if what.starts_with("grants") { format!("{left_out} {what}") } else { plan::count(left_out, &what) };
        let _ = writeln!(out, "\n… and {count} more: `akson show` with the plan file has all of it.");
    }
}

/// A text that is not longer than this, in characters.
pub(crate) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn sign(action: &str) -> &'static str {
    match action {
        "create" => "+",
        "update" => "~",
        "replace" => "-/+",
        "delete" => "-",
        "adopt" => ">",
        _ => "x",
    }
}

/// What is done, in a word of ours: a plan file may say anything.
fn word(action: &str) -> String {
    if action.len() < 20 && action.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
        action.to_owned()
    } else {
        code(&cut(action, 40))
    }
}

/// Inline code that its content cannot leave, also inside a table. What is in it is no mention and no reference.
pub(crate) fn code(text: &str) -> String {
    let text = literal::safe(text).replace('|', "\\|");
    if text.is_empty() {
        return text;
    }
    let fence = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// What may stand in an HTML comment that tools look for.
pub(crate) fn comment(text: &str) -> String {
    text.chars().filter(|character| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.')).collect()
}

/// How long the longest row of backticks in a text is.
pub(crate) fn longest_run(text: &str) -> usize {
    let (mut longest, mut run) = (0, 0);
    for character in text.chars() {
        run = if character == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

#[cfg(test)]
mod tests;
