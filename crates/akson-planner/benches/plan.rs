//! How long a plan of 10,000 resources takes: cold (all are created), in sync, and its schedule. Reads are not in it.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark that fails should say where")]

use std::hint::black_box;

use akson_catalog::{Catalog, SymbolicId, Value};
use akson_config::{Config, Resource, Stack};
use akson_diagnostics::{Diagnostics, SourceMap, Span};
use akson_planner::{
    Answer, LiveObject, Outcome, Owned, OwnedEntry, Plan, PlanOptions, Schedule, Snapshot, first_wave,
    hashes::recorded, next_wave, plan,
};
use criterion::{BatchSize, Criterion};
use serde_json::json;

const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000001";

/// 100 groups of 99 identities.
fn config(catalog: &Catalog) -> Config {
    let mut sources = SourceMap::new();
    let span = Span::new(sources.add("main.aks", "stack"), 0, 5);
    let text = |text: &str| Value::Text(text.to_owned());
    let mut resources = Vec::with_capacity(10_000);
    let mut add = |keyword: &str, name: String, group: Option<&Resource>| {
        let kind = catalog.get(keyword).unwrap().clone();
        let part = |part: &str| match part {
            "name" => Some(name.as_str()),
            "subscription" => Some(SUBSCRIPTION),
            _ => group.and_then(|group| group.id.as_ref()).map(akson_catalog::ArmId::as_str),
        };
        let id = kind.id_for(part).unwrap();
        let tags = Value::Map([("app".to_owned(), text("myapp"))].into_iter().collect());
        let attributes = vec![("location".to_owned(), text("westeurope"), span), ("tags".to_owned(), tags, span)];
        let leaves = akson_catalog::encode::encode(&kind, &attributes, &akson_catalog::encode::Context::default());
        let on = group.map(|group| group.symbolic_id.clone());
        let resource = Resource {
            tolerated: Vec::new(),
            address: akson_catalog::Address {
                within: None,
                modules: Vec::new(),
                kind: keyword.to_owned(),
                name,
                key: None,
            },
            kind,
            existing: false,
            symbolic_id: SymbolicId::of_arm(&id),
            id: Some(id),
            late: None,
            finders: Vec::new(),
            parent: on.clone(),
            subscription: SUBSCRIPTION.to_owned(),
            attributes,
            leaves,
            dependencies: on
                .map(|on| akson_config::Dependency { on, span, attribute: "resource_group".to_owned() })
                .into_iter()
                .collect(),
            conflict_domain: None,
            protect: false,
            keep: false,
            header: span,
        };
        resources.push(resource.clone());
        resource
    };
    for group in 0..100 {
        let parent = add("resource_group", format!("group{group}"), None);
        for identity in 0..99 {
            add("identity", format!("identity{group}-{identity}"), Some(&parent));
        }
    }
    let stack = Stack {
        label: "bench".to_owned(),
        tenant: SUBSCRIPTION.to_owned(),
        subscription: SUBSCRIPTION.to_owned(),
        location: None,
        location_span: None,
        ledger: None,
        span: Some(span),
    };
    Config { stack, resources, outputs: Vec::new() }
}

/// A world in which the configuration was applied.
fn applied(config: &Config, cold: &Plan) -> (Snapshot, Owned) {
    let mut snapshot = Snapshot::default();
    let mut owned = Owned { known: true, ..Owned::default() };
    for (resource, change) in config.resources.iter().zip(&cold.changes) {
        let mark = akson_planner::marker::marker(&resource.kind, &cold.stack_id, &resource.symbolic_id);
        let id = resource.id.as_ref().unwrap().to_string();
        let body = json!({"id": id, "location": "westeurope", "tags": {"app": "myapp", "akson": mark}});
        let (sent, observed) = recorded(&resource.leaves, &body);
        owned.entries.insert(
            resource.symbolic_id.clone(),
            OwnedEntry {
                id: id.clone(),
                kind: resource.kind.keyword.clone(),
                sent,
                observed,
                dependencies: change.dependencies.clone(),
                address: change.address.clone(),
                ..OwnedEntry::default()
            },
        );
        snapshot.objects.insert(resource.symbolic_id.clone(), LiveObject { id, body });
    }
    (snapshot, owned)
}

fn main() {
    let catalog = Catalog::builtin().unwrap();
    let config = config(catalog);
    let options = PlanOptions { cloud: "emulator".to_owned(), ..PlanOptions::default() };
    let make = |snapshot: &Snapshot, owned: &Owned| {
        plan(&config, snapshot, owned, catalog, &options, &mut Diagnostics::new()).unwrap()
    };

    let mut empty = Snapshot::default();
    let nothing = Owned { known: true, ..Owned::default() };
    let mut wave = first_wave(&config, &nothing, catalog, &options);
    while !wave.is_empty() {
        for read in &wave {
            empty.absorb(read, Answer::Page { items: Vec::new(), last: true });
        }
        wave = next_wave(&config, &nothing, catalog, &options, &mut empty);
    }
    let cold = make(&empty, &nothing);
    let (snapshot, owned) = applied(&config, &cold);
    assert!(make(&snapshot, &owned).is_empty());

    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    criterion.bench_function("plan/10k/cold", |bench| bench.iter(|| black_box(make(&empty, &nothing))));
    criterion.bench_function("plan/10k/in-sync", |bench| bench.iter(|| black_box(make(&snapshot, &owned))));
    criterion.bench_function("reads/10k", |bench| bench.iter(|| first_wave(&config, &owned, catalog, &options)));
    criterion.bench_function("schedule/10k", |bench| {
        bench.iter_batched(
            || Schedule::new(&cold),
            |mut schedule| {
                loop {
                    let ready = schedule.next_ready(64);
                    if ready.is_empty() {
                        break;
                    }
                    for step in ready {
                        schedule.complete(step, Outcome::Succeeded);
                    }
                }
            },
            BatchSize::LargeInput,
        );
    });
    criterion.final_summary();
}
