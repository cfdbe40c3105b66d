//! Kind files: the program's own load; a broken one is a diagnostic that points into it.

#![allow(clippy::unwrap_used, reason = "a test that fails should say where")]

use super::*;

#[test]
fn the_kinds_of_the_program_load() {
    let mut sources = SourceMap::new();
    let mut diagnostics = Diagnostics::new();
    let catalog = Catalog::load(KINDS, &mut sources, &mut diagnostics);
    let found: Vec<String> = diagnostics
        .iter()
        .map(|diagnostic| {
            let place = diagnostic
                .primary()
                .map(|span| format!("{}:{}", sources.get(span.source).name, sources.start(span).line));
            format!("{} {place:?} {diagnostic:?}", diagnostic.code)
        })
        .collect();
    assert!(found.is_empty(), "{found:#?}");
    assert_eq!(catalog.iter().count(), KINDS.len());
    assert!(Catalog::builtin().is_ok());
}
