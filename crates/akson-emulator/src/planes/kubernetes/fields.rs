//! Sets of fields, as `managedFields` keeps them: which paths an object has, how two objects differ,
//! and the form `fieldsV1`. Which lists have keys is known here; who owns what is in `managed`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

pub(super) type Body = Map<String, Value>;

/// A path: `f:name`, `k:{"name":"x"}` or `v:"x"` a step, as in `fieldsV1`.
pub(super) type FieldPath = Vec<String>;
pub(super) type Fields = BTreeSet<FieldPath>;

/// How the items of a list are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Items {
    /// The list is one value.
    Atomic,
    /// By themselves.
    Set,
    /// By some of their fields.
    Keyed(&'static [&'static str]),
}

/// What the API server's schema says of a list, by the names of the fields that lead to it.
fn items(path: &[&str]) -> Items {
    let in_container = |path: &[&str]| matches!(path, [.., "containers" | "initContainers" | "ephemeralContainers", _]);
    match path {
        ["metadata", "finalizers"] => Items::Set,
        ["metadata", "ownerReferences"] => Items::Keyed(&["uid"]),
        [.., "conditions"] => Items::Keyed(&["type"]),
        [.., "ports"] if in_container(path) => Items::Keyed(&["containerPort", "protocol"]),
        [.., "volumeMounts"] if in_container(path) => Items::Keyed(&["mountPath"]),
        ["secrets" | "imagePullSecrets"]
        | [.., "containers" | "initContainers" | "ephemeralContainers", "env"]
        | [.., "spec", "containers" | "initContainers" | "ephemeralContainers" | "volumes" | "imagePullSecrets"] => {
            Items::Keyed(&["name"])
        }
        ["spec", "ports"] => Items::Keyed(&["port", "protocol"]),
        _ => Items::Atomic,
    }
}

/// Whether an object is one value.
fn is_atomic(path: &[&str]) -> bool {
    matches!(path, ["roleRef"] | ["spec", "selector"] | [.., "nodeSelector" | "secretKeyRef" | "configMapKeyRef"])
}

/// The step to an item of a list, and whether it can be told apart.
fn step(kind: Items, item: &Value) -> Option<String> {
    match kind {
        Items::Atomic => None,
        Items::Set => Some(format!("v:{item}")),
        Items::Keyed(names) => {
            let mut key = Body::new();
            for name in names {
                // The one key with a default.
                let usual = (*name == "protocol").then(|| json!("TCP"));
                key.insert((*name).to_owned(), item.get(*name).cloned().or(usual)?);
            }
            Some(format!("k:{}", Value::Object(key)))
        }
    }
}

/// All paths of an object; the value where it is one. With `structure`, objects that contain others
/// count themselves too, as they do for a manager that made them by an update.
pub(super) fn paths(body: &Body, structure: bool) -> BTreeMap<FieldPath, Option<Value>> {
    let mut found = BTreeMap::new();
    walk_object(body, &mut Vec::new(), &mut Vec::new(), structure, &mut found);
    found
}

fn walk_object<'v>(
    body: &'v Body,
    names: &mut Vec<&'v str>,
    path: &mut FieldPath,
    structure: bool,
    found: &mut BTreeMap<FieldPath, Option<Value>>,
) {
    for (name, value) in body {
        names.push(name);
        path.push(format!("f:{name}"));
        walk(value, names, path, structure, found);
        path.pop();
        names.pop();
    }
}

fn walk<'v>(
    value: &'v Value,
    names: &mut Vec<&'v str>,
    path: &mut FieldPath,
    structure: bool,
    found: &mut BTreeMap<FieldPath, Option<Value>>,
) {
    match value {
        Value::Object(body) if !body.is_empty() && !is_atomic(names) => {
            // These are there as soon as their object is.
            let given = matches!(
                names.as_slice(),
                ["metadata" | "spec"] | [.., "template"] | [.., "template", "metadata" | "spec"]
            );
            if structure && !given {
                found.entry(path.clone()).or_insert(None);
            }
            walk_object(body, names, path, structure, found);
        }
        Value::Array(list) => {
            let kind = items(names);
            let steps: Option<Vec<String>> = list.iter().map(|item| step(kind, item)).collect();
            match steps.filter(|steps| !steps.is_empty() && kind != Items::Atomic) {
                None => {
                    found.insert(path.clone(), Some(value.clone()));
                }
                Some(steps) => {
                    if structure {
                        found.entry(path.clone()).or_insert(None);
                    }
                    for (step, item) in steps.into_iter().zip(list) {
                        path.push(step);
                        found.insert(path.clone(), None);
                        if let Value::Object(body) = item {
                            walk_object(body, names, path, structure, found);
                        }
                        path.pop();
                    }
                }
            }
        }
        _ => {
            found.insert(path.clone(), Some(value.clone()));
        }
    }
}

/// The paths that are new or other than before, and those that are gone.
pub(super) fn differences(old: &Body, new: &Body) -> (Fields, Fields) {
    let (old, new) = (paths(old, true), paths(new, true));
    let changed = new.iter().filter(|(path, value)| match old.get(*path) {
        None => true,
        Some(before) => value.is_some() && before.is_some() && before != *value,
    });
    let gone = old.keys().filter(|path| !new.contains_key(*path));
    (changed.map(|(path, _)| path.clone()).collect(), gone.cloned().collect())
}

/// Lays what is applied over what is there. Lists with keys are merged item by item.
pub(super) fn merge(live: &mut Body, applied: &Body) {
    merge_object(live, applied, &mut Vec::new());
}

fn merge_object<'v>(live: &mut Body, applied: &'v Body, names: &mut Vec<&'v str>) {
    for (name, value) in applied {
        names.push(name);
        match (live.get_mut(name), value) {
            (Some(Value::Object(live)), Value::Object(applied)) if !is_atomic(names) => {
                merge_object(live, applied, names);
            }
            (Some(Value::Array(live)), Value::Array(applied)) if items(names) != Items::Atomic => {
                merge_list(live, applied, names);
            }
            _ => {
                live.insert(name.clone(), value.clone());
            }
        }
        names.pop();
    }
}

fn merge_list<'v>(live: &mut Vec<Value>, applied: &'v [Value], names: &mut Vec<&'v str>) {
    let kind = items(names);
    for item in applied {
        let wanted = step(kind, item);
        let known = live.iter_mut().find(|other| step(kind, other) == wanted && wanted.is_some());
        match (known, item) {
            (Some(Value::Object(live)), Value::Object(item)) => merge_object(live, item, names),
            (Some(_), _) => {}
            (None, item) => live.push(item.clone()),
        }
    }
}

/// Takes a path out of an object, with what becomes empty by that.
pub(super) fn remove(body: &mut Body, path: &[String]) {
    let Some((first, rest)) = path.split_first() else { return };
    let Some(name) = first.strip_prefix("f:") else { return };
    if rest.is_empty() {
        body.remove(name);
        return;
    }
    let empty = match body.get_mut(name) {
        Some(Value::Object(inner)) => {
            remove(inner, rest);
            inner.is_empty() && name != "spec"
        }
        Some(Value::Array(list)) => {
            remove_item(list, rest);
            list.is_empty()
        }
        _ => false,
    };
    if empty {
        body.remove(name);
    }
}

fn remove_item(list: &mut Vec<Value>, path: &[String]) {
    let Some((step, rest)) = path.split_first() else { return };
    let at = list.iter().position(|item| match (step.get(..2), step.get(2..).map(serde_json::from_str::<Value>)) {
        (Some("v:"), Some(Ok(value))) => *item == value,
        (Some("k:"), Some(Ok(Value::Object(key)))) => key.iter().all(|(name, value)| {
            item.get(name).map_or_else(|| name == "protocol" && *value == json!("TCP"), |found| found == value)
        }),
        _ => false,
    });
    let Some(at) = at else { return };
    if rest.is_empty() {
        list.remove(at);
    } else if let Some(Value::Object(item)) = list.get_mut(at) {
        remove(item, rest);
    }
}

/// The form `fieldsV1`.
pub(super) fn to_json(fields: &Fields) -> Value {
    let mut root = Body::new();
    for path in fields {
        let mut at = &mut root;
        for (depth, step) in path.iter().enumerate() {
            let next = at.entry(step.clone()).or_insert_with(|| json!({}));
            let Value::Object(next) = next else { break };
            at = next;
            // A path that others go on from is marked as one itself.
            let whole = &path[..=depth];
            if depth + 1 < path.len() && fields.contains(whole) && !at.contains_key(".") {
                at.insert(".".to_owned(), json!({}));
            }
        }
    }
    Value::Object(root)
}

/// Reads `fieldsV1`.
pub(super) fn of_json(value: &Value) -> Fields {
    fn read(value: &Body, path: &mut FieldPath, found: &mut Fields) {
        if value.is_empty() || value.contains_key(".") {
            found.insert(path.clone());
        }
        for (step, inner) in value.iter().filter(|(step, _)| *step != ".") {
            if let Value::Object(inner) = inner {
                path.push(step.clone());
                read(inner, path, found);
                path.pop();
            }
        }
    }
    let mut found = Fields::new();
    if let Value::Object(value) = value
        && !value.is_empty()
    {
        read(value, &mut Vec::new(), &mut found);
    }
    found.remove(&Vec::new());
    found
}

/// A path as people read it: `.spec.containers[name="web"].image`.
pub(super) fn shown(path: &[String]) -> String {
    let mut text = String::new();
    for step in path {
        match (step.get(..2), step.get(2..)) {
            (Some("f:"), Some(name)) => {
                text.push('.');
                text.push_str(name);
            }
            (Some("k:"), Some(key)) => {
                let key: Body = serde_json::from_str(key).unwrap_or_default();
                let parts: Vec<String> = key.iter().map(|(name, value)| format!("{name}={value}")).collect();
                text.push_str(&format!("[{}]", parts.join(",")));
            }
            (_, Some(value)) => text.push_str(&format!("[={value}]")),
            _ => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

    use super::*;

    fn body(value: Value) -> Body {
        match value {
            Value::Object(body) => body,
            other => panic!("{other}"),
        }
    }

    fn pod() -> Body {
        body(json!({
            "metadata": { "labels": { "a": "1" }, "finalizers": ["x/y"] },
            "spec": { "containers": [{ "name": "web", "image": "i", "args": ["1", "2"], "ports": [{ "containerPort": 80 }] }] },
        }))
    }

    #[test]
    fn the_form_of_applied_fields() {
        let fields: Fields = paths(&pod(), false).into_keys().collect();
        let expected = json!({
            "f:metadata": { "f:finalizers": { "v:\"x/y\"": {} }, "f:labels": { "f:a": {} } },
            "f:spec": { "f:containers": { "k:{\"name\":\"web\"}": {
                ".": {}, "f:args": {}, "f:image": {}, "f:name": {},
                "f:ports": { "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": { ".": {}, "f:containerPort": {} } },
            }}},
        });
        assert_eq!(to_json(&fields), expected);
        assert_eq!(of_json(&expected), fields);
    }

    #[test]
    fn differing_fields() {
        let (old, mut new) = (pod(), pod());
        new["metadata"]["labels"]["a"] = "2".into();
        new["metadata"]["labels"]["b"] = "2".into();
        new["metadata"].as_object_mut().unwrap().remove("finalizers");
        let (changed, gone) = differences(&old, &new);
        assert_eq!(
            changed.iter().map(|path| shown(path)).collect::<Vec<_>>(),
            [".metadata.labels.a", ".metadata.labels.b"]
        );
        assert_eq!(
            gone.iter().map(|path| shown(path)).collect::<Vec<_>>(),
            [".metadata.finalizers", ".metadata.finalizers[=\"x/y\"]"]
        );
    }

    #[test]
    fn merging_and_removing() {
        let mut live = pod();
        let applied = body(json!({
            "metadata": { "labels": { "b": "2" } },
            "spec": { "containers": [{ "name": "web", "image": "j" }, { "name": "side", "image": "k" }] },
        }));
        merge(&mut live, &applied);
        assert_eq!(live["spec"]["containers"][0]["image"], "j");
        assert_eq!(live["spec"]["containers"][0]["args"], json!(["1", "2"]));
        assert_eq!(live["spec"]["containers"][1]["name"], "side");
        let path = |steps: &[&str]| steps.iter().map(|step| (*step).to_owned()).collect::<Vec<_>>();
        remove(&mut live, &path(&["f:spec", "f:containers", "k:{\"name\":\"side\"}"]));
        remove(&mut live, &path(&["f:metadata", "f:labels", "f:a"]));
        remove(&mut live, &path(&["f:metadata", "f:labels", "f:b"]));
        remove(&mut live, &path(&["f:metadata", "f:finalizers", "v:\"x/y\""]));
        assert_eq!(live["spec"]["containers"].as_array().unwrap().len(), 1);
        assert!(!live.contains_key("metadata"));
        assert_eq!(shown(&path(&["f:spec", "k:{\"name\":\"w\"}", "f:image"])), ".spec[name=\"w\"].image");
    }
}
