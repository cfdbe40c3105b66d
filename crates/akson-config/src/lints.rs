//! Lints: what is legal and probably wrong. One file each; warnings and notes only, few and right.

mod audience;
mod cluster;
mod issuer;
mod policy;
mod subject;
mod vault;

use akson_diagnostics::{Diagnostic, Span};

use crate::{model::Inputs, resources::Instance, sink::Sink, val::Val};

/// What a lint sees: one instance.
pub(crate) struct Seen<'s> {
    pub instance: &'s Instance,
    pub inputs: &'s Inputs,
}

impl<'s> Seen<'s> {
    /// A text that is known and may be shown, with its place.
    fn text(&self, path: &str) -> Option<(&'s str, Span)> {
        let (value, span) = self.instance.value(path)?;
        match value {
            Val::Text(text) => Some((text, span)),
            Val::Marked(marked) if !marked.marks.sensitive => match &marked.value {
                Val::Text(text) => Some((text, span)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The symbol of a switch, an enum or a choice, with its place.
    fn symbol(&self, path: &str) -> Option<(&'s str, Span)> {
        let (value, span) = self.instance.value(path)?;
        match value.plain() {
            Val::Text(text) => Some((text, span)),
            Val::Choice(choice) => Some((&choice.name, span)),
            Val::Default => Some(("default", span)),
            _ => None,
        }
    }
}

type Lint = fn(&Seen<'_>) -> Option<Diagnostic>;

/// The lints of a kind.
fn lints_of(keyword: &str) -> &'static [Lint] {
    match keyword {
        "federated_credential" => &[issuer::check, subject::wildcard, subject::pull_request, audience::check],
        "cluster" => &[cluster::local_accounts, cluster::open_api_server, cluster::nobody_gets_in],
        "policy" => &[policy::no_identity, policy::on_cluster],
        "vault" => &[vault::purge_protection, vault::public_network, vault::access_policies],
        _ => &[],
    }
}

/// Runs every lint over every managed instance.
pub(crate) fn check(instances: &[&Instance], inputs: &Inputs, sink: &mut Sink<'_>) {
    for instance in instances.iter().filter(|instance| !instance.existing) {
        let seen = Seen { instance, inputs };
        for lint in lints_of(&instance.kind.keyword) {
            if let Some(diagnostic) = lint(&seen) {
                sink.report(diagnostic.on(instance.address().to_string()));
            }
        }
    }
}
