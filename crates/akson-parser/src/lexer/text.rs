//! The scan inside strings and heredocs. Not what their text means: see `build::template`.

use std::collections::HashMap;

use super::{Fault, Kind, Lexer, Opened, Spoilt, Token};

impl Lexer<'_> {
    pub(super) fn in_string(&mut self) -> Option<Token> {
        match self.peek(0) {
            b'"' => {
                self.pop();
                return self.take(Kind::StringClose, 1);
            }
            b'\n' => return self.broken_string(),
            b'\r' if self.peek(1) == b'\n' => return self.broken_string(),
            b'$' | b'%' if self.peek(1) == b'{' => return self.template_open(),
            _ if self.at >= self.bytes.len() => return self.broken_string(),
            _ => {}
        }
        let start = self.at;
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b'\\' if self.peek(1) != b'\n' && self.peek(1) != b'\r' => self.at += 2,
                b'"' | b'\n' => break,
                b'\r' if self.peek(1) == b'\n' => break,
                b'$' | b'%' if self.peek(1) == *byte && self.peek(2) == b'{' => self.at += 3,
                b'$' | b'%' if self.peek(1) == b'{' => break,
                _ => self.at += 1,
            }
        }
        self.at = self.at.min(self.bytes.len());
        Some(Token { kind: Kind::Text, start, end: self.at })
    }

    /// A line end in a string: all that was opened since the outermost string of this line is closed here.
    fn broken_string(&mut self) -> Option<Token> {
        let innermost = self.frames.len() - 1;
        let outermost = (0..innermost)
            .rev()
            .take_while(|at| {
                self.frames
                    .get(*at)
                    .is_some_and(|frame| frame.line == self.line && !matches!(frame.opened, Opened::Heredoc(..)))
            })
            .filter(|at| self.frames.get(*at).is_some_and(|frame| frame.opened == Opened::String))
            .last()
            .unwrap_or(innermost);
        let line_end = self.at;
        let string = self.frames.get(outermost).copied();
        let open = string.map_or(self.at, |frame| frame.at);
        // `"${name"`: the second quote is inside the template
        let inside = self.frames.get(outermost + 1).map(|template| template.at);
        match (inside, string.and_then(|frame| frame.crossing)) {
            (Some(open), _) => self.fault(Fault::Template { open, until: line_end }, Spoilt::Line),
            // `"${name`, and a `}` on a later line closed that
            (None, Some(open)) => {
                let until =
                    self.text.get(open..).and_then(|rest| rest.find('\n')).map_or(line_end, |length| open + length);
                self.fault(Fault::Template { open, until }, Spoilt::All);
            }
            (None, None) => self.fault(Fault::String { open, line_end }, Spoilt::Line),
        }
        while self.frames.len() > outermost {
            self.pop();
        }
        self.take(Kind::StringClose, 0)
    }

    fn template_open(&mut self) -> Option<Token> {
        self.push(Opened::Template, self.at);
        // in `${~}` the mark belongs to the end
        let length = if self.peek(2) == b'~' && self.peek(3) != b'}' { 3 } else { 2 };
        self.take(Kind::TemplateOpen, length)
    }

    pub(super) fn heredoc_open(&mut self) -> Option<Token> {
        let open = self.at;
        let from = open + if self.peek(2) == b'-' { 3 } else { 2 };
        let mut to = from;
        if self.bytes.get(from).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_') {
            while self.bytes.get(to).is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')) {
                to += 1;
            }
        }
        let mut end = to;
        while self.bytes.get(end).is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
            end += 1;
        }
        let rest = self.text.get(end..).unwrap_or_default();
        let line_break = if rest.starts_with('\n') { 1 } else { 2 };
        if from == to || !(rest.starts_with('\n') || rest.starts_with("\r\n") || rest.is_empty()) {
            // Without a marker it may be meant as an operator; with one, or with nothing more on the line, text follows.
            let line = rest.split('\n').next().unwrap_or_default().trim_end();
            let text_follows = from != to || line.is_empty() || line.starts_with(['"', '\'']);
            self.fault(Fault::HeredocLine { open, end: to }, if text_follows { Spoilt::All } else { Spoilt::Line });
            return self.take(Kind::Symbol, to - open);
        }
        let (text, marker) = (self.text, self.text.get(from..to).unwrap_or_default());
        let lines = self.marker_lines.get_or_insert_with(|| marker_lines(text));
        if rest.is_empty() || lines.get(marker).is_none_or(|last| *last < end) {
            self.fault(Fault::Heredoc { open, end: to }, Spoilt::All);
            return self.take(Kind::Symbol, to - open);
        }
        self.push(Opened::Heredoc(from, to), open);
        let token = self.take(Kind::HeredocOpen, end + line_break - open);
        self.line = self.at;
        token
    }

    pub(super) fn in_heredoc(&mut self, from: usize, to: usize) -> Option<Token> {
        if self.at >= self.bytes.len() {
            return None;
        }
        if self.at == self.line
            && let Some(end) = self.at_marker(from, to)
        {
            self.pop();
            return self.take(Kind::HeredocClose, end - self.at);
        }
        let start = self.at;
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b'\n' => {
                    self.at += 1;
                    self.line = self.at;
                    if self.at_marker(from, to).is_some() {
                        break;
                    }
                }
                b'$' | b'%' if self.peek(1) == *byte && self.peek(2) == b'{' => self.at += 3,
                b'$' | b'%' if self.peek(1) == b'{' => {
                    if start == self.at {
                        return self.template_open();
                    }
                    break;
                }
                _ => self.at += 1,
            }
        }
        Some(Token { kind: Kind::Text, start, end: self.at })
    }

    /// Whether the line that starts here holds the marker alone; then, where the marker ends.
    pub(super) fn at_marker(&self, from: usize, to: usize) -> Option<usize> {
        let marker = self.bytes.get(from..to)?;
        let rest = self.bytes.get(self.at..)?;
        let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let after = rest.get(blanks..)?.strip_prefix(marker)?;
        let blanks_after = after.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let after = after.get(blanks_after..)?;
        let alone = after.is_empty() || after.starts_with(b"\n") || after.starts_with(b"\r\n");
        alone.then_some(self.at + blanks + marker.len())
    }
}

/// Lines that hold one word alone, each with where the last such line starts.
fn marker_lines(text: &str) -> HashMap<&str, usize> {
    let mut lines = HashMap::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let word = line.trim_matches([' ', '\t', '\r', '\n']);
        let marker = word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        if marker && !word.is_empty() {
            lines.insert(word, at);
        }
        at += line.len();
    }
    lines
}
