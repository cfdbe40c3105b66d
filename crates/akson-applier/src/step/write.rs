//! Creating, updating, adopting, recovering, replacing: one PUT at a known id, and a read that shows that it was kept.

use std::time::Duration;

use akson_azure::plane::kubernetes::is_leaving;
use akson_catalog::{
    Quirk, Value,
    body::{body, lay_over},
    encode::Leaf,
    json::{lookup, put, to_plain_json},
    kind::{Marker, Plane, Write},
    marker::{LABEL, Mark, TAG},
};
use akson_planner::{
    Change, Work,
    marker::{Ownership, ownership},
};
use serde_json::{Map, Value as Json};

use super::{
    NotKept, Run, Stale, StepError,
    cluster::{is_cluster, with_id},
    secret::is_soft_deleted,
    send::{Unsettled, is_grant},
    write_deadline,
};
use crate::{
    engine::{LOOK_AGAIN, Patience, SendError},
    holes::HoleError,
};

/// How long an object that was written may stay unseen.
const SHOWN_LATE: Duration = Duration::from_secs(120);
/// What brings a soft-deleted vault back; the service takes it and never tells it.
const RECOVER: &str = "/properties/createMode";

impl Run<'_> {
    /// # Errors
    /// [`StepError`]
    pub(super) async fn write(&self, change: &Change) -> Result<(), StepError> {
        let Work::Write { id, late, leaves, exists, recover, replace, marker } = &change.work else { return Ok(()) };
        let leaves = self.known.borrow().fill_leaves(self.snapshot, &change.kind, leaves)?;
        let version = &change.kind.api_version;
        // Where it is now, and where it will be.
        let made = self.made_id(change, late.as_deref())?;
        let (there, id) = match &made {
            Some(made) if *exists => (id, made),
            Some(made) => (made, made),
            None => (id, id),
        };
        let mut live = self.see(change, there, &leaves, *exists).await?;
        match (&live, exists) {
            (None, true) => return Err(StepError::Stale(Stale::Gone)),
            (Some(live), true) => {
                self.check_owner(change, live)?;
                self.check_unchanged(change, &leaves, live)?;
            }
            (Some(live), false) => {
                self.check_appeared(change, live)?;
                if self.came_with_parent(change) && missing(&leaves, live).is_empty() {
                    return self.finish(change, &leaves, live).await;
                }
            }
            (None, false) => {}
        }
        if let Some(leaving) = live.as_ref().filter(|live| change.kind.plane == Plane::Kubernetes && is_leaving(live)) {
            self.progress(change, "waiting until the one before it is gone");
            let seen = leaving.get("id").and_then(Json::as_str).unwrap_or(there).to_owned();
            let deadline = write_deadline(self, &change.kind);
            self.gone(change, &self.reading(change, &seen)?, deadline).await?;
            live = None;
        }
        if *replace && live.is_some() {
            self.delete(change, there, version).await?;
            live = None;
        }
        if *recover && live.is_none() {
            let body = recovery(&leaves).map_err(unknown)?;
            live = Some(self.put(change, id, (body, None), &leaves, marker).await?);
        }
        let sent = self.with_values(change, &leaves, live.as_ref());
        let body = match &live {
            // What is applied in a cluster is all that is ours, and nothing of what is there.
            Some(live) if change.kind.plane != Plane::Kubernetes => update(change, live, &sent, marker),
            _ => create(change, &sent, marker),
        };
        let mut settled = self.put(change, id, (body.map_err(unknown)?, live.as_ref()), &leaves, marker).await?;
        if change.kind.quirks.contains(&Quirk::WrittenTwice) && !missing(&leaves, &settled).is_empty() {
            let body = update(change, &settled, &leaves, marker).map_err(unknown)?;
            settled = self.put(change, id, (body, Some(&settled)), &leaves, marker).await?;
        }
        let settled = self.kept(change, &leaves, marker, settled).await?;
        self.finish(change, &leaves, &settled).await
    }

    /// The id that is made of what finished steps told.
    fn made_id(&self, change: &Change, late: Option<&Value>) -> Result<Option<String>, StepError> {
        let Some(late) = late else { return Ok(None) };
        let failed = |detail| StepError::Hole(HoleError { attribute: "id".to_owned(), span: change.source, detail });
        match self.known.borrow().fill(self.snapshot, late).map_err(failed)? {
            Value::Text(id) => Ok(Some(id)),
            _ => Err(failed("it is made from a value that Azure did not tell".to_owned())),
        }
    }

    /// One announced write until it settled.
    async fn put(
        &self,
        change: &Change,
        id: &str,
        (mut body, live): (Json, Option<&Json>),
        leaves: &[Leaf],
        marker: &str,
    ) -> Result<Json, StepError> {
        self.keep_from_telling(&body, leaves);
        let before = self.announce_write(change, id, &body, leaves).await?;
        let recovers = lookup(&body, RECOVER).is_some();
        let read = self.reading(change, id)?;
        let made_now = self.tag_made(change, leaves, &mut body);
        let operation = self.writing(change, id, body, (live, leaves))?;
        let creates = live.is_none() && !recovers;
        let is_wanted = |body: &Json| {
            if creates {
                // Nothing was there before the request: it may be somebody else's, who came first.
                self.check_appeared(change, body)?;
            }
            let in_body: Vec<&Leaf> = missing(leaves, body);
            let in_body = in_body.iter().filter(|leaf| change.kind.edge_set(&leaf.pointer).is_none()).count();
            let as_written = in_body == 0 && self.is_marked(change, marker, body);
            Ok(recovers || (as_written && (!made_now || self.is_made_now(body))))
        };
        let deadline = write_deadline(self, &change.kind);
        let mut decided = self.decide(change, &operation, &read, deadline, &is_wanted).await;
        if let Err(unsettled) = &decided
            && is_soft_deleted(&unsettled.error)
        {
            decided = match self.bring_back(change, id, deadline).await {
                Ok(()) => self.decide(change, &operation, &read, deadline, &is_wanted).await,
                Err(error) => Err(Unsettled { error, untouched: false }),
            };
        }
        match decided {
            Ok(Some(settled)) if change.kind.edges().next().is_none() => Ok(with_id(change, id, settled)),
            // The service's own answer is not how ARM shows it, or has no edges.
            Ok(_) => {
                let mut shown = self.shown(change, id, leaves, deadline).await?;
                if self.write_edges(change, &shown, leaves, deadline).await? {
                    let id = shown.get("id").and_then(Json::as_str).unwrap_or(id).to_owned();
                    shown = self.shown(change, &id, leaves, deadline).await?;
                }
                Ok(shown)
            }
            Err(unsettled) => {
                if unsettled.untouched {
                    self.withdraw(change, before).await;
                }
                Err(unsettled.error)
            }
        }
    }

    /// What is shown of an object that was written: other replicas of a service may take a while.
    async fn shown(&self, change: &Change, id: &str, leaves: &[Leaf], deadline: Duration) -> Result<Json, StepError> {
        let until = deadline.min(self.engine.now() + SHOWN_LATE);
        let mut attempt = 0;
        loop {
            if let Some(shown) = self.see(change, id, leaves, true).await? {
                return Ok(shown);
            }
            if self.engine.now() >= until {
                return Err(StepError::Undecided("it was written, and no object is shown".to_owned()));
            }
            self.engine.pause(self.engine.backoff(attempt), Patience::AWhileLonger).await?;
            attempt += 1;
        }
    }

    fn is_marked(&self, change: &Change, marker: &str, body: &Json) -> bool {
        marker.is_empty() || ownership(&change.kind, &self.plan.stack_id, &change.symbolic_id, body) == Ownership::Ours
    }

    /// The object once it is as it was written. What stays different was not kept: it is ours all the same, and is written again by
    /// the next run, since the ledger then has no hash of those leaves.
    pub(super) async fn kept(
        &self,
        change: &Change,
        leaves: &[Leaf],
        marker: &str,
        mut settled: Json,
    ) -> Result<Json, StepError> {
        let mut again = LOOK_AGAIN.iter();
        loop {
            let lost = missing(leaves, &settled);
            let is_ours = self.is_marked(change, marker, &settled);
            if lost.is_empty() && is_ours {
                return Ok(settled);
            }
            let Some(wait) = again.next() else {
                let kept: Vec<Leaf> = leaves
                    .iter()
                    .filter(|leaf| !lost.iter().any(|lost| lost.pointer == leaf.pointer))
                    .cloned()
                    .collect();
                self.record_kept(change, &kept, &lost, &settled).await?;
                let mut not_kept: Vec<NotKept> = lost.into_iter().map(|leaf| not_kept(leaf, &settled)).collect();
                if !is_ours {
                    let values = (Some(Json::from(marker)), None);
                    not_kept.push(NotKept { attribute: "mark of ownership".to_owned(), span: change.source, values });
                }
                return Err(StepError::NotKept(not_kept));
            };
            self.engine.pause(*wait, Patience::AWhileLonger).await?;
            let id = settled.get("id").and_then(Json::as_str).unwrap_or_default().to_owned();
            let read = self.reading(change, &id)?;
            match self.engine.read(&read, change.symbolic_id.as_str(), Patience::AWhileLonger).await {
                Ok(answer) if answer.is_success() => {
                    let mut shown = answer.json().cloned().map_or(settled.clone(), |body| with_id(change, &id, body));
                    if self.with_edges(change, &mut shown, leaves).await? {
                        settled = shown;
                    }
                }
                Ok(_) | Err(SendError::Transport(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    pub(super) async fn finish(&self, change: &Change, leaves: &[Leaf], settled: &Json) -> Result<(), StepError> {
        self.known.borrow_mut().tell(&change.kind, &change.symbolic_id, settled);
        if is_grant(change) {
            self.granted.set(true);
        }
        self.record_owned(change, leaves, settled).await?;
        if is_cluster(&change.kind) {
            self.cluster_settled(change, settled).await?;
        }
        Ok(())
    }
}

/// The owned leaves that a body does not have as they are wanted.
fn missing<'a>(leaves: &'a [Leaf], body: &Json) -> Vec<&'a Leaf> {
    leaves.iter().filter(|leaf| !leaf.on_create_only && leaf.in_sync(body) == Some(false)).collect()
}

fn not_kept(leaf: &Leaf, settled: &Json) -> NotKept {
    let values = if leaf.sensitive { (None, None) } else { (to_plain_json(&leaf.want), leaf.live(settled).cloned()) };
    NotKept { attribute: leaf.attribute.clone(), span: leaf.span, values }
}

fn unknown(unknown: akson_catalog::body::Unknown) -> StepError {
    let detail = unknown.to_string();
    StepError::Hole(HoleError { attribute: unknown.attribute, span: None, detail })
}

/// The body of a create.
fn create(change: &Change, leaves: &[Leaf], marker: &str) -> Result<Json, akson_catalog::body::Unknown> {
    let mut body = body(leaves)?;
    mark(change, &mut body, marker);
    Ok(body)
}

/// The body of an update: where a PUT replaces, everything that is there with our leaves over it; where it merges, our leaves, and all
/// tags, which are replaced by either.
fn update(change: &Change, live: &Json, leaves: &[Leaf], marker: &str) -> Result<Json, akson_catalog::body::Unknown> {
    let base = match change.kind.write {
        Write::Replace => live.clone(),
        Write::Merge => {
            let tags = live.get("tags").filter(|tags| tags.is_object());
            Json::Object(tags.map(|tags| ("tags".to_owned(), tags.clone())).into_iter().collect::<Map<_, _>>())
        }
    };
    let mut body = lay_over(&change.kind, base, leaves)?;
    mark(change, &mut body, marker);
    Ok(body)
}

/// The body that brings a soft-deleted object back: in its old place, as it was. What is wanted of it is written afterwards.
fn recovery(leaves: &[Leaf]) -> Result<Json, akson_catalog::body::Unknown> {
    let whole = body(leaves)?;
    let mut body = Json::Object(Map::new());
    for pointer in ["/location", "/properties/tenantId", "/properties/sku"] {
        if let Some(value) = lookup(&whole, pointer) {
            put(&mut body, pointer, value.clone());
        }
    }
    put(&mut body, RECOVER, Json::from("recover"));
    Ok(body)
}

fn mark(change: &Change, body: &mut Json, marker: &str) {
    if marker.is_empty() {
        return;
    }
    match &change.kind.marker {
        Marker::Tag => put(body, &format!("/tags/{TAG}"), Json::from(marker)),
        Marker::Text(pointer) => {
            let text = lookup(body, pointer).and_then(Json::as_str).unwrap_or_default();
            if let Some(mark) = Mark::parse(marker) {
                let text = mark.append_to(text);
                put(body, pointer, Json::from(text));
            }
        }
        Marker::Label => {
            if let Some(mark) = Mark::parse(marker) {
                put(body, LABEL, Json::from(mark.label()));
            }
        }
        Marker::UniqueName(_) | Marker::Parent => {}
    }
}
