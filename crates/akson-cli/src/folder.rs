//! Reading of the configuration's folder: the only place where `.aks` files and what `file()` may see come from.

use std::{
    collections::BTreeMap,
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use akson_diagnostics::{Diagnostic, Diagnostics, SourceId, SourceMap, Span};
use akson_parser::{codes::TOO_LARGE, limits::MAX_BYTES};

use crate::codes::{NO_CONFIGURATION, UNREADABLE};

/// What `file()` may see: no larger file, and no more than this of them.
const LARGEST_FILE: u64 = 1024 * 1024;
const MOST_FILES: usize = 2_000;

/// Reads every `*.aks` file of a folder, by name, which people know as one `below` another; what cannot be read is a diagnostic and left
/// out.
pub(crate) fn read_sources(
    directory: &Path,
    below: Option<&str>,
    sources: &mut SourceMap,
    diagnostics: &mut Diagnostics,
) -> Vec<SourceId> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => {
            diagnostics.push(
                Diagnostic::error(
                    NO_CONFIGURATION,
                    format!("cannot read the folder `{}`: {error}", directory.display()),
                )
                .help("name the configuration's folder with `-C DIR`"),
            );
            return Vec::new();
        }
    };
    let paths = configuration_files(entries);
    if paths.is_empty() {
        diagnostics.push(
            Diagnostic::error(NO_CONFIGURATION, format!("there are no `.aks` files in `{}`", directory.display()))
                .note("an empty folder is never taken for a configuration without resources")
                .help("run `akson init` for a small working configuration, or name the folder with `-C DIR`"),
        );
    }
    let name = |path: &Path| named(below, &display_name(path));
    paths.iter().filter_map(|path| read_source(path, &name(path), sources, diagnostics)).collect()
}

fn configuration_files(entries: fs::ReadDir) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "aks"))
        .filter(|path| !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')))
        .collect();
    paths.sort();
    paths
}

/// Reads the files of a module's folder, below the configuration's. None if there are none, which the evaluation reports; what cannot
/// be read is a diagnostic. `span` is where the folder is named.
pub(crate) fn read_module(
    directory: &Path,
    below: Option<&str>,
    (folder, span): (&str, Span),
    (sources, diagnostics): (&mut SourceMap, &mut Diagnostics),
) -> Option<Vec<SourceId>> {
    let path = directory.join(folder);
    // A link may lead out of the folder: the same files would not give the same plan everywhere.
    let leaves = match (fs::canonicalize(directory), fs::canonicalize(&path)) {
        (Ok(directory), Ok(path)) => !path.starts_with(directory),
        _ => false,
    };
    if leaves {
        diagnostics.push(
            Diagnostic::error(UNREADABLE, format!("`{folder}` is a link that leads out of the configuration's folder"))
                .at(span, "")
                .note("a configuration reads nothing but what is in its folder")
                .help("put the module itself into the folder"),
        );
        return Some(Vec::new());
    }
    let paths = configuration_files(fs::read_dir(&path).ok()?);
    if paths.is_empty() {
        return None;
    }
    let name = |path: &Path| named(below, &format!("{folder}/{}", display_name(path)));
    Some(paths.iter().filter_map(|path| read_source(path, &name(path), sources, diagnostics)).collect())
}

/// Reads one text into the source map under `name`.
pub(crate) fn read_source(
    path: &Path,
    name: &str,
    sources: &mut SourceMap,
    diagnostics: &mut Diagnostics,
) -> Option<SourceId> {
    match read_capped(path, MAX_BYTES as u64) {
        Ok(bytes) => match akson_parser::decode(name, &bytes) {
            Ok(text) => Some(sources.add(name, text)),
            Err(diagnostic) => {
                diagnostics.push(*diagnostic);
                None
            }
        },
        Err(Unreadable::TooLarge) => {
            diagnostics.push(
                Diagnostic::error(TOO_LARGE, format!("`{name}` is larger than {} MiB", MAX_BYTES / 1024 / 1024))
                    .help("split it: all `.aks` files of a folder are one configuration"),
            );
            None
        }
        Err(Unreadable::Io(error)) => {
            diagnostics.push(
                Diagnostic::error(UNREADABLE, format!("cannot read `{name}`: {error}"))
                    .help("mend its permissions, or move it out of the configuration's folder"),
            );
            None
        }
    }
}

enum Unreadable {
    TooLarge,
    Io(std::io::Error),
}

fn read_capped(path: &Path, limit: u64) -> Result<Vec<u8>, Unreadable> {
    let metadata = fs::metadata(path).map_err(Unreadable::Io)?;
    if !metadata.is_file() {
        return Err(Unreadable::Io(std::io::Error::other("it is not a file")));
    }
    if metadata.len() > limit {
        return Err(Unreadable::TooLarge);
    }
    let mut bytes = Vec::new();
    fs::File::open(path).map_err(Unreadable::Io)?.take(limit + 1).read_to_end(&mut bytes).map_err(Unreadable::Io)?;
    if bytes.len() as u64 > limit { Err(Unreadable::TooLarge) } else { Ok(bytes) }
}

/// The files that `file()` may see: texts below the folder, by relative path with `/`. Links are not followed, so none leads out;
/// hidden folders are left out, and so is what is large or not text.
pub(crate) fn read_files(directory: &Path) -> BTreeMap<String, Arc<str>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![directory.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        let mut entries: Vec<_> = entries.filter_map(Result::ok).collect();
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let Ok(kind) = entry.file_type() else { continue };
            let path = entry.path();
            if entry.file_name().to_string_lossy().starts_with('.') || entry.file_name() == "target" {
                continue;
            }
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() && files.len() < MOST_FILES {
                let Ok(relative) = path.strip_prefix(directory) else { continue };
                let Ok(bytes) = read_capped(&path, LARGEST_FILE) else { continue };
                if let Ok(text) = String::from_utf8(bytes) {
                    files.insert(relative.to_string_lossy().replace('\\', "/"), Arc::from(text));
                }
            }
        }
    }
    files
}

/// A file's name as people know it.
fn named(below: Option<&str>, name: &str) -> String {
    below.map_or_else(|| name.to_owned(), |below| format!("{below}/{name}"))
}

fn display_name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}
