//! Lints: what is legal and probably wrong. One file each; warnings and notes only, few and right.

mod account;
mod audience;
mod class;
mod cluster;
mod issuer;
mod plain_secret;
mod policy;
mod silent_issuer;
mod subject;
mod vault;
mod writer;

use akson_diagnostics::{Diagnostic, Span};

use crate::{model::Inputs, resources::Instance, sink::Sink, val::Val};

/// What a lint sees: one instance among all.
pub(crate) struct Seen<'s> {
    pub instance: &'s Instance,
    pub all: &'s [&'s Instance],
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

    /// The entries of a map, with its place.
    fn entries(&self, path: &str) -> Option<(&'s crate::val::Entries, Span)> {
        let (value, span) = self.instance.value(path)?;
        match value.plain() {
            Val::Map(map) => Some((&map.entries, span)),
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
        "federated_credential" => {
            &[issuer::check, subject::wildcard, subject::pull_request, audience::check, silent_issuer::check]
        }
        "cluster" => &[cluster::local_accounts, cluster::open_api_server, cluster::nobody_gets_in],
        "vault" => &[vault::purge_protection, vault::public_network, vault::access_policies],
        "service_account" => &[account::label],
        "secret_provider_class" => &[class::pod_identity, class::parameters],
        "policy" => &[policy::default_effect, policy::no_identity, policy::on_cluster],
        "grant" => &[writer::check],
        _ => &[],
    }
}

const LINTS_OF_ALL: [Lint; 1] = [plain_secret::check];

/// Runs every lint over every managed instance.
pub(crate) fn check<'s>(instances: &'s [&'s Instance], inputs: &'s Inputs, sink: &mut Sink<'_>) {
    for instance in instances.iter().filter(|instance| !instance.existing) {
        let seen = Seen { instance, all: instances, inputs };
        for lint in lints_of(&instance.kind.keyword).iter().chain(&LINTS_OF_ALL) {
            if let Some(diagnostic) = lint(&seen) {
                sink.report(diagnostic.on(instance.address().to_string()));
            }
        }
    }
}
