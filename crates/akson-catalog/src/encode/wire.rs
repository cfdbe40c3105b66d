//! One value in the wire's words: enums and switches mapped, items wrapped, references as ids. Not where it stands in the body.

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::{Context, cluster};
use crate::{
    Attribute, Operator, Reference, Residual, Type, Value,
    json::from_json,
    kind::{Form, Names, OnCreate, late},
    time,
};

/// What an attribute's value is on the wire. Holes stay holes; a hole where words are mapped is an index into the mapping.
pub fn wire_value(attribute: &Attribute, value: &Value, context: &Context) -> Value {
    let value = match value {
        Value::Default => attribute.default.as_ref().unwrap_or(&Value::None),
        value => value,
    };
    let wire = typed(attribute, &attribute.of, value, context);
    let wire = if attribute.form == Form::YamlTexts { cluster::yaml_texts(&wire) } else { wire };
    let wire = if attribute.as_keys { keys(wire) } else { wire };
    if attribute.single_item && wire != Value::None { Value::List(vec![wire]) } else { wire }
}

/// The value that is sent at create, in the configuration's words.
pub(super) fn on_create(on_create: &OnCreate, context: &Context) -> Value {
    match on_create {
        OnCreate::Value(value) => value.clone(),
        OnCreate::Tenant => Value::Text(context.tenant.clone()),
        OnCreate::TokenExchangeAudience => Value::Text(context.token_exchange_audience.clone()),
        OnCreate::DnsLabel => Value::None,
    }
}

fn typed(attribute: &Attribute, of: &Type, value: &Value, context: &Context) -> Value {
    match (of, value) {
        (_, Value::None) => Value::None,
        (Type::Resource(_), Value::Reference(reference)) if attribute.principal.is_some() => {
            late::principal_id(reference, context).unwrap_or_else(|| plain(value))
        }
        (Type::Resource(_), Value::Reference(reference)) if attribute.stands_for.is_some() => {
            let output = attribute.stands_for.clone().unwrap_or_default();
            let (of, address) = (reference.symbolic_id.clone(), reference.address.clone());
            let residual = Box::new(Residual::Output { of, address, output });
            Value::Unknown { residual, of: Type::Any, sensitive: false }
        }
        (Type::Resource(_), value) if attribute.form == Form::Subjects => cluster::subject(value, context),
        (Type::Resource(_), Value::Reference(reference)) if attribute.by_name => cluster::name_of(reference),
        (_, Value::Text(text)) if attribute.names == Some(Names::Roles) => {
            Value::Text(late::role_definition(text, context))
        }
        (_, Value::Int(number)) if attribute.form == Form::Text => Value::Text(number.to_string()),
        (_, Value::Text(text)) if attribute.form == Form::Epoch => {
            time::to_epoch(text).map_or_else(|| value.clone(), Value::Int)
        }
        (Type::Enum(_), value) => mapped(&attribute.values, value),
        (Type::Switch, value) => match &attribute.switch {
            Some((enabled, disabled)) => {
                let words: IndexMap<String, Json> = [
                    ("enabled".to_owned(), enabled.clone()),
                    ("disabled".to_owned(), disabled.clone().unwrap_or(Json::Null)),
                ]
                .into();
                mapped(&words, value)
            }
            None => mapped(&[("enabled".to_owned(), true.into()), ("disabled".to_owned(), false.into())].into(), value),
        },
        (Type::List(item) | Type::Set(item), Value::List(items)) => {
            Value::List(items.iter().map(|value| wrapped(attribute, typed(attribute, item, value, context))).collect())
        }
        (Type::Map(_), Value::Map(entries)) => {
            Value::Map(entries.iter().map(|(key, value)| (key.clone(), wrapped(attribute, plain(value)))).collect())
        }
        (Type::Object(_), Value::Map(entries)) if !attribute.fields.is_empty() => {
            record(&attribute.fields, entries, context)
        }
        (Type::Resource(_), Value::Reference(reference)) => match &attribute.takes {
            Some(output) => output_of(reference, output, "object_id"),
            None => plain(value),
        },
        (_, value) => plain(value),
    }
}

/// Texts as the keys of an object, with nothing behind them.
fn keys(wire: Value) -> Value {
    let key = |item: Value| match item {
        Value::Text(text) => Some((text, Value::Map(IndexMap::new()))),
        _ => None,
    };
    match wire {
        Value::List(items) => Value::Map(items.into_iter().filter_map(key).collect()),
        Value::Text(_) => Value::Map(key(wire).into_iter().collect()),
        other => other,
    }
}

pub(super) fn output_of(reference: &Reference, output: &str, of: &str) -> Value {
    Value::Unknown {
        residual: Box::new(Residual::Output {
            of: reference.symbolic_id.clone(),
            address: reference.address.clone(),
            output: output.to_owned(),
        }),
        of: Type::Named(of.to_owned()),
        sensitive: false,
    }
}

/// The wire's word for one of ours. What is known after apply becomes an index into the words.
fn mapped(words: &IndexMap<String, Json>, value: &Value) -> Value {
    match value {
        Value::Text(word) => words.get(word).map_or_else(|| value.clone(), from_json),
        Value::Unknown { residual, of, sensitive } if !words.is_empty() => {
            let table = Value::Map(words.iter().map(|(word, wire)| (word.clone(), from_json(wire))).collect());
            let index = Residual::Operation(Operator::Index, vec![Residual::Known(table), (**residual).clone()]);
            Value::Unknown { residual: Box::new(index), of: of.clone(), sensitive: *sensitive }
        }
        other => plain(other),
    }
}

fn wrapped(attribute: &Attribute, item: Value) -> Value {
    match &attribute.wrap_items {
        Some(key) => {
            let mut entries = IndexMap::from([(key.clone(), item)]);
            entries.extend(attribute.wrap_with.iter().map(|(key, json)| (key.clone(), from_json(json))));
            Value::Map(entries)
        }
        None => item,
    }
}

/// An object of a list: each field at its own pointer below the item.
fn record(fields: &IndexMap<String, Attribute>, entries: &IndexMap<String, Value>, context: &Context) -> Value {
    let mut object = IndexMap::new();
    for field in fields.values() {
        let Some(pointer) = &field.pointer else { continue };
        let value = match (entries.get(&field.name), &field.on_create) {
            (Some(value), _) => wire_value(field, value, context),
            (None, Some(default)) => wire_value(field, &on_create(default, context), context),
            (None, None) => continue,
        };
        if value != Value::None {
            put(&mut object, pointer, value);
        }
    }
    Value::Map(object)
}

fn put(object: &mut IndexMap<String, Value>, pointer: &str, value: Value) {
    let path = pointer.strip_prefix('/').unwrap_or(pointer);
    match path.split_once('/') {
        None => {
            object.insert(path.to_owned(), value);
        }
        Some((first, rest)) => {
            let inner = object.entry(first.to_owned()).or_insert_with(|| Value::Map(IndexMap::new()));
            if let Value::Map(inner) = inner {
                put(inner, &format!("/{rest}"), value);
            }
        }
    }
}

/// A value that means the same on both sides, references in it as ids.
pub(super) fn plain(value: &Value) -> Value {
    match value {
        Value::Reference(reference) => match &reference.id {
            Some(id) => Value::Text(id.clone()),
            None => output_of(reference, "id", "arm_id"),
        },
        Value::List(items) => Value::List(items.iter().map(plain).collect()),
        Value::Map(entries) => Value::Map(entries.iter().map(|(key, value)| (key.clone(), plain(value))).collect()),
        other => other.clone(),
    }
}
