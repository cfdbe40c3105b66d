//! `$batch`: up to twenty requests in one, answered in any order, each with its own outcome.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Request, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::errors::{self, Outcome};
use super::{Ask, Call, respond};
use crate::reply;
use crate::visit::Visit;

/// No more requests in one.
const MOST: usize = 20;

#[derive(Deserialize)]
struct Batch {
    requests: Vec<Item>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    id: String,
    method: String,
    url: String,
    #[serde(default)]
    headers: Map<String, Value>,
    #[serde(default)]
    body: Value,
    #[serde(default)]
    depends_on: Vec<String>,
}

/// Answers all of a batch. A request waits for those it depends on, and fails with them.
pub(super) fn answer(call: &mut Call<'_>, ask: &Ask) -> Outcome {
    if call.visit.method != http::Method::POST {
        return Err(errors::method_not_allowed());
    }
    let invalid = |detail: String| errors::malformed(format!("Invalid batch payload format. {detail}"));
    let batch: Batch =
        serde_json::from_value(Value::Object(ask.body(call)?)).map_err(|error| invalid(error.to_string()))?;
    if batch.requests.len() > MOST {
        return Err(errors::malformed(format!("Number of batch request steps exceeds the maximum value of {MOST}.")));
    }
    let mut done: BTreeMap<String, u16> = BTreeMap::new();
    for (at, item) in batch.requests.iter().enumerate() {
        let earlier = &batch.requests[..at];
        if earlier.iter().any(|other| other.id == item.id) {
            return Err(invalid(format!("Duplicate request id '{}'.", item.id)));
        }
        // Documented: a request depends on earlier ones only, so that there is no circle.
        if let Some(unknown) = item.depends_on.iter().find(|id| !earlier.iter().any(|other| other.id == **id)) {
            return Err(invalid(format!(
                "Request '{}' depends on '{unknown}', which does not come before it.",
                item.id
            )));
        }
        if !item.body.is_null() && !item.headers.keys().any(|name| name.eq_ignore_ascii_case("content-type")) {
            return Err(invalid(format!("Request '{}' has a body and no Content-Type header.", item.id)));
        }
    }
    let mut responses = Vec::with_capacity(batch.requests.len());
    for item in &batch.requests {
        let failed = item.depends_on.iter().any(|id| done.get(id).is_none_or(|status| *status >= 400));
        let response = if failed {
            json!({ "id": item.id, "status": 424, "headers": {}, "body": { "error": {
                "code": "FailedDependency",
                "message": "Failed dependency. One of the requests that this request depends on has failed.",
            }}})
        } else {
            one(call, item)?
        };
        let status = response.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
        done.insert(item.id.clone(), status.unwrap_or(500));
        responses.push(response);
    }
    // In any order: a client must look at the ids.
    for at in (1..responses.len()).rev() {
        let other = call.state.world.luck.between(0, u64::try_from(at).unwrap_or(0));
        responses.swap(at, usize::try_from(other).unwrap_or(0));
    }
    Ok(reply::json(StatusCode::OK, &json!({ "responses": responses })))
}

fn one(call: &mut Call<'_>, item: &Item) -> Outcome<Value> {
    let invalid = || errors::malformed(format!("Invalid batch payload format. Request '{}' is malformed.", item.id));
    let version = call.visit.path.split('/').nth(1).unwrap_or_default();
    let url = item.url.replace(' ', "%20");
    let uri = format!("{}/{version}/{}", call.visit.base, url.trim_start_matches('/'));
    let mut request = Request::builder().method(item.method.to_ascii_uppercase().as_str()).uri(uri);
    if let Some(token) = call.visit.headers.get("authorization") {
        request = request.header("authorization", token);
    }
    for (name, value) in &item.headers {
        if !name.eq_ignore_ascii_case("authorization") {
            request = request.header(name.as_str(), value.as_str().unwrap_or_default());
        }
    }
    let body = if item.body.is_null() { Bytes::new() } else { item.body.to_string().into() };
    let visit = Visit::new(request.body(body).map_err(|_| invalid())?);
    if visit.path.ends_with("/$batch") {
        return Err(invalid());
    }
    let bearer = call.bearer.clone();
    let mut inner = Call { state: &mut *call.state, visit: &visit, bearer, ..*call };
    let answer = respond(&mut inner);
    let headers: Map<String, Value> = answer
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((canonical(name.as_str()), value.to_str().ok()?.into())))
        .collect();
    let mut response = json!({ "id": item.id, "status": answer.status().as_u16(), "headers": headers });
    if !answer.body().is_empty() {
        // What is no JSON comes in base64.
        let body = serde_json::from_slice(answer.body()).unwrap_or_else(|_| STANDARD.encode(answer.body()).into());
        response["body"] = body;
    }
    Ok(response)
}

/// `Content-Type` and not `content-type`, as the service writes names in bodies.
fn canonical(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
    });
    words.collect::<Vec<_>>().join("-")
}
