//! Drift as `JUnit` XML: a test case a finding, which fails; one that passes for what is in sync; an error for what could not be seen.

use std::fmt::Write as _;

use akson_diagnostics::render::junit::escape;

use super::{items, sarif::sentence};
use crate::{schedule::Look, views::plan::count};

/// The document.
pub(super) fn text(look: &Look) -> String {
    let items = items::items(look);
    let is_known = look.outcome.is_success();
    let cases = items.len() + 1;
    let counts = format!(r#"tests="{cases}" failures="{}" errors="{}""#, items.len(), u8::from(!is_known));
    let suite = escape(&format!("akson drift: {}", look.name()));
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let time = look.took.as_secs_f64();
    let _ = writeln!(
        out,
        "<testsuites {counts}>\n  <testsuite name=\"{suite}\" {counts} time=\"{time:.3}\" timestamp=\"{}\">",
        look.at
    );
    for item in &items {
        let _ = write!(
            out,
            r#"    <testcase name="{}" classname="{}""#,
            escape(&item.subject),
            escape(&format!("{}.{}", look.name(), item.kind))
        );
        if let Some(place) = &item.place {
            let _ = write!(out, r#" file="{}" line="{}""#, escape(&look.file(&place.file)), place.line);
        }
        let words = escape(&format!("{}{}", item.rank(), item.what.words()));
        let _ = writeln!(
            out,
            ">\n      <failure type=\"{}\" message=\"{words}\">{}</failure>\n    </testcase>",
            item.what.as_str(),
            escape(&sentence(item))
        );
    }
    let class = escape(look.name());
    match (is_known, &look.document) {
        (true, document) => {
            let number = document.as_ref().map_or(0, |document| document.found.in_sync);
            let _ =
                writeln!(out, "    <testcase name=\"{} in sync\" classname=\"{class}\"/>", count(number, "resource"));
        }
        (false, _) => {
            let why = escape(
                &look.error.as_ref().map_or_else(String::new, |error| format!("{}: {}", error.code, error.message)),
            );
            let _ = writeln!(
                out,
                "    <testcase name=\"everything was seen\" classname=\"{class}\">\n      <error type=\"{}\" message=\"{why}\"/>\n    </testcase>",
                look.outcome.as_str()
            );
        }
    }
    let _ = writeln!(out, "  </testsuite>\n</testsuites>");
    out
}
