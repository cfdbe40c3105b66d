//! A run killed at each of its requests, and what the next one makes of it.

use akson_emulator::{Effect, FaultRule};
use akson_planner::options::Mode;

use akson_tests::world::{Kill, STACK, World};

fn ids(world: &World) -> Vec<String> {
    world.objects().into_keys().filter(|id| id.contains("app-rg")).collect()
}

async fn check(kill: Kill) -> bool {
    let undisturbed = World::new();
    undisturbed.converge(STACK).await;
    let world = World::new();
    let died = world.kill(STACK, Mode::Apply, kill).await;
    world.converge(STACK).await;
    assert_eq!(ids(&world).len(), ids(&undisturbed).len(), "{kill:?}");
    world.destroy(STACK).await;
    assert!(ids(&world).is_empty(), "{kill:?} leaves {:?}", ids(&world));
    died
}

async fn check_destroy(kill: Kill) -> bool {
    let world = World::new();
    world.converge(STACK).await;
    let died = world.kill(STACK, Mode::Destroy, kill).await;
    for _ in 0..2 {
        world.destroy(STACK).await;
    }
    assert!(ids(&world).is_empty(), "{kill:?} leaves {:?}", ids(&world));
    assert!(world.store.document().unwrap().entries.is_empty(), "{kill:?}");
    died
}

async fn at_every_request<F: Future<Output = bool>>(check: impl Fn(usize) -> F) {
    let mut number = 0;
    while check(number).await {
        number += 1;
    }
    assert!(number > 15, "only {number} requests");
}

#[tokio::test(start_paused = true)]
async fn killed_before_each_request() {
    at_every_request(|number| check(Kill::Before(number))).await;
}

#[tokio::test(start_paused = true)]
async fn killed_after_each_request() {
    at_every_request(|number| check(Kill::After(number))).await;
}

#[tokio::test(start_paused = true)]
async fn killed_with_each_request_still_on_its_way() {
    at_every_request(|number| check(Kill::OnItsWay(number))).await;
    at_every_request(|number| check_destroy(Kill::OnItsWay(number))).await;
}

#[tokio::test(start_paused = true)]
async fn a_late_deletion_does_not_meet_what_the_next_run_makes() {
    at_every_request(|number| async move {
        let world = World::new();
        world.converge(STACK).await;
        let died = world.kill(STACK, Mode::Destroy, Kill::OnItsWay(number)).await;
        world.settle_to(STACK).await;
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        let later = world.apply(STACK).await;
        assert!(later.plan.is_empty(), "{number}: {:#?}", later.plan.changes);
        died
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn killed_before_each_request_of_a_destroy() {
    at_every_request(|number| check_destroy(Kill::Before(number))).await;
}

#[tokio::test(start_paused = true)]
async fn killed_after_each_request_of_a_destroy() {
    at_every_request(|number| check_destroy(Kill::After(number))).await;
}

#[tokio::test(start_paused = true)]
async fn killed_again_and_again_amid_faults() {
    for seed in 0..60_usize {
        let mut world = World::new();
        world.seed = seed as u64;
        world.god().set_faults(vec![
            FaultRule::new(Effect::Reset).with_probability(0.05),
            FaultRule::new(Effect::Reset).with_probability(0.05).after(),
        ]);
        for round in 0..4 {
            let number = (seed * 7 + round * 13) % 45;
            let kill = if (seed + round) % 2 == 0 { Kill::Before(number) } else { Kill::After(number) };
            let mode = if round == 2 { Mode::Destroy } else { Mode::Apply };
            world.kill(STACK, mode, kill).await;
        }
        world.god().set_faults(Vec::new());
        world.settle_to(STACK).await;
        world.destroy(STACK).await;
        assert!(ids(&world).is_empty(), "seed {seed} leaves {:?}", ids(&world));
    }
}
