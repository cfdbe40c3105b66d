//! `akson drift`: what changed outside. It looks and changes nothing; what it could not read is an error, never "no drift".

use akson_diagnostics::Diagnostic;
use akson_planner::codes::CLUSTER_UNSEEN;

use crate::{
    arguments::{Global, OutputFormat},
    document::{ChangeDocument, PlanDocument, Summary},
    exit::Exit,
    output,
    planfile::Asked,
    session::{self, Run},
    views::{markdown, plan},
};

/// Prints the differences.
pub(crate) async fn run(global: &Global) -> Exit {
    match drift(global).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn drift(global: &Global) -> Result<Exit, Exit> {
    let mut run = Run::open(global, 16).await?;
    let document = run.peek(global).await?;
    let options = session::plan_options(&Asked::default(), global);
    let plan = run.plan(&session::owned(document.as_ref()), &options, global).await?;
    let unseen = plan.not_verified().count();
    let drifted = only_drift(run.document(&plan, true));
    let changes = drifted.summary.changes();
    if global.format == Some(OutputFormat::Json) {
        output::result(&super::plan::to_text(&drifted));
    } else {
        run.report(global);
        if changes == 0 && unseen > 0 {
            // What was not seen is told below.
        } else if changes == 0 {
            let stack = crate::views::literal::safe(&drifted.stack);
            output::result(&format!(
                "No drift: what stack `{stack}` owns is as it was applied ({}).",
                plan::count(drifted.requests.reads, "request")
            ));
        } else {
            output::result(&match global.format {
                Some(OutputFormat::Markdown) => markdown::markdown(&drifted),
                _ => plan::human(&drifted),
            });
        }
    }
    if unseen > 0 {
        let text = format!("whether {} changed outside is not known", plan::count(unseen, "resource"));
        let diagnostic = Diagnostic::error(CLUSTER_UNSEEN, text)
            .note("they lie in a cluster that nobody could look into")
            .help("look from where its API server can be reached; if akson never was in it, apply first");
        return Err(run.refuse_with(diagnostic, global));
    }
    Ok(if changes > 0 { Exit::Changes } else { Exit::Done })
}

/// The changes whose cause lies outside, with the reasons that say so.
fn only_drift(mut document: PlanDocument) -> PlanDocument {
    let mut summary = Summary { no_op: document.summary.no_op, ..Summary::default() };
    let mut changes: Vec<ChangeDocument> = Vec::new();
    for mut change in document.changes {
        change.reasons.retain(|reason| reason.cause == "drift");
        if change.action == "no_op" {
            continue;
        }
        if change.reasons.is_empty() {
            // Differs from its block, and not because somebody else changed it.
            summary.no_op += 1;
            continue;
        }
        match change.action.as_str() {
            "create" => summary.create += 1,
            "replace" => summary.replace += 1,
            "delete" => summary.delete += 1,
            "adopt" => summary.adopt += 1,
            "forget" => summary.forget += 1,
            _ => summary.update += 1,
        }
        changes.push(change);
    }
    document.changes = changes;
    document.summary = summary;
    document
}
