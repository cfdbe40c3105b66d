//! Annotated source for people. The only file that knows the drawing library, so that it could be another one.
//!
//! Everything that comes from outside, source lines too, is made safe before it is drawn: the only escape
//! sequences in the result are the colours.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Patch, Renderer, Snippet};

use super::{Options, summary};
use crate::text::{character_code, is_command, is_unsafe};
use crate::{Diagnostic, Diagnostics, Label, SafeText, Severity, Source, SourceId, SourceMap, Span, codes};

/// The diagnostics with a blank line between them, then how many there were.
pub(super) fn render(diagnostics: &Diagnostics, sources: &SourceMap, options: &Options) -> String {
    let mut list = diagnostics.sorted();
    if list.is_empty() {
        return String::new();
    }
    let hidden = list.len().saturating_sub(options.limit);
    if hidden > 0 {
        // What is cut off must not be the errors.
        list.sort_by_key(|diagnostic| diagnostic.severity);
        list.truncate(options.limit);
    }
    let renderer = if options.color { Renderer::styled() } else { Renderer::plain() }.term_width(options.width.max(40));
    let mut parts: Vec<String> =
        list.iter().map(|diagnostic| renderer.render(&groups(diagnostic, sources)) + "\n").collect();
    let mut footer = Vec::new();
    if hidden > 0 {
        footer.push(format!("and {hidden} more, not shown"));
    }
    if let Some(code) = list.iter().map(|diagnostic| diagnostic.code).find(|code| codes::page(*code).is_some()) {
        footer.push(format!("`akson explain {code}` says more about a code"));
    }
    footer.push(summary(diagnostics));
    if options.footer {
        parts.push(footer.join("\n") + "\n");
    }
    parts.join("\n")
}

fn groups<'a>(diagnostic: &Diagnostic, sources: &'a SourceMap) -> Vec<Group<'a>> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(safe(&diagnostic.message)).id(diagnostic.code.to_string());
    let mut group = Group::with_title(title);
    if let (true, Some(address)) = (diagnostic.labels.is_empty(), &diagnostic.address) {
        group = group.element(Origin::path(safe(address)));
    }
    for source in sources_of(diagnostic) {
        let labels: Vec<&Label> = diagnostic.labels.iter().filter(|label| label.span.source == source).collect();
        group = group.element(snippet(sources.get(source), &labels));
    }
    // The source shows the block; which of its instances is meant it cannot show.
    let instance = diagnostic.address.as_ref().filter(|address| !diagnostic.labels.is_empty() && address.contains('['));
    if let Some(address) = instance {
        group = group.element(Level::NOTE.message(format!("this is about `{}`", safe(address))));
    }
    for note in &diagnostic.notes {
        group = group.element(Level::NOTE.message(safe(note)));
    }
    let told = |help: &&String| !diagnostic.suggestions.iter().any(|suggestion| suggestion.text == **help);
    if let Some(help) = diagnostic.help.as_ref().filter(told) {
        group = group.element(Level::HELP.message(safe(help)));
    }
    let mut groups = vec![group];
    for suggestion in &diagnostic.suggestions {
        let source = sources.get(suggestion.span.source);
        let window = Window::around(source, &[suggestion.span]);
        let patches = window.ranges.iter().map(|range| Patch::new(range.clone(), safe(&suggestion.replacement)));
        let snippet = Snippet::source(window.text).line_start(window.line).path(safe(&source.name)).patches(patches);
        groups.push(Level::HELP.secondary_title(safe(&suggestion.text)).element(snippet));
    }
    groups
}

/// The sources that a diagnostic points into, that of the primary place first.
fn sources_of(diagnostic: &Diagnostic) -> Vec<SourceId> {
    let mut ids: Vec<SourceId> = diagnostic.primary().map(|span| span.source).into_iter().collect();
    for label in &diagnostic.labels {
        if !ids.contains(&label.span.source) {
            ids.push(label.span.source);
        }
    }
    ids
}

fn snippet<'a>(source: &'a Source, labels: &[&Label]) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let spans: Vec<Span> = labels.iter().map(|label| label.span).collect();
    let window = Window::around(source, &spans);
    let annotations = labels.iter().zip(window.ranges).map(|(label, range)| {
        let kind = if label.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
        let text = (!label.text.is_empty()).then(|| safe(&label.text));
        kind.span(range).label(text)
    });
    Snippet::source(window.text).line_start(window.line).path(safe(&source.name)).annotations(annotations)
}

fn safe(text: &str) -> String {
    SafeText(text).to_string()
}

/// The lines that some spans touch, made safe, and the spans as byte ranges in them. The drawing library scans
/// all it is given, and files may be large.
struct Window {
    text: String,
    /// The number of its first line.
    line: usize,
    /// The spans, in the order they were given.
    ranges: Vec<Range<usize>>,
}

impl Window {
    fn around(source: &Source, spans: &[Span]) -> Self {
        let bounds = |span: &Span| {
            let (start, end) = (boundary(&source.text, span.start), boundary(&source.text, span.end));
            start..end.max(start)
        };
        let first = spans.iter().map(|span| source.line_column(span.start).line).min().unwrap_or(1);
        let last = spans.iter().map(|span| source.line_column(span.end).line).max().unwrap_or(1);
        let (start, end) = (source.line_range(first).start, source.line_range(last).end);
        let mut offsets: Vec<usize> = spans.iter().map(bounds).flat_map(|range| [range.start, range.end]).collect();
        for offset in &mut offsets {
            *offset -= start.min(*offset);
        }
        let text = make_safe(source.text.get(start..end).unwrap_or(""), &mut offsets);
        let ranges = offsets.chunks_exact(2).map(|pair| pair[0]..pair[1]).collect();
        Self { text, line: first, ranges }
    }
}

/// The last character boundary at or before an offset.
fn boundary(text: &str, offset: u32) -> usize {
    let mut at = (offset as usize).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Source text with what is unsafe written as `\u{..}` and line ends as line feeds; the offsets are moved along.
fn make_safe(text: &str, offsets: &mut [usize]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut moved = offsets.to_vec();
    for (at, character) in text.char_indices() {
        let before = out.len();
        if character == '\r' && text[at..].starts_with("\r\n") {
            // The line feed that follows is the line end.
        } else if is_unsafe(character) || is_command(text, at) {
            out.push_str(&character_code(character));
        } else {
            out.push(character);
        }
        let after = at + character.len_utf8();
        let grown = out.len() - before;
        for (offset, new) in offsets.iter().zip(&mut moved) {
            if *offset >= after {
                *new = *new + grown - character.len_utf8();
            }
        }
    }
    offsets.copy_from_slice(&moved);
    out
}
