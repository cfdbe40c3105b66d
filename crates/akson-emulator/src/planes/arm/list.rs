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
    let rules = types::of(&collection.type_key);
    if NUMBERED.contains(&collection.type_key.as_str()) {
        return Ok(numbered(call, collection, &prefix, rules));
    }
    let after = start(call)?;
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

/// Lists of AKS whose pages begin after a number. Recorded: each page that is not empty has a next one.
const NUMBERED: [&str; 6] = [
    "microsoft.containerservice/managedclusters",
    "microsoft.containerservice/managedclusters/agentpools",
    "microsoft.containerservice/managedclusters/agentpools/machines",
    "microsoft.containerservice/managedclusters/jwtauthenticators",
    "microsoft.containerservice/managedclusters/loadbalancers",
    "microsoft.containerservice/managedclusters/managednamespaces",
];

/// A page whose token is how many came before.
fn numbered(call: &Call<'_>, collection: &Collection, prefix: &str, rules: &dyn types::ArmType) -> Answer {
    const NUMBER: &str = "$skipToken";
    let query = &call.visit.query;
    let version = query.get("api-version").unwrap_or_default();
    let before: usize = query.get(NUMBER).and_then(|token| token.parse().ok()).unwrap_or(0);
    let objects = call.state.world.objects.starting_with(prefix, "");
    let rows = objects.filter(|(_, object)| object.type_key == collection.type_key).skip(before);
    let value: Vec<_> =
        rows.take(call.options.page_size.max(1)).map(|(_, object)| rules.view(object, version, call.now)).collect();
    let next_link = (!value.is_empty()).then(|| {
        let token = before.saturating_add(value.len());
        let here = format!("{}{}", call.visit.base, call.visit.path);
        format!("{here}?%24skipToken={token}&api-version={version}&skipToken={token}")
    });
    reply::json(StatusCode::OK, &Page { value: &value, next_link })
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
    cut(call, rows, false)
}

/// The same for a service whose pages, unless they are empty, always have a next one.
pub(super) fn page_before_another<'a, T: Serialize + Clone + 'a>(
    call: &Call<'_>,
    rows: impl Iterator<Item = (&'a str, Cow<'a, T>)>,
) -> Answer {
    cut(call, rows, true)
}

fn cut<'a, T: Serialize + Clone + 'a>(
    call: &Call<'_>,
    rows: impl Iterator<Item = (&'a str, Cow<'a, T>)>,
    always: bool,
) -> Answer {
    let top = call.visit.query.get("$top").and_then(|top| top.parse().ok()).unwrap_or(usize::MAX);
    let size = call.options.page_size.max(1).min(top.max(1));
    let mut last = "";
    let mut value = Vec::new();
    for (key, row) in rows.take(size) {
        last = key;
        value.push(row);
    }
    let more = value.len() == size || (always && !value.is_empty());
    let next_link = more.then(|| {
        let others = call.visit.query.without(TOKEN);
        let token = URL_SAFE_NO_PAD.encode(last);
        format!("{}{}?{others}&%24skiptoken={token}", call.visit.base, call.visit.path)
    });
    reply::json(StatusCode::OK, &Page { value: &value, next_link })
}
