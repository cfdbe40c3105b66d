//! Links between the pages of the tree lead somewhere. Not links to the web.

use super::Findings;
use super::tree::{Tree, has_extension};

/// Written by `cargo xtask book`, not kept.
const GENERATED: &str = "book/src/reference/";

pub(super) fn check(tree: &Tree, findings: &mut Findings) {
    for (path, text) in tree.iter().filter(|(path, _)| has_extension(path, "md")) {
        for (line, content) in text.lines().enumerate().map(|(at, content)| (at + 1, content)) {
            for target in content.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
                let file = target.split('#').next().unwrap_or(target);
                if file.is_empty() || file.contains(':') {
                    continue;
                }
                let goal = resolve(path, file);
                if !tree.exists(&goal) && !goal.starts_with(GENERATED) {
                    findings.add(path, line, format!("the link leads nowhere: there is no `{goal}`"));
                }
            }
        }
    }
}

/// The path from the root of what a page links to.
fn resolve(page: &str, link: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::super::tests::found;

    #[test]
    fn broken_links_are_found() {
        let page = "[a](b.md) [c](../README.md#x) [d](https://x.y/z) [e](#here) [f](gone/)\n[g](reference/x.md)";
        found(
            &[("README.md", ""), ("book/src/b.md", ""), ("book/src/a.md", page), ("book/README.md", "")],
            super::check,
            &["book/src/a.md:1: the link leads nowhere: there is no `book/src/gone/`"],
        );
    }
}
