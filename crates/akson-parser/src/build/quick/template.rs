//! Strings with more than text in them, and heredocs, to the pieces that `build::template` makes templates of.

use super::{Quick, continues_word};
use crate::ast::{ExprKind, TemplatePart};
use crate::build::{
    Builder, Built,
    template::{Piece, Sequence, push_escaped, push_text, strip_indentation},
};
use crate::report::Report;

impl Quick<'_> {
    /// A string in quotes with escapes or templates.
    pub(super) fn string(&mut self) -> Built {
        let start = self.at;
        self.at += 1;
        let mut pieces = Vec::new();
        let mut highest = 0;
        loop {
            match self.peek(0) {
                b'"' => {
                    self.at += 1;
                    break;
                }
                b'\\' => {
                    let character = self.escape()?;
                    push_escaped(&mut pieces, character);
                }
                _ if self.at_special() => highest = highest.max(self.special(&mut pieces)?),
                _ => {
                    let from = self.at;
                    while self.at < self.bytes.len()
                        && !matches!(self.peek(0), b'"' | b'\\' | b'\n')
                        && !self.at_special()
                    {
                        self.at += 1;
                    }
                    if self.at == from {
                        return None;
                    }
                    push_text(&mut pieces, self.slice(from, self.at));
                }
            }
        }
        self.template(pieces, highest, start)
    }

    /// The text of a string in quotes that has nothing computed in it.
    pub(super) fn literal(&mut self) -> Option<String> {
        match self.string()?.0.kind {
            ExprKind::Template(mut parts) if parts.len() == 1 => match parts.pop()? {
                TemplatePart::Literal(text) => Some(text),
                _ => None,
            },
            _ => None,
        }
    }

    /// `<<MARKER` or `<<-MARKER`, lines, and the marker alone on a line.
    pub(super) fn heredoc(&mut self) -> Built {
        let start = self.at;
        self.at += 2;
        let flush = self.passes(b'-');
        let marker = self.word()?.as_bytes();
        self.blanks();
        if !self.line_break() {
            return None;
        }
        let mut pieces = Vec::new();
        let mut highest = 0;
        let mut from = self.at;
        let mut line_start = true;
        loop {
            if line_start && let Some(length) = self.last_line(marker) {
                push_text(&mut pieces, self.slice(from, self.at));
                self.at += length;
                break;
            }
            line_start = false;
            if self.at_special() {
                push_text(&mut pieces, self.slice(from, self.at));
                highest = highest.max(self.special(&mut pieces)?);
                from = self.at;
                continue;
            }
            let byte = *self.bytes.get(self.at)?;
            self.at += 1;
            line_start = byte == b'\n';
        }
        if flush {
            strip_indentation(&mut pieces);
        }
        self.template(pieces, highest, start)
    }

    /// How long blanks and the marker are, if they are all of the line that starts here.
    fn last_line(&mut self, marker: &[u8]) -> Option<usize> {
        let start = self.at;
        self.blanks();
        let found = self.sees(marker);
        let length = self.at - start + marker.len();
        if found {
            self.at += marker.len();
            self.blanks();
        }
        let alone = found && (self.at == self.bytes.len() || self.line_break());
        self.at = start;
        alone.then_some(length)
    }

    fn blanks(&mut self) {
        while matches!(self.peek(0), b' ' | b'\t') {
            self.at += 1;
        }
    }

    fn line_break(&mut self) -> bool {
        if self.peek(0) == b'\r' && self.peek(1) == b'\n' {
            self.at += 1;
        }
        self.passes(b'\n')
    }

    /// Whether `${`, `%{` or one of their escapes stands here.
    fn at_special(&self) -> bool {
        match self.peek(0) {
            mark @ (b'$' | b'%') => self.peek(1) == b'{' || (self.peek(1) == mark && self.peek(2) == b'{'),
            _ => false,
        }
    }

    /// Takes one of these; how high its expression is.
    fn special(&mut self, pieces: &mut Vec<Piece>) -> Option<usize> {
        let start = self.at;
        if self.peek(1) != b'{' {
            self.at += 3;
            push_text(pieces, self.slice(start + 1, self.at));
            return Some(0);
        }
        let value = self.peek(0) == b'$';
        self.at += 2;
        let strip_before = self.passes(b'~');
        self.gap();
        let (what, height) = if value {
            let (value, height) = self.expression(false)?;
            (Sequence::Value(value), height)
        } else {
            self.directive()?
        };
        self.gap();
        let strip_after = self.passes(b'~');
        self.expect(b'}')?;
        pieces.push(Piece::Sequence { span: self.span(start, self.at), what, strip_before, strip_after });
        Some(height)
    }

    fn directive(&mut self) -> Option<(Sequence, usize)> {
        if let Some((key, value)) = self.for_names() {
            let (collection, height) = self.expression(false)?;
            return Some((Sequence::For { key, value, collection }, height));
        }
        if self.sees(b"if") && !continues_word(self.peek(2)) {
            self.at += 2;
            self.gap();
            let (condition, height) = self.expression(false)?;
            return Some((Sequence::If(condition), height));
        }
        Some(match self.word()? {
            "else" => (Sequence::Else, 0),
            "endif" => (Sequence::EndIf, 0),
            "endfor" => (Sequence::EndFor, 0),
            _ => return None,
        })
    }

    /// The character of a backslash escape, if there is such a one.
    fn escape(&mut self) -> Option<char> {
        let hexadecimal = |quick: &mut Self, digits: usize| {
            let text = quick.slice(quick.at + 2, quick.at + 2 + digits);
            let all = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            quick.at += digits;
            u32::from_str_radix(text, 16).ok().filter(|_| all).and_then(char::from_u32)
        };
        let character = match self.peek(1) {
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'"' => '"',
            b'\\' => '\\',
            b'u' => hexadecimal(self, 4)?,
            b'U' => hexadecimal(self, 8)?,
            _ => return None,
        };
        self.at += 2;
        Some(character)
    }

    /// Nests directives. What does not fit is pest's to tell.
    fn template(&mut self, pieces: Vec<Piece>, height: usize, start: usize) -> Built {
        let mut report = Report::default();
        let mut builder = Builder { text: self.text, base: self.base, source: self.source, report: &mut report };
        builder.template(pieces, height, self.span(start, self.at))
    }
}
