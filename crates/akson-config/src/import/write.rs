//! What blocks say as syntax: references in place of ids where the target is declared, words of the language where it has them.

mod workload;

use std::collections::{BTreeSet, HashMap};

use akson_catalog::{
    ArmId, Attribute, Kind, Type, Value,
    equality::Equality,
    json::lookup,
    kind::{Form, Names, Plane, Role},
    roles,
};
use akson_parser::ast::{Argument, Block, Expr, ExprKind, Item};
use indexmap::IndexMap;

use super::{
    nowhere,
    read::Written,
    stack::{Stack, Thing},
};
use crate::workload::make::Make;

/// The blocks of a stack, in order.
pub(super) fn blocks(stack: &Stack<'_>) -> Vec<Block> {
    let mut writer = Writer::new(stack);
    let mut blocks = vec![writer.stack()];
    for at in writer.order.clone() {
        let Some(thing) = stack.things.get(at).filter(|thing| thing.within.is_none()) else { continue };
        match thing.workload.and_then(|workload| stack.workloads.get(workload)) {
            Some(workload) if workload.account == at => blocks.push(writer.workload(at, workload)),
            Some(_) => {}
            None => blocks.push(writer.block(at, thing)),
        }
    }
    blocks
}

/// The blocks of what was declared beside what an author declared, in order, and where each is.
pub(super) fn more(stack: &Stack<'_>, needs: &[(usize, usize)]) -> Vec<(usize, Block)> {
    let mut writer = Writer::new(stack);
    for (from, on) in needs {
        writer.needs(*from, *on);
    }
    let mut blocks = Vec::new();
    for at in writer.order.clone() {
        if let Some(thing) = stack.things.get(at).filter(|thing| at >= stack.fixed && thing.within.is_none()) {
            blocks.push((at, writer.block(at, thing)));
        }
    }
    blocks
}

/// Texts that stand for something of a declared object.
type Told = HashMap<(&'static str, String), (usize, String)>;

pub(super) struct Writer<'s> {
    stack: &'s Stack<'s>,
    make: Make,
    /// Principals by their id.
    principals: HashMap<String, usize>,
    /// Outputs by what they say.
    told: Told,
    /// Which block refers to which.
    edges: Vec<BTreeSet<usize>>,
    /// All of them, in the order of the text.
    order: Vec<usize>,
    /// What stands in each block, in order.
    inner: HashMap<usize, Vec<usize>>,
}

impl<'s> Writer<'s> {
    pub(super) fn new(stack: &'s Stack<'s>) -> Self {
        let mut writer = Self {
            stack,
            make: Make { span: nowhere() },
            principals: HashMap::new(),
            told: Told::new(),
            edges: vec![BTreeSet::new(); stack.things.len()],
            order: stack.order(),
            inner: HashMap::new(),
        };
        for at in &writer.order {
            if let Some((parent, _)) = stack.things.get(*at).and_then(|thing| thing.within.as_ref()) {
                writer.inner.entry(*parent).or_default().push(*at);
            }
        }
        for (at, thing) in stack.things.iter().enumerate() {
            let kind = &thing.object.kind;
            if let Some(principal) = &kind.principal
                && let Some(output) = kind.outputs.get(&principal.output)
                && let Some(id) = lookup(&thing.object.body, &output.pointer).and_then(|id| id.as_str())
            {
                writer.principals.entry(id.to_ascii_lowercase()).or_insert(at);
            }
            for output in kind.outputs.values() {
                let Type::Named(of) = &output.of else { continue };
                let live = lookup(&thing.object.body, &output.pointer).and_then(|live| live.as_str());
                if let (Some(of), Some(live)) = (nominal(of), live) {
                    writer.told.entry((of, form(live))).or_insert_with(|| (at, output.name.clone()));
                }
            }
            // What lies in another needs it, whatever else refers to what.
            if let Some(parent) = thing.parent {
                let (from, to) = (writer.root(at), writer.root(parent));
                if from != to
                    && let Some(edges) = writer.edges.get_mut(from)
                {
                    edges.insert(to);
                }
            }
        }
        writer
    }

    fn stack(&self) -> Block {
        let make = self.make;
        let mut body = Vec::new();
        if let Some(subscription) = &self.stack.subscription {
            body.push(make.attribute("subscription", make.text(subscription)));
        }
        if let Some(location) = &self.stack.location {
            body.push(make.attribute("location", make.text(location)));
        }
        make.block("stack", Some(&self.stack.name), body)
    }

    fn block(&mut self, at: usize, thing: &Thing) -> Block {
        let make = self.make;
        let mut body = Vec::new();
        let kind = &thing.object.kind;
        for attribute in kind.attributes.values() {
            match attribute.role {
                Role::Name => {
                    if let Some((name, text)) = &thing.name {
                        body.push(make.attribute(name, make.text(text)));
                    }
                }
                Role::Parent if kind.parent.as_deref() != Some(attribute.name.as_str()) => {
                    let place = thing.object.places.iter().find(|(name, _)| *name == attribute.name);
                    if let Some((_, name)) = place {
                        let expr = self.expr(at, attribute, &attribute.of, &Value::Text(name.clone()));
                        body.push(make.attribute(&attribute.name, expr));
                    }
                }
                Role::Parent => {
                    if let (None, Some(expr)) = (&thing.within, self.parent(at, thing, kind)) {
                        body.push(make.attribute(&attribute.name, expr));
                    }
                }
                Role::Location => {
                    if let Some(location) = &thing.location {
                        body.push(make.attribute(&attribute.name, make.text(location)));
                    }
                }
                Role::Subscription => {
                    let own = thing.object.subscription.as_ref();
                    let same = |own: &&String| {
                        self.stack.subscription.as_ref().is_some_and(|stack| stack.eq_ignore_ascii_case(own))
                    };
                    if let Some(own) = own.filter(|own| !same(own)) {
                        body.push(make.attribute(&attribute.name, make.text(own)));
                    }
                }
                Role::Value | Role::Tags | Role::Key => {}
            }
            for written in thing.written.iter().filter(|written| written.name() == attribute.name) {
                body.push(self.item(at, attribute, written));
            }
        }
        let stack = self.stack;
        for inner in self.inner.get(&at).cloned().unwrap_or_default() {
            if let Some(nested) = stack.things.get(inner) {
                body.push(Item::Block(Box::new(self.block(inner, nested))));
            }
        }
        let keyword = thing.within.as_ref().map_or(kind.keyword.as_str(), |(_, word)| word);
        let mut block = make.block(keyword, Some(&thing.label), body);
        if let Some(raw) = &thing.raw {
            block.labels.insert(0, make.name(raw));
        }
        if thing.existing {
            block.existing = Some(make.span);
        }
        block
    }

    /// What it lies in: a declared resource, a place below one, or an id.
    fn parent(&mut self, at: usize, thing: &Thing, kind: &Kind) -> Option<Expr> {
        if let Some(parent) = thing.parent {
            return self.address(parent).filter(|_| self.root(at) != self.root(parent));
        }
        let id = thing.object.parent.as_deref()?;
        let attribute = kind.attributes.get(kind.parent.as_deref()?)?;
        let scopes = matches!(&attribute.of, Type::Resource(kinds) if kinds.iter().any(|kind| kind == akson_catalog::kind::SCOPE));
        if scopes {
            if let Some(expr) = self.scope(at, id) {
                return Some(expr);
            }
            let own = self.stack.subscription.as_ref().map(|own| format!("/subscriptions/{own}"));
            if own.is_some_and(|own| ArmId::new(own) == ArmId::new(id)) {
                return Some(self.make.call("subscription", Vec::new()));
            }
        }
        Some(self.make.text(id))
    }

    /// A place below a declared resource that is no resource.
    fn scope(&mut self, at: usize, id: &str) -> Option<Expr> {
        let id = ArmId::new(id);
        for (to, thing) in self.stack.things.iter().enumerate() {
            let above = ArmId::new(thing.object.id.as_str());
            let Some(below) = id.as_str().get(above.as_str().len()..).filter(|_| id.is_within(&above)) else {
                continue;
            };
            for (word, scope) in &thing.object.kind.scopes {
                let Some((before, after)) = scope.path.split_once("{name}") else { continue };
                let inside = below.get(..before.len()).filter(|start| start.eq_ignore_ascii_case(before));
                let name = inside.and_then(|_| below.get(before.len()..)?.strip_suffix(after));
                if let Some(name) = name.filter(|name| scope.rule.allows(name)) {
                    let base = self.refer(at, to)?;
                    let argument = Argument { name: None, value: self.make.text(name) };
                    let kind = ExprKind::Method(Box::new(base), Box::new(self.make.name(word)), vec![argument]);
                    return Some(Expr { span: self.make.span, kind });
                }
            }
        }
        None
    }

    fn item(&mut self, at: usize, attribute: &Attribute, written: &Written) -> Item {
        match written {
            Written::Value(name, value) => {
                let value = self.expr(at, attribute, &attribute.of, value);
                self.make.attribute(name, value)
            }
            Written::Block(name, label, body) => {
                let items = body
                    .iter()
                    .filter_map(|written| Some((attribute.fields.get(written.name())?, written)))
                    .map(|(field, written)| self.item(at, field, written))
                    .collect();
                Item::Block(Box::new(self.make.block(name, label.as_deref(), items)))
            }
        }
    }

    pub(super) fn expr(&mut self, at: usize, attribute: &Attribute, of: &Type, value: &Value) -> Expr {
        let make = self.make;
        match (of, value) {
            (_, Value::None) => Expr { span: make.span, kind: ExprKind::None },
            (Type::Enum(_) | Type::Switch, Value::Text(word)) => symbol(make, word),
            (Type::Choice, Value::Choice { name, arguments }) => self.constructor(at, attribute, name, arguments),
            (Type::Choice, Value::Text(word)) => symbol(make, word),
            (Type::Resource(kinds), Value::Text(text)) => self.resource(at, attribute, kinds, text),
            (Type::Named(of), Value::Text(text)) => self.output(at, of, text).unwrap_or_else(|| make.text(text)),
            (Type::List(item) | Type::Set(item), Value::List(items)) => {
                make.list(items.iter().map(|value| self.expr(at, attribute, item, value)).collect())
            }
            (Type::Object(_), Value::Map(entries)) if !attribute.fields.is_empty() => {
                let entries = entries
                    .iter()
                    .filter_map(|(name, value)| Some((name, attribute.fields.get(name)?, value)))
                    .map(|(name, field, value)| (name.as_str(), self.expr(at, field, &field.of, value)))
                    .collect();
                make.object(entries)
            }
            (Type::Map(item), Value::Map(entries)) if **item != Type::Any => make.object(
                entries.iter().map(|(key, value)| (key.as_str(), self.entry(at, attribute, item, value))).collect(),
            ),
            (_, value) => literal(make, value),
        }
    }

    /// A value of a map: an id that a declared object tells stands there for that object.
    fn entry(&mut self, at: usize, attribute: &Attribute, of: &Type, value: &Value) -> Expr {
        let id = value.as_text().filter(|text| uuid::Uuid::try_parse(text).is_ok());
        let told = id.and_then(|id| self.output(at, "client_id", id).or_else(|| self.output(at, "principal_id", id)));
        told.unwrap_or_else(|| self.expr(at, attribute, of, value))
    }

    fn constructor(&mut self, at: usize, attribute: &Attribute, name: &str, given: &IndexMap<String, Value>) -> Expr {
        let make = self.make;
        let Some(variant) = attribute.variants.get(name).filter(|_| !given.is_empty()) else {
            return symbol(make, name);
        };
        let mut arguments = Vec::new();
        // What is required comes first and by its place; after the first that is left out, by name.
        let mut by_place = true;
        for argument in variant.arguments.values() {
            let Some(value) = given.get(&argument.name) else {
                by_place = false;
                continue;
            };
            by_place &= argument.required;
            let value = self.expr(at, argument, &argument.of, value);
            arguments.push(Argument { name: (!by_place).then(|| make.name(&argument.name)), value });
        }
        Expr { span: make.span, kind: ExprKind::Call(Box::new(make.name(name)), arguments) }
    }

    fn resource(&mut self, at: usize, attribute: &Attribute, kinds: &[String], text: &str) -> Expr {
        let make = self.make;
        if attribute.principal.is_some() {
            let to = self.principals.get(&text.to_ascii_lowercase()).copied();
            return to.and_then(|to| self.refer(at, to)).unwrap_or_else(|| make.text(text));
        }
        if attribute.by_name || attribute.form == Form::Subjects {
            let to = self.named(at, kinds, text);
            return to.and_then(|to| self.refer(at, to)).unwrap_or_else(|| make.text(text));
        }
        if let Some(output) = attribute.takes.as_ref().or(attribute.stands_for.as_ref()) {
            let to = self.stack.telling(kinds, output, text);
            return to.and_then(|to| self.refer(at, to)).unwrap_or_else(|| make.text(text));
        }
        if attribute.names == Some(Names::Roles) {
            let guid = ArmId::new(text).name().to_owned();
            if let Some(role) = roles::by_guid(&guid) {
                return make.text(&role.name);
            }
            let is = |thing: &Thing| {
                ArmId::new(thing.object.id.as_str()).name().eq_ignore_ascii_case(&guid)
                    && thing
                        .object
                        .kind
                        .attributes
                        .values()
                        .any(|attribute| attribute.role == Role::Name && attribute.name == "guid")
            };
            let to = self.stack.things.iter().position(is);
            return to.and_then(|to| self.refer(at, to)).unwrap_or_else(|| make.text(&guid));
        }
        if let Some(Names::Policies(table)) = attribute.names
            && let Some(policy) = table.by_id(text)
        {
            // A name that the table has under two GUIDs would be another policy.
            let unique = table.by_name(&policy.name).is_some_and(|other| other.guid == policy.guid);
            return make.text(if unique { &policy.name } else { &policy.guid });
        }
        let fits = |kind: &Kind| kinds.iter().any(|wanted| wanted == "*" || *wanted == kind.keyword);
        let to = self.stack.find(text).filter(|to| self.stack.things.get(*to).is_some_and(|to| fits(&to.object.kind)));
        to.and_then(|to| self.refer(at, to)).unwrap_or_else(|| make.text(text))
    }

    /// What a text names that is no id: by its name, in the same cluster if it lies in one; a subject of a binding.
    fn named(&self, at: usize, kinds: &[String], text: &str) -> Option<usize> {
        let own = self.stack.things.get(at)?;
        let (word, name) = text.split_once(':').unwrap_or(("", text));
        if word == "group" || word == "user" {
            return self.principals.get(&name.to_ascii_lowercase()).copied();
        }
        let (namespace, name) = name.split_once('/').map_or((None, name), |(space, name)| (Some(space), name));
        let is = |to: &Thing| {
            let in_cluster = to.object.kind.plane == Plane::Kubernetes;
            kinds.contains(&to.object.kind.keyword)
                && if in_cluster { to.object.name == name } else { to.object.name.eq_ignore_ascii_case(name) }
                && (!in_cluster || to.parent == own.parent)
                && namespace.is_none_or(|space| to.object.places.iter().any(|(_, place)| place == space))
        };
        let mut found = self.stack.things.iter().enumerate().filter(|(_, to)| is(to)).map(|(to, _)| to);
        found.next().filter(|_| found.next().is_none())
    }

    /// A text that a declared object tells.
    fn output(&mut self, at: usize, of: &str, text: &str) -> Option<Expr> {
        let (to, output) = self.told.get(&(nominal(of)?, form(text)))?.clone();
        let exact = self.stack.things.get(to).and_then(|thing| {
            let output = thing.object.kind.outputs.get(&output)?;
            let live = lookup(&thing.object.body, &output.pointer)?.as_str()?;
            let slash = output.equality == Equality::TrailingSlash;
            // The output is read with its slash; without one it is another text.
            Some(if slash { format!("{}/", live.trim_end_matches('/')) == text } else { live == text })
        });
        if exact != Some(true) {
            return None;
        }
        let base = self.refer(at, to)?;
        Some(output.split('.').fold(base, |base, step| self.make.member(&base, step)))
    }

    /// Remembers that a block needs another one, whatever is written of it here.
    pub(super) fn needs(&mut self, from: usize, on: usize) {
        let (from, on) = (self.root(from), self.root(on));
        if let Some(edges) = self.edges.get_mut(from).filter(|_| from != on) {
            edges.insert(on);
        }
    }

    /// A reference, unless it would close a circle or cannot be seen from there.
    fn refer(&mut self, from: usize, to: usize) -> Option<Expr> {
        let scope = |at: usize| self.stack.things.get(at).map(|thing| &thing.scope);
        if scope(from) != scope(to) {
            return None;
        }
        let (from, root) = (self.root(from), self.root(to));
        if from == root || self.reaches(root, from) {
            return None;
        }
        self.edges.get_mut(from)?.insert(root);
        self.address(to)
    }

    fn reaches(&self, from: usize, to: usize) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![from];
        while let Some(at) = open.pop() {
            if at == to {
                return true;
            }
            if seen.insert(at) {
                open.extend(self.edges.get(at).into_iter().flatten().copied());
            }
        }
        false
    }

    /// The block that a thing stands in.
    fn root(&self, at: usize) -> usize {
        let thing = self.stack.things.get(at);
        let workload = thing.and_then(|thing| self.stack.workloads.get(thing.workload?));
        match (thing.and_then(|thing| thing.within.as_ref()), workload) {
            (Some((parent, _)), _) => self.root(*parent),
            (None, Some(workload)) => workload.account,
            (None, None) => at,
        }
    }

    fn address(&self, at: usize) -> Option<Expr> {
        let thing = self.stack.things.get(at)?;
        if let Some(address) = &thing.address {
            return Some(address.clone());
        }
        if let Some((label, part, key)) = self.stack.part(at) {
            let base = self.make.member(&self.make.member(&self.make.word("workload"), label), part);
            return Some(match key {
                Some(key) => self.make.index(&base, self.make.text(&key)),
                None => base,
            });
        }
        Some(match &thing.within {
            Some((parent, word)) => {
                let base = self.make.member(&self.address(*parent)?, word);
                self.make.member(&base, &thing.label)
            }
            None => self.make.member(&self.make.word(&thing.object.kind.keyword), &thing.label),
        })
    }
}

/// Types of texts that are as good as the object that tells them.
fn nominal(of: &str) -> Option<&'static str> {
    match of {
        "principal_id" | "object_id" => Some("principal"),
        "client_id" => Some("client"),
        "url" => Some("url"),
        _ => None,
    }
}

fn form(text: &str) -> String {
    text.trim_end_matches('/').to_ascii_lowercase()
}

/// A word where a symbol is wanted; in quotes if the language has another use for it.
fn symbol(make: Make, word: &str) -> Expr {
    let plain = word.starts_with(|first: char| first.is_ascii_alphabetic())
        && word.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
        && !matches!(word, "none" | "default" | "true" | "false" | "for" | "if" | "in" | "existing");
    if plain { make.word(word) } else { make.text(word) }
}

fn literal(make: Make, value: &Value) -> Expr {
    match value {
        Value::Bool(flag) => Expr { span: make.span, kind: ExprKind::Bool(*flag) },
        Value::Int(number) => make.number(&number.to_string()),
        Value::Decimal(number) => make.number(&number.to_string()),
        Value::Text(text) => make.text(text),
        Value::List(items) => make.list(items.iter().map(|item| literal(make, item)).collect()),
        Value::Map(entries) => {
            make.object(entries.iter().map(|(key, value)| (key.as_str(), literal(make, value))).collect())
        }
        _ => Expr { span: make.span, kind: ExprKind::None },
    }
}
