//! Live objects as source text: a configuration that declares them as they are, so that its plan adopts them and changes nothing.
//! Not the reading of objects from Azure or from files: that is the caller's.

mod fold;
mod known;
mod labels;
mod objects;
mod read;
mod rules;
mod stack;
mod workloads;
mod write;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use akson_catalog::Catalog;
use akson_diagnostics::{SourceMap, Span};
use akson_parser::print_block;
use serde_json::Value as Json;

pub(crate) use known::Known;
pub use objects::{kind_of, spread};
pub use read::{Reading, Unsaid, Written, flatten};

/// What is known beside the objects.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// The name of the stack.
    pub stack: String,
    /// The tenant's GUID; what belongs to it does not say it.
    pub tenant: Option<String>,
    /// The stack's subscription; without one, the one that most objects are in.
    pub subscription: Option<String>,
    /// The audience that federated credentials have in the chosen cloud.
    pub token_exchange_audience: String,
    /// Api-versions of types that are no kinds, by type in small letters.
    pub api_versions: BTreeMap<String, String>,
    /// Objects that are not to be declared, only looked at: ids in small letters.
    pub looked_at: BTreeSet<String>,
}

/// What came of objects.
#[derive(Debug, Clone, Default)]
pub struct Imported {
    /// The configuration, in canonical form.
    pub text: String,
    /// What was declared, in the order of the text.
    pub declared: Vec<Declared>,
    /// Objects that were not.
    pub skipped: Vec<Skipped>,
}

/// A declared object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// How the configuration calls it.
    pub address: String,
    /// The kind's keyword.
    pub kind: String,
    /// Azure's id.
    pub id: String,
    /// Only as `existing`.
    pub existing: bool,
    /// What it has and no attribute says.
    pub unsaid: Vec<Unsaid>,
}

/// An object that is not declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its id, or what there is of it.
    pub id: String,
    /// Why not.
    pub why: String,
}

/// Declares objects: each as Azure returns it, also in lists.
pub fn import(answers: &[Json], catalog: &Catalog, options: &ImportOptions) -> Imported {
    let (stack, mut skipped) = stack::Stack::new(answers, catalog, options);
    let (blocks, moved) = fold::fold(&write::blocks(&stack), catalog);
    let mut declared = stack.declared();
    for one in &mut declared {
        one.address = fold::address(&one.address, &moved);
    }
    let text: Vec<String> = blocks.iter().map(print_block).collect();
    let text = text.join("\n");
    let mut sources = SourceMap::new();
    let id = sources.add("import.aks", text.as_str());
    // What cannot be formatted cannot be read either; the caller reads it, and finds out.
    let text = akson_parser::format(&sources, id).unwrap_or(text);
    skipped.sort_by(|one, other| (&one.id, &one.why).cmp(&(&other.id, &other.why)));
    Imported { text, declared, skipped }
}

/// The place of syntax that nobody wrote.
fn nowhere() -> Span {
    static NOWHERE: LazyLock<Span> = LazyLock::new(|| {
        let mut sources = SourceMap::new();
        let id = sources.add("", "");
        Span::new(id, 0, 0)
    });
    *NOWHERE
}
