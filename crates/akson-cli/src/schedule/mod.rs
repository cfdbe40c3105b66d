//! Looks that are repeated, and looks at many stacks: when, at which, and where that shows. What there is to be seen is in `drift`, who
//! is told of it in `reports`.

mod arguments;
mod board;
mod each;
mod line;
mod listen;
mod look;
mod metrics;
mod period;
mod round;
mod stacks;
mod table;
#[cfg(test)]
pub(crate) mod tests;
mod watch;

pub(crate) use arguments::{EachArguments, ReportArguments, ReportOn, ScheduleArguments, Unread};
pub(crate) use look::{Begun, Found, Look, Outcome};
pub(crate) use metrics::Metrics;

use akson_diagnostics::{Diagnostic, Diagnostics, SourceMap};

use crate::{
    arguments::{Global, OutputFormat},
    codes::{NO_STACKS, NOT_DELIVERED},
    drift::DriftArguments,
    exit::Exit,
    load, output,
    reports::{Delivery, Reports},
    views::literal,
};
use round::Rounds;

impl ScheduleArguments {
    /// Whether there is more to do than one look at one stack.
    pub(crate) fn is_more_than_a_look(&self) -> bool {
        self.every.is_some() || self.each.is_many()
    }
}

/// Looks again and again, or at many.
pub(crate) async fn run(global: &Global, asked: &DriftArguments) -> Exit {
    let schedule = &asked.schedule;
    let takes = match (&schedule.every, global.format) {
        (_, None | Some(OutputFormat::Json)) | (None, Some(OutputFormat::Human)) => Ok(()),
        (Some(_), _) => {
            Err("`--every` prints a line of JSON for each look; write other formats with `--report KIND=FILE`")
        }
        (None, _) => Err("`--each` prints `human` or `json`; write other formats with `--report KIND=FILE`"),
    };
    if let Err(message) = takes {
        output::aside(&format!("error: {message}"));
        return Exit::Usage;
    }
    let rounds = match rounds(global, schedule) {
        Ok(rounds) => rounds,
        Err(exit) => return exit,
    };
    match schedule.every {
        Some(every) => watch::run(rounds, every, asked).await,
        None => each::run(rounds, asked.look).await,
    }
}

/// What the flags ask for, ready to be done.
///
/// # Errors
/// The exit code, if they are wrong; what is wrong with them is printed.
pub(crate) fn rounds(global: &Global, asked: &ScheduleArguments) -> Result<Rounds, Exit> {
    match Reports::new(&asked.reports, asked.each.is_many()) {
        Ok(reports) => Ok(Rounds::new(global, asked, reports)),
        Err(message) => {
            output::aside(&format!("error: {message}"));
            Err(Exit::Usage)
        }
    }
}

/// What follows a look at one stack that was made and printed in the usual way: reports and metrics. How the command ends.
pub(crate) async fn after(mut rounds: Rounds, look: &Look, exit: Exit) -> Exit {
    // Nobody wants to hear of what was not looked at.
    if exit == Exit::Interrupted || rounds.tell(look).await.is_whole() { exit } else { Exit::Error }
}

/// The flags of every command, for one of many stacks: as if its folder had been named by `-C`.
pub(crate) fn of_stack(global: &Global, folder: &str) -> Global {
    let stack_folder = (folder != ".").then(|| folder.to_owned());
    Global { directory: stacks::below(&global.directory, folder), stack_folder, ..global.clone() }
}

/// Says that a report was not delivered: it is known how things are, and somebody who should know it does not.
fn undelivered(delivery: &Delivery, global: &Global) {
    let Some(failure) = &delivery.failure else { return };
    let message =
        format!("the report `{}` was not delivered: {}", literal::safe(&delivery.target), literal::safe(failure));
    warn(
        Diagnostic::warning(NOT_DELIVERED, message)
            .note("what was found is printed, and whoever waits for this report does not know it")
            .help("check that the target takes it; a URL of a webhook may have been withdrawn"),
        global,
    );
}

/// There is nothing to look at, which must not look like nothing that is wrong.
pub(crate) fn no_stacks(error: &stacks::NoStacks) -> Diagnostic {
    Diagnostic::error(NO_STACKS, literal::safe(&error.to_string()))
        .note("what is looked for is a folder with a file that has a `stack` block")
        .help("write the pattern relative to the folder of `-C`, such as `stacks/*` or `**`")
}

fn warn(diagnostic: Diagnostic, global: &Global) {
    let global = Global { format: None, ..global.clone() };
    load::report(&Diagnostics::from(diagnostic), &SourceMap::new(), &global);
}
