//! `tests/corpus/*.aks`: configurations with what is found in them as comments under the line:
//!
//! ```text
//!   sku = standart
//!   #     ^^^^^^^^ AKS0213 `standart` is none of the words allowed here
//!   #     help: did you mean `standard`?
//! ```
//!
//! `AKSON_BLESS=1` writes the comments anew.

use std::{fs, path::Path};

use super::run::{Run, run};

/// The text without the comments that say what is found.
fn bare(text: &str) -> String {
    text.lines().filter(|line| !is_expectation(line)).map(|line| format!("{line}\n")).collect()
}

fn is_expectation(line: &str) -> bool {
    let line = line.trim_start();
    line.strip_prefix('#').is_some_and(|rest| {
        let rest = rest.trim_start();
        rest.starts_with('^') || rest.starts_with("help: ") || rest.starts_with("also ") || rest.starts_with("! AKS")
    })
}

fn annotated(text: &str, run: &Run) -> String {
    let mut under: Vec<Vec<String>> = vec![Vec::new(); text.lines().count() + 1];
    for diagnostic in run.diagnostics.sorted() {
        let mut lines = Vec::new();
        let (line, pad) = match diagnostic.primary() {
            None => {
                lines.push(format!("# ! {} {}", diagnostic.code, diagnostic.message));
                (0, "# ".to_owned())
            }
            Some(span) => {
                let (start, end) = (run.sources.start(span), run.sources.end(span));
                let width = if start.line == end.line { (end.column - start.column).max(1) } else { 1 };
                // In the first columns there is no room for `#` and carets.
                let column = start.column.max(3);
                let pad = format!("#{}", " ".repeat(column - 2));
                let carets = "^".repeat(width.saturating_sub(column - start.column).max(1));
                lines.push(format!("{pad}{carets} {} {}", diagnostic.code, diagnostic.message));
                (start.line, pad)
            }
        };
        for label in diagnostic.labels.iter().filter(|label| !label.primary) {
            lines.push(format!("{pad}also {}: {}", run.sources.start(label.span).line, label.text));
        }
        if let Some(help) = &diagnostic.help {
            lines.push(format!("{pad}help: {help}"));
        }
        under[line].extend(lines);
    }
    let mut out = String::new();
    let mut push = |lines: &[String]| lines.iter().for_each(|line| out.push_str(&format!("{line}\n")));
    push(&under[0]);
    for (at, line) in text.lines().enumerate() {
        push(&[line.to_owned()]);
        push(&under[at + 1]);
    }
    out
}

#[test]
fn what_is_found_in_the_corpus() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "aks"))
        .collect();
    files.sort();
    assert!(files.len() > 20, "the corpus is not where it should be");
    let bless = std::env::var_os("AKSON_BLESS").is_some();
    let mut wrong = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let bare = bare(&text);
        let found = annotated(&bare, &run(&bare));
        if bless {
            fs::write(&path, found).unwrap();
        } else if found != text {
            wrong.push(format!("--- {}\n{found}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "these differ from what is found:\n{}", wrong.join("\n"));
}
