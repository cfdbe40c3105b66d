//! Strategic merge patches: JSON merge patches in which some lists are merged item by item, with directives for what that
//! cannot say. Which lists those are stands in the types of Kubernetes, not in the patch.

use serde_json::Value;

use super::fields::Body;

const ORDER: &str = "$setElementOrder/";
const REMOVE: &str = "$deleteFromPrimitiveList/";
const RETAIN: &str = "$retainKeys";
const PATCH: &str = "$patch";

/// How the items of a list are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Items {
    /// They are not: the list is one value.
    Atomic,
    /// By themselves.
    Plain,
    /// By one of their fields.
    By(&'static str),
}

fn items(path: &[String]) -> Items {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let of_container = |path: &[&str]| matches!(path, [.., "containers" | "initContainers" | "ephemeralContainers", _]);
    match path.as_slice() {
        ["metadata", "finalizers"] => Items::Plain,
        ["metadata", "ownerReferences"] => Items::By("uid"),
        [.., "conditions"] => Items::By("type"),
        path @ [.., "ports"] if of_container(path) => Items::By("containerPort"),
        path @ [.., "volumeMounts"] if of_container(path) => Items::By("mountPath"),
        path @ [.., "volumeDevices"] if of_container(path) => Items::By("devicePath"),
        path @ [.., "env"] if of_container(path) => Items::By("name"),
        ["secrets" | "imagePullSecrets"]
        | [.., "spec", "containers" | "initContainers" | "ephemeralContainers" | "volumes" | "imagePullSecrets"] => {
            Items::By("name")
        }
        [.., "spec", "hostAliases"] => Items::By("ip"),
        [.., "spec", "topologySpreadConstraints"] => Items::By("topologyKey"),
        ["spec", "ports"] => Items::By("port"),
        _ => Items::Atomic,
    }
}

/// Lays a patch over an object; `Err` says what is wrong with the patch.
pub(super) fn patch(body: &mut Body, change: Body) -> Result<(), String> {
    into_object(body, change, &mut Vec::new())
}

fn into_object(body: &mut Body, mut change: Body, path: &mut Vec<String>) -> Result<(), String> {
    match change.remove(PATCH).as_ref().map(|directive| directive.as_str().unwrap_or_default()) {
        None | Some("merge") => {}
        Some("replace") => {
            *body = Body::new();
        }
        Some("delete") => {
            *body = Body::new();
            return Ok(());
        }
        Some(other) => return Err(format!("unknown patch type: {other}")),
    }
    if let Some(Value::Array(kept)) = change.remove(RETAIN) {
        body.retain(|name, _| kept.iter().any(|kept| kept.as_str() == Some(name)));
    }
    let mut orders = Vec::new();
    for (name, value) in change {
        if let Some(list) = name.strip_prefix(ORDER) {
            orders.push((list.to_owned(), value));
            continue;
        }
        if let Some(list) = name.strip_prefix(REMOVE) {
            if let (Some(Value::Array(live)), Value::Array(gone)) = (body.get_mut(list), &value) {
                live.retain(|item| !gone.contains(item));
            }
            continue;
        }
        if name.starts_with('$') {
            return Err(format!("unknown directive: {name}"));
        }
        path.push(name);
        let done = into_field(body, value, path);
        path.pop();
        done?;
    }
    for (list, order) in orders {
        path.push(list.clone());
        if let (Some(Value::Array(live)), Value::Array(order)) = (body.get_mut(&list), &order) {
            sort(live, order, items(path));
        }
        path.pop();
    }
    Ok(())
}

/// Sets, merges or removes the field that the path ends with.
fn into_field(body: &mut Body, value: Value, path: &mut Vec<String>) -> Result<(), String> {
    let Some(name) = path.last().cloned() else { return Ok(()) };
    match value {
        Value::Null => {
            body.remove(&name);
        }
        Value::Object(change) => {
            let gone = change.get(PATCH).and_then(Value::as_str) == Some("delete");
            if gone {
                body.remove(&name);
                return Ok(());
            }
            let mut inner = match body.get_mut(&name) {
                Some(Value::Object(inner)) => std::mem::take(inner),
                _ => Body::new(),
            };
            into_object(&mut inner, change, path)?;
            body.insert(name, Value::Object(inner));
        }
        Value::Array(change) => {
            let mut live = match body.get_mut(&name) {
                Some(Value::Array(live)) => std::mem::take(live),
                _ => Vec::new(),
            };
            into_list(&mut live, change, path)?;
            body.insert(name, Value::Array(live));
        }
        plain => {
            body.insert(name, plain);
        }
    }
    Ok(())
}

fn into_list(live: &mut Vec<Value>, change: Vec<Value>, path: &mut Vec<String>) -> Result<(), String> {
    let directive = |item: &Value| item.get(PATCH).and_then(Value::as_str).unwrap_or_default().to_owned();
    match items(path) {
        Items::Atomic => *live = change,
        Items::Plain => {
            for item in change {
                if !live.contains(&item) {
                    live.push(item);
                }
            }
        }
        Items::By(key) => {
            if change.iter().any(|item| directive(item) == "replace") {
                live.clear();
            }
            for item in change {
                let what = directive(&item);
                let Value::Object(item) = item else {
                    return Err(format!("an item of {} is no object", path.join(".")));
                };
                let Some(id) = item.get(key).cloned() else {
                    // What says only that the list is to be replaced has no key.
                    if what == "replace" {
                        continue;
                    }
                    return Err(format!("map: {} does not contain declared merge key: {key}", Value::Object(item)));
                };
                let known = live.iter().position(|other| other.get(key) == Some(&id));
                if what == "delete" {
                    live.retain(|other| other.get(key) != Some(&id));
                    continue;
                }
                let mut inner = match known.and_then(|at| live.get_mut(at)) {
                    Some(Value::Object(inner)) => std::mem::take(inner),
                    _ => Body::new(),
                };
                into_object(&mut inner, item, path)?;
                match known.and_then(|at| live.get_mut(at)) {
                    Some(slot) => *slot = Value::Object(inner),
                    None => live.push(Value::Object(inner)),
                }
            }
        }
    }
    Ok(())
}

/// Puts a list into an order. What the order does not name keeps its place behind what it stood behind.
fn sort(live: &mut Vec<Value>, order: &[Value], kind: Items) {
    let place = |item: &Value| match kind {
        Items::By(key) => order.iter().position(|wanted| wanted.get(key).is_some() && wanted.get(key) == item.get(key)),
        _ => order.iter().position(|wanted| wanted == item),
    };
    let mut last = 0;
    let mut placed: Vec<(usize, usize, Value)> = Vec::with_capacity(live.len());
    for item in std::mem::take(live) {
        let at = place(&item);
        let named = usize::from(at.is_none());
        last = at.unwrap_or(last);
        placed.push((last, named, item));
    }
    placed.sort_by_key(|(at, named, _)| (*at, *named));
    live.extend(placed.into_iter().map(|(.., item)| item));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(live: Value, change: Value, expected: &Value) {
        let (Value::Object(mut live), Value::Object(change)) = (live, change) else { panic!("objects") };
        patch(&mut live, change).unwrap();
        assert_eq!(&Value::Object(live), expected);
    }

    #[test]
    fn lists_with_keys() {
        let live =
            || json!({ "spec": { "containers": [{ "name": "a", "image": "1", "args": ["x"] }, { "name": "b" }] } });
        check(
            live(),
            json!({ "spec": { "containers": [{ "name": "a", "image": "2", "args": ["y"] }, { "name": "c" }] } }),
            &json!({ "spec": { "containers": [{ "name": "a", "image": "2", "args": ["y"] }, { "name": "b" }, { "name": "c" }] } }),
        );
        check(
            live(),
            json!({ "spec": {
                "$setElementOrder/containers": [{ "name": "c" }, { "name": "a" }],
                "containers": [{ "name": "c" }, { "name": "b", "$patch": "delete" }],
            } }),
            &json!({ "spec": { "containers": [{ "name": "c" }, { "name": "a", "image": "1", "args": ["x"] }] } }),
        );
        check(
            live(),
            json!({ "spec": { "containers": [{ "$patch": "replace" }, { "name": "z" }] } }),
            &json!({ "spec": { "containers": [{ "name": "z" }] } }),
        );
    }

    #[test]
    fn objects() {
        check(
            json!({ "data": { "a": "1", "b": "2" } }),
            json!({ "data": { "a": null, "c": "3" } }),
            &json!({
                "data": { "b": "2", "c": "3" },
            }),
        );
        check(
            json!({ "data": { "a": "1" } }),
            json!({ "data": { "$patch": "replace", "c": "3" } }),
            &json!({ "data": { "c": "3" } }),
        );
        check(json!({ "data": { "a": "1" }, "x": 1 }), json!({ "data": { "$patch": "delete" } }), &json!({ "x": 1 }));
        check(
            json!({ "spec": { "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxSurge": 1 } } } }),
            json!({ "spec": { "strategy": { "$retainKeys": ["type"], "type": "Recreate" } } }),
            &json!({ "spec": { "strategy": { "type": "Recreate" } } }),
        );
        check(
            json!({}),
            json!({ "metadata": { "labels": { "a": "1", "b": null } } }),
            &json!({
                "metadata": { "labels": { "a": "1" } },
            }),
        );
    }

    #[test]
    fn plain_lists_and_atomic_ones() {
        check(
            json!({ "metadata": { "finalizers": ["a/b", "c/d"] }, "rules": [1] }),
            json!({ "metadata": { "$deleteFromPrimitiveList/finalizers": ["a/b"], "finalizers": ["e/f"] }, "rules": [2] }),
            &json!({ "metadata": { "finalizers": ["c/d", "e/f"] }, "rules": [2] }),
        );
    }

    #[test]
    fn what_is_no_patch() {
        for change in [
            json!({ "$patch": "upsert" }),
            json!({ "$other": 1 }),
            json!({ "spec": { "containers": [{ "image": "i" }] } }),
            json!({ "spec": { "volumes": ["v"] } }),
        ] {
            let Value::Object(change) = change else { panic!("an object") };
            assert!(patch(&mut Body::new(), change).is_err());
        }
    }
}
