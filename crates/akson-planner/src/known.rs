//! Which outputs are known before anything is done, and holes filled with them. Only what is there and stays counts: what a
//! replaced or created resource tells is known after apply.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use akson_catalog::{Kind, Residual, SymbolicId, Value, decode::output_value, encode::Leaf, json};

use crate::snapshot::LiveObject;

/// Outputs of live objects.
#[derive(Debug, Default)]
pub(crate) struct Outputs<'a> {
    live: BTreeMap<&'a SymbolicId, (&'a Arc<Kind>, &'a LiveObject)>,
}

impl<'a> Outputs<'a> {
    /// From here on the outputs of this object are known.
    pub(crate) fn tell(&mut self, id: &'a SymbolicId, kind: &'a Arc<Kind>, live: &'a LiveObject) {
        self.live.insert(id, (kind, live));
    }

    /// An output: by its name in the catalog, or by a JSON pointer into the body.
    pub(crate) fn get(&self, of: &SymbolicId, output: &str) -> Option<Value> {
        let (kind, live) = self.live.get(of)?;
        match kind.outputs.get(output) {
            Some(output) => output_value(output, &live.body),
            None if output.starts_with('/') => {
                json::lookup(&live.body, output).filter(|value| !value.is_null()).map(json::from_json)
            }
            None => None,
        }
    }

    /// The value with every hole filled that can be.
    pub(crate) fn fill(&self, value: &Value) -> Value {
        if !value.has_holes() {
            return value.clone();
        }
        match value {
            // What cannot be computed stays a hole: at apply its step says why, with the block that asked.
            Value::Unknown { residual, .. } => {
                akson_config::fold(residual, &|of, output| self.get(of, output)).unwrap_or_else(|_| value.clone())
            }
            Value::List(items) => Value::List(items.iter().map(|item| self.fill(item)).collect()),
            Value::Map(entries) => {
                Value::Map(entries.iter().map(|(key, value)| (key.clone(), self.fill(value))).collect())
            }
            Value::Choice { name, arguments } => Value::Choice {
                name: name.clone(),
                arguments: arguments.iter().map(|(name, value)| (name.clone(), self.fill(value))).collect(),
            },
            value => value.clone(),
        }
    }

    /// A leaf with every hole filled that can be.
    pub(crate) fn fill_leaf(&self, leaf: &Leaf) -> Leaf {
        let mut filled = leaf.clone();
        if leaf.want.has_holes() {
            filled.want = self.fill(&leaf.want);
            filled = filled.settled();
        }
        if leaf.shown.has_holes() {
            filled.shown = self.fill(&leaf.shown);
        }
        filled
    }
}

/// Adds every output that a value's holes refer to.
pub(crate) fn referenced(value: &Value, found: &mut BTreeSet<(SymbolicId, String)>) {
    match value {
        Value::Unknown { residual, .. } => in_residual(residual, found),
        Value::List(items) => {
            for item in items {
                referenced(item, found);
            }
        }
        Value::Map(entries) | Value::Choice { arguments: entries, .. } => {
            for item in entries.values() {
                referenced(item, found);
            }
        }
        _ => {}
    }
}

fn in_residual(residual: &Residual, found: &mut BTreeSet<(SymbolicId, String)>) {
    match residual {
        Residual::Known(value) => referenced(value, found),
        Residual::Output { of, output, .. } => {
            found.insert((of.clone(), output.clone()));
        }
        Residual::List(items) | Residual::Operation(_, items) | Residual::Call { arguments: items, .. } => {
            for item in items {
                in_residual(item, found);
            }
        }
        Residual::Map(entries) => {
            for item in entries.values() {
                in_residual(item, found);
            }
        }
    }
}
