//! The source tree as a value: every text file by its path. Not what is right or wrong in it.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

/// Folders that hold no source: built, generated, or state of a run.
const SKIPPED: [&str; 5] = ["target", ".git", ".akson", "book/build", "book/src/reference"];

/// The text files of the repository by their path from its root, with `/` between the parts.
pub(super) struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    /// Reads everything below a folder that is source. Of a file that is not UTF-8 only the name is kept.
    ///
    /// # Errors
    /// When a folder or file cannot be read.
    pub(super) fn read(root: &Path) -> io::Result<Self> {
        let mut files = BTreeMap::new();
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(root.join(&folder))? {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
                if SKIPPED.contains(&path.as_str()) || SKIPPED.contains(&name.as_str()) {
                    continue;
                }
                if entry.file_type()?.is_dir() {
                    folders.push(path);
                } else {
                    files.insert(path, String::from_utf8(fs::read(entry.path())?).unwrap_or_default());
                }
            }
        }
        Ok(Self { files })
    }

    /// A tree of some files, for the checks' own tests.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        Self { files: files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect() }
    }

    /// The text of a file.
    pub(super) fn get(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// Whether there is such a file or folder.
    pub(super) fn exists(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        let folder = format!("{path}/");
        self.files.contains_key(path) || self.files.keys().any(|file| file.starts_with(&folder))
    }

    /// Every file, by path.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Every Rust file, by path.
    pub(super) fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.iter().filter(|(path, _)| has_extension(path, "rs"))
    }

    /// The packages of the workspace, by folder.
    pub(super) fn members(&self) -> Vec<Member<'_>> {
        let manifests = self.iter().filter(|(path, _)| path.ends_with("/Cargo.toml"));
        manifests
            .filter_map(|(path, text)| {
                let folder = path.strip_suffix("/Cargo.toml")?;
                let manifest: toml::Table = text.parse().ok()?;
                // A workspace of its own, as cargo-fuzz wants it, is none of its packages.
                if manifest.contains_key("workspace") {
                    return None;
                }
                let name = manifest.get("package")?.get("name")?.as_str()?.to_owned();
                Some(Member { folder: folder.to_owned(), name, manifest, text })
            })
            .collect()
    }
}

/// A package of the workspace.
pub(super) struct Member<'a> {
    /// From the root.
    pub(super) folder: String,
    /// As in its manifest.
    pub(super) name: String,
    /// The manifest as data.
    pub(super) manifest: toml::Table,
    /// The manifest as text.
    pub(super) text: &'a str,
}

impl Member<'_> {
    /// The path of its manifest.
    pub(super) fn path(&self) -> String {
        format!("{}/Cargo.toml", self.folder)
    }

    /// The names under one of its tables of dependencies.
    pub(super) fn dependencies(&self, table: &str) -> Vec<String> {
        let table = self.manifest.get(table).and_then(toml::Value::as_table);
        table.map(|table| table.keys().cloned().collect()).unwrap_or_default()
    }

    /// The line of its manifest that begins with a name, from 1.
    pub(super) fn line_of(&self, name: &str) -> usize {
        line_of_key(self.text, name)
    }
}

/// The line of a manifest that begins with a key, from 1; the first line if none does.
pub(super) fn line_of_key(text: &str, key: &str) -> usize {
    let begins = |line: &str| line.strip_prefix(key).is_some_and(|rest| rest.starts_with([' ', '.', '=']));
    text.lines().position(begins).map_or(1, |at| at + 1)
}

/// Whether a path ends in `.extension`.
pub(super) fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == extension)
}

/// The lines of a Rust file up to its test module. Clippy keeps that module last in its file.
pub(super) fn production(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines: Vec<&str> = text.lines().collect();
    let begins = |at: usize| {
        let mut item = lines.iter().skip(at + 1).skip_while(|line| line.starts_with("#["));
        lines.get(at).is_some_and(|line| line.starts_with("#[cfg(test)]"))
            && item.next().is_some_and(|line| line.starts_with("mod ") && line.ends_with('{'))
    };
    let end = (0..lines.len()).find(|at| begins(*at)).unwrap_or(lines.len());
    lines.into_iter().take(end).enumerate().map(|(at, line)| (at + 1, line))
}

/// Whether a Rust file holds nothing but tests, benchmarks or what they share.
pub(super) fn is_test(path: &str) -> bool {
    path.starts_with("tests/") || path.contains("/tests/") || path.contains("/benches/") || path.ends_with("/tests.rs")
}

/// The places in a line where a word stands by itself.
pub(super) fn has_word(line: &str, word: &str) -> bool {
    let part = |character: Option<char>| character.is_some_and(|c| c.is_alphanumeric() || c == '_');
    line.match_indices(word)
        .any(|(at, _)| !part(line[..at].chars().next_back()) && !part(line[at + word.len()..].chars().next()))
}
