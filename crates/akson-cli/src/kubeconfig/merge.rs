//! A kubeconfig put into one that is there: clusters, contexts and users by name, as kubectl does. What else the file has stays. Not the
//! writing of the file.

use serde_json::{Map, Value};

/// Why a file cannot take another cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoKubeconfig(pub(crate) String);

/// The text of the file with `added` in it. An empty file is none. The current context becomes the added one.
///
/// # Errors
/// If the file is no kubeconfig: it is not touched then.
pub(crate) fn merge(existing: &str, added: &Value) -> Result<Value, NoKubeconfig> {
    if existing.trim().is_empty() {
        return Ok(added.clone());
    }
    let parsed: Value = serde_saphyr::from_str(existing)
        .map_err(|error| NoKubeconfig(error.to_string().lines().next().unwrap_or("it cannot be read").to_owned()))?;
    let Value::Object(mut file) = parsed else { return Err(NoKubeconfig("it is no mapping".to_owned())) };
    if file.get("kind").is_some_and(|kind| kind != "Config") {
        return Err(NoKubeconfig("its `kind` is not `Config`".to_owned()));
    }
    for key in ["apiVersion", "kind"] {
        if !file.contains_key(key) {
            file.insert(key.to_owned(), added[key].clone());
        }
    }
    for list in ["clusters", "contexts", "users"] {
        put(&mut file, list, &added[list])?;
    }
    file.insert("current-context".to_owned(), added["current-context"].clone());
    Ok(Value::Object(file))
}

fn put(file: &mut Map<String, Value>, list: &str, added: &Value) -> Result<(), NoKubeconfig> {
    let entries = file.entry(list).or_insert(Value::Null);
    if entries.is_null() {
        *entries = Value::Array(Vec::new());
    }
    let Value::Array(entries) = entries else { return Err(NoKubeconfig(format!("its `{list}` is no list"))) };
    for new in added.as_array().into_iter().flatten() {
        match entries.iter_mut().find(|entry| entry.get("name") == new.get("name")) {
            Some(entry) => *entry = new.clone(),
            None => entries.push(new.clone()),
        }
    }
    Ok(())
}
