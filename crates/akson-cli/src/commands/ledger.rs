//! `akson ledger`: what the stack owns, by symbolic id; what it is to own no more; its lock. Ids and hashes: there are no values in it.

use std::fmt::Write as _;

use akson_applier::{
    ledger::{Ledger, LedgerError, show as show_document},
    report,
};
use akson_diagnostics::Diagnostic;

use crate::{
    arguments::{Global, OutputFormat},
    codes::NOT_IN_LEDGER,
    exit::Exit,
    output,
    session::Run,
    views::literal,
};

/// Prints the ledger.
pub(crate) async fn show(global: &Global) -> Exit {
    let mut run = match Run::open(global, 1).await {
        Ok(run) => run,
        Err(exit) => return exit,
    };
    let document = match run.peek(global).await {
        Ok(document) => document,
        Err(exit) => return exit,
    };
    let Some(document) = document else {
        match global.format {
            Some(OutputFormat::Json) => {
                let nothing = serde_json::json!({ "stack": run.binding.stack, "entries": [] });
                output::result(&akson_diagnostics::render::json::line(&nothing));
            }
            _ => output::result(&format!("stack `{}` has no ledger yet", literal::safe(&run.binding.stack))),
        }
        return Exit::Done;
    };
    let mut value = show_document(&document);
    if global.format == Some(OutputFormat::Json) {
        value["diagnostics"] = akson_diagnostics::render::json::value(&run.loaded.diagnostics, &run.loaded.sources);
        output::result(&akson_diagnostics::render::json::text(&value));
        return Exit::Done;
    }
    run.report(global);
    let mut out = String::new();
    let _ = writeln!(
        out,
        "stack `{}` on {}, generation {}, in {}",
        literal::safe(&document.binding.stack),
        document.binding.cloud,
        document.generation,
        literal::safe(&run.store.place())
    );
    for entry in value["entries"].as_array().into_iter().flatten() {
        let text = |name: &str| entry[name].as_str().map(literal::safe).unwrap_or_default();
        let _ = writeln!(out, "  {:<9} {:<22} {}", text("state"), text("kind"), text("id"));
    }
    output::result(&out);
    Exit::Done
}

/// Takes resources out of the ledger. Nothing is sent to Azure.
pub(crate) async fn forget(global: &Global, resources: &[String]) -> Exit {
    let mut run = match Run::open(global, 1).await {
        Ok(run) => run,
        Err(exit) => return exit,
    };
    let ledger = match run.lock(global).await {
        Ok(ledger) => ledger,
        Err(exit) => return exit,
    };
    let exit = forgotten(&mut run, &ledger, global, resources).await;
    // It is freed when the process ends in any case.
    let _ = ledger.close().await;
    exit
}

async fn forgotten(run: &mut Run, ledger: &Ledger, global: &Global, resources: &[String]) -> Exit {
    let document = ledger.document();
    let mut out = Vec::new();
    for wanted in resources {
        let found = document.entries.iter().find(|(id, entry)| {
            entry.owned.address == *wanted
                || entry.owned.id.eq_ignore_ascii_case(wanted)
                || id.as_str().eq_ignore_ascii_case(wanted)
        });
        let Some((id, _)) = found else {
            let diagnostic = Diagnostic::error(NOT_IN_LEDGER, format!("the ledger has no `{}`", literal::safe(wanted)))
                .note("nothing was changed")
                .help("`akson ledger show` lists what is in it, by id");
            return run.refuse_with(diagnostic, global);
        };
        out.push((id.clone(), None));
    }
    let names: Vec<String> = out.iter().map(|(id, _)| literal::safe(id.as_str())).collect();
    if let Err(error) = ledger.change(out).await {
        let error = LedgerError::Store { place: ledger.place(), error };
        return run.refuse_with(report::ledger(&error), global);
    }
    for name in names {
        output::aside(&format!("forgotten: {name}"));
    }
    Exit::Done
}

/// Takes the lock from whoever holds it.
pub(crate) async fn unlock(global: &Global) -> Exit {
    let mut run = match Run::open(global, 1).await {
        Ok(run) => run,
        Err(exit) => return exit,
    };
    match run.store.break_lock().await {
        Ok(true) => {
            output::aside(&format!("nobody holds the ledger {} any more", literal::safe(&run.store.place())));
            Exit::Done
        }
        Ok(false) => {
            output::aside("nothing to do: a ledger in a file is free as soon as the run that held it has ended");
            Exit::Done
        }
        Err(error) => {
            let error = LedgerError::Store { place: run.store.place(), error };
            run.refuse_with(report::ledger(&error), global)
        }
    }
}
