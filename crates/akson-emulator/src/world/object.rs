//! The rows of the world: an ARM object as raw JSON, a subscription, a soft-deleted vault or workspace.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::clock::WorldTime;

/// A subscription; all are enabled.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Subscription {
    pub(crate) id: String,
    pub(crate) name: String,
}

/// A state that an object shows until a moment, after which it is as its body says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Settling {
    pub(crate) until: WorldTime,
    /// The `provisioningState` shown meanwhile.
    pub(crate) state: String,
}

/// A live ARM object.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Object {
    /// `namespace/type` in lower case.
    pub(crate) type_key: String,
    /// What a GET answers once settled; holds `id`, `name` and `type`.
    pub(crate) body: Map<String, Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) settling: Option<Settling>,
    pub(crate) created: WorldTime,
    pub(crate) changed: WorldTime,
}

impl Object {
    pub(crate) fn new(type_key: String, body: Map<String, Value>, now: WorldTime) -> Self {
        Self { type_key, body, settling: None, created: now, changed: now }
    }

    /// The id as it is displayed.
    pub(crate) fn id(&self) -> &str {
        self.text("id")
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        self.body.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn properties(&self) -> Option<&Map<String, Value>> {
        self.body.get("properties").and_then(Value::as_object)
    }

    /// A property as text; empty if absent.
    pub(crate) fn property(&self, name: &str) -> &str {
        self.properties().and_then(|properties| properties.get(name)).and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn is_settling(&self, now: WorldTime) -> bool {
        self.settling.as_ref().is_some_and(|settling| now < settling.until)
    }

    /// What a GET answers now.
    pub(crate) fn view(&self, now: WorldTime) -> Cow<'_, Map<String, Value>> {
        match &self.settling {
            Some(settling) if now < settling.until => {
                let mut body = self.body.clone();
                set_state(&mut body, &settling.state);
                Cow::Owned(body)
            }
            _ => Cow::Borrowed(&self.body),
        }
    }
}

/// Sets `properties.provisioningState`.
pub(crate) fn set_state(body: &mut Map<String, Value>, state: &str) {
    let properties = body.entry("properties").or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(properties) = properties {
        properties.insert("provisioningState".to_owned(), state.into());
    }
}

/// A vault that was deleted and not yet purged. Its name stays taken everywhere.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DeletedVault {
    pub(crate) subscription: String,
    /// The vault as it was.
    pub(crate) object: Object,
    pub(crate) deleted: WorldTime,
    /// When it is purged by itself.
    pub(crate) purge: WorldTime,
}

/// A workspace that was deleted. Its name stays taken until it is purged.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DeletedWorkspace {
    /// The workspace as it was.
    pub(crate) object: Object,
    /// When it is purged by itself.
    pub(crate) purge: WorldTime,
}

impl DeletedVault {
    pub(crate) fn purge_protected(&self) -> bool {
        self.object
            .properties()
            .and_then(|properties| properties.get("enablePurgeProtection"))
            .and_then(Value::as_bool)
            .unwrap_or(false)
    }
}
