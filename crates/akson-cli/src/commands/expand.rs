//! `akson expand`: intents as the blocks that they stand for, in canonical form. What it prints can replace the files: it plans the same.

use akson_config::ExpandError;
use akson_diagnostics::{Diagnostic, Diagnostics, SourceMap, did_you_mean};

use crate::{
    arguments::{Global, OutputFormat},
    codes::{BUG, NO_BLOCK},
    exit::Exit,
    load::{self, Loaded},
    output,
};

/// Prints the configuration, or one block of it.
pub(crate) fn run(global: &Global, address: Option<&str>) -> Exit {
    let mut loaded = Loaded::read(global);
    let expanded = match loaded.expand(global, address) {
        Ok(expanded) => expanded,
        Err(ExpandError::Wrong) => return loaded.refuse(global),
        Err(ExpandError::NoSuchBlock(known)) => {
            let address = address.unwrap_or_default();
            let diagnostic = Diagnostic::error(NO_BLOCK, format!("there is no block `{address}`"));
            let near = did_you_mean(address, known.iter().map(String::as_str));
            return loaded.refuse_with(
                match near {
                    Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                    None => diagnostic.help("name a block of this configuration by keyword and label"),
                },
                global,
            );
        }
    };
    let mut files = Vec::with_capacity(expanded.len());
    for file in expanded {
        let mut sources = SourceMap::new();
        let id = sources.add(file.name.as_str(), file.text);
        match akson_parser::format(&sources, id) {
            Ok(text) => files.push((file.name, text)),
            Err(mut wrong) => {
                wrong.push(Diagnostic::error(BUG, "what this expands to cannot be read: a bug in akson"));
                load::report(&wrong, &sources, global);
                return Exit::Error;
            }
        }
    }
    if global.format == Some(OutputFormat::Json) {
        let list: Vec<_> = files.iter().map(|(name, text)| serde_json::json!({ "file": name, "text": text })).collect();
        let value = serde_json::json!({
            "files": list,
            "diagnostics": akson_diagnostics::render::json::value(&loaded.diagnostics, &loaded.sources),
        });
        output::result(&akson_diagnostics::render::json::text(&value));
        return Exit::Done;
    }
    load::report(&std::mem::replace(&mut loaded.diagnostics, Diagnostics::new()), &loaded.sources, global);
    let texts: Vec<String> = match files.as_slice() {
        [(_, text)] => vec![text.clone()],
        files => files.iter().map(|(name, text)| format!("# {name}\n\n{text}")).collect(),
    };
    output::result(&texts.join("\n"));
    Exit::Done
}
