//! `tests/corpus/bad/*.aks`: files with a mistake each, as bytes, and all that is said about them in `tests/corpus/bad/found.txt`.
//! Adding a case is adding a file. `AKSON_BLESS=1` writes what is found anew.

use std::{fmt::Write as _, fs, path::Path};

use akson_diagnostics::{Diagnostic, SourceMap};

use super::run::run;

/// What is said about a file.
fn found(name: &str, bytes: &[u8]) -> String {
    let text = match akson_parser::decode(name, bytes) {
        Ok(text) => text,
        Err(diagnostic) => return said(&SourceMap::new(), &diagnostic),
    };
    let run = run(&text);
    run.diagnostics.sorted().into_iter().map(|diagnostic| said(&run.sources, diagnostic)).collect()
}

fn said(sources: &SourceMap, diagnostic: &Diagnostic) -> String {
    assert!(diagnostic.help.is_some(), "nothing says what to do: {} {}", diagnostic.code, diagnostic.message);
    let place = |span: akson_diagnostics::Span| {
        let (start, end) = (sources.start(span), sources.end(span));
        format!("{}:{}-{}:{}", start.line, start.column, end.line, end.column)
    };
    let at = diagnostic.primary().map_or_else(String::new, |span| format!("{} ", place(span)));
    let mut out = format!("{at}{} {}\n", diagnostic.code, diagnostic.message);
    for label in &diagnostic.labels {
        if !label.primary || !label.text.is_empty() {
            let _ = writeln!(out, "  {} {}", place(label.span), label.text);
        }
    }
    for note in &diagnostic.notes {
        let _ = writeln!(out, "  note: {note}");
    }
    if let Some(help) = &diagnostic.help {
        let _ = writeln!(out, "  help: {help}");
    }
    for suggestion in &diagnostic.suggestions {
        let _ = writeln!(out, "  {} becomes `{}`", place(suggestion.span), suggestion.replacement);
    }
    out
}

#[test]
fn what_is_said_about_bad_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/bad");
    let mut names: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .filter_map(|entry| Some(entry.unwrap().file_name().to_str()?.strip_suffix(".aks")?.to_owned()))
        .collect();
    names.sort();
    assert!(names.len() > 400, "the corpus is not where it should be");
    let (mut all, mut silent) = (String::new(), Vec::new());
    for name in names {
        let said = found("main.aks", &fs::read(folder.join(format!("{name}.aks"))).unwrap());
        if said.is_empty() {
            silent.push(name.clone());
        }
        let _ = write!(all, "## {name}\n{said}\n");
    }
    assert!(silent.is_empty(), "nothing is said about {silent:?}");
    let expected = folder.join("found.txt");
    if std::env::var_os("AKSON_BLESS").is_some() {
        fs::write(&expected, &all).unwrap();
        return;
    }
    let expected = fs::read_to_string(&expected).unwrap();
    let (found, expected): (Vec<&str>, Vec<&str>) = (all.split("\n## ").collect(), expected.split("\n## ").collect());
    let missing: Vec<&&str> = expected.iter().filter(|said| !found.contains(said)).take(3).collect();
    let new: Vec<&&str> = found.iter().filter(|said| !expected.contains(said)).take(3).collect();
    assert!(new.is_empty() && missing.is_empty(), "this is found:\n{new:#?}\nand not this:\n{missing:#?}");
    assert_eq!(found.len(), expected.len(), "a file is there that was not");
}

/// Eleven mistakes that have nothing to do with each other, of syntax, names, types and values: as many diagnostics in one run.
#[test]
fn each_mistake_has_its_diagnostic() {
    let text = r#"stack "s" { location = "westeurope" }

variable "size" { type = strng }

locals {
  a = [1, 2
}

locals {
  b = 1 / 0
  c = uper("x")
}

resource_group "app" {
  name = "rg"
  tgas = { a = "b" }
}

resource_group "other" {
  name: "rg2"
}

identity "one" {
  name           = "id-one"
  resource_group = vault.sound
}

identity "two" {
  name           = "id-two"
  resource_group = resource_group.ap
}

vault "main" {
  name             = "no--vault"
  resource_group   = resource_group.app
  purge_protection = on
}

vault "sound" {
  name             = "kv-sound"
  resource_group   = resource_group.app
  purge_protection = enabled
}

output "x" { value = local.b + "text }
"#;
    let run = run(text);
    let lines: Vec<usize> = run
        .diagnostics
        .sorted()
        .iter()
        .map(|diagnostic| run.sources.start(diagnostic.primary().unwrap()).line)
        .collect();
    assert_eq!(lines, [3, 6, 10, 11, 16, 20, 25, 30, 34, 36, 45], "{:#?}", run.lines());
}
