//! Reading the body of a write, and the parts that all types share: location and tags. What stands in
//! `properties` is each type's own business.

use serde_json::{Map, Value, json};

use super::{Call, region, tags};
use crate::errors::{self, Refusal};
use crate::id::ResourceId;
use crate::world::Object;

/// A JSON object.
pub(super) type Body = Map<String, Value>;

/// The JSON object that a call carries.
pub(super) fn read(call: &Call<'_>) -> Result<Body, Refusal> {
    if let Some(kind) = call.visit.header("content-type") {
        let essence = kind.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(errors::unsupported_media(essence));
        }
    }
    match serde_json::from_slice(&call.visit.body) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) => Err(errors::invalid_content("Error converting value to an object. Path '', line 1, position 1.")),
        Err(error) => Err(errors::invalid_content(&error.to_string())),
    }
}

/// The `properties` of a body; absent and null are empty.
pub(super) fn properties(body: &Body) -> Result<Body, Refusal> {
    match body.get("properties") {
        None | Some(Value::Null) => Ok(Body::new()),
        Some(Value::Object(properties)) => Ok(properties.clone()),
        Some(_) => Err(errors::invalid_content("Error converting value to an object. Path 'properties'.")),
    }
}

/// The location of a body in its canonical form, if it is a region where the type is offered.
pub(super) fn location(body: &Body, type_name: &str) -> Result<Option<String>, Refusal> {
    match body.get("location") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => match region::canonical(text) {
            Some(location) => Ok(Some(location)),
            None => Err(errors::type_location_unavailable(text, type_name, &region::names())),
        },
        Some(_) => Err(errors::invalid_content("Error reading string. Path 'location'.")),
    }
}

/// The location of a body that must have one, and must have the one that an existing object has.
pub(super) fn settled_location(
    body: &Body,
    id: &ResourceId,
    type_name: &str,
    existing: Option<&Object>,
) -> Result<String, Refusal> {
    let location = location(body, type_name)?.ok_or_else(errors::location_required)?;
    stays(&location, id, existing)?;
    Ok(location)
}

/// Whether an existing object is in this location.
pub(super) fn stays(location: &str, id: &ResourceId, existing: Option<&Object>) -> Result<(), Refusal> {
    match existing.map(|object| object.text("location")) {
        Some(there) if !there.is_empty() && there != location => {
            let group = id.place.group.as_deref().unwrap_or_default();
            Err(errors::resource_elsewhere(id.name(), group, location, there))
        }
        _ => Ok(()),
    }
}

/// The tags of a body, checked; `None` if it says nothing about them.
pub(super) fn tags(body: &Body) -> Result<Option<Value>, Refusal> {
    tags::check(body.get("tags"))
}

/// `systemData` of an object that is written now.
pub(super) fn system_data(call: &Call<'_>, existing: Option<&Object>) -> Value {
    let by = &call.bearer().client_id;
    let now = call.now.to_string();
    let created = existing.and_then(|object| object.body.get("systemData"));
    let kept = |name: &str, new: &str| created.and_then(|data| data.get(name)).cloned().unwrap_or_else(|| new.into());
    json!({
        "createdBy": kept("createdBy", by),
        "createdByType": kept("createdByType", "Application"),
        "createdAt": kept("createdAt", &now),
        "lastModifiedBy": by,
        "lastModifiedByType": "Application",
        "lastModifiedAt": now,
    })
}

/// Sets `body.outer.inner` unless it is set.
pub(super) fn merge_missing(body: &mut Body, outer: &str, inner: &str, value: Value) {
    let target = body.entry(outer).or_insert_with(|| Value::Object(Body::new()));
    if let Value::Object(target) = target {
        target.entry(inner).or_insert(value);
    }
}

/// Lays a patch over a value as RFC 7396 says: objects are merged, null removes, all else replaces.
pub(super) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Body::new());
    }
    if let Value::Object(target) = target {
        for (name, change) in patch {
            if change.is_null() {
                target.shift_remove(name);
            } else {
                merge(target.entry(name.clone()).or_insert(Value::Null), change);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merging() {
        let check = |mut target: Value, patch: Value, expected: Value| {
            merge(&mut target, &patch);
            assert_eq!(target, expected);
        };
        check(json!({"a": {"b": 1, "c": 2}}), json!({"a": {"c": null, "d": 3}}), json!({"a": {"b": 1, "d": 3}}));
        check(json!({"a": [1]}), json!({"a": [2, 3]}), json!({"a": [2, 3]}));
        check(json!({"a": 1}), json!({"a": {"b": null}}), json!({"a": {}}));
    }
}
