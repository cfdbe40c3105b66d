//! Small changes of source text that leave everything around them as it is: comments, blank lines, alignment. Pure: a text, the spans of
//! its syntax and the values that it is to have come in, and edits come out. Which values those are is the caller's to know.

mod item;
mod sequence;
mod value;
mod walk;

use akson_diagnostics::Span;

pub(crate) use item::{append, cut, without};
pub(crate) use value::{Change, Refused, Site, take_out};
pub(crate) use walk::{Chain, Step, below, chain, expressions, find_expression, plain_text};

/// A piece of a text that is replaced.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Edit {
    /// What is replaced; empty where something is inserted.
    pub span: Span,
    /// By what.
    pub text: String,
}

/// Edits that cannot all be made: they take the same text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("two edits take the same text")]
pub struct Overlap {
    /// One of the places.
    pub span: Span,
}

/// The text after its edits. Of two that are equal one is made; cuts that lie in each other are one.
///
/// # Errors
/// If two edits take the same text and are not cuts.
pub fn apply(text: &str, edits: &[Edit]) -> Result<String, Overlap> {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort_by_key(|edit| (edit.span.start, edit.span.end, &edit.text));
    sorted.dedup();
    let mut out = String::with_capacity(text.len());
    let mut at: usize = 0;
    let mut cut_until: usize = 0;
    for edit in sorted {
        let (start, end) = (edit.span.start as usize, edit.span.end as usize);
        if start < at {
            // What lies in a cut goes with it.
            if edit.text.is_empty() && at == cut_until || end <= cut_until {
                at = at.max(end);
                cut_until = cut_until.max(at);
                continue;
            }
            return Err(Overlap { span: edit.span });
        }
        out.push_str(text.get(at..start).ok_or(Overlap { span: edit.span })?);
        out.push_str(&edit.text);
        at = end;
        if edit.text.is_empty() {
            cut_until = end;
        }
    }
    out.push_str(text.get(at..).unwrap_or_default());
    Ok(out)
}

#[cfg(test)]
mod tests;
