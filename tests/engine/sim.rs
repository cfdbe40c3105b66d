//! A few lives of the simulation with every test run, and those in which something did not hold once; the gate lives through many more
//! (`cargo xtask sim`).

use std::{collections::BTreeSet, fs};

use akson_tests::sim::{Schedule, live, play, regressions};

#[tokio::test(start_paused = true)]
async fn twenty_lives() {
    let mut traces = BTreeSet::new();
    for seed in 0..20 {
        let life = live(seed).await;
        assert!(life.requests > 0);
        traces.insert(life.trace);
    }
    assert_eq!(traces.len(), 20, "lives of different seeds are told apart");
}

#[tokio::test(start_paused = true)]
async fn what_failed_once_holds() {
    let mut played = 0;
    for entry in fs::read_dir(regressions()).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        play(&serde_json::from_str::<Schedule>(&text).unwrap()).await;
        played += 1;
    }
    assert!(played > 0);
}
