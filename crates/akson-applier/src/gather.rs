//! Reads the objects that an import is asked for: those of a subscription, of a resource group, or single ones, each with what lies in it
//! and has no list above. Nothing here decides what is declared of them.

mod beside;

use std::collections::{BTreeMap, BTreeSet};

use akson_catalog::{
    ArmId, Catalog, Kind, SymbolicId, Type,
    kind::{
        ListScope, Plane,
        ids::{fill, type_of},
    },
};
use akson_planner::{Answer, At, Read, ReadTarget, Way};
use futures_util::future::join_all;
use serde_json::Value as Json;

use crate::{
    engine::Engine,
    refresh::{ReadCause, ReadFailure, fetch},
};

/// Of ARM's own lists.
const RESOURCES: &str = "2021-04-01";
/// No object lies deeper in others that are declared by themselves.
const DEEPEST: usize = 4;

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Gathered {
    /// Objects as Azure answered them.
    pub objects: Vec<Json>,
    /// Stable api-versions of types that are no kinds, by type in small letters.
    pub api_versions: BTreeMap<String, String>,
    /// Objects of the directory that are only looked at: principals of grants, by id.
    pub looked_at: BTreeSet<String>,
    /// What could not be read.
    pub unread: Vec<Unread>,
    /// How the clusters are reached that were looked into.
    pub ways: BTreeMap<SymbolicId, Way>,
}

/// Something that could not be read, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// What it is.
    pub id: String,
    /// Why not.
    pub why: String,
}

/// Everything in these places: subscriptions, resource groups and resources by their ids; and objects of the directory by theirs. With
/// `inside` also what is in the clusters that are found; how these are reached is asked with a call that lists credentials, all else are reads.
///
/// # Errors
/// [`ReadFailure`], of the first read in order that failed; also of a place that is not there.
pub async fn gather(
    engine: &Engine,
    catalog: &Catalog,
    places: &[ArmId],
    directory: &[String],
    inside: bool,
) -> Result<Gathered, ReadFailure> {
    let mut found = Found { engine, catalog, places, gathered: Gathered::default(), seen: BTreeSet::new() };
    found.lists().await?;
    found.single().await?;
    found.others().await?;
    let mut from = 0;
    for _ in 0..DEEPEST {
        let next = found.gathered.objects.len();
        found.below(from).await?;
        from = next;
    }
    found.anywhere().await?;
    if inside {
        found.clusters().await?;
    }
    found.mounted().await?;
    found.directory(directory).await?;
    found.principals().await?;
    Ok(found.gathered)
}

struct Found<'a> {
    engine: &'a Engine,
    catalog: &'a Catalog,
    places: &'a [ArmId],
    gathered: Gathered,
    seen: BTreeSet<String>,
}

impl Found<'_> {
    fn take(&mut self, objects: Vec<Json>) {
        for object in objects {
            let Some(id) = object.get("id").and_then(Json::as_str).map(ArmId::new) else { continue };
            if self.places.iter().any(|place| id.is_within(place)) && self.seen.insert(id.folded().to_owned()) {
                self.gathered.objects.push(object);
            }
        }
    }

    /// What a subscription lists, of every kind.
    async fn lists(&mut self) -> Result<(), ReadFailure> {
        let above = self.places.iter().filter(|place| !is_resource(place));
        let subscriptions: BTreeSet<String> =
            above.filter_map(|place| place.subscription().map(str::to_ascii_lowercase)).collect();
        let mut reads = Vec::new();
        for subscription in &subscriptions {
            let part = |name: &str| (name == "subscription").then_some(subscription.as_str());
            for kind in self.catalog.iter().filter(|kind| kind.plane == Plane::Arm) {
                let list = kind.lists.iter().find(|list| list.scope == ListScope::Subscription);
                let Some(path) = list.and_then(|list| fill(&list.path, part).ok()) else { continue };
                reads.push(listing(kind, &path, &ArmId::new(format!("/subscriptions/{subscription}"))));
            }
        }
        for objects in self.all(&reads).await? {
            self.take(objects);
        }
        Ok(())
    }

    /// Places that are one object each.
    async fn single(&mut self) -> Result<(), ReadFailure> {
        let single: Vec<ArmId> = self
            .places
            .iter()
            .filter(|place| type_of(place).is_some() && !self.seen.contains(place.folded()))
            .cloned()
            .collect();
        self.versions(&single).await?;
        let reads: Vec<Read> = single.iter().filter_map(|id| self.object(id)).collect();
        if let Some(unread) = single.iter().find(|id| self.object(id).is_none()) {
            return Err(ReadFailure { path: unread.as_str().to_owned(), cause: ReadCause::UnknownType });
        }
        for (read, objects) in reads.iter().zip(self.all(&reads).await?) {
            if objects.is_empty() {
                return Err(ReadFailure { path: read.path.clone(), cause: ReadCause::Absent });
            }
            self.take(objects);
        }
        Ok(())
    }

    /// What lies in groups and is of no kind.
    async fn others(&mut self) -> Result<(), ReadFailure> {
        let above = self.places.iter().filter(|place| !is_resource(place));
        let reads: Vec<Read> = above
            .map(|place| Read {
                at: At::Arm,
                path: format!("{place}/resources?api-version={RESOURCES}"),
                target: ReadTarget::Inventory { within: SymbolicId::of_arm(place) },
            })
            .collect();
        let mut ids = Vec::new();
        for objects in self.all(&reads).await? {
            let known = objects.iter().filter_map(|object| object.get("id").and_then(Json::as_str)).map(ArmId::new);
            ids.extend(known.filter(|id| !self.seen.contains(id.folded()) && self.kind(id).is_none()));
        }
        self.versions(&ids).await?;
        let reads: Vec<Read> = ids.iter().filter_map(|id| self.object(id)).collect();
        for objects in self.all(&reads).await? {
            self.take(objects);
        }
        Ok(())
    }

    /// What lies in what was found, from here on, of kinds that only a parent lists.
    async fn below(&mut self, from: usize) -> Result<(), ReadFailure> {
        let mut reads = Vec::new();
        for object in self.gathered.objects.get(from..).unwrap_or_default() {
            let Some(id) = object.get("id").and_then(Json::as_str).map(ArmId::new) else { continue };
            let Some(of) = self.kind(&id) else { continue };
            for kind in self.catalog.iter().filter(|kind| lies_in(kind, of)) {
                let list = kind.lists.iter().find(|list| list.scope == ListScope::Parent);
                let other = kind.lists.iter().any(|list| list.scope == ListScope::Subscription);
                let part = |name: &str| matches!(name, "parent" | "resource_group").then_some(id.as_str());
                if let Some(path) = list.filter(|_| !other).and_then(|list| fill(&list.path, part).ok()) {
                    reads.push(listing(kind, &path, &id));
                }
            }
        }
        for objects in self.all(&reads).await? {
            self.take(objects);
        }
        Ok(())
    }

    fn kind(&self, id: &ArmId) -> Option<&Kind> {
        self.catalog.kind_of_type(&type_of(id)?).map(AsRef::as_ref)
    }

    /// The read of one object; none if no api-version of its type is known.
    fn object(&self, id: &ArmId) -> Option<Read> {
        let of = type_of(id)?;
        let known = self.kind(id).map(|kind| &kind.api_version);
        let version = known.or_else(|| self.gathered.api_versions.get(&of.to_ascii_lowercase()))?;
        Some(Read {
            at: At::Arm,
            path: format!("{id}?api-version={version}"),
            target: ReadTarget::Object { kind: of, symbolic_id: SymbolicId::of_arm(id) },
        })
    }

    /// Asks providers which api-versions their types have, where no kind says it.
    async fn versions(&mut self, ids: &[ArmId]) -> Result<(), ReadFailure> {
        let versions = api_versions(self.engine, self.catalog, ids).await?;
        self.gathered.api_versions.extend(versions);
        Ok(())
    }

    async fn all(&self, reads: &[Read]) -> Result<Vec<Vec<Json>>, ReadFailure> {
        all(self.engine, reads).await
    }
}

/// The objects of each read, all sent at once.
async fn all(engine: &Engine, reads: &[Read]) -> Result<Vec<Vec<Json>>, ReadFailure> {
    let answers = join_all(reads.iter().map(|read| fetch(engine, read, false))).await;
    let mut found = Vec::with_capacity(reads.len());
    for answers in answers {
        found.push(objects(answers?));
    }
    Ok(found)
}

/// The newest stable api-version of each type of these, by type in small letters, as the providers say it; of types that are kinds none.
pub(crate) async fn api_versions(
    engine: &Engine,
    catalog: &Catalog,
    ids: &[ArmId],
) -> Result<BTreeMap<String, String>, ReadFailure> {
    let mut namespaces = BTreeSet::new();
    for id in ids {
        if let Some(of) = type_of(id)
            && catalog.kind_of_type(&of).is_none()
            && let Some((namespace, _)) = of.split_once('/')
            && let Some(subscription) = id.subscription()
        {
            namespaces.insert((subscription.to_ascii_lowercase(), namespace.to_ascii_lowercase()));
        }
    }
    let reads: Vec<Read> = namespaces
        .iter()
        .map(|(subscription, namespace)| {
            let path = format!("/subscriptions/{subscription}/providers/{namespace}");
            let target =
                ReadTarget::Object { kind: namespace.clone(), symbolic_id: SymbolicId::from_ledger(path.as_str()) };
            Read { at: At::Arm, target, path: format!("{path}?api-version={RESOURCES}") }
        })
        .collect();
    let mut found = BTreeMap::new();
    for provider in all(engine, &reads).await?.into_iter().flatten() {
        let text = |value: &Json, name: &str| value.get(name).and_then(Json::as_str).map(str::to_owned);
        let Some(namespace) = text(&provider, "namespace") else { continue };
        for of in provider.get("resourceTypes").and_then(Json::as_array).into_iter().flatten() {
            let versions = of.get("apiVersions").and_then(Json::as_array).into_iter().flatten();
            let versions: Vec<&str> = versions.filter_map(Json::as_str).collect();
            let stable = versions.iter().filter(|version| version.len() == "2021-04-01".len()).max();
            if let (Some(name), Some(version)) = (text(of, "resourceType"), stable.or(versions.iter().max())) {
                let of = format!("{namespace}/{name}").to_ascii_lowercase();
                found.insert(of, (*version).to_owned());
            }
        }
    }
    Ok(found)
}

/// The objects of answers.
fn objects(answers: Vec<Answer>) -> Vec<Json> {
    let objects = answers.into_iter().flat_map(|answer| match answer {
        Answer::Page { items, .. } => items,
        Answer::Object(object) => vec![object],
        Answer::NotFound | Answer::Unreachable(_) => Vec::new(),
    });
    objects.collect()
}

/// The kinds that one lies in.
fn parents(kind: &Kind) -> impl Iterator<Item = &str> {
    let parent = kind.parent.as_deref().and_then(|name| kind.attributes.get(name)).map(|attribute| &attribute.of);
    let kinds = match parent {
        Some(Type::Resource(kinds)) => kinds.as_slice(),
        _ => &[],
    };
    kinds.iter().map(String::as_str)
}

/// Whether a place is a single resource, and no group or subscription.
fn is_resource(place: &ArmId) -> bool {
    place.folded().contains("/providers/")
}

/// Whether objects of a kind lie in those of another. What may lie anywhere is asked for nowhere.
fn lies_in(kind: &Kind, of: &Kind) -> bool {
    kind.plane == Plane::Arm && parents(kind).any(|parent| parent == of.keyword)
}

fn listing(kind: &Kind, path: &str, within: &ArmId) -> Read {
    let mark = if path.contains('?') { '&' } else { '?' };
    Read {
        at: At::Arm,
        path: if path.contains("api-version=") {
            path.to_owned()
        } else {
            format!("{path}{mark}api-version={}", kind.api_version)
        },
        target: ReadTarget::List { kind: kind.keyword.clone(), within: SymbolicId::of_arm(within) },
    }
}
