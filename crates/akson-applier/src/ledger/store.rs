//! Where a ledger is kept, as a trait. Stores keep documents, and records behind them; what stands in these is not their business but for the checksum.

use super::{Document, ReadError};

/// Keeps one stack's ledger.
#[async_trait::async_trait]
pub trait LedgerStore: Send + Sync {
    /// The newest document that can be read; none before the first write.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn load(&self) -> Result<Loaded, StoreError>;

    /// Replaces the document of generation `follows` by `bytes`, as a whole or not at all. When it returns, `bytes` are durable.
    /// The lock must be held, and the store loaded before.
    ///
    /// # Errors
    /// [`StoreError`]; the old document is still there, or (which [`LedgerStore::load`] tells) the new one is already.
    async fn commit(&self, bytes: &[u8], follows: u64) -> Result<(), StoreError>;

    /// From what length on, in bytes, a document is not replaced for each change, but followed by records of what changed; never, if nothing
    /// is said. To replace a short one costs no more, and leaves the generations before it as they were.
    fn appends_from(&self) -> Option<usize> {
        None
    }

    /// Puts a record behind the document that this run wrote last, which makes it the generation after `follows`. When it returns, that is
    /// durable. After an error the next write must be a whole one. Only asked of stores that append.
    ///
    /// # Errors
    /// [`StoreError`], as for [`LedgerStore::commit`].
    async fn append(&self, _record: &[u8], _follows: u64) -> Result<(), StoreError> {
        Err(StoreError::Conflict)
    }

    /// Keeps other runs out. `holder` is told to whoever comes meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Locked`] if another run is in.
    async fn lock(&self, holder: &str) -> Result<(), StoreError>;

    /// Lets other runs in.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn unlock(&self) -> Result<(), StoreError>;

    /// Takes the lock from whoever holds it. Whether there is a lock that can be taken: the system's own goes with its run.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn break_lock(&self) -> Result<bool, StoreError> {
        Ok(false)
    }

    /// Makes sure that no other run is in until a request that goes out now is over. Asked right before each request that changes something.
    ///
    /// # Errors
    /// [`StoreError`]: nothing more may be sent.
    async fn assure(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Where it is, for people.
    fn place(&self) -> String;
}

/// What a store has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Loaded {
    /// The newest document that can be read.
    pub document: Option<Document>,
    /// What was passed over on the way to it. To be told loudly.
    pub fallback: Option<Fallback>,
}

/// The newest generation cannot be read, and an older one is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fallback {
    /// What cannot be read, and why.
    pub unreadable: Vec<(String, String)>,
    /// What is used.
    pub used: String,
    /// Its generation.
    pub generation: u64,
}

/// Why a store cannot do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another run is in.
    #[error("another run holds the ledger{}", .holder.as_ref().map(|holder| format!(": {holder}")).unwrap_or_default())]
    Locked {
        /// What it said of itself.
        holder: Option<String>,
    },
    /// The lock is not held: a bug of the caller.
    #[error("the ledger's lock is not held")]
    NotLocked,
    /// The lock was held and is not any more.
    #[error("the lock on the ledger was lost, and another run may hold it")]
    Lost,
    /// Somebody else wrote in between.
    #[error("the ledger was changed by something else")]
    Conflict,
    /// Something else lies where the ledger should be.
    #[error("`{path}` is {what}")]
    Irregular {
        /// Where.
        path: String,
        /// `a symbolic link`, `no regular file`
        what: &'static str,
    },
    /// No generation can be read.
    #[error("no generation of the ledger can be read: {reason}")]
    Unreadable {
        /// Each that was tried, and why.
        tried: Vec<(String, String)>,
        /// Of the newest.
        reason: ReadError,
    },
    /// The system refuses.
    #[error("cannot {step} `{path}`: {detail}")]
    Io {
        /// `open`, `write`, …
        step: &'static str,
        /// What.
        path: String,
        /// The system's words.
        detail: String,
    },
    /// The service that keeps it does not answer, or refuses.
    #[error("cannot {step} `{place}`: {detail}")]
    Service {
        /// `reach`, `write`, …
        step: &'static str,
        /// The blob.
        place: String,
        /// Its answer, or why there is none. Foreign text.
        detail: String,
        /// What can be done about it.
        way_out: &'static str,
    },
}
