//! The look before the leap: what is there right now, and whether that is what the plan was made for.

use akson_azure::Operation;
use akson_catalog::{Quirk, encode::Leaf, equality::equal, json::lookup};
use akson_planner::{
    Action, Change, OwnedState,
    marker::{Ownership, ownership},
    place::covers,
};
use serde_json::Value as Json;

use super::{Run, Stale, StepError, cluster::with_id};
use crate::engine::{LOOK_AGAIN, Patience};

impl Run<'_> {
    /// What is there now. Where something is expected, an absence is only believed after several looks.
    pub(super) async fn look(
        &self,
        change: &Change,
        read: &Operation,
        expected: bool,
    ) -> Result<Option<Json>, StepError> {
        let mut again = LOOK_AGAIN.iter().take(if expected { LOOK_AGAIN.len() } else { 0 });
        loop {
            let answer = self.engine.read(read, change.symbolic_id.as_str(), Patience::UntilStopped).await?;
            if answer.is_success() {
                let body = answer.json().filter(|body| body.is_object()).cloned();
                return body
                    .map(Some)
                    .ok_or_else(|| StepError::Undecided("the answer to a read is no object".to_owned()));
            }
            if !answer.is_gone() {
                return Err(StepError::Refused(answer.error()));
            }
            match again.next() {
                Some(wait) => self.engine.pause(*wait, Patience::UntilStopped).await?,
                None => return Ok(None),
            }
        }
    }

    /// The same for an object by its id, with the edges that leaves speak of.
    pub(super) async fn see(
        &self,
        change: &Change,
        id: &str,
        leaves: &[Leaf],
        expected: bool,
    ) -> Result<Option<Json>, StepError> {
        let Some(found) = self.look(change, &self.reading(change, id)?, expected).await? else { return Ok(None) };
        let mut found = with_id(change, id, found);
        let is_shown = self.with_edges(change, &mut found, leaves).await?;
        Ok(is_shown.then_some(found))
    }

    /// Whose it is, right before it is changed. Something of our own that is not marked yet (an adoption, an interrupted create) is for
    /// the plan to know; what bears another stack's mark is never touched.
    pub(super) fn check_owner(&self, change: &Change, body: &Json) -> Result<Ownership, StepError> {
        match ownership(&change.kind, &self.plan.stack_id, &change.symbolic_id, body) {
            Ownership::OtherStack(stack) => Err(StepError::NotOurs { stack: Some(stack) }),
            owner => Ok(owner),
        }
    }

    /// Something is there that the plan expected to be absent: taken as ours only if it shows to be.
    pub(super) fn check_appeared(&self, change: &Change, body: &Json) -> Result<(), StepError> {
        match self.check_owner(change, body)? {
            Ownership::Ours => Ok(()),
            // A late write of an interrupted run, of a kind that takes no mark.
            Ownership::Unmarkable if self.announced(change) || self.came_with_parent(change) => Ok(()),
            _ => Err(StepError::Stale(Stale::Appeared)),
        }
    }

    /// Whether what it lies in was created by this plan, with it in its first request.
    pub(super) fn came_with_parent(&self, change: &Change) -> bool {
        change.kind.quirks.contains(&Quirk::ComesWithParent)
            && self.plan.changes.iter().any(|other| {
                matches!(other.action, Action::Create | Action::Replace)
                    && other.symbolic_id != change.symbolic_id
                    && covers(&other.symbolic_id, &change.symbolic_id)
                    && other.kind.blocks.values().any(|nested| nested.kind == change.kind.keyword)
            })
    }

    fn announced(&self, change: &Change) -> bool {
        self.ledger.entry(&change.symbolic_id).is_some_and(|entry| {
            matches!(entry.owned.state, OwnedState::IntentWrite | OwnedState::IntentDelete | OwnedState::Tombstone)
        })
    }

    /// Whether what matters of a live object is as it was when the plan was made. What has become as it is wanted does no harm.
    pub(super) fn check_unchanged(&self, change: &Change, leaves: &[Leaf], now: &Json) -> Result<(), StepError> {
        let Some(planned) = self.snapshot.live(&change.symbolic_id) else { return Ok(()) };
        let mut differs: Vec<String> = leaves
            .iter()
            .filter(|leaf| !leaf.on_create_only && !leaf.sensitive)
            .filter(|leaf| {
                !equal(leaf.equality, leaf.live(&planned.body), leaf.live(now)) && leaf.in_sync(now) != Some(true)
            })
            .map(|leaf| leaf.attribute.clone())
            .collect();
        differs.dedup();
        if differs.is_empty() { Ok(()) } else { Err(StepError::Stale(Stale::Differs(differs))) }
    }

    /// The same for something whose block is gone, by what the ledger says was ours in it.
    pub(super) fn check_unchanged_entry(&self, change: &Change, now: &Json) -> Result<(), StepError> {
        let (Some(planned), Some(entry)) =
            (self.snapshot.live(&change.symbolic_id), self.ledger.entry(&change.symbolic_id))
        else {
            return Ok(());
        };
        let differs: Vec<String> = entry
            .owned
            .observed
            .keys()
            .filter(|pointer| change.kind.edge_set(pointer).is_none())
            .filter(|pointer| lookup(&planned.body, pointer) != lookup(now, pointer))
            .cloned()
            .collect();
        if differs.is_empty() { Ok(()) } else { Err(StepError::Stale(Stale::Differs(differs))) }
    }
}
