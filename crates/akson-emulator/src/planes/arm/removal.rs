//! How things go, by a call, at the end of an operation or with their group: what each type leaves
//! behind or takes along, and what others say of it afterwards.

use super::types;
use crate::clock::WorldTime;
use crate::world::World;

/// Removes an object, or a group, with everything below it.
pub(super) fn remove(world: &mut World, key: &str, now: WorldTime) {
    let below = format!("{key}/");
    let inside: Vec<(String, String)> = world
        .objects
        .get(key)
        .map(|object| (key.to_owned(), object.type_key.clone()))
        .into_iter()
        .chain(world.objects.starting_with(&below, "").map(|(key, object)| (key.to_owned(), object.type_key.clone())))
        .collect();
    for (key, type_key) in inside {
        types::of(&type_key).leave(world, &key, now);
    }
    forget(world, key, now);
}

/// Removes an object and everything below it without a trace, as a third party might; only what others
/// say of it is put right.
pub(crate) fn forget(world: &mut World, key: &str, now: WorldTime) {
    world.remove_tree(key);
    tidy(world, key, now);
}

/// Puts right what the parent of an object, and those it refers to, say of it.
pub(super) fn tidy(world: &mut World, key: &str, now: WorldTime) {
    let mut segments = key.rsplitn(3, '/').skip(2);
    if let Some(parent) = segments.next()
        && let Some(object) = world.objects.get(parent)
    {
        let rules = types::of(&object.type_key.clone());
        rules.gather(world, parent, now);
    }
    super::network::refresh(world, now);
}
