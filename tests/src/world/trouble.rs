//! What can befall one request, whatever it asks for: refused, lost before or after it was processed, answered by something that is no
//! answer. After any of it the next runs must come to the same end.

use akson_azure::TransportError;
use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use serde_json::{Value, json};

/// What befalls a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// Refused with this status before it was processed, in ARM's form.
    Refused(u16, &'static str),
    /// Throttled, with or without the seconds to wait.
    Throttled(Option<u16>),
    /// A proxy's page in the place of an answer, before it was processed.
    Page(u16),
    /// Nobody listens.
    NobodyThere,
    /// The connection breaks before it was processed.
    BrokenBefore,
    /// The connection breaks after it was processed.
    BrokenAfter,
    /// It never arrives and nobody answers.
    Lost,
    /// It is processed and nobody answers.
    AnswerLost,
    /// Processed, and answered with this status.
    Answered(u16),
    /// A success with half of its body.
    Half,
    /// A success without a body.
    Empty,
    /// A success that is a page for people.
    Html,
    /// A success with JSON of another shape.
    Strange,
    /// A success that leads to somebody else's host: its headers and next links do.
    Astray,
    /// Sent on to somebody else's host, before it was processed.
    SentOn(u16),
    /// What it asks after has ended badly, if it asks after an operation.
    OperationFailed,
}

/// All of it, each in the forms that differ.
pub const TROUBLES: [Trouble; 26] = [
    Trouble::Refused(400, "BadRequest"),
    Trouble::Refused(401, "InvalidAuthenticationToken"),
    Trouble::Refused(403, "AuthorizationFailed"),
    Trouble::Refused(404, "ResourceNotFound"),
    Trouble::Refused(409, "AnotherOperationInProgress"),
    Trouble::Refused(409, "Conflict"),
    Trouble::Refused(412, "PreconditionFailed"),
    Trouble::Throttled(Some(7)),
    Trouble::Throttled(None),
    Trouble::Refused(500, "InternalServerError"),
    Trouble::Refused(503, "ServiceUnavailable"),
    Trouble::Page(502),
    Trouble::Page(504),
    Trouble::NobodyThere,
    Trouble::BrokenBefore,
    Trouble::BrokenAfter,
    Trouble::Lost,
    Trouble::AnswerLost,
    Trouble::Answered(500),
    Trouble::Half,
    Trouble::Empty,
    Trouble::Html,
    Trouble::Strange,
    Trouble::Astray,
    Trouble::SentOn(307),
    Trouble::OperationFailed,
];

const PAGE: &str = "<!DOCTYPE html><html><body><h1>The gateway is having a rest</h1></body></html>";
/// Whom nobody may send a token to: the harness fails a test that asks it anything.
const STRANGER: &str = "https://management.azure.com.stranger.example/subscriptions";

impl Trouble {
    /// What comes back without anybody processing the request, if that is the trouble.
    pub(super) fn instead(self, host: &str) -> Option<Result<Response<Bytes>, TransportError>> {
        let broken = || TransportError::Broken { host: host.to_owned(), detail: "connection reset".to_owned() };
        Some(match self {
            Self::Refused(status, code) => {
                Ok(answer(status, &json!({"error": {"code": code, "message": "It was made to fail."}})))
            }
            Self::Throttled(after) => {
                let mut answer = answer(429, &json!({"error": {"code": "TooManyRequests", "message": "Too many."}}));
                if let Some(seconds) = after {
                    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
                }
                Ok(answer)
            }
            Self::Page(status) => Ok(page(status)),
            Self::NobodyThere => {
                Err(TransportError::Refused { host: host.to_owned(), detail: "connection refused".to_owned() })
            }
            Self::BrokenBefore => Err(broken()),
            Self::SentOn(status) => {
                let mut answer = answer(status, &Value::Null);
                answer.headers_mut().insert(header::LOCATION, HeaderValue::from_static(STRANGER));
                Ok(answer)
            }
            _ => return None,
        })
    }

    pub(super) fn never_arrives(self) -> bool {
        self == Self::Lost
    }

    pub(super) fn never_answers(self) -> bool {
        self == Self::AnswerLost
    }

    /// What becomes of the answer to a request that was processed.
    pub(super) fn spoil(
        self,
        method: &Method,
        host: &str,
        response: &mut Response<Bytes>,
    ) -> Result<(), TransportError> {
        match self {
            Self::BrokenAfter => {
                return Err(TransportError::Broken { host: host.to_owned(), detail: "connection reset".to_owned() });
            }
            Self::Answered(status) => {
                *response =
                    answer(status, &json!({"error": {"code": "InternalServerError", "message": "Afterwards."}}));
            }
            // Refusals are no successes that could be spoilt.
            _ if !response.status().is_success() => {}
            Self::Half => *response.body_mut() = response.body().slice(..response.body().len() / 2),
            Self::Empty => *response.body_mut() = Bytes::new(),
            Self::Html => *response = page(response.status().as_u16()),
            Self::Strange => *response.body_mut() = Bytes::from_static(b"[[\"what\", 1e999, null]]"),
            Self::Astray => lead_astray(response),
            Self::OperationFailed if *method == Method::GET => fail_operation(response),
            _ => {}
        }
        Ok(())
    }
}

fn lead_astray(response: &mut Response<Bytes>) {
    for name in ["azure-asyncoperation", "location"] {
        if let Some(value) = response.headers_mut().get_mut(name) {
            *value = HeaderValue::from_static(STRANGER);
        }
    }
    let Ok(mut body) = serde_json::from_slice::<Value>(response.body()) else { return };
    if body.get("value").is_some_and(Value::is_array) {
        body["nextLink"] = json!(STRANGER);
        body["@odata.nextLink"] = json!(STRANGER);
        *response.body_mut() = Bytes::from(body.to_string());
    }
}

/// Only the answer about an operation has its state on top.
fn fail_operation(response: &mut Response<Bytes>) {
    let Ok(mut body) = serde_json::from_slice::<Value>(response.body()) else { return };
    if body.get("status").is_some_and(Value::is_string) && body.get("properties").is_none() {
        body["status"] = json!("Failed");
        body["error"] = json!({"code": "InternalError", "message": "It was made to fail."});
        *response.body_mut() = Bytes::from(body.to_string());
    }
}

fn answer(status: u16, body: &Value) -> Response<Bytes> {
    let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
    let mut answer = Response::new(body);
    *answer.status_mut() = StatusCode::from_u16(status).expect("it is a status");
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    answer
}

fn page(status: u16) -> Response<Bytes> {
    let mut answer = Response::new(Bytes::from_static(PAGE.as_bytes()));
    *answer.status_mut() = StatusCode::from_u16(status).expect("it is a status");
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    answer
}
