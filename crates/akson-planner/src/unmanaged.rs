//! What lies inside of a stack's scopes and is declared nowhere: grants, federated credentials, policies, whatever a kind file says is worth
//! telling. What lies above the scopes is somebody else's. Not the reading, and nothing that a plan decides by.

use std::collections::{BTreeMap, BTreeSet};

use akson_catalog::{
    ArmId, Attribute, Catalog, Kind, Severity, SymbolicId, Type,
    json::lookup,
    kind::{ListScope, Marker, Names, Plane, ids::type_of},
    marker::Mark,
    roles,
};
use akson_config::Config;
use serde_json::Value as Json;

use crate::{
    Owned, Read, Snapshot,
    marker::{Ownership, ownership},
    place::{ancestors, parent_of, symbolic},
    snapshot::LiveObject,
    waves::{Reads, list},
};

/// An object that is declared nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmanaged {
    /// Its kind's keyword.
    pub kind: String,
    /// The api-version of its kind.
    pub api_version: String,
    /// Azure's id.
    pub id: String,
    /// The address of the declared resource that it lies on or in.
    pub on: String,
    /// How bad it is.
    pub severity: Severity,
    /// What it does: `gives Contributor to user 00000000-…`.
    pub what: String,
    /// The other stack whose mark it bears.
    pub stack: Option<String>,
}

/// What is to be read beside a plan's own reads: a list a subscription or a parent, of each kind that is looked for.
pub fn reads(config: &Config, snapshot: &Snapshot, catalog: &Catalog) -> Vec<Read> {
    let scopes = Scopes::new(config, snapshot);
    let mut reads = Reads::default();
    for kind in looked_for(catalog) {
        if let Some(path) = list(kind, ListScope::Subscription) {
            let subscriptions: BTreeSet<String> = scopes
                .by_id
                .values()
                .filter_map(|scope| ArmId::new(scope.id).subscription().map(str::to_owned))
                .collect();
            for subscription in subscriptions {
                reads.list_unless_read(kind, path, &ArmId::new(format!("/subscriptions/{subscription}")), snapshot);
            }
        } else if let Some(path) = list(kind, ListScope::Parent) {
            for scope in scopes.by_id.values().filter(|scope| lies_in(kind, scope.kind)) {
                reads.list_unless_read(kind, path, &ArmId::new(scope.id), snapshot);
            }
        }
    }
    reads.into_list()
}

/// What is declared nowhere, as far as was read.
pub fn unmanaged(config: &Config, snapshot: &Snapshot, owned: &Owned, catalog: &Catalog) -> Vec<Unmanaged> {
    let scopes = Scopes::new(config, snapshot);
    let declared = config.resources.iter().filter_map(|resource| snapshot.live(&resource.symbolic_id));
    let ours = owned.entries.values().map(|entry| entry.id.as_str());
    let known: BTreeSet<String> =
        declared.map(|live| live.id.as_str()).chain(ours).map(str::to_ascii_lowercase).collect();
    let principals = principals(config, snapshot);
    let stack_id = config.stack.id();
    let mut found: BTreeMap<String, Unmanaged> = BTreeMap::new();
    for kind in looked_for(catalog) {
        for live in objects(kind, snapshot) {
            let key = live.id.to_ascii_lowercase();
            let Some(parent) = parent_of(&symbolic(&live.id)) else { continue };
            let Some(scope) = scopes.around(&parent).filter(|_| !known.contains(&key)) else { continue };
            let place = if parent == symbolic(scope.id) {
                scope.address.clone()
            } else {
                format!("{} in {}", tail(&live.id, &parent), scope.address)
            };
            // Marks are texts that anybody can write: one of our own that neither ledger nor configuration knows says nothing.
            let stack = match ownership(kind, &stack_id, &symbolic(&live.id), &live.body) {
                Ownership::OtherStack(stack) => Some(stack),
                _ => marked_for_another(kind, &stack_id, &live.body),
            };
            found.insert(
                key,
                Unmanaged {
                    kind: kind.keyword.clone(),
                    api_version: kind.api_version.clone(),
                    id: live.id.clone(),
                    on: scope.address.clone(),
                    severity: if stack.is_some() { Severity::Low } else { kind.severity_of_whole() },
                    what: Words { kind, body: &live.body, principals: &principals, place: &place }.said(),
                    stack,
                },
            );
        }
    }
    found.into_values().collect()
}

/// The kinds whose files say what an object of theirs does.
fn looked_for(catalog: &Catalog) -> impl Iterator<Item = &Kind> {
    catalog.iter().map(AsRef::as_ref).filter(|kind: &&Kind| kind.unmanaged.is_some() && kind.plane == Plane::Arm)
}

/// The live objects of a kind that were read.
fn objects<'a>(kind: &'a Kind, snapshot: &'a Snapshot) -> Box<dyn Iterator<Item = &'a LiveObject> + 'a> {
    if kind.found_by.is_empty() {
        let of_kind = |live: &&LiveObject| {
            type_of(&ArmId::new(live.id.as_str())).is_some_and(|of| of.eq_ignore_ascii_case(&kind.resource_type))
        };
        Box::new(snapshot.objects.values().filter(of_kind))
    } else {
        Box::new(snapshot.candidates.get(&kind.keyword).into_iter().flat_map(BTreeMap::values))
    }
}

/// What is declared, not merely looked at, and there: by its live id.
struct Scopes<'a> {
    by_id: BTreeMap<SymbolicId, Scope<'a>>,
}

struct Scope<'a> {
    id: &'a str,
    kind: &'a Kind,
    address: String,
}

impl<'a> Scopes<'a> {
    fn new(config: &'a Config, snapshot: &'a Snapshot) -> Self {
        let declared =
            config.resources.iter().filter(|resource| !resource.existing && resource.kind.plane == Plane::Arm);
        let by_id = declared.filter_map(|resource| {
            let live = snapshot.live(&resource.symbolic_id)?;
            let scope = Scope { id: &live.id, kind: &resource.kind, address: resource.address.to_string() };
            Some((symbolic(&live.id), scope))
        });
        Self { by_id: by_id.collect() }
    }

    /// The nearest that something is or lies in.
    fn around(&self, id: &SymbolicId) -> Option<&Scope<'a>> {
        self.by_id.get(id).or_else(|| ancestors(id).find_map(|above| self.by_id.get(&above)))
    }
}

/// Whether objects of a kind lie in those of another.
fn lies_in(kind: &Kind, of: &Kind) -> bool {
    let parent = kind.parent.as_deref().and_then(|name| kind.attributes.get(name)).map(|attribute| &attribute.of);
    matches!(parent, Some(Type::Resource(kinds)) if kinds.contains(&of.keyword))
}

/// The last type and name of the place that an object lies on, in Azure's casing.
fn tail(id: &str, parent: &SymbolicId) -> String {
    let place = id.get(..parent.as_str().len()).unwrap_or(parent.as_str());
    let mut segments = place.rsplit('/');
    let (name, of) = (segments.next().unwrap_or_default(), segments.next().unwrap_or_default());
    format!("{of}/{name}")
}

/// The other stack whose mark an object bears whose id does not say what it is, so that the mark cannot be held against it.
fn marked_for_another(kind: &Kind, stack_id: &str, body: &Json) -> Option<String> {
    let (Some(_), Marker::Text(pointer)) = (&kind.late, &kind.marker) else { return None };
    let mark = Mark::parse_text(lookup(body, pointer)?.as_str()?)?;
    (!mark.stack.eq_ignore_ascii_case(stack_id)).then_some(mark.stack)
}

/// The addresses of declared resources that are principals, by what they are as such.
fn principals(config: &Config, snapshot: &Snapshot) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for resource in &config.resources {
        let output =
            resource.kind.principal.as_ref().and_then(|principal| resource.kind.outputs.get(&principal.output));
        let live = snapshot.live(&resource.symbolic_id);
        if let Some(id) = live.zip(output).and_then(|(live, output)| lookup(&live.body, &output.pointer)?.as_str()) {
            found.insert(id.to_ascii_lowercase(), resource.address.to_string());
        }
    }
    found
}

/// What is said of an object.
struct Words<'a> {
    kind: &'a Kind,
    body: &'a Json,
    principals: &'a BTreeMap<String, String>,
    /// What it lies on or in.
    place: &'a str,
}

impl Words<'_> {
    /// The kind's sentence, with what stands in the object.
    fn said(&self) -> String {
        let mut text = String::new();
        let mut rest = self.kind.unmanaged.as_deref().unwrap_or_default();
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            text.push_str(before);
            text.push_str(&self.kind.attributes.get(name).map(|of| self.word(of)).unwrap_or_default());
            rest = after;
        }
        text.push_str(rest);
        text
    }

    /// What stands for an attribute, in the words that people have for it.
    fn word(&self, attribute: &Attribute) -> String {
        if self.kind.parent.as_ref() == Some(&attribute.name) {
            return self.place.to_owned();
        }
        let at = |pointer: &str| lookup(self.body, pointer).and_then(Json::as_str).unwrap_or_default();
        let text = attribute.pointer.as_deref().map(at).unwrap_or_default();
        let last = text.rsplit('/').next().unwrap_or_default();
        if let Some(principal) = &attribute.principal {
            if let Some(address) = self.principals.get(&text.to_ascii_lowercase()) {
                return address.clone();
            }
            let of = principal.type_at.as_deref().map(at).filter(|of| !of.is_empty()).unwrap_or("principal");
            return format!("{} {text}", spaced(of));
        }
        // Attributes that share a place have tables of their own.
        let same = self.kind.attributes.values().filter(|other| other.pointer == attribute.pointer);
        let named = same.filter_map(|other| other.names).find_map(|names| match names {
            Names::Roles => roles::by_guid(last).map(|role| role.name.clone()),
            Names::Policies(table) => table.by_id(text).map(|policy| policy.name.clone()),
        });
        named.unwrap_or_else(|| if attribute.names.is_some() { last.to_owned() } else { text.to_owned() })
    }
}

/// `service principal` of `ServicePrincipal`.
fn spaced(word: &str) -> String {
    let mut text = String::new();
    for letter in word.chars() {
        if letter.is_ascii_uppercase() && !text.is_empty() {
            text.push(' ');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}
