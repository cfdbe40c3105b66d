//! A file in canonical form. The author's tokens and comments stay in order; only blanks, line ends, and commas at
//! the end of lists and objects change, so the tree stays the same. What is inside quotes and heredocs is not touched.
//!
//! The form: two blanks a level; `=` and comments behind values stand under each other in neighbouring lines; one
//! blank line at most, and one between top-level blocks of several lines; what is written over several lines stays
//! so, and then has each bracket's contents on lines of their own, a comma behind the last element of a list and none
//! in objects. Line ends become `\n`; a byte order mark goes.

mod align;
mod layout;
mod pieces;

use akson_diagnostics::{Diagnostics, SourceId, SourceMap};

/// A source in canonical form. Formatting it again changes nothing.
///
/// # Errors
/// The syntax errors of a source that has any; then there is nothing to format.
pub fn format(sources: &SourceMap, id: SourceId) -> Result<String, Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    crate::parse(sources, id, &mut diagnostics);
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    let text = &sources.get(id).text;
    Ok(align::write(layout::lay_out(text, &pieces::pieces(text))))
}
