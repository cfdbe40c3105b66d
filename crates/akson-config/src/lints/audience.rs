//! AKS0304: an audience that the cloud's token exchange does not take.

use akson_diagnostics::Diagnostic;

use super::Seen;
use crate::codes;

pub(super) fn check(seen: &Seen<'_>) -> Option<Diagnostic> {
    let (audience, span) = seen.text("audience")?;
    let expected = &seen.inputs.token_exchange_audience;
    (!expected.is_empty() && audience != expected).then(|| {
        Diagnostic::warning(
            codes::LINT_AUDIENCE,
            "this is not the audience that the cloud's token exchange is asked with",
        )
        .at(span, "")
        .note(format!("tokens for this cloud are made for `{expected}`; the audience is compared exactly"))
        .help("leave `audience` out, or make sure that the tokens are made for this one")
    })
}
