//! Many looks as a table for people.

use super::look::{Look, Outcome};
use crate::views::{
    literal,
    stacks::{Row, table},
};

/// A line a stack, and the sum.
pub(super) fn text(looks: &[Look]) -> String {
    let rows: Vec<Row> = looks
        .iter()
        .map(|look| Row { folder: look.folder.clone(), outcome: words(look.outcome), what: what(look) })
        .collect();
    table(&rows, &Outcome::ALL.map(words))
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
