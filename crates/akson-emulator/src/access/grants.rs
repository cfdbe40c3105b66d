//! From when an assignment has effect: some time after it was written, unless it was put into the world
//! from outside; and what the owner of a world holds from the start.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{ASSIGNMENTS, Right, roles};
use crate::clock::WorldTime;
use crate::dice;
use crate::world::{Object, World};

pub(crate) const TYPE: &str = "Microsoft.Authorization/roleAssignments";
pub(crate) const TYPE_KEY: &str = "microsoft.authorization/roleassignments";

/// When an assignment that was written a short while ago begins to have effect.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Spreading {
    /// For actions of the control plane.
    pub(crate) actions: WorldTime,
    /// For actions on data: vaults, clusters.
    pub(crate) data: WorldTime,
}

/// Draws how long the assignment of this key takes to have effect. Documented are minutes, at most ten;
/// mostly it is less than two.
pub(crate) fn spread(world: &mut World, key: &str, now: WorldTime) {
    let seconds = |world: &mut World, least, most| Duration::from_secs(world.dice.between(least, most));
    let actions = now.plus(seconds(world, 10, 90));
    let data = now.plus(seconds(world, 20, 180));
    world.spreading.insert(key.to_owned(), Spreading { actions, data });
}

/// Whether an assignment has effect yet.
pub(crate) fn is_effective(world: &World, key: &str, right: Right<'_>, now: WorldTime) -> bool {
    world.spreading.get(key).is_none_or(|spreading| {
        now >= match right {
            Right::Action(_) => spreading.actions,
            Right::Data(_) => spreading.data,
        }
    })
}

/// Forgets the delays that are over.
pub(crate) fn settle(world: &mut World, now: WorldTime) {
    if world.spreading.len() == 0 {
        return;
    }
    let over = |spreading: &Spreading| spreading.actions <= now && spreading.data <= now;
    let keys: Vec<String> =
        world.spreading.iter().filter(|(_, spreading)| over(spreading)).map(|(key, _)| key.to_owned()).collect();
    for key in keys {
        world.spreading.remove(&key);
    }
}

/// Gives the signed-in principal what its owner has in a subscription, at once.
pub(crate) fn own(world: &mut World, subscription: &str, now: WorldTime) {
    let scope = format!("/subscriptions/{}", subscription.to_ascii_lowercase());
    for role in roles::OF_THE_OWNER {
        let name = dice::guid_of(&[&world.key, "owner", &scope, role]);
        let key = format!("{scope}{ASSIGNMENTS}{name}");
        if world.objects.contains(&key) {
            continue;
        }
        let holder = world.caller.object_id.clone();
        let body = body(world, &scope, &name, role, &holder, now);
        world.objects.insert(key, Object::new(TYPE_KEY.to_owned(), body, now));
    }
}

fn body(world: &World, scope: &str, name: &str, role: &str, holder: &str, now: WorldTime) -> Map<String, Value> {
    let written = ticks(now);
    let body = json!({
        "properties": {
            "roleDefinitionId": format!("{scope}/providers/{}/{role}", roles::TYPE),
            "principalId": holder,
            "principalType": "ServicePrincipal",
            "scope": scope,
            "condition": null,
            "conditionVersion": null,
            "createdOn": written,
            "updatedOn": written,
            "createdBy": world.tenant,
            "updatedBy": world.tenant,
            "delegatedManagedIdentityResourceId": null,
            "description": null,
        },
        "id": format!("{scope}/providers/{TYPE}/{name}"),
        "type": TYPE,
        "name": name,
    });
    body.as_object().cloned().unwrap_or_default()
}

/// A moment with seven digits, as this provider writes it.
pub(crate) fn ticks(at: WorldTime) -> String {
    format!("{}0000Z", at.to_string().trim_end_matches('Z'))
}

/// Makes a world of an older version one whose owner holds its roles.
pub(crate) fn own_old_world(world: &mut World) {
    if world.owned {
        return;
    }
    let now = world.now;
    let subscriptions: Vec<String> = world.subscriptions.iter().map(|(key, _)| key.to_owned()).collect();
    for subscription in subscriptions {
        own(world, &subscription, now);
    }
    world.owned = true;
}
