//! What is in the way of a write or a deletion in Microsoft.Network: something under way, or somebody
//! who still refers to the object.

use serde_json::Value;

use super::super::body::Body;
use super::super::{Call, operation};
use super::profile::{Busy, Profile};
use super::{operation_url, profile_of, root_key};
use crate::errors::{self, Refusal};
use crate::id::ResourceId;
use crate::world::{Object, World};

/// Whether anything under way is in the way of a write or a deletion.
pub(super) fn check_busy(
    call: &Call<'_>,
    profile: &Profile,
    id: &ResourceId,
    asked: &Body,
    version: &str,
) -> Result<(), Refusal> {
    let world = &call.state.world;
    let settling = |key: &str| world.objects.get(key).is_some_and(|object| object.is_settling(call.now));
    let root = root_key(id);
    let refuse = |key: &str| {
        let prefix = format!("{key}/");
        let running = operation::running(world, key).or_else(|| {
            world.objects.starting_with(&prefix, "").find_map(|(below, _)| operation::running(world, below))
        });
        let token = running.map(|(token, _)| token.to_owned()).unwrap_or_default();
        (token, key.to_owned())
    };
    let (token, key) = match profile.busy {
        Busy::Alone => {
            let deleting = world.objects.get(id.key()).is_some_and(|object| {
                object.is_settling(call.now) && object.settling.as_ref().is_some_and(|now| now.state == "Deleting")
            });
            if !deleting {
                return Ok(());
            }
            refuse(id.key())
        }
        Busy::Tree | Busy::TreeRetry if settling(&root) => refuse(&root),
        Busy::Tree | Busy::TreeRetry => return Ok(()),
        Busy::Policy => match family(world, id, asked).into_iter().find(|key| settling(key)) {
            Some(key) => refuse(&key),
            None => return Ok(()),
        },
    };
    if profile.busy == Busy::TreeRetry
        && let Some(object) = world.objects.get(&key)
    {
        let until = object.settling.as_ref().map_or(call.now, |settling| settling.until);
        let seconds = until.since(call.now).as_secs().saturating_add(11);
        let operation = format!("Put{}Operation", profile.singular);
        return Err(errors::network::retry_later(&operation, &token, object.id(), seconds));
    }
    let uri = operation_url(call, id, profile.operations, &token, version);
    Err(errors::network::another_operation(&uri))
}

/// A firewall policy with its groups and firewalls, for any of them.
fn family(world: &World, id: &ResourceId, asked: &Body) -> Vec<String> {
    let of = |body: &Body| {
        let properties = body.get("properties");
        let policy = properties.and_then(|properties| properties.pointer("/firewallPolicy/id"));
        policy.and_then(Value::as_str).map(str::to_ascii_lowercase)
    };
    let root = root_key(id);
    let policy = if root.contains("/firewallpolicies/") {
        Some(root.clone())
    } else {
        of(asked).or_else(|| world.objects.get(&root).and_then(|firewall| of(&firewall.body)))
    };
    let mut keys = vec![root];
    if let Some(policy) = policy {
        keys.extend(world.objects.keys_below(&policy));
        let firewalls =
            world.objects.iter().filter(|(_, object)| object.type_key == "microsoft.network/azurefirewalls");
        keys.extend(
            firewalls.filter(|(_, object)| of(&object.body).as_ref() == Some(&policy)).map(|(key, _)| key.to_owned()),
        );
        keys.push(policy);
    }
    keys
}

/// Whether nobody refers to an object, or to a child that would go with it.
pub(super) fn check_unused(world: &World, key: &str, object: &Object) -> Result<(), Refusal> {
    let prefix = format!("{key}/");
    let below = world.objects.starting_with(&prefix, "").map(|(_, object)| object);
    for object in [object].into_iter().chain(below) {
        let guards = profile_of(&object.type_key).map_or(&[][..], |profile| profile.guard);
        for guard in guards {
            let shown = object.properties().and_then(|properties| properties.get(guard.property));
            let by = shown.and_then(|shown| shown.get(0).or(Some(shown))).and_then(|by| by.get("id"));
            if let Some(by) = by.and_then(Value::as_str) {
                return Err(errors::network::invalid(guard.code, (guard.message)(object, by)));
            }
        }
    }
    Ok(())
}
