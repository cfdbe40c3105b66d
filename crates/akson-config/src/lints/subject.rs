//! AKS0302 and AKS0303: subjects that match nothing, or every pull request.

use akson_diagnostics::Diagnostic;

use super::Seen;
use crate::codes;

pub(super) fn wildcard(seen: &Seen<'_>) -> Option<Diagnostic> {
    let (subject, span) = seen.text("subject")?;
    subject.contains('*').then(|| {
        Diagnostic::warning(codes::LINT_WILDCARD, "a subject has no wildcards: this `*` matches only itself")
            .at(span, "")
            .note("Azure compares the subject exactly")
            .help("write one credential for each subject, for example with `for_each`")
    })
}

pub(super) fn pull_request(seen: &Seen<'_>) -> Option<Diagnostic> {
    let (issuer, _) = seen.text("issuer")?;
    if !issuer.trim_end_matches('/').eq_ignore_ascii_case("https://token.actions.githubusercontent.com") {
        return None;
    }
    let (subject, span) = seen.text("subject")?;
    let rest = subject.strip_prefix("repo:")?;
    let claim = rest.split_once(':').map(|(_, claim)| claim);
    match claim {
        Some("pull_request") => Some(
            Diagnostic::warning(codes::LINT_PULL_REQUEST, "every pull request of the repository can sign in as this identity")
                .at(span, "")
                .note("whoever may open a branch in the repository decides what its pull requests run")
                .help("trust an environment with reviewers: `repo:OWNER/NAME:environment:NAME`"),
        ),
        None => Some(
            Diagnostic::warning(codes::LINT_PULL_REQUEST, "this subject names a repository and no branch, tag or environment")
                .at(span, "")
                .note("GitHub's subjects end with `:ref:refs/heads/BRANCH`, `:ref:refs/tags/TAG`, `:environment:NAME` or `:pull_request`")
                .help("say what of the repository is trusted: `repo:OWNER/NAME:ref:refs/heads/main`"),
        ),
        Some(_) => None,
    }
}
