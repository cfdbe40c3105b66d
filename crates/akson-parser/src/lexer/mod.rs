//! A linear scan into tokens that knows strings, templates, heredocs and comments, and which brackets are open.
//! It judges nesting and what is unclosed, so that pest is only given text whose brackets fit; it is no second
//! grammar: it does not know which token may follow which.

mod text;

use std::collections::HashMap;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    LineBreak,
    LineComment,
    BlockComment,
    Word,
    /// Starts with a digit; not yet known to be a number.
    Number,
    /// The opening quote of a string.
    StringOpen,
    /// The closing quote of a string; empty where the string broke off.
    StringClose,
    /// Text of a string or heredoc, with its escapes.
    Text,
    /// `${` or `%{`, with `~`.
    TemplateOpen,
    /// `}` of those, with `~`.
    TemplateClose,
    /// `<<MARKER` up to and with its line end.
    HeredocOpen,
    /// The last line of a heredoc without its line end.
    HeredocClose,
    /// `(`, `[`, `{`.
    Open,
    /// `)`, `]`, `}`.
    Close,
    /// An operator or separator.
    Symbol,
    /// A character that has no meaning outside strings and comments.
    Unknown,
}

/// A token: bytes `start..end` of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// What has been opened and not yet closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opened {
    Brace,
    Bracket,
    Paren,
    String,
    /// `${` or `%{`.
    Template,
    /// With the bytes of its marker.
    Heredoc(usize, usize),
}

/// Something open.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) opened: Opened,
    /// First byte of what opened it.
    pub(crate) at: usize,
    /// First byte of the line it was opened on.
    pub(crate) line: usize,
    /// How much was open where that line started.
    outer: usize,
    /// Conditions (`?`) in it that wait for their `:`.
    choices: usize,
    /// In a string: a template in it that was closed on a later line.
    crossing: Option<usize>,
}

/// How much of a text a fault spoils.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spoilt {
    /// The line it stands on, if as much is open at its end as at its start.
    Line,
    /// All from the start of a line up to the start of another.
    Lines(usize, usize),
    /// No telling.
    All,
}

/// Something that does not fit. All places are byte offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A string that its line ends.
    String { open: usize, line_end: usize },
    /// `${` or `%{` without `}`.
    Template { open: usize, until: usize },
    /// A bracket that another kind of bracket closes.
    Bracket { open: usize, close: usize },
    /// A bracket that closes nothing.
    Stray { close: usize },
    /// A comment without end.
    Comment { open: usize },
    /// A heredoc without last line.
    Heredoc { open: usize, end: usize },
    /// A heredoc whose marker does not end its line.
    HeredocLine { open: usize, end: usize },
}

/// The scan. Tokens come from [`Lexer::token`]; what is open is in `frames`.
pub(crate) struct Lexer<'t> {
    pub(crate) text: &'t str,
    bytes: &'t [u8],
    pub(crate) at: usize,
    pub(crate) frames: Vec<Frame>,
    /// First byte of the current line.
    pub(crate) line: usize,
    /// The first thing that did not fit; whoever drives the scan takes it.
    pub(crate) fault: Option<(Fault, Spoilt)>,
    /// First byte after the last line end in code: a string or heredoc of several lines lies in one such line.
    pub(crate) code_line: usize,
    /// How much was open there.
    pub(crate) outer: usize,
    /// Levels of brackets, templates and waiting conditions.
    pub(crate) depth: usize,
    choices: usize,
    /// Where the last `*/` is (0: nowhere), once asked: so that a thousand unclosed comments do not read the file a thousand times.
    last_comment_end: Option<usize>,
    /// The last line of each marker, once asked; for the same reason.
    marker_lines: Option<HashMap<&'t str, usize>>,
}

impl<'t> Lexer<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let at = if text.starts_with('\u{feff}') { 3 } else { 0 };
        Self {
            text,
            bytes: text.as_bytes(),
            at,
            frames: Vec::new(),
            line: at,
            fault: None,
            code_line: at,
            outer: 0,
            depth: 0,
            choices: 0,
            last_comment_end: None,
            marker_lines: None,
        }
    }

    /// Forgets what is open and goes on at `at`, which starts a line.
    pub(crate) fn restart(&mut self, at: usize) {
        self.frames.clear();
        self.code_line = at;
        self.outer = 0;
        self.depth = 0;
        self.choices = 0;
        self.fault = None;
        self.at = at;
        self.line = at;
    }

    /// The next token.
    pub(crate) fn token(&mut self) -> Option<Token> {
        match self.frames.last().map(|frame| frame.opened) {
            Some(Opened::String) => self.in_string(),
            Some(Opened::Heredoc(from, to)) => self.in_heredoc(from, to),
            _ => self.in_code(),
        }
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    #[allow(clippy::unnecessary_wraps, reason = "every caller is a branch that may find no token")]
    fn take(&mut self, kind: Kind, length: usize) -> Option<Token> {
        let start = self.at;
        self.at = (self.at + length).min(self.bytes.len());
        Some(Token { kind, start, end: self.at })
    }

    fn push(&mut self, opened: Opened, at: usize) {
        if !matches!(opened, Opened::String | Opened::Heredoc(..)) {
            self.depth += 1;
        }
        self.frames.push(Frame { opened, at, line: self.line, outer: self.outer, choices: 0, crossing: None });
    }

    fn pop(&mut self) {
        if let Some(frame) = self.frames.pop() {
            self.depth -= frame.choices;
            if !matches!(frame.opened, Opened::String | Opened::Heredoc(..)) {
                self.depth -= 1;
            }
        }
    }

    fn fault(&mut self, fault: Fault, spoilt: Spoilt) {
        self.fault.get_or_insert((fault, spoilt));
    }

    fn in_code(&mut self) -> Option<Token> {
        while matches!(self.peek(0), b' ' | b'\t') {
            self.at += 1;
        }
        let first = *self.bytes.get(self.at)?;
        match first {
            b'\n' => self.line_break(1),
            b'\r' if self.peek(1) == b'\n' => self.line_break(2),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                let length = self.run(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
                self.take(Kind::Word, length)
            }
            b'0'..=b'9' => {
                let length = self.number_length();
                self.take(Kind::Number, length)
            }
            b'"' => {
                self.push(Opened::String, self.at);
                self.take(Kind::StringOpen, 1)
            }
            b'#' => self.line_comment(),
            b'/' if self.peek(1) == b'/' => self.line_comment(),
            b'/' if self.peek(1) == b'*' => self.block_comment(),
            b'<' if self.peek(1) == b'<' => self.heredoc_open(),
            b'(' | b'[' | b'{' => {
                let opened = match first {
                    b'(' => Opened::Paren,
                    b'[' => Opened::Bracket,
                    _ => Opened::Brace,
                };
                self.push(opened, self.at);
                self.take(Kind::Open, 1)
            }
            b')' => self.close(Opened::Paren),
            b']' => self.close(Opened::Bracket),
            b'}' => self.close(Opened::Brace),
            b'~' if self.peek(1) == b'}' && self.top() == Some(Opened::Template) => {
                self.pop();
                self.take(Kind::TemplateClose, 2)
            }
            _ => self.symbol(first),
        }
    }

    fn top(&self) -> Option<Opened> {
        self.frames.last().map(|frame| frame.opened)
    }

    fn symbol(&mut self, first: u8) -> Option<Token> {
        let second = self.peek(1);
        let length = match (first, second) {
            (b'=' | b'!' | b'<' | b'>', b'=') | (b'&', b'&') | (b'|', b'|') | (b'=', b'>') => 2,
            (b'.', b'.') if self.peek(2) == b'.' => 3,
            (b'=' | b'!' | b'<' | b'>' | b'+' | b'-' | b'*' | b'/' | b'%' | b'.', _) => 1,
            (b'?' | b':' | b',', _) => {
                self.choice(first);
                1
            }
            _ => {
                let character = self.text.get(self.at..).and_then(|rest| rest.chars().next());
                return self.take(Kind::Unknown, character.map_or(1, char::len_utf8));
            }
        };
        self.take(Kind::Symbol, length)
    }

    /// Counts conditions: their middle nests without a bracket.
    fn choice(&mut self, symbol: u8) {
        let choices = self.frames.last_mut().map_or(&mut self.choices, |frame| &mut frame.choices);
        match symbol {
            b'?' => {
                *choices += 1;
                self.depth += 1;
            }
            b':' if *choices > 0 => {
                *choices -= 1;
                self.depth -= 1;
            }
            b',' | b'\n' => {
                self.depth -= *choices;
                *choices = 0;
            }
            _ => {}
        }
    }

    fn run(&self, belongs: impl Fn(u8) -> bool) -> usize {
        self.bytes.get(self.at..).unwrap_or_default().iter().take_while(|byte| belongs(**byte)).count()
    }

    fn number_length(&self) -> usize {
        let mut length = 0;
        loop {
            let byte = self.peek(length);
            let next = self.peek(length + 1);
            let belongs = byte.is_ascii_alphanumeric()
                || byte == b'_'
                || (byte == b'.' && next.is_ascii_digit())
                || (matches!(byte, b'+' | b'-')
                    && length > 0
                    && matches!(self.peek(length - 1), b'e' | b'E')
                    && next.is_ascii_digit());
            if !belongs {
                return length;
            }
            length += 1;
        }
    }

    fn line_break(&mut self, length: usize) -> Option<Token> {
        if matches!(self.top(), None | Some(Opened::Brace)) {
            self.choice(b'\n');
        }
        let token = self.take(Kind::LineBreak, length);
        self.line = self.at;
        // the last line of a heredoc in code: a `${` before it was not closed
        if let Some((at, (from, to))) =
            self.frames.iter().enumerate().rev().find_map(|(at, frame)| match frame.opened {
                Opened::Heredoc(from, to) => Some((at, (from, to))),
                _ => None,
            })
            && self.at_marker(from, to).is_some()
            && let Some(open) = self.frames.get(at + 1).map(|frame| frame.at)
        {
            self.fault(Fault::Template { open, until: self.at }, Spoilt::All);
            while self.frames.len() > at + 1 {
                self.pop();
            }
        }
        self.code_line = self.at;
        self.outer = self.frames.len();
        token
    }

    fn line_comment(&mut self) -> Option<Token> {
        let mut length = self.run(|byte| byte != b'\n');
        if self.peek(length) == b'\n' && length > 0 && self.peek(length - 1) == b'\r' {
            length -= 1;
        }
        self.take(Kind::LineComment, length)
    }

    fn block_comment(&mut self) -> Option<Token> {
        let open = self.at;
        let text = self.text;
        let last = *self.last_comment_end.get_or_insert_with(|| text.rfind("*/").unwrap_or(0));
        if last >= open + 2
            && let Some(length) = text.get(open + 2..).and_then(|rest| rest.find("*/"))
        {
            let token = self.take(Kind::BlockComment, length + 4);
            if let Some(break_at) = text.get(open..self.at).and_then(|comment| comment.rfind('\n')) {
                self.line = open + break_at + 1;
            }
            return token;
        }
        self.fault(Fault::Comment { open }, Spoilt::All);
        self.take(Kind::BlockComment, text.len() - open)
    }

    fn close(&mut self, opened: Opened) -> Option<Token> {
        let close = self.at;
        let first_on_line = self.text.get(self.line..close).is_some_and(|before| before.trim_start().is_empty());
        // brackets are sought only as far as the string or heredoc that this stands in
        let fits =
            |frame: &Frame| frame.opened == opened || (frame.opened == Opened::Template && opened == Opened::Brace);
        let reach = self
            .frames
            .iter()
            .rposition(|frame| matches!(frame.opened, Opened::String | Opened::Heredoc(..)))
            .map_or(0, |at| at + 1);
        let found = self.frames.iter().skip(reach).rposition(fits).map(|at| reach + at);
        let Some(found) = found else {
            match self.frames.last().copied() {
                Some(inner)
                    if inner.line == self.line && self.frames.len() > reach && !self.closes_soon(inner.opened) =>
                {
                    self.fault(Fault::Bracket { open: inner.at, close }, Spoilt::Line);
                    self.pop();
                }
                _ => self.fault(Fault::Stray { close }, Spoilt::Line),
            }
            return self.take(Kind::Close, 1);
        };
        if let (Some(innermost), Some(next)) = (self.frames.last().copied(), self.frames.get(found + 1).copied()) {
            let fault = Fault::Bracket { open: innermost.at, close };
            let far = self.frames.get(found).is_some_and(|frame| frame.line != self.line);
            if far && !first_on_line && innermost.line == self.line && innermost.opened != Opened::Template {
                // `[1, 2)`: the wrong kind of bracket rather than one that is missing
                self.fault(fault, Spoilt::Line);
                self.pop();
                return self.take(Kind::Close, 1);
            }
            let whole_lines = first_on_line && next.outer == found + 1;
            self.fault(fault, if whole_lines { Spoilt::Lines(next.line, self.line) } else { Spoilt::All });
        }
        while self.frames.len() > found + 1 {
            self.pop();
        }
        let closed = self.frames.last().copied();
        self.pop();
        let template = closed.filter(|frame| frame.opened == Opened::Template);
        if let Some(template) = template
            && template.line != self.line
            && let Some(string) = self.frames.last_mut()
        {
            string.crossing = Some(template.at);
        }
        self.take(if template.is_some() { Kind::TemplateClose } else { Kind::Close }, 1)
    }

    /// Whether what is open seems to be closed a little further on this line: a guess for the wording of a fault.
    fn closes_soon(&self, opened: Opened) -> bool {
        let closing = match opened {
            Opened::Paren => b')',
            Opened::Bracket => b']',
            _ => b'}',
        };
        let rest = self.bytes.get(self.at + 1..).unwrap_or_default();
        rest.iter().take(80).take_while(|byte| **byte != b'\n').any(|byte| *byte == closing)
    }
}
