//! `akson import`: existing objects as `.aks` text. It changes nothing in Azure and records no ownership: the plan of what it prints adopts, and
//! `akson apply` of that makes them the stack's.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use akson_applier::{Cancel, Gathered, Unread, gather, report};
use akson_catalog::ArmId;
use akson_config::{
    Inputs,
    import::{ImportOptions, Imported, Skipped, import},
};
use akson_diagnostics::{Diagnostic, Diagnostics, SafeText, SourceMap};
use serde_json::{Value as Json, json};

use crate::{
    arguments::{Global, ImportArguments, OutputFormat},
    cloud::{self, Identity},
    codes::{BAD_OBJECTS, BUG, NOT_WRITTEN, NOTHING_TO_IMPORT, UNREADABLE},
    exit::Exit,
    load::Loaded,
    output, progress, session,
    sign_in::{self, Written},
    ways,
};

/// How many requests are in flight.
const AT_ONCE: usize = 16;

/// Prints the configuration of what is there.
pub(crate) async fn run(global: &Global, asked: &ImportArguments) -> Exit {
    let mut loaded = Loaded::empty();
    if loaded.diagnostics.has_errors() {
        return loaded.refuse(global);
    }
    match imported(global, asked, &loaded).await {
        Ok(imported) => told(global, asked, &imported, &mut loaded),
        Err(diagnostic) => loaded.refuse_with(*diagnostic, global),
    }
}

async fn imported(global: &Global, asked: &ImportArguments, loaded: &Loaded) -> Result<Imported, Box<Diagnostic>> {
    let mut options = ImportOptions {
        stack: String::new(),
        tenant: None,
        subscription: asked.subscription.clone(),
        token_exchange_audience: akson_azure::Cloud::by_name(global.cloud.as_str())
            .unwrap_or(akson_azure::Cloud::PUBLIC)
            .token_exchange_audience
            .to_owned(),
        ..ImportOptions::default()
    };
    let mut unread = Vec::new();
    let (objects, name) = if asked.files.is_empty() {
        let (gathered, identity, name) = live(global, asked, loaded).await?;
        options.tenant = Some(identity.tenant);
        options.subscription = Some(identity.subscription);
        options.api_versions = gathered.api_versions;
        options.looked_at = gathered.looked_at;
        unread = gathered.unread;
        if let Err(error) = ways::keep(&global.directory, gathered.ways) {
            unread.push(Unread {
                id: global.directory.display().to_string(),
                why: format!("how its clusters are reached is not kept: {error}"),
            });
        }
        (gathered.objects, name)
    } else {
        let mut objects = Vec::new();
        for path in &asked.files {
            read(path, &mut objects)?;
        }
        let name =
            asked.files.first().and_then(|path| path.file_stem()).map(|name| name.to_string_lossy().into_owned());
        (objects, name.unwrap_or_default())
    };
    options.stack = asked.stack.clone().unwrap_or_else(|| stack_name(&name));
    let mut imported = import(&objects, loaded.catalog, &options);
    imported.skipped.extend(unread.into_iter().map(|unread| Skipped { id: unread.id, why: unread.why }));
    if imported.declared.is_empty() {
        let mut diagnostic = Diagnostic::error(NOTHING_TO_IMPORT, "there is nothing to declare");
        for skipped in imported.skipped.iter().take(5) {
            diagnostic =
                diagnostic.note(format!("`{}` is left out: {}", SafeText(&skipped.id), SafeText(&skipped.why)));
        }
        return Err(Box::new(diagnostic.help("check the ids, the subscription and who is signed in")));
    }
    check(&imported, loaded)?;
    Ok(imported)
}

/// Reads what was asked for; and what the stack may be called.
async fn live(
    global: &Global,
    asked: &ImportArguments,
    loaded: &Loaded,
) -> Result<(Gathered, Identity, String), Box<Diagnostic>> {
    let written = Written { subscription: asked.subscription.clone(), ..Written::default() };
    let signing_in = progress::signing_in(global);
    let mut session = cloud::open(global, &written).await?;
    if let Some(progress) = &global.progress {
        session.transport = progress.counted(session.transport);
    }
    let engine = session::engine(&session, AT_ONCE, &Cancel::new());
    let mut identity = session.identity.clone();
    if let Some(signed_in) = &session.signed_in {
        identity.tenant = sign_in::settle_tenant(&engine, &identity, signed_in, &written).await?;
        drop(signing_in);
        if !global.quiet {
            output::aside(&sign_in::announcement(session.cloud, signed_in, &identity));
        }
    }
    if let Some(subscription) = &asked.subscription {
        identity.subscription.clone_from(subscription);
    }
    let subscription = format!("/subscriptions/{}", identity.subscription);
    let mut places: Vec<ArmId> = Vec::new();
    let mut directory = Vec::new();
    for id in &asked.ids {
        if let Ok(object) = uuid::Uuid::try_parse(id) {
            directory.push(object.to_string());
            continue;
        }
        if !id.starts_with("/subscriptions/") {
            return Err(Box::new(
                Diagnostic::error(NOTHING_TO_IMPORT, format!("`{}` is neither an ARM id below a subscription nor an object id of the directory", SafeText(id)))
                    .help("an id begins with `/subscriptions/`, as `az resource show --query id` prints it; one of the directory is a GUID"),
            ));
        }
        places.push(ArmId::new(id.trim_end_matches('/')));
    }
    places.extend(asked.groups.iter().map(|group| ArmId::new(format!("{subscription}/resourceGroups/{group}"))));
    if places.is_empty() && directory.is_empty() {
        places.push(ArmId::new(subscription));
    }
    let name = match places.as_slice() {
        [only] if only.name() != identity.subscription => only.name().to_owned(),
        _ => String::new(),
    };
    let _reading = progress::reading_cloud(global);
    let gathered = gather(&engine, loaded.catalog, &places, &directory, !asked.no_clusters)
        .await
        .map_err(|failure| Box::new(report::read(&failure)))?;
    Ok((gathered, identity, name))
}

/// Objects of a file: one, a list, an answer with one, or one a line; or of all such files of a folder.
fn read(path: &Path, objects: &mut Vec<Json>) -> Result<(), Box<Diagnostic>> {
    let unreadable = |error: std::io::Error| {
        Box::new(
            Diagnostic::error(UNREADABLE, format!("cannot read `{}`: {error}", path.display()))
                .help("name a file of JSON or JSON lines, or a folder of such files"),
        )
    };
    if path.is_dir() {
        let mut paths: Vec<PathBuf> =
            fs::read_dir(path).map_err(unreadable)?.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
        paths.sort();
        let is_data = |path: &&PathBuf| path.extension().is_some_and(|end| end == "json" || end == "jsonl");
        return paths.iter().filter(is_data).try_for_each(|path| read(path, objects));
    }
    let text = fs::read_to_string(path).map_err(unreadable)?;
    let broken = |line: usize, error: &serde_json::Error| {
        Box::new(
            Diagnostic::error(BAD_OBJECTS, format!("`{}` is not what Azure answers: {error}", path.display()))
                .note(format!("in or after line {line}"))
                .help("it is one object as Azure returns it, a list of such, or one a line in a `.jsonl` file"),
        )
    };
    if path.extension().is_some_and(|end| end == "jsonl") {
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            objects.push(serde_json::from_str(line).map_err(|error| broken(number + 1, &error))?);
        }
    } else {
        objects.push(serde_json::from_str(&text).map_err(|error| broken(error.line(), &error))?);
    }
    Ok(())
}

/// A stack's name from something's name.
fn stack_name(name: &str) -> String {
    let name: String = name
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' })
        .collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "imported".to_owned() } else { name.to_owned() }
}

/// What is printed must be right: it is read as a configuration is.
fn check(imported: &Imported, loaded: &Loaded) -> Result<(), Box<Diagnostic>> {
    let (mut sources, mut diagnostics) = (SourceMap::new(), Diagnostics::new());
    let id = sources.add("import.aks", imported.text.as_str());
    let file = akson_parser::parse(&sources, id, &mut diagnostics);
    let _ = akson_config::evaluate(&[file], &sources, loaded.catalog, &Inputs::default(), &mut diagnostics);
    match diagnostics.iter().find(|found| found.severity == akson_diagnostics::Severity::Error) {
        Some(wrong) => {
            let mut report =
                Diagnostic::error(BUG, "what these objects are declared as is no configuration: a bug in akson")
                    .note(wrong.message.clone());
            // The text that is wrong is what a report of the bug needs.
            let at = wrong.labels.first().map(|label| label.span.start as usize);
            if let Some(before) = at.and_then(|at| imported.text.get(..at)) {
                let line = imported.text.lines().nth(before.matches('\n').count()).unwrap_or_default();
                report = report.note(format!("in `{}`", line.trim()));
            }
            Err(Box::new(report))
        }
        None => Ok(()),
    }
}

fn told(global: &Global, asked: &ImportArguments, imported: &Imported, loaded: &mut Loaded) -> Exit {
    if let Some(path) = &asked.out
        && let Err(diagnostic) = write(&global.directory.join(path), &imported.text)
    {
        return loaded.refuse_with(*diagnostic, global);
    }
    if global.format == Some(OutputFormat::Json) {
        output::result(&akson_diagnostics::render::json::text(&document(imported)));
        return Exit::Done;
    }
    if asked.out.is_none() {
        output::result(&imported.text);
    }
    if !global.quiet {
        for line in remarks(imported) {
            output::aside(&line);
        }
        if let Some(path) = &asked.out {
            output::aside(&format!("written to {}: `akson plan` shows what an apply would adopt", path.display()));
        }
    }
    Exit::Done
}

/// What is there and the text does not say.
fn remarks(imported: &Imported) -> Vec<String> {
    let skipped = imported
        .skipped
        .iter()
        .map(|skipped| format!("note: left out `{}`: {}", SafeText(&skipped.id), SafeText(&skipped.why)));
    let unsaid = imported.declared.iter().flat_map(|declared| {
        declared.unsaid.iter().map(|unsaid| {
            let dot = if unsaid.attribute.is_empty() { "" } else { "." };
            format!(
                "note: `{}{dot}{}` is not said: {}",
                declared.address,
                SafeText(&unsaid.attribute),
                SafeText(&unsaid.why)
            )
        })
    });
    skipped.chain(unsaid).collect()
}

fn document(imported: &Imported) -> Json {
    let declared: Vec<Json> = imported
        .declared
        .iter()
        .map(|declared| {
            let unsaid = declared.unsaid.iter().map(|unsaid| json!({"attribute": unsaid.attribute, "why": unsaid.why}));
            json!({
                "address": declared.address,
                "kind": declared.kind,
                "id": declared.id,
                "existing": declared.existing,
                "unsaid": unsaid.collect::<Vec<_>>(),
            })
        })
        .collect();
    let skipped: Vec<Json> =
        imported.skipped.iter().map(|skipped| json!({"id": skipped.id, "why": skipped.why})).collect();
    json!({"text": imported.text, "declared": declared, "skipped": skipped})
}

/// Writes a new file; one that is there is somebody's.
fn write(path: &Path, text: &str) -> Result<(), Box<Diagnostic>> {
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| {
        Box::new(
            Diagnostic::error(NOT_WRITTEN, format!("cannot write `{}`: {error}", path.display()))
                .help("an import writes a new file only: name one that is not there, or leave `--out` out"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_are_called_after_what_they_hold() {
        assert_eq!(stack_name("Legacy_RG.1"), "legacy-rg-1");
        assert_eq!(stack_name("--"), "imported");
    }
}
