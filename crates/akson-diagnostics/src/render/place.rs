//! A span as the name, lines and columns that formats write. Not the drawing of it.

use crate::{SourceMap, Span};

/// Where something is, for people and programs: lines and columns from 1, columns in characters.
pub(super) struct Place<'a> {
    /// The name of the source.
    pub(super) file: &'a str,
    /// The line it begins in.
    pub(super) line: usize,
    /// The column of its first character.
    pub(super) column: usize,
    /// The line it ends in.
    pub(super) end_line: usize,
    /// The column after its last character.
    pub(super) end_column: usize,
}

impl<'a> Place<'a> {
    /// The place of a span.
    pub(super) fn of(span: Span, sources: &'a SourceMap) -> Self {
        let (start, end) = (sources.start(span), sources.end(span));
        Self {
            file: &sources.get(span.source).name,
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
        }
    }

    /// The file as seen from the folder that `folder` is relative to.
    pub(super) fn file_from(&self, folder: &str) -> String {
        match folder.trim_end_matches('/') {
            "" | "." => self.file.to_owned(),
            folder => format!("{folder}/{}", self.file),
        }
    }
}
