//! Evaluation ends without a panic whatever the text is: corpus files with pieces swapped, cut and repeated.

use std::{fs, path::Path, sync::OnceLock};

use proptest::prelude::*;

use super::run::run;

fn corpus() -> &'static [String] {
    static TEXTS: OnceLock<Vec<String>> = OnceLock::new();
    TEXTS.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        // The one that exhausts limits takes its time by design.
        files
            .iter()
            .filter(|path| path.is_file() && !path.ends_with("limits.aks"))
            .map(|path| fs::read_to_string(path).unwrap())
            .collect()
    })
}

/// Words and signs, so that mutations keep most of the syntax.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut from = 0;
    let mut before = ' ';
    for (at, character) in text.char_indices() {
        let word = |character: char| character.is_ascii_alphanumeric() || character == '_';
        if !(word(before) && word(character)) && at > from {
            tokens.push(&text[from..at]);
            from = at;
        }
        before = character;
    }
    tokens.push(&text[from..]);
    tokens
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(400), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_files_never_panic(file in any::<prop::sample::Index>(), other in any::<prop::sample::Index>(), edits in prop::collection::vec((0..5_u8, any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..6)) {
        let text = file.get(corpus());
        let spare = tokens(&corpus()[other.index(corpus().len())]);
        let mut tokens = tokens(text);
        for (kind, first, second) in edits {
            if tokens.is_empty() {
                break;
            }
            let (a, b) = (first.index(tokens.len()), second.index(tokens.len()));
            match kind {
                0 => tokens.swap(a, b),
                1 => { tokens.remove(a); }
                2 => { let token = tokens[b]; tokens.insert(a, token); }
                3 => tokens[a] = spare[second.index(spare.len())],
                _ => { let (from, to) = (a.min(b), a.max(b)); let part: Vec<&str> = tokens[from..to.min(from + 20)].to_vec(); tokens.extend(part); }
            }
        }
        let run = run(&tokens.concat());
        // Every place lies in the source.
        for diagnostic in &run.diagnostics {
            for label in &diagnostic.labels {
                let length = run.sources.get(label.span.source).text.len();
                prop_assert!(label.span.end as usize <= length);
            }
        }
    }
}
