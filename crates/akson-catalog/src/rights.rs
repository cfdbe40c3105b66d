//! Which role has an action that somebody lacks, and which permission of Microsoft Graph: `data/rights.toml`. Not what a principal has.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::Deserialize;

use crate::roles::{self, Role};

/// An action, as a refusal names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right<'a> {
    /// Of the control plane: `Microsoft.KeyVault/vaults/write`.
    Action(&'a str),
    /// On data: `Microsoft.KeyVault/vaults/secrets/setSecret/action`.
    Data(&'a str),
}

/// What Microsoft Graph asks of whoever reads or writes a collection.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct GraphRight {
    /// Of an application: `Group.ReadWrite.All`.
    pub permission: String,
    /// Of a person: `Groups Administrator`.
    pub directory_role: String,
}

#[derive(Deserialize)]
struct Rights {
    actions: Vec<(String, String)>,
    data_actions: Vec<(String, String)>,
    graph: BTreeMap<String, Collection>,
}

#[derive(Deserialize)]
struct Collection {
    read: GraphRight,
    write: GraphRight,
}

static RIGHTS: LazyLock<Rights> = LazyLock::new(|| {
    toml::from_str(include_str!("../data/rights.toml")).expect("the embedded file is of this form; a test reads it")
});

/// The least role of its domain that has a right.
pub fn role_with(right: Right<'_>) -> Option<&'static Role> {
    let (table, name) = match right {
        Right::Action(name) => (&RIGHTS.actions, name),
        Right::Data(name) => (&RIGHTS.data_actions, name),
    };
    let (_, role) = table.iter().find(|(pattern, _)| fits(pattern, name))?;
    roles::by_name(role)
}

/// What is needed to read or write a collection of Microsoft Graph, such as `groups`.
pub fn graph(collection: &str, writes: bool) -> Option<&'static GraphRight> {
    let (_, found) = RIGHTS.graph.iter().find(|(name, _)| name.eq_ignore_ascii_case(collection))?;
    Some(if writes { &found.write } else { &found.read })
}

/// Whether a pattern of actions has an action in it; case does not matter.
fn fits(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.to_ascii_lowercase(), action.to_ascii_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| action.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(right: Right<'_>, role: Option<&str>) {
        assert_eq!(role_with(right).map(|role| role.name.as_str()), role, "{right:?}");
    }

    #[test]
    fn the_first_pattern_counts() {
        check(Right::Action("Microsoft.KeyVault/vaults/write"), Some("Key Vault Contributor"));
        check(Right::Action("microsoft.keyvault/VAULTS/read"), Some("Reader"));
        check(Right::Data("Microsoft.KeyVault/vaults/secrets/setSecret/action"), Some("Key Vault Secrets Officer"));
        check(Right::Action("Microsoft.Compute/virtualMachines/write"), None);
        check(Right::Data("Microsoft.KeyVault/vaults/write"), None);
    }

    #[test]
    fn every_row_names_a_role() {
        for (pattern, role) in RIGHTS.actions.iter().chain(&RIGHTS.data_actions) {
            assert!(roles::by_name(role).is_some(), "{pattern}: {role}");
        }
        for (name, collection) in &RIGHTS.graph {
            assert!(collection.read.permission.contains('.') && collection.write.permission.contains('.'), "{name}");
        }
        assert_eq!(graph("Groups", true).map(|right| right.permission.as_str()), Some("Group.ReadWrite.All"));
        assert_eq!(graph("devices", false), None);
    }

    #[test]
    fn patterns() {
        for (pattern, action, expected) in [
            ("*/read", "A.B/c/read", true),
            ("*/read", "A.B/c/read/action", false),
            ("A.B/*", "a.b/c/d", true),
            ("A.B/*/x/*", "A.B/c/x/write", true),
            ("A.B/*/x/*", "A.B/c/y/write", false),
            ("A.B/c", "A.B/c", true),
            ("A.B/c", "A.B/c/d", false),
        ] {
            assert_eq!(fits(pattern, action), expected, "{pattern} {action}");
        }
    }
}
