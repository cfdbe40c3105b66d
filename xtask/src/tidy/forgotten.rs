//! Rust files that nothing compiles: not reached by any `mod` from a root of their package.

use std::collections::BTreeSet;

use super::Findings;
use super::tree::{Member, Tree};

pub(super) fn check(tree: &Tree, findings: &mut Findings) {
    let mut reached: BTreeSet<String> = BTreeSet::new();
    let mut folders = Vec::new();
    for member in tree.members() {
        let mut open = roots(tree, &member);
        while let Some(path) = open.pop() {
            if let Some(text) = tree.get(&path)
                && reached.insert(path.clone())
            {
                open.extend(modules(tree, &path, text));
            }
        }
        folders.push(format!("{}/", member.folder));
    }
    for (path, _) in tree.rust() {
        if folders.iter().any(|folder| path.starts_with(folder)) && !reached.contains(path) {
            findings.add(path, 1, "no `mod` leads here: the file is not compiled");
        }
    }
}

/// The files that cargo compiles by itself, and those that the manifest names.
fn roots(tree: &Tree, member: &Member<'_>) -> Vec<String> {
    let folder = &member.folder;
    let mut roots: Vec<String> =
        ["src/lib.rs", "src/main.rs", "build.rs"].map(|file| format!("{folder}/{file}")).into();
    for inside in ["src/bin", "tests", "benches", "examples"] {
        let prefix = format!("{folder}/{inside}/");
        let direct = |path: &str| {
            path.strip_prefix(&prefix)
                .is_some_and(|rest| !rest.contains('/') || rest.matches('/').count() == 1 && rest.ends_with("/main.rs"))
        };
        roots.extend(tree.rust().filter(|(path, _)| direct(path)).map(|(path, _)| path.to_owned()));
    }
    for table in ["lib", "bin", "test", "bench", "example"] {
        let targets = match member.manifest.get(table) {
            Some(toml::Value::Array(targets)) => targets.iter().collect(),
            Some(target) => vec![target],
            None => Vec::new(),
        };
        let paths = targets.into_iter().filter_map(|target| target.get("path")?.as_str());
        roots.extend(paths.map(|path| format!("{folder}/{path}")));
    }
    roots
}

/// The files that a file's `mod name;` items lead to.
fn modules(tree: &Tree, path: &str, text: &str) -> Vec<String> {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = file.trim_end_matches(".rs");
    let is_root =
        matches!(stem, "lib" | "main" | "mod" | "build") || !path.contains("/src/") || path.contains("/src/bin/");
    let below = if is_root { folder.to_owned() } else { format!("{folder}/{stem}") };
    let mut found = Vec::new();
    let mut named: Option<&str> = None;
    for line in text.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("#[path = \"") {
            named = rest.split('"').next();
        } else if let Some(name) = declared(line) {
            match named.take() {
                Some(named) => found.push(format!("{folder}/{named}")),
                None => {
                    found.extend(
                        [format!("{below}/{name}.rs"), format!("{below}/{name}/mod.rs")]
                            .into_iter()
                            // Of a test binary's root the folder is its own; of its modules, theirs.
                            .chain([format!("{folder}/{stem}/{name}.rs"), format!("{folder}/{stem}/{name}/mod.rs")])
                            .filter(|path| tree.get(path).is_some()),
                    );
                }
            }
        } else if let Some(rest) = line.split("include!(\"").nth(1) {
            found.extend(rest.split('"').next().map(|included| format!("{folder}/{included}")));
        }
    }
    found
}

/// The name in `mod name;`, with any visibility.
fn declared(line: &str) -> Option<&str> {
    let rest = match line.strip_prefix("pub") {
        Some(rest) => {
            rest.trim_start().strip_prefix('(').map_or(rest, |rest| rest.split_once(')').map_or("", |(_, rest)| rest))
        }
        None => line,
    };
    let name = rest.trim_start().strip_prefix("mod ")?.strip_suffix(';')?.trim();
    name.chars().all(|c| c.is_alphanumeric() || c == '_').then_some(name)
}

#[cfg(test)]
mod tests {
    use super::super::tests::found;

    #[test]
    fn only_what_nothing_leads_to_is_found() {
        found(
            &[
                ("a/Cargo.toml", "[package]\nname = \"a\"\n[[test]]\nname = \"odd\"\npath = \"odd/main.rs\"\n"),
                ("a/build.rs", ""),
                (
                    "a/src/lib.rs",
                    "mod one;\npub mod two;\npub(crate) mod three;\n#[path = \"else/where.rs\"]\nmod four;\n",
                ),
                ("a/src/one.rs", "mod deep;"),
                ("a/src/one/deep.rs", ""),
                ("a/src/one/lost.rs", ""),
                ("a/src/two/mod.rs", "    mod inner;"),
                ("a/src/two/inner.rs", ""),
                ("a/src/three.rs", "// mod two_lost;"),
                ("a/src/three/two_lost.rs", ""),
                ("a/src/else/where.rs", ""),
                ("a/tests/all.rs", "mod cases;"),
                ("a/tests/cases.rs", ""),
                ("a/odd/main.rs", "mod part;"),
                ("a/odd/part.rs", ""),
                ("b/loose.rs", ""),
            ],
            super::check,
            &[
                "a/src/one/lost.rs:1: no `mod` leads here: the file is not compiled",
                "a/src/three/two_lost.rs:1: no `mod` leads here: the file is not compiled",
            ],
        );
    }
}
