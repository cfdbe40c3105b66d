//! Finding directory objects: stored ones, and service principals that are derived from managed
//! identities and from Microsoft's own applications. Also how far behind a replica is.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::Call;
use super::errors::{self, Outcome};
use super::path::Key;
use crate::clock::WorldTime;
use crate::world::principals::{ManagedIdentity, guid_of};
use crate::world::{DirectoryEntry, DirectoryKind, World};

/// Microsoft's own applications that every tenant has: name, application id, names as a resource.
const FIRST_PARTY: [(&str, &str, &str); 4] = [
    ("Microsoft Graph", "00000003-0000-0000-c000-000000000000", "https://graph.microsoft.com"),
    ("Windows Azure Service Management API", "797f4846-ba00-4fd7-ba43-dac1f8f63013", "https://management.azure.com"),
    ("Azure Key Vault", "cfa8b339-82a2-471a-a3c9-0fc0be7a4093", "https://vault.azure.net"),
    (
        "Azure Kubernetes Service AAD Server",
        "6dae42f8-4368-4678-94ff-3960e28e3630",
        "6dae42f8-4368-4678-94ff-3960e28e3630",
    ),
];

/// An object by its object id, of any kind; soft-deleted ones are not found.
pub(super) fn by_id<'a>(world: &'a World, id: &str) -> Option<Cow<'a, DirectoryEntry>> {
    let id = id.to_ascii_lowercase();
    if let Some(entry) = world.directory.get(&id) {
        return entry.is_live().then_some(Cow::Borrowed(entry));
    }
    if let Some(identity) = world.arm_index().identities.get(&id) {
        return of_identity(world, identity).map(Cow::Owned);
    }
    FIRST_PARTY.iter().map(|row| of_first_party(world, row)).find(|entry| entry.text("id") == id).map(Cow::Owned)
}

/// The object id that a key means, whether or not there is such an object.
pub(super) fn id_of(world: &World, kind: DirectoryKind, key: &Key) -> Outcome<Option<String>> {
    let keys = world.key_index();
    let found = match key {
        Key::Id(id) => {
            let id = id.to_ascii_lowercase();
            if kind == DirectoryKind::User && id.contains('@') { keys.users.get(&id).cloned() } else { Some(id) }
        }
        Key::Named { property, value } => {
            let value = value.to_ascii_lowercase();
            match (kind, property.as_str()) {
                (DirectoryKind::Group | DirectoryKind::Application, "uniqueName") => {
                    keys.unique_names.get(&(kind, value)).cloned()
                }
                (DirectoryKind::User, "userPrincipalName") => keys.users.get(&value).cloned(),
                (DirectoryKind::Application, "appId") => keys.applications.get(&value).cloned(),
                (DirectoryKind::ServicePrincipal, "appId") => {
                    let stored = keys.service_principals.get(&value).cloned();
                    let first_party = || FIRST_PARTY.iter().find(|(_, app, _)| *app == value);
                    stored
                        .or_else(|| world.arm_index().clients.get(&value).cloned())
                        .or_else(|| first_party().map(|row| of_first_party(world, row).text("id").to_owned()))
                }
                _ => {
                    return Err(errors::malformed(format!("The key property '{property}' is not a key of this type.")));
                }
            }
        }
    };
    Ok(found)
}

/// An object of a kind by its key, regardless of replicas.
pub(super) fn by_key<'a>(world: &'a World, kind: DirectoryKind, key: &Key) -> Outcome<Cow<'a, DirectoryEntry>> {
    let shown = match key {
        Key::Id(value) | Key::Named { value, .. } => value,
    };
    let id = id_of(world, kind, key)?;
    let entry = id.and_then(|id| by_id(world, &id)).filter(|entry| entry.kind == kind);
    entry.ok_or_else(|| errors::not_found(shown))
}

/// All objects of a kind, by id.
pub(super) fn all(world: &World, kind: DirectoryKind) -> Vec<Cow<'_, DirectoryEntry>> {
    let stored = world.directory.iter().map(|(_, entry)| entry);
    let mut found: Vec<_> = stored.filter(|entry| entry.kind == kind && entry.is_live()).map(Cow::Borrowed).collect();
    if kind == DirectoryKind::ServicePrincipal {
        let index = world.arm_index();
        let identities = index.identities.values().filter(|identity| !world.directory.contains(&identity.object_id));
        found.extend(identities.filter_map(|identity| of_identity(world, identity)).map(Cow::Owned));
        found.extend(FIRST_PARTY.iter().map(|row| Cow::Owned(of_first_party(world, row))));
        found.sort_by(|left, right| left.text("id").cmp(right.text("id")));
    }
    found
}

/// Whether a read meets a replica that does not know a new object yet.
pub(super) fn is_behind(call: &mut Call<'_>, created: WorldTime) -> bool {
    let lag = call.options.directory_lag;
    created.plus(lag) > call.now && call.state.world.luck.fraction() < 0.4
}

/// The service principal of a managed identity.
fn of_identity(world: &World, identity: &ManagedIdentity) -> Option<DirectoryEntry> {
    let object = world.objects.get(&identity.key)?;
    let names =
        [format!("isExplicit={}", if identity.user_assigned { "True" } else { "False" }), object.id().to_owned()];
    let url = format!("https://identity.azure.net/{}", guid_of(&[&world.key, "url", &identity.object_id]));
    let body = json!({
        "id": identity.object_id,
        "alternativeNames": names,
        "appDisplayName": null,
        "appId": identity.client_id,
        "appOwnerOrganizationId": null,
        "createdDateTime": object.created.to_seconds(),
        "displayName": object.text("name"),
        "servicePrincipalNames": [identity.client_id, url],
        "servicePrincipalType": "ManagedIdentity",
        "signInAudience": null,
    });
    Some(derived(body, object.created))
}

fn of_first_party(world: &World, (name, app_id, resource): &(&str, &str, &str)) -> DirectoryEntry {
    let body = json!({
        "id": guid_of(&[&world.tenant, app_id]),
        "appDisplayName": name,
        "appId": app_id,
        "appOwnerOrganizationId": "f8cdef31-a31e-4b4a-93e4-5f571e91255a",
        "displayName": name,
        "servicePrincipalNames": [resource, app_id],
        "signInAudience": "AzureADMultipleOrgs",
    });
    derived(body, WorldTime(0))
}

fn derived(body: Value, created: WorldTime) -> DirectoryEntry {
    let body = if let Value::Object(body) = body { body } else { serde_json::Map::new() };
    DirectoryEntry::new(DirectoryKind::ServicePrincipal, body, created)
}
