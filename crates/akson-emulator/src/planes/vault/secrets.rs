//! Secrets: every write is a new version; a delete keeps all of them for the vault's retention, and the
//! name with them.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::access::{self, Deed};
use super::refusal::{self, Refused};
use super::{Call, Outcome, Vault, json as answer};
use crate::clock::WorldTime;
use crate::reply;
use crate::world::{DeletedSecret, Secret, SecretValue, SecretVersion, World};

/// Items of a page at most.
const PAGE: usize = 25;

/// Characters of a value at most.
const LONGEST: usize = 25_600;

/// What a write can say about a secret.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) value: Option<String>,
    content_type: Option<String>,
    tags: Option<Map<String, Value>>,
    enabled: Option<bool>,
    not_before: Option<i64>,
    expires: Option<i64>,
}

impl Written {
    /// Reads the fields of a write, wrong ones named. The control plane has the same fields.
    pub(crate) fn read(body: &Map<String, Value>) -> Result<Self, Refused> {
        let bad = |name: &str| refusal::bad_parameter(format!("The parameter {name} is not valid."));
        let text = |name: &str| match body.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(bad(name)),
        };
        let value = text("value")?;
        if value.as_ref().is_some_and(|value| value.chars().count() > LONGEST) {
            return Err(refusal::bad_parameter(format!("The secret value must have at most {LONGEST} characters.")));
        }
        let tags = match body.get("tags") {
            None | Some(Value::Null) => None,
            Some(Value::Object(tags)) if tags.values().all(Value::is_string) && tags.len() <= 15 => Some(tags.clone()),
            Some(_) => return Err(bad("tags")),
        };
        let attributes = match body.get("attributes") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(attributes)) => attributes.clone(),
            Some(_) => return Err(bad("attributes")),
        };
        let number = |name: &str| match attributes.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(number) => number.as_i64().map(Some).ok_or_else(|| bad(name)),
        };
        let enabled = match attributes.get("enabled") {
            None | Some(Value::Null) => None,
            Some(Value::Bool(enabled)) => Some(*enabled),
            Some(_) => return Err(bad("enabled")),
        };
        Ok(Self {
            value,
            content_type: text("contentType")?,
            tags,
            enabled,
            not_before: number("nbf")?,
            expires: number("exp")?,
        })
    }
}

/// The JSON object that a call carries.
fn body(call: &Call<'_>) -> Result<Map<String, Value>, Refused> {
    match serde_json::from_slice(&call.visit.body) {
        Ok(Value::Object(body)) => Ok(body),
        _ => Err(refusal::bad_parameter("The request body is not a valid JSON object.")),
    }
}

/// 1-127 letters, digits and hyphens.
fn check_name(name: &str) -> Result<(), Refused> {
    let fits = (1..=127).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if fits {
        return Ok(());
    }
    Err(refusal::bad_parameter(format!("The request URI contains an invalid name: {name}")))
}

/// Adds a version.
pub(crate) fn write(
    world: &mut World,
    vault: &str,
    name: &str,
    written: Written,
    now: WorldTime,
) -> Result<SecretVersion, Refused> {
    check_name(name)?;
    let key = World::secret_key(vault, name);
    if let Some(secret) = world.secrets.get(&key) {
        if let Some(deleted) = secret.deleted {
            let inner = if now < deleted.ready { "ObjectIsBeingDeleted" } else { "ObjectIsDeletedButRecoverable" };
            return Err(refusal::conflict(name, inner));
        }
        if !secret.is_live(now) {
            return Err(refusal::conflict(name, "ObjectIsBeingRecovered"));
        }
    }
    let Some(value) = written.value else {
        return Err(refusal::bad_parameter("Property value is required."));
    };
    let seconds = now.unix_seconds();
    let version = SecretVersion {
        id: world.dice.hex(2),
        value: SecretValue(value),
        content_type: written.content_type,
        tags: written.tags,
        enabled: written.enabled.unwrap_or(true),
        not_before: written.not_before,
        expires: written.expires,
        created: seconds,
        updated: seconds,
    };
    let added = world.secrets.edit(&key, |secret| secret.versions.push(version.clone()));
    if added.is_none() {
        let secret = Secret { name: name.to_owned(), versions: vec![version.clone()], deleted: None, recovering: None };
        world.secrets.insert(key, secret);
    }
    Ok(version)
}

/// Changes what is not the value.
pub(crate) fn change(version: &mut SecretVersion, written: Written, now: WorldTime) {
    version.content_type = written.content_type.or(version.content_type.take());
    version.tags = written.tags.or(version.tags.take());
    version.enabled = written.enabled.unwrap_or(version.enabled);
    version.not_before = written.not_before.or(version.not_before);
    version.expires = written.expires.or(version.expires);
    version.updated = now.unix_seconds();
}

/// A version as it is shown: `id` with or without the version, never with the value.
fn shown(vault: &Vault, name: &str, version: &SecretVersion, versioned: bool) -> Map<String, Value> {
    let mut attributes = Map::new();
    attributes.insert("enabled".to_owned(), version.enabled.into());
    for (name, moment) in [("nbf", version.not_before), ("exp", version.expires)] {
        if let Some(moment) = moment {
            attributes.insert(name.to_owned(), moment.into());
        }
    }
    attributes.insert("created".to_owned(), version.created.into());
    attributes.insert("updated".to_owned(), version.updated.into());
    attributes.insert("recoveryLevel".to_owned(), vault.recovery_level().into());
    attributes.insert("recoverableDays".to_owned(), vault.retention().into());
    let base = vault.base();
    let id = if versioned { format!("{base}/secrets/{name}/{}", version.id) } else { format!("{base}/secrets/{name}") };
    let mut item = Map::new();
    if let Some(kind) = &version.content_type {
        item.insert("contentType".to_owned(), kind.as_str().into());
    }
    item.insert("id".to_owned(), id.into());
    item.insert("attributes".to_owned(), Value::Object(attributes));
    if let Some(tags) = &version.tags {
        item.insert("tags".to_owned(), Value::Object(tags.clone()));
    }
    item
}

/// The same with the value, which comes first.
fn with_value(vault: &Vault, name: &str, version: &SecretVersion) -> Map<String, Value> {
    let mut item = Map::new();
    item.insert("value".to_owned(), version.value.0.as_str().into());
    item.extend(shown(vault, name, version, true));
    item
}

/// A live secret of the vault.
fn live<'a>(call: &'a Call<'_>, vault: &Vault, name: &str) -> Result<&'a Secret, Refused> {
    let secret = call.state.world.secrets.get(&World::secret_key(&vault.name, name));
    secret.filter(|secret| secret.is_live(call.now)).ok_or_else(|| refusal::not_found(name))
}

/// A soft-deleted secret that can be seen already.
fn deleted<'a>(call: &'a Call<'_>, vault: &Vault, name: &str) -> Option<(&'a Secret, DeletedSecret)> {
    let secret = call.state.world.secrets.get(&World::secret_key(&vault.name, name))?;
    let deleted = secret.deleted.filter(|deleted| deleted.ready <= call.now)?;
    Some((secret, deleted))
}

fn allow(call: &Call<'_>, vault: &Vault, deed: Deed, name: &str) -> Result<(), Refused> {
    access::check(call, vault, deed, Some(name))
}

pub(super) fn get(call: &Call<'_>, vault: &Vault, name: &str, version: Option<&str>) -> Outcome {
    allow(call, vault, access::GET, name)?;
    let secret = live(call, vault, name)?;
    let found = match version {
        None => secret.latest(),
        Some(id) => secret.versions.iter().find(|known| known.id.eq_ignore_ascii_case(id)),
    };
    let found = found.ok_or_else(|| refusal::not_found(&format!("{name}/{}", version.unwrap_or_default())))?;
    if !found.enabled {
        return Err(refusal::disabled());
    }
    Ok(answer(&with_value(vault, &secret.name, found)))
}

/// Every write is a new version, even of the same value.
pub(super) fn set(call: &mut Call<'_>, vault: &Vault, name: &str) -> Outcome {
    allow(call, vault, access::SET, name)?;
    let written = Written::read(&body(call)?)?;
    let version = write(&mut call.state.world, &vault.name, name, written, call.now)?;
    Ok(answer(&with_value(vault, &live(call, vault, name)?.name, &version)))
}

pub(super) fn update(call: &mut Call<'_>, vault: &Vault, name: &str, version: Option<&str>) -> Outcome {
    allow(call, vault, access::UPDATE, name)?;
    let written = Written::read(&body(call)?)?;
    let shown_name = live(call, vault, name)?.name.clone();
    let now = call.now;
    let changed = call.state.world.secrets.edit(&World::secret_key(&vault.name, name), |secret| {
        let found = match version {
            None => secret.versions.last_mut(),
            Some(id) => secret.versions.iter_mut().find(|known| known.id.eq_ignore_ascii_case(id)),
        }?;
        change(found, written, now);
        Some(found.clone())
    });
    let changed = changed.flatten().ok_or_else(|| refusal::not_found(name))?;
    Ok(answer(&shown(vault, &shown_name, &changed, true)))
}

fn show_deleted(vault: &Vault, secret: &Secret, deleted: DeletedSecret, versioned: bool) -> Map<String, Value> {
    let mut item = Map::new();
    item.insert("recoveryId".to_owned(), format!("{}/deletedsecrets/{}", vault.base(), secret.name).into());
    item.insert("deletedDate".to_owned(), deleted.at.unix_seconds().into());
    item.insert("scheduledPurgeDate".to_owned(), deleted.purge.unix_seconds().into());
    if let Some(version) = secret.latest() {
        item.extend(shown(vault, &secret.name, version, versioned));
    }
    item
}

/// All versions go at once; it takes some seconds until they are among the deleted ones.
pub(super) fn delete(call: &mut Call<'_>, vault: &Vault, name: &str) -> Outcome {
    allow(call, vault, access::DELETE, name)?;
    let mut secret = live(call, vault, name)?.clone();
    let now = call.now;
    let world = &mut call.state.world;
    let deleted = DeletedSecret {
        at: now,
        ready: now.plus(Duration::from_secs(world.dice.between(3, 12))),
        purge: now.plus(Duration::from_secs(vault.retention().saturating_mul(86_400))),
    };
    secret.deleted = Some(deleted);
    secret.recovering = None;
    let item = show_deleted(vault, &secret, deleted, true);
    world.secrets.insert(World::secret_key(&vault.name, name), secret);
    Ok(answer(&item))
}

pub(super) fn get_deleted(call: &Call<'_>, vault: &Vault, name: &str) -> Outcome {
    allow(call, vault, access::GET_DELETED, name)?;
    let (secret, deleted) = deleted(call, vault, name).ok_or_else(|| refusal::deleted_not_found(name))?;
    Ok(answer(&show_deleted(vault, secret, deleted, true)))
}

pub(super) fn recover(call: &mut Call<'_>, vault: &Vault, name: &str) -> Outcome {
    allow(call, vault, access::RECOVER, name)?;
    let key = World::secret_key(&vault.name, name);
    let Some(secret) = call.state.world.secrets.get(&key).cloned() else {
        return Err(refusal::deleted_not_found(name));
    };
    if secret.deleted.is_none_or(|deleted| call.now < deleted.ready) {
        return Err(refusal::not_deleted_yet(name));
    }
    let world = &mut call.state.world;
    let until = call.now.plus(Duration::from_secs(world.dice.between(2, 10)));
    world.secrets.edit(&key, |secret| {
        secret.deleted = None;
        secret.recovering = Some(until);
    });
    let item = secret.latest().map(|version| shown(vault, &secret.name, version, true));
    Ok(answer(&item.unwrap_or_default()))
}

pub(super) fn purge(call: &mut Call<'_>, vault: &Vault, name: &str) -> Outcome {
    allow(call, vault, access::PURGE, name)?;
    if deleted(call, vault, name).is_none() {
        return Err(refusal::deleted_not_found(name));
    }
    if vault.flag("enablePurgeProtection") {
        return Err(refusal::purge_protected());
    }
    call.state.world.secrets.remove(&World::secret_key(&vault.name, name));
    Ok(reply::empty(StatusCode::NO_CONTENT))
}

pub(super) fn list(call: &Call<'_>, vault: &Vault) -> Outcome {
    access::check(call, vault, access::LIST, None)?;
    let prefix = World::secret_key(&vault.name, "");
    let rows = call.state.world.secrets.starting_with(&prefix, "").filter(|(_, secret)| secret.is_live(call.now));
    let rows =
        rows.filter_map(|(key, secret)| Some((key.to_owned(), shown(vault, &secret.name, secret.latest()?, false))));
    page(call, vault, rows.collect())
}

pub(super) fn versions(call: &Call<'_>, vault: &Vault, name: &str) -> Outcome {
    allow(call, vault, access::LIST, name)?;
    let secret = live(call, vault, name)?;
    let rows = secret.versions.iter().enumerate();
    let rows = rows.map(|(at, version)| (format!("{at:06}"), shown(vault, &secret.name, version, true)));
    page(call, vault, rows.collect())
}

pub(super) fn list_deleted(call: &Call<'_>, vault: &Vault) -> Outcome {
    access::check(call, vault, access::LIST, None)?;
    let prefix = World::secret_key(&vault.name, "");
    let rows = call.state.world.secrets.starting_with(&prefix, "").filter_map(|(key, secret)| {
        let deleted = secret.deleted.filter(|deleted| deleted.ready <= call.now)?;
        Some((key.to_owned(), show_deleted(vault, secret, deleted, false)))
    });
    page(call, vault, rows.collect())
}

/// Recorded: a page that is the last says so with a null, even if it is full.
fn page(call: &Call<'_>, vault: &Vault, rows: Vec<(String, Map<String, Value>)>) -> Outcome {
    let query = &call.visit.query;
    let size = match query.get("maxresults") {
        None => PAGE,
        Some(text) => text.parse().ok().filter(|size| (1..=PAGE).contains(size)).ok_or_else(|| {
            refusal::bad_parameter(format!("The parameter maxresults must be a number between 1 and {PAGE}."))
        })?,
    };
    let after = match query.get("$skiptoken") {
        None => String::new(),
        Some(token) => URL_SAFE_NO_PAD
            .decode(token)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or_else(|| refusal::bad_parameter("The parameter $skiptoken is not valid."))?,
    };
    let mut rest = rows.into_iter().filter(|(key, _)| *key > after);
    let mut last = String::new();
    let mut value = Vec::new();
    for (key, item) in rest.by_ref().take(size) {
        last = key;
        value.push(Value::Object(item));
    }
    let next_link = rest.next().map(|_| {
        let version = query.get("api-version").unwrap_or_default();
        let token = URL_SAFE_NO_PAD.encode(&last);
        let path = call.visit.path.trim_end_matches('/');
        format!("{}:443{path}?api-version={version}&$skiptoken={token}&maxresults={size}", vault.base())
    });
    Ok(answer(&json!({ "value": value, "nextLink": next_link })))
}
