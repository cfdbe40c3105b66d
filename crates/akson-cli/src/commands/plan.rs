//! `akson plan`: what would change, from live state. It locks nothing and writes nothing but the file it is asked for.

use std::path::{Path, PathBuf};

use akson_diagnostics::Diagnostic;
use serde::Serialize;

use crate::{
    arguments::{FromRecording, Global, OutputFormat},
    codes::{ACCESS_INCOMPLETE, NOT_THE_SAME},
    exit::Exit,
    output,
    pipeline::PipelineFiles,
    planfile::{self, Asked},
    recording::{Made, Recording},
    session::{self, Run, Source},
    views::{markdown, plan},
};

/// The flags of `plan` that are not about what is planned.
#[derive(Default)]
pub(crate) struct Flags {
    pub(crate) out: Option<PathBuf>,
    /// List what does not change, too.
    pub(crate) all: bool,
    pub(crate) detailed: bool,
    pub(crate) deny_new_access: bool,
    pub(crate) record: Option<PathBuf>,
    pub(crate) recorded: FromRecording,
    pub(crate) files: PipelineFiles,
}

/// Plans and prints.
pub(crate) async fn run(global: &Global, asked: &Asked, flags: &Flags) -> Exit {
    match planned(global, asked, flags).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn planned(global: &Global, asked: &Asked, flags: &Flags) -> Result<Exit, Exit> {
    let (mut source, global) = Source::of(&flags.recorded, global)?;
    let global = &global;
    if flags.record.is_some() {
        source = Source::Remembered;
    }
    let mut run = Run::open_from(global, 16, source).await?;
    if flags.deny_new_access {
        let refused = Diagnostic::error(ACCESS_INCOMPLETE, "this version cannot tell whether a plan grants new access")
            .note("its analysis of access is not complete, and a promise that is not kept is worse than none")
            .help("leave `--deny-new-access` out and review the plan");
        return Err(run.refuse_with(refused, global));
    }
    let document = run.peek(global).await?;
    let options = session::plan_options(asked, global);
    let owned = session::owned(document.as_ref());
    let snapshot = run.refresh(&owned, &options, global).await?;
    let plan = run.plan_from(&snapshot, &owned, &options, global)?;
    let refused = run.is_guarded(&plan, global);
    let whole = run.document(&plan, true);
    if let Some(path) = &flags.record {
        let recording = run.recording(&snapshot, document.as_ref(), &options, &whole.digest, global).await;
        let recording = recording.expect("this run remembers what it is answered");
        record(&mut run, &recording, asked, path, global).await?;
    }
    if let Some(path) = &flags.out
        && !refused
        && let Err(diagnostic) = planfile::write(&global.directory.join(path), asked.clone(), whole.clone())
    {
        return Err(run.refuse_with(*diagnostic, global));
    }
    let more = whole.recording.as_ref().map(of_recording).unwrap_or_default();
    if let Err(diagnostic) = flags.files.write(&whole, &more, &global.directory) {
        return Err(run.refuse_with(*diagnostic, global));
    }
    let changes = whole.summary.changes();
    match global.format {
        // The diagnostics are in the document.
        Some(OutputFormat::Json) => output::result(&to_text(&run.document(&plan, flags.all))),
        format => {
            run.report(global);
            run.tell_recording(global);
            output::result(&match format {
                Some(OutputFormat::Markdown) => format!("{}{more}", markdown::markdown(&whole)),
                _ => plan::human(&whole),
            });
        }
    }
    if refused {
        return Err(Exit::Guarded);
    }
    if let (Some(path), false) = (&flags.out, global.quiet) {
        output::aside(&format!(
            "saved to {}: `akson apply {}` executes it if it is still the same",
            path.display(),
            path.display()
        ));
    }
    Ok(if flags.detailed && changes > 0 { Exit::Changes } else { Exit::Done })
}

/// Which recording a plan was made from, as a line of Markdown.
fn of_recording(made: &Made) -> String {
    format!("\n{}\n", plan::recorded(made).replace('\n', "  \n"))
}

/// Writes a recording, once it is sure that the same plan is made from it.
async fn record(run: &mut Run, recording: &Recording, asked: &Asked, path: &Path, global: &Global) -> Result<(), Exit> {
    let mut again = Run::open_from(global, 16, Source::Recorded(Box::new(recording.clone()), false)).await?;
    let document = again.peek(global).await?;
    let plan = again.plan(&session::owned(document.as_ref()), &session::plan_options(asked, global), global).await?;
    if again.document(&plan, false).digest != recording.digest() {
        let differs = Diagnostic::error(NOT_THE_SAME, "from the recording another plan is made than from Azure")
            .note("a value that looks like a secret was left out of it, and the configuration sets that value")
            .note("nothing was written")
            .help("call it sensitive where it is one, or give it another form: a plan shows it, too");
        return Err(run.refuse_with(differs, global));
    }
    if let Err(diagnostic) = recording.write(&global.directory.join(path)) {
        return Err(run.refuse_with(*diagnostic, global));
    }
    if !global.quiet {
        output::aside(&format!(
            "recorded {} in {}: `akson plan --snapshot {}` plans from it without Azure",
            plan::count(recording.len(), "answer"),
            path.display(),
            path.display()
        ));
    }
    Ok(())
}

/// A plan, or what is made of one, as one JSON document, safe to print.
pub(crate) fn to_text(document: &impl Serialize) -> String {
    serde_json::to_value(document).map(|value| akson_diagnostics::render::json::text(&value)).unwrap_or_default()
}
