//! Killed at any moment: running it again continues, and ends in an empty plan with nothing lost and nothing twice.

use std::{
    collections::BTreeSet,
    process::{Command, Stdio},
    time::Duration,
};

use akson_tests::{Folder, scale};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

use super::stacks::TEAMS;

/// Starts a run and kills it after `milliseconds`. The moment is the input of the test, not a wait for something.
fn killed_after(folder: &Folder, arguments: &[&str], milliseconds: u64) {
    let mut child =
        folder.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("akson starts");
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

/// Moments to kill at: of the usual ones, and as many more as the scale asks for.
fn moments(usual: [u64; 5]) -> Vec<u64> {
    let mut dice = StdRng::seed_from_u64(usual.iter().sum());
    let more = (0..5 * (scale() - 1)).map(|_| dice.random_range(0..500));
    usual.into_iter().chain(more.collect::<Vec<u64>>()).collect()
}

#[test]
fn killed_with_the_emulator_in_process() {
    let folder = Folder::with(TEAMS);
    for some in moments([20, 60, 110, 180, 300]).chunks(5) {
        for milliseconds in some {
            killed_after(&folder, &["apply", "--auto-approve"], *milliseconds);
        }
        let _ = folder.apply().exits(0);
        folder.settled();
        // The world is closed again before anything else opens it.
        let ids = folder.world().god().ids();
        complete(&folder, &ids);
        let _ = folder.akson(&["destroy", "--auto-approve"]).exits(0);
    }
}

#[test]
fn killed_with_requests_that_outlive_their_client() {
    let mut folder = Folder::with(TEAMS);
    let emulator = folder.start_emulator(&["--time-scale", "200"]);
    folder.use_emulator(&emulator.url);
    for (round, some) in moments([30, 70, 120, 200, 320]).chunks(5).enumerate() {
        for (number, milliseconds) in some.iter().enumerate() {
            // Now and then it is killed as it takes everything away.
            let command = if (round + number) % 4 == 3 { "destroy" } else { "apply" };
            killed_after(&folder, &[command, "--auto-approve"], *milliseconds);
        }
        // What a dead destroy began may end between the plan of the next apply and its turn: that step fails, and says so.
        let _ = folder.apply();
        let _ = folder.apply().exits(0);
        folder.settled();
    }
    drop(emulator);
    // The same world, in process again.
    folder.use_emulator("");
    let ids = folder.world().god().ids();
    complete(&folder, &ids);
    let _ = folder.akson(&["destroy", "--auto-approve"]);
}

#[test]
fn twenty_at_once() {
    let mut folder = Folder::with(TEAMS);
    let emulator = folder.start_emulator(&["--time-scale", "200"]);
    folder.use_emulator(&emulator.url);
    for round in 0..scale() {
        let runs: Vec<_> = (0..20)
            .map(|_| {
                let mut command = folder.command(&["apply", "--auto-approve"]);
                command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("akson starts")
            })
            .collect();
        let mut won = 0;
        for run in runs {
            let ended = run.wait_with_output().expect("it ends");
            let said = String::from_utf8_lossy(&ended.stderr).into_owned();
            match ended.status.code() {
                Some(0) => won += 1,
                // Another one was in.
                Some(1) => assert!(said.contains("AKS0601"), "{said}"),
                other => panic!("{other:?}: {said}"),
            }
        }
        assert!(won > 0, "nobody got in");
        folder.settled();
        if round + 1 < scale() {
            let _ = folder.akson(&["destroy", "--auto-approve"]).exits(0);
        }
    }
    drop(emulator);
    folder.use_emulator("");
    let ids = folder.world().god().ids();
    complete(&folder, &ids);
}

/// Stopped in the middle and let go on later: in between the lock is still its own.
#[cfg(unix)]
#[test]
fn one_that_sleeps_keeps_others_out() {
    let mut folder = Folder::with(TEAMS);
    let emulator = folder.start_emulator(&["--time-scale", "20"]);
    folder.use_emulator(&emulator.url);
    let mut sleeper = folder.command(&["apply", "--auto-approve"]);
    let mut sleeper = sleeper.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("akson starts");
    let signal = |name: &str| {
        let sent = Command::new("kill").args(["-s", name, &sleeper.id().to_string()]).status();
        assert!(sent.expect("kill is there").success());
    };
    // It has taken the lock once its ledger is there.
    let ledger = folder.path().join(".akson/emulator/teams.json");
    while !ledger.exists() {
        std::thread::sleep(Duration::from_millis(2));
    }
    signal("STOP");
    let _ = folder.apply().exits(1).says("AKS0601");
    signal("CONT");
    assert!(sleeper.wait().expect("it ends").success());
    folder.settled();
}
