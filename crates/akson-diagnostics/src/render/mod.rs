//! How diagnostics look: one file a format, one entry for all. Not which diagnostics there are, and not where
//! the text goes: every renderer returns a string.

mod concise;
mod github;
mod human;
pub mod json;
pub mod junit;
mod place;
mod sarif;

use crate::{Diagnostics, Severity, SourceMap};

/// The formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Annotated source for people.
    Human,
    /// One line each: `main.aks:3:9: error[AKS0207]: message`.
    Concise,
    /// One JSON document with everything in it.
    Json,
    /// Workflow annotations of GitHub.
    Github,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// `JUnit` XML, for test reports.
    Junit,
}

impl Format {
    /// Whether programs read it: such output goes to stdout, what people read to stderr.
    pub fn is_machine(self) -> bool {
        !matches!(self, Format::Human | Format::Concise)
    }
}

/// What a format may be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Whether ANSI colours are written; only `Human` has any.
    pub color: bool,
    /// The width of the terminal in columns; longer source lines are cut. Only `Human` cuts.
    pub width: usize,
    /// How many diagnostics `Human` shows before it counts the rest.
    pub limit: usize,
    /// Whether `Human` counts at the end, and says where there is more to read.
    pub footer: bool,
    /// The folder that source names are relative to, as the reader of `Github` and `Sarif` knows it: a path
    /// relative to the repository's root with `/` between its parts. Empty if they are the same.
    pub folder: String,
}

impl Default for Options {
    fn default() -> Self {
        Self { color: false, width: 120, limit: 50, footer: true, folder: String::new() }
    }
}

/// All diagnostics as one text in a format, each line ended. `Human`, `Concise` and `Github` give an empty text
/// where there is nothing to say; the other formats always give a document.
pub fn render(diagnostics: &Diagnostics, sources: &SourceMap, format: Format, options: &Options) -> String {
    match format {
        Format::Human => human::render(diagnostics, sources, options),
        Format::Concise => concise::render(diagnostics, sources),
        Format::Json => json::render(diagnostics, sources),
        Format::Github => github::render(diagnostics, sources, options),
        Format::Sarif => sarif::render(diagnostics, sources, options),
        Format::Junit => junit::render(diagnostics, sources),
    }
}

/// How many there are, in words: `2 errors, 1 warning`. Notes are counted only where there is nothing worse.
pub fn summary(diagnostics: &Diagnostics) -> String {
    let count = |severity: Severity| {
        let n = diagnostics.count(severity);
        (n > 0).then(|| format!("{n} {}{}", severity.as_str(), if n == 1 { "" } else { "s" }))
    };
    let worse: Vec<String> = [Severity::Error, Severity::Warning].into_iter().filter_map(count).collect();
    if worse.is_empty() { count(Severity::Note).unwrap_or_default() } else { worse.join(", ") }
}
