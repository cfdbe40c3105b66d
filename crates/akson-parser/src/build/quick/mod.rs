//! The short way to a tree for text without mistakes: straight descent over bytes, many times as fast as pairs of pest. It accepts
//! nothing that the grammar refuses, and gives the same tree; where it meets anything that it does not know at once it gives up, and pest
//! reads the text. It has no diagnostics. Blocks are here; what recursion there is ends at the nesting that was checked before.

mod expression;
mod template;
#[cfg(test)]
mod tests;

use akson_diagnostics::{SourceId, Span};

use crate::ast::{Attribute, Block, Item, Name};

/// The items of a text of whole top-level items; none if it has a mistake, or something rare.
pub(crate) fn items(text: &str, base: usize, source: SourceId) -> Option<Vec<Item>> {
    let mut quick = Quick { text, bytes: text.as_bytes(), at: 0, base, source };
    let mut items = Vec::new();
    quick.gap();
    while quick.at < quick.bytes.len() {
        items.push(quick.item()?);
        if !quick.gap() && quick.at < quick.bytes.len() {
            return None;
        }
    }
    Some(items)
}

struct Quick<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    base: usize,
    source: SourceId,
}

impl<'t> Quick<'t> {
    /// The byte that is so far ahead; 0 past the end.
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn sees(&self, written: &[u8]) -> bool {
        self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(written))
    }

    /// Passes over a byte, if it comes next.
    fn passes(&mut self, byte: u8) -> bool {
        let seen = self.peek(0) == byte;
        self.at += usize::from(seen);
        seen
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.passes(byte).then_some(())
    }

    fn slice(&self, start: usize, end: usize) -> &'t str {
        self.text.get(start..end).unwrap_or_default()
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.source, self.base + start, self.base + end)
    }

    /// What may stand between two parts of one line.
    fn line_gap(&mut self) {
        loop {
            match self.peek(0) {
                b' ' | b'\t' => self.at += 1,
                b'/' if self.peek(1) == b'*' => match self.slice(self.at + 2, self.bytes.len()).find("*/") {
                    Some(length) => self.at += length + 4,
                    None => return,
                },
                _ => return,
            }
        }
    }

    /// What may stand between two parts where lines may end; whether one did.
    fn gap(&mut self) -> bool {
        let mut line_break = false;
        loop {
            self.line_gap();
            match self.peek(0) {
                b'\n' => {
                    line_break = true;
                    self.at += 1;
                }
                b'\r' if self.peek(1) == b'\n' => self.at += 1,
                b'#' => self.line_comment(),
                b'/' if self.peek(1) == b'/' => self.line_comment(),
                _ => return line_break,
            }
        }
    }

    fn line_comment(&mut self) {
        let rest = self.slice(self.at, self.bytes.len());
        self.at += rest.find('\n').unwrap_or(rest.len());
    }

    /// Whether line ends are free here, or not.
    fn skip(&mut self, tight: bool) {
        if tight {
            self.line_gap();
        } else {
            self.gap();
        }
    }

    /// A word as it is written.
    fn word(&mut self) -> Option<&'t str> {
        if !starts_word(self.peek(0)) {
            return None;
        }
        let start = self.at;
        let rest = self.bytes.get(start..).unwrap_or_default();
        self.at += rest.iter().take_while(|byte| continues_word(**byte)).count();
        Some(self.slice(start, self.at))
    }

    fn name(&mut self) -> Option<Name> {
        let start = self.at;
        let text = self.word()?.to_owned();
        Some(Name { text, span: self.span(start, self.at) })
    }

    /// Passes over a word, if it is this one.
    fn passes_word(&mut self, word: &str) -> bool {
        let seen = self.sees(word.as_bytes()) && !continues_word(self.peek(word.len()));
        self.at += if seen { word.len() } else { 0 };
        seen
    }

    /// `=`, not `==`.
    fn sees_equals(&self) -> bool {
        self.peek(0) == b'=' && self.peek(1) != b'='
    }

    /// An attribute or a block.
    fn item(&mut self) -> Option<Item> {
        let start = self.at;
        let first = self.name()?;
        self.line_gap();
        if self.sees_equals() {
            self.at += 1;
            self.line_gap();
            let (value, _) = self.expression(true)?;
            return Some(Item::Attribute(Attribute { name: first, value, span: self.span(start, self.at) }));
        }
        let mut header = first.span;
        let mut existing = None;
        let mut keyword = first;
        let mut labels = Vec::new();
        loop {
            let start = self.at;
            match self.peek(0) {
                b'{' => break,
                b'"' => {
                    let text = match self.plain_length() {
                        Some(_) => self.plain()?.to_owned(),
                        None => self.literal()?,
                    };
                    labels.push(Name { text, span: self.span(start + 1, self.at - 1) });
                }
                _ => {
                    let name = self.name()?;
                    if keyword.text != "existing" || existing.is_some() || !labels.is_empty() {
                        return None;
                    }
                    existing = Some(keyword.span);
                    keyword = name;
                }
            }
            header = header.to(self.span(start, self.at));
            self.line_gap();
        }
        let body = self.body()?;
        let span = self.span(start, self.at);
        Some(Item::Block(Box::new(Block {
            existing,
            keyword,
            labels,
            computed_labels: Vec::new(),
            body,
            header,
            span,
        })))
    }

    /// `{ … }` with the braces and items where they may stand: all on one line with at most one attribute, or each on its own.
    fn body(&mut self) -> Option<Vec<Item>> {
        self.expect(b'{')?;
        let mut items = Vec::new();
        let opens_line = self.gap();
        while !self.passes(b'}') {
            items.push(self.item()?);
            let line_break = self.gap();
            if line_break != opens_line {
                return None;
            }
            if !line_break && (self.peek(0) != b'}' || !matches!(items.as_slice(), [Item::Attribute(_)])) {
                return None;
            }
        }
        // A tree is kept as a whole: what its lists have to spare would be half of it.
        items.shrink_to_fit();
        Some(items)
    }

    /// What stands between quotes without escapes and templates.
    fn plain(&mut self) -> Option<&'t str> {
        let length = self.plain_length()?;
        let start = self.at + 1;
        self.at = start + length + 1;
        Some(self.slice(start, start + length))
    }

    /// How long the text between the quotes is that begin here; none if there is more in it than text.
    fn plain_length(&self) -> Option<usize> {
        let rest = self.bytes.get(self.at + 1..)?;
        let mut before = 0;
        for (length, byte) in rest.iter().enumerate() {
            match byte {
                b'"' => return Some(length),
                b'\\' | b'\n' => return None,
                b'{' if matches!(before, b'$' | b'%') => return None,
                _ => {}
            }
            before = *byte;
        }
        None
    }
}

fn starts_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

fn continues_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}
