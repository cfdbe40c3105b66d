//! The pages of syntax errors: the failing example of each raises its code and no other, the mended one none.

use akson_diagnostics::{Code, Diagnostics, SourceMap, codes};

/// The text of the first fenced block with that language.
fn block<'p>(page: &'p str, language: &str) -> Option<&'p str> {
    let (_, rest) = page.split_once(&format!("```{language}\n"))?;
    Some(rest.split_once("```\n")?.0)
}

fn raised(text: &str) -> Vec<Code> {
    let mut sources = SourceMap::new();
    let id = sources.add("main.aks", text);
    let mut diagnostics = Diagnostics::new();
    akson_parser::parse(&sources, id, &mut diagnostics);
    diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

#[test]
fn examples_raise_their_code_once() {
    let mut seen = 0;
    for code in codes::all().filter(|code| (100..200).contains(&code.0)) {
        let page = codes::page(code).unwrap();
        seen += 1;
        if let Some(fails) = block(page, "aks,fails") {
            assert_eq!(raised(fails), [code], "{fails}");
            assert_eq!(raised(block(page, "aks,works").unwrap()), [], "{code}");
        }
    }
    assert!(seen >= 29);
}
