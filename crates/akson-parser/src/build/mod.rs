//! Pairs of pest to the syntax tree, in one pass. Not the finding of what is unclosed or too deep: that is known to be
//! right before pest is asked, so recursion here is bounded by the nesting limit.

mod expression;
mod items;
mod operators;
pub(crate) mod quick;
mod template;

use akson_diagnostics::{Diagnostic, SourceId, Span};

use crate::ast::{Expr, Name};
use crate::grammar::Pair;
use crate::report::Report;

/// Builds the tree of one region of a source.
pub(crate) struct Builder<'t, 'r> {
    /// The region's text, which all pairs lie in.
    pub(crate) text: &'t str,
    /// Where the region starts in its source.
    pub(crate) base: usize,
    /// The source.
    pub(crate) source: SourceId,
    /// What was found wrong.
    pub(crate) report: &'r mut Report,
}

/// An expression with the height of its tree. `None` where a diagnostic was given instead.
pub(crate) type Built = Option<(Expr, usize)>;

impl Builder<'_, '_> {
    /// The span of bytes `start..end` of the region.
    fn span_at(&self, start: usize, end: usize) -> Span {
        Span::new(self.source, self.base + start, self.base + end)
    }

    fn span(&self, pair: &Pair<'_>) -> Span {
        let span = pair.as_span();
        self.span_at(span.start(), span.end())
    }

    fn name(&self, pair: &Pair<'_>) -> Name {
        Name { text: pair.as_str().to_owned(), span: self.span(pair) }
    }

    fn give(&mut self, diagnostic: Diagnostic) {
        self.report.give(diagnostic);
    }
}
