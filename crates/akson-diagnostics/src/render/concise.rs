//! One line a diagnostic, for editors, grep and narrow logs. Labels, notes and help are left out.

use std::fmt::Write as _;

use super::place::Place;
use crate::{Diagnostics, SafeText, SourceMap};

/// `file:line:column: severity[CODE]: message`; without a place the resource's address stands in front, if any.
pub(super) fn render(diagnostics: &Diagnostics, sources: &SourceMap) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics.sorted() {
        let before = match (diagnostic.primary(), &diagnostic.address) {
            (Some(span), _) => {
                let place = Place::of(span, sources);
                format!("{}:{}:{}: ", place.file, place.line, place.column)
            }
            (None, Some(address)) => format!("{address}: "),
            (None, None) => String::new(),
        };
        let line = format!("{before}{}[{}]: {}", diagnostic.severity.as_str(), diagnostic.code, diagnostic.message);
        let line = line.replace('\n', " ");
        writeln!(out, "{}", SafeText(&line)).expect("writing to a string never fails");
    }
    out
}
