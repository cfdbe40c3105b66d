//! What every manifest must say: the workspace's lints, dependencies named once with a reason and really used,
//! and the wall around the crates that do no I/O.

use super::Findings;
use super::tree::{Member, Tree, has_word, line_of_key};

/// The crates that do no I/O.
const PURE: [&str; 5] = ["akson-diagnostics", "akson-parser", "akson-catalog", "akson-config", "akson-planner"];

/// What their `clippy.toml` must forbid at least: one way into each kind of I/O.
const FORBIDDEN: [&str; 8] = [
    "std::fs::read",
    "std::fs::read_to_string",
    "std::fs::write",
    "std::fs::File::open",
    "std::env::var",
    "std::net::TcpStream::connect",
    "std::time::SystemTime::now",
    "std::process::Command::new",
];

const TABLES: [&str; 3] = ["dependencies", "build-dependencies", "dev-dependencies"];

pub(super) fn check(tree: &Tree, findings: &mut Findings) {
    let members = tree.members();
    for member in &members {
        lints(member, findings);
        dependencies(tree, member, findings);
        if PURE.contains(&member.name.as_str()) {
            wall(tree, member, findings);
        }
    }
    root(tree, &members, findings);
}

fn lints(member: &Member<'_>, findings: &mut Findings) {
    let inherits = member.manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool);
    if inherits != Some(true) {
        findings.add(&member.path(), 1, "the lints of the workspace are not taken: `[lints] workspace = true`");
    }
}

fn dependencies(tree: &Tree, member: &Member<'_>, findings: &mut Findings) {
    let folder = format!("{}/", member.folder);
    for table in TABLES {
        for name in member.dependencies(table) {
            let from_workspace =
                member.manifest.get(table).and_then(|table| table.get(&name)?.get("workspace")).is_some();
            if !from_workspace {
                findings.add(
                    &member.path(),
                    member.line_of(&name),
                    format!("`{name}` does not come from the workspace"),
                );
            }
            let word = name.replace('-', "_");
            let used = tree.rust().any(|(path, text)| path.starts_with(&folder) && has_word(text, &word));
            if !used {
                findings.add(&member.path(), member.line_of(&name), format!("`{name}` is not used"));
            }
        }
    }
}

fn wall(tree: &Tree, member: &Member<'_>, findings: &mut Findings) {
    let path = format!("{}/clippy.toml", member.folder);
    let text = tree.get(&path).unwrap_or_default();
    let table: toml::Table = text.parse().unwrap_or_default();
    let entries = table.get("disallowed-methods").and_then(toml::Value::as_array);
    let entries: Vec<&toml::Value> = entries.into_iter().flatten().collect();
    for method in FORBIDDEN {
        let entry = entries.iter().find(|entry| entry.get("path").and_then(toml::Value::as_str) == Some(method));
        if entry.is_none_or(|entry| entry.get("reason").is_none()) {
            findings.add(&path, 1, format!("a pure crate forbids `{method}` here, with a reason"));
        }
    }
}

/// The root manifest: every dependency with its reason, and used by a member.
fn root(tree: &Tree, members: &[Member<'_>], findings: &mut Findings) {
    let Some(text) = tree.get("Cargo.toml") else { return };
    let manifest: toml::Table = text.parse().unwrap_or_default();
    let table = manifest.get("workspace").and_then(|workspace| workspace.get("dependencies")?.as_table());
    for (name, value) in table.into_iter().flatten() {
        let line = line_of_key(text, name);
        let own = value.get("path").is_some();
        if !own && !text.lines().nth(line - 1).is_some_and(|line| line.contains(" # ")) {
            findings.add("Cargo.toml", line, format!("`{name}` has no reason behind it"));
        }
        let users = members.iter().flat_map(|member| TABLES.map(|table| member.dependencies(table)));
        if !own && !users.flatten().any(|used| used == *name) {
            findings.add("Cargo.toml", line, format!("no crate uses `{name}`"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::found;

    const ROOT: &str = "[workspace.dependencies]\n\
        akson-parser = { path = \"x\" }\n\
        serde = \"1\"   # documents\n\
        url = \"2\"\n";

    #[test]
    fn manifests_are_held_to_the_rules() {
        let good = "[package]\nname = \"good\"\n[dependencies]\nserde.workspace = true\n[lints]\nworkspace = true\n";
        let bad = "[package]\nname = \"bad\"\n[dependencies]\nserde = \"1\"\n";
        found(
            &[
                ("Cargo.toml", ROOT),
                ("crates/good/Cargo.toml", good),
                ("crates/good/src/lib.rs", "use serde::Serialize;"),
                ("crates/bad/Cargo.toml", bad),
            ],
            super::check,
            &[
                "Cargo.toml:4: `url` has no reason behind it",
                "Cargo.toml:4: no crate uses `url`",
                "crates/bad/Cargo.toml:1: the lints of the workspace are not taken: `[lints] workspace = true`",
                "crates/bad/Cargo.toml:4: `serde` does not come from the workspace",
                "crates/bad/Cargo.toml:4: `serde` is not used",
            ],
        );
    }

    #[test]
    fn pure_crates_have_a_wall() {
        let manifest = "[package]\nname = \"akson-parser\"\n[lints]\nworkspace = true\n";
        let wall: Vec<String> =
            super::FORBIDDEN[1..].iter().map(|path| format!("{{ path = \"{path}\", reason = \"pure\" }}")).collect();
        found(
            &[
                ("crates/akson-parser/Cargo.toml", manifest),
                ("crates/akson-parser/clippy.toml", &format!("disallowed-methods = [{}]", wall.join(","))),
            ],
            super::check,
            &["crates/akson-parser/clippy.toml:1: a pure crate forbids `std::fs::read` here, with a reason"],
        );
    }
}
