//! Lines to text: blank lines between top-level blocks, `=` and comments under each other. Not where lines break.

use std::ops::Range;

use unicode_width::UnicodeWidthStr as _;

use super::layout::{Laid, Line};

/// Blanks a level.
const INDENT: &str = "  ";

/// Writes the lines.
pub(super) fn write(mut laid: Laid) -> String {
    part_blocks(&mut laid.lines);
    let mut before_equals = vec![0; laid.lines.len()];
    pad(&laid, &mut before_equals, |line| line.equals, |_| 0);
    let mut before_comment = vec![0; laid.lines.len()];
    pad(&laid, &mut before_comment, |line| line.comment, |at| before_equals.get(at).copied().unwrap_or(0));

    let mut out = String::with_capacity(laid.text.len() + laid.text.len() / 4);
    for ((at, line), (equals, comment)) in laid.lines.iter().enumerate().zip(before_equals.iter().zip(&before_comment))
    {
        if line.blank_before && at > 0 {
            out.push('\n');
        }
        for _ in 0..line.indent {
            out.push_str(INDENT);
        }
        let mut from = line.start;
        if let Some(place) = line.equals {
            out.push_str(part(&laid, from..place));
            blanks(&mut out, *equals);
            from = place;
        }
        if let Some(place) = line.comment {
            out.push_str(part(&laid, from..place));
            blanks(&mut out, comment + 1);
            from = place;
        }
        out.push_str(part(&laid, from..line.end));
        out.push('\n');
    }
    out
}

fn part(laid: &Laid, range: Range<usize>) -> &str {
    laid.text.get(range).unwrap_or_default()
}

fn blanks(out: &mut String, count: usize) {
    out.extend(std::iter::repeat_n(' ', count));
}

/// Columns of a terminal.
fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}

/// How many blanks bring `place` of each line into one column, for each run of neighbouring lines that have one.
/// `shift` is by how much an earlier padding has moved it already.
fn pad(laid: &Laid, padding: &mut [usize], place: impl Fn(&Line) -> Option<usize>, shift: impl Fn(usize) -> usize) {
    let mut run: Vec<(usize, usize)> = Vec::new();
    let mut indent = 0;
    let mut close = |run: &mut Vec<(usize, usize)>| {
        let widest = run.iter().map(|(_, width)| *width).max().unwrap_or(0);
        for (at, width) in run.drain(..) {
            if let Some(padding) = padding.get_mut(at) {
                *padding = widest - width;
            }
        }
    };
    for (at, line) in laid.lines.iter().enumerate() {
        let place = place(line).filter(|_| !line.several);
        if line.blank_before || line.indent != indent || place.is_none() {
            close(&mut run);
        }
        if let Some(place) = place {
            run.push((at, width(part(laid, line.start..place)) + shift(at)));
            indent = line.indent;
        }
    }
    close(&mut run);
}

/// A blank line before each top-level block of several lines; the one after it is laid out already. Comments right
/// above a block belong to it.
fn part_blocks(lines: &mut [Line]) {
    for at in 0..lines.len() {
        if lines.get(at).is_none_or(|line| line.item != Some(true)) {
            continue;
        }
        let mut first = at;
        while first > 0
            && lines.get(first).is_some_and(|line| !line.blank_before)
            && lines.get(first - 1).is_some_and(|line| line.only_comment && line.indent == 0)
        {
            first -= 1;
        }
        if let Some(line) = lines.get_mut(first) {
            line.blank_before = true;
        }
    }
}
