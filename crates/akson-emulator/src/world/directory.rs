//! The rows of the directory. What they look like over Graph stands in `planes::graph`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::World;
use super::principals::guid_of;
use crate::clock::WorldTime;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DirectoryKind {
    User,
    Group,
    Application,
    ServicePrincipal,
}

/// A password of an application or a service principal.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AppSecret {
    pub(crate) key_id: String,
    pub(crate) text: String,
    pub(crate) ends: WorldTime,
}

/// An object of the directory.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct DirectoryEntry {
    pub(crate) kind: DirectoryKind,
    /// Every property that Graph can show, `id` among them.
    pub(crate) body: Map<String, Value>,
    /// Object ids, in the order in which they were added; groups only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) members: Vec<String>,
    /// Object ids, in the order in which they were added.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) owners: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) secrets: Vec<AppSecret>,
    /// Federated identity credentials; applications only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) credentials: Vec<Map<String, Value>>,
    /// Ids of the roles of Microsoft Graph that were granted; service principals only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) app_roles: Vec<String>,
    pub(crate) created: WorldTime,
    /// Since when it is soft-deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) deleted: Option<WorldTime>,
}

impl DirectoryEntry {
    pub(crate) fn new(kind: DirectoryKind, body: Map<String, Value>, created: WorldTime) -> Self {
        Self {
            kind,
            body,
            members: Vec::new(),
            owners: Vec::new(),
            secrets: Vec::new(),
            credentials: Vec::new(),
            app_roles: Vec::new(),
            created,
            deleted: None,
        }
    }

    /// A property as text; empty if absent.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.body.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    pub(crate) fn is_live(&self) -> bool {
        self.deleted.is_none()
    }
}

impl World {
    /// The first user, who is the person behind the caller, and the caller's own service principal.
    pub(super) fn furnish_directory(&mut self) {
        if self.directory.len() > 0 {
            return;
        }
        let user = guid_of(&[&self.key, "user"]);
        let body = json!({
            "id": user,
            "accountEnabled": true,
            "displayName": "Emulated user",
            "givenName": "Emulated",
            "surname": "User",
            "mail": "user@example.com",
            "mailNickname": "user",
            "userPrincipalName": "user@example.com",
            "userType": "Member",
        });
        self.insert_entry(user, DirectoryKind::User, body);
        let caller = self.caller.object_id.clone();
        let body = json!({
            "id": caller,
            "accountEnabled": true,
            "appDisplayName": "akson-emulator",
            "appId": self.caller.client_id,
            "appOwnerOrganizationId": self.tenant,
            "displayName": "akson-emulator",
            "servicePrincipalNames": [self.caller.client_id],
            "servicePrincipalType": "Application",
        });
        self.insert_entry(caller, DirectoryKind::ServicePrincipal, body);
    }

    fn insert_entry(&mut self, id: String, kind: DirectoryKind, body: Value) {
        if let Value::Object(body) = body {
            self.directory.insert(id, DirectoryEntry::new(kind, body, WorldTime(0)));
        }
    }
}
