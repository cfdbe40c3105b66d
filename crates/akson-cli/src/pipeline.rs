//! What a plan tells a pipeline in files: outputs for later steps, the job's summary, a comment for the pull request. In the forms that GitHub's
//! runners read, which others can read as well. Nothing here asks a service for anything.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use akson_diagnostics::Diagnostic;
use clap::Args;

use crate::{codes::NOT_WRITTEN, document::PlanDocument, views::markdown::markdown};

/// So much a runner takes as the summary of one step, in bytes.
const SUMMARY_LIMIT: u64 = 1024 * 1024;

/// Files for a pipeline.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct PipelineFiles {
    /// Append what the plan comes to as `name=value` lines: `$GITHUB_OUTPUT`.
    #[arg(long, value_name = "FILE")]
    pub(crate) outputs: Option<PathBuf>,
    /// Append the plan as Markdown: `$GITHUB_STEP_SUMMARY`.
    #[arg(long, value_name = "FILE")]
    pub(crate) summary: Option<PathBuf>,
    /// Write the plan as Markdown that fits a pull request's comment.
    #[arg(long, value_name = "FILE")]
    pub(crate) comment: Option<PathBuf>,
}

impl PipelineFiles {
    /// Writes those that are asked for, below the configuration's folder; `more` stands at the end of the Markdown.
    ///
    /// # Errors
    /// A diagnostic if one cannot be written.
    pub(crate) fn write(&self, document: &PlanDocument, more: &str, directory: &Path) -> Result<(), Box<Diagnostic>> {
        let failed = |path: &Path, error: &io::Error| {
            Box::new(
                Diagnostic::error(NOT_WRITTEN, format!("cannot write `{}`: {error}", path.display()))
                    .help("mend the folder's permissions or free some space; nothing was changed"),
            )
        };
        let text = || format!("{}{more}", markdown(document));
        if let Some(path) = self.comment.as_ref().map(|path| directory.join(path)) {
            fs::write(&path, text()).map_err(|error| failed(&path, &error))?;
        }
        if let Some(path) = self.summary.as_ref().map(|path| directory.join(path)) {
            summarize(&path, &text()).map_err(|error| failed(&path, &error))?;
        }
        if let Some(path) = self.outputs.as_ref().map(|path| directory.join(path)) {
            append(&path, &outputs(document)).map_err(|error| failed(&path, &error))?;
        }
        Ok(())
    }
}

/// Appends a summary, as far as there is room: a runner throws one away as a whole that is too long.
fn summarize(path: &Path, text: &str) -> io::Result<()> {
    let used = fs::metadata(path).map_or(0, |file| file.len());
    let room = SUMMARY_LIMIT.saturating_sub(used);
    let full = "\nThe plan does not fit here any more: see the job's log.\n";
    if text.len() as u64 <= room {
        append(path, text)
    } else if full.len() as u64 <= room {
        append(path, full)
    } else {
        Ok(())
    }
}

fn append(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().create(true).append(true).open(path)?.write_all(text.as_bytes())
}

/// What a plan comes to, a line each.
fn outputs(document: &PlanDocument) -> String {
    let summary = document.summary;
    let counts = [
        ("create", summary.create),
        ("update", summary.update),
        ("replace", summary.replace),
        ("delete", summary.delete),
        ("adopt", summary.adopt),
        ("forget", summary.forget),
        ("unchanged", summary.no_op),
    ];
    let irreversible = document.changes.iter().filter(|change| change.irreversible).count();
    let mut lines = vec![line("has-changes", if summary.changes() > 0 { "true" } else { "false" })];
    lines.extend(counts.iter().map(|(name, count)| line(name, &count.to_string())));
    lines.push(line("irreversible", &irreversible.to_string()));
    lines.push(line("digest", &document.digest));
    lines.push(line("stack", &document.stack));
    lines.concat()
}

/// `name=value`, or with a delimiter that nobody could know before, so that no value can go on as another output.
fn line(name: &str, value: &str) -> String {
    if value.chars().all(|letter| !letter.is_control()) && !value.contains("<<") {
        return format!("{name}={value}\n");
    }
    let delimiter = format!("akson_{}", uuid::Uuid::new_v4().simple());
    format!("{name}<<{delimiter}\n{value}\n{delimiter}\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails should say where")]
    use super::*;

    #[test]
    fn no_value_goes_on_as_another_output() {
        assert_eq!(line("a", "b=c"), "a=b=c\n");
        let told = line("stack", "x\nhas-changes=false\nakson_0\n");
        let delimiter = told.strip_prefix("stack<<").unwrap().lines().next().unwrap();
        assert!(told.ends_with(&format!("\n{delimiter}\n")) && told.matches(delimiter).count() == 2, "{told}");
        assert!(line("a", "x<<y").starts_with("a<<akson_"));
    }

    #[test]
    fn a_summary_stays_below_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("summary");
        let text = "x".repeat(400_000);
        for length in [400_000, 800_000] {
            summarize(&path, &text).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().len(), length);
        }
        for _ in 0..10_000 {
            summarize(&path, &text).unwrap();
        }
        let length = fs::metadata(&path).unwrap().len();
        assert!(length > 800_000 && length <= SUMMARY_LIMIT, "{length}");
        assert!(fs::read_to_string(&path).unwrap().contains("does not fit here"));
    }
}
