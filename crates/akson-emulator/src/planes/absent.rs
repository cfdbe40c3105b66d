//! Planes that are not there yet: each says so in its own shape, so that a client reads it.

use http::StatusCode;
use serde_json::json;

use super::Call;
use crate::errors;
use crate::reply::{self, Answer};

/// Microsoft Graph's 404.
pub(super) fn graph(call: &mut Call<'_>) -> Answer {
    let request = call.state.world.luck.guid();
    let segment = call.visit.path.split('/').nth(2).unwrap_or_default();
    reply::json(
        StatusCode::NOT_FOUND,
        &json!({ "error": {
            "code": "ResourceNotFound",
            "message": format!("Resource not found for the segment '{segment}'."),
            "innerError": {
                "date": call.now.to_seconds().trim_end_matches('Z'),
                "request-id": request,
                "client-request-id": request,
            },
        }}),
    )
}

/// A host that is no service of ours.
pub(super) fn host(call: &mut Call<'_>) -> Answer {
    let message = format!("The emulator is not '{}'.", call.visit.host);
    reply::json(StatusCode::NOT_FOUND, &errors::wrapped("HostNotFound", &message))
}
