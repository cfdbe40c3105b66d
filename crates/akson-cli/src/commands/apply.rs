//! `akson apply`: plans again, asks, carries out. What a step does is the applier's; here is the talk around it.

use std::{
    io::{BufRead as _, IsTerminal as _},
    path::Path,
};

use akson_applier::{End, Report, apply, ledger::Ledger};
use akson_diagnostics::Diagnostic;
use akson_planner::{Action, Change, Plan, Snapshot, Work};

use crate::{
    approval::{self, Moved},
    arguments::{Applying, Global, OutputFormat, Planning},
    codes::{LEDGER_LEFT, NOT_APPROVED, STALE},
    document::PlanDocument,
    exit::Exit,
    output,
    planfile::{self, Asked, PlanFile},
    session::{self, Run},
    views::{apply::View, literal, outputs, plan, stale},
};

/// How many resources that moved are named in one sentence.
const SHOWN: usize = 20;

/// A plan that was saved and looked at, and whether what is still the same may be done without the rest.
pub(crate) struct Approved {
    file: PlanFile,
    partial: bool,
}

/// Plans, asks, applies; or carries out a plan file.
pub(crate) async fn run(
    global: &Global,
    file: Option<&Path>,
    planning: &Planning,
    applying: &Applying,
    partial: bool,
) -> Exit {
    let Some(file) = file else {
        return carry_out(global, Asked::new(planning, false), applying, None).await;
    };
    if *planning != Planning::default() {
        output::aside(
            "error: a plan file says itself what it is for; `--target`, `--replace`, `--max-deletes` and `--all` belong to `akson plan`",
        );
        return Exit::Usage;
    }
    match planfile::read(&global.directory.join(file)) {
        Ok(file) => {
            let asked = file.asked.clone();
            carry_out(global, asked, applying, Some(Approved { file, partial })).await
        }
        Err(diagnostic) => crate::load::Loaded::empty().refuse_with(*diagnostic, global),
    }
}

/// Carries out what is asked for: the whole of `apply` and `destroy`.
pub(crate) async fn carry_out(global: &Global, asked: Asked, applying: &Applying, approved: Option<Approved>) -> Exit {
    match locked(global, &asked, applying, approved.as_ref()).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn locked(
    global: &Global,
    asked: &Asked,
    applying: &Applying,
    approved: Option<&Approved>,
) -> Result<Exit, Exit> {
    let mut run = Run::open(global, usize::from(applying.parallelism)).await?;
    run.stop_on_interrupt();
    let ledger = run.lock(global).await?;
    let exit = planned(&mut run, &ledger, global, asked, applying, approved).await;
    // The kernel frees the lock with the process; that it cannot be freed sooner harms nobody.
    let _ = ledger.close().await;
    exit
}

async fn planned(
    run: &mut Run,
    ledger: &Ledger,
    global: &Global,
    asked: &Asked,
    applying: &Applying,
    approved: Option<&Approved>,
) -> Result<Exit, Exit> {
    let options = session::plan_options(asked, global);
    let owned = ledger.owned();
    let snapshot = run.refresh(&owned, &options, global).await?;
    let mut plan = run.plan_from(&snapshot, &owned, &options, global)?;
    if global.ledger.is_none()
        && run.config.stack.ledger.is_none()
        && std::env::var("CI").is_ok_and(|ci| matches!(ci.as_str(), "true" | "1"))
        && let Some(gone) = left_behind(ledger, &plan)
    {
        return Err(run.refuse_with(gone, global));
    }
    if run.is_guarded(&plan, global) {
        run.report(global);
        return Err(Exit::Guarded);
    }
    let document = run.document(&plan, true);
    let mut stale = false;
    match approved {
        Some(approved) if approved.file.plan.digest != document.digest => {
            withhold(run, (&mut plan, &snapshot), &document, approved, global).await?;
            stale = true;
        }
        Some(_) => {}
        None if plan.is_empty() => {}
        None => {
            run.report(global);
            if !is_json(global) && !global.quiet {
                output::result(&plan::human(&document));
            }
            approve(run, applying, asked, global).await?;
        }
    }
    run.report(global);
    if run.cancel.is_stopped() {
        return Err(Exit::Interrupted);
    }
    // A write that fails before this generation changed means that no request was ever allowed to leave.
    let untouched = ledger.next_generation();
    let changes = plan.changes.iter().filter(|change| change.action != akson_planner::Action::NoOp).count();
    let mut view = View::new(global, is_json(global), changes);
    // What a step took is told from here on: reading, planning and the question are not its.
    let started = run.engine.elapsed();
    let sources = &run.loaded.sources;
    let report = apply(&run.engine, &plan, &snapshot, ledger, &mut |mut event| {
        event.after = event.after.saturating_sub(started);
        view.event(&event, sources, global);
    })
    .await;
    view.finish();
    let took = run.engine.elapsed().saturating_sub(started);
    let exit = match report.end {
        End::Done if stale => Exit::Stale,
        End::Done => Exit::Done,
        End::Interrupted => Exit::Interrupted,
        End::LedgerFailed if ledger.next_generation() == untouched => Exit::Error,
        End::SomeFailed | End::LedgerFailed => Exit::Partial,
    };
    if !is_json(global) {
        told(&document, &report, changes, took, global);
        // What is deleted has nothing more to tell.
        if !asked.destroy {
            print_outputs(&plan, &report);
        }
    }
    Ok(exit)
}

/// On a machine that goes away with its files, a ledger that is missing although the stack exists was left behind on the last one: what is not
/// declared any more would stay for ever.
fn left_behind(ledger: &Ledger, plan: &Plan) -> Option<Diagnostic> {
    if ledger.document().generation > 0 {
        return None;
    }
    let ours = |change: &&Change| {
        matches!(change.work, Work::Record { .. } | Work::Write { exists: true, .. }) && change.action != Action::Adopt
    };
    let change = plan.changes.iter().find(ours)?;
    Some(
        Diagnostic::error(LEDGER_LEFT, format!("this stack exists, and its ledger is not on this machine: {}", literal::safe(&ledger.place())))
            .note(format!("`{}` bears its mark", literal::safe(&change.address)))
            .note("without its ledger nothing is deleted that is not declared any more, and here the new one would be lost again")
            .help("keep it in a blob: `ledger = azure_blob(\"https://…\")` in the `stack` block, `--ledger URL` or AKSON_LEDGER"),
    )
}

/// The line at the end, and how to go on.
fn told(document: &PlanDocument, report: &Report, changes: usize, took: std::time::Duration, global: &Global) {
    if changes == 0 {
        if !global.quiet {
            output::result(&plan::human(document));
        }
    } else if !global.quiet || report.end != End::Done {
        output::aside(&crate::views::apply::summary(report.counts, took));
    }
    match report.end {
        End::Done => {}
        End::SomeFailed => {
            output::aside("what succeeded is recorded; mend what failed, then run the same command again to continue");
        }
        End::LedgerFailed => {
            output::aside(
                "nothing was sent that is not announced in the ledger; see that it can be written, then run the same command again: it looks first what came of what was sent",
            );
        }
        End::Interrupted => {
            for line in crate::views::apply::left_off(&report.left, &report.not_begun) {
                output::aside(&line);
            }
            output::aside(if report.left.is_empty() {
                "interrupted: what was done is recorded; run the same command again to continue"
            } else {
                "interrupted: what was done is recorded; run the same command again to continue: it looks first what came of what is under way"
            });
        }
    }
}

fn print_outputs(plan: &Plan, report: &Report) {
    if plan.outputs.is_empty() || report.end != End::Done {
        return;
    }
    let text = outputs::human(&report.outputs, akson_planner::json::output);
    if !text.is_empty() {
        output::result(&format!("\n{text}"));
    }
}

/// Takes out of the plan what is not as it was approved, or refuses all of it.
async fn withhold(
    run: &mut Run,
    (plan, snapshot): (&mut Plan, &Snapshot),
    now: &PlanDocument,
    approved: &Approved,
    global: &Global,
) -> Result<(), Exit> {
    let mut moved = approval::moved(&approved.file.plan, now);
    let since = approved.file.made.as_deref();
    let unread = approval::ask_who(&mut moved, &run.engine, (plan, snapshot), since).await;
    let addresses: Vec<String> = moved.iter().map(|moved| moved.address.clone()).collect();
    let headline = match addresses.len() {
        0 => "the plan is stale: it was made for another stack, cloud or subscription".to_owned(),
        1 => "the plan is stale: 1 resource would be treated differently now".to_owned(),
        number => format!("the plan is stale: {number} resources would be treated differently now"),
    };
    // Without a resource that differs there is no rest that would be the approved one.
    let partial = approved.partial && !addresses.is_empty();
    let mut diagnostic =
        if partial { Diagnostic::warning(STALE, headline) } else { Diagnostic::error(STALE, headline) };
    for why in unread {
        diagnostic = diagnostic.note(format!("who moved it is not all known: {}", literal::safe(&why)));
    }
    tell(&moved, now, global);
    if !partial {
        let named: Vec<String> =
            addresses.iter().take(SHOWN).map(|address| format!("`{}`", literal::safe(address))).collect();
        if !named.is_empty() {
            diagnostic = diagnostic.note(format!("what moved since it was approved: {}", named.join(", ")));
        }
        diagnostic = diagnostic.note("nothing was changed").help(
            "plan again with `akson plan --out FILE`, look at it and apply that; `--partial` applies the actions that are still the same",
        );
        run.refuse_with(diagnostic, global);
        return Err(Exit::Stale);
    }
    let withheld = plan.withhold(&addresses);
    let also: Vec<String> = withheld.into_iter().filter(|address| !addresses.contains(address)).collect();
    if !also.is_empty() {
        let also: Vec<String> = also.iter().map(|address| format!("`{}`", literal::safe(address))).collect();
        diagnostic = diagnostic.note(format!("what needs them is left out, too: {}", also.join(", ")));
    }
    run.loaded.diagnostics.push(diagnostic.help("plan and approve the rest again"));
    Ok(())
}

/// Shows what moved, three ways.
fn tell(moved: &[Moved], now: &PlanDocument, global: &Global) {
    match global.format {
        _ if moved.is_empty() => {}
        Some(OutputFormat::Json) => {
            for event in stale::events(moved) {
                output::result(&akson_diagnostics::render::json::line(&event));
            }
        }
        Some(OutputFormat::Markdown) => output::result(&stale::markdown(&now.stack, moved)),
        _ => output::aside(&stale::human(moved)),
    }
}

/// Asks for `yes`, unless that was said already.
async fn approve(run: &mut Run, applying: &Applying, asked: &Asked, global: &Global) -> Result<(), Exit> {
    if applying.auto_approve {
        return Ok(());
    }
    let question = if asked.destroy { "Delete all of this?" } else { "Carry this out?" };
    let otherwise =
        "give `--auto-approve`, or save a plan with `akson plan --out FILE`, look at it, and apply that file";
    ask(run, question, otherwise, global).await
}

/// Asks a question that only `yes` answers. Where nobody can be asked, the help says what to do `otherwise`.
pub(crate) async fn ask(run: &mut Run, question: &str, otherwise: &str, global: &Global) -> Result<(), Exit> {
    let refused =
        |headline: &str, help: &str| Diagnostic::error(NOT_APPROVED, headline).note("nothing was changed").help(help);
    if !std::io::stdin().is_terminal() || is_json(global) {
        return Err(run.refuse_with(refused("nobody can be asked to approve", otherwise), global));
    }
    output::aside(&format!("{question} Only `yes` is taken for consent:"));
    let answer = tokio::select! {
        answer = line() => answer,
        () = run.cancel.stopped() => return Err(Exit::Interrupted),
    };
    if answer.is_some_and(|answer| answer.trim() == "yes") {
        return Ok(());
    }
    Err(run.refuse_with(refused("it was not approved", "answer `yes` to carry it out"), global))
}

/// A line from stdin. It is read in a thread of its own, so that Ctrl-C is heard while the question stands.
async fn line() -> Option<String> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut answer = String::new();
        let read = std::io::stdin().lock().read_line(&mut answer);
        let _ = sender.send(read.is_ok().then_some(answer));
    });
    receiver.await.ok().flatten()
}

fn is_json(global: &Global) -> bool {
    global.format == Some(OutputFormat::Json)
}
