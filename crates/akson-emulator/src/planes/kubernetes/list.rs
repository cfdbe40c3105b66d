//! Lists of objects: selectors, pages, and the short form that has metadata alone.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::{Value, json};

use super::fields::Body;
use super::kinds::{EXTENSIONS, KINDS, Kind, STORE};
use super::status::{self, Failure, Outcome};
use super::{Call, Target, kinds, store, table};
use crate::reply;

/// A condition on labels.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
}

/// Reads `a=b,c!=d,e in (f,g),h,!i`.
fn requirements(text: &str) -> Result<Vec<Requirement>, Failure> {
    let bad = || status::bad_request(format!("unable to parse requirement: found '{text}', expected: identifier"));
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1).ok_or_else(bad)?,
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    let name = |name: &str| {
        let name = name.trim();
        let fits = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c));
        if fits { Ok(name.to_owned()) } else { Err(bad()) }
    };
    let list = |text: &str| -> Result<Vec<String>, Failure> {
        let inner = text.trim().strip_prefix('(').and_then(|text| text.strip_suffix(')')).ok_or_else(bad)?;
        Ok(inner.split(',').map(|value| value.trim().to_owned()).collect())
    };
    let read = |part: &str| -> Result<Requirement, Failure> {
        let part = part.trim();
        if let Some((key, value)) = part.split_once("!=") {
            return Ok(Requirement::NotIn(name(key)?, vec![value.trim().to_owned()]));
        }
        if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
            return Ok(Requirement::In(name(key)?, vec![value.trim().to_owned()]));
        }
        if let Some((key, values)) = part.split_once(" notin ") {
            return Ok(Requirement::NotIn(name(key)?, list(values)?));
        }
        if let Some((key, values)) = part.split_once(" in ") {
            return Ok(Requirement::In(name(key)?, list(values)?));
        }
        match part.strip_prefix('!') {
            Some(key) => Ok(Requirement::Absent(name(key)?)),
            None => Ok(Requirement::Exists(name(part)?)),
        }
    };
    parts.into_iter().map(read).collect()
}

fn holds(requirement: &Requirement, body: &Body) -> bool {
    let labels = body.get("metadata").and_then(|metadata| metadata.get("labels"));
    let label = |key: &str| labels.and_then(|labels| labels.get(key)).and_then(Value::as_str);
    match requirement {
        Requirement::In(key, values) => label(key).is_some_and(|found| values.iter().any(|value| value == found)),
        Requirement::NotIn(key, values) => label(key).is_none_or(|found| !values.iter().any(|value| value == found)),
        Requirement::Exists(key) => label(key).is_some(),
        Requirement::Absent(key) => label(key).is_none(),
    }
}

/// What of a collection is asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Selection {
    labels: Vec<Requirement>,
    /// Pointers to fields, wanted values, and whether it is the others that are wanted.
    fields: Vec<(String, String, bool)>,
}

impl Selection {
    /// Leaves one name.
    pub(super) fn only(&mut self, name: &str) {
        self.fields.push(("metadata.name".to_owned(), name.to_owned(), false));
    }

    pub(super) fn holds(&self, body: &Body) -> bool {
        let text = |field: &str| {
            let mut names = field.split('.');
            let first = names.next().and_then(|name| body.get(name));
            let found = first.and_then(|first| names.try_fold(first, |value, name| value.get(name)));
            found.and_then(Value::as_str).unwrap_or_default()
        };
        self.labels.iter().all(|requirement| holds(requirement, body))
            && self.fields.iter().all(|(name, value, unequal)| (text(name) == value) != *unequal)
    }
}

/// What the selectors of a call say.
pub(super) fn selection(call: &Call<'_>, kind: &Kind) -> Outcome<Selection> {
    let query = &call.visit.query;
    let labels = query.get("labelSelector").filter(|text| !text.is_empty()).map(requirements).transpose()?;
    let mut fields = Vec::new();
    for part in query.get("fieldSelector").unwrap_or_default().split(',').filter(|part| !part.is_empty()) {
        let (field, value) = part.split_once("==").or_else(|| part.split_once('=')).unwrap_or((part, ""));
        let (field, unequal) = field.strip_suffix('!').map_or((field, false), |field| (field, true));
        if !matches!(field, "metadata.name" | "metadata.namespace") && !kind.selects(field) {
            return Err(status::bad_request(format!("field label not supported: {field}")));
        }
        fields.push((field.to_owned(), value.to_owned(), unequal));
    }
    Ok(Selection { labels: labels.unwrap_or_default(), fields })
}

/// What a list or a deletion of many is about: keys and objects, in order.
pub(super) fn selected(call: &Call<'_>, target: &Target) -> Outcome<Vec<(String, Body)>> {
    Ok(all(call, target, &selection(call, target.kind)?))
}

/// What of a collection is selected.
pub(super) fn all(call: &Call<'_>, target: &Target, selection: &Selection) -> Vec<(String, Body)> {
    let world = &call.state.world;
    if target.kind.group == EXTENSIONS {
        let custom = KINDS.iter().filter(|kind| kind.group == STORE);
        let there = world.objects.get(&target.cluster).is_some_and(kinds::has_secret_store);
        let bodies = custom.filter(|_| there).map(|kind| store::definition(world, &target.cluster, kind));
        return bodies.filter(|body| selection.holds(body)).map(|body| (String::new(), body)).collect();
    }
    let prefix = store::prefix_of(&target.cluster, target.kind, target.namespace.as_deref());
    let rows = world.kube_objects.starting_with(&prefix, "").filter(|(_, row)| selection.holds(&row.body));
    rows.map(|(key, row)| (key.to_owned(), row.body.clone())).collect()
}

/// Whether only metadata is wanted.
pub(super) fn wants_metadata(call: &Call<'_>, what: &str) -> bool {
    call.visit.header("accept").is_some_and(|accept| {
        accept.split(',').next().unwrap_or_default().split(';').any(|part| part.trim() == format!("as={what}"))
    })
}

/// An object with its metadata alone.
pub(super) fn metadata_of(body: &Body) -> Value {
    json!({
        "apiVersion": "meta.k8s.io/v1",
        "kind": "PartialObjectMetadata",
        "metadata": body.get("metadata").cloned().unwrap_or_default(),
    })
}

/// `GET` of a collection.
pub(super) fn answer(call: &Call<'_>, target: &Target) -> Outcome {
    let query = &call.visit.query;
    let found = selected(call, target)?;
    let after = match query.get("continue").filter(|token| !token.is_empty()) {
        None => String::new(),
        Some(token) => {
            let bytes = URL_SAFE_NO_PAD.decode(token).ok();
            bytes
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .ok_or_else(|| status::bad_request("continue key is not valid: illegal base64 data"))?
        }
    };
    let narrowed =
        ["labelSelector", "fieldSelector"].iter().any(|name| query.get(name).is_some_and(|text| !text.is_empty()));
    let limit = match query.get("limit") {
        None | Some("" | "0") => usize::MAX,
        Some(text) => text
            .parse()
            .map_err(|_| status::bad_request(format!("strconv.ParseInt: parsing {text:?}: invalid syntax")))?,
    };
    let rest: Vec<&(String, Body)> = found.iter().filter(|(key, _)| after.is_empty() || *key > after).collect();
    if !after.is_empty() && !after.starts_with(&format!("{}//", target.cluster)) {
        return Err(status::expired("The provided continue parameter is too old to display a consistent list result."));
    }
    let version = call.state.world.kube_clusters.get(&target.cluster).map_or(1, |row| row.version);
    let mut metadata = json!({ "resourceVersion": version.to_string() });
    if let Some((last, _)) = rest.get(limit.wrapping_sub(1)).filter(|_| rest.len() > limit) {
        metadata["continue"] = URL_SAFE_NO_PAD.encode(last).into();
        if !narrowed {
            metadata["remainingItemCount"] = (rest.len() - limit).into();
        }
    }
    let page = rest.into_iter().take(limit).map(|(_, body)| body);
    let body = if table::is_wanted(call) {
        table::of(target.kind, page, &metadata, table::Include::asked(call), call.now)
    } else if wants_metadata(call, "PartialObjectMetadataList") {
        json!({
            "kind": "PartialObjectMetadataList",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": metadata,
            "items": page.map(metadata_of).collect::<Vec<_>>(),
        })
    } else {
        // The items of a list of a built-in kind do not say what they are.
        let custom = target.kind.group == STORE;
        let item = |body: &Body| {
            let mut body = body.clone();
            if !custom {
                body.remove("apiVersion");
                body.remove("kind");
            }
            body
        };
        json!({
            "kind": format!("{}List", target.kind.word),
            "apiVersion": target.kind.api_version(),
            "metadata": metadata,
            "items": page.map(item).collect::<Vec<_>>(),
        })
    };
    Ok(reply::typed(StatusCode::OK, "application/json", body.to_string().into()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

    use super::*;

    #[test]
    fn selectors() {
        let Value::Object(body) = json!({ "metadata": { "labels": { "app": "web", "a.b/c": "1" } } }) else { panic!() };
        let check = |text: &str, expected: bool| {
            let found = requirements(text).unwrap();
            assert_eq!(found.iter().all(|requirement| holds(requirement, &body)), expected, "{text}");
        };
        check("app=web", true);
        check("app==web,a.b/c", true);
        check("app!=web", false);
        check("app in (web, api),!other", true);
        check("app notin (web)", false);
        check("other!=x", true);
        check("other", false);
        for bad in ["", "a b", "a in x", "a)", "=b"] {
            assert!(requirements(bad).is_err(), "{bad}");
        }
    }
}
