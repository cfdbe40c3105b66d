//! Text from outside, made safe to print. Not the escaping of one format: each renderer does its own.

use std::fmt;

/// Text that came from outside (a name, an answer of Azure), shown without control characters, escape
/// sequences, bidirectional overrides or invisible characters: each of those appears as `\u{..}`. What build
/// agents would take for a command (`##vso[`, `##[`, a new line that begins with `::`) is broken up the same way.
#[derive(Debug, Clone, Copy)]
pub struct SafeText<'a>(pub &'a str);

impl fmt::Display for SafeText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Where the text itself begins, its caller has written something on the line, so `::1` stays an address.
        let mut line_begins = false;
        for (at, character) in self.0.char_indices() {
            let command = line_begins && self.0[at..].starts_with("::");
            if is_unsafe(character) || is_command(self.0, at) || command {
                write!(f, "{}", character_code(character))?;
            } else {
                fmt::Write::write_char(f, character)?;
            }
            line_begins = character == '\n' || (line_begins && character.is_whitespace());
        }
        Ok(())
    }
}

/// A character by its number: `\u{1b}`.
pub(crate) fn character_code(character: char) -> String {
    format!("\\u{{{:x}}}", u32::from(character))
}

/// Whether the second `#` of `##[` or `##vso[` stands here: agents look for these in the middle of a line, too.
pub(crate) fn is_command(text: &str, at: usize) -> bool {
    text[..at].ends_with('#') && (text[at..].starts_with("#[") || text[at..].starts_with("#vso["))
}

/// Whether a character could move the cursor, reorder text or hide: control characters but for line feed and
/// tab, invisible and bidirectional format characters, line and paragraph separators, tag characters.
pub(crate) fn is_unsafe(character: char) -> bool {
    (character.is_control() && character != '\n' && character != '\t')
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unsafe_is_spelt_out() {
        #[track_caller]
        fn check(text: &str, expected: &str) {
            assert_eq!(SafeText(text).to_string(), expected);
        }
        check("plain, Größe, 日本\tand\nlines", "plain, Größe, 日本\tand\nlines");
        check("\u{1b}[31m", "\\u{1b}[31m");
        check("a\r\nb", "a\\u{d}\nb");
        check("\u{202e}x\u{200b}\u{9b}", "\\u{202e}x\\u{200b}\\u{9b}");
        check("::1 and ::/0", "::1 and ::/0");
        check("x\n  ::add-mask::y", "x\n  \\u{3a}:add-mask::y");
        check("a ##vso[task.x] ##[group] ## c #[d]", "a #\\u{23}vso[task.x] #\\u{23}[group] ## c #[d]");
    }
}
