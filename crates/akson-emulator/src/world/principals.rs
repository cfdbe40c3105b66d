//! Who there is: users, groups and service principals of the directory, the caller, and the managed
//! identities that ARM objects have. What a principal may do is not known here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Cached, DirectoryEntry, DirectoryKind, Object, World};
use crate::clock::WorldTime;

/// What a principal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PrincipalKind {
    User,
    Group,
    ServicePrincipal,
}

/// Somebody who can be given rights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Principal {
    pub(crate) object_id: String,
    pub(crate) kind: PrincipalKind,
    /// Service principals only.
    pub(crate) app_id: Option<String>,
    /// The name shown to people; of a user the principal name.
    pub(crate) name: String,
    /// When it was made: other services learn of it later.
    pub(crate) since: WorldTime,
}

/// The managed identity of an ARM object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ManagedIdentity {
    pub(crate) object_id: String,
    pub(crate) client_id: String,
    /// The key of the ARM object.
    pub(crate) key: String,
    /// Whether the object is the identity itself, and does not merely have one.
    pub(crate) user_assigned: bool,
}

/// What ARM objects say about identities and clusters.
#[derive(Debug, Default)]
pub(crate) struct ArmIndex {
    /// By object id.
    pub(crate) identities: BTreeMap<String, ManagedIdentity>,
    /// Object ids by client id.
    pub(crate) clients: BTreeMap<String, String>,
    /// Keys of managed clusters by the host of their API server.
    pub(crate) api_servers: BTreeMap<String, String>,
    /// Keys of all managed clusters.
    pub(crate) clusters: BTreeSet<String>,
}

/// The alternate keys of directory objects, soft-deleted ones left out but for unique names, which
/// stay taken.
#[derive(Debug, Default)]
pub(crate) struct KeyIndex {
    /// By kind and name in lower case.
    pub(crate) unique_names: BTreeMap<(DirectoryKind, String), String>,
    /// By principal name in lower case.
    pub(crate) users: BTreeMap<String, String>,
    pub(crate) applications: BTreeMap<String, String>,
    pub(crate) service_principals: BTreeMap<String, String>,
}

/// Everything that is derived from the rows.
#[derive(Debug, Default)]
pub(crate) struct Indexes {
    arm: Cached<ArmIndex>,
    keys: Cached<KeyIndex>,
    member_of: Cached<BTreeMap<String, Vec<String>>>,
}

/// A GUID that depends on texts alone.
pub(crate) fn guid_of(parts: &[&str]) -> String {
    let digest = parts.iter().fold(Sha256::new(), |digest, part| digest.chain_update(part).chain_update("\n"));
    let hex: String = digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

impl World {
    /// A principal by its object id; case does not matter.
    pub(crate) fn principal(&self, object_id: &str) -> Option<Principal> {
        let object_id = object_id.to_ascii_lowercase();
        if let Some(entry) = self.directory.get(&object_id).filter(|entry| entry.is_live()) {
            return of_entry(object_id, entry);
        }
        if let Some(identity) = self.arm_index().identities.get(&object_id) {
            let object = self.objects.get(&identity.key)?;
            return Some(Principal {
                object_id,
                kind: PrincipalKind::ServicePrincipal,
                app_id: Some(identity.client_id.clone()),
                name: object.text("name").to_owned(),
                since: object.created,
            });
        }
        (object_id == self.caller.object_id).then(|| Principal {
            object_id,
            kind: PrincipalKind::ServicePrincipal,
            app_id: Some(self.caller.client_id.clone()),
            name: "akson-emulator".to_owned(),
            since: WorldTime(0),
        })
    }

    /// The groups that somebody is a member of, directly or by way of other groups; sorted.
    pub(crate) fn groups_of(&self, object_id: &str) -> Vec<String> {
        let member_of = self.indexes.member_of.get(self.directory.revision(), || {
            let mut member_of: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for (group, entry) in self.directory.iter().filter(|(_, entry)| entry.is_live()) {
                for member in &entry.members {
                    member_of.entry(member.clone()).or_default().push(group.to_owned());
                }
            }
            member_of
        });
        let mut found = BTreeSet::new();
        let mut open = vec![object_id.to_ascii_lowercase()];
        while let Some(next) = open.pop() {
            for group in member_of.get(&next).into_iter().flatten() {
                if found.insert(group.clone()) {
                    open.push(group.clone());
                }
            }
        }
        found.into_iter().collect()
    }

    pub(crate) fn arm_index(&self) -> Arc<ArmIndex> {
        self.indexes.arm.get(self.objects.revision(), || {
            let mut index = ArmIndex::default();
            for (key, object) in self.objects.iter() {
                index.add(&self.key, key, object);
            }
            index
        })
    }

    pub(crate) fn key_index(&self) -> Arc<KeyIndex> {
        self.indexes.keys.get(self.directory.revision(), || {
            let mut index = KeyIndex::default();
            for (id, entry) in self.directory.iter() {
                index.add(id, entry);
            }
            index
        })
    }
}

impl ArmIndex {
    fn add(&mut self, seed: &str, key: &str, object: &Object) {
        if object.type_key == "microsoft.managedidentity/userassignedidentities" {
            let id = object.property("principalId").to_ascii_lowercase();
            self.add_identity(id, object.property("clientId").to_ascii_lowercase(), key, true);
        }
        let system_assigned = object.body.get("identity").and_then(|identity| identity.get("principalId"));
        if let Some(id) = system_assigned.and_then(Value::as_str) {
            let id = id.to_ascii_lowercase();
            // ARM does not tell the client id of such an identity; Graph does.
            let client = guid_of(&[seed, "client", &id]);
            self.add_identity(id, client, key, false);
        }
        if object.type_key == "microsoft.containerservice/managedclusters" {
            self.clusters.insert(key.to_owned());
            for name in ["fqdn", "privateFQDN"] {
                let host = object.property(name);
                if !host.is_empty() {
                    self.api_servers.insert(host.to_ascii_lowercase(), key.to_owned());
                }
            }
        }
    }

    fn add_identity(&mut self, object_id: String, client_id: String, key: &str, user_assigned: bool) {
        if object_id.is_empty() {
            return;
        }
        self.clients.insert(client_id.clone(), object_id.clone());
        let identity = ManagedIdentity { object_id: object_id.clone(), client_id, key: key.to_owned(), user_assigned };
        self.identities.insert(object_id, identity);
    }
}

impl KeyIndex {
    fn add(&mut self, id: &str, entry: &DirectoryEntry) {
        let unique = entry.text("uniqueName");
        if !unique.is_empty() {
            self.unique_names.insert((entry.kind, unique.to_ascii_lowercase()), id.to_owned());
        }
        if !entry.is_live() {
            return;
        }
        let (keys, name) = match entry.kind {
            DirectoryKind::User => (&mut self.users, "userPrincipalName"),
            DirectoryKind::Application => (&mut self.applications, "appId"),
            DirectoryKind::ServicePrincipal => (&mut self.service_principals, "appId"),
            DirectoryKind::Group => return,
        };
        keys.insert(entry.text(name).to_ascii_lowercase(), id.to_owned());
    }
}

/// Applications are no principals.
fn of_entry(object_id: String, entry: &DirectoryEntry) -> Option<Principal> {
    let (kind, name, app_id) = match entry.kind {
        DirectoryKind::User => (PrincipalKind::User, "userPrincipalName", None),
        DirectoryKind::Group => (PrincipalKind::Group, "displayName", None),
        DirectoryKind::ServicePrincipal => {
            (PrincipalKind::ServicePrincipal, "displayName", Some(entry.text("appId").to_owned()))
        }
        DirectoryKind::Application => return None,
    };
    Some(Principal { object_id, kind, app_id, name: entry.text(name).to_owned(), since: entry.created })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use serde_json::json;

    use super::*;

    fn group(world: &mut World, id: &str, members: &[&str]) {
        let Value::Object(body) = json!({ "id": id, "displayName": id }) else { return };
        let mut entry = DirectoryEntry::new(DirectoryKind::Group, body, WorldTime(5));
        entry.members = members.iter().map(|member| (*member).to_owned()).collect();
        world.directory.insert(id.to_owned(), entry);
    }

    #[test]
    fn groups_are_transitive_and_may_be_circular() {
        let mut world = World::new(1, WorldTime::EPOCH);
        group(&mut world, "a", &["u", "c"]);
        group(&mut world, "b", &["a"]);
        group(&mut world, "c", &["b"]);
        group(&mut world, "d", &["x"]);
        assert_eq!(world.groups_of("U"), ["a", "b", "c"]);
        assert_eq!(world.groups_of("a"), ["a", "b", "c"]);
        world.undo();
        assert!(world.groups_of("u").is_empty(), "what was derived is out of date");
    }

    #[test]
    fn principals_of_every_kind() {
        let mut world = World::new(1, WorldTime::EPOCH);
        group(&mut world, "g", &[]);
        let put = |world: &mut World, key: &str, type_key: &str, body: Value| {
            let Value::Object(body) = body else { return };
            world.objects.insert(key.to_owned(), Object::new(type_key.to_owned(), body, WorldTime(7)));
        };
        put(
            &mut world,
            "/i",
            "microsoft.managedidentity/userassignedidentities",
            json!({ "name": "web", "properties": { "principalId": "P", "clientId": "C" } }),
        );
        put(
            &mut world,
            "/v",
            "a.b/c",
            json!({ "name": "with", "identity": { "type": "SystemAssigned", "principalId": "s" } }),
        );
        let caller = world.caller.object_id.clone();
        let found = |id: &str| world.principal(id).map(|found| (found.kind, found.name, found.since.0));
        assert_eq!(found("G"), Some((PrincipalKind::Group, "g".to_owned(), 5)));
        assert_eq!(found("p"), Some((PrincipalKind::ServicePrincipal, "web".to_owned(), 7)));
        assert_eq!(found("s"), Some((PrincipalKind::ServicePrincipal, "with".to_owned(), 7)));
        assert_eq!(found(&caller), Some((PrincipalKind::ServicePrincipal, "akson-emulator".to_owned(), 0)));
        assert_eq!(found("nobody"), None);
        assert_eq!(world.principal("p").unwrap().app_id.as_deref(), Some("c"));
        let user = guid_of(&[&world.key, "user"]);
        assert_eq!(found(&user), Some((PrincipalKind::User, "user@example.com".to_owned(), 0)));
    }
}
