//! `akson plan --each`: the plans of many stacks, one after another or several at once, and a line for each. Each is made as if its folder
//! had been named by `-C`; it ends as the worst of them.

use std::sync::Arc;

use akson_diagnostics::{Diagnostics, SourceMap, render::json};
use futures_util::{StreamExt as _, stream};
use serde_json::json;

use super::{Flags, Planned, planned};
use crate::{
    arguments::{Global, OutputFormat},
    exit::Exit,
    load,
    observer::{Observer, Seen},
    output,
    planfile::Asked,
    schedule::{self, EachArguments},
    session::Source,
    views::{
        literal, plan,
        stacks::{Row, table},
    },
};

/// What came of a stack, in the order of the table's sum.
const OUTCOMES: [&str; 4] = ["no changes", "changes", "refused", "failed"];

/// One stack that was looked at.
struct One {
    folder: String,
    made: Result<Planned, Exit>,
    seen: Seen,
}

/// Plans each, and prints.
pub(crate) async fn run(global: &Global, asked: &Asked, flags: &Flags, (each, jobs): (&EachArguments, u16)) -> Exit {
    if let Err(message) = fits(global, asked, flags) {
        output::aside(&format!("error: {message}"));
        return Exit::Usage;
    }
    let folders = match each.folders(&global.directory) {
        Ok(folders) => folders,
        Err(error) => {
            load::report(&Diagnostics::from(schedule::no_stacks(&error)), &SourceMap::new(), global);
            return Exit::Error;
        }
    };
    let is_json = global.format == Some(OutputFormat::Json);
    let plans = stream::iter(folders.into_iter().enumerate()).map(|(at, folder)| one(global, asked, flags, at, folder));
    let mut plans = std::pin::pin!(plans.buffered(usize::from(jobs)));
    let (mut rows, mut saved, mut worst) = (Vec::new(), 0, Exit::Done);
    while let Some(mut one) = plans.next().await {
        worst = worst.worse(one.exit(flags));
        if is_json {
            output::result(&one.line(flags));
        } else {
            one.print(global);
        }
        saved += usize::from(one.made.as_ref().is_ok_and(|planned| !planned.refused));
        rows.push(one.row());
    }
    if !is_json {
        output::result(&table(&rows, &OUTCOMES));
    }
    if let (Some(path), false, 1..) = (&flags.out, global.quiet, saved) {
        let plans = plan::count(saved, "plan");
        output::aside(&format!("saved {plans}, each in the folder of its stack as {}", path.display()));
    }
    worst
}

/// Whether the flags have a meaning for many stacks.
fn fits(global: &Global, asked: &Asked, flags: &Flags) -> Result<(), &'static str> {
    if !matches!(global.format, None | Some(OutputFormat::Human | OutputFormat::Json)) {
        return Err(
            "`--each` prints `human` or `json`; `--comment FILE` writes Markdown into the folder of each stack",
        );
    }
    if !asked.targets.is_empty() || !asked.replace.is_empty() || flags.recorded.snapshot.is_some() {
        return Err("`--target`, `--replace` and `--snapshot` are of one stack; leave out `--each`");
    }
    if flags.files.outputs.is_some() {
        return Err("`--outputs` tells of one stack; `--each --format json` prints a line for each");
    }
    // In the folder of each it is each time another file.
    if [&flags.out, &flags.files.comment].into_iter().flatten().any(|path| path.is_absolute()) {
        return Err(
            "with `--each`, `--out` and `--comment` are written into the folder of each stack: give a relative path",
        );
    }
    Ok(())
}

async fn one(global: &Global, asked: &Asked, flags: &Flags, at: usize, folder: String) -> One {
    let observer = Arc::new(Observer::default());
    let inner = Global {
        // What is wrong is told to people; programs find it in the line.
        format: None,
        observer: Some(Arc::clone(&observer)),
        // Who is signed in is said once.
        quiet: global.quiet || at > 0,
        ..schedule::of_stack(global, &folder)
    };
    let made = planned(&inner, Source::Live, asked, flags).await;
    if let Ok(planned) = &made {
        observer.hear(&planned.run.loaded.diagnostics);
    }
    One { folder, made, seen: observer.seen() }
}

impl One {
    fn exit(&self, flags: &Flags) -> Exit {
        match &self.made {
            Ok(planned) => planned.exit(flags),
            Err(exit) => *exit,
        }
    }

    fn outcome(&self) -> &'static str {
        let [none, changes, refused, failed] = OUTCOMES;
        match &self.made {
            Ok(planned) if planned.refused => refused,
            Ok(planned) if planned.whole.summary.changes() > 0 => changes,
            Ok(_) => none,
            Err(_) => failed,
        }
    }

    /// Its plan, if it has changes.
    fn print(&mut self, global: &Global) {
        let Ok(planned) = &mut self.made else { return };
        planned.run.report(global);
        if planned.whole.summary.changes() > 0 {
            output::result(&format!("{}:\n{}", literal::safe(&self.folder), plan::human(&planned.whole)));
        }
    }

    fn row(&self) -> Row {
        let what = match (&self.made, &self.seen.error) {
            (Ok(planned), None) => plan::summary(planned.whole.summary),
            (_, Some(error)) => format!("{}: {}", error.code, literal::safe(&error.message)),
            (Err(_), None) => String::new(),
        };
        Row { folder: self.folder.clone(), outcome: self.outcome(), what }
    }

    /// It as a line of JSON.
    fn line(&mut self, flags: &Flags) -> String {
        let plan = self.made.as_ref().ok().map(|planned| planned.document(flags));
        let stack = plan.as_ref().map(|plan| &plan.stack).or(self.seen.stack.as_ref());
        json::line(&json!({
            "folder": self.folder,
            "stack": stack,
            "outcome": self.outcome().replace(' ', "_"),
            "error": self.seen.error,
            "plan": plan,
        }))
    }
}
