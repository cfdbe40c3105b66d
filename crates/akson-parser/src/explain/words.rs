//! Characters that mean nothing here but something elsewhere: other languages' quotes and operators.

use super::{Walk, Walked};
use crate::codes::{SINGLE_QUOTES, UNEXPECTED};
use crate::lexer::Token;

impl Walk<'_> {
    /// A character that has no meaning outside strings.
    pub(super) fn unknown(&self, token: Token) -> Walked {
        let shown = self.shown(token);
        let first = self.written(token).chars().next().unwrap_or(' ');
        let help = match first {
            '`' => {
                return self.wrong(
                    SINGLE_QUOTES,
                    "a string does not start with a backtick",
                    token,
                    "write `\"` around it",
                );
            }
            '\'' | '\u{2018}' | '\u{2019}' | '\u{201c}' | '\u{201d}' | '\u{ab}' | '\u{bb}' => {
                return self.wrong(
                    SINGLE_QUOTES,
                    format!("a string does not start with `{shown}`"),
                    token,
                    "write `\"` around it",
                );
            }
            _ if first.is_alphabetic() => return self.foreign_name(token),
            '$' => "write the expression as it is: `${` stands only inside strings",
            '&' => "write `&&` for and",
            '|' => "write `||` for or",
            ';' => "remove it: each attribute stands on its own line",
            '\\' => "remove it; to break an expression over lines put it in parentheses",
            '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
                return self.wrong(
                    UNEXPECTED,
                    format!("a blank that is no space: U+{:04X}", u32::from(first)),
                    token,
                    "write a space",
                );
            }
            '~' => "`~` stands only at the edge of `${ … }` and `%{ … }`",
            _ => "remove it, or write it in quotes if it is part of a text",
        };
        self.wrong(UNEXPECTED, format!("`{shown}` has no meaning here"), token, help)
    }
}
