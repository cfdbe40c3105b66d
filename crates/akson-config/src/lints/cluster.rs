//! AKS0308, AKS0309, AKS0310: clusters that more people get into than is meant, or nobody.

use akson_diagnostics::Diagnostic;

use super::Seen;
use crate::{codes, val::Val};

/// Whether a block is written, and not as `none`.
fn has_block(seen: &Seen<'_>, path: &str) -> bool {
    seen.instance.value(path).is_some_and(|(value, _)| matches!(value.plain(), Val::Map(_)))
}

pub(super) fn local_accounts(seen: &Seen<'_>) -> Option<Diagnostic> {
    let found = seen.instance.value("local_accounts");
    let span = match (found, seen.symbol("local_accounts")) {
        (None, _) => seen.instance.header,
        (Some(_), Some(("enabled" | "default", span))) => span,
        (Some(_), _) => return None,
    };
    has_block(seen, "entra").then(|| {
        Diagnostic::warning(codes::LINT_LOCAL_ACCOUNTS, "certificates let into this cluster around Entra")
            .at(span, "")
            .note("whoever may list its admin credentials is cluster administrator, and no role or conditional access is asked")
            .help("add `local_accounts = disabled`; on a running cluster also rotate its certificates")
    })
}

pub(super) fn open_api_server(seen: &Seen<'_>) -> Option<Diagnostic> {
    let (word, span) = seen.symbol("api_server")?;
    let everywhere = match seen.instance.value("api_server").map(|(value, _)| value.plain()) {
        Some(Val::Choice(choice)) => choice.arguments.values().any(|argument| match argument.plain() {
            Val::List(list) => {
                list.items.iter().any(|item| matches!(item.plain(), Val::Text(range) if &**range == "0.0.0.0/0"))
            }
            _ => false,
        }),
        _ => false,
    };
    (word == "public" || everywhere).then(|| {
        Diagnostic::warning(codes::LINT_OPEN_API_SERVER, "the API server of this cluster is reached from every network")
            .at(span, "")
            .note("a stolen token is enough to use it, from anywhere")
            .help("admit known addresses: `api_server = authorized([\"…\"])`, or `private()`")
    })
}

pub(super) fn nobody_gets_in(seen: &Seen<'_>) -> Option<Diagnostic> {
    let roles = seen.symbol("entra.authorization");
    let (_, span) = seen.symbol("local_accounts").filter(|(word, _)| *word == "disabled")?;
    let no_groups = match seen.instance.value("entra.admin_groups").map(|(value, _)| value.plain()) {
        None => true,
        Some(Val::List(list)) => list.items.is_empty(),
        Some(_) => false,
    };
    let by_roles = roles.is_some_and(|(word, _)| word == "azure_rbac");
    (has_block(seen, "entra") && no_groups && !by_roles).then(|| {
        Diagnostic::warning(codes::LINT_NOBODY_GETS_IN, "nobody is administrator of this cluster")
            .at(span, "")
            .note("without local accounts and roles in Azure, only members of an admin group have rights on a new cluster")
            .help("add `admin_groups` to `entra`, or `authorization = azure_rbac` and grants")
    })
}
