//! Whether the parameters that an assignment (or a member of an initiative) gives fit those that the
//! definition declares: names, values that are missing, types, allowed values with their case.

use serde_json::{Map, Value};

use super::policy::Definition;
use super::{Refusal, invalid};

/// Who gives the parameters.
pub(super) struct Giver<'a> {
    /// e.g. `policy assignment`.
    pub(super) what: &'a str,
    pub(super) name: &'a str,
}

/// Checks parameters of the form `{name: {value}}`. Expressions of initiatives are not values yet and
/// fit everywhere.
pub(super) fn check(giver: &Giver<'_>, given: &Map<String, Value>, definition: &Definition<'_>) -> Result<(), Refusal> {
    let declared = definition.parameters();
    let what = if definition.is_set { "policy set definition" } else { "policy definition" };
    let (by, name, target) = (giver.what, giver.name, definition.name());
    let find = |name: &str| declared.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, it)| it);
    let undefined: Vec<&str> = given.keys().filter(|name| find(name).is_none()).map(String::as_str).collect();
    if !undefined.is_empty() {
        return Err(invalid(
            "UndefinedPolicyParameter",
            format!(
                "The {by} '{name}' has the parameter(s) '{}' which are not defined in the {what} '{target}'.",
                undefined.join(",")
            ),
        ));
    }
    let missing: Vec<&str> = declared
        .iter()
        .filter(|(_, declaration)| declaration.get("defaultValue").is_none())
        .filter(|(wanted, _)| !given.keys().any(|name| name.eq_ignore_ascii_case(wanted)))
        .map(|(name, _)| name.as_str())
        .collect();
    if !missing.is_empty() {
        return Err(invalid(
            "MissingPolicyParameter",
            format!(
                "The {by} '{name}' is missing the parameter(s) '{}' as defined in the {what} '{target}'.",
                missing.join(",")
            ),
        ));
    }
    for (parameter, given) in given {
        let Some(declaration) = find(parameter) else { continue };
        let Some(value) = given.get("value") else {
            return Err(invalid(
                "InvalidPolicyParameters",
                format!("The policy parameter '{parameter}' of the {by} '{name}' has no value."),
            ));
        };
        if is_expression(value) {
            continue;
        }
        check_type(parameter, value, declaration)?;
        check_allowed(parameter, value, declaration, definition, what)?;
    }
    Ok(())
}

fn is_expression(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.starts_with('[') && !text.starts_with("[[") && text.ends_with(']'))
}

fn check_type(name: &str, value: &Value, declaration: &Value) -> Result<(), Refusal> {
    let declared = declaration.get("type").and_then(Value::as_str).unwrap_or("String");
    let fits = match declared.to_ascii_lowercase().as_str() {
        "array" => value.is_array(),
        "object" => value.is_object(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "float" => value.is_number(),
        _ => value.is_string(),
    };
    if fits {
        return Ok(());
    }
    Err(invalid(
        "InvalidPolicyParameters",
        format!("The value of the policy parameter '{name}' is not of the declared type '{declared}'."),
    ))
}

fn check_allowed(
    name: &str,
    value: &Value,
    declaration: &Value,
    definition: &Definition<'_>,
    what: &str,
) -> Result<(), Refusal> {
    let Some(allowed) = declaration.get("allowedValues").and_then(Value::as_array) else { return Ok(()) };
    // The values of a list are checked one by one.
    let values: Vec<&Value> = match value {
        Value::Array(items) if !allowed.contains(value) => items.iter().collect(),
        _ => vec![value],
    };
    let Some(bad) = values.into_iter().find(|value| !allowed.contains(value)) else { return Ok(()) };
    let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let list: Vec<String> = allowed.iter().map(shown).collect();
    Err(invalid(
        "PolicyParameterValueNotAllowed",
        format!(
            "The value '{}' is not allowed for policy parameter '{name}' in {what} '{} version {}'. The allowed values are '{}'.",
            shown(bad),
            definition.name(),
            definition.version(),
            list.join(", ")
        ),
    ))
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use serde_json::json;

    use super::*;

    #[test]
    fn parameters() {
        let body = json!({
            "name": "d",
            "properties": { "version": "8.0.0", "parameters": {
                "effect": { "type": "String", "allowedValues": ["Audit", "Deny"], "defaultValue": "Audit" },
                "list": { "type": "Array", "defaultValue": [] },
                "some": { "type": "Array", "allowedValues": ["a", "b"], "defaultValue": [] },
                "regex": { "type": "String" },
            }},
        });
        let body = body.as_object().cloned().unwrap_or_default();
        let definition = Definition { is_set: false, body: Cow::Owned(body) };
        let check = |given: Value, expected: &str| {
            let given: Map<String, Value> = given
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, value)| (name.clone(), json!({ "value": value })))
                .collect();
            let found = check(&Giver { what: "policy assignment", name: "a" }, &given, &definition);
            assert_eq!(
                found.err().map_or_else(String::new, |refusal| refusal.code.into_owned()),
                expected,
                "{given:?}"
            );
        };
        check(json!({ "regex": ".*" }), "");
        check(json!({ "regex": ".*", "Effect": "Deny", "list": [1] }), "");
        check(json!({}), "MissingPolicyParameter");
        check(json!({ "regex": ".*", "x": 1 }), "UndefinedPolicyParameter");
        check(json!({ "regex": ".*", "effect": "deny" }), "PolicyParameterValueNotAllowed");
        check(json!({ "regex": ".*", "some": ["a", "c"] }), "PolicyParameterValueNotAllowed");
        check(json!({ "regex": ".*", "some": ["a"] }), "");
        check(json!({ "regex": 1 }), "InvalidPolicyParameters");
        check(json!({ "regex": "[parameters('x')]", "effect": "[parameters('e')]" }), "");
    }
}
