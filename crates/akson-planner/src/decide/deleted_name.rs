//! Names that stay taken after deletion: a soft-deleted vault of ours is recovered, one that is not ours is an error.

use akson_catalog::{ArmId, Quirk, SymbolicId, kind::Role};
use akson_diagnostics::Diagnostic;
use serde_json::Value as Json;

use super::{Case, Setting, refuse};
use crate::marker::{Ownership, ownership_by_tag};

/// Whether the resource to be created is to be recovered.
///
/// # Errors
///
/// The name is held by something that cannot be recovered as this resource.
pub(super) fn look(case: &Case<'_>, setting: &Setting<'_>) -> Result<bool, Box<Diagnostic>> {
    if !case.resource.kind.quirks.contains(&Quirk::SoftDeletedName) {
        return Ok(false);
    }
    let id = &case.resource.symbolic_id;
    let Some((had, deleted)) = holder(id, setting) else { return Ok(false) };
    let properties = deleted.get("properties").unwrap_or(&Json::Null);
    let ours = ownership_by_tag(setting.stack_id, had, properties) == Ownership::Ours;
    if had != id || !ours {
        return Err(Box::new(refuse::name_taken(case, had, deleted, ours)));
    }
    let location = case.leaves.iter().find(|leaf| {
        case.resource.kind.attributes.get(&leaf.attribute).is_some_and(|attribute| attribute.role == Role::Location)
    });
    let there = properties.get("location").and_then(Json::as_str).unwrap_or_default();
    match location {
        Some(leaf) if leaf.in_sync(&serde_json::json!({ "location": there })) == Some(false) => {
            Err(Box::new(refuse::deleted_elsewhere(case, leaf, there, deleted)))
        }
        _ => Ok(true),
    }
}

/// The soft-deleted object that holds a name: names are unique in the world, so it may have lain anywhere.
fn holder<'a>(id: &SymbolicId, setting: &Setting<'a>) -> Option<(&'a SymbolicId, &'a Json)> {
    let deleted = &setting.snapshot.soft_deleted;
    let parts = |id: &SymbolicId| {
        let mut last = id.as_str().rsplitn(4, '/');
        let (name, of, namespace) = (last.next()?, last.next()?, last.next()?);
        Some((namespace.to_owned(), of.to_owned(), name.to_owned()))
    };
    deleted
        .get_key_value(id)
        .or_else(|| deleted.iter().find(|(had, _)| parts(had).is_some() && parts(had) == parts(id)))
}

/// The name of a vault, for texts.
pub(super) fn name_of(id: &SymbolicId) -> String {
    ArmId::new(id.as_str()).name().to_owned()
}
