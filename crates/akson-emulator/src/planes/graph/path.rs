//! Graph's paths: a set, a key by segment or in parentheses, and what follows.

use super::errors::{self, GraphError};

/// How one object of a set is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// The object id, or of a user the principal name.
    Id(String),
    /// An alternate key: `uniqueName='x'`.
    Named { property: String, value: String },
}

/// A path after the version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) set: String,
    pub(super) key: Option<Key>,
    pub(super) rest: Vec<String>,
}

/// Segments that are functions of a set and no keys.
const FUNCTIONS: [&str; 4] = ["$count", "delta", "getByIds", "validateProperties"];

impl Path {
    /// Reads segments that are decoded already.
    pub(super) fn parse(segments: &[String]) -> Result<Self, GraphError> {
        let Some((first, rest)) = segments.split_first() else { return Err(errors::no_segment("")) };
        let (set, mut key) = split_key(first)?;
        let mut rest = rest.iter();
        let mut parts = Vec::new();
        let singleton = matches!(set.as_str(), "me" | "directory" | "organization" | "auditLogs" | "$batch");
        if key.is_none()
            && !singleton
            && let Some(next) = rest.next()
        {
            if FUNCTIONS.contains(&next.trim_start_matches("microsoft.graph.")) {
                parts.push(next.trim_start_matches("microsoft.graph.").to_owned());
            } else {
                key = Some(Key::Id(next.clone()));
            }
        }
        for segment in rest {
            let (name, key) = split_key(segment)?;
            parts.push(name.strip_prefix("microsoft.graph.").map_or(name.clone(), |short| match short {
                // A cast keeps its name, so that it is told from a key.
                "user" | "group" | "servicePrincipal" | "application" | "device" => name.clone(),
                _ => short.to_owned(),
            }));
            match key {
                Some(Key::Id(value) | Key::Named { value, .. }) => parts.push(value),
                None => {}
            }
        }
        Ok(Self { set, key, rest: parts })
    }

    /// What follows the key, for matching.
    pub(super) fn rest(&self) -> Vec<&str> {
        self.rest.iter().map(String::as_str).collect()
    }
}

/// `groups(uniqueName='x')`, `users('x')`, `groups`.
fn split_key(segment: &str) -> Result<(String, Option<Key>), GraphError> {
    let Some((name, inner)) = segment.split_once('(') else { return Ok((segment.to_owned(), None)) };
    let bad = || errors::malformed(format!("Syntax error: character '(' is not valid at position {}.", name.len()));
    let inner = inner.strip_suffix(')').ok_or_else(bad)?;
    let (property, quoted) = match inner.split_once('=') {
        Some((property, value)) if !property.contains('\'') => (Some(property.trim()), value.trim()),
        _ => (None, inner),
    };
    let value = quoted.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).ok_or_else(bad)?;
    let value = value.replace("''", "'");
    if value.is_empty() {
        return Err(bad());
    }
    let key = match property {
        None | Some("id") => Key::Id(value),
        Some(property) => Key::Named { property: property.to_owned(), value },
    };
    Ok((name.to_owned(), Some(key)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

    use super::*;

    #[test]
    fn keys() {
        let check = |path: &str, set: &str, key: Option<Key>, rest: &[&str]| {
            let segments: Vec<String> = path.split('/').map(str::to_owned).collect();
            let found = Path::parse(&segments).unwrap();
            assert_eq!((found.set.as_str(), found.key.clone(), found.rest()), (set, key, rest.to_vec()), "{path}");
        };
        let id = |id: &str| Some(Key::Id(id.to_owned()));
        let named =
            |property: &str, value: &str| Some(Key::Named { property: property.to_owned(), value: value.to_owned() });
        check("groups", "groups", None, &[]);
        check("groups/$count", "groups", None, &["$count"]);
        check("groups/a/members/b/$ref", "groups", id("a"), &["members", "b", "$ref"]);
        check("groups(uniqueName='it''s')", "groups", named("uniqueName", "it's"), &[]);
        check("users('a@b')/getMemberGroups", "users", id("a@b"), &["getMemberGroups"]);
        check("me/memberOf", "me", None, &["memberOf"]);
        check(
            "applications/a/federatedIdentityCredentials(name='n')",
            "applications",
            id("a"),
            &["federatedIdentityCredentials", "n"],
        );
        check("groups/a/members/microsoft.graph.user", "groups", id("a"), &["members", "microsoft.graph.user"]);
    }

    #[test]
    fn nonsense() {
        for path in ["groups(", "groups(x)", "groups(uniqueName=x)", "groups('')", "groups(uniqueName='')"] {
            assert!(Path::parse(&[path.to_owned()]).is_err(), "{path}");
        }
    }
}
