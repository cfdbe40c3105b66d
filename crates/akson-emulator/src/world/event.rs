//! An entry of the activity log: one write, from its beginning to its end. How it is shown stands in
//! `planes::arm::activity`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::clock::WorldTime;

/// One write that was asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) began: WorldTime,
    pub(crate) ended: WorldTime,
    /// From when it can be found.
    pub(crate) visible: WorldTime,
    pub(crate) object_id: String,
    /// What people are told of whoever it was; of an older version's events nothing.
    #[serde(default)]
    pub(crate) caller: EventCaller,
    pub(crate) client_id: String,
    pub(crate) address: String,
    pub(crate) method: String,
    pub(crate) uri: String,
    /// e.g. `Microsoft.KeyVault/vaults/write`.
    pub(crate) action: String,
    /// The id of what was written to.
    pub(crate) resource: String,
    /// The HTTP status.
    pub(crate) status: u16,
    pub(crate) correlation: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client_request: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) body: Option<EventBody>,
}

/// Who it was, in the words of that time.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct EventCaller {
    /// Of a user the principal name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    /// The name shown to people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// Of a managed identity the ARM id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) identity: Option<String>,
}

/// Request and response, which only some providers put into the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct EventBody {
    pub(crate) request: Value,
    pub(crate) response: Value,
}
