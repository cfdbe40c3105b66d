//! What a parse has found, up to a limit a file. Not how any of it is worded.

use akson_diagnostics::{Diagnostic, Diagnostics};

use crate::codes::TOO_MANY_ERRORS;
use crate::limits::MAX_ERRORS;

/// Collects the diagnostics of one file.
#[derive(Debug, Default)]
pub(crate) struct Report {
    list: Vec<Diagnostic>,
    given: usize,
    kept_back: usize,
    /// Where hidden characters stand, in order; they have been reported, so what fails because of them is not.
    pub(crate) hidden: Vec<(usize, usize)>,
}

impl Report {
    /// Adds one; past the limit it is only counted.
    pub(crate) fn give(&mut self, diagnostic: Diagnostic) {
        self.given += 1;
        if self.list.len() < MAX_ERRORS {
            self.list.push(diagnostic);
        }
    }

    /// Adds one about bytes `start..end`, unless a hidden character among them is the likely reason.
    pub(crate) fn give_unless_hidden(&mut self, diagnostic: Diagnostic, start: usize, end: usize) {
        if self.hides(start, end) {
            self.kept_back += 1;
        } else {
            self.give(diagnostic);
        }
    }

    /// Counts one that is the consequence of another.
    pub(crate) fn keep_back(&mut self) {
        self.kept_back += 1;
    }

    /// Whether a hidden character stands at bytes `start..end`.
    pub(crate) fn hides(&self, start: usize, end: usize) -> bool {
        let first = self.hidden.partition_point(|(_, hidden_end)| *hidden_end <= start);
        self.hidden.get(first).is_some_and(|(hidden_start, _)| *hidden_start < end)
    }

    /// How many mistakes were met so far, also those not told.
    pub(crate) fn count(&self) -> usize {
        self.given + self.kept_back
    }

    /// Hands all of them over, with a last one if some were left out.
    pub(crate) fn hand_over(self, diagnostics: &mut Diagnostics) {
        let last = self.list.last().and_then(Diagnostic::primary);
        let left_out = self.given - self.list.len();
        for diagnostic in self.list {
            diagnostics.push(diagnostic);
        }
        if let Some(last) = last.filter(|_| left_out > 0) {
            diagnostics.push(
                Diagnostic::error(TOO_MANY_ERRORS, format!("{left_out} more syntax errors in this file are not shown"))
                    .at(last, "the last one that is shown")
                    .help("mend the first ones, or check that this is an `.aks` file"),
            );
        }
    }
}
