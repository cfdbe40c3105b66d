//! The errors of Azure Kubernetes Service. They stand bare in the body, without `error` around them.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::Refusal;

/// `{"code","details","message","subcode"[,"target"]}`.
fn bare(status: StatusCode, code: &'static str, message: String, target: Option<&str>) -> Refusal {
    let mut body = json!({ "code": code, "details": null, "message": message, "subcode": "" });
    if let Some(target) = target {
        body["target"] = target.into();
    }
    Refusal::provider(status, code, message).with_body(body)
}

/// 400 for a request that makes no sense as a whole.
pub(crate) fn bad_request(message: impl Into<String>) -> Refusal {
    bare(StatusCode::BAD_REQUEST, "BadRequest", message.into(), None)
}

/// 400 with a code of its own. `target` is the path of what is wrong.
pub(crate) fn invalid(code: &'static str, message: impl Into<String>, target: &str) -> Refusal {
    bare(StatusCode::BAD_REQUEST, code, message.into(), Some(target))
}

/// 400 `InvalidParameter` (recorded).
pub(crate) fn invalid_parameter(message: impl Into<String>, target: &str) -> Refusal {
    invalid("InvalidParameter", message, target)
}

/// 400 for a property that is settled once and for all.
pub(crate) fn unchangeable(target: &str) -> Refusal {
    invalid("PropertyChangeNotAllowed", format!("Changing property '{target}' is not allowed."), target)
}

/// 409 while something else is going on; `what` is e.g. `Another operation (Updating)`.
pub(crate) fn busy(what: &str) -> Refusal {
    let message = format!(
        "Operation is not allowed: {what} is in progress, please wait for it to finish before starting a new operation. See https://aka.ms/aks-pending-operation for more details"
    );
    bare(StatusCode::CONFLICT, "OperationNotAllowed", message, None)
}

/// 429 of one of the provider's own limits.
pub(crate) fn throttled(method: &Method, subscription: &str, seconds: u64) -> Refusal {
    let message = format!(
        "The {method} request limit has been exceeded for SubID: {subscription}, please retry again in {seconds} seconds. For more information, please refer to https://aka.ms/aks/quotas-skus-regions"
    );
    let refusal = bare(StatusCode::TOO_MANY_REQUESTS, "Throttled", message, None);
    Refusal { retry_after: Some(seconds), ..refusal }
}

/// 404 for a pool of a cluster that exists (recorded).
pub(crate) fn no_pool(pool: &str, subscription: &str, group: &str, cluster: &str) -> Refusal {
    let message = format!(
        "Could not find the agentpool: {pool} in subscription: {subscription}, resourceGroup: {group}, resourceName: {cluster}."
    );
    let details: Value =
        json!([{ "code": "Unspecified", "message": "rpc error: code = NotFound desc = Agent Pool not found" }]);
    let body = json!({
        "code": "NotFound", "details": details, "message": message, "subcode": "GetAgentPool_NotFound_HCPServerError",
    });
    Refusal::provider(StatusCode::NOT_FOUND, "NotFound", message).with_body(body)
}

/// 400 for a cluster whose user-assigned identity is missing: ARM fails to hand it over (recorded for
/// other types).
pub(crate) fn no_identity(resource: &str, identity: &str) -> Refusal {
    let message = format!(
        "Identity operation for resource '{resource}' failed with error 'Failed to perform resource identity operation. Status: 'BadRequest'. Response: '{{\"error\":{{\"code\":\"BadRequest\",\"message\":\"Resource '{identity}' was not found.\"}}}}'.'."
    );
    Refusal::gateway(StatusCode::BAD_REQUEST, "FailedIdentityOperation", message)
}
