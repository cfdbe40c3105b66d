//! How bad it is when something changes outside: a word that kind files give to kinds and attributes. Not what is done about it.

use std::fmt;

use crate::kind::{Attribute, Kind, Role};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Severity {
    /// Worth knowing.
    Low,
    /// It does not do what its author said.
    #[default]
    Medium,
    /// Who can reach, become or read something may have changed.
    High,
}

impl Severity {
    /// All of them by their words.
    pub const WORDS: &'static [(&'static str, Severity)] =
        &[("low", Severity::Low), ("medium", Severity::Medium), ("high", Severity::High)];

    /// The word for it in every format.
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Kind {
    /// How bad a difference is in what plans call `entra.admin_groups` or `tags.owner`: what the innermost attribute that says so says, or
    /// the kind. Tags are low.
    pub fn severity_at(&self, path: &str) -> Severity {
        let mut steps = path.split(['.', '[', ']']).filter(|step| !step.is_empty());
        let Some(mut at) = steps.next().and_then(|name| self.attributes.get(name)) else { return self.severity };
        let mut found = said(at).unwrap_or(self.severity);
        for step in steps {
            let Some(inner) = inside(at, step) else { continue };
            at = inner;
            found = said(at).unwrap_or(found);
        }
        found
    }

    /// How bad it is that one of them is deleted, or is there and declared nowhere.
    pub fn severity_of_whole(&self) -> Severity {
        // What holds data or identity is not made again by making it again.
        if self.stateful { Severity::High } else { self.severity }
    }
}

fn said(attribute: &Attribute) -> Option<Severity> {
    attribute.severity.or_else(|| (attribute.role == Role::Tags).then_some(Severity::Low))
}

fn inside<'a>(attribute: &'a Attribute, name: &str) -> Option<&'a Attribute> {
    let arguments = || attribute.variants.values().find_map(|variant| variant.arguments.get(name));
    attribute.fields.get(name).or_else(arguments)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails should say where")]
    use super::*;
    use crate::Catalog;

    #[test]
    fn what_is_about_access_is_high() {
        let catalog = Catalog::builtin().unwrap();
        let check = |kind: &str, path: &str, expected: Severity| {
            assert_eq!(catalog.get(kind).unwrap().severity_at(path), expected, "{kind}.{path}");
        };
        for (kind, path) in [
            ("cluster", "local_accounts"),
            ("cluster", "entra"),
            ("cluster", "entra.admin_groups"),
            ("cluster", "entra.authorization"),
            ("cluster", "api_server"),
            ("cluster", "api_server.ranges"),
            ("cluster", "network.policy"),
            ("vault", "network"),
            ("vault", "network.ips"),
            ("vault", "purge_protection"),
            ("vault", "access"),
            ("grant", "role"),
            ("grant", "condition"),
            ("group", "members"),
            ("federated_credential", "subject"),
            ("federated_credential", "issuer"),
            ("policy", "parameters.effect"),
            ("policy", "enforcement"),
            ("role", "actions[2]"),
            ("registry", "admin_user"),
            ("lock", "level"),
        ] {
            check(kind, path, Severity::High);
        }
        check("cluster", "tier", Severity::Medium);
        check("cluster", "network.pod_cidr", Severity::Medium);
        check("cluster", "tags.owner", Severity::Low);
        check("vault", "tags", Severity::Low);
        check("cluster", "autoscaler.expander", Severity::Low);
        check("grant", "description", Severity::Low);
        check("cluster", "nothing.of_this", Severity::Medium);
    }

    #[test]
    fn what_is_gone() {
        let catalog = Catalog::builtin().unwrap();
        let check = |kind: &str, expected: Severity| {
            assert_eq!(catalog.get(kind).unwrap().severity_of_whole(), expected, "{kind}");
        };
        for kind in ["grant", "federated_credential", "policy", "lock", "role_binding", "vault", "cluster", "group"] {
            check(kind, Severity::High);
        }
        check("route_table", Severity::Medium);
        check("maintenance_window", Severity::Low);
    }
}
