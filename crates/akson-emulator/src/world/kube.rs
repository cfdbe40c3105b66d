//! The rows of Kubernetes API servers. Their rules stand in `planes::kubernetes`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::clock::WorldTime;

/// The API server of one cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct KubeCluster {
    /// When its managed cluster was created: another one of the same name has nothing of this.
    pub(crate) created: WorldTime,
    /// The last resource version.
    pub(crate) version: u64,
}

/// An object in a cluster, under a key as `planes::kubernetes::store` makes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct KubeObject {
    /// The whole object, `managedFields` among it.
    pub(crate) body: Map<String, Value>,
    /// When a namespace that is terminating is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ends: Option<WorldTime>,
}
