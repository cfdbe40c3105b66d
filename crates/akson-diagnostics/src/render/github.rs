//! Workflow annotations: lines that GitHub's runner turns into marks beside the code. Not a summary; GitHub shows
//! ten annotations of a kind a step, so the most severe come first.

use std::fmt::Write as _;

use super::Options;
use super::place::Place;
use crate::{Diagnostic, Diagnostics, SafeText, Severity, SourceMap};

/// `::error file=..,line=..,endLine=..,col=..,endColumn=..,title=CODE::message` a diagnostic.
pub(super) fn render(diagnostics: &Diagnostics, sources: &SourceMap, options: &Options) -> String {
    let mut list = diagnostics.sorted();
    list.sort_by_key(|diagnostic| diagnostic.severity);
    let mut out = String::new();
    for diagnostic in list {
        let command = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let place = diagnostic.primary().map_or_else(String::new, |span| {
            let place = Place::of(span, sources);
            let mut text = format!(
                "file={},line={},endLine={},",
                property(&place.file_from(&options.folder)),
                place.line,
                place.end_line
            );
            // GitHub refuses columns of a place that has several lines.
            if place.line == place.end_line {
                write!(text, "col={},endColumn={},", place.column, place.end_column)
                    .expect("writing to a string never fails");
            }
            text
        });
        writeln!(out, "::{command} {place}title={}::{}", diagnostic.code, data(&message(diagnostic)))
            .expect("writing to a string never fails");
    }
    out
}

/// Headline, what stands at the place, notes and help, a line each.
fn message(diagnostic: &Diagnostic) -> String {
    let label = diagnostic.labels.iter().find(|label| label.primary).map(|label| label.text.as_str());
    let mut lines = vec![diagnostic.message.clone()];
    lines.extend(label.filter(|text| !text.is_empty()).map(str::to_owned));
    lines.extend(diagnostic.notes.iter().map(|note| format!("note: {note}")));
    lines.extend(diagnostic.help.iter().map(|help| format!("help: {help}")));
    lines.join("\n")
}

/// The escapes of a command's message.
fn data(text: &str) -> String {
    SafeText(text).to_string().replace('%', "%25").replace('\n', "%0A")
}

/// The escapes of a command's property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
