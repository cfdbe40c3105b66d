//! The errors of Microsoft.Network, which all have `details`.

use http::StatusCode;
use serde_json::{Value, json};

use super::Refusal;

fn detailed(status: StatusCode, code: &'static str, message: String, details: &Value) -> Refusal {
    let body = json!({ "error": { "code": code, "message": message, "details": details } });
    Refusal::provider(status, code, message).with_body(body)
}

/// 400 with a code of its own.
pub(crate) fn invalid(code: &'static str, message: impl Into<String>) -> Refusal {
    detailed(StatusCode::BAD_REQUEST, code, message.into(), &json!([]))
}

/// 404 of a child whose parent exists (recorded).
pub(crate) fn not_found(id: &str) -> Refusal {
    detailed(StatusCode::NOT_FOUND, "NotFound", format!("Resource {id} not found."), &json!([]))
}

/// 409 while the resource or one that it depends on is being written (recorded).
pub(crate) fn another_operation(operation: &str) -> Refusal {
    let message = format!(
        "Another operation on this or dependent resource is in progress. To retrieve status of the operation use uri: {operation}."
    );
    detailed(StatusCode::CONFLICT, "AnotherOperationInProgress", message, &json!([]))
}

/// 429 while a sibling is being written (recorded). `operation` is e.g. `PutRouteOperation`.
pub(crate) fn retry_later(operation: &str, token: &str, resource: &str, seconds: u64) -> Refusal {
    let detail = format!(
        "Operation {operation} ({token}) is updating resource {resource}. The call can be retried in {seconds} seconds."
    );
    let details = json!([{ "code": "RetryableErrorDueToAnotherOperation", "message": detail }]);
    Refusal { retry_after: Some(seconds), ..retryable(&details) }
}

/// 429 for a reference to what is still being written (recorded, without `Retry-After`).
pub(crate) fn not_provisioned(referenced: &str, by: &str, state: &str, operation: &str) -> Refusal {
    let detail = format!(
        "Cannot proceed with operation because resource {referenced} used by resource {by} is not in Succeeded state. Resource is in {state} state and the last operation that updated/is updating the resource is {operation}."
    );
    retryable(&json!([{ "code": "ReferencedResourceNotProvisioned", "message": detail }]))
}

fn retryable(details: &Value) -> Refusal {
    let message = "A retryable error occurred.".to_owned();
    detailed(StatusCode::TOO_MANY_REQUESTS, "RetryableError", message, details)
}

/// 400 for a reference to nothing (recorded).
pub(crate) fn invalid_reference(referenced: &str, by: &str) -> Refusal {
    let message = format!(
        "Resource {referenced} referenced by resource {by} was not found. Please make sure that the referenced resource exists, and that both resources are in the same region."
    );
    invalid("InvalidResourceReference", message)
}

/// 409 for a private DNS zone that still has links, in ARM's words (recorded).
pub(crate) fn nested(child: &str) -> Refusal {
    let message = format!(
        "Cannot delete resource while nested resources exist. Some existing nested resource IDs include: '{child}'. Please delete all nested resources before deleting this resource."
    );
    Refusal::provider(StatusCode::CONFLICT, "CannotDeleteResource", message)
}
