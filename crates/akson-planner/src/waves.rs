//! What is still to be read for a plan, a wave at a time: lists by static scope first; then lists in parents that exist, a look at
//! what is owned and no list showed, and what lies in groups that are to be deleted. Not the sending.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use akson_catalog::{
    ArmId, Catalog, Kind, Quirk, SymbolicId,
    kind::{ListScope, ids::fill},
};
use akson_config::Config;

use crate::{
    Owned, OwnedState, Snapshot,
    options::{Mode, PlanOptions},
    place::parent_of,
    presence::{Presence, Presences, kind_of},
    reads::{Read, ReadTarget},
};

/// The first wave: what the configuration and the ledger alone say. A list a kind and subscription, one GET for what has no list.
pub fn first_wave(config: &Config, owned: &Owned, catalog: &Catalog, options: &PlanOptions) -> Vec<Read> {
    let wanted = wanted(config, owned, catalog, options);
    let mut reads = Reads::default();
    for want in &wanted {
        let subscription = want.subscription();
        if let (Some(list), Some(subscription)) = (list(&want.kind, ListScope::Subscription), subscription) {
            reads.list(&want.kind, list, &subscription_id(subscription));
        } else if list(&want.kind, ListScope::Parent).is_none() || !want.has_parent(&wanted) {
            reads.object(want);
        }
        if want.claim == Claim::New && options.mode == Mode::Apply {
            reads.soft_deleted(want);
        }
    }
    reads.list
}

/// The next wave: what is still to be read after `snapshot`. Nothing once a plan can be made; two such waves at most.
pub fn next_wave(
    config: &Config,
    owned: &Owned,
    catalog: &Catalog,
    options: &PlanOptions,
    snapshot: &Snapshot,
) -> Vec<Read> {
    let wanted = wanted(config, owned, catalog, options);
    let presences = Presences::new(config, owned, catalog, snapshot);
    let mut reads = Reads::default();
    let unread: BTreeSet<&SymbolicId> =
        wanted.iter().filter(|want| presences.of(&want.id) == Presence::NotRead).map(|want| &want.id).collect();
    for want in wanted.iter().filter(|want| unread.contains(&want.id)) {
        let parent = parent_of(&want.id);
        match (&parent, list(&want.kind, ListScope::Parent)) {
            // Its parent is looked for in this very wave; whether there is anything to list in it, the next one knows.
            (Some(parent), _) if unread.contains(parent) => {}
            (Some(parent), Some(list)) if !snapshot.listed.contains(&(want.kind.keyword.clone(), parent.clone())) => {
                match presences.of(parent) {
                    Presence::Present(live) => reads.list(&want.kind, list, &ArmId::new(live.id.as_str())),
                    Presence::NotRead => reads.object(want),
                    Presence::Absent => {}
                }
            }
            _ => reads.object(want),
        }
        if want.claim == Claim::Ours
            && options.mode == Mode::Apply
            && want.kind.quirks.contains(&Quirk::SoftDeletedName)
        {
            let read = want.subscription().map(|subscription| (want.kind.keyword.clone(), subscription.to_owned()));
            if read.is_some_and(|read| !snapshot.soft_deleted_listed.contains(&read)) {
                reads.soft_deleted(want);
            }
        }
    }
    for want in wanted.iter().filter(|want| want.goes && want.kind.quirks.contains(&Quirk::Cascades)) {
        if let Presence::Present(live) = presences.of(&want.id)
            && !snapshot.inventories.contains_key(&want.id)
        {
            reads.inventory(&want.id, &live.id);
        }
    }
    reads.list
}

/// Something that the plan must know about.
struct Wanted<'a> {
    id: SymbolicId,
    /// As it is asked for: the author's casing, or Azure's.
    path: &'a str,
    kind: Arc<Kind>,
    claim: Claim,
    /// It may be deleted or replaced.
    goes: bool,
}

/// What claim configuration and ledger have on it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Claim {
    /// Declared, and not recorded as ours: it may be created.
    New,
    /// Declared and ours.
    Ours,
    /// Declared as existing.
    Existing,
    /// In the ledger alone.
    Left,
}

impl Wanted<'_> {
    fn subscription(&self) -> Option<&str> {
        let mut segments = self.id.as_str().split('/').skip(1);
        (segments.next() == Some("subscriptions")).then(|| segments.next()).flatten()
    }

    fn has_parent(&self, wanted: &[Wanted<'_>]) -> bool {
        parent_of(&self.id).is_some_and(|parent| wanted.binary_search_by(|want| want.id.cmp(&parent)).is_ok())
    }
}

/// Everything by id: what is declared, and what is owned.
fn wanted<'a>(config: &'a Config, owned: &'a Owned, catalog: &Catalog, options: &PlanOptions) -> Vec<Wanted<'a>> {
    let destroy = options.mode == Mode::Destroy;
    let mut wanted: BTreeMap<&SymbolicId, Wanted<'a>> = BTreeMap::new();
    for (id, entry) in &owned.entries {
        // What no kind is known of cannot be read: the plan says so.
        if let Some(kind) = kind_of(entry, catalog) {
            let want = Wanted { id: id.clone(), path: &entry.id, kind, claim: Claim::Left, goes: !entry.keep };
            wanted.insert(id, want);
        }
    }
    for resource in &config.resources {
        let id = &resource.symbolic_id;
        let entry = owned.entries.get(id);
        if destroy && entry.is_none() {
            continue;
        }
        let (claim, goes) = match entry {
            _ if resource.existing => (Claim::Existing, false),
            Some(entry) if entry.state == OwnedState::Owned => {
                (Claim::Ours, destroy || options.replaces(&resource.address.to_string()))
            }
            entry => (Claim::New, destroy && entry.is_some()),
        };
        let path = resource.id.as_ref().map_or(id.as_str(), ArmId::as_str);
        wanted.insert(id, Wanted { id: id.clone(), path, kind: Arc::clone(&resource.kind), claim, goes });
    }
    wanted.into_values().collect()
}

/// Reads without repetition, in the order of first need.
#[derive(Default)]
struct Reads {
    list: Vec<Read>,
    seen: BTreeSet<String>,
}

impl Reads {
    fn push(&mut self, read: Read) {
        if self.seen.insert(read.path.to_ascii_lowercase()) {
            self.list.push(read);
        }
    }

    fn list(&mut self, kind: &Kind, template: &str, within: &ArmId) {
        let part = |name: &str| match name {
            "subscription" => within.subscription(),
            "resource_group" | "parent" => Some(within.as_str()),
            _ => None,
        };
        if let Ok(path) = fill(template, part) {
            let path = versioned(&path, &kind.api_version);
            let within = SymbolicId::of_arm(within);
            self.push(Read { path, target: ReadTarget::List { kind: kind.keyword.clone(), within } });
        }
    }

    fn object(&mut self, want: &Wanted<'_>) {
        let path = if want.path.is_empty() { want.id.as_str() } else { want.path };
        self.push(Read {
            path: versioned(path, &want.kind.api_version),
            target: ReadTarget::Object { kind: want.kind.keyword.clone(), symbolic_id: want.id.clone() },
        });
    }

    /// Deleted vaults, where one may be about to be created under a name that is still taken.
    fn soft_deleted(&mut self, want: &Wanted<'_>) {
        let Some((namespace, kind)) = want.kind.resource_type.split_once('/') else { return };
        let Some(subscription) = want.subscription().filter(|_| want.kind.quirks.contains(&Quirk::SoftDeletedName))
        else {
            return;
        };
        let mut letters = kind.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase()).into_iter();
        let deleted: String = first.chain(letters).collect();
        let path = format!("/subscriptions/{subscription}/providers/{namespace}/deleted{deleted}");
        self.push(Read {
            path: versioned(&path, &want.kind.api_version),
            target: ReadTarget::SoftDeleted { kind: want.kind.keyword.clone(), subscription: subscription.to_owned() },
        });
    }

    fn inventory(&mut self, within: &SymbolicId, id: &str) {
        /// Of ARM's own `resources` list.
        const VERSION: &str = "2021-04-01";
        self.push(Read {
            path: versioned(&format!("{id}/resources"), VERSION),
            target: ReadTarget::Inventory { within: within.clone() },
        });
    }
}

fn list(kind: &Kind, scope: ListScope) -> Option<&str> {
    kind.lists.iter().find(|list| list.scope == scope).map(|list| list.path.as_str())
}

fn subscription_id(subscription: &str) -> ArmId {
    ArmId::new(format!("/subscriptions/{subscription}"))
}

fn versioned(path: &str, version: &str) -> String {
    if path.contains("api-version=") {
        return path.to_owned();
    }
    format!("{path}{}api-version={version}", if path.contains('?') { '&' } else { '?' })
}
