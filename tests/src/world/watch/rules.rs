//! What must hold after every request and every write of the ledger, each rule a function of what is seen. Not when it is looked at.

use std::collections::{BTreeMap, BTreeSet};

use akson_applier::ledger::Document;
use akson_catalog::{SymbolicId, marker::Mark};
use akson_emulator::Snapshot;
use akson_planner::OwnedState;
use serde_json::Value;

use super::{Does, Order, Step};

/// Of a ledger's durable bytes before and after a write: the newer can be read, and is the older or the generation after it. What is
/// durable now comes back.
pub(super) fn follows(
    before: Option<&[u8]>,
    after: Option<&[u8]>,
    succeeded: bool,
) -> Result<Option<Document>, String> {
    let Some(after) = after else {
        return if before.is_none() && !succeeded { Ok(None) } else { Err("no ledger is left".to_owned()) };
    };
    let document = Document::read(after).map_err(|error| error.to_string());
    if before == Some(after) {
        return if succeeded { Err("it succeeds and writes nothing".to_owned()) } else { Ok(document.ok()) };
    }
    let document = document?;
    // Where there was something that cannot be read, an older generation was the beginning.
    let generation = match before.map(Document::read) {
        None => Some(0),
        Some(Ok(before)) => Some(before.generation),
        Some(Err(_)) => None,
    };
    match generation {
        // Half a record behind it is none.
        Some(before) if document.generation == before && !succeeded => Ok(Some(document)),
        Some(before) if document.generation != before + 1 => {
            Err(format!("generation {} after {before}", document.generation))
        }
        _ => Ok(Some(document)),
    }
}

/// The same between two steps of a write to a disk, when it is not said yet whether it succeeds.
pub(in crate::world) fn at_a_step(before: Option<&[u8]>, now: Option<&[u8]>) -> Result<(), String> {
    follows(before, now, false).map(drop)
}

/// A POST makes nothing that was not there.
pub(in crate::world) fn made_by_post(before: &Snapshot, after: &Snapshot) -> Result<(), String> {
    // What comes back from soft deletion was made before.
    let ids = |snapshot: &Snapshot| -> BTreeSet<String> {
        let objects = snapshot.objects.keys().filter(|id| !id.contains("/secrets/"));
        objects.chain(snapshot.directory.keys()).chain(snapshot.kubernetes.keys()).cloned().collect()
    };
    match ids(after).difference(&ids(before)).next() {
        Some(id) => Err(format!("a POST makes {id}")),
        None => Ok(()),
    }
}

/// No mark of a resource stands on two objects, and no unique name.
pub(super) fn duplicates(snapshot: &Snapshot) -> Result<(), String> {
    let mut bearers: BTreeMap<String, &String> = BTreeMap::new();
    // The group of a cluster's nodes gets the cluster's tags.
    let objects = snapshot.objects.iter().filter(|(_, object)| object.get("managedBy").is_none());
    for (id, object) in objects.chain(&snapshot.directory).chain(&snapshot.kubernetes) {
        let mut marks = BTreeSet::new();
        marks_in(object, &mut marks);
        for mark in marks {
            if let Some(other) = bearers.insert(mark.clone(), id) {
                return Err(format!("{other} and {id} bear the same mark, {mark}"));
            }
        }
    }
    Ok(())
}

/// Every mark that stands in an object as a whole text, or at the end of one; unique names as well.
fn marks_in(value: &Value, marks: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            let mark = Mark::parse(text).or_else(|| Mark::parse_text(text)).or_else(|| Mark::parse_label(text));
            marks.extend(mark.map(|mark| mark.to_string()));
        }
        Value::Array(items) => items.iter().for_each(|item| marks_in(item, marks)),
        Value::Object(fields) => {
            for (name, field) in fields {
                match field.as_str() {
                    Some(text) if name == "uniqueName" => drop(marks.insert(format!("unique name {text}"))),
                    _ => marks_in(field, marks),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Every live object with this in its id is in the durable ledger.
pub(super) fn unrecorded(snapshot: &Snapshot, ours: &str, document: Option<&Document>) -> Result<(), String> {
    let recorded =
        |id: &str| document.is_some_and(|document| document.entries.keys().any(|entry| entry.as_str() == id));
    match snapshot.objects.keys().find(|id| id.contains(ours) && !recorded(id)) {
        Some(id) => Err(format!("{id} lives, and the ledger does not know it")),
        None => Ok(()),
    }
}

impl Order {
    /// Adds what follows without a planner: what a block names is written before it; what depended on something, as the ledger remembers,
    /// is deleted before it. Not where the plan has the other order, as where nobody may be locked out.
    pub(super) fn add_what_follows(&mut self) {
        let does = |id: &SymbolicId, what| self.steps.get(id).is_some_and(|step| step.does == what);
        let mut more: Vec<(SymbolicId, SymbolicId)> = Vec::new();
        for (id, step) in self.steps.iter().filter(|(_, step)| step.does == Does::Write) {
            more.extend(step.names.iter().map(|named| (id.clone(), named.clone())));
        }
        for (id, entry) in self.before.entries.iter().filter(|(id, _)| does(id, Does::Delete)) {
            let on = entry.owned.dependencies.iter().filter(|on| does(on, Does::Delete));
            more.extend(on.map(|on| (on.clone(), id.clone())));
        }
        more.retain(|(id, need)| !self.waits_for(need, id));
        for (id, need) in more {
            if let Some(step) = self.steps.get_mut(&id) {
                step.needs.push(need);
            }
        }
    }

    /// Whether one step waits for another, however far, as the plan has it.
    fn waits_for(&self, from: &SymbolicId, to: &SymbolicId) -> bool {
        let (mut seen, mut left) = (BTreeSet::new(), vec![from]);
        while let Some(id) = left.pop() {
            if id == to {
                return true;
            }
            if seen.insert(id) {
                left.extend(self.steps.get(id).into_iter().flat_map(|step| &step.needs));
            }
        }
        false
    }
}

/// What a request changes belongs to a step of the plan, and all that this step needs is done.
pub(super) fn in_order(
    order: &Order,
    of: &[SymbolicId],
    touched: &BTreeSet<SymbolicId>,
    document: &Document,
) -> Result<(), String> {
    let planned: Vec<(&SymbolicId, &Step)> = of.iter().filter_map(|id| order.steps.get_key_value(id)).collect();
    if planned.is_empty() {
        return Err(format!("the plan does nothing to {of:?}"));
    }
    for (id, step) in planned {
        for (need, needed) in
            step.needs.iter().filter(|need| *need != id).filter_map(|need| Some((need, order.steps.get(need)?)))
        {
            let state = document.entries.get(need).map(|entry| entry.owned.state);
            let touched = touched.contains(need);
            let done = match needed.does {
                Does::Write if step.early.contains(need) => touched && state.is_some(),
                Does::Write => touched && state == Some(OwnedState::Owned),
                // Of what is brought up to date nothing may have been out of date.
                Does::Record => matches!(state, None | Some(OwnedState::Owned)),
                Does::Delete => matches!(state, None | Some(OwnedState::Tombstone)),
                Does::Forget => state.is_none(),
            };
            if !done {
                let (first, second) = (&needed.address, &step.address);
                return Err(format!("`{second}` goes before `{first}`, which it needs and which is {state:?}"));
            }
        }
    }
    Ok(())
}

/// What is deleted is not protected, and is not more than the run may delete.
pub(super) fn consented(
    order: &Order,
    of: &[SymbolicId],
    deleted: &BTreeSet<SymbolicId>,
    document: &Document,
) -> Result<(), String> {
    for id in of {
        let remembered = document.entries.get(id).is_some_and(|entry| entry.owned.protected);
        // The author who takes the word away and asks for the deletion has consented.
        if order.protects.get(id).copied().unwrap_or(remembered) {
            return Err(format!("{id} is protected"));
        }
    }
    match order.max_deletes {
        Some(most) if deleted.len() > most => Err(format!("{} are deleted, and {most} may be", deleted.len())),
        _ => Ok(()),
    }
}
