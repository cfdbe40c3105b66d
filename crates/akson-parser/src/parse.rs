//! From a source to its tree: characters, regions, pest, building. Never panics and never overflows the stack: what
//! nests too deeply is refused before pest is asked.

use akson_diagnostics::{Diagnostic, Diagnostics, SourceId, SourceMap, Span};
use pest::Parser as _;
use pest::error::{Error, InputLocation};

use crate::ast::{Attribute, Expr, ExprKind, File, Item};
use crate::build::{Builder, quick};
use crate::codes::{OUTSIDE_BLOCK, UNEXPECTED};
use crate::grammar::{Grammar, Rule, parts};
use crate::limits::MAX_BYTES;
use crate::report::Report;
use crate::{characters, decode, explain, regions};

/// Reads a source. Every syntax error of it goes to `diagnostics`, one a mistake; blocks without any are in the file's
/// `blocks`, those with one in `broken`.
pub fn parse(sources: &SourceMap, id: SourceId, diagnostics: &mut Diagnostics) -> File {
    let mut file = File { source: id, blocks: Vec::new(), broken: Vec::new() };
    let Some((text, mut report)) = admit(sources, id, diagnostics) else { return file };
    items(text, id, &mut report, |report, item, sound| match item {
        Item::Block(block) if sound => file.blocks.push(*block),
        Item::Block(block) => file.broken.push(*block),
        Item::Attribute(attribute) => report.give(outside(&attribute)),
    });
    report.hand_over(diagnostics);
    file
}

/// Reads a source of lines `name = value`, e.g. a file of values for variables. All that could be read is returned,
/// also blocks, which the caller may refuse.
pub fn parse_values(sources: &SourceMap, id: SourceId, diagnostics: &mut Diagnostics) -> Vec<Item> {
    let Some((text, mut report)) = admit(sources, id, diagnostics) else { return Vec::new() };
    let mut all = Vec::new();
    items(text, id, &mut report, |_, item, _| all.push(item));
    report.hand_over(diagnostics);
    all
}

/// Hands over the top-level items of a text, each with whether it is sound.
fn items(text: &str, source: SourceId, report: &mut Report, mut take: impl FnMut(&mut Report, Item, bool)) {
    for mut region in regions::cut(text, source) {
        let faults = std::mem::take(&mut region.faults);
        let faulty = !faults.is_empty();
        for fault in faults {
            report.give(fault);
        }
        let base = region.start;
        let Some(part) = region.readable(text) else {
            let part = text.get(region.start..region.end).unwrap_or_default();
            let block = Builder { text: part, base, source, report }.bare_block(0, part.len());
            if let Some(block) = block {
                take(report, Item::Block(Box::new(block)), false);
            }
            continue;
        };
        if !faulty
            && !report.hides(region.start, region.end)
            && let Some(found) = quick::items(&part, base, source)
        {
            for item in found {
                take(report, item, true);
            }
            continue;
        }
        match Grammar::parse(Rule::file, &part) {
            Ok(mut pairs) => {
                let found = pairs.next().map(|pair| Builder { text: &part, base, source, report }.items(pair));
                for (item, sound) in found.into_iter().flatten() {
                    take(report, item, sound && !faulty);
                }
            }
            Err(error) if !faulty => report.give(unreadable(&error, source, base)),
            Err(_) => {}
        }
    }
}

fn outside(attribute: &Attribute) -> Diagnostic {
    let name = &attribute.name.text;
    Diagnostic::error(OUTSIDE_BLOCK, format!("`{name}` is set outside any block"))
        .at(attribute.name.span, "not inside a block")
        .help(if matches!(attribute.value.kind, ExprKind::Object(_)) {
            format!("a block is written without `=`: `{name} {{ … }}`; values to be used in several places stand in `locals {{ … }}`")
        } else {
            format!("move it into the block it belongs to; a value to be used in several places goes into `locals {{ {name} = … }}`")
        })
}

/// Reads a source that is one expression, e.g. a value of the command line. `None` if diagnostics were given.
pub fn parse_expression(sources: &SourceMap, id: SourceId, diagnostics: &mut Diagnostics) -> Option<Expr> {
    let (text, mut report) = admit(sources, id, diagnostics)?;
    if let Some(fault) = regions::unfit(text, id) {
        report.give_unless_hidden(fault, 0, text.len());
        report.hand_over(diagnostics);
        return None;
    }
    let mut builder = Builder { text, base: 0, source: id, report: &mut report };
    let expr = match Grammar::parse(Rule::expression, text) {
        Ok(mut pairs) => {
            pairs.next().and_then(|pair| parts(pair).next()).and_then(|pair| builder.lone_expression(pair))
        }
        Err(error) => {
            let explained = explain::expression(text, |start, end| Span::new(id, start, end));
            let diagnostic = explained.unwrap_or_else(|| unreadable(&error, id, 0));
            report.give_unless_hidden(diagnostic, 0, text.len());
            None
        }
    };
    let sound = report.count() == 0;
    report.hand_over(diagnostics);
    expr.filter(|_| sound)
}

/// What holds for any text: its size and its characters. `None` if it is not to be read.
fn admit<'s>(sources: &'s SourceMap, id: SourceId, diagnostics: &mut Diagnostics) -> Option<(&'s str, Report)> {
    let source = sources.get(id);
    let text = &*source.text;
    if text.len() > MAX_BYTES {
        diagnostics.push(decode::too_large(&source.name, text.len()).at(Span::new(id, 0, 0), ""));
        return None;
    }
    let hidden = characters::hidden(text);
    let mut report = Report::default();
    for found in &hidden {
        report.give(characters::describe(id, text, *found));
    }
    report.hidden = hidden;
    Some((text, report))
}

/// For a text that the scan let through and the grammar did not: nothing is known but the place.
fn unreadable(error: &Error<Rule>, source: SourceId, base: usize) -> Diagnostic {
    let at = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => base + at,
    };
    Diagnostic::error(UNEXPECTED, "this cannot be read").at(Span::new(source, at, at), "from here on")
}
