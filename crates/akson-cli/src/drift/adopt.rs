//! `akson drift --adopt`: what changed outside is written into the files. The edits are made in memory first, and planned with: only if that
//! plan has nothing of what was taken over any more, and nothing new, are the files replaced, all of them or none.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use akson_applier::{gather, report};
use akson_catalog::{ArmId, SymbolicId};
use akson_config::{Adopting, Adoption, Drifted, Inputs, apply_edits, import::ImportOptions};
use akson_diagnostics::{Diagnostic, Diagnostics, SourceId, did_you_mean};
use akson_planner::{Action, Cause, Change, Plan, Reason, Snapshot, codes::UNKNOWN_ADDRESS};
use serde_json::{Value as Json, json};

use super::{AdoptArguments, incomplete};
use crate::{
    arguments::{Global, OutputFormat},
    codes::{FILE_CHANGED, NOT_PROVED, NOT_WRITTEN, NOTHING_TO_IMPORT},
    commands::{fmt::difference, plan::to_text},
    exit::Exit,
    output,
    planfile::Asked,
    progress,
    session::{self, Run},
    views::{literal, plan::count},
};

/// Takes over what changed outside.
pub(crate) async fn run(global: &Global, asked: &AdoptArguments) -> Exit {
    match adopted(global, asked).await {
        Ok(exit) | Err(exit) => exit,
    }
}

async fn adopted(global: &Global, asked: &AdoptArguments) -> Result<Exit, Exit> {
    let mut run = Run::open(global, 16).await?;
    let ledger = run.peek(global).await?;
    let owned = session::owned(ledger.as_ref());
    let options = session::plan_options(&Asked::default(), global);
    let snapshot = run.refresh(&owned, &options, global).await?;
    let plan = run.plan_from(&snapshot, &owned, &options, global)?;
    let unseen = plan.not_verified().count();
    if unseen > 0 {
        return Err(run.refuse_with(incomplete(unseen), global));
    }
    let all = asked.adopt.as_deref().unwrap_or_default();
    let (ids, addresses): (Vec<String>, Vec<String>) = all.iter().cloned().partition(|one| is_id(one));
    check_addresses(&mut run, &addresses, global)?;
    let drifted = if addresses.is_empty() && !ids.is_empty() { Vec::new() } else { drifted(&plan, &addresses) };
    let mut adoption = edits(&run, &snapshot, &plan, &drifted, global);
    let declared = declare(&mut run, &mut adoption, (&snapshot, &plan), &ids, global).await?;
    let texts = texts(&mut run, &adoption, global)?;
    let files = places(&mut run, &texts, global)?;
    if !texts.is_empty() {
        let added = !declared.is_empty();
        let again = run.plan_with(&texts, (!added).then_some(&snapshot), (&owned, &options), global).await;
        proved(&mut run, &plan, (&adoption, &declared), &snapshot, again, global)?;
    }
    if !asked.dry_run {
        write(&mut run, &files, global)?;
    }
    let is_whole = adoption.refused.is_empty();
    tell(&mut run, (&adoption, &declared), &files, asked.dry_run, global);
    Ok(if is_whole { Exit::Done } else { Exit::Changes })
}

/// A file with its text before and after.
struct File {
    name: String,
    path: PathBuf,
    before: String,
    after: String,
}

fn matches(wanted: &[String], address: &str) -> bool {
    wanted.is_empty()
        || wanted.iter().any(|pattern| {
            address.strip_prefix(pattern.trim()).is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
        })
}

fn check_addresses(run: &mut Run, wanted: &[String], global: &Global) -> Result<(), Exit> {
    let known: Vec<String> = run.config.resources.iter().map(|resource| resource.address.to_string()).collect();
    for pattern in wanted {
        let one = std::slice::from_ref(pattern);
        if known.iter().any(|address| matches(one, address)) {
            continue;
        }
        let unknown = Diagnostic::error(
            UNKNOWN_ADDRESS,
            format!("`--adopt {}` names no resource of this stack", literal::safe(pattern)),
        );
        let unknown = match did_you_mean(pattern, known.iter().map(String::as_str)) {
            Some(near) => unknown.help(format!("did you mean `{near}`?")),
            None => {
                unknown.help("give an address as a plan shows it, such as `vault.app` or `identity.team[\"mail\"]`")
            }
        };
        return Err(run.refuse_with(unknown, global));
    }
    Ok(())
}

/// What changed outside and outside alone, of what is asked for.
fn drifted(plan: &Plan, wanted: &[String]) -> Vec<Drifted> {
    let mut found = Vec::new();
    for change in plan.changes.iter().filter(|change| matches(wanted, &change.address)) {
        let outside = change.reasons.iter().filter(|reason| reason.cause == Cause::Drift);
        let gone = change.action == Action::Create && outside.clone().count() > 0;
        let unmarked = !gone && outside.clone().any(|reason| is_mark(change, reason));
        let own = outside.filter(|reason| !is_mark(change, reason));
        let attributes: Vec<String> = own.filter_map(|reason| reason.attribute.clone()).collect();
        if gone || unmarked || !attributes.is_empty() {
            found.push(Drifted { id: change.symbolic_id.clone(), gone, unmarked, attributes });
        }
    }
    found
}

/// Whether a reason is about the mark, which is no attribute of the author's: what is said of it stands at the block.
fn is_mark(change: &Change, reason: &Reason) -> bool {
    reason.attribute.is_some() && reason.span.is_some() && reason.span == change.source
}

/// Whether something is an id in Azure, and no address.
fn is_id(text: &str) -> bool {
    text.starts_with('/') || uuid::Uuid::try_parse(text).is_ok()
}

/// Adds blocks for objects that nobody declared: their addresses and ids.
async fn declare(
    run: &mut Run,
    adoption: &mut Adoption,
    (snapshot, plan): (&Snapshot, &Plan),
    ids: &[String],
    global: &Global,
) -> Result<Vec<(String, String)>, Exit> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let (places, directory): (Vec<&String>, Vec<&String>) = ids.iter().partition(|id| id.starts_with('/'));
    let places: Vec<ArmId> = places.into_iter().map(|id| ArmId::new(id.trim_end_matches('/'))).collect();
    let directory: Vec<String> = directory.into_iter().cloned().collect();
    let reading = progress::reading_cloud(global);
    let gathered = match gather(&run.engine, run.loaded.catalog, &places, &directory, false).await {
        Ok(gathered) => gathered,
        Err(failure) => return Err(run.refuse_with(report::read(&failure), global)),
    };
    drop(reading);
    let live = live(run, snapshot);
    let inputs = run.inputs(global);
    let options = ImportOptions {
        stack: run.config.stack.label.clone(),
        tenant: Some(run.config.stack.tenant.clone()),
        subscription: Some(run.config.stack.subscription.clone()),
        token_exchange_audience: inputs.token_exchange_audience.clone(),
        api_versions: gathered.api_versions,
        looked_at: gathered.looked_at,
    };
    let from = adopting(run, &inputs, &live, plan);
    let (edit, declared, skipped) = akson_config::declare(&from, &gathered.objects, &options);
    for skipped in skipped {
        let found = Diagnostic::error(
            NOTHING_TO_IMPORT,
            format!("`{}` is not declared: {}", literal::safe(&skipped.id), skipped.why),
        );
        adoption.refused.push(found.help("declare it by hand, if it is to be this stack's"));
    }
    if let Some(edit) = edit {
        adoption.edits.entry(edit.span.source).or_default().push(edit);
    } else if adoption.refused.is_empty() {
        let found = Diagnostic::error(NOTHING_TO_IMPORT, "these objects are declared already")
            .help("`akson drift` lists what nobody declares");
        return Err(run.refuse_with(found, global));
    }
    Ok(declared)
}

fn live(run: &Run, snapshot: &Snapshot) -> BTreeMap<SymbolicId, (String, Json)> {
    run.config
        .resources
        .iter()
        .filter_map(|resource| {
            let live = snapshot.live(&resource.symbolic_id)?;
            Some((resource.symbolic_id.clone(), (live.id.clone(), live.body.clone())))
        })
        .collect()
}

fn adopting<'a>(
    run: &'a Run,
    inputs: &'a Inputs,
    live: &'a BTreeMap<SymbolicId, (String, Json)>,
    plan: &'a Plan,
) -> Adopting<'a> {
    Adopting {
        files: run.loaded.files(),
        sources: &run.loaded.sources,
        inputs,
        config: &run.config,
        catalog: run.loaded.catalog,
        live,
        known: &plan.known,
    }
}

fn edits(run: &Run, snapshot: &Snapshot, plan: &Plan, drifted: &[Drifted], global: &Global) -> Adoption {
    let (live, inputs) = (live(run, snapshot), run.inputs(global));
    let from = adopting(run, &inputs, &live, plan);
    akson_config::adopt(&from, drifted)
}

/// The texts after their edits.
fn texts(run: &mut Run, adoption: &Adoption, global: &Global) -> Result<BTreeMap<SourceId, String>, Exit> {
    let mut texts = BTreeMap::new();
    for (id, edits) in adoption.edits.iter().filter(|(_, edits)| !edits.is_empty()) {
        match apply_edits(&run.loaded.sources.get(*id).text, edits) {
            Ok(text) => drop(texts.insert(*id, text)),
            Err(overlap) => {
                let found = not_proved("two differences would be written in one place").at(overlap.span, "");
                return Err(run.refuse_with(found, global));
            }
        }
    }
    Ok(texts)
}

fn not_proved(why: &str) -> Diagnostic {
    Diagnostic::error(NOT_PROVED, "nothing was written: the plan would not be empty")
        .note(why)
        .help("take over one resource after the other with `--adopt ADDRESS`, or edit the files by hand")
}

/// One reason of a plan, whatever the values.
type Left = BTreeSet<(String, String, &'static str)>;

fn left(plan: &Plan, adoption: &Adoption, snapshot: &Snapshot) -> Left {
    let mut found = Left::new();
    for change in &plan.changes {
        let word = |cause: Cause| match cause {
            Cause::Config => "config",
            Cause::Drift => "drift",
            Cause::Both => "both",
            Cause::Adopt => "adopt",
            Cause::Removed => "removed",
            Cause::Dependency => "dependency",
        };
        // What is gone and declared no longer is only taken out of the ledger.
        let removed = adoption.adopted.iter().any(|(address, path)| *address == change.address && path.is_none());
        let gone = removed && snapshot.live(&change.symbolic_id).is_none();
        if change.action == Action::NoOp || (gone && matches!(change.action, Action::Delete | Action::Forget)) {
            continue;
        }
        // The mark is written by the next apply, whatever is taken over.
        for reason in change.reasons.iter().filter(|reason| !is_mark(change, reason)) {
            let attribute = reason.attribute.clone().unwrap_or_default();
            found.insert((change.address.clone(), attribute, word(reason.cause)));
        }
    }
    found
}

/// Plans with the edited texts: nothing of what was taken over is left, and nothing is new.
fn proved(
    run: &mut Run,
    plan: &Plan,
    (adoption, declared): (&Adoption, &[(String, String)]),
    snapshot: &Snapshot,
    again: Result<Plan, Diagnostics>,
    global: &Global,
) -> Result<(), Exit> {
    let after = match again {
        Ok(after) => after,
        Err(errors) => {
            let mut found = not_proved("with the edited files no plan could be made");
            for error in errors.iter().take(5) {
                found = found.note(error.message.clone());
            }
            return Err(run.refuse_with(found, global));
        }
    };
    let before = left(plan, adoption, snapshot);
    let after = left(&after, adoption, snapshot);
    let over = |(address, attribute, cause): &(String, String, &'static str)| {
        *cause == "drift"
            && adoption.adopted.iter().any(|(adopted, path)| {
                adopted == address
                    && path.as_ref().is_none_or(|path| {
                        attribute
                            .strip_prefix(path.as_str())
                            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
                    })
            })
    };
    // What nobody declared is adopted by the next apply, as it is.
    let adopts =
        |one: &(String, String, &'static str)| one.2 == "adopt" && declared.iter().any(|(own, _)| *own == one.0);
    let new = after.iter().filter(|one| (!before.contains(one) && !adopts(one)) || over(one));
    // What the author changed is still to be done.
    let lost = before.iter().filter(|one| one.2 != "drift" && !after.contains(one));
    let wrong: Vec<_> = new.chain(lost).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    let mut found = not_proved("what would remain:");
    for (address, attribute, _) in wrong.iter().take(10) {
        let what = if attribute.is_empty() { address.clone() } else { format!("{address}.{attribute}") };
        found = found.note(literal::safe(&what));
    }
    Err(run.refuse_with(found, global))
}

/// The files that are written, none of them outside of the configuration's folder.
fn places(run: &mut Run, texts: &BTreeMap<SourceId, String>, global: &Global) -> Result<Vec<File>, Exit> {
    let mut files = Vec::new();
    for (id, after) in texts {
        let source = run.loaded.sources.get(*id);
        let (name, before) = (source.name.clone(), source.text.to_string());
        let path = run.loaded.path_of(*id, global);
        let inside = match (fs::canonicalize(&global.directory), fs::canonicalize(&path)) {
            (Ok(folder), Ok(path)) => path.starts_with(folder),
            _ => false,
        };
        if !inside {
            let outside = Diagnostic::error(
                NOT_WRITTEN,
                format!("`{}` is outside of the configuration's folder", literal::safe(&name)),
            )
            .note("nothing was written")
            .help("edit it by hand, or move it into the folder");
            return Err(run.refuse_with(outside, global));
        }
        files.push(File { name, path, before, after: after.clone() });
    }
    Ok(files)
}

/// Replaces all files or none: each is written beside the old one first, and none is replaced if one changed since it was read.
fn write(run: &mut Run, files: &[File], global: &Global) -> Result<(), Exit> {
    let mut ready = Vec::with_capacity(files.len());
    for file in files {
        match beside(file) {
            Ok(temporary) => ready.push(temporary),
            Err(error) => return Err(run.refuse_with(failed(file, &error), global)),
        }
    }
    for file in files {
        if fs::read(&file.path).is_ok_and(|bytes| bytes != file.before.as_bytes()) {
            let changed = Diagnostic::error(
                FILE_CHANGED,
                format!("`{}` changed while it was looked at", literal::safe(&file.name)),
            )
            .note("nothing was written")
            .help("run the command again");
            return Err(run.refuse_with(changed, global));
        }
    }
    for (at, (temporary, path)) in ready.into_iter().enumerate() {
        let Err(error) = temporary.persist(&path) else { continue };
        // What was replaced already is put back.
        for file in files.iter().take(at) {
            let back = File {
                name: file.name.clone(),
                path: file.path.clone(),
                before: String::new(),
                after: file.before.clone(),
            };
            if let Ok((temporary, path)) = beside(&back) {
                let _ = temporary.persist(path);
            }
        }
        let Some(file) = files.get(at) else { continue };
        return Err(run.refuse_with(failed(file, &error.error), global));
    }
    Ok(())
}

fn beside(file: &File) -> std::io::Result<(tempfile::NamedTempFile, PathBuf)> {
    let target = fs::canonicalize(&file.path)?;
    let folder = target.parent().unwrap_or(Path::new("."));
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(file.after.as_bytes())?;
    temporary.as_file().set_permissions(fs::metadata(&target)?.permissions())?;
    temporary.as_file().sync_all()?;
    Ok((temporary, target))
}

fn failed(file: &File, error: &std::io::Error) -> Diagnostic {
    Diagnostic::error(NOT_WRITTEN, format!("cannot write `{}`: {error}", literal::safe(&file.name)))
        .note("nothing was written")
        .help("mend the folder's permissions or free some space")
}

fn tell(
    run: &mut Run,
    (adoption, declared): (&Adoption, &[(String, String)]),
    files: &[File],
    dry: bool,
    global: &Global,
) {
    for refused in &adoption.refused {
        run.loaded.diagnostics.push(refused.clone());
    }
    let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    if global.format == Some(OutputFormat::Json) {
        let adopted: Vec<Json> = adoption
            .adopted
            .iter()
            .map(|(address, attribute)| json!({ "address": address, "attribute": attribute }))
            .chain(declared.iter().map(|(address, id)| json!({ "address": address, "attribute": null, "id": id })))
            .collect();
        let diagnostics = akson_diagnostics::render::json::value(&run.loaded.diagnostics, &run.loaded.sources);
        let document = json!({
            "format_version": "1", "stack": run.config.stack.label, "adopted": adopted, "files": names,
            "written": !dry && !files.is_empty(), "diagnostics": diagnostics,
        });
        output::result(&to_text(&document));
        return;
    }
    run.report(global);
    if dry {
        for file in files {
            output::result(&difference(&file.name, "adopted", &file.before, &file.after));
        }
        return;
    }
    if adoption.adopted.is_empty() && declared.is_empty() {
        if adoption.refused.is_empty() {
            output::result("No drift: there is nothing to take over.");
        }
        return;
    }
    let mut text = String::new();
    for (address, attribute) in &adoption.adopted {
        let what = match attribute {
            Some(attribute) => format!("adopted {}.{}\n", literal::safe(address), literal::safe(attribute)),
            None => format!("removed {}\n", literal::safe(address)),
        };
        text.push_str(&what);
    }
    for (address, id) in declared {
        text.push_str(&format!("declared {}: {}\n", literal::safe(address), literal::safe(id)));
    }
    let names: Vec<String> = names.iter().map(|name| literal::safe(name)).collect();
    text.push_str(&format!("{} written: {}", count(files.len(), "file"), names.join(", ")));
    output::result(&text);
}
