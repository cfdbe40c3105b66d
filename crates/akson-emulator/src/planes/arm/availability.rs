//! `checkNameAvailability` of the providers whose names are of the whole world.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::path::Collection;
use super::types::ArmType;
use super::{Call, body};
use crate::errors::{self, Outcome};
use crate::id::ResourceId;
use crate::reply;
use crate::world::World;

/// What the last word of such a path is, in lower case.
pub(super) const WORD: &str = "checknameavailability";

pub(super) struct Names;

impl ArmType for Names {
    fn has_parents(&self) -> bool {
        false
    }

    fn put(&self, call: &mut Call<'_>, _id: &ResourceId, _version: &str) -> Outcome {
        Err(errors::method_not_allowed(call.visit.method.as_str()))
    }

    /// A question, asked with POST.
    fn list(&self, call: &mut Call<'_>, collection: &Collection, version: &str) -> Outcome {
        if call.visit.method != Method::POST {
            return Err(errors::method_not_allowed(call.visit.method.as_str()));
        }
        let asked = body::read(call)?;
        let name = asked.get("name").and_then(Value::as_str).unwrap_or_default();
        let world = &call.state.world;
        let refused = match collection.namespace.to_ascii_lowercase().as_str() {
            "microsoft.storage" => storage(world, name),
            "microsoft.containerregistry" => registry(world, name),
            "microsoft.keyvault" => vault(world, name),
            _ => return Err(errors::invalid_type(&collection.namespace, &collection.kind, version)),
        };
        let answer = match refused {
            None => json!({ "nameAvailable": true }),
            Some((reason, message)) => json!({ "nameAvailable": false, "reason": reason, "message": message }),
        };
        Ok(reply::json(StatusCode::OK, &answer))
    }
}

/// Why a name cannot be had.
type Refused = Option<(&'static str, String)>;

fn taken(world: &World, type_key: &str, name: &str) -> bool {
    world
        .objects
        .iter()
        .any(|(_, object)| object.type_key == type_key && object.text("name").eq_ignore_ascii_case(name))
}

fn storage(world: &World, name: &str) -> Refused {
    let fits = (3..=24).contains(&name.len()) && name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if !fits {
        let message = format!(
            "{name} is not a valid storage account name. Storage account name must be between 3 and 24 characters in length and use numbers and lower-case letters only."
        );
        return Some(("AccountNameInvalid", message));
    }
    taken(world, "microsoft.storage/storageaccounts", name)
        .then(|| ("AlreadyExists", format!("The storage account named {name} is already taken.")))
}

fn registry(world: &World, name: &str) -> Refused {
    let fits = (5..=50).contains(&name.len()) && name.bytes().all(|c| c.is_ascii_alphanumeric());
    if !fits {
        let message = "The specified resource name is invalid. The name must be 5 to 50 alphanumeric characters.";
        return Some(("Invalid", message.to_owned()));
    }
    taken(world, "microsoft.containerregistry/registries", name)
        .then(|| ("AlreadyExists", format!("The registry {name} is already in use.")))
}

/// The name of a vault that was deleted stays taken, too.
fn vault(world: &World, name: &str) -> Refused {
    let fits = (3..=24).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && !name.ends_with('-')
        && !name.contains("--")
        && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
    if !fits {
        return Some(("AccountNameInvalid", format!("The vault name '{name}' is invalid.")));
    }
    let kept = world.deleted_vaults.contains(&name.to_ascii_lowercase());
    (kept || taken(world, "microsoft.keyvault/vaults", name))
        .then(|| ("AlreadyExists", format!("The vault name '{name}' is already in use.")))
}
