//! An entry of the directory's audit log: one change of one object. How it comes about stands in `planes::graph::audits`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::WorldTime;

/// One change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Audit {
    pub(crate) at: WorldTime,
    /// From when it can be found.
    pub(crate) visible: WorldTime,
    /// As Graph shows it.
    pub(crate) body: Value,
}
