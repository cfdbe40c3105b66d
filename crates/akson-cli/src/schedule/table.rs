//! Many looks as a table for people.

use std::fmt::Write as _;

use super::look::{Look, Outcome};
use crate::views::{literal, plan::count};

/// A line a stack, and the sum.
pub(super) fn text(looks: &[Look]) -> String {
    let width = looks.iter().map(|look| look.folder.chars().count()).max().unwrap_or(0).clamp(5, 60);
    let mut out = String::new();
    for look in looks {
        let folder = literal::safe(&look.folder);
        let pad = width.saturating_sub(folder.chars().count());
        let _ = writeln!(out, "{folder}{:pad$}  {:<10}  {}", "", words(look.outcome), what(look));
    }
    let of = |outcome: Outcome| looks.iter().filter(|look| look.outcome == outcome).count();
    let parts: Vec<String> = Outcome::ALL
        .into_iter()
        .filter(|outcome| of(*outcome) > 0)
        .map(|outcome| format!("{} {}", of(outcome), words(outcome)))
        .collect();
    let parts = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
    let _ = writeln!(out, "{}{parts}", count(looks.len(), "stack"));
    out
}

fn words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::InSync => "in sync",
        Outcome::Drift => "drift",
        Outcome::Incomplete => "incomplete",
        Outcome::Failed => "failed",
    }
}

fn what(look: &Look) -> String {
    match (&look.document, &look.error) {
        (Some(_), None) => crate::reports::summary(look),
        (_, Some(error)) => format!("{}: {}", error.code, literal::safe(&error.message)),
        (None, None) => String::new(),
    }
}
