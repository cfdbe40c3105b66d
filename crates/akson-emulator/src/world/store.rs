//! The world's file: one JSON document, replaced atomically, guarded by a lock against a second
//! process. Nothing here knows what is in a world.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::World;

/// The version of the file's format. A newer file is refused, never guessed at.
pub const WORLD_FORMAT: u32 = 1;

const FILE: &str = "world.json";
const TEMPORARY: &str = "world.json.tmp";
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
    world: &'a World,
}

#[derive(Deserialize)]
struct Format {
    format: u32,
}

#[derive(Deserialize)]
struct ReadDocument {
    world: World,
}

/// A folder that holds a world, locked for as long as this lives.
#[derive(Debug)]
pub(crate) struct Disk {
    folder: PathBuf,
    _lock: File,
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
        let disk = Self { folder: folder.to_owned(), _lock: lock };
        let path = folder.join(FILE);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((disk, None)),
            Err(source) => return Err(OpenError::Io { path, source }),
        };
        parse(&bytes, &path).map(|world| (disk, Some(world)))
    }

    /// Replaces the world's file. After `Ok` a killed process loses nothing; after `Err` the old file stands.
    /// It is not brought to the disk: that would take most of each call's time, and a world is worth less than that. If
    /// the machine itself goes down, it may have to begin anew.
    pub(crate) fn commit(&self, world: &World) -> io::Result<()> {
        let document = Document { format: WORLD_FORMAT, version: env!("CARGO_PKG_VERSION"), world };
        let bytes = serde_json::to_vec(&document)?;
        let temporary = self.folder.join(TEMPORARY);
        let written = write_private(&temporary, &bytes).and_then(|()| fs::rename(&temporary, self.folder.join(FILE)));
        if let Err(error) = written {
            // The old file stands; what is left of the new one is in nobody's way.
            let _ = fs::remove_file(&temporary);
            return Err(error);
        }
        Ok(())
    }
}

fn parse(bytes: &[u8], path: &Path) -> Result<World, OpenError> {
    let broken = |error: serde_json::Error| OpenError::Broken { path: path.to_owned(), detail: error.to_string() };
    let Format { format } = serde_json::from_slice(bytes).map_err(broken)?;
    if format > WORLD_FORMAT {
        return Err(OpenError::NewerVersion { found: format, known: WORLD_FORMAT, path: path.to_owned() });
    }
    let ReadDocument { world } = serde_json::from_slice(bytes).map_err(broken)?;
    Ok(world)
}

/// Writes a file that only its owner can read.
fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).write(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(bytes)
}
