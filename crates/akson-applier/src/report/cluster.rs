//! What an API server of a cluster refuses, in words: fields that somebody else owns, namespaces and APIs that are not there, doors that are shut.

use akson_azure::{AzureError, Class, TransportError, classify};
use akson_diagnostics::{Diagnostic, SafeText};
use akson_planner::{Action, Change};

use super::{CONTINUES, said, verb};
use crate::codes;

/// A refusal.
pub(super) fn refused(change: &Change, error: &AzureError) -> Diagnostic {
    let (what, address) = (verb(change), &change.address);
    match error.code.as_str() {
        "FieldManagerConflict" => conflict(change, error),
        "NamespaceNotFound" if change.action != Action::Delete => {
            Diagnostic::error(codes::NO_NAMESPACE, format!("cannot {what} `{address}`: its namespace does not exist"))
                .note(heard(&error.message))
                .help(format!("declare it: `namespace \"name\" {{ … }}`; {CONTINUES}"))
        }
        "ApiNotFound" if change.kind.resource_type.starts_with("secrets-store.csi.x-k8s.io/") => {
            Diagnostic::error(codes::NO_API, format!("cannot {what} `{address}`: its cluster has no secrets provider"))
                .note("the API of secret provider classes comes with the add-on for Key Vault")
                .help(format!(
                    "write `secrets_provider {{ rotation_interval = \"2m\" }}` in the cluster's block; {CONTINUES}"
                ))
        }
        "ApiNotFound" => {
            let text = format!("cannot {what} `{address}`: its cluster does not know `{}`", change.kind.resource_type);
            Diagnostic::error(codes::NO_API, text)
                .note(heard(&error.message))
                .help(format!("see whether the cluster's version has this API; {CONTINUES}"))
        }
        _ if classify(error) == Class::Denied => {
            let headline = format!("the signed-in principal may not {what} `{address}` in its cluster");
            said(Diagnostic::error(codes::DENIED, headline), error)
                .note("rights in a cluster are not those on its Azure resource: Owner of the cluster is nobody inside")
                .help(format!(
                    "grant it `Azure Kubernetes Service RBAC Cluster Admin` on the cluster, or put it into a group of `admin_groups`; {CONTINUES}"
                ))
        }
        _ => super::refused(change, error),
    }
}

/// Nobody answered, or not who should.
pub(super) fn closed(change: &Change, error: &TransportError) -> Diagnostic {
    let headline = format!(
        "cannot {} `{}`: the API server of its cluster cannot be reached from here",
        verb(change),
        change.address
    );
    Diagnostic::error(codes::CLUSTER_CLOSED, headline)
        .note(SafeText(&error.to_string()).to_string())
        .note("a private cluster is reached from its network alone, and one with authorized ranges from these")
        .help(format!(
            "run akson from an address that the cluster lets in, or add its address to `authorized`; {CONTINUES}"
        ))
}

/// Fields that others own: who, and which.
fn conflict(change: &Change, error: &AzureError) -> Diagnostic {
    let mut owners: Vec<(String, Vec<String>)> = Vec::new();
    for (_, said) in error.details.iter().filter(|(reason, _)| reason == "FieldManagerConflict") {
        // conflict with "kubectl-edit" using v1: .metadata.labels.team
        let owner = said.split('"').nth(1).unwrap_or("somebody else").to_owned();
        let field = said.rsplit(": ").next().unwrap_or_default().to_owned();
        match owners.iter_mut().find(|(name, _)| *name == owner) {
            Some((_, fields)) => fields.push(field),
            None => owners.push((owner, vec![field])),
        }
    }
    let names: Vec<String> = owners.iter().map(|(owner, _)| format!("`{}`", SafeText(owner))).collect();
    let headline = format!("cannot {} `{}`: {} owns a part of it", verb(change), change.address, names.join(" and "));
    let mut diagnostic = Diagnostic::error(codes::FIELD_OWNED, headline);
    for (owner, fields) in &owners {
        let fields: Vec<String> = fields.iter().map(|field| format!("`{}`", SafeText(field))).collect();
        diagnostic = diagnostic.note(format!("`{}` set {}", SafeText(owner), fields.join(", ")));
    }
    diagnostic
        .note("a cluster remembers who set which field, and akson takes none from somebody else; nothing was changed")
        .help(format!(
            "write the value that is there into the block, or leave the attribute out, or set it back with the tool that set it; {CONTINUES}"
        ))
}

fn heard(message: &str) -> String {
    format!("the cluster said: {}", SafeText(message))
}
