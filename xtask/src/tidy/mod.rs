//! Checks of the source tree that no compiler makes. Every check sees the tree as a value, collects all it finds
//! and stops at nothing; none of them changes a file.

mod codes;
mod forgotten;
mod layering;
mod links;
mod manifests;
mod map;
mod proofs;
mod sizes;
mod tree;
mod words;

use std::fmt;
use std::process::ExitCode;

use tree::Tree;

/// Something out of order, with the place to mend it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Finding {
    path: String,
    /// From 1.
    line: usize,
    message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// What the checks put their findings into.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, path: &str, line: usize, message: impl Into<String>) {
        self.0.push(Finding { path: path.to_owned(), line, message: message.into() });
    }
}

/// All checks over a tree: what they found, by place, and the sizes of its files in one line.
fn check(tree: &Tree) -> (Vec<Finding>, String) {
    let mut findings = Findings::default();
    layering::check(tree, &mut findings);
    manifests::check(tree, &mut findings);
    forgotten::check(tree, &mut findings);
    words::check(tree, &mut findings);
    codes::check(tree, &mut findings);
    map::check(tree, &mut findings);
    links::check(tree, &mut findings);
    proofs::check(tree, &mut findings);
    let sizes = sizes::check(tree, &mut findings);
    findings.0.sort();
    findings.0.dedup();
    (findings.0, sizes)
}

/// `cargo xtask tidy`.
pub(crate) fn run(_: &[String]) -> ExitCode {
    let tree = match Tree::read(&crate::root()) {
        Ok(tree) => tree,
        Err(error) => {
            eprintln!("error: the source tree cannot be read: {error}");
            return ExitCode::FAILURE;
        }
    };
    let (findings, sizes) = check(&tree);
    for finding in &findings {
        println!("{finding}");
    }
    println!("{sizes}");
    if findings.is_empty() {
        println!("tidy: nothing found");
        ExitCode::SUCCESS
    } else {
        println!("tidy: {} found", findings.len());
        ExitCode::FAILURE
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    /// Runs one check over some files and compares what it says, as `path:line: message`.
    #[track_caller]
    pub(super) fn found(files: &[(&str, &str)], check: impl Fn(&Tree, &mut Findings), expected: &[&str]) {
        let mut findings = Findings::default();
        check(&Tree::of(files), &mut findings);
        findings.0.sort();
        let said: Vec<String> = findings.0.iter().map(ToString::to_string).collect();
        assert_eq!(said, expected);
    }

    #[test]
    fn the_tree_is_tidy() {
        let (findings, _) = check(&Tree::read(&crate::root()).unwrap());
        let said: Vec<String> = findings.iter().map(ToString::to_string).collect();
        assert!(said.is_empty(), "`cargo xtask tidy` finds:\n{}", said.join("\n"));
    }
}
