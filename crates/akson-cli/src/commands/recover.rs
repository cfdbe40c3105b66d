//! `akson ledger recover`: a lost or damaged ledger made again, of what bears the stack's mark in Azure. It reads Azure and writes the
//! ledger; it changes nothing that exists, and takes nothing over that another stack has marked.

use std::{fmt::Write as _, sync::Arc};

use akson_applier::{
    Recovered, Recovery,
    ledger::{Entry, Ledger, LedgerError},
    recover, report,
};
use akson_catalog::SymbolicId;
use serde_json::{Value as Json, json};

use super::apply::ask;
use crate::{
    arguments::{Global, OutputFormat},
    exit::Exit,
    output, progress,
    session::Run,
    views::literal::safe,
};

/// How many requests are in flight.
const AT_ONCE: usize = 16;

/// Looks, shows what was found, and writes it once that is approved.
pub(crate) async fn run(global: &Global, yes: bool) -> Exit {
    let mut run = match Run::open(global, AT_ONCE).await {
        Ok(run) => run,
        Err(exit) => return exit,
    };
    run.stop_on_interrupt();
    let opened = Ledger::open_damaged(Arc::clone(&run.store), &run.binding, run.engine.run()).await;
    let (ledger, unreadable) = match opened {
        Ok(opened) => opened,
        Err(error) => return run.refuse_with(report::ledger(&error), global),
    };
    let exit = match recovered(&mut run, &ledger, &unreadable, yes, global).await {
        Ok(exit) | Err(exit) => exit,
    };
    // It is freed when the process ends in any case.
    let _ = ledger.close().await;
    exit
}

async fn recovered(
    run: &mut Run,
    ledger: &Ledger,
    unreadable: &[(String, String)],
    yes: bool,
    global: &Global,
) -> Result<Exit, Exit> {
    let owned = ledger.owned();
    run.hold_names(&owned, global)?;
    let reading = progress::reading_cloud(global);
    let found = recover(&run.engine, run.loaded.catalog, &run.config, &owned).await;
    drop(reading);
    let found = match found {
        Ok(found) => found,
        Err(_) if run.cancel.is_stopped() => return Err(Exit::Interrupted),
        Err(failure) => return Err(run.refuse_with(report::read_for(&failure, &run.config), global)),
    };
    let nothing = found.entries.is_empty() && found.ways.is_empty() && unreadable.is_empty();
    let is_json = global.format == Some(OutputFormat::Json);
    if !is_json {
        run.report(global);
        output::result(&shown(&found, ledger, unreadable));
    }
    if nothing {
        if is_json {
            output::result(&akson_diagnostics::render::json::text(&document(&found, ledger, false)));
        }
        return Ok(Exit::Done);
    }
    if !yes {
        let otherwise = "look at what is found, then run it again with `--yes`";
        ask(run, "Write this into the ledger?", otherwise, global).await?;
    }
    let entries: Vec<(SymbolicId, Option<Entry>)> =
        found.entries.iter().map(|found| (found.symbolic_id.clone(), Some(found.entry.clone()))).collect();
    let place = ledger.place();
    let failed = |error| report::ledger(&LedgerError::Store { place: place.clone(), error });
    if let Err(error) = ledger.change(entries).await {
        return Err(run.refuse_with(failed(error), global));
    }
    for (cluster, way) in &found.ways {
        if let Err(error) = ledger.remember(cluster, Some(way.clone())).await {
            return Err(run.refuse_with(failed(error), global));
        }
    }
    if is_json {
        output::result(&akson_diagnostics::render::json::text(&document(&found, ledger, true)));
    } else {
        output::aside(&format!(
            "written to {}: `akson plan` shows what the next apply would do with it",
            safe(&ledger.place())
        ));
    }
    Ok(Exit::Done)
}

/// What was found, for people.
fn shown(found: &Recovered, ledger: &Ledger, unreadable: &[(String, String)]) -> String {
    let mut out = String::new();
    for (path, why) in unreadable {
        let _ = writeln!(out, "cannot be read: {}: {}", safe(path), safe(why));
    }
    let had = ledger.document().entries.len();
    let _ = writeln!(out, "the ledger {} has {had} entries", safe(&ledger.place()));
    let (declared, orphaned): (Vec<&Recovery>, Vec<&Recovery>) = found.entries.iter().partition(|found| found.declared);
    let mut section = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            let _ = writeln!(out, "\n{title}");
            for line in lines {
                let _ = writeln!(out, "  {line}");
            }
        }
    };
    let named = |found: &&Recovery| {
        let what =
            if found.entry.owned.address.is_empty() { &found.entry.owned.kind } else { &found.entry.owned.address };
        format!("{:<28} {}", safe(what), safe(&found.entry.owned.id))
    };
    section("Bears this stack's mark, and is declared:", declared.iter().map(named).collect());
    section(
        "Bears this stack's mark, and no block declares it: the next apply would delete it",
        orphaned.iter().map(named).collect(),
    );
    section(
        "Declared and not found by a mark: the next apply adopts what of it is there",
        found.unmarked.iter().map(|address| safe(address)).collect(),
    );
    section(
        "Declared, and bears another stack's mark: not taken over",
        found.others.iter().map(|(id, stack)| format!("{}: stack {}", safe(id), safe(stack))).collect(),
    );
    section(
        "Bears this stack's mark, and which resource it is cannot be told: left alone",
        found.untold.iter().map(|id| safe(id)).collect(),
    );
    section(
        "Could not be looked into:",
        found.unseen.iter().map(|(place, why)| format!("{}: {}", safe(place), safe(why))).collect(),
    );
    if found.entries.is_empty() {
        out.push_str("\nNothing is to be added.\n");
    }
    out
}

fn document(found: &Recovered, ledger: &Ledger, written: bool) -> Json {
    let entry = |found: &Recovery| {
        json!({
            "symbolic_id": found.symbolic_id.as_str(),
            "id": found.entry.owned.id,
            "kind": found.entry.owned.kind,
            "address": found.entry.owned.address,
            "declared": found.declared,
        })
    };
    let pair = |first: &'static str, second: &'static str, pairs: &[(String, String)]| {
        pairs.iter().map(|(one, two)| json!({ first: one, second: two })).collect::<Vec<_>>()
    };
    json!({
        "stack": ledger.document().binding.stack,
        "written": written,
        "known": found.known,
        "recovered": found.entries.iter().map(entry).collect::<Vec<_>>(),
        "unmarked": found.unmarked,
        "other_stacks": pair("id", "stack_id", &found.others),
        "untold": found.untold,
        "unseen": pair("place", "why", &found.unseen),
    })
}
