//! Work that takes time: it has an end, and takes effect when somebody looks after that.

use serde::{Deserialize, Serialize};

use crate::clock::WorldTime;

/// What happens when an operation ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Work {
    /// A resource group and everything in it goes.
    DeleteGroup {
        /// The group's key.
        key: String,
    },
    /// An object and everything below it goes.
    DeleteObject {
        /// The object's key.
        key: String,
    },
    /// Nothing more: the object shows its new state since the write.
    Write {
        /// The object's key.
        key: String,
    },
    /// A soft-deleted vault goes for good.
    PurgeVault {
        /// The vault's name in lower case.
        name: String,
    },
}

/// A long-running operation. It is kept for a while after its end, so that it can be asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Operation {
    pub(crate) work: Work,
    /// The id of what is worked on, for people.
    pub(crate) target: String,
    pub(crate) started: WorldTime,
    pub(crate) ends: WorldTime,
    /// Whether its effect has been applied.
    pub(crate) done: bool,
}
