//! Which crate may know which: the arrows of ARCHITECTURE.md, and nothing points up.

use super::Findings;
use super::tree::Tree;

/// A crate and what it may depend on directly. The order is from the bottom up.
const LAYERS: &[(&str, &[&str])] = &[
    ("akson-diagnostics", &[]),
    ("akson-parser", &["akson-diagnostics"]),
    ("akson-catalog", &["akson-diagnostics"]),
    ("akson-config", &["akson-parser", "akson-catalog", "akson-diagnostics"]),
    ("akson-planner", &["akson-config", "akson-catalog", "akson-diagnostics"]),
    ("akson-azure", &["akson-catalog", "akson-diagnostics"]),
    ("akson-applier", &["akson-azure", "akson-planner", "akson-config", "akson-catalog", "akson-diagnostics"]),
    // An Azure of its own: if it read our catalog, it would agree with every mistake in it.
    ("akson-emulator", &[]),
];

/// What stands above all layers.
const ABOVE: [&str; 3] = ["akson-cli", "akson-tests", "xtask"];

pub(super) fn check(tree: &Tree, findings: &mut Findings) {
    for member in tree.members() {
        if ABOVE.contains(&member.name.as_str()) {
            continue;
        }
        let path = member.path();
        let Some(allowed) = allowed(&member.name) else {
            findings.add(
                &path,
                1,
                format!("`{}` has no layer; give it one in xtask/src/tidy/layering.rs", member.name),
            );
            continue;
        };
        for table in ["dependencies", "build-dependencies", "dev-dependencies"] {
            for dependency in member.dependencies(table) {
                // Tests may build their input with what already stands below.
                let fits = allowed.contains(&dependency.as_str())
                    || (table == "dev-dependencies" && below(&member.name).contains(&dependency.as_str()));
                if dependency.starts_with("akson-") && !fits {
                    let message = format!("`{}` must not know `{dependency}`", member.name);
                    findings.add(&path, member.line_of(&dependency), message);
                }
            }
        }
    }
}

fn allowed(name: &str) -> Option<&'static [&'static str]> {
    LAYERS.iter().find(|(layer, _)| *layer == name).map(|(_, allowed)| *allowed)
}

/// Everything that a crate reaches downwards.
fn below(name: &str) -> Vec<&'static str> {
    let mut reached: Vec<&str> = allowed(name).unwrap_or_default().to_vec();
    let mut at = 0;
    while let Some(next) = reached.get(at) {
        let more: Vec<&str> = allowed(next).unwrap_or_default().to_vec();
        reached.extend(more);
        at += 1;
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::super::tests::found;
    use super::*;

    #[test]
    fn arrows_point_down() {
        let manifest = |name: &str, rest: &str| format!("[package]\nname = \"{name}\"\n{rest}\n");
        found(
            &[
                (
                    "crates/akson-emulator/Cargo.toml",
                    &manifest("akson-emulator", "[dev-dependencies]\nakson-catalog.workspace = true"),
                ),
                ("crates/akson-new/Cargo.toml", &manifest("akson-new", "")),
                (
                    "crates/akson-parser/Cargo.toml",
                    &manifest(
                        "akson-parser",
                        "[dependencies]\nakson-diagnostics.workspace = true\nakson-config = { workspace = true }\nserde.workspace = true",
                    ),
                ),
                (
                    "crates/akson-planner/Cargo.toml",
                    &manifest("akson-planner", "[dependencies]\nakson-parser.workspace = true"),
                ),
                (
                    "crates/akson-azure/Cargo.toml",
                    &manifest("akson-azure", "[dev-dependencies]\nakson-diagnostics.workspace = true"),
                ),
                ("xtask/Cargo.toml", &manifest("xtask", "[dependencies]\nakson-cli.workspace = true")),
            ],
            check,
            &[
                "crates/akson-emulator/Cargo.toml:4: `akson-emulator` must not know `akson-catalog`",
                "crates/akson-new/Cargo.toml:1: `akson-new` has no layer; give it one in xtask/src/tidy/layering.rs",
                "crates/akson-parser/Cargo.toml:5: `akson-parser` must not know `akson-config`",
                "crates/akson-planner/Cargo.toml:4: `akson-planner` must not know `akson-parser`",
            ],
        );
    }

    #[test]
    fn tests_may_use_what_is_further_down() {
        found(
            &[(
                "crates/akson-planner/Cargo.toml",
                "[package]\nname = \"akson-planner\"\n[dev-dependencies]\nakson-parser.workspace = true\n",
            )],
            check,
            &[],
        );
    }
}
