//! `akson drift --adopt`: what changed outside is written into the files. The edits are made in memory first, and planned with: only if that
//! plan has nothing of what was taken over any more, and nothing new, are the files replaced, all of them or none.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use akson_catalog::SymbolicId;
use akson_config::{Adopting, Adoption, Drifted, apply_edits};
use akson_diagnostics::{Diagnostic, SourceId, did_you_mean};
use akson_planner::{Action, Cause, Owned, Plan, Snapshot, codes::UNKNOWN_ADDRESS, options::PlanOptions};
use serde_json::{Value as Json, json};

use super::{AdoptArguments, incomplete};
use crate::{
    arguments::{Global, OutputFormat},
    codes::{FILE_CHANGED, NOT_PROVED, NOT_WRITTEN},
    commands::{fmt::difference, plan::to_text},
    exit::Exit,
    output,
    planfile::Asked,
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
    let wanted = asked.adopt.as_deref().unwrap_or_default();
    check_addresses(&mut run, wanted, global)?;
    let drifted = drifted(&plan, wanted);
    let adoption = edits(&run, &snapshot, &plan, &drifted, global);
    let texts = texts(&mut run, &adoption, global)?;
    let files = places(&mut run, &texts, global)?;
    if !texts.is_empty() {
        proved(&mut run, &plan, &adoption, (&snapshot, &owned, &options), &texts, global)?;
    }
    if !asked.dry_run {
        write(&mut run, &files, global)?;
    }
    let is_whole = adoption.refused.is_empty();
    tell(&mut run, &adoption, &files, asked.dry_run, global);
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
        let attributes: Vec<String> = outside.clone().filter_map(|reason| reason.attribute.clone()).collect();
        let gone = change.action == Action::Create && outside.count() > 0;
        if gone || !attributes.is_empty() {
            found.push(Drifted { id: change.symbolic_id.clone(), gone, attributes });
        }
    }
    found
}

fn edits(run: &Run, snapshot: &Snapshot, plan: &Plan, drifted: &[Drifted], global: &Global) -> Adoption {
    let live: BTreeMap<SymbolicId, (String, Json)> = run
        .config
        .resources
        .iter()
        .filter_map(|resource| {
            let live = snapshot.live(&resource.symbolic_id)?;
            Some((resource.symbolic_id.clone(), (live.id.clone(), live.body.clone())))
        })
        .collect();
    let inputs = run.inputs(global);
    let from = Adopting {
        files: run.loaded.files(),
        sources: &run.loaded.sources,
        inputs: &inputs,
        config: &run.config,
        catalog: run.loaded.catalog,
        live: &live,
        known: &plan.known,
    };
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

fn left(plan: &Plan) -> Left {
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
        if matches!(change.action, Action::NoOp | Action::Forget) {
            continue;
        }
        for reason in &change.reasons {
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
    adoption: &Adoption,
    (snapshot, owned, options): (&Snapshot, &Owned, &PlanOptions),
    texts: &BTreeMap<SourceId, String>,
    global: &Global,
) -> Result<(), Exit> {
    let after = match run.plan_with(texts, snapshot, (owned, options), global) {
        Ok(after) => after,
        Err(errors) => {
            let mut found = not_proved("with the edited files no plan could be made");
            for error in errors.iter().take(5) {
                found = found.note(error.message.clone());
            }
            return Err(run.refuse_with(found, global));
        }
    };
    let before = left(plan);
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
    let wrong: Vec<_> = left(&after).into_iter().filter(|one| !before.contains(one) || over(one)).collect();
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

fn tell(run: &mut Run, adoption: &Adoption, files: &[File], dry: bool, global: &Global) {
    for refused in &adoption.refused {
        run.loaded.diagnostics.push(refused.clone());
    }
    let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    if global.format == Some(OutputFormat::Json) {
        let adopted: Vec<Json> = adoption
            .adopted
            .iter()
            .map(|(address, attribute)| json!({ "address": address, "attribute": attribute }))
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
    if adoption.adopted.is_empty() {
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
    let names: Vec<String> = names.iter().map(|name| literal::safe(name).to_string()).collect();
    text.push_str(&format!("{} written: {}", count(files.len(), "file"), names.join(", ")));
    output::result(&text);
}
