//! Every code that the product raises has a page, and every page's code is raised somewhere; no two names have one number.

use std::collections::{BTreeMap, BTreeSet};

use super::Findings;
use super::tree::{Tree, has_word, is_test, production};

const PAGES: &str = "crates/akson-diagnostics/codes/";
const KINDS: &str = "crates/akson-catalog/kinds/";

pub(super) fn check(tree: &Tree, findings: &mut Findings) {
    let mut raised: BTreeMap<u16, (&str, usize)> = BTreeMap::new();
    let mut named: BTreeMap<u16, &str> = BTreeMap::new();
    for (path, text) in tree.rust().filter(|(path, _)| path.starts_with("crates/") && !is_test(path)) {
        for (line, content) in production(text) {
            for code in codes(content) {
                raised.entry(code).or_insert((path, line));
                if let Some(name) = constant(content)
                    && let Some(other) = named.insert(code, name)
                {
                    findings.add(path, line, format!("`{name}` has the number of `{other}`"));
                }
                if let Some(name) = constant(content).filter(|name| !used(tree, path, name)) {
                    findings.add(path, line, format!("`{name}` is declared, but nothing raises it"));
                }
            }
        }
    }
    // Rules of kind files raise codes too.
    for (path, text) in tree.iter().filter(|(path, _)| path.starts_with(KINDS)) {
        for (line, content) in text.lines().enumerate() {
            if let Some(code) = content.strip_prefix("code = ").and_then(|code| code.trim().parse().ok()) {
                raised.entry(code).or_insert((path, line + 1));
            }
        }
    }
    let paged: BTreeSet<u16> = tree
        .iter()
        .filter_map(|(path, _)| path.strip_prefix(PAGES)?.strip_prefix("AKS")?.get(..4)?.parse().ok())
        .collect();
    for (code, (path, line)) in &raised {
        if !paged.contains(code) {
            findings.add(path, *line, format!("AKS{code:04} has no page: write {PAGES}AKS{code:04}.md"));
        }
    }
    for code in paged.iter().filter(|code| !raised.contains_key(*code)) {
        findings.add(&format!("{PAGES}AKS{code:04}.md"), 1, "nothing raises this code");
    }
}

/// The name in `const NAME: Code = Code(123);`.
fn constant(line: &str) -> Option<&str> {
    let (before, _) = line.split_once(": Code")?;
    before.split_once("const ").map(|(_, name)| name.trim())
}

/// Whether production code of the same crate mentions a constant in another line than the one that declares it.
fn used(tree: &Tree, declared_in: &str, name: &str) -> bool {
    let folder = declared_in.split_inclusive('/').take(2).collect::<String>();
    let mut files = tree.rust().filter(|(path, _)| path.starts_with(&folder) && !is_test(path));
    files.any(|(_, text)| {
        production(text).any(|(_, line)| {
            let line = line.split("//").next().unwrap_or(line);
            has_word(line, name) && constant(line) != Some(name)
        })
    })
}

/// The numbers in `Code(123)`, but for those in comments.
fn codes(line: &str) -> Vec<u16> {
    let code = line.split("//").next().unwrap_or(line);
    let mut found = Vec::new();
    for (at, word) in code.match_indices("Code(") {
        let longer = code[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
        let digits = code[at + word.len()..].split(')').next().unwrap_or_default();
        found.extend(digits.parse::<u16>().ok().filter(|_| !longer));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::tests::found;

    #[test]
    fn codes_and_pages_belong_together() {
        found(
            &[
                (
                    "crates/a/src/lib.rs",
                    "x(Code(101));\ny(Code(102), StatusCode(404)); // Code(103)\nconst A: Code = Code(104);\nconst B: Code = Code(105);\nz(A); // B\nconst C: Code = Code(105);\nz(C);\n#[cfg(test)]\nmod tests {\nCode(9)\n}\n",
                ),
                ("crates/akson-catalog/kinds/x.toml", "[[rules]]\ncode = 255\n"),
                ("crates/akson-diagnostics/codes/AKS0101.md", ""),
                ("crates/akson-diagnostics/codes/AKS0255.md", ""),
                ("crates/akson-diagnostics/codes/AKS0104.md", ""),
                ("crates/akson-diagnostics/codes/AKS0105.md", ""),
                ("crates/akson-diagnostics/codes/AKS0900.md", ""),
            ],
            super::check,
            &[
                "crates/a/src/lib.rs:2: AKS0102 has no page: write crates/akson-diagnostics/codes/AKS0102.md",
                "crates/a/src/lib.rs:4: `B` is declared, but nothing raises it",
                "crates/a/src/lib.rs:6: `C` has the number of `B`",
                "crates/akson-diagnostics/codes/AKS0900.md:1: nothing raises this code",
            ],
        );
    }
}
