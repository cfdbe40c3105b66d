//! Who owns which fields: `metadata.managedFields` after an update and after an apply.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::fields::{self, Body, Fields};
use super::status::{self, Cause, Failure};
use crate::clock::WorldTime;

/// What one manager owns.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    manager: String,
    /// `Apply` or `Update`.
    operation: String,
    api_version: String,
    time: String,
    fields: Fields,
}

/// Who writes, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Writer<'a> {
    pub(super) manager: &'a str,
    pub(super) api_version: &'a str,
    pub(super) now: WorldTime,
}

/// What of an object can be owned.
fn owned(body: &Body) -> Body {
    let mut body = body.clone();
    for name in ["apiVersion", "kind", "status"] {
        body.remove(name);
    }
    if let Some(Value::Object(metadata)) = body.get_mut("metadata") {
        metadata.retain(|name, _| {
            matches!(name.as_str(), "labels" | "annotations" | "finalizers" | "ownerReferences" | "generateName")
        });
        if metadata.is_empty() {
            body.remove("metadata");
        }
    }
    body
}

fn read(body: &Body) -> Vec<Entry> {
    let list = body.get("metadata").and_then(|metadata| metadata.get("managedFields")).and_then(Value::as_array);
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let entry = |value: &Value| Entry {
        manager: text(value, "manager"),
        operation: text(value, "operation"),
        api_version: text(value, "apiVersion"),
        time: text(value, "time"),
        fields: value.get("fieldsV1").map(fields::of_json).unwrap_or_default(),
    };
    list.into_iter().flatten().map(entry).collect()
}

fn write(body: &mut Body, entries: &[Entry]) {
    let shown = entries.iter().filter(|entry| !entry.fields.is_empty()).map(|entry| {
        json!({
            "manager": entry.manager,
            "operation": entry.operation,
            "apiVersion": entry.api_version,
            "time": entry.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": fields::to_json(&entry.fields),
        })
    });
    let shown: Vec<Value> = shown.collect();
    if let Some(Value::Object(metadata)) = body.get_mut("metadata") {
        if shown.is_empty() {
            metadata.remove("managedFields");
        } else {
            metadata.insert("managedFields".to_owned(), shown.into());
        }
    }
}

/// The entry of a manager, made if need be.
fn entry_of<'e>(entries: &'e mut Vec<Entry>, writer: Writer<'_>, operation: &str) -> &'e mut Entry {
    let fits = |entry: &Entry| {
        entry.manager == writer.manager
            && entry.operation == operation
            && (operation == "Apply" || entry.api_version == writer.api_version)
    };
    let at = entries.iter().position(fits).unwrap_or_else(|| {
        entries.push(Entry {
            manager: writer.manager.to_owned(),
            operation: operation.to_owned(),
            api_version: writer.api_version.to_owned(),
            time: writer.now.to_seconds(),
            fields: Fields::new(),
        });
        entries.len() - 1
    });
    &mut entries[at]
}

/// After a create, update or patch: what changed is the writer's, and nobody else's any more.
pub(super) fn after_update(old: Option<&Body>, new: &mut Body, writer: Writer<'_>) {
    let empty = Body::new();
    let old = old.unwrap_or(&empty);
    let mut entries = read(old);
    let (changed, gone) = fields::differences(&owned(old), &owned(new));
    for entry in &mut entries {
        let own = entry.manager == writer.manager && entry.operation == "Update";
        entry.fields.retain(|path| !gone.contains(path) && (own || !changed.contains(path)));
    }
    if !changed.is_empty() {
        let entry = entry_of(&mut entries, writer, "Update");
        entry.fields.extend(changed);
        entry.time = writer.now.to_seconds();
    }
    write(new, &entries);
}

/// The object after `applied` was applied to `live`. Fields that the manager applied before and does
/// not any more, and that nobody else owns, are gone. Fields that somebody else owns and that would
/// change are a conflict, unless it is forced.
pub(super) fn apply(live: Option<&Body>, applied: &Body, writer: Writer<'_>, force: bool) -> Result<Body, Failure> {
    let empty = Body::new();
    let live = live.unwrap_or(&empty);
    let mut entries = read(live);
    let set: Fields = fields::paths(&owned(applied), false).into_keys().collect();
    let mut merged = live.clone();
    fields::merge(&mut merged, applied);
    let is_own = |entry: &Entry| entry.manager == writer.manager && entry.operation == "Apply";
    let before: Fields = entries.iter().filter(|entry| is_own(entry)).flat_map(|entry| entry.fields.clone()).collect();
    let others: Fields = entries.iter().filter(|entry| !is_own(entry)).flat_map(|entry| entry.fields.clone()).collect();
    for path in before.difference(&set) {
        // What others own, or own something in, stays.
        let kept = others.range(path.clone()..).next().is_some_and(|other| other.starts_with(path));
        let used = set.range(path.clone()..).next().is_some_and(|other| other.starts_with(path));
        if !kept && !used {
            fields::remove(&mut merged, path);
        }
    }
    let (changed, gone) = fields::differences(&owned(live), &owned(&merged));
    let mut conflicts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut causes = Vec::new();
    for entry in entries.iter_mut().filter(|entry| !is_own(entry)) {
        let taken: Vec<_> = entry.fields.intersection(&changed).cloned().collect();
        if force {
            entry.fields.retain(|path| !changed.contains(path) && !gone.contains(path));
            continue;
        }
        let who = if entry.operation == "Update" {
            format!("{:?} using {}", entry.manager, entry.api_version)
        } else {
            format!("{:?}", entry.manager)
        };
        for path in &taken {
            let field = fields::shown(path);
            conflicts.entry(who.clone()).or_default().push(field.clone());
            causes.push(Cause { reason: "FieldManagerConflict", message: format!("conflict with {who}"), field });
        }
        entry.fields.retain(|path| !gone.contains(path));
    }
    if !causes.is_empty() {
        return Err(status::apply_conflict(conflict_message(&conflicts, causes.len()), &causes));
    }
    let entry = entry_of(&mut entries, writer, "Apply");
    if entry.fields != set || entry.api_version != writer.api_version {
        entry.fields = set;
        writer.api_version.clone_into(&mut entry.api_version);
        entry.time = writer.now.to_seconds();
    }
    write(&mut merged, &entries);
    Ok(merged)
}

fn conflict_message(conflicts: &BTreeMap<String, Vec<String>>, count: usize) -> String {
    if let (1, Some((who, paths))) = (count, conflicts.iter().next()) {
        return format!("Apply failed with 1 conflict: conflict with {who}: {}", paths.concat());
    }
    let mut lines = Vec::new();
    for (who, paths) in conflicts {
        lines.push(format!("conflicts with {who}:"));
        lines.extend(paths.iter().map(|path| format!("- {path}")));
    }
    format!("Apply failed with {count} conflicts: {}", lines.join("\n"))
}
