//! From attribute values to leaves of the wire's JSON body. The way back is `decode`; whole bodies are made by `body`.

mod cluster;
mod wire;

use akson_diagnostics::Span;
use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::{
    Attribute, Catalog, Kind, Secret, Type, Value,
    equality::{Equality, equal},
    json::{self, escape, from_json, item_step, to_plain_json},
    kind::{ChangeEffect, OnCreate, Principal, Role, Variant, late},
};

pub use wire::wire_value;

/// One author-owned (or sent-at-create) value at its place in the body. The unit of comparison, of hashing in the ledger and of reasons in a plan.
#[derive(Debug, Clone)]
pub struct Leaf {
    /// What the user calls it: `sku`, `tags.app`, `network`. Several leaves of a choice share its name.
    pub attribute: String,
    /// JSON pointer into the body. No two leaves of a resource share one.
    pub pointer: String,
    /// What must be there in the wire's terms: plain JSON-like values with holes; [`Value::None`] means absent.
    pub want: Value,
    /// The value in the configuration's words, for display. For a choice it is the constructor.
    pub shown: Value,
    /// How it is compared.
    pub equality: Equality,
    /// What Azure means when its answer lacks the key; none if it means nothing.
    pub absent: Option<Json>,
    /// What changing it does.
    pub change: ChangeEffect,
    /// Never shown, never hashed.
    pub sensitive: bool,
    /// Sent at create and not owned afterwards.
    pub on_create_only: bool,
    /// Where it was written; for inherited or on-create values where it comes from.
    pub span: Option<Span>,
}

impl Leaf {
    /// What stands at its place in a live body; where the key is absent, what Azure means by that.
    pub fn live<'a>(&'a self, body: &'a Json) -> Option<&'a Json> {
        json::lookup(body, &self.pointer).filter(|value| !value.is_null()).or(self.absent.as_ref())
    }

    /// Whether a live body has what is wanted, under the leaf's own equality. None while it has holes or is sensitive: then there
    /// is nothing to compare.
    pub fn in_sync(&self, body: &Json) -> Option<bool> {
        let want = to_plain_json(&self.want)?;
        Some(equal(self.equality, Some(&want), self.live(body)))
    }

    /// The leaf with its place, where that follows from what is wanted: an edge stands at the id it leads to.
    #[must_use]
    pub fn settled(mut self) -> Self {
        if self.equality == Equality::Edges
            && let Value::Text(to) = &self.want
            && let Some((set, _)) = self.pointer.rsplit_once('/')
        {
            self.pointer = format!("{set}/{}", escape(&to.to_ascii_lowercase()));
        }
        self
    }

    /// Whether the change from `body` goes the forbidden way of an irreversible attribute: from `enabled` to `disabled`, to less,
    /// to absent.
    pub fn goes_back(&self, body: &Json) -> bool {
        if self.change != ChangeEffect::Irreversible || self.in_sync(body) != Some(false) {
            return false;
        }
        let Some(live) = self.live(body) else { return false };
        match (&self.want, live) {
            (Value::None | Value::Bool(false), Json::Bool(live)) => *live,
            (Value::None, _) => true,
            (Value::Int(want), Json::Number(live)) => live.as_i64().is_some_and(|live| *want < live),
            (Value::Decimal(want), Json::Number(live)) => live.as_f64().is_some_and(|live| *want < live),
            _ => false,
        }
    }
}

/// Stands in place of the id that an edge leads to, while that is not known.
const UNKNOWN_EDGE: &str = "?";

/// What values at create are taken from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// The subscription that the resource belongs to, a GUID; empty for what belongs to none.
    pub subscription: String,
    /// Which kinds are principals, by keyword.
    pub principals: IndexMap<String, Principal>,
    /// The stack's tenant, a GUID.
    pub tenant: String,
    /// The audience that a federated credential of the chosen cloud has.
    pub token_exchange_audience: String,
}

impl Context {
    /// What a catalog's kinds are where a principal is wanted.
    #[must_use]
    pub fn with_principals(mut self, catalog: &Catalog) -> Self {
        let principals = catalog.iter().filter_map(|kind| Some((kind.keyword.clone(), kind.principal.clone()?)));
        self.principals = principals.collect();
        self
    }
}

impl Kind {
    /// The attribute of a path: `sku`; in nested blocks `entra.admin_groups`; in labelled ones `route.default.next_hop`.
    pub fn attribute(&self, path: &str) -> Option<&Attribute> {
        self.attribute_at(path).map(|(attribute, _)| attribute)
    }

    /// The attribute of a path, and where in the body its pointer begins: at the item of a list for what stands in a labelled block.
    pub fn attribute_at(&self, path: &str) -> Option<(&Attribute, String)> {
        let mut steps = path.split('.');
        let mut found = self.attributes.get(steps.next()?)?;
        let mut base = String::new();
        loop {
            if let Some(key) = &found.keyed {
                let Some(label) = steps.next() else { return Some((found, base)) };
                base = format!("{base}{}/{}", found.pointer.as_deref().unwrap_or_default(), item_step(key, label));
            }
            let Some(step) = steps.next() else { return Some((found, base)) };
            found = found.fields.get(step)?;
        }
    }
}

/// The leaves of a resource: `attributes` are the written (or inherited) values by path, already of the right types; those that the
/// author left out and a create needs are added as sent at create only. Parts of the id have no leaf.
pub fn encode(kind: &Kind, attributes: &[(String, Value, Span)], context: &Context) -> Vec<Leaf> {
    let named = kind.attributes.values().find(|attribute| attribute.role == Role::Name);
    let name = named.and_then(|named| attributes.iter().find(|(path, ..)| *path == named.name));
    let name = name.and_then(|(_, value, _)| value.as_text()).unwrap_or_default();
    let mut encoder =
        Encoder { context, name, is_created: kind.reset.is_none(), base: String::new(), leaves: Vec::new() };
    for (path, value, span) in attributes {
        if let Some((attribute, base)) = kind.attribute_at(path) {
            encoder.base = base;
            encoder.attribute(attribute, path, value, Some(*span), false);
        }
    }
    encoder.base = String::new();
    // A block that is `none` has nothing in it that a create could need.
    let written = |path: &str| {
        attributes.iter().any(|(other, value, _)| {
            let off =
                *value == Value::None && path.strip_prefix(other.as_str()).is_some_and(|rest| rest.starts_with('.'));
            off || other == path || other.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'))
        })
    };
    encoder.left_out(&kind.attributes, "", &written);
    encoder.leaves
}

struct Encoder<'a> {
    context: &'a Context,
    /// The resource's name.
    name: &'a str,
    /// It is created: what it is created with is not owned afterwards. What is only ever set is ours as long as it is declared.
    is_created: bool,
    /// Where pointers begin.
    base: String,
    leaves: Vec<Leaf>,
}

impl Encoder<'_> {
    /// What a create needs and nobody wrote. Nested blocks count only if they are written.
    fn left_out(&mut self, attributes: &IndexMap<String, Attribute>, prefix: &str, written: &impl Fn(&str) -> bool) {
        for attribute in attributes.values() {
            let path = format!("{prefix}{}", attribute.name);
            if !written(&path) {
                let instead = attribute.unless.as_deref().is_some_and(written);
                if let Some(on_create) = attribute.on_create.as_ref().filter(|_| !instead) {
                    let value = match on_create {
                        OnCreate::DnsLabel => Value::Text(dns_label(self.name)),
                        on_create => wire::on_create(on_create, self.context),
                    };
                    self.attribute(attribute, &path, &value, None, self.is_created);
                }
            } else if matches!(attribute.of, Type::Object(_)) && attribute.keyed.is_none() {
                self.left_out(&attribute.fields, &format!("{path}."), written);
            }
        }
    }

    fn attribute(
        &mut self,
        attribute: &Attribute,
        path: &str,
        value: &Value,
        span: Option<Span>,
        on_create_only: bool,
    ) {
        let value = match value {
            Value::Default => attribute.default.as_ref().unwrap_or(&Value::None),
            value => value,
        };
        let site = Site { attribute, path, shown: value, span, on_create_only };
        if *value == Value::None && !attribute.off.is_empty() {
            self.constants(&site, &attribute.off);
            return;
        }
        match (&attribute.of, value) {
            (_, Value::List(items)) if attribute.equality == Equality::Edges => self.edges(&site, items),
            (Type::Map(_), _) if !attribute.is_raw() => self.entries(&site, value),
            (Type::Choice, _) => self.choice(&site, value),
            (Type::Object(_), Value::Map(entries)) if !attribute.fields.is_empty() => {
                for (name, value) in entries {
                    if let Some(field) = attribute.fields.get(name) {
                        self.attribute(field, &format!("{path}.{name}"), value, span, on_create_only);
                    }
                }
            }
            (Type::Any | Type::Map(_), Value::Map(_)) if attribute.is_raw() => {
                self.flatten(&site, path, attribute.pointer.as_deref().unwrap_or(""), value);
            }
            _ => {
                if let Some(pointer) = &attribute.pointer {
                    let want = wire_value(attribute, value, self.context);
                    self.push(site.leaf(pointer.clone(), want, attribute));
                }
                if let Some(pointer) = attribute.principal.as_ref().and_then(|principal| principal.type_at.as_ref())
                    && let Some(of) = late::principal_type(value, self.context)
                {
                    self.push(site.create(pointer, &Json::from(of)));
                }
            }
        }
        if *value != Value::None {
            self.constants(&site, &attribute.writes);
        }
        for (pointer, json) in &attribute.creates {
            self.push(site.create(pointer, json));
        }
    }

    /// Constants that stand beside an attribute. They are compared as it is changed: with what an absent key means.
    fn constants(&mut self, site: &Site, constants: &IndexMap<String, Json>) {
        for (pointer, json) in constants {
            let (pointer, absolute) = match pointer.strip_prefix('*') {
                Some(below) => (below.to_owned(), false),
                None => (pointer.clone(), true),
            };
            let equality = if json.is_null() { Equality::EmptyIsAbsent } else { Equality::CaseInsensitive };
            let leaf = Leaf { equality, ..site.leaf(pointer, from_json(json), site.attribute) };
            if absolute {
                let base = std::mem::take(&mut self.base);
                self.push(leaf);
                self.base = base;
            } else {
                self.push(leaf);
            }
        }
    }

    /// One leaf a key: others' keys are never touched.
    fn entries(&mut self, site: &Site, value: &Value) {
        let pointer = site.attribute.pointer.as_deref().unwrap_or("/tags");
        match value {
            Value::Map(entries) => {
                for (key, value) in entries {
                    let path = step(site.path, key);
                    let site = Site { path: &path, shown: value, ..*site };
                    let want = match &site.attribute.wrap_items {
                        Some(wrap) => Value::Map([(wrap.clone(), wire::plain(value))].into_iter().collect()),
                        None => wire::plain(value),
                    };
                    self.push(site.leaf(format!("{pointer}/{}", escape(key)), want, site.attribute));
                }
            }
            other => self.push(site.leaf(pointer.to_owned(), wire::plain(other), site.attribute)),
        }
    }

    /// One leaf an item: others' items are never touched.
    fn edges(&mut self, site: &Site, items: &[Value]) {
        let pointer = site.attribute.pointer.as_deref().unwrap_or_default();
        for (at, item) in items.iter().enumerate() {
            let Value::List(wired) = wire_value(site.attribute, &Value::List(vec![item.clone()]), self.context) else {
                continue;
            };
            let Some(want) = wired.into_iter().next() else { continue };
            let name = match (item, &want) {
                (Value::Reference(reference), _) => reference.address.to_string(),
                (_, Value::Text(text)) => text.clone(),
                _ => at.to_string(),
            };
            let path = format!("{}[{}]", site.path, Json::from(name));
            let site = Site { path: &path, shown: item, ..*site };
            let leaf = site.leaf(format!("{pointer}/{UNKNOWN_EDGE}{at}"), want, site.attribute);
            self.push(leaf.settled());
        }
    }

    fn choice(&mut self, site: &Site, value: &Value) {
        let nothing = IndexMap::new();
        let (name, arguments) = match value {
            Value::Choice { name, arguments } => (name.as_str(), arguments),
            Value::Text(name) => (name.as_str(), &nothing),
            _ => {
                for pointer in pointers(site.attribute) {
                    self.push(site.leaf(pointer, Value::None, site.attribute));
                }
                return;
            }
        };
        let Some(variant) = site.attribute.variants.get(name) else { return };
        let shown = without_secrets(name, variant, arguments);
        let site = &Site { shown: shown.as_ref().unwrap_or(site.shown), ..*site };
        for (pointer, json) in &variant.writes {
            let equality = if json.is_null() { Equality::EmptyIsAbsent } else { Equality::CaseInsensitive };
            self.push(Leaf { equality, ..site.leaf(pointer.clone(), from_json(json), site.attribute) });
        }
        for argument in variant.arguments.values() {
            let Some(pointer) = &argument.pointer else { continue };
            let given = match arguments.get(&argument.name) {
                Some(Value::Default) => argument.default.as_ref(),
                given => given,
            };
            let (given, on_create) = match (given, &argument.on_create) {
                (Some(value), _) => (value.clone(), false),
                (None, Some(on_create)) => (wire::on_create(on_create, self.context), true),
                (None, None) => continue,
            };
            let mut leaf = site.leaf(pointer.clone(), wire_value(argument, &given, self.context), argument);
            if argument.change == ChangeEffect::InPlace && !argument.changes.contains_key(pointer) {
                leaf.change = site.attribute.changes.get(pointer).copied().unwrap_or(site.attribute.change);
            }
            leaf.absent = leaf.absent.or_else(|| site.attribute.absent.get(pointer).cloned());
            leaf.on_create_only |= on_create;
            self.push(leaf);
            for (pointer, json) in &argument.writes {
                let constant = site.leaf(pointer.clone(), from_json(json), site.attribute);
                self.push(Leaf { equality: Equality::CaseInsensitive, on_create_only: on_create, ..constant });
            }
        }
        for (pointer, json) in &variant.creates {
            self.push(site.create(pointer, json));
        }
    }

    /// Raw bodies: objects are walked, lists and scalars are leaves.
    fn flatten(&mut self, site: &Site, path: &str, pointer: &str, value: &Value) {
        match value {
            Value::Map(entries) if !entries.is_empty() => {
                for (key, value) in entries {
                    self.flatten(site, &step(path, key), &format!("{pointer}/{}", escape(key)), value);
                }
            }
            Value::Map(_) if pointer.is_empty() => {}
            value => {
                let site = Site { path, shown: value, ..*site };
                let want = wire::plain(value);
                self.push(Leaf { equality: Equality::Subset, ..site.leaf(pointer.to_owned(), want, site.attribute) });
            }
        }
    }

    /// Adds a leaf. Two lists at one place are one list.
    fn push(&mut self, mut leaf: Leaf) {
        if !self.base.is_empty() {
            leaf.pointer = format!("{}{}", self.base, leaf.pointer);
        }
        let Some(earlier) = self.leaves.iter_mut().find(|earlier| earlier.pointer == leaf.pointer) else {
            self.leaves.push(leaf);
            return;
        };
        match (&mut earlier.want, leaf.want) {
            // What a constructor wants absent or empty unless one of its arguments says it.
            (Value::None, want) => *earlier = Leaf { want, ..leaf },
            (Value::List(items), want @ Value::List(_)) if items.is_empty() => *earlier = Leaf { want, ..leaf },
            (Value::List(items), Value::List(more)) => {
                items.extend(more);
                earlier.sensitive |= leaf.sensitive;
            }
            _ => {}
        }
    }
}

/// Where a leaf comes from.
#[derive(Clone, Copy)]
struct Site<'a> {
    attribute: &'a Attribute,
    path: &'a str,
    shown: &'a Value,
    span: Option<Span>,
    on_create_only: bool,
}

impl Site<'_> {
    /// A leaf compared as `by` says: the attribute itself or an argument of its constructor.
    fn leaf(&self, pointer: String, want: Value, by: &Attribute) -> Leaf {
        let is_secret = self.attribute.sensitive || by.sensitive;
        // What is a secret stays one, also where somebody wrote it into the source.
        let want = match want {
            Value::Text(text) if is_secret => Value::Sensitive(Secret::new(text)),
            Value::Unknown { residual, of, .. } if is_secret => Value::Unknown { residual, of, sensitive: true },
            want => want,
        };
        Leaf {
            attribute: self.path.to_owned(),
            absent: by.absent.get(&pointer).cloned(),
            sensitive: is_secret || want.is_sensitive() || self.shown.is_sensitive(),
            want,
            shown: self.shown.clone(),
            equality: by.equality,
            change: by.changes.get(&pointer).copied().unwrap_or(by.change),
            pointer,
            on_create_only: self.on_create_only,
            span: self.span,
        }
    }

    /// A constant of a create.
    fn create(&self, pointer: &str, json: &Json) -> Leaf {
        Leaf { on_create_only: true, ..self.leaf(pointer.to_owned(), from_json(json), self.attribute) }
    }
}

/// A constructor as it may be shown, if one of its arguments is a secret: that makes no secret of the others.
fn without_secrets(name: &str, variant: &Variant, arguments: &IndexMap<String, Value>) -> Option<Value> {
    let secret = |argument: &str| variant.arguments.get(argument).is_some_and(|argument| argument.sensitive);
    if !arguments.keys().any(|argument| secret(argument)) {
        return None;
    }
    let shown = arguments.iter().map(|(argument, value)| {
        let value = if secret(argument) { Value::Text("(sensitive)".to_owned()) } else { value.clone() };
        (argument.clone(), value)
    });
    Some(Value::Choice { name: name.to_owned(), arguments: shown.collect() })
}

/// A name as the first label of a host name: letters, digits and hyphens, 54 of them at most, as AKS wants it.
pub fn dns_label(name: &str) -> String {
    const LONGEST: usize = 54;
    let label: String = name
        .chars()
        .map(|character| if character.is_ascii_alphanumeric() { character } else { '-' })
        .take(LONGEST)
        .collect();
    label.trim_matches('-').to_owned()
}

/// Every place that some constructor of a choice writes, each once.
pub(crate) fn pointers(attribute: &Attribute) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for variant in attribute.variants.values() {
        let arguments = variant.arguments.values();
        let constants = arguments.clone().flat_map(|argument| argument.writes.keys());
        let arguments = arguments.filter_map(|argument| argument.pointer.as_ref());
        for pointer in variant.writes.keys().chain(arguments).chain(constants) {
            if !found.contains(pointer) {
                found.push(pointer.clone());
            }
        }
    }
    found
}

/// The path of a key: `tags.app`, or `tags["a b"]` where the key is no word.
fn step(path: &str, key: &str) -> String {
    let word = key.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && key.chars().all(|character| character.is_ascii_alphanumeric() || matches!(character, '_' | '-'));
    if word { format!("{path}.{key}") } else { format!("{path}[{}]", Json::from(key)) }
}
