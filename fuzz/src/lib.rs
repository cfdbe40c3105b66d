//! What the fuzz targets share: reading, formatting and evaluating bytes as the command line does, without files. No target is here.
#![forbid(unsafe_code)]

use akson_catalog::Catalog;
use akson_config::Inputs;
use akson_diagnostics::{Diagnostics, SourceMap, render};
use akson_parser::ast::File;

/// A text that was read.
#[derive(Debug)]
pub struct Read {
    /// Where it is kept.
    pub sources: SourceMap,
    /// The tree.
    pub file: File,
    /// What was found in it.
    pub diagnostics: Diagnostics,
}

/// Reads bytes as a file; none if they are no text.
#[must_use]
pub fn read(bytes: &[u8]) -> Option<Read> {
    let text = akson_parser::decode("main.aks", bytes).ok()?;
    let mut sources = SourceMap::new();
    let id = sources.add("main.aks", text);
    let mut diagnostics = Diagnostics::new();
    let file = akson_parser::parse(&sources, id, &mut diagnostics);
    Some(Read { sources, file, diagnostics })
}

/// Every place lies in the text, every format can show what was found, and each says what to do.
pub fn show(sources: &SourceMap, diagnostics: &Diagnostics) {
    for diagnostic in diagnostics {
        assert!(diagnostic.help.is_some(), "nothing says what to do: {} {}", diagnostic.code, diagnostic.message);
        for label in &diagnostic.labels {
            let text = &sources.get(label.span.source).text;
            let (start, end) = (label.span.start as usize, label.span.end as usize);
            assert!(start <= end && text.is_char_boundary(start) && text.is_char_boundary(end));
        }
        for suggestion in &diagnostic.suggestions {
            let text = &sources.get(suggestion.span.source).text;
            assert!(text.get(suggestion.span.start as usize..suggestion.span.end as usize).is_some());
        }
    }
    let _ = render::json::value(diagnostics, sources);
}

/// Evaluates files as one configuration, with inputs that hold a tenant and a subscription.
pub fn evaluate(sources: &SourceMap, files: &[File], inputs: Inputs, diagnostics: &mut Diagnostics) {
    let inputs = Inputs {
        tenant: Some("11111111-1111-1111-1111-111111111111".to_owned()),
        subscription: Some("22222222-2222-2222-2222-222222222222".to_owned()),
        ..inputs
    };
    let catalog = Catalog::builtin().expect("the catalog that is built in is right");
    let first = akson_config::evaluate(files, sources, catalog, &inputs, diagnostics);
    let mut again = Diagnostics::new();
    let second = akson_config::evaluate(files, sources, catalog, &inputs, &mut again);
    // No clock and no randomness: a second run comes to the same.
    assert_eq!(format!("{first:?}"), format!("{second:?}"));
}
