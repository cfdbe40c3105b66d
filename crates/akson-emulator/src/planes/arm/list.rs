//! Lists and their pages. A page that is exactly full links to the next even if that is empty, as
//! several services do, so that clients cannot take a short page for the end.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};

use super::path::Collection;
use super::{Call, place_key, types};
use crate::errors::{self, Outcome};
use crate::id::subscription_key;
use crate::reply::{self, Answer};

/// The query parameter that says where a page begins.
const TOKEN: &str = "$skiptoken";

/// One page.
#[derive(Serialize)]
struct Page<'a, T: Serialize> {
    value: &'a [T],
    #[serde(rename = "nextLink", skip_serializing_if = "Option::is_none")]
    next_link: Option<String>,
}

/// Everything of a type at or below a place, or below a parent.
pub(super) fn of_type(call: &Call<'_>, collection: &Collection) -> Outcome {
    let prefix = match (&collection.parent, &collection.place) {
        (Some(parent), _) => format!("{}/", parent.key()),
        (None, place) => match (&place.subscription, &place.group) {
            (Some(subscription), group) if !collection.scope.to_ascii_lowercase().contains("/providers/") => {
                format!("{}/", place_key(subscription, group.as_deref()))
            }
            _ => format!("{}/providers/", collection.scope.to_ascii_lowercase()),
        },
    };
    let after = start(call)?;
    let rules = types::of(&collection.type_key);
    let version = call.visit.query.get("api-version").unwrap_or_default();
    let rows = call
        .state
        .world
        .objects
        .starting_with(&prefix, &after)
        .filter(|(_, object)| object.type_key == collection.type_key)
        .map(|(key, object)| (key, rules.view(object, version, call.now)));
    Ok(page(call, rows))
}

/// All resource groups of a subscription for which a test holds.
pub(super) fn of_groups(call: &Call<'_>, subscription: &str, keep: impl Fn(&Map<String, Value>) -> bool) -> Outcome {
    let prefix = format!("{}/resourcegroups/", subscription_key(subscription));
    let after = start(call)?;
    let rows = call
        .state
        .world
        .objects
        .starting_with(&prefix, &after)
        .filter(|(_, object)| object.type_key == super::resource_group::TYPE_KEY && keep(&object.body))
        .map(|(key, object)| (key, object.view(call.now)));
    Ok(page(call, rows))
}

/// Where a page begins: after this key.
pub(super) fn start(call: &Call<'_>) -> Result<String, errors::Refusal> {
    let Some(token) = call.visit.query.get(TOKEN) else { return Ok(String::new()) };
    URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| errors::invalid("InvalidSkipToken", "The skip token is invalid.".to_owned()))
}

/// Cuts rows, which begin at [`start`] and are sorted by key, into the page that was asked for.
pub(super) fn page<'a, T: Serialize + Clone + 'a>(
    call: &Call<'_>,
    rows: impl Iterator<Item = (&'a str, Cow<'a, T>)>,
) -> Answer {
    let top = call.visit.query.get("$top").and_then(|top| top.parse().ok()).unwrap_or(usize::MAX);
    let size = call.options.page_size.max(1).min(top.max(1));
    let mut last = "";
    let mut value = Vec::new();
    for (key, row) in rows.take(size) {
        last = key;
        value.push(row);
    }
    let next_link = (value.len() == size).then(|| {
        let others = call.visit.query.without(TOKEN);
        let token = URL_SAFE_NO_PAD.encode(last);
        format!("{}{}?{others}&%24skiptoken={token}", call.visit.base, call.visit.path)
    });
    reply::json(StatusCode::OK, &Page { value: &value, next_link })
}
