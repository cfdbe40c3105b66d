//! Filling a world from raw objects: the list is all or nothing. How an object is recognised and completed stands in the
//! seeding of its plane: `planes::arm`, `planes::graph`, `planes::vault`, `planes::kubernetes`.

use serde_json::{Map, Value};
use thiserror::Error;

use crate::clock::WorldTime;
use crate::planes::{Misfit, cluster_seeding, directory_seeding, secret_seeding, seeding};
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
    /// A secret is for a vault that is not there, or is none that a vault would keep.
    #[error("entry {index}: no vault takes the secret {id:?}")]
    NoVault {
        /// Its place in the list, from 0.
        index: usize,
        /// The id.
        id: String,
    },
    /// There is no such cluster, or several to choose from.
    #[error("entry {index}: no telling which cluster the {kind} is for; name it in \"cluster\"")]
    NoCluster {
        /// Its place in the list, from 0.
        index: usize,
        /// What stands under `kind`.
        kind: String,
    },
    /// An object of a cluster has no name, or a kind that the cluster does not have.
    #[error("entry {index}: clusters have no such {kind}")]
    UnknownKind {
        /// Its place in the list, from 0.
        index: usize,
        /// What stands under `kind`.
        kind: String,
    },
    /// The world could not be stored.
    #[error("the emulator's world could not be stored: {0}")]
    Store(#[source] std::io::Error),
}

impl SeedError {
    /// The place in the list, from 0, of the entry that is to blame.
    pub fn index(&self) -> Option<usize> {
        match self {
            Self::NotAnObject { index }
            | Self::NoId { index }
            | Self::UnknownId { index, .. }
            | Self::NoVault { index, .. }
            | Self::NoCluster { index, .. }
            | Self::UnknownKind { index, .. } => Some(*index),
            Self::Store(_) => None,
        }
    }
}

/// Puts all objects, then makes up what they name. The caller undoes the world after an error.
pub(crate) fn put_all(world: &mut World, objects: Vec<Value>, now: WorldTime) -> Result<(), SeedError> {
    let mut named = Vec::with_capacity(objects.len());
    let mut of_directory = Vec::new();
    // What lies in a vault or a cluster may stand before it.
    let mut inside: Vec<(usize, Map<String, Value>)> = Vec::new();
    for (index, object) in objects.into_iter().enumerate() {
        let Value::Object(body) = object else { return Err(SeedError::NotAnObject { index }) };
        if cluster_seeding::is_one(&body) {
            inside.push((index, body));
            continue;
        }
        if let Some(kind) = directory_seeding::kind_of(&body) {
            of_directory.push(directory_seeding::put(world, kind, body, now));
            continue;
        }
        let Some(id) = body.get("id").and_then(Value::as_str).map(str::to_owned) else {
            return Err(SeedError::NoId { index });
        };
        if secret_seeding::is_one(&id) {
            inside.push((index, body));
            continue;
        }
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
    inside.into_iter().try_for_each(|(index, body)| put_inside(world, index, body, now))
}

/// Puts what lies in a vault or a cluster.
fn put_inside(world: &mut World, index: usize, body: Map<String, Value>, now: WorldTime) -> Result<(), SeedError> {
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    if !cluster_seeding::is_one(&body) {
        let id = text("id");
        return if secret_seeding::put(world, &id, &body, now) {
            Ok(())
        } else {
            Err(SeedError::NoVault { index, id })
        };
    }
    let kind = text("kind");
    cluster_seeding::put(world, body, now).map_err(|misfit| match misfit {
        Misfit::Cluster => SeedError::NoCluster { index, kind },
        Misfit::Kind => SeedError::UnknownKind { index, kind },
    })
}
