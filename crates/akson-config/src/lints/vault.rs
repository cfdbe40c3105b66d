//! AKS0305, AKS0306, AKS0307: vaults that lose secrets or give them away.

use akson_diagnostics::Diagnostic;

use super::Seen;
use crate::codes;

pub(super) fn purge_protection(seen: &Seen<'_>) -> Option<Diagnostic> {
    let found = seen.instance.value("purge_protection");
    let span = match (found, seen.symbol("purge_protection")) {
        (None, _) => seen.instance.header,
        (Some(_), Some(("disabled" | "default", span))) => span,
        (Some(_), _) => return None,
    };
    Some(
        Diagnostic::warning(codes::LINT_PURGE_PROTECTION, "what is deleted in this vault can be purged at once")
            .at(span, "")
            .note("whoever may purge can destroy every secret before anyone recovers it")
            .help("add `purge_protection = enabled`; it cannot be disabled again"),
    )
}

pub(super) fn public_network(seen: &Seen<'_>) -> Option<Diagnostic> {
    let (_, span) = seen.symbol("network").filter(|(word, _)| *word == "public")?;
    Some(
        Diagnostic::warning(codes::LINT_PUBLIC_VAULT, "this vault is reached from every network")
            .at(span, "")
            .note("a stolen token is enough to read its secrets, from anywhere")
            .help("admit known addresses: `network = selected(ips = [\"…\"])`, or `private` with a private endpoint"),
    )
}

pub(super) fn access_policies(seen: &Seen<'_>) -> Option<Diagnostic> {
    let (_, span) = seen.symbol("access").filter(|(word, _)| *word == "policies")?;
    Some(
        Diagnostic::warning(
            codes::LINT_ACCESS_POLICIES,
            "with access policies, whoever may write the vault may read its secrets",
        )
        .at(span, "")
        .note("a contributor of the resource group can add a policy for themselves")
        .help("use roles: `access = rbac`"),
    )
}
