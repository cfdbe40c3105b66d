//! Names that the ledger holds: a group or application without a written unique name has the one that was made of its first display
//! name. If that is edited, the entry whose last address is this block's is the same object. Pure; the evaluation is the caller's.

use std::collections::{BTreeMap, BTreeSet};

use akson_catalog::{
    SymbolicId,
    encode::Leaf,
    kind::{NameFrom, Role},
};
use akson_config::{Config, Resource};

use crate::{Owned, OwnedEntry, OwnedState, hashes::sent_hash};

/// The unique names that a configuration is to be evaluated with again, by address; none where each block already has its own.
///
/// A block whose made name is in the ledger has that. Else it is the object that was last written with what its name is made of (the
/// block was renamed after its display name was edited), else the one that was last at its address (the display name is edited). What
/// another block means is never taken, and what fits twice is not decided.
pub fn held_names(config: &Config, owned: &Owned) -> BTreeMap<String, String> {
    let mut taken: BTreeSet<&SymbolicId> = config.resources.iter().map(|resource| &resource.symbolic_id).collect();
    let mut sought: Vec<&Resource> = config
        .resources
        .iter()
        .filter(|resource| has_made_name(resource) && alive(owned, &resource.symbolic_id).is_none())
        .collect();
    let mut held = BTreeMap::new();
    for fits in [written_as, is_last_at] {
        let found: Vec<(&Resource, &SymbolicId)> = sought
            .iter()
            .filter_map(|resource| {
                let mut fitting = owned.entries.iter().filter(|(id, entry)| {
                    !taken.contains(id) && entry.kind == resource.kind.keyword && is_made(id) && fits(resource, entry)
                });
                let (id, _) = fitting.by_ref().find(|(id, _)| alive(owned, id).is_some())?;
                let is_only = !fitting.any(|(id, _)| alive(owned, id).is_some());
                is_only.then_some((*resource, id))
            })
            .collect();
        let times = |id: &SymbolicId| found.iter().filter(|(_, other)| *other == id).count();
        for (resource, id) in found.iter().filter(|(_, id)| times(id) == 1) {
            held.insert(resource.address.to_string(), name_in(id).to_owned());
            taken.insert(id);
        }
        sought.retain(|resource| !held.contains_key(&resource.address.to_string()));
    }
    held
}

/// Whether an object was last written with what a resource's name is made of.
fn written_as(resource: &Resource, entry: &OwnedEntry) -> bool {
    let NameFrom::Hash(parts) = &resource.kind.name_from else { return false };
    let is_part = |leaf: &&Leaf| !leaf.on_create_only && parts.contains(&leaf.attribute);
    let mut leaves = resource.leaves.iter().filter(is_part).peekable();
    leaves.peek().is_some()
        && leaves.all(|leaf| sent_hash(leaf).is_some_and(|hash| entry.sent.get(&leaf.pointer) == Some(&hash)))
}

fn is_last_at(resource: &Resource, entry: &OwnedEntry) -> bool {
    entry.address == resource.address.to_string()
}

/// Blocks of which cannot be told whether they moved or their display name was edited, with the name that each had: the made name is
/// another block's in the ledger, and the ledger has another object at this address.
pub(crate) fn undecided<'a>(config: &'a Config, owned: &Owned) -> Vec<(&'a Resource, String)> {
    let between = |resource: &&Resource| {
        has_made_name(resource)
            && alive(owned, &resource.symbolic_id).is_some_and(|entry| entry.address != resource.address.to_string())
    };
    let had = |resource: &'a Resource| {
        let before = last_at(owned, resource).find(|id| **id != resource.symbolic_id)?;
        Some((resource, name_in(before).to_owned()))
    };
    config.resources.iter().filter(between).filter_map(had).collect()
}

/// The last part of a symbolic id: the name, where that is what it is known by.
pub(crate) fn name_in(id: &SymbolicId) -> &str {
    id.as_str().rsplit([':', '/']).next().unwrap_or_default()
}

fn has_made_name(resource: &Resource) -> bool {
    let kind = &resource.kind;
    let named = kind.attributes.values().find(|attribute| attribute.role == Role::Name);
    let is_written = |name: &str| resource.attributes.iter().any(|(attribute, ..)| attribute == name);
    kind.stateful
        && matches!(kind.name_from, NameFrom::Hash(_))
        && !resource.existing
        && named.is_some_and(|named| !is_written(&named.name))
        && is_made(&resource.symbolic_id)
}

/// An entry of something that is there or may be.
fn alive<'a>(owned: &'a Owned, id: &SymbolicId) -> Option<&'a OwnedEntry> {
    owned.entries.get(id).filter(|entry| matches!(entry.state, OwnedState::Owned | OwnedState::IntentWrite))
}

/// Whether an id is made of a name; what is meant by its object id has none of ours.
fn is_made(id: &SymbolicId) -> bool {
    !id.as_str().contains('=')
}

/// What was last at the address of a resource, of its kind.
fn last_at<'a>(owned: &'a Owned, resource: &Resource) -> impl Iterator<Item = &'a SymbolicId> {
    owned.entries.iter().filter_map(move |(id, entry)| {
        let is_here = is_last_at(resource, entry) && entry.kind == resource.kind.keyword && is_made(id);
        (is_here && alive(owned, id).is_some()).then_some(id)
    })
}
