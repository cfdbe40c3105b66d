//! `tolerate "attribute" { because = … until = … }` in a resource block: which differences are left as they are for now. What it says is
//! read here and is plain text; whether its time is over is asked by whoever knows the day.

use std::collections::BTreeMap;

use akson_catalog::{Attribute, Kind, Type, equality::Equality};
use akson_diagnostics::{Diagnostic, Diagnostics, Span, did_you_mean};
use akson_parser::ast::{Block, Item, Name};
use indexmap::IndexMap;

use super::body::plain_block;
use crate::{
    codes,
    eval::{Evaluator, Want},
    model::{Day, Resource, Tolerance},
    sink::Sink,
    val::{Val, quoted},
    variables::constant,
};

/// The block's keyword.
pub(crate) const TOLERATE: &str = "tolerate";

impl Evaluator<'_> {
    /// What a resource block tolerates; what is wrong with it is reported and left out.
    pub(super) fn tolerated(&mut self, kind: &Kind, title: &str, block: &Block) -> Vec<Tolerance> {
        let mut found: Vec<Tolerance> = Vec::new();
        for item in &block.body {
            let Item::Block(inner) = item else { continue };
            if inner.keyword.text != TOLERATE {
                continue;
            }
            if block.existing.is_some() {
                self.sink.report(
                    Diagnostic::error(
                        codes::META,
                        "nothing of an existing resource is ours, so nothing is to tolerate",
                    )
                    .at(inner.header, "")
                    .help("remove the block"),
                );
                continue;
            }
            let Some(one) = self.tolerance(kind, title, inner) else { continue };
            match found.iter().find(|other| other.path == one.path) {
                Some(first) => self.sink.report(
                    Diagnostic::error(codes::DUPLICATE_ATTRIBUTE, format!("`{}` is tolerated twice", one.attribute))
                        .at(one.span, "again here")
                        .also(first.span, "first here")
                        .help("remove one of them"),
                ),
                None => found.push(one),
            }
        }
        found
    }

    fn tolerance(&mut self, kind: &Kind, title: &str, block: &Block) -> Option<Tolerance> {
        let parts = plain_block(&mut self.sink, block, &["because", "until"], &[], &["because", "until"]);
        let because = parts.get("because").and_then(|expr| {
            let because = self.words(expr)?;
            if because.trim().is_empty() {
                self.sink.report(
                    Diagnostic::error(codes::TOLERANCE, "a tolerated difference needs a reason")
                        .at(expr.span, "it is empty")
                        .help("say why, and who will end it: `because = \"OPS-77: finance renames it\"`"),
                );
                return None;
            }
            Some(because)
        });
        let until = parts.get("until").and_then(|expr| {
            let until = self.words(expr)?;
            let day = Day::parse(&until);
            if day.is_none() {
                self.sink.report(
                    Diagnostic::error(codes::TOLERANCE, format!("`{until}` is no day"))
                        .at(expr.span, "")
                        .note("it is the last day on which the difference is tolerated, in UTC")
                        .help("write year, month and day: `until = \"2026-12-31\"`"),
                );
            }
            day
        });
        let label = self.what(block)?;
        let path = resolve(&mut self.sink, kind, title, label)?;
        let attribute = label.text.replace("\\\"", "\"");
        Some(Tolerance { attribute, path, because: because?, until: until?, span: label.span })
    }

    /// A text that is written out.
    fn words(&mut self, expr: &akson_parser::ast::Expr) -> Option<String> {
        let scope = constant("what a block tolerates");
        match self.eval(expr, Want::Of(&Type::String, None), &scope).plain() {
            Val::Text(text) => Some(text.to_string()),
            _ => None,
        }
    }

    fn what<'b>(&mut self, block: &'b Block) -> Option<&'b Name> {
        let [label] = block.labels.as_slice() else {
            let span = block.labels.get(1).map_or(block.header, |second| second.span);
            self.sink.report(
                Diagnostic::error(codes::LABELS, format!("`{TOLERATE}` takes one label: the attribute"))
                    .at(span, "")
                    .help(format!("write `{TOLERATE} \"tags\" {{ … }}`")),
            );
            return None;
        };
        Some(label)
    }
}

/// The steps of a path, if the kind has such an attribute.
fn resolve(sink: &mut Sink<'_>, kind: &Kind, title: &str, label: &Name) -> Option<Vec<String>> {
    let unknown = |sink: &mut Sink<'_>, what: &str, near: Option<String>, help: String| {
        let diagnostic = Diagnostic::error(codes::UNKNOWN_ATTRIBUTE, format!("`{title}` has no attribute `{what}`"))
            .at(label.span, "");
        sink.report(match near {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")).suggest(
                label.span,
                near.clone(),
                format!("write `{near}`"),
            ),
            None => diagnostic.help(help),
        });
    };
    let text = label.text.replace("\\\"", "\"");
    let Some(path) = Tolerance::steps(&text).filter(|path| !path.is_empty()) else {
        let help = "write the path as a plan shows it: `tags`, `tags.cost`, `network.default_action`".to_owned();
        unknown(sink, &text, None, help);
        return None;
    };
    let mut known: &IndexMap<String, Attribute> = &kind.attributes;
    let mut steps = path.iter();
    let mut said: Vec<&str> = Vec::new();
    while let Some(step) = steps.next() {
        let Some(attribute) = known.get(step) else {
            let near = did_you_mean(step, known.keys().map(String::as_str));
            let near = near.map(|near| said.iter().copied().chain([near]).collect::<Vec<_>>().join("."));
            let what = said.iter().copied().chain([step.as_str()]).collect::<Vec<_>>().join(".");
            let help = if known.is_empty() {
                format!("`{}` is one value: tolerate it as a whole", said.join("."))
            } else {
                format!("it has {}", quoted(known.keys().map(String::as_str)))
            };
            unknown(sink, &what, near, help);
            return None;
        };
        said.push(step);
        if attribute.keyed.is_some() {
            said.extend(steps.next().map(String::as_str));
        }
        // Keys of a map and items of a set of edges are the author's.
        if matches!(attribute.of, Type::Map(_) | Type::Any) || attribute.equality == Equality::Edges {
            break;
        }
        known = &attribute.fields;
    }
    Some(path)
}

/// Reports what is tolerated and not written by any instance of its block: what is not written is not ours, and is never compared.
pub(crate) fn check(resources: &[Resource], found: &mut Diagnostics) {
    let mut unmet: BTreeMap<Span, (&Tolerance, &Resource)> = BTreeMap::new();
    let mut met: Vec<Span> = Vec::new();
    for resource in resources {
        for tolerance in &resource.tolerated {
            let compared =
                |leaf: &akson_catalog::encode::Leaf| !leaf.on_create_only && tolerance.covers(&leaf.attribute);
            if resource.leaves.iter().any(compared) {
                met.push(tolerance.span);
            } else {
                unmet.entry(tolerance.span).or_insert((tolerance, resource));
            }
        }
    }
    for span in met {
        unmet.remove(&span);
    }
    for (span, (tolerance, resource)) in unmet {
        let path = &tolerance.attribute;
        let decides = resource.attributes.iter().any(|(written, ..)| written == path);
        let diagnostic = if decides {
            Diagnostic::error(codes::NOTHING_TO_TOLERATE, format!("`{path}` cannot come to differ"))
                .note("it says which object this is, or is sent once and not compared afterwards")
        } else {
            Diagnostic::error(codes::NOTHING_TO_TOLERATE, format!("`{path}` is not written in this block"))
                .note("what is not written is not ours: it is never compared and never changed")
        };
        found.push(diagnostic.at(span, "").on(resource.address.to_string()).help("remove the `tolerate` block"));
    }
}
