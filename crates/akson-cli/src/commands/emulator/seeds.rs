//! The objects of `akson emulator start --seed`: what a file or a folder holds, in the forms in which tools write objects
//! down. What an object must have is the emulator's to say.

use std::path::{Path, PathBuf};

use akson_diagnostics::Diagnostic;
use akson_emulator::Emulator;
use serde_json::Value;

use crate::codes::BAD_SEED;

/// Objects with the file that each is from.
#[derive(Debug, Default)]
struct Found {
    objects: Vec<Value>,
    /// How many objects had been found when a file had been read.
    ends: Vec<(PathBuf, usize)>,
}

/// Puts all objects of a file or folder into the emulator's world, over what is there: all or none.
///
/// # Errors
/// A diagnostic that says what to do.
pub(super) fn load(emulator: &Emulator, path: &Path) -> Result<(), Box<Diagnostic>> {
    let mut found = Found::default();
    if path.is_dir() {
        for file in files(path).map_err(|error| broken(path, &error.to_string()))? {
            found.read(&file)?;
        }
    } else {
        found.read(path)?;
    }
    let Found { objects, ends } = found;
    emulator.seed(objects).map_err(|error| {
        let refused = broken(path, &error.to_string());
        let place = error.index().and_then(|index| {
            let at = ends.iter().position(|(_, end)| index < *end)?;
            let begin = at.checked_sub(1).and_then(|before| ends.get(before)).map_or(0, |(_, end)| *end);
            Some(format!("that is object {} of `{}`, counted from 1", index - begin + 1, ends.get(at)?.0.display()))
        });
        match place {
            Some(place) => Box::new((*refused).note(place)),
            None => refused,
        }
    })
}

impl Found {
    fn read(&mut self, file: &Path) -> Result<(), Box<Diagnostic>> {
        let text = std::fs::read_to_string(file).map_err(|error| broken(file, &error.to_string()))?;
        if is(file, "jsonl") {
            for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
                let object = serde_json::from_str(line);
                let object = object.map_err(|error| broken(file, &format!("line {}: {error}", at + 1)))?;
                self.objects.push(object);
            }
        } else {
            let value = serde_json::from_str(&text).map_err(|error| broken(file, &error.to_string()))?;
            self.add(value);
        }
        self.ends.push((file.to_owned(), self.objects.len()));
        Ok(())
    }

    /// One object, an array of objects, or what a list call answers.
    fn add(&mut self, value: Value) {
        match value {
            Value::Array(objects) => self.objects.extend(objects),
            Value::Object(mut answer) => {
                let of_kubernetes =
                    answer.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"));
                let list = if of_kubernetes { "items" } else { "value" };
                // A secret has an id, and a value that is no list.
                match answer.remove(list) {
                    Some(Value::Array(objects)) if !answer.contains_key("id") => self.objects.extend(objects),
                    Some(other) => {
                        answer.insert(list.to_owned(), other);
                        self.objects.push(Value::Object(answer));
                    }
                    None => self.objects.push(Value::Object(answer)),
                }
            }
            other => self.objects.push(other),
        }
    }
}

fn is(file: &Path, extension: &str) -> bool {
    file.extension().is_some_and(|own| own.eq_ignore_ascii_case(extension))
}

/// All `.json` and `.jsonl` files below a folder, sorted.
fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if is(&path, "json") || is(&path, "jsonl") {
                all.push(path);
            }
        }
    }
    all.sort();
    Ok(all)
}

fn broken(path: &Path, detail: &str) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::error(BAD_SEED, format!("`{}` cannot be loaded: {detail}", path.display()))
            .help("seeds are raw objects as Azure, Graph, vaults and clusters return them, in .json or .jsonl files"),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn forms_of_lists() {
        let check = |value: Value, expected: usize| {
            let mut found = Found::default();
            found.add(value.clone());
            assert_eq!(found.objects.len(), expected, "{value}");
        };
        check(json!({ "id": "/subscriptions/s" }), 1);
        check(json!([{ "id": "/a" }, { "id": "/b" }]), 2);
        check(json!({ "value": [{ "id": "/a" }, { "id": "/b" }], "nextLink": "x" }), 2);
        check(json!({ "value": [] }), 0);
        check(json!({ "id": "https://kv.vault.azure.net/secrets/a", "value": "hidden" }), 1);
        check(json!({ "apiVersion": "v1", "kind": "ConfigMapList", "items": [{}, {}, {}] }), 3);
        check(json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a" } }), 1);
        check(json!(1), 1);
    }
}
