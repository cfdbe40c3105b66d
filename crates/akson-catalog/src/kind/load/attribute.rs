//! One attribute of a kind file: its type, its place, its rules; arguments of constructors and fields of objects alike.

use akson_diagnostics::{Diagnostic, Diagnostics};
use indexmap::IndexMap;
use serde_json::Value as Json;

use super::{
    type_expression::{self, Parts},
    view::{At, BAD_RULE, BAD_TYPE, INCONSISTENT, View, WRONG_VALUE, pick},
};
use crate::{
    Attribute, Severity, Type, Value,
    equality::Equality,
    json::from_json,
    kind::{ChangeEffect, Form, Names, OnCreate, PrincipalAt, Role, Rule, Variant},
    policies::Table,
};

/// Where an attribute stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In the block itself.
    Body,
    /// In an object or a nested block.
    Field,
    /// In a constructor.
    Argument,
}

/// Words for equality rules.
pub(super) const EQUALITIES: &[(&str, Equality)] = &[
    ("exact", Equality::Exact),
    ("case_insensitive", Equality::CaseInsensitive),
    ("id", Equality::Id),
    ("location", Equality::Location),
    ("set", Equality::Set),
    ("trailing_slash", Equality::TrailingSlash),
    ("marked_text", Equality::MarkedText),
    ("empty_is_absent", Equality::EmptyIsAbsent),
    ("cidr_set", Equality::CidrSet),
    ("subset", Equality::Subset),
    ("last_segment", Equality::LastSegment),
    ("edges", Equality::Edges),
    ("items", Equality::Items),
    ("keys", Equality::Keys),
    ("yaml", Equality::Yaml),
];

const ROLES: &[(&str, Role)] = &[
    ("value", Role::Value),
    ("name", Role::Name),
    ("parent", Role::Parent),
    ("location", Role::Location),
    ("tags", Role::Tags),
    ("subscription", Role::Subscription),
    ("key", Role::Key),
];

const NAMES: &[(&str, Names)] = &[
    ("roles", Names::Roles),
    ("policy_definitions", Names::Policies(Table::Definitions)),
    ("policy_initiatives", Names::Policies(Table::Initiatives)),
];

const CHANGES: &[(&str, ChangeEffect)] = &[
    ("in_place", ChangeEffect::InPlace),
    ("replace", ChangeEffect::Replace),
    ("irreversible", ChangeEffect::Irreversible),
];

/// Reads one. None if its type cannot be read.
pub(super) fn attribute(
    name: &At<String>,
    mut view: View<'_, '_>,
    place: Place,
    diagnostics: &mut Diagnostics,
) -> Option<Attribute> {
    let docs = view.required_text("docs", diagnostics);
    let values = plain(view.jsons("values", diagnostics));
    let mut fields = IndexMap::new();
    for (name, view) in view.tables("fields", diagnostics) {
        if let Some(field) = attribute(&name, view, Place::Field, diagnostics) {
            fields.insert(name.value, field);
        }
    }
    let words: Vec<String> = values.keys().cloned().collect();
    let members: Vec<(String, Type, bool)> =
        fields.values().map(|field: &Attribute| (field.name.clone(), field.of.clone(), !field.required)).collect();
    let of = type_of(&mut view, &Parts { words: &words, fields: &members }, diagnostics);
    let pointer = pointer(&mut view, diagnostics);

    let mut made = Attribute::new(name.value.clone(), of.clone().unwrap_or(Type::Any));
    made.docs = docs.map(|docs| docs.value).unwrap_or_default();
    made.required = view.flag("required", diagnostics);
    made.role = view.word("role", ROLES, diagnostics).unwrap_or(Role::Value);
    made.as_keys = view.flag("as_keys", diagnostics);
    let by_type = if made.as_keys { Equality::Keys } else { equality_of(&made.of) };
    made.equality = view.word("equality", EQUALITIES, diagnostics).unwrap_or(by_type);
    made.keyed = view.text("keyed", diagnostics).map(|key| key.value);
    made.takes = view.text("takes", diagnostics).map(|output| output.value);
    made.names = view.word("names", NAMES, diagnostics);
    made.writes = pointers(view.jsons("writes", diagnostics), diagnostics);
    made.off = pointers(view.jsons("off", diagnostics), diagnostics);
    made.unless = view.text("unless", diagnostics).map(|name| name.value);
    for (pointer, effect) in view.jsons("changes", diagnostics) {
        let text = At { value: effect.value.as_str().unwrap_or_default().to_owned(), span: effect.span };
        if let Some(effect) = pick("changes", &text, CHANGES, diagnostics) {
            made.changes.insert(pointer, effect);
        }
    }
    made.change = view.word("change", CHANGES, diagnostics).unwrap_or(ChangeEffect::InPlace);
    made.change_reason = view.text("reason", diagnostics).map(|reason| reason.value);
    made.sensitive = view.flag("sensitive", diagnostics);
    made.removable = view.flag("removable", diagnostics);
    made.single_item = view.flag("single_item", diagnostics);
    made.range = view.bounds("range", diagnostics);
    made.rule = rule(&mut view, diagnostics);
    made.wrap_items = view.text("wrap_items", diagnostics).map(|key| key.value);
    made.wrap_with = plain(view.jsons("wrap_with", diagnostics));
    made.rest_with = plain(view.jsons("rest_with", diagnostics));
    made.creates = pointers(view.jsons("creates", diagnostics), diagnostics);
    made.switch = switch(&mut view, diagnostics);
    let by_pointer = made.of == Type::Choice || matches!(made.of, Type::Object(_)) || !made.off.is_empty();
    made.absent = absent(&mut view, pointer.as_deref(), by_pointer, diagnostics);
    for (name, view) in view.tables("variants", diagnostics) {
        let variant = variant(view, diagnostics);
        made.variants.insert(name.value, variant);
    }
    made.principal = view.table("principal").map(|mut table| {
        let type_at = table.text("type_at", diagnostics).map(|pointer| pointer.value);
        table.finish(diagnostics);
        PrincipalAt { type_at }
    });
    made.by_name = view.flag("by_name", diagnostics);
    made.stands_for = view.text("stands_for", diagnostics).map(|output| output.value);
    let forms = [
        ("same", Form::Same),
        ("text", Form::Text),
        ("epoch", Form::Epoch),
        ("yaml_texts", Form::YamlTexts),
        ("subjects", Form::Subjects),
    ];
    made.form = view.word("form", &forms, diagnostics).unwrap_or_default();
    made.severity = view.word("severity", Severity::WORDS, diagnostics);
    made.values = values;
    made.fields = fields;
    made.pointer = pointer;
    made.default = view.json("default", diagnostics).map(|default| value(&made, &default, diagnostics));
    made.on_create = on_create(&made, &mut view, diagnostics);
    if let Some(filled) = view.json("filled", diagnostics) {
        let each = |item: &Json| At { value: item.clone(), span: filled.span };
        let items = filled.value.as_array().cloned().unwrap_or_default();
        made.filled = items.iter().map(|item| value(&made, &each(item), diagnostics)).collect();
    }
    // What follows from a type or place that could not be read would be a second error for one mistake.
    if of.is_some() && view.has("pointer") == made.pointer.is_some() {
        check(&mut made, &mut view, place, diagnostics);
    }
    view.finish(diagnostics);
    of.is_some().then_some(made)
}

/// A type without words and fields of its own.
pub(super) fn simple_type(view: &mut View<'_, '_>, diagnostics: &mut Diagnostics) -> Option<Type> {
    type_of(view, &Parts { words: &[], fields: &[] }, diagnostics)
}

fn type_of(view: &mut View<'_, '_>, parts: &Parts<'_>, diagnostics: &mut Diagnostics) -> Option<Type> {
    let text = view.required_text("type", diagnostics)?;
    match type_expression::parse(&text.value, parts) {
        Ok(of) => Some(of),
        Err(why) => {
            diagnostics.push(Diagnostic::error(BAD_TYPE, format!("`{}` is no type", text.value)).at(text.span, why));
            None
        }
    }
}

pub(super) fn pointer(view: &mut View<'_, '_>, diagnostics: &mut Diagnostics) -> Option<String> {
    pointer_at("pointer", view, diagnostics)
}

/// The pointer under a key.
pub(super) fn pointer_at(key: &'static str, view: &mut View<'_, '_>, diagnostics: &mut Diagnostics) -> Option<String> {
    let text = view.text(key, diagnostics)?;
    if !is_pointer(&text.value) {
        diagnostics.push(bad_pointer(&text));
        return None;
    }
    Some(text.value)
}

/// The whole body, or a path of keys.
fn is_pointer(text: &str) -> bool {
    let text = text.strip_prefix('*').unwrap_or(text);
    text.is_empty() || text.starts_with('/') && text.split('/').skip(1).all(|step| !step.is_empty())
}

fn bad_pointer(text: &At<String>) -> Diagnostic {
    Diagnostic::error(WRONG_VALUE, format!("`{}` is no JSON pointer", text.value))
        .at(text.span, "a path such as /properties/sku/name")
}

fn plain(entries: IndexMap<String, At<Json>>) -> IndexMap<String, Json> {
    entries.into_iter().map(|(key, json)| (key, json.value)).collect()
}

fn pointers(entries: IndexMap<String, At<Json>>, diagnostics: &mut Diagnostics) -> IndexMap<String, Json> {
    for (key, json) in entries.iter().filter(|(key, _)| !is_pointer(key)) {
        diagnostics.push(bad_pointer(&At { value: key.clone(), span: json.span }));
    }
    plain(entries)
}

/// What an absent key means: a value, or for what writes several places a table of pointer to value.
fn absent(
    view: &mut View<'_, '_>,
    pointer: Option<&str>,
    by_pointer: bool,
    diagnostics: &mut Diagnostics,
) -> IndexMap<String, Json> {
    if by_pointer {
        return pointers(view.jsons("absent", diagnostics), diagnostics);
    }
    match (view.json("absent", diagnostics), pointer) {
        (Some(json), Some(pointer)) => IndexMap::from([(pointer.to_owned(), json.value)]),
        _ => IndexMap::new(),
    }
}

pub(super) fn rule(view: &mut View<'_, '_>, diagnostics: &mut Diagnostics) -> Option<Rule> {
    let words = view.text("words", diagnostics);
    let length = view.bounds("length", diagnostics);
    let pattern = view.text("pattern", diagnostics);
    let Some(pattern) = pattern else {
        if words.is_some() || length.is_some() {
            let diagnostic = Diagnostic::error(BAD_RULE, "`words` and `length` belong to a `pattern`");
            diagnostics.push(diagnostic.at(view.span, "there is none here"));
        }
        return None;
    };
    if !(pattern.value.starts_with('^') && pattern.value.ends_with('$')) {
        let diagnostic = Diagnostic::error(BAD_RULE, "the pattern is not anchored");
        diagnostics.push(diagnostic.at(pattern.span, "begin it with `^` and end it with `$`"));
    }
    let Some(words) = words else {
        let diagnostic = Diagnostic::error(BAD_RULE, "the pattern has no words");
        diagnostics.push(
            diagnostic.at(pattern.span, "nobody should have to read a pattern").help("say the rule in `words = \"…\"`"),
        );
        return None;
    };
    let length = length.and_then(|(least, most)| Some((usize::try_from(least).ok()?, usize::try_from(most).ok()?)));
    match regex::Regex::new(&pattern.value) {
        Ok(pattern) => Some(Rule { pattern, length, words: words.value }),
        Err(error) => {
            let why = error.to_string();
            let why = why.lines().last().unwrap_or("").trim().to_owned();
            diagnostics.push(Diagnostic::error(BAD_RULE, "the pattern cannot be read").at(pattern.span, why));
            None
        }
    }
}

fn switch(view: &mut View<'_, '_>, diagnostics: &mut Diagnostics) -> Option<(Json, Option<Json>)> {
    let mut table = view.table("switch")?;
    let enabled = table.json("enabled", diagnostics);
    let disabled = table.json("disabled", diagnostics);
    if enabled.is_none() {
        table.missing("enabled", diagnostics);
    }
    table.finish(diagnostics);
    Some((enabled?.value, disabled.map(|disabled| disabled.value)))
}

fn variant(mut view: View<'_, '_>, diagnostics: &mut Diagnostics) -> Variant {
    let docs = view.required_text("docs", diagnostics).map(|docs| docs.value).unwrap_or_default();
    let writes = pointers(view.jsons("writes", diagnostics), diagnostics);
    let creates = pointers(view.jsons("creates", diagnostics), diagnostics);
    let mut arguments = IndexMap::new();
    for (name, view) in view.tables("arguments", diagnostics) {
        if let Some(argument) = attribute(&name, view, Place::Argument, diagnostics) {
            arguments.insert(name.value, argument);
        }
    }
    view.finish(diagnostics);
    Variant { docs, arguments, writes, creates }
}

fn on_create(attribute: &Attribute, view: &mut View<'_, '_>, diagnostics: &mut Diagnostics) -> Option<OnCreate> {
    if let Some(mut table) = view.table("on_create") {
        let sources = [
            ("tenant", OnCreateFrom::Tenant),
            ("token_exchange_audience", OnCreateFrom::Audience),
            ("dns_label", OnCreateFrom::DnsLabel),
        ];
        let from = table.word("from", &sources, diagnostics);
        if from.is_none() && !table.has("from") {
            table.missing("from", diagnostics);
        }
        table.finish(diagnostics);
        return Some(match from? {
            OnCreateFrom::Tenant => OnCreate::Tenant,
            OnCreateFrom::Audience => OnCreate::TokenExchangeAudience,
            OnCreateFrom::DnsLabel => OnCreate::DnsLabel,
        });
    }
    let json = view.json("on_create", diagnostics)?;
    Some(OnCreate::Value(value(attribute, &json, diagnostics)))
}

#[derive(Clone, Copy)]
enum OnCreateFrom {
    Tenant,
    Audience,
    DnsLabel,
}

/// A value of the attribute in the configuration's words.
fn value(attribute: &Attribute, json: &At<Json>, diagnostics: &mut Diagnostics) -> Value {
    let known = |words: Vec<&str>| match json.value.as_str() {
        Some(word) if words.contains(&word) => None,
        _ => Some(format!("one of {}", words.join(", "))),
    };
    let wrong = match &attribute.of {
        Type::Enum(words) => known(words.iter().map(String::as_str).collect()),
        Type::Switch => known(vec!["enabled", "disabled"]),
        Type::Choice => known(attribute.variants.keys().map(String::as_str).collect()),
        Type::Int if !json.value.is_i64() => Some("a whole number".to_owned()),
        Type::Bool if !json.value.is_boolean() => Some("true or false".to_owned()),
        Type::String | Type::Named(_) if !json.value.is_string() => Some("a text".to_owned()),
        _ => None,
    };
    if let Some(wanted) = wrong {
        diagnostics
            .push(Diagnostic::error(WRONG_VALUE, format!("`{}` cannot be this", attribute.name)).at(json.span, wanted));
    }
    match (&attribute.of, json.value.as_str()) {
        (Type::Choice, Some(name)) => Value::Choice { name: name.to_owned(), arguments: IndexMap::new() },
        _ => from_json(&json.value),
    }
}

/// How values of a type are compared if nothing is said.
fn equality_of(of: &Type) -> Equality {
    match of {
        Type::Enum(_) | Type::Switch => Equality::CaseInsensitive,
        Type::Resource(_) => Equality::Id,
        Type::Any => Equality::Subset,
        Type::Named(name) => match name.as_str() {
            "location" => Equality::Location,
            "arm_id" => Equality::Id,
            "uuid" | "principal_id" | "client_id" | "object_id" | "tenant_id" => Equality::CaseInsensitive,
            _ => Equality::Exact,
        },
        Type::List(item) | Type::Set(item) if **item == Type::Named("cidr".to_owned()) => Equality::CidrSet,
        Type::Set(_) => Equality::Set,
        Type::List(item) | Type::Map(item) => equality_of(item),
        _ => Equality::Exact,
    }
}

/// Parts that do not fit together.
fn check(attribute: &mut Attribute, view: &mut View<'_, '_>, place: Place, diagnostics: &mut Diagnostics) {
    let mut wrong = |message: &str, key: &'static str, why: &str| {
        let span = view.place(key);
        diagnostics
            .push(Diagnostic::error(INCONSISTENT, format!("`{}` {message}", attribute.name)).at(span, why.to_owned()));
    };
    let item = match &attribute.of {
        Type::List(item) | Type::Set(item) => Some(item.as_ref()),
        _ => None,
    };
    let base = item.unwrap_or(&attribute.of);
    let nested = matches!(attribute.of, Type::Object(_)) && place == Place::Body;
    let in_id = matches!(attribute.role, Role::Name | Role::Parent | Role::Subscription | Role::Key);

    if in_id && attribute.pointer.is_some() {
        wrong("is a part of the id and of the body", "pointer", "leave this out");
    }
    if !in_id && attribute.pointer.is_none() && attribute.of != Type::Choice && !nested {
        wrong("has no place in the body", "type", "needs a `pointer`");
    }
    if attribute.of == Type::Choice && attribute.variants.is_empty() {
        wrong("has no constructors", "type", "a choice needs `variants`");
    }
    if attribute.of == Type::Choice && attribute.pointer.is_some() {
        wrong("is a choice with a place of its own", "pointer", "each constructor says what it writes");
    }
    if attribute.of == Type::Choice && place != Place::Body {
        wrong("is a choice within a value", "type", "a choice is an attribute of the block");
    }
    // A secret may be text or a constructor: `generated(32)`.
    let secret = attribute.of == Type::String && attribute.sensitive;
    if attribute.of != Type::Choice && !secret && !attribute.variants.is_empty() {
        wrong("has constructors and is no choice", "variants", "type = \"choice\", or a sensitive string");
    }
    if !matches!(base, Type::Enum(_)) && !attribute.values.is_empty() {
        wrong("has words and is no enum", "values", "these belong to an enum");
    }
    if !matches!(base, Type::Object(_)) && !attribute.fields.is_empty() {
        wrong("has fields and is no object", "fields", "these belong to an object, or a list or set of them");
    }
    if attribute.of != Type::Switch && attribute.switch.is_some() {
        wrong("is no switch", "switch", "this belongs to `type = \"switch\"`");
    }
    let holds_items = item.is_some() || matches!(attribute.of, Type::Map(_));
    if (attribute.wrap_items.is_some() || !attribute.wrap_with.is_empty()) && !holds_items {
        wrong("is no list and has items to wrap", "wrap_items", "this belongs to a list, a set or a map");
    }
    if attribute.keyed.is_some() && !(matches!(attribute.of, Type::Object(_)) && attribute.pointer.is_some()) {
        wrong("has labels and is no list of objects", "keyed", "needs `type = \"object\"` and the list's `pointer`");
    }
    if attribute.takes.is_some() && !matches!(base, Type::Resource(_)) {
        wrong("takes an output and refers to nothing", "takes", "this belongs to `resource(…)`");
    }
    if attribute.by_name && !matches!(base, Type::Resource(_)) {
        wrong("takes a name and refers to nothing", "by_name", "this belongs to `resource(…)`");
    }
    if attribute.names.is_some() && !matches!(base, Type::Resource(_)) {
        wrong("has names and refers to nothing", "names", "this belongs to `resource(…)`");
    }
    if attribute.wrap_items.is_none() && !attribute.wrap_with.is_empty() {
        wrong("says what wrapped items have and wraps none", "wrap_with", "needs `wrap_items`");
    }
    if attribute.wrap_items.is_none() && !attribute.rest_with.is_empty() {
        wrong("says what other wrapped items get and wraps none", "rest_with", "needs `wrap_items`");
    }
    if attribute.single_item && item.is_some() {
        wrong("is a list already", "single_item", "this makes a list of one value");
    }
    if attribute.range.is_some() && !matches!(attribute.of, Type::Int | Type::Number) {
        wrong("has bounds and is no number", "range", "this belongs to `int` and `number`");
    }
    if attribute.required && attribute.on_create.is_some() {
        wrong("is required and has a value for being left out", "on_create", "one of the two");
    }
    let lasting = attribute.change != ChangeEffect::InPlace || !attribute.changes.is_empty();
    if lasting && attribute.change_reason.is_none() {
        wrong("says what a change does and not why", "change", "needs a `reason`: one sentence with the API's fact");
    }
    if attribute.role == Role::Tags && !matches!(&attribute.of, Type::Map(_)) {
        wrong("are tags and no map", "type", "type = \"map(string)\"");
    }
    if attribute.single_item && attribute.equality == Equality::CaseInsensitive {
        attribute.equality = Equality::Set;
    }
}
