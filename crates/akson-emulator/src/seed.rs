//! Filling a world from raw objects: the list is all or nothing. How an ARM object is completed stands
//! in `planes::arm::seeding`, a directory object in `planes::graph::seeding`.

use serde_json::Value;
use thiserror::Error;

use crate::clock::WorldTime;
use crate::planes::{directory_seeding, seeding};
use crate::world::World;

/// Why objects cannot be put into a world. Nothing was changed.
#[derive(Debug, Error)]
pub enum SeedError {
    /// An entry is no JSON object.
    #[error("entry {index} is not a JSON object")]
    NotAnObject {
        /// Its place in the list, from 0.
        index: usize,
    },
    /// An entry has no text under `id`.
    #[error("entry {index} has no \"id\"")]
    NoId {
        /// Its place in the list, from 0.
        index: usize,
    },
    /// An id is of no plane that the emulator has.
    #[error("entry {index}: {id:?} is not the id of an ARM object")]
    UnknownId {
        /// Its place in the list, from 0.
        index: usize,
        /// The id.
        id: String,
    },
    /// The world could not be stored.
    #[error("the emulator's world could not be stored: {0}")]
    Store(#[source] std::io::Error),
}

/// Puts all objects, then makes up what they name. The caller undoes the world after an error.
pub(crate) fn put_all(world: &mut World, objects: Vec<Value>, now: WorldTime) -> Result<(), SeedError> {
    let mut named = Vec::with_capacity(objects.len());
    let mut of_directory = Vec::new();
    for (index, object) in objects.into_iter().enumerate() {
        let Value::Object(body) = object else { return Err(SeedError::NotAnObject { index }) };
        if let Some(kind) = directory_seeding::kind_of(&body) {
            of_directory.push(directory_seeding::put(world, kind, body, now));
            continue;
        }
        let Some(id) = body.get("id").and_then(Value::as_str).map(str::to_owned) else {
            return Err(SeedError::NoId { index });
        };
        let properties = body.get("properties").cloned().unwrap_or(Value::Null);
        let identity = body.get("identity").cloned().unwrap_or(Value::Null);
        if !seeding::put(world, &id, body, now) {
            return Err(SeedError::UnknownId { index, id });
        }
        named.push(properties);
        named.push(identity);
    }
    for value in &named {
        seeding::make_up_named(world, value, now);
    }
    // Members may stand after their groups.
    for id in &of_directory {
        directory_seeding::link(world, id, now);
    }
    Ok(())
}
