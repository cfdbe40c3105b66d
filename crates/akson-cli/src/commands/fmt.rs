//! `akson fmt`: files in canonical form. Only what changes is written, by replacing the file as a whole.

use std::{
    fs,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
};

use akson_diagnostics::{Diagnostic, Diagnostics, SourceMap};

use crate::{arguments::Global, codes::NOT_WRITTEN, exit::Exit, folder, load, output};

/// Formats files, folders or stdin.
pub(crate) fn run(global: &Global, check: bool, paths: &[PathBuf]) -> Exit {
    let mut sources = SourceMap::new();
    let mut diagnostics = Diagnostics::new();
    if let [only] = paths
        && only.as_os_str() == "-"
    {
        return stdin(global, check);
    }
    let mut files = Vec::new();
    let given = if paths.is_empty() { std::slice::from_ref(&global.directory) } else { paths };
    for path in given {
        let path = if paths.is_empty() || path.is_absolute() { path.clone() } else { global.directory.join(path) };
        collect(&path, &mut files);
    }
    files.sort();
    files.dedup();
    let mut differs = false;
    for path in &files {
        let name = path.strip_prefix(&global.directory).unwrap_or(path).display().to_string();
        let Some(id) = folder::read_source(path, &name, &mut sources, &mut diagnostics) else { continue };
        let text = sources.get(id).text.clone();
        let Some(formatted) = format(&sources, id, &mut diagnostics) else { continue };
        // Line ends, a byte order mark: the text in memory may already be cleaner than the file.
        let unchanged = fs::read(path).is_ok_and(|bytes| bytes == formatted.as_bytes());
        if unchanged {
            continue;
        }
        differs = true;
        if check {
            output::result(&difference(&name, "formatted", &text, &formatted));
        } else if let Err(error) = replace(path, &formatted) {
            diagnostics.push(
                Diagnostic::error(NOT_WRITTEN, format!("cannot write `{name}`: {error}"))
                    .help("mend its permissions or free some space; the file is as it was"),
            );
        } else if !global.quiet {
            output::result(&name);
        }
    }
    load::report(&diagnostics, &sources, global);
    if diagnostics.has_errors() || (check && differs) { Exit::Error } else { Exit::Done }
}

fn stdin(global: &Global, check: bool) -> Exit {
    let mut sources = SourceMap::new();
    let mut diagnostics = Diagnostics::new();
    let mut bytes = Vec::new();
    if let Err(error) = std::io::stdin().read_to_end(&mut bytes) {
        diagnostics.push(Diagnostic::error(NOT_WRITTEN, format!("cannot read stdin: {error}")));
    }
    let mut exit = Exit::Error;
    match akson_parser::decode("-", &bytes) {
        Err(diagnostic) => diagnostics.push(*diagnostic),
        Ok(text) => {
            let id = sources.add("-", text);
            if let Some(formatted) = format(&sources, id, &mut diagnostics) {
                let same = formatted.as_bytes() == bytes;
                if check && !same {
                    output::result(&difference("-", "formatted", &sources.get(id).text, &formatted));
                } else {
                    exit = Exit::Done;
                }
                if !check {
                    output::result(&formatted);
                }
            }
        }
    }
    load::report(&diagnostics, &sources, global);
    exit
}

fn format(sources: &SourceMap, id: akson_diagnostics::SourceId, diagnostics: &mut Diagnostics) -> Option<String> {
    akson_parser::format(sources, id).map_err(|found| diagnostics.append(found)).ok()
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_dir() {
        let Ok(entries) = fs::read_dir(path) else { return };
        for entry in entries.filter_map(Result::ok) {
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            let Ok(kind) = entry.file_type() else { continue };
            if hidden {
                continue;
            }
            if kind.is_dir() && entry.file_name() != "target" {
                collect(&entry.path(), files);
            } else if kind.is_file() && entry.path().extension().is_some_and(|extension| extension == "aks") {
                files.push(entry.path());
            }
        }
    } else {
        files.push(path.to_path_buf());
    }
}

fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let target = fs::canonicalize(path)?;
    let folder = target.parent().ok_or_else(|| std::io::Error::other("it has no folder"))?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(fs::metadata(&target)?.permissions())?;
    file.as_file().sync_all()?;
    file.persist(&target).map_err(|error| error.error)?;
    Ok(())
}

pub(crate) fn difference(name: &str, made: &str, old: &str, new: &str) -> String {
    similar::TextDiff::from_lines(old, new)
        .unified_diff()
        .context_radius(2)
        .header(name, &format!("{name} ({made})"))
        .to_string()
}
