//! Whole bodies of requests from leaves. Not the sending, and not which leaves are sent: the caller chooses.

use serde_json::{Map, Value as Json};

use crate::{
    Attribute, Kind, Value,
    encode::Leaf,
    json::{lookup, put, remove, to_json},
};

/// A leaf whose value was not known when a body was to be made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// What the user calls it.
    pub attribute: String,
    /// Its place.
    pub pointer: String,
}

impl std::fmt::Display for Unknown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the value of `{}` is not known", self.attribute)
    }
}

impl std::error::Error for Unknown {}

/// What every ARM object has and no request brings back.
const OWN: [&str; 7] =
    ["/id", "/name", "/type", "/systemData", "/etag", "/properties/provisioningState", "/properties/etag"];

/// The body of a create: every leaf at its place; what must be absent is left out. It exposes secrets: for sending only.
///
/// # Errors
///
/// The first leaf with a hole.
pub fn body(leaves: &[Leaf]) -> Result<Json, Unknown> {
    let mut body = Json::Object(Map::new());
    lay(&mut body, leaves.iter())?;
    Ok(body)
}

/// The body of an update through a PUT that replaces: the live object without what Azure does not take back, the owned leaves laid
/// over it. Leaves that are sent at create only stay as they are. It exposes secrets: for sending only.
///
/// # Errors
///
/// The first owned leaf with a hole.
pub fn lay_over(kind: &Kind, live: Json, leaves: &[Leaf]) -> Result<Json, Unknown> {
    let mut body = live;
    for pointer in OWN {
        remove(&mut body, pointer);
    }
    let written =
        |pointer: &str| kind.attributes.values().any(|attribute| attribute.pointer.as_deref() == Some(pointer));
    for output in kind.outputs.values().filter(|output| !written(&output.pointer)) {
        remove(&mut body, &output.pointer);
    }
    for pointer in &kind.read_only {
        remove(&mut body, pointer);
    }
    let rests = kind.attributes.values().filter(|attribute| !attribute.rest_with.is_empty());
    let before: Vec<_> = rests.filter_map(|attribute| Some((attribute, listed(&body, attribute)?.clone()))).collect();
    lay(&mut body, leaves.iter().filter(|leaf| !leaf.on_create_only))?;
    constants(kind, &mut body, leaves);
    for (attribute, items) in before {
        switch_off(&mut body, attribute, items);
    }
    Ok(body)
}

fn listed<'a>(body: &'a Json, attribute: &Attribute) -> Option<&'a Vec<Json>> {
    lookup(body, attribute.pointer.as_deref()?)?.as_array()
}

/// Items that were there and are not wanted stay in the list, with what switches them off.
fn switch_off(body: &mut Json, attribute: &Attribute, before: Vec<Json>) {
    let (Some(pointer), Some(key)) = (&attribute.pointer, &attribute.wrap_items) else { return };
    let mut items = listed(body, attribute).cloned().unwrap_or_default();
    for item in before {
        let Some(name) = item.get(key).filter(|name| items.iter().all(|kept| kept.get(key) != Some(name))) else {
            continue;
        };
        let mut off = serde_json::Map::from_iter([(key.clone(), name.clone())]);
        off.extend(attribute.rest_with.iter().map(|(key, json)| (key.clone(), json.clone())));
        items.push(Json::Object(off));
    }
    put(body, pointer, Json::Array(items));
}

/// What stands beside a value that is written now and was not before, or does not any more.
fn constants(kind: &Kind, body: &mut Json, leaves: &[Leaf]) {
    for leaf in leaves.iter().filter(|leaf| !leaf.on_create_only) {
        let Some(attribute) = kind.attribute(&leaf.attribute) else { continue };
        for (pointer, constant) in &attribute.creates {
            if leaf.want == Value::None {
                remove(body, pointer);
            } else if lookup(body, pointer).is_none_or(Json::is_null) {
                put(body, pointer, constant.clone());
            }
        }
    }
}

fn lay<'a>(body: &mut Json, leaves: impl Iterator<Item = &'a Leaf>) -> Result<(), Unknown> {
    for leaf in leaves {
        if leaf.want == Value::None {
            remove(body, &leaf.pointer);
            continue;
        }
        let value = to_json(&leaf.want)
            .ok_or_else(|| Unknown { attribute: leaf.attribute.clone(), pointer: leaf.pointer.clone() })?;
        put(body, &leaf.pointer, value);
    }
    Ok(())
}
