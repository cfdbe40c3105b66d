//! What is: live objects by symbolic id, as read in a few waves of list calls.

use std::collections::{BTreeMap, BTreeSet};

use akson_catalog::SymbolicId;
use serde_json::Value;

use crate::{
    place::symbolic,
    reads::{Answer, Read, ReadTarget},
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
            (ReadTarget::List { kind, within }, Answer::NotFound) => {
                self.absent.insert(within.clone());
                self.listed.insert((kind.clone(), within.clone()));
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
            // An answer of another shape than was asked for tells nothing: what was asked stays not read.
            (
                ReadTarget::List { .. } | ReadTarget::SoftDeleted { .. } | ReadTarget::Inventory { .. },
                Answer::Object(_),
            )
            | (ReadTarget::Object { .. }, Answer::Page { .. }) => {}
        }
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

fn id_of(item: &Value) -> Option<String> {
    item.get("id").and_then(Value::as_str).filter(|id| !id.is_empty()).map(str::to_owned)
}
