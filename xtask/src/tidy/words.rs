//! Words that must not stand in the tree: drawers instead of names, work put off, tests switched off, paths of one
//! machine.

use super::Findings;
use super::tree::{Tree, has_extension, has_word};

/// A type or file called so has no subject. The last part of a type's name counts: a `ServiceAccount` is a thing.
const DRAWERS: [&str; 5] = ["Manager", "Helper", "Util", "Service", "Handler"];
/// The same for files alone.
const FILE_DRAWERS: [&str; 4] = ["common", "core", "misc", "shared"];

/// Written in two parts, so that this file passes its own check.
const PUT_OFF: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
const SWITCHED_OFF: &str = concat!("#[ig", "nore");
const MACHINES: [&str; 3] = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];

pub(super) fn check(tree: &Tree, findings: &mut Findings) {
    for (path, text) in tree.iter() {
        if has_extension(path, "lock") {
            continue;
        }
        let rust = has_extension(path, "rs");
        if rust {
            file_name(path, findings);
        }
        for (line, content) in text.lines().enumerate().map(|(at, content)| (at + 1, content)) {
            for word in PUT_OFF.iter().filter(|word| has_word(content, word)) {
                findings.add(path, line, format!("`{word}`: do it, or open an issue"));
            }
            for machine in MACHINES.iter().filter(|machine| names_path(content, machine)) {
                findings.add(path, line, format!("`{machine}` is a path of one machine"));
            }
            if rust && content.trim_start().starts_with(SWITCHED_OFF) {
                findings.add(path, line, "a test that is switched off tests nothing");
            }
            if let Some(name) = rust.then(|| declared_type(content)).flatten()
                && let Some(drawer) = DRAWERS.iter().find(|word| ends_with_part(name, word))
            {
                findings.add(path, line, format!("`{name}`: a {drawer} says nothing; name what it is"));
            }
        }
    }
}

fn file_name(path: &str, findings: &mut Findings) {
    let stem = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".rs");
    let drawers = DRAWERS.iter().map(|word| word.to_lowercase()).chain(FILE_DRAWERS.map(str::to_owned));
    if drawers.into_iter().any(|word| stem == word || stem == format!("{word}s") || stem.ends_with(&format!("_{word}")))
    {
        findings.add(path, 1, format!("`{stem}` is a drawer, not a subject"));
    }
}

/// The type that a line declares.
fn declared_type(line: &str) -> Option<&str> {
    let line = line.trim_start();
    if line.starts_with("//") {
        return None;
    }
    let mut words = line.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty());
    words.find(|word| matches!(*word, "struct" | "enum" | "trait" | "type" | "union"))?;
    words.next().filter(|name| name.starts_with(char::is_uppercase))
}

fn ends_with_part(name: &str, part: &str) -> bool {
    [part.to_owned(), format!("{part}s")].iter().any(|part| name.ends_with(part.as_str()))
}

/// Whether a path begins here: not the middle of a longer one.
fn names_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '}' | '>')))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::found;
    use super::*;

    #[test]
    fn words_are_found_where_they_mean_it() {
        let text = format!(
            "//! x\n// {}: later\npub(crate) struct Retry{};\nstruct ServiceAccount;\n{}]\n// a handler\nlet x = \"{}a/network{}b\";\n",
            PUT_OFF[0], DRAWERS[4], SWITCHED_OFF, MACHINES[1], MACHINES[0],
        );
        found(
            &[("a/src/x.rs", &text), ("a/src/string_utils.rs", ""), ("a/src/utils.rs", ""), ("a.md", PUT_OFF[1])],
            check,
            &[
                &format!("a.md:1: `{}`: do it, or open an issue", PUT_OFF[1]),
                "a/src/utils.rs:1: `utils` is a drawer, not a subject",
                &format!("a/src/x.rs:2: `{}`: do it, or open an issue", PUT_OFF[0]),
                "a/src/x.rs:3: `RetryHandler`: a Handler says nothing; name what it is",
                "a/src/x.rs:5: a test that is switched off tests nothing",
                &format!("a/src/x.rs:7: `{}` is a path of one machine", MACHINES[1]),
            ],
        );
    }
}
