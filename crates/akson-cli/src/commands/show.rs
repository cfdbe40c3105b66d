//! `akson show`: a saved plan in any format. It reads the file and nothing else.

use std::path::Path;

use akson_diagnostics::{Diagnostics, SourceMap};

use crate::{
    arguments::{Global, OutputFormat},
    exit::Exit,
    load, output,
    pipeline::PipelineFiles,
    planfile,
    views::{markdown, plan},
};

/// Prints a saved plan.
pub(crate) fn run(global: &Global, path: &Path, files: &PipelineFiles) -> Exit {
    let read = planfile::read(&global.directory.join(path));
    match read.and_then(|file| files.write(&file.plan, "", &global.directory).map(|()| file)) {
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
