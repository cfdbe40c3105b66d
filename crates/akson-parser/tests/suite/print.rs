//! Printed trees: what comes out is read as the same tree, for every sound file of the corpus and for made-up ones.

use akson_diagnostics::{Diagnostics, SourceMap};
use akson_parser::{outline::outline, print_block};
use proptest::prelude::*;

use crate::{corpus::files, generate};

/// The trees before and after printing.
fn twice(text: &str) -> Option<(String, String, String)> {
    let mut sources = SourceMap::new();
    let mut diagnostics = Diagnostics::new();
    let id = sources.add("main.aks", text);
    let first = akson_parser::parse(&sources, id, &mut diagnostics);
    if diagnostics.has_errors() {
        return None;
    }
    let printed: String = first.blocks.iter().map(print_block).collect();
    let id = sources.add("printed.aks", printed.clone());
    let second = akson_parser::parse(&sources, id, &mut diagnostics);
    assert!(!diagnostics.has_errors(), "{text}\n--- printed\n{printed}\n{diagnostics:#?}");
    assert!(akson_parser::format(&sources, id).is_ok());
    Some((outline(&first), outline(&second), printed))
}

#[test]
fn sound_files_keep_their_tree() {
    for path in files("ok") {
        let text = std::fs::read_to_string(&path).unwrap();
        let (first, second, printed) = twice(&text).unwrap();
        assert_eq!(first, second, "{}:\n{printed}", path.display());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn made_up_files_keep_their_tree(choices in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Some((first, second, printed)) = twice(&generate::file(&choices)) {
            prop_assert_eq!(first, second, "{}", printed);
        }
    }
}
