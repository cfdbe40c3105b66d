//! When what we want is what there is, an attribute at a time.

use std::{net::IpAddr, str::FromStr};

use ipnet::IpNet;
use serde_json::Value;

use crate::{ArmId, canonical::canonical, marker};

/// How a leaf is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Equality {
    /// The same JSON value.
    #[default]
    Exact,
    /// Text without regard to ASCII case.
    CaseInsensitive,
    /// ARM ids: without regard to case and a trailing slash.
    Id,
    /// Locations: `West Europe` is `westeurope`.
    Location,
    /// Lists without order and duplicates; text items without regard to case.
    Set,
    /// URLs that differ in a trailing slash only are equal.
    TrailingSlash,
    /// Free text that may end with our marker.
    MarkedText,
    /// Absent, empty and `false` are one.
    EmptyIsAbsent,
    /// CIDR ranges without order; a bare address is its /32.
    CidrSet,
    /// Objects contain what is wanted, item by item: raw bodies.
    Subset,
    /// Ids by their last segment, without regard to case: Azure writes the path before it as it likes.
    LastSegment,
    /// Text without regard to case, one item of a set: others may be there too, and which are ours is remembered item by item.
    Edges,
    /// Lists of objects without order: of each live item, and of objects in it, the keys count that some wanted one has; one that is not enabled counts as
    /// absent, wanted or not, since services list what is switched off too.
    Items,
    /// The keys of objects, without regard to case; not what is behind them.
    Keys,
    /// Text that is a mapping or a list in YAML by what it says, also where a text in it is one again; other text as it is.
    Yaml,
}

/// Whether `live` is what is wanted. `None` is an absent key; JSON null counts as absent on both sides, also inside of
/// objects, and `1` is `1.0`. In sets an empty list counts as absent: services leave empty lists out.
pub fn equal(equality: Equality, want: Option<&Value>, live: Option<&Value>) -> bool {
    let want = want.filter(|value| !value.is_null());
    let live = live.filter(|value| !value.is_null());
    match equality {
        Equality::Exact => same(want, live, &exact),
        Equality::CaseInsensitive | Equality::Edges => same(want, live, &folded),
        Equality::Id => same(want, live, &id),
        Equality::Location => same(want, live, &location),
        Equality::TrailingSlash => same(want, live, &without_slash),
        Equality::EmptyIsAbsent => {
            same(want.filter(|value| !is_empty(value)), live.filter(|value| !is_empty(value)), &exact)
        }
        Equality::MarkedText => {
            let (want, live) = (want.map(marked), live.map(marked));
            same(want.as_ref().filter(|value| !is_empty(value)), live.as_ref().filter(|value| !is_empty(value)), &exact)
        }
        Equality::Set => items(want) == items(live),
        Equality::CidrSet => ranges(want) == ranges(live),
        Equality::LastSegment => same(want, live, &last_segment),
        Equality::Items => items(picked(want, want).as_ref()) == items(picked(want, live).as_ref()),
        Equality::Keys => live.is_none_or(Value::is_object) && keys(want) == keys(live),
        Equality::Yaml => same(want, live, &yaml),
        Equality::Subset => match want {
            None => live.is_none_or(is_empty),
            Some(want) => contains(want, live),
        },
    }
}

/// Both absent, or both there and alike under a normal form.
fn same(want: Option<&Value>, live: Option<&Value>, normal: &impl Fn(&Value) -> String) -> bool {
    match (want, live) {
        (None, None) => true,
        (Some(want), Some(live)) => normal(want) == normal(live),
        _ => false,
    }
}

fn exact(value: &Value) -> String {
    canonical(&without_nulls(value))
}

fn folded(value: &Value) -> String {
    exact(&map_text(value, &|text| text.to_ascii_lowercase()))
}

fn id(value: &Value) -> String {
    exact(&map_text(value, &|text| ArmId::new(text).folded().to_owned()))
}

fn last_segment(value: &Value) -> String {
    exact(&map_text(value, &|text| ArmId::new(text).name().to_ascii_lowercase()))
}

/// The normal form of a value under an equality that compares one text with another: equal values have the same.
pub fn normal_form(equality: Equality, value: &Value) -> String {
    match equality {
        Equality::CaseInsensitive | Equality::Edges => folded(value),
        Equality::Id => id(value),
        Equality::Location => location(value),
        Equality::TrailingSlash => without_slash(value),
        Equality::LastSegment => last_segment(value),
        _ => exact(value),
    }
}

fn location(value: &Value) -> String {
    exact(&map_text(value, &|text| {
        text.chars()
            .filter(|character| !character.is_whitespace())
            .map(|character| character.to_ascii_lowercase())
            .collect()
    }))
}

fn without_slash(value: &Value) -> String {
    exact(&map_text(value, &|text| text.strip_suffix('/').unwrap_or(text).to_owned()))
}

fn marked(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::from(marker::without_mark(text)),
        other => other.clone(),
    }
}

fn yaml(value: &Value) -> String {
    exact(&said_in_yaml(value, 0))
}

/// Texts that are a mapping or a list in YAML as that, a few levels deep.
fn said_in_yaml(value: &Value, depth: u8) -> Value {
    const DEEPEST: u8 = 8;
    match value {
        Value::String(text) if depth < DEEPEST && text.contains(['\n', ':', '[', '{']) => {
            match serde_saphyr::from_str::<Value>(text) {
                Ok(said @ (Value::Object(_) | Value::Array(_))) => said_in_yaml(&said, depth + 1),
                _ => value.clone(),
            }
        }
        Value::Array(items) => items.iter().map(|item| said_in_yaml(item, depth + 1)).collect(),
        Value::Object(entries) => entries
            .iter()
            .map(|(key, value)| (key.clone(), said_in_yaml(value, depth + 1)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

/// Null, `""`, `[]`, `{}`, `false`: what services leave out of their answers.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.values().all(Value::is_null),
        _ => false,
    }
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        Value::Object(entries) => entries
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.clone(), without_nulls(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

fn map_text(value: &Value, change: &impl Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::from(change(text)),
        Value::Array(items) => items.iter().map(|item| map_text(item, change)).collect(),
        Value::Object(entries) => entries
            .iter()
            .map(|(key, value)| (key.clone(), map_text(value, change)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

/// The items of a list in a normal form, sorted, each once. What is no list is a list of itself.
fn items(value: Option<&Value>) -> Vec<String> {
    let mut list: Vec<String> = match value {
        None => Vec::new(),
        Some(Value::Array(items)) => items.iter().map(|item| canonical(&item_form(item))).collect(),
        Some(other) => vec![canonical(&item_form(other))],
    };
    list.sort();
    list.dedup();
    list
}

/// Of a live list the items that are not switched off, each with the keys that a wanted item has.
fn picked(want: Option<&Value>, live: Option<&Value>) -> Option<Value> {
    let objects = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    let wanted = objects(want);
    let off = |item: &Value| {
        let state = item.get("enabled").or_else(|| item.get("isEnabled"));
        state.is_some_and(|state| *state == Value::Bool(false) || state.as_str() == Some("False"))
    };
    let wanted: Vec<&Value> = wanted.iter().collect();
    live.map(|live| objects(Some(live)).into_iter().filter(|item| !off(item)).map(|item| kept(&wanted, item)).collect())
}

/// Of an item the keys that a wanted one has, also in objects in it.
fn kept(wanted: &[&Value], item: Value) -> Value {
    let Value::Object(entries) = item else { return item };
    if wanted.is_empty() {
        return Value::Object(entries);
    }
    let kept = entries.into_iter().filter_map(|(key, value)| {
        let below: Vec<&Value> = wanted.iter().filter_map(|want| want.get(&key)).collect();
        let objects: Vec<&Value> = below.iter().copied().filter(|want| want.is_object()).collect();
        (!below.is_empty()).then(|| (key, kept(&objects, value)))
    });
    Value::Object(kept.collect())
}

fn keys(value: Option<&Value>) -> Vec<String> {
    let entries = value.and_then(Value::as_object).into_iter().flatten();
    let mut keys: Vec<String> = entries.map(|(key, _)| ArmId::new(key.as_str()).folded().to_owned()).collect();
    keys.sort();
    keys
}

/// An item of a set: text folded and without a trailing slash, what is empty left out of objects, lists inside of it sets again.
fn item_form(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::from(ArmId::new(text.as_str()).folded()),
        Value::Array(inner) => {
            let mut inner: Vec<Value> = inner.iter().map(item_form).collect();
            inner.sort_by_cached_key(canonical);
            inner.dedup();
            inner.into()
        }
        Value::Object(entries) => entries
            .iter()
            .map(|(key, value)| (key.clone(), item_form(value)))
            .filter(|(_, value)| !is_empty(value))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

/// The ranges of a list, sorted, each once. Items may be text or objects with one text: `{"value": "203.0.113.0/28"}`.
fn ranges(value: Option<&Value>) -> Vec<String> {
    let mut list: Vec<String> = match value {
        None => Vec::new(),
        Some(Value::Array(items)) => items.iter().map(range).collect(),
        Some(other) => vec![range(other)],
    };
    list.sort();
    list.dedup();
    list
}

fn range(item: &Value) -> String {
    let text = match item {
        Value::String(text) => Some(text.as_str()),
        Value::Object(entries) => {
            let mut texts = entries.values().filter_map(Value::as_str);
            texts.next().filter(|_| texts.next().is_none())
        }
        _ => None,
    };
    text.and_then(|text| IpNet::from_str(text).ok().or_else(|| IpAddr::from_str(text).ok().map(IpNet::from)))
        .map_or_else(|| canonical(&item_form(item)), |net| net.trunc().to_string())
}

/// Raw bodies: objects by the wanted keys, lists item by item, ids without regard to case. A wanted `false` or empty value is
/// satisfied by an absent key, since services leave zero values out.
fn contains(want: &Value, live: Option<&Value>) -> bool {
    let Some(live) = live else {
        return is_empty(want) || matches!(want, Value::Object(entries) if entries.values().all(is_empty));
    };
    match (want, live) {
        (Value::Object(want), Value::Object(live)) => {
            want.iter().all(|(key, want)| contains(want, live.get(key).filter(|value| !value.is_null())))
        }
        (Value::Array(want), Value::Array(live)) => {
            want.len() == live.len() && want.iter().zip(live).all(|(want, live)| contains(want, Some(live)))
        }
        (Value::String(want), Value::String(live)) => {
            want == live || (want.starts_with('/') && ArmId::new(want.as_str()) == ArmId::new(live.as_str()))
        }
        (Value::Null, live) => is_empty(live),
        (want, live) => exact(want) == exact(live),
    }
}

#[cfg(test)]
mod tests;
