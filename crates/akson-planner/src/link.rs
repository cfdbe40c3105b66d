//! Which live object is which resource, where the id does not say: by what the resource is found by, as soon as that is known; else by
//! the id that the ledger remembers. Not the reading.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use akson_catalog::{
    Catalog, SymbolicId,
    equality::normal_form,
    json::{lookup, to_plain_json},
    kind::late::Finder,
};
use akson_config::{Config, Resource};

use crate::{Owned, Snapshot, known::Outputs, snapshot::LiveObject};

/// More rounds than things are found one by the other.
const MOST_ROUNDS: usize = 6;

impl Snapshot {
    /// Finds out what the candidates are, as far as can be told now.
    pub fn link(&mut self, config: &Config, owned: &Owned, catalog: &Catalog) {
        if self.candidates.is_empty() && config.resources.iter().all(|resource| resource.finders.is_empty()) {
            return;
        }
        let mut index = Index::default();
        for _ in 0..MOST_ROUNDS {
            let before = self.objects.len();
            self.round(config, owned, &mut index);
            if self.objects.len() == before {
                break;
            }
        }
        let declared: BTreeSet<&SymbolicId> = config.resources.iter().map(|resource| &resource.symbolic_id).collect();
        for (id, entry) in owned.entries.iter().filter(|(id, _)| !declared.contains(id)) {
            if catalog.get(&entry.kind).is_some_and(|kind| !kind.found_by.is_empty()) {
                self.take(id, &entry.kind, &entry.id);
            }
        }
    }

    fn round(&mut self, config: &Config, owned: &Owned, index: &mut Index) {
        let found: Vec<(SymbolicId, Found)> = {
            let outputs = outputs_of(config, self);
            let sought = |resource: &&Resource| {
                !resource.finders.is_empty() && !self.objects.contains_key(&resource.symbolic_id)
            };
            config
                .resources
                .iter()
                .filter(sought)
                .map(|resource| (resource.symbolic_id.clone(), find(resource, &self.candidates, &outputs, index)))
                .collect()
        };
        for (id, found) in found {
            self.unfindable.remove(&id);
            match found {
                Found::One(object) => {
                    self.absent.remove(&id);
                    self.objects.insert(id, object);
                }
                Found::Several(ids) => {
                    self.ambiguous.insert(id, ids);
                }
                Found::NotYet | Found::None => {
                    if let Some(entry) = owned.entries.get(&id).filter(|entry| !entry.id.is_empty()) {
                        self.take(&id, &entry.kind, &entry.id);
                    }
                    if matches!(found, Found::NotYet) && !self.objects.contains_key(&id) {
                        self.unfindable.insert(id);
                    }
                }
            }
        }
    }

    /// Takes the candidate with this id.
    fn take(&mut self, symbolic_id: &SymbolicId, kind: &str, id: &str) {
        let candidate = self.candidates.get(kind).and_then(|candidates| candidates.get(&id.to_ascii_lowercase()));
        if let Some(object) = candidate.cloned() {
            self.absent.remove(symbolic_id);
            self.objects.entry(symbolic_id.clone()).or_insert(object);
        }
    }
}

/// What is known of outputs from what is there, whatever will be done to it.
pub(crate) fn outputs_of<'a>(config: &'a Config, snapshot: &'a Snapshot) -> Outputs<'a> {
    let mut outputs = Outputs::default();
    for resource in &config.resources {
        if let Some(live) = snapshot.live(&resource.symbolic_id) {
            outputs.tell(&resource.symbolic_id, &resource.kind, live);
        }
    }
    outputs
}

/// What an object must have, if all of it is known.
pub(crate) fn wanted<'a>(
    resource: &'a Resource,
    outputs: &Outputs<'_>,
) -> Option<Vec<(&'a Finder, serde_json::Value)>> {
    let known = |finder: &'a Finder| {
        let want =
            if finder.want.has_holes() { Cow::Owned(outputs.fill(&finder.want)) } else { Cow::Borrowed(&finder.want) };
        Some((finder, to_plain_json(&want).filter(|want| !want.is_null())?))
    };
    resource.finders.iter().map(known).collect()
}

enum Found {
    One(LiveObject),
    Several(Vec<String>),
    None,
    /// What it is found by is not known yet.
    NotYet,
}

/// Ids by the normal forms of what stands at some places.
type IdsByValues = BTreeMap<Vec<String>, Vec<String>>;

/// Candidates of a kind by what stands at the places that a resource is found by.
#[derive(Default)]
struct Index {
    by: BTreeMap<(String, Vec<String>), IdsByValues>,
}

fn find(
    resource: &Resource,
    candidates: &BTreeMap<String, BTreeMap<String, LiveObject>>,
    outputs: &Outputs<'_>,
    index: &mut Index,
) -> Found {
    let Some(wanted) = wanted(resource, outputs) else { return Found::NotYet };
    let Some(candidates) = candidates.get(&resource.kind.keyword) else { return Found::None };
    let places = resource.finders.iter().map(|finder| finder.pointer.clone()).collect();
    let by = index.by.entry((resource.kind.keyword.clone(), places)).or_insert_with(|| {
        let mut by = IdsByValues::new();
        for (id, object) in candidates {
            let form = |finder: &Finder| {
                let live = lookup(&object.body, &finder.pointer).filter(|live| !live.is_null())?;
                Some(normal_form(finder.equality, live))
            };
            if let Some(key) = resource.finders.iter().map(form).collect() {
                by.entry(key).or_default().push(id.clone());
            }
        }
        by
    });
    let key: Vec<String> = wanted.iter().map(|(finder, want)| normal_form(finder.equality, want)).collect();
    let ids = by.get(&key).map_or(&[][..], Vec::as_slice);
    match ids {
        [] => Found::None,
        [id] => candidates.get(id).cloned().map_or(Found::None, Found::One),
        several => Found::Several(several.to_vec()),
    }
}
