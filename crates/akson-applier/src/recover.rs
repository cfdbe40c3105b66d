//! What of Azure bears a stack's mark, wherever the stack's kinds can be looked for: what a ledger is made of again that was lost. A mark
//! counts only on the object that it was made for, and nothing is taken that bears another stack's, or none.

use std::collections::{BTreeMap, BTreeSet};

use akson_catalog::{
    ArmId, Catalog, Kind, SymbolicId,
    json::lookup,
    kind::{ListScope, Marker, Plane, Role, ids::fill},
    marker::short,
};
use akson_config::{Config, Resource};
use akson_planner::{
    Owned, OwnedEntry, OwnedState, Way,
    marker::{Ownership, ownership},
    place::{parent_of, symbolic},
};
use serde_json::Value as Json;

use crate::{engine::Engine, ledger::Entry, refresh::ReadFailure, step::marker_word};

mod search;

use search::Search;

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Recovered {
    /// What bears the stack's mark and is not in the ledger, by symbolic id.
    pub entries: Vec<Recovery>,
    /// How the API servers of its clusters are reached.
    pub ways: Vec<(SymbolicId, Way)>,
    /// How much of what bears the mark the ledger has already.
    pub known: usize,
    /// What bears the mark and is of no resource that can be told: ids.
    pub untold: Vec<String>,
    /// What bears another stack's mark, with that stack's id; of what is declared here.
    pub others: Vec<(String, String)>,
    /// What is declared and was not found by a mark: addresses. The next apply adopts what of it is there.
    pub unmarked: Vec<String>,
    /// Where nobody could look, and why.
    pub unseen: Vec<(String, String)>,
}

/// One resource that was found by its mark.
#[derive(Debug, Clone)]
pub struct Recovery {
    /// What it is.
    pub symbolic_id: SymbolicId,
    /// What the ledger is to have of it: no hashes, which the next apply writes.
    pub entry: Entry,
    /// Whether a block declares it. What none declares, the next apply deletes.
    pub declared: bool,
}

/// Looks for everything of a stack.
///
/// # Errors
/// [`ReadFailure`], of the first read that failed: half a ledger is none.
pub async fn recover(
    engine: &Engine,
    catalog: &Catalog,
    config: &Config,
    owned: &Owned,
) -> Result<Recovered, ReadFailure> {
    let stack_id = config.stack.id();
    let search = Search::new(engine, catalog, config, &stack_id);
    let found = search.run(owned).await?;
    let declared: BTreeMap<&SymbolicId, &Resource> =
        config.resources.iter().map(|resource| (&resource.symbolic_id, resource)).collect();
    let mut recovered = Recovered { ways: found.ways, unseen: found.unseen, ..Recovered::default() };
    let principals: BTreeSet<SymbolicId> = found
        .objects
        .iter()
        .map(|object| symbolic(&object.id))
        .chain(declared.keys().map(|id| (*id).clone()))
        .collect();
    let mut entries: BTreeMap<SymbolicId, Recovery> = BTreeMap::new();
    for object in &found.objects {
        let candidates = candidates(object, &principals, config, owned);
        let mut whose = Ownership::Unmarked;
        let mut is = None;
        for candidate in candidates {
            whose = ownership(&object.kind, &stack_id, &candidate, &object.body);
            if whose == Ownership::Ours {
                is = Some(candidate);
                break;
            }
            if let (Ownership::OtherStack(stack), true) = (&whose, declared.contains_key(&candidate)) {
                recovered.others.push((object.id.clone(), stack.clone()));
            }
        }
        match is {
            Some(id) if owned.entries.contains_key(&id) => recovered.known += 1,
            Some(id) => {
                let resource = declared.get(&id).copied();
                // What the author says is somebody else's stays so.
                if resource.is_some_and(|resource| resource.existing) {
                    continue;
                }
                let recovery =
                    Recovery { entry: entry(object, &id, resource), declared: resource.is_some(), symbolic_id: id };
                entries.insert(recovery.symbolic_id.clone(), recovery);
            }
            None if whose == Ownership::Unmarked && has_mark(object, &stack_id) => {
                recovered.untold.push(object.id.clone());
            }
            None => {}
        }
    }
    let is_found = |id: &SymbolicId| entries.contains_key(id) || owned.entries.contains_key(id);
    recovered.unmarked = config
        .resources
        .iter()
        .filter(|resource| !resource.existing && !is_found(&resource.symbolic_id))
        .map(|resource| resource.address.to_string())
        .collect();
    recovered.others.sort();
    recovered.others.dedup();
    recovered.entries = entries.into_values().collect();
    Ok(recovered)
}

/// An object that was read, with its kind.
struct Object {
    kind: std::sync::Arc<Kind>,
    id: String,
    body: Json,
}

/// What an object may be: its id says it, or for what is known by what it says, whatever of that fits. The mark decides.
fn candidates(object: &Object, principals: &BTreeSet<SymbolicId>, config: &Config, owned: &Owned) -> Vec<SymbolicId> {
    let kind = &object.kind;
    if let Marker::UniqueName(pointer) = &kind.marker {
        let name = lookup(&object.body, pointer).and_then(Json::as_str);
        let named = name.and_then(|name| fill(&kind.id, |_| Some(name)).ok());
        return named.map(|id| symbolic(&id)).into_iter().collect();
    }
    if kind.found_by.is_empty() {
        return vec![symbolic(&object.id)];
    }
    let of_kind = config.resources.iter().filter(|resource| resource.kind.keyword == kind.keyword);
    let mut ids: Vec<SymbolicId> = of_kind.map(|resource| resource.symbolic_id.clone()).collect();
    ids.extend(owned.entries.iter().filter(|(_, entry)| entry.kind == kind.keyword).map(|(id, _)| id.clone()));
    ids.extend(made_of(object, principals));
    ids
}

/// The symbolic ids that an object has if its principal is one of these, or is given by its id.
fn made_of(object: &Object, principals: &BTreeSet<SymbolicId>) -> Vec<SymbolicId> {
    let kind = &object.kind;
    let scope = scope_in(&object.id);
    let text = |name: &str| {
        let pointer = kind.attributes.get(name)?.pointer.as_deref()?;
        lookup(&object.body, pointer)?.as_str().map(str::to_owned)
    };
    let is_principal = |name: &str| kind.attributes.get(name).is_some_and(|attribute| attribute.principal.is_some());
    let role_of = |name: &str| kind.attributes.get(name).map(|attribute| attribute.role);
    let mut made = Vec::new();
    let told = kind.id_parts().iter().find(|name| is_principal(name)).and_then(|name| text(name));
    let as_written = told.map(|id| id.to_ascii_lowercase());
    for principal in principals.iter().map(|id| id.as_str().replace('/', "|")).chain(as_written) {
        let mut parts: BTreeMap<String, String> = BTreeMap::new();
        for name in kind.id_parts() {
            let part = if role_of(name) == Some(Role::Parent) {
                scope.clone()
            } else if is_principal(name) {
                principal.clone()
            } else {
                text(name).and_then(|id| id.rsplit('/').next().map(str::to_ascii_lowercase)).unwrap_or_default()
            };
            parts.insert(name.to_owned(), part);
        }
        made.extend(fill(&kind.id, |name| parts.get(name).map(String::as_str)).ok().map(|id| symbolic(&id)));
    }
    made
}

/// What an extension stands on, in an id of Azure's.
fn scope_in(id: &str) -> String {
    let at = id.to_ascii_lowercase().rfind("/providers/").unwrap_or(id.len());
    id.get(..at).unwrap_or(id).to_owned()
}

/// Whether a mark of the stack stands on it, whosever it was made for. Services copy tags, so that with a kind's own id it tells nothing.
fn has_mark(object: &Object, stack_id: &str) -> bool {
    let Marker::Text(pointer) = &object.kind.marker else { return false };
    let mark = lookup(&object.body, pointer).and_then(Json::as_str).and_then(akson_catalog::marker::Mark::parse_text);
    mark.is_some_and(|mark| mark.stack.eq_ignore_ascii_case(stack_id))
}

/// What the ledger is to have of it.
fn entry(object: &Object, id: &SymbolicId, resource: Option<&Resource>) -> Entry {
    let kind = &object.kind;
    let parent = parent_of(id);
    let domain = match kind.conflict_domain.as_deref() {
        Some("self") => Some(id.clone()),
        Some(domain) if kind.parent.as_deref() == Some(domain) => parent.clone(),
        _ => None,
    };
    let mut dependencies: Vec<SymbolicId> = match resource {
        Some(resource) => resource.dependencies.iter().map(|dependency| dependency.on.clone()).collect(),
        // What it was given to goes after it, where that is in its id.
        None => parent.into_iter().chain(given_to(id)).collect(),
    };
    dependencies.sort();
    dependencies.dedup();
    let owned = OwnedEntry {
        id: object.id.clone(),
        kind: kind.keyword.clone(),
        resource_type: kind.resource_type.clone(),
        api_version: kind.api_version.clone(),
        state: OwnedState::Owned,
        sent: BTreeMap::new(),
        observed: BTreeMap::new(),
        dependencies,
        conflict_domain: resource.map_or(domain, |resource| resource.conflict_domain.clone()),
        protected: resource.is_some_and(|resource| resource.protect),
        keep: resource.is_some_and(|resource| resource.keep),
        address: resource.map(|resource| resource.address.to_string()).unwrap_or_default(),
    };
    Entry { owned, marker: marker_word(kind).to_owned(), intent: None }
}

/// The principal in the id of a role assignment.
fn given_to(id: &SymbolicId) -> Option<SymbolicId> {
    let (_, to) = id.as_str().rsplit_once('~')?;
    to.starts_with('|').then(|| SymbolicId::from_ledger(to.replace('|', "/")))
}

/// What the unique names of a stack begin with.
fn names_of(stack_id: &str) -> String {
    format!("akson-{}-", short(stack_id))
}

fn list(kind: &Kind, scope: ListScope) -> Option<&str> {
    kind.lists.iter().find(|list| list.scope == scope).map(|list| list.path.as_str())
}

fn is_in_cluster(kind: &Kind) -> bool {
    kind.plane == Plane::Kubernetes
}

fn arm(id: &str) -> ArmId {
    ArmId::new(id)
}
