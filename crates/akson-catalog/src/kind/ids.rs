//! Ids from templates: `{resource_group}/providers/Microsoft.KeyVault/vaults/{name}` and what stands in the braces.

use std::fmt;

use crate::{ArmId, Kind};

/// A part of an id template that nobody gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingPart(pub String);

impl fmt::Display for MissingPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the id needs `{}`", self.0)
    }
}

impl std::error::Error for MissingPart {}

impl Kind {
    /// The id: every `{part}` is asked for by name. A reference stands for the id it points at; `subscription` for the GUID.
    ///
    /// # Errors
    ///
    /// The first part that `part` does not know.
    pub fn id_for<'a>(&self, part: impl Fn(&str) -> Option<&'a str>) -> Result<ArmId, MissingPart> {
        fill(&self.id, part).map(ArmId::new)
    }

    /// The names in braces of the id template, in order.
    pub fn id_parts(&self) -> Vec<&str> {
        parts(&self.id)
    }
}

/// Fills the braces of a template of an id or of a list call. A trailing slash of what is filled in is dropped.
///
/// # Errors
///
/// The first part that `part` does not know.
pub fn fill<'a>(template: &str, part: impl Fn(&str) -> Option<&'a str>) -> Result<String, MissingPart> {
    let mut filled = String::with_capacity(template.len() + 64);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, tail)) = after.split_once('}') else { break };
        filled.push_str(before);
        filled.push_str(part(name).ok_or_else(|| MissingPart(name.to_owned()))?.trim_end_matches('/'));
        rest = tail;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// The names in braces, in order.
pub fn parts(template: &str) -> Vec<&str> {
    template.split('{').skip(1).filter_map(|piece| piece.split_once('}').map(|(name, _)| name)).collect()
}

/// The resource type an id is of: `Microsoft.KeyVault/vaults`; for a resource group and a subscription ARM's own names.
/// None for what is no ARM id.
pub fn type_of(id: &ArmId) -> Option<String> {
    let segments: Vec<&str> = id.as_str().split('/').filter(|segment| !segment.is_empty()).collect();
    if let Some(at) = segments.iter().rposition(|segment| segment.eq_ignore_ascii_case("providers")) {
        let namespace = segments.get(at + 1)?;
        let types: Vec<&str> = segments.get(at + 2..)?.iter().step_by(2).copied().collect();
        let even = segments.len().checked_sub(at + 2)? % 2 == 0;
        return (even && !types.is_empty()).then(|| format!("{namespace}/{}", types.join("/")));
    }
    match segments.as_slice() {
        [word, _] if word.eq_ignore_ascii_case("subscriptions") => Some("Microsoft.Resources/subscriptions".to_owned()),
        [word, _, group, _]
            if word.eq_ignore_ascii_case("subscriptions") && group.eq_ignore_ascii_case("resourcegroups") =>
        {
            Some("Microsoft.Resources/resourceGroups".to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails should say where")]
    use super::*;

    #[track_caller]
    fn check(id: &str, of: Option<&str>) {
        assert_eq!(type_of(&ArmId::new(id)).as_deref(), of, "{id}");
    }

    #[test]
    fn types_of_ids() {
        check("/subscriptions/s", Some("Microsoft.Resources/subscriptions"));
        check("/subscriptions/s/resourcegroups/g", Some("Microsoft.Resources/resourceGroups"));
        check(
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v",
            Some("Microsoft.KeyVault/vaults"),
        );
        check(
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/n/subnets/s",
            Some("Microsoft.Network/virtualNetworks/subnets"),
        );
        check(
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v/providers/Microsoft.Authorization/locks/l",
            Some("Microsoft.Authorization/locks"),
        );
        check("/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults", None);
        check("/subscriptions", None);
        check("hello", None);
        check("/", None);
    }

    #[test]
    fn templates_are_filled() {
        let part = |name: &str| match name {
            "group" => Some("/subscriptions/s/resourceGroups/g/"),
            "name" => Some("v"),
            _ => None,
        };
        assert_eq!(
            fill("{group}/providers/M.K/vaults/{name}", part).unwrap(),
            "/subscriptions/s/resourceGroups/g/providers/M.K/vaults/v"
        );
        assert_eq!(fill("{group}/{other}", part), Err(MissingPart("other".to_owned())));
        assert_eq!(parts("/a/{b}/c/{d}"), ["b", "d"]);
    }
}
