//! JSON beside values: pointers that do not care about case, and the way between [`Value`] and JSON. Not what an attribute means by it.

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use crate::Value;

/// One step of a JSON pointer, escaped: `a/b` is `a~1b`.
pub fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn segments(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|segment| segment.replace("~1", "/").replace("~0", "~"))
}

/// What stands at a pointer. A key that is not there as written is looked for without regard to case, as ARM does with its own
/// keys and with names of tags.
pub fn lookup<'a>(body: &'a Json, pointer: &str) -> Option<&'a Json> {
    let mut at = body;
    for segment in segments(pointer) {
        at = match at {
            Json::Object(entries) => entries.get(key_of(entries, &segment)?.as_str())?,
            Json::Array(items) => items.get(segment.parse::<usize>().ok()?)?,
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

/// Puts a value at a pointer; objects on the way are made, and what is no object there is replaced by one.
pub fn put(body: &mut Json, pointer: &str, value: Json) {
    let mut at = body;
    for segment in segments(pointer) {
        if !at.is_object() {
            *at = Json::Object(Map::new());
        }
        let Json::Object(entries) = at else { return };
        let key = key_of(entries, &segment).unwrap_or(segment);
        at = entries.entry(key).or_insert(Json::Null);
    }
    *at = value;
}

/// Takes out what stands at a pointer.
pub fn remove(body: &mut Json, pointer: &str) {
    let path: Vec<String> = segments(pointer).collect();
    let Some((last, way)) = path.split_last() else { return };
    let mut at = body;
    for segment in way {
        let Json::Object(entries) = at else { return };
        let Some(key) = key_of(entries, segment) else { return };
        let Some(next) = entries.get_mut(&key) else { return };
        at = next;
    }
    if let Json::Object(entries) = at
        && let Some(key) = key_of(entries, last)
    {
        entries.shift_remove(&key);
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
