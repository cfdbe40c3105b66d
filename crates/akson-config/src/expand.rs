//! Intents as the blocks that they stand for: source text that is legal, and means the same resources. Not the printing of expressions:
//! that is the parser's; not the canonical form: the caller formats.

mod rewrite;
mod written;

use std::collections::{BTreeSet, HashSet};

use akson_catalog::Catalog;
use akson_diagnostics::{Diagnostics, SourceMap, Span};
use akson_parser::{
    ast::{Block, Expr, ExprKind, File},
    print_block, print_expression,
};

use crate::{
    evaluate::{evaluate_all, in_order},
    model::Inputs,
    names::{Names, WORKLOAD},
    sink::Sink,
    workload::{Expansion, make::Make},
};
use written::Written;

/// A file of the configuration, its intents expanded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expanded {
    /// The file's name.
    pub name: String,
    /// Its text, not in canonical form.
    pub text: String,
}

/// Why there is nothing to print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpandError {
    /// The configuration has errors, which were reported.
    Wrong,
    /// There is no block of this address. What there is.
    NoSuchBlock(Vec<String>),
}

/// The kinds whose labels the parts take.
const PARTS: &[&str] =
    &["identity", "federated_credential", "namespace", "service_account", "grant", "secret_provider_class"];

/// Expands the intents of a configuration, or with `only` prints one block: what it expands to, or the block itself.
///
/// # Errors
/// If the configuration has errors, or has no block of that address.
pub fn expand(
    files: &[File],
    sources: &SourceMap,
    catalog: &Catalog,
    inputs: &Inputs,
    only: Option<&str>,
    diagnostics: &mut Diagnostics,
) -> Result<Vec<Expanded>, ExpandError> {
    let (_, expansions) = evaluate_all(files, sources, catalog, inputs, diagnostics);
    if diagnostics.has_errors() {
        return Err(ExpandError::Wrong);
    }
    let files = in_order(files, sources);
    let blocks: Vec<&Block> = files.iter().flat_map(|file| &file.blocks).collect();
    // What is declared was reported by the evaluation.
    let mut silent = Diagnostics::new();
    let names = Names::collect(&blocks, &[], catalog, &mut Sink::new(&mut silent));
    let writer = Writer { written: labelled(&expansions, &names), sources };
    if let Some(address) = only {
        let found = blocks.iter().find(|block| address_of(block).as_deref() == Some(address));
        let Some(block) = found else {
            return Err(ExpandError::NoSuchBlock(blocks.iter().filter_map(|block| address_of(block)).collect()));
        };
        let (text, wholes) = writer.block(block);
        let text = wholes.into_iter().fold(text, |text, whole| text + "\n" + &writer.whole(whole));
        return Ok(vec![Expanded { name: sources.get(block.span.source).name.clone(), text }]);
    }
    // Where a workload is referred to as a whole is known once all blocks are written.
    let mut wholes = BTreeSet::new();
    let pieces: Vec<Vec<(Span, String)>> = files
        .iter()
        .map(|file| {
            file.blocks
                .iter()
                .map(|block| {
                    let (text, used) = writer.block(block);
                    wholes.extend(used);
                    (block.span, text)
                })
                .collect()
        })
        .collect();
    // What stands for one as a whole may refer to others so.
    let mut open: Vec<usize> = wholes.iter().copied().collect();
    while let Some(at) = open.pop() {
        for used in writer.used_by_whole(at) {
            if wholes.insert(used) {
                open.push(used);
            }
        }
    }
    Ok(files
        .iter()
        .zip(pieces)
        .map(|(file, pieces)| {
            let source = sources.get(file.source);
            let mut text = String::with_capacity(source.text.len() * 2);
            let mut done = 0;
            for (span, piece) in pieces {
                text.push_str(source.text.get(done..span.start as usize).unwrap_or_default());
                text.push_str(piece.trim_end());
                done = span.end as usize;
            }
            text.push_str(source.text.get(done..).unwrap_or_default());
            for at in &wholes {
                if writer.written.get(*at).is_some_and(|written| written.block.span.source == file.source) {
                    text.push('\n');
                    text.push_str(&writer.whole(*at));
                }
            }
            Expanded { name: source.name.clone(), text }
        })
        .collect())
}

fn address_of(block: &Block) -> Option<String> {
    match block.keyword.text.as_str() {
        "locals" => None,
        "stack" => Some("stack".to_owned()),
        keyword => Some(format!("{keyword}.{}", block.labels.last()?.text)),
    }
}

/// The workloads with labels for their parts that nothing else has.
fn labelled<'w>(expansions: &'w [Expansion], names: &Names<'w>) -> Vec<Written<'w>> {
    let mut taken: HashSet<String> = HashSet::new();
    let mut found = Vec::new();
    for expansion in expansions {
        let Some(declared) = names.resources.get(expansion.at) else { continue };
        let labels = |label: &str| {
            let mounts = expansion.parts.iter().filter_map(|part| part.key.as_ref());
            let mut all: Vec<String> = mounts.map(|key| format!("{label}_{key}")).collect();
            all.extend(expansion.namespaces.iter().map(|(name, _)| label_of_namespace(expansion, label, name)));
            all.push(label.to_owned());
            all
        };
        let free = |label: &String| {
            labels(label)
                .iter()
                .all(|label| !taken.contains(label) && PARTS.iter().all(|kind| names.find(kind, label).is_none()))
        };
        let own = declared.name.to_owned();
        let others = (1..).map(|number| match number {
            1 => format!("{own}_workload"),
            _ => format!("{own}_workload{number}"),
        });
        let label = std::iter::once(own.clone()).chain(others).find(free).unwrap_or(own);
        taken.extend(labels(&label));
        let mut local = format!("{WORKLOAD}_{}", declared.name);
        while names.locals.contains_key(local.as_str()) {
            local.push('_');
        }
        found.push(Written { expansion, block: declared.block, label, local });
    }
    found
}

/// The label of a namespace that a workload brings: its own, or with the name if it brings several.
fn label_of_namespace(expansion: &Expansion, label: &str, name: &str) -> String {
    if expansion.namespaces.len() == 1 { label.to_owned() } else { format!("{label}_{}", name.replace('-', "_")) }
}

struct Writer<'w> {
    written: Vec<Written<'w>>,
    sources: &'w SourceMap,
}

impl Writer<'_> {
    /// A block as text, its references to workloads written as what they stand for; and which workloads it refers to as a whole.
    fn block(&self, block: &Block) -> (String, BTreeSet<usize>) {
        let mut wholes = BTreeSet::new();
        if let Some(written) = self.written.iter().find(|written| written.block.span == block.span) {
            let blocks = written.blocks();
            if blocks.is_empty() {
                let label = block.labels.last().map_or("", |label| &label.text);
                return (format!("# {WORKLOAD}.{label}: left out by its conditions\n"), wholes);
            }
            let texts: Vec<String> = blocks
                .iter()
                .map(|block| print_block(&rewrite::block(block, &mut |expr| self.reference(expr, &mut wholes))))
                .collect();
            return (texts.join("\n"), wholes);
        }
        // The author's own text, but for the references.
        let mut edits: Vec<(Span, String)> = Vec::new();
        rewrite::block(block, &mut |expr| {
            let new = self.reference(expr, &mut wholes)?;
            edits.push((expr.span, print_expression(&new)));
            Some(new)
        });
        edits.sort_by_key(|(span, _)| *span);
        let mut text = String::new();
        let source = &self.sources.get(block.span.source).text;
        let mut done = block.span.start as usize;
        for (span, new) in edits {
            text.push_str(source.get(done..span.start as usize).unwrap_or_default());
            text.push_str(&new);
            done = span.end as usize;
        }
        text.push_str(source.get(done..block.span.end as usize).unwrap_or_default());
        text.push('\n');
        (text, wholes)
    }

    /// The `locals` block of a workload as a whole.
    fn whole(&self, at: usize) -> String {
        self.written.get(at).map_or_else(String::new, |written| {
            let mut others = BTreeSet::new();
            print_block(&rewrite::block(&written.whole(), &mut |expr| self.reference(expr, &mut others)))
        })
    }

    fn used_by_whole(&self, at: usize) -> BTreeSet<usize> {
        let mut used = BTreeSet::new();
        if let Some(written) = self.written.get(at) {
            rewrite::block(&written.whole(), &mut |expr| self.reference(expr, &mut used));
        }
        used
    }

    /// What stands for a reference to a workload.
    fn reference(&self, expr: &Expr, wholes: &mut BTreeSet<usize>) -> Option<Expr> {
        if let ExprKind::Field(base, member) = &expr.kind {
            let (name, key) = match &base.kind {
                ExprKind::Index(base, key) => (root(base), Some(&**key)),
                _ => (root(base), None),
            };
            if let Some((_, written)) = name.and_then(|name| self.find(name)) {
                let key = key.map(|key| rewrite::expr(key, &mut |expr| self.reference(expr, wholes)));
                if let Some(found) = written.member(key.as_ref(), &member.text) {
                    // A shared identity may itself be a reference to a workload.
                    return Some(rewrite::expr(&found, &mut |expr| self.reference(expr, wholes)));
                }
            }
        }
        let (at, written) = self.find(root(expr)?)?;
        wholes.insert(at);
        let make = Make { span: expr.span };
        Some(make.member(&make.word("local"), &written.local))
    }

    fn find(&self, name: &str) -> Option<(usize, &Written<'_>)> {
        let named = |written: &Written<'_>| written.block.labels.last().is_some_and(|label| label.text == name);
        self.written.iter().enumerate().find(|(_, written)| named(written))
    }
}

/// The name of `workload.name`.
fn root(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Field(base, name) if matches!(&base.kind, ExprKind::Word(root) if root.text == WORKLOAD) => {
            Some(&name.text)
        }
        _ => None,
    }
}
