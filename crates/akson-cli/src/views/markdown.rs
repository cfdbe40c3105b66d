//! A plan as a pull request's comment. It always fits one of 65,536 bytes, and nothing from outside can break out of it.

use std::fmt::Write as _;

use serde_json::Value;

use super::{literal, plan};
use crate::document::{ChangeDocument, PlanDocument};

/// Where to stop, leaving room for the closing lines: hosts take 65,536 bytes.
const BUDGET: usize = 60_000;

/// The comment.
pub(crate) fn markdown(document: &PlanDocument) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "<!-- akson:plan stack={} -->", comment(&document.stack));
    let _ = writeln!(out, "### akson plan · {} · {}\n", code(&document.stack), code(&document.cloud));
    if document.summary.changes() == 0 {
        let _ = writeln!(out, "**No changes.** {} as declared.\n", plan::count(document.summary.no_op, "resource"));
    } else {
        let _ = writeln!(out, "**{}**\n", plan::summary(document.summary));
    }
    let mut changes: Vec<&ChangeDocument> = document.changes.iter().filter(|change| change.action != "no_op").collect();
    // What is lost comes first: if the room ends, it ends with what is harmless.
    changes.sort_by_key(|change| match change.action.as_str() {
        "delete" | "replace" => 0,
        "update" | "adopt" | "forget" => 1,
        _ => 2,
    });
    let mut left_out = 0;
    if !changes.is_empty() {
        out.push_str("| | resource | action |\n|---|---|---|\n");
        for change in &changes {
            let line = format!(
                "| {} | {} | {}{} |\n",
                sign(&change.action),
                code(&change.address),
                word(&change.action),
                if change.irreversible { ", **cannot be undone**" } else { "" }
            );
            if out.len() + line.len() > BUDGET / 2 {
                left_out += 1;
            } else {
                out.push_str(&line);
            }
        }
        if left_out > 0 {
            let _ = writeln!(out, "\n{} more: see the job's log.", plan::count(left_out, "change"));
        }
        details(&mut out, &changes);
    }
    let _ = writeln!(out, "\nPlan {} · {}", code(&document.digest), plan::count(document.requests.reads, "request"));
    out
}

fn details(out: &mut String, changes: &[&ChangeDocument]) {
    let mut body = String::new();
    let mut left_out = 0;
    for change in changes {
        let mut block = format!("{} {}\n", sign(&change.action), literal::safe(&change.address));
        for reason in &change.reasons {
            let Some(attribute) = &reason.attribute else { continue };
            let show = |value: &Value, wanted: bool| match value {
                _ if reason.sensitive => "(sensitive)".to_owned(),
                _ if wanted && reason.known_after_apply => "(known after apply)".to_owned(),
                Value::Null => "(absent)".to_owned(),
                value if reason.expression => literal::expression(value),
                value => literal::aks(value),
            };
            let _ = writeln!(
                block,
                "    {}: {} -> {}",
                literal::safe(attribute),
                show(&reason.before, false),
                show(&reason.after, true)
            );
        }
        for note in &change.notes {
            let _ = writeln!(block, "    note: {}", literal::safe(note));
        }
        if out.len() + body.len() + block.len() > BUDGET {
            left_out += 1;
        } else {
            body.push_str(&block);
        }
    }
    let fence = "`".repeat(longest_run(&body).max(2) + 1);
    let _ = write!(out, "\n<details><summary>Details</summary>\n\n{fence}text\n{body}");
    if left_out > 0 {
        let _ = writeln!(out, "… {} more", plan::count(left_out, "change"));
    }
    let _ = write!(out, "{fence}\n\n</details>\n");
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
    if action.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') { action.to_owned() } else { code(action) }
}

/// Inline code that its content cannot leave, also inside a table.
pub(crate) fn code(text: &str) -> String {
    let text = literal::safe(text).replace('|', "\\|");
    let fence = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

fn comment(text: &str) -> String {
    text.chars().filter(|character| character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.')).collect()
}

fn longest_run(text: &str) -> usize {
    let (mut longest, mut run) = (0, 0);
    for character in text.chars() {
        run = if character == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}
