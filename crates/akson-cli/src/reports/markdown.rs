//! A look as Markdown: an issue's body, a step's summary, a file. What was found is said as `akson drift --format markdown` says it; here is what
//! came of the look as a whole.

use std::fmt::Write as _;

use super::items::{self, cut};
use crate::{
    schedule::{Look, Outcome},
    views::{drift_markdown::findings, markdown::code},
};

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
            let _ = writeln!(out, "**{}** {}", error.code, code(&cut(&error.message, 2_000)));
        }
        _ => {
            let _ = writeln!(out, "**{}**", items::summary(look));
        }
    }
    if look.outcome == Outcome::Incomplete {
        out.push_str("\nWhat was not seen may have changed, too: this is not the whole answer.\n");
    }
    if let Some(document) = &look.document {
        findings(&mut out, document);
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
