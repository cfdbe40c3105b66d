//! Characters that a reader of the text cannot see or that change what is seen: control characters, invisible ones,
//! those that turn the direction of writing. They are errors everywhere, comments too. Not spelling: that is the grammar's.

use akson_diagnostics::{Diagnostic, SourceId, Span};

use crate::codes::HIDDEN_CHARACTER;

/// Finds them. A run of them is one finding: first byte, one past the last.
pub(crate) fn hidden(text: &str) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    let bytes = text.as_bytes();
    let mut at = if text.starts_with('\u{feff}') { 3 } else { 0 };
    while let Some(byte) = bytes.get(at) {
        let length = match byte {
            b'\t' | b'\n' | 0x20..=0x7e => {
                at += 1;
                continue;
            }
            b'\r' if bytes.get(at + 1) == Some(&b'\n') => {
                at += 1;
                continue;
            }
            0x00..=0x7f => 1,
            _ => {
                let Some(character) = text.get(at..).and_then(|rest| rest.chars().next()) else { break };
                let length = character.len_utf8();
                if !is_hidden(character) {
                    at += length;
                    continue;
                }
                length
            }
        };
        match found.last_mut() {
            Some((_, end)) if *end == at => *end = at + length,
            _ => found.push((at, at + length)),
        }
        at += length;
    }
    found
}

/// Whether a character beyond ASCII cannot be seen or changes the direction of writing.
pub(crate) fn is_hidden(character: char) -> bool {
    matches!(character,
        '\u{80}'..='\u{9f}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Words for a finding.
pub(crate) fn describe(source: SourceId, text: &str, (start, end): (usize, usize)) -> Diagnostic {
    let first = text.get(start..end).and_then(|run| run.chars().next()).unwrap_or('\0');
    let (kind, note) = match first {
        '\0' => ("a NUL character", "this may not be a text file"),
        '\r' => ("a carriage return that ends no line", "lines end with `\\n` or `\\r\\n`"),
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => (
            "a character that changes the direction of writing",
            "with it a text can show something else than what it says",
        ),
        _ if first.is_control() => ("a control character", "it cannot be seen, so nobody could review it"),
        _ => ("an invisible character", "it cannot be seen, so nobody could review it"),
    };
    let code = u32::from(first);
    let escape = if code > 0xffff { format!("\\U{code:08X}") } else { format!("\\u{code:04X}") };
    Diagnostic::error(HIDDEN_CHARACTER, format!("{kind}, U+{code:04X}, stands in the text"))
        .at(Span::new(source, start, end), "here")
        .note(note)
        .help(format!("remove it; if a string needs it, write `{escape}`"))
        .suggest(Span::new(source, start, end), "", "remove it")
}
