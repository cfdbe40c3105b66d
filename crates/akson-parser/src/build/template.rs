//! Strings and heredocs to template parts: escapes, indentation, strip markers, the nesting of directives.
//! Not what stands inside `${ … }`: see `operators`.

use akson_diagnostics::{Diagnostic, Span};

use super::{Builder, Built};
use crate::ast::{Expr, ExprKind, Name, TemplatePart};
use crate::codes::{BAD_DIRECTIVE, BAD_ESCAPE, TOO_DEEP};
use crate::grammar::{Pair, Rule, parts};
use crate::limits::MAX_NESTING;

/// A template before directives are nested.
pub(super) enum Piece {
    Text(String),
    Sequence { span: Span, what: Sequence, strip_before: bool, strip_after: bool },
}

/// `${ … }` or `%{ … }`.
pub(super) enum Sequence {
    Value(Expr),
    If(Expr),
    For { key: Option<Name>, value: Name, collection: Expr },
    Else,
    EndIf,
    EndFor,
}

/// A directive that waits for its end.
enum Open {
    If { span: Span, condition: Expr, then: Option<Vec<TemplatePart>> },
    For { span: Span, key: Option<Name>, value: Name, collection: Expr },
}

impl Open {
    fn span(&self) -> Span {
        match self {
            Open::If { span, .. } | Open::For { span, .. } => *span,
        }
    }

    fn words(&self) -> (&'static str, &'static str) {
        match self {
            Open::If { .. } => ("%{ if … }", "%{ endif }"),
            Open::For { .. } => ("%{ for … }", "%{ endfor }"),
        }
    }
}

impl Builder<'_, '_> {
    /// A string in quotes.
    pub(super) fn string(&mut self, pair: Pair<'_>) -> Built {
        let span = self.span(&pair);
        let (pieces, height) = self.pieces(pair)?;
        self.template(pieces, height, span)
    }

    /// A heredoc. Line ends in it are `\n` whatever the file has, so that the value does not depend on a checkout.
    pub(super) fn heredoc(&mut self, pair: Pair<'_>) -> Built {
        let span = self.span(&pair);
        let flush = pair.as_str().starts_with("<<-");
        let (mut pieces, height) = self.pieces(pair)?;
        if flush {
            strip_indentation(&mut pieces);
        }
        self.template(pieces, height, span)
    }

    /// Text and sequences in order, and the height of the highest expression.
    fn pieces(&mut self, pair: Pair<'_>) -> Option<(Vec<Piece>, usize)> {
        let mut pieces = Vec::new();
        let mut highest = 0;
        let mut sound = true;
        let heredoc = pair.as_rule() == Rule::heredoc;
        let mut at = pair.as_span().start();
        for part in parts(pair) {
            let (start, end) = (part.as_span().start(), part.as_span().end());
            // between the parts of a heredoc stand its line ends, which make no pairs
            if heredoc && part.as_rule() != Rule::heredoc_open {
                push_text(&mut pieces, self.text.get(at..start).unwrap_or_default());
            }
            at = end;
            match part.as_rule() {
                Rule::text | Rule::heredoc_text => push_text(&mut pieces, part.as_str()),
                Rule::heredoc_escape => push_text(&mut pieces, part.as_str().get(1..).unwrap_or_default()),
                Rule::escape => match self.escape(&part) {
                    Some(character) => push_escaped(&mut pieces, character),
                    None if part.as_str().starts_with('\\') => sound = false,
                    None => push_text(&mut pieces, part.as_str().get(1..).unwrap_or_default()),
                },
                Rule::interpolation | Rule::directive => {
                    let span = self.span(&part);
                    let text = part.as_str();
                    let strip_before = text.as_bytes().get(2) == Some(&b'~');
                    let strip_after = text.ends_with("~}");
                    match self.sequence(part) {
                        Some((what, height)) => {
                            highest = highest.max(height);
                            pieces.push(Piece::Sequence { span, what, strip_before, strip_after });
                        }
                        None => sound = false,
                    }
                }
                _ => {}
            }
        }
        sound.then_some((pieces, highest))
    }

    /// The character of a backslash escape. `None` for `$${` and `%%{`, and with a diagnostic for what does not exist.
    fn escape(&mut self, pair: &Pair<'_>) -> Option<char> {
        let text = pair.as_str();
        let rest = text.strip_prefix('\\')?;
        let simple = match rest {
            "n" => Some('\n'),
            "r" => Some('\r'),
            "t" => Some('\t'),
            "\"" => Some('"'),
            "\\" => Some('\\'),
            _ => rest
                .get(1..)
                .filter(|hex| !hex.is_empty())
                .and_then(|hex| u32::from_str_radix(hex, 16).ok())
                .and_then(char::from_u32),
        };
        if simple.is_none() {
            let span = self.span(pair);
            let shown = akson_diagnostics::SafeText(text);
            let diagnostic =
                Diagnostic::error(BAD_ESCAPE, format!("there is no escape `{shown}` in a string")).at(span, "");
            self.give(if rest.starts_with(['u', 'U']) {
                diagnostic.help("write `\\u` and four hexadecimal digits, or `\\U` and eight, of a character that exists")
            } else {
                diagnostic
                    .help("write `\\\\` for a backslash; the escapes are `\\n`, `\\r`, `\\t`, `\\\"`, `\\\\`, `\\uNNNN` and `\\UNNNNNNNN`")
                    .suggest(Span { end: span.start + 1, ..span }, "\\\\", "write the backslash twice")
            });
        }
        simple
    }

    fn sequence(&mut self, pair: Pair<'_>) -> Option<(Sequence, usize)> {
        let part = parts(pair).next()?;
        Some(match part.as_rule() {
            Rule::template_word => match part.as_str() {
                "else" => (Sequence::Else, 0),
                "endif" => (Sequence::EndIf, 0),
                _ => (Sequence::EndFor, 0),
            },
            Rule::template_if => {
                let (condition, height) = self.only_inner(part)?;
                (Sequence::If(condition), height)
            }
            Rule::template_for => {
                let mut names = Vec::new();
                let mut collection = None;
                for part in parts(part) {
                    if part.as_rule() == Rule::name {
                        names.push(self.name(&part));
                    } else {
                        collection = Some(self.expression(part)?);
                    }
                }
                let (collection, height) = collection?;
                let value = names.pop()?;
                (Sequence::For { key: names.pop(), value, collection }, height)
            }
            _ => {
                let (value, height) = self.expression(part)?;
                (Sequence::Value(value), height)
            }
        })
    }

    pub(super) fn template(&mut self, mut pieces: Vec<Piece>, height: usize, span: Span) -> Built {
        strip_marked(&mut pieces);
        let (parts, depth) = self.nest(pieces)?;
        Some((Expr { span, kind: ExprKind::Template(parts) }, height + depth + 1))
    }

    /// Nests directives; the second is how deep they go.
    fn nest(&mut self, pieces: Vec<Piece>) -> Option<(Vec<TemplatePart>, usize)> {
        let mut parts = Vec::new();
        // each with the parts of what surrounds it
        let mut open: Vec<(Open, Vec<TemplatePart>)> = Vec::new();
        let mut deepest = 0;
        for piece in pieces {
            let (span, what) = match piece {
                Piece::Text(text) => {
                    if !text.is_empty() {
                        parts.push(TemplatePart::Literal(text));
                    }
                    continue;
                }
                Piece::Sequence { span, what, .. } => (span, what),
            };
            match what {
                Sequence::Value(value) => parts.push(TemplatePart::Interpolation(value)),
                Sequence::If(condition) => {
                    open.push((Open::If { span, condition, then: None }, std::mem::take(&mut parts)));
                }
                Sequence::For { key, value, collection } => {
                    open.push((Open::For { span, key, value, collection }, std::mem::take(&mut parts)));
                }
                Sequence::Else => match open.last_mut() {
                    Some((Open::If { then: then @ None, .. }, _)) => *then = Some(std::mem::take(&mut parts)),
                    _ => return self.unpaired(span, "%{ else }", "%{ if … }", open.last()),
                },
                Sequence::EndIf => match open.pop() {
                    Some((Open::If { condition, then, .. }, around)) => {
                        let last = std::mem::replace(&mut parts, around);
                        let (then, otherwise) = match then {
                            Some(then) => (then, last),
                            None => (last, Vec::new()),
                        };
                        parts.push(TemplatePart::If { condition: Box::new(condition), then, otherwise });
                    }
                    other => return self.unpaired(span, "%{ endif }", "%{ if … }", other.as_ref()),
                },
                Sequence::EndFor => match open.pop() {
                    Some((Open::For { key, value, collection, .. }, around)) => {
                        let body = std::mem::replace(&mut parts, around);
                        parts.push(TemplatePart::For {
                            key: key.map(Box::new),
                            value: Box::new(value),
                            collection: Box::new(collection),
                            body,
                        });
                    }
                    other => return self.unpaired(span, "%{ endfor }", "%{ for … }", other.as_ref()),
                },
            }
            deepest = deepest.max(open.len());
            if open.len() > MAX_NESTING {
                self.give(
                    Diagnostic::error(TOO_DEEP, format!("this is nested more than {MAX_NESTING} levels deep"))
                        .at(span, "one level too many")
                        .help("give inner parts a name in `locals`"),
                );
                return None;
            }
        }
        if let Some((open, _)) = open.last() {
            let (start, end) = open.words();
            self.give(
                Diagnostic::error(BAD_DIRECTIVE, format!("`{start}` has no `{end}`"))
                    .at(open.span(), "")
                    .help(format!("write `{end}` where its part of the template ends")),
            );
            return None;
        }
        Some((parts, deepest))
    }

    fn unpaired<T>(
        &mut self,
        span: Span,
        word: &str,
        partner: &str,
        open: Option<&(Open, Vec<TemplatePart>)>,
    ) -> Option<T> {
        let diagnostic =
            Diagnostic::error(BAD_DIRECTIVE, format!("`{word}` does not belong to any `{partner}`")).at(span, "");
        let diagnostic = match open {
            Some((open, _)) => {
                diagnostic.also(open.span(), "this one is open here").help(format!("it ends with `{}`", open.words().1))
            }
            None => diagnostic.help(format!("write `{partner}` before it, or remove it")),
        };
        self.give(diagnostic);
        None
    }
}

pub(super) fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    if text.is_empty() {
        return;
    }
    let text = if text.contains('\r') { text.replace("\r\n", "\n") } else { text.to_owned() };
    if let Some(Piece::Text(last)) = pieces.last_mut() {
        // a line end that was cut from its carriage return
        if text.starts_with('\n') && last.ends_with('\r') {
            last.pop();
        }
        last.push_str(&text);
    } else {
        pieces.push(Piece::Text(text));
    }
}

/// A character that was written as an escape: it is meant, also where it makes a line end of the file's.
pub(super) fn push_escaped(pieces: &mut Vec<Piece>, character: char) {
    if let Some(Piece::Text(last)) = pieces.last_mut() {
        last.push(character);
    } else {
        pieces.push(Piece::Text(character.to_string()));
    }
}

/// `~` takes white space and line ends off the text beside it.
fn strip_marked(pieces: &mut [Piece]) {
    for at in 0..pieces.len() {
        let (before, after) = match pieces.get(at) {
            Some(Piece::Sequence { strip_before, strip_after, .. }) => (*strip_before, *strip_after),
            _ => continue,
        };
        if before && let Some(Piece::Text(text)) = at.checked_sub(1).and_then(|at| pieces.get_mut(at)) {
            text.truncate(text.trim_end().len());
        }
        if after && let Some(Piece::Text(text)) = pieces.get_mut(at + 1) {
            text.drain(..text.len() - text.trim_start().len());
        }
    }
}

/// Takes the indentation that all lines share off each of them. Lines of white space alone do not count.
pub(super) fn strip_indentation(pieces: &mut [Piece]) {
    let mut least = usize::MAX;
    let mut line_start = true;
    for piece in pieces.iter() {
        let Piece::Text(text) = piece else {
            if line_start {
                least = 0;
            }
            line_start = false;
            continue;
        };
        for line in text.split_inclusive('\n') {
            if line_start && !(line.trim().is_empty() && line.ends_with('\n')) {
                least = least.min(indentation(line));
            }
            line_start = line.ends_with('\n');
        }
    }
    if least == 0 || least == usize::MAX {
        return;
    }
    let mut line_start = true;
    for piece in pieces {
        let Piece::Text(text) = piece else {
            line_start = false;
            continue;
        };
        let mut stripped = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            let drop = if line_start { least.min(indentation(line)) } else { 0 };
            stripped.push_str(line.get(drop..).unwrap_or_default());
            line_start = line.ends_with('\n');
        }
        *text = stripped;
    }
}

/// How many blanks a line starts with. A blank is one byte.
fn indentation(line: &str) -> usize {
    line.bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}
