//! Canonical JSON: one text for one value. What digests and hashes are made of; not what people read.

use std::fmt::Write as _;

use serde_json::{Number, Value};
use sha2::{Digest, Sha256};

/// The canonical text: keys sorted by code point, no space, numbers of equal value written alike (`1.0` is `1`).
pub fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

/// SHA-256 of the canonical text, in full: what an approval refers to.
pub fn sha256_hex(value: &Value) -> String {
    hex(&Sha256::digest(canonical(value).as_bytes()))
}

/// 128 bits of it in hex: what the ledger keeps of a leaf instead of its value. Never taken of sensitive leaves.
pub fn leaf_hash(value: &Value) -> String {
    let digest = Sha256::digest(canonical(value).as_bytes());
    hex(digest.get(..16).unwrap_or_default())
}

/// Bytes as hex digits in lower case.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(true) => text.push_str("true"),
        Value::Bool(false) => text.push_str("false"),
        Value::Number(number) => text.push_str(&plain(number)),
        Value::String(string) => quote(string, text),
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                write(item, text);
            }
            text.push(']');
        }
        Value::Object(entries) => {
            let mut entries: Vec<(&String, &Value)> = entries.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            text.push('{');
            for (at, (key, item)) in entries.into_iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                quote(key, text);
                text.push(':');
                write(item, text);
            }
            text.push('}');
        }
    }
}

fn quote(string: &str, text: &mut String) {
    text.push_str(&Value::from(string).to_string());
}

/// A number as text: whole ones without a fraction, so that `1`, `1.0` and `1e0` are one.
fn plain(number: &Number) -> String {
    /// Beyond it not every whole number is a double.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match number.as_f64() {
        Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() <= EXACT => {
            // Through i128, so that -0.0 becomes 0.
            #[expect(clippy::cast_possible_truncation, reason = "whole and at most 2^53")]
            let whole = float as i128;
            whole.to_string()
        }
        _ => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(value: &Value, text: &str) {
        assert_eq!(canonical(value), text);
    }

    #[test]
    fn one_text_for_one_value() {
        check(&json!({"b": 1, "a": [true, null, "x\"y\n"]}), r#"{"a":[true,null,"x\"y\n"],"b":1}"#);
        check(&json!(1.0), "1");
        check(&json!(-0.0), "0");
        check(&json!(1.5), "1.5");
        check(&json!(-3), "-3");
        check(&json!(u64::MAX), "18446744073709551615");
        check(&json!({}), "{}");
        check(&json!([]), "[]");
    }

    #[test]
    fn hashes_follow_the_value() {
        assert_eq!(leaf_hash(&json!({"a": 1, "b": 2})), leaf_hash(&json!({"b": 2.0, "a": 1})));
        assert_ne!(leaf_hash(&json!("1")), leaf_hash(&json!(1)));
        assert_eq!(leaf_hash(&json!(null)), "74234e98afe7498fb5daf1f36ac2d78a");
        assert_eq!(sha256_hex(&json!(null)).len(), 64);
    }
}
