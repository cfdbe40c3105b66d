//! What a step leaves in the ledger: intents before, outcomes after. Not when it becomes durable: that is the ledger's.

use std::collections::BTreeMap;

use akson_catalog::{Kind, Value, canonical::sha256_hex, encode::Leaf, json::remove, kind::Marker};
use akson_planner::{Action, Change, OwnedEntry, OwnedState, hashes::recorded, rest::unsettled};
use serde_json::Value as Json;

use super::{Run, StepError};
use crate::ledger::{Entry, Intent, StoreError};

impl Run<'_> {
    /// Announces a write of `body` at `id`; the entry as it was before comes back. When this returns, the intent is durable.
    pub(super) async fn announce_write(
        &self,
        change: &Change,
        id: &str,
        body: &Json,
        leaves: &[Leaf],
    ) -> Result<Option<Entry>, StepError> {
        let mut shown = body.clone();
        for leaf in leaves.iter().filter(|leaf| leaf.sensitive) {
            remove(&mut shown, &leaf.pointer);
        }
        self.announce(change, id, OwnedState::IntentWrite, sha256_hex(&shown)).await
    }

    /// Announces a deletion.
    pub(super) async fn announce_delete(&self, change: &Change, id: &str) -> Result<Option<Entry>, StepError> {
        self.announce(change, id, OwnedState::IntentDelete, String::new()).await
    }

    async fn announce(
        &self,
        change: &Change,
        id: &str,
        state: OwnedState,
        digest: String,
    ) -> Result<Option<Entry>, StepError> {
        let before = self.ledger.entry(&change.symbolic_id);
        let mut entry = match state {
            // What goes keeps what is known of it.
            OwnedState::IntentDelete => before.clone().unwrap_or_else(|| entry_of(change, id)),
            _ => Entry {
                owned: OwnedEntry {
                    sent: hashes(before.as_ref(), |owned| &owned.sent),
                    observed: hashes(before.as_ref(), |owned| &owned.observed),
                    ..entry_of(change, id).owned
                },
                ..entry_of(change, id)
            },
        };
        entry.owned.state = state;
        let run = self.engine.run().to_owned();
        entry.intent = Some(Intent { run, digest, since: self.ledger.next_generation() });
        self.keep(change, Some(entry)).await?;
        Ok(before)
    }

    /// Takes an announcement back, since the request was certainly not processed. That it cannot be taken back does no harm: the next
    /// run looks what came of it.
    pub(super) async fn withdraw(&self, change: &Change, before: Option<Entry>) {
        let _ = self.keep(change, before).await;
    }

    /// It settled with `body`, and is ours from now on with these leaves.
    pub(super) async fn record_owned(&self, change: &Change, leaves: &[Leaf], body: &Json) -> Result<(), StepError> {
        self.record_kept(change, leaves, &[], body).await
    }

    /// The same where some leaves were not kept. What was to go and is still there stays ours: else nobody would take it away any more.
    pub(super) async fn record_kept(
        &self,
        change: &Change,
        kept: &[Leaf],
        lost: &[&Leaf],
        body: &Json,
    ) -> Result<(), StepError> {
        let id = body.get("id").and_then(Json::as_str).or(change.id.as_deref()).unwrap_or(change.symbolic_id.as_str());
        let (mut sent, mut observed) = recorded(kept, body);
        let before = self.ledger.entry(&change.symbolic_id);
        // What is left as it is stays a difference: what was sent of it and what came of that is remembered, not what is there.
        for pointer in &change.kept {
            sent.remove(pointer);
            observed.remove(pointer);
        }
        let gone = lost.iter().filter(|leaf| leaf.want == Value::None).map(|leaf| &leaf.pointer);
        for pointer in gone.chain(&change.kept) {
            let Some(OwnedEntry { sent: was_sent, observed: was_observed, .. }) =
                before.as_ref().map(|entry| &entry.owned)
            else {
                break;
            };
            let keep = |from: &BTreeMap<String, String>, to: &mut BTreeMap<String, String>| {
                if let Some(hash) = from.get(pointer) {
                    to.insert(pointer.clone(), hash.clone());
                }
            };
            keep(was_sent, &mut sent);
            keep(was_observed, &mut observed);
        }
        let mut entry = entry_of(change, id);
        entry.owned.sent = sent;
        entry.owned.observed = observed;
        self.keep(change, Some(entry)).await
    }

    /// Its deletion was confirmed. The entry goes once a later run sees that it stayed away.
    pub(super) async fn record_deleted(&self, change: &Change, id: &str) -> Result<(), StepError> {
        let mut entry = self.ledger.entry(&change.symbolic_id).unwrap_or_else(|| entry_of(change, id));
        entry.owned.state = OwnedState::Tombstone;
        entry.intent = None;
        self.keep(change, Some(entry)).await
    }

    /// Brings the entry up to date with what was read for the plan. What a run before this one began is waited for; nothing else is sent.
    pub(super) async fn record(&self, change: &Change, leaves: &[Leaf]) -> Result<(), StepError> {
        let leaves = self.known.borrow().fill_leaves(self.snapshot, &change.kind, leaves)?;
        let Some(live) = self.snapshot.live(&change.symbolic_id) else { return Ok(()) };
        let is_waited_for = change.action == Action::Update && unsettled(&live.body).is_some();
        if is_waited_for && let Some(settled) = self.wait_for(change, &live.id).await? {
            let settled = self.kept(change, &leaves, "", settled).await?;
            return self.finish(change, &leaves, &settled).await;
        }
        self.record_owned(change, &leaves, &live.body).await
    }

    /// Takes the entry out.
    pub(super) async fn forget(&self, change: &Change) -> Result<(), StepError> {
        self.keep(change, None).await
    }

    async fn keep(&self, change: &Change, entry: Option<Entry>) -> Result<(), StepError> {
        let gone = entry.as_ref().is_none_or(|entry| entry.owned.state == OwnedState::Tombstone);
        let written = self.ledger.change(vec![(change.symbolic_id.clone(), entry)]).await;
        written.map_err(|error| self.ledger_failed(error))?;
        if gone && self.ledger.way(&change.symbolic_id).is_some() {
            self.ledger.remember(&change.symbolic_id, None).await.map_err(|error| self.ledger_failed(error))?;
        }
        Ok(())
    }

    /// Without a ledger nothing more may be sent; what is in flight comes to its end.
    pub(super) fn ledger_failed(&self, error: StoreError) -> StepError {
        self.engine.cancel().stop();
        StepError::Ledger(error)
    }
}

fn hashes(
    before: Option<&Entry>,
    which: impl Fn(&OwnedEntry) -> &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    // Those of something deleted say nothing about what is written in its place.
    let before = before.filter(|entry| entry.owned.state != OwnedState::Tombstone);
    before.map(|entry| which(&entry.owned).clone()).unwrap_or_default()
}

/// An owned entry without hashes.
fn entry_of(change: &Change, id: &str) -> Entry {
    Entry {
        owned: OwnedEntry {
            id: id.to_owned(),
            kind: change.kind.keyword.clone(),
            resource_type: change.kind.resource_type.clone(),
            api_version: change.kind.api_version.clone(),
            state: OwnedState::Owned,
            sent: BTreeMap::new(),
            observed: BTreeMap::new(),
            dependencies: change.dependencies.clone(),
            conflict_domain: change.conflict_domain.clone(),
            protected: change.protect,
            keep: change.keep,
            address: change.address.clone(),
        },
        marker: marker_word(&change.kind).to_owned(),
        intent: None,
    }
}

/// How objects of a kind show that they are ours, in the ledger's word.
pub(crate) fn marker_word(kind: &Kind) -> &'static str {
    match kind.marker {
        Marker::Tag => "tag",
        Marker::Text(_) => "text",
        Marker::Label => "label",
        Marker::UniqueName(_) => "unique_name",
        Marker::Parent => "parent",
    }
}
