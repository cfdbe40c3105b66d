//! Secrets at their vault's own endpoint: only what writes and deletes. They are read as ARM shows them, without values.

use serde_json::{Map, Value};

use crate::{Action, Audience, Cloud, Operation};

/// The data plane's version.
const VERSION: &str = "7.4";

/// A secret at its vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretAt {
    host: String,
    name: String,
}

impl SecretAt {
    /// Where a secret of this ARM id is. None for the id of something else.
    pub fn of(id: &str, cloud: &Cloud) -> Option<Self> {
        let segments: Vec<&str> = id.split('/').collect();
        match segments.as_slice() {
            [.., vaults, vault, secrets, name]
                if vaults.eq_ignore_ascii_case("vaults") && secrets.eq_ignore_ascii_case("secrets") =>
            {
                Some(Self { host: format!("{}.{}", vault.to_ascii_lowercase(), cloud.vault), name: (*name).to_owned() })
            }
            _ => None,
        }
    }

    /// Writes a new version, with its value.
    pub fn put(&self, shown: &Value) -> Operation {
        Operation::put(&format!("/secrets/{}", self.name), VERSION, body(shown)).at_host(Audience::KeyVault, &self.host)
    }

    /// Changes what stands beside the value of a version.
    pub fn patch(&self, version: &str, shown: &Value) -> Operation {
        Operation::patch(&format!("/secrets/{}/{version}", self.name), VERSION, body(shown))
            .at_host(Audience::KeyVault, &self.host)
    }

    /// Deletes it, softly.
    pub fn delete(&self) -> Operation {
        Operation::delete(&format!("/secrets/{}", self.name), VERSION).at_host(Audience::KeyVault, &self.host)
    }

    /// Reads what is known of it while it is soft-deleted; that is without a value.
    pub fn deleted(&self) -> Operation {
        Operation::get(&format!("/deletedsecrets/{}", self.name), VERSION).at_host(Audience::KeyVault, &self.host)
    }

    /// Brings it back from soft deletion.
    pub fn recover(&self) -> Operation {
        Operation::action(&format!("/deletedsecrets/{}", self.name), Action::Recover, VERSION)
            .at_host(Audience::KeyVault, &self.host)
    }
}

/// The version that ARM shows of a secret.
pub fn version_of(shown: &Value) -> Option<&str> {
    let uri = shown.pointer("/properties/secretUriWithVersion")?.as_str()?;
    uri.rsplit('/').next().filter(|version| !version.is_empty())
}

/// From the form that ARM has of a secret to the one that its vault takes.
fn body(shown: &Value) -> Value {
    let mut body = Map::new();
    for key in ["value", "contentType", "attributes"] {
        if let Some(value) = shown.pointer(&format!("/properties/{key}")) {
            body.insert(key.to_owned(), value.clone());
        }
    }
    if let Some(tags) = shown.get("tags") {
        body.insert("tags".to_owned(), tags.clone());
    }
    Value::Object(body)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails should say where")]
    use serde_json::json;

    use super::*;
    use crate::RequestIds;

    const ID: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/Kv-App/secrets/Db";

    #[track_caller]
    fn check(operation: &Operation, line: &str) {
        let request = operation.request(&Cloud::PUBLIC, &RequestIds::default()).unwrap();
        assert_eq!(format!("{} {}", request.method(), request.uri()), line);
    }

    #[test]
    fn requests_go_to_the_vault() {
        let secret = SecretAt::of(ID, &Cloud::PUBLIC).unwrap();
        check(&secret.put(&json!({})), "PUT https://kv-app.vault.azure.net/secrets/Db?api-version=7.4");
        check(&secret.patch("v1", &json!({})), "PATCH https://kv-app.vault.azure.net/secrets/Db/v1?api-version=7.4");
        check(&secret.delete(), "DELETE https://kv-app.vault.azure.net/secrets/Db?api-version=7.4");
        check(&secret.deleted(), "GET https://kv-app.vault.azure.net/deletedsecrets/Db?api-version=7.4");
        check(&secret.recover(), "POST https://kv-app.vault.azure.net/deletedsecrets/Db/recover?api-version=7.4");
        assert_eq!(SecretAt::of(ID.trim_end_matches("/secrets/Db"), &Cloud::PUBLIC), None);
    }

    #[test]
    fn a_body_is_what_the_vault_takes() {
        let shown = json!({"properties": {"value": "x", "contentType": "t", "attributes": {"enabled": true}, "secretUri": "u"},
            "tags": {"a": "b"}, "location": "l"});
        let wanted = json!({"value": "x", "contentType": "t", "attributes": {"enabled": true}, "tags": {"a": "b"}});
        assert_eq!(SecretAt::of(ID, &Cloud::PUBLIC).unwrap().put(&shown).body(), Some(&wanted));
        let shown = json!({"properties": {"secretUriWithVersion": "https://v.vault.azure.net/secrets/Db/0f"}});
        assert_eq!(version_of(&shown), Some("0f"));
        assert_eq!(version_of(&json!({})), None);
    }
}
