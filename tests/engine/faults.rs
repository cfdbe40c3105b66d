//! Every request goes wrong once, in every way; the run comes to the same end.

use akson_applier::{End, codes};
use akson_emulator::{Effect, FaultRule, RetryAfter};

use akson_tests::world::{STACK, World};

async fn check(rules: Vec<FaultRule>) {
    let world = World::new();
    world.god().set_faults(rules.clone());
    let outcome = world.apply(STACK).await;
    assert_eq!(outcome.report.end, End::Done, "{rules:?}: {:#?}", outcome.report.diagnostics);
    world.god().set_faults(Vec::new());
    let again = world.apply(STACK).await;
    assert!(again.plan.is_empty(), "{rules:?}: {:#?}", again.plan.changes);
}

fn status(status: u16) -> Effect {
    Effect::Status { status, retry_after: RetryAfter::Absent, html: status == 502 }
}

fn every_effect() -> Vec<Effect> {
    vec![
        Effect::Reset,
        Effect::Hang,
        status(500),
        status(502),
        status(503),
        Effect::Status { status: 429, retry_after: RetryAfter::Seconds(7), html: false },
        Effect::Status { status: 429, retry_after: RetryAfter::Text("soon".to_owned()), html: true },
        Effect::Latency { seconds: 15.0 },
    ]
}

#[tokio::test(start_paused = true)]
async fn each_write_goes_wrong_once_before_it_is_processed() {
    for effect in every_effect() {
        for nth in 1..=6 {
            check(vec![FaultRule::new(effect.clone()).on_method("PUT").nth(nth)]).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_and_a_deletion_go_wrong_once() {
    let edited = STACK.replace("team = \"one\"", "team = \"two\"").replace("[\"x\", \"y\"]", "[\"x\"]");
    for effect in every_effect() {
        for method in ["PUT", "DELETE"] {
            let rule = FaultRule::new(effect.clone()).on_method(method).nth(1);
            for rule in [rule.clone(), rule.after()] {
                let world = World::new();
                world.apply(STACK).await;
                world.god().set_faults(vec![rule.clone()]);
                let outcome = world.apply(&edited).await;
                assert_eq!(outcome.report.end, End::Done, "{rule:?}: {:#?}", outcome.report.diagnostics);
                assert_eq!(outcome.report.counts.succeeded, 2, "{rule:?}");
                assert!(world.apply(&edited).await.plan.is_empty(), "{rule:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_answer_to_a_write_is_lost_once() {
    for effect in every_effect() {
        for nth in 1..=6 {
            check(vec![FaultRule::new(effect.clone()).on_method("PUT").nth(nth).after()]).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_read_goes_wrong_once() {
    for effect in every_effect() {
        for nth in 1..=20 {
            check(vec![FaultRule::new(effect.clone()).on_method("GET").nth(nth)]).await;
        }
    }
}

/// What signs a request may have been revoked meanwhile: once more with another, and no more than that.
#[tokio::test(start_paused = true)]
async fn a_token_that_is_refused_is_asked_for_anew_once() {
    let sign_ins = |world: &World| {
        world.god().requests().iter().filter(|asked| asked.path.ends_with("/oauth2/v2.0/token")).count()
    };
    let quiet = World::new();
    quiet.apply(STACK).await;
    let usual = sign_ins(&quiet);
    for (method, upto) in [("PUT", 6), ("GET", 20)] {
        for nth in 1..=upto {
            let world = World::new();
            let rule = FaultRule::new(status(401)).on_method(method).nth(nth);
            world.god().set_faults(vec![rule]);
            let outcome = world.apply(STACK).await;
            assert_eq!(outcome.report.end, End::Done, "{method} {nth}: {:#?}", outcome.report.diagnostics);
            assert_eq!(sign_ins(&world), usual + 1, "{method} {nth}");
        }
    }
    let world = World::new();
    world.god().set_faults(vec![FaultRule::new(status(401)).on_method("PUT")]);
    let outcome = world.apply(STACK).await;
    assert_eq!(outcome.report.end, End::SomeFailed);
    assert_eq!(outcome.report.diagnostics.sorted()[0].code, codes::DENIED);
    assert_eq!(world.god().requests().iter().filter(|asked| asked.method == "PUT").count(), 2);
    world.god().set_faults(Vec::new());
    world.converge(STACK).await;
}

#[tokio::test(start_paused = true)]
async fn a_third_of_everything_goes_wrong() {
    for seed in 0..20 {
        let mut world = World::new();
        world.seed = seed;
        world.god().set_faults(vec![
            FaultRule::new(Effect::Reset).with_probability(0.1),
            FaultRule::new(Effect::Reset).with_probability(0.1).after(),
            FaultRule::new(status(503)).with_probability(0.1),
        ]);
        let outcome = world.apply(STACK).await;
        assert_eq!(outcome.report.end, End::Done, "seed {seed}: {:#?}", outcome.report.diagnostics);
        world.god().set_faults(Vec::new());
        world.converge(STACK).await;
        world.destroy(STACK).await;
        assert!(world.objects().keys().all(|id| !id.contains("app-rg")), "seed {seed}");
    }
}
