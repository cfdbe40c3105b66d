//! AKS0351 and AKS0352: parameters of secret provider classes that are retired or not read.

use akson_diagnostics::Diagnostic;

use super::Seen;
use crate::{codes, val::Val};

/// What the driver reads; case counts.
const PARAMETERS: &[&str] = &[
    "usePodIdentity",
    "useVMManagedIdentity",
    "userAssignedIdentityID",
    "clientID",
    "keyvaultName",
    "cloudName",
    "cloudEnvFileName",
    "tenantId",
    "objects",
];

pub(super) fn pod_identity(seen: &Seen<'_>) -> Option<Diagnostic> {
    let (parameters, span) = seen.entries("parameters")?;
    let on = matches!(parameters.get("usePodIdentity")?.plain(), Val::Text(word) if word.eq_ignore_ascii_case("true"));
    on.then(|| {
        Diagnostic::warning(codes::LINT_POD_IDENTITY, "`usePodIdentity` is retired: pods get no secrets by it")
            .at(span, "")
            .note("AAD pod identity was replaced by workload identity")
            .help("write `usePodIdentity = \"false\"` and `clientID`, or let a `workload` block make the class")
    })
}

pub(super) fn parameters(seen: &Seen<'_>) -> Option<Diagnostic> {
    let (parameters, span) = seen.entries("parameters")?;
    let (written, meant) = parameters.keys().find_map(|key| {
        let meant = match &**key {
            // The name that the parameter is often remembered by.
            "useVMAssignedIdentity" => "useVMManagedIdentity",
            key if PARAMETERS.contains(&key) => return None,
            key => PARAMETERS.iter().find(|known| known.eq_ignore_ascii_case(key))?,
        };
        Some((key.to_string(), meant))
    })?;
    Some(
        Diagnostic::warning(codes::LINT_CLASS_PARAMETER, format!("the driver does not read `{written}`"))
            .at(span, "")
            .note("names of parameters are compared with case, and what is not known is ignored")
            .help(format!("write `{meant}`")),
    )
}
