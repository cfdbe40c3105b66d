//! The examples on the pages of syntax, names and lints: `aks,fails` raises the code of its page and nothing else worse,
//! `aks,works` raises no error and not that code.

use std::{fs, path::Path};

use akson_diagnostics::Severity;

use super::run::run;

struct Example {
    line: usize,
    fails: bool,
    text: String,
}

fn examples(page: &str) -> Vec<Example> {
    let mut found = Vec::new();
    let mut open: Option<Example> = None;
    for (at, line) in page.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (Some(example), None) => example.text.push_str(&format!("{line}\n")),
            (Some(_), Some(_)) => found.extend(open.take()),
            (None, Some(info)) if info.starts_with("aks") => {
                open = Some(Example { line: at + 1, fails: info.contains("fails"), text: String::new() });
            }
            (None, _) => {}
        }
    }
    found
}

#[test]
fn examples_on_the_pages() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../akson-diagnostics/codes");
    let mut wrong = Vec::new();
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        // Syntax, names and types, lints; 0290 to 0299 are about kind files.
        if !name
            .trim_start_matches("AKS")
            .parse()
            .is_ok_and(|number: u16| (101..=289).contains(&number) || (301..400).contains(&number))
        {
            continue;
        }
        let page = fs::read_to_string(&path).unwrap();
        if !page.starts_with(&format!("# {name}: ")) {
            wrong.push(format!("{name}: the first line is not `# {name}: title`"));
        }
        let examples = examples(&page);
        if !page.contains("```console") && !examples.iter().any(|example| example.fails)
            || !page.contains("```console") && !examples.iter().any(|example| !example.fails)
        {
            wrong.push(format!("{name} lacks an example that fails, or one that works"));
        }
        for example in examples {
            let run = run(&example.text);
            let codes: Vec<String> = run.diagnostics.iter().map(|diagnostic| diagnostic.code.to_string()).collect();
            let errors = run.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
            let good = if example.fails {
                !codes.is_empty() && codes.iter().all(|code| *code == name)
            } else {
                !errors && !codes.contains(&name)
            };
            if !good {
                wrong.push(format!("{name} line {}: {:?}", example.line, run.lines()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_code_has_a_page() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let codes = fs::read_to_string(root.join("src/codes.rs")).unwrap();
    for line in codes.lines() {
        if let Some((_, number)) = line.split_once("= Code(") {
            let number: u16 = number.trim_end_matches(");").parse().unwrap();
            let page = root.join(format!("../akson-diagnostics/codes/AKS{number:04}.md"));
            assert!(page.exists(), "AKS{number:04} has no page");
        }
    }
}
