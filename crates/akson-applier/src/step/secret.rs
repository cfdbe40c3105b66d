//! Values of secrets: when one is sent, how one is made, and names that soft-deleted ones hold. No value is kept, told or read back.

use std::time::Duration;

use akson_catalog::{
    Secret, Value,
    encode::Leaf,
    json::{lookup, put},
    kind::Plane,
};
use akson_planner::{
    Change, OwnedState,
    hashes::SENSITIVE,
    marker::{Ownership, ownership_by_tag},
};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{Run, StepError};
use crate::engine::{Patience, SendError};

/// Where a secret's value stands.
pub(super) const VALUE: &str = "/properties/value";
/// Which value it is, counted by the author.
const VERSION: &str = "/tags/akson-version";
/// By which run a value was made: what tells a value that was made from one that still is to be.
const MADE_BY: &str = "/tags/akson-run";
/// What values are made of: what every program, shell and connection string takes as it is.
const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

impl Run<'_> {
    /// The leaves to send: with the value if it is to be written, made if it is to be made; without it where it stays.
    pub(super) fn with_values(&self, change: &Change, leaves: &[Leaf], live: Option<&Json>) -> Vec<Leaf> {
        if change.kind.plane != Plane::KeyVault {
            return leaves.to_vec();
        }
        let sent = leaves.iter().filter_map(|leaf| {
            if leaf.pointer != VALUE {
                return Some(leaf.clone());
            }
            if live.is_some_and(|live| !self.is_due(change, leaf, leaves, live)) {
                return None;
            }
            let want = match length_to_make(leaf) {
                Some(length) => Value::Sensitive(made(length)),
                None => leaf.want.clone(),
            };
            Some(Leaf { want, ..leaf.clone() })
        });
        sent.collect()
    }

    /// Whether a value is to be written over the one that is there.
    fn is_due(&self, change: &Change, value: &Leaf, leaves: &[Leaf], live: &Json) -> bool {
        let version = leaves.iter().find(|leaf| leaf.pointer == VERSION);
        if version.is_some_and(|version| version.in_sync(live) == Some(false)) {
            return true;
        }
        let recorded = self.ledger.entry(&change.symbolic_id).is_some_and(|entry| {
            entry.owned.state == OwnedState::Owned
                && entry.owned.sent.get(&value.pointer).is_some_and(|sent| sent == SENSITIVE)
        });
        // What is made once is not made over what is there; of any other it is not known that it was written.
        !recorded && length_to_make(value).is_none()
    }

    /// Marks a value that was made as made by this run, if the body has one; whether it has.
    pub(super) fn tag_made(&self, change: &Change, leaves: &[Leaf], body: &mut Json) -> bool {
        let makes = change.kind.plane == Plane::KeyVault
            && lookup(body, VALUE).is_some()
            && leaves.iter().any(|leaf| leaf.pointer == VALUE && length_to_make(leaf).is_some());
        if makes {
            put(body, MADE_BY, Json::from(self.engine.run()));
        }
        makes
    }

    /// Whether a secret shows that its value was made by this run.
    pub(super) fn is_made_now(&self, shown: &Json) -> bool {
        lookup(shown, MADE_BY).and_then(Json::as_str) == Some(self.engine.run())
    }

    /// Brings a soft-deleted secret back that was this stack's, so that it can be written.
    pub(super) async fn bring_back(&self, change: &Change, id: &str, deadline: Duration) -> Result<(), StepError> {
        let secret = self.secret(id)?;
        let step = change.symbolic_id.as_str();
        let deleted = self.engine.read(&secret.deleted(), step, Patience::UntilStopped).await?;
        let owner = deleted.json().map(|deleted| ownership_by_tag(&self.plan.stack_id, &change.symbolic_id, deleted));
        match owner {
            Some(Ownership::Ours) => {}
            // It was purged, or came back by itself, in the meantime.
            None if deleted.is_gone() => return Ok(()),
            _ if deleted.is_success() => return Err(StepError::HeldByDeleted),
            _ => return Err(StepError::Refused(deleted.error())),
        }
        self.progress(change, "bringing it back from soft deletion");
        let mut attempt = 0;
        loop {
            let answer = self.engine.send(self.ledger, &secret.recover(), step, deadline, Patience::AWhileLonger).await;
            match answer {
                Ok(answer) if answer.is_success() || answer.is_gone() => return Ok(()),
                Ok(answer) if answer.status.is_client_error() && answer.status.as_u16() != 409 => {
                    return Err(StepError::Refused(answer.error()));
                }
                Ok(_) | Err(SendError::Transport(_)) if self.engine.now() < deadline => {}
                Ok(answer) => return Err(StepError::Refused(answer.error())),
                Err(error) => return Err(error.into()),
            }
            self.engine.pause(self.engine.backoff(attempt), Patience::UntilStopped).await?;
            attempt += 1;
        }
    }
}

/// Whether a write was refused since a soft-deleted object has the name.
pub(super) fn is_soft_deleted(error: &StepError) -> bool {
    matches!(error, StepError::Refused(error) if error.says("ObjectIsDeletedButRecoverable"))
}

/// How long a value is that is made rather than given.
fn length_to_make(leaf: &Leaf) -> Option<usize> {
    let Value::Choice { name, arguments } = &leaf.want else { return None };
    match arguments.get("length") {
        Some(Value::Int(length)) if name == "generated" => usize::try_from(*length).ok(),
        _ => None,
    }
}

/// A value that nobody can guess. Its randomness is the system's and not the run's: a run's seed is printed.
fn made(length: usize) -> Secret {
    let entropy: Vec<u8> = (0..4).flat_map(|_| Uuid::new_v4().into_bytes()).collect();
    let mut random = StdRng::from_seed(Sha256::digest(&entropy).into());
    let letter =
        |random: &mut StdRng| LETTERS.get(random.random_range(0..LETTERS.len())).map_or('x', |at| char::from(*at));
    Secret::new((0..length).map(|_| letter(&mut random)).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_values_are_long_and_never_the_same() {
        let (one, other) = (made(48), made(48));
        assert_eq!(one.expose().len(), 48);
        assert!(one.expose().bytes().all(|letter| LETTERS.contains(&letter)));
        assert_ne!(one.expose(), other.expose());
    }
}
