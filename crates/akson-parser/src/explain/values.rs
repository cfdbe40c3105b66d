//! The first mistake in an expression: operands, operators, what follows an operand, templates.

use akson_diagnostics::Diagnostic;

use super::{Walk, Walked};
use crate::codes::{BAD_DIRECTIVE, BAD_NUMBER, SPLAT, UNEXPECTED, VALUE_EXPECTED};
use crate::lexer::{Kind, Token};

pub(super) const OPERATORS: [&str; 13] = ["==", "!=", "&&", "||", "<=", ">=", "<", ">", "+", "-", "*", "/", "%"];

impl Walk<'_> {
    /// A whole expression; `tight` if it ends with its line.
    pub(super) fn value(&mut self, tight: bool) -> Walked {
        loop {
            while self.passes(tight, "!") || self.passes(tight, "-") {}
            self.operand(tight)?;
            self.postfix(tight)?;
            let Some(token) = self.next(tight) else { return Ok(()) };
            let written = self.written(token);
            if token.kind == Kind::Symbol && OPERATORS.contains(&written) {
                self.at += 1;
                continue;
            }
            if token.kind == Kind::Symbol && written == "?" {
                self.at += 1;
                self.value(tight)?;
                if !self.passes(tight, ":") {
                    return Err(Box::new(
                        Diagnostic::error(UNEXPECTED, "a condition needs a value for the other case")
                            .at(self.gap(), "`:` is expected here")
                            .also(self.token_span(token), "of this condition")
                            .help("write `condition ? value : other`"),
                    ));
                }
                continue;
            }
            return Ok(());
        }
    }

    fn operand(&mut self, tight: bool) -> Walked {
        let Some(token) = self.next(tight) else { return self.value_expected(tight) };
        self.at += 1;
        match (token.kind, self.written(token)) {
            (Kind::Word, _) => self.call(),
            (Kind::Number, written) => self.number(token, written),
            (Kind::StringOpen | Kind::HeredocOpen, _) => self.template_text(),
            (Kind::Open, "(") => {
                self.value(false)?;
                self.closing(")", "or an operator")
            }
            (Kind::Open, "[") => self.list(),
            (Kind::Open, _) => self.object(),
            (Kind::Symbol, ".")
                if self.next(tight).is_some_and(|next| next.kind == Kind::Number && next.start == token.end) =>
            {
                self.wrong(BAD_NUMBER, "a number does not start with `.`", token, "write a digit before it: `0.5`")
            }
            (Kind::Symbol, "+") => self.wrong(BAD_NUMBER, "there is no sign `+`", token, "remove it"),
            (Kind::Unknown, _) => self.unknown(token),
            _ => {
                self.at -= 1;
                self.value_expected(tight)
            }
        }
    }

    /// Nothing stands where a value should.
    pub(super) fn value_expected(&mut self, tight: bool) -> Walked {
        let after = match self.before() {
            Some(token) if matches!(token.kind, Kind::StringClose | Kind::HeredocClose) => String::new(),
            Some(token) => format!(" after `{}`", self.shown(token)),
            None => String::new(),
        };
        let next = self.next(tight);
        let diagnostic = Diagnostic::error(VALUE_EXPECTED, format!("expected a value{after}"));
        let diagnostic = match next {
            Some(token) => diagnostic.at(self.token_span(token), "found this instead"),
            None => diagnostic.at(self.gap(), "nothing follows"),
        };
        let operator =
            self.before().is_some_and(|token| OPERATORS.contains(&self.written(token)) || self.written(token) == "?");
        let adjacent = (self.before().map(|token| self.written(token)), next.map(|token| self.written(token)));
        Err(Box::new(if let Some(help) = elsewhere(adjacent) {
            diagnostic.help(help)
        } else if next.is_none() && tight && operator {
            diagnostic.help("an expression ends with its line; put it in parentheses to break it over several")
        } else if after == " after `=`" {
            diagnostic.help("write a value, or leave the attribute out")
        } else {
            diagnostic.help("write a value")
        }))
    }

    fn number(&self, token: Token, written: &str) -> Walked {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let (mantissa, exponent) = match written.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
            None => (written, None),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (mantissa, None),
        };
        if digits(whole) && fraction.is_none_or(digits) && exponent.is_none_or(digits) {
            return Ok(());
        }
        let shown = self.shown(token);
        Err(Box::new(
            Diagnostic::error(BAD_NUMBER, format!("`{shown}` is no number")).at(self.token_span(token), "").help(
                format!("numbers are decimal, as `12`, `0.5`, `1e3`; a text is written in quotes: `\"{shown}\"`"),
            ),
        ))
    }

    /// Arguments, if a word has them.
    fn call(&mut self) -> Walked {
        if self.sees(true, "(") {
            self.at += 1;
            return self.arguments();
        }
        Ok(())
    }

    fn postfix(&mut self, tight: bool) -> Walked {
        while let Some(token) = self.next(tight) {
            match (token.kind, self.written(token)) {
                (Kind::Symbol, ".") => {
                    self.at += 1;
                    self.field(token)?;
                }
                (Kind::Open, "[") => {
                    self.at += 1;
                    if self.sees(false, "*") {
                        return self.splat(token);
                    }
                    self.value(false)?;
                    self.closing("]", "or an operator")?;
                }
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    fn field(&mut self, dot: Token) -> Walked {
        let Some(name) = self.next(true) else {
            return self.wrong(
                UNEXPECTED,
                "expected a name after `.`",
                dot,
                "write the name of what is wanted, e.g. `.id`",
            );
        };
        match name.kind {
            Kind::Word if name.start == dot.end => {
                self.at += 1;
                self.call()
            }
            Kind::Word => self.wrong(UNEXPECTED, "the name follows `.` without a space", name, "remove the space"),
            Kind::Number => {
                let index = self.shown(name);
                self.wrong(
                    SPLAT,
                    format!("`.{index}` is no field"),
                    name,
                    format!("write `[{index}]` for an element of a list"),
                )
            }
            _ if self.written(name) == "*" => self.splat(name),
            _ if self.written(name) == "." => {
                self.wrong(UNEXPECTED, "there is no `..`", name, "write `range(from, to)`")
            }
            Kind::Unknown => self.unknown(name),
            _ => {
                let shown = self.shown(name);
                self.wrong(
                    UNEXPECTED,
                    format!("expected a name after `.`, found `{shown}`"),
                    name,
                    "write the name of what is wanted, e.g. `.id`",
                )
            }
        }
    }

    fn splat(&self, token: Token) -> Walked {
        self.wrong(SPLAT, "there is no splat, `[*]`, in this language", token, "write `[for x in xs : x.name]`")
    }

    /// The closing bracket, which must come next.
    pub(super) fn closing(&mut self, bracket: &str, or: &str) -> Walked {
        if self.passes(false, bracket) {
            return Ok(());
        }
        let Some(token) = self.next(false) else { return Ok(()) };
        if token.kind == Kind::Unknown {
            return self.unknown(token);
        }
        let shown = self.shown(token);
        self.wrong(
            UNEXPECTED,
            format!("unexpected `{shown}`"),
            token,
            format!("`{bracket}` is expected before it, {or}"),
        )
    }

    /// Text up to the end of the string or heredoc whose opening is passed.
    pub(super) fn template_text(&mut self) -> Walked {
        while let Some(token) = self.tokens.get(self.at).copied() {
            self.at += 1;
            match token.kind {
                Kind::StringClose | Kind::HeredocClose => return Ok(()),
                Kind::TemplateOpen if self.written(token).starts_with('$') => {
                    self.value(false)?;
                    self.template_end(token)?;
                }
                Kind::TemplateOpen => {
                    self.directive(token)?;
                    self.template_end(token)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn template_end(&mut self, open: Token) -> Walked {
        match self.next(false) {
            Some(token) if token.kind == Kind::TemplateClose => {
                self.at += 1;
                Ok(())
            }
            Some(token) if token.kind == Kind::Unknown => self.unknown(token),
            Some(token) => {
                let (shown, open) = (self.shown(token), self.shown(open));
                self.wrong(
                    UNEXPECTED,
                    format!("unexpected `{shown}`"),
                    token,
                    format!("`}}` of `{open}` is expected before it, or an operator"),
                )
            }
            None => Ok(()),
        }
    }

    fn directive(&mut self, open: Token) -> Walked {
        let word = self.next(false).filter(|token| token.kind == Kind::Word);
        match word.map(|token| self.written(token)) {
            Some("if") => {
                self.at += 1;
                self.value(false)
            }
            Some("for") => {
                self.at += 1;
                self.for_names()?;
                self.value(false)
            }
            Some("else" | "endif" | "endfor") => {
                self.at += 1;
                match self.next(false) {
                    Some(next) if next.kind != Kind::TemplateClose => self.wrong(
                        BAD_DIRECTIVE,
                        format!("unexpected `{}` in a template directive", self.shown(next)),
                        next,
                        "write a second `%{ if … }` inside `%{ else }`, each with its `%{ endif }`",
                    ),
                    _ => Ok(()),
                }
            }
            _ => {
                let token = word.unwrap_or(open);
                let shown = self.shown(token);
                self.wrong(
                    BAD_DIRECTIVE,
                    format!("`{shown}` starts no template directive"),
                    token,
                    "the directives are `if`, `else`, `endif`, `for` and `endfor`; write `%%{` for the characters themselves",
                )
            }
        }
    }
}

/// What to write for two signs that are one operator elsewhere.
fn elsewhere(signs: (Option<&str>, Option<&str>)) -> Option<&'static str> {
    Some(match signs {
        (Some("*"), Some("*")) => "write `pow(x, y)`",
        (Some("?"), Some("?" | ":")) => {
            "write `condition ? value : other`; `try(value, other)` takes the first that exists"
        }
        (Some("?"), Some(".")) => "write `try(a.b, other)`, which takes the first that exists",
        _ => return None,
    })
}
