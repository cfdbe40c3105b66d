//! AKS0311, AKS0312: policies that cannot do what they are assigned for, or where AKS does not document it.

use akson_catalog::policies::Table;
use akson_diagnostics::Diagnostic;

use super::Seen;
use crate::{codes, val::Val};

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
    let cluster = matches!(value.plain(), Val::Ref(pointed) if pointed.reference.kind == "cluster");
    cluster.then(|| {
        Diagnostic::note_only(codes::LINT_POLICY_SCOPE, "this policy is assigned at a cluster itself")
            .at(span, "")
            .note("it is legal; AKS documents assignment at the resource group or above, and the portal lists it there")
            .help("assign it at the resource group, unless it is for this one cluster")
    })
}
