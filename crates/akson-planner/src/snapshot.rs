//! What is: live objects by symbolic id, as read in a few waves of list calls.

use std::collections::{BTreeMap, BTreeSet};

use akson_catalog::{
    SymbolicId,
    json::{lookup, put},
};
use serde_json::Value;

use crate::{
    place::symbolic,
    reads::{Answer, At, Read, ReadTarget},
};

/// What Azure has, as far as it was asked.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Live objects, also foreign ones that lie in what was listed.
    pub objects: BTreeMap<SymbolicId, LiveObject>,
    /// Asked for one by one, and answered to be absent.
    pub absent: BTreeSet<SymbolicId>,
    /// Soft-deleted objects whose names are still taken: the id they had, to their description by the service.
    pub soft_deleted: BTreeMap<SymbolicId, Value>,
    /// Which lists were read to their end: the kind's keyword and what the list covers.
    pub listed: BTreeSet<(String, SymbolicId)>,
    /// Which subscriptions' soft-deleted objects were read to the end, by the kind's keyword.
    pub soft_deleted_listed: BTreeSet<(String, String)>,
    /// What lies in a resource group that is to be deleted: items of ARM's inventory, without properties.
    pub inventories: BTreeMap<SymbolicId, Vec<Value>>,
    /// Objects whose ids do not follow from the configuration: by the kind's keyword and the id, folded. What they are is found out
    /// by [`Snapshot::link`].
    pub candidates: BTreeMap<String, BTreeMap<String, LiveObject>>,
    /// What was looked for by name, to the end.
    pub sought: BTreeSet<SymbolicId>,
    /// What cannot be looked for yet: what it is found by is not known, since that does not exist.
    pub unfindable: BTreeSet<SymbolicId>,
    /// Of what more than one object fits: their ids.
    pub ambiguous: BTreeMap<SymbolicId, Vec<String>>,
    /// Clusters that could not be reached, and why.
    pub unreachable: BTreeMap<SymbolicId, String>,
    /// How many requests it took.
    pub requests: usize,
}

/// One live object.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveObject {
    /// Azure's id, in Azure's casing.
    pub id: String,
    /// The whole body.
    pub body: Value,
}

impl Snapshot {
    /// Takes in what a read was answered: one call a page.
    pub fn absorb(&mut self, read: &Read, answer: Answer) {
        self.requests += 1;
        match (&read.target, answer) {
            (ReadTarget::List { kind, within }, Answer::Page { items, last }) => {
                for item in items {
                    if let Some(id) = id_of(&item) {
                        self.insert(symbolic(&id), id, item);
                    }
                }
                if last {
                    self.listed.insert((kind.clone(), within.clone()));
                }
            }
            // A cluster without this API has no object of it.
            (ReadTarget::List { kind, within }, Answer::NotFound) if matches!(read.at, At::Cluster(_)) => {
                self.listed.insert((kind.clone(), within.clone()));
            }
            (ReadTarget::List { kind, within }, Answer::NotFound) => {
                self.absent.insert(within.clone());
                self.listed.insert((kind.clone(), within.clone()));
            }
            (ReadTarget::Candidates { kind, within, sought }, Answer::Page { items, last }) => {
                let candidates = self.candidates.entry(kind.clone()).or_default();
                for item in items {
                    if let Some(id) = id_of(&item) {
                        candidates.insert(id.to_ascii_lowercase(), LiveObject { id, body: item });
                    }
                }
                if last {
                    self.sought.extend(sought.iter().cloned());
                    self.listed.extend(within.iter().map(|within| (kind.clone(), within.clone())));
                }
            }
            (ReadTarget::Candidates { kind, within, sought }, Answer::NotFound) => {
                self.sought.extend(sought.iter().cloned());
                self.listed.extend(within.iter().map(|within| (kind.clone(), within.clone())));
            }
            (ReadTarget::Keyed { kind, sought }, Answer::Object(body)) => {
                if let Some(id) = id_of(&body) {
                    let candidates = self.candidates.entry(kind.clone()).or_default();
                    candidates.insert(id.to_ascii_lowercase(), LiveObject { id, body });
                    self.sought.insert(sought.clone());
                }
            }
            (ReadTarget::Keyed { sought, .. }, Answer::NotFound) => {
                self.sought.insert(sought.clone());
            }
            (ReadTarget::Edges { symbolic_id, pointer }, Answer::Page { items, .. }) => {
                if let Some(object) = self.objects.get_mut(symbolic_id) {
                    add_edges(&mut object.body, pointer, &items);
                }
            }
            (_, Answer::Unreachable(why)) => {
                if let At::Cluster(cluster) = &read.at {
                    self.unreachable.insert(cluster.clone(), why);
                }
            }
            (ReadTarget::SoftDeleted { kind, subscription }, Answer::Page { items, last }) => {
                for item in items {
                    let had = item.pointer("/properties/vaultId").and_then(Value::as_str).map(symbolic);
                    if let Some(had) = had {
                        self.soft_deleted.insert(had, item);
                    }
                }
                if last {
                    self.soft_deleted_listed.insert((kind.clone(), subscription.clone()));
                }
            }
            (ReadTarget::SoftDeleted { kind, subscription }, Answer::NotFound) => {
                self.soft_deleted_listed.insert((kind.clone(), subscription.clone()));
            }
            (ReadTarget::Inventory { within }, Answer::Page { items, .. }) => {
                self.inventories.entry(within.clone()).or_default().extend(items);
            }
            (ReadTarget::Inventory { within }, Answer::NotFound) => {
                self.inventories.entry(within.clone()).or_default();
            }
            (ReadTarget::Object { symbolic_id, .. }, Answer::Object(body)) => {
                let id = id_of(&body).unwrap_or_else(|| symbolic_id.as_str().to_owned());
                self.insert(symbolic_id.clone(), id, body);
            }
            (ReadTarget::Object { symbolic_id, .. }, Answer::NotFound) => {
                self.objects.remove(symbolic_id);
                self.absent.insert(symbolic_id.clone());
            }
            // An answer of another shape than was asked for tells nothing: what was asked stays not read. Nor does the absence of edges
            // where an object is.
            (ReadTarget::Edges { .. }, Answer::NotFound)
            | (
                ReadTarget::List { .. }
                | ReadTarget::Candidates { .. }
                | ReadTarget::Edges { .. }
                | ReadTarget::SoftDeleted { .. }
                | ReadTarget::Inventory { .. },
                Answer::Object(_),
            )
            | (ReadTarget::Object { .. } | ReadTarget::Keyed { .. }, Answer::Page { .. }) => {}
        }
    }

    /// Takes the objects of a kind out of their parent, unless they were listed or it does not show them in full.
    pub(crate) fn unfold(&mut self, kind: &str, parent: &SymbolicId, pointer: &str) {
        let key = (kind.to_owned(), parent.clone());
        if self.listed.contains(&key) {
            return;
        }
        let Some(items) = self.objects.get(parent).and_then(|parent| lookup(&parent.body, pointer)?.as_array()) else {
            return;
        };
        let whole = |item: &Value| item.get("properties").is_some_and(Value::is_object);
        let parts: Option<Vec<(String, Value)>> =
            items.iter().map(|item| Some((id_of(item).filter(|_| whole(item))?, item.clone()))).collect();
        let Some(parts) = parts else { return };
        for (id, item) in parts {
            self.insert(symbolic(&id), id, item);
        }
        self.listed.insert(key);
    }

    /// A live object.
    pub fn live(&self, id: &SymbolicId) -> Option<&LiveObject> {
        self.objects.get(id)
    }

    /// What lies below an id, of what was read; without itself.
    pub fn below<'a>(&'a self, id: &SymbolicId) -> impl Iterator<Item = (&'a SymbolicId, &'a LiveObject)> {
        let prefix = format!("{id}/");
        self.objects
            .range(SymbolicId::from_ledger(prefix.clone())..)
            .take_while(move |(id, _)| id.as_str().starts_with(&prefix))
    }

    fn insert(&mut self, key: SymbolicId, id: String, body: Value) {
        self.absent.remove(&key);
        self.objects.insert(key, LiveObject { id, body });
    }
}

/// Adds the items of a set of edges to an object: what it leads to, by its id in lower case.
pub fn add_edges(body: &mut Value, pointer: &str, items: &[Value]) {
    if lookup(body, pointer).is_none_or(|edges| !edges.is_object()) {
        put(body, pointer, Value::Object(serde_json::Map::new()));
    }
    for id in items.iter().filter_map(id_of) {
        put(body, &format!("{pointer}/{}", id.to_ascii_lowercase()), Value::from(id));
    }
}

fn id_of(item: &Value) -> Option<String> {
    item.get("id").and_then(Value::as_str).filter(|id| !id.is_empty()).map(str::to_owned)
}
