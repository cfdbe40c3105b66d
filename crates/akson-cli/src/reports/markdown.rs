//! Drift as Markdown: an issue's body, a step's summary, a file. It always fits an issue, and nothing from outside can break out of it.

use std::fmt::Write as _;

use super::items::{self, Item, cut};
use crate::{
    schedule::{Look, Outcome},
    views::{
        markdown::{BUDGET, code, longest_run},
        plan::count,
    },
};

/// What of a comment's room is for the table.
const TABLE: usize = 25_000;

/// The text. `marker` is what nobody sees and the text is found by.
pub(super) fn text(look: &Look, marker: Option<&str>) -> String {
    let mut out = String::new();
    if let Some(marker) = marker {
        let _ = writeln!(out, "{marker}");
    }
    let icon = match look.outcome {
        Outcome::InSync => "✅",
        Outcome::Drift => "⚠️",
        Outcome::Incomplete | Outcome::Failed => "❌",
    };
    let _ = writeln!(out, "### {icon} {} {}\n", what(look.outcome), code(look.name()));
    match (&look.document, &look.error) {
        (None, Some(error)) => {
            let _ = writeln!(out, "**{}** {}\n", error.code, code(&cut(&error.message, 2_000)));
        }
        _ => {
            let _ = writeln!(out, "**{}**\n", items::summary(look));
        }
    }
    if look.outcome == Outcome::Incomplete {
        out.push_str("What was not seen may have changed, too: this is not the whole answer.\n\n");
    }
    let items = items::items(look);
    if !items.is_empty() {
        table(&mut out, &items);
        details(&mut out, &items);
    }
    let cloud = look.document.as_ref().map(|document| code(&document.plan.cloud)).unwrap_or_default();
    let _ = writeln!(out, "\nLooked at {} {}{cloud}", look.at, if cloud.is_empty() { "" } else { "· " });
    out
}

fn what(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::InSync => "in sync:",
        Outcome::Drift => "drift in",
        Outcome::Incomplete => "not seen as a whole:",
        Outcome::Failed => "could not look at",
    }
}

fn table(out: &mut String, items: &[Item]) {
    out.push_str("| severity | what | happened | by |\n|---|---|---|---|\n");
    let mut left_out = 0;
    for item in items {
        let by = item.by.first().map(|by| code(&cut(by, 300))).unwrap_or_default();
        let row = format!(
            "| {} | {} | {} | {by} |\n",
            item.rank().trim_end(),
            code(&cut(&item.subject, 300)),
            item.what.words()
        );
        if out.len() + row.len() > TABLE {
            left_out += 1;
        } else {
            out.push_str(&row);
        }
    }
    if left_out > 0 {
        let _ = writeln!(out, "\n{} more: see the run's log.", count(left_out, "finding"));
    }
}

fn details(out: &mut String, items: &[Item]) {
    let mut body = String::new();
    let mut left_out = 0;
    for item in items.iter().filter(|item| !item.edits.is_empty() || !item.sentence.is_empty() || item.by.len() > 1) {
        let mut block = format!("{}{}: {}\n", item.rank(), item.subject, item.what.words());
        if !item.sentence.is_empty() {
            let _ = writeln!(block, "    {}", cut(&item.sentence, 1_000));
        }
        for edit in &item.edits {
            let _ = writeln!(block, "    {}: is {}, declared {}", edit.attribute, edit.is, edit.declared);
        }
        for by in &item.by {
            let _ = writeln!(block, "    by {}", cut(by, 500));
        }
        if out.len() + body.len() + block.len() > BUDGET {
            left_out += 1;
        } else {
            body.push_str(&block);
        }
    }
    if body.is_empty() {
        return;
    }
    let fence = "`".repeat(longest_run(&body).max(2) + 1);
    let _ = write!(out, "\n<details><summary>Details</summary>\n\n{fence}text\n{body}");
    if left_out > 0 {
        let _ = writeln!(out, "… {} more", count(left_out, "finding"));
    }
    let _ = write!(out, "{fence}\n\n</details>\n");
}
