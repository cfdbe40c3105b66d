//! By which request an object is read, written and deleted: ARM's for most, its vault's for a secret, Microsoft Graph's for what is in
//! the directory, a cluster's API server for what is in the cluster. Not when it is sent.

use akson_azure::{
    BadOperation, Operation,
    plane::{
        graph,
        kubernetes::{ObjectAt, described},
        vault,
    },
};
use akson_catalog::{Value, encode::Leaf, json::put, kind::Plane};
use akson_planner::{Change, waves::selecting};
use serde_json::Value as Json;

use super::{Run, StepError};
use crate::engine::SendError;

impl Run<'_> {
    /// The request that shows an object.
    pub(super) fn reading(&self, change: &Change, id: &str) -> Result<Operation, StepError> {
        let kind = &change.kind;
        Ok(match kind.plane {
            Plane::Graph => graph::read(&selecting(&kind.path_of(id), kind)),
            Plane::Arm | Plane::KeyVault => Operation::get(id, &kind.api_version),
            Plane::Kubernetes => {
                let (server, path) = self.place(change, id)?;
                server.read(&path)
            }
        })
    }

    /// The request that makes an object as `body` says, which is in the form that reading has; `live` is how it is now.
    pub(super) fn writing(
        &self,
        change: &Change,
        id: &str,
        mut body: Json,
        (live, leaves): (Option<&Json>, &[Leaf]),
    ) -> Result<Operation, StepError> {
        let kind = &change.kind;
        match kind.plane {
            Plane::Arm => Ok(Operation::put(id, &kind.api_version, body)),
            Plane::Kubernetes => {
                let (server, path) = self.place(change, id)?;
                let at = ObjectAt::of(id).ok_or_else(|| no_way(id))?;
                Ok(server.apply(&path, described(&kind.resource_type, &at, body)))
            }
            Plane::KeyVault => {
                let secret = self.secret(id)?;
                // Without a value it is the latest version that changes, and no new one is made.
                let has_value = body.pointer(super::secret::VALUE).is_some();
                match live.and_then(vault::version_of) {
                    Some(version) if !has_value => Ok(secret.patch(version, &body)),
                    _ => Ok(secret.put(&body)),
                }
            }
            Plane::Graph => {
                let sets: Vec<&str> = kind.edges().filter_map(|attribute| attribute.pointer.as_deref()).collect();
                // What must be absent is said to be: what is not said stays.
                let absent = |leaf: &&Leaf| leaf.want == Value::None && kind.edge_set(&leaf.pointer).is_none();
                for leaf in leaves.iter().filter(absent).filter(|_| live.is_some()) {
                    put(&mut body, &leaf.pointer, Json::Null);
                }
                let body = graph::body(&body, &sets);
                let path = kind.path_of(id);
                Ok(if live.is_some() { graph::patch(&path, body) } else { graph::upsert(&path, body) })
            }
        }
    }

    /// The request that deletes an object.
    pub(super) fn deletion(
        &self,
        change: &Change,
        id: &str,
        api_version: &str,
        live: Option<&Json>,
    ) -> Result<Operation, StepError> {
        Ok(match change.kind.plane {
            Plane::Arm => Operation::delete(id, api_version),
            Plane::Kubernetes => {
                let (server, path) = self.place(change, id)?;
                server.delete(&path, live.unwrap_or(&Json::Null))
            }
            Plane::KeyVault => self.secret(id)?.delete(),
            Plane::Graph => graph::delete(&change.kind.path_of(id)),
        })
    }

    /// A secret at its vault.
    pub(super) fn secret(&self, id: &str) -> Result<vault::SecretAt, StepError> {
        vault::SecretAt::of(id, self.engine.cloud()).ok_or_else(|| no_way(id))
    }
}

/// There is no request for this id.
pub(super) fn no_way(id: &str) -> StepError {
    StepError::Send(SendError::Operation(BadOperation::Path(id.to_owned())))
}
