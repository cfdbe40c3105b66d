//! The same plan to the last letter, however many requests are under way at once, how late each is answered, and in which order lists are.

use std::sync::Arc;

use akson_emulator::God;
use akson_tests::world::{STACK, World};
use http::Method;
use serde_json::{Value, json};

/// A world with something to create, to change, to take away and to undo.
async fn disturbed() -> (World, String) {
    let world = World::new();
    world.apply(STACK).await;
    let text = STACK.replace("[\"x\", \"y\"]", "[\"y\", \"z\"]").replace("team = \"one\"", "team = \"two\"");
    edit_tags(&world.god(), "/kv-applier-test");
    (world, text)
}

fn edit_tags(god: &God, end: &str) {
    let id = god.ids().into_iter().find(|id| id.ends_with(end)).unwrap();
    assert!(god.edit(&id, |body| body["tags"]["reader"] = json!("somebody")).unwrap());
}

async fn told(world: &World, text: &str) -> String {
    format!("{:#?}", world.look(text).await.unwrap())
}

#[tokio::test(start_paused = true)]
async fn concurrency_does_not_show_in_a_plan() {
    let (mut world, text) = disturbed().await;
    let first = told(&world, &text).await;
    for action in ["Create", "Update", "Delete", "NoOp"] {
        assert!(first.contains(&format!("action: {action}")), "{action}");
    }
    for parallelism in [1, 4, 32] {
        world.parallelism = parallelism;
        for seed in 0..4 {
            // Each answer takes another time than before; the engine's own randomness is another, too.
            world.seed = seed;
            assert_eq!(told(&world, &text).await, first, "{parallelism} at once");
        }
    }
    let id = world.god().ids().into_iter().find(|id| id.ends_with("/ci-y")).unwrap();
    assert!(world.god().edit(&id, |body| body["properties"]["subject"] = json!("somebody")).unwrap());
    assert_ne!(told(&world, &text).await, first, "what is different shows");
}

#[tokio::test(start_paused = true)]
async fn the_order_of_lists_does_not_show_in_a_plan() {
    let (mut world, text) = disturbed().await;
    let first = told(&world, &text).await;
    let turned = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let count = Arc::clone(&turned);
    world.tamper = Some(Arc::new(move |method, _, answer| {
        let Ok(mut body) = serde_json::from_slice::<Value>(answer.body()) else { return };
        if let Some(list) = body["value"].as_array_mut().filter(|list| *method == Method::GET && list.len() > 1) {
            list.reverse();
            count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            *answer.body_mut() = body.to_string().into();
        }
    }));
    assert_eq!(told(&world, &text).await, first);
    assert!(turned.load(std::sync::atomic::Ordering::Relaxed) > 1, "no list had an order");
}
