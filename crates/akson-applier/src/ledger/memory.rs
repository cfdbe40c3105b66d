//! A ledger in memory, for simulations: the document outlives the run, the lock does not outlive its holder's death, and writes fail when told to.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Document, LedgerStore, Loaded, StoreError};

/// Shared by its clones, so that a simulation keeps one while a run that has the other is killed.
#[derive(Clone, Default)]
pub struct MemoryStore {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    bytes: Option<Vec<u8>>,
    generation: u64,
    holder: Option<String>,
    commits: usize,
    appends_from: Option<usize>,
    failure: Option<Box<dyn FnMut(usize) -> WriteFault + Send>>,
}

/// What a simulated write does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WriteFault {
    /// It succeeds.
    #[default]
    None,
    /// It fails and nothing is written.
    Before,
    /// It is written, and the caller is told that it failed.
    After,
    /// Of a record the first half is written, of a document nothing.
    Torn,
}

impl MemoryStore {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends records to documents of this length and longer, as a long ledger in a file does.
    #[must_use]
    pub fn appending_from(self, length: usize) -> Self {
        self.shared().appends_from = Some(length);
        self
    }

    /// The durable bytes, as a simulation looks at them when a request arrives.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        self.shared().bytes.clone()
    }

    /// The durable document.
    pub fn document(&self) -> Option<Document> {
        Document::read(self.shared().bytes.as_ref()?).ok()
    }

    /// How many writes were asked for.
    pub fn commits(&self) -> usize {
        self.shared().commits
    }

    /// Decides what each write does; it is given how many came before.
    pub fn fail(&self, decide: impl FnMut(usize) -> WriteFault + Send + 'static) {
        self.shared().failure = Some(Box::new(decide));
    }

    /// Frees the lock as the kernel does when its holder dies.
    pub fn holder_died(&self) {
        self.shared().holder = None;
    }

    /// Replaces the durable bytes, as damage does.
    pub fn put(&self, bytes: Option<Vec<u8>>) {
        let mut shared = self.shared();
        shared.generation =
            bytes.as_deref().and_then(|bytes| Document::read(bytes).ok()).map_or(0, |document| document.generation);
        shared.bytes = bytes;
    }

    fn write(&self, bytes: &[u8], follows: u64, appends: bool) -> Result<(), StoreError> {
        let mut shared = self.shared();
        if shared.holder.is_none() {
            return Err(StoreError::NotLocked);
        }
        if shared.generation != follows {
            return Err(StoreError::Conflict);
        }
        let before = shared.commits;
        shared.commits += 1;
        let fault = shared.failure.as_mut().map_or(WriteFault::None, |decide| decide(before));
        let is_whole = matches!(fault, WriteFault::None | WriteFault::After);
        let half = bytes.get(..bytes.len() / 2).unwrap_or_default();
        match (appends, fault) {
            (false, _) if is_whole => shared.bytes = Some(bytes.to_vec()),
            (true, _) if is_whole => shared.bytes.get_or_insert_default().extend_from_slice(bytes),
            (true, WriteFault::Torn) => shared.bytes.get_or_insert_default().extend_from_slice(half),
            _ => {}
        }
        if is_whole {
            shared.generation = follows + 1;
        }
        drop(shared);
        if fault == WriteFault::None {
            return Ok(());
        }
        Err(StoreError::Io { step: "write", path: self.place(), detail: "no space left on device".to_owned() })
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        // A panic elsewhere must not hide what was durable.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait::async_trait]
impl LedgerStore for MemoryStore {
    async fn load(&self) -> Result<Loaded, StoreError> {
        let bytes = self.shared().bytes.clone();
        let Some(bytes) = bytes else { return Ok(Loaded::default()) };
        match Document::read(&bytes) {
            Ok(document) => Ok(Loaded { document: Some(document), fallback: None }),
            Err(reason) => Err(StoreError::Unreadable { tried: vec![(self.place(), reason.to_string())], reason }),
        }
    }

    async fn commit(&self, bytes: &[u8], follows: u64) -> Result<(), StoreError> {
        self.write(bytes, follows, false)
    }

    fn appends_from(&self) -> Option<usize> {
        self.shared().appends_from
    }

    async fn append(&self, record: &[u8], follows: u64) -> Result<(), StoreError> {
        self.write(record, follows, true)
    }

    async fn lock(&self, holder: &str) -> Result<(), StoreError> {
        let mut shared = self.shared();
        if shared.holder.is_some() {
            return Err(StoreError::Locked { holder: shared.holder.clone() });
        }
        shared.holder = Some(holder.to_owned());
        Ok(())
    }

    async fn unlock(&self) -> Result<(), StoreError> {
        self.shared().holder = None;
        Ok(())
    }

    fn place(&self) -> String {
        "memory".to_owned()
    }
}
