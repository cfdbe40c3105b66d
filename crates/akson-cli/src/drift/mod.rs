//! What changed outside, as a document: what `akson drift` prints, what reports are made from and what a watch counts.

mod arguments;
mod report;

pub(crate) use arguments::DriftArguments;
pub(crate) use report::{Actor, DriftDocument, Severity};

use akson_diagnostics::Diagnostic;
use akson_planner::codes::CLUSTER_UNSEEN;

use crate::{
    arguments::Global,
    exit::Exit,
    planfile::Asked,
    session::{self, Run},
    views::plan::count,
};

/// Looks. What could not be seen is in the document, and makes it incomplete.
///
/// # Errors
/// The exit code; what is wrong is printed.
pub(crate) async fn look(run: &mut Run, global: &Global) -> Result<DriftDocument, Exit> {
    let ledger = run.peek(global).await?;
    let options = session::plan_options(&Asked::default(), global);
    let plan = run.plan(&session::owned(ledger.as_ref()), &options, global).await?;
    let unseen = plan.not_verified().count();
    Ok(DriftDocument::new(run.document(&plan, true), unseen))
}

/// That not everything could be looked at, which is an error and never "no drift".
pub(crate) fn incomplete(unseen: usize) -> Diagnostic {
    Diagnostic::error(CLUSTER_UNSEEN, format!("whether {} changed outside is not known", count(unseen, "resource")))
        .note("they lie in a cluster that nobody could look into")
        .help("look from where its API server can be reached; if akson never was in it, apply first")
}
