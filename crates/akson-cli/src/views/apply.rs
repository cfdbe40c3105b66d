//! A run while it goes on: bars on a terminal, plain lines elsewhere, JSON lines for programs. All made from the one stream of events.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use akson_applier::{ApplyEvent, Because, Counts, Left, StepName, What};
use akson_diagnostics::{Diagnostics, SourceMap, render};
use akson_planner::Action;
use anstyle::{AnsiColor, Style};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use super::literal;
use crate::{
    arguments::{Global, LogFormat},
    load, output,
};

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const FAINT: Style = Style::new().dimmed();

/// Shows a run.
pub(crate) enum View {
    /// Bars on stderr.
    Bars(Bars),
    /// A line for each step that ended, on stderr.
    Lines,
    /// An event a line, on stdout.
    Json,
    /// The same on stderr, beside a result for people.
    Log,
    /// Nothing but failures.
    Quiet,
}

/// The bars of a terminal.
pub(crate) struct Bars {
    all: MultiProgress,
    total: ProgressBar,
    steps: BTreeMap<String, ProgressBar>,
}

impl View {
    /// The view that fits flags and streams, for a run of `steps` steps.
    pub(crate) fn new(global: &Global, json: bool, steps: usize) -> Self {
        if json {
            View::Json
        } else if global.quiet {
            View::Quiet
        } else if global.log_format == LogFormat::Json {
            View::Log
        } else if output::stderr_may_move() {
            View::Bars(Bars::new(steps))
        } else {
            View::Lines
        }
    }

    /// Shows one event.
    pub(crate) fn event(&mut self, event: &ApplyEvent, sources: &SourceMap, global: &Global) {
        match self {
            View::Json => output::result(&line(event, sources)),
            View::Log => output::aside(&line(event, sources)),
            View::Lines => {
                if let Some(text) = ended(event) {
                    output::aside(&text);
                }
                failed(event, sources, global);
            }
            View::Quiet => failed(event, sources, global),
            View::Bars(bars) => {
                bars.event(event);
                if matches!(event.what, What::StepFailed(..)) {
                    bars.all.suspend(|| failed(event, sources, global));
                }
            }
        }
    }

    /// Ends the view.
    pub(crate) fn finish(&mut self) {
        if let View::Bars(bars) = self {
            bars.total.finish_and_clear();
            let _ = bars.all.clear();
        }
    }
}

impl Bars {
    fn new(steps: usize) -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let total = all.add(ProgressBar::new(steps as u64));
        total.set_style(
            ProgressStyle::with_template("{bar:24.green/dim} {pos}/{len} {elapsed:.dim}")
                .unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        total.enable_steady_tick(Duration::from_millis(100));
        Self { all, total, steps: BTreeMap::new() }
    }

    fn event(&mut self, event: &ApplyEvent) {
        match &event.what {
            What::StepStarted(step) => {
                let bar = self.all.insert_before(&self.total, ProgressBar::new_spinner());
                bar.set_style(
                    ProgressStyle::with_template("  {spinner} {prefix}  {msg:.dim} {elapsed:.dim}")
                        .unwrap_or_else(|_| ProgressStyle::default_spinner()),
                );
                bar.set_prefix(literal::safe(&step.address));
                bar.set_message(doing(step.action));
                bar.enable_steady_tick(Duration::from_millis(100));
                self.steps.insert(step.address.clone(), bar);
            }
            What::StepProgress(step, text) => {
                if let Some(bar) = self.steps.get(&step.address) {
                    bar.set_message(literal::safe(text));
                }
            }
            What::StepSucceeded(step)
            | What::StepFailed(step, _)
            | What::StepSkipped { step, .. }
            | What::StepLeft(step, _) => {
                if let Some(bar) = self.steps.remove(&step.address) {
                    bar.finish_and_clear();
                }
                if let Some(text) = ended(event) {
                    self.all.suspend(|| output::aside(&text));
                }
                self.total.inc(1);
            }
            What::Summary(_) => {}
        }
    }
}

/// The line of a step that ended.
fn ended(event: &ApplyEvent) -> Option<String> {
    let after = format!("{FAINT}{}{FAINT:#}", seconds(event.after));
    match &event.what {
        What::StepSucceeded(step) => {
            Some(format!("  {GOOD}ok{GOOD:#}    {}  {}  {after}", literal::safe(&step.address), done(step.action)))
        }
        What::StepFailed(step, _) => Some(format!("  {BAD}fail{BAD:#}  {}  {after}", literal::safe(&step.address))),
        What::StepSkipped { step, because } => {
            let why = match because {
                Because::Needs(address) => format!("needs {}", literal::safe(address)),
                Because::Interrupted | Because::NoLedger => because.as_str().to_owned(),
            };
            Some(format!("  {FAINT}skip  {}  {why}{FAINT:#}", literal::safe(&step.address)))
        }
        What::StepLeft(step, how) => {
            let how = match how {
                Left::UnderWay => "Azure goes on with it",
                Left::NotRecorded => "what came of it is not recorded",
            };
            Some(format!("  {FAINT}left{FAINT:#}  {}  {how}  {after}", literal::safe(&step.address)))
        }
        _ => None,
    }
}

fn failed(event: &ApplyEvent, sources: &SourceMap, global: &Global) {
    if let What::StepFailed(_, diagnostic) = &event.what {
        load::report_one(diagnostic, sources, global);
    }
}

/// One event as a JSON line.
fn line(event: &ApplyEvent, sources: &SourceMap) -> String {
    let mut value = json!({ "event": event.what.as_str() });
    let mut put = |name: &str, content: Value| {
        if let Some(fields) = value.as_object_mut() {
            fields.insert(name.to_owned(), content);
        }
    };
    let name = |step: &StepName, put: &mut dyn FnMut(&str, Value)| {
        put("address", step.address.clone().into());
        put("action", step.action.as_str().into());
    };
    match &event.what {
        What::StepStarted(step) | What::StepSucceeded(step) => name(step, &mut put),
        What::StepLeft(step, how) => {
            name(step, &mut put);
            put("how", how.as_str().into());
        }
        What::StepProgress(step, text) => {
            name(step, &mut put);
            put("message", text.clone().into());
        }
        What::StepFailed(step, diagnostic) => {
            name(step, &mut put);
            let list = render::json::value(&Diagnostics::from((**diagnostic).clone()), sources);
            put("diagnostic", list.get(0).cloned().unwrap_or(Value::Null));
        }
        What::StepSkipped { step, because } => {
            name(step, &mut put);
            put("because", because.as_str().into());
        }
        What::Summary(counts) => {
            put("succeeded", counts.succeeded.into());
            put("failed", counts.failed.into());
            put("skipped", counts.skipped.into());
            put("left", counts.left.into());
            put("not_recorded", counts.not_recorded.into());
        }
    }
    put("at", jiff::Timestamp::now().to_string().into());
    render::json::line(&value)
}

/// What a run came to, in words.
pub(crate) fn summary(counts: Counts, took: Duration) -> String {
    let mut out = String::new();
    let total = counts.succeeded + counts.failed + counts.skipped + counts.left + counts.not_recorded;
    let _ = write!(out, "{} of {total} done in {}", counts.succeeded, seconds(took));
    let others = [
        (counts.failed, "failed"),
        (counts.left, "still under way in Azure"),
        (counts.not_recorded, "not recorded"),
        (counts.skipped, "skipped"),
    ];
    for (number, word) in others {
        if number > 0 {
            let _ = write!(out, ", {number} {word}");
        }
    }
    out
}

/// Where a run that was stopped leaves things: what Azure goes on with, and what was not begun.
pub(crate) fn left_off(left: &[String], not_begun: &[String]) -> Vec<String> {
    /// More of them are counted.
    const SHOWN: usize = 10;
    let list = |title: &str, addresses: &[String]| {
        let mut shown: Vec<String> = addresses.iter().take(SHOWN).map(|address| literal::safe(address)).collect();
        if addresses.len() > SHOWN {
            shown.push(format!("{} more", addresses.len() - SHOWN));
        }
        (!shown.is_empty()).then(|| format!("  {title}: {}", shown.join(", ")))
    };
    list("still under way in Azure", left).into_iter().chain(list("not started", not_begun)).collect()
}

fn doing(action: Action) -> &'static str {
    match action {
        Action::Create => "creating",
        Action::Update => "updating",
        Action::Replace => "replacing",
        Action::Delete => "deleting",
        Action::Adopt => "adopting",
        Action::Forget => "forgetting",
        Action::NoOp => "checking",
    }
}

fn done(action: Action) -> &'static str {
    match action {
        Action::Create => "created",
        Action::Update => "updated",
        Action::Replace => "replaced",
        Action::Delete => "deleted",
        Action::Adopt => "adopted",
        Action::Forget => "forgotten",
        Action::NoOp => "unchanged",
    }
}

fn seconds(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 60.0 {
        format!("{seconds:.1}s")
    } else {
        format!("{}m{:02}s", time.as_secs() / 60, time.as_secs() % 60)
    }
}
