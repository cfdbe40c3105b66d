//! What the types of Azure Policy have in common: finding definitions, built in or not, and the metadata
//! that the service keeps.

use std::borrow::Cow;

use http::StatusCode;
use serde_json::{Map, Value};

use super::{Body, Call, Refusal, invalid, policy_builtin, refuse};
use crate::access::grants::ticks;
use crate::world::{Object, World};

/// A definition or an initiative.
pub(super) struct Definition<'a> {
    pub(super) is_set: bool,
    pub(super) body: Cow<'a, Map<String, Value>>,
}

impl Definition<'_> {
    pub(super) fn property(&self, name: &str) -> Option<&Value> {
        self.body.get("properties")?.get(name)
    }

    pub(super) fn name(&self) -> &str {
        self.body.get("name").and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn version(&self) -> &str {
        self.property("version").and_then(Value::as_str).unwrap_or("1.0.0")
    }

    /// The parameters that it declares.
    pub(super) fn parameters(&self) -> Map<String, Value> {
        self.property("parameters").and_then(Value::as_object).cloned().unwrap_or_default()
    }
}

/// The definition of an id, however that is spelled.
pub(super) fn find<'a>(world: &'a World, id: &str) -> Result<Definition<'a>, Refusal> {
    let key = id.trim_end_matches('/').to_ascii_lowercase();
    let is_set = key.contains("/microsoft.authorization/policysetdefinitions/");
    let body = match world.objects.get(&key) {
        Some(object) => Some(Cow::Borrowed(&object.body)),
        None => policy_builtin::find(&key).map(|known| Cow::Borrowed(&known.body)),
    };
    body.map(|body| Definition { is_set, body })
        .ok_or_else(|| not_found(is_set, id.rsplit('/').next().unwrap_or_default()))
}

/// Recorded, but for the provider's own sentence about versions.
pub(super) fn not_found(set: bool, name: &str) -> Refusal {
    if set {
        let message = format!("The policy set definition '{name}' could not be found.");
        refuse(StatusCode::NOT_FOUND, "PolicySetDefinitionNotFound", message)
    } else {
        let message = format!("The policy definition '{name}' could not be found.");
        refuse(StatusCode::NOT_FOUND, "PolicyDefinitionNotFound", message)
    }
}

/// Metadata as it is kept: what was given, and who wrote it when.
pub(super) fn metadata(call: &Call<'_>, given: Option<&Value>, existing: Option<&Object>) -> Value {
    let by = call.bearer().object_id;
    let now = ticks(call.now);
    let old = existing.and_then(Object::properties).and_then(|properties| properties.get("metadata"));
    let mut metadata = given.and_then(Value::as_object).cloned().unwrap_or_default();
    let kept = |name: &str, new: &str| old.and_then(|old| old.get(name)).cloned().unwrap_or_else(|| new.into());
    metadata.insert("createdBy".to_owned(), kept("createdBy", &by));
    metadata.insert("createdOn".to_owned(), kept("createdOn", &now));
    let (updated_by, updated_on) = if old.is_some() { (by.into(), now.into()) } else { (Value::Null, Value::Null) };
    metadata.insert("updatedBy".to_owned(), updated_by);
    metadata.insert("updatedOn".to_owned(), updated_on);
    Value::Object(metadata)
}

/// Checks a name: at most 64 characters (24 at a management group for assignments), none of those that
/// have a meaning in paths.
pub(super) fn check_name(name: &str, most: usize, code: &'static str) -> Result<(), Refusal> {
    let fits = name.chars().count() <= most
        && !name.contains(['<', '>', '%', '&', ':', '\\', '?', '/', '#'])
        && !name.ends_with([' ', '.']);
    if fits {
        return Ok(());
    }
    Err(invalid(
        code,
        format!("The name '{name}' is invalid. It can have at most {most} characters, and none of '<>%&:\\?/#'."),
    ))
}

/// Copies what was given, in the service's order.
pub(super) fn copy(from: &Body, names: &[&str]) -> Body {
    let given =
        |name: &&str| from.get(*name).filter(|value| !value.is_null()).map(|value| ((*name).to_owned(), value.clone()));
    names.iter().filter_map(given).collect()
}
