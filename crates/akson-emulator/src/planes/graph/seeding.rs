//! Raw directory objects put into the world from outside: groups, users, applications, service
//! principals. They are recognised by `@odata.type`, else by the properties that only they have.

use serde_json::{Map, Value, json};

use super::shape;
use crate::clock::WorldTime;
use crate::world::principals::guid_of;
use crate::world::{AppSecret, DirectoryEntry, DirectoryKind, World};

/// What an object is; `None` if it is not of the directory.
pub(crate) fn kind_of(body: &Map<String, Value>) -> Option<DirectoryKind> {
    if let Some(name) = body.get("@odata.type").and_then(Value::as_str) {
        return match name.trim_start_matches("#microsoft.graph.") {
            "user" => Some(DirectoryKind::User),
            "group" => Some(DirectoryKind::Group),
            "application" => Some(DirectoryKind::Application),
            "servicePrincipal" => Some(DirectoryKind::ServicePrincipal),
            _ => None,
        };
    }
    let has = |name: &str| body.contains_key(name);
    if has("type") || body.get("id").and_then(Value::as_str).is_some_and(|id| id.starts_with('/')) {
        return None;
    }
    if has("userPrincipalName") {
        Some(DirectoryKind::User)
    } else if has("securityEnabled") || has("mailEnabled") || has("groupTypes") || has("members") {
        Some(DirectoryKind::Group)
    } else if has("servicePrincipalType") || has("servicePrincipalNames") {
        Some(DirectoryKind::ServicePrincipal)
    } else if has("appId") || has("signInAudience") || has("identifierUris") {
        Some(DirectoryKind::Application)
    } else {
        None
    }
}

/// Puts an object into the directory, over what is there. What members and owners are named that are
/// not there is left to [`link`].
pub(crate) fn put(world: &mut World, kind: DirectoryKind, mut body: Map<String, Value>, now: WorldTime) -> String {
    let name = ["uniqueName", "userPrincipalName", "appId", "displayName"]
        .iter()
        .find_map(|name| body.get(*name).and_then(Value::as_str));
    let made_up = guid_of(&[&world.key, shape::set(kind), name.unwrap_or_default()]);
    let id = body.get("id").and_then(Value::as_str).map_or(made_up, str::to_ascii_lowercase);
    let named = |body: &mut Map<String, Value>, property: &str| -> Vec<String> {
        match body.remove(property) {
            Some(Value::Array(list)) => list.iter().filter_map(name_of).collect(),
            _ => Vec::new(),
        }
    };
    let (members, owners) = (named(&mut body, "members"), named(&mut body, "owners"));
    let credentials = match body.remove("federatedIdentityCredentials") {
        Some(Value::Array(list)) => list.into_iter().filter_map(|value| value.as_object().cloned()).collect(),
        _ => Vec::new(),
    };
    let secrets = passwords(&mut body, now);
    let app_roles = match body.remove("appRoleAssignments") {
        Some(Value::Array(list)) => {
            list.iter().filter_map(|role| role.get("appRoleId")?.as_str()).map(str::to_ascii_lowercase).collect()
        }
        _ => Vec::new(),
    };
    body.retain(|property, _| !property.contains('@'));
    body.insert("id".to_owned(), id.as_str().into());
    let text =
        |body: &Map<String, Value>, name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    match kind {
        DirectoryKind::Group => {
            let nickname: String = text(&body, "displayName").chars().filter(char::is_ascii_alphanumeric).collect();
            body.entry("mailNickname").or_insert_with(|| nickname.into());
            body.entry("securityIdentifier").or_insert_with(|| shape::security_identifier(&id).into());
        }
        DirectoryKind::User => {
            let principal = text(&body, "userPrincipalName");
            let nickname = principal.split('@').next().unwrap_or_default().to_owned();
            body.entry("displayName").or_insert_with(|| nickname.as_str().into());
            body.entry("mailNickname").or_insert_with(|| nickname.into());
        }
        DirectoryKind::Application => {
            let app_id = guid_of(&[&world.key, "appId", &id]);
            body.entry("appId").or_insert_with(|| app_id.into());
        }
        DirectoryKind::ServicePrincipal => {
            let app_id = guid_of(&[&world.key, "appId", &id]);
            let app_id = body.entry("appId").or_insert_with(|| app_id.into()).clone();
            body.entry("servicePrincipalNames").or_insert_with(|| json!([app_id]));
            let name = text(&body, "displayName");
            body.entry("appDisplayName").or_insert_with(|| name.into());
        }
    }
    body.entry("createdDateTime").or_insert_with(|| now.to_seconds().into());
    // What is seeded has been there for a while: no replica lacks it.
    let mut entry = DirectoryEntry::new(kind, body, WorldTime(0));
    entry.members = members;
    entry.owners = owners;
    entry.credentials = credentials;
    entry.secrets = secrets;
    entry.app_roles = app_roles;
    world.directory.insert(id.clone(), entry);
    id
}

/// Passwords that are given with their text, which Graph shows once and then never again.
fn passwords(body: &mut Map<String, Value>, now: WorldTime) -> Vec<AppSecret> {
    const LIFE: std::time::Duration = std::time::Duration::from_secs(10 * 365 * 24 * 3600);
    let Some(Value::Array(list)) = body.get_mut("passwordCredentials") else { return Vec::new() };
    let secrets = list.iter_mut().enumerate().filter_map(|(number, credential)| {
        let text = credential.as_object_mut()?.remove("secretText")?.as_str()?.to_owned();
        let key_id = credential.get("keyId").and_then(Value::as_str);
        let key_id = key_id.map_or_else(|| guid_of(&[&text, &number.to_string()]), str::to_owned);
        credential["keyId"] = key_id.as_str().into();
        Some(AppSecret { key_id, text, ends: now.plus(LIFE) })
    });
    secrets.collect()
}

/// A member as a text, or as an object with an id or principal name.
fn name_of(value: &Value) -> Option<String> {
    let text =
        value.as_str().or_else(|| value.get("id")?.as_str()).or_else(|| value.get("userPrincipalName")?.as_str());
    text.map(str::to_ascii_lowercase)
}

/// Turns principal names among members and owners into object ids; users that are not there are made up.
pub(crate) fn link(world: &mut World, id: &str, now: WorldTime) {
    let Some(entry) = world.directory.get(id) else { return };
    let (members, owners) = (entry.members.clone(), entry.owners.clone());
    let resolve = |world: &mut World, names: Vec<String>| -> Vec<String> {
        let mut ids: Vec<String> = Vec::with_capacity(names.len());
        for name in names {
            let id = if name.contains('@') {
                let known = world.key_index().users.get(&name).cloned();
                known.unwrap_or_else(|| {
                    let mut body = Map::new();
                    body.insert("userPrincipalName".to_owned(), name.into());
                    put(world, DirectoryKind::User, body, now)
                })
            } else {
                name
            };
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids
    };
    let members = resolve(world, members);
    let owners = resolve(world, owners);
    world.directory.edit(id, |entry| {
        entry.members = members;
        entry.owners = owners;
    });
}
