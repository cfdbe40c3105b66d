//! What a change of a ledger costs of CPU time, by how many resources it has: written as a whole each time, and with records. Each change is
//! a write of its own, as if nothing were ready together. Not how long the disk takes: that is the machine's.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a program for developers; it prints what it found")]

use std::{collections::BTreeMap, fs, sync::Arc};

use akson_applier::ledger::{Binding, Entry, Ledger, LocalStore};
use akson_catalog::SymbolicId;
use akson_planner::{OwnedEntry, OwnedState};

/// How many changes are measured: those of an apply that writes each resource once, an intent and a record each, would be more.
const CHANGES: usize = 1_000;

fn main() {
    println!("µs of CPU time a change   as a whole   with records");
    let mut first = None;
    for resources in [255, 1_000, 5_000] {
        let whole = measure(resources, usize::MAX);
        let records = measure(resources, 256 * 1024);
        let (base_whole, base_records) = *first.get_or_insert((whole, records));
        println!(
            "{resources:>5} resources           {whole:>7.0} {:>4.1}x   {records:>7.0} {:>4.1}x",
            whole / base_whole,
            records / base_records
        );
    }
}

/// Microseconds a change.
fn measure(resources: usize, appends_from: usize) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let store = LocalStore::new(folder.path(), "emulator", "bench").appending_from(appends_from);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (ledger, _) = Ledger::open(Arc::new(store), &Binding::default(), "run").await.unwrap();
        let all = (0..resources).map(|at| (id(at), Some(entry(at, OwnedState::Owned)))).collect();
        ledger.change(all).await.unwrap();
        let began = cpu();
        for change in 0..CHANGES {
            let at = change * 7919 % resources;
            let state = if change % 2 == 0 { OwnedState::IntentWrite } else { OwnedState::Owned };
            ledger.change(vec![(id(at), Some(entry(at, state)))]).await.unwrap();
        }
        ledger.close().await.unwrap();
        let took = cpu() - began;
        #[expect(clippy::cast_precision_loss, reason = "a few seconds at most")]
        {
            took as f64 / 1000.0 / CHANGES as f64
        }
    })
}

fn id(at: usize) -> SymbolicId {
    SymbolicId::from_ledger(format!("/subscriptions/s/resourcegroups/g/providers/microsoft.x/things/{at}"))
}

fn entry(at: usize, state: OwnedState) -> Entry {
    let leaves: BTreeMap<String, String> =
        (0..6).map(|leaf| (format!("/properties/leaf{leaf}"), format!("{:032x}", at * 31 + leaf))).collect();
    Entry {
        owned: OwnedEntry {
            id: id(at).as_str().to_owned(),
            kind: "thing".to_owned(),
            resource_type: "Microsoft.X/things".to_owned(),
            api_version: "2025-01-01".to_owned(),
            state,
            sent: leaves.clone(),
            observed: leaves,
            dependencies: vec![id(0)],
            address: format!("thing.app[\"{at}\"]"),
            ..OwnedEntry::default()
        },
        marker: "tag".to_owned(),
        intent: None,
    }
}

/// Nanoseconds that this thread has had a core for.
fn cpu() -> u64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split_whitespace().next().unwrap().parse().unwrap()
}
