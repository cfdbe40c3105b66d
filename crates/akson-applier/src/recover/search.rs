//! Where marks are looked for: in the lists of subscriptions, of what lies in them, of the directory and of clusters. Whose they are
//! is decided above.

use std::{collections::BTreeSet, sync::Arc};

use akson_catalog::{
    ArmId, Catalog, Kind, SymbolicId,
    json::lookup,
    kind::{
        ListScope, Marker, Plane,
        ids::{fill, type_of},
    },
    marker::TAG,
};
use akson_config::Config;
use akson_planner::{
    Answer, At, Owned, Read, ReadTarget, Way,
    marker::{Ownership, ownership},
    place::symbolic,
    waves::selecting,
};
use futures_util::future::join_all;
use serde_json::Value as Json;

use super::{Object, arm, is_in_cluster, list, names_of};
use crate::{
    engine::Engine,
    gather::api_versions,
    reach::kubeconfig,
    refresh::{self, ReadFailure, fetch},
};

/// Of ARM's own lists.
const RESOURCES: &str = "2021-04-01";

/// What the search came upon.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) objects: Vec<Object>,
    pub(super) ways: Vec<(SymbolicId, Way)>,
    pub(super) unseen: Vec<(String, String)>,
    ids: BTreeSet<String>,
}

pub(super) struct Search<'a> {
    engine: &'a Engine,
    catalog: &'a Catalog,
    config: &'a Config,
    stack_id: &'a str,
}

/// A list to be read, and the kind of what is in it.
struct Listing<'a> {
    kind: &'a Arc<Kind>,
    read: Read,
}

impl<'a> Search<'a> {
    pub(super) fn new(engine: &'a Engine, catalog: &'a Catalog, config: &'a Config, stack_id: &'a str) -> Self {
        Self { engine, catalog, config, stack_id }
    }

    pub(super) async fn run(&self, owned: &Owned) -> Result<Seen, ReadFailure> {
        let mut seen = Seen::default();
        let subscriptions: BTreeSet<String> = std::iter::once(&self.config.stack.subscription)
            .chain(self.config.resources.iter().map(|resource| &resource.subscription))
            .map(|subscription| subscription.to_ascii_lowercase())
            .collect();
        let mut lists = Vec::new();
        for subscription in &subscriptions {
            let part = |name: &str| (name == "subscription").then_some(subscription.as_str());
            for kind in self.catalog.iter().filter(|kind| kind.plane == Plane::Arm) {
                if let Some(path) = list(kind, ListScope::Subscription).and_then(|list| fill(list, part).ok()) {
                    let within = arm(&format!("/subscriptions/{subscription}"));
                    lists.push(Listing { kind, read: listing(kind, &path, &within) });
                }
            }
        }
        self.take(&mut seen, &lists).await?;
        self.raw(&mut seen, &subscriptions).await?;
        self.below(&mut seen).await?;
        self.directory(&mut seen).await;
        self.clusters(&mut seen, owned).await?;
        Ok(seen)
    }

    async fn take(&self, seen: &mut Seen, lists: &[Listing<'a>]) -> Result<(), ReadFailure> {
        let answers = join_all(lists.iter().map(|list| fetch(self.engine, &list.read, false))).await;
        for (list, answers) in lists.iter().zip(answers) {
            seen.add(list.kind, answers?);
        }
        Ok(())
    }

    /// What is of no kind, and bears the tag.
    async fn raw(&self, seen: &mut Seen, subscriptions: &BTreeSet<String>) -> Result<(), ReadFailure> {
        let mut found: Vec<(ArmId, Json)> = Vec::new();
        for subscription in subscriptions {
            let within = arm(&format!("/subscriptions/{subscription}"));
            let read = Read {
                at: At::Arm,
                path: format!("{within}/resources?api-version={RESOURCES}"),
                target: ReadTarget::Inventory { within: SymbolicId::of_arm(&within) },
            };
            for item in items(fetch(self.engine, &read, false).await?) {
                let Some(id) = item.get("id").and_then(Json::as_str).map(arm) else { continue };
                let of = type_of(&id).unwrap_or_default();
                let tagged = lookup(&item, &format!("/tags/{TAG}")).is_some();
                if tagged && self.catalog.kind_of_type(&of).is_none() {
                    found.push((id, item));
                }
            }
        }
        let ids: Vec<ArmId> = found.iter().map(|(id, _)| id.clone()).collect();
        let versions = api_versions(self.engine, self.catalog, &ids).await?;
        for (id, body) in found {
            let of = type_of(&id).unwrap_or_default();
            let declared =
                self.config.resources.iter().find(|resource| resource.symbolic_id == SymbolicId::of_arm(&id));
            let kind = match (declared, versions.get(&of.to_ascii_lowercase())) {
                (Some(declared), _) => Some(Arc::clone(&declared.kind)),
                (None, Some(version)) => self.catalog.raw_kind(&format!("{of}@{version}")).ok().map(Arc::new),
                (None, None) => None,
            };
            if let Some(kind) = kind {
                seen.push(&kind, body);
            }
        }
        Ok(())
    }

    /// What only a parent lists and takes a mark: in what is ours, and in what is declared.
    async fn below(&self, seen: &mut Seen) -> Result<(), ReadFailure> {
        let declared: BTreeSet<&SymbolicId> =
            self.config.resources.iter().map(|resource| &resource.symbolic_id).collect();
        let mut from = 0;
        while from < seen.objects.len() {
            let mut lists = Vec::new();
            for object in seen.objects.get(from..).unwrap_or_default() {
                let id = symbolic(&object.id);
                let is_ours = ownership(&object.kind, self.stack_id, &id, &object.body) == Ownership::Ours;
                if !is_ours && !declared.contains(&id) {
                    continue;
                }
                for kind in self.catalog.iter().filter(|kind| lies_in(kind, &object.kind)) {
                    let part = |name: &str| matches!(name, "parent" | "resource_group").then_some(object.id.as_str());
                    if let Some(path) = list(kind, ListScope::Parent).and_then(|list| fill(list, part).ok()) {
                        lists.push(Listing { kind, read: listing(kind, &path, &arm(&object.id)) });
                    }
                }
            }
            from = seen.objects.len();
            self.take(seen, &lists).await?;
        }
        Ok(())
    }

    /// What the directory has under names that this stack made.
    async fn directory(&self, seen: &mut Seen) {
        for kind in self.catalog.iter().filter(|kind| kind.plane == Plane::Graph) {
            let (Marker::UniqueName(pointer), Some(path)) = (&kind.marker, list(kind, ListScope::Lookup)) else {
                continue;
            };
            let filter =
                format!("{path}?$filter=startswith({},'{}')", pointer.trim_start_matches('/'), names_of(self.stack_id));
            let read = Read {
                at: At::Graph,
                path: selecting(&filter, kind),
                target: ReadTarget::Candidates { kind: kind.keyword.clone(), within: None, sought: Vec::new() },
            };
            match fetch(self.engine, &read, false).await {
                Ok(answers) => seen.add(kind, answers),
                // Not everybody may search the directory: what is declared is found by its own name all the same.
                Err(failure) => seen.unseen.push((format!("the directory's {path}"), failure.cause.to_string())),
            }
        }
    }

    /// What lies in clusters.
    async fn clusters(&self, seen: &mut Seen, owned: &Owned) -> Result<(), ReadFailure> {
        let declared: BTreeSet<&SymbolicId> =
            self.config.resources.iter().map(|resource| &resource.symbolic_id).collect();
        let clusters: Vec<(SymbolicId, Arc<Kind>, String, Json)> = seen
            .objects
            .iter()
            .filter(|object| self.catalog.iter().any(|kind| is_in_cluster(kind) && parent_kind(kind, &object.kind)))
            .map(|object| (symbolic(&object.id), Arc::clone(&object.kind), object.id.clone(), object.body.clone()))
            .filter(|(id, kind, _, body)| {
                declared.contains(id) || ownership(kind, self.stack_id, id, body) == Ownership::Ours
            })
            .collect();
        for (id, kind, text, body) in clusters {
            let way = match owned.reachable.get(&id) {
                Some(way) => way.clone(),
                None => {
                    let kubeconfig = kubeconfig(self.engine, &arm(&text), &kind.api_version, false).await;
                    match kubeconfig.map(|kubeconfig| kubeconfig.way()) {
                        Ok(Some(way)) => {
                            seen.ways.push((id.clone(), way.clone()));
                            way
                        }
                        Ok(None) => {
                            seen.unseen.push((text, "Azure does not say how it is reached".to_owned()));
                            continue;
                        }
                        Err(failure) => {
                            seen.unseen.push((text, failure.cause.to_string()));
                            continue;
                        }
                    }
                }
            };
            for kind in self.catalog.iter().filter(|kind| is_in_cluster(kind)) {
                let Some(path) = list(kind, ListScope::Cluster) else { continue };
                let read = Read {
                    at: At::Cluster(id.clone()),
                    path: path.to_owned(),
                    target: ReadTarget::List { kind: kind.keyword.clone(), within: id.clone() },
                };
                let answers =
                    refresh::in_cluster(self.engine, self.catalog, &read, (&id, Some(&body)), Some(&way)).await?;
                if let Some(why) = answers.iter().find_map(|answer| match answer {
                    Answer::Unreachable(why) => Some(why.clone()),
                    _ => None,
                }) {
                    seen.unseen.push((text.clone(), why));
                    break;
                }
                seen.add(kind, answers);
            }
        }
        Ok(())
    }
}

impl Seen {
    fn add(&mut self, kind: &Arc<Kind>, answers: Vec<Answer>) {
        for item in items(answers) {
            self.push(kind, item);
        }
    }

    fn push(&mut self, kind: &Arc<Kind>, body: Json) {
        let Some(id) = body.get("id").and_then(Json::as_str).map(str::to_owned) else { return };
        if self.ids.insert(id.to_ascii_lowercase()) {
            self.objects.push(Object { kind: Arc::clone(kind), id, body });
        }
    }
}

fn items(answers: Vec<Answer>) -> impl Iterator<Item = Json> {
    answers.into_iter().flat_map(|answer| match answer {
        Answer::Page { items, .. } => items,
        Answer::Object(object) => vec![object],
        Answer::NotFound | Answer::Unreachable(_) => Vec::new(),
    })
}

/// Whether objects of a kind lie in those of another, take a mark, and are in no list above.
fn lies_in(kind: &Kind, of: &Kind) -> bool {
    let marked = !matches!(kind.marker, Marker::Parent | Marker::UniqueName(_));
    let above = list(kind, ListScope::Subscription).is_some();
    marked && !above && !is_in_cluster(kind) && kind.plane != Plane::Graph && parent_kind(kind, of)
}

fn parent_kind(kind: &Kind, of: &Kind) -> bool {
    let parent = kind.parent.as_deref().and_then(|name| kind.attributes.get(name)).map(|attribute| &attribute.of);
    matches!(parent, Some(akson_catalog::Type::Resource(kinds)) if kinds.contains(&of.keyword))
}

fn listing(kind: &Kind, path: &str, within: &ArmId) -> Read {
    let mark = if path.contains('?') { '&' } else { '?' };
    let path = if path.contains("api-version=") {
        path.to_owned()
    } else {
        format!("{path}{mark}api-version={}", kind.api_version)
    };
    Read {
        at: At::Arm,
        path,
        target: ReadTarget::List { kind: kind.keyword.clone(), within: SymbolicId::of_arm(within) },
    }
}
