//! The tree of modules: each `module` block with the declarations of its folder. From the syntax alone; how many instances a block
//! has is not known here.

use std::collections::BTreeMap;

use akson_catalog::Catalog;
use akson_diagnostics::{Diagnostic, Diagnostics, SourceMap};
use akson_parser::ast::{Block, File};

use super::{META, joined, source_of};
use crate::{codes, evaluate::in_order, model::Inputs, names::Names, sink::Sink};

/// More than any honest configuration has: `module` blocks in `module` blocks multiply.
const MOST: usize = 2_000;
const DEEPEST: usize = 32;

/// The root and every module below it.
pub(crate) struct Tree<'a> {
    /// The root first, then in the order of the source, each before what is in it.
    pub scopes: Vec<Module<'a>>,
}

/// The declarations of one folder as one `module` block has them.
pub(crate) struct Module<'a> {
    pub names: Names<'a>,
    /// Its folder, relative to the configuration's; empty at the root.
    pub folder: String,
    /// The module that it is declared in, and its block; none at the root.
    pub caller: Option<(usize, &'a Block)>,
    /// Its modules by label; none where the folder could not be had, which was reported.
    pub children: BTreeMap<&'a str, Option<usize>>,
    depth: usize,
}

impl<'a> Tree<'a> {
    /// Collects all declarations. `found` are the diagnostics of the parser: a file that could not be read may hold any name.
    pub(crate) fn build(
        root: &'a [File],
        sources: &SourceMap,
        catalog: &Catalog,
        inputs: &'a Inputs,
        read: &Diagnostics,
        sink: &mut Sink<'_>,
    ) -> Self {
        let mut tree = Tree { scopes: Vec::new() };
        let first = module(root, String::new(), None, 0, sources, catalog, read, sink);
        tree.scopes.push(first);
        let mut open = vec![0];
        while let Some(at) = open.pop() {
            let Some(scope) = tree.scopes.get(at) else { continue };
            let mut blocks: Vec<(&'a str, &'a Block)> =
                scope.names.modules.iter().map(|(name, block)| (*name, *block)).collect();
            blocks.sort_by_key(|(_, block)| (sources.get(block.header.source).name.clone(), block.header.start));
            let mut added = Vec::new();
            for (name, block) in blocks {
                let child = tree.child(at, block, sources, catalog, inputs, read, sink);
                added.extend(child);
                if let Some(scope) = tree.scopes.get_mut(at) {
                    scope.children.insert(name, child);
                }
            }
            open.extend(added.into_iter().rev());
        }
        tree
    }

    #[expect(clippy::too_many_arguments, reason = "what `build` was given")]
    fn child(
        &mut self,
        at: usize,
        block: &'a Block,
        sources: &SourceMap,
        catalog: &Catalog,
        inputs: &'a Inputs,
        read: &Diagnostics,
        sink: &mut Sink<'_>,
    ) -> Option<usize> {
        let scope = self.scopes.get(at)?;
        let folder = folder_of(&scope.folder, block, sink)?;
        if self.goes_round(at, &folder, block, sink) {
            return None;
        }
        let depth = scope.depth + 1;
        if self.scopes.len() >= MOST || depth > DEEPEST {
            let note = format!("the limits are {MOST} modules and {DEEPEST} levels");
            sink.limit(block.header, "this configuration has too many modules in modules", &note);
            return None;
        }
        let Some(files) = inputs.modules.get(&folder) else {
            let span = source_of(block).map_or(block.header, |(_, span)| span);
            sink.report(
                Diagnostic::error(codes::MODULE_SOURCE, format!("there are no `.aks` files in the folder `{folder}`"))
                    .at(span, "")
                    .note("a module is a folder of `.aks` files below the configuration's own")
                    .help("name such a folder, relative to the one that this file is in"),
            );
            return None;
        };
        if files.is_empty() {
            return None;
        }
        let child = module(files, folder, Some((at, block)), depth, sources, catalog, read, sink);
        refuse(&child, sink);
        self.scopes.push(child);
        Some(self.scopes.len() - 1)
    }

    /// Whether a folder is one that the module itself is in, which is reported with the way round.
    fn goes_round(&self, at: usize, folder: &str, block: &Block, sink: &mut Sink<'_>) -> bool {
        let mut way = Vec::new();
        let mut place = Some(at);
        while let Some(scope) = place.and_then(|at| self.scopes.get(at)) {
            way.push(scope);
            if scope.folder == folder {
                let called = |block: &Block| source_of(block).map_or(block.header, |(_, span)| span);
                let shown = |folder: &str| {
                    if folder.is_empty() { "the configuration's folder".to_owned() } else { format!("`{folder}`") }
                };
                let mut path: Vec<String> = way.iter().rev().map(|scope| shown(&scope.folder)).collect();
                path.push(shown(folder));
                let mut diagnostic = Diagnostic::error(
                    codes::MODULE_CYCLE,
                    format!("modules go round in a circle: {}", path.join(" → ")),
                )
                .at(called(block), format!("{} is a part of itself", shown(folder)));
                for scope in way.iter().rev().skip(1) {
                    if let Some((_, block)) = scope.caller {
                        diagnostic = diagnostic.also(called(block), "on the way");
                    }
                }
                sink.report(diagnostic.help("remove one of these `module` blocks"));
                return true;
            }
            place = scope.caller.map(|(at, _)| at);
        }
        false
    }

    /// How a module is called: `module.a.module.b.`, empty at the root.
    pub(crate) fn prefix(&self, scope: usize) -> String {
        let mut labels = Vec::new();
        let mut place = self.scopes.get(scope);
        while let Some((at, block)) = place.and_then(|scope| scope.caller) {
            labels.push(block.labels.last().map_or("", |label| label.text.as_str()));
            place = self.scopes.get(at);
        }
        labels.iter().rev().map(|label| format!("module.{label}.")).collect()
    }

    /// The module that a block of a scope stands for.
    pub(crate) fn called(&self, scope: usize, name: &str) -> Option<usize> {
        self.scopes.get(scope)?.children.get(name).copied().flatten()
    }
}

#[expect(clippy::too_many_arguments, reason = "what a module is, and what it is read with")]
fn module<'a>(
    files: &'a [File],
    folder: String,
    caller: Option<(usize, &'a Block)>,
    depth: usize,
    sources: &SourceMap,
    catalog: &Catalog,
    read: &Diagnostics,
    sink: &mut Sink<'_>,
) -> Module<'a> {
    let files = in_order(files, sources);
    sink.incomplete |= files.iter().any(|file| {
        file.blocks.is_empty()
            && file.broken.is_empty()
            && read.iter().any(|diagnostic| diagnostic.primary().is_some_and(|span| span.source == file.source))
    });
    let blocks: Vec<&Block> = files.iter().flat_map(|file| &file.blocks).collect();
    let broken: Vec<&Block> = files.iter().flat_map(|file| &file.broken).collect();
    Module { names: Names::collect(&blocks, &broken, catalog, sink), folder, caller, children: BTreeMap::new(), depth }
}

/// The folder that `source` names, relative to the configuration's.
fn folder_of(folder: &str, block: &Block, sink: &mut Sink<'_>) -> Option<String> {
    const HOW: &str = "write the path of a folder, as `source = \"./modules/network\"`";
    let Some(attribute) = block.attribute("source") else {
        sink.report(
            Diagnostic::error(codes::MISSING_ATTRIBUTES, "`module` lacks `source`").at(block.header, "").help(HOW),
        );
        return None;
    };
    let span = attribute.value.span;
    let refuse = |text: String| Diagnostic::error(codes::MODULE_SOURCE, text).at(span, "");
    let Some((source, _)) = source_of(block) else {
        sink.report(
            refuse("the source of a module is plain text".to_owned())
                .note("which files there are is known before anything is computed")
                .help(HOW),
        );
        return None;
    };
    if let Some(folder) = joined(folder, source) {
        return Some(folder);
    }
    let leaves = source.starts_with("../") || source == ".." || source.starts_with("./");
    sink.report(if leaves {
        refuse(format!("`{source}` leads out of the configuration's folder"))
            .note(
                "a configuration reads nothing but what is in its folder: the same files give the same plan everywhere",
            )
            .help("move the module into the folder; what differs between stacks of one folder is given by variables")
    } else {
        let diagnostic = refuse(format!("`{source}` is no folder of this configuration"))
            .note("modules are local folders: none is fetched from anywhere");
        match source {
            "" => diagnostic.help(HOW),
            source if source.contains("://") || source.starts_with(['/', '~']) || source.contains(['\\', ':']) => {
                diagnostic.help("copy the module into the configuration's folder, and name it as `./modules/name`")
            }
            source => diagnostic.help(format!("a local folder begins with `./`: write `\"./{source}\"`")).suggest(
                span,
                format!("\"./{source}\""),
                format!("write `\"./{source}\"`"),
            ),
        }
    });
    None
}

/// Reports what a module may not declare.
fn refuse(module: &Module<'_>, sink: &mut Sink<'_>) {
    for stack in &module.names.stacks {
        sink.report(
            Diagnostic::error(codes::NOT_IN_MODULE, "a module has no `stack` block")
                .at(stack.header, "")
                .note("what a module declares belongs to the stack of the configuration that uses it")
                .help("remove the block; what the module needs of the stack is given to it by variables"),
        );
    }
    for (name, block) in &module.names.variables {
        if META.contains(name) {
            sink.report(
                Diagnostic::error(codes::NOT_IN_MODULE, format!("a variable of a module cannot be called `{name}`"))
                    .at(block.header, "")
                    .note(format!("`{name}` has a meaning of its own in a `module` block"))
                    .help("give the variable another name"),
            );
        }
    }
}
