//! A blob of a storage account with its lease. The rules stand in `planes::blob`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::WorldTime;

/// A blob.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Blob {
    /// What is in it, in base64.
    pub(crate) content: String,
    pub(crate) content_type: String,
    /// Headers `x-ms-meta-…` without that beginning.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) metadata: BTreeMap<String, String>,
    /// Counts the changes: what its entity tag is made of.
    pub(crate) version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) lease: Option<Lease>,
}

/// Who may write it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Lease {
    pub(crate) id: String,
    /// When it ends by itself; none lasts until it is released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<WorldTime>,
    /// For how many seconds it is renewed.
    pub(crate) seconds: i64,
}

impl Blob {
    /// The lease that is in force.
    pub(crate) fn held(&self, now: WorldTime) -> Option<&Lease> {
        self.lease.as_ref().filter(|lease| lease.until.is_none_or(|until| now < until))
    }
}
