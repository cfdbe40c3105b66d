//! The blobs of storage accounts, `{account}.blob.core.windows.net`, as far as a shared document needs them: read, write under conditions,
//! metadata, leases. Every account and container is there; block lists, lists of blobs and the accounts as resources are not.
//!
//! Source: Azure's reference of the blob service (Put Blob, Get Blob, Set Blob Metadata, Lease Blob, and its error codes).

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::{Method, StatusCode};

use super::{Call, absent, login};
use crate::{
    reply::{self, Answer, WithHeader},
    world::{Blob, BlobLease},
};

/// What the hosts of accounts end with.
pub(super) const SUFFIX: &str = ".blob.core.windows.net";
/// The audiences whose tokens are accepted.
const AUDIENCES: [&str; 1] = ["https://storage.azure.com"];
const METADATA: &str = "x-ms-meta-";

/// An error: status, code, and what it means.
type Refused = (u16, &'static str, &'static str);

pub(super) fn answer(call: &mut Call<'_>) -> Answer {
    let visit = call.visit;
    if login::check(&call.state.world, visit.header("authorization"), &AUDIENCES, call.now).is_err() {
        let message = "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.";
        return refuse((401, "AuthenticationFailed", message));
    }
    if visit.header("x-ms-version").is_none() {
        return refuse((
            400,
            "MissingRequiredHeader",
            "An HTTP header that's mandatory for this request is not specified.",
        ));
    }
    let Some(segments) = visit.segments().filter(|segments| segments.len() > 1) else { return absent::host(call) };
    let account = visit.host.strip_suffix(SUFFIX).unwrap_or_default();
    let key = format!("{account}/{}", segments.join("/"));
    let part = visit.query.get("comp").unwrap_or_default();
    let outcome = match (visit.method.clone(), part) {
        (Method::GET | Method::HEAD, "") => get(call, &key),
        (Method::PUT, "") => put(call, &key),
        (Method::PUT, "metadata") => set_metadata(call, &key),
        (Method::PUT, "lease") => lease(call, &key),
        (Method::DELETE, "") => delete(call, &key),
        _ => Err((405, "UnsupportedHttpVerb", "The resource doesn't support the specified HTTP verb.")),
    };
    outcome.unwrap_or_else(refuse).with("x-ms-version", "2021-12-02")
}

fn refuse((status, code, message): Refused) -> Answer {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    reply::typed(status, "application/xml", Bytes::from(body)).with("x-ms-error-code", code)
}

fn tag(blob: &Blob) -> String {
    format!("\"0x8D{:X}\"", 0x0A_0000_0000_u64 + blob.version)
}

fn tagged(answer: Answer, blob: &Blob) -> Answer {
    answer.with("etag", &tag(blob))
}

const NOT_FOUND: Refused = (404, "BlobNotFound", "The specified blob does not exist.");
const NOT_MET: Refused =
    (412, "ConditionNotMet", "The condition specified using HTTP conditional header(s) is not met.");

fn get(call: &Call<'_>, key: &str) -> Result<Answer, Refused> {
    let blob = call.state.world.blobs.get(key).ok_or(NOT_FOUND)?;
    let content = STANDARD.decode(&blob.content).unwrap_or_default();
    let length = content.len().to_string();
    let mut answer = tagged(reply::empty(StatusCode::OK), blob)
        .with("content-type", &blob.content_type)
        .with("x-ms-blob-type", "BlockBlob")
        .with("x-ms-lease-state", if blob.held(call.now).is_some() { "leased" } else { "available" });
    if call.visit.method == Method::HEAD {
        answer = answer.with("content-length", &length);
    }
    for (name, value) in &blob.metadata {
        if let (Ok(name), Ok(value)) = (format!("{METADATA}{name}").parse::<http::HeaderName>(), value.parse()) {
            answer.headers_mut().insert(name, value);
        }
    }
    *answer.body_mut() = Bytes::from(content);
    Ok(answer)
}

/// Whether a change may be made: the lease first, then the conditions.
fn admit(call: &Call<'_>, blob: Option<&Blob>) -> Result<(), Refused> {
    let said = call.visit.header("x-ms-lease-id").unwrap_or_default();
    let held = blob.and_then(|blob| blob.held(call.now));
    match held {
        Some(_) if said.is_empty() => {
            return Err((
                412,
                "LeaseIdMissing",
                "There is currently a lease on the blob and no lease ID was specified in the request.",
            ));
        }
        Some(lease) if !lease.id.eq_ignore_ascii_case(said) => {
            let message = "The lease ID specified did not match the lease ID for the blob.";
            return Err((412, "LeaseIdMismatchWithBlobOperation", message));
        }
        None if !said.is_empty() => {
            return Err(match blob {
                Some(blob) if blob.lease.is_some() => {
                    (412, "LeaseLost", "A lease ID was specified, but the lease for the blob has expired.")
                }
                _ => (412, "LeaseNotPresentWithBlobOperation", "There is currently no lease on the blob."),
            });
        }
        _ => {}
    }
    let header = |name| call.visit.header(name).unwrap_or_default();
    match (header("if-match"), header("if-none-match"), blob) {
        ("", "", _) | ("", "*", None) | ("*", _, Some(_)) => Ok(()),
        (_, "*", Some(_)) => Err((409, "BlobAlreadyExists", "The specified blob already exists.")),
        (wanted, "", Some(blob)) if wanted == tag(blob) => Ok(()),
        ("", unwanted, Some(blob)) if unwanted != tag(blob) => Ok(()),
        _ => Err(NOT_MET),
    }
}

fn metadata(call: &Call<'_>) -> BTreeMap<String, String> {
    let named = call.visit.headers.iter().filter_map(|(name, value)| {
        Some((name.as_str().strip_prefix(METADATA)?.to_owned(), value.to_str().ok()?.to_owned()))
    });
    named.collect()
}

fn put(call: &mut Call<'_>, key: &str) -> Result<Answer, Refused> {
    let before = call.state.world.blobs.get(key);
    admit(call, before)?;
    if call.visit.header("x-ms-blob-type") != Some("BlockBlob") {
        return Err((
            400,
            "MissingRequiredHeader",
            "An HTTP header that's mandatory for this request is not specified.",
        ));
    }
    let blob = Blob {
        content: STANDARD.encode(&call.visit.body),
        content_type: call.visit.header("content-type").unwrap_or("application/octet-stream").to_owned(),
        metadata: metadata(call),
        version: before.map_or(0, |before| before.version) + 1,
        lease: before.and_then(|before| before.lease.clone()),
    };
    let answer = tagged(reply::empty(StatusCode::CREATED), &blob);
    call.state.world.blobs.insert(key.to_owned(), blob);
    Ok(answer)
}

fn set_metadata(call: &mut Call<'_>, key: &str) -> Result<Answer, Refused> {
    let before = call.state.world.blobs.get(key).ok_or(NOT_FOUND)?;
    admit(call, Some(before))?;
    let blob = Blob { metadata: metadata(call), version: before.version + 1, ..before.clone() };
    let answer = tagged(reply::empty(StatusCode::OK), &blob);
    call.state.world.blobs.insert(key.to_owned(), blob);
    Ok(answer)
}

fn delete(call: &mut Call<'_>, key: &str) -> Result<Answer, Refused> {
    let before = call.state.world.blobs.get(key).ok_or(NOT_FOUND)?;
    admit(call, Some(before))?;
    call.state.world.blobs.remove(key);
    Ok(reply::empty(StatusCode::ACCEPTED))
}

fn lease(call: &mut Call<'_>, key: &str) -> Result<Answer, Refused> {
    let now = call.now;
    let mut blob = call.state.world.blobs.get(key).ok_or(NOT_FOUND)?.clone();
    let header = |name| call.visit.header(name).unwrap_or_default().to_owned();
    let said = header("x-ms-lease-id");
    let held = blob.held(now).cloned();
    let mismatch =
        (409, "LeaseIdMismatchWithLeaseOperation", "The lease ID specified did not match the lease ID for the blob.");
    let (status, left) = match header("x-ms-lease-action").as_str() {
        "acquire" => {
            let proposed = header("x-ms-proposed-lease-id");
            let seconds: i64 = header("x-ms-lease-duration").parse().unwrap_or_default();
            if seconds != -1 && !(15..=60).contains(&seconds) {
                return Err((
                    400,
                    "InvalidHeaderValue",
                    "The value for one of the HTTP headers is not in the correct format.",
                ));
            }
            if held.is_some_and(|held| !held.id.eq_ignore_ascii_case(&proposed)) {
                return Err((409, "LeaseAlreadyPresent", "There is already a lease present."));
            }
            let id = if proposed.is_empty() { call.state.world.luck.guid() } else { proposed };
            (StatusCode::CREATED, Some(lasting(call, id, seconds)))
        }
        "renew" => {
            // One that ended may be renewed as long as nobody else took it.
            let lease = blob.lease.clone().ok_or(mismatch)?;
            if !lease.id.eq_ignore_ascii_case(&said) {
                return Err(mismatch);
            }
            (StatusCode::OK, Some(lasting(call, lease.id, lease.seconds)))
        }
        "release" => {
            if blob.lease.as_ref().is_none_or(|lease| !lease.id.eq_ignore_ascii_case(&said)) {
                return Err(mismatch);
            }
            (StatusCode::OK, None)
        }
        "break" => {
            if held.is_none() {
                return Err((409, "LeaseNotPresentWithLeaseOperation", "There is currently no lease on the blob."));
            }
            (StatusCode::ACCEPTED, None)
        }
        _ => {
            return Err((
                400,
                "InvalidHeaderValue",
                "The value for one of the HTTP headers is not in the correct format.",
            ));
        }
    };
    let mut answer = tagged(reply::empty(status), &blob);
    if let Some(lease) = &left {
        answer = answer.with("x-ms-lease-id", &lease.id);
    }
    blob.lease = left;
    call.state.world.blobs.insert(key.to_owned(), blob);
    Ok(answer)
}

/// A lease from now on, for seconds of the callers' time: whoever holds one lives no faster because the world does.
fn lasting(call: &Call<'_>, id: String, seconds: i64) -> BlobLease {
    let lasts = u64::try_from(seconds).ok().map(|seconds| Duration::from_secs(seconds).mul_f64(call.time_scale));
    BlobLease { id, until: lasts.map(|lasts| call.now.plus(lasts)), seconds }
}
