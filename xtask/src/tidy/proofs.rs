//! The known disasters name tests that are there. Not whether those tests prove it.

use super::Findings;
use super::tree::Tree;

const PAGE: &str = "book/src/known-disasters.md";

pub(super) fn check(tree: &Tree, findings: &mut Findings) {
    // Below it stand the figures of a release.
    let page = tree.get(PAGE).unwrap_or_default();
    let rows = page.lines().take_while(|line| !line.starts_with("## ")).enumerate();
    for (at, row) in rows.filter(|(_, row)| row.starts_with("| ") && !row.starts_with("| disaster |")) {
        let proof = row.trim_end_matches(['|', ' ']).rsplit(" | ").next().unwrap_or_default();
        let named: Vec<&str> = proof.split('`').skip(1).step_by(2).collect();
        let there = match named.as_slice() {
            [command, ..] if command.starts_with("cargo xtask ") => true,
            [test, path] => tree.get(path).is_some_and(|text| text.contains(&format!("fn {test}("))),
            _ => false,
        };
        if !there {
            findings.add(
                PAGE,
                at + 1,
                "the row names no test that is there: `test` in `path`, or a `cargo xtask` command",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::found;

    #[test]
    fn rows_without_a_test_are_found() {
        let page = "| disaster | x | proven by |\n|---|---|---|\n| a | b | `cargo xtask sim`: y |\n| a | b | `t` in `t.rs` |\n| a | b | `u` in `t.rs` |\n| a | b | hope |\n## x\n| c | d | e |";
        let said = "the row names no test that is there: `test` in `path`, or a `cargo xtask` command";
        found(
            &[(super::PAGE, page), ("t.rs", "#[test]\nfn t() {}\n")],
            super::check,
            &[&format!("{}:5: {said}", super::PAGE), &format!("{}:6: {said}", super::PAGE)],
        );
    }
}
