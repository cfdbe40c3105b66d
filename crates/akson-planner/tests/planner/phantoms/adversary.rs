//! What a service makes of what it was sent, without changing what it means: members and lists that have no order in another one,
//! text in another case, what nobody said filled in, members of a newer version, nulls and what means silence left out.

use akson_catalog::{
    Attribute, Kind, Type,
    body::body,
    encode::{Leaf, encode},
    equality::{Equality, equal},
    json::{lookup, put, remove, to_plain_json},
    kind::{Marker, Plane, Role},
};
use akson_diagnostics::{SourceMap, Span};
use serde_json::{Map, Value as Json, json};

use super::generate::{Case, Rng, Values, context};

/// An answer about a case's object.
pub fn answer(case: &Case, rng: &mut Rng) -> Json {
    let mut answer = case.body.clone();
    let leaves = &case.resource().leaves;
    let kind = &case.resource().kind;
    for leaf in leaves {
        say_otherwise(leaf, &mut answer, rng);
    }
    fill(kind, leaves, &mut answer, rng);
    newer(leaves, &mut answer, rng);
    if kind.plane != Plane::Kubernetes {
        beside(kind, leaves, &mut answer);
    }
    shuffled(&answer, rng)
}

/// One leaf in other words.
fn say_otherwise(leaf: &Leaf, answer: &mut Json, rng: &mut Rng) {
    let Some(live) = lookup(answer, &leaf.pointer).cloned() else { return };
    let silent = leaf.absent.as_ref().is_some_and(|absent| equal(leaf.equality, Some(&live), Some(absent)));
    let nothing = equal(leaf.equality, Some(&live), None);
    // A mark that says nothing else is no silence.
    if (silent || nothing) && leaf.equality != Equality::MarkedText && rng.one_in(2) {
        remove(answer, &leaf.pointer);
        return;
    }
    let otherwise = match (leaf.equality, live) {
        (Equality::CaseInsensitive | Equality::Id | Equality::LastSegment | Equality::Edges, live) => cased(live, rng),
        (Equality::Set, Json::Array(mut items)) => {
            rng.shuffle(&mut items);
            Json::Array(items.into_iter().map(|item| if item.is_string() { cased(item, rng) } else { item }).collect())
        }
        (Equality::CidrSet | Equality::Items, Json::Array(mut items)) => {
            rng.shuffle(&mut items);
            Json::Array(items)
        }
        (Equality::Keys, Json::Object(members)) => {
            let told = json!({"principalId": "0e3b0c64-0000-4000-8000-000000000000", "clientId": "x"});
            Json::Object(members.into_iter().map(|(key, _)| (upper(&key, rng), told.clone())).collect())
        }
        (Equality::Location, Json::String(text)) if text.eq_ignore_ascii_case("westeurope") => json!("West Europe"),
        (Equality::TrailingSlash, Json::String(text)) => {
            let bare = text.trim_end_matches('/');
            json!(if rng.one_in(2) { bare.to_owned() } else { format!("{bare}/") })
        }
        (Equality::EmptyIsAbsent, Json::Null) => json!(false),
        (_, live) => live,
    };
    // What a service says in other words must be the same to it.
    let want = to_plain_json(&leaf.want);
    if want.is_none_or(|want| equal(leaf.equality, Some(&want), Some(&otherwise))) {
        put(answer, &leaf.pointer, otherwise);
    }
}

fn upper(text: &str, rng: &mut Rng) -> String {
    match rng.below(3) {
        0 => text.to_ascii_uppercase(),
        1 => text.to_ascii_lowercase(),
        _ => text.to_owned(),
    }
}

fn cased(live: Json, rng: &mut Rng) -> Json {
    match live {
        Json::String(text) => json!(upper(&text, rng)),
        Json::Array(items) => items.into_iter().map(|item| cased(item, rng)).collect(),
        other => other,
    }
}

/// Whether a place is one of the leaves', or within or around one.
fn touches(leaves: &[Leaf], place: &str) -> bool {
    let within = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    leaves.iter().any(|leaf| within(place, &leaf.pointer) || within(&leaf.pointer, place))
}

/// What nobody said, as the service likes it.
fn fill(kind: &Kind, leaves: &[Leaf], answer: &mut Json, rng: &mut Rng) {
    let mut values = Values::new(rng);
    let mut attributes = Vec::new();
    let nobody_says = |attribute: &&Attribute| {
        matches!(attribute.role, Role::Value | Role::Tags) && attribute.keyed.is_none() && !attribute.is_raw()
    };
    for attribute in kind.attributes.values().filter(nobody_says) {
        if values.rng.one_in(2) {
            values.attribute(attribute, "", &mut attributes);
        }
    }
    let span = Span::new(SourceMap::new().add("", ""), 0, 0);
    let attributes: Vec<_> = attributes.into_iter().map(|(name, value)| (name, value, span)).collect();
    let filled = encode(kind, &attributes, &context());
    let whole = body(&filled).unwrap();
    let marks = |place: &str| matches!(&kind.marker, Marker::Text(at) | Marker::UniqueName(at) if at == place);
    for leaf in filled.iter().filter(|leaf| !touches(leaves, &leaf.pointer) && !marks(&leaf.pointer)) {
        if let Some(value) = lookup(&whole, &leaf.pointer) {
            put(answer, &leaf.pointer, value.clone());
        }
    }
    // What is silence for the service may be said.
    for attribute in kind.attributes.values().filter(|attribute| attribute.of != Type::Choice) {
        for (place, silence) in &attribute.absent {
            if !touches(leaves, place) && values.rng.one_in(2) {
                put(answer, place, silence.clone());
            }
        }
    }
}

/// Members of a version that nobody knows yet: in each object around a leaf, and in the items of lists that are told apart by known members.
fn newer(leaves: &[Leaf], answer: &mut Json, rng: &mut Rng) {
    let mut around: Vec<String> = vec![String::new()];
    for leaf in leaves {
        let mut place = leaf.pointer.as_str();
        while let Some((above, _)) = place.rsplit_once('/') {
            around.push(above.to_owned());
            place = above;
        }
    }
    around.sort();
    around.dedup();
    let whole = |place: &str| {
        leaves.iter().any(|leaf| place == leaf.pointer || place.starts_with(&format!("{}/", leaf.pointer)))
    };
    for place in around.iter().filter(|place| !whole(place)) {
        // Tags and labels are the author's own words, and free ones.
        if lookup(answer, place).is_some_and(Json::is_object) && rng.one_in(2) {
            let value = [json!("2031"), json!(true), json!({"a": [1, null]}), json!([]), Json::Null];
            put(answer, &format!("{place}/xNewer{}", rng.below(3)), rng.pick(&value).clone());
        }
    }
    for leaf in leaves.iter().filter(|leaf| leaf.equality == Equality::Items) {
        let Some(Json::Array(mut items)) = lookup(answer, &leaf.pointer).cloned() else { continue };
        for item in items.iter_mut().filter_map(Json::as_object_mut) {
            item.insert("xNewer".to_owned(), json!("2031"));
        }
        put(answer, &leaf.pointer, Json::Array(items));
    }
}

/// What every answer has beside.
fn beside(kind: &Kind, leaves: &[Leaf], answer: &mut Json) {
    let state = [("/properties/provisioningState", json!("Succeeded")), ("/systemData", json!({"createdBy": "x"}))];
    let own = [("/type", json!(kind.resource_type)), ("/etag", json!("W/\"1\"")), ("/apiVersion", json!("2099-01-01"))];
    for (place, value) in state.into_iter().chain(own) {
        if !touches(leaves, place) {
            put(answer, place, value);
        }
    }
}

/// The same with the members of each object in another order.
fn shuffled(value: &Json, rng: &mut Rng) -> Json {
    match value {
        Json::Object(members) => {
            let mut entries: Vec<(&String, &Json)> = members.iter().collect();
            rng.shuffle(&mut entries);
            let entries = entries.into_iter().map(|(key, value)| (key.clone(), shuffled(value, rng)));
            Json::Object(entries.collect::<Map<_, _>>())
        }
        Json::Array(items) => items.iter().map(|item| shuffled(item, rng)).collect(),
        other => other.clone(),
    }
}
