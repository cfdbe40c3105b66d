//! Changes that are one to a reader: the same done to many resources. A reviewer reads each once.

use std::collections::BTreeMap;

use super::{code, cut};
use crate::document::{ChangeDocument, ReasonDocument};

/// How many of a class are named.
const NAMED: usize = 3;

/// Changes that are alike.
pub(super) struct Class<'a> {
    pub(super) changes: Vec<&'a ChangeDocument>,
}

/// What alike changes share.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key<'a> {
    kind: &'a str,
    action: &'a str,
    irreversible: bool,
    /// What changes: of what is new the names alone, since each has values of its own.
    what: Vec<String>,
}

/// The classes of a plan, what is lost first: if the room ends, it ends with what is harmless.
pub(super) fn of(changes: &[ChangeDocument]) -> Vec<Class<'_>> {
    let mut places: BTreeMap<Key<'_>, usize> = BTreeMap::new();
    let mut classes: Vec<Class<'_>> = Vec::new();
    for change in changes.iter().filter(|change| change.action != "no_op") {
        let at = *places.entry(key(change)).or_insert_with(|| {
            classes.push(Class { changes: Vec::new() });
            classes.len() - 1
        });
        if let Some(class) = classes.get_mut(at) {
            class.changes.push(change);
        }
    }
    classes.sort_by_key(|class| match class.action() {
        "delete" | "replace" => 0,
        _ if class.first().irreversible => 1,
        "update" | "adopt" | "forget" => 2,
        _ => 3,
    });
    classes
}

fn key(change: &ChangeDocument) -> Key<'_> {
    let whole = matches!(change.action.as_str(), "create" | "delete");
    let what = |reason: &ReasonDocument| {
        let name = reason.attribute.clone().unwrap_or_default();
        if whole {
            // `members["user.anna"]` and `members["user.ben"]` are one.
            return name.split('[').next().unwrap_or_default().to_owned();
        }
        format!("{name} {} {} {} {}", reason.cause, reason.before, reason.after, reason.effect)
    };
    let mut what: Vec<String> = change.reasons.iter().map(what).collect();
    what.sort();
    what.dedup();
    Key { kind: &change.kind, action: &change.action, irreversible: change.irreversible, what }
}

impl Class<'_> {
    pub(super) fn action(&self) -> &str {
        &self.first().action
    }

    /// The one that stands for all.
    pub(super) fn first(&self) -> &ChangeDocument {
        self.changes.first().expect("a class is made with its first change")
    }

    /// Whether something is lost by it, or cannot be undone.
    pub(super) fn is_grave(&self) -> bool {
        matches!(self.action(), "delete" | "replace") || self.first().irreversible
    }

    /// Which resources, for a table.
    pub(super) fn title(&self) -> String {
        let names: Vec<String> =
            self.changes.iter().take(NAMED).map(|change| code(&cut(&change.address, 200))).collect();
        let names = names.join(", ");
        match self.changes.len() {
            0 | 1 => names,
            count if count <= NAMED => format!("{count} × {}: {names}", code(&cut(&self.first().kind, 60))),
            count => format!("{count} × {}: {names}, …", code(&cut(&self.first().kind, 60))),
        }
    }

    /// Which resources, in a picture.
    pub(super) fn label(&self) -> String {
        match self.changes.len() {
            1 => self.first().address.clone(),
            count => format!("{count} x {}", self.first().kind),
        }
    }
}
