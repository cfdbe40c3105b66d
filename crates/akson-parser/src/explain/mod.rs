//! What is wrong with a text that the grammar refused, in the author's words: the tokens are walked to the first one
//! that may not stand where it stands. It accepts nothing and builds nothing; a text it finds no fault with gets a
//! general message. Items are here, what stands after `=` in `values`, lists and the like in `brackets`.

mod brackets;
mod values;
mod words;

use akson_diagnostics::{Code, Diagnostic, SafeText, Span};

use crate::codes::{EQUALS_EXPECTED, NOT_AN_ITEM, QUOTES, SEPARATOR, UNEXPECTED};
use crate::lexer::{Kind, Lexer, Token};

/// The first mistake, or none.
type Walked = Result<(), Box<Diagnostic>>;

/// Explains the item at `start..end` of a text, where the items of that line began at `line`.
pub(crate) fn item(
    text: &str,
    line: usize,
    start: usize,
    end: usize,
    span: impl Fn(usize, usize) -> Span,
) -> Diagnostic {
    let mut walk = Walk::new(text, line, end, &span);
    match walk.item() {
        Err(diagnostic) => *diagnostic,
        Ok(()) => Diagnostic::error(NOT_AN_ITEM, "this is neither an attribute nor a block")
            .at(span(start, end), "")
            .help("write `name = value` or `name { … }`"),
    }
}

/// Explains a text that is no expression. `None` if no fault is found with it.
pub(crate) fn expression(text: &str, span: impl Fn(usize, usize) -> Span) -> Option<Diagnostic> {
    let mut walk = Walk::new(text, 0, text.len(), &span);
    let walked = walk.value(false).and_then(|()| match walk.next(false) {
        Some(token) => walk.leftover(token, false),
        None => Ok(()),
    });
    walked.err().map(|diagnostic| *diagnostic)
}

/// Tokens without comments, and how far they are walked.
struct Walk<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    at: usize,
    /// Where the walk ends.
    end: usize,
    span: &'t dyn Fn(usize, usize) -> Span,
}

impl<'t> Walk<'t> {
    fn new(text: &'t str, start: usize, end: usize, span: &'t dyn Fn(usize, usize) -> Span) -> Self {
        let text = text.get(..end).unwrap_or(text);
        let mut lexer = Lexer::new(text);
        lexer.restart(start.max(lexer.at));
        let mut tokens = Vec::new();
        while let Some(token) = lexer.token() {
            if !matches!(token.kind, Kind::LineComment | Kind::BlockComment) {
                tokens.push(token);
            }
        }
        Self { text, tokens, at: 0, end, span }
    }

    /// The next token. If line ends are free they are passed over; else they are no token.
    fn next(&mut self, tight: bool) -> Option<Token> {
        while !tight && self.tokens.get(self.at).is_some_and(|token| token.kind == Kind::LineBreak) {
            self.at += 1;
        }
        self.tokens.get(self.at).copied().filter(|token| token.kind != Kind::LineBreak)
    }

    fn written(&self, token: Token) -> &'t str {
        self.text.get(token.start..token.end).unwrap_or_default()
    }

    /// Whether the next token is this symbol, bracket or word.
    fn sees(&mut self, tight: bool, written: &str) -> bool {
        self.next(tight).is_some_and(|token| self.written(token) == written && token.kind != Kind::Text)
    }

    /// The next token if it is this one; line ends are free.
    fn seen(&mut self, written: &str) -> Option<Token> {
        if self.sees(false, written) { self.next(false) } else { None }
    }

    /// Passes over the next token if it is this.
    fn passes(&mut self, tight: bool, written: &str) -> bool {
        let seen = self.sees(tight, written);
        self.at += usize::from(seen);
        seen
    }

    /// The token before the next one that is no line end.
    fn before(&self) -> Option<Token> {
        self.tokens.get(..self.at)?.iter().rev().find(|token| token.kind != Kind::LineBreak).copied()
    }

    fn token_span(&self, token: Token) -> Span {
        (self.span)(token.start, token.end)
    }

    /// A token as shown in a message: a string as its quote and a little of its text.
    fn shown(&self, token: Token) -> String {
        let end = match token.kind {
            Kind::StringOpen | Kind::HeredocOpen => self.closing_of(token),
            _ => token.end,
        };
        let text = self.text.get(token.start..end).unwrap_or_default();
        let first_line = text.lines().next().unwrap_or_default();
        let short: String = first_line.chars().take(30).collect();
        if short.len() < text.len() { format!("{}…", SafeText(&short)) } else { SafeText(&short).to_string() }
    }

    /// Where the string or heredoc that a token opens ends.
    fn closing_of(&self, open: Token) -> usize {
        let mut depth = 0_usize;
        for token in self.tokens.iter().filter(|token| token.start >= open.start) {
            match token.kind {
                Kind::StringOpen | Kind::HeredocOpen => depth += 1,
                Kind::StringClose | Kind::HeredocClose => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return token.end;
                    }
                }
                _ => {}
            }
        }
        open.end
    }

    /// The end of what was walked, for what is missing there.
    fn gap(&self) -> Span {
        let at = self.before().map_or(self.end, |token| token.end);
        (self.span)(at, at)
    }

    fn wrong<T>(
        &self,
        code: Code,
        message: impl Into<String>,
        token: Token,
        help: impl Into<String>,
    ) -> Result<T, Box<Diagnostic>> {
        Err(Box::new(Diagnostic::error(code, message).at(self.token_span(token), "").help(help)))
    }

    /// `name = value` or `name label* { … }` and what follows it on its line.
    fn item(&mut self) -> Walked {
        let Some(first) = self.next(false) else { return Ok(()) };
        self.at += 1;
        match first.kind {
            Kind::Word => {}
            Kind::StringOpen => {
                let end = self.closing_of(first);
                let name = self.text.get(first.end..end.saturating_sub(1)).unwrap_or_default();
                let span = (self.span)(first.start, end);
                return Err(Box::new(
                    Diagnostic::error(QUOTES, "the name of an attribute or block has no quotes")
                        .at(span, "")
                        .help(format!("write `{}`", SafeText(name)))
                        .suggest(span, name, "remove the quotes"),
                ));
            }
            _ => return self.no_name(first),
        }
        let Some(second) = self.next(true) else {
            let name = self.shown(first);
            return self.wrong(
                NOT_AN_ITEM,
                format!("`{name}` stands alone"),
                first,
                format!("write `{name} = value` or `{name} {{ … }}`"),
            );
        };
        match (second.kind, self.written(second)) {
            (Kind::Symbol, "=") => {
                self.at += 1;
                self.value(true)?;
                self.line_end()
            }
            (Kind::Symbol, ":" | "==" | "=>") | (Kind::Unknown, ":=") => self.equals(first, second),
            (Kind::Symbol, ".") => self.wrong(
                NOT_AN_ITEM,
                "the name of an attribute is one word",
                second,
                "write nested values as a block, `name { … }`, or as an object, `name = { … }`",
            ),
            (Kind::Word | Kind::StringOpen, _) | (Kind::Open, "{") => self.block(),
            (Kind::Unknown, _) => self.unknown(second),
            _ => {
                let name = self.shown(first);
                self.wrong(
                    NOT_AN_ITEM,
                    format!("expected `=` or `{{` after `{name}`"),
                    second,
                    format!("write `{name} = value` or `{name} {{ … }}`"),
                )
            }
        }
    }

    fn no_name(&mut self, first: Token) -> Walked {
        let shown = self.shown(first);
        match self.written(first) {
            "," | ";" => self.wrong(
                SEPARATOR,
                format!("`{shown}` separates nothing here"),
                first,
                "remove it: each attribute stands on its own line",
            ),
            operator if values::OPERATORS.contains(&operator) || matches!(operator, "?" | ":" | ".") => self.wrong(
                UNEXPECTED,
                format!("a line does not start with `{shown}`"),
                first,
                "an expression ends with its line; put it in parentheses to break it over several",
            ),
            "{" => self.wrong(NOT_AN_ITEM, "a `{` without a name before it", first, "write `name {` on one line"),
            _ if first.kind == Kind::Unknown => self.unknown(first),
            _ => self.wrong(
                NOT_AN_ITEM,
                format!("expected the name of an attribute or block, found `{shown}`"),
                first,
                "write `name = value` or `name { … }`",
            ),
        }
    }

    fn equals(&self, name: Token, found: Token) -> Walked {
        let (name, wrong) = (self.shown(name), self.shown(found));
        let span = self.token_span(found);
        Err(Box::new(
            Diagnostic::error(EQUALS_EXPECTED, format!("`{name}` is set with `=`, not with `{wrong}`"))
                .at(span, "")
                .help(format!("write `{name} = …`"))
                .suggest(span, if wrong == ":" { " =" } else { "=" }, "use `=`"),
        ))
    }

    /// The rest of a block whose first word is passed.
    fn block(&mut self) -> Walked {
        while let Some(token) = self.next(true) {
            match (token.kind, self.written(token)) {
                (Kind::Open, "{") => {
                    self.skip_bracket();
                    return self.line_end();
                }
                (Kind::Word, _) => self.at += 1,
                (Kind::StringOpen, _) => {
                    self.at += 1;
                    self.template_text()?;
                }
                (Kind::Symbol, "=") => {
                    return self.wrong(
                        NOT_AN_ITEM,
                        "a label cannot stand before `=`",
                        token,
                        "write a block without `=`, `name \"label\" { … }`, or an attribute without a label, `name = …`",
                    );
                }
                (Kind::Unknown, _) => return self.unknown(token),
                _ => {
                    let shown = self.shown(token);
                    return self.wrong(
                        NOT_AN_ITEM,
                        format!("expected `{{` or a label, found `{shown}`"),
                        token,
                        "write `name \"label\" {`",
                    );
                }
            }
        }
        Err(Box::new(
            Diagnostic::error(NOT_AN_ITEM, "this block has no `{`")
                .at(self.gap(), "`{` is expected here")
                .help("write `name \"label\" {` on one line, then its attributes, then `}`"),
        ))
    }

    /// Passes over a bracket and all in it.
    fn skip_bracket(&mut self) {
        let mut depth = 0_usize;
        while let Some(token) = self.tokens.get(self.at) {
            self.at += 1;
            match token.kind {
                Kind::Open | Kind::TemplateOpen => depth += 1,
                Kind::Close | Kind::TemplateClose => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return;
                    }
                }
                _ => {}
            }
        }
    }

    /// The line of an item ends here, or something is too much.
    fn line_end(&mut self) -> Walked {
        match self.next(true) {
            Some(token) => self.leftover(token, true),
            None => Ok(()),
        }
    }

    /// Something stands after a whole value.
    fn leftover(&mut self, token: Token, tight: bool) -> Walked {
        let shown = self.shown(token);
        let before = match self.before() {
            Some(token) if matches!(token.kind, Kind::StringClose | Kind::HeredocClose) => "a string".to_owned(),
            Some(token) => format!("`{}`", self.shown(token)),
            None => "this".to_owned(),
        };
        let unexpected =
            |help: &str| self.wrong(UNEXPECTED, format!("unexpected `{shown}` after {before}"), token, help);
        match (token.kind, self.written(token)) {
            (Kind::Symbol | Kind::Unknown, "," | ";") if tight => Err(Box::new(
                Diagnostic::error(SEPARATOR, format!("an attribute ends with its line, not with `{shown}`"))
                    .at(self.token_span(token), "")
                    .help("remove it")
                    .suggest(self.token_span(token), "", "remove it"),
            )),
            (Kind::Symbol, "=") => unexpected("one value is set at a time; `==` compares"),
            (Kind::Symbol, "...") => unexpected("`...` stands only in a `for` expression that makes an object"),
            (Kind::Unknown, _) => self.unknown(token),
            (Kind::Word, "if") => unexpected("write `condition ? value : other`"),
            _ if before == "`if`" => unexpected("write `condition ? value : other`"),
            _ if before == "`not`" => unexpected("write `!` for not"),
            (Kind::Word, "and") => unexpected("write `&&` for and"),
            (Kind::Word, "or") => unexpected("write `||` for or"),
            (Kind::Word, "in" | "not") => unexpected("write `contains(list, value)`"),
            (Kind::Word | Kind::Number | Kind::StringOpen, _) if tight => {
                unexpected("text is written in quotes, and each attribute on its own line")
            }
            (Kind::Open, "{") => unexpected("a block is written without `=`: `name { … }`"),
            _ => unexpected("an operator is expected here, or the end of the value"),
        }
    }
}
