//! Elements of lists, entries of objects and arguments of calls: some taken out, some put in, the others left byte by byte, with their
//! comments. Not which: the caller knows.

use akson_diagnostics::Span;

use super::{
    Edit,
    item::{begins_line, edit, ends_line, indent_of, line_end, line_feed, line_start},
};

/// What is done to the parts of a bracketed text.
pub(super) struct Sequence<'a> {
    pub text: &'a str,
    /// The whole of it, with its brackets.
    pub outer: Span,
    /// Where its parts stand, in order.
    pub parts: &'a [Span],
    /// Which of them stay.
    pub stays: &'a [bool],
    /// What is put in: behind how many of the old parts, and the text.
    pub more: &'a [(usize, String)],
    /// Whether parts on lines of their own need commas between them.
    pub commas: bool,
    /// The blank between a bracket and its only line: of `{ a = 1 }`, not of `[1]`.
    pub padded: bool,
}

impl Sequence<'_> {
    pub(super) fn edits(&self) -> Vec<Edit> {
        if self.stays.iter().all(|stays| *stays) && self.more.is_empty() {
            return Vec::new();
        }
        match self.parts.first() {
            None => self.fill(),
            Some(_) if self.is_in_lines() => self.lines(),
            Some(first) => self.inline(first.start as usize),
        }
    }

    fn place(&self, start: usize, end: usize, text: String) -> Edit {
        edit(self.outer.source, start, end, text)
    }

    /// Nothing was in it.
    fn fill(&self) -> Vec<Edit> {
        let all: Vec<&str> = self.more.iter().map(|(_, text)| text.as_str()).collect();
        let pad = if self.padded { " " } else { "" };
        let start = self.outer.start as usize + 1;
        // Blanks between the brackets are ours; comments are not.
        let inside = self.text.get(start..(self.outer.end as usize).saturating_sub(1)).unwrap_or_default();
        let end = if inside.trim().is_empty() { start + inside.len() } else { start };
        vec![self.place(start, end, format!("{pad}{}{pad}", all.join(", ")))]
    }

    /// Whether each part fills lines of its own.
    fn is_in_lines(&self) -> bool {
        let open = self.outer.start as usize;
        let closes = line_start(self.text, (self.outer.end as usize).saturating_sub(1));
        self.parts.iter().all(|part| {
            let (start, end) = (part.start as usize, part.end as usize);
            begins_line(self.text, start)
                && line_start(self.text, start) > open
                && ends_line(self.text, end)
                && line_end(self.text, end) <= closes
        })
    }

    fn has_comma(&self, part: Span) -> bool {
        self.text.get(part.end as usize..).is_some_and(|behind| behind.trim_start_matches([' ', '\t']).starts_with(','))
    }

    fn lines(&self) -> Vec<Edit> {
        let mut edits = Vec::new();
        for (part, _) in self.parts.iter().zip(self.stays).filter(|(_, stays)| !**stays) {
            let end = line_end(self.text, part.end as usize);
            edits.push(self.place(line_start(self.text, part.start as usize), end, String::new()));
        }
        let (Some(first), Some(last)) = (self.parts.first(), self.parts.last()) else { return edits };
        let feed = line_feed(self.text);
        let trailing = self.has_comma(*last);
        let mut at = 0;
        while let Some((behind, _)) = self.more.get(at) {
            let group: Vec<&String> =
                self.more.iter().skip(at).take_while(|(other, _)| other == behind).map(|(_, text)| text).collect();
            at += group.len();
            let anchor = behind.checked_sub(1).and_then(|place| self.parts.get(place));
            let start = match anchor {
                Some(anchor) => line_end(self.text, anchor.end as usize),
                None => line_start(self.text, first.start as usize),
            };
            let indent = indent_of(self.text, anchor.unwrap_or(first).start as usize);
            let is_last = !self.stays.iter().skip(*behind).any(|stays| *stays)
                && !self.more.iter().skip(at).any(|(other, _)| other > behind);
            let number = group.len();
            let mut added = String::new();
            for (place, text) in group.into_iter().enumerate() {
                let comma = if self.commas { !is_last || place + 1 < number || trailing } else { trailing };
                added.push_str(&format!("{indent}{text}{}{feed}", if comma { "," } else { "" }));
            }
            edits.push(self.place(start, start, added));
            // The last one that stays may have had no comma.
            let kept = self.parts.iter().zip(self.stays).take(*behind).rev().find(|(_, stays)| **stays);
            if let Some((kept, _)) = kept.filter(|(kept, _)| self.commas && !self.has_comma(**kept)) {
                edits.push(self.place(kept.end as usize, kept.end as usize, ",".to_owned()));
            }
        }
        edits
    }

    fn inline(&self, first: usize) -> Vec<Edit> {
        let mut edits = Vec::new();
        let end = self.parts.last().map_or(first, |last| last.end as usize);
        let kept: Vec<usize> = (0..self.parts.len()).filter(|at| self.stays.get(*at) == Some(&true)).collect();
        let Some(last_kept) = kept.last().copied() else {
            let all: Vec<&str> = self.more.iter().map(|(_, text)| text.as_str()).collect();
            if all.is_empty() {
                // Blanks and a comma that stood around them go, too.
                let open = self.outer.start as usize + 1;
                let close = (self.outer.end as usize).saturating_sub(1);
                let rest = self.text.get(open..first).unwrap_or_default();
                let behind = self.text.get(end..close).unwrap_or_default();
                if rest.trim().is_empty() && behind.trim_start_matches([' ', '\t', ',']).is_empty() {
                    return vec![self.place(open, close, String::new())];
                }
            }
            return vec![self.place(first, end, all.join(", "))];
        };
        for (at, part) in self.parts.iter().enumerate().filter(|(at, _)| !kept.contains(at)) {
            if at > last_kept {
                break;
            }
            let next = self.parts.get(at + 1).map_or(end, |next| next.start as usize);
            edits.push(self.place(part.start as usize, next, String::new()));
        }
        let tail = self.parts.get(last_kept).map_or(end, |part| part.end as usize);
        if tail < end {
            edits.push(self.place(tail, end, String::new()));
        }
        for (behind, text) in self.more {
            let anchor = kept.iter().rev().find(|at| **at < *behind).and_then(|at| self.parts.get(*at));
            edits.push(match anchor {
                Some(anchor) => self.place(anchor.end as usize, anchor.end as usize, format!(", {text}")),
                None => {
                    let start =
                        kept.first().and_then(|at| self.parts.get(*at)).map_or(first, |part| part.start as usize);
                    self.place(start, start, format!("{text}, "))
                }
            });
        }
        joined(edits)
    }
}

/// Texts that are put in at one place, in the order in which they were given.
fn joined(edits: Vec<Edit>) -> Vec<Edit> {
    let mut out: Vec<Edit> = Vec::with_capacity(edits.len());
    for edit in edits {
        let is_there = |other: &&mut Edit| other.span == edit.span && edit.span.start == edit.span.end;
        match out.iter_mut().find(is_there) {
            Some(other) => other.text.push_str(&edit.text),
            None => out.push(edit),
        }
    }
    out
}
