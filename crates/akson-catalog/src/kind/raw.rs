//! Kinds of raw `resource` blocks, made from a type and an api-version; and which type an id may be of. Not the attributes: those are
//! in `kinds/resource.toml`.

use std::{fmt, sync::Arc};

use super::{Catalog, Kind, ListCall, Marker, Quirk, Role, ids::type_of};
use crate::ArmId;

/// The keyword of raw blocks.
pub const RAW: &str = "resource";

/// The one type whose ids have no provider in them.
const GROUPS: &str = "Microsoft.Resources/resourceGroups";

/// Namespaces and types that take no tags, or extend any other resource: what is marked by its parent.
const UNTAGGED: [&str; 12] = [
    "microsoft.authorization",
    "microsoft.policyinsights",
    "microsoft.security",
    "microsoft.advisor",
    "microsoft.management",
    "microsoft.consumption",
    "microsoft.costmanagement",
    "microsoft.billing",
    "microsoft.insights/diagnosticsettings",
    "microsoft.insights/datacollectionruleassociations",
    "microsoft.containerservice/deploymentsafeguards",
    "microsoft.kubernetesconfiguration",
];

/// Why the first label of a raw block names no type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RawTypeError {
    /// There is no `@` with an api-version behind it.
    NoVersion,
    /// The api-version is no date such as `2025-01-01`, with or without `-preview`.
    BadVersion(String),
    /// The type is not `Namespace.Name/type` or `Namespace.Name/type/child`.
    BadType(String),
    /// The catalog has no `resource` kind.
    NoRawKind,
}

impl fmt::Display for RawTypeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RawTypeError::NoVersion => f.write_str("the type has no api-version: write `Microsoft.X/y@2025-01-01`"),
            RawTypeError::BadVersion(version) => {
                write!(f, "`{version}` is no api-version such as `2025-01-01` or `2025-01-01-preview`")
            }
            RawTypeError::BadType(of) => {
                write!(f, "`{of}` is no resource type such as `Microsoft.X/y` or `Microsoft.X/y/z`")
            }
            RawTypeError::NoRawKind => f.write_str("the catalog has no kind `resource`"),
        }
    }
}

impl std::error::Error for RawTypeError {}

/// Why a resource does not fit where it is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongParent {
    /// The type that is wanted.
    pub wanted: String,
    /// The type it is of; none if it is no id of a resource.
    pub found: Option<String>,
}

impl fmt::Display for WrongParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.found {
            Some(found) => write!(f, "wanted is a resource of type `{}`, this is one of `{found}`", self.wanted),
            None => write!(f, "wanted is a resource of type `{}`, this is no id of a resource", self.wanted),
        }
    }
}

impl std::error::Error for WrongParent {}

/// What an ARM object of this type does, whoever's words it is written in: how it is written and deleted, what must not run beside
/// it, and that it is not replaced by inference.
fn adopt_facts(raw: &mut Kind, known: &Kind) {
    raw.stateful = known.stateful;
    raw.write = known.write;
    raw.delete = known.delete;
    raw.seconds = known.seconds;
    raw.read_only.clone_from(&known.read_only);
    raw.reset.clone_from(&known.reset);
    raw.conflict_domain = match &known.conflict_domain {
        Some(domain) if Some(domain) == known.parent.as_ref() => raw.parent.clone(),
        Some(domain) if domain == "self" => Some(domain.clone()),
        _ => None,
    };
    // The others speak of attributes that a raw block does not have.
    let own = [Quirk::FederatedCredentialUniqueness, Quirk::ComesWithParent];
    raw.quirks = known.quirks.iter().copied().filter(|quirk| !own.contains(quirk)).collect();
}

impl Catalog {
    /// The kind that an ARM type has of its own, if it has one: better than a raw block.
    pub fn kind_of_type(&self, resource_type: &str) -> Option<&Arc<Kind>> {
        self.iter().find(|kind| kind.keyword != RAW && kind.resource_type.eq_ignore_ascii_case(resource_type))
    }

    /// The kind of a raw block by its first label: `Microsoft.Network/routeTables@2025-03-01`, child types with every segment.
    ///
    /// A type under a resource group (or extending a resource) has the id `{parent}/providers/TYPE/{name}`, a child type
    /// `{parent}/LAST/{name}`. Only top-level types that take tags are marked by one and inherit a location. It is read by its id: no
    /// lists. Where the type has a kind of its own, what that says about writing and deleting holds here too.
    ///
    /// # Errors
    ///
    /// If the label names no type.
    pub fn raw_kind(&self, type_at_version: &str) -> Result<Kind, RawTypeError> {
        let (of, version) = type_at_version.split_once('@').ok_or(RawTypeError::NoVersion)?;
        if !is_version(version) {
            return Err(RawTypeError::BadVersion(version.to_owned()));
        }
        let (namespace, types) = of.split_once('/').ok_or_else(|| RawTypeError::BadType(of.to_owned()))?;
        let word = |text: &str| {
            !text.is_empty()
                && text
                    .chars()
                    .all(|character| character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_'))
        };
        if !word(namespace) || !namespace.contains('.') || !types.split('/').all(word) {
            return Err(RawTypeError::BadType(of.to_owned()));
        }
        let mut kind = Kind::clone(self.get(RAW).ok_or(RawTypeError::NoRawKind)?);
        kind.id = match types.rsplit_once('/') {
            Some((_, last)) => format!("{{parent}}/{last}/{{name}}"),
            None if of.eq_ignore_ascii_case(GROUPS) => "{parent}/resourceGroups/{name}".to_owned(),
            None => format!("{{parent}}/providers/{of}/{{name}}"),
        };
        of.clone_into(&mut kind.resource_type);
        version.clone_into(&mut kind.api_version);
        kind.lists = Vec::<ListCall>::new();
        if types.contains('/') || !takes_tags(of) {
            kind.marker = Marker::Parent;
            if let Some(location) = kind.attributes.get_mut("location") {
                location.role = Role::Value;
            }
        }
        if let Some(known) = self.kind_of_type(of) {
            adopt_facts(&mut kind, known);
        }
        Ok(kind)
    }
}

impl Catalog {
    /// Whether an ARM id written as text may stand where a resource of one of these kinds is wanted.
    ///
    /// # Errors
    ///
    /// The types that would fit.
    pub fn check_reference(&self, kinds: &[String], id: &ArmId) -> Result<(), WrongParent> {
        let found = type_of(id);
        let any = kinds.iter().any(|kind| kind == "*" || kind == RAW);
        let types: Vec<&str> =
            kinds.iter().filter_map(|kind| self.get(kind)).map(|kind| kind.resource_type.as_str()).collect();
        match found {
            Some(_) if any => Ok(()),
            Some(found) if types.iter().any(|of| of.eq_ignore_ascii_case(&found)) => Ok(()),
            found => Err(WrongParent { wanted: if any { "any".to_owned() } else { types.join("` or `") }, found }),
        }
    }
}

/// Why a key may not stand at the top of a raw `body`, and what to write instead.
pub fn misplaced(key: &str) -> Option<&'static str> {
    match key.to_ascii_lowercase().as_str() {
        "name" => Some("write `name` beside `body`"),
        "location" => Some("write `location` beside `body`"),
        "tags" => Some("write `tags` beside `body`"),
        "id" | "type" | "apiversion" | "systemdata" | "etag" => Some("Azure says this itself; leave it out"),
        _ => None,
    }
}

impl Kind {
    /// Whether a resource of a raw child type can lie in `parent`; kinds of their own are checked by type.
    ///
    /// # Errors
    ///
    /// The type that the parent must have.
    pub fn check_parent(&self, parent: &ArmId) -> Result<(), WrongParent> {
        if self.keyword != RAW {
            return Ok(());
        }
        let found = type_of(parent);
        match self.resource_type.rsplit_once('/') {
            Some((wanted, _)) if wanted.contains('/') => match found {
                Some(found) if found.eq_ignore_ascii_case(wanted) => Ok(()),
                found => Err(WrongParent { wanted: wanted.to_owned(), found }),
            },
            _ if found.is_some() || parent.as_str() == "/" => Ok(()),
            _ => Err(WrongParent { wanted: GROUPS.to_owned(), found: None }),
        }
    }
}

fn takes_tags(of: &str) -> bool {
    let of = of.to_ascii_lowercase();
    let namespace = of.split('/').next().unwrap_or_default();
    !UNTAGGED.iter().any(|untagged| *untagged == namespace || *untagged == of)
}

/// `2025-01-01`, `2025-01-01-preview`.
fn is_version(text: &str) -> bool {
    let digits = |part: Option<&str>, length: usize| {
        part.is_some_and(|part| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let mut parts = text.splitn(4, '-');
    digits(parts.next(), 4)
        && digits(parts.next(), 2)
        && digits(parts.next(), 2)
        && parts.next().is_none_or(|suffix| {
            !suffix.is_empty() && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails should say where")]
    use super::*;
    use crate::kind::ids::fill;

    #[track_caller]
    fn check(label: &str, id: &str, marker: &Marker) {
        let kind = Catalog::builtin().unwrap().raw_kind(label).unwrap();
        let part = |name: &str| Some(if name == "parent" { "/subscriptions/s/resourceGroups/g" } else { "n" });
        assert_eq!(fill(&kind.id, part).unwrap(), id);
        assert_eq!(kind.marker, *marker);
        assert!(kind.lists.is_empty());
    }

    #[test]
    fn ids_and_markers_follow_the_type() {
        let group = "/subscriptions/s/resourceGroups/g";
        check(
            "Microsoft.Network/routeTables@2025-03-01",
            &format!("{group}/providers/Microsoft.Network/routeTables/n"),
            &Marker::Tag,
        );
        check("Microsoft.Network/virtualNetworks/subnets@2025-03-01", &format!("{group}/subnets/n"), &Marker::Parent);
        check(
            "Microsoft.Authorization/roleAssignments@2022-04-01",
            &format!("{group}/providers/Microsoft.Authorization/roleAssignments/n"),
            &Marker::Parent,
        );
        check(
            "microsoft.insights/diagnosticSettings@2021-05-01-preview",
            &format!("{group}/providers/microsoft.insights/diagnosticSettings/n"),
            &Marker::Parent,
        );
    }

    #[test]
    fn a_type_with_a_kind_behaves_like_it() {
        let catalog = Catalog::builtin().unwrap();
        check(
            "Microsoft.Resources/resourceGroups@2021-04-01",
            "/subscriptions/s/resourceGroups/g/resourceGroups/n",
            &Marker::Tag,
        );
        let vault = catalog.raw_kind("microsoft.keyvault/Vaults@2025-03-01").unwrap();
        assert!(
            vault.stateful
                && vault.quirks.contains(&Quirk::SoftDeletedName)
                && vault.conflict_domain.as_deref() == Some("self")
        );
        let name = "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials";
        let credential = catalog.raw_kind(&format!("{name}@2023-01-31")).unwrap();
        assert_eq!(credential.conflict_domain.as_deref(), Some("parent"));
        assert_eq!(catalog.kind_of_type(name).unwrap().keyword, "federated_credential");
    }

    #[test]
    fn labels_that_are_no_type() {
        let catalog = Catalog::builtin().unwrap();
        let refused = |label: &str| catalog.raw_kind(label).map(|kind| kind.id).unwrap_err();
        assert_eq!(refused("Microsoft.Network/routeTables"), RawTypeError::NoVersion);
        assert_eq!(refused("Microsoft.Network/routeTables@latest"), RawTypeError::BadVersion("latest".to_owned()));
        assert_eq!(refused("Microsoft.Network/routeTables@2025-3-1"), RawTypeError::BadVersion("2025-3-1".to_owned()));
        assert_eq!(refused("routeTables@2025-03-01"), RawTypeError::BadType("routeTables".to_owned()));
        assert_eq!(refused("Network/routeTables@2025-03-01"), RawTypeError::BadType("Network/routeTables".to_owned()));
        assert_eq!(refused("Microsoft.Network/@2025-03-01"), RawTypeError::BadType("Microsoft.Network/".to_owned()));
        assert_eq!(
            refused("Microsoft.Network/a/{x}@2025-03-01"),
            RawTypeError::BadType("Microsoft.Network/a/{x}".to_owned())
        );
    }

    #[test]
    fn parents_have_the_right_type() {
        let catalog = Catalog::builtin().unwrap();
        let network = ArmId::new("/subscriptions/s/resourceGroups/g/providers/microsoft.network/VirtualNetworks/v");
        let group = ArmId::new("/subscriptions/s/resourcegroups/g");
        let subnet = catalog.raw_kind("Microsoft.Network/virtualNetworks/subnets@2025-03-01").unwrap();
        assert_eq!(subnet.check_parent(&network), Ok(()));
        assert_eq!(subnet.check_parent(&group).unwrap_err().wanted, "Microsoft.Network/virtualNetworks");
        let table = catalog.raw_kind("Microsoft.Network/routeTables@2025-03-01").unwrap();
        assert_eq!(table.check_parent(&group), Ok(()));
        assert!(table.check_parent(&ArmId::new("hello")).is_err());

        let groups = ["resource_group".to_owned()];
        assert_eq!(catalog.check_reference(&groups, &group), Ok(()));
        assert!(catalog.check_reference(&groups, &network).is_err());
        assert_eq!(catalog.check_reference(&["*".to_owned()], &network), Ok(()));
        assert!(catalog.check_reference(&["*".to_owned()], &ArmId::new("x")).is_err());
    }
}
