//! What changed outside, as a document: what `akson drift` prints, what reports are made from and what a watch counts.

pub(crate) mod adopt;
mod arguments;
mod report;
mod unmanaged;
mod who;

pub(crate) use arguments::{AdoptArguments, DriftArguments, LookArguments};
pub(crate) use report::{Actor, DriftDocument, Severity, Unmanaged};
pub(crate) use unmanaged::quoted;

use akson_diagnostics::Diagnostic;
use akson_planner::codes::CLUSTER_UNSEEN;

use crate::{
    arguments::Global,
    exit::Exit,
    planfile::Asked,
    progress,
    session::{self, Run},
    views::plan::count,
};

/// Looks. What could not be seen is in the document, and makes it incomplete. Who did it is only asked where something was done.
///
/// # Errors
/// The exit code; what is wrong is printed.
pub(crate) async fn look(run: &mut Run, global: &Global, asked: LookArguments) -> Result<DriftDocument, Exit> {
    let ledger = run.peek(global).await?;
    let owned = session::owned(ledger.as_ref());
    let options = session::plan_options(&Asked::default(), global);
    let mut snapshot = run.refresh(&owned, &options, global).await?;
    let plan = run.plan_from(&snapshot, &owned, &options, global)?;
    let unseen = plan.not_verified().count();
    let mut drift = DriftDocument::new(run.document(&plan, true), unseen);
    if !asked.no_unmanaged {
        let _reading = progress::reading(global, "Looking for what nobody declares");
        unmanaged::find(run, &mut drift, &owned, &mut snapshot, global).await?;
    }
    drift.judge(run.loaded.catalog);
    let asking = progress::reading(global, "Asking who did it");
    who::ask(run, &mut drift, &plan, &owned, &snapshot).await;
    drop(asking);
    drift.plan.requests.reads = run.engine.requests();
    Ok(drift)
}

/// That not everything could be looked at, which is an error and never "no drift".
pub(crate) fn incomplete(unseen: usize) -> Diagnostic {
    Diagnostic::error(CLUSTER_UNSEEN, format!("whether {} changed outside is not known", count(unseen, "resource")))
        .note("they lie in a cluster that nobody could look into")
        .help("look from where its API server can be reached; if akson never was in it, apply first")
}
