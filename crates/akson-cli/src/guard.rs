//! Where the guard file comes from: a flag, in a pull request the branch that it goes to, else the nearest folder that has one. A pull request
//! cannot loosen what it is held to.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use akson_config::guard::Guard;
use akson_diagnostics::{Diagnostic, Diagnostics, SourceMap};
use akson_planner::{Plan, guard};

use crate::{
    arguments::Global,
    codes::{GUARD_NOT_FOUND, GUARD_UNKNOWN},
    views::literal,
};

const NAME: &str = "akson.guard";
/// More than any guard file has.
const MOST: usize = 1 << 20;

/// A guard file as it was found.
struct Found {
    name: String,
    text: String,
}

/// Reports what a plan does that the guard file does not allow, and whether there was anything.
pub(crate) fn check(
    global: &Global,
    plan: &Plan,
    ledger: &str,
    sources: &mut SourceMap,
    diagnostics: &mut Diagnostics,
) -> bool {
    let found = match find(global, diagnostics) {
        Ok(Some(found)) => found,
        Ok(None) => return false,
        Err(report) => {
            diagnostics.push(*report);
            return true;
        }
    };
    let source = sources.add(found.name, found.text);
    let mut reports = Diagnostics::new();
    let guard = Guard::parse(sources, source, &mut reports);
    if !reports.has_errors() {
        guard::check(&guard, plan, ledger, &mut reports);
    }
    let refused = reports.has_errors();
    diagnostics.append(reports);
    refused
}

fn find(global: &Global, diagnostics: &mut Diagnostics) -> Result<Option<Found>, Box<Diagnostic>> {
    if let Some(path) = &global.guard {
        return read(path).map(Some).map_err(|error| {
            Box::new(
                Diagnostic::error(GUARD_NOT_FOUND, format!("cannot read the guard file `{}`: {error}", shown(path)))
                    .help("give the path of a file that is there, or leave `--guard` out"),
            )
        });
    }
    let folder = std::path::absolute(&global.directory).unwrap_or_else(|_| global.directory.clone());
    let root = folder.ancestors().find(|folder| folder.join(".git").exists());
    let within = || folder.ancestors().take_while(|above| root.is_none_or(|root| above.starts_with(root)));
    let beside = within().map(|above| above.join(NAME)).find(|path| path.is_file());
    let (Some(base), Some(root)) = (base_branch(), root) else {
        // Outside of a repository only the folder itself is looked into.
        let beside = if root.is_some() { beside } else { Some(folder.join(NAME)).filter(|path| path.is_file()) };
        return beside.map(|path| read(&path)).transpose().map_err(|error| unreadable(&error.to_string()));
    };
    let Some(commit) =
        git(root, &["rev-parse", "--verify", "--quiet", &format!("refs/remotes/origin/{base}^{{commit}}")])
            .or_else(|| git(root, &["rev-parse", "--verify", "--quiet", &format!("refs/heads/{base}^{{commit}}")]))
    else {
        let text = format!(
            "this is a pull request to `{}`, and that branch is not here to look for its guard file",
            literal::safe(&base)
        );
        let help = format!(
            "fetch it: `git fetch --depth=1 origin {}`, or give the guard file with `--guard FILE`",
            literal::safe(&base)
        );
        if beside.is_some() {
            return Err(Box::new(Diagnostic::error(GUARD_UNKNOWN, text).help(help)));
        }
        diagnostics.push(Diagnostic::warning(GUARD_UNKNOWN, text).note("the plan is held to no guard file").help(help));
        return Ok(None);
    };
    let commit = commit.trim();
    for above in within() {
        let path = above.strip_prefix(root).unwrap_or(above).join(NAME);
        let path = path.to_string_lossy().replace('\\', "/");
        if let Some(text) = git(root, &["cat-file", "blob", &format!("{commit}:{path}")]) {
            if text.len() > MOST {
                return Err(unreadable("it is larger than a mebibyte"));
            }
            if beside.is_some_and(|beside| std::fs::read_to_string(beside).is_ok_and(|here| here != text)) {
                diagnostics.push(
                    Diagnostic::warning(GUARD_UNKNOWN, format!("this pull request changes `{NAME}`"))
                        .note("the plan is held to the one of the branch that it goes to"),
                );
            }
            return Ok(Some(Found { name: format!("{}:{path}", literal::safe(&base)), text }));
        }
    }
    Ok(None)
}

fn unreadable(why: &str) -> Box<Diagnostic> {
    let report = Diagnostic::error(GUARD_NOT_FOUND, format!("cannot read the guard file: {why}"));
    Box::new(report.help("mend the file; a guard file that cannot be read allows nothing"))
}

fn read(path: &Path) -> std::io::Result<Found> {
    let text = std::fs::read_to_string(path)?;
    if text.len() > MOST {
        return Err(std::io::Error::other("it is larger than a mebibyte"));
    }
    Ok(Found { name: shown(path), text })
}

fn shown(path: &Path) -> String {
    literal::safe(&path.display().to_string())
}

/// The branch that a pull request goes to, where this runs for one.
fn base_branch() -> Option<String> {
    let variable = |name| std::env::var(name).ok().filter(|text| !text.is_empty());
    let azure = || {
        let branch = variable("SYSTEM_PULLREQUEST_TARGETBRANCH")?;
        Some(branch.strip_prefix("refs/heads/").map_or_else(|| branch.clone(), str::to_owned))
    };
    let named =
        variable("GITHUB_BASE_REF").or_else(azure).or_else(|| variable("CI_MERGE_REQUEST_TARGET_BRANCH_NAME"))?;
    // It becomes a part of a reference's name.
    let plain = |character: char| character.is_alphanumeric() || "-_./#+@".contains(character);
    (named.chars().all(plain) && !named.starts_with(['-', '/']) && !named.contains("..")).then_some(named)
}

/// What git prints, if it can. It reads objects only: nothing of the repository's is run.
fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .arg("--no-pager")
        .arg("-C")
        .arg(root)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
