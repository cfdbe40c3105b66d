//! How fast a call is in memory. A bound that only a blunder exceeds; the figure is printed.

use std::time::Instant;

use akson_emulator::Options;
use serde_json::{Value, json};

use crate::support::Azure;

#[tokio::test(start_paused = true)]
async fn a_call_does_not_grow_with_the_world() {
    const CALLS: u32 = 5000;
    let azure = Azure::open(Options { rate_limits: false, ..Options::default() }).await;
    azure.group("g").await;
    for number in 0..1000 {
        let id = format!("~/resourceGroups/g/providers/A.B/c/x{number}");
        azure
            .check(&format!("PUT {id}"), json!({ "location": "westeurope", "properties": { "a": number } }), "201")
            .await;
    }
    let started = Instant::now();
    for number in 0..CALLS {
        let id = format!("~/resourceGroups/g/providers/A.B/c/x{}", number % 1000);
        if number % 2 == 0 {
            azure.check(&format!("GET {id}"), Value::Null, "200").await;
        } else {
            azure.check(&format!("PUT {id}"), json!({ "location": "westeurope" }), "200").await;
        }
    }
    let each = started.elapsed() / CALLS;
    #[allow(clippy::print_stderr, reason = "a figure for whoever runs the tests")]
    {
        eprintln!("{each:?} a call");
    }
    assert!(each.as_millis() < 5, "{each:?} a call");
}
