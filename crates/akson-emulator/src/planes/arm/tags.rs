//! The rules for tags, the same for all types: names and values are text, limited in number and length.

use serde_json::{Map, Value};

use crate::errors::{self, Refusal};

const MOST: usize = 50;
const LONGEST_NAME: usize = 512;
const LONGEST_VALUE: usize = 256;
const RESERVED: [char; 7] = ['<', '>', '%', '&', '\\', '?', '/'];

/// Checks the `tags` of a body: `None` if they are absent or null.
pub(super) fn check(tags: Option<&Value>) -> Result<Option<Value>, Refusal> {
    let tags = match tags {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(tags)) => tags,
        Some(_) => return Err(errors::invalid_content("Error converting value to a dictionary. Path 'tags'.")),
    };
    if tags.len() > MOST {
        let message = format!("The number of tags '{}' exceeds the maximum allowed of '{MOST}'.", tags.len());
        return Err(errors::invalid("TagCountLimitExceeded", message));
    }
    let mut checked = Map::new();
    for (name, value) in tags {
        check_name(name)?;
        if checked.keys().any(|known: &String| known.eq_ignore_ascii_case(name)) {
            let message = format!("The tag name '{name}' is specified more than once. Tag names are case-insensitive.");
            return Err(errors::invalid("DuplicateTagNames", message));
        }
        let value = match value {
            Value::String(value) => value.clone(),
            Value::Null => String::new(),
            _ => {
                return Err(errors::invalid_content(&format!("Error reading string. Path 'tags.{name}'.")));
            }
        };
        if value.chars().count() > LONGEST_VALUE {
            let message = format!(
                "The value of the tag '{name}' exceeds the maximum allowed length of '{LONGEST_VALUE}' characters."
            );
            return Err(errors::invalid("InvalidTagValueLength", message));
        }
        checked.insert(name.clone(), value.into());
    }
    Ok(Some(Value::Object(checked)))
}

fn check_name(name: &str) -> Result<(), Refusal> {
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        let message = format!("The tag name '{name}' must have between 1 and {LONGEST_NAME} characters.");
        return Err(errors::invalid("InvalidTagNameLength", message));
    }
    if name.chars().any(|c| RESERVED.contains(&c) || c.is_control()) {
        let message =
            format!("The tag names '{name}' have reserved characters '<,>,%,&,\\,?,/' or control characters.");
        return Err(errors::invalid("InvalidTagNameCharacters", message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rules() {
        let check = |tags: Value, expected: &str| {
            let code = check(Some(&tags)).map_or_else(|refusal| refusal.code.to_string(), |_| String::new());
            assert_eq!(code, expected, "{tags}");
        };
        check(json!({"a": "b"}), "");
        check(json!(null), "");
        check(json!({"a": 1}), "InvalidRequestContent");
        check(json!(["a"]), "InvalidRequestContent");
        check(json!({"a/b": "c"}), "InvalidTagNameCharacters");
        check(json!({"a": "1", "A": "2"}), "DuplicateTagNames");
        check(json!({"": "c"}), "InvalidTagNameLength");
        check(json!({"a": "x".repeat(257)}), "InvalidTagValueLength");
        let many: Map<String, Value> = (0..51).map(|i| (format!("t{i}"), json!("v"))).collect();
        check(Value::Object(many), "TagCountLimitExceeded");
    }
}
