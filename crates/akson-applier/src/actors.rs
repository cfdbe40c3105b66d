//! Who did what drift found, as far as somebody wrote it down: Azure's activity log, the directory's audit log, and what objects of clusters
//! say of their own fields. Reads only. What cannot be told is no failure: it is said, and drift is drift all the same.

mod activity_log;
mod directory_audits;
mod managed_fields;
mod moment;

use std::time::Duration;

use akson_azure::{Lane, Operation, Pages};
use akson_catalog::{ArmId, SymbolicId, kind::Plane};
use serde_json::Value as Json;

use crate::{
    Unread,
    engine::{Engine, Patience, SendError},
    refresh::ReadCause,
};

/// No more of them are told of one object.
const MOST: usize = 3;
/// How long a log is tried: nothing fails for want of it.
const LONG_ENOUGH: Duration = Duration::from_secs(30);
/// How long Azure keeps its activity log, less an hour.
const KEPT: i64 = 90 * 86_400 - 3_600;

/// Something that happened to an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Deed {
    /// What the object is to its stack.
    pub symbolic_id: SymbolicId,
    /// Its id: Azure's, the directory's, or the one that an object of a cluster has in a stack.
    pub id: String,
    /// Where it lives.
    pub plane: Plane,
    /// What happened.
    pub happened: Happened,
    /// To which leaves, as JSON pointers into its body; without any, to whatever.
    pub pointers: Vec<String>,
    /// Its body as it was read, of an object in a cluster: that is where it stands who wrote what.
    pub body: Option<Json>,
}

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// It was changed, or made.
    Changed,
    /// It was deleted.
    Deleted,
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// A user's name, the object id of an application or identity, or under which name a client of a cluster wrote.
    pub who: String,
    /// With which application.
    pub application: Option<String>,
    /// When, as `2027-01-31T00:00:00Z`.
    pub at: Option<String>,
    /// By which operation, in the words of the source.
    pub operation: Option<String>,
    /// Where it stands.
    pub source: Source,
}

/// Where it stands who did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Azure's activity log.
    ActivityLog,
    /// The audit log of the directory.
    DirectoryAudit,
    /// `metadata.managedFields` of an object in a cluster.
    ManagedFields,
}

/// What was found out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attribution {
    /// Of each deed, in their order.
    pub of: Vec<Told>,
    /// Logs that could not be read, and why.
    pub unread: Vec<Unread>,
}

/// What was found out about one deed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// Who may have done it, the newest first.
    pub by: Vec<Actor>,
    /// What to say beside it: why it is nobody, or why it may be somebody else.
    pub note: Option<String>,
}

impl Source {
    /// The word for it in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Source::ActivityLog => "activity_log",
            Source::DirectoryAudit => "directory_audit",
            Source::ManagedFields => "managed_fields",
        }
    }
}

impl Deed {
    /// Something that happened to the object of an id: what it is follows from the id's form.
    pub fn to(id: &str, happened: Happened) -> Self {
        let plane = match id {
            id if id.contains("/kubernetes.") => Plane::Kubernetes,
            id if id.starts_with("https://") => Plane::KeyVault,
            id if id.starts_with('/') => Plane::Arm,
            _ => Plane::Graph,
        };
        Self {
            symbolic_id: SymbolicId::of_arm(&ArmId::new(id)),
            id: id.to_owned(),
            plane,
            happened,
            pointers: Vec::new(),
            body: None,
        }
    }
}

/// Who did these, since a moment in seconds since 1970; without one, for as long as logs are kept. Nothing is sent for nothing.
pub async fn actors(engine: &Engine, deeds: &[Deed], since: Option<i64>) -> Attribution {
    let mut found = Attribution { of: vec![Told::default(); deeds.len()], unread: Vec::new() };
    let of = |plane: Plane| -> Vec<(usize, &Deed)> {
        deeds.iter().enumerate().filter(|(_, deed)| deed.plane == plane).collect()
    };
    // Logs are asked in the cloud's time: this machine's clock may go wrong, and a moment before the log's beginning is refused.
    let oldest = engine.cloud_time().map(|now| now - KEPT);
    let since = match (since, oldest) {
        (Some(since), Some(oldest)) => Some(since.max(oldest)),
        (since, oldest) => since.or(oldest),
    };
    let (activity, audits) = futures_util::future::join(
        activity_log::told(engine, &of(Plane::Arm), since),
        directory_audits::told(engine, &of(Plane::Graph), since),
    )
    .await;
    for (told, unread) in [activity, audits] {
        for (at, told) in told {
            found.put(at, told);
        }
        found.unread.extend(unread);
    }
    for (at, deed) in of(Plane::Kubernetes) {
        found.put(at, managed_fields::told(deed));
    }
    for (at, _) in of(Plane::KeyVault) {
        let note = "who writes in a vault stands in the vault's own log, which is not read".to_owned();
        found.put(at, Told { by: Vec::new(), note: Some(note) });
    }
    found
}

impl Attribution {
    fn put(&mut self, at: usize, told: Told) {
        if let Some(place) = self.of.get_mut(at) {
            *place = told;
        }
    }
}

/// What a log told of some deeds, and what of it could not be read.
type Found = (Vec<(usize, Told)>, Vec<Unread>);

/// Reads a log page by page, the newest first, until there are no more pages or `enough` was read; at most so many pages.
async fn pages(
    engine: &Engine,
    operation: &Operation,
    most: usize,
    mut enough: impl FnMut(&[Json]) -> bool,
) -> (Vec<Json>, Option<ReadCause>) {
    let mut rows = Vec::new();
    let failed = |error: SendError| Some(ReadCause::from(error));
    let first = match operation.request(engine.cloud(), &engine.ids(operation.path())) {
        Ok(first) => first,
        Err(error) => return (rows, failed(error.into())),
    };
    let lane = Lane::of(operation);
    let mut list = Pages::new(first.clone());
    let mut request = first;
    for _ in 0..most {
        let answer = match engine.read_within(request, &lane, Patience::UntilStopped, LONG_ENOUGH).await {
            Ok(answer) => answer,
            Err(error) => return (rows, failed(error)),
        };
        if !answer.is_success() {
            return (rows, Some(ReadCause::Azure(answer.error())));
        }
        match list.page(&answer) {
            Ok(page) => {
                rows.extend(page.items);
                match page.next {
                    Some(next) if !enough(&rows) => request = next,
                    _ => return (rows, None),
                }
            }
            Err(error) => return (rows, Some(error.into())),
        }
    }
    (rows, None)
}

/// The newest first, each once, and not too many.
fn newest(mut actors: Vec<Actor>) -> Vec<Actor> {
    actors.sort_by(|one, other| other.at.cmp(&one.at));
    let mut kept: Vec<Actor> = Vec::new();
    for actor in actors {
        let same = |known: &Actor| {
            (&known.who, &known.application, &known.operation) == (&actor.who, &actor.application, &actor.operation)
        };
        if kept.len() < MOST && !kept.iter().any(same) {
            kept.push(actor);
        }
    }
    kept
}

/// A member of an object as text; empty if there is none.
fn text<'a>(of: &'a Json, pointer: &str) -> &'a str {
    of.pointer(pointer).and_then(Json::as_str).unwrap_or_default()
}

/// Applications that everybody knows, by the id that Microsoft gave them. Others are told by their ids: names can be chosen.
fn application(id: &str) -> Option<&'static str> {
    const KNOWN: [(&str, &str); 6] = [
        ("04b07795-8ddb-461a-bbee-02f9e1bf7b46", "Azure CLI"),
        ("c44b4083-3bb0-49c1-b47d-974e53cbdf3c", "Azure portal"),
        ("1950a258-227b-4e31-a9cf-717495945fc2", "Azure PowerShell"),
        ("aebc6443-996d-45c2-90f0-388ff96faa56", "Visual Studio Code"),
        ("872cd9fa-d31f-45e0-9eab-6e460a02d1f1", "Visual Studio"),
        ("7319c514-987d-4e9b-ac3d-d38c4f427f4c", "Azure Kubernetes Service"),
    ];
    KNOWN.iter().find(|(known, _)| known.eq_ignore_ascii_case(id)).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_an_object_lives_follows_from_its_id() {
        let check = |id: &str, plane: Plane| assert_eq!(Deed::to(id, Happened::Changed).plane, plane, "{id}");
        check("/subscriptions/s/resourceGroups/g", Plane::Arm);
        check("/providers/Microsoft.Management/managementGroups/m", Plane::Arm);
        check("/subscriptions/s/…/managedClusters/c/kubernetes.namespace/app", Plane::Kubernetes);
        check("https://kv.vault.azure.net/secrets/a", Plane::KeyVault);
        check("00000000-0000-0000-0000-0000000000a1", Plane::Graph);
    }

    #[test]
    fn the_newest_first_each_once() {
        let actor = |who: &str, at: &str| Actor {
            who: who.to_owned(),
            application: None,
            at: Some(at.to_owned()),
            operation: None,
            source: Source::ActivityLog,
        };
        let all = ["1", "3", "2", "5", "4"].iter().zip(["a", "b", "a", "c", "d"]);
        let told: Vec<(String, Option<String>)> = newest(all.map(|(at, who)| actor(who, at)).collect())
            .into_iter()
            .map(|actor| (actor.who, actor.at))
            .collect();
        let expected = [("c", "5"), ("d", "4"), ("b", "3")];
        assert_eq!(told, expected.map(|(who, at)| (who.to_owned(), Some(at.to_owned()))));
    }
}
