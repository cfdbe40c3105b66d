//! What is done to what is ours and no longer declared: it takes two keys to delete, the ledger's entry and the live mark.

use std::{collections::BTreeSet, sync::Arc};

use akson_catalog::{
    ArmId, Kind, Quirk, SymbolicId, Value,
    decode::decode_attribute,
    equality::{Equality, equal},
    json::lookup,
    kind::{Marker, Plane, ids::type_of, late::LateId},
};
use akson_diagnostics::Span;
use serde_json::Value as Json;

use super::{Decision, Pending, Setting, named::attribute_of, refuse};
use crate::{
    OwnedEntry, OwnedState,
    hashes::{SENSITIVE, is_unchanged},
    marker::{Ownership, bears_its_name, ownership, ownership_by_tag},
    place::{ancestors, cluster_of, covers, parent_of, scope_of, symbolic},
    plan::{Action, Cause, Difference, Effect, Reason, Shown, Work},
    presence::{Presence, Presences},
    shown::shown,
    snapshot::LiveObject,
};

/// Something of ours that is to go.
pub(crate) struct Removal<'a> {
    pub id: &'a SymbolicId,
    pub entry: &'a OwnedEntry,
    pub kind: Arc<Kind>,
    pub address: &'a str,
    /// Its block, if there still is one: everything is destroyed.
    pub header: Option<Span>,
    pub protect: bool,
    /// Why it is kept, if it is.
    pub keep: Option<&'static str>,
}

/// Decides about an entry of the ledger that is not declared, or is to be destroyed.
pub(crate) fn decide(removal: &Removal<'_>, presences: &Presences<'_>, setting: &Setting<'_>) -> Decision {
    let presence = presences.of(removal.id);
    if !is_of(&removal.kind, removal.id, &removal.entry.id) {
        let title = super::title(&removal.kind);
        return Decision::refused(refuse::entry_contradicts(removal.address, removal.header, &removal.entry.id, title));
    }
    if removal.entry.state == OwnedState::Tombstone {
        return tombstone(removal, presence, setting);
    }
    if let Some(why) = removal.keep {
        return forget(removal, why);
    }
    match presence {
        Presence::NotRead => Decision::refused(refuse::not_read(removal.address, removal.header)),
        // The service may not show what it still has: only its answer to a deletion says that it is gone.
        Presence::NotVerified if removal.protect => {
            Decision::refused(refuse::protected_delete(removal.address, removal.header))
        }
        Presence::NotVerified => Decision {
            not_verified: true,
            ..delete(removal, None, Some("its cluster could not be reached to look at it"))
        },
        // Nor is it gone because nobody sees it for a while.
        Presence::Absent if removal.protect => {
            Decision::refused(refuse::protected_unseen(removal.address, removal.header))
        }
        Presence::Absent => delete(removal, None, Some("it seems to be gone already; the deletion makes sure")),
        Presence::Present(live) => present(removal, live, presences, setting),
    }
}

/// Whether what a kind's resource is can have an id: a ledger that somebody wrote into leads to no other object than the one that was looked at.
fn is_of(kind: &Kind, is: &SymbolicId, id: &str) -> bool {
    if id.is_empty() {
        return true;
    }
    let typed = || type_of(&ArmId::new(id)).is_some_and(|of| of.eq_ignore_ascii_case(&kind.resource_type));
    match &kind.late {
        None if kind.plane == Plane::Kubernetes => symbolic(id) == *is && cluster_of(is).is_some(),
        None => symbolic(id) == *is && typed(),
        Some(LateId::Path(_)) => true,
        Some(LateId::Made { .. }) => scope_of(&symbolic(id)) == scope_of(is) && typed(),
        Some(LateId::Told { create, .. }) => {
            let made_at = create.as_deref().and_then(|path| path.split('{').next());
            let meant = is.as_str().split_once("object_id=").is_none_or(|(_, meant)| meant.eq_ignore_ascii_case(id));
            let is_path = id.starts_with('/') && made_at.is_some_and(|made_at| id.starts_with(made_at));
            meant && (is_path || !id.contains(['/', '?', '#', '%', '(']))
        }
    }
}

fn present(removal: &Removal<'_>, live: &LiveObject, presences: &Presences<'_>, setting: &Setting<'_>) -> Decision {
    if let Some(body) = &removal.kind.reset
        && equal(Equality::Subset, Some(body), Some(&live.body))
    {
        return forget(removal, "it is as it was without this stack already");
    }
    // What has a unique name is known by it and by nothing else.
    let named = matches!(removal.kind.marker, Marker::UniqueName(_)) && !removal.id.as_str().contains('=');
    if named && !bears_its_name(&removal.kind, removal.id, &live.body) {
        return Decision::refused(refuse::mark_lost(removal.address, removal.header, &live.id, None));
    }
    let announced = removal.entry.state == OwnedState::IntentWrite && removal.entry.observed.is_empty();
    let why_not = match ownership(&removal.kind, setting.stack_id, removal.id, &live.body) {
        Ownership::Ours => None,
        Ownership::Unmarkable => doubt(removal, live, presences, setting)
            .map(|why| refuse::not_sure(removal.address, removal.header, &live.id, why)),
        Ownership::OtherStack(_) | Ownership::Unmarked if announced => {
            return forget(
                removal,
                "it existed before, and an interrupted run did not come to adopt it: it stays as it is",
            );
        }
        Ownership::OtherStack(stack) => {
            Some(refuse::mark_lost(removal.address, removal.header, &live.id, Some(&stack)))
        }
        Ownership::Unmarked => Some(refuse::mark_lost(removal.address, removal.header, &live.id, None)),
    };
    match why_not {
        Some(diagnostic) => Decision::refused(diagnostic),
        None if removal.protect => Decision::refused(refuse::protected_delete(removal.address, removal.header)),
        None => delete(removal, Some(live), None),
    }
}

/// Why something that takes no mark may not be ours. Below what is ours, the recorded name is enough.
fn doubt(
    removal: &Removal<'_>,
    live: &LiveObject,
    presences: &Presences<'_>,
    setting: &Setting<'_>,
) -> Option<&'static str> {
    for above in ancestors(removal.id) {
        let (true, Some(kind)) = (presences.is_owned(&above), presences.kind(&above)) else { break };
        let Presence::Present(parent) = presences.of(&above) else { break };
        match ownership(kind, setting.stack_id, &above, &parent.body) {
            Ownership::Ours => return None,
            // What it lies in is ours and not marked either: what that lies in decides.
            Ownership::Unmarkable => {}
            Ownership::Unmarked | Ownership::OtherStack(_) => {
                return Some("what it lies in does not bear this stack's mark any more");
            }
        }
    }
    if bears_its_name(&removal.kind, removal.id, &live.body) {
        return None;
    }
    let observed = &removal.entry.observed;
    if observed.is_empty() {
        return Some("what it lies in is not this stack's");
    }
    let unchanged = observed.iter().all(|(pointer, hash)| is_unchanged(&removal.kind, pointer, hash, &live.body));
    (!unchanged).then_some("it was changed outside, in what is not this stack's")
}

/// A deletion that was confirmed: dropped once it is seen absent; deleted again if a late write brought it back.
fn tombstone(removal: &Removal<'_>, presence: Presence<'_>, setting: &Setting<'_>) -> Decision {
    let drop = Decision { work: Work::Forget, ..Decision::nothing() };
    match presence {
        Presence::NotRead | Presence::NotVerified => Decision::nothing(),
        Presence::Absent => drop,
        Presence::Present(live) => {
            let observed = &removal.entry.observed;
            let ours = match ownership(&removal.kind, setting.stack_id, removal.id, &live.body) {
                Ownership::Ours => true,
                Ownership::Unmarkable => {
                    !observed.is_empty()
                        && observed.iter().all(|(pointer, hash)| is_unchanged(&removal.kind, pointer, hash, &live.body))
                }
                Ownership::Unmarked | Ownership::OtherStack(_) => false,
            };
            if ours {
                delete(removal, Some(live), Some("it was deleted before, and a late write brought it back"))
            } else {
                drop
            }
        }
    }
}

fn delete(removal: &Removal<'_>, live: Option<&LiveObject>, note: Option<&str>) -> Decision {
    let recorded = if removal.entry.id.is_empty() { removal.id.as_str() } else { &removal.entry.id };
    let id = live.map_or(recorded, |live| &live.id).to_owned();
    let version = &removal.kind.api_version;
    let api_version = if version.is_empty() { &removal.entry.api_version } else { version };
    let mut notes: Vec<String> = note.map(str::to_owned).into_iter().collect();
    if removal.kind.reset.is_some() {
        notes.push("it is set back to what it was without this stack, not deleted: Azure always has it".to_owned());
    }
    if live.is_some() && removal.kind.quirks.contains(&Quirk::SoftDeletedName) {
        notes.push("it stays soft-deleted, and its name taken, until its retention ends".to_owned());
    }
    let mut decision = Decision {
        action: Action::Delete,
        work: Work::Delete { id: id.clone(), api_version: api_version.clone() },
        id: Some(id),
        reasons: vec![removed(removal)],
        notes,
        ..Decision::nothing()
    };
    if let Some(live) = live {
        what_goes(removal, live, &mut decision);
    }
    decision
}

/// What of it is ours, as it is now: who approves a deletion approves that these go, and not others that somebody put there since.
fn what_goes(removal: &Removal<'_>, live: &LiveObject, decision: &mut Decision) {
    for (pointer, hash) in &removal.entry.sent {
        let Some(before) = lookup(&live.body, pointer).filter(|value| !value.is_null()) else { continue };
        if hash == SENSITIVE {
            continue;
        }
        decision.differences.push(Difference {
            pointer: pointer.clone(),
            before: Some(before.clone()),
            after: Value::None,
        });
        let name = attribute_of(&removal.kind, pointer);
        if decision.reasons.iter().any(|reason| reason.attribute.as_deref() == Some(name.as_str())) {
            continue;
        }
        let attribute = removal.kind.attribute(&name).filter(|attribute| !attribute.sensitive);
        let value = attribute.and_then(|attribute| decode_attribute(attribute, &live.body));
        decision.reasons.push(Reason {
            before: value.map_or_else(|| Shown::Value(before.clone()), |value| shown(&value)),
            attribute: Some(name),
            ..removed(removal)
        });
    }
}

fn forget(removal: &Removal<'_>, note: &str) -> Decision {
    Decision {
        action: Action::Forget,
        work: Work::Forget,
        id: Some(removal.entry.id.clone()).filter(|id| !id.is_empty()),
        reasons: vec![removed(removal)],
        notes: vec![note.to_owned()],
        ..Decision::nothing()
    }
}

fn removed(removal: &Removal<'_>) -> Reason {
    Reason {
        cause: Cause::Removed,
        attribute: None,
        before: Shown::Absent,
        after: Shown::Absent,
        effect: Effect::InPlace,
        span: removal.header,
    }
}

/// Deleting a container deletes what lies in it. Where that would take along what is not ours, or what is kept, the container
/// stays and is forgotten; a replacement is refused.
pub(crate) fn spare_containers(pending: &mut [Pending<'_>], setting: &Setting<'_>) {
    let mut innermost_first: Vec<usize> = (0..pending.len()).filter(|at| takes_along(pending, *at)).collect();
    innermost_first.sort_by_key(|at| {
        let id = pending.get(*at).map_or("", |pending| pending.symbolic_id.as_str());
        (std::cmp::Reverse(id.matches('/').count()), *at)
    });
    for at in innermost_first {
        let Some(container) = pending.get(at) else { continue };
        let Ok(content) = content(container, pending, setting) else {
            let refused = refuse::not_read(&container.address, container.header);
            if let Some(container) = pending.get_mut(at) {
                container.decision.diagnostics.push(refused);
            }
            continue;
        };
        let Some(container) = pending.get_mut(at) else { continue };
        let (address, header) = (container.address.clone(), container.header);
        let decision = &mut container.decision;
        if content.foreign.is_empty() {
            decision.notes.extend(content.also);
        } else if decision.action == Action::Replace {
            decision.diagnostics.push(refuse::replace_holds_foreign(&address, header, &content.foreign));
        } else {
            decision.action = Action::Forget;
            decision.work = Work::Forget;
            decision.notes =
                vec![format!("it stays, since it holds what is not to be deleted: {}", content.foreign.join(", "))];
            decision.diagnostics.push(refuse::holds_foreign(&address, header, &content.foreign));
        }
    }
}

/// What came with its parent goes with it: Azure refuses to delete the last system pool of a cluster by itself. No request of its own.
pub(crate) fn go_along(pending: &mut [Pending<'_>]) {
    let leaving: BTreeSet<SymbolicId> = pending
        .iter()
        .filter(|change| change.decision.action == Action::Delete && !change.decision.is_void())
        .map(|change| change.symbolic_id.clone())
        .collect();
    for change in pending.iter_mut().filter(|change| change.kind.quirks.contains(&Quirk::ComesWithParent)) {
        let goes = parent_of(change.symbolic_id).is_some_and(|parent| leaving.contains(&parent));
        if goes && change.decision.action == Action::Delete && !change.decision.is_void() {
            change.decision.work = Work::Forget;
            change.decision.notes.push("it goes with what it lies in".to_owned());
        }
    }
}

/// What lies in a cluster goes with it: one that is deleted in this plan, or that is gone. No request of its own.
pub(crate) fn go_with_cluster(pending: &mut [Pending<'_>], presences: &Presences<'_>) {
    let leaving: BTreeSet<SymbolicId> = pending
        .iter()
        .filter(|change| change.decision.action == Action::Delete && !change.decision.is_void())
        .map(|change| change.symbolic_id.clone())
        .collect();
    for change in pending.iter_mut() {
        let Some(cluster) = cluster_of(change.symbolic_id) else { continue };
        let goes = leaving.contains(&cluster) || presences.of(&cluster) == Presence::Absent;
        if goes && change.decision.action == Action::Delete && !change.decision.is_void() {
            change.decision.work = Work::Forget;
            change.decision.not_verified = false;
            change.decision.notes = vec!["it goes with its cluster".to_owned()];
        }
    }
}

fn takes_along(pending: &[Pending<'_>], at: usize) -> bool {
    pending.get(at).is_some_and(|pending| pending.decision.deletes() && pending.is_present)
}

struct Content {
    /// What must not be deleted with it.
    foreign: Vec<String>,
    /// What else goes, for a note.
    also: Vec<String>,
}

/// What lies in a container, beyond what the plan deletes itself.
fn content(container: &Pending<'_>, pending: &[Pending<'_>], setting: &Setting<'_>) -> Result<Content, ()> {
    let within = |id: &SymbolicId| id != container.symbolic_id && covers(container.symbolic_id, id);
    let inside: Vec<&Pending<'_>> = pending.iter().filter(|other| within(other.symbolic_id)).collect();
    let mut found = Content { foreign: Vec::new(), also: Vec::new() };
    // A replaced container's own content is created again after it.
    // What was refused says so itself.
    let kept = |other: &&&Pending<'_>| {
        // No cluster outlives what is said of an object in it: it takes along what nobody declared as well.
        if cluster_of(other.symbolic_id).is_some_and(|cluster| covers(container.symbolic_id, &cluster)) {
            return false;
        }
        let stays = other.is_present && !other.decision.deletes() && !other.decision.is_void();
        stays && container.decision.action == Action::Delete
    };
    for other in inside.iter().filter(kept) {
        found.foreign.push(other.decision.id.clone().unwrap_or_else(|| other.symbolic_id.to_string()));
    }
    let ids: BTreeSet<&SymbolicId> = inside.iter().map(|other| other.symbolic_id).collect();
    let known = |id: &SymbolicId| ids.contains(id) || ancestors(id).any(|above| ids.contains(&above));
    if container.kind.quirks.contains(&Quirk::Cascades) {
        let items = setting.snapshot.inventories.get(container.symbolic_id).ok_or(())?;
        for item in items {
            let Some(text) = item.get("id").and_then(Json::as_str) else { continue };
            let id = symbolic(text);
            if known(&id) {
                continue;
            }
            if ownership_by_tag(setting.stack_id, &id, item) == Ownership::Ours {
                found.also.push(format!("it takes along {text}, which bears this stack's mark"));
            } else {
                found.foreign.push(text.to_owned());
            }
        }
    } else {
        let others = setting.snapshot.below(container.symbolic_id).filter(|(id, _)| !known(id));
        found.also.extend(others.map(|(_, live)| format!("it takes along {}, which is not declared", live.id)));
    }
    Ok(found)
}
