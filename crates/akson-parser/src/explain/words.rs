//! Characters that mean nothing here but something elsewhere: other languages' quotes, operators and letters.

use akson_diagnostics::{Diagnostic, SafeText};

use super::{Walk, Walked};
use crate::codes::{BAD_NAME, SINGLE_QUOTES, UNEXPECTED};
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
            ';' | '\u{37e}' => "remove it: each attribute stands on its own line",
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
            _ if !first.is_ascii() => return self.foreign_sign(first, token),
            _ => "remove it, or write it in quotes if it is part of a text",
        };
        self.wrong(UNEXPECTED, format!("`{shown}` has no meaning here"), token, help)
    }

    /// A sign beyond ASCII: by its number, as it may look like another or like nothing.
    fn foreign_sign(&self, sign: char, token: Token) -> Walked {
        let number = format!("U+{:04X}", u32::from(sign));
        let span = self.token_span(token);
        let diagnostic = Diagnostic::error(
            UNEXPECTED,
            format!("`{}` ({number}) has no meaning here", SafeText(sign.encode_utf8(&mut [0; 4]))),
        );
        Err(Box::new(match ascii_of(sign) {
            Some(ascii) => diagnostic
                .at(span, format!("looks like `{ascii}`"))
                .help(format!("write the ASCII sign `{ascii}`"))
                .suggest(span, ascii, format!("write `{ascii}`")),
            None => diagnostic.at(span, "").help("remove it, or write it in quotes if it is part of a text"),
        }))
    }

    /// A name with letters beyond ASCII.
    fn foreign_name(&self, token: Token) -> Walked {
        let rest = self.text.get(token.start..).unwrap_or_default();
        let length: usize =
            rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').map(char::len_utf8).sum();
        let start = self.text.get(..token.start).map_or(token.start, |before| {
            before.trim_end_matches(|letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-')).len()
        });
        let word = self.text.get(start..token.start + length).unwrap_or_default();
        let span = (self.span)(start, token.start + length);
        let foreign = word.chars().find(|letter| !letter.is_ascii()).unwrap_or_default();
        let diagnostic = Diagnostic::error(BAD_NAME, format!("`{}` is no name", SafeText(word))).note(
            "a name is made of the letters a to z and A to Z, digits, `_` and `-`, and starts with a letter or `_`",
        );
        let plain: Option<String> =
            word.chars().map(|letter| if letter.is_ascii() { Some(letter) } else { twin(letter) }).collect();
        let number = u32::from(foreign);
        Err(Box::new(match plain {
            Some(plain) => diagnostic
                .at(span, format!("`{foreign}` is U+{number:04X}, which looks like an ASCII letter"))
                .help(format!("write `{plain}` in ASCII letters"))
                .suggest(span, plain, "write it in ASCII letters"),
            None => diagnostic
                .at(span, format!("`{foreign}` is U+{number:04X}"))
                .help("rename it, or write it in quotes if it is a text"),
        }))
    }
}

/// The ASCII sign that a sign looks like.
fn ascii_of(sign: char) -> Option<&'static str> {
    Some(match sign {
        '\u{ff1d}' | '\u{a78a}' | '\u{2550}' => "=",
        '\u{ff08}' | '\u{2768}' => "(",
        '\u{ff09}' | '\u{2769}' => ")",
        '\u{ff3b}' | '\u{3010}' => "[",
        '\u{ff3d}' | '\u{3011}' => "]",
        '\u{ff5b}' | '\u{2774}' => "{",
        '\u{ff5d}' | '\u{2775}' => "}",
        '\u{ff0c}' | '\u{201a}' | '\u{3001}' | '\u{60c}' => ",",
        '\u{ff1a}' | '\u{2236}' | '\u{a789}' | '\u{fe55}' => ":",
        '\u{ff0e}' | '\u{2024}' | '\u{3002}' => ".",
        '\u{ff0b}' => "+",
        '\u{2212}' | '\u{2010}'..='\u{2015}' | '\u{ff0d}' | '\u{2796}' | '\u{fe63}' => "-",
        '\u{d7}' | '\u{2217}' | '\u{ff0a}' | '\u{22c5}' => "*",
        '\u{f7}' | '\u{2215}' | '\u{2044}' | '\u{ff0f}' => "/",
        '\u{ff1c}' | '\u{2039}' => "<",
        '\u{ff1e}' | '\u{203a}' => ">",
        '\u{2264}' => "<=",
        '\u{2265}' => ">=",
        '\u{2260}' => "!=",
        '\u{ff01}' | '\u{1c3}' => "!",
        '\u{ff1f}' => "?",
        '\u{2192}' | '\u{21d2}' => "=>",
        '\u{2026}' => "...",
        _ => return None,
    })
}

/// The ASCII letter or digit that a letter looks like.
fn twin(letter: char) -> Option<char> {
    const ALIKE: &str = "аaеeоoрpсcхxуyіiјjѕsԁdһhԛqԝwкkмmтtвbнhАAВBЕEКKМMНHОOРPСCТTХXУYІIЈJЅS\
        αaοoρpνvιiκkτtυuγyχxΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXɑaɡgıiƖlⅼlⅰiⅽcⅾdⅿm";
    if let code @ (0xff21..=0xff3a | 0xff41..=0xff5a | 0xff10..=0xff19 | 0xff3f) = u32::from(letter) {
        return char::from_u32(code - 0xfee0);
    }
    let mut pairs = ALIKE.chars();
    while let (Some(foreign), Some(ascii)) = (pairs.next(), pairs.next()) {
        if foreign == letter {
            return Some(ascii);
        }
    }
    None
}
