//! A ledger in a file: `.akson/<cloud>/<stack>.json` beside the configuration. Replaced as a whole, with the generations before it
//! kept, and locked by the kernel, which frees the lock of a run that was killed.
//!
//! At every moment, also between any two steps of a write, the file is the old or the new generation. A long one is not replaced for each
//! change: records are put behind it, and one that is not whole counts as not written.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use super::{Document, Fallback, LedgerStore, Loaded, ReadError, StoreError};

/// How many generations before the newest are kept: `<stack>.json.1` is the one before.
const KEPT: usize = 5;
/// From this length on, in bytes, documents are followed by records: a shorter one is replaced in about the time that the disk takes anyhow.
const APPENDS_FROM: usize = 256 * 1024;
/// No ledger is longer, in bytes.
const SIZE_LIMIT: u64 = 256 * 1024 * 1024;

/// A step of a write, in order. Tests make each of them fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DiskStep {
    /// A new file is made beside.
    Open,
    /// The document is written into it.
    Write,
    /// It is brought to the disk.
    Sync,
    /// The generation that is replaced is kept under another name.
    Keep,
    /// The new file takes the ledger's name.
    Rename,
    /// The folder is brought to the disk.
    SyncDirectory,
    /// A record is put behind the document.
    Append,
    /// It is brought to the disk.
    SyncRecord,
}

/// Brings a file or a folder to the disk.
type Sync = Arc<dyn Fn(&File) -> io::Result<()> + Send + std::marker::Sync>;
type Failure = Arc<dyn Fn(DiskStep) -> io::Result<()> + Send + std::marker::Sync>;

/// A ledger in a file.
pub struct LocalStore {
    directory: PathBuf,
    name: String,
    state: Mutex<State>,
    failure: Option<Failure>,
    sync: Sync,
    appends_from: usize,
}

#[derive(Default)]
struct State {
    /// Open while the lock is held.
    lock: Option<File>,
    /// The file as this run knows it.
    known: Option<Stamp>,
    /// Whether what stands under the ledger's name cannot be read, so that it is not kept as a generation.
    damaged: bool,
}

impl State {
    /// Lets the lock go.
    fn free(&mut self) {
        if let Some(file) = self.lock.take() {
            // To close it is not enough: a process that is just being started has it too, until it runs its own program.
            let _ = file.unlock();
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.free();
    }
}

/// By what a file is recognised without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
    inode: u64,
}

impl LocalStore {
    /// The ledger of a stack, by its label, in a cloud, by its name, beside the configuration in `directory`. Touches nothing.
    pub fn new(directory: &Path, cloud: &str, stack: &str) -> Self {
        Self {
            directory: directory.join(".akson").join(file_name(cloud)),
            name: format!("{}.json", file_name(stack)),
            state: Mutex::default(),
            failure: None,
            sync: Arc::new(File::sync_all),
            appends_from: APPENDS_FROM,
        }
    }

    /// Makes steps of writes fail, for tests.
    #[must_use]
    pub fn failing(
        mut self,
        failure: impl Fn(DiskStep) -> io::Result<()> + Send + std::marker::Sync + 'static,
    ) -> Self {
        self.failure = Some(Arc::new(failure));
        self
    }

    /// Appends records to documents of this length and longer.
    #[must_use]
    pub fn appending_from(mut self, length: usize) -> Self {
        self.appends_from = length;
        self
    }

    /// Has something else bring files to the disk, for tests of what is there when the power goes.
    #[cfg(test)]
    fn syncing(mut self, sync: impl Fn(&File) -> io::Result<()> + Send + std::marker::Sync + 'static) -> Self {
        self.sync = Arc::new(sync);
        self
    }

    /// The file.
    pub fn path(&self) -> PathBuf {
        self.directory.join(&self.name)
    }

    fn lock_path(&self) -> PathBuf {
        self.directory.join(format!("{}.lock", self.name))
    }

    fn kept_path(&self, age: usize) -> PathBuf {
        self.directory.join(format!("{}.{age}", self.name))
    }

    fn temporary_prefix(&self) -> String {
        format!(".{}.new-", self.name)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Whatever panicked, the file and the lock are as the state says: it is changed after them.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn step(&self, step: DiskStep, path: &Path, act: impl FnOnce() -> io::Result<()>) -> Result<(), StoreError> {
        let failed = self.failure.as_ref().map_or(Ok(()), |failure| failure(step));
        failed.and_then(|()| act()).map_err(|error| io_error(step.as_str(), path, &error))
    }

    /// Refuses links and what is no file: a ledger is never read or written through one.
    fn check(&self) -> Result<(), StoreError> {
        let above = self.directory.parent().into_iter().chain([self.directory.as_path()]);
        for directory in above {
            if let Some(metadata) = metadata(directory)?
                && !metadata.is_dir()
            {
                let what = if metadata.is_symlink() { "a symbolic link" } else { "no folder" };
                return Err(StoreError::Irregular { path: directory.display().to_string(), what });
            }
        }
        let kept = (1..=KEPT).map(|age| self.kept_path(age));
        for file in [self.path(), self.lock_path()].into_iter().chain(kept) {
            if let Some(metadata) = metadata(&file)?
                && !metadata.is_file()
            {
                let what = if metadata.is_symlink() { "a symbolic link" } else { "no regular file" };
                return Err(StoreError::Irregular { path: file.display().to_string(), what });
            }
        }
        Ok(())
    }

    fn load_now(&self) -> Result<Loaded, StoreError> {
        self.check()?;
        let path = self.path();
        let newest = read(&path)?;
        {
            let mut state = self.state();
            state.known = stamp(&path)?;
            state.damaged = matches!(newest, Some(Err(_)));
        }
        let mut tried = Vec::new();
        let mut reason = None;
        match newest {
            Some(Ok((document, passed_over))) => {
                let fallback = passed_over.map(|why| Fallback {
                    unreadable: vec![(path.display().to_string(), why.to_string())],
                    used: path.display().to_string(),
                    generation: document.generation,
                });
                return Ok(Loaded { document: Some(document), fallback });
            }
            // A newer version wrote it: older generations would be wrong.
            Some(Err(error @ ReadError::Format(_))) => {
                let tried = vec![(path.display().to_string(), error.to_string())];
                return Err(StoreError::Unreadable { tried, reason: error });
            }
            Some(Err(error)) => {
                tried.push((path.display().to_string(), error.to_string()));
                reason = Some(error);
            }
            None => {}
        }
        let mut best: Option<(PathBuf, Document)> = None;
        for age in 1..=KEPT {
            let path = self.kept_path(age);
            match read(&path)? {
                Some(Ok((document, _)))
                    if best.as_ref().is_none_or(|(_, best)| best.generation < document.generation) =>
                {
                    best = Some((path, document));
                }
                None | Some(Ok(_)) => {}
                Some(Err(error)) => {
                    tried.push((path.display().to_string(), error.to_string()));
                    reason.get_or_insert(error);
                }
            }
        }
        match (best, reason) {
            (Some((path, document)), reason) => {
                if reason.is_none() {
                    tried.push((self.path().display().to_string(), "it is not there".to_owned()));
                }
                let fallback =
                    Fallback { unreadable: tried, used: path.display().to_string(), generation: document.generation };
                Ok(Loaded { document: Some(document), fallback: Some(fallback) })
            }
            (None, Some(reason)) => Err(StoreError::Unreadable { tried, reason }),
            (None, None) => Ok(Loaded::default()),
        }
    }

    fn commit_now(&self, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.path();
        let mut state = self.state();
        if state.lock.is_none() {
            return Err(StoreError::NotLocked);
        }
        if state.known != stamp(&path)? {
            return Err(StoreError::Conflict);
        }
        let mut made = None;
        self.step(DiskStep::Open, &path, || {
            let mut builder = tempfile::Builder::new();
            let prefix = self.temporary_prefix();
            made = Some(builder.prefix(&prefix).tempfile_in(&self.directory)?);
            Ok(())
        })?;
        let mut temporary = made.expect("the step that makes it succeeded");
        self.step(DiskStep::Write, &path, || temporary.write_all(bytes))?;
        self.step(DiskStep::Sync, &path, || (self.sync)(temporary.as_file()))?;
        self.step(DiskStep::Keep, &path, || self.keep(state.known.is_some(), state.damaged))?;
        let fresh = stamp(temporary.path())?;
        self.step(DiskStep::Rename, &path, || temporary.persist(&path).map(drop).map_err(|error| error.error))?;
        state.known = fresh;
        state.damaged = false;
        self.step(DiskStep::SyncDirectory, &self.directory, || (self.sync)(&File::open(&self.directory)?))
    }

    fn append_now(&self, record: &[u8]) -> Result<(), StoreError> {
        let path = self.path();
        let mut state = self.state();
        if state.lock.is_none() {
            return Err(StoreError::NotLocked);
        }
        if state.known.is_none() || state.known != stamp(&path)? {
            return Err(StoreError::Conflict);
        }
        let mut opened = None;
        self.step(DiskStep::Append, &path, || {
            let file = opened.insert(OpenOptions::new().append(true).open(&path)?);
            file.write_all(record)
        })?;
        let file = opened.expect("the step that opens it succeeded");
        self.step(DiskStep::SyncRecord, &path, || (self.sync)(&file))?;
        state.known = stamp(&path)?;
        Ok(())
    }

    /// Shifts the kept generations by one and gives the newest a second name. The ledger's own name never goes.
    fn keep(&self, exists: bool, damaged: bool) -> io::Result<()> {
        let path = self.path();
        if !exists {
            return Ok(());
        }
        if damaged {
            let aside = self.directory.join(format!("{}.damaged", self.name));
            return fs::copy(&path, aside).map(drop);
        }
        for age in (1..KEPT).rev() {
            match fs::rename(self.kept_path(age), self.kept_path(age + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        let newest = self.kept_path(1);
        // Some file systems have no links.
        fs::hard_link(&path, &newest).or_else(|_| fs::copy(&path, &newest).map(drop))
    }

    fn lock_now(&self, holder: &str) -> Result<(), StoreError> {
        self.check()?;
        make_directory(&self.directory)?;
        let path = self.lock_path();
        let failed = |step, error: &io::Error| io_error(step, &path, error);
        let mut file = open_private(&path).map_err(|error| failed("open", &error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let said = file.take(4096).read_to_string(&mut text).is_ok() && !text.trim().is_empty();
                return Err(StoreError::Locked { holder: said.then(|| text.trim().to_owned()) });
            }
            Err(TryLockError::Error(error)) => return Err(failed("lock", &error)),
        }
        // Only a courtesy to whoever comes meanwhile: a full disk shows at the first write of the ledger itself.
        let _ = file.set_len(0).and_then(|()| file.write_all(holder.as_bytes()));
        self.remove_strays();
        self.state().lock = Some(file);
        Ok(())
    }

    /// What writes left behind that were killed before the new file took its name. Whatever cannot be removed does no harm.
    fn remove_strays(&self) {
        let prefix = self.temporary_prefix();
        let Ok(entries) = fs::read_dir(&self.directory) else { return };
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(&prefix) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

#[async_trait::async_trait]
impl LedgerStore for LocalStore {
    async fn load(&self) -> Result<Loaded, StoreError> {
        self.load_now()
    }

    /// Blocks for the few milliseconds of a write. `follows` needs no look into the file: the lock keeps others out, and that the
    /// file is the one that was loaded is seen from outside.
    async fn commit(&self, bytes: &[u8], _follows: u64) -> Result<(), StoreError> {
        self.commit_now(bytes)
    }

    fn appends_from(&self) -> Option<usize> {
        Some(self.appends_from)
    }

    /// Blocks as a write does, for less.
    async fn append(&self, record: &[u8], _follows: u64) -> Result<(), StoreError> {
        self.append_now(record)
    }

    async fn lock(&self, holder: &str) -> Result<(), StoreError> {
        self.lock_now(holder)
    }

    async fn unlock(&self) -> Result<(), StoreError> {
        self.state().free();
        Ok(())
    }

    fn place(&self) -> String {
        self.path().display().to_string()
    }
}

impl DiskStep {
    /// Every step of a write of a whole document, in order.
    pub const ALL: [DiskStep; 6] =
        [DiskStep::Open, DiskStep::Write, DiskStep::Sync, DiskStep::Keep, DiskStep::Rename, DiskStep::SyncDirectory];
    /// Every step of a record's, in order.
    pub const OF_RECORD: [DiskStep; 2] = [DiskStep::Append, DiskStep::SyncRecord];

    fn as_str(self) -> &'static str {
        match self {
            DiskStep::Open => "make a file beside",
            DiskStep::Write => "write",
            DiskStep::Sync | DiskStep::SyncDirectory | DiskStep::SyncRecord => "bring to the disk",
            DiskStep::Keep => "keep the generation before of",
            DiskStep::Rename => "replace",
            DiskStep::Append => "append to",
        }
    }
}

/// A name as one segment of a path: letters, digits, `-`, `_` and inner dots stay, the rest is written as its bytes in hex.
fn file_name(name: &str) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for (at, byte) in name.bytes().enumerate() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || (byte == b'.' && at > 0) {
            text.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(text, "%{byte:02x}");
        }
    }
    text
}

fn io_error(step: &'static str, path: &Path, error: &io::Error) -> StoreError {
    StoreError::Io { step, path: path.display().to_string(), detail: error.to_string() }
}

fn metadata(path: &Path) -> Result<Option<fs::Metadata>, StoreError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound) => Ok(None),
        Err(error) => Err(io_error("look at", path, &error)),
    }
}

fn stamp(path: &Path) -> Result<Option<Stamp>, StoreError> {
    Ok(metadata(path)?.map(|metadata| Stamp {
        length: metadata.len(),
        modified: metadata.modified().ok(),
        inode: inode(&metadata),
    }))
}

/// A document, and why its last records are passed over, if they are.
type WithTail = (Document, Option<ReadError>);

/// What is there, read or not; none if nothing is.
fn read(path: &Path) -> Result<Option<Result<WithTail, ReadError>>, StoreError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error("open", path, &error)),
    };
    let mut bytes = Vec::new();
    file.take(SIZE_LIMIT).read_to_end(&mut bytes).map_err(|error| io_error("read", path, &error))?;
    Ok(Some(Document::read_all(&bytes)))
}

fn make_directory(path: &Path) -> Result<(), StoreError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| io_error("make the folder", path, &error))
}

fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn inode(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_: &fs::Metadata) -> u64 {
    0
}

#[cfg(test)]
mod tests;
