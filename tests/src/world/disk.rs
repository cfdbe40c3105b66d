//! A ledger in a file whose disk fails at a chosen operation, with a copy of what is durable in memory: there the wire looks for what
//! was announced.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::watch::at_a_step;
use akson_applier::ledger::{LedgerStore, Loaded, LocalStore, MemoryStore, StoreError};

/// A folder with a ledger, and which operation on its files fails.
#[derive(Debug, Clone)]
pub struct Disk {
    folder: PathBuf,
    /// From 0, over all runs.
    failing: usize,
    /// Whether all after it fail, too.
    for_ever: bool,
    done: Arc<AtomicUsize>,
    /// Whether records are put behind even the shortest document.
    appends: bool,
}

impl Disk {
    /// One whose operation of this number fails: once, or from there on.
    pub fn failing(folder: &Path, number: usize, for_ever: bool) -> Self {
        Self { folder: folder.to_owned(), failing: number, for_ever, done: Arc::default(), appends: false }
    }

    /// The same, where what changed is put behind the document even if that is short.
    #[must_use]
    pub fn appending(mut self) -> Self {
        self.appends = true;
        self
    }

    /// How many operations there were.
    pub fn operations(&self) -> usize {
        self.done.load(Ordering::Relaxed)
    }

    /// As good as new.
    pub fn mend(&mut self) {
        self.failing = usize::MAX;
    }

    pub(super) fn store(&self, memory: &MemoryStore) -> Arc<dyn LedgerStore> {
        let (done, failing, for_ever) = (Arc::clone(&self.done), self.failing, self.for_ever);
        let path = LocalStore::new(&self.folder, "emulator", "test").path();
        let before = memory.clone();
        let local = LocalStore::new(&self.folder, "emulator", "test").failing(move |step| {
            at_a_step(before.bytes().as_deref(), fs::read(&path).ok().as_deref())
                .unwrap_or_else(|why| panic!("before {step:?}: {why}"));
            let number = done.fetch_add(1, Ordering::Relaxed);
            let fails = number == failing || (for_ever && number > failing);
            if fails { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        });
        let local = local.appending_from(if self.appends { 0 } else { usize::MAX });
        Arc::new(Mirrored { local, memory: memory.clone() })
    }
}

struct Mirrored {
    local: LocalStore,
    memory: MemoryStore,
}

#[async_trait::async_trait]
impl LedgerStore for Mirrored {
    async fn load(&self) -> Result<Loaded, StoreError> {
        self.local.load().await
    }

    async fn commit(&self, bytes: &[u8], follows: u64) -> Result<(), StoreError> {
        let outcome = self.local.commit(bytes, follows).await;
        // Whatever the outcome: what a kill would leave.
        self.memory.put(fs::read(self.local.path()).ok());
        outcome
    }

    fn appends_from(&self) -> Option<usize> {
        self.local.appends_from()
    }

    async fn append(&self, record: &[u8], follows: u64) -> Result<(), StoreError> {
        let outcome = self.local.append(record, follows).await;
        self.memory.put(fs::read(self.local.path()).ok());
        outcome
    }

    async fn lock(&self, holder: &str) -> Result<(), StoreError> {
        self.local.lock(holder).await
    }

    async fn unlock(&self) -> Result<(), StoreError> {
        self.local.unlock().await
    }

    fn place(&self) -> String {
        self.local.place()
    }
}
