//! The world's files: one JSON document, replaced atomically, and a journal of what was changed since, a line a call, so
//! that a call costs what it changes and not what there is. A lock guards them against a second process. Nothing here knows what is
//! in a world.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Changes, World};

/// The version of the files' format. A newer one is refused, never guessed at. Format 1 had no journal.
pub const WORLD_FORMAT: u32 = 2;

const FILE: &str = "world.json";
const TEMPORARY: &str = "world.json.tmp";
const JOURNAL: &str = "world.journal";
const LOCK: &str = "world.lock";

/// Why a world cannot be opened. Nothing on disk was changed.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The file is of a newer Akson.
    #[error("the emulator's world {} has format {found}; this version knows up to {known}", path.display())]
    NewerVersion {
        /// The file's format.
        found: u32,
        /// The newest format that is understood.
        known: u32,
        /// The file.
        path: PathBuf,
    },
    /// The file is not a world.
    #[error("the emulator's world {} cannot be read: {detail}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// Another process has it open.
    #[error("the emulator's world {} is in use by another process", path.display())]
    Locked {
        /// The lock's file.
        path: PathBuf,
    },
    /// The folder or a file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

#[derive(Serialize)]
struct Document<'a> {
    format: u32,
    version: &'static str,
    generation: u64,
    world: &'a World,
}

#[derive(Deserialize)]
struct Format {
    format: u32,
}

#[derive(Deserialize)]
struct ReadDocument {
    /// Which journal goes on from it.
    #[serde(default)]
    generation: u64,
    world: World,
}

/// The journal's first line.
#[derive(Serialize, Deserialize)]
struct Head {
    generation: u64,
}

/// A folder that holds a world, locked for as long as this lives.
#[derive(Debug)]
pub(crate) struct Disk {
    folder: PathBuf,
    lock: File,
    generation: u64,
    /// How long the document is, in bytes.
    whole: u64,
    /// How long the journal is that goes on from it, in bytes. None if the next commit is to write the document: the first one of a
    /// process, which cannot know how the journal's last line ended.
    journal: Option<u64>,
}

impl Drop for Disk {
    fn drop(&mut self) {
        // To close it is not enough: a process that is just being started has it too, until it runs its own program.
        let _ = self.lock.unlock();
    }
}

impl Disk {
    /// Makes the folder if need be, locks it, and reads the world if there is one.
    pub(crate) fn open(folder: &Path) -> Result<(Self, Option<World>), OpenError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| OpenError::Io { path, source }
        };
        fs::create_dir_all(folder).map_err(failed(folder))?;
        let path = folder.join(LOCK);
        let lock = OpenOptions::new().create(true).write(true).truncate(false).open(&path).map_err(failed(&path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::Locked { path }),
            Err(TryLockError::Error(source)) => return Err(OpenError::Io { path, source }),
        }
        let mut disk = Self { folder: folder.to_owned(), lock, generation: 0, whole: 0, journal: None };
        let Some(bytes) = read(&folder.join(FILE))? else { return Ok((disk, None)) };
        let ReadDocument { generation, mut world } = parse(&bytes, &folder.join(FILE))?;
        disk.generation = generation;
        let path = folder.join(JOURNAL);
        if let Some(bytes) = read(&path)? {
            go_on(&mut world, &bytes, generation)
                .map_err(|error| OpenError::Broken { path, detail: error.to_string() })?;
        }
        Ok((disk, Some(world)))
    }

    /// Keeps what was changed. After `Ok` a killed process loses nothing; after `Err` the world before stands.
    /// It is not brought to the disk: that would take most of each call's time, and a world is worth less than that. If
    /// the machine itself goes down, it may have to begin anew.
    pub(crate) fn commit(&mut self, world: &World) -> io::Result<()> {
        /// So short a journal is not worth the rewriting of the smallest world.
        const SHORT: u64 = 1 << 20;
        match self.journal {
            Some(journal) if journal < self.whole.max(SHORT) => self.append(&world.changes()?, journal),
            _ => self.replace(world),
        }
    }

    /// Replaces the document; the journal begins anew.
    fn replace(&mut self, world: &World) -> io::Result<()> {
        let generation = self.generation + 1;
        let document = Document { format: WORLD_FORMAT, version: env!("CARGO_PKG_VERSION"), generation, world };
        let bytes = serde_json::to_vec(&document)?;
        let temporary = self.folder.join(TEMPORARY);
        let mut options = OpenOptions::new();
        let written = private(options.truncate(true), &temporary)
            .and_then(|mut file| file.write_all(&bytes))
            .and_then(|()| fs::rename(&temporary, self.folder.join(FILE)));
        if let Err(error) = written {
            // The old file stands; what is left of the new one is in nobody's way.
            let _ = fs::remove_file(&temporary);
            return Err(error);
        }
        // What is in the journal is of an older generation from now on: nobody reads it.
        (self.generation, self.whole, self.journal) = (generation, bytes.len() as u64, Some(0));
        Ok(())
    }

    /// Writes a line behind the journal's first `length` bytes.
    fn append(&mut self, changes: &Changes, length: u64) -> io::Result<()> {
        let mut bytes = Vec::new();
        if length == 0 {
            serde_json::to_writer(&mut bytes, &Head { generation: self.generation })?;
            bytes.push(b'\n');
        }
        serde_json::to_writer(&mut bytes, changes)?;
        bytes.push(b'\n');
        let path = self.folder.join(JOURNAL);
        let mut file = private(OpenOptions::new().truncate(length == 0), &path)?;
        let written = file.seek(SeekFrom::Start(length)).and_then(|_| file.write_all(&bytes));
        if let Err(error) = written {
            // Half a line is taken away. If that fails, too, the document is written next and the journal left behind.
            self.journal = file.set_len(length).ok().map(|()| length);
            return Err(error);
        }
        self.journal = Some(length + bytes.len() as u64);
        Ok(())
    }
}

/// A file's bytes, if it is there.
fn read(path: &Path) -> Result<Option<Vec<u8>>, OpenError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(OpenError::Io { path: path.to_owned(), source }),
    }
}

fn parse(bytes: &[u8], path: &Path) -> Result<ReadDocument, OpenError> {
    let broken = |error: serde_json::Error| OpenError::Broken { path: path.to_owned(), detail: error.to_string() };
    let Format { format } = serde_json::from_slice(bytes).map_err(broken)?;
    if format > WORLD_FORMAT {
        return Err(OpenError::NewerVersion { found: format, known: WORLD_FORMAT, path: path.to_owned() });
    }
    serde_json::from_slice(bytes).map_err(broken)
}

/// Does again what a journal says, if it goes on from this generation. A last line without an end was never answered for.
fn go_on(world: &mut World, journal: &[u8], generation: u64) -> serde_json::Result<()> {
    let mut lines = journal.split_inclusive(|byte| *byte == b'\n').filter_map(|line| line.strip_suffix(b"\n"));
    let Some(head) = lines.next() else { return Ok(()) };
    if serde_json::from_slice::<Head>(head)?.generation != generation {
        return Ok(());
    }
    for line in lines {
        world.replay(serde_json::from_slice(line)?)?;
    }
    Ok(())
}

/// Opens a file to write that only its owner can read.
fn private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    options.create(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;

    /// A process that is being started has all that its parent has open, until it runs its own program.
    #[test]
    fn the_lock_goes_whoever_else_has_the_file_open() {
        let folder = tempfile::tempdir().unwrap();
        let (disk, _) = Disk::open(folder.path()).unwrap();
        let _child = disk.lock.try_clone().unwrap();
        assert!(matches!(Disk::open(folder.path()), Err(OpenError::Locked { .. })));
        drop(disk);
        assert!(Disk::open(folder.path()).is_ok());
    }
}
