//! Secrets put into a vault from outside, as the vault itself shows them: `https://{vault}.vault.azure.net/secrets/{name}`,
//! with a version at the end or without.

use serde_json::Value;

use super::secrets::{Written, write};
use super::{SUFFIX, find};
use crate::clock::WorldTime;
use crate::world::World;

/// What stands for the value of a secret that is given without one, as every list gives it.
const MADE_UP: &str = "made up";

/// Whether an id is one of a vault.
pub(crate) fn is_one(id: &str) -> bool {
    parts(id).is_some()
}

/// Vault, name and version.
fn parts(id: &str) -> Option<(&str, &str, Option<&str>)> {
    let (host, path) = id.strip_prefix("https://")?.split_once('/')?;
    let vault = host.strip_suffix(SUFFIX)?;
    let mut segments = path.strip_prefix("secrets/")?.trim_end_matches('/').split('/');
    let name = segments.next().filter(|name| !name.is_empty())?;
    let version = segments.next();
    segments.next().is_none().then_some((vault, name, version))
}

/// Puts a version of a secret over what is there. `false` if there is no such vault, or it would refuse the secret.
pub(crate) fn put(world: &mut World, id: &str, body: &serde_json::Map<String, Value>, now: WorldTime) -> bool {
    let Some((vault, name, version)) = parts(id) else { return false };
    let Some(vault) = find(world, vault).map(|object| object.text("name").to_owned()) else { return false };
    let Ok(mut written) = Written::read(body) else { return false };
    written.value.get_or_insert_with(|| MADE_UP.to_owned());
    let key = World::secret_key(&vault, name);
    if world.secrets.get(&key).is_some_and(|secret| !secret.is_live(now)) {
        world.secrets.remove(&key);
    }
    if write(world, &vault, name, written, now).is_err() {
        return false;
    }
    if let Some(version) = version {
        world.secrets.edit(&key, |secret| {
            secret.versions.retain(|known| known.id != version);
            if let Some(last) = secret.versions.last_mut() {
                version.clone_into(&mut last.id);
            }
        });
    }
    true
}
