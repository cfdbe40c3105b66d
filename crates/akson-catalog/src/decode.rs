//! From the wire back to the configuration's words, so that a plan shows `cannot_delete` where Azure says `CanNotDelete`; and what
//! a resource's outputs are. Not comparison: see `equality`.

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::{
    Attribute, Kind, Type, Value,
    encode::{Leaf, pointers},
    equality::{Equality, equal},
    json::{from_json, lookup},
    kind::{Form, Output, Variant},
    marker, time,
};

/// What a live body has for a leaf, in the configuration's words; for a leaf of a choice the whole constructor. None if it is absent.
pub fn decode_leaf(kind: &Kind, leaf: &Leaf, body: &Json) -> Option<Value> {
    let name = leaf.attribute.split(['.', '[']).next().unwrap_or_default();
    if let Some((attribute, base)) = kind.attribute_at(&leaf.attribute)
        && !base.is_empty()
    {
        let own = attribute.pointer.as_deref().is_some_and(|pointer| leaf.pointer == format!("{base}{pointer}"));
        return lookup(body, &base)
            .filter(|_| own)
            .map_or_else(|| leaf.live(body).map(from_json), |item| decode_attribute(attribute, item));
    }
    match kind.attribute(&leaf.attribute).or_else(|| kind.attributes.get(name)) {
        Some(attribute) if attribute.of == Type::Choice => decode_choice(attribute, body),
        Some(attribute) if matches!(attribute.of, Type::Map(_)) && attribute.wrap_items.is_some() => {
            let live = leaf.live(body)?;
            let inner = attribute.wrap_items.as_ref().and_then(|key| live.get(key));
            Some(from_json(inner.unwrap_or(live)))
        }
        Some(attribute) if attribute.pointer.as_deref() == Some(leaf.pointer.as_str()) => {
            decode_attribute(attribute, body)
        }
        _ => leaf.live(body).map(from_json),
    }
}

/// What a live body has for an attribute, in the configuration's words. None if it is absent or has no place in the body.
pub fn decode_attribute(attribute: &Attribute, body: &Json) -> Option<Value> {
    if attribute.of == Type::Choice {
        return decode_choice(attribute, body);
    }
    let pointer = attribute.pointer.as_deref()?;
    let live = lookup(body, pointer).filter(|value| !value.is_null()).or_else(|| attribute.absent.get(pointer));
    match (live, &attribute.switch) {
        (None, Some((_, None))) => Some(Value::Text("disabled".to_owned())),
        (live, _) => decode(attribute, live?),
    }
}

/// One wire value in the configuration's words. None if it is none of them.
pub fn decode(attribute: &Attribute, wire: &Json) -> Option<Value> {
    let wire = match wire {
        Json::Null => return None,
        Json::Array(items) if attribute.single_item => items.first()?,
        wire => wire,
    };
    if attribute.equality == Equality::MarkedText
        && let Some(text) = wire.as_str()
    {
        let text = marker::without_mark(text);
        return (!text.is_empty()).then(|| Value::Text(text.to_owned()));
    }
    if attribute.form == Form::YamlTexts {
        return Some(yaml_texts(attribute, wire));
    }
    Some(typed(attribute, &attribute.of, wire))
}

/// The items of a list that is YAML in YAML; the text itself if it is none.
fn yaml_texts(attribute: &Attribute, wire: &Json) -> Value {
    let said = |text: &Json| serde_saphyr::from_str::<Json>(text.as_str()?).ok();
    let items = |wire: &Json| -> Option<Json> {
        let array = said(wire)?;
        array.get("array")?.as_array()?.iter().map(|item| said(item).filter(Json::is_object)).collect()
    };
    items(wire).map_or_else(|| from_json(wire), |items| typed(attribute, &attribute.of, &items))
}

/// A subject of a binding as text; what no text says as it is.
fn subject(wire: &Json) -> Value {
    let text = |key: &str| wire.get(key).and_then(Json::as_str).filter(|text| !text.is_empty());
    match (text("kind"), text("namespace"), text("name")) {
        (Some("Group"), None, Some(name)) => Value::Text(format!("group:{name}")),
        (Some("User"), None, Some(name)) => Value::Text(format!("user:{name}")),
        (Some("ServiceAccount"), Some(namespace), Some(name)) => {
            Value::Text(format!("service_account:{namespace}/{name}"))
        }
        _ => from_json(wire),
    }
}

fn typed(attribute: &Attribute, of: &Type, wire: &Json) -> Value {
    match (of, wire) {
        (_, Json::String(text)) if attribute.form == Form::Text => {
            text.parse().map_or_else(|_| from_json(wire), Value::Int)
        }
        (_, Json::Number(seconds)) if attribute.form == Form::Epoch => {
            seconds.as_i64().map_or_else(|| from_json(wire), |seconds| Value::Text(time::of_epoch(seconds)))
        }
        // Some services write whole numbers with a point.
        (Type::Int, Json::Number(number)) if number.as_i64().is_none() => {
            let whole = format!("{number}").strip_suffix(".0").and_then(|whole| whole.parse().ok());
            whole.map_or_else(|| from_json(wire), Value::Int)
        }
        (Type::Resource(_), Json::Object(_)) if attribute.form == Form::Subjects => subject(wire),
        (Type::Enum(words), wire) => {
            let mapped =
                attribute.values.iter().find(|(_, value)| equal(Equality::CaseInsensitive, Some(value), Some(wire)));
            let own = || words.iter().find(|word| wire.as_str().is_some_and(|text| text.eq_ignore_ascii_case(word)));
            mapped.map(|(word, _)| word).or_else(own).map_or_else(|| from_json(wire), |word| Value::Text(word.clone()))
        }
        (Type::Switch, wire) => {
            let (enabled, disabled) = attribute.switch.clone().unwrap_or((Json::Bool(true), Some(Json::Bool(false))));
            let is = |value: &Json| equal(Equality::CaseInsensitive, Some(value), Some(wire));
            if is(&enabled) {
                Value::Text("enabled".to_owned())
            } else if disabled.as_ref().map_or(*wire == Json::Bool(false), is) {
                Value::Text("disabled".to_owned())
            } else {
                from_json(wire)
            }
        }
        (Type::List(_) | Type::Set(_), Json::Object(entries))
            if attribute.as_keys || attribute.equality == Equality::Edges =>
        {
            Value::List(entries.keys().map(|key| Value::Text(key.clone())).collect())
        }
        (_, Json::Object(entries)) if attribute.as_keys => {
            entries.keys().next().map_or(Value::None, |key| Value::Text(key.clone()))
        }
        (Type::List(item) | Type::Set(item), Json::Array(items)) => Value::List(
            items
                .iter()
                .filter_map(|wire| unwrapped(attribute, wire))
                .map(|wire| typed(attribute, item, wire))
                .collect(),
        ),
        (Type::Map(_), Json::Object(entries)) if attribute.wrap_items.is_some() => Value::Map(
            entries
                .iter()
                .map(|(key, wire)| (key.clone(), unwrapped(attribute, wire).map_or(Value::None, from_json)))
                .collect(),
        ),
        (Type::Object(_), wire @ Json::Object(_)) if !attribute.fields.is_empty() => {
            let fields = attribute.fields.values().filter_map(|field| {
                let value = decode_attribute(field, wire).filter(|value| *value != Value::List(Vec::new()))?;
                Some((field.name.clone(), value))
            });
            Value::Map(fields.collect())
        }
        (_, wire) => from_json(wire),
    }
}

/// The item without its wrapping; none if it is one of another list at the same place.
fn unwrapped<'a>(attribute: &Attribute, wire: &'a Json) -> Option<&'a Json> {
    let Some(key) = &attribute.wrap_items else { return Some(wire) };
    let others = wire.as_object()?.iter().filter(|(other, _)| *other != key);
    let mut flags: IndexMap<&String, &Json> = others.filter(|(_, value)| !is_silent(value)).collect();
    let all = attribute.wrap_with.iter().all(|(key, value)| flags.swap_remove(key).is_some_and(|live| live == value));
    let none_left = attribute.wrap_with.is_empty() || flags.is_empty();
    let plain = attribute.wrap_with.is_empty() && flags.values().any(|value| value.is_boolean());
    (all && none_left && !plain).then(|| wire.get(key)).flatten()
}

/// Whether a member of an item says nothing: it is not there, off, or an object of such, as `{"enabled": false, "days": 0}`.
fn is_silent(value: &Json) -> bool {
    match value {
        Json::Null | Json::Bool(false) => true,
        Json::Object(members) => members.values().all(|value| is_silent(value) || value.as_i64() == Some(0)),
        _ => false,
    }
}

/// The constructor that a live body stands for. What it requires absent may still be there: of several that fit, the one whose
/// every word fits; none if no constructor fits.
fn decode_choice(attribute: &Attribute, body: &Json) -> Option<Value> {
    let live = |pointer: &str| {
        lookup(body, pointer).filter(|value| !value.is_null()).or_else(|| attribute.absent.get(pointer))
    };
    if pointers(attribute).iter().all(|pointer| live(pointer).is_none()) {
        return None;
    }
    let fits = |variant: &Variant, strictly: bool| {
        variant.writes.iter().all(|(pointer, want)| {
            let said = variant.arguments.values().find(|argument| argument.pointer.as_ref() == Some(pointer));
            if let (Some(argument), false) = (said, want.is_null()) {
                // An argument says what stands there; what is written is what stands there without it.
                !argument.required || !equal(Equality::CaseInsensitive, Some(want), live(pointer))
            } else if want.is_null() {
                !strictly || equal(Equality::EmptyIsAbsent, None, live(pointer))
            } else {
                equal(Equality::CaseInsensitive, Some(want), live(pointer))
            }
        })
    };
    let variants = || attribute.variants.iter();
    let (name, variant) = variants()
        .find(|(_, variant)| fits(variant, true))
        .or_else(|| variants().find(|(_, variant)| fits(variant, false)))?;
    let arguments = variant.arguments.values().filter_map(|argument| {
        let value = decode(argument, live(argument.pointer.as_deref()?)?)?;
        let left_out =
            !argument.required && (value == Value::List(Vec::new()) || argument.default.as_ref() == Some(&value));
        (!left_out).then(|| (argument.name.clone(), value))
    });
    Some(Value::Choice { name: name.clone(), arguments: arguments.collect() })
}

/// What an object tells for an output. None if its body does not have it (yet).
pub fn output_value(output: &Output, body: &Json) -> Option<Value> {
    let value = from_json(lookup(body, &output.pointer).filter(|value| !value.is_null())?);
    Some(match value {
        Value::Text(text) if output.equality == Equality::TrailingSlash && !text.ends_with('/') => {
            Value::Text(format!("{text}/"))
        }
        value => value,
    })
}
