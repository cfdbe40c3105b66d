//! Every file of `tests/corpus`: its tree or its errors, as snapshots. Adding a case is adding a file.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use akson_diagnostics::{Diagnostics, SourceMap, Span};

/// The `.aks` files of a folder of the corpus, by name.
pub(crate) fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "aks"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "the corpus is there");
    files
}

/// Tree and errors of a text.
pub(crate) fn shown(text: &str) -> (String, String) {
    let mut sources = SourceMap::new();
    let id = sources.add("main.aks", text);
    let mut diagnostics = Diagnostics::new();
    let file = akson_parser::parse(&sources, id, &mut diagnostics);
    (akson_parser::outline::outline(&file), errors(&sources, &diagnostics))
}

fn place(sources: &SourceMap, span: Span) -> String {
    let (start, end) = (sources.start(span), sources.end(span));
    format!("{}:{}-{}:{}", start.line, start.column, end.line, end.column)
}

fn errors(sources: &SourceMap, diagnostics: &Diagnostics) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics.sorted() {
        let _ = writeln!(out, "{} {}", diagnostic.code, diagnostic.message);
        for label in &diagnostic.labels {
            let mark = if label.primary { "^" } else { "-" };
            let _ = writeln!(out, "  {mark} {} {}", place(sources, label.span), label.text);
        }
        for note in &diagnostic.notes {
            let _ = writeln!(out, "  note: {note}");
        }
        if let Some(help) = &diagnostic.help {
            let _ = writeln!(out, "  help: {help}");
        }
    }
    out
}

fn snapshot(path: &Path, folder: &str, text: &str, content: &str) {
    let name = format!("{folder}__{}", path.file_stem().unwrap().to_string_lossy());
    insta::with_settings!({ prepend_module_to_snapshot => false, description => text, omit_expression => true }, {
        insta::assert_snapshot!(name, content);
    });
}

#[test]
fn sound_files_become_trees() {
    for path in files("ok") {
        let text = std::fs::read_to_string(&path).unwrap();
        let (tree, errors) = shown(&text);
        assert_eq!(errors, "", "{}", path.display());
        snapshot(&path, "ok", &text, &tree);
    }
}

#[test]
fn mistakes_are_told_once_each() {
    for path in files("err") {
        let text = std::fs::read_to_string(&path).unwrap();
        let (tree, errors) = shown(&text);
        assert_ne!(errors, "", "{}", path.display());
        snapshot(&path, "err", &text, &format!("{errors}\n{tree}"));
    }
}
