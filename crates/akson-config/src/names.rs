//! What is declared: every top-level block under the name that others call it by. Not what it evaluates to.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use akson_catalog::{Catalog, Kind};
use akson_diagnostics::{Diagnostic, Span, did_you_mean};
use akson_parser::ast::{Attribute, Block, Item, Name};

use crate::{codes, habits, modules::MODULE, sink::Sink};

/// Words of the language that a later version carries out, each with what it is.
const LATER: &[(&str, &str)] = &[("never", "access rules (`never`) are"), ("always", "access rules (`always`) are")];

/// Kinds of the language that the catalog of a later version has.
const LATER_KINDS: &[&str] = &[
    "group",
    "user",
    "application",
    "service_principal",
    "secret",
    "grant",
    "namespace",
    "service_account",
    "secret_provider_class",
    "cluster_role",
    "role_binding",
];

/// The keyword of the one intent that stands for resources.
pub(crate) const WORKLOAD: &str = "workload";

/// Blocks that are no resources.
const BLOCKS: &[&str] = &["stack", "variable", "locals", "output", "module"];

/// A block that declares resources.
pub(crate) struct Declared<'a> {
    pub block: &'a Block,
    /// None if it cannot be evaluated: of an unknown kind, or one of a later version. That was reported.
    pub kind: Option<Arc<Kind>>,
    pub keyword: &'a str,
    pub name: &'a str,
}

/// Every declaration by name. Of two with one name the first is kept; the second was reported.
#[derive(Default)]
pub(crate) struct Names<'a> {
    pub stacks: Vec<&'a Block>,
    pub variables: BTreeMap<&'a str, &'a Block>,
    pub locals: BTreeMap<&'a str, &'a Attribute>,
    pub outputs: Vec<&'a Block>,
    pub modules: BTreeMap<&'a str, &'a Block>,
    by_output: BTreeMap<&'a str, &'a Block>,
    pub resources: Vec<Declared<'a>>,
    index: BTreeMap<(&'a str, &'a str), usize>,
    /// Which of `resources` are intents: each stands for several resources.
    pub intents: BTreeSet<usize>,
    /// Keywords that name resources, even if none is declared; sorted.
    pub keywords: Vec<String>,
    /// Misspelt keywords that blocks were declared with.
    misspelt: BTreeSet<&'a str>,
    /// The `stack` block has a syntax error.
    pub broken_stack: bool,
    /// A `locals` block has a syntax error: any local may be in it.
    pub broken_locals: bool,
    /// Variables whose block has a syntax error.
    pub broken_variables: BTreeSet<&'a str>,
    /// Outputs whose block has a syntax error.
    pub broken_outputs: BTreeSet<&'a str>,
}

impl<'a> Names<'a> {
    /// `broken` are blocks with a syntax error: they have a name and nothing else.
    pub(crate) fn collect(blocks: &[&'a Block], broken: &[&'a Block], catalog: &Catalog, sink: &mut Sink<'_>) -> Self {
        let keywords = catalog.iter().map(|kind| kind.keyword.clone()).collect();
        let mut names = Names { keywords, ..Names::default() };
        names.keywords.extend(LATER_KINDS.iter().chain(&["workload", "module"]).map(|word| (*word).to_owned()));
        names.keywords.push("resource".to_owned());
        names.keywords.sort();
        names.keywords.dedup();
        for block in broken {
            names.broken(block);
        }
        for block in blocks {
            match block.keyword.text.as_str() {
                "stack" => names.stacks.push(block),
                "variable" => {
                    if let Some(label) = one_label(block, sink) {
                        declare(&mut names.variables, &label.text, block, |block| block.header, "variable", sink);
                    }
                }
                "locals" => names.locals_of(block, sink),
                "output" => {
                    if let Some(label) = one_label(block, sink)
                        && declare(&mut names.by_output, &label.text, block, |block| block.header, "output", sink)
                    {
                        names.outputs.push(block);
                    }
                }
                MODULE => {
                    if let Some(label) = one_label(block, sink) {
                        declare(&mut names.modules, &label.text, block, |block| block.header, MODULE, sink);
                    }
                }
                keyword => names.resource(block, keyword, catalog, sink),
            }
            if let Some(span) = block.existing
                && BLOCKS.contains(&block.keyword.text.as_str())
            {
                sink.report(
                    Diagnostic::error(codes::EXISTING, format!("`existing` does not go with `{}`", block.keyword.text))
                        .at(span, "")
                        .help("`existing` declares a resource that is there already: remove the word here"),
                );
            }
        }
        names
    }

    fn broken(&mut self, block: &'a Block) {
        match (block.keyword.text.as_str(), block.labels.last()) {
            ("stack", _) => self.broken_stack = true,
            ("locals", _) => self.broken_locals = true,
            ("variable", Some(label)) => {
                self.broken_variables.insert(&label.text);
            }
            ("output", Some(label)) => {
                self.broken_outputs.insert(&label.text);
            }
            (keyword, _) => self.poisoned(block, keyword),
        }
    }

    fn locals_of(&mut self, block: &'a Block, sink: &mut Sink<'_>) {
        if let Some(label) = block.labels.first() {
            sink.report(
                Diagnostic::error(codes::LABELS, "`locals` takes no label")
                    .at(label.span, "")
                    .help("remove the label: the names stand inside the block"),
            );
        }
        for item in &block.body {
            match item {
                Item::Attribute(attribute) => {
                    declare(
                        &mut self.locals,
                        &attribute.name.text,
                        attribute,
                        |attribute| attribute.name.span,
                        "local",
                        sink,
                    );
                }
                Item::Block(inner) => sink.report(
                    Diagnostic::error(
                        codes::NESTED,
                        format!("`{}` is a block, and `locals` has values only", inner.keyword.text),
                    )
                    .at(inner.header, "")
                    .help(format!("write it as a value: `{} = {{ … }}`", inner.keyword.text)),
                ),
            }
        }
    }

    fn resource(&mut self, block: &'a Block, keyword: &'a str, catalog: &Catalog, sink: &mut Sink<'_>) {
        if let Some((word, subject)) = LATER.iter().find(|(word, _)| *word == keyword) {
            sink.report(
                not_supported(format!("{subject} not supported by this version"), block.keyword.span)
                    .help(format!("remove the `{word}` block until a version of Akson carries it out")),
            );
            self.poisoned(block, keyword);
            return;
        }
        if keyword == WORKLOAD {
            self.workload(block, catalog, sink);
            return;
        }
        let known = catalog.get(keyword).cloned();
        if known.is_none() {
            if LATER_KINDS.contains(&keyword) {
                sink.report(
                    not_supported(format!("kind `{keyword}` is not supported by this version"), block.keyword.span)
                        .help(format!(
                            "remove the block, or declare it as `resource \"Type@version\" \"{}\"`",
                            block.labels.last().map_or("name", |label| &label.text)
                        )),
                );
                self.poisoned(block, keyword);
            } else {
                self.unknown_keyword(block, keyword, catalog, sink);
            }
            return;
        }
        let raw = keyword == "resource";
        let name = if raw {
            let [_, name] = block.labels.as_slice() else {
                sink.report(
                    Diagnostic::error(codes::LABELS, "`resource` takes two labels: type and name")
                        .at(block.header, "")
                        .help("write `resource \"Microsoft.X/y@2025-01-01\" \"name\" { … }`"),
                );
                return;
            };
            check_label(name, sink);
            name
        } else {
            let Some(name) = one_label(block, sink) else { return };
            name
        };
        if let Some(earlier) = self.index.get(&(keyword, name.text.as_str())) {
            if let Some(earlier) = self.resources.get(*earlier).filter(|earlier| earlier.kind.is_some()) {
                sink.report(duplicate(&format!("{keyword}.{}", name.text), block.header, earlier.block.header));
            }
            return;
        }
        self.index.insert((keyword, &name.text), self.resources.len());
        self.resources.push(Declared { block, kind: known, keyword, name: &name.text });
    }

    /// An intent is declared like a resource, if the catalog has all that it stands for.
    fn workload(&mut self, block: &'a Block, catalog: &Catalog, sink: &mut Sink<'_>) {
        if let Some(missing) = crate::workload::KINDS.iter().find(|kind| catalog.get(kind).is_none()) {
            let text = "the intent `workload` is not supported by this version".to_owned();
            sink.report(
                not_supported(text, block.keyword.span)
                    .note(format!("it stands for a `{missing}` among others, and the catalog has no such kind"))
                    .help("remove the `workload` block until a version of Akson carries it out"),
            );
            self.poisoned(block, WORKLOAD);
            return;
        }
        if let Some(span) = block.existing {
            sink.report(
                Diagnostic::error(codes::EXISTING, "`workload` cannot be declared as `existing`")
                    .at(span, "")
                    .help("remove the word; what exists already is adopted"),
            );
        }
        let Some(name) = one_label(block, sink) else { return };
        if let Some(earlier) = self.find(WORKLOAD, &name.text) {
            if let Some(earlier) = self.resources.get(earlier).filter(|_| self.intents.contains(&earlier)) {
                sink.report(duplicate(&format!("{WORKLOAD}.{}", name.text), block.header, earlier.block.header));
            }
            return;
        }
        let at = self.resources.len();
        self.index.insert((WORKLOAD, &name.text), at);
        self.intents.insert(at);
        self.resources.push(Declared { block, kind: None, keyword: WORKLOAD, name: &name.text });
    }

    fn unknown_keyword(&mut self, block: &'a Block, keyword: &'a str, catalog: &Catalog, sink: &mut Sink<'_>) {
        let words = self
            .keywords
            .iter()
            .map(String::as_str)
            .chain(BLOCKS.iter().copied())
            .chain(LATER.iter().map(|(word, _)| *word))
            .chain([WORKLOAD]);
        let near = did_you_mean(keyword, words).map(str::to_owned).filter(|_| habits::block(keyword).is_none());
        let mut diagnostic =
            Diagnostic::error(codes::UNKNOWN_BLOCK, format!("there is no kind `{keyword}`")).at(block.keyword.span, "");
        diagnostic = match &near {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")).suggest(block.keyword.span, near.clone(), format!("write `{near}`")),
            None => diagnostic.help(habits::block(keyword).unwrap_or_else(|| "`akson explain kinds` lists the kinds; any other ARM type is written as `resource \"Type@version\" \"name\"`".to_owned())),
        };
        sink.report(diagnostic);
        // What refers to it under its right name is not wrong as well.
        let kept = near.as_deref().and_then(|near| catalog.get(near)).map(|kind| kind.keyword.clone());
        if let Some(label) = block.labels.last() {
            self.misspelt(block, kept, &label.text);
        }
    }

    fn misspelt(&mut self, block: &'a Block, keyword: Option<String>, name: &'a str) {
        self.misspelt.insert(&block.keyword.text);
        self.poison_at(block, &block.keyword.text, name);
        if let Some(keyword) = keyword.and_then(|keyword| LATER_KINDS.iter().find(|word| **word == keyword)) {
            self.poison_at(block, keyword, name);
        }
    }

    fn poisoned(&mut self, block: &'a Block, keyword: &'a str) {
        if let Some(label) = block.labels.last() {
            self.poison_at(block, keyword, &label.text);
        }
    }

    fn poison_at(&mut self, block: &'a Block, keyword: &'a str, name: &'a str) {
        let at = self.resources.len();
        if let std::collections::btree_map::Entry::Vacant(entry) = self.index.entry((keyword, name)) {
            entry.insert(at);
            self.resources.push(Declared { block, kind: None, keyword, name });
        }
    }

    /// The block of an output.
    pub(crate) fn output(&self, name: &str) -> Option<&'a Block> {
        self.by_output.get(name).copied()
    }

    /// The block of an address.
    pub(crate) fn find(&self, keyword: &str, name: &str) -> Option<usize> {
        self.index.get(&(keyword, name)).copied()
    }

    /// The names declared of a kind.
    pub(crate) fn of_kind<'s>(&'s self, keyword: &'s str) -> impl Iterator<Item = &'a str> + 's {
        self.resources.iter().filter(move |declared| declared.keyword == keyword).map(|declared| declared.name)
    }

    /// Whether `keyword.name` is a reference to a resource.
    pub(crate) fn is_keyword(&self, word: &str) -> bool {
        self.keywords.binary_search_by(|keyword| keyword.as_str().cmp(word)).is_ok() || self.misspelt.contains(word)
    }
}

fn not_supported(text: String, span: Span) -> Diagnostic {
    Diagnostic::error(codes::NOT_SUPPORTED, text)
        .at(span, "")
        .note(format!("this is Akson {}", env!("CARGO_PKG_VERSION")))
}

fn duplicate(address: &str, later: Span, earlier: Span) -> Diagnostic {
    Diagnostic::error(codes::DUPLICATE_ADDRESS, format!("`{address}` is declared twice"))
        .at(later, "declared again here")
        .also(earlier, "first declared here")
        .help("rename one of them; names are cosmetic, so nothing changes in Azure")
}

fn declare<'a, T>(
    map: &mut BTreeMap<&'a str, T>,
    name: &'a str,
    value: T,
    span: impl Fn(&T) -> Span,
    what: &str,
    sink: &mut Sink<'_>,
) -> bool {
    if let Some(earlier) = map.get(name) {
        let prefix = match what {
            "variable" => "var",
            other => other,
        };
        sink.report(duplicate(&format!("{prefix}.{name}"), span(&value), span(earlier)));
        return false;
    }
    map.insert(name, value);
    true
}

/// The one label of a block.
fn one_label<'a>(block: &'a Block, sink: &mut Sink<'_>) -> Option<&'a Name> {
    match block.labels.as_slice() {
        [label] => {
            check_label(label, sink);
            Some(label)
        }
        labels => {
            let keyword = &block.keyword.text;
            let span = labels.get(1).map_or(block.header, |second| second.span);
            sink.report(
                Diagnostic::error(codes::LABELS, format!("`{keyword}` takes one label, not {}", labels.len()))
                    .at(span, "")
                    .help(format!("write `{keyword} \"name\" {{ … }}`")),
            );
            None
        }
    }
}

/// A label must be a name, so that it can be referred to.
fn check_label(label: &Name, sink: &mut Sink<'_>) {
    let mut characters = label.text.chars();
    let good = characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|character| character.is_ascii_alphanumeric() || matches!(character, '_' | '-'));
    if !good {
        sink.report(
            Diagnostic::error(codes::LABELS, "a label is a name that others can refer to")
                .at(label.span, "not a name")
                .help("use letters, digits, `_` and `-`, beginning with a letter; what Azure calls it is the attribute `name`"),
        );
    }
}
