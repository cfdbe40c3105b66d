//! Azure's built-in roles by name: `data/roles.toml`. Not every role there is (Azure has about a thousand), and not what a role
//! may do: a name that is not here is given by its GUID.

use std::{collections::BTreeMap, sync::LazyLock};

use akson_diagnostics::did_you_mean;
use uuid::Uuid;

/// A built-in role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// The name that the portal shows: `Key Vault Secrets User`.
    pub name: String,
    /// The GUID, in small letters. It is the role: names do get changed.
    pub guid: String,
}

static ROLES: LazyLock<Vec<Role>> = LazyLock::new(|| {
    let named: BTreeMap<String, String> = toml::from_str(include_str!("../data/roles.toml"))
        .expect("the embedded file is a table of texts; a test reads it");
    named.into_iter().map(|(name, guid)| Role { name, guid }).collect()
});

/// The role of that name; case does not matter.
pub fn by_name(name: &str) -> Option<&'static Role> {
    ROLES.iter().find(|role| role.name.eq_ignore_ascii_case(name.trim()))
}

/// The role of that GUID, however it is written.
pub fn by_guid(guid: &str) -> Option<&'static Role> {
    ROLES.iter().find(|role| role.guid.eq_ignore_ascii_case(guid.trim()))
}

/// The GUID of a role that is given by name or by GUID; one that is a GUID need not be built in.
pub fn find(name_or_guid: &str) -> Option<Uuid> {
    let guid = by_name(name_or_guid).map_or(name_or_guid.trim(), |role| &role.guid);
    Uuid::try_parse(guid).ok()
}

/// Every name, in order.
pub fn names() -> impl Iterator<Item = &'static str> {
    ROLES.iter().map(|role| role.name.as_str())
}

/// The name that was probably meant.
pub fn near(name: &str) -> Option<&'static str> {
    did_you_mean(name, names())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[track_caller]
    fn check(name: &str, guid: Option<&str>) {
        assert_eq!(find(name).map(|guid| guid.to_string()).as_deref(), guid, "{name}");
    }

    #[test]
    fn names_and_guids_are_found() {
        check("Owner", Some("8e3af657-a8ff-443c-a75c-2fe8c4bcb635"));
        check("acrpull", Some("7f951dda-4ed3-4680-a7ca-43fe172d538d"));
        check("Azure Kubernetes Service RBAC Reader", Some("7f6c6a51-bcf8-42ba-9220-52d62157d7db"));
        check("11111111-2222-3333-4444-555555555555", Some("11111111-2222-3333-4444-555555555555"));
        check("Azure Kubernetes Service RBAC Reeder", None);
        assert_eq!(near("Azure Kubernetes Service RBAC Reeder"), Some("Azure Kubernetes Service RBAC Reader"));
        assert_eq!(by_guid("B24988AC-6180-42A0-AB88-20F7382DD24C").map(|role| role.name.as_str()), Some("Contributor"));
    }

    #[test]
    fn every_guid_is_one_and_stands_once() {
        let mut seen = BTreeSet::new();
        for role in ROLES.iter() {
            let guid = Uuid::try_parse(&role.guid).expect("a GUID");
            assert_eq!(guid.to_string(), role.guid, "{} in small letters", role.name);
            assert!(seen.insert(guid), "{} is there twice", role.name);
        }
        assert!(seen.len() > 100);
    }
}
