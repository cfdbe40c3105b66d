//! A secret of a vault with its versions. Values are kept here and in the world's file, and nowhere are
//! they printed; the rules stand in `planes::vault`.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::World;
use crate::clock::WorldTime;

/// A secret's value.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct SecretValue(pub(crate) String);

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretValue")
    }
}

/// One version of a secret. Times are seconds since 1970.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SecretVersion {
    /// 32 hexadecimal digits.
    pub(crate) id: String,
    pub(crate) value: SecretValue,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) content_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tags: Option<Map<String, Value>>,
    pub(crate) enabled: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) not_before: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expires: Option<i64>,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

/// Since when a secret is soft-deleted.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct DeletedSecret {
    pub(crate) at: WorldTime,
    /// When it can be seen among the deleted ones, recovered and purged.
    pub(crate) ready: WorldTime,
    /// When it is purged by itself.
    pub(crate) purge: WorldTime,
}

/// A secret, live or soft-deleted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Secret {
    /// As it was first written.
    pub(crate) name: String,
    /// Oldest first; never empty.
    pub(crate) versions: Vec<SecretVersion>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) deleted: Option<DeletedSecret>,
    /// Until when it is being recovered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) recovering: Option<WorldTime>,
}

impl Secret {
    pub(crate) fn latest(&self) -> Option<&SecretVersion> {
        self.versions.last()
    }

    /// Whether it can be read: neither deleted nor still being recovered.
    pub(crate) fn is_live(&self, now: WorldTime) -> bool {
        self.deleted.is_none() && self.recovering.is_none_or(|until| until <= now)
    }
}

impl World {
    /// The key of a secret.
    pub(crate) fn secret_key(vault: &str, name: &str) -> String {
        format!("{}/{}", vault.to_ascii_lowercase(), name.to_ascii_lowercase())
    }

    /// Forgets everything that was in a vault.
    pub(crate) fn forget_secrets(&mut self, vault: &str) {
        for key in self.secrets.keys_below(&vault.to_ascii_lowercase()) {
            self.secrets.remove(&key);
        }
    }
}
