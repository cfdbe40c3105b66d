//! By which request an object is written and deleted: ARM's for most, its vault's for a secret. Not when it is sent.

use akson_azure::{BadOperation, Operation, plane::vault};
use akson_catalog::kind::Plane;
use akson_planner::Change;
use serde_json::Value as Json;

use super::{Run, StepError};
use crate::engine::SendError;

impl Run<'_> {
    /// The request that makes an object as `body` says, which is in ARM's form; `live` is how it is now.
    pub(super) fn writing(
        &self,
        change: &Change,
        id: &str,
        body: Json,
        live: Option<&Json>,
    ) -> Result<Operation, StepError> {
        if change.kind.plane != Plane::KeyVault {
            return Ok(Operation::put(id, &change.kind.api_version, body));
        }
        let secret = self.secret(id)?;
        // Without a value it is the latest version that changes, and no new one is made.
        let has_value = body.pointer(super::secret::VALUE).is_some();
        match live.and_then(vault::version_of) {
            Some(version) if !has_value => Ok(secret.patch(version, &body)),
            _ => Ok(secret.put(&body)),
        }
    }

    /// The request that deletes an object.
    pub(super) fn deletion(&self, change: &Change, id: &str, api_version: &str) -> Result<Operation, StepError> {
        if change.kind.plane == Plane::KeyVault {
            return Ok(self.secret(id)?.delete());
        }
        Ok(Operation::delete(id, api_version))
    }

    /// A secret at its vault.
    pub(super) fn secret(&self, id: &str) -> Result<vault::SecretAt, StepError> {
        vault::SecretAt::of(id, self.engine.cloud())
            .ok_or_else(|| StepError::Send(SendError::Operation(BadOperation::Path(id.to_owned()))))
    }
}
