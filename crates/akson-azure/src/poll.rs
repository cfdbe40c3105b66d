//! Long-running operations as a state machine without time or network: an answer goes in, what to do next comes out.
//!
//! The rules are those that services were recorded to need: `Azure-AsyncOperation` first, then `Location` of a 202, then the object's own
//! `provisioningState`. A 201 with a `Location` alone is no operation. Words other than `Succeeded`, `Failed` and `Canceled` mean that it
//! is still running, and an `error` beside them is none. After success the object is read, since operations carry no object.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Uri};
use serde_json::Value;

use crate::{Answer, AzureError, BadOperation, Cloud, Operation, RequestIds, Verb, answer::Body, origin::Origin};

#[cfg(test)]
mod tests;

/// An operation that was accepted, and how far it is.
#[derive(Debug)]
pub struct Follow {
    verb: Verb,
    origin: Origin,
    stage: Stage,
    /// The read of the object itself.
    read: Request<Bytes>,
    /// How long it usually takes.
    usual: Duration,
    /// When following is given up, on the caller's clock.
    deadline: Duration,
    /// Since when it is followed.
    since: Option<Duration>,
    /// Since when the object is not found although it should be there.
    missing_since: Option<Duration>,
    seen_deleting: bool,
    status: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Stage {
    /// The status of an operation: `Azure-AsyncOperation`.
    Operation(Uri),
    /// The result of an operation: `Location`.
    Location(Uri),
    /// The object itself.
    Object,
}

/// What to do next.
#[derive(Debug)]
pub enum Next {
    /// It ended. The object as it settled, for what writes; the result, for an action; nothing after a deletion.
    Done(Option<Value>),
    /// Ask again how the operation is, after this time.
    Wait {
        /// How long, in the cloud's time.
        after: Duration,
        /// What to send.
        request: Request<Bytes>,
    },
    /// Read the object, after this time.
    ReadBack {
        /// How long, in the cloud's time.
        after: Duration,
        /// What to send.
        request: Request<Bytes>,
    },
    /// It ended badly, or cannot be followed any further.
    Failed(FollowError),
}

/// How an accepted operation failed. It did have effects: the object may exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FollowError {
    /// It ended `Failed` or `Canceled`, or reading was refused.
    #[error("{}", .0.code)]
    Azure(AzureError),
    /// It was accepted, and then the object was not there.
    #[error("it was accepted, and then not found")]
    Vanished,
    /// A deletion began and was taken back.
    #[error("the deletion was taken back by the service")]
    RolledBack,
    /// It did not end in time.
    #[error("it did not end in time")]
    Deadline {
        /// The service's last word about it.
        status: Option<String>,
    },
}

/// The shortest wait of our own.
const SHORTEST: Duration = Duration::from_secs(2);
/// The longest.
const LONGEST: Duration = Duration::from_secs(15);
/// In between, such a part of the time that has passed: the end is noticed soon, and nobody is asked more often than that is worth.
const PART: u32 = 100;
/// Such a part of the usual time is over before the end is looked for so closely.
const EARLY: f64 = 0.6;
/// How long an object may stay invisible after it was written.
const LAG: Duration = Duration::from_secs(120);

impl Follow {
    /// Begins with the answer to `operation`, sent at `now` on the caller's clock, in the cloud's time. `answer` is one of success, or a 404
    /// to a deletion. `usual` is how long it usually takes, nothing if that is not known.
    ///
    /// # Errors
    /// [`BadOperation`] if the object cannot be asked for.
    pub fn start(
        operation: &Operation,
        cloud: &Cloud,
        ids: &RequestIds,
        answer: &Answer,
        now: Duration,
        usual: Duration,
        deadline: Duration,
    ) -> Result<(Self, Next), BadOperation> {
        let read = operation.read_back().request(cloud, ids)?;
        let origin = Origin::of(read.uri()).ok_or_else(|| BadOperation::Path(operation.path().to_owned()))?;
        let mut follow = Self {
            verb: operation.verb(),
            origin,
            stage: Stage::Object,
            read,
            usual,
            deadline,
            since: None,
            missing_since: None,
            seen_deleting: false,
            status: None,
        };
        let next = follow.begin(answer, now);
        Ok((follow, next))
    }

    /// Begins by reading: an earlier request may have been accepted, and its answer is not known.
    ///
    /// # Errors
    /// [`BadOperation`] if the object cannot be asked for.
    pub fn resume(
        operation: &Operation,
        cloud: &Cloud,
        ids: &RequestIds,
        deadline: Duration,
    ) -> Result<(Self, Next), BadOperation> {
        let nothing = Answer { status: http::StatusCode::ACCEPTED, headers: http::HeaderMap::new(), body: Body::Empty };
        let (follow, _) = Self::start(operation, cloud, ids, &nothing, Duration::ZERO, Duration::ZERO, deadline)?;
        let request = follow.read.clone();
        Ok((follow, Next::ReadBack { after: Duration::ZERO, request }))
    }

    /// The service's last word about the operation, for people: `ProvisioningControlPlane`. Foreign text.
    pub fn status(&self) -> Option<&str> {
        self.status.as_deref()
    }

    fn begin(&mut self, answer: &Answer, now: Duration) -> Next {
        if !answer.is_success() {
            return if self.verb == Verb::Delete && answer.is_gone() { Next::Done(None) } else { failed(answer) };
        }
        let accepted = answer.status == http::StatusCode::ACCEPTED;
        if let Some(url) = answer.header("azure-asyncoperation") {
            return match self.origin.admit(url) {
                Ok(uri) => self.to(Stage::Operation(uri), answer, now),
                Err(_) => self.to(Stage::Object, answer, now),
            };
        }
        if accepted && let Some(url) = answer.header("location") {
            return match self.origin.admit(url) {
                Ok(uri) => self.to(Stage::Location(uri), answer, now),
                Err(_) => self.to(Stage::Object, answer, now),
            };
        }
        let running = answer.provisioning_state().is_some_and(|state| outcome(state).is_none());
        match self.verb {
            Verb::Put | Verb::Patch | Verb::Delete if accepted || running => self.to(Stage::Object, answer, now),
            Verb::Delete => Next::Done(None),
            Verb::Put | Verb::Patch => self.read_now(),
            Verb::Get | Verb::Post(_) => Next::Done(answer.json().cloned()),
        }
    }

    /// Goes on with the answer to the last request, at `now`.
    pub fn next(&mut self, answer: &Answer, now: Duration) -> Next {
        let status = answer.status.as_u16();
        let unreadable = answer.is_success() && matches!(answer.body, Body::Other { .. });
        if matches!(status, 408 | 429 | 500..=599) || unreadable {
            return self.again(answer, now);
        }
        match self.stage {
            Stage::Operation(_) => self.next_of_operation(answer, now),
            Stage::Location(_) => self.next_of_location(answer, now),
            Stage::Object if self.verb == Verb::Delete => self.next_of_deletion(answer, now),
            Stage::Object => self.next_of_object(answer, now),
        }
    }

    /// Goes on when no answer came to the last request: reading it again changes nothing.
    pub fn unanswered(&mut self, now: Duration) -> Next {
        let wait = self.own_wait(now);
        self.wait_for(wait, now)
    }

    fn next_of_operation(&mut self, answer: &Answer, now: Duration) -> Next {
        if !answer.is_success() {
            // The operation cannot be asked for any more: the object itself says how it ended.
            return self.to(Stage::Object, answer, now);
        }
        if let Some(Ok(uri)) = answer.header("azure-asyncoperation").map(|url| self.origin.admit(url)) {
            self.stage = Stage::Operation(uri);
        }
        match status_word(answer) {
            Some(word) => match outcome(word) {
                Some(true) => self.completed(),
                Some(false) => Self::ended_badly(answer, word),
                None => {
                    self.status = Some(word.to_owned());
                    self.again(answer, now)
                }
            },
            None if answer.status == http::StatusCode::ACCEPTED => self.again(answer, now),
            None => self.completed(),
        }
    }

    fn next_of_location(&mut self, answer: &Answer, now: Duration) -> Next {
        if !answer.is_success() {
            return self.to(Stage::Object, answer, now);
        }
        let word = status_word(answer);
        if let Some(word) = word
            && outcome(word) == Some(false)
        {
            return Self::ended_badly(answer, word);
        }
        let running = word.is_some_and(|word| outcome(word).is_none());
        if answer.status == http::StatusCode::ACCEPTED || running {
            if let Some(word) = word {
                self.status = Some(word.to_owned());
            }
            if let Some(Ok(uri)) = answer.header("location").map(|url| self.origin.admit(url)) {
                self.stage = Stage::Location(uri);
            }
            return self.again(answer, now);
        }
        if matches!(self.verb, Verb::Post(_)) {
            return Next::Done(answer.json().cloned());
        }
        self.completed()
    }

    fn next_of_object(&mut self, answer: &Answer, now: Duration) -> Next {
        // Right after a write, readers may not see the object yet, nor the right to read it.
        if matches!(answer.status.as_u16(), 403 | 404) {
            let since = *self.missing_since.get_or_insert(now);
            if now.saturating_sub(since) < LAG {
                return self.again(answer, now);
            }
            return if answer.is_gone() { Next::Failed(FollowError::Vanished) } else { failed(answer) };
        }
        self.missing_since = None;
        if !answer.is_success() {
            return failed(answer);
        }
        match answer.provisioning_state() {
            None => Next::Done(answer.json().cloned()),
            Some(state) => match outcome(state) {
                Some(true) => Next::Done(answer.json().cloned()),
                Some(false) => Self::ended_badly(answer, state),
                None => {
                    self.status = Some(state.to_owned());
                    self.again(answer, now)
                }
            },
        }
    }

    fn next_of_deletion(&mut self, answer: &Answer, now: Duration) -> Next {
        if answer.is_gone() || answer.status == http::StatusCode::NO_CONTENT {
            return Next::Done(None);
        }
        if !answer.is_success() {
            return failed(answer);
        }
        let state = answer.provisioning_state().unwrap_or_default();
        if state.eq_ignore_ascii_case("deleting") {
            self.seen_deleting = true;
        } else if self.seen_deleting && outcome(state).is_some() {
            return Next::Failed(FollowError::RolledBack);
        }
        self.status = Some(state.to_owned()).filter(|state| !state.is_empty());
        self.again(answer, now)
    }

    fn completed(&mut self) -> Next {
        match self.verb {
            Verb::Put | Verb::Patch => self.read_now(),
            Verb::Delete | Verb::Get | Verb::Post(_) => Next::Done(None),
        }
    }

    fn ended_badly(answer: &Answer, word: &str) -> Next {
        let error = answer.json().and_then(|body| AzureError::in_body(answer.status.as_u16(), body));
        Next::Failed(FollowError::Azure(error.unwrap_or_else(|| AzureError {
            status: answer.status.as_u16(),
            code: word.to_owned(),
            message: String::new(),
            details: Vec::new(),
        })))
    }

    fn to(&mut self, stage: Stage, answer: &Answer, now: Duration) -> Next {
        self.stage = stage;
        self.again(answer, now)
    }

    fn read_now(&mut self) -> Next {
        self.stage = Stage::Object;
        Next::ReadBack { after: Duration::ZERO, request: self.read.clone() }
    }

    /// The same request again, when the service says so or else when we think so.
    fn again(&mut self, answer: &Answer, now: Duration) -> Next {
        let wait = answer.retry_after().unwrap_or_else(|| self.own_wait(now));
        self.wait_for(wait, now)
    }

    fn own_wait(&mut self, now: Duration) -> Duration {
        let passed = now.saturating_sub(*self.since.get_or_insert(now));
        let early = self.usual.mul_f64(EARLY).saturating_sub(passed);
        early.max(passed / PART).clamp(SHORTEST, LONGEST)
    }

    fn wait_for(&self, wait: Duration, now: Duration) -> Next {
        if now >= self.deadline {
            return Next::Failed(FollowError::Deadline { status: self.status.clone() });
        }
        let after = wait.min(self.deadline.saturating_sub(now));
        match &self.stage {
            Stage::Operation(uri) | Stage::Location(uri) => {
                let mut request = self.read.clone();
                *request.uri_mut() = uri.clone();
                Next::Wait { after, request }
            }
            Stage::Object => Next::ReadBack { after, request: self.read.clone() },
        }
    }
}

fn failed(answer: &Answer) -> Next {
    Next::Failed(FollowError::Azure(answer.error()))
}

/// The word that says how it is.
fn status_word(answer: &Answer) -> Option<&str> {
    let status = answer.json()?.get("status").and_then(Value::as_str);
    status.or_else(|| answer.provisioning_state()).filter(|word| !word.is_empty())
}

/// Whether it ended, and well. Every word but three means that it goes on.
fn outcome(word: &str) -> Option<bool> {
    match word.to_ascii_lowercase().as_str() {
        "succeeded" => Some(true),
        "failed" | "canceled" | "cancelled" => Some(false),
        _ => None,
    }
}
