//! The numbers of diagnostics and their pages. `codes/AKSnnnn.md` is the page of a code.
//!
//! The build script lists the pages, so that adding one is adding a file. That every code raised anywhere has a
//! page, and every page a code, is checked over the whole source tree by `cargo xtask tidy`.

use std::fmt;

/// A code: `AKS` and four digits by stage (01 syntax, 02 names and types, 03 lints, 04 planning, 05 Azure's answers,
/// 06 ledger and plan files, 09 our bugs). Numbers are never reused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(pub u16);

impl Code {
    /// Whether it is of a lint: legal, and probably wrong.
    pub fn is_lint(self) -> bool {
        (300..400).contains(&self.0)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AKS{:04}", self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// Every code that has a page, in ascending order.
pub fn all() -> impl Iterator<Item = Code> {
    PAGES.iter().map(|(number, _)| Code(*number))
}

/// The page of a code, as Markdown.
pub fn page(code: Code) -> Option<&'static str> {
    let at = PAGES.binary_search_by_key(&code.0, |(number, _)| *number).ok()?;
    PAGES.get(at).map(|(_, page)| *page)
}

/// The title of a code's page, without the code.
pub fn title(code: Code) -> Option<&'static str> {
    page(code)?.lines().next()?.split_once(": ").map(|(_, title)| title)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, reason = "a test fails by panicking")]

    use super::*;

    /// Names every way in which a page departs from the form that `explain`, the book and the tests rely on.
    fn faults(code: Code, page: &str) -> Vec<&'static str> {
        let mut faults = Vec::new();
        let title = page.lines().next().and_then(|line| line.strip_prefix(&format!("# {code}: ")));
        if title.is_none_or(|title| title.trim().is_empty()) {
            faults.push("the first line is not `# CODE: title`");
        }
        if !page.lines().any(|line| line.starts_with("## ") && line.to_lowercase().contains("what to do")) {
            faults.push("there is no section `## What to do`");
        }
        let mut open = false;
        let mut examples = 0;
        for line in page.lines().filter_map(|line| line.strip_prefix("```")) {
            match (open, line) {
                (false, "") => faults.push("a fenced block does not name its language"),
                (false, "aks,fails" | "console") => examples += 1,
                (true, after) if !after.is_empty() => faults.push("a fenced block opens inside another"),
                _ => {}
            }
            open = !open;
        }
        if open {
            faults.push("a fenced block is not closed");
        }
        if examples == 0 {
            faults.push("there is neither an `aks,fails` nor a `console` block");
        }
        faults
    }

    #[test]
    fn every_page_has_the_form() {
        let bad: Vec<_> = PAGES
            .iter()
            .map(|(number, page)| (Code(*number), faults(Code(*number), page)))
            .filter(|(_, faults)| !faults.is_empty())
            .collect();
        assert!(bad.is_empty(), "{bad:#?}");
    }

    #[test]
    fn a_page_out_of_form_is_found() {
        assert_eq!(
            faults(Code(901), "# AKS0900: other\n```\nx\n"),
            [
                "the first line is not `# CODE: title`",
                "there is no section `## What to do`",
                "a fenced block does not name its language",
                "a fenced block is not closed",
                "there is neither an `aks,fails` nor a `console` block",
            ]
        );
    }

    #[test]
    fn pages_are_found_by_code() {
        assert!(all().is_sorted());
        assert!(all().any(|code| code == Code(901)));
        assert_eq!(title(Code(901)), Some("internal error"));
        assert_eq!(page(Code(0)), None);
    }
}
