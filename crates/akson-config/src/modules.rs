//! Modules: folders of the configuration that `module` blocks stand for. Which there are, from the syntax alone: `modules/tree.rs`;
//! their instances and what is evaluated in each: `modules/run.rs`; references to their outputs: `modules/outputs.rs`. Nothing here
//! reads a folder: whoever does asks [`module_folders`] which, and hands the files over in [`crate::Inputs`].

pub(crate) mod outputs;
pub(crate) mod run;
pub(crate) mod tree;

use akson_diagnostics::Span;
use akson_parser::ast::{Block, Expr, ExprKind, File, TemplatePart};

/// The keyword of blocks that stand for a folder.
pub(crate) const MODULE: &str = "module";

/// What a `module` block has besides the variables of its folder.
pub(crate) const META: &[&str] = &["source", "for_each", "when", "after"];

/// The folders that the `module` blocks of files name, each with the place of its `source`.
///
/// `folder` is where the files lie, and the folders are relative to the configuration's: `modules/network`. A `source` that is
/// wrong in itself is left out; the evaluation reports it.
pub fn module_folders(files: &[File], folder: &str) -> Vec<(String, Span)> {
    files
        .iter()
        .flat_map(|file| &file.blocks)
        .filter(|block| block.keyword.text == MODULE)
        .filter_map(source_of)
        .filter_map(|(source, span)| Some((joined(folder, source)?, span)))
        .collect()
}

/// The folder that a `module` block in `folder` stands for.
pub(crate) fn folder_of(block: &Block, folder: &str) -> Option<String> {
    joined(folder, source_of(block)?.0)
}

/// The text of `source`, if it is a plain one.
fn source_of(block: &Block) -> Option<(&str, Span)> {
    let value = &block.attribute("source")?.value;
    Some((plain_text(value)?, value.span))
}

fn plain_text(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Template(parts) => match parts.as_slice() {
            [] => Some(""),
            [TemplatePart::Literal(text)] => Some(text),
            _ => None,
        },
        ExprKind::Parens(inner) => plain_text(inner),
        _ => None,
    }
}

/// A path relative to `folder` as one relative to the configuration's; none if it is not a local one, or leads out.
pub(crate) fn joined(folder: &str, path: &str) -> Option<String> {
    let local = matches!(path, "." | "..") || path.starts_with("./") || path.starts_with("../");
    if !local {
        return None;
    }
    below(folder, path)
}

/// As `joined`, for a path that need not begin with a dot.
pub(crate) fn below(folder: &str, path: &str) -> Option<String> {
    if path.contains('\\') || path.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// A module that an expression names: `module.x`, or `module.x[key]`.
pub(crate) fn named(expr: &Expr) -> Option<(&akson_parser::ast::Name, Option<&Expr>)> {
    match &expr.kind {
        ExprKind::Field(base, name) if matches!(&base.kind, ExprKind::Word(root) if root.text == MODULE) => {
            Some((name, None))
        }
        ExprKind::Index(base, key) => match named(base) {
            Some((name, None)) => Some((name, Some(&**key))),
            _ => None,
        },
        ExprKind::Parens(inner) => named(inner),
        _ => None,
    }
}
