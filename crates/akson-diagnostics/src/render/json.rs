//! Diagnostics as JSON. The fields are part of the promise to pipelines: every one is always present.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::place::Place;
use crate::text::{is_command, is_unsafe};
use crate::{Diagnostic, Diagnostics, Severity, SourceMap, Span};

/// The diagnostics as an array, sorted, to stand inside another document.
pub fn value(diagnostics: &Diagnostics, sources: &SourceMap) -> Value {
    diagnostics.sorted().into_iter().map(|diagnostic| one(diagnostic, sources)).collect()
}

/// A JSON document as text: indented, ended by a line feed, and with every character escaped that could move a
/// terminal's cursor, reorder text or hide.
pub fn text(document: &Value) -> String {
    let mut out = escaped(&format!("{document:#}"));
    out.push('\n');
    out
}

/// The same on one line, without a line feed at its end.
pub fn line(document: &Value) -> String {
    escaped(&document.to_string())
}

/// JSON with what is unsafe escaped. Outside of strings JSON is plain ASCII, so whatever is unsafe here stands in a string.
fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for (at, character) in json.char_indices() {
        if is_unsafe(character) || is_command(json, at) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}").expect("writing to a string never fails");
            }
        } else {
            out.push(character);
        }
    }
    out
}

/// The document that `check --format json` prints.
pub(super) fn render(diagnostics: &Diagnostics, sources: &SourceMap) -> String {
    text(&json!({
        "diagnostics": value(diagnostics, sources),
        "summary": {
            "errors": diagnostics.count(Severity::Error),
            "warnings": diagnostics.count(Severity::Warning),
        },
    }))
}

fn one(diagnostic: &Diagnostic, sources: &SourceMap) -> Value {
    let labels = diagnostic.labels.iter().map(|label| {
        let mut value = place(label.span, sources);
        value["text"] = json!(label.text);
        value["primary"] = json!(label.primary);
        value
    });
    let suggestions = diagnostic.suggestions.iter().map(|suggestion| {
        let mut value = place(suggestion.span, sources);
        value["replacement"] = json!(suggestion.replacement);
        value["text"] = json!(suggestion.text);
        value
    });
    json!({
        "code": diagnostic.code.to_string(),
        "severity": diagnostic.severity.as_str(),
        "message": diagnostic.message,
        "address": diagnostic.address,
        "labels": labels.collect::<Value>(),
        "notes": diagnostic.notes,
        "help": diagnostic.help,
        "suggestions": suggestions.collect::<Value>(),
    })
}

fn place(span: Span, sources: &SourceMap) -> Value {
    let Place { file, line, column, end_line, end_column } = Place::of(span, sources);
    json!({ "file": file, "line": line, "column": column, "end_line": end_line, "end_column": end_column })
}
