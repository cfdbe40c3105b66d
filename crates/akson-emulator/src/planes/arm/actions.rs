//! Actions on objects whose types have no other rules of their own: keys, credentials, drafts, who uses what.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest, Sha512};

use super::{Call, body, network};
use crate::errors::{self, Outcome};
use crate::id::ResourceId;
use crate::reply;
use crate::world::Object;

/// Does an action, if it is one of those known here.
pub(super) fn of(call: &mut Call<'_>, id: &ResourceId, action: &str) -> Option<Outcome> {
    let action = action.to_ascii_lowercase();
    let known: fn(&mut Call<'_>, &ResourceId) -> Outcome = match (id.type_key().as_str(), action.as_str()) {
        ("microsoft.storage/storageaccounts", "listkeys") => storage_keys,
        ("microsoft.storage/storageaccounts", "regeneratekey") => new_storage_key,
        ("microsoft.containerregistry/registries", "listcredentials") => registry_passwords,
        ("microsoft.containerregistry/registries", "regeneratecredential") => new_registry_password,
        ("microsoft.managedidentity/userassignedidentities", "listassociatedresources") => users_of_identity,
        ("microsoft.operationalinsights/workspaces", "schema") => workspace_schema,
        ("microsoft.network/firewallpolicies", "deploy") => network::deploy_drafts,
        _ => return None,
    };
    if !call.state.world.objects.contains(id.key()) {
        return Some(Err(errors::resource_not_found(id)));
    }
    Some(known(call, id))
}

fn object(call: &Call<'_>, id: &ResourceId) -> Result<Object, errors::Refusal> {
    call.state.world.objects.get(id.key()).cloned().ok_or_else(|| errors::resource_not_found(id))
}

/// A secret that follows from the world's key and from how often it was made anew, so that nobody has to keep it.
fn secret(call: &Call<'_>, id: &ResourceId, name: &str) -> String {
    let digest = Sha512::new();
    let turn = turns(call, id, name).to_string();
    let parts = [call.state.world.key.as_str(), "key", id.key(), name, &turn];
    let digest = parts.iter().fold(digest, |digest, part| digest.chain_update(part).chain_update("\n"));
    STANDARD.encode(digest.finalize())
}

fn turn_key(id: &ResourceId, name: &str) -> String {
    format!("{}/keys/{}", id.key(), name.to_ascii_lowercase())
}

/// How often a secret was made anew.
fn turns(call: &Call<'_>, id: &ResourceId, name: &str) -> u64 {
    let kept = call.state.world.objects.get(&turn_key(id, name));
    kept.and_then(|kept| kept.body.get("turns")).and_then(Value::as_u64).unwrap_or(0)
}

fn turn(call: &mut Call<'_>, id: &ResourceId, name: &str) {
    let turns = turns(call, id, name).saturating_add(1);
    let body = json!({ "id": format!("{}/keys/{name}", id.as_written()), "name": name, "turns": turns });
    if let Value::Object(body) = body {
        let kind = format!("{}/keys", id.type_key());
        call.state.world.objects.insert(turn_key(id, name), Object::new(kind, body, call.now));
    }
}

/// The name of the secret that is to be made anew, out of those that there are.
fn asked_name(call: &Call<'_>, field: &str, names: &[&'static str]) -> Result<&'static str, errors::Refusal> {
    let asked = body::read(call)?;
    let name = asked.get(field).and_then(Value::as_str).unwrap_or_default();
    let known = names.iter().find(|known| known.eq_ignore_ascii_case(name));
    known.copied().ok_or_else(|| errors::bad_request(format!("The value '{name}' of '{field}' is not valid.")))
}

const STORAGE_KEYS: [&str; 2] = ["key1", "key2"];

fn storage_keys(call: &mut Call<'_>, id: &ResourceId) -> Outcome {
    let created = object(call, id)?.created.to_string();
    let key = |name: &&str| json!({ "creationTime": created, "keyName": name, "value": secret(call, id, name), "permissions": "FULL" });
    let keys: Vec<Value> = STORAGE_KEYS.iter().map(key).collect();
    Ok(reply::json(StatusCode::OK, &json!({ "keys": keys })))
}

fn new_storage_key(call: &mut Call<'_>, id: &ResourceId) -> Outcome {
    let name = asked_name(call, "keyName", &STORAGE_KEYS)?;
    turn(call, id, name);
    storage_keys(call, id)
}

const PASSWORDS: [&str; 2] = ["password", "password2"];

fn registry_passwords(call: &mut Call<'_>, id: &ResourceId) -> Outcome {
    let registry = object(call, id)?;
    let admin = registry.properties().and_then(|properties| properties.get("adminUserEnabled"));
    if admin != Some(&json!(true)) {
        let message = format!("The admin user is disabled for registry '{}'.", id.name());
        return Err(errors::Refusal::provider(StatusCode::BAD_REQUEST, "AdminUserDisabled", message));
    }
    let password = |name: &&str| json!({ "name": name, "value": secret(call, id, name) });
    let passwords: Vec<Value> = PASSWORDS.iter().map(password).collect();
    Ok(reply::json(StatusCode::OK, &json!({ "username": registry.text("name"), "passwords": passwords })))
}

fn new_registry_password(call: &mut Call<'_>, id: &ResourceId) -> Outcome {
    let name = asked_name(call, "name", &PASSWORDS)?;
    turn(call, id, name);
    registry_passwords(call, id)
}

/// What has an identity assigned.
fn users_of_identity(call: &mut Call<'_>, id: &ResourceId) -> Outcome {
    object(call, id)?;
    let uses = |object: &Object| {
        let assigned = object.body.get("identity").and_then(|identity| identity.get("userAssignedIdentities"));
        assigned.and_then(Value::as_object).is_some_and(|all| all.keys().any(|one| one.eq_ignore_ascii_case(id.key())))
    };
    let users = call.state.world.objects.iter().filter(|(_, object)| uses(object)).map(|(_, object)| {
        let part = |at: usize| object.id().split('/').nth(at).unwrap_or_default().to_owned();
        json!({
            "id": object.id(), "name": object.text("name"), "type": object.text("type"),
            "resourceGroup": part(4), "subscriptionId": part(2), "subscriptionDisplayName": "",
        })
    });
    let users: Vec<Value> = users.collect();
    Ok(reply::json(StatusCode::OK, &json!({ "totalCount": users.len(), "value": users })))
}

/// The columns that the logs of every workspace have.
fn workspace_schema(call: &mut Call<'_>, id: &ResourceId) -> Outcome {
    object(call, id)?;
    let columns = [("TenantId", "Guid"), ("TimeGenerated", "DateTime"), ("Type", "String"), ("_ResourceId", "String")];
    let column = |(name, kind): &(&str, &str)| {
        json!({
            "name": name, "displayName": name, "type": kind, "indexed": false, "stored": false, "facet": false,
            "hidden": false, "display": true, "ownerType": ["Usage", "Heartbeat"],
        })
    };
    let metadata = json!({ "schema": { "name": "CloudOps", "version": 2 }, "resultType": "schema", "requestTime": 1 });
    let value: Vec<Value> = columns.iter().map(column).collect();
    Ok(reply::json(StatusCode::OK, &json!({ "__metadata": metadata, "value": value })))
}
