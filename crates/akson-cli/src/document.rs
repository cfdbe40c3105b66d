//! The plan as a document: what `plan --format json` prints, a plan file holds and every view of a plan is made from.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    drift::{Actor, Severity},
    recording::Made,
};

/// `format_version` "1".
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PlanDocument {
    pub(crate) format_version: String,
    pub(crate) stack: String,
    pub(crate) cloud: String,
    pub(crate) digest: String,
    pub(crate) summary: Summary,
    pub(crate) changes: Vec<ChangeDocument>,
    pub(crate) access: Value,
    #[serde(default)]
    pub(crate) outputs: Value,
    #[serde(default)]
    pub(crate) diagnostics: Vec<Value>,
    pub(crate) requests: Requests,
    /// Of a plan from a recording: which one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) recording: Option<Made>,
}

/// Counts an action.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Summary {
    pub(crate) create: usize,
    pub(crate) update: usize,
    pub(crate) replace: usize,
    pub(crate) delete: usize,
    pub(crate) adopt: usize,
    pub(crate) forget: usize,
    pub(crate) no_op: usize,
}

impl Summary {
    /// How many resources change.
    pub(crate) fn changes(self) -> usize {
        self.create + self.update + self.replace + self.delete + self.adopt + self.forget
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ChangeDocument {
    pub(crate) address: String,
    pub(crate) kind: String,
    pub(crate) id: Option<String>,
    pub(crate) action: String,
    pub(crate) irreversible: bool,
    pub(crate) reasons: Vec<ReasonDocument>,
    /// What changed outside and is left as it is for a while.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) tolerated: Vec<ReasonDocument>,
    #[serde(default)]
    pub(crate) notes: Vec<String>,
    pub(crate) source: Option<Place>,
    /// What must be done before, by address.
    #[serde(default)]
    pub(crate) needs: Vec<String>,
    /// Of drift: how bad it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) severity: Option<Severity>,
    /// Of drift: who did it, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) by: Vec<Actor>,
}

/// Why, for one attribute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ReasonDocument {
    pub(crate) cause: String,
    pub(crate) attribute: Option<String>,
    pub(crate) before: Value,
    pub(crate) after: Value,
    pub(crate) sensitive: bool,
    /// Whether its texts are expressions: constructors and references.
    #[serde(default)]
    pub(crate) expression: bool,
    pub(crate) known_after_apply: bool,
    pub(crate) effect: String,
    /// Of what is tolerated: why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) because: Option<String>,
    /// Of what is tolerated: the last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<String>,
    /// Of drift: how bad it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) severity: Option<Severity>,
}

/// Where the resource is declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) line: usize,
}

/// What it cost.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Requests {
    pub(crate) reads: usize,
}
