//! The outputs of a stack for people. A sensitive one shows that it is there, and nothing else.

use std::fmt::Write as _;

use akson_config::OutputValue;
use serde_json::Value;

use super::literal;

/// The outputs, each a line; empty if there are none. `shown` gives a value as JSON where it is known and may be seen.
pub(crate) fn human(outputs: &[OutputValue], shown: impl Fn(&OutputValue) -> Option<Value>) -> String {
    let mut out = String::new();
    let width = outputs.iter().map(|output| output.name.chars().count()).max().unwrap_or(0);
    for output in outputs {
        let value = if output.sensitive || output.value.is_sensitive() {
            "(sensitive)".to_owned()
        } else {
            match shown(output) {
                Some(value @ Value::Object(_)) => several(&value),
                Some(value) => literal::aks(&value),
                None => "(not known)".to_owned(),
            }
        };
        let _ = writeln!(out, "{:<width$} = {value}", literal::safe(&output.name));
    }
    out
}

/// A map over several lines, as an author would write it.
fn several(value: &Value) -> String {
    let Value::Object(entries) = value else { return literal::aks(value) };
    if entries.len() < 2 {
        return literal::aks(value);
    }
    let keys: Vec<String> = entries.keys().map(|key| literal::key(key)).collect();
    let width = keys.iter().map(|key| key.chars().count()).max().unwrap_or(0);
    let mut out = String::from("{\n");
    for (key, value) in keys.iter().zip(entries.values()) {
        let _ = writeln!(out, "  {key:<width$} = {}", literal::aks(value));
    }
    out.push('}');
    out
}
