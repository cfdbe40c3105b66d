//! The one diagnostic type and the collection that passes fill. Not how it looks: see `render`.

use crate::{Code, Span};

/// How bad it is. Errors stop what would act on the configuration; warnings and notes never do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is done until it is mended.
    Error,
    /// Probably wrong, but legal.
    Warning,
    /// Worth knowing.
    Note,
}

impl Severity {
    /// The word for it in every format.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        }
    }
}

/// A place with a few words. Choose the smallest span that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is to be said there; may be empty for the primary one.
    pub text: String,
    /// Whether this is the place of the mistake; the others explain it.
    pub primary: bool,
}

/// An edit that would mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// What is replaced; empty to insert.
    pub span: Span,
    /// By what.
    pub replacement: String,
    /// The edit in words.
    pub text: String,
}

/// Something to tell the user.
///
/// Headline: lower case, no full stop, the user's words in backticks. Help: what to do, in the imperative.
/// The reason goes into a note. Sensitive values never enter any of its texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its number; its page is found by it.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// The headline.
    pub message: String,
    /// The resource it is about, as an address, if there is one.
    pub address: Option<String>,
    /// Places, the primary one first.
    pub labels: Vec<Label>,
    /// Reasons and facts.
    pub notes: Vec<String>,
    /// What to do.
    pub help: Option<String>,
    /// Edits that would mend it.
    pub suggestions: Vec<Suggestion>,
}

impl Diagnostic {
    fn new(code: Code, severity: Severity, message: impl Into<String>) -> Self {
        Self {
            code,
            severity,
            message: message.into(),
            address: None,
            labels: Vec::new(),
            notes: Vec::new(),
            help: None,
            suggestions: Vec::new(),
        }
    }

    /// An error.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, message)
    }

    /// A warning.
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, message)
    }

    /// A note.
    pub fn note_only(code: Code, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Note, message)
    }

    /// The place of the mistake. The first call decides the primary place.
    #[must_use]
    pub fn at(mut self, span: Span, text: impl Into<String>) -> Self {
        let primary = !self.labels.iter().any(|label| label.primary);
        self.labels.push(Label { span, text: text.into(), primary });
        self
    }

    /// Another place that explains it.
    #[must_use]
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label { span, text: text.into(), primary: false });
        self
    }

    /// A reason or fact.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// What to do.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// The resource it is about.
    #[must_use]
    pub fn on(mut self, address: impl Into<String>) -> Self {
        self.address = Some(address.into());
        self
    }

    /// An edit that would mend it.
    #[must_use]
    pub fn suggest(mut self, span: Span, replacement: impl Into<String>, text: impl Into<String>) -> Self {
        self.suggestions.push(Suggestion { span, replacement: replacement.into(), text: text.into() });
        self
    }

    /// The span of the primary label.
    pub fn primary(&self) -> Option<Span> {
        self.labels.iter().find(|label| label.primary).map(|label| label.span)
    }
}

/// What a run has found. Passes take it by `&mut` and go on with what they could make.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.list.push(diagnostic);
    }

    /// Adds all of another collection.
    pub fn append(&mut self, other: Diagnostics) {
        self.list.extend(other.list);
    }

    /// Keeps those for which it holds.
    pub fn retain(&mut self, keep: impl FnMut(&Diagnostic) -> bool) {
        self.list.retain(keep);
    }

    /// Whether any is an error.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// How many there are of a severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.list.iter().filter(|diagnostic| diagnostic.severity == severity).count()
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All of them, as found.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }

    /// All of them by source, place, code and text, each once: the same bytes every run.
    #[must_use]
    pub fn sorted(&self) -> Vec<&Diagnostic> {
        let mut list: Vec<&Diagnostic> = self.list.iter().collect();
        list.sort_by_key(|diagnostic| {
            (
                diagnostic.primary().map_or((true, None), |span| (false, Some(span))),
                diagnostic.code,
                diagnostic.message.clone(),
            )
        });
        list.dedup();
        list
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self { list: vec![diagnostic] }
    }
}
