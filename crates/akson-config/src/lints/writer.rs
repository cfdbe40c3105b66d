//! AKS0354: who may write in a namespace may read its secrets, and be any service account of it.

use akson_diagnostics::Diagnostic;

use super::Seen;
use crate::{codes, resources::Instance, val::Val};

/// The roles that write in namespaces: RBAC Writer and RBAC Admin. RBAC Cluster Admin says by its name what it is.
const WRITERS: [(&str, &str); 2] = [
    ("Azure Kubernetes Service RBAC Writer", "a7ffa36f-339b-4b5c-8bdf-e2c162b2c0eb"),
    ("Azure Kubernetes Service RBAC Admin", "3498e952-d568-435e-9b2c-8d77e338d7f7"),
];

/// What ties a service account to an identity.
const CLIENT: &str = "azure.workload.identity/client-id";

pub(super) fn check(seen: &Seen<'_>) -> Option<Diagnostic> {
    let (role, span) = seen.text("role")?;
    let guid = role.rsplit('/').next().unwrap_or(role);
    let (name, _) =
        WRITERS.iter().find(|(name, id)| name.eq_ignore_ascii_case(role) || id.eq_ignore_ascii_case(guid))?;
    let on = seen.instance.parent.as_ref()?.as_str();
    let reached: Vec<&&Instance> = seen.all.iter().filter(|account| lies_in(account, on)).collect();
    let mut diagnostic = Diagnostic::note_only(
        codes::LINT_WRITER,
        format!("`{name}` reads the secrets of a namespace and acts as its service accounts"),
    )
    .at(span, "");
    for account in reached.iter().take(3) {
        diagnostic = diagnostic.also(account.header, "with the identity of this service account, for one");
    }
    Some(
        diagnostic
            .note("it may run pods, and a pod has the token of whatever service account it names")
            .help("grant `Azure Kubernetes Service RBAC Reader` to who only looks, or keep such workloads in a namespace of their own"),
    )
}

/// Whether it is a service account with an identity, in the namespace or cluster that is granted on.
fn lies_in(account: &Instance, on: &str) -> bool {
    if account.kind.keyword != "service_account" {
        return false;
    }
    let has_identity = account.value("identity").is_some()
        || account.value("annotations").is_some_and(|(value, _)| match value.plain() {
            Val::Map(map) => map.entries.contains_key(CLIENT),
            _ => false,
        });
    let Some(id) = account.id.as_ref().map(|id| id.folded().to_owned()) else { return false };
    // What access is granted on has another path than what lies in the namespace.
    let on = on.replacen("/namespaces/", "/kubernetes.namespace/", 1);
    has_identity && id.strip_prefix(on.as_str()).is_some_and(|rest| rest.starts_with('/'))
}
