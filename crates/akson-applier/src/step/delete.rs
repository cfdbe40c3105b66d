//! Deleting: with two keys, the ledger's entry and the mark on the live object, looked at right before it is sent.

use akson_azure::{Operation, plane::kubernetes::is_leaving};
use akson_catalog::{
    equality::{Equality, equal},
    kind::Plane,
};
use akson_planner::{Change, marker::Ownership};
use serde_json::Value as Json;

use super::{Run, StepError, delete_deadline};

impl Run<'_> {
    /// # Errors
    /// [`StepError`]
    pub(super) async fn delete(&self, change: &Change, id: &str, api_version: &str) -> Result<(), StepError> {
        let planned = self.snapshot.live(&change.symbolic_id).is_some();
        let read = self.reading(change, id)?;
        let live = self.look(change, &read, planned).await?;
        if let Some(live) = &live {
            match self.check_owner(change, live)? {
                Ownership::Ours => {}
                // What takes no mark was found to be ours by the plan; it must still be what the plan saw.
                Ownership::Unmarkable => self.check_unchanged_entry(change, live)?,
                Ownership::Unmarked | Ownership::OtherStack(_) => return Err(StepError::NotOurs { stack: None }),
            }
        }
        let before = self.announce_delete(change, id).await?;
        if let Some(body) = &change.kind.reset {
            let operation = Operation::put(id, api_version, body.clone());
            let deadline = delete_deadline(self, &change.kind);
            let is_reset = |live: &Json| Ok(equal(Equality::Subset, Some(body), Some(live)));
            return match self.decide(change, &operation, &read, deadline, &is_reset).await {
                // It stays, and is nobody's: there is nothing to remember.
                Ok(_) => self.forget(change).await,
                Err(unsettled) => {
                    if unsettled.untouched {
                        self.withdraw(change, before).await;
                    }
                    Err(unsettled.error)
                }
            };
        }
        let in_cluster = change.kind.plane == Plane::Kubernetes;
        let deadline = delete_deadline(self, &change.kind);
        // A cluster shows what it has: what it does not show is not there, and what is leaving is not told twice.
        if in_cluster && live.as_ref().is_none_or(is_leaving) {
            if live.is_some() {
                self.gone(change, &read, deadline).await?;
            }
            return self.record_deleted(change, id).await;
        }
        // Also what is not seen is deleted: only the answer to a deletion says that it is gone.
        let operation = self.deletion(change, id, api_version, live.as_ref())?;
        match self.decide(change, &operation, &read, deadline, &|_| Ok(false)).await {
            Ok(_) if in_cluster => {
                self.gone(change, &read, deadline).await?;
                self.record_deleted(change, id).await
            }
            Ok(_) => self.record_deleted(change, id).await,
            Err(unsettled) => {
                if unsettled.untouched {
                    self.withdraw(change, before).await;
                }
                Err(unsettled.error)
            }
        }
    }
}
