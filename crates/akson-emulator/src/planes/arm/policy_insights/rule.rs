//! Whether the condition of a policy holds for an object. What is not understood makes the whole rule say nothing.

use serde_json::{Map, Value};

/// A condition, or a part of one, that is not understood here.
#[derive(Debug, PartialEq)]
pub(super) struct Unknown;

type Outcome<T> = Result<T, Unknown>;

/// Whether `if` holds for an object; `parameters` are the values that count.
pub(super) fn holds(condition: &Value, object: &Map<String, Value>, parameters: &Map<String, Value>) -> Outcome<bool> {
    let fields = condition.as_object().ok_or(Unknown)?;
    if let Some(all) = fields.get("allOf").and_then(Value::as_array) {
        let mut held = true;
        for one in all {
            held &= holds(one, object, parameters)?;
        }
        return Ok(held);
    }
    if let Some(any) = fields.get("anyOf").and_then(Value::as_array) {
        let mut held = false;
        for one in any {
            held |= holds(one, object, parameters)?;
        }
        return Ok(held);
    }
    if let Some(not) = fields.get("not") {
        return Ok(!holds(not, object, parameters)?);
    }
    let found = match (fields.get("field"), fields.get("value")) {
        (Some(Value::String(field)), None) => values(field, object)?,
        (None, Some(value)) => vec![resolved(value, parameters)?],
        _ => return Err(Unknown),
    };
    let mut operators = fields.iter().filter(|(name, _)| !matches!(name.as_str(), "field" | "value"));
    let (Some((operator, asked)), None) = (operators.next(), operators.next()) else { return Err(Unknown) };
    compare(operator, &found, &resolved(asked, parameters)?)
}

/// A value, with a parameter in its place.
pub(super) fn resolved(value: &Value, parameters: &Map<String, Value>) -> Outcome<Value> {
    match value {
        Value::String(text) if text.starts_with("[[") => Ok(text[1..].into()),
        Value::String(text) if text.starts_with('[') && text.ends_with(']') => {
            let inner = text.trim_start_matches("[parameters('").trim_end_matches("')]");
            if inner.len() + "[parameters('')]".len() != text.len() {
                return Err(Unknown);
            }
            let found = parameters.iter().find(|(name, _)| name.eq_ignore_ascii_case(inner));
            found.map(|(_, value)| value.clone()).ok_or(Unknown)
        }
        other => Ok(other.clone()),
    }
}

/// What stands in a field of an object: several where a path goes through lists.
fn values(field: &str, object: &Map<String, Value>) -> Outcome<Vec<Value>> {
    let plain = |name: &str| vec![object.get(name).cloned().unwrap_or(Value::Null)];
    let lower = field.to_ascii_lowercase();
    match lower.as_str() {
        "type" | "name" | "location" | "kind" | "id" | "tags" => return Ok(plain(&lower)),
        "fullname" => return Ok(plain("name")),
        "identity.type" => return Ok(vec![object.get("identity").map_or(Value::Null, |all| all["type"].clone())]),
        _ => {}
    }
    let tag = lower
        .strip_prefix("tags.")
        .or_else(|| lower.strip_prefix("tags[").map(|rest| rest.trim_end_matches(']').trim_matches(['\'', '"'])));
    if let Some(tag) = tag {
        let tags = object.get("tags").and_then(Value::as_object);
        let found = tags.and_then(|tags| tags.iter().find(|(name, _)| name.eq_ignore_ascii_case(tag)));
        return Ok(vec![found.map_or(Value::Null, |(_, value)| value.clone())]);
    }
    // An alias: the type, then a path in the properties, or beside them.
    let kind = object.get("type").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    let kind =
        if kind.ends_with("/resourcegroups") { "microsoft.resources/subscriptions/resourcegroups" } else { &kind };
    let Some(path) = lower.strip_prefix(&format!("{kind}/")) else {
        return if lower.contains('/') { Ok(vec![Value::Null]) } else { Err(Unknown) };
    };
    let whole = Value::Object(object.clone());
    let inside = walk(&whole["properties"], path);
    Ok(if inside.iter().all(Value::is_null) { walk(&whole, path) } else { inside })
}

fn walk(value: &Value, path: &str) -> Vec<Value> {
    path.split('.').fold(vec![value.clone()], |found, step| {
        let (name, many) = step.strip_suffix("[*]").map_or((step, false), |name| (name, true));
        let next = |value: Value| -> Vec<Value> {
            let fields = value.as_object();
            let field = fields.and_then(|fields| fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)));
            let field = field.map_or(Value::Null, |(_, field)| field.clone());
            match field {
                Value::Array(items) if many => items,
                field => vec![field],
            }
        };
        found.into_iter().flat_map(next).collect()
    })
}

fn compare(operator: &str, found: &[Value], asked: &Value) -> Outcome<bool> {
    let operator = operator.to_ascii_lowercase();
    let text = |value: &Value| match value {
        Value::String(text) => text.to_lowercase(),
        Value::Null => String::new(),
        other => other.to_string().to_lowercase(),
    };
    let equal = |a: &Value, b: &Value| text(a) == text(b);
    let among = |value: &Value| asked.as_array().is_some_and(|all| all.iter().any(|one| equal(value, one)));
    let contains = |value: &Value| match value {
        Value::Array(items) => items.iter().any(|item| equal(item, asked)),
        other => text(other).contains(&text(asked)),
    };
    let number = |value: &Value| value.as_f64();
    let every = |test: &dyn Fn(&Value) -> bool| Ok(found.iter().all(test));
    match operator.as_str() {
        "equals" => every(&|value| equal(value, asked)),
        "notequals" => every(&|value| !equal(value, asked)),
        "in" => every(&among),
        "notin" => every(&|value| !among(value)),
        "contains" => every(&contains),
        "notcontains" => every(&|value| !contains(value)),
        "like" => every(&|value| like(&text(value), &text(asked))),
        "notlike" => every(&|value| !like(&text(value), &text(asked))),
        "containskey" => {
            every(&|value| value.as_object().is_some_and(|all| all.keys().any(|key| key.to_lowercase() == text(asked))))
        }
        "exists" => {
            let wanted = text(asked) == "true";
            Ok(found.iter().any(|value| !value.is_null()) == wanted)
        }
        "greater" => every(&|value| number(value) > number(asked)),
        "less" => every(&|value| number(value).is_some() && number(value) < number(asked)),
        "greaterorequals" => every(&|value| number(value) >= number(asked)),
        "lessorequals" => every(&|value| number(value).is_some() && number(value) <= number(asked)),
        _ => Err(Unknown),
    }
}

/// One `*` stands for anything.
fn like(text: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => text == pattern,
        Some((before, after)) => {
            text.len() >= before.len() + after.len() && text.starts_with(before) && text.ends_with(after)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn conditions() {
        let object = json!({
            "type": "Microsoft.ContainerService/ManagedClusters", "name": "main", "location": "westeurope",
            "tags": { "Env": "dev" }, "sku": { "tier": "Free" },
            "properties": { "enableRBAC": true, "pools": [{ "count": 1 }, { "count": 3 }] },
        });
        let parameters = json!({ "places": ["westeurope", "northeurope"] });
        let check = |condition: Value, expected: Result<bool, Unknown>| {
            let object = object.as_object().cloned().unwrap_or_default();
            let parameters = parameters.as_object().cloned().unwrap_or_default();
            assert_eq!(holds(&condition, &object, &parameters), expected, "{condition}");
        };
        let alias = |path: &str| format!("Microsoft.ContainerService/managedClusters/{path}");
        check(json!({ "field": "type", "equals": "Microsoft.ContainerService/managedClusters" }), Ok(true));
        check(json!({ "not": { "field": "location", "in": "[parameters('places')]" } }), Ok(false));
        check(json!({ "field": "tags['env']", "exists": "false" }), Ok(false));
        check(json!({ "field": alias("enableRBAC"), "notEquals": "true" }), Ok(false));
        check(json!({ "field": alias("sku.tier"), "equals": "free" }), Ok(true));
        check(json!({ "field": alias("pools[*].count"), "greaterOrEquals": 2 }), Ok(false));
        check(
            json!({ "allOf": [{ "field": "name", "like": "ma*" }, { "field": alias("no.such"), "exists": false }] }),
            Ok(true),
        );
        check(json!({ "anyOf": [{ "field": "name", "equals": "x" }, { "value": 3, "less": 2 }] }), Ok(false));
        check(json!({ "value": "[resourceGroup().name]", "equals": "x" }), Err(Unknown));
        check(json!({ "count": {}, "greater": 0 }), Err(Unknown));
        check(json!({ "field": "Microsoft.Other/things/a", "exists": true }), Ok(false));
    }
}
