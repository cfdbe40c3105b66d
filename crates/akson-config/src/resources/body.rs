//! Which attributes a block has, against those it may have: unknown, twice, missing, nested wrongly. Not their values.

use std::collections::HashMap;

use akson_catalog::{
    Attribute, Kind, Type,
    kind::{FoundBy, Role},
};
use akson_diagnostics::{Diagnostic, Span, did_you_mean};
use akson_parser::ast::{Block, Expr, ExprKind, Item, Name};
use indexmap::IndexMap;

use super::{Nested, Plan, tolerate::TOLERATE};
use crate::{codes, eval::Evaluator, sink::Sink, val::quoted};

/// Arguments that every resource has.
pub(crate) const META: &[&str] = &["for_each", "when", "after", "protect", "on_remove"];

/// An attribute as it is written.
pub(crate) struct Written<'p> {
    /// Its name, in nested blocks dotted.
    pub path: String,
    pub attribute: &'p Attribute,
    /// None for a nested block itself, whose attributes follow.
    pub value: Option<&'p Expr>,
    /// The value's place.
    pub span: Span,
}

/// A block that is being checked.
struct Check<'c> {
    /// What the block is called: `vault`, `entra`.
    title: &'c str,
    existing: bool,
    /// By what an existing one may be found, besides its name.
    finds: &'c [FoundBy],
    meta: bool,
    /// Whether it may have `tolerate` blocks.
    tolerates: bool,
    prefix: &'c str,
    /// Keywords of blocks that are resources of their own.
    blocks: Vec<&'c str>,
    /// What the place of the block says already: the attribute of what it lies in.
    given: Option<&'c str>,
}

impl<'a> Evaluator<'a> {
    /// The attributes of a resource block.
    pub(crate) fn plan<'p>(&mut self, kind: &'p Kind, block: &'p Block) -> Plan<'p>
    where
        'a: 'p,
    {
        let existing = block.existing.is_some();
        if let Some(span) = block.existing
            && !kind.existing
        {
            self.sink.report(
                Diagnostic::error(codes::EXISTING, format!("`{}` cannot be declared as `existing`", kind.keyword))
                    .at(span, "")
                    .help("remove the word `existing`: declaring what exists adopts it"),
            );
        }
        if !existing && !kind.managed {
            self.sink.report(
                Diagnostic::error(codes::EXISTING, format!("`{}` can only be declared as `existing`", kind.keyword))
                    .at(block.header, "")
                    .help(format!("write `existing {}`: it is read, and never written", kind.keyword)),
            );
            return Plan { written: Vec::new(), whole: false, nested: Vec::new(), tolerated: Vec::new() };
        }
        let mut written = Vec::new();
        let finds = if existing { kind.found_by.as_slice() } else { &[] };
        let blocks = kind.blocks.keys().map(String::as_str).collect();
        let title = kind.keyword.as_str();
        let check = Check { title, existing, finds, meta: true, tolerates: true, prefix: "", blocks, given: None };
        let named = fields(&mut self.sink, block, &kind.attributes, &check, &mut written);
        let tolerated = self.tolerated(kind, title, block);
        let required = |attribute: &&Attribute| {
            let identifies = kind.id_parts().contains(&attribute.name.as_str());
            let given = attribute.role == Role::Subscription
                || (attribute.role == Role::Name && kind.name_from == akson_catalog::kind::NameFrom::Label);
            if existing { identifies && !given } else { attribute.required }
        };
        if existing && !finds.is_empty() {
            let is_named = |name: &str| named.contains_key(name);
            let whole = kind.found_by(is_named, true).is_some();
            if !whole {
                nothing_to_find_by(&mut self.sink, block, kind);
            }
            let nested = self.nested_plans(kind, block, existing);
            return Plan { written, whole, nested, tolerated };
        }
        let firsts = if existing { Vec::new() } else { missing_blocks(kind, block) };
        let lacking = kind.attributes.values().filter(required);
        let whole = missing(&mut self.sink, block, lacking, firsts, &named, &kind.keyword);
        let nested = self.nested_plans(kind, block, existing);
        Plan { written, whole, nested, tolerated }
    }

    /// The blocks in a block that are resources of their own.
    fn nested_plans<'p>(&mut self, kind: &'p Kind, block: &'p Block, existing: bool) -> Vec<Nested<'p>>
    where
        'a: 'p,
    {
        let mut plans = Vec::new();
        let mut seen: HashMap<(&str, &str), Span> = HashMap::new();
        for item in &block.body {
            let Item::Block(inner) = item else { continue };
            let word = inner.keyword.text.as_str();
            let Some(own) = kind.blocks.get(word).and_then(|nested| self.catalog.get(&nested.kind)) else { continue };
            if existing {
                let parent = own.parent.as_deref().unwrap_or("parent");
                self.sink.report(
                    Diagnostic::error(codes::EXISTING, format!("an existing {} has no `{word}` blocks", kind.keyword))
                        .at(inner.header, "")
                        .help(format!("declare it beside: `{} \"name\" {{ {parent} = … }}`", own.keyword)),
                );
                continue;
            }
            let Some(label) = label_of(&mut self.sink, inner) else { continue };
            if let Some(first) = seen.insert((word, &label.text), inner.header) {
                self.sink.report(
                    Diagnostic::error(
                        codes::DUPLICATE_ADDRESS,
                        format!("`{word}` \"{}\" is declared twice", label.text),
                    )
                    .at(inner.header, "declared again here")
                    .also(first, "first declared here")
                    .help("rename one of them"),
                );
                continue;
            }
            let mut written = Vec::new();
            let given = own.parent.as_deref();
            let check = Check {
                title: word,
                existing: false,
                finds: &[],
                meta: false,
                tolerates: true,
                prefix: "",
                blocks: Vec::new(),
                given,
            };
            let named = fields(&mut self.sink, inner, &own.attributes, &check, &mut written);
            let lacking = own
                .attributes
                .values()
                .filter(|attribute| attribute.required && Some(attribute.name.as_str()) != given);
            let whole = missing(&mut self.sink, inner, lacking, Vec::new(), &named, word);
            let tolerated = self.tolerated(own, word, inner);
            plans.push(Nested { word, label, block: inner, kind: own, written, whole, tolerated });
        }
        plans
    }
}

/// The nested resources that a block cannot do without and that it has not one of, as they are called and as they are written.
fn missing_blocks(kind: &Kind, block: &Block) -> Vec<(String, String)> {
    let there =
        |word: &str| block.body.iter().any(|item| matches!(item, Item::Block(inner) if inner.keyword.text == word));
    kind.blocks
        .iter()
        .filter(|(word, _)| !there(word))
        .filter_map(|(word, nested)| {
            let first = nested.first.as_ref()?;
            let (attribute, is) = (&first.attribute, &first.is);
            Some((
                format!("a `{word}` with `{attribute} = {is}`"),
                format!("{word} \"{is}\" {{ {attribute} = {is} … }}"),
            ))
        })
        .collect()
}

/// The label of a nested block, which others refer to it by.
fn label_of<'p>(sink: &mut Sink<'_>, block: &'p Block) -> Option<&'p Name> {
    let word = &block.keyword.text;
    let good = |text: &str| {
        text.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '_')
            && text.chars().all(|character| character.is_ascii_alphanumeric() || matches!(character, '_' | '-'))
    };
    match block.labels.as_slice() {
        [label] if good(&label.text) => Some(label),
        [label] => {
            sink.report(
                Diagnostic::error(codes::LABELS, "a label is a name that others can refer to")
                    .at(label.span, "not a name")
                    .help("use letters, digits, `_` and `-`"),
            );
            None
        }
        labels => {
            let span = labels.get(1).map_or(block.header, |second| second.span);
            sink.report(
                Diagnostic::error(codes::LABELS, format!("`{word}` takes one label, not {}", labels.len()))
                    .at(span, "")
                    .help(format!("write `{word} \"name\" {{ … }}`")),
            );
            None
        }
    }
}

/// Reports the attributes that are missing, in one error. False if any decides what the resource is.
fn missing<'k>(
    sink: &mut Sink<'_>,
    block: &Block,
    required: impl Iterator<Item = &'k Attribute>,
    blocks: Vec<(String, String)>,
    named: &HashMap<&str, Span>,
    title: &str,
) -> bool {
    let missing: Vec<&Attribute> = required.filter(|attribute| !named.contains_key(attribute.name.as_str())).collect();
    if missing.is_empty() && blocks.is_empty() {
        return true;
    }
    let mut list = quoted(missing.iter().map(|attribute| attribute.name.as_str()));
    let mut examples: Vec<String> = missing.iter().map(|attribute| example(attribute)).collect();
    for (name, example) in blocks {
        if !list.is_empty() {
            list.push_str(" and ");
        }
        list.push_str(&name);
        examples.push(example);
    }
    sink.report(
        Diagnostic::error(codes::MISSING_ATTRIBUTES, format!("`{title}` lacks {list}"))
            .at(block.header, "")
            .help(format!("add {}", quoted(examples.iter().map(String::as_str)))),
    );
    false
}

/// Reports an `existing` block that does not say which object it is.
fn nothing_to_find_by(sink: &mut Sink<'_>, block: &Block, kind: &Kind) {
    let ways: Vec<String> = kind
        .found_by
        .iter()
        .map(|found| {
            let attributes = found.at.keys().filter_map(|name| kind.attributes.get(name));
            attributes.map(example).collect::<Vec<_>>().join(" and ")
        })
        .collect();
    sink.report(
        Diagnostic::error(codes::MISSING_ATTRIBUTES, format!("this `{}` does not say which one it is", kind.keyword))
            .at(block.header, "")
            .help(format!("add one of {}", quoted(ways.iter().map(String::as_str)))),
    );
}

fn example(attribute: &Attribute) -> String {
    let value = match &attribute.of {
        Type::Resource(kinds) => {
            kinds.first().filter(|kind| *kind != "*").map_or("kind.name".to_owned(), |kind| format!("{kind}.name"))
        }
        Type::Enum(words) => words.first().cloned().unwrap_or_default(),
        Type::Switch => "enabled".to_owned(),
        Type::Choice => attribute.variants.keys().next().cloned().unwrap_or_default(),
        Type::Bool => "true".to_owned(),
        Type::Int | Type::Number => "1".to_owned(),
        Type::List(_) | Type::Set(_) => "[…]".to_owned(),
        Type::Object(_) if !attribute.fields.is_empty() => return format!("{} {{ … }}", attribute.name),
        Type::Map(_) | Type::Object(_) => "{ … }".to_owned(),
        _ => "\"…\"".to_owned(),
    };
    format!("{} = {value}", attribute.name)
}

fn is_nested(attribute: &Attribute) -> bool {
    matches!(attribute.of, Type::Object(_)) && !attribute.fields.is_empty()
}

/// Checks the items of a block. What it has, misspelt names counted as what they stand for.
fn fields<'p>(
    sink: &mut Sink<'_>,
    block: &'p Block,
    known: &'p IndexMap<String, Attribute>,
    check: &Check<'_>,
    written: &mut Vec<Written<'p>>,
) -> HashMap<&'p str, Span> {
    let mut named: HashMap<&'p str, Span> = HashMap::new();
    let mut misspelt = Vec::new();
    for item in &block.body {
        let name = match item {
            Item::Attribute(attribute) => &attribute.name,
            Item::Block(inner) => &inner.keyword,
        };
        if matches!(item, Item::Block(_)) && check.blocks.contains(&name.text.as_str()) {
            continue;
        }
        if check.tolerates && name.text == TOLERATE {
            if let Item::Attribute(value) = item {
                let text = format!("`{TOLERATE}` is a block, not a value");
                let help = format!("write `{TOLERATE} \"attribute\" {{ … }}`, without `=`");
                sink.report(Diagnostic::error(codes::NESTED, text).at(value.span, "").help(help));
            }
            continue;
        }
        if let (Item::Block(inner), Some((key, attribute))) = (item, known.get_key_value(&name.text))
            && attribute.keyed.is_some()
            && !check.existing
        {
            named.insert(key, name.span);
            labelled(sink, inner, attribute, check, written);
            continue;
        }
        if let Some(first) = named.get(name.text.as_str()) {
            sink.report(
                Diagnostic::error(codes::DUPLICATE_ATTRIBUTE, format!("`{}` is set twice", name.text))
                    .at(name.span, "again here")
                    .also(*first, "first here")
                    .help("remove one of them"),
            );
            continue;
        }
        if check.meta && META.contains(&name.text.as_str()) {
            named.insert(&name.text, name.span);
            meta(sink, item, name, check.existing);
            continue;
        }
        let Some((key, attribute)) = known.get_key_value(&name.text) else {
            misspelt.push((name, item));
            continue;
        };
        named.insert(key, name.span);
        if check.given == Some(name.text.as_str()) {
            let text = format!("`{}` cannot be set: the place of the block says it", name.text);
            sink.report(Diagnostic::error(codes::NESTED, text).at(name.span, "").help("remove it"));
            continue;
        }
        let identifies = matches!(attribute.role, Role::Name | Role::Parent | Role::Subscription)
            || check.finds.iter().any(|found| found.at.contains_key(key));
        if check.existing && !identifies {
            sink.report(
                Diagnostic::error(
                    codes::EXISTING,
                    format!("`{}` cannot be set: an existing {} is read, never written", name.text, check.title),
                )
                .at(name.span, "")
                .help("remove it; what Azure says is reached as an output"),
            );
            continue;
        }
        one(sink, item, attribute, check, written);
    }
    for (name, item) in misspelt {
        unknown(sink, name, item, known, check, &mut named);
    }
    named
}

/// One attribute or nested block that the kind has.
fn one<'p>(
    sink: &mut Sink<'_>,
    item: &'p Item,
    attribute: &'p Attribute,
    check: &Check<'_>,
    written: &mut Vec<Written<'p>>,
) {
    let path = format!("{}{}", check.prefix, attribute.name);
    match item {
        Item::Attribute(value)
            if is_nested(attribute) && !matches!(value.value.kind, ExprKind::None | ExprKind::Default) =>
        {
            sink.report(
                Diagnostic::error(codes::NESTED, format!("`{}` is a block, not a value", attribute.name))
                    .at(value.value.span, "")
                    .help(format!("write `{} {{ … }}`, without `=`", attribute.name)),
            );
        }
        Item::Attribute(value) => {
            written.push(Written { path, attribute, value: Some(&value.value), span: value.value.span });
        }
        Item::Block(inner) if is_nested(attribute) => {
            if let Some(label) = inner.labels.first() {
                sink.report(
                    Diagnostic::error(codes::LABELS, format!("`{}` takes no label", attribute.name))
                        .at(label.span, "")
                        .help("remove the label: there is one of them at most"),
                );
            }
            inside(sink, inner, attribute, &path, written);
        }
        Item::Block(inner) => {
            let value = match attribute.of {
                Type::Map(_) | Type::Any => "{ … }",
                Type::List(_) | Type::Set(_) => "[…]",
                _ => "…",
            };
            sink.report(
                Diagnostic::error(codes::NESTED, format!("`{}` is a value, not a block", attribute.name))
                    .at(inner.header, "")
                    .help(format!("write `{} = {value}`", attribute.name)),
            );
        }
    }
}

/// What stands in a nested block.
fn inside<'p>(
    sink: &mut Sink<'_>,
    inner: &'p Block,
    attribute: &'p Attribute,
    path: &str,
    written: &mut Vec<Written<'p>>,
) {
    written.push(Written { path: path.to_owned(), attribute, value: None, span: inner.header });
    let prefix = format!("{path}.");
    let (title, blocks) = (attribute.name.as_str(), Vec::new());
    let check = Check {
        title,
        existing: false,
        finds: &[],
        meta: false,
        tolerates: false,
        prefix: &prefix,
        blocks,
        given: None,
    };
    let named = fields(sink, inner, &attribute.fields, &check, written);
    let required = attribute.fields.values().filter(|field| field.required);
    missing(sink, inner, required, Vec::new(), &named, title);
}

/// One of a keyed set: `route "default" { … }`.
fn labelled<'p>(
    sink: &mut Sink<'_>,
    inner: &'p Block,
    attribute: &'p Attribute,
    check: &Check<'_>,
    written: &mut Vec<Written<'p>>,
) {
    let Some(label) = label_of(sink, inner) else { return };
    let path = format!("{}{}.{}", check.prefix, attribute.name, label.text);
    if let Some(first) = written.iter().find(|written| written.path.eq_ignore_ascii_case(&path)) {
        sink.report(
            Diagnostic::error(
                codes::DUPLICATE_ATTRIBUTE,
                format!("`{}` \"{}\" is there twice", attribute.name, label.text),
            )
            .at(inner.header, "again here")
            .also(first.span, "first here")
            .help("rename or remove one of them"),
        );
        return;
    }
    inside(sink, inner, attribute, &path, written);
}

fn meta(sink: &mut Sink<'_>, item: &Item, name: &Name, existing: bool) {
    if let Item::Block(inner) = item {
        sink.report(
            Diagnostic::error(codes::NESTED, format!("`{}` is a value, not a block", name.text))
                .at(inner.header, "")
                .help(format!("write `{} = …`", name.text)),
        );
    } else if existing && matches!(name.text.as_str(), "after" | "protect" | "on_remove") {
        sink.report(
            Diagnostic::error(
                codes::META,
                format!("`{}` has no meaning for an existing resource: it is read, never written", name.text),
            )
            .at(name.span, "")
            .help("remove it"),
        );
    }
}

/// A name that the block does not have. If it is near one that is missing, it counts as that one.
fn unknown<'p>(
    sink: &mut Sink<'_>,
    name: &'p Name,
    item: &Item,
    known: &'p IndexMap<String, Attribute>,
    check: &Check<'_>,
    named: &mut HashMap<&'p str, Span>,
) {
    let what = if matches!(item, Item::Block(_)) { "block" } else { "attribute" };
    let mut diagnostic =
        Diagnostic::error(codes::UNKNOWN_ATTRIBUTE, format!("`{}` has no {what} `{}`", check.title, name.text))
            .at(name.span, "");
    let words = known.keys().map(String::as_str);
    let metas = if check.meta { META } else { &[] };
    let blocks: &[&str] = if check.tolerates { &[TOLERATE] } else { &[] };
    let free = words.clone().chain(metas.iter().chain(blocks).copied()).filter(|word| !named.contains_key(word));
    let near = did_you_mean(&name.text, free).or_else(|| did_you_mean(&name.text, words.clone()));
    diagnostic = match near {
        Some(near) => {
            if let Some((key, _)) = known.get_key_value(near) {
                named.entry(key).or_insert(name.span);
            }
            diagnostic.help(format!("did you mean `{near}`?")).suggest(name.span, near, format!("write `{near}`"))
        }
        None => match name.text.as_str() {
            "count" => diagnostic.help("use `for_each` for several instances, `when` for none or one"),
            "depends_on" => diagnostic.help("use `after = [kind.name]`; a reference is an order already"),
            "lifecycle" => {
                diagnostic.help("use `protect = true` to forbid deletes; what is not written is not changed; what is may differ for a while with `tolerate`")
            }
            "provider" | "provisioner" | "connection" | "dynamic" => {
                diagnostic.help("there is no such thing in this language")
            }
            _ => diagnostic.help(format!("it has {}", quoted(words))),
        },
    };
    named.entry(&name.text).or_insert(name.span);
    sink.report(diagnostic);
}

/// The word here for one that HCL has, in blocks where both mean the same.
fn elsewhere<'w>(word: &str, mut words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let here = match word {
        "error_message" => "message",
        _ => return None,
    };
    words.find(|known| *known == here)
}

/// Checks a block that is no resource: `stack`, `variable`, `output`, `validation`. Its attributes by name.
pub(crate) fn plain_block<'b>(
    sink: &mut Sink<'_>,
    block: &'b Block,
    attributes: &[&str],
    blocks: &[&str],
    required: &[&str],
) -> HashMap<&'b str, &'b Expr> {
    let title = &block.keyword.text;
    let mut found: HashMap<&str, &Expr> = HashMap::new();
    let mut places: HashMap<&str, Span> = HashMap::new();
    let mut satisfied: Vec<String> = Vec::new();
    for item in &block.body {
        let (name, what) = match item {
            Item::Attribute(attribute) => (&attribute.name, "attribute"),
            Item::Block(inner) => (&inner.keyword, "block"),
        };
        let word = name.text.as_str();
        match item {
            Item::Attribute(attribute) if attributes.contains(&word) => {
                if let Some(first) = places.insert(word, name.span) {
                    sink.report(
                        Diagnostic::error(codes::DUPLICATE_ATTRIBUTE, format!("`{word}` is set twice"))
                            .at(name.span, "again here")
                            .also(first, "first here")
                            .help("remove one of them"),
                    );
                } else {
                    found.insert(word, &attribute.value);
                }
            }
            Item::Block(_) if blocks.contains(&word) => {}
            Item::Block(inner) if attributes.contains(&word) => {
                satisfied.push(word.to_owned());
                sink.report(
                    Diagnostic::error(codes::NESTED, format!("`{word}` is a value, not a block"))
                        .at(inner.header, "")
                        .help(format!("write `{word} = …`")),
                );
            }
            Item::Attribute(attribute) if blocks.contains(&word) => {
                sink.report(
                    Diagnostic::error(codes::NESTED, format!("`{word}` is a block, not a value"))
                        .at(attribute.value.span, "")
                        .help(format!("write `{word} {{ … }}`")),
                );
            }
            _ => {
                let words = attributes.iter().chain(blocks).copied();
                let mut diagnostic =
                    Diagnostic::error(codes::UNKNOWN_ATTRIBUTE, format!("`{title}` has no {what} `{word}`"))
                        .at(name.span, "");
                diagnostic = match elsewhere(word, words.clone()).or_else(|| did_you_mean(word, words.clone())) {
                    Some(near) => {
                        satisfied.push(near.to_owned());
                        diagnostic.help(format!("did you mean `{near}`?")).suggest(
                            name.span,
                            near,
                            format!("write `{near}`"),
                        )
                    }
                    None => diagnostic.help(format!("it has {}", quoted(words))),
                };
                sink.report(diagnostic);
            }
        }
    }
    let missing: Vec<&str> = required
        .iter()
        .copied()
        .filter(|name| !places.contains_key(name) && !satisfied.iter().any(|other| other == name))
        .collect();
    if !missing.is_empty() {
        let list = quoted(missing.into_iter());
        sink.report(
            Diagnostic::error(codes::MISSING_ATTRIBUTES, format!("`{title}` lacks {list}"))
                .at(block.header, "")
                .help(format!("add {list}")),
        );
    }
    found
}
