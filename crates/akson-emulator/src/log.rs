//! The list of calls that the emulator has seen, for tests. Bounded: the oldest are dropped.

use std::collections::VecDeque;

use serde::Serialize;

use crate::clock::WorldTime;

/// One call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RequestRecord {
    /// `GET`, `PUT`, ...
    pub method: String,
    /// The host it was sent to, in lower case and without port.
    pub host: String,
    /// Path and query as they came.
    pub path: String,
    /// When it arrived.
    pub arrived: WorldTime,
    /// Whether the service got to work on it. A call that a fault stopped before that has changed
    /// nothing.
    pub processed: bool,
    /// What the service answered; `None` if it did not get that far. A fault after processing can
    /// have shown the caller something else.
    pub status: Option<u16>,
}

/// The last calls, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Log {
    records: VecDeque<RequestRecord>,
    dropped: usize,
}

/// How many calls are kept.
const KEPT: usize = 100_000;

impl Log {
    /// Adds a call that has just arrived; the number finds it again.
    pub(crate) fn arrived(&mut self, record: RequestRecord) -> usize {
        if self.records.len() == KEPT {
            self.records.pop_front();
            self.dropped += 1;
        }
        self.records.push_back(record);
        self.dropped + self.records.len() - 1
    }

    /// Notes what the service answered to a call.
    pub(crate) fn answered(&mut self, number: usize, status: u16) {
        if let Some(record) = number.checked_sub(self.dropped).and_then(|at| self.records.get_mut(at)) {
            record.processed = true;
            record.status = Some(status);
        }
    }

    /// Forgets all calls.
    pub(crate) fn clear(&mut self) {
        self.dropped += self.records.len();
        self.records.clear();
    }

    pub(crate) fn all(&self) -> Vec<RequestRecord> {
        self.records.iter().cloned().collect()
    }
}
