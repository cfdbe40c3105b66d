//! AKS0350: the label of workload identity on a service account, where nothing looks for it.

use akson_diagnostics::Diagnostic;

use super::Seen;
use crate::codes;

/// What the webhook looks for on pods.
const LABEL: &str = "azure.workload.identity/use";

pub(super) fn label(seen: &Seen<'_>) -> Option<Diagnostic> {
    let (labels, span) = seen.entries("labels")?;
    labels.contains_key(LABEL).then(|| {
        Diagnostic::warning(codes::LINT_ACCOUNT_LABEL, format!("`{LABEL}` does nothing on a service account"))
            .at(span, "")
            .note("the webhook that gives pods their tokens looks at the labels of pods")
            .help("put the label on the pod template; the service account has the annotation `azure.workload.identity/client-id`")
    })
}
