//! Tokens as the formatter needs them: a string or heredoc is one piece, and each bracket knows what it is for.
//! Not where they go: see `layout`. The text is sound; that has been checked.

use crate::lexer::{Kind, Lexer};

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// So many line ends in a row.
    Breaks(usize),
    LineComment,
    BlockComment,
    Word,
    /// `in`, `if` and the `for` of a `for` expression.
    Keyword,
    /// A number or a string.
    Literal,
    Heredoc,
    Open(Role),
    Close(Role),
    Comma,
    Dot,
    /// `...`
    Group,
    /// `=`
    Equals,
    /// `!` or `-` before its operand.
    Prefix,
    /// Any other operator, and `?`, `:`, `=>`.
    Operator,
}

/// What a bracket is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Body,
    Object,
    List,
    Arguments,
    For,
    Parens,
    Index,
}

/// A piece: bytes `start..end` of the text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub(super) shape: Shape,
    pub(super) start: usize,
    pub(super) end: usize,
    /// Of an opening bracket: whether what it holds is written over several lines, not counting inner brackets.
    pub(super) broken: bool,
}

/// A bracket that is open.
struct Open {
    at: usize,
    role: Role,
    /// In a body: whether `=` of the current attribute is passed.
    value: bool,
    /// Whether it holds anything but line ends.
    filled: bool,
    broken: bool,
}

/// Cuts a sound text into pieces.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let mut sorter = Sorter { text, pieces: Vec::with_capacity(text.len() / 4), open: Vec::new(), before: None };
    let mut lexer = Lexer::new(text);
    let mut quoted = 0_usize;
    let mut quoted_start = 0;
    while let Some(token) = lexer.token() {
        match token.kind {
            Kind::StringOpen | Kind::HeredocOpen => {
                if quoted == 0 {
                    quoted_start = token.start;
                }
                quoted += 1;
            }
            Kind::StringClose | Kind::HeredocClose => {
                quoted = quoted.saturating_sub(1);
                if quoted == 0 {
                    let heredoc = token.kind == Kind::HeredocClose;
                    sorter.add(if heredoc { Shape::Heredoc } else { Shape::Literal }, quoted_start, token.end);
                }
            }
            _ if quoted > 0 => {}
            kind => sorter.sort(kind, token.start, token.end),
        }
    }
    sorter.pieces
}

struct Sorter<'t> {
    text: &'t str,
    pieces: Vec<Piece>,
    open: Vec<Open>,
    /// The last piece that is no comment and no line end.
    before: Option<Shape>,
}

impl Sorter<'_> {
    fn add(&mut self, shape: Shape, start: usize, end: usize) {
        if let Some(open) = self.open.last_mut() {
            open.filled = true;
        }
        self.before = Some(shape);
        self.pieces.push(Piece { shape, start, end, broken: false });
    }

    fn sort(&mut self, kind: Kind, start: usize, end: usize) {
        let written = self.text.get(start..end).unwrap_or_default();
        match kind {
            Kind::LineBreak => {
                if let Some(open) = self.open.last_mut() {
                    open.broken = true;
                    open.value = false;
                }
                // there, a line end ends a value
                if self.open.last().is_none_or(|open| matches!(open.role, Role::Body | Role::Object)) {
                    self.before = None;
                }
                if let Some(Piece { shape: Shape::Breaks(count), .. }) = self.pieces.last_mut() {
                    *count += 1;
                } else {
                    self.pieces.push(Piece { shape: Shape::Breaks(1), start, end, broken: false });
                }
            }
            Kind::LineComment | Kind::BlockComment => {
                if let Some(open) = self.open.last_mut() {
                    open.filled = true;
                }
                let shape = if kind == Kind::LineComment { Shape::LineComment } else { Shape::BlockComment };
                self.pieces.push(Piece { shape, start, end, broken: false });
            }
            Kind::Word => {
                let shape = self.word(written);
                self.add(shape, start, end);
            }
            Kind::Number => self.add(Shape::Literal, start, end),
            Kind::Open => {
                let role = self.role(written);
                self.add(Shape::Open(role), start, end);
                let at = self.pieces.len() - 1;
                self.open.push(Open { at, role, value: false, filled: false, broken: false });
            }
            Kind::Close => {
                let Some(open) = self.open.pop() else { return };
                if let Some(piece) = self.pieces.get_mut(open.at) {
                    piece.broken = open.broken && open.filled;
                    piece.shape = Shape::Open(open.role);
                }
                self.add(Shape::Close(open.role), start, end);
            }
            _ => {
                let shape = self.symbol(written);
                self.add(shape, start, end);
            }
        }
    }

    fn word(&mut self, written: &str) -> Shape {
        let Some(open) = self.open.last_mut() else { return Shape::Word };
        // `for` first in a bracket may be a key or a variable, too; the word behind it tells
        if !open.filled {
            return Shape::Word;
        }
        let first = self.pieces.get(open.at + 1..).unwrap_or_default();
        let mut first = first
            .iter()
            .filter(|piece| !matches!(piece.shape, Shape::Breaks(_) | Shape::LineComment | Shape::BlockComment));
        if matches!(open.role, Role::List | Role::Object)
            && let (Some(only), None) = (first.next(), first.next())
            && self.text.get(only.start..only.end) == Some("for")
        {
            open.role = Role::For;
            if let Some(last) = self.pieces.iter_mut().rev().find(|piece| piece.shape == Shape::Word) {
                last.shape = Shape::Keyword;
            }
            return Shape::Word;
        }
        let keyword = open.role == Role::For && self.ends_operand() && matches!(written, "in" | "if");
        if keyword { Shape::Keyword } else { Shape::Word }
    }

    fn ends_operand(&self) -> bool {
        matches!(self.before, Some(Shape::Word | Shape::Literal | Shape::Heredoc | Shape::Close(_) | Shape::Group))
    }

    fn role(&self, written: &str) -> Role {
        match written {
            "(" if self.before == Some(Shape::Word) => Role::Arguments,
            "(" => Role::Parens,
            "[" if self.ends_operand() => Role::Index,
            "[" => Role::List,
            _ => match self.open.last() {
                None => Role::Body,
                Some(open) if open.role == Role::Body && !open.value => Role::Body,
                Some(_) => Role::Object,
            },
        }
    }

    fn symbol(&mut self, written: &str) -> Shape {
        match written {
            "," => Shape::Comma,
            "." => Shape::Dot,
            "..." => Shape::Group,
            "=" => {
                if let Some(open) = self.open.last_mut() {
                    open.value = true;
                }
                Shape::Equals
            }
            "!" | "-" if !self.ends_operand() => Shape::Prefix,
            _ => Shape::Operator,
        }
    }
}
