//! `akson show`: a saved plan in any format. It reads the file and nothing else.

use std::path::Path;

use akson_diagnostics::{Diagnostics, SourceMap};

use crate::{
    arguments::{Global, OutputFormat},
    exit::Exit,
    load, output, planfile,
    views::{markdown, plan},
};

/// Prints a saved plan.
pub(crate) fn run(global: &Global, path: &Path) -> Exit {
    let path = global.directory.join(path);
    match planfile::read(&path) {
        Ok(file) => {
            output::result(&match global.format {
                Some(OutputFormat::Json) => super::plan::to_text(&file.plan),
                Some(OutputFormat::Markdown) => markdown::markdown(&file.plan),
                _ => plan::human(&file.plan),
            });
            Exit::Done
        }
        Err(diagnostic) => {
            load::report(&Diagnostics::from(*diagnostic), &SourceMap::new(), global);
            Exit::Error
        }
    }
}
