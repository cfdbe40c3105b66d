//! `akson check`: everything that is wrong, in one run, without network or credentials.

use crate::{
    arguments::{Global, OutputFormat},
    exit::Exit,
    load::Loaded,
    output,
};

/// Checks the configuration and prints what was found.
pub(crate) fn run(global: &Global) -> Exit {
    let mut loaded = Loaded::read(global);
    let config = loaded.evaluate_offline(global);
    let failed = loaded.diagnostics.has_errors();
    loaded.report_all(global);
    if let (Some(config), None | Some(OutputFormat::Human), false) = (config, global.format, failed || global.quiet) {
        output::result(&format!(
            "{} of stack `{}`: no errors",
            crate::views::plan::count(config.resources.len(), "resource"),
            crate::views::literal::safe(&config.stack.label)
        ));
    }
    if failed { Exit::Error } else { Exit::Done }
}
