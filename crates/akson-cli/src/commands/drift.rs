//! `akson drift`: what changed outside. It looks and changes nothing; what it could not read is an error, never "no drift".

use crate::{
    arguments::{Global, OutputFormat},
    drift::{self, DriftArguments, DriftDocument},
    exit::Exit,
    output,
    session::{Run, Source},
    views::{literal, markdown, plan},
};

/// Prints the differences.
pub(crate) async fn run(global: &Global, asked: &DriftArguments) -> Exit {
    match looked(global, asked).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn looked(global: &Global, asked: &DriftArguments) -> Result<Exit, Exit> {
    let (source, global) = Source::of(&asked.recorded, global)?;
    let global = &global;
    let mut run = Run::open_from(global, 16, source).await?;
    let drift = drift::look(&mut run, global).await?;
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
    if drift.is_drift() {
        output::result(&match global.format {
            Some(OutputFormat::Markdown) => markdown::markdown(&drift.plan),
            _ => plan::human(&drift.plan),
        });
    } else if drift.found.unseen == 0 {
        output::result(&format!(
            "No drift: what stack `{}` owns is as it was applied ({}).",
            literal::safe(&drift.plan.stack),
            plan::count(drift.plan.requests.reads, "request")
        ));
    }
}
