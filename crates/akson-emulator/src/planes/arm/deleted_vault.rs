//! Soft-deleted vaults: `deletedVaults` of a subscription, and one of a location to read or purge.

use std::borrow::Cow;
use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::Value;

use super::path::Collection;
use super::types::ArmType;
use super::vault::stamped;
use super::{Call, list, operation};
use crate::errors::{self, Outcome, Refusal};
use crate::id::ResourceId;
use crate::reply::{self, Answer, WithHeader};
use crate::world::{DeletedVault, Work};

/// World time that a purge takes.
const PURGE: Duration = Duration::from_secs(10);

pub(super) struct DeletedVaults;

impl ArmType for DeletedVaults {
    fn has_parents(&self) -> bool {
        false
    }

    fn stamp(&self, answer: Answer) -> Answer {
        stamped(answer)
    }

    fn get(&self, call: &mut Call<'_>, id: &ResourceId) -> Outcome {
        find(call, id).map(|vault| reply::json(StatusCode::OK, &vault.body()))
    }

    fn list(&self, call: &mut Call<'_>, collection: &Collection, _version: &str) -> Outcome {
        let subscription = collection.place.subscription.as_deref().unwrap_or_default();
        let after = list::start(call)?;
        let rows = call
            .state
            .world
            .deleted_vaults
            .starting_with("", &after)
            .filter(|(_, vault)| vault.subscription.eq_ignore_ascii_case(subscription))
            .map(|(name, vault)| (name, Cow::<Value>::Owned(vault.body())));
        // Recorded: the next page may be empty.
        Ok(list::page_before_another(call, rows))
    }

    fn put(&self, call: &mut Call<'_>, _id: &ResourceId, _version: &str) -> Outcome {
        Err(errors::method_not_allowed(call.visit.method.as_str()))
    }

    fn patch(&self, call: &mut Call<'_>, _id: &ResourceId, _version: &str) -> Outcome {
        Err(errors::method_not_allowed(call.visit.method.as_str()))
    }

    fn delete(&self, _call: &mut Call<'_>, _id: &ResourceId, _version: &str) -> Outcome {
        Err(errors::method_not_allowed(Method::DELETE.as_str()))
    }

    /// Recorded: 202 without a body, only a `Location`.
    fn act(&self, call: &mut Call<'_>, id: &ResourceId, action: &str, version: &str) -> Outcome {
        if !action.eq_ignore_ascii_case("purge") {
            return Err(errors::invalid_type(&id.namespace, &format!("locations/deletedVaults/{action}"), version));
        }
        let vault = find(call, id)?;
        if vault.purge_protected() {
            return Err(Refusal::provider(
                StatusCode::METHOD_NOT_ALLOWED,
                "MethodNotAllowed",
                "Operation 'DeletedVaultPurge' is not allowed.",
            ));
        }
        let (name, target) = (id.name().to_ascii_lowercase(), id.as_written());
        let token = operation::begin(call, Work::PurgeVault { name }, target, PURGE);
        let subscription = &vault.subscription;
        let location = vault.object.text("location");
        let path = format!(
            "/subscriptions/{subscription}/providers/Microsoft.KeyVault/locations/{location}/operationResults/{token}"
        );
        let url = operation::url(call, &path, version);
        Ok(reply::empty(StatusCode::ACCEPTED).with("location", &url).with("retry-after", "5"))
    }
}

fn find(call: &Call<'_>, id: &ResourceId) -> Result<DeletedVault, Refusal> {
    let location = id.steps.first().map_or("", |step| step.name.as_str());
    call.state
        .world
        .deleted_vaults
        .get(&id.name().to_ascii_lowercase())
        .filter(|vault| vault.object.text("location").eq_ignore_ascii_case(location))
        .filter(|vault| {
            id.place.subscription.as_ref().is_some_and(|mine| mine.eq_ignore_ascii_case(&vault.subscription))
        })
        .cloned()
        .ok_or_else(|| not_found(id.name()))
}

/// The 404 for a vault that is not soft-deleted (recorded).
pub(super) fn not_found(name: &str) -> Refusal {
    Refusal::provider(
        StatusCode::NOT_FOUND,
        "DeletedVaultNotFound",
        format!(
            "The specified deleted vault '{name}' does not exist. Ensure that the vault was indeed deleted and that it is in recoverable state. If soft delete was not enabled then the vault is permanently deleted. Follow this link for more information: https://go.microsoft.com/fwlink/?linkid=2149745"
        ),
    )
}
