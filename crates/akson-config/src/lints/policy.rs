//! AKS0311, AKS0353 and AKS0355: assignments that cannot act, refuse nothing, or stand where the documentation has none. Not the
//! parameters' own values.

use akson_catalog::policies::Table;
use akson_diagnostics::{Diagnostic, Span};

use super::Seen;
use crate::{codes, val::Val};

/// The pod security baseline for Linux, by name and by id.
const BASELINE: [&str; 2] = [
    "Kubernetes cluster pod security baseline standards for Linux-based workloads",
    "a8640138-9b0a-4a28-b8cb-1666c838647d",
];

/// Where the baseline is assigned.
fn baseline(seen: &Seen<'_>) -> Option<Span> {
    let (initiative, span) = seen.text("initiative")?;
    let last = initiative.rsplit('/').next().unwrap_or(initiative);
    BASELINE.iter().any(|known| known.eq_ignore_ascii_case(last)).then_some(span)
}

pub(super) fn default_effect(seen: &Seen<'_>) -> Option<Diagnostic> {
    let span = baseline(seen)?;
    let written = seen.instance.value("parameters").is_some_and(|(value, _)| match value.plain() {
        Val::Map(map) => map.entries.contains_key("effect"),
        _ => true,
    });
    (!written).then(|| {
        Diagnostic::note_only(codes::LINT_BASELINE_EFFECT, "without an `effect` this initiative refuses nothing: it audits")
            .at(span, "")
            .note("its five policies look at privileged containers, host namespaces, host networks, capabilities and host paths; none at resource requests")
            .help("write `parameters = { effect = \"audit\" }` if that is meant, or `\"deny\"`")
    })
}

pub(super) fn no_identity(seen: &Seen<'_>) -> Option<Diagnostic> {
    let assigned = [("initiative", Table::Initiatives), ("definition", Table::Definitions)];
    let (policy, span) = assigned.iter().find_map(|(path, table)| {
        let (id, span) = seen.text(path)?;
        Some((table.by_id(id)?, span))
    })?;
    let has_identity = seen.instance.value("identity").is_some()
        && seen.symbol("identity").is_none_or(|(word, _)| word != "no_identity");
    let disabled = match seen.instance.value("parameters").map(|(value, _)| value.plain()) {
        Some(Val::Map(map)) => map
            .entries
            .get("effect")
            .is_some_and(|effect| matches!(effect.plain(), Val::Text(word) if word.eq_ignore_ascii_case("disabled"))),
        _ => false,
    };
    (policy.deploys && !has_identity && !disabled).then(|| {
        Diagnostic::warning(
            codes::LINT_POLICY_IDENTITY,
            "this policy deploys something and has no identity to do it as",
        )
        .at(span, "")
        .note("without an identity it only says what does not comply; the identity needs the roles of the definition")
        .help("add `identity = system` and a `location`, and grant that identity its roles")
    })
}

pub(super) fn on_cluster(seen: &Seen<'_>) -> Option<Diagnostic> {
    let (value, span) = seen.instance.value("on")?;
    let cluster = match value.plain() {
        Val::Ref(pointed) => pointed.reference.kind == "cluster",
        Val::Text(id) => id.to_ascii_lowercase().contains("/managedclusters/"),
        _ => false,
    };
    cluster.then(|| {
        Diagnostic::note_only(codes::LINT_POLICY_ON_CLUSTER, "this policy is assigned on the cluster itself")
            .at(span, "")
            .note("Azure takes it; AKS documents assignments on a resource group or above, and the portal may not show this one")
            .help("assign it on the cluster's resource group, if that holds for all that lies there")
    })
}
