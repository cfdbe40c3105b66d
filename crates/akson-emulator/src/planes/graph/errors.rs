//! What Graph's errors say. Their shape differs from ARM's: ids and date stand in the body.

use std::borrow::Cow;

use http::StatusCode;
use serde_json::{Value, json};

use super::Call;
use crate::reply::{self, Answer, WithHeader};

/// An error answer, not yet put into bytes.
#[derive(Debug)]
pub(super) struct GraphError {
    pub(super) status: StatusCode,
    code: &'static str,
    message: Cow<'static, str>,
    details: Option<Value>,
    challenge: bool,
}

/// What a part of the plane makes of a call.
pub(super) type Outcome<T = Answer> = Result<T, GraphError>;

impl GraphError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { status, code, message: message.into(), details: None, challenge: false }
    }

    pub(super) fn into_answer(self, call: &mut Call<'_>) -> Answer {
        let request = call.state.world.luck.guid();
        let client = call.visit.header("client-request-id").unwrap_or(&request).to_owned();
        let mut error = json!({ "code": self.code, "message": self.message });
        if let Some(details) = self.details {
            error["details"] = details;
        }
        error["innerError"] = json!({
            "date": call.now.to_seconds().trim_end_matches('Z'),
            "request-id": request,
            "client-request-id": client,
        });
        let answer = reply::typed(self.status, "application/json", json!({ "error": error }).to_string().into());
        let answer = answer.with("request-id", &request).with("client-request-id", &client);
        if !self.challenge {
            return answer;
        }
        answer.with(
            "www-authenticate",
            "Bearer realm=\"\", authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", client_id=\"00000003-0000-0000-c000-000000000000\"",
        )
    }
}

pub(super) fn unauthenticated(message: &'static str) -> GraphError {
    let error = GraphError::new(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", message);
    GraphError { challenge: true, ..error }
}

/// Recorded.
pub(super) fn denied() -> GraphError {
    GraphError::new(
        StatusCode::FORBIDDEN,
        "Authorization_RequestDenied",
        "Insufficient privileges to complete the operation.",
    )
}

/// Recorded.
pub(super) fn not_found(id: &str) -> GraphError {
    let message =
        format!("Resource '{id}' does not exist or one of its queried reference-property objects are not present.");
    GraphError::new(StatusCode::NOT_FOUND, "Request_ResourceNotFound", message)
}

pub(super) fn bad(message: impl Into<Cow<'static, str>>) -> GraphError {
    GraphError::new(StatusCode::BAD_REQUEST, "Request_BadRequest", message)
}

pub(super) fn unsupported(message: impl Into<Cow<'static, str>>) -> GraphError {
    GraphError::new(StatusCode::BAD_REQUEST, "Request_UnsupportedQuery", message)
}

/// The part of Graph that reads URLs and bodies speaks so.
pub(super) fn malformed(message: impl Into<Cow<'static, str>>) -> GraphError {
    GraphError::new(StatusCode::BAD_REQUEST, "BadRequest", message)
}

pub(super) fn no_segment(segment: &str) -> GraphError {
    malformed(format!("Resource not found for the segment '{segment}'."))
}

pub(super) fn method_not_allowed() -> GraphError {
    GraphError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "Request_BadRequest",
        "Specified HTTP method is not allowed for the request target.",
    )
}

pub(super) fn required(property: &str, kind: &str) -> GraphError {
    bad(format!("A value is required for property '{property}' of resource '{kind}'."))
}

pub(super) fn read_only(property: &str) -> GraphError {
    bad(format!("Property '{property}' is read-only and cannot be set."))
}

/// Somebody else has this value of a property that is a key.
pub(super) fn taken(property: &str) -> GraphError {
    let message = format!("Another object with the same value for property {property} already exists.");
    let details = json!([{ "code": "ObjectConflict", "message": message, "target": property }]);
    if property == "uniqueName" {
        let error = GraphError::new(StatusCode::CONFLICT, "ObjectConflict", message);
        return GraphError { details: Some(details), ..error };
    }
    GraphError { details: Some(details), ..bad(message) }
}

/// A second service principal of one application.
pub(super) fn same_application(app_id: &str) -> GraphError {
    let message = format!(
        "The service principal cannot be created, updated, or restored because the service principal name {app_id} is already in use."
    );
    GraphError::new(StatusCode::CONFLICT, "Request_MultipleObjectsWithSameKeyValue", message)
}

/// A reference that is there already.
pub(super) fn already_referenced(property: &str) -> GraphError {
    bad(format!(
        "One or more added object references already exist for the following modified properties: '{property}'."
    ))
}
