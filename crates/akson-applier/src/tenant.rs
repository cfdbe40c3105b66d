//! Which tenant a subscription trusts, asked of Azure: the first request of a run against a real cloud, so that a sign-in that does not
//! fit is told once. Not who is signed in.

use akson_azure::Operation;
use serde_json::Value as Json;

use crate::{
    engine::{Engine, Patience},
    refresh::{ReadCause, ReadFailure},
};

const SUBSCRIPTIONS: &str = "2022-12-01";

/// The id of a subscription's tenant.
///
/// # Errors
/// [`ReadFailure`], also if the subscription is not one of the tenant that the sign-in is for.
pub async fn tenant_of(engine: &Engine, subscription: &str) -> Result<String, ReadFailure> {
    let operation = Operation::get(&format!("/subscriptions/{subscription}"), SUBSCRIPTIONS);
    let failed = |cause: ReadCause| ReadFailure { path: operation.path().to_owned(), cause };
    let answer = engine.read(&operation, operation.path(), Patience::UntilStopped).await;
    let answer = answer.map_err(|error| failed(error.into()))?;
    if !answer.is_success() {
        return Err(failed(ReadCause::Azure(answer.error())));
    }
    let tenant = answer.json().and_then(|body| body.get("tenantId")).and_then(Json::as_str);
    tenant.map(str::to_owned).ok_or_else(|| failed(ReadCause::NoObject))
}
