//! `akson drift`: what changed outside. It looks and changes nothing; what it could not read is an error, never "no drift".

use super::plan;
use crate::{
    arguments::{Global, OutputFormat},
    drift::{self, DriftArguments, DriftDocument, LookArguments},
    exit::Exit,
    output,
    planfile::Asked,
    schedule::{self, Begun, Found},
    session::{Run, Source},
    views,
};

/// Prints the differences.
pub(crate) async fn run(global: &Global, asked: &DriftArguments) -> Exit {
    if asked.take_over.adopt.is_some() {
        return drift::adopt::run(global, &asked.take_over).await;
    }
    if let Some(addresses) = &asked.undo.revert {
        let reverted = Asked { revert: Some(addresses.clone()), ..Asked::default() };
        let (out, recorded) = (asked.undo.out.clone(), asked.recorded.clone());
        let flags = plan::Flags { out, recorded, ..plan::Flags::default() };
        return plan::run(global, &reverted, &flags).await;
    }
    if asked.schedule.is_more_than_a_look() {
        // A watch is looked at now and then; what it prints is lines.
        let progress = global.progress.clone().filter(|_| asked.schedule.every.is_none());
        return schedule::run(&Global { progress, ..global.clone() }, asked).await;
    }
    // What is wrong with the flags is told before anything is asked for.
    let rounds = match schedule::rounds(global, &asked.schedule) {
        Ok(rounds) => rounds,
        Err(exit) => return exit,
    };
    let (begun, global) = Begun::now(global, ".");
    let mut found = None;
    let (Ok(exit) | Err(exit)) = looked(&global, asked, &mut found).await;
    schedule::after(rounds, &begun.end(found), exit).await
}

async fn looked(global: &Global, asked: &DriftArguments, found: &mut Option<Found>) -> Result<Exit, Exit> {
    let (source, global) = Source::of(&asked.recorded, global)?;
    let global = &global;
    // What a plan reads is recorded, and what nobody declares is none of it.
    let look = LookArguments { no_unmanaged: asked.look.no_unmanaged || matches!(source, Source::Recorded(..)) };
    let mut run = Run::open_from(global, 16, source).await?;
    let drift = drift::look(&mut run, global, look).await?;
    *found = Some(Found { stack_id: run.binding.stack_id.clone(), document: drift.clone() });
    print(&mut run, &drift, global);
    if let Err(diagnostic) = asked.files.write(&drift.plan, "", &global.directory) {
        return Err(run.refuse_with(*diagnostic, global));
    }
    if drift.found.unseen > 0 {
        return Err(run.refuse_with(drift::incomplete(drift.found.unseen), global));
    }
    Ok(if drift.is_drift() { Exit::Changes } else { Exit::Done })
}

fn print(run: &mut Run, drift: &DriftDocument, global: &Global) {
    if global.format == Some(OutputFormat::Json) {
        output::result(&super::plan::to_text(drift));
        return;
    }
    run.report(global);
    run.tell_recording(global);
    output::result(&match global.format {
        Some(OutputFormat::Markdown) => views::drift_markdown::markdown(drift),
        _ => views::drift::human(drift),
    });
}
