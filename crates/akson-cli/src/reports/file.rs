//! Files of reports: whole or not at all, and readable for the programs that wait for them. Not what stands in them.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::Path,
};

/// GitHub refuses a step's summary that is longer.
const LONGEST_SUMMARY: u64 = 1024 * 1024;

/// Puts a text into a file's place.
///
/// # Errors
/// Why it cannot be written; what was there is left as it was.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // Others read it, such as a collector that runs as a user of its own; the process's mask still counts.
        builder.permissions(fs::Permissions::from_mode(0o644));
    }
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Adds to the summary of a step.
///
/// # Errors
/// Why it cannot be added; also if there is no room for it.
pub(crate) fn append_summary(path: &Path, text: &str) -> io::Result<()> {
    let length = fs::metadata(path).map_or(0, |found| found.len());
    if length + text.len() as u64 > LONGEST_SUMMARY {
        return Err(io::Error::other("there is no room left in the step's summary"));
    }
    OpenOptions::new().create(true).append(true).open(path)?.write_all(text.as_bytes())
}
