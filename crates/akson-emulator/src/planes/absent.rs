//! Hosts that are no service of the emulator: said in ARM's shape, so that a client reads it.

use http::StatusCode;

use super::Call;
use crate::errors;
use crate::reply::{self, Answer};

/// A host that is no service of ours.
pub(super) fn host(call: &mut Call<'_>) -> Answer {
    let message = format!("The emulator is not '{}'.", call.visit.host);
    reply::json(StatusCode::NOT_FOUND, &errors::wrapped("HostNotFound", &message))
}
