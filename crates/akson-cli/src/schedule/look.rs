//! One look at one stack, as a value: what came of it, for a line, the metrics and the reports.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::Serialize;
use tokio::time::Instant;

use crate::{
    arguments::Global,
    drift::{self, DriftDocument, LookArguments, Severity},
    exit::Exit,
    observer::{Observer, Seen, Told},
    session::Run,
};

/// How many requests of a look may be in flight.
const PARALLELISM: usize = 16;

/// What a look came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// Everything was seen, and is as declared.
    InSync,
    /// Everything was seen, and something changed outside.
    Drift,
    /// Not everything could be seen: there may be more drift than was found, or some where none was found.
    Incomplete,
    /// Nothing was seen.
    Failed,
}

impl Outcome {
    pub(crate) const ALL: [Self; 4] = [Self::InSync, Self::Drift, Self::Incomplete, Self::Failed];

    /// The word for it in lines, metrics and reports.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::InSync => "in_sync",
            Self::Drift => "drift",
            Self::Incomplete => "incomplete",
            Self::Failed => "failed",
        }
    }

    /// Whether it is known now how things are.
    pub(crate) fn is_success(self) -> bool {
        matches!(self, Self::InSync | Self::Drift)
    }

    /// How `drift` ends with it.
    pub(crate) fn exit(self) -> Exit {
        match self {
            Self::InSync => Exit::Done,
            Self::Drift => Exit::Changes,
            Self::Incomplete | Self::Failed => Exit::Error,
        }
    }
}

/// A look.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    /// When it began.
    pub(crate) at: Timestamp,
    /// The stack's folder below the one that was asked for, with `/` between its parts; `.` if it is that.
    pub(crate) folder: String,
    /// What its files' names are relative to, as the reader of a file knows it, if it is not where the run is.
    pub(crate) directory: String,
    /// The stack's name, if the configuration could be read.
    pub(crate) stack: Option<String>,
    /// What no other stack is called, if that is known.
    pub(crate) stack_id: Option<String>,
    pub(crate) outcome: Outcome,
    pub(crate) document: Option<DriftDocument>,
    pub(crate) error: Option<Told>,
    pub(crate) took: Duration,
    pub(crate) seen: Seen,
}

/// A look that has begun.
pub(crate) struct Begun {
    at: Timestamp,
    since: Instant,
    folder: String,
    directory: String,
    observer: Arc<Observer>,
}

/// What is there to be seen at the end of it.
pub(crate) struct Found {
    pub(crate) stack_id: String,
    pub(crate) document: DriftDocument,
}

impl Begun {
    /// Begins one; the flags with which it is to be run.
    pub(crate) fn now(global: &Global, folder: &str) -> (Self, Global) {
        let observer = Arc::new(Observer::default());
        let global = Global { observer: Some(Arc::clone(&observer)), ..global.clone() };
        let directory = global.directory.to_string_lossy();
        let directory = directory.trim_start_matches("./").trim_end_matches(['/', '.']);
        // One of many stacks names its files with its folder.
        let above = global.stack_folder.as_deref().and_then(|folder| directory.strip_suffix(folder));
        let directory = above.unwrap_or(directory).trim_end_matches('/').to_owned();
        let (at, since) = (Timestamp::now(), Instant::now());
        (Self { at, since, folder: folder.to_owned(), directory, observer }, global)
    }

    /// Ends it.
    pub(crate) fn end(self, found: Option<Found>) -> Look {
        let seen = self.observer.seen();
        let (stack_id, document) = match found {
            Some(found) => (Some(found.stack_id), Some(found.document)),
            None => (None, None),
        };
        let outcome = match &document {
            None => Outcome::Failed,
            Some(document) if document.found.unseen > 0 => Outcome::Incomplete,
            Some(document) if document.is_drift() => Outcome::Drift,
            Some(_) => Outcome::InSync,
        };
        Look {
            at: self.at,
            folder: self.folder,
            directory: self.directory,
            stack: document.as_ref().map(|document| document.plan.stack.clone()).or_else(|| seen.stack.clone()),
            stack_id,
            outcome,
            document,
            // What went wrong and did not matter is no error of the look.
            error: seen.error.clone().filter(|_| !outcome.is_success()),
            took: self.since.elapsed(),
            seen,
        }
    }
}

impl Look {
    /// Looks. What is wrong is printed to stderr, what is found is not.
    pub(crate) async fn at(global: &Global, folder: &str, asked: LookArguments) -> Self {
        let (begun, global) = Begun::now(&Global { format: None, ..global.clone() }, folder);
        let found = found(&global, asked).await.ok();
        begun.end(found)
    }

    /// The stack's name, or its folder's where it has none yet.
    pub(crate) fn name(&self) -> &str {
        self.stack.as_deref().unwrap_or(&self.folder)
    }

    /// One of its files as the reader of a report knows it.
    pub(crate) fn file(&self, file: &str) -> String {
        if self.directory.is_empty() { file.to_owned() } else { format!("{}/{file}", self.directory) }
    }

    /// Changes by severity and kind, each with its number; what nobody has ranked is `unrated`.
    pub(crate) fn by_severity_and_kind(&self) -> std::collections::BTreeMap<(&'static str, &str), usize> {
        let mut counts = std::collections::BTreeMap::new();
        for change in self.document.iter().flat_map(|document| &document.plan.changes) {
            *counts.entry((severity_word(change.severity), change.kind.as_str())).or_default() += 1;
        }
        counts
    }
}

/// The word for it.
pub(crate) fn severity_word(severity: Option<Severity>) -> &'static str {
    match severity {
        Some(Severity::High) => "high",
        Some(Severity::Medium) => "medium",
        Some(Severity::Low) => "low",
        None => "unrated",
    }
}

async fn found(global: &Global, asked: LookArguments) -> Result<Found, Exit> {
    let mut run = Run::open(global, PARALLELISM).await?;
    let document = drift::look(&mut run, global, asked).await?;
    run.report(global);
    if document.found.unseen > 0 {
        let _ = run.refuse_with(drift::incomplete(document.found.unseen), global);
    }
    Ok(Found { stack_id: run.binding.stack_id.clone(), document })
}
