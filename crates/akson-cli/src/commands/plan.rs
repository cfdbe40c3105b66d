//! `akson plan`: what would change, from live state. It locks nothing and writes nothing but the file it is asked for.

use std::path::PathBuf;

use akson_diagnostics::Diagnostic;
use serde::Serialize;

use crate::{
    arguments::{Global, OutputFormat, Planning},
    codes::ACCESS_INCOMPLETE,
    exit::Exit,
    output,
    planfile::{self, Asked},
    session::{self, Run},
    views::{markdown, plan},
};

/// The flags of `plan` alone.
pub(crate) struct Flags {
    pub(crate) out: Option<PathBuf>,
    pub(crate) destroy: bool,
    pub(crate) detailed: bool,
    pub(crate) deny_new_access: bool,
}

/// Plans and prints.
pub(crate) async fn run(global: &Global, planning: &Planning, flags: &Flags) -> Exit {
    match planned(global, planning, flags).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn planned(global: &Global, planning: &Planning, flags: &Flags) -> Result<Exit, Exit> {
    let mut run = Run::open(global, 16).await?;
    if flags.deny_new_access {
        let refused = Diagnostic::error(ACCESS_INCOMPLETE, "this version cannot tell whether a plan grants new access")
            .note("its analysis of access is not complete, and a promise that is not kept is worse than none")
            .help("leave `--deny-new-access` out and review the plan");
        return Err(run.refuse_with(refused, global));
    }
    let asked = Asked::new(planning, flags.destroy);
    let document = run.peek(global).await?;
    let options = session::plan_options(&asked, global);
    let plan = run.plan(&session::owned(document.as_ref()), &options, global).await?;
    let refused = run.is_guarded(&plan, global);
    let whole = run.document(&plan, true);
    if let Some(path) = &flags.out
        && !refused
        && let Err(diagnostic) = planfile::write(&global.directory.join(path), asked, whole.clone())
    {
        return Err(run.refuse_with(*diagnostic, global));
    }
    let changes = whole.summary.changes();
    match global.format {
        // The diagnostics are in the document.
        Some(OutputFormat::Json) => output::result(&to_text(&run.document(&plan, planning.all))),
        format => {
            run.report(global);
            output::result(&match format {
                Some(OutputFormat::Markdown) => markdown::markdown(&whole),
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

/// A plan, or what is made of one, as one JSON document, safe to print.
pub(crate) fn to_text(document: &impl Serialize) -> String {
    serde_json::to_value(document).map(|value| akson_diagnostics::render::json::text(&value)).unwrap_or_default()
}
