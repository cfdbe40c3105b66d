//! JSON beside values: pointers that do not care about case, and the way between [`Value`] and JSON. Not what an attribute means by it.

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use crate::Value;

/// One step of a JSON pointer, escaped: `a/b` is `a~1b`.
pub fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// The step to the item of a list whose `key` has this value: `routes/~kname=default`; `~k=0` is the first item. A tilde in a pointer is always followed by `0` or
/// `1` otherwise, so no key looks like it.
pub fn item_step(key: &str, value: &str) -> String {
    format!("~k{}={}", escape(key), escape(value))
}

/// The name of the item that a step stands for: `default` of `~kname=default`.
pub fn item_name(step: &str) -> Option<String> {
    step.strip_prefix("~k")?.split_once('=').map(|(_, value)| unescape(value))
}

/// A step of a pointer as the key that it stands for.
pub fn unescape(text: &str) -> String {
    text.replace("~1", "/").replace("~0", "~")
}

/// One step of a pointer.
enum Step {
    /// To a key of an object, or an item of a list by its place.
    Key(String),
    /// To the item of a list whose key has a value.
    Item(String, String),
}

fn steps(pointer: &str) -> impl Iterator<Item = Step> {
    pointer.split('/').skip(1).map(|text| match text.strip_prefix("~k").and_then(|item| item.split_once('=')) {
        Some((key, value)) => Step::Item(unescape(key), unescape(value)),
        None => Step::Key(unescape(text)),
    })
}

/// Where an item is in a list; names of items do not care about case. Without a key the value is the place itself.
fn place_of(items: &[Json], key: &str, value: &str) -> Option<usize> {
    if key.is_empty() {
        return value.parse().ok().filter(|place| *place < items.len());
    }
    let named = |item: &Json| {
        let name = item.as_object().and_then(|entries| entries.get(key_of(entries, key)?.as_str()));
        name.and_then(Json::as_str).is_some_and(|name| name.eq_ignore_ascii_case(value))
    };
    items.iter().position(named)
}

/// What stands at a pointer. A key that is not there as written is looked for without regard to case, as ARM does with its own
/// keys and with names of tags.
pub fn lookup<'a>(body: &'a Json, pointer: &str) -> Option<&'a Json> {
    let mut at = body;
    for step in steps(pointer) {
        at = match (at, step) {
            (Json::Object(entries), Step::Key(key)) => entries.get(key_of(entries, &key)?.as_str())?,
            (Json::Array(items), Step::Key(key)) => items.get(key.parse::<usize>().ok()?)?,
            (Json::Array(items), Step::Item(key, value)) => items.get(place_of(items, &key, &value)?)?,
            _ => return None,
        };
    }
    Some(at)
}

/// The key of an object that stands for `wanted`, exactly or but for case.
fn key_of(entries: &Map<String, Json>, wanted: &str) -> Option<String> {
    if entries.contains_key(wanted) {
        return Some(wanted.to_owned());
    }
    entries.keys().find(|key| key.eq_ignore_ascii_case(wanted)).cloned()
}

/// Puts a value at a pointer; objects, lists and named items on the way are made, and what is none there is replaced by one.
pub fn put(body: &mut Json, pointer: &str, value: Json) {
    let mut at = body;
    for step in steps(pointer) {
        match step {
            Step::Key(key) => {
                if !at.is_object() {
                    *at = Json::Object(Map::new());
                }
                let Json::Object(entries) = at else { return };
                let key = key_of(entries, &key).unwrap_or(key);
                at = entries.entry(key).or_insert(Json::Null);
            }
            Step::Item(key, name) => {
                if !at.is_array() {
                    *at = Json::Array(Vec::new());
                }
                let Json::Array(items) = at else { return };
                let place = place_of(items, &key, &name).unwrap_or_else(|| {
                    let named = (!key.is_empty()).then(|| (key, Json::from(name)));
                    items.push(Json::Object(named.into_iter().collect()));
                    items.len() - 1
                });
                let Some(item) = items.get_mut(place) else { return };
                at = item;
            }
        }
    }
    *at = value;
}

/// Takes out what stands at a pointer. A step `*` stands for every item of a list and every key of an object.
pub fn remove(body: &mut Json, pointer: &str) {
    let path: Vec<Step> = steps(pointer).collect();
    remove_at(body, &path);
}

fn remove_at(at: &mut Json, path: &[Step]) {
    let Some((step, rest)) = path.split_first() else { return };
    match (at, step) {
        (Json::Array(items), Step::Key(all)) if all == "*" => items.iter_mut().for_each(|item| remove_at(item, rest)),
        (Json::Object(entries), Step::Key(all)) if all == "*" && !entries.contains_key("*") => {
            entries.values_mut().for_each(|value| remove_at(value, rest));
        }
        (Json::Object(entries), Step::Key(key)) => {
            let Some(key) = key_of(entries, key) else { return };
            if rest.is_empty() {
                entries.shift_remove(&key);
            } else if let Some(next) = entries.get_mut(&key) {
                remove_at(next, rest);
            }
        }
        (Json::Array(items), Step::Item(key, value)) => {
            let Some(place) = place_of(items, key, value) else { return };
            if rest.is_empty() {
                items.remove(place);
            } else if let Some(next) = items.get_mut(place) {
                remove_at(next, rest);
            }
        }
        _ => {}
    }
}

/// JSON as a value.
pub fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::None,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Value::Int(whole),
            (None, Some(float)) => Value::Decimal(float),
            (None, None) => Value::Text(number.to_string()),
        },
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(items) => Value::List(items.iter().map(from_json).collect()),
        Json::Object(entries) => {
            Value::Map(entries.iter().map(|(key, value)| (key.clone(), from_json(value))).collect())
        }
    }
}

/// A wire value without holes as JSON, secrets exposed: for the one place that sends it. None if a hole is left in it, or a word
/// of the configuration that has no meaning on the wire.
pub fn to_json(value: &Value) -> Option<Json> {
    convert(value, true)
}

/// A wire value as JSON for comparison and hashing: none also for what is sensitive.
pub fn to_plain_json(value: &Value) -> Option<Json> {
    convert(value, false)
}

fn convert(value: &Value, expose: bool) -> Option<Json> {
    Some(match value {
        Value::Bool(flag) => Json::Bool(*flag),
        Value::Int(whole) => Json::from(*whole),
        Value::Decimal(float) => Json::from(*float),
        Value::Text(text) => Json::from(text.as_str()),
        Value::List(items) => Json::Array(items.iter().map(|item| convert(item, expose)).collect::<Option<_>>()?),
        Value::Map(entries) => Json::Object(object(entries, expose)?),
        Value::None => Json::Null,
        Value::Reference(reference) => Json::from(reference.id.as_deref()?),
        Value::Sensitive(secret) if expose => Json::from(secret.expose()),
        Value::Sensitive(_) | Value::Default | Value::Choice { .. } | Value::Unknown { .. } => return None,
    })
}

fn object(entries: &IndexMap<String, Value>, expose: bool) -> Option<Map<String, Json>> {
    entries.iter().map(|(key, value)| Some((key.clone(), convert(value, expose)?))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pointers_to_items_of_lists() {
        let mut body = json!({"routes": [{"name": "a", "to": 1}, {"name": "B", "to": 2}]});
        let step = item_step("name", "b");
        assert_eq!(lookup(&body, &format!("/routes/{step}/to")), Some(&json!(2)));
        assert_eq!(lookup(&body, "/routes/~k=1/to"), Some(&json!(2)));
        assert_eq!(lookup(&body, "/routes/~kname=c"), None);
        assert_eq!(item_name(&item_step("name", "x/y~")), Some("x/y~".to_owned()));
        assert_eq!(item_name("name"), None);

        put(&mut body, "/routes/~kname=c/to", json!(3));
        put(&mut body, "/routes/~kname=A/to", json!(4));
        put(&mut body, "/made/~k=0/all", json!([]));
        remove(&mut body, "/routes/~kname=b");
        remove(&mut body, "/routes/~kname=z/to");
        assert_eq!(body, json!({"routes": [{"name": "a", "to": 4}, {"name": "c", "to": 3}], "made": [{"all": []}]}));
        remove(&mut body, "/routes/*/to");
        remove(&mut body, "/*/*/all");
        assert_eq!(body, json!({"routes": [{"name": "a"}, {"name": "c"}], "made": [{}]}));
    }

    #[test]
    fn pointers_read_and_write() {
        let mut body = json!({"tags": {"App": "a", "x/y": "b", "t~": "c"}, "list": [1]});
        assert_eq!(lookup(&body, "/tags/app"), Some(&json!("a")));
        assert_eq!(lookup(&body, "/tags/x~1y"), Some(&json!("b")));
        assert_eq!(lookup(&body, "/tags/t~0"), Some(&json!("c")));
        assert_eq!(lookup(&body, "/list/0"), Some(&json!(1)));
        assert_eq!(lookup(&body, "/list/x"), None);
        assert_eq!(lookup(&body, "/tags/app/deeper"), None);
        assert_eq!(lookup(&body, ""), Some(&body));

        put(&mut body, "/tags/app", json!("z"));
        put(&mut body, "/properties/a/b", json!(1));
        put(&mut body, &format!("/tags/{}", escape("m/n")), json!("d"));
        remove(&mut body, "/tags/X~1Y");
        remove(&mut body, "/nowhere/at/all");
        assert_eq!(
            body,
            json!({"tags": {"App": "z", "t~": "c", "m/n": "d"}, "list": [1], "properties": {"a": {"b": 1}}})
        );
    }
}
