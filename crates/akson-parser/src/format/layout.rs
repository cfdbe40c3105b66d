//! Pieces to lines: where lines break, how far they are indented, what stands between pieces, where commas go.
//! Not what is aligned between lines: see `align`.

use super::pieces::{Piece, Role, Shape};

/// Lines to be aligned and written.
#[derive(Debug, Default)]
pub(super) struct Laid {
    /// The text of all lines, one after the other.
    pub(super) text: String,
    pub(super) lines: Vec<Line>,
}

/// A line; places are bytes of [`Laid::text`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Levels.
    pub(super) indent: usize,
    pub(super) blank_before: bool,
    /// Where `=` stands, if an attribute, pair or named argument starts and ends on this line.
    pub(super) equals: Option<usize>,
    /// Where a comment behind the line's text starts.
    pub(super) comment: Option<usize>,
    /// Whether it has line ends inside, of a string, heredoc or comment.
    pub(super) several: bool,
    /// Whether it holds nothing but comments.
    pub(super) only_comment: bool,
    /// If a top-level item starts here: whether it is a block of several lines.
    pub(super) item: Option<bool>,
}

/// An open bracket.
struct Frame {
    role: Role,
    broken: bool,
    /// Indentation of the line it was opened on.
    indent: usize,
    /// Whether it is `{`.
    braces: bool,
}

/// Lays a sound text out.
pub(super) fn lay_out(text: &str, pieces: &[Piece]) -> Laid {
    let mut layout = Layout {
        text,
        pieces,
        laid: Laid { text: String::with_capacity(text.len()), lines: Vec::new() },
        frames: Vec::new(),
        before: None,
        value: None,
        breaks: 0,
        must_break: false,
        opened: false,
        equals_depth: None,
        block_ended: false,
    };
    for at in 0..pieces.len() {
        layout.piece(at);
    }
    layout.end_line();
    layout.laid
}

struct Layout<'t> {
    text: &'t str,
    pieces: &'t [Piece],
    laid: Laid,
    frames: Vec<Frame>,
    /// The piece last written.
    before: Option<Shape>,
    /// The piece last written that is no comment.
    value: Option<Shape>,
    /// Line ends of the author's since then.
    breaks: usize,
    /// A line must end here, whatever the author wrote.
    must_break: bool,
    /// The last line ends with an opening bracket.
    opened: bool,
    /// How many brackets were open at the `=` of this line.
    equals_depth: Option<usize>,
    /// A top-level block of several lines was closed on this line.
    block_ended: bool,
}

/// Whether lines are forced at the edges of such a bracket if it is written over several.
fn forced(role: Role) -> bool {
    !matches!(role, Role::Parens | Role::Index)
}

impl Layout<'_> {
    fn piece(&mut self, at: usize) {
        let Some(piece) = self.pieces.get(at).copied() else { return };
        match piece.shape {
            Shape::Breaks(count) => {
                self.breaks = self.breaks.max(count);
                return;
            }
            Shape::Comma => {
                self.comma(at, piece);
                return;
            }
            _ => {}
        }
        self.separate(piece);
        match piece.shape {
            Shape::Open(role) => {
                let indent = self.laid.lines.last().map_or(0, |line| line.indent);
                if role == Role::Body
                    && self.frames.is_empty()
                    && let Some(line) = self.laid.lines.last_mut()
                {
                    line.item = Some(piece.broken);
                }
                self.write(piece);
                let braces = self.laid.text.ends_with('{');
                self.frames.push(Frame { role, broken: piece.broken, indent, braces });
                self.opened = true;
            }
            Shape::Close(_) => {
                let frame = self.frames.pop();
                self.block_ended = self.frames.is_empty() && frame.is_some_and(|frame| frame.broken);
                self.write(piece);
            }
            Shape::Equals => {
                let broken = self.frames.last().is_some_and(|frame| frame.broken);
                let first =
                    self.laid.lines.last().is_some_and(|line| line.equals.is_none() && line.indent == self.indent());
                if broken && first && self.equals_depth.is_none() {
                    let place = self.laid.text.len();
                    self.equals_depth = Some(self.frames.len());
                    if let Some(line) = self.laid.lines.last_mut() {
                        line.equals = Some(place);
                    }
                }
                self.write(piece);
            }
            _ => self.write(piece),
        }
        if matches!(piece.shape, Shape::Word | Shape::Literal | Shape::Heredoc | Shape::Close(_)) {
            self.comma_behind(at);
        }
    }

    fn indent(&self) -> usize {
        self.frames.last().map_or(0, |frame| frame.indent + 1)
    }

    /// Ends the line or writes a blank before a piece.
    fn separate(&mut self, piece: Piece) {
        let closing = matches!(piece.shape, Shape::Close(_));
        let frame = self.frames.last();
        let edge = frame.is_some_and(|frame| frame.broken && forced(frame.role));
        let behind = piece.shape == Shape::LineComment && self.breaks == 0;
        let empty = closing && matches!(self.before, Some(Shape::Open(_)));
        let breaks = match self.before {
            None | Some(Shape::LineComment | Shape::Heredoc) => true,
            _ if behind => false,
            _ if empty => edge,
            _ if self.must_break => true,
            Some(Shape::Open(_)) => edge || self.breaks > 0,
            _ => (closing && edge) || self.breaks > 0,
        };
        if breaks {
            let blank = (self.breaks > 1 && !closing && !self.opened) || self.block_ended;
            self.block_ended = false;
            let indent = if closing { frame.map_or(0, |frame| frame.indent) } else { self.indent() };
            self.end_line();
            let start = self.laid.text.len();
            self.laid.lines.push(Line {
                start,
                end: start,
                indent,
                blank_before: blank,
                equals: None,
                comment: None,
                several: false,
                only_comment: true,
                item: None,
            });
        } else if behind {
            let end = self.laid.text.len();
            if let Some(line) = self.laid.lines.last_mut() {
                line.comment = Some(end);
            }
        } else if self.blank_between(piece.shape) {
            self.laid.text.push(' ');
        }
        self.breaks = 0;
        self.must_break = false;
        if !(behind && self.opened) {
            self.opened = false;
        }
    }

    fn blank_between(&self, next: Shape) -> bool {
        match (self.before, next) {
            (Some(Shape::Open(_)), Shape::Close(_)) => false,
            // `{ a = 1 }`, but `[1]`
            (Some(Shape::Open(_)), _) | (_, Shape::Close(_)) => self.frames.last().is_some_and(|frame| frame.braces),
            (Some(Shape::Dot | Shape::Prefix), _)
            | (_, Shape::Dot | Shape::Group | Shape::Open(Role::Arguments | Role::Index)) => false,
            _ => true,
        }
    }

    fn write(&mut self, piece: Piece) {
        let written = self.text.get(piece.start..piece.end).unwrap_or_default();
        let written = if piece.shape == Shape::LineComment { written.trim_end() } else { written };
        if written.contains('\r') {
            self.laid.text.push_str(&written.replace("\r\n", "\n"));
        } else {
            self.laid.text.push_str(written);
        }
        self.before = Some(piece.shape);
        let comment = matches!(piece.shape, Shape::LineComment | Shape::BlockComment);
        if !comment {
            self.value = Some(piece.shape);
        }
        let top = self.frames.is_empty();
        if let Some(line) = self.laid.lines.last_mut() {
            line.only_comment &= comment;
            if top && piece.shape == Shape::Word {
                line.item.get_or_insert(false);
            }
        }
    }

    /// The next piece that is no line end and no comment.
    fn significant_after(&self, at: usize) -> Option<(usize, Shape)> {
        let rest = self.pieces.get(at + 1..)?;
        let (ahead, piece) = rest
            .iter()
            .enumerate()
            .find(|(_, piece)| !matches!(piece.shape, Shape::Breaks(_) | Shape::LineComment | Shape::BlockComment))?;
        Some((at + 1 + ahead, piece.shape))
    }

    /// Writes the comma behind a value where it belongs: at once, before any comment.
    fn comma_behind(&mut self, at: usize) {
        let Some(frame) = self.frames.last() else { return };
        let listing = matches!(frame.role, Role::List | Role::Arguments);
        let heredoc = self.before == Some(Shape::Heredoc);
        let comma = match self.significant_after(at) {
            Some((comma, Shape::Comma)) => match self.significant_after(comma) {
                Some((_, Shape::Close(_))) => listing && frame.broken,
                _ => frame.role != Role::Object || !frame.broken,
            },
            Some((_, Shape::Close(_))) => listing && frame.broken,
            _ => false,
        };
        if comma && !heredoc {
            self.laid.text.push(',');
            self.before = Some(Shape::Comma);
        }
    }

    /// A comma of the author's: it has been written already, or is not wanted, unless it follows a heredoc.
    fn comma(&mut self, at: usize, piece: Piece) {
        let object = self.frames.last().is_some_and(|frame| frame.role == Role::Object && frame.broken);
        let last = matches!(self.significant_after(at), Some((_, Shape::Close(_))));
        if object {
            self.must_break = true;
        } else if self.value == Some(Shape::Heredoc) && !last {
            self.separate(piece);
            self.write(piece);
        }
    }

    fn end_line(&mut self) {
        let end = self.laid.text.len();
        let depth = self.equals_depth.take();
        let Some(line) = self.laid.lines.last_mut() else { return };
        line.end = end;
        let several = self.laid.text.get(line.start..end).is_some_and(|text| text.contains('\n'));
        if several || depth != Some(self.frames.len()) {
            line.equals = None;
        }
        line.several = several;
    }
}
