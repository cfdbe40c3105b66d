//! `akson drift`: what changed outside. It looks and changes nothing; what it could not read is an error, never "no drift".

use crate::{
    arguments::{Global, OutputFormat},
    drift::{self, DriftArguments, DriftDocument},
    exit::Exit,
    output,
    session::Run,
    views,
};

/// Prints the differences.
pub(crate) async fn run(global: &Global, asked: &DriftArguments) -> Exit {
    match looked(global, asked).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn looked(global: &Global, asked: &DriftArguments) -> Result<Exit, Exit> {
    let mut run = Run::open(global, 16).await?;
    let drift = drift::look(&mut run, global, asked).await?;
    print(&mut run, &drift, global);
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
    output::result(&match global.format {
        Some(OutputFormat::Markdown) => views::drift_markdown::markdown(drift),
        _ => views::drift::human(drift),
    });
}
