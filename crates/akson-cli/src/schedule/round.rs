//! A round: one look at each stack, one after another or several at once, and what is told of each. Rounds follow each other, they never
//! overlap.

use std::{path::PathBuf, sync::Arc, time::Duration};

use akson_applier::Cancel;
use futures_util::{StreamExt as _, stream};
use tokio::sync::mpsc;

use super::{
    arguments::{EachArguments, ScheduleArguments},
    board::Board,
    line,
    look::{Begun, Look},
    metrics::Metrics,
    no_stacks, of_stack, stacks, undelivered,
};
use crate::{
    arguments::Global,
    load, output,
    reports::{Delivery, Reports},
};

/// All that rounds share.
pub(crate) struct Rounds {
    pub(super) global: Global,
    each: EachArguments,
    jobs: usize,
    reports: Reports,
    pub(super) board: Arc<Board>,
    metrics_file: Option<PathBuf>,
    pub(super) cancel: Cancel,
    /// Whether each look is a line on stdout.
    pub(super) lines: bool,
}

/// Who was told of a look, and who was not, by kind.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(super) delivered: Vec<&'static str>,
    pub(super) failed: Vec<&'static str>,
    /// Whether the metrics could not be written.
    lost: bool,
}

impl Told {
    /// Whether everybody knows.
    pub(crate) fn is_whole(&self) -> bool {
        self.failed.is_empty() && !self.lost
    }
}

/// What came of a round.
#[derive(Debug, Default)]
pub(super) struct Round {
    pub(super) looks: Vec<Look>,
    /// Whether somebody who should know does not.
    pub(super) untold: bool,
    /// The longest time that a service asked to be left alone by a look that failed.
    pub(super) wish: Duration,
}

impl Round {
    /// Whether nothing was seen of any stack.
    pub(super) fn is_failed(&self) -> bool {
        !self.looks.is_empty() && self.looks.iter().all(|look| look.document.is_none())
    }
}

impl Rounds {
    pub(crate) fn new(global: &Global, asked: &ScheduleArguments, reports: Reports) -> Self {
        let metrics_file = asked.metrics_file.clone();
        // What is counted goes on from run to run: what looks once is started again and again.
        let kept = metrics_file.clone().or_else(|| reports.metrics_file());
        let metrics = kept.map_or_else(Metrics::default, |path| Metrics::continued(&path));
        let stale = asked.every.map(|every| super::period::Rhythm::new(every, None).stale());
        Self {
            global: global.clone(),
            each: asked.each.clone(),
            jobs: usize::from(asked.jobs.max(1)),
            reports,
            board: Arc::new(Board::new(metrics, stale)),
            metrics_file,
            cancel: Cancel::new(),
            lines: false,
        }
    }

    /// Whether there may be more than one stack.
    pub(super) fn is_many(&self) -> bool {
        self.each.is_many()
    }

    /// Looks once at each stack, and tells of it. `look` looks at one, given its folder and its name below the one that was asked for.
    ///
    /// # Errors
    /// Why there is no stack.
    pub(super) async fn round(
        &mut self,
        look: &impl AsyncFn(&Global, &str) -> Look,
    ) -> Result<Round, stacks::NoStacks> {
        let folders = if self.is_many() { self.each.folders(&self.global.directory)? } else { vec![".".to_owned()] };
        self.reports.keep(&folders);
        if self.is_many() {
            let names: Vec<&str> = folders.iter().map(String::as_str).collect();
            // A file may be shared with other machines' parts; what is served is ours alone.
            if self.metrics_file.is_none() {
                self.board.with(|metrics| metrics.keep(&names));
            }
        }
        let (send, mut receive) = mpsc::unbounded_channel();
        let (global, cancel, jobs) = (self.global.clone(), self.cancel.clone(), self.jobs);
        // While somebody is told of one stack, others are looked at.
        let looking = async move {
            let (global, send) = (&global, &send);
            let looks = stream::iter(folders).map(|folder| async move {
                let _ = send.send(look(&of_stack(global, &folder), &folder).await);
            });
            tokio::select! {
                () = looks.buffer_unordered(jobs).collect::<()>() => {}
                () = cancel.stopped() => {}
            }
        };
        let telling = async {
            let mut round = Round::default();
            while let Some(look) = receive.recv().await {
                let told = self.tell(&look).await;
                if self.lines {
                    output::result(&line::line(&look, &told));
                }
                round.untold |= !told.is_whole();
                if look.document.is_none() {
                    round.wish = round.wish.max(look.seen.wait());
                }
                round.looks.push(look);
            }
            round
        };
        let ((), mut round) = tokio::join!(looking, telling);
        round.looks.sort_by(|one, other| one.folder.cmp(&other.folder));
        Ok(round)
    }

    /// A round without a stack, as a look that failed: a watch goes on, and says so.
    pub(super) async fn nothing(&mut self, error: &stacks::NoStacks) -> Round {
        let (begun, global) = Begun::now(&Global { format: None, ..self.global.clone() }, ".");
        let found = akson_diagnostics::Diagnostics::from(no_stacks(error));
        load::report(&found, &akson_diagnostics::SourceMap::new(), &global);
        let look = begun.end(None);
        let told = self.tell(&look).await;
        if self.lines {
            output::result(&line::line(&look, &told));
        }
        Round { untold: !told.is_whole(), wish: Duration::ZERO, looks: vec![look] }
    }

    /// Tells of a look: metrics, then reports.
    pub(crate) async fn tell(&mut self, look: &Look) -> Told {
        // Two stacks of one name may lie in different folders.
        let name = if self.is_many() { look.folder.as_str() } else { look.name() };
        self.board.with(|metrics| metrics.record(look, name));
        if look.outcome.is_success() {
            self.board.succeed();
        }
        let shown = self.board.with(|metrics| metrics.clone());
        let deliveries =
            if self.reports.is_empty() { Vec::new() } else { self.reports.tell(look, &shown, &self.cancel).await };
        let mut told = Told::default();
        for delivery in &deliveries {
            let Delivery { kind, failure, .. } = delivery;
            self.board.with(|metrics| metrics.report(kind, failure.is_none()));
            if failure.is_none() {
                told.delivered.push(kind);
            } else {
                told.failed.push(kind);
                undelivered(delivery, &self.global);
            }
        }
        if let Some(path) = &self.metrics_file
            && let Err(error) = self.board.with(|metrics| metrics.write(path))
        {
            told.lost = true;
            let (target, failure) = (path.display().to_string(), Some(error.to_string()));
            undelivered(&Delivery { kind: "prom", target, failure }, &self.global);
        }
        told
    }
}
