//! The access that a plan gives and takes, as the kinds say of themselves ([`akson_catalog::kind::Gives`]). Direct access only: who gets further
//! from there is not followed.

use std::collections::BTreeMap;

use akson_catalog::{kind::Gives, roles};
use akson_config::Resource;
use serde_json::Value as Json;

use crate::{
    place::{cluster_of, parent_of, scope_of},
    plan::{Action, Change, Shown},
    shown::shown,
};

/// What stands before a role's GUID in its id.
const ROLE_DEFINITIONS: &str = "/roleDefinitions/";

/// Who can do what on what, and by which resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// Who: an address where it is declared, else what Azure calls it.
    pub who: String,
    /// What they can do.
    pub can: String,
    /// On what.
    pub on: String,
    /// By which resource.
    pub by: String,
}

/// What a plan makes of access.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessDelta {
    /// What nobody had by this resource before.
    pub gained: Vec<Edge>,
    /// What is gone afterwards.
    pub lost: Vec<Edge>,
}

/// How things are called: what is declared by its address, by the ids that Azure knows it by, in small letters.
pub(crate) type Names = BTreeMap<String, String>;

/// What one change makes of access. `resource` is its block, while there is one.
pub(crate) fn of_change(change: &Change, resource: Option<&Resource>, names: &Names, delta: &mut AccessDelta) {
    if matches!(change.action, Action::NoOp | Action::Forget) {
        return;
    }
    for gives in &change.kind.gives {
        let side = |after: bool| Side { change, resource, names, after }.edges(gives);
        let before = if change.action == Action::Create { Vec::new() } else { side(false) };
        let after = if change.action == Action::Delete { Vec::new() } else { side(true) };
        delta.lost.extend(before.iter().filter(|edge| !after.contains(edge)).cloned());
        delta.gained.extend(after.into_iter().filter(|edge| !before.contains(edge)));
    }
}

/// A resource before or after its change.
struct Side<'a> {
    change: &'a Change,
    resource: Option<&'a Resource>,
    names: &'a Names,
    after: bool,
}

impl Side<'_> {
    fn edges(&self, gives: &Gives) -> Vec<Edge> {
        if let Some((path, word)) = &gives.when {
            let is = |value: &String| value == word || value.starts_with(&format!("{word}("));
            if !self.values(path).iter().any(is) {
                return Vec::new();
            }
        }
        let mut edges = Vec::new();
        for who in self.texts(&gives.who) {
            for can in self.texts(&gives.can) {
                for on in self.texts(&gives.on) {
                    let (who, can) = (who.clone(), can.clone());
                    edges.push(Edge { who, can, on, by: self.change.address.clone() });
                }
            }
        }
        edges
    }

    /// A text with its attributes filled in: one for each combination of their values.
    fn texts(&self, template: &str) -> Vec<String> {
        let mut texts = vec![String::new()];
        let mut rest = template;
        while let Some((plain, path, after)) = rest
            .split_once('{')
            .and_then(|(plain, rest)| rest.split_once('}').map(|(path, after)| (plain, path, after)))
        {
            let values = if path == "self" { vec![self.change.address.clone()] } else { self.values(path) };
            texts =
                texts.iter().flat_map(|text| values.iter().map(move |value| format!("{text}{plain}{value}"))).collect();
            rest = after;
        }
        texts.iter().map(|text| format!("{text}{rest}")).collect()
    }

    /// What an attribute is: as its reasons say, else as its block does, else as the id tells of what it lies in.
    fn values(&self, path: &str) -> Vec<String> {
        let of_path = |name: &str| name.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('['));
        let reasons = self.change.reasons.iter().filter(|reason| reason.attribute.as_deref().is_some_and(of_path));
        let told: Vec<&Shown> = reasons.map(|reason| if self.after { &reason.after } else { &reason.before }).collect();
        if !told.is_empty() {
            return told.into_iter().flat_map(|value| self.words(value)).collect();
        }
        let written = self.resource.and_then(|resource| resource.attributes.iter().find(|(name, ..)| name == path));
        if let Some((_, value, _)) = written {
            return self.words(&shown(value));
        }
        let id = &self.change.symbolic_id;
        let place = match path {
            "cluster" => cluster_of(id),
            path if self.change.kind.parent.as_deref() == Some(path) => {
                if path == "on" {
                    Some(scope_of(id))
                } else {
                    parent_of(id)
                }
            }
            _ => None,
        };
        place.map(|place| self.name(place.as_str())).into_iter().collect()
    }

    fn words(&self, value: &Shown) -> Vec<String> {
        match value {
            Shown::Absent => Vec::new(),
            Shown::Value(Json::Array(items)) | Shown::Written(Json::Array(items)) => {
                items.iter().map(|item| self.word(item)).collect()
            }
            Shown::Value(value) | Shown::Written(value) => vec![self.word(value)],
            Shown::Sensitive => vec!["(sensitive)".to_owned()],
            Shown::KnownAfterApply(expression) => vec![expression.clone()],
        }
    }

    fn word(&self, value: &Json) -> String {
        value.as_str().map_or_else(|| value.to_string(), |text| self.name(text))
    }

    /// What is declared by its address, what lies below it by that and the rest of its id, a built-in role by its name.
    fn name(&self, text: &str) -> String {
        if let Some(role) = text.rsplit_once(ROLE_DEFINITIONS).and_then(|(_, guid)| roles::by_guid(guid)) {
            return role.name.clone();
        }
        let folded = text.to_ascii_lowercase();
        std::iter::successors(Some(folded.len()), |end| folded.get(..*end)?.rfind('/'))
            .find_map(|end| Some(format!("{}{}", self.names.get(folded.get(..end)?)?, text.get(end..)?)))
            .unwrap_or_else(|| text.to_owned())
    }
}
