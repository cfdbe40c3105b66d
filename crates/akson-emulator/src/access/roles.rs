//! Role definitions: the built-in ones of the domain, from a table, and custom ones, which are objects of
//! the world. Who holds them stands in assignments.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::world::{Object, World};

pub(crate) const TYPE: &str = "Microsoft.Authorization/roleDefinitions";
pub(crate) const TYPE_KEY: &str = "microsoft.authorization/roledefinitions";

/// What the owner of a new world holds: Owner, Key Vault Secrets Officer, Azure Kubernetes Service RBAC
/// Cluster Admin.
pub(crate) const OF_THE_OWNER: [&str; 3] = [
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
    "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b",
];

/// One entry of a definition's `permissions`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Permission {
    pub(crate) actions: Vec<String>,
    pub(crate) not_actions: Vec<String>,
    pub(crate) data_actions: Vec<String>,
    pub(crate) not_data_actions: Vec<String>,
}

/// A built-in role.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct BuiltIn {
    /// The GUID, the same in every tenant.
    pub(crate) name: String,
    pub(crate) role_name: String,
    permissions: Vec<Permission>,
}

static BUILT_IN: LazyLock<Vec<BuiltIn>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("builtin_roles.json")).expect("a test reads the table of built-in roles")
});

impl BuiltIn {
    /// The definition as a GET answers it; `at` is the subscription's scope as written, or empty.
    pub(crate) fn body(&self, at: &str) -> serde_json::Map<String, Value> {
        let body = json!({
            "properties": {
                "roleName": self.role_name,
                "type": "BuiltInRole",
                "description": null,
                "assignableScopes": ["/"],
                "permissions": self.permissions,
                "createdOn": "2015-02-02T21:55:09.8806423Z",
                "updatedOn": "2024-01-11T16:00:00.0000000Z",
                "createdBy": null,
                "updatedBy": null,
            },
            "id": format!("{at}/providers/{TYPE}/{}", self.name),
            "type": TYPE,
            "name": self.name,
        });
        body.as_object().cloned().unwrap_or_default()
    }
}

/// All built-in roles, by display name.
pub(crate) fn built_in() -> &'static [BuiltIn] {
    &BUILT_IN
}

/// A built-in role by its GUID.
pub(crate) fn find_built_in(guid: &str) -> Option<&'static BuiltIn> {
    BUILT_IN.iter().find(|role| role.name.eq_ignore_ascii_case(guid))
}

/// A custom role by its GUID, with its key, wherever it is defined.
pub(crate) fn find_custom<'a>(world: &'a World, guid: &str) -> Option<(String, &'a Object)> {
    let name = guid.to_ascii_lowercase();
    let subscriptions = world.subscriptions.iter().map(|(key, _)| format!("/subscriptions/{key}"));
    subscriptions
        .chain([String::new()])
        .map(|scope| format!("{scope}/providers/{TYPE_KEY}/{name}"))
        .find_map(|key| world.objects.get(&key).map(|object| (key, object)))
}

/// Looks at the permissions of a role, if there is such a role.
pub(crate) fn with_permissions<T>(world: &World, guid: &str, look: impl FnOnce(&[Permission]) -> T) -> Option<T> {
    if let Some(role) = find_built_in(guid) {
        return Some(look(&role.permissions));
    }
    let (_, object) = find_custom(world, guid)?;
    let given = object.properties().and_then(|properties| properties.get("permissions")).cloned();
    let permissions: Vec<Permission> = given.and_then(|given| serde_json::from_value(given).ok()).unwrap_or_default();
    Some(look(&permissions))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_whole() {
        let all = built_in();
        assert!(all.len() > 50, "{}", all.len());
        assert!(all.is_sorted_by_key(|role| role.role_name.as_str()));
        for role in all {
            assert_eq!(role.name.len(), 36, "{}", role.role_name);
            assert!(!role.permissions.is_empty(), "{}", role.role_name);
        }
        let names = OF_THE_OWNER.map(|guid| find_built_in(guid).map(|role| role.role_name.as_str()));
        assert_eq!(
            names,
            [Some("Owner"), Some("Key Vault Secrets Officer"), Some("Azure Kubernetes Service RBAC Cluster Admin")]
        );
    }
}
