//! Whole items: an attribute or a block taken out with the lines that it fills, or a block put behind all others.

use akson_diagnostics::{SourceId, Span};

use super::Edit;

/// Where the line of an offset begins.
pub(crate) fn line_start(text: &str, at: usize) -> usize {
    text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1)
}

/// Behind the line end of the line of an offset.
pub(crate) fn line_end(text: &str, at: usize) -> usize {
    text.get(at..).and_then(|behind| behind.find('\n')).map_or(text.len(), |newline| at + newline + 1)
}

/// Whether nothing but blanks stands before an offset in its line.
pub(super) fn begins_line(text: &str, at: usize) -> bool {
    text.get(line_start(text, at)..at).is_some_and(|before| before.trim().is_empty())
}

/// Whether nothing but blanks, commas and a comment stand behind an offset in its line.
pub(super) fn ends_line(text: &str, at: usize) -> bool {
    let rest = text.get(at..line_end(text, at)).unwrap_or_default().trim();
    let rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
    rest.is_empty() || rest.starts_with('#') || rest.starts_with("//")
}

/// Takes a piece out: with its lines and the comment behind it, if it fills them.
pub(crate) fn cut(text: &str, span: Span) -> Edit {
    let (start, end) = (span.start as usize, span.end as usize);
    if begins_line(text, start) && ends_line(text, end) {
        return edit(span.source, line_start(text, start), line_end(text, end), String::new());
    }
    // In a line with others: with the blanks behind it.
    let behind = text.get(end..).unwrap_or_default();
    let blanks = behind.len() - behind.trim_start_matches([' ', '\t']).len();
    edit(span.source, start, end + blanks, String::new())
}

/// Takes a block out, with one blank line behind it.
pub(crate) fn without(text: &str, span: Span) -> Edit {
    let mut edit = cut(text, span);
    let end = edit.span.end as usize;
    let next = line_end(text, end);
    let fills = text.get(..end).is_some_and(|before| before.ends_with('\n'));
    if fills && next > end && text.get(end..next).is_some_and(|line| line.trim().is_empty()) {
        edit.span = Span::new(span.source, edit.span.start as usize, next);
    }
    edit
}

/// Puts a block behind all others, after a blank line.
pub(crate) fn append(source: SourceId, text: &str, block: &str) -> Edit {
    let feed = line_feed(text);
    let before = match text {
        "" => String::new(),
        text if text.ends_with('\n') => feed.to_owned(),
        _ => format!("{feed}{feed}"),
    };
    edit(source, text.len(), text.len(), format!("{before}{}", block.replace('\n', feed)))
}

/// The line end that a text has.
pub(super) fn line_feed(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// The blanks that the line of an offset begins with.
pub(super) fn indent_of(text: &str, at: usize) -> &str {
    let line = text.get(line_start(text, at)..).unwrap_or_default();
    let blanks = line.len() - line.trim_start_matches([' ', '\t']).len();
    line.get(..blanks).unwrap_or_default()
}

pub(super) fn edit(source: SourceId, start: usize, end: usize, text: String) -> Edit {
    Edit { span: Span::new(source, start, end), text }
}
