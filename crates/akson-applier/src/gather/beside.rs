//! What an import reads beside Azure Resource Manager: what is in the clusters that were found, the secrets that are mounted there, by
//! name and without values, and who the principals of grants are. What cannot be read is no error: it is said, and the rest is printed.

use std::collections::{BTreeMap, BTreeSet};

use akson_catalog::{
    ArmId, Kind, SymbolicId,
    json::lookup,
    kind::{LateId, ListScope, Plane, ids::fill},
};
use akson_planner::{Answer, At, Read, ReadTarget, Way, snapshot::add_edges, waves::selecting};
use futures_util::future::join_all;
use serde_json::{Value as Json, json};

use super::{Found, Unread};
use crate::{
    reach::kubeconfig,
    refresh::{ReadCause, ReadFailure, cluster, fetch},
};

/// Of the class that says what of a vault is mounted, where that stands.
const MOUNTED_OF: &str = "/spec/parameters/keyvaultName";
const MOUNTED: &str = "/spec/parameters/objects";

impl Found<'_> {
    /// What is in the clusters that were found.
    pub(super) async fn clusters(&mut self) -> Result<(), ReadFailure> {
        let clusters: Vec<(ArmId, Json, String)> = self
            .gathered
            .objects
            .iter()
            .filter_map(|object| {
                let id = ArmId::new(object.get("id")?.as_str()?);
                let kind = self.kind(&id).filter(|kind| self.lists_in(kind).next().is_some())?;
                Some((id, object.clone(), kind.api_version.clone()))
            })
            .collect();
        let ways = join_all(clusters.iter().map(|(id, _, version)| kubeconfig(self.engine, id, version, false))).await;
        for ((id, object, _), reached) in clusters.iter().zip(ways) {
            let way = match reached {
                Ok(kubeconfig) => kubeconfig.way(),
                Err(failure) => {
                    self.unread(id.as_str(), &format!("what is in the cluster was not read: {}", failure.cause));
                    continue;
                }
            };
            let Some(way) = way else {
                self.unread(
                    id.as_str(),
                    "what is in the cluster was not read: it does not say where its API server is",
                );
                continue;
            };
            self.inside(id, object, &way).await?;
            self.gathered.ways.insert(SymbolicId::of_arm(id), way);
        }
        Ok(())
    }

    /// The kinds that lie in objects of a kind and are listed by their own servers.
    fn lists_in<'k>(&'k self, of: &Kind) -> impl Iterator<Item = (&'k Kind, &'k str)> {
        let keyword = of.keyword.clone();
        self.catalog.iter().filter(|kind| kind.plane == Plane::Kubernetes).filter_map(move |kind| {
            let parent = kind.attributes.get(kind.parent.as_deref()?)?;
            let list = kind.lists.iter().find(|list| list.scope == ListScope::Cluster)?;
            matches!(&parent.of, akson_catalog::Type::Resource(kinds) if kinds.contains(&keyword))
                .then_some((kind.as_ref(), list.path.as_str()))
        })
    }

    async fn inside(&mut self, id: &ArmId, object: &Json, way: &Way) -> Result<(), ReadFailure> {
        let of = SymbolicId::of_arm(id);
        let Some(kind) = self.kind(id) else { return Ok(()) };
        let reads: Vec<Read> = self
            .lists_in(kind)
            .map(|(kind, path)| Read {
                at: At::Cluster(of.clone()),
                path: path.to_owned(),
                target: ReadTarget::List { kind: kind.keyword.clone(), within: of.clone() },
            })
            .collect();
        let named = SymbolicId::from_ledger(id.as_str());
        let (engine, catalog) = (self.engine, self.catalog);
        let asked = reads.iter().map(|read| cluster::fetch(engine, catalog, read, (&named, Some(object)), Some(way)));
        let mut why = None;
        for answers in join_all(asked).await {
            for answer in answers? {
                match answer {
                    Answer::Page { items, .. } => self.take(items),
                    Answer::Unreachable(reason) => why = Some(reason),
                    Answer::Object(_) | Answer::NotFound => {}
                }
            }
        }
        if let Some(why) = why {
            self.unread(id.as_str(), &format!("what is in the cluster was not read: {why}"));
        }
        Ok(())
    }

    /// The secrets that classes mount: that they are there, not what they say.
    pub(super) async fn mounted(&mut self) -> Result<(), ReadFailure> {
        let Some(kind) = self.catalog.iter().find(|kind| kind.plane == Plane::KeyVault) else { return Ok(()) };
        let vaults: BTreeMap<String, String> = self
            .gathered
            .objects
            .iter()
            .filter_map(|object| object.get("id")?.as_str().map(ArmId::new))
            .filter(|id| self.kind(id).is_some_and(|of| super::parents(kind).any(|parent| parent == of.keyword)))
            .map(|id| (id.name().to_ascii_lowercase(), id.as_str().to_owned()))
            .collect();
        let mut ids = BTreeSet::new();
        for object in &self.gathered.objects {
            let vault = lookup(object, MOUNTED_OF).and_then(Json::as_str).map(str::to_ascii_lowercase);
            let Some(vault) = vault.and_then(|name| vaults.get(&name)) else { continue };
            let text = lookup(object, MOUNTED).and_then(Json::as_str).unwrap_or_default();
            for name in named_in(text) {
                let part = |part: &str| if part == "name" { Some(name.as_str()) } else { Some(vault.as_str()) };
                ids.extend(kind.id_for(part).ok().map(|id| id.as_str().to_owned()));
            }
        }
        let reads: Vec<Read> = ids
            .iter()
            .map(|id| Read {
                at: At::Arm,
                path: format!("{id}?api-version={}", kind.api_version),
                target: ReadTarget::Object {
                    kind: kind.keyword.clone(),
                    symbolic_id: SymbolicId::of_arm(&ArmId::new(id.as_str())),
                },
            })
            .collect();
        for objects in self.each(reads.iter()).await? {
            self.take(objects);
        }
        Ok(())
    }

    /// Who the principals are that grants name and that nothing found is: looked at, not declared.
    pub(super) async fn principals(&mut self) -> Result<(), ReadFailure> {
        let asked = self.gathered.objects.iter().filter_map(|object| object.get("id")?.as_str());
        let asked: Vec<String> = asked.filter(|id| !id.starts_with('/')).map(str::to_ascii_lowercase).collect();
        let mut told: BTreeSet<String> = self
            .gathered
            .objects
            .iter()
            .filter_map(|object| {
                let id = ArmId::new(object.get("id")?.as_str()?);
                let pointer = &self.kind(&id)?.outputs.get(&self.kind(&id)?.principal.as_ref()?.output)?.pointer;
                lookup(object, pointer)?.as_str().map(str::to_ascii_lowercase)
            })
            .collect();
        told.extend(asked);
        let mut wanted: BTreeMap<String, String> = BTreeMap::new();
        for object in &self.gathered.objects {
            let Some(id) = object.get("id").and_then(Json::as_str).map(ArmId::new) else { continue };
            let Some(kind) = self.kind(&id) else { continue };
            for attribute in kind.attributes.values() {
                let at = attribute.principal.as_ref().and_then(|principal| principal.type_at.as_deref());
                let of = at.and_then(|at| lookup(object, at)).and_then(Json::as_str);
                let principal =
                    attribute.pointer.as_deref().and_then(|pointer| lookup(object, pointer)).and_then(Json::as_str);
                if let (Some(of), Some(principal)) = (of, principal)
                    && !told.contains(&principal.to_ascii_lowercase())
                {
                    wanted.insert(principal.to_ascii_lowercase(), of.to_owned());
                }
            }
        }
        let reads: Vec<(Read, &String, &Kind)> = wanted
            .iter()
            .filter_map(|(id, of)| {
                let is = |kind: &&std::sync::Arc<Kind>| {
                    kind.plane == Plane::Graph && kind.principal.as_ref().is_some_and(|principal| principal.of == *of)
                };
                let kind = self.catalog.iter().find(is)?;
                Some((object_of(kind, id)?, id, kind.as_ref()))
            })
            .collect();
        let answers = self.each(reads.iter().map(|(read, ..)| read)).await?;
        for ((_, id, kind), objects) in reads.iter().zip(answers) {
            if !objects.is_empty() {
                self.gathered.looked_at.insert((*id).clone());
            }
            self.gathered.objects.extend(objects.into_iter().map(|object| typed(kind, object)));
        }
        Ok(())
    }

    /// Objects of the directory by their ids, with their edges; of an application also its service principal.
    pub(super) async fn directory(&mut self, ids: &[String]) -> Result<(), ReadFailure> {
        for id in ids {
            let missing = || ReadFailure { path: id.clone(), cause: ReadCause::Absent };
            let kinds: Vec<&Kind> =
                self.catalog.iter().map(AsRef::as_ref).filter(|kind| kind.plane == Plane::Graph).collect();
            let mut any = false;
            for kind in kinds {
                let Some(read) = object_of(kind, id) else { continue };
                for answer in fetch(self.engine, &read, false).await? {
                    let Answer::Object(mut object) = answer else { continue };
                    any = true;
                    let base = kind.path_of(id);
                    for edges in kind.edges().filter_map(|attribute| attribute.pointer.as_deref()) {
                        let read = Read {
                            at: At::Graph,
                            path: format!("{base}{edges}?$select=id"),
                            target: ReadTarget::Edges {
                                symbolic_id: SymbolicId::from_ledger(id.as_str()),
                                pointer: edges.to_owned(),
                            },
                        };
                        for answer in fetch(self.engine, &read, false).await? {
                            if let Answer::Page { items, .. } = answer {
                                add_edges(&mut object, edges, &items);
                            }
                        }
                    }
                    self.gathered.objects.push(typed(kind, object));
                }
            }
            if !any {
                return Err(missing());
            }
        }
        Ok(())
    }

    /// What may lie in anything and is listed there alone: the diagnostic settings of each resource. Many types have none, and say so in an
    /// error.
    pub(super) async fn anywhere(&mut self) -> Result<(), ReadFailure> {
        let mut reads = Vec::new();
        for kind in self.catalog.iter().filter(|kind| kind.plane == Plane::Arm) {
            let anywhere = super::parents(kind).any(|parent| parent == "*");
            let other = kind.lists.iter().any(|list| list.scope != ListScope::Parent);
            let list = kind.lists.iter().find(|list| list.scope == ListScope::Parent);
            let Some(list) = list.filter(|_| anywhere && !other) else { continue };
            for object in &self.gathered.objects {
                let Some(id) = object.get("id").and_then(Json::as_str).map(ArmId::new) else { continue };
                // What has a region is a resource that somebody made, and no part of another.
                let regional =
                    object.get("location").is_some_and(Json::is_string) && id.folded().contains("/providers/");
                if let Some(path) = fill(&list.path, |_| Some(id.as_str())).ok().filter(|_| regional) {
                    reads.push(super::listing(kind, &path, &id));
                }
            }
        }
        let answers = join_all(reads.iter().map(|read| fetch(self.engine, read, false))).await;
        for (read, answers) in reads.iter().zip(answers) {
            match answers {
                Ok(answers) => self.take(super::objects(answers)),
                Err(ReadFailure { cause: ReadCause::Azure(error), .. }) if matches!(error.status, 401 | 403) => {
                    let path = read.path.split('?').next().unwrap_or_default();
                    self.unread(path, &format!("it was not read: {}", error.code));
                }
                Err(ReadFailure { cause: ReadCause::Azure(_), .. }) => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }

    /// As `all`, where what may not be read is left out and said.
    async fn each<'r>(&mut self, reads: impl IntoIterator<Item = &'r Read>) -> Result<Vec<Vec<Json>>, ReadFailure> {
        let reads: Vec<&Read> = reads.into_iter().collect();
        let answers = join_all(reads.iter().map(|read| fetch(self.engine, read, false))).await;
        let mut found = Vec::with_capacity(reads.len());
        for (read, answers) in reads.iter().zip(answers) {
            found.push(match answers {
                Ok(answers) => super::objects(answers),
                Err(ReadFailure { cause: ReadCause::Azure(error), .. }) => {
                    let path = read.path.split('?').next().unwrap_or_default();
                    self.unread(path, &format!("it was not read: {}", error.code));
                    Vec::new()
                }
                Err(failure) => return Err(failure),
            });
        }
        Ok(found)
    }

    fn unread(&mut self, id: &str, why: &str) {
        self.gathered.unread.push(Unread { id: id.to_owned(), why: why.to_owned() });
    }
}

/// The read of an object of the directory by its id.
fn object_of(kind: &Kind, id: &str) -> Option<Read> {
    matches!(kind.late, Some(LateId::Told { .. })).then(|| Read {
        at: At::Graph,
        path: selecting(&kind.path_of(id), kind),
        target: ReadTarget::Object { kind: kind.keyword.clone(), symbolic_id: SymbolicId::from_ledger(id) },
    })
}

/// An object of the directory, saying what it is.
fn typed(kind: &Kind, mut object: Json) -> Json {
    let of = kind.resource_type.rsplit('/').next().unwrap_or_default().trim_end_matches('s');
    if let Some(members) = object.as_object_mut() {
        members.entry("@odata.type").or_insert_with(|| json!(format!("#microsoft.graph.{of}")));
    }
    object
}

/// The names in what a class mounts: YAML in YAML, of which only the lines with names matter here.
fn named_in(text: &str) -> Vec<String> {
    let items = serde_saphyr::from_str::<Json>(text).ok().and_then(|said| said.get("array").cloned());
    let texts = items.as_ref().and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str);
    texts
        .filter_map(|item| serde_saphyr::from_str::<Json>(item).ok())
        .filter(|item| item.get("objectType").and_then(Json::as_str).is_none_or(|of| of == "secret"))
        .filter_map(|item| item.get("objectName").and_then(Json::as_str).map(str::to_owned))
        .collect()
}
