//! The ledger that a run works with: changes become durable in groups, many steps' intents in one write.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use akson_catalog::SymbolicId;
use akson_planner::{Owned, Way};
use futures_util::lock::Mutex as Turn;

use super::{
    Binding, Document, Entry, Fallback, LedgerStore, ReadError, StoreError, Writer,
    document::{Changed, Text, record},
};

/// A ledger with its store, locked for this run.
pub struct Ledger {
    store: Arc<dyn LedgerStore>,
    run: String,
    state: Mutex<State>,
    /// Whose turn it is to write.
    turn: Turn<()>,
}

struct State {
    /// As this run wants it. Its generation is the durable one.
    document: Document,
    /// Its text, as far as it is still right.
    text: Text,
    /// Changes so far.
    changes: u64,
    /// How many of them are durable.
    durable: u64,
    /// What changed since the last write.
    changed: Changed,
    /// What the next record would follow; nothing if the next write is a whole one.
    written: Option<Written>,
}

/// What this run wrote, as far as records may follow it.
struct Written {
    /// How long the document is.
    document: usize,
    /// How long its records are together.
    records: usize,
    /// The checksum of the last one.
    sum: String,
}

/// One write: its bytes, and what is there after it.
struct Write {
    bytes: Vec<u8>,
    appends: bool,
    after: Option<Written>,
}

impl State {
    fn new(document: Document) -> Self {
        let (text, changed) = (Text::default(), Changed::default());
        Self { document, text, changes: 0, durable: 0, changed, written: None }
    }

    /// The next write. Should it fail, or be dropped, the one after it is a whole one.
    fn next(&mut self, appends_from: Option<usize>, writer: &Writer) -> Write {
        let generation = self.document.generation + 1;
        let changed = std::mem::take(&mut self.changed);
        // Once the records are as long as the document, replacing it costs no more than they did.
        match self.written.take().filter(|written| written.records < written.document) {
            Some(Written { document, records, sum }) => {
                let (bytes, sum) = record(&self.document, &changed, generation, &sum);
                let records = records + bytes.len();
                Write { bytes, appends: true, after: Some(Written { document, records, sum }) }
            }
            None => {
                // As long as it was the last time: the first write of a run is a whole one anyhow.
                if appends_from.is_some_and(|length| self.text.length() >= length) {
                    let (bytes, sum) = self.text.write_appendable(&self.document, generation, writer);
                    let written = Written { document: bytes.len(), records: 0, sum };
                    return Write { bytes, appends: false, after: Some(written) };
                }
                let bytes = self.text.write(&self.document, generation, writer);
                Write { bytes, appends: false, after: None }
            }
        }
    }
}

/// Why there is no ledger to work with, or a change is not durable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// The store's.
    #[error("{error}")]
    Store {
        /// Where it is.
        place: String,
        /// Why not.
        error: StoreError,
    },
    /// It belongs to something else: what, what it has, what was wanted.
    #[error("the ledger `{place}` belongs to something else")]
    Foreign {
        /// Where it is.
        place: String,
        /// Part of the binding, the ledger's and ours.
        differences: Vec<(&'static str, String, String)>,
    },
}

/// Reads a ledger without locking it: what a plan does. What is ours, and what was passed over on the way.
///
/// # Errors
/// [`LedgerError`]; an unreadable ledger is never taken for an empty one.
pub async fn peek(
    store: &dyn LedgerStore,
    binding: &Binding,
) -> Result<(Option<Document>, Option<Fallback>), LedgerError> {
    let loaded = store.load().await.map_err(|error| of_store(store, error))?;
    if let Some(document) = &loaded.document {
        check_binding(document, binding, store)?;
    }
    Ok((loaded.document, loaded.fallback))
}

fn of_store(store: &dyn LedgerStore, error: StoreError) -> LedgerError {
    LedgerError::Store { place: store.place(), error }
}

fn check_binding(document: &Document, binding: &Binding, store: &dyn LedgerStore) -> Result<(), LedgerError> {
    let differences = document.binding.differences(binding);
    if differences.is_empty() { Ok(()) } else { Err(LedgerError::Foreign { place: store.place(), differences }) }
}

impl Ledger {
    /// Locks and loads a stack's ledger for a run.
    ///
    /// # Errors
    /// [`LedgerError`]; the lock is free again then.
    pub async fn open(
        store: Arc<dyn LedgerStore>,
        binding: &Binding,
        run: &str,
    ) -> Result<(Self, Option<Fallback>), LedgerError> {
        store
            .lock(&format!("run {run}, process {}", std::process::id()))
            .await
            .map_err(|error| of_store(store.as_ref(), error))?;
        let (document, fallback) = match peek(store.as_ref(), binding).await {
            Ok(found) => found,
            Err(error) => {
                // It was this run that took it; that it cannot be freed matters less than why nothing can be read.
                let _ = store.unlock().await;
                return Err(error);
            }
        };
        let document = document.unwrap_or_else(|| Document::new(binding.clone()));
        let state = Mutex::new(State::new(document));
        Ok((Self { store, run: run.to_owned(), state, turn: Turn::new(()) }, fallback))
    }

    /// Locks a ledger that may be lost or damaged, to make it again. What can be read of it is the beginning: it, an older generation, or
    /// nothing. Also answers what cannot be read, and why.
    ///
    /// # Errors
    /// [`LedgerError`]: it is held, belongs to something else, or is of a newer version; the lock is free again then.
    pub async fn open_damaged(
        store: Arc<dyn LedgerStore>,
        binding: &Binding,
        run: &str,
    ) -> Result<(Self, Vec<(String, String)>), LedgerError> {
        store
            .lock(&format!("run {run}, process {}", std::process::id()))
            .await
            .map_err(|error| of_store(store.as_ref(), error))?;
        let (document, unreadable) = match peek(store.as_ref(), binding).await {
            Ok((document, fallback)) => (document, fallback.map(|fallback| fallback.unreadable).unwrap_or_default()),
            Err(LedgerError::Store { error: StoreError::Unreadable { tried, reason }, .. })
                if !matches!(reason, ReadError::Format(_)) =>
            {
                (None, tried)
            }
            Err(error) => {
                let _ = store.unlock().await;
                return Err(error);
            }
        };
        let document = document.unwrap_or_else(|| Document::new(binding.clone()));
        let state = Mutex::new(State::new(document));
        Ok((Self { store, run: run.to_owned(), state, turn: Turn::new(()) }, unreadable))
    }

    /// The run it is open for.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// Where it is kept, for people.
    pub fn place(&self) -> String {
        self.store.place()
    }

    /// What planning needs of it.
    pub fn owned(&self) -> Owned {
        self.state().document.owned()
    }

    /// The document as it is now.
    pub fn document(&self) -> Document {
        self.state().document.clone()
    }

    /// An entry.
    pub fn entry(&self, id: &SymbolicId) -> Option<Entry> {
        self.state().document.entries.get(id).cloned()
    }

    /// How a cluster is reached, as far as is known.
    pub fn way(&self, cluster: &SymbolicId) -> Option<Way> {
        self.state().document.clusters.get(cluster).cloned()
    }

    /// Remembers how a cluster is reached, or that it is not known any more. When it returns, that is durable.
    ///
    /// # Errors
    /// [`StoreError`]: it is not known to be durable, and is as it was.
    pub async fn remember(&self, cluster: &SymbolicId, way: Option<Way>) -> Result<(), StoreError> {
        let (mine, before) = {
            let mut state = self.state();
            let before = state.set_way(cluster, way);
            state.changes += 1;
            (state.changes, before)
        };
        let written = self.write(mine).await;
        if written.is_err() {
            self.state().set_way(cluster, before);
        }
        written
    }

    /// Whether another run announced something whose outcome is not recorded.
    pub fn has_intents_of_others(&self) -> bool {
        self.state().document.has_intents_of_others(&self.run)
    }

    /// The generation that the next write will have.
    pub fn next_generation(&self) -> u64 {
        self.state().document.generation + 1
    }

    /// Replaces or removes entries. When it returns, that is durable.
    ///
    /// # Errors
    /// [`StoreError`]: it is not known to be durable. The entries are again as they were.
    pub async fn change(&self, entries: Vec<(SymbolicId, Option<Entry>)>) -> Result<(), StoreError> {
        let (mine, before) = {
            let mut state = self.state();
            let before = state.swap(entries);
            state.changes += 1;
            (state.changes, before)
        };
        // Whoever else is ready now gets into the same write.
        tokio::task::yield_now().await;
        let written = self.write(mine).await;
        if written.is_err() {
            self.state().swap(before);
        }
        written
    }

    async fn write(&self, mine: u64) -> Result<(), StoreError> {
        let _turn = self.turn.lock().await;
        let writer = Writer { run: self.run.clone(), version: env!("CARGO_PKG_VERSION").to_owned() };
        let (Write { bytes, appends, after }, follows, changes) = {
            let mut state = self.state();
            if state.durable >= mine {
                return Ok(());
            }
            let (follows, changes) = (state.document.generation, state.changes);
            (state.next(self.store.appends_from(), &writer), follows, changes)
        };
        let written =
            if appends { self.store.append(&bytes, follows).await } else { self.store.commit(&bytes, follows).await };
        // After an error it may be there all the same: the next write must follow what is there. With the lock held, nobody else's
        // has this run's name.
        let is_there = match &written {
            Ok(()) => true,
            Err(_) => self.store.load().await.is_ok_and(|loaded| {
                loaded.document.is_some_and(|found| found.generation == follows + 1 && found.writer == writer)
            }),
        };
        let mut state = self.state();
        if is_there {
            state.document.generation = follows + 1;
        }
        if written.is_ok() {
            state.document.writer = writer;
            state.durable = changes;
            state.written = after;
        }
        written
    }

    /// Makes sure that no other run is in while the next request is on its way.
    ///
    /// # Errors
    /// [`StoreError`]: nothing more may be sent.
    pub async fn assure(&self) -> Result<(), StoreError> {
        self.store.assure().await
    }

    /// Lets other runs in.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn close(&self) -> Result<(), StoreError> {
        self.store.unlock().await
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // It is changed in one go after the store answered, so that a panic elsewhere leaves it whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Puts entries in or takes them out; what was there before.
    fn swap(&mut self, changes: Vec<(SymbolicId, Option<Entry>)>) -> Vec<(SymbolicId, Option<Entry>)> {
        let entries = &mut self.document.entries;
        changes
            .into_iter()
            .map(|(id, entry)| {
                self.text.changed(&id);
                self.changed.entries.insert(id.clone());
                let before = match entry {
                    Some(entry) => entries.insert(id.clone(), entry),
                    None => entries.remove(&id),
                };
                (id, before)
            })
            .collect()
    }

    /// Puts in or takes out how a cluster is reached; what was known before.
    fn set_way(&mut self, cluster: &SymbolicId, way: Option<Way>) -> Option<Way> {
        self.changed.clusters.insert(cluster.clone());
        match way {
            Some(way) => self.document.clusters.insert(cluster.clone(), way),
            None => self.document.clusters.remove(cluster),
        }
    }
}

#[cfg(test)]
mod tests;
