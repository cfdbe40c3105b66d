//! What changed in clusters lately, so that a watch misses nothing between two looks. Kept in memory alone: a watch that
//! began before is told to begin again.

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;

use super::fields::Body;
use crate::world::World;

/// How many changes of a cluster are remembered.
const MOST: usize = 1000;

/// The latest changes of each cluster.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    clusters: BTreeMap<String, Pages>,
}

/// One cluster's.
#[derive(Debug, Default)]
struct Pages {
    /// What happened up to this resource version is not known.
    floor: u64,
    changes: VecDeque<Change>,
}

/// One object before and after one commit.
#[derive(Clone, Debug)]
pub(super) struct Change {
    /// The resource version that came of it.
    pub(super) version: u64,
    /// The object's key.
    pub(super) key: String,
    pub(super) before: Option<Body>,
    pub(super) after: Option<Body>,
}

impl Journal {
    /// Notes what is about to be accepted.
    pub(crate) fn note(&mut self, world: &World) {
        let changes = world.kube_objects.changes();
        if changes.is_empty() {
            return;
        }
        let mut floors = BTreeMap::new();
        for (cluster, before, _) in world.kube_clusters.changes() {
            floors.insert(cluster.to_owned(), before.map_or(0, |row| row.version));
        }
        self.clusters.retain(|cluster, _| world.kube_clusters.contains(cluster));
        let mut noted: BTreeMap<&str, Vec<Change>> = BTreeMap::new();
        for (key, before, after) in changes {
            let Some((cluster, _)) = key.split_once("//") else { continue };
            let Some(current) = world.kube_clusters.get(cluster).map(|row| row.version) else { continue };
            let (before, after) = (before.map(|row| row.body.clone()), after.map(|row| row.body.clone()));
            if before == after {
                continue;
            }
            let version = after.as_ref().map_or(current, version_of);
            noted.entry(cluster).or_default().push(Change { version, key: key.to_owned(), before, after });
        }
        for (cluster, mut changes) in noted {
            changes.sort_by_key(|change| change.version);
            let pages = self.clusters.entry(cluster.to_owned()).or_insert_with(|| {
                let floor = floors.get(cluster).copied();
                Pages { floor: floor.unwrap_or(0), changes: VecDeque::new() }
            });
            pages.changes.extend(changes);
            while pages.changes.len() > MOST {
                if let Some(forgotten) = pages.changes.pop_front() {
                    pages.floor = forgotten.version;
                }
            }
        }
    }

    /// What changed in a cluster after a resource version; `None` if that is not known any more. `current` is the
    /// cluster's version now.
    pub(super) fn since(&self, cluster: &str, version: u64, current: u64) -> Option<Vec<&Change>> {
        let Some(pages) = self.clusters.get(cluster) else { return (version >= current).then(Vec::new) };
        if version < pages.floor {
            return None;
        }
        Some(pages.changes.iter().filter(|change| change.version > version).collect())
    }
}

/// The resource version of an object.
fn version_of(body: &Body) -> u64 {
    let text = body.get("metadata").and_then(|metadata| metadata.get("resourceVersion")).and_then(Value::as_str);
    text.and_then(|text| text.parse().ok()).unwrap_or_default()
}
