//! A saved plan: a display and a digest, not an authority. `apply FILE` plans again and executes only what is the same.

use std::{fs, io::Write as _, path::Path};

use akson_diagnostics::Diagnostic;
use serde::{Deserialize, Serialize};

use crate::{
    arguments::Planning,
    codes::{BAD_PLAN, NOT_WRITTEN},
    document::PlanDocument,
    views::literal,
};

const FORMAT: &str = "akson-plan-1";

/// A plan file.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct PlanFile {
    format: String,
    /// The version that wrote it.
    akson: String,
    /// When, in RFC 3339: what moved since is looked for from there on.
    #[serde(default)]
    pub(crate) made: Option<String>,
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
    /// Undo what changed outside and nothing else: of these addresses, or of everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) revert: Option<Vec<String>>,
}

impl Asked {
    /// What the flags ask for.
    pub(crate) fn new(planning: &Planning, destroy: bool) -> Self {
        Self {
            destroy,
            targets: planning.targets.clone(),
            replace: planning.replace.clone(),
            max_deletes: planning.max_deletes,
            revert: None,
        }
    }
}

/// Writes a plan file as a whole: it is there completely or not at all.
///
/// # Errors
/// A diagnostic if it cannot be written.
pub(crate) fn write(path: &Path, asked: Asked, plan: PlanDocument) -> Result<(), Box<Diagnostic>> {
    let file = PlanFile {
        format: FORMAT.to_owned(),
        akson: env!("CARGO_PKG_VERSION").to_owned(),
        made: Some(jiff::Timestamp::now().round(jiff::Unit::Second).unwrap_or_default().to_string()),
        asked,
        plan,
    };
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
