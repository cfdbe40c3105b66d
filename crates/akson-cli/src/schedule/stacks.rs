//! Which stacks: folders by pattern, and the part of them that falls to one of several machines. Not what is done with them.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

/// Deeper folders are not looked into.
const DEEPEST: usize = 16;
/// The beginning of a file that is read to see whether it declares a stack.
const HEAD: u64 = 1024 * 1024;
/// What Kubernetes tells the pods of an indexed job, from 0.
const INDEX: &str = "JOB_COMPLETION_INDEX";

/// One of several equal parts, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shard {
    part: u64,
    of: u64,
}

impl Shard {
    /// `1/4`, or `auto/4` in a pod of an indexed job.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        Self::read(text, std::env::var(INDEX).ok().as_deref())
    }

    fn read(text: &str, index: Option<&str>) -> Result<Self, String> {
        let wrong = || "write it as `1/4`, from 1/N to N/N".to_owned();
        let (part, of) = text.split_once('/').ok_or_else(wrong)?;
        let of: u64 = of.parse().map_err(|_| wrong())?;
        let part = if part == "auto" {
            let index = index.ok_or_else(|| format!("{INDEX} is not set: this is no pod of an indexed job"))?;
            let index: u64 = index.trim().parse().map_err(|_| format!("{INDEX} is `{}`", index.escape_debug()))?;
            index.checked_add(1).ok_or_else(wrong)?
        } else {
            part.parse().map_err(|_| wrong())?
        };
        if (1..=of).contains(&part) { Ok(Self { part, of }) } else { Err(wrong()) }
    }

    /// Whether a stack is of this part: by its path alone, so that every machine has the same answer whatever else is there.
    pub(crate) fn has(self, folder: &str) -> bool {
        let digest = Sha256::digest(folder.as_bytes());
        let number = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        number % self.of == self.part - 1
    }
}

/// Why there are no stacks.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoStacks {
    /// A folder cannot be read.
    #[error("cannot read `{folder}`: {error}")]
    Unreadable { folder: String, error: io::Error },
    /// Nothing fits.
    #[error("no folder with a stack fits `{0}`")]
    Nothing(String),
    /// Not relative to the folder.
    #[error("`{0}` is no path below the configuration's folder")]
    Outside(String),
}

/// The folders below `root` that fit one of the patterns and declare a stack, by their path with `/` between its parts, sorted.
///
/// # Errors
/// [`NoStacks`], also if one of the patterns fits nothing: a pipeline that looks at nothing must not be green.
pub(crate) fn find(root: &Path, patterns: &[String]) -> Result<Vec<String>, NoStacks> {
    let mut found = BTreeSet::new();
    for pattern in patterns {
        let parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        if pattern.starts_with('/') || parts.contains(&"..") {
            return Err(NoStacks::Outside(pattern.clone()));
        }
        let mut fitting = BTreeSet::new();
        walk(root, "", &parts, 0, &mut fitting)?;
        if fitting.is_empty() {
            return Err(NoStacks::Nothing(pattern.clone()));
        }
        found.append(&mut fitting);
    }
    Ok(found.into_iter().collect())
}

/// The folder of a stack.
pub(crate) fn below(root: &Path, folder: &str) -> PathBuf {
    if folder == "." { root.to_path_buf() } else { root.join(folder) }
}

fn walk(root: &Path, at: &str, parts: &[&str], depth: usize, found: &mut BTreeSet<String>) -> Result<(), NoStacks> {
    let Some((first, rest)) = parts.split_first() else {
        let folder = if at.is_empty() { "." } else { at };
        if declares_a_stack(&below(root, folder)) {
            found.insert(folder.to_owned());
        }
        return Ok(());
    };
    if *first == "**" {
        walk(root, at, rest, depth, found)?;
    }
    if depth == DEEPEST {
        return Ok(());
    }
    let inside = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}/{name}") };
    if !first.contains(['*', '?']) {
        let next = inside(first);
        return if root.join(&next).is_dir() { walk(root, &next, rest, depth + 1, found) } else { Ok(()) };
    }
    let folder = if at.is_empty() { root.to_path_buf() } else { root.join(at) };
    let unreadable = |error| NoStacks::Unreadable { folder: folder.display().to_string(), error };
    for entry in fs::read_dir(&folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        // A link could lead around in a circle; a hidden folder is nobody's stack.
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let Ok(name) = entry.file_name().into_string() else { continue };
        if name.starts_with('.') {
            continue;
        }
        if *first == "**" {
            walk(root, &inside(&name), parts, depth + 1, found)?;
        } else if fits(first, &name) {
            walk(root, &inside(&name), rest, depth + 1, found)?;
        }
    }
    Ok(())
}

/// Whether a name fits a pattern of `*` and `?`.
fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Where the last star stands, and how much of the name it has taken.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(wanted) if *wanted == '?' || *wanted == name[n] => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((at, taken)) = star else { return false };
                star = Some((at, taken + 1));
                p = at + 1;
                n = taken + 1;
            }
        }
    }
    pattern[p..].iter().all(|character| *character == '*')
}

/// Whether one of a folder's files has a `stack` block. The folders of modules have none.
fn declares_a_stack(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else { return false };
    entries.filter_map(Result::ok).map(|entry| entry.path()).any(|path| {
        path.extension().is_some_and(|extension| extension == "aks")
            && !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
            && head(&path).is_ok_and(|text| {
                text.lines().any(|line| {
                    line.trim_start_matches('\u{feff}')
                        .trim_start()
                        .strip_prefix("stack")
                        .is_some_and(|rest| rest.trim_start().starts_with('"'))
                })
            })
    })
}

fn head(path: &Path) -> io::Result<String> {
    use io::Read as _;
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(HEAD).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails should say where")]
    use super::*;

    #[test]
    fn shards_are_read() {
        #[track_caller]
        fn check(text: &str, index: Option<&str>, expected: Option<(u64, u64)>) {
            assert_eq!(Shard::read(text, index).ok().map(|shard| (shard.part, shard.of)), expected, "{text}");
        }
        check("1/1", None, Some((1, 1)));
        check("7/7", None, Some((7, 7)));
        check("auto/7", Some("0"), Some((1, 7)));
        check("auto/7", Some("6"), Some((7, 7)));
        check("auto/7", Some("7"), None);
        check("auto/7", None, None);
        check("auto/7", Some("x"), None);
        for text in ["0/7", "8/7", "1", "1/0", "/", "a/b", "-1/2", ""] {
            check(text, None, None);
        }
    }

    #[test]
    fn each_stack_is_of_one_part() {
        for of in 1..=9_u64 {
            for n in 0..300 {
                let folder = format!("stacks/team-{n}");
                let parts = (1..=of).filter(|part| Shard { part: *part, of }.has(&folder)).count();
                assert_eq!(parts, 1);
            }
        }
        // Machines of other versions have the same parts.
        let first: Vec<u64> = ["stacks/a", "stacks/b", "stacks/c", "."]
            .iter()
            .map(|folder| (1..=7).find(|part| Shard { part: *part, of: 7 }.has(folder)).unwrap())
            .collect();
        assert_eq!(first, [5, 7, 5, 1]);
    }

    #[test]
    fn names_fit_patterns() {
        for (pattern, name, fit) in [
            ("*", "a", true),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*c*e", "abcde", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("a*d", "abc", false),
            ("abc", "abc", true),
            ("*-*", "team-mail", true),
            ("", "a", false),
            ("*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaa", false),
        ] {
            assert_eq!(fits(pattern, name), fit, "{pattern} {name}");
        }
    }

    #[track_caller]
    fn check_found(root: &Path, patterns: &[&str], expected: Result<&[&str], &str>) {
        let patterns: Vec<String> = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        let found = find(root, &patterns).map_err(|error| error.to_string());
        assert_eq!(
            found.as_deref().map_err(String::as_str),
            expected
                .map(|names| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
                .as_deref()
                .map_err(|error| *error)
        );
    }

    #[test]
    fn folders_with_a_stack_are_found() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("stacks/a/main.aks", "# first\nstack \"a\" {\n}\n");
        write("stacks/b/other.aks", "\u{feff}  stack\t\"b\" {}\n");
        write("stacks/b/deep/main.aks", "stack \"deep\" {}\n");
        write("stacks/module/main.aks", "variable \"x\" { type = string }\nresource_group \"stack\" {}\n");
        write("stacks/.hidden/main.aks", "stack \"hidden\" {}\n");
        write("stacks/c/readme.md", "stack \"c\" {}\n");
        write("main.aks", "stack \"top\" {}\n");
        let root = root.path();
        check_found(root, &["stacks/*"], Ok(&["stacks/a", "stacks/b"]));
        check_found(root, &["./stacks/a/", "stacks/*"], Ok(&["stacks/a", "stacks/b"]));
        check_found(root, &["**"], Ok(&[".", "stacks/a", "stacks/b", "stacks/b/deep"]));
        check_found(root, &["**/deep"], Ok(&["stacks/b/deep"]));
        check_found(root, &["."], Ok(&["."]));
        check_found(root, &["stacks/?", "stacks/x*"], Err("no folder with a stack fits `stacks/x*`"));
        check_found(root, &["stacks/module"], Err("no folder with a stack fits `stacks/module`"));
        check_found(root, &["nowhere"], Err("no folder with a stack fits `nowhere`"));
        check_found(root, &["../x"], Err("`../x` is no path below the configuration's folder"));
        check_found(root, &["/etc"], Err("`/etc` is no path below the configuration's folder"));
    }
}
