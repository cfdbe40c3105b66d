//! A source cut into regions of whole top-level items: those whose brackets, strings and comments fit go to pest,
//! the others carry the one mistake that spoils them. Recovery is here: reading goes on at the next block.

use std::borrow::Cow;

use akson_diagnostics::{Diagnostic, SourceId};

use crate::faults;
use crate::lexer::{Fault, Kind, Lexer, Opened, Spoilt, Token};
use crate::limits::MAX_NESTING;

/// Bytes that one call of pest is given at most, if blocks are smaller: its memory is many times that.
const REGION_BYTES: usize = 128 * 1024;

/// Whole top-level items: bytes `start..end`.
#[derive(Debug)]
pub(crate) struct Region {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// What does not fit in it. Then it is one item.
    pub(crate) faults: Vec<Diagnostic>,
    /// What is to be left out so that the rest fits: ranges of bytes, in order. `None` if nothing of it can be read.
    pub(crate) holes: Option<Vec<(usize, usize)>>,
}

impl Region {
    /// The text to be read, as long as the region's, with blanks for what is left out.
    pub(crate) fn readable<'t>(&self, text: &'t str) -> Option<Cow<'t, str>> {
        let part = text.get(self.start..self.end)?;
        let holes = self.holes.as_ref()?;
        if holes.is_empty() {
            return Some(Cow::Borrowed(part));
        }
        let mut bytes = part.as_bytes().to_vec();
        for (start, end) in holes {
            for byte in bytes.get_mut(start - self.start..end - self.start)? {
                if *byte != b'\n' {
                    *byte = b' ';
                }
            }
        }
        String::from_utf8(bytes).ok().map(Cow::Owned)
    }
}

/// Cuts a text. The regions are in order and cover all but blank space and comments.
pub(crate) fn cut(text: &str, source: SourceId) -> Vec<Region> {
    let mut cutter = Cutter {
        lexer: Lexer::new(text),
        source,
        regions: Vec::new(),
        item: None,
        last_block: None,
        last: Kind::LineBreak,
        faulty: None,
        least: 0,
        quiet: false,
    };
    cutter.run();
    cutter.regions
}

/// What does not fit in a text that is one expression.
pub(crate) fn unfit(text: &str, source: SourceId) -> Option<Diagnostic> {
    let mut lexer = Lexer::new(text);
    while let Some(token) = lexer.token() {
        if let Some((fault, _)) = lexer.fault.take() {
            return Some(faults::describe(source, text, fault));
        }
        if lexer.depth > MAX_NESTING {
            return Some(faults::too_deep(source, token.start, token.end));
        }
    }
    lexer.frames.last().map(|frame| faults::unclosed(source, text, frame, text.len()))
}

/// The top-level item that is being read.
struct Item {
    start: usize,
    /// Whether it starts in the first column with the first words of a block.
    block: bool,
    /// Whether what it holds is indented; not known before its second line.
    indented: Option<bool>,
    /// A closing bracket whose line is less indented than the line of its opening: opening, closing.
    misplaced: Option<(usize, usize)>,
    /// The first line after its first that looks like the start of a block in the first column.
    next_block: Option<usize>,
    faults: Vec<Diagnostic>,
    holes: Vec<(usize, usize)>,
    /// Whether nothing of it can be read.
    lost: bool,
}

impl Item {
    fn new(start: usize, block: bool) -> Self {
        Self {
            start,
            block,
            indented: None,
            misplaced: None,
            next_block: None,
            faults: Vec::new(),
            holes: Vec::new(),
            lost: false,
        }
    }
}

/// A line with a fault, until it is known whether leaving it out mends the rest.
struct FaultyLine {
    start: usize,
    /// How much is open at its start.
    outer: usize,
}

struct Cutter<'t> {
    lexer: Lexer<'t>,
    source: SourceId,
    regions: Vec<Region>,
    item: Option<Item>,
    /// Where the last block that starts in the first column does so, for a `}` too many.
    last_block: Option<usize>,
    last: Kind,
    faulty: Option<FaultyLine>,
    /// The least that was open on this line.
    least: usize,
    /// The last item was lost to nesting or to a closing bracket, so that more of these right after it are the same mistake.
    quiet: bool,
}

impl Cutter<'_> {
    fn run(&mut self) {
        loop {
            let opens = self.lexer.frames.last().map(|frame| (frame.line, frame.at));
            let at_line_start = self.last == Kind::LineBreak;
            let Some(token) = self.lexer.token() else {
                if self.end_of_text() {
                    continue;
                }
                return;
            };
            self.last = token.kind;
            self.least = self.least.min(self.lexer.frames.len());
            if matches!(token.kind, Kind::LineBreak | Kind::LineComment | Kind::BlockComment)
                && self.lexer.fault.is_none()
            {
                if token.kind == Kind::LineBreak {
                    self.end_line(token.start);
                }
                continue;
            }
            if at_line_start && !self.line_starts(token) {
                continue;
            }
            let item = self.item.get_or_insert_with(|| Item::new(token.start, false));
            if token.kind == Kind::Close
                && at_line_start
                && let Some((line, open)) = opens
                && indentation(self.lexer.text, line) > token.start - self.lexer.line
            {
                item.misplaced.get_or_insert((open, token.start));
            }
            if let Some((fault, spoilt)) = self.lexer.fault.take() {
                self.fault(fault, spoilt, token);
            } else if self.lexer.depth > MAX_NESTING {
                self.too_deep(token);
            }
        }
    }

    /// The first token of a line. `false` if reading starts anew at it.
    fn line_starts(&mut self, token: Token) -> bool {
        let first_column = token.start == self.lexer.line;
        let header = first_column && token.kind == Kind::Word && is_header(self.lexer.text, token.start);
        let Some(item) = &mut self.item else {
            if header {
                self.last_block = Some(token.start);
            }
            self.item = Some(Item::new(token.start, header));
            return true;
        };
        let indented = *item.indented.get_or_insert(!first_column);
        if !header {
            return true;
        }
        if !(item.lost || item.block && indented) {
            item.next_block.get_or_insert(token.start);
            return true;
        }
        if !item.lost {
            self.unclosed(token.start);
        }
        self.close_item(token.start);
        self.restart(token.start);
        false
    }

    fn restart(&mut self, at: usize) {
        self.lexer.restart(at);
        self.last = Kind::LineBreak;
        self.faulty = None;
        self.least = 0;
    }

    /// A line ends in code.
    fn end_line(&mut self, end: usize) {
        let open = self.lexer.frames.len();
        if let Some(line) = self.faulty.take()
            && let Some(item) = &mut self.item
        {
            if self.least >= line.outer && open == line.outer {
                item.holes.push((line.start.max(item.start), end));
            } else {
                item.lost = true;
            }
        }
        self.least = open;
        if open == 0 {
            self.close_item(end);
        }
    }

    /// Nothing more to read. `true` if reading goes on at an earlier place.
    fn end_of_text(&mut self) -> bool {
        let end = self.lexer.text.len();
        let lost = match &self.item {
            Some(item) => item.lost,
            None => return false,
        };
        if self.lexer.frames.is_empty() || lost {
            self.end_line(end);
            self.close_item(end);
            return false;
        }
        let first_open = self.lexer.frames.first().map_or(end, |frame| frame.at);
        let next_block = self.item.as_ref().and_then(|item| item.next_block).filter(|next| first_open < *next);
        self.unclosed(next_block.unwrap_or(end));
        self.close_item(next_block.unwrap_or(end));
        if let Some(at) = next_block {
            self.restart(at);
        }
        next_block.is_some()
    }

    /// The item is unclosed at its end: says so at what was most likely meant to be closed.
    fn unclosed(&mut self, until: usize) {
        let Some(item) = &mut self.item else { return };
        let text = self.lexer.text;
        let frame = self.lexer.frames.iter().rev().find(|frame| frame.at < until);
        let diagnostic = match (frame, item.misplaced) {
            (Some(frame), Some((open, close))) if frame.opened == Opened::Brace => {
                faults::misplaced(self.source, text, open, close)
            }
            (Some(frame), _) => faults::unclosed(self.source, text, frame, until),
            (None, _) => return,
        };
        item.lost = true;
        item.faults.push(diagnostic);
    }

    fn fault(&mut self, fault: Fault, spoilt: Spoilt, token: Token) {
        let mut spoilt = spoilt;
        let stray = matches!((fault, &self.item), (Fault::Stray { close }, Some(item)) if close == item.start);
        if let Fault::Stray { close } = fault
            && self.lexer.frames.is_empty()
            && self.item.as_ref().is_some_and(|item| item.start == close)
        {
            self.take_back(close);
            spoilt = Spoilt::All;
        }
        let diagnostic = faults::describe(self.source, self.lexer.text, fault);
        let Some(item) = &mut self.item else { return };
        // of several on a line, or in an item that is lost, the others may well be consequences of the first
        if !item.lost && self.faulty.is_none() && !(stray && self.quiet) {
            item.faults.push(diagnostic);
        }
        self.quiet |= stray;
        match spoilt {
            Spoilt::Line => {
                self.faulty.get_or_insert(FaultyLine { start: self.lexer.code_line, outer: self.lexer.outer });
            }
            Spoilt::Lines(start, end) if start >= item.start => item.holes.push((start, end)),
            Spoilt::Lines(..) | Spoilt::All => item.lost = true,
        }
        if let Fault::Comment { open } = fault {
            self.leap(open);
        } else if token.kind == Kind::LineBreak {
            self.end_line(token.start);
        }
    }

    /// A closing bracket on a line of its own closes nothing: what was read since the last block is spoilt with it.
    fn take_back(&mut self, close: usize) {
        let Some(start) = self.last_block.take() else { return };
        while let Some(region) = self.regions.last_mut() {
            if region.start >= start {
                self.regions.pop();
                continue;
            }
            region.end = region.end.min(start);
            break;
        }
        if let Some(item) = &mut self.item {
            item.start = start.min(close);
        }
    }

    fn too_deep(&mut self, token: Token) {
        let diagnostic = faults::too_deep(self.source, token.start, token.end);
        if let Some(item) = &mut self.item {
            if !self.quiet {
                item.faults.push(diagnostic);
            }
            item.lost = true;
        }
        self.quiet = true;
        self.leap(token.start);
    }

    /// Gives the item up and goes on at the next line that looks like the start of a block.
    fn leap(&mut self, from: usize) {
        let text = self.lexer.text;
        let mut at = from;
        let next = loop {
            let Some(line_break) = text.get(at..).and_then(|rest| rest.find('\n')) else { break text.len() };
            at += line_break + 1;
            if is_header(text, at) {
                break at;
            }
        };
        self.close_item(next);
        self.restart(next);
    }

    fn close_item(&mut self, end: usize) {
        let Some(item) = self.item.take() else { return };
        if item.faults.is_empty() && !item.lost {
            self.quiet = false;
        }
        if item.faults.is_empty()
            && !item.lost
            && let Some(last) = self.regions.last_mut()
            && last.faults.is_empty()
            && last.holes.is_some()
            && end - last.start <= REGION_BYTES
        {
            last.end = end;
            return;
        }
        let holes = (!item.lost).then_some(item.holes);
        self.regions.push(Region { start: item.start, end, faults: item.faults, holes });
    }
}

/// Whether a line that starts at `at` begins a block: a word, words or strings, and `{`.
fn is_header(text: &str, at: usize) -> bool {
    let mut rest = text.as_bytes().get(at..).unwrap_or_default();
    let word = |rest: &[u8]| {
        rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')).count()
    };
    if !rest.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_') {
        return false;
    }
    loop {
        let length = match rest.first() {
            Some(b'{') => return true,
            Some(b' ' | b'\t') => 1,
            Some(b'"') => {
                let mut length = 1;
                loop {
                    match rest.get(length) {
                        Some(b'\\') => length += 2,
                        Some(b'"') => break length + 1,
                        Some(b'\n') | None => return false,
                        Some(_) => length += 1,
                    }
                }
            }
            _ => word(rest),
        };
        if length == 0 {
            return false;
        }
        rest = rest.get(length..).unwrap_or_default();
    }
}

/// Blanks before the first character of the line that starts at `line`.
fn indentation(text: &str, line: usize) -> usize {
    text.as_bytes().get(line..).unwrap_or_default().iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}
