//! `Microsoft.KeyVault/vaults/secrets`: the secrets of a vault as ARM shows them, without values. A PUT
//! writes a version; nothing can be deleted here.

use std::borrow::Cow;

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::body::{self, Body};
use super::path::Collection;
use super::types::{ArmType, Spelling};
use super::{Call, list, vault};
use crate::clock::WorldTime;
use crate::errors::{self, Outcome, Refusal};
use crate::id::ResourceId;
use crate::planes::vault::{Refused, Written, change, write};
use crate::reply::{self, Answer};
use crate::world::{Object, Secret, World};

const TYPE: &str = "Microsoft.KeyVault/vaults/secrets";
pub(super) const TYPE_KEY: &str = "microsoft.keyvault/vaults/secrets";

pub(super) struct Secrets;

impl ArmType for Secrets {
    fn spelling(&self) -> Spelling {
        Spelling::Groups(TYPE)
    }

    fn stamp(&self, answer: Answer) -> Answer {
        vault::stamped(answer)
    }

    fn get(&self, call: &mut Call<'_>, id: &ResourceId) -> Outcome {
        shown(&call.state.world, id.key(), call.now)
            .map(|body| reply::json(StatusCode::OK, &body))
            .ok_or_else(|| self.missing(id))
    }

    fn put(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        let written = written(&body::read(call)?)?;
        let (vault, now) = (vault_of(id), call.now);
        let existed = shown(&call.state.world, id.key(), now).is_some();
        write(&mut call.state.world, &vault, id.name(), written, now).map_err(refusal)?;
        let body = shown(&call.state.world, id.key(), now).ok_or_else(|| self.missing(id))?;
        Ok(reply::json(if existed { StatusCode::OK } else { StatusCode::CREATED }, &body))
    }

    /// With a value a new version, else a change of the latest.
    fn patch(&self, call: &mut Call<'_>, id: &ResourceId, _version: &str) -> Outcome {
        let written = written(&body::read(call)?)?;
        let (vault, now) = (vault_of(id), call.now);
        if shown(&call.state.world, id.key(), now).is_none() {
            return Err(self.missing(id));
        }
        if written.value.is_some() {
            write(&mut call.state.world, &vault, id.name(), written, now).map_err(refusal)?;
        } else {
            call.state.world.secrets.edit(&World::secret_key(&vault, id.name()), |secret| {
                if let Some(version) = secret.versions.last_mut() {
                    change(version, written, now);
                }
            });
        }
        self.get(call, id)
    }

    fn delete(&self, call: &mut Call<'_>, _id: &ResourceId, _version: &str) -> Outcome {
        Err(errors::method_not_allowed(call.visit.method.as_str()))
    }

    fn list(&self, call: &mut Call<'_>, collection: &Collection, _version: &str) -> Outcome {
        let Some(parent) = &collection.parent else {
            return Err(errors::no_such_path(&call.visit.path));
        };
        let prefix = format!("{}/secrets/", parent.key());
        let after = list::start(call)?;
        let rows: Vec<(String, Map<String, Value>)> =
            all(&call.state.world, call.now).filter(|(key, _)| key.starts_with(&prefix) && *key > after).collect();
        Ok(list::page(call, rows.iter().map(|(key, row)| (key.as_str(), Cow::Borrowed(row)))))
    }

    fn place(&self, world: &mut World, id: &ResourceId, body: &Body, now: WorldTime) -> bool {
        let mut written = written(body).unwrap_or_default();
        written.value.get_or_insert_with(|| "made up".to_owned());
        let key = World::secret_key(&vault_of(id), id.name());
        if world.secrets.get(&key).is_some_and(|secret| !secret.is_live(now)) {
            world.secrets.remove(&key);
        }
        write(world, &vault_of(id), id.name(), written, now).is_ok()
    }
}

fn vault_of(id: &ResourceId) -> String {
    id.steps.first().map(|step| step.name.clone()).unwrap_or_default()
}

/// The fields of a write, which ARM has under `properties`, the tags beside it.
fn written(body: &Body) -> Result<Written, Refusal> {
    let mut flat = body::properties(body)?;
    if let Some(tags) = body.get("tags") {
        flat.insert("tags".to_owned(), tags.clone());
    }
    Written::read(&flat).map_err(refusal)
}

fn refusal(refused: Refused) -> Refusal {
    Refusal::provider(refused.status, refused.code, refused.message)
}

/// A live secret as ARM shows it, by its key.
pub(crate) fn shown(world: &World, key: &str, now: WorldTime) -> Option<Map<String, Value>> {
    let (vault, name) = key.split_once("/secrets/").filter(|(_, name)| !name.contains('/'))?;
    let vault = world.objects.get(vault).filter(|object| object.type_key == vault::TYPE_KEY)?;
    let secret = world.secrets.get(&World::secret_key(vault.text("name"), name))?;
    secret.is_live(now).then(|| show(vault, secret)).flatten()
}

/// All live secrets of all live vaults, by key.
pub(crate) fn all(world: &World, now: WorldTime) -> impl Iterator<Item = (String, Map<String, Value>)> {
    let vaults = world.objects.iter().filter(|(_, object)| object.type_key == vault::TYPE_KEY);
    vaults.flat_map(move |(key, vault)| {
        let prefix = World::secret_key(vault.text("name"), "");
        let secrets: Vec<&Secret> =
            world.secrets.starting_with(&prefix, "").map(|(_, secret)| secret).filter(|it| it.is_live(now)).collect();
        secrets
            .into_iter()
            .filter_map(move |it| Some((format!("{key}/secrets/{}", it.name.to_ascii_lowercase()), show(vault, it)?)))
    })
}

fn show(vault: &Object, secret: &Secret) -> Option<Map<String, Value>> {
    let version = secret.latest()?;
    let mut attributes = json!({ "enabled": version.enabled, "created": version.created, "updated": version.updated });
    for (name, moment) in [("nbf", version.not_before), ("exp", version.expires)] {
        if let Some(moment) = moment {
            attributes[name] = moment.into();
        }
    }
    let uri = format!("{}secrets/{}", vault.property("vaultUri"), secret.name);
    let mut properties = json!({
        "attributes": attributes,
        "secretUri": uri,
        "secretUriWithVersion": format!("{uri}/{}", version.id),
    });
    if let Some(kind) = &version.content_type {
        properties["contentType"] = kind.as_str().into();
    }
    let body = json!({
        "id": format!("{}/secrets/{}", vault.id(), secret.name),
        "name": secret.name,
        "type": TYPE,
        "location": vault.text("location"),
        "tags": version.tags.clone().unwrap_or_default(),
        "properties": properties,
    });
    body.as_object().cloned()
}

/// Removes a secret for good, as nobody can in Azure. `false` if there is none.
pub(crate) fn remove(world: &mut World, key: &str) -> bool {
    let Some((vault, name)) = key.split_once("/secrets/") else { return false };
    let Some(vault) = world.objects.get(vault).filter(|object| object.type_key == vault::TYPE_KEY) else {
        return false;
    };
    let key = World::secret_key(vault.text("name"), name);
    world.secrets.remove(&key).is_some()
}
