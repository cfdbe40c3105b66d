//! `JUnit` XML: a test case a diagnostic, failed if it is an error. Where there is none, one case that passed,
//! because readers take a suite without cases for a broken run.

use std::fmt::Write as _;

use super::place::Place;
use crate::{Diagnostic, Diagnostics, SafeText, Severity, SourceMap};

/// The whole document.
pub(super) fn render(diagnostics: &Diagnostics, sources: &SourceMap) -> String {
    let list = diagnostics.sorted();
    let failures = list.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
    let counts = format!(r#"tests="{}" failures="{failures}" errors="0""#, list.len().max(1));
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    write_cases(&mut out, &list, sources, &counts).expect("writing to a string never fails");
    out
}

fn write_cases(
    out: &mut String,
    list: &[&Diagnostic],
    sources: &SourceMap,
    counts: &str,
) -> Result<(), std::fmt::Error> {
    writeln!(out, "<testsuites {counts}>\n  <testsuite name=\"akson\" {counts}>")?;
    if list.is_empty() {
        writeln!(out, "    <testcase name=\"configuration\" classname=\"akson\"/>")?;
    }
    for diagnostic in list {
        let class = diagnostic.address.as_deref().unwrap_or("akson");
        let name = format!("{}: {}", diagnostic.code, diagnostic.message);
        write!(out, r#"    <testcase name="{}" classname="{}""#, escape(&name), escape(class))?;
        let place = diagnostic.primary().map(|span| Place::of(span, sources));
        if let Some(place) = &place {
            write!(out, r#" file="{}" line="{}""#, escape(place.file), place.line)?;
        }
        let text = escape(&details(diagnostic, place.as_ref()));
        match diagnostic.severity {
            Severity::Error => writeln!(
                out,
                ">\n      <failure type=\"{}\" message=\"{}\">{text}</failure>\n    </testcase>",
                diagnostic.code,
                escape(&diagnostic.message),
            )?,
            Severity::Warning | Severity::Note => {
                writeln!(out, ">\n      <system-out>{text}</system-out>\n    </testcase>")?;
            }
        }
    }
    writeln!(out, "  </testsuite>\n</testsuites>")
}

/// The diagnostic in plain lines.
fn details(diagnostic: &Diagnostic, place: Option<&Place<'_>>) -> String {
    let mut lines = vec![format!("{}: {}", diagnostic.severity.as_str(), diagnostic.message)];
    lines.extend(place.map(|place| format!("at {}:{}:{}", place.file, place.line, place.column)));
    lines.extend(diagnostic.notes.iter().map(|note| format!("note: {note}")));
    lines.extend(diagnostic.help.iter().map(|help| format!("help: {help}")));
    lines.join("\n")
}

/// Text in an element or an attribute. XML knows no control characters at all, so they go through [`SafeText`].
pub fn escape(text: &str) -> String {
    let mut out = String::new();
    for character in SafeText(text).to_string().chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}
