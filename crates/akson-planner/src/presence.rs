//! Whether something is there, as far as was read. A list never decides that what is owned is absent: only its own 404 does, or
//! the absence of what it lies in. A cluster's API server is asked for its lists as they are right now, and those do decide.

use std::{collections::BTreeMap, sync::Arc};

use akson_catalog::{
    Catalog, Kind, SymbolicId,
    kind::{Plane, raw::RAW},
};
use akson_config::Config;

use crate::{
    Owned, OwnedEntry, Snapshot,
    place::{ancestors, cluster_of, parent_of},
    snapshot::LiveObject,
};

/// Whether something is there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Presence<'a> {
    /// It is.
    Present(&'a LiveObject),
    /// It is not.
    Absent,
    /// Nothing that was read tells.
    NotRead,
    /// It could not be looked at: there is no way to the cluster it lies in.
    NotVerified,
}

/// What of declared and owned resources is there.
pub(crate) struct Presences<'a> {
    snapshot: &'a Snapshot,
    owned: &'a Owned,
    known: BTreeMap<&'a SymbolicId, Known>,
}

struct Known {
    kind: Arc<Kind>,
    /// A list's silence about it is not enough.
    confirm: bool,
}

impl<'a> Presences<'a> {
    pub(crate) fn new(config: &'a Config, owned: &'a Owned, catalog: &Catalog, snapshot: &'a Snapshot) -> Self {
        let mut known = BTreeMap::new();
        for (id, entry) in &owned.entries {
            if let Some(kind) = kind_of(entry, catalog) {
                known.insert(id, Known { kind, confirm: true });
            }
        }
        for resource in &config.resources {
            let confirm = resource.existing || owned.entries.contains_key(&resource.symbolic_id);
            known.insert(&resource.symbolic_id, Known { kind: Arc::clone(&resource.kind), confirm });
        }
        Self { snapshot, owned, known }
    }

    pub(crate) fn of(&self, id: &SymbolicId) -> Presence<'a> {
        if let Some(live) = self.snapshot.objects.get(id) {
            return Presence::Present(live);
        }
        if self.snapshot.absent.contains(id) {
            return Presence::Absent;
        }
        let Some(known) = self.known.get(id) else { return Presence::NotRead };
        if !known.kind.found_by.is_empty() && !self.is_recorded(id) {
            // Nothing else could be asked.
            let looked = self.snapshot.sought.contains(id) || self.is_listed(id, &known.kind);
            if looked || self.snapshot.unfindable.contains(id) {
                return Presence::Absent;
            }
        }
        // A cluster lists what it has now; elsewhere a list may lag behind.
        let confirm = known.confirm && known.kind.plane != Plane::Kubernetes;
        if !confirm && self.is_listed(id, &known.kind) {
            return Presence::Absent;
        }
        // What lies in something absent is absent.
        match parent_of(id).map(|parent| self.of(&parent)) {
            Some(Presence::Absent) => Presence::Absent,
            _ if known.kind.plane == Plane::Kubernetes
                && cluster_of(id).is_none_or(|cluster| !self.is_reachable(&cluster)) =>
            {
                Presence::NotVerified
            }
            _ => Presence::NotRead,
        }
    }

    /// Whether there is a way to a cluster's API server, as far as is known.
    pub(crate) fn is_reachable(&self, cluster: &SymbolicId) -> bool {
        self.owned.reachable.contains_key(cluster) && !self.snapshot.unreachable.contains_key(cluster)
    }

    /// Whether the ledger knows an id to ask for.
    fn is_recorded(&self, id: &SymbolicId) -> bool {
        self.owned.entries.get(id).is_some_and(|entry| !entry.id.is_empty())
    }

    pub(crate) fn kind(&self, id: &SymbolicId) -> Option<&Arc<Kind>> {
        self.known.get(id).map(|known| &known.kind)
    }

    pub(crate) fn is_owned(&self, id: &SymbolicId) -> bool {
        self.owned.entries.contains_key(id)
    }

    fn is_listed(&self, id: &SymbolicId, kind: &Kind) -> bool {
        ancestors(id).any(|above| self.snapshot.listed.contains(&(kind.keyword.clone(), above)))
    }
}

/// The kind of an entry, as it was written: for a raw resource one made for its type and api-version.
/// None if this version of Akson knows no such kind.
pub(crate) fn kind_of(entry: &OwnedEntry, catalog: &Catalog) -> Option<Arc<Kind>> {
    if entry.kind != RAW {
        return catalog.get(&entry.kind).cloned();
    }
    catalog.raw_kind(&format!("{}@{}", entry.resource_type, entry.api_version)).ok().map(Arc::new)
}
