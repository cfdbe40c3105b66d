//! The program's catalog with kinds of the tests' own: small ones, so that a test of the language does not change with a kind.

use akson_catalog::{
    Catalog,
    kind::{KindSource, embedded::KINDS},
};
use akson_config::{evaluate, model::Inputs};
use akson_diagnostics::{Diagnostics, SourceMap};

use super::run::{Run, inputs_of};

macro_rules! own {
    ($($name:literal),*) => {
        &[$(KindSource { name: $name, text: include_str!(concat!("../kinds/", $name)) }),*]
    };
}

const OWN: &[KindSource] = own![
    "cluster.toml",
    "grant.toml",
    "secret.toml",
    "namespace.toml",
    "service_account.toml",
    "secret_provider_class.toml"
];

/// Kinds of the program, with what they refer to.
const BASE: &[&str] = &[
    "resource_group.toml",
    "identity.toml",
    "federated_credential.toml",
    "vault.toml",
    "subnet.toml",
    "network.toml",
    "route_table.toml",
    "network_security_group.toml",
    "nat_gateway.toml",
    "public_ip.toml",
    "resource.toml",
    "lock.toml",
];

pub(crate) fn catalog() -> Catalog {
    let base = KINDS.iter().filter(|kind| BASE.contains(&kind.name)).copied();
    let files: Vec<KindSource> = base.chain(OWN.iter().copied()).collect();
    let (mut sources, mut diagnostics) = (SourceMap::new(), Diagnostics::new());
    let catalog = Catalog::load(&files, &mut sources, &mut diagnostics);
    assert!(!diagnostics.has_errors(), "{diagnostics:#?}");
    catalog
}

pub(crate) fn run_in(catalog: &Catalog, text: &str, inputs: &Inputs) -> Run {
    let mut sources = SourceMap::new();
    let id = sources.add("main.aks", text);
    let mut diagnostics = Diagnostics::new();
    let files = [akson_parser::parse(&sources, id, &mut diagnostics)];
    let config = evaluate(&files, &sources, catalog, inputs, &mut diagnostics);
    Run { sources, diagnostics, config }
}

pub(crate) fn run_own(text: &str) -> Run {
    run_in(&catalog(), text, &inputs_of(text))
}
