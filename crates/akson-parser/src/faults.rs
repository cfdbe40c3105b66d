//! The wording of what is unclosed or closes nothing. Not its finding: see `lexer` and `regions`.

use akson_diagnostics::{Diagnostic, SourceId, Span};

use crate::codes::{
    BAD_HEREDOC, TOO_DEEP, UNCLOSED_BRACKET, UNCLOSED_COMMENT, UNCLOSED_STRING, UNCLOSED_TEMPLATE, UNOPENED_BRACKET,
};
use crate::lexer::{Fault, Frame, Opened};
use crate::limits::MAX_NESTING;

/// A fault that the scan met.
pub(crate) fn describe(source: SourceId, text: &str, fault: Fault) -> Diagnostic {
    let span = |start: usize, end: usize| Span::new(source, start, end);
    match fault {
        Fault::String { open, line_end } => {
            let odd = text.get(open..line_end).unwrap_or_default();
            let diagnostic = Diagnostic::error(UNCLOSED_STRING, "this string is not closed")
                .at(span(open, line_end), "the line ends first");
            if odd.len() == 1 {
                diagnostic.help("remove this `\"`, or write `\\\"` for a quote inside a string")
            } else {
                diagnostic.help("end it with `\"`; for a text of several lines write a heredoc, `<<EOT`, or `\\n`")
            }
        }
        Fault::Template { open, until } => template(source, text, open, until),
        Fault::Bracket { open, close } => {
            let opened = char_at(text, open);
            if opened == '$' || opened == '%' {
                return template(source, text, open, close);
            }
            let (missing, found) = (closing(opened), char_at(text, close));
            Diagnostic::error(UNCLOSED_BRACKET, format!("missing `{missing}`"))
                .at(span(open, open + 1), format!("this `{opened}` is not closed"))
                .also(span(close, close + 1), format!("`{missing}` is expected before this `{found}`"))
                .help(format!("write `{missing}` where it ends"))
        }
        Fault::Stray { close } => {
            let found = char_at(text, close);
            Diagnostic::error(UNOPENED_BRACKET, format!("this `{found}` closes nothing"))
                .at(span(close, close + 1), "")
                .help(format!("remove it, or look above for a `{}` that is missing", opening(found)))
        }
        Fault::Comment { open } => Diagnostic::error(UNCLOSED_COMMENT, "this comment is not closed")
            .at(span(open, open + 2), "")
            .help("end it with `*/`, or write `#` for a comment of one line"),
        Fault::Heredoc { open, end } => {
            let marker = marker(text, open, end);
            Diagnostic::error(BAD_HEREDOC, format!("this heredoc has no last line `{marker}`"))
                .at(span(open, end), "")
                .help(format!("end it with a line that holds `{marker}` and nothing else"))
        }
        Fault::HeredocLine { open, end } => {
            let marker = marker(text, open, end);
            let diagnostic = Diagnostic::error(BAD_HEREDOC, "a heredoc starts with a marker that ends its line");
            if marker.is_empty() {
                diagnostic
                    .at(span(open, end), "no marker")
                    .help("write `<<EOT`, the text from the next line on, and a line `EOT`")
            } else {
                diagnostic
                    .at(span(open, end), format!("something follows `{marker}` on its line"))
                    .help("start the text on the next line")
            }
        }
    }
}

fn template(source: SourceId, text: &str, open: usize, until: usize) -> Diagnostic {
    let written = text.get(open..open + 2).unwrap_or_default();
    Diagnostic::error(UNCLOSED_TEMPLATE, format!("this `{written}` is not closed"))
        .at(Span::new(source, open, open + 2), "")
        .also(Span::new(source, until, until), "`}` is expected before this")
        .help(format!(
            "end it with `}}`; for these two characters in a text write `{}{written}`",
            written.get(..1).unwrap_or_default()
        ))
}

/// What is still open where its block, or the file, ends.
pub(crate) fn unclosed(source: SourceId, text: &str, frame: &Frame, until: usize) -> Diagnostic {
    let open = frame.at;
    match frame.opened {
        Opened::Template => template(source, text, open, until),
        Opened::String => describe(source, text, Fault::String { open, line_end: until }),
        Opened::Heredoc(_, to) => describe(source, text, Fault::Heredoc { open, end: to }),
        Opened::Brace | Opened::Bracket | Opened::Paren => {
            let opened = char_at(text, open);
            let missing = closing(opened);
            let place = if until >= text.len() { "the file ends here" } else { "the next block starts here" };
            Diagnostic::error(UNCLOSED_BRACKET, format!("missing `{missing}`"))
                .at(Span::new(source, open, open + 1), format!("this `{opened}` is not closed"))
                .also(Span::new(source, until, until), place)
                .help(format!("write `{missing}` where it ends"))
        }
    }
}

/// A `{` whose likely `}` is the one of something around it.
pub(crate) fn misplaced(source: SourceId, text: &str, open: usize, close: usize) -> Diagnostic {
    let (opened, closed) = (char_at(text, open), char_at(text, close));
    Diagnostic::error(UNCLOSED_BRACKET, format!("missing `{}`", closing(opened)))
        .at(Span::new(source, open, open + 1), format!("this `{opened}` is probably not closed"))
        .also(
            Span::new(source, close, close + 1),
            format!("this `{closed}` closes it, but is indented for something around it"),
        )
        .help(format!("write `{}` where it ends", closing(opened)))
}

/// One level too many.
pub(crate) fn too_deep(source: SourceId, start: usize, end: usize) -> Diagnostic {
    Diagnostic::error(TOO_DEEP, format!("this is nested more than {MAX_NESTING} levels deep"))
        .at(Span::new(source, start, end), "one level too many")
        .help("give inner parts a name in `locals`")
}

fn char_at(text: &str, at: usize) -> char {
    text.get(at..).and_then(|rest| rest.chars().next()).unwrap_or(' ')
}

fn closing(opened: char) -> char {
    match opened {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

fn opening(closed: char) -> char {
    match closed {
        ')' => '(',
        ']' => '[',
        _ => '{',
    }
}

fn marker(text: &str, open: usize, end: usize) -> &str {
    text.get(open..end).unwrap_or_default().trim_start_matches(['<', '-'])
}
