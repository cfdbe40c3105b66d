//! The parser that pest makes from `grammar/aks.pest`. Not the building of trees: see `build`.
#![allow(missing_docs, reason = "the rules are described in the grammar file")]

use pest_derive::Parser;

#[derive(Parser)]
#[grammar = "../../grammar/aks.pest"]
pub(crate) struct Grammar;

/// A matched rule.
pub(crate) type Pair<'i> = pest::iterators::Pair<'i, Rule>;

/// The parts of a pair without the comments between them.
pub(crate) fn parts(pair: Pair<'_>) -> impl Iterator<Item = Pair<'_>> {
    pair.into_inner().filter(|part| !matches!(part.as_rule(), Rule::line_comment | Rule::block_comment))
}
