//! Values as the language writes them, safe for a terminal.

use akson_diagnostics::SafeText;
use serde_json::Value;

/// Text from outside without control characters or line breaks.
pub(crate) fn safe(text: &str) -> String {
    SafeText(text).to_string().replace('\n', "\\n").replace('\t', "\\t")
}

/// A value without quotes around text.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => safe(text),
        other => aks(other),
    }
}

/// A JSON value as the language would write it.
pub(crate) fn aks(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("\"{}\"", safe(&text.replace('\\', "\\\\").replace('"', "\\\""))),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(aks).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(entries) if entries.is_empty() => "{}".to_owned(),
        Value::Object(entries) => {
            let entries: Vec<String> =
                entries.iter().map(|(key, value)| format!("{} = {}", self::key(key), aks(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
    }
}

/// A value whose texts are expressions: `fixed(count = 3)`, `[group.admins]`.
pub(crate) fn expression(value: &Value) -> String {
    match value {
        Value::String(text) => safe(text),
        Value::Array(items) => format!("[{}]", items.iter().map(expression).collect::<Vec<_>>().join(", ")),
        other => aks(other),
    }
}

/// A key of a map: bare where it can be.
pub(crate) fn key(key: &str) -> String {
    let plain = key.chars().next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && key.chars().all(|character| character.is_ascii_alphanumeric() || character == '_' || character == '-');
    if plain { key.to_owned() } else { format!("\"{}\"", safe(&key.replace('"', "\\\""))) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_read_like_the_language() {
        let value = json!({ "a": [1, true, "x\u{1b}[31m"], "b c": null });
        assert_eq!(aks(&value), "{ a = [1, true, \"x\\u{1b}[31m\"], \"b c\" = none }");
    }
}
