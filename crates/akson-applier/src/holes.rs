//! Holes of a plan filled from finished steps, and checked: what Azure told must fit where it is written. The configuration is not evaluated again.

use std::collections::{BTreeMap, BTreeSet};

use akson_catalog::{Kind, Secret, SymbolicId, Type, Value, decode::output_value, encode::Leaf, json};
use akson_config::{check_folded, fold};
use akson_diagnostics::Span;
use akson_planner::Snapshot;
use indexmap::IndexMap;
use serde_json::Value as Json;

/// What is known of outputs while an apply goes on.
#[derive(Debug, Default)]
pub(crate) struct Known {
    outputs: BTreeMap<(SymbolicId, String), Value>,
    /// Objects as they settled in this run.
    settled: BTreeMap<SymbolicId, Json>,
}

/// A hole that cannot be filled, or not with what came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{attribute}`: {detail}")]
pub struct HoleError {
    /// What the user calls the leaf.
    pub attribute: String,
    /// Where it is written.
    pub span: Option<Span>,
    /// What is wrong.
    pub detail: String,
}

impl Known {
    /// Begins with what the plan knew.
    pub(crate) fn new(outputs: BTreeMap<(SymbolicId, String), Value>) -> Self {
        Self { outputs, settled: BTreeMap::new() }
    }

    /// An object settled: its outputs are known from here on.
    pub(crate) fn tell(&mut self, kind: &Kind, id: &SymbolicId, body: &Json) {
        for output in kind.outputs.values() {
            if let Some(value) = output_value(output, body) {
                self.outputs.insert((id.clone(), output.name.clone()), value);
            }
        }
        self.settled.insert(id.clone(), body.clone());
    }

    /// The first answer to a write: which outputs it has that do not change any more.
    pub(crate) fn tell_early(&mut self, kind: &Kind, id: &SymbolicId, body: &Json) -> BTreeSet<String> {
        let mut told = BTreeSet::new();
        for output in kind.outputs.values().filter(|output| output.early) {
            if let Some(value) = output_value(output, body).filter(|value| *value != Value::Text(String::new())) {
                told.insert(output.name.clone());
                self.outputs.insert((id.clone(), output.name.clone()), value);
            }
        }
        told
    }

    /// An output: by its name in the catalog, or by a JSON pointer into the body.
    fn get(&self, snapshot: &Snapshot, of: &SymbolicId, output: &str) -> Option<Value> {
        if let Some(value) = self.outputs.get(&(of.clone(), output.to_owned())) {
            return Some(value.clone());
        }
        let pointer = if output == "id" { "/id" } else { output };
        if !pointer.starts_with('/') {
            return None;
        }
        let body = self.settled.get(of).or_else(|| Some(&snapshot.live(of)?.body))?;
        json::lookup(body, pointer).filter(|value| !value.is_null()).map(json::from_json)
    }

    /// A value with its holes filled, as far as they can be, and what fills them checked.
    ///
    /// # Errors
    /// In words, if what Azure told is not what the expression takes.
    pub(crate) fn fill(&self, snapshot: &Snapshot, value: &Value) -> Result<Value, String> {
        Ok(match value {
            Value::Unknown { residual, of, sensitive } => {
                let folded =
                    fold(residual, &|of, output| self.get(snapshot, of, output)).map_err(|error| error.text)?;
                // Words of an enum or a switch have become the wire's by now; one that is none had no entry in the table.
                if !matches!(of, Type::Enum(_) | Type::Switch) {
                    check_folded(&folded, of).map_err(|error| error.text)?;
                }
                match folded {
                    Value::None => return Err("it turned out to have no value".to_owned()),
                    Value::Text(text) if *sensitive => Value::Sensitive(Secret::new(text)),
                    folded => folded,
                }
            }
            Value::List(items) => {
                Value::List(items.iter().map(|item| self.fill(snapshot, item)).collect::<Result<_, _>>()?)
            }
            Value::Map(entries) => Value::Map(self.fill_entries(snapshot, entries)?),
            Value::Choice { name, arguments } => {
                Value::Choice { name: name.clone(), arguments: self.fill_entries(snapshot, arguments)? }
            }
            value => value.clone(),
        })
    }

    fn fill_entries(
        &self,
        snapshot: &Snapshot,
        entries: &IndexMap<String, Value>,
    ) -> Result<IndexMap<String, Value>, String> {
        entries.iter().map(|(key, value)| Ok((key.clone(), self.fill(snapshot, value)?))).collect()
    }

    /// Leaves without holes.
    pub(crate) fn fill_leaves(
        &self,
        snapshot: &Snapshot,
        kind: &Kind,
        leaves: &[Leaf],
    ) -> Result<Vec<Leaf>, HoleError> {
        leaves
            .iter()
            .map(|leaf| {
                if !leaf.want.has_holes() {
                    return Ok(leaf.clone());
                }
                let failed = |detail| HoleError { attribute: leaf.attribute.clone(), span: leaf.span, detail };
                let want = self.fill(snapshot, &leaf.want).map_err(failed)?;
                if want.has_holes() {
                    return Err(failed("it is made from a value that Azure did not tell".to_owned()));
                }
                check(kind, leaf, &want).map_err(failed)?;
                Ok(Leaf { want, ..leaf.clone() }.settled())
            })
            .collect()
    }
}

/// A rule for text could not be checked while the text was not known.
fn check(kind: &Kind, leaf: &Leaf, want: &Value) -> Result<(), String> {
    let rule = kind.attribute(&leaf.attribute).and_then(|attribute| attribute.rule.as_ref());
    match (rule, want) {
        (Some(rule), Value::Text(text)) if !rule.pattern.is_match(text) => {
            Err(format!("it must be {}, and what came is not", rule.words))
        }
        _ => Ok(()),
    }
}
