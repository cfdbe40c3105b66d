//! From a live body to the attributes that a block would say: decoded by the catalog, what is Azure's default left out, secrets never
//! read. Whatever would not read back as what is live is not said, and that is reported. Not references, and not syntax.

use akson_catalog::{
    ArmId, Attribute, Catalog, Kind, Type, Value,
    decode::decode_attribute,
    encode::{Context, Leaf, dns_label, encode},
    equality::{Equality, equal},
    json::lookup,
    kind::{Form, Marker, Names, OnCreate, Role},
    marker::{LABEL, TAG},
    named::named,
    policies::Table,
};
use akson_diagnostics::Span;
use indexmap::IndexMap;
use serde_json::Value as Json;

/// What a block says.
#[derive(Debug, Clone, PartialEq)]
pub enum Written {
    /// `name = value`.
    Value(String, Value),
    /// `name { … }`, or with a label `name "label" { … }`.
    Block(String, Option<String>, Vec<Written>),
}

impl Written {
    /// The attribute that it is of.
    pub fn name(&self) -> &str {
        match self {
            Written::Value(name, _) | Written::Block(name, ..) => name,
        }
    }
}

/// Something that is there and no attribute can say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsaid {
    /// The path of the attribute.
    pub attribute: String,
    /// Why not.
    pub why: String,
}

/// How a body is read.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// All kinds.
    pub catalog: &'a Catalog,
    /// What values at create are taken from.
    pub context: &'a Context,
    /// Also what is as Azure has it anyway, and arguments that are secrets: nothing that is shown may come of it.
    pub everything: bool,
}

impl Reading<'_> {
    /// What a block of a kind would say of a body, but for its name, place and location.
    pub fn attributes(&self, kind: &Kind, name: &str, body: &Json) -> (Vec<Written>, Vec<Unsaid>) {
        let mut reader = Reader { reading: self, kind, name, root: body, unsaid: Vec::new(), silent: Vec::new() };
        let written = reader.all(&kind.attributes, body, "");
        let (mut told, silent) = (reader.unsaid, reader.silent);
        let mut checked = Vec::with_capacity(written.len());
        for written in written {
            checked.extend(self.right(kind, written, body, &mut told));
        }
        let mut written = checked;
        super::rules::keep(kind, &mut written);
        once(kind, &mut written, self.context, silent);
        if !self.everything {
            for written in &mut written {
                slim(kind, written, self.context, body);
            }
        }
        // Of two attributes of one place one says it.
        told.retain(|unsaid| {
            let place = kind.attribute(&unsaid.attribute).and_then(|attribute| attribute.pointer.clone());
            let same =
                |other: &&Written| kind.attributes.get(other.name()).and_then(|other| other.pointer.clone()) == place;
            place.is_none() || !written.iter().any(|other| same(&other))
        });
        (written, told)
    }
}

impl Reading<'_> {
    /// What an attribute says of a body where it is written already: also what is as Azure has it anyway. `was` is what it says now.
    ///
    /// # Errors
    /// Why it cannot be said.
    pub(crate) fn again(
        &self,
        kind: &Kind,
        (name, root): (&str, &Json),
        (attribute, path, body): (&Attribute, &str, &Json),
        was: &Value,
    ) -> Result<Option<Value>, String> {
        let mut reader = Reader { reading: self, kind, name, root, unsaid: Vec::new(), silent: Vec::new() };
        let Some(value) = decode_attribute(attribute, body) else {
            let choice =
                attribute.of == Type::Choice && places(attribute).any(|pointer| !nothing(lookup(body, pointer)));
            return if choice { Err("none of its constructors says it".to_owned()) } else { Ok(None) };
        };
        let value = reader.cleaned(attribute, value);
        let value = if attribute.of == Type::Choice {
            let whole = value.clone();
            let said = reader.choice(attribute, value, path);
            let why =
                || reader.unsaid.first().map_or("a secret is a part of it", |unsaid| unsaid.why.as_str()).to_owned();
            with_said(attribute, said.ok_or_else(why)?, &whole, was)
        } else {
            value
        };
        reader.legal(attribute, &attribute.of, &value)?;
        Ok(Some(value))
    }
}

/// A constructor with the arguments that are there and that the author wrote, also where nobody would need to.
fn with_said(attribute: &Attribute, said: Value, whole: &Value, was: &Value) -> Value {
    let (Value::Choice { name, arguments }, Value::Choice { arguments: all, .. }) = (&said, whole) else { return said };
    let Value::Choice { name: before, arguments: written } = was else { return said };
    let Some(variant) = attribute.variants.get(name).filter(|_| name == before) else { return said };
    let of =
        |word: &String| arguments.get(word).or_else(|| all.get(word).filter(|_| written.contains_key(word))).cloned();
    let arguments = variant.arguments.keys().filter_map(|word| Some((word.clone(), of(word)?))).collect();
    Value::Choice { name: name.clone(), arguments }
}

impl Reading<'_> {
    /// What of an attribute reads back as what is live: without fields that do not, if it can be without them.
    fn right(&self, kind: &Kind, written: Written, body: &Json, told: &mut Vec<Unsaid>) -> Option<Written> {
        let attribute = kind.attributes.get(written.name())?;
        let mut whole = vec![written];
        while let Some(leaf) = whole.first().and_then(|written| wrong(kind, written, self.context, body)) {
            let path = leaf.attribute.split('[').next().unwrap_or_default().to_owned();
            told.push(Unsaid { attribute: leaf.attribute, why: "it would read back as another value".to_owned() });
            let Some(Written::Block(_, label, body)) = whole.first() else { return None };
            let inner = match label {
                Some(label) => path.strip_prefix(&format!("{}.{label}.", attribute.name)),
                None => path.strip_prefix(&format!("{}.", attribute.name)),
            };
            // Only a field of the block itself is taken out of it.
            let field = inner.filter(|inner| !inner.contains('.')).and_then(|inner| attribute.fields.get(inner));
            let field = field.filter(|field| !field.required)?;
            let mut left = body.clone();
            left.retain(|written| written.name() != field.name);
            if left.len() == body.len() || (left.is_empty() && attribute.writes.is_empty()) {
                return None;
            }
            whole = vec![Written::Block(attribute.name.clone(), label.clone(), left)];
        }
        whole.pop()
    }
}

/// Whether a value is as nobody says it. Empty lists and texts say nothing.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::None => true,
        Value::Text(text) => text.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Map(entries) => entries.is_empty(),
        _ => false,
    }
}

struct Reader<'a> {
    reading: &'a Reading<'a>,
    kind: &'a Kind,
    name: &'a str,
    root: &'a Json,
    unsaid: Vec<Unsaid>,
    /// Places that nobody needs to say anything of.
    silent: Vec<String>,
}

impl Reader<'_> {
    fn all(&mut self, attributes: &IndexMap<String, Attribute>, body: &Json, prefix: &str) -> Vec<Written> {
        let mut written = Vec::new();
        for attribute in attributes.values() {
            let path = format!("{prefix}{}", attribute.name);
            let place =
                matches!(attribute.role, Role::Name | Role::Parent | Role::Location | Role::Subscription | Role::Key);
            let finds = prefix.is_empty() && self.kind.late.is_some() && self.finds(&attribute.name);
            if place || finds || attribute.sensitive {
                continue;
            }
            let object = matches!(attribute.of, Type::Object(_)) && !attribute.fields.is_empty();
            if let Some(key) = attribute.keyed.as_ref().filter(|_| object) {
                self.keyed(attribute, key, body, &path, &mut written);
            } else if object {
                written.extend(self.block(attribute, body, &path));
            } else if let Some(value) = self.value(attribute, body, &path) {
                written.push(Written::Value(attribute.name.clone(), value));
            }
        }
        written
    }

    /// Whether an attribute is only there to find the object by.
    fn finds(&self, name: &str) -> bool {
        let told = matches!(self.kind.late, Some(akson_catalog::kind::LateId::Told { .. }));
        let required = self.kind.attributes.get(name).is_some_and(|attribute| attribute.required);
        told && !required && self.kind.found_by.iter().any(|found| found.id.is_some() && found.at.contains_key(name))
    }

    /// Labelled blocks: the items of a list.
    fn keyed(&mut self, attribute: &Attribute, key: &str, body: &Json, path: &str, written: &mut Vec<Written>) {
        let items = attribute.pointer.as_deref().and_then(|pointer| lookup(body, pointer)).and_then(Json::as_array);
        for item in items.into_iter().flatten() {
            let Some(label) = item.get(key).and_then(Json::as_str) else { continue };
            let path = format!("{path}.{label}");
            if label.contains(['.', '"']) {
                self.cannot(&path, "its name has a dot or a quotation mark");
                continue;
            }
            let fields = self.all(&attribute.fields, item, &format!("{path}."));
            if let Some(missing) = missing(&attribute.fields, &fields) {
                self.cannot(&path, &format!("it has no `{missing}`"));
                continue;
            }
            written.push(Written::Block(attribute.name.clone(), Some(label.to_owned()), fields));
        }
    }

    fn block(&mut self, attribute: &Attribute, body: &Json, path: &str) -> Option<Written> {
        let live = |pointer: &str| {
            lookup(body, pointer).filter(|value| !value.is_null()).or_else(|| attribute.absent.get(pointer))
        };
        let is_on =
            attribute.writes.iter().all(|(pointer, want)| equal(Equality::CaseInsensitive, Some(want), live(pointer)));
        if !is_on {
            let absent = attribute.pointer.as_deref().is_some_and(|pointer| live(pointer).is_none());
            let none = attribute.removable && (attribute.required || self.reading.everything);
            if !absent && attribute.required {
                self.cannot(path, "it is neither there as a block says it, nor absent");
            }
            return (none && (absent || !attribute.off.is_empty()))
                .then(|| Written::Value(attribute.name.clone(), Value::None));
        }
        let before = self.unsaid.len();
        let fields = self.all(&attribute.fields, body, &format!("{path}."));
        if attribute.writes.is_empty() && fields.is_empty() {
            return None;
        }
        if let Some(missing) = missing(&attribute.fields, &fields) {
            let why = format!("it has no `{missing}`");
            if self.unsaid.len() == before {
                self.cannot(path, &why);
            }
            return None;
        }
        Some(Written::Block(attribute.name.clone(), None, fields))
    }

    fn value(&mut self, attribute: &Attribute, body: &Json, path: &str) -> Option<Value> {
        let Some(value) = decode_attribute(attribute, body) else {
            if attribute.of == Type::Choice && places(attribute).any(|pointer| !nothing(lookup(body, pointer))) {
                self.cannot(path, "none of its constructors says it");
            }
            return None;
        };
        let value = if attribute.is_raw() { raw(value) } else { self.cleaned(attribute, value) };
        if is_empty(&value) && !attribute.required {
            return None;
        }
        if !self.reading.everything && !attribute.required && self.is_default(attribute, &value) {
            self.silent.extend(attribute.pointer.clone());
            return None;
        }
        let value = match (attribute.of == Type::Choice, value) {
            (true, value) => self.choice(attribute, value, path)?,
            (false, value) => value,
        };
        // Its arguments may all have been what Azure fills in.
        if attribute.of == Type::Choice && !self.reading.everything && self.is_default(attribute, &value) {
            return None;
        }
        match self.legal(attribute, &attribute.of, &value) {
            Ok(()) => Some(value),
            Err(why) => {
                self.cannot(path, &why);
                None
            }
        }
    }

    /// Without nulls, and of tags without what marks a resource as somebody's.
    fn cleaned(&self, attribute: &Attribute, value: Value) -> Value {
        match value {
            Value::Map(entries) if matches!(attribute.of, Type::Map(_)) => Value::Map(
                entries
                    .into_iter()
                    .filter(|(key, value)| *value != Value::None && !(attribute.role == Role::Tags && is_mark(key)))
                    .filter(|(key, _)| !marks(self.kind, attribute, key))
                    .collect(),
            ),
            Value::List(items) => {
                let mut kept: Vec<Value> = Vec::with_capacity(items.len());
                for item in items.into_iter().filter(|item| *item != Value::None) {
                    if !matches!(attribute.of, Type::Set(_)) || !kept.contains(&item) {
                        kept.push(item);
                    }
                }
                Value::List(kept)
            }
            other => other,
        }
    }

    /// A constructor with the arguments that can be said; none if a secret must be among them.
    fn choice(&mut self, attribute: &Attribute, value: Value, path: &str) -> Option<Value> {
        let Value::Choice { name, arguments } = value else { return Some(value) };
        let variant = attribute.variants.get(&name)?;
        let hidden = |argument: &Attribute| argument.sensitive && !self.reading.everything;
        if variant.arguments.values().any(|argument| argument.required && hidden(argument)) {
            return None;
        }
        let mut kept = IndexMap::new();
        for (word, value) in arguments {
            let Some(argument) =
                variant.arguments.get(&word).filter(|argument| !argument.sensitive || self.reading.everything)
            else {
                continue;
            };
            let said = argument.required || self.reading.everything || !self.is_filled(argument, &value);
            if !said || (is_empty(&value) && !argument.required) {
                continue;
            }
            match self.legal(argument, &argument.of, &value) {
                Ok(()) => drop(kept.insert(word, value)),
                Err(why) => {
                    let other = |other: &&Attribute| {
                        other.name != word && other.pointer.is_some() && other.pointer == argument.pointer
                    };
                    if !variant.arguments.values().any(|argument| other(&argument)) {
                        self.cannot(&format!("{path}.{word}"), &why);
                    }
                }
            }
        }
        if let Some(missing) =
            variant.arguments.values().find(|argument| argument.required && !kept.contains_key(&argument.name))
        {
            self.cannot(path, &format!("`{name}` needs `{}`", missing.name));
            return None;
        }
        Some(Value::Choice { name, arguments: kept })
    }

    /// Whether it is what nobody needs to say: what a create sends anyway, or what Azure means by silence.
    fn is_default(&self, attribute: &Attribute, value: &Value) -> bool {
        let context = self.reading.context;
        let is = |text: &str| value.as_text().is_some_and(|value| value.eq_ignore_ascii_case(text));
        // The stack has one tenant, and what does not name one means it.
        if attribute.of == Type::Named("tenant_id".to_owned()) && is(&context.tenant) {
            return true;
        }
        if self.is_filled(attribute, value) {
            return true;
        }
        match &attribute.on_create {
            Some(OnCreate::Value(sent)) => same(sent, value),
            Some(OnCreate::Tenant) => is(&context.tenant),
            Some(OnCreate::TokenExchangeAudience) => is(&context.token_exchange_audience),
            Some(OnCreate::DnsLabel) => is(&dns_label(self.name)),
            None => {
                attribute.default.as_ref().is_some_and(|default| same(default, value))
                    || decode_attribute(attribute, &Json::Null).is_some_and(|silence| same(&silence, value))
            }
        }
    }

    /// Whether Azure fills it in where nothing is said.
    fn is_filled(&self, attribute: &Attribute, value: &Value) -> bool {
        let own = |name: &str| self.root.get(name).and_then(Json::as_str).unwrap_or_default();
        let id = ArmId::new(own("id"));
        let filled = |text: &str| {
            let mut text = text
                .replace("{name}", self.name)
                .replace("{subscription}", id.subscription().unwrap_or_default())
                .replace("{resource_group}", id.resource_group().unwrap_or_default())
                .replace("{location}", &own("location").split_whitespace().collect::<String>().to_lowercase());
            // A place of the object itself.
            while let Some((start, end)) =
                text.find("{/").and_then(|start| Some((start, start + text[start..].find('}')?)))
            {
                let live =
                    lookup(self.root, &text[start + 1..end]).and_then(Json::as_str).unwrap_or_default().to_owned();
                text.replace_range(start..=end, &live);
            }
            text
        };
        attribute.filled.iter().any(|known| match (known, value) {
            (Value::Text(known), Value::Text(value)) => filled(known).eq_ignore_ascii_case(value),
            (known, value) => known == value,
        })
    }

    fn legal(&self, attribute: &Attribute, of: &Type, value: &Value) -> Result<(), String> {
        let ruled = |text: &str| match attribute.rule.as_ref().filter(|rule| !rule.allows(text)) {
            Some(rule) => Err(format!("`{text}` is not {}", rule.words)),
            None => Ok(()),
        };
        let named = |name: &str, text: &str| match named(name).filter(|rule| !(rule.allows)(text)) {
            Some(rule) => Err(format!("`{text}` is not {}", rule.words)),
            None => Ok(()),
        };
        match (of, value) {
            (Type::Any, _) | (Type::Bool, Value::Bool(_)) | (Type::Number, Value::Int(_) | Value::Decimal(_)) => Ok(()),
            (Type::Int, Value::Int(number)) => match attribute.range {
                Some((least, most)) if *number < least || *number > most => {
                    Err(format!("{number} is not between {least} and {most}"))
                }
                _ => Ok(()),
            },
            (Type::String, Value::Text(text)) => ruled(text),
            (Type::Named(name), Value::Text(text)) => named(name, text).and_then(|()| ruled(text)),
            (Type::Enum(words), Value::Text(text)) if words.contains(text) => Ok(()),
            (Type::Enum(_), Value::Text(text)) => Err(format!("`{text}` is none of its words")),
            (Type::Switch, Value::Text(text)) if text == "enabled" || text == "disabled" => Ok(()),
            (Type::List(item) | Type::Set(item), Value::List(items)) => {
                items.iter().try_for_each(|value| self.legal(attribute, item, value))
            }
            (Type::Map(item), Value::Map(entries)) => {
                entries.values().try_for_each(|value| self.legal(attribute, item, value))
            }
            (Type::Object(_), Value::Map(entries)) => {
                if let Some(missing) =
                    attribute.fields.values().find(|field| field.required && !entries.contains_key(&field.name))
                {
                    return Err(format!("an item has no `{}`", missing.name));
                }
                entries.iter().try_for_each(|(name, value)| match attribute.fields.get(name) {
                    Some(field) => self.legal(field, &field.of, value),
                    None => Ok(()),
                })
            }
            (Type::Choice, Value::Choice { .. }) => Ok(()),
            (Type::Resource(_), Value::Text(text)) if attribute.by_name || attribute.form == Form::Subjects => {
                ruled(text)
            }
            // Whether a declared resource tells it is seen later.
            (Type::Resource(_), Value::Text(text)) if attribute.stands_for.is_some() => named("object_id", text),
            (Type::Resource(kinds), Value::Text(text)) => {
                match (&attribute.principal, &attribute.takes, attribute.names) {
                    (Some(_), ..) => named("principal_id", text),
                    (_, Some(_), _) => named("object_id", text),
                    (.., Some(Names::Roles)) => Ok(()),
                    (.., Some(Names::Policies(_)))
                        if Table::Definitions.by_id(text).or(Table::Initiatives.by_id(text)).is_some() =>
                    {
                        self.points(kinds, text)
                    }
                    _ => named("arm_id", text).and_then(|()| self.points(kinds, text)),
                }
            }
            _ => Err("it is of another type".to_owned()),
        }
    }

    fn points(&self, kinds: &[String], id: &str) -> Result<(), String> {
        let checked = self.reading.catalog.check_reference(kinds, &ArmId::new(id));
        checked.map_err(|wrong| format!("`{id}` is no `{}`", wrong.wanted))
    }

    fn cannot(&mut self, path: &str, why: &str) {
        self.unsaid.push(Unsaid { attribute: path.to_owned(), why: why.to_owned() });
    }
}

fn is_mark(key: &str) -> bool {
    key.eq_ignore_ascii_case(TAG)
}

/// A key as a step of a pointer.
fn step(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Leaves out of maps what another attribute says of the same place.
fn once(kind: &Kind, written: &mut Vec<Written>, context: &Context, silent: Vec<String>) {
    let mut values = Vec::new();
    for written in written.iter() {
        flatten(written, "", &mut values);
    }
    let of_map = |name: &str| {
        kind.attributes.get(name).filter(|attribute| matches!(attribute.of, Type::Map(_))).map(|own| &own.pointer)
    };
    values.retain(|(path, ..)| of_map(path).is_none());
    let mut said = silent;
    said.extend(encode(kind, &values, context).into_iter().map(|leaf| leaf.pointer));
    for written in written.iter_mut() {
        if let Written::Value(name, Value::Map(entries)) = written
            && let Some(Some(pointer)) = of_map(name)
        {
            entries.retain(|key, _| !said.contains(&format!("{pointer}/{}", step(key))));
        }
    }
    written.retain(|written| match written {
        Written::Value(name, value @ Value::Map(_)) => of_map(name).is_none() || !is_empty(value),
        _ => true,
    });
}

/// Leaves out of the items of a list what is sent anyway, if they read back as what is live all the same.
fn slim(kind: &Kind, written: &mut Written, context: &Context, body: &Json) {
    let Written::Value(name, value) = &*written else { return };
    let Some(attribute) = kind.attributes.get(name).filter(|attribute| !attribute.fields.is_empty()) else { return };
    let mut slimmer = value.clone();
    without_sent(attribute, &mut slimmer);
    if slimmer != *value {
        let slimmer = Written::Value(name.clone(), slimmer);
        if wrong(kind, &slimmer, context, body).is_none() {
            *written = slimmer;
        }
    }
}

fn without_sent(attribute: &Attribute, value: &mut Value) {
    match value {
        Value::List(items) => items.iter_mut().for_each(|item| without_sent(attribute, item)),
        Value::Map(entries) => {
            entries.retain(|name, value| {
                let field = attribute.fields.get(name);
                let sent = |field: &Attribute| match &field.on_create {
                    Some(OnCreate::Value(sent)) => !field.required && same(sent, value),
                    _ => false,
                };
                !field.is_some_and(sent)
            });
            for (name, value) in entries {
                if let Some(field) = attribute.fields.get(name).filter(|field| !field.fields.is_empty()) {
                    without_sent(field, value);
                }
            }
        }
        _ => {}
    }
}

/// Whether a key of a map is where a kind keeps its mark.
fn marks(kind: &Kind, attribute: &Attribute, key: &str) -> bool {
    let place = attribute.pointer.as_deref().map(|pointer| format!("{pointer}/{}", step(key)));
    matches!(&kind.marker, Marker::Text(at) if Some(at.as_str()) == place.as_deref())
        || (kind.marker == Marker::Label && place.as_deref() == Some(LABEL))
        || kind.read_only.iter().any(|at| Some(at.as_str()) == place.as_deref())
        || (is_mark(key) && attribute.pointer.as_deref().is_some_and(|pointer| pointer.ends_with("/metadata")))
}

/// What of an object is said by its `body`: not what stands beside it, and not what Azure alone says.
fn raw(value: Value) -> Value {
    const BESIDE: [&str; 9] =
        ["id", "name", "type", "apiversion", "location", "tags", "etag", "systemdata", "managedby"];
    const TOLD: [&str; 8] = [
        "provisioningstate",
        "resourceguid",
        "uniqueid",
        "createdat",
        "createdon",
        "updatedon",
        "creationtime",
        "lastmodifiedtime",
    ];
    fn without(value: Value, words: &[&str]) -> Value {
        match value {
            Value::Map(entries) => Value::Map(
                entries
                    .into_iter()
                    .filter(|(key, value)| *value != Value::None && !words.contains(&key.to_ascii_lowercase().as_str()))
                    .map(|(key, value)| (key, without(value, &[])))
                    .collect(),
            ),
            Value::List(items) => Value::List(items.into_iter().map(|item| without(item, &[])).collect()),
            other => other,
        }
    }
    match without(value, &BESIDE) {
        Value::Map(mut entries) => {
            if let Some(properties) = entries.get_mut("properties") {
                *properties = without(std::mem::replace(properties, Value::None), &TOLD);
                if is_empty(properties) {
                    entries.shift_remove("properties");
                }
            }
            Value::Map(entries)
        }
        other => other,
    }
}

fn nothing(value: Option<&Json>) -> bool {
    equal(Equality::EmptyIsAbsent, None, value)
}

/// The places that a constructor of a choice may write.
fn places(attribute: &Attribute) -> impl Iterator<Item = &str> {
    attribute.variants.values().flat_map(|variant| {
        let arguments = variant.arguments.values().filter_map(|argument| argument.pointer.as_deref());
        variant.writes.keys().map(String::as_str).chain(arguments)
    })
}

/// A required field that is not said.
fn missing<'a>(fields: &'a IndexMap<String, Attribute>, written: &[Written]) -> Option<&'a str> {
    let said = |name: &str| written.iter().any(|written| written.name() == name);
    fields.values().find(|field| field.required && !said(&field.name)).map(|field| field.name.as_str())
}

/// Whether two values of an attribute are one; a symbol of a choice is a constructor without arguments.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Text(word), Value::Choice { name, arguments })
        | (Value::Choice { name, arguments }, Value::Text(word)) => arguments.is_empty() && word == name,
        _ => one == other,
    }
}

/// The leaf of what is written that is not what is live.
fn wrong(kind: &Kind, written: &Written, context: &Context, body: &Json) -> Option<Leaf> {
    let mut values = Vec::new();
    flatten(written, "", &mut values);
    let paths: Vec<String> = values.iter().map(|(path, ..)| path.clone()).collect();
    let own = |leaf: &Leaf| {
        paths.iter().any(|path| {
            leaf.attribute
                .strip_prefix(path.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        })
    };
    encode(kind, &values, context)
        .into_iter()
        .find(|leaf| !leaf.on_create_only && own(leaf) && leaf.in_sync(body) == Some(false))
}

/// What is written as the encoder takes it: values by path.
pub fn flatten(written: &Written, prefix: &str, values: &mut Vec<(String, Value, Span)>) {
    let nowhere = super::nowhere();
    match written {
        Written::Value(name, value) => values.push((format!("{prefix}{name}"), value.clone(), nowhere)),
        Written::Block(name, label, body) => {
            let path = match label {
                Some(label) => format!("{prefix}{name}.{label}"),
                None => format!("{prefix}{name}"),
            };
            values.push((path.clone(), Value::Map(IndexMap::new()), nowhere));
            for inner in body {
                flatten(inner, &format!("{path}."), values);
            }
        }
    }
}
