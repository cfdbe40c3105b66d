//! `akson init`: a small working configuration. It never overwrites anything and asks nothing.

use std::{fs, io::Write as _, path::Path};

use akson_diagnostics::{Diagnostic, Diagnostics, SourceMap};

use crate::{arguments::Global, codes::NOT_WRITTEN, exit::Exit, load, output};

const MAIN: &str = include_str!("init/main.aks.txt");
const IGNORE: &str = ".akson/\n*.plan\n";
const PIPELINE: &str = include_str!("init/pipeline.yml");

/// Writes what is not there yet.
pub(crate) fn run(global: &Global, directory: Option<&Path>) -> Exit {
    let directory = directory.map_or_else(|| global.directory.clone(), |given| global.directory.join(given));
    let mut diagnostics = Diagnostics::new();
    let has_sources = fs::read_dir(&directory).is_ok_and(|entries| {
        entries.filter_map(Result::ok).any(|entry| entry.path().extension().is_some_and(|extension| extension == "aks"))
    });
    if has_sources {
        diagnostics.push(
            Diagnostic::error(NOT_WRITTEN, format!("`{}` already has a configuration", directory.display()))
                .help("name another folder: `akson init DIR`"),
        );
    } else {
        for (name, text) in [("main.aks", MAIN), (".gitignore", IGNORE), (".github/workflows/akson.yml", PIPELINE)] {
            match write(&directory.join(name), text) {
                Ok(true) => output::result(&format!("created  {name}")),
                Ok(false) => output::result(&format!("kept     {name}, which was there")),
                Err(error) => diagnostics.push(
                    Diagnostic::error(
                        NOT_WRITTEN,
                        format!("cannot write `{}`: {error}", directory.join(name).display()),
                    )
                    .help("mend the folder's permissions or free some space"),
                ),
            }
        }
    }
    load::report(&diagnostics, &SourceMap::new(), global);
    if diagnostics.has_errors() {
        return Exit::Error;
    }
    if !global.quiet {
        let chdir = if directory.as_os_str() == "." { String::new() } else { format!(" -C {}", directory.display()) };
        output::result(&format!("next     akson{chdir} apply --cloud emulator"));
    }
    Exit::Done
}

/// Writes a new file; false if there is one already.
fn write(path: &Path, text: &str) -> std::io::Result<bool> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    match fs::File::create_new(path) {
        Ok(mut file) => file.write_all(text.as_bytes()).map(|()| true),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}
