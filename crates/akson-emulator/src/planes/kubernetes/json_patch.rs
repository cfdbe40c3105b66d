//! JSON patches (RFC 6902).

use serde_json::Value;

/// Carries out the operations of a patch, all or nothing; `Err` says which cannot be.
pub(super) fn patch(document: &Value, operations: &Value) -> Result<Value, String> {
    let operations = operations.as_array().ok_or("a patch is an array of operations")?;
    let mut changed = document.clone();
    for operation in operations {
        let text = |name: &str| operation.get(name).and_then(Value::as_str);
        let value = || operation.get("value").cloned().ok_or("an operation has no value");
        let path = text("path").ok_or("an operation has no path")?;
        match text("op").unwrap_or_default() {
            "add" => add(&mut changed, path, value()?)?,
            "remove" => drop(remove(&mut changed, path)?),
            "replace" => {
                let value = value()?;
                *changed.pointer_mut(path).ok_or_else(|| missing(path))? = value;
            }
            "move" => {
                let moved = remove(&mut changed, text("from").ok_or("an operation has no from")?)?;
                add(&mut changed, path, moved)?;
            }
            "copy" => {
                let from = text("from").ok_or("an operation has no from")?;
                let copied = changed.pointer(from).cloned().ok_or_else(|| missing(from))?;
                add(&mut changed, path, copied)?;
            }
            "test" => {
                if changed.pointer(path) != Some(&value()?) {
                    return Err(format!("testing value {path} failed"));
                }
            }
            other => return Err(format!("unexpected kind: {other}")),
        }
    }
    Ok(changed)
}

fn missing(path: &str) -> String {
    format!("there is nothing at {path}")
}

/// What contains the end of a path, and the end.
fn parent<'v>(document: &'v mut Value, path: &str) -> Result<(&'v mut Value, String), String> {
    let (above, last) = path.rsplit_once('/').ok_or_else(|| missing(path))?;
    let inner = document.pointer_mut(above).ok_or_else(|| missing(path))?;
    Ok((inner, last.replace("~1", "/").replace("~0", "~")))
}

fn add(document: &mut Value, path: &str, value: Value) -> Result<(), String> {
    if path.is_empty() {
        *document = value;
        return Ok(());
    }
    match parent(document, path)? {
        (Value::Object(body), last) => {
            body.insert(last, value);
        }
        (Value::Array(list), last) if last == "-" => list.push(value),
        (Value::Array(list), last) => {
            let at = last.parse().ok().filter(|at| *at <= list.len()).ok_or_else(|| missing(path))?;
            list.insert(at, value);
        }
        _ => return Err(missing(path)),
    }
    Ok(())
}

fn remove(document: &mut Value, path: &str) -> Result<Value, String> {
    let removed = match parent(document, path)? {
        (Value::Object(body), last) => body.shift_remove(&last),
        (Value::Array(list), last) => {
            let at = last.parse().ok().filter(|at| *at < list.len());
            at.map(|at: usize| list.remove(at))
        }
        _ => None,
    };
    removed.ok_or_else(|| missing(path))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use serde_json::json;

    use super::*;

    #[test]
    fn operations() {
        let check = |operations: Value, expected: Value| {
            let document = json!({ "a": { "b": [1, 2] }, "c/d": 3 });
            assert_eq!(
                patch(&document, &operations).ok(),
                Some(expected).filter(|value| !value.is_null()),
                "{operations}"
            );
        };
        check(json!([{ "op": "add", "path": "/a/b/1", "value": 9 }]), json!({ "a": { "b": [1, 9, 2] }, "c/d": 3 }));
        check(json!([{ "op": "add", "path": "/a/b/-", "value": 9 }]), json!({ "a": { "b": [1, 2, 9] }, "c/d": 3 }));
        check(json!([{ "op": "remove", "path": "/c~1d" }]), json!({ "a": { "b": [1, 2] } }));
        check(json!([{ "op": "replace", "path": "/a/b/0", "value": 0 }]), json!({ "a": { "b": [0, 2] }, "c/d": 3 }));
        check(json!([{ "op": "move", "from": "/c~1d", "path": "/a/x" }]), json!({ "a": { "b": [1, 2], "x": 3 } }));
        check(
            json!([{ "op": "test", "path": "/c~1d", "value": 3 }, { "op": "copy", "from": "/c~1d", "path": "/e" }]),
            json!({ "a": { "b": [1, 2] }, "c/d": 3, "e": 3 }),
        );
        for bad in [
            json!({}),
            json!([{ "op": "replace", "path": "/z", "value": 1 }]),
            json!([{ "op": "remove", "path": "/a/b/2" }]),
            json!([{ "op": "test", "path": "/c~1d", "value": 4 }]),
            json!([{ "op": "add", "path": "/a/b/9", "value": 4 }]),
            json!([{ "op": "other", "path": "/a" }]),
            json!([{ "op": "add", "path": "/a" }]),
        ] {
            check(bad, Value::Null);
        }
    }
}
