//! Responses to what they say. Total: whatever comes, there is an answer to look at. Not what to do next: see `classify` and `poll`.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use serde_json::Value;

use crate::{redact::redacted, retry_after};

/// The longest body that is looked at, in bytes.
pub const BODY_LIMIT: usize = 16 * 1024 * 1024;
/// The deepest nesting that is looked at.
pub const DEPTH_LIMIT: usize = 64;
/// The longest code, in characters.
const CODE_LIMIT: usize = 128;
/// The longest text of Azure's that is kept, in bytes.
const TEXT_LIMIT: usize = 2 * 1024;

/// What a service answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
}

/// A body.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// Nothing, or white space.
    Empty,
    /// JSON.
    Json(Value),
    /// Something else: a page of HTML, broken JSON.
    Other {
        /// Its beginning.
        excerpt: String,
        /// What is wrong with it.
        because: &'static str,
    },
}

/// An error of Azure's, in whichever of its shapes it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AzureError {
    /// The status; 200 for an operation that ended `Failed`.
    pub status: u16,
    /// The code; `HTTP 502` where there was none.
    pub code: String,
    /// The message, at most 2 KiB. May be empty. It is foreign text: print it as such.
    pub message: String,
    /// What else it says, code and message each, outermost first.
    pub details: Vec<(String, String)>,
}

impl Answer {
    /// Reads a response.
    pub fn of(response: Response<Bytes>) -> Self {
        let (parts, body) = response.into_parts();
        Self { status: parts.status, headers: parts.headers, body: Body::of(&body) }
    }

    /// 2xx.
    pub fn is_success(&self) -> bool {
        self.status.is_success()
    }

    /// 404, in either of its shapes: there is no such object, or nothing that it could lie in.
    pub fn is_gone(&self) -> bool {
        self.status == StatusCode::NOT_FOUND
    }

    /// The body as JSON.
    pub fn json(&self) -> Option<&Value> {
        match &self.body {
            Body::Json(value) => Some(value),
            _ => None,
        }
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok().map(str::trim).filter(|text| !text.is_empty())
    }

    /// How long to wait, as far as the service said it: seconds, or a date against the service's own clock. Between 1 s and 10 min.
    pub fn retry_after(&self) -> Option<Duration> {
        retry_after::parse(self.header("retry-after")?, self.header("date"))
    }

    /// When it was made, by the service's own clock: seconds since 1970.
    pub fn date(&self) -> Option<i64> {
        let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(self.header("date")?).ok()?;
        Some(date.as_second())
    }

    /// `properties.provisioningState` of an object.
    pub fn provisioning_state(&self) -> Option<&str> {
        self.json()?.pointer("/properties/provisioningState")?.as_str()
    }

    /// The error of an answer that is none of success.
    pub fn error(&self) -> AzureError {
        let mut error =
            self.json().and_then(|body| AzureError::in_body(self.status.as_u16(), body)).unwrap_or_else(|| {
                AzureError {
                    status: self.status.as_u16(),
                    code: String::new(),
                    message: match &self.body {
                        Body::Other { excerpt, .. } => excerpt.clone(),
                        _ => String::new(),
                    },
                    details: Vec::new(),
                }
            });
        if error.code.is_empty() {
            error.code = self.header("x-ms-error-code").map_or_else(|| format!("HTTP {}", self.status.as_u16()), coded);
        }
        error
    }
}

impl Body {
    fn of(bytes: &[u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Body::Empty;
        }
        let other = |because| Body::Other { excerpt: excerpt(bytes), because };
        if bytes.len() > BODY_LIMIT {
            return other("it is longer than 16 MiB");
        }
        if depth(bytes) > DEPTH_LIMIT {
            return other("it is nested too deeply");
        }
        serde_json::from_slice(bytes).map_or_else(|_| other("it is not JSON"), Body::Json)
    }
}

impl AzureError {
    /// The error in a body: `{"error": {…}}`, the same without the wrapping, or a token endpoint's.
    pub fn in_body(status: u16, body: &Value) -> Option<Self> {
        if body.get("kind").and_then(Value::as_str) == Some("Status") {
            return Some(in_status(status, body));
        }
        let (code, message, inside) = match body.get("error") {
            Some(inside @ Value::Object(_)) => (text(inside, "code"), text(inside, "message"), inside),
            Some(Value::String(code)) => (code.clone(), text(body, "error_description"), body),
            _ => (text(body, "code"), text(body, "message"), body),
        };
        if code.is_empty() && message.is_empty() {
            return None;
        }
        let mut details = Vec::new();
        collect_details(inside, 0, &mut details);
        let code = coded(&code);
        Some(Self { status, code, message: told(&message), details })
    }

    /// Whether this code stands in it, outermost or among its details. Codes are compared without regard to case.
    pub fn says(&self, code: &str) -> bool {
        self.code.eq_ignore_ascii_case(code) || self.details.iter().any(|(detail, _)| detail.eq_ignore_ascii_case(code))
    }
}

/// What an API server of Kubernetes says in place of an object. Its `reason` is too wide to decide by: `Conflict` is a race and a field that
/// somebody else owns, `NotFound` an object, a namespace and a whole API. So the codes here are narrower.
fn in_status(status: u16, body: &Value) -> AzureError {
    const MOST: usize = 16;
    let (reason, message) = (text(body, "reason"), text(body, "message"));
    let causes: Vec<(String, String)> = body
        .pointer("/details/causes")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .take(MOST)
        .map(|cause| {
            let (message, field) = (text(cause, "message"), text(cause, "field"));
            let said = if field.is_empty() { message } else { format!("{message}: {field}") };
            (coded(&text(cause, "reason")), told(&said))
        })
        .collect();
    let caused = |code: &str| causes.iter().any(|(cause, _)| cause == code);
    let about = |key: &str| body.pointer(&format!("/details/{key}")).and_then(Value::as_str).unwrap_or_default();
    let code = match reason.as_str() {
        "Conflict" if caused("FieldManagerConflict") => "FieldManagerConflict",
        // A precondition that does not hold any more.
        "Conflict" => "PreconditionFailed",
        "Forbidden" if caused("NamespaceTerminating") => "NamespaceTerminating",
        "NotFound" if about("kind") == "namespaces" => "NamespaceNotFound",
        "NotFound" if about("name").is_empty() => "ApiNotFound",
        reason => reason,
    };
    AzureError { status, code: coded(code), message: told(&message), details: causes }
}

fn collect_details(inside: &Value, depth: usize, details: &mut Vec<(String, String)>) {
    const MOST: usize = 16;
    if let Some(subcode) = inside.get("subcode").and_then(Value::as_str) {
        details.push((subcode.to_owned(), String::new()));
    }
    for key in ["details", "innererror", "innerError"] {
        let items = match inside.get(key) {
            Some(Value::Array(items)) => items.as_slice(),
            Some(object @ Value::Object(_)) => std::slice::from_ref(object),
            _ => continue,
        };
        for item in items {
            if details.len() >= MOST {
                return;
            }
            let (code, message) = (text(item, "code"), text(item, "message"));
            if !code.is_empty() || !message.is_empty() {
                details.push((coded(&code), told(&message)));
            }
            if depth < 4 {
                collect_details(item, depth + 1, details);
            }
        }
    }
}

/// A text, or a number as text (`"code": 429` has been seen).
fn text(object: &Value, key: &str) -> String {
    match object.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

fn excerpt(bytes: &[u8]) -> String {
    const LENGTH: usize = 200;
    let beginning = bytes.get(..LENGTH * 4).unwrap_or(bytes);
    redacted(&String::from_utf8_lossy(beginning).chars().take(LENGTH).collect::<String>())
}

/// A code of the service's as it is kept.
fn coded(code: &str) -> String {
    redacted(&code.chars().take(CODE_LIMIT).collect::<String>())
}

/// A text of the service's as it is kept.
fn told(text: &str) -> String {
    redacted(cut(text))
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(TEXT_LIMIT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// How deeply brackets nest outside of strings. Counted before parsing, so that no parser recurses.
fn depth(bytes: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails should say where")]
    use super::*;

    fn answer(status: u16, body: impl Into<Bytes>) -> Answer {
        Answer::of(Response::builder().status(status).body(body.into()).unwrap())
    }

    #[track_caller]
    fn check(status: u16, body: &'static str, code: &str, message: &str) {
        let error = answer(status, body).error();
        assert_eq!((error.code.as_str(), error.message.as_str(), error.status), (code, message, status));
    }

    #[test]
    fn errors_in_every_shape() {
        check(
            404,
            r#"{"error":{"code":"ResourceNotFound","message":"The Resource 'x' was not found."}}"#,
            "ResourceNotFound",
            "The Resource 'x' was not found.",
        );
        check(
            404,
            r#"{"code":"NotFound","details":null,"message":"gone","subcode":"GetAgentPool_NotFound"}"#,
            "NotFound",
            "gone",
        );
        check(429, r#"{"error":{"code":429,"message":"Retry after 2 seconds."}}"#, "429", "Retry after 2 seconds.");
        check(
            401,
            r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret"}"#,
            "invalid_client",
            "AADSTS7000215: Invalid client secret",
        );
        check(502, "<html><body>Bad Gateway</body></html>", "HTTP 502", "<html><body>Bad Gateway</body></html>");
        check(500, "", "HTTP 500", "");
        check(503, r#"{"error":{}}"#, "HTTP 503", "");
        check(400, r#"{"error":null}"#, "HTTP 400", "");
        check(400, "[1]", "HTTP 400", "");
        check(409, "{\"error\":{\"code\":\"X\",\"message\":", "HTTP 409", "{\"error\":{\"code\":\"X\",\"message\":");
    }

    #[test]
    fn details_are_found_however_deep() {
        let body = r#"{"error":{"code":"RetryableError","message":"m","details":[{"code":"ReferencedResourceNotProvisioned","message":"d","innererror":{"code":"Deep"}}]}}"#;
        let error = answer(429, body).error();
        assert!(error.says("referencedresourcenotprovisioned") && error.says("Deep") && error.says("RetryableError"));
        assert!(!error.says("Other"));
        let unwrapped =
            answer(404, r#"{"code":"NotFound","subcode":"GetManagedCluster_NotFound","message":""}"#).error();
        assert!(unwrapped.says("GetManagedCluster_NotFound"));
    }

    #[test]
    fn gone_is_404_in_either_shape() {
        assert!(answer(404, "").is_gone());
        assert!(answer(404, r#"{"code":"NotFound"}"#).is_gone());
        assert!(!answer(204, "").is_gone());
    }

    #[test]
    fn bodies_are_bounded() {
        assert_eq!(answer(200, " \r\n").body, Body::Empty);
        assert_eq!(answer(200, "\u{feff}{}").body, Body::Json(serde_json::json!({})));
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(matches!(answer(200, nested(64)).body, Body::Json(_)));
        assert!(matches!(answer(200, nested(65)).body, Body::Other { because: "it is nested too deeply", .. }));
        assert!(matches!(answer(200, nested(100_000)).body, Body::Other { .. }));
        assert!(matches!(answer(200, format!("{{\"a\":\"{}\\\"\"}}", "[".repeat(100))).body, Body::Json(_)));
        assert!(matches!(
            answer(200, vec![b'x'; BODY_LIMIT + 1]).body,
            Body::Other { because: "it is longer than 16 MiB", .. }
        ));
        assert!(matches!(answer(200, vec![0xff, 0xfe]).body, Body::Other { because: "it is not JSON", .. }));
        let long = format!("{{\"error\":{{\"code\":\"X\",\"message\":\"{}\"}}}}", "ä".repeat(4000));
        let message = answer(400, long).error().message;
        assert!(message.len() <= TEXT_LIMIT && message.chars().all(|character| character == 'ä'));
    }
}
