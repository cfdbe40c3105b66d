//! Creating, updating, adopting, recovering, replacing: one PUT at a known id, and a read that shows that it was kept.

use akson_azure::Operation;
use akson_catalog::{
    Quirk,
    body::{body, lay_over},
    encode::Leaf,
    json::{lookup, put, to_plain_json},
    kind::{Marker, Write},
    marker::{Mark, TAG},
};
use akson_planner::{
    Change, Work,
    marker::{Ownership, ownership},
};
use serde_json::{Map, Value as Json};

use super::{NotKept, Run, Stale, StepError, write_deadline};
use crate::{
    engine::{LOOK_AGAIN, Patience, SendError},
    holes::HoleError,
};

/// What brings a soft-deleted vault back; the service takes it and never tells it.
const RECOVER: &str = "/properties/createMode";

impl Run<'_> {
    /// # Errors
    /// [`StepError`]
    pub(super) async fn write(&self, change: &Change) -> Result<(), StepError> {
        let Work::Write { id, leaves, exists, recover, replace, marker } = &change.work else { return Ok(()) };
        let leaves = self.known.borrow().fill_leaves(self.snapshot, &change.kind, leaves)?;
        let version = &change.kind.api_version;
        let read = Operation::get(id, version);

        let mut live = self.look(change, &read, *exists).await?;
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
        if *replace && live.is_some() {
            self.delete(change, id, version).await?;
            live = None;
        }
        if *recover && live.is_none() {
            let body = recovery(&leaves).map_err(unknown)?;
            live = Some(self.put(change, id, body, &leaves, marker).await?);
        }
        let body = match &live {
            Some(live) => update(change, live, &leaves, marker),
            None => create(change, &leaves, marker),
        };
        let mut settled = self.put(change, id, body.map_err(unknown)?, &leaves, marker).await?;
        if change.kind.quirks.contains(&Quirk::WrittenTwice) && !missing(&leaves, &settled).is_empty() {
            let body = update(change, &settled, &leaves, marker).map_err(unknown)?;
            settled = self.put(change, id, body, &leaves, marker).await?;
        }
        let settled = self.kept(change, &read, &leaves, marker, settled).await?;
        self.finish(change, &leaves, &settled).await
    }

    /// One announced PUT until it settled.
    async fn put(
        &self,
        change: &Change,
        id: &str,
        body: Json,
        leaves: &[Leaf],
        marker: &str,
    ) -> Result<Json, StepError> {
        let before = self.announce_write(change, id, &body, leaves).await?;
        let recovers = lookup(&body, RECOVER).is_some();
        let operation = Operation::put(id, &change.kind.api_version, body);
        let is_wanted =
            |body: &Json| recovers || (missing(leaves, body).is_empty() && self.is_marked(change, marker, body));
        let deadline = write_deadline(self, &change.kind);
        match self.decide(change, &operation, deadline, &is_wanted).await {
            Ok(Some(settled)) => Ok(settled),
            Ok(None) => Err(StepError::Undecided("no object came back".to_owned())),
            Err(unsettled) => {
                if unsettled.untouched {
                    self.withdraw(change, before).await;
                }
                Err(unsettled.error)
            }
        }
    }

    fn is_marked(&self, change: &Change, marker: &str, body: &Json) -> bool {
        marker.is_empty() || ownership(&change.kind, &self.plan.stack_id, &change.symbolic_id, body) == Ownership::Ours
    }

    /// The object once it is as it was written. What stays different was not kept: it is ours all the same, and is written again by
    /// the next run, since the ledger then has no hash of those leaves.
    async fn kept(
        &self,
        change: &Change,
        read: &Operation,
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
                self.record_owned(change, &kept, &settled).await?;
                let mut not_kept: Vec<NotKept> = lost.into_iter().map(|leaf| not_kept(leaf, &settled)).collect();
                if !is_ours {
                    let values = (Some(Json::from(marker)), None);
                    not_kept.push(NotKept { attribute: "mark of ownership".to_owned(), span: change.source, values });
                }
                return Err(StepError::NotKept(not_kept));
            };
            self.engine.pause(*wait, Patience::AWhileLonger).await?;
            match self.engine.read(read, change.symbolic_id.as_str(), Patience::AWhileLonger).await {
                Ok(answer) if answer.is_success() => settled = answer.json().cloned().unwrap_or(settled),
                Ok(_) | Err(SendError::Transport(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn finish(&self, change: &Change, leaves: &[Leaf], settled: &Json) -> Result<(), StepError> {
        self.known.borrow_mut().tell(&change.kind, &change.symbolic_id, settled);
        if change.kind.resource_type.eq_ignore_ascii_case("Microsoft.Authorization/roleAssignments") {
            self.granted.set(true);
        }
        self.record_owned(change, leaves, settled).await
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
        Marker::Parent => {}
    }
}
