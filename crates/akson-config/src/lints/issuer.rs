//! AKS0301: an issuer that no token has, by its trailing slash or its spelling.

use akson_diagnostics::Diagnostic;

use super::Seen;
use crate::codes;

/// Issuers that everybody uses, exactly as their tokens have them.
const KNOWN: &[&str] = &[
    "https://token.actions.githubusercontent.com",
    "https://gitlab.com",
    "https://vstoken.actions.githubusercontent.com",
    "https://accounts.google.com",
    "https://app.terraform.io",
];

pub(super) fn check(seen: &Seen<'_>) -> Option<Diagnostic> {
    let (issuer, span) = seen.text("issuer")?;
    let bare = issuer.trim_end_matches('/');
    // AKS issues with a slash at the end, after the path with the cluster's own GUID.
    let aks = bare.to_ascii_lowercase().contains(".oic.prod-aks.azure.com/") && !issuer.ends_with('/');
    let right = if aks {
        format!("{issuer}/")
    } else {
        let known = KNOWN.iter().find(|known| known.eq_ignore_ascii_case(bare))?;
        if *known == issuer {
            return None;
        }
        (*known).to_owned()
    };
    Some(
        Diagnostic::warning(codes::LINT_ISSUER, "no token has this issuer")
            .at(span, "")
            .note("Azure compares the issuer exactly, with case and trailing slash, and accepts one that never matches")
            .help(format!("write `{right}`"))
            .suggest(span, format!("\"{right}\""), "write the issuer as its tokens have it"),
    )
}
