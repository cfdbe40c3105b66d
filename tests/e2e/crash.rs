//! Killed at any moment: running it again continues, and ends in an empty plan with nothing lost and nothing twice.

use std::{collections::BTreeSet, process::Stdio, time::Duration};

use akson_tests::Folder;

use super::stacks::TEAMS;

/// Starts an apply and kills it after `milliseconds`. The moment is the input of the test, not a wait for something.
fn killed_after(folder: &Folder, milliseconds: u64) {
    let mut child = folder
        .command(&["apply", "--auto-approve"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("akson starts");
    std::thread::sleep(Duration::from_millis(milliseconds));
    let _ = child.kill();
    let _ = child.wait();
}

#[track_caller]
fn complete(folder: &Folder, ids: &[String]) {
    let names: BTreeSet<&str> = ids.iter().filter_map(|id| id.rsplit('/').next()).collect();
    for name in ["teams-rg", "team-mail", "team-shop", "team-web", "pipeline", "teams-kv-7421", "keep"] {
        assert!(names.contains(name), "{name} in {names:?}");
    }
    let ledger = folder.akson(&["ledger", "show", "--format", "json"]).exits(0).json();
    assert_eq!(ledger["entries"].as_array().unwrap().len(), 9);
}

#[test]
fn five_kills_with_the_emulator_in_process() {
    let folder = Folder::with(TEAMS);
    for milliseconds in [20, 60, 110, 180, 300] {
        killed_after(&folder, milliseconds);
    }
    let _ = folder.apply().exits(0);
    folder.settled();
    // The world is closed again before anything else opens it.
    let ids = folder.world().god().ids();
    complete(&folder, &ids);
}

#[test]
fn five_kills_with_requests_that_outlive_their_client() {
    let mut folder = Folder::with(TEAMS);
    let emulator = folder.start_emulator(&["--time-scale", "200"]);
    folder.use_emulator(&emulator.url);
    for milliseconds in [30, 70, 120, 200, 320] {
        killed_after(&folder, milliseconds);
    }
    let _ = folder.apply().exits(0);
    folder.settled();
    drop(emulator);
    // The same world, in process again.
    folder.use_emulator("");
    // The world is closed again before anything else opens it.
    let ids = folder.world().god().ids();
    complete(&folder, &ids);
    let _ = folder.akson(&["destroy", "--auto-approve"]);
}
