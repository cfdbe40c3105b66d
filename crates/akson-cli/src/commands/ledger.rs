//! `akson ledger show`: what the stack owns, by symbolic id. Ids and hashes; there are no values in it.

use std::fmt::Write as _;

use akson_applier::ledger::show as show_document;

use crate::{
    arguments::{Global, OutputFormat},
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
                output::result(&serde_json::json!({ "stack": run.binding.stack, "entries": [] }).to_string());
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
        run.store.place()
    );
    for entry in value["entries"].as_array().into_iter().flatten() {
        let text = |name: &str| entry[name].as_str().map(literal::safe).unwrap_or_default();
        let _ = writeln!(out, "  {:<9} {:<22} {}", text("state"), text("kind"), text("id"));
    }
    output::result(&out);
    Exit::Done
}
