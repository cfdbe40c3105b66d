//! The first mistake in lists, objects, arguments and `for` expressions.

use akson_diagnostics::Diagnostic;

use super::{Walk, Walked};
use crate::codes::{BAD_FOR, EQUALS_EXPECTED, SEPARATOR, UNEXPECTED};
use crate::lexer::{Kind, Token};

impl Walk<'_> {
    /// A list whose `[` is passed.
    pub(super) fn list(&mut self) -> Walked {
        if self.starts_for() {
            return self.for_expression(false);
        }
        loop {
            if self.passes(false, "]") {
                return Ok(());
            }
            self.value(false)?;
            if let Some(token) = ["=", ":", "=>"].into_iter().find_map(|symbol| self.seen(symbol)) {
                return self.wrong(
                    UNEXPECTED,
                    "elements of a list have no names",
                    token,
                    "write an object, `{ name = value }`",
                );
            }
            self.comma("]", "elements")?;
        }
    }

    /// Arguments whose `(` is passed.
    pub(super) fn arguments(&mut self) -> Walked {
        loop {
            if self.passes(false, ")") {
                return Ok(());
            }
            if let Some(name) = self.next(false).filter(|token| token.kind == Kind::Word) {
                self.at += 1;
                if let Some(colon) = self.seen(":") {
                    return self.equals(name, colon);
                }
                if !self.passes(false, "=") {
                    self.at -= 1;
                }
            }
            self.value(false)?;
            if let Some(token) = self.seen("...") {
                return self.wrong(
                    UNEXPECTED,
                    "a list is not spread into arguments",
                    token,
                    "give the list itself, or each argument",
                );
            }
            self.comma(")", "arguments")?;
        }
    }

    /// `,` between two values, or the closing bracket, which is left.
    fn comma(&mut self, bracket: &str, what: &str) -> Walked {
        if self.passes(false, ",") || self.sees(false, bracket) {
            return Ok(());
        }
        let Some(token) = self.next(false) else { return Ok(()) };
        if token.kind == Kind::Unknown && self.written(token) != ";" {
            return self.unknown(token);
        }
        let shown = self.shown(token);
        let gap = self.gap();
        Err(Box::new(
            Diagnostic::error(SEPARATOR, format!("missing `,` before `{shown}`"))
                .at(self.token_span(token), format!("`,` or `{bracket}` is expected before this"))
                .help(format!("{what} are separated by `,`"))
                .suggest(gap, ",", "write a comma"),
        ))
    }

    /// An object whose `{` is passed.
    pub(super) fn object(&mut self) -> Walked {
        if self.starts_for() {
            return self.for_expression(true);
        }
        loop {
            if self.passes(false, "}") {
                return Ok(());
            }
            let Some(key) = self.next(false) else { return Ok(()) };
            self.at += 1;
            match (key.kind, self.written(key)) {
                (Kind::Word | Kind::Number, _) => {}
                (Kind::StringOpen, _) => self.template_text()?,
                (Kind::Open, "(") => {
                    self.value(false)?;
                    self.closing(")", "or an operator")?;
                }
                (Kind::Unknown, _) => return self.unknown(key),
                (_, ",") => return self.wrong(SEPARATOR, "a `,` too many", key, "remove it"),
                _ => {
                    let shown = self.shown(key);
                    return self.wrong(
                        UNEXPECTED,
                        format!("expected a key, found `{shown}`"),
                        key,
                        "write `key = value`",
                    );
                }
            }
            self.key_end(key)?;
            self.value(true)?;
            self.pair_end()?;
        }
    }

    /// `=` after a key.
    fn key_end(&mut self, key: Token) -> Walked {
        if self.passes(true, "=") {
            return Ok(());
        }
        let Some(token) = self.next(true) else {
            let shown = self.shown(key);
            return Err(Box::new(
                Diagnostic::error(EQUALS_EXPECTED, format!("`{shown}` has no value"))
                    .at(self.gap(), "`=` is expected here")
                    .help(format!("write `{shown} = value`")),
            ));
        };
        match (token.kind, self.written(token)) {
            (Kind::Symbol, ":" | "==" | "=>") => self.equals(key, token),
            (Kind::Open, "{") => {
                let shown = self.shown(key);
                self.wrong(
                    EQUALS_EXPECTED,
                    "inside an object there are no blocks",
                    token,
                    format!("write `{shown} = {{ … }}`"),
                )
            }
            (Kind::Unknown, _) => self.unknown(token),
            _ => {
                let shown = self.shown(token);
                self.wrong(
                    EQUALS_EXPECTED,
                    format!("expected `=` after the key, found `{shown}`"),
                    token,
                    "write `key = value`; a key that is computed stands in parentheses",
                )
            }
        }
    }

    /// The end of a line or `,` after a pair, or the closing bracket, which is left.
    fn pair_end(&mut self) -> Walked {
        let Some(token) = self.next(true) else { return Ok(()) };
        match (token.kind, self.written(token)) {
            (Kind::Symbol, ",") => {
                self.at += 1;
                Ok(())
            }
            (Kind::Close, "}") => Ok(()),
            (Kind::Unknown, written) if written != ";" => self.unknown(token),
            _ => {
                let shown = self.shown(token);
                let gap = self.gap();
                Err(Box::new(
                    Diagnostic::error(SEPARATOR, format!("missing `,` before `{shown}`"))
                        .at(self.token_span(token), "`,`, a new line or `}` is expected before this")
                        .help("pairs of an object are separated by `,` or by new lines")
                        .suggest(gap, ",", "write a comma"),
                ))
            }
        }
    }

    fn starts_for(&mut self) -> bool {
        if !self.sees(false, "for") {
            return false;
        }
        let rest = self.tokens.get(self.at + 1..).unwrap_or_default();
        rest.iter()
            .find(|token| token.kind != Kind::LineBreak)
            .is_some_and(|token| matches!(token.kind, Kind::Word | Kind::Number | Kind::StringOpen))
    }

    /// `for` and all up to its closing bracket.
    fn for_expression(&mut self, object: bool) -> Walked {
        self.at += 1;
        let form =
            if object { "{ for key, value in values : key => value }" } else { "[ for value in values : value ]" };
        self.for_names()?;
        self.value(false)?;
        self.for_symbol(":", form)?;
        self.value(false)?;
        if object {
            self.for_symbol("=>", form)?;
            self.value(false)?;
            self.passes(false, "...");
        } else if let Some(token) = self.seen("=>") {
            return self.wrong(
                BAD_FOR,
                "a `for` in `[ ]` makes values without keys",
                token,
                "write it in `{ }` to make an object",
            );
        }
        if self.passes(false, "if") {
            self.value(false)?;
        }
        if self.passes(false, if object { "}" } else { "]" }) {
            return Ok(());
        }
        let Some(token) = self.next(false) else { return Ok(()) };
        if token.kind == Kind::Unknown {
            return self.unknown(token);
        }
        let shown = self.shown(token);
        self.wrong(
            BAD_FOR,
            format!("unexpected `{shown}` in a `for` expression"),
            token,
            format!("write `{form}`, with `if condition` at its end if wanted"),
        )
    }

    fn for_symbol(&mut self, symbol: &str, form: &str) -> Walked {
        if self.passes(false, symbol) {
            return Ok(());
        }
        let Some(token) = self.next(false) else { return Ok(()) };
        if token.kind == Kind::Unknown {
            return self.unknown(token);
        }
        let shown = self.shown(token);
        self.wrong(
            BAD_FOR,
            format!("expected `{symbol}` in a `for` expression, found `{shown}`"),
            token,
            format!("write `{form}`"),
        )
    }

    /// `value in` or `key, value in`.
    pub(super) fn for_names(&mut self) -> Walked {
        for (at, separator) in [(0, ","), (1, "in")] {
            let Some(name) = self.next(false) else { return Ok(()) };
            if name.kind != Kind::Word {
                let shown = self.shown(name);
                return self.wrong(
                    BAD_FOR,
                    format!("expected a name after `for`, found `{shown}`"),
                    name,
                    "write `for value in values` or `for key, value in values`",
                );
            }
            self.at += 1;
            if at == 0 && self.passes(false, "in") {
                return Ok(());
            }
            if !self.passes(false, separator) {
                let Some(token) = self.next(false) else { return Ok(()) };
                let shown = self.shown(token);
                return self.wrong(
                    BAD_FOR,
                    format!("expected `in`, found `{shown}`"),
                    token,
                    "write `for value in values` or `for key, value in values`",
                );
            }
        }
        Ok(())
    }
}
