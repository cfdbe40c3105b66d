//! The code map in ARCHITECTURE.md: it has every crate, and every file it names is there. A map without a test rots.

use super::Findings;
use super::tree::Tree;

const PAGE: &str = "ARCHITECTURE.md";
const ENDINGS: [&str; 6] = [".rs", ".toml", ".pest", ".md", ".json", ".aks"];

pub(super) fn check(tree: &Tree, findings: &mut Findings) {
    let Some(text) = tree.get(PAGE) else {
        findings.add(PAGE, 1, "the page is not there");
        return;
    };
    let headings: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("### ")).map(folder_of).collect();
    for member in tree.members() {
        if !headings.contains(&member.folder.as_str()) {
            findings.add(PAGE, 1, format!("the code map has no heading ### `{}`", member.folder));
        }
    }
    let mut folder = "";
    for (line, content) in text.lines().enumerate().map(|(at, content)| (at + 1, content)) {
        if content.starts_with('#') {
            folder = content.strip_prefix("### ").map_or("", folder_of);
            if !folder.is_empty() && folder.contains('/') && !tree.exists(folder) {
                findings.add(PAGE, line, format!("there is no `{folder}`"));
            }
            continue;
        }
        // Every second part between backticks is code.
        for name in content.split('`').skip(1).step_by(2).filter(|name| is_path(name)) {
            // Of a pattern such as `kinds/*.toml` the folder must be there.
            let fixed = name.split(['*', '<']).next().unwrap_or(name);
            let fixed = if fixed == name { name } else { fixed.rsplit_once('/').map_or("", |(folder, _)| folder) };
            if !fixed.is_empty() && !tree.exists(fixed) && !tree.exists(&format!("{folder}/{fixed}")) {
                findings.add(PAGE, line, format!("there is no `{fixed}`"));
            }
        }
    }
}

/// The folder in a heading such as ``### `crates/akson-parser` ``.
fn folder_of(heading: &str) -> &str {
    heading.split('`').nth(1).unwrap_or_default()
}

/// Whether code in the text means a file of the tree.
fn is_path(name: &str) -> bool {
    let plain =
        name.chars().all(|c| c.is_ascii_alphanumeric() || "/._-*<>".contains(c)) && !name.starts_with(['.', '/']);
    plain && ENDINGS.iter().any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::super::tests::found;

    #[test]
    fn the_map_is_compared_with_the_tree() {
        let map = "# x\n### `crates/a`\nSee `src/lib.rs`, `src/gone.rs`, `kinds/*.toml`, `codes/<n>.md`, `Cargo.toml` and `x()`.\n### `crates/old`\n";
        found(
            &[
                ("ARCHITECTURE.md", map),
                ("Cargo.toml", ""),
                ("crates/a/Cargo.toml", "[package]\nname = \"a\"\n"),
                ("crates/a/src/lib.rs", ""),
                ("crates/a/kinds/x.toml", ""),
                ("crates/b/Cargo.toml", "[package]\nname = \"b\"\n"),
            ],
            super::check,
            &[
                "ARCHITECTURE.md:1: the code map has no heading ### `crates/b`",
                "ARCHITECTURE.md:3: there is no `codes`",
                "ARCHITECTURE.md:3: there is no `src/gone.rs`",
                "ARCHITECTURE.md:4: there is no `crates/old`",
            ],
        );
    }
}
