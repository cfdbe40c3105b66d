//! Bodies of clusters and pools as values: laying one over another as a write does, filling in, and
//! leaving out what means nothing.

use serde_json::{Map, Value};

use super::Body;

/// What a write says, without nulls, which say nothing at any depth.
pub(super) fn said(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name, said(value))).collect(),
        ),
        other => other,
    }
}

/// Names whose objects are dictionaries: a write replaces them as a whole.
const DICTIONARIES: [&str; 4] = ["nodeLabels", "tags", "config", "userAssignedIdentities"];

/// Lays a write over what there is: objects are merged, everything else replaces. Keys of add-ons do
/// not regard case.
pub(super) fn lay_over(target: &mut Body, said: Body) {
    for (name, value) in said {
        let known = target.keys().find(|known| known.eq_ignore_ascii_case(&name)).cloned().unwrap_or(name);
        match (target.get_mut(&known), value) {
            (Some(Value::Object(target)), Value::Object(value)) if !DICTIONARIES.contains(&known.as_str()) => {
                lay_over(target, value);
            }
            (_, value) => {
                target.insert(known, value);
            }
        }
    }
}

/// Fills in what was not said, at any depth.
pub(super) fn fill(target: &mut Body, defaults: Value) {
    let Value::Object(defaults) = defaults else { return };
    for (name, value) in defaults {
        match target.get_mut(&name) {
            Some(Value::Object(inner)) => fill(inner, value),
            Some(_) => {}
            None => {
                target.insert(name, value);
            }
        }
    }
}

/// Removes what stands at a path (`a.b`), if a test holds for it.
pub(super) fn drop_if(body: &mut Body, path: &str, test: impl Fn(&Value) -> bool) {
    match path.split_once('.') {
        None => {
            if body.get(path).is_some_and(&test) {
                body.shift_remove(path);
            }
        }
        Some((first, rest)) => {
            if let Some(Value::Object(inner)) = body.get_mut(first) {
                drop_if(inner, rest, test);
            }
        }
    }
}

/// Whether a value says nothing: null, or empty.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

/// What stands at a path such as `a.b`.
pub(super) fn at<'a>(body: &'a Body, path: &str) -> Option<&'a Value> {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let value = body.get(first).filter(|value| !value.is_null())?;
    if rest.is_empty() { Some(value) } else { at(value.as_object()?, rest) }
}

/// The text at a path; empty if there is none.
pub(super) fn text<'a>(body: &'a Body, path: &str) -> &'a str {
    at(body, path).and_then(Value::as_str).unwrap_or_default()
}

/// Whether `true` stands at a path.
pub(super) fn is_on(body: &Body, path: &str) -> bool {
    at(body, path) == Some(&Value::Bool(true))
}

/// Sets what stands at a path, making the objects on the way.
pub(super) fn set(body: &mut Body, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            body.insert(path.to_owned(), value);
        }
        Some((first, rest)) => {
            let inner = body.entry(first).or_insert_with(|| Value::Object(Map::new()));
            if !inner.is_object() {
                *inner = Value::Object(Map::new());
            }
            if let Value::Object(inner) = inner {
                set(inner, rest, value);
            }
        }
    }
}

/// Whether two values are the same to the service: case of text does not matter.
pub(super) fn same(a: Option<&Value>, b: Option<&Value>) -> bool {
    match (a, b) {
        (Some(Value::String(a)), Some(Value::String(b))) => a.eq_ignore_ascii_case(b),
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(value: Value) -> Body {
        match value {
            Value::Object(body) => body,
            _ => Body::new(),
        }
    }

    #[test]
    fn laying_over() {
        let mut target = body(json!({
            "sku": 1, "addonProfiles": {"azurepolicy": {"enabled": true}}, "nodeLabels": {"a": "1"}, "list": [1, 2],
        }));
        let write = json!({
            "addonProfiles": {"azurePolicy": {"enabled": false, "config": null}},
            "nodeLabels": {"b": "2"}, "list": [3], "sku": null,
        });
        lay_over(&mut target, body(said(write)));
        assert_eq!(
            Value::Object(target),
            json!({
                "sku": 1, "addonProfiles": {"azurepolicy": {"enabled": false}}, "nodeLabels": {"b": "2"}, "list": [3],
            })
        );
    }

    #[test]
    fn paths() {
        let mut target = body(json!({"a": {"b": false, "c": []}}));
        drop_if(&mut target, "a.c", is_empty);
        assert_eq!(at(&target, "a.c"), None);
        set(&mut target, "a.d.e", json!(true));
        assert!(is_on(&target, "a.d.e") && !is_on(&target, "a.b"));
        fill(&mut target, json!({"a": {"b": true, "f": 1}, "g": 2}));
        assert_eq!(Value::Object(target), json!({"a": {"b": false, "d": {"e": true}, "f": 1}, "g": 2}));
    }
}
