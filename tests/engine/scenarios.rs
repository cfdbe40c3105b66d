//! The scenarios of `tests/scenarios`: each comes to its end undisturbed; two are killed at every request and one has every trouble at
//! every request. The release check does all of that to all of them (`cargo xtask sim --exhaust`).

use akson_tests::{
    scenario::{Came, Disturbance, Scenario},
    world::{Kill, TROUBLES, Trouble},
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

async fn troubled(name: &str, troubles: &[Trouble]) {
    let scenario = Scenario::named(name);
    let (end, requests) = scenario.undisturbed().await;
    for trouble in troubles {
        for at in 0..requests {
            let came = scenario.disturbed(Disturbance::Trouble(at, *trouble), &end).await;
            assert_eq!(came, Ok(Came::Held), "{trouble:?} at {at}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_request_of_a_small_run_has_each_trouble() {
    troubled("a-lock-goes", &TROUBLES).await;
}

/// A member that stays although it was taken out keeps its rights, and nobody would know.
#[tokio::test(start_paused = true)]
async fn no_member_stays_because_an_answer_was_lost() {
    let answers = [Trouble::Refused(404, "ResourceNotFound"), Trouble::BrokenAfter, Trouble::AnswerLost];
    troubled("people-go", &answers).await;
}
