//! AKS0356: a credential that trusts the tokens of a cluster which is not said to issue any.

use akson_catalog::Residual;
use akson_diagnostics::Diagnostic;

use super::Seen;
use crate::{codes, resources::Instance, val::Val};

pub(super) fn check(seen: &Seen<'_>) -> Option<Diagnostic> {
    let (value, span) = seen.instance.value("issuer")?;
    let Val::Unknown(hole) = value.plain() else { return None };
    let Residual::Output { of, output, address } = &hole.residual else { return None };
    if output != "oidc_issuer_url" {
        return None;
    }
    let cluster = seen.all.iter().find(|other| other.symbolic_id() == of && !other.existing)?;
    let missing: Vec<&str> =
        ["oidc_issuer", "workload_identity"].into_iter().filter(|switch| !enabled(cluster, switch)).collect();
    let (first, more) = missing.split_first()?;
    let all =
        more.iter().fold(format!("`{first} = enabled`"), |text, switch| format!("{text} and `{switch} = enabled`"));
    Some(
        Diagnostic::warning(
            codes::LINT_SILENT_ISSUER,
            format!("this credential trusts `{address}`, which does not say {all}"),
        )
        .at(span, "")
        .also(cluster.header, "the cluster")
        .note("without an issuer there is no address to trust, and without workload identity no pod gets a token")
        .help(format!("add {all} to the cluster")),
    )
}

fn enabled(cluster: &Instance, switch: &str) -> bool {
    // A kind without such a switch says nothing about it.
    if !cluster.kind.attributes.contains_key(switch) {
        return true;
    }
    cluster.value(switch).is_some_and(|(value, _)| match value.plain() {
        Val::Text(word) => &**word == "enabled",
        Val::Unknown(_) | Val::Poison => true,
        _ => false,
    })
}
