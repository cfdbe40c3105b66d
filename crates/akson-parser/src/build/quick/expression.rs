//! Expressions, straight from bytes. What they mean for the order of operators is `operators`' own: the same run is filled.

use super::{Quick, continues_word, starts_word};
use crate::ast::{Argument, Expr, ExprKind, For, Name, ObjectKey, TemplatePart, UnaryOp};
use crate::build::{
    Built,
    operators::{Run, Waiting, binary, binding},
};
use crate::limits::MAX_HEIGHT;

impl Quick<'_> {
    /// An expression, which ends with its line if it is `tight`. What follows it is not passed, not even blanks.
    pub(super) fn expression(&mut self, tight: bool) -> Built {
        let (waiting, (operand, height)) = self.prefixed(tight)?;
        // Most are one operand.
        if waiting.is_empty() {
            let end = self.at;
            self.skip(tight);
            let more = matches!(self.peek(0), b'.' | b'[' | b'?') || self.infix_length() > 0;
            self.at = end;
            if !more {
                return Some((operand, height));
            }
        }
        let mut run = Run { waiting, ..Run::default() };
        run.push(operand, height);
        loop {
            let end = self.at;
            self.skip(tight);
            match self.peek(0) {
                b'.' if starts_word(self.peek(1)) => {
                    let dot = self.at;
                    self.at += 1;
                    let name = self.name()?;
                    let (base, height) = run.operands.pop()?;
                    let span = base.span.to(self.span(dot, self.at));
                    run.push(Expr { span, kind: ExprKind::Field(Box::new(base), name) }, height + 1);
                    let end = self.at;
                    self.line_gap();
                    if self.peek(0) == b'(' {
                        self.call(&mut run)?;
                    } else {
                        self.at = end;
                    }
                }
                b'[' => {
                    let open = self.at;
                    self.at += 1;
                    self.gap();
                    let (index, index_height) = self.expression(false)?;
                    self.gap();
                    self.expect(b']')?;
                    let (base, height) = run.operands.pop()?;
                    let span = base.span.to(self.span(open, self.at));
                    let kind = ExprKind::Index(Box::new(base), Box::new(index));
                    run.push(Expr { span, kind }, height.max(index_height) + 1);
                }
                b'?' => {
                    self.at += 1;
                    self.skip(tight);
                    run.reduce(1)?;
                    let (yes, height) = self.expression(tight)?;
                    self.skip(tight);
                    self.expect(b':')?;
                    run.waiting.push(Waiting::Choice(yes, height));
                    self.next_operand(tight, &mut run)?;
                }
                _ => {
                    let length = self.infix_length();
                    if length == 0 {
                        self.at = end;
                        break;
                    }
                    let operator = binary(self.slice(self.at, self.at + length))?;
                    self.at += length;
                    run.reduce(binding(operator))?;
                    run.waiting.push(Waiting::Binary(operator));
                    self.next_operand(tight, &mut run)?;
                }
            }
            if run.highest > MAX_HEIGHT {
                return None;
            }
        }
        run.reduce(0)?;
        if run.highest > MAX_HEIGHT { None } else { run.operands.pop() }
    }

    fn next_operand(&mut self, tight: bool, run: &mut Run) -> Option<()> {
        self.skip(tight);
        let (waiting, (operand, height)) = self.prefixed(tight)?;
        run.waiting.extend(waiting);
        run.push(operand, height);
        Some(())
    }

    /// An operand with the signs before it.
    fn prefixed(&mut self, tight: bool) -> Option<(Vec<Waiting>, (Expr, usize))> {
        let mut waiting = Vec::new();
        loop {
            let operator = match self.peek(0) {
                b'!' => UnaryOp::Not,
                b'-' => UnaryOp::Negate,
                _ => return Some((waiting, self.operand()?)),
            };
            waiting.push(Waiting::Unary(operator, self.span(self.at, self.at + 1)));
            self.at += 1;
            self.skip(tight);
        }
    }

    /// How long the operator between two operands is that stands here; 0 if there is none.
    fn infix_length(&self) -> usize {
        match (self.peek(0), self.peek(1)) {
            (b'=' | b'!' | b'<' | b'>', b'=') | (b'&', b'&') | (b'|', b'|') => 2,
            (b'<', next) => usize::from(next != b'<'),
            (b'/', next) => usize::from(next != b'/'),
            (b'>' | b'+' | b'-' | b'*' | b'%', _) => 1,
            _ => 0,
        }
    }

    fn operand(&mut self) -> Built {
        let start = self.at;
        let (kind, height) = match self.peek(0) {
            b'"' => match self.plain_length() {
                Some(_) => {
                    let text = self.plain()?;
                    let parts = if text.is_empty() { Vec::new() } else { vec![TemplatePart::Literal(text.to_owned())] };
                    (ExprKind::Template(parts), 1)
                }
                None => return self.string(),
            },
            b'0'..=b'9' => (ExprKind::Number(self.number()?.to_owned()), 1),
            b'[' => self.list()?,
            b'{' => self.object()?,
            b'(' => {
                self.at += 1;
                self.gap();
                let (inner, height) = self.expression(false)?;
                self.gap();
                self.expect(b')')?;
                (ExprKind::Parens(Box::new(inner)), height + 1)
            }
            b'<' if self.peek(1) == b'<' => return self.heredoc(),
            _ => return self.word_or_call(),
        };
        Some((Expr { span: self.span(start, self.at), kind }, height))
    }

    fn word_or_call(&mut self) -> Built {
        let start = self.at;
        let word = self.word()?;
        let span = self.span(start, self.at);
        let kind = match word {
            "true" => ExprKind::Bool(true),
            "false" => ExprKind::Bool(false),
            "none" => ExprKind::None,
            "default" => ExprKind::Default,
            _ => ExprKind::Word(Name { text: word.to_owned(), span }),
        };
        let expr = Expr { span, kind };
        let end = self.at;
        self.line_gap();
        if self.peek(0) != b'(' {
            self.at = end;
            return Some((expr, 1));
        }
        let mut run = Run::default();
        run.push(expr, 1);
        self.call(&mut run)?;
        run.operands.pop()
    }

    /// The arguments of the last operand, which becomes a call.
    fn call(&mut self, run: &mut Run) -> Option<()> {
        let open = self.at;
        let (arguments, arguments_height) = self.arguments()?;
        let (callee, height) = run.operands.pop()?;
        let span = callee.span.to(self.span(open, self.at));
        let kind = match callee.kind {
            ExprKind::Field(base, name) => ExprKind::Method(base, Box::new(name), arguments),
            ExprKind::Word(name) => ExprKind::Call(Box::new(name), arguments),
            // A keyword: rare, and pest's to read.
            _ => return None,
        };
        run.push(Expr { span, kind }, height.max(arguments_height + 1));
        Some(())
    }

    fn arguments(&mut self) -> Option<(Vec<Argument>, usize)> {
        self.expect(b'(')?;
        self.gap();
        let mut arguments = Vec::new();
        let mut highest = 0;
        while !self.passes(b')') {
            let start = self.at;
            let mut name = self.name();
            if name.is_some() {
                self.gap();
                if self.sees_equals() {
                    self.at += 1;
                    self.gap();
                } else {
                    self.at = start;
                    name = None;
                }
            }
            let (value, height) = self.expression(false)?;
            highest = highest.max(height);
            arguments.push(Argument { name, value });
            self.gap();
            if self.passes(b',') {
                self.gap();
            } else if self.peek(0) != b')' {
                return None;
            }
        }
        arguments.shrink_to_fit();
        Some((arguments, highest))
    }

    fn number(&mut self) -> Option<&str> {
        let start = self.at;
        self.digits();
        if self.peek(0) == b'.' && self.peek(1).is_ascii_digit() {
            self.at += 1;
            self.digits();
        }
        if matches!(self.peek(0), b'e' | b'E') {
            let sign = usize::from(matches!(self.peek(1), b'+' | b'-'));
            if self.peek(1 + sign).is_ascii_digit() {
                self.at += 1 + sign;
                self.digits();
            }
        }
        if starts_word(self.peek(0)) { None } else { Some(self.slice(start, self.at)) }
    }

    fn digits(&mut self) {
        while self.peek(0).is_ascii_digit() {
            self.at += 1;
        }
    }

    fn list(&mut self) -> Option<(ExprKind, usize)> {
        self.expect(b'[')?;
        self.gap();
        if let Some(names) = self.for_names() {
            let (mut walk, mut highest) = self.for_collection(names)?;
            self.gap();
            (walk.result, highest) = higher(self.expression(false)?, highest);
            self.gap();
            (walk.condition, highest) = self.for_condition(highest)?;
            self.expect(b']')?;
            return Some((ExprKind::For(Box::new(walk)), highest + 1));
        }
        let mut values = Vec::new();
        let mut highest = 0;
        while !self.passes(b']') {
            let (value, height) = self.expression(false)?;
            highest = highest.max(height);
            values.push(value);
            self.gap();
            if self.passes(b',') {
                self.gap();
            } else if self.peek(0) != b']' {
                return None;
            }
        }
        values.shrink_to_fit();
        Some((ExprKind::List(values), highest + 1))
    }

    fn object(&mut self) -> Option<(ExprKind, usize)> {
        self.expect(b'{')?;
        self.gap();
        if let Some(names) = self.for_names() {
            let (mut walk, mut highest) = self.for_collection(names)?;
            self.gap();
            let key;
            (key, highest) = higher(self.expression(false)?, highest);
            walk.result_key = Some(key);
            self.gap();
            if !self.sees(b"=>") {
                return None;
            }
            self.at += 2;
            self.gap();
            (walk.result, highest) = higher(self.expression(false)?, highest);
            self.gap();
            if self.sees(b"...") {
                walk.group = true;
                self.at += 3;
                self.gap();
            }
            (walk.condition, highest) = self.for_condition(highest)?;
            self.expect(b'}')?;
            return Some((ExprKind::For(Box::new(walk)), highest + 1));
        }
        let mut pairs = Vec::new();
        let mut highest = 0;
        while !self.passes(b'}') {
            let (key, key_height) = match self.name() {
                Some(name) => (ObjectKey::Name(name), 1),
                None if matches!(self.peek(0), b'"' | b'(' | b'0'..=b'9') => {
                    let (key, height) = self.operand()?;
                    (ObjectKey::Expr(key), height)
                }
                None => return None,
            };
            self.line_gap();
            if !self.sees_equals() {
                return None;
            }
            self.at += 1;
            self.line_gap();
            let (value, height) = self.expression(true)?;
            highest = highest.max(height).max(key_height);
            pairs.push((key, value));
            self.line_gap();
            if self.passes(b',') {
                self.gap();
            } else if self.peek(0) != b'}' && !self.gap() {
                return None;
            }
        }
        pairs.shrink_to_fit();
        Some((ExprKind::Object(pairs), highest + 1))
    }

    /// `for value in` or `for key, value in`. If it is something else, nothing is passed.
    pub(super) fn for_names(&mut self) -> Option<(Option<Name>, Name)> {
        let start = self.at;
        let names = self.for_names_from();
        if names.is_none() {
            self.at = start;
        }
        names
    }

    fn for_names_from(&mut self) -> Option<(Option<Name>, Name)> {
        if !self.passes_word("for") {
            return None;
        }
        self.gap();
        let first = self.name()?;
        self.gap();
        let names = if self.passes(b',') {
            self.gap();
            let second = self.name()?;
            self.gap();
            (Some(first), second)
        } else {
            (None, first)
        };
        if !self.passes_word("in") {
            return None;
        }
        self.gap();
        Some(names)
    }

    /// The collection up to and with `:`. What comes of each is not yet known: the collection holds its place.
    fn for_collection(&mut self, (key, value): (Option<Name>, Name)) -> Option<(For, usize)> {
        let (collection, height) = self.expression(false)?;
        self.gap();
        self.expect(b':')?;
        let result = Expr { span: collection.span, kind: ExprKind::None };
        Some((For { key, value, collection, result_key: None, result, condition: None, group: false }, height))
    }

    fn for_condition(&mut self, highest: usize) -> Option<(Option<Expr>, usize)> {
        if !self.sees(b"if") || continues_word(self.peek(2)) {
            return Some((None, highest));
        }
        self.at += 2;
        self.gap();
        let (condition, highest) = higher(self.expression(false)?, highest);
        self.gap();
        Some((Some(condition), highest))
    }
}

fn higher((expr, height): (Expr, usize), highest: usize) -> (Expr, usize) {
    (expr, highest.max(height))
}
