//! Work that takes time: it has an end, and takes effect when somebody looks after that.

use serde::{Deserialize, Serialize};
use serde_json::Value;

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
    /// An object shows its new state since the write; now it gets what only the end brings.
    Write {
        /// The object's key.
        key: String,
    },
    /// The platform does something to an object by itself, until it has done it.
    Background {
        /// The object's key.
        key: String,
        /// The `provisioningState` shown meanwhile.
        state: String,
        /// How many world seconds it takes; none are left once it has begun.
        seconds: u64,
        /// What it merges into the properties.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        changes: Value,
    },
    /// An object is left as it is, half done.
    Abort {
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
    /// Whether it was given up before its end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) canceled: bool,
    /// What it says of itself on the way, one after the other, evenly spread; none is the usual word.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) stages: Vec<String>,
    /// The code of an error that it mentions although nothing is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) remark: Option<String>,
}

impl Operation {
    /// What it says of itself now; `usual` if it has no words of its own.
    pub(crate) fn stage<'a>(&'a self, usual: &'a str, now: WorldTime) -> &'a str {
        let whole = self.ends.since(self.started).as_millis().max(1);
        let passed = now.since(self.started).as_millis();
        let count = u128::try_from(self.stages.len()).unwrap_or(0);
        let at = usize::try_from(passed * count / whole).unwrap_or(usize::MAX);
        self.stages.get(at).or(self.stages.last()).map_or(usual, String::as_str)
    }
}
