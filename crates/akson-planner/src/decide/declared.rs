//! What is done to a declared resource.

use std::collections::BTreeSet;

use akson_catalog::{
    Quirk, Value,
    decode::decode_leaf,
    encode::Leaf,
    equality::Equality,
    json::{item_name, lookup, to_plain_json},
    kind::{ChangeEffect, Marker, Plane},
    marker::{LABEL, TAG},
};
use akson_config::Tolerance;
use serde_json::Value as Json;

use super::{
    Case, Decision, Setting, deleted_name,
    leaf::{Past, Verdict, verdict},
    named::attribute_of,
    refuse, revert, tolerate,
};
use crate::{
    OwnedEntry, OwnedState,
    hashes::sent_hash,
    marker::{Ownership, marker, ownership},
    options::PlanOptions,
    plan::{Action, Cause, Difference, Effect, Reason, Shown, Tolerated, Work},
    presence::Presence,
    rest::{failed, unsettled},
    shown::shown,
    snapshot::LiveObject,
};

/// Decides about a managed resource.
pub(crate) fn decide(case: &Case<'_>, setting: &Setting<'_>) -> Decision {
    if let Some(ids) = setting.snapshot.ambiguous.get(&case.resource.symbolic_id) {
        return Decision::refused(refuse::ambiguous(case, ids));
    }
    match case.presence {
        // It goes with what it lies in, and comes back after it.
        Presence::Present(_) if case.parent_is_new => create(case, setting, Cause::Dependency),
        Presence::NotVerified if !case.parent_is_new => blind(case, setting),
        Presence::NotRead if !case.parent_is_new => {
            Decision::refused(refuse::not_read(case.address, Some(case.resource.header)))
        }
        Presence::Absent | Presence::NotRead | Presence::NotVerified => {
            let owned = case.entry.is_some_and(|entry| entry.state == OwnedState::Owned);
            create(case, setting, if owned { Cause::Drift } else { Cause::Config })
        }
        Presence::Present(live) => present(case, setting, live),
    }
}

/// Decides about an `existing` resource: it must be there, and is never written.
pub(crate) fn check_existing(case: &Case<'_>, setting: &Setting<'_>) -> Option<akson_diagnostics::Diagnostic> {
    if let Some(ids) = setting.snapshot.ambiguous.get(&case.resource.symbolic_id) {
        return Some(refuse::ambiguous(case, ids));
    }
    match case.presence {
        Presence::Present(_) | Presence::NotVerified => None,
        Presence::Absent => Some(refuse::not_there(case)),
        Presence::NotRead => Some(refuse::not_read(case.address, Some(case.resource.header))),
    }
}

/// It cannot be looked at. What the ledger remembers of it tells whether the author changed anything since.
fn blind(case: &Case<'_>, setting: &Setting<'_>) -> Decision {
    let entry = case.entry.filter(|entry| entry.state == OwnedState::Owned);
    let asked = setting.options.replaces(case.address);
    let Some(entry) = entry.filter(|_| !asked) else {
        let mut decision = create(case, setting, Cause::Config);
        decision.not_verified = true;
        decision.notes.push("its cluster cannot be reached yet: whether it is there already is not known".to_owned());
        return decision;
    };
    let differs = |leaf: &&Leaf| {
        !leaf.on_create_only && sent_hash(leaf).is_none_or(|sent| entry.sent.get(&leaf.pointer) != Some(&sent))
    };
    let changed: Vec<&Leaf> = case.leaves.iter().filter(differs).collect();
    let written: BTreeSet<&str> = case.leaves.iter().map(|leaf| leaf.pointer.as_str()).collect();
    let gone = entry.sent.keys().any(|pointer| !written.contains(pointer.as_str()));
    let mut decision = Decision {
        id: Some(entry.id.clone()),
        not_verified: true,
        notes: vec!["its cluster could not be reached: whether it is as it was left is not known".to_owned()],
        ..Decision::nothing()
    };
    if changed.is_empty() && !gone {
        return decision;
    }
    for leaf in &changed {
        push_reason(&mut decision.reasons, leaf, Cause::Config, Shown::Absent, Effect::InPlace);
        if !leaf.sensitive {
            let after = leaf.want.clone();
            decision.differences.push(Difference { pointer: leaf.pointer.clone(), before: None, after });
        }
    }
    decision.action = Action::Update;
    decision.work = Work::Write {
        id: entry.id.clone(),
        late: None,
        leaves: case.leaves.clone(),
        exists: false,
        recover: false,
        replace: false,
        marker: marker(&case.resource.kind, setting.stack_id, &case.resource.symbolic_id),
    };
    decision
}

/// It is there: whose is it, and what of it differs?
fn present(case: &Case<'_>, setting: &Setting<'_>, live: &LiveObject) -> Decision {
    let kind = &case.resource.kind;
    let owner = ownership(kind, setting.stack_id, &case.resource.symbolic_id, &live.body);
    if let Ownership::OtherStack(stack) = &owner {
        return Decision::refused(refuse::other_stack(case, stack));
    }
    let marked = owner != Ownership::Unmarked;
    let recorded = case.entry.filter(|entry| !entry.observed.is_empty());
    let mut notes = Vec::new();
    let mut again = None;
    let past = match case.entry.map(|entry| (entry.state, entry)) {
        Some((OwnedState::Owned, entry)) => Past::Recorded(entry),
        Some((OwnedState::IntentWrite, _)) if marked || recorded.is_some() => {
            notes.push("an earlier run was interrupted while it wrote this".to_owned());
            again = failed(&live.body).map(|_| "what it asked for came to nothing");
            Past::Unrecorded
        }
        Some((OwnedState::IntentDelete, _)) if marked => {
            again = Some("an earlier run was interrupted while it deleted this, and it is declared again");
            Past::Unrecorded
        }
        Some((OwnedState::Tombstone, _)) if owner == Ownership::Ours => {
            notes.push("it was deleted, and is there again with this stack's mark: taken back".to_owned());
            Past::Unrecorded
        }
        None if owner == Ownership::Ours => {
            notes.push("it bears this stack's mark and the ledger does not have it: taken back".to_owned());
            Past::Unrecorded
        }
        _ => Past::Foreign,
    };
    let mut found = Found::new(case, live, past);
    found.notes.extend(notes);
    found.compare(setting.options);
    if setting.options.revert.is_some() {
        let gone = case.entry.into_iter().flat_map(|entry| revert::not_written(case, entry));
        found.kept.extend(gone);
    } else if let Some(entry) = case.entry.filter(|_| !matches!(past, Past::Foreign)) {
        found.left_out(entry, matches!(past, Past::Recorded(_)));
    }
    if let Some(why) = again {
        found.whole(Cause::Config, Effect::InPlace, why);
    }
    if !marked && !matches!(past, Past::Foreign) {
        found.mark_lost(setting);
    }
    conclude(found, setting)
}

/// What a comparison found.
struct Found<'a> {
    case: &'a Case<'a>,
    live: &'a LiveObject,
    past: Past<'a>,
    reasons: Vec<Reason>,
    differences: Vec<Difference>,
    notes: Vec<String>,
    diagnostics: Vec<akson_diagnostics::Diagnostic>,
    /// Leaves that Azure takes only on a new object.
    immutable: Vec<Leaf>,
    /// Leaves that cannot go this way.
    back: Vec<Leaf>,
    /// Keys of maps that were ours and are to be taken out.
    taken_out: Vec<Leaf>,
    /// What is left as it is.
    tolerated: Vec<Tolerated>,
    /// Pointers of what stays as it is, in the ledger too.
    kept: Vec<String>,
    irreversible: bool,
    refresh: bool,
    /// Ours by the ledger, and its mark is gone.
    unmarked: bool,
}

impl<'a> Found<'a> {
    fn new(case: &'a Case<'a>, live: &'a LiveObject, past: Past<'a>) -> Self {
        Self {
            case,
            live,
            past,
            reasons: Vec::new(),
            differences: Vec::new(),
            notes: Vec::new(),
            diagnostics: Vec::new(),
            immutable: Vec::new(),
            back: Vec::new(),
            taken_out: Vec::new(),
            tolerated: Vec::new(),
            kept: Vec::new(),
            irreversible: false,
            refresh: false,
            unmarked: false,
        }
    }

    fn compare(&mut self, options: &PlanOptions) {
        let case = self.case;
        let owned = case.leaves.iter().filter(|leaf| !leaf.on_create_only);
        let verdicts: Vec<(&Leaf, Verdict)> =
            owned.map(|leaf| (leaf, verdict(leaf, &self.live.body, self.past))).collect();
        for (leaf, found) in &verdicts {
            match *found {
                Verdict::InSync => {}
                Verdict::Refresh => self.refresh = true,
                Verdict::Differs(why) => match tolerate::by(case, (leaf, why), &verdicts, options.today) {
                    Some(tolerance) => self.tolerate(leaf, why, tolerance),
                    None if options.revert.is_some() && !revert::is_undone(case, leaf, &verdicts) => {
                        self.kept.push(leaf.pointer.clone());
                    }
                    None => self.differs(leaf, why),
                },
            }
        }
    }

    /// Leaves a difference as it is.
    fn tolerate(&mut self, leaf: &Leaf, cause: Cause, tolerance: &Tolerance) {
        let before = self.before(leaf);
        let after = if leaf.sensitive { Shown::Sensitive } else { shown(&leaf.shown) };
        let attribute = Some(leaf.attribute.clone());
        self.kept.push(leaf.pointer.clone());
        self.tolerated.push(Tolerated {
            reason: Reason { cause, attribute, before, after, effect: Effect::InPlace, span: leaf.span },
            pointer: leaf.pointer.clone(),
            because: tolerance.because.clone(),
            until: tolerance.until,
            span: tolerance.span,
        });
    }

    fn before(&self, leaf: &Leaf) -> Shown {
        if leaf.sensitive {
            return Shown::Sensitive;
        }
        let kind = &self.case.resource.kind;
        decode_leaf(kind, leaf, &self.live.body).map_or(Shown::Absent, |value| shown(&value))
    }

    fn differs(&mut self, leaf: &Leaf, cause: Cause) {
        let before = self.before(leaf);
        let effect = match leaf.change {
            ChangeEffect::InPlace => Effect::InPlace,
            ChangeEffect::Replace => {
                self.immutable.push(leaf.clone());
                Effect::Replace
            }
            ChangeEffect::Irreversible if leaf.goes_back(&self.live.body) => {
                self.back.push(leaf.clone());
                Effect::Irreversible
            }
            ChangeEffect::Irreversible => {
                self.irreversible = true;
                Effect::Irreversible
            }
        };
        if !leaf.sensitive {
            self.differences.push(Difference {
                pointer: leaf.pointer.clone(),
                before: leaf.live(&self.live.body).cloned(),
                after: leaf.want.clone(),
            });
        }
        push_reason(&mut self.reasons, leaf, cause, before, effect);
    }

    /// What was sent and is not written any more: a key of a map goes, anything else is released.
    fn left_out(&mut self, entry: &OwnedEntry, recorded: bool) {
        let case = self.case;
        let owned = || case.leaves.iter().filter(|leaf| !leaf.on_create_only);
        let written: BTreeSet<&str> = owned().map(|leaf| leaf.pointer.as_str()).collect();
        let attributes: BTreeSet<&str> =
            owned().map(|leaf| leaf.attribute.split(['.', '[']).next().unwrap_or_default()).collect();
        for pointer in entry.sent.keys().filter(|pointer| !written.contains(pointer.as_str())) {
            // A map that is set as a whole (`tags = none`) says itself what is in it.
            if written.iter().any(|other| pointer.strip_prefix(other).is_some_and(|rest| rest.starts_with('/'))) {
                self.refresh = true;
                continue;
            }
            let live = lookup(&self.live.body, pointer).filter(|live| !live.is_null());
            // One of a keyed set goes as a whole.
            if let Some(item) = case.resource.kind.item_at(pointer)
                && !written
                    .iter()
                    .any(|other| other.strip_prefix(&item.pointer).is_some_and(|rest| rest.starts_with('/')))
            {
                match lookup(&self.live.body, &item.pointer).cloned() {
                    _ if self.taken_out.iter().any(|leaf| leaf.pointer == item.pointer) => {}
                    Some(live) => self.take_out(item.path.split('.').next().unwrap_or_default(), &item.pointer, live),
                    None => self.refresh = true,
                }
                continue;
            }
            if let Some(map) = case.resource.kind.map_at(pointer) {
                match live {
                    Some(live) => self.take_out(&map, pointer, live.clone()),
                    None => self.refresh = true,
                }
                continue;
            }
            // What is not applied again in a cluster goes, since it was ours alone.
            if case.resource.kind.plane == Plane::Kubernetes {
                match live.filter(|_| recorded) {
                    Some(live) => self.take_out_as(attribute_of(&case.resource.kind, pointer), pointer, live.clone()),
                    None => self.refresh |= recorded,
                }
                continue;
            }
            self.refresh |= recorded;
            let attribute = attribute_of(&case.resource.kind, pointer);
            let in_item = case.resource.kind.item_at(pointer).is_some();
            if (in_item || !attributes.contains(attribute.as_str())) && live.is_some() && recorded {
                self.notes.push(format!(
                    "`{attribute}` is not written any more: it stays as it is, and is not ours from now on"
                ));
                self.diagnostics.push(refuse::released(case, &attribute));
            }
        }
    }

    fn take_out(&mut self, map: &str, pointer: &str, live: Json) {
        let step = pointer.rsplit('/').next().unwrap_or_default();
        let key = item_name(step).unwrap_or_else(|| step.replace("~1", "/").replace("~0", "~"));
        self.take_out_as(format!("{map}.{key}"), pointer, live);
    }

    fn take_out_as(&mut self, attribute: String, pointer: &str, live: Json) {
        let leaf = Leaf {
            attribute,
            pointer: pointer.to_owned(),
            want: Value::None,
            shown: Value::None,
            equality: Equality::Exact,
            absent: None,
            change: ChangeEffect::InPlace,
            sensitive: false,
            on_create_only: false,
            span: None,
        };
        self.differences.push(Difference {
            pointer: pointer.to_owned(),
            before: Some(live.clone()),
            after: Value::None,
        });
        push_reason(&mut self.reasons, &leaf, Cause::Config, Shown::Value(live), Effect::InPlace);
        self.taken_out.push(leaf);
    }

    /// A reason about the whole resource.
    fn whole(&mut self, cause: Cause, effect: Effect, note: &str) {
        self.reasons.push(Reason {
            cause,
            attribute: None,
            before: Shown::Absent,
            after: Shown::Absent,
            effect,
            span: Some(self.case.resource.header),
        });
        self.notes.push(note.to_owned());
    }

    /// Ours by the ledger, and its mark is gone: it is written again.
    fn mark_lost(&mut self, setting: &Setting<'_>) {
        self.unmarked = true;
        let kind = &self.case.resource.kind;
        let (attribute, pointer) = match &kind.marker {
            Marker::Text(pointer) => (attribute_of(&self.case.resource.kind, pointer), pointer.clone()),
            Marker::Label => ("label `akson`".to_owned(), LABEL.to_owned()),
            Marker::Tag | Marker::UniqueName(_) | Marker::Parent => (format!("tags.{TAG}"), format!("/tags/{TAG}")),
        };
        let mark = marker(kind, setting.stack_id, &self.case.resource.symbolic_id);
        let before = lookup(&self.live.body, &pointer).cloned();
        self.differences.push(Difference { pointer, before, after: Value::Text(mark.clone()) });
        self.reasons.push(Reason {
            cause: Cause::Drift,
            attribute: Some(attribute),
            before: Shown::Absent,
            after: Shown::Value(Json::from(mark)),
            effect: Effect::InPlace,
            span: Some(self.case.resource.header),
        });
        self.notes.push("its mark of ownership is gone and is written again".to_owned());
    }
}

/// From what was found to what is done.
fn conclude(mut found: Found<'_>, setting: &Setting<'_>) -> Decision {
    let case = found.case;
    let kind = &case.resource.kind;
    let foreign = matches!(found.past, Past::Foreign);
    let asked = setting.options.replaces(case.address);
    if !found.back.is_empty() {
        return void(found.diagnostics, found.back.iter().map(|leaf| refuse::goes_back(case, leaf, &found.live.body)));
    }
    let replace = asked || !found.immutable.is_empty();
    if replace && foreign {
        let why = match found.immutable.first() {
            Some(_) => {
                found.immutable.iter().map(|leaf| refuse::foreign_differs(case, leaf, &found.live.body)).collect()
            }
            None => vec![refuse::replace_foreign(case)],
        };
        return void(found.diagnostics, why);
    }
    if replace {
        let stateful = kind.stateful || kind.quirks.contains(&Quirk::SoftDeletedName);
        if stateful && !asked {
            let why: Vec<_> =
                found.immutable.iter().map(|leaf| refuse::immutable(case, leaf, &found.live.body)).collect();
            return void(found.diagnostics, why);
        }
        // To delete takes two keys, also for what comes back after it.
        if found.unmarked {
            let report = refuse::mark_lost_replace(case, &found.live.id);
            return void(found.diagnostics, [report]);
        }
        if case.resource.protect {
            return void(found.diagnostics, [refuse::protected_replace(case, found.immutable.first())]);
        }
        if kind.quirks.contains(&Quirk::SoftDeletedName) {
            return void(found.diagnostics, [refuse::cannot_replace(case)]);
        }
        if found.immutable.is_empty() {
            found.whole(Cause::Config, Effect::Replace, "to be replaced, as `--replace` says");
        }
    }

    let mark = marker(kind, setting.stack_id, &case.resource.symbolic_id);
    let spared: Vec<Leaf> = tolerate::spared(case, &found.kept, &found.live.body).collect();
    let owned = || spared.iter().cloned();
    let write = |leaves: Vec<Leaf>, replace: bool| Work::Write {
        id: found.live.id.clone(),
        late: None,
        leaves,
        exists: true,
        recover: false,
        replace,
        marker: mark.clone(),
    };
    let (action, work) = if replace {
        let id = case.resource.id.as_ref().map_or_else(|| found.live.id.clone(), ToString::to_string);
        let work = Work::Write {
            id,
            late: case.late.clone().map(Box::new),
            leaves: case.leaves.clone(),
            exists: true,
            recover: false,
            replace: true,
            marker: mark,
        };
        (Action::Replace, work)
    } else if foreign {
        if found.reasons.is_empty() {
            found.reasons.push(Reason {
                cause: Cause::Adopt,
                attribute: None,
                before: Shown::Absent,
                after: Shown::Absent,
                effect: Effect::InPlace,
                span: Some(case.resource.header),
            });
        }
        found.notes.push("it existed before: it becomes this stack's".to_owned());
        // Without a mark to write and with every leaf as wanted, there is nothing to send.
        let unmarked = matches!(kind.marker, Marker::Parent | Marker::UniqueName(_));
        let record = unmarked && found.differences.is_empty();
        let leaves = owned().collect();
        (Action::Adopt, if record { Work::Record { leaves } } else { write(leaves, false) })
    } else if !found.reasons.is_empty() {
        (Action::Update, write(owned().chain(found.taken_out.iter().cloned()).collect(), false))
    } else if let Some(state) = unsettled(&found.live.body).filter(|_| is_announced(case)) {
        // What others need of it is told once that came to its end.
        let note = format!("Azure is still at it ({state}): apply waits for it");
        found.whole(Cause::Config, Effect::InPlace, &note);
        (Action::Update, Work::Record { leaves: owned().collect() })
    } else if setting.options.revert.is_none() && (found.refresh || is_stale(case)) {
        (Action::NoOp, Work::Record { leaves: owned().collect() })
    } else {
        (Action::NoOp, Work::Nothing)
    };
    Decision {
        action,
        work,
        id: Some(found.live.id.clone()),
        irreversible: found.irreversible,
        reasons: found.reasons,
        notes: found.notes,
        tolerated: if replace { Vec::new() } else { found.tolerated },
        kept: if replace { Vec::new() } else { found.kept },
        differences: found.differences,
        not_verified: false,
        diagnostics: found.diagnostics,
    }
}

fn void(
    mut diagnostics: Vec<akson_diagnostics::Diagnostic>,
    more: impl IntoIterator<Item = akson_diagnostics::Diagnostic>,
) -> Decision {
    diagnostics.extend(more);
    Decision { diagnostics, ..Decision::nothing() }
}

/// Whether a write of it was announced whose end no run has seen.
fn is_announced(case: &Case<'_>) -> bool {
    case.entry.is_some_and(|entry| entry.state == OwnedState::IntentWrite)
}

/// Whether the ledger's entry lacks something that no request needs: it is brought up to date in passing.
fn is_stale(case: &Case<'_>) -> bool {
    let Some(entry) = case.entry else { return true };
    let resource = case.resource;
    let mut dependencies: Vec<&akson_catalog::SymbolicId> = entry.dependencies.iter().collect();
    dependencies.sort();
    dependencies.dedup();
    entry.state != OwnedState::Owned
        || entry.protected != resource.protect
        || entry.keep != resource.keep
        || entry.conflict_domain != resource.conflict_domain
        || entry.address != case.address
        || !dependencies.into_iter().eq(case.dependencies)
}

/// It is not there, or will not be when its turn comes.
fn create(case: &Case<'_>, setting: &Setting<'_>, why: Cause) -> Decision {
    let kind = &case.resource.kind;
    let recover = match deleted_name::look(case, setting) {
        Ok(recover) => recover,
        Err(diagnostic) => return Decision::refused(*diagnostic),
    };
    let mut reasons = Vec::new();
    let mut differences = Vec::new();
    let mut irreversible = false;
    for leaf in case.leaves.iter().filter(|leaf| leaf.want != Value::None) {
        let lasting = leaf.change == ChangeEffect::Irreversible
            && !leaf.on_create_only
            && to_plain_json(&leaf.want) != Some(Json::Bool(false));
        irreversible |= lasting;
        let effect = if lasting { Effect::Irreversible } else { Effect::InPlace };
        push_reason(&mut reasons, leaf, why, Shown::Absent, effect);
        if !leaf.sensitive {
            differences.push(Difference { pointer: leaf.pointer.clone(), before: None, after: leaf.want.clone() });
        }
    }
    if reasons.is_empty() {
        let (before, after) = (Shown::Absent, Shown::Absent);
        let span = Some(case.resource.header);
        reasons.push(Reason { cause: why, attribute: None, before, after, effect: Effect::InPlace, span });
    }
    let mut notes = Vec::new();
    if recover {
        notes.push("it is brought back from soft deletion, with what is in it".to_owned());
    }
    if why == Cause::Drift {
        notes.push("it was deleted outside".to_owned());
    }
    let (id, late) = match (&case.resource.id, &case.late) {
        (Some(id), _) => (id.to_string(), None),
        (None, Some(Value::Text(id))) => (id.clone(), None),
        (None, late) => (String::new(), late.clone()),
    };
    let work = Work::Write {
        id,
        late: late.map(Box::new),
        leaves: case.leaves.clone(),
        exists: false,
        recover,
        replace: false,
        marker: marker(kind, setting.stack_id, &case.resource.symbolic_id),
    };
    Decision {
        action: Action::Create,
        work,
        id: None,
        irreversible,
        reasons,
        notes,
        tolerated: Vec::new(),
        kept: Vec::new(),
        differences,
        not_verified: false,
        diagnostics: Vec::new(),
    }
}

/// Adds a reason; leaves of one attribute (a constructor has several) share one.
fn push_reason(reasons: &mut Vec<Reason>, leaf: &Leaf, cause: Cause, before: Shown, effect: Effect) {
    let after = if leaf.sensitive { Shown::Sensitive } else { shown(&leaf.shown) };
    let Some(earlier) = reasons.iter_mut().find(|reason| reason.attribute.as_deref() == Some(leaf.attribute.as_str()))
    else {
        reasons.push(Reason { cause, attribute: Some(leaf.attribute.clone()), before, after, effect, span: leaf.span });
        return;
    };
    if earlier.effect == Effect::InPlace {
        earlier.effect = effect;
    }
    let outside = |cause| matches!(cause, Cause::Drift | Cause::Both);
    let inside = |cause| matches!(cause, Cause::Config | Cause::Both);
    if (outside(earlier.cause) && inside(cause)) || (inside(earlier.cause) && outside(cause)) {
        earlier.cause = Cause::Both;
    }
}
