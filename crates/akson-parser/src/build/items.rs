//! Blocks and attributes, and how they are laid out on lines. Not their values: see `expression`.

use akson_diagnostics::{Diagnostic, Span, did_you_mean};
use pest::Parser as _;

use super::Builder;
use crate::ast::{Attribute, Block, Expr, ExprKind, Item, Name};
use crate::codes::{BLOCK_LAYOUT, COMPUTED_LABEL, LINE_BREAK_EXPECTED, QUOTES};
use crate::explain;
use crate::grammar::{Grammar, Pair, Rule, parts};
use crate::report::Report;

/// Where the items of a body stand.
struct Place {
    /// First byte after the opening brace, or the start of the region.
    start: usize,
    /// The closing brace, or the end of the region.
    end: usize,
}

/// After these at its end, a broken line was most likely meant to go on.
const CONTINUES: [char; 15] = ['&', '|', '+', '-', '*', '/', '%', '=', '<', '>', '?', ':', ',', '\\', '.'];

impl Builder<'_, '_> {
    /// The items of a region of whole top-level items, each with whether it is sound.
    pub(crate) fn items(&mut self, pair: Pair<'_>) -> Vec<(Item, bool)> {
        let mut items = Vec::new();
        let mut last: Option<(usize, usize)> = None;
        let mut before = None;
        for part in parts(pair) {
            if part.as_rule() == Rule::EOI {
                continue;
            }
            let count = self.report.count();
            let (start, end) = range(&part);
            let joined = last.filter(|(_, last_end)| !self.line_break_between(*last_end, start));
            let broken = part.as_rule() == Rule::broken;
            if broken {
                self.broken(joined.map_or(start, |(first, _)| first), start, end, before);
                items.extend(self.bare_block(start, end).map(|block| (Item::Block(Box::new(block)), false)));
            } else {
                if joined.is_some() {
                    self.joined(start, end, "blocks are separated by new lines");
                }
                if let Some(item) = self.entry(part) {
                    let sound = self.report.count() == count && !self.report.hides(self.base + start, self.base + end);
                    items.push((item, sound));
                }
            }
            before = broken.then_some((start, end));
            last = Some((joined.map_or(start, |(first, _)| first), end));
        }
        items
    }

    /// An attribute or a block. `None` if nothing of it can be used; then a diagnostic was given.
    fn entry(&mut self, pair: Pair<'_>) -> Option<Item> {
        let span = self.span(&pair);
        let mut inner = parts(pair);
        let first = inner.next()?;
        let keyword = self.name(&first);
        let mut header = Vec::new();
        for part in inner {
            match part.as_rule() {
                Rule::tight => {
                    let (value, _) = self.expression(part)?;
                    return Some(Item::Attribute(Attribute { name: keyword, value, span }));
                }
                Rule::body => {
                    let mut block = self.header(keyword, header, span);
                    self.body(part, &mut block);
                    return Some(Item::Block(Box::new(block)));
                }
                _ => header.push(part),
            }
        }
        None
    }

    /// Builds the block from its first words; its body is still empty.
    fn header(&mut self, first: Name, rest: Vec<Pair<'_>>, span: Span) -> Block {
        let mut existing = None;
        let mut keyword = first;
        let mut header = keyword.span;
        let mut labels = Vec::new();
        let mut computed_labels = Vec::new();
        let mut rest = rest.into_iter().peekable();
        while let Some(part) = rest.next() {
            let here = self.span(&part);
            header = header.to(here);
            if part.as_rule() == Rule::name {
                let name = self.name(&part);
                if keyword.text == "existing" && existing.is_none() && labels.is_empty() {
                    existing = Some(keyword.span);
                    keyword = name;
                    continue;
                }
                if existing.is_none()
                    && labels.is_empty()
                    && rest.peek().is_some_and(|next| next.as_rule() != Rule::name)
                    && did_you_mean(&keyword.text, ["existing"]).is_some()
                {
                    self.give(
                        Diagnostic::error(QUOTES, format!("`{}` is no word before a kind", keyword.text))
                            .at(keyword.span, "")
                            .help("did you mean `existing`?")
                            .suggest(keyword.span, "existing", "write `existing`"),
                    );
                    existing = Some(keyword.span);
                    keyword = name;
                    continue;
                }
                self.give(
                    Diagnostic::error(QUOTES, format!("the label `{}` needs quotes", name.text))
                        .at(here, "")
                        .help(format!("write `{} \"{}\"`", keyword.text, name.text))
                        .suggest(here, format!("\"{}\"", name.text), "put the label in quotes"),
                );
                labels.push(name);
                continue;
            }
            let raw = part.as_str().get(1..part.as_str().len() - 1).unwrap_or_default().to_owned();
            let inside = Span { start: here.start + 1, end: here.end - 1, ..here };
            match self.operand(part) {
                Some((Expr { kind: ExprKind::Template(parts), span }, _)) => {
                    if let Some(text) = literal(&parts) {
                        labels.push(Name { text, span: inside });
                    } else {
                        if keyword.text != "stack" {
                            self.computed(&keyword, here);
                        }
                        computed_labels.push((labels.len(), Expr { span, kind: ExprKind::Template(parts) }));
                        labels.push(Name { text: raw, span: inside });
                    }
                }
                _ => labels.push(Name { text: raw, span: inside }),
            }
        }
        Block { existing, keyword, labels, computed_labels, body: Vec::new(), header, span }
    }

    /// A block at `start..end` of which only the first words can be read, if it has any.
    pub(crate) fn bare_block(&mut self, start: usize, end: usize) -> Option<Block> {
        let text = self.text.get(start..end)?;
        let words = text.get(..text.find(['{', '=', '\n']).unwrap_or(text.len()))?;
        let mut words = parts(Grammar::parse(Rule::header, words).ok()?.next()?);
        let first = words.next()?;
        let span = self.span_at(start, end);
        // its mistakes are not told: the block has one already
        let mut silent = Report::default();
        let mut builder = Builder { text, base: self.base + start, source: self.source, report: &mut silent };
        let keyword = builder.name(&first);
        let block = builder.header(keyword, words.collect(), span);
        (!block.labels.is_empty()).then_some(block)
    }

    fn computed(&mut self, keyword: &Name, label: Span) {
        self.give(
            Diagnostic::error(COMPUTED_LABEL, format!("the label of `{}` is not a fixed text", keyword.text))
                .at(label, "")
                .note("a label is how other blocks refer to this one, so it cannot depend on values; only `stack` may use variables in its label")
                .help("write a plain label and put the computed text into an attribute, e.g. `name`"),
        );
    }

    fn body(&mut self, pair: Pair<'_>, block: &mut Block) {
        let (start, end) = range(&pair);
        let place = Place { start: start + 1, end: end - 1 };
        let mut items: Vec<(usize, usize)> = Vec::new();
        let count = self.report.count();
        let mut joined_pairs = Vec::new();
        let mut before = None;
        for part in parts(pair) {
            let (start, end) = range(&part);
            let joined = items.last().copied().filter(|(_, last_end)| !self.line_break_between(*last_end, start));
            let broken = part.as_rule() == Rule::broken;
            if broken {
                self.broken(joined.map_or(start, |(first, _)| first), start, end, before);
            } else {
                if joined.is_some() {
                    joined_pairs.push((start, end));
                }
                block.body.extend(self.entry(part));
            }
            before = broken.then_some((start, end));
            items.push((joined.map_or(start, |(first, _)| first), end));
        }
        if self.report.count() == count {
            self.layout(&place, &items, &joined_pairs, block);
        }
    }

    /// Where braces and items may stand: all on one line with at most one attribute, or each on its own line.
    fn layout(&mut self, place: &Place, items: &[(usize, usize)], joined: &[(usize, usize)], block: &Block) {
        let (Some((first, _)), Some((_, last_end))) = (items.first(), items.last()) else { return };
        let opens_here = !self.line_break_between(place.start, *first);
        let closes_here = !self.line_break_between(*last_end, place.end);
        let help = format!(
            "write `{} {{`, then each attribute on its own line, then `}}` on its own line",
            self.written_header(block)
        );
        if opens_here && closes_here {
            if let Some((start, end)) = joined.first() {
                let span = self.span_at(*start, *end);
                self.give(
                    Diagnostic::error(BLOCK_LAYOUT, "a block on one line holds at most one attribute")
                        .at(span, "the second one")
                        .also(block.header, "of this block")
                        .help(help),
                );
                return;
            }
            if let Some(Item::Block(inner)) = block.body.first() {
                self.give(
                    Diagnostic::error(BLOCK_LAYOUT, "a block on one line holds at most one attribute, and no block")
                        .at(inner.header, "a block inside it")
                        .help(help),
                );
                return;
            }
        } else if opens_here {
            let span = self.span_at(*first, items.first().map_or(*first, |(_, end)| *end));
            self.give(
                Diagnostic::error(BLOCK_LAYOUT, "a block of several lines has nothing behind its `{`")
                    .at(span, "belongs on the next line")
                    .help(help),
            );
            return;
        }
        for (start, end) in joined {
            self.joined(*start, *end, "attributes are separated by new lines");
        }
        if closes_here && !opens_here && joined.is_empty() {
            let span = self.span_at(place.end, place.end + 1);
            self.give(
                Diagnostic::error(BLOCK_LAYOUT, "the `}` of a block of several lines stands on its own line")
                    .at(span, "belongs on the next line")
                    .help(help),
            );
        }
    }

    fn joined(&mut self, start: usize, end: usize, message: &str) {
        let span = self.span_at(start, end);
        let text = self.text.get(start..end).and_then(|text| text.lines().next()).unwrap_or_default();
        let word = text.split(|character: char| character.is_whitespace()).next().unwrap_or_default();
        self.give(
            Diagnostic::error(LINE_BREAK_EXPECTED, message.to_owned())
                .at(span, "still on the line of the one before")
                .help(format!("start a new line before `{word}`"))
                .suggest(self.span_at(start, start), "\n", "start a new line"),
        );
    }

    /// A line that cannot be read; `line` is where the first item on it starts.
    ///
    /// After a broken line, `before`, one that starts with `{` is the rest of the same mistake, and so is one after an
    /// operator.
    fn broken(&mut self, line: usize, start: usize, end: usize, before: Option<(usize, usize)>) {
        if let Some((before_start, before_end)) = before {
            let before = self.text.get(before_start..before_end).unwrap_or_default().trim_end();
            let here = self.text.get(start..end).unwrap_or_default();
            let unfinished = before.ends_with(CONTINUES) && !starts_item(here);
            if unfinished || here.starts_with('{') {
                self.report.keep_back();
                return;
            }
        }
        let diagnostic = explain::item(self.text, line, start, end, |start, end| self.span_at(start, end));
        self.report.give_unless_hidden(diagnostic, self.base + line, self.base + end);
    }

    fn written_header(&self, block: &Block) -> &str {
        let start = block.header.start as usize - self.base;
        let end = block.header.end as usize - self.base;
        self.text.get(start..end).unwrap_or("block")
    }

    /// Whether a line ends between two places. A comment of several lines does not end one.
    fn line_break_between(&self, start: usize, end: usize) -> bool {
        let mut rest = self.text.get(start..end).unwrap_or_default();
        while let Some(at) = rest.find(['\n', '#', '/']) {
            rest = rest.get(at..).unwrap_or_default();
            if rest.starts_with(['\n', '#']) || rest.starts_with("//") {
                return rest.contains('\n');
            }
            let passed = match rest.strip_prefix("/*") {
                Some(comment) => comment.find("*/").map_or(rest.len(), |close| close + 4),
                None => 1,
            };
            rest = rest.get(passed..).unwrap_or_default();
        }
        false
    }
}

/// Whether a broken line was nevertheless meant to be an attribute or a block.
fn starts_item(line: &str) -> bool {
    let word = line.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')).count();
    let rest = line.get(word..).unwrap_or_default().trim_start();
    word > 0 && (rest.starts_with(['{', '"']) || (rest.starts_with('=') && !rest.starts_with("==")))
}

fn range(pair: &Pair<'_>) -> (usize, usize) {
    let span = pair.as_span();
    (span.start(), span.end())
}

/// The text of a template without anything computed.
fn literal(parts: &[crate::ast::TemplatePart]) -> Option<String> {
    let mut text = String::new();
    for part in parts {
        match part {
            crate::ast::TemplatePart::Literal(literal) => text.push_str(literal),
            _ => return None,
        }
    }
    Some(text)
}
