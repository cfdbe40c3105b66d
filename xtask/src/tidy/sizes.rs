//! File sizes and the sentence that every file begins with. A line of tests is not counted.

use super::Findings;
use super::tree::{Tree, is_test, production};

/// No file of production code is longer.
const LIMIT: usize = 800;
/// Half of the files are not longer.
const MEDIAN: usize = 200;

/// Checks, and says in one line how large the files are.
pub(super) fn check(tree: &Tree, findings: &mut Findings) -> String {
    let mut sizes: Vec<(usize, &str)> = Vec::new();
    for (path, text) in tree.rust() {
        if !text.starts_with("//! ") {
            findings.add(path, 1, "the file does not begin with `//!`: what it is, and what it is not");
        }
        if is_test(path) {
            continue;
        }
        let lines = production(text).count();
        if lines > LIMIT {
            findings.add(path, LIMIT, format!("{lines} lines without tests; {LIMIT} are the limit: find the seam"));
        }
        sizes.push((lines, path));
    }
    sizes.sort_unstable();
    let at = |part: usize| sizes.get(sizes.len() * part / 100).map_or(0, |(lines, _)| *lines);
    let (median, largest) = (at(50), sizes.last().copied().unwrap_or_default());
    if median > MEDIAN {
        findings.add("ARCHITECTURE.md", 1, format!("the median file has {median} lines; {MEDIAN} are the limit"));
    }
    format!(
        "{} files, {} lines without tests: median {median}, 90th percentile {}, largest {} ({})",
        sizes.len(),
        sizes.iter().map(|(lines, _)| lines).sum::<usize>(),
        at(90),
        largest.0,
        largest.1,
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::found;

    #[test]
    fn long_files_and_files_without_a_word_are_found() {
        let long = format!("//! x\n{}", "\n".repeat(800));
        let tests = format!("//! x\n#[cfg(test)]\nmod tests {{\n{}}}\n", "\n".repeat(800));
        found(
            &[
                ("a/src/long.rs", &long),
                ("a/src/mute.rs", "fn x() {}\n"),
                ("a/src/ok.rs", &tests),
                ("a/tests/x.rs", &long),
            ],
            |tree, findings| drop(super::check(tree, findings)),
            &[
                "a/src/long.rs:800: 801 lines without tests; 800 are the limit: find the seam",
                "a/src/mute.rs:1: the file does not begin with `//!`: what it is, and what it is not",
            ],
        );
    }
}
