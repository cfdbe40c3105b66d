//! `akson check`: everything that is wrong, in one run, without network or credentials; in one stack, or in many as if they were one.

use akson_diagnostics::{
    Diagnostic, Diagnostics, Severity, SourceId, SourceMap,
    render::{self, json},
};
use serde_json::{Value, json};

use crate::{
    arguments::{Global, OutputFormat},
    exit::Exit,
    load::{self, Loaded},
    output,
    schedule::{self, EachArguments},
    views::{
        literal,
        plan::count,
        stacks::{Row, table},
    },
};

const OK: &str = "ok";
const FAILED: &str = "failed";

/// Checks the configuration and prints what was found.
pub(crate) fn run(global: &Global, each: &EachArguments) -> Exit {
    if each.is_many() {
        return many(global, each);
    }
    let mut loaded = Loaded::read(global);
    let config = loaded.evaluate_offline(global);
    let failed = loaded.diagnostics.has_errors();
    loaded.report_all(global);
    if let (Some(config), true, false) = (config, is_for_people(global), failed || global.quiet) {
        output::result(&format!(
            "{} of stack `{}`: no errors",
            count(config.resources.len(), "resource"),
            literal::safe(&config.stack.label)
        ));
    }
    if failed { Exit::Error } else { Exit::Done }
}

fn is_for_people(global: &Global) -> bool {
    matches!(global.format, None | Some(OutputFormat::Human))
}

fn many(global: &Global, each: &EachArguments) -> Exit {
    let folders = match each.folders(&global.directory) {
        Ok(folders) => folders,
        Err(error) => {
            load::report(&Diagnostics::from(schedule::no_stacks(&error)), &SourceMap::new(), global);
            return Exit::Error;
        }
    };
    let (mut all, mut rows) = (All::default(), Vec::new());
    for folder in folders {
        let inner = schedule::of_stack(global, &folder);
        let mut loaded = Loaded::read(&inner);
        let config = loaded.evaluate_offline(&inner);
        let outcome = if loaded.diagnostics.has_errors() { FAILED } else { OK };
        if global.format == Some(OutputFormat::Json) {
            output::result(&json::line(&json!({
                "folder": folder,
                "stack": config.as_ref().map(|config| &config.stack.label),
                "resources": config.as_ref().map(|config| config.resources.len()),
                "diagnostics": json::value(&loaded.diagnostics, &loaded.sources),
                "summary": summary(&loaded.diagnostics),
            })));
        }
        let found = match &config {
            Some(config) => count(config.resources.len(), "resource"),
            None => render::summary(&loaded.diagnostics),
        };
        all.add(&loaded, &folder);
        rows.push(Row { folder, outcome, what: found });
    }
    if global.format != Some(OutputFormat::Json) {
        load::report_all(&all.diagnostics, &all.sources, global);
    }
    if is_for_people(global) && !global.quiet {
        output::result(&table(&rows, &[OK, FAILED]));
    }
    if rows.iter().any(|row| row.outcome == FAILED) { Exit::Error } else { Exit::Done }
}

fn summary(diagnostics: &Diagnostics) -> Value {
    json!({ "errors": diagnostics.count(Severity::Error), "warnings": diagnostics.count(Severity::Warning) })
}

/// What was found in many stacks, as if they were one: a reader of SARIF or `JUnit` takes one document.
#[derive(Default)]
struct All {
    sources: SourceMap,
    diagnostics: Diagnostics,
}

impl All {
    fn add(&mut self, loaded: &Loaded, folder: &str) {
        let moved: Vec<(SourceId, SourceId)> = loaded
            .sources
            .iter()
            .map(|(id, source)| (id, self.sources.add(source.name.clone(), source.text.clone())))
            .collect();
        let here = |id: &mut SourceId| {
            if let Some((_, now)) = moved.iter().find(|(before, _)| before == id) {
                *id = *now;
            }
        };
        for found in &loaded.diagnostics {
            let mut found: Diagnostic = found.clone();
            found.labels.iter_mut().for_each(|label| here(&mut label.span.source));
            found.suggestions.iter_mut().for_each(|suggestion| here(&mut suggestion.span.source));
            // Two stacks have resources of one address, and an alert is recognised by it.
            if let Some(address) = found.address.as_mut().filter(|_| folder != ".") {
                *address = format!("{folder}: {address}");
            }
            self.diagnostics.push(found);
        }
    }
}
