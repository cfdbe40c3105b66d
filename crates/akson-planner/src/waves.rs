//! What is still to be read for a plan, a wave at a time: lists by static scope first; then lists in parents that exist, a look at
//! what is owned and no list showed, and what lies in groups that are to be deleted. Not the sending.

mod around;

pub use around::around;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use akson_catalog::{
    ArmId, Catalog, Kind, Quirk, SymbolicId,
    json::lookup,
    kind::{ListScope, Marker, Plane, ids::fill},
};
use akson_config::Config;
use serde_json::Value as Json;

use crate::{
    Owned, OwnedState, Snapshot,
    link::{self, outputs_of},
    lockout::wants_grants,
    options::{Mode, PlanOptions},
    place::{cluster_of, parent_of},
    presence::{Presence, Presences, kind_of},
    reads::{At, Read, ReadTarget},
};

/// The first wave: what the configuration and the ledger alone say. A list a kind and subscription, one GET for what has no list.
pub fn first_wave(config: &Config, owned: &Owned, catalog: &Catalog, options: &PlanOptions) -> Vec<Read> {
    let wanted = wanted(config, owned, catalog, options);
    let mut reads = Reads::default();
    reads.lookups(config, &wanted, &Snapshot::default());
    for want in &wanted {
        let subscription = want.subscription();
        if let (Some(list), Some(subscription)) = (list(&want.kind, ListScope::Subscription), subscription) {
            reads.list(&want.kind, list, &subscription_id(subscription));
        } else if want.kind.plane == Plane::Kubernetes {
            // Through what a cluster tells, once it is known to be there.
        } else if want.kind.late.is_some() && !want.has_path() {
            // Above all subscriptions, where nothing that was declared is read: what holds there is listed there.
            if let (Some(list), Some(parent)) = (list(&want.kind, ListScope::Parent), parent_of(&want.id)) {
                reads.list(&want.kind, list, &ArmId::new(parent.as_str()));
            }
        } else if list(&want.kind, ListScope::Parent).is_none() || !want.has_parent(&wanted) {
            reads.object(want);
        }
        if want.claim == Claim::New && options.mode == Mode::Apply {
            reads.soft_deleted(want);
        }
    }
    reads.list
}

/// The next wave: what is still to be read after `snapshot`, in which it is found out first what is what. Nothing once a plan can be
/// made; two such waves at most.
pub fn next_wave(
    config: &Config,
    owned: &Owned,
    catalog: &Catalog,
    options: &PlanOptions,
    snapshot: &mut Snapshot,
) -> Vec<Read> {
    let wanted = wanted(config, owned, catalog, options);
    unfold(&wanted, snapshot);
    snapshot.link(config, owned, catalog);
    let snapshot = &*snapshot;
    let presences = Presences::new(config, owned, catalog, snapshot);
    let mut reads = Reads::default();
    let unread: BTreeSet<&SymbolicId> =
        wanted.iter().filter(|want| presences.of(&want.id) == Presence::NotRead).map(|want| &want.id).collect();
    reads.lookups(config, &wanted, snapshot);
    for want in &wanted {
        reads.edges(want, snapshot);
    }
    for want in wanted.iter().filter(|want| unread.contains(&want.id)) {
        if want.kind.plane == Plane::Kubernetes {
            reads.in_cluster(want, &wanted, &presences);
            continue;
        }
        if want.kind.late.is_some() {
            if want.has_path() {
                reads.object(want);
            }
            continue;
        }
        let parent = parent_of(&want.id);
        match (&parent, list(&want.kind, ListScope::Parent)) {
            // Its parent is looked for in this very wave; whether there is anything to list in it, the next one knows.
            (Some(parent), _) if unread.contains(parent) => {}
            (Some(parent), Some(list)) if !snapshot.listed.contains(&(want.kind.keyword.clone(), parent.clone())) => {
                match presences.of(parent) {
                    Presence::Present(live) => reads.list(&want.kind, list, &ArmId::new(live.id.as_str())),
                    Presence::NotRead => reads.object(want),
                    Presence::Absent | Presence::NotVerified => {}
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
    for resource in &config.resources {
        let Presence::Present(live) = presences.of(&resource.symbolic_id) else { continue };
        let kind = wants_grants(resource, snapshot, catalog).filter(|_| options.mode == Mode::Apply);
        if let Some((kind, list)) = kind.and_then(|kind| Some((kind, list(kind, ListScope::Parent)?))) {
            reads.list(kind, list, &ArmId::new(live.id.as_str()));
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

/// Takes what parents show of their parts out of them, for all that a list in a parent would be asked for.
fn unfold(wanted: &[Wanted<'_>], snapshot: &mut Snapshot) {
    for want in wanted {
        let list = want.kind.lists.iter().find(|list| list.scope == ListScope::Parent);
        if let (Some(pointer), Some(parent)) = (list.and_then(|list| list.inline.as_deref()), parent_of(&want.id)) {
            snapshot.unfold(&want.kind.keyword, &parent, pointer);
        }
    }
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
    /// Sets of edges that we have to do with, as JSON pointers.
    edges: BTreeSet<String>,
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

    /// Whether it can be asked for by itself.
    fn has_path(&self) -> bool {
        !self.path.is_empty()
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
            let edges = entry.sent.keys().filter_map(|pointer| kind.edge_set(pointer)).map(str::to_owned).collect();
            let want = Wanted { id: id.clone(), path: &entry.id, kind, claim: Claim::Left, goes: !entry.keep, edges };
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
        let recorded = entry.map_or("", |entry| entry.id.as_str());
        let path = match (&resource.id, &resource.kind.late) {
            (Some(path), _) => path.as_str(),
            (None, Some(_)) => recorded,
            (None, None) => id.as_str(),
        };
        let kind = Arc::clone(&resource.kind);
        let pointers = resource.leaves.iter().map(|leaf| &leaf.pointer);
        let recorded = entry.into_iter().flat_map(|entry| entry.sent.keys());
        let edges = pointers.chain(recorded).filter_map(|pointer| kind.edge_set(pointer)).map(str::to_owned).collect();
        wanted.insert(id, Wanted { id: id.clone(), path, kind, claim, goes, edges });
    }
    wanted.into_values().collect()
}

/// Reads without repetition, in the order of first need.
#[derive(Default)]
pub(crate) struct Reads {
    list: Vec<Read>,
    seen: BTreeSet<(At, String)>,
}

impl Reads {
    fn push(&mut self, read: Read) {
        if self.seen.insert((read.at.clone(), read.path.to_ascii_lowercase())) {
            self.list.push(read);
        }
    }

    /// What there is to read.
    pub(crate) fn into_list(self) -> Vec<Read> {
        self.list
    }

    /// A list, if it was not read already.
    pub(crate) fn list_unless_read(&mut self, kind: &Kind, template: &str, within: &ArmId, snapshot: &Snapshot) {
        if !snapshot.listed.contains(&(kind.keyword.clone(), SymbolicId::of_arm(within))) {
            self.list(kind, template, within);
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
            let kind_of = kind.keyword.clone();
            let target = if kind.found_by.is_empty() {
                ReadTarget::List { kind: kind_of, within }
            } else {
                ReadTarget::Candidates { kind: kind_of, within: Some(within), sought: Vec::new() }
            };
            self.push(Read { at: At::Arm, path, target });
        }
    }

    fn object(&mut self, want: &Wanted<'_>) {
        let path = if want.path.is_empty() { want.id.as_str() } else { want.path };
        let at = if want.kind.plane == Plane::Graph { At::Graph } else { At::Arm };
        self.push(Read {
            path: match at {
                At::Graph => selecting(&want.kind.path_of(path), &want.kind),
                _ => versioned(path, &want.kind.api_version),
            },
            at,
            target: ReadTarget::Object { kind: want.kind.keyword.clone(), symbolic_id: want.id.clone() },
        });
    }

    /// What lies in a cluster: a list a type, over all of its namespaces, once the cluster is known to be there.
    fn in_cluster(&mut self, want: &Wanted<'_>, wanted: &[Wanted<'_>], presences: &Presences<'_>) {
        let Some(cluster) = cluster_of(&want.id).filter(|cluster| presences.is_reachable(cluster)) else { return };
        let is_there = matches!(presences.of(&cluster), Presence::Present(_))
            || wanted.binary_search_by(|want| want.id.cmp(&cluster)).is_err();
        if let Some(list) = list(&want.kind, ListScope::Cluster).filter(|_| is_there) {
            self.push(Read {
                at: At::Cluster(cluster.clone()),
                path: list.to_owned(),
                target: ReadTarget::List { kind: want.kind.keyword.clone(), within: cluster },
            });
        }
    }

    /// What is found by a name that is known by now: several in one call.
    fn lookups(&mut self, config: &Config, wanted: &[Wanted<'_>], snapshot: &Snapshot) {
        /// A service takes no more of them in one expression.
        const AT_ONCE: usize = 15;
        let outputs = outputs_of(config, snapshot);
        let mut by_field: BTreeMap<(&str, &str), Vec<(String, SymbolicId)>> = BTreeMap::new();
        let mut kinds: BTreeMap<&str, &Kind> = BTreeMap::new();
        for resource in &config.resources {
            let id = &resource.symbolic_id;
            let known = snapshot.sought.contains(id) || snapshot.objects.contains_key(id);
            let is_wanted = || wanted.binary_search_by(|want| want.id.cmp(id)).is_ok();
            if known || list(&resource.kind, ListScope::Lookup).is_none() || !is_wanted() {
                continue;
            }
            let Some(found) = link::wanted(resource, &outputs) else { continue };
            if let [(finder, Json::String(text))] = found.as_slice() {
                let field = finder.pointer.trim_start_matches('/');
                kinds.insert(&resource.kind.keyword, &resource.kind);
                by_field.entry((&resource.kind.keyword, field)).or_default().push((text.clone(), id.clone()));
            }
        }
        for ((keyword, field), mut values) in by_field {
            let Some((kind, path)) = kinds.get(keyword).and_then(|kind| Some((kind, list(kind, ListScope::Lookup)?)))
            else {
                continue;
            };
            values.sort();
            if matches!(&kind.marker, Marker::UniqueName(pointer) if pointer.trim_start_matches('/') == field) {
                // A key of the directory: it is documented to be read by, not to be filtered by.
                for (text, id) in &values {
                    self.push(Read {
                        at: At::Graph,
                        path: selecting(&format!("{path}({field}={})", quoted(text)), kind),
                        target: ReadTarget::Keyed { kind: keyword.to_owned(), sought: id.clone() },
                    });
                }
                continue;
            }
            for some in values.chunks(AT_ONCE) {
                let texts: Vec<String> = some.iter().map(|(text, _)| quoted(text)).collect();
                let filter = format!("{path}?$filter={field} in ({})", texts.join(","));
                self.push(Read {
                    at: At::Graph,
                    path: selecting(&filter, kind),
                    target: ReadTarget::Candidates {
                        kind: keyword.to_owned(),
                        within: None,
                        sought: some.iter().map(|(_, id)| id.clone()).collect(),
                    },
                });
            }
        }
    }

    /// The sets of edges of an object that is there, where any of them may be ours.
    fn edges(&mut self, want: &Wanted<'_>, snapshot: &Snapshot) {
        let Some(live) = snapshot.live(&want.id) else { return };
        if want.claim == Claim::Existing {
            return;
        }
        for pointer in want.kind.edges().filter_map(|attribute| attribute.pointer.as_deref()) {
            let is_ours = want.edges.iter().any(|set| set == pointer);
            if is_ours && lookup(&live.body, pointer).is_none() {
                self.edge_set(want, &live.id, pointer);
            }
        }
    }

    fn edge_set(&mut self, want: &Wanted<'_>, id: &str, pointer: &str) {
        self.push(Read {
            at: At::Graph,
            path: format!("{}{pointer}?$select=id&$top=999", want.kind.path_of(id)),
            target: ReadTarget::Edges { symbolic_id: want.id.clone(), pointer: pointer.to_owned() },
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
            at: At::Arm,
            path: versioned(&path, &want.kind.api_version),
            target: ReadTarget::SoftDeleted { kind: want.kind.keyword.clone(), subscription: subscription.to_owned() },
        });
    }

    fn inventory(&mut self, within: &SymbolicId, id: &str) {
        /// Of ARM's own `resources` list.
        const VERSION: &str = "2021-04-01";
        self.push(Read {
            at: At::Arm,
            path: versioned(&format!("{id}/resources"), VERSION),
            target: ReadTarget::Inventory { within: within.clone() },
        });
    }
}

pub(crate) fn list(kind: &Kind, scope: ListScope) -> Option<&str> {
    kind.lists.iter().find(|list| list.scope == scope).map(|list| list.path.as_str())
}

/// A text in an expression of a query, such as a `$filter`.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for character in text.chars() {
        match character {
            '\'' => quoted.push_str("''"),
            '%' => quoted.push_str("%25"),
            '&' => quoted.push_str("%26"),
            '+' => quoted.push_str("%2B"),
            '#' => quoted.push_str("%23"),
            other => quoted.push(other),
        }
    }
    quoted.push('\'');
    quoted
}

/// A path that asks for what the kind speaks of: the service leaves out what is not asked for.
pub fn selecting(path: &str, kind: &Kind) -> String {
    let mark = if path.contains('?') { '&' } else { '?' };
    format!("{path}{mark}$select={}", kind.members().join(","))
}

fn subscription_id(subscription: &str) -> ArmId {
    ArmId::new(format!("/subscriptions/{subscription}"))
}

fn versioned(path: &str, version: &str) -> String {
    if path.contains("api-version=") || version.is_empty() {
        return path.to_owned();
    }
    format!("{path}{}api-version={version}", if path.contains('?') { '&' } else { '?' })
}
