//! A saved plan: a display and a digest, not an authority. `apply FILE` plans again and executes only what is the same.

use std::{fs, io::Write as _, path::Path};

use akson_diagnostics::Diagnostic;
use serde::{Deserialize, Serialize};

use crate::{
    arguments::Planning,
    codes::{BAD_PLAN, NOT_WRITTEN},
    document::{ChangeDocument, PlanDocument},
    views::literal,
};

const FORMAT: &str = "akson-plan-1";

/// A plan file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PlanFile {
    format: String,
    /// The version that wrote it.
    akson: String,
    /// What was asked for: planning again must ask the same.
    pub(crate) asked: Asked,
    /// The plan, with the resources that do not change.
    pub(crate) plan: PlanDocument,
}

/// What a plan was asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Asked {
    pub(crate) destroy: bool,
    pub(crate) targets: Vec<String>,
    pub(crate) replace: Vec<String>,
    pub(crate) max_deletes: Option<usize>,
}

impl Asked {
    /// What the flags ask for.
    pub(crate) fn new(planning: &Planning, destroy: bool) -> Self {
        Self {
            destroy,
            targets: planning.targets.clone(),
            replace: planning.replace.clone(),
            max_deletes: planning.max_deletes,
        }
    }
}

/// Writes a plan file as a whole: it is there completely or not at all.
///
/// # Errors
/// A diagnostic if it cannot be written.
pub(crate) fn write(path: &Path, asked: Asked, plan: PlanDocument) -> Result<(), Box<Diagnostic>> {
    let file = PlanFile { format: FORMAT.to_owned(), akson: env!("CARGO_PKG_VERSION").to_owned(), asked, plan };
    let failed = |error: std::io::Error| {
        Box::new(
            Diagnostic::error(NOT_WRITTEN, format!("cannot write `{}`: {error}", path.display()))
                .help("mend the folder's permissions or free some space; nothing else was changed"),
        )
    };
    let text = serde_json::to_vec_pretty(&file).map_err(|error| failed(error.into()))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut temporary = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    temporary.write_all(&text).and_then(|()| temporary.as_file().sync_all()).map_err(failed)?;
    temporary.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Reads a plan file.
///
/// # Errors
/// A diagnostic if it cannot be read or is not one.
pub(crate) fn read(path: &Path) -> Result<PlanFile, Box<Diagnostic>> {
    let bad = |detail: String| {
        Box::new(
            Diagnostic::error(
                BAD_PLAN,
                format!("cannot read the plan `{}`: {detail}", literal::safe(&path.display().to_string())),
            )
            .help("make one with `akson plan --out FILE`"),
        )
    };
    let bytes = fs::read(path).map_err(|error| bad(error.to_string()))?;
    let file: PlanFile = serde_json::from_slice(&bytes).map_err(|error| bad(format!("it is no plan file: {error}")))?;
    if file.format != FORMAT {
        return Err(bad(format!("its format is `{}`, and this version reads `{FORMAT}`", literal::safe(&file.format))));
    }
    Ok(file)
}

/// What differs between an approved plan and the plan of now: the resources concerned, each with a sentence.
pub(crate) fn stale(approved: &PlanDocument, now: &PlanDocument) -> Vec<(String, String)> {
    let key =
        |change: &ChangeDocument| change.id.clone().map_or_else(|| change.address.clone(), |id| id.to_lowercase());
    let mut found = Vec::new();
    for change in &now.changes {
        match approved.changes.iter().find(|other| key(other) == key(change)) {
            None if change.action == "no_op" => {}
            None => found
                .push((change.address.clone(), format!("would now be a {}, and was not in the plan", change.action))),
            Some(other) if other.action != change.action => {
                let why: Vec<String> = change.reasons.iter().filter_map(|reason| reason.attribute.clone()).collect();
                let why = if why.is_empty() { String::new() } else { format!(" ({})", why.join(", ")) };
                found.push((
                    change.address.clone(),
                    format!("was planned as {}, and would now be {}{why}", other.action, change.action),
                ));
            }
            Some(other) if other.reasons != change.reasons => {
                for reason in &change.reasons {
                    let before = other.reasons.iter().find(|candidate| candidate.attribute == reason.attribute);
                    if before != Some(reason) {
                        found.push((change.address.clone(), sentence(reason, before)));
                    }
                }
                for gone in other
                    .reasons
                    .iter()
                    .filter(|reason| !change.reasons.iter().any(|now| now.attribute == reason.attribute))
                {
                    let attribute = gone.attribute.as_deref().unwrap_or("it");
                    found.push((change.address.clone(), format!("`{attribute}` would not change any more")));
                }
            }
            Some(_) => {}
        }
    }
    for other in approved.changes.iter().filter(|other| other.action != "no_op") {
        if !now.changes.iter().any(|change| key(change) == key(other)) {
            found.push((
                other.address.clone(),
                format!("was planned as {}, and would not change any more", other.action),
            ));
        }
    }
    found
}

fn sentence(now: &crate::document::ReasonDocument, before: Option<&crate::document::ReasonDocument>) -> String {
    let attribute = now.attribute.as_deref().unwrap_or("it");
    match before {
        None => {
            format!("`{attribute}` would change, too: {} -> {}", literal::aks(&now.before), literal::aks(&now.after))
        }
        Some(before) if before.before != now.before => format!(
            "`{attribute}` is {} now, and was {} when it was planned",
            literal::aks(&now.before),
            literal::aks(&before.before)
        ),
        Some(before) => format!(
            "`{attribute}` would become {}, and was planned to become {}",
            literal::aks(&now.after),
            literal::aks(&before.after)
        ),
    }
}
