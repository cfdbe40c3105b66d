//! The scenarios of `tests/scenarios`: each comes to its end undisturbed; two are killed at every request and one has every trouble at
//! every request. The release check does all of that to all of them (`cargo xtask sim --exhaust`).

use akson_tests::{
    scenario::{Came, Disturbance, Scenario},
    world::{Kill, TROUBLES},
};

#[tokio::test(start_paused = true)]
async fn all_come_to_their_end() {
    let scenarios = Scenario::all();
    assert!(scenarios.len() >= 12, "{} scenarios", scenarios.len());
    for scenario in scenarios {
        let (end, requests) = scenario.undisturbed().await;
        assert!(!end.is_empty() && requests > 0, "{}: {requests} requests", scenario.name);
    }
}

async fn killed_everywhere(name: &str) {
    let scenario = Scenario::named(name);
    let (end, requests) = scenario.undisturbed().await;
    for at in 0..requests {
        for kill in [Kill::Before(at), Kill::After(at), Kill::OnItsWay(at)] {
            let came = scenario.disturbed(Disturbance::Kill(kill), &end).await;
            assert_eq!(came, Ok(Came::Held), "{name} {kill:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn people_go_and_are_killed_everywhere() {
    killed_everywhere("people-go").await;
}

#[tokio::test(start_paused = true)]
async fn what_is_there_is_adopted_and_killed_everywhere() {
    killed_everywhere("what-is-there-is-adopted").await;
}

#[tokio::test(start_paused = true)]
async fn each_request_of_a_small_run_has_each_trouble() {
    let scenario = Scenario::named("a-lock-goes");
    let (end, requests) = scenario.undisturbed().await;
    for trouble in TROUBLES {
        for at in 0..requests {
            let came = scenario.disturbed(Disturbance::Trouble(at, trouble), &end).await;
            assert_eq!(came, Ok(Came::Held), "{trouble:?} at {at}");
        }
    }
}
