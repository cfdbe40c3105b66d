//! Planes that are not there yet: each says so in its own shape, so that a client reads it.

use http::StatusCode;

use super::Call;
use crate::errors;
use crate::reply::{self, Answer, WithHeader};

/// A vault's own endpoint: the challenge that clients wait for, then 404.
pub(super) fn vault(call: &mut Call<'_>) -> Answer {
    if call.visit.header("authorization").is_none() {
        let challenge = format!(
            "Bearer authorization=\"https://login.microsoftonline.com/{}\", resource=\"https://vault.azure.net\"",
            call.state.world.tenant
        );
        let body = errors::wrapped("Unauthorized", "AKV10000: Request is missing a Bearer or PoP token.");
        return reply::json(StatusCode::UNAUTHORIZED, &body).with("www-authenticate", &challenge);
    }
    reply::json(StatusCode::NOT_FOUND, &errors::wrapped("NotFound", "The requested path was not found."))
}

/// A host that is no service of ours.
pub(super) fn host(call: &mut Call<'_>) -> Answer {
    let message = format!("The emulator is not '{}'.", call.visit.host);
    reply::json(StatusCode::NOT_FOUND, &errors::wrapped("HostNotFound", &message))
}
