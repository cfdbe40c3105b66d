//! Answers that are none, at every place where one is waited for: each run comes to an end, says what happened on the block that asked,
//! with Azure's code where there is one and a way out; and the next run makes up for it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use akson_applier::{Cancel, End};
use akson_diagnostics::{Diagnostic, Severity};
use akson_planner::options::Mode;
use akson_tests::world::World;
use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header::CONTENT_TYPE};
use serde_json::json;

const STACK: &str = r#"
stack "test" {
  location = "westeurope"
}

resource_group "app" {
  name = "app-rg"
}

cluster "app" {
  name           = "aks-outcomes"
  resource_group = resource_group.app
  entra = none

  node_pool "system" {
    mode    = system
    vm_size = "Standard_D4s_v5"
    scale   = fixed(3)
  }
}
"#;

/// Where an answer is spoilt.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    /// The answer to the write of the cluster.
    Write,
    /// How its operation is.
    Operation,
    /// The cluster itself, read after it was written.
    Object,
}

type Spoil = fn(&mut Response<Bytes>);

fn body(answer: &mut Response<Bytes>, status: u16, kind: &'static str, text: impl Into<Bytes>) {
    *answer.status_mut() = StatusCode::from_u16(status).unwrap();
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    *answer.body_mut() = text.into();
}

fn json_body(answer: &mut Response<Bytes>, status: u16, value: &serde_json::Value) {
    body(answer, status, "application/json", value.to_string());
}

/// What is no answer, by what it is called.
const SPOILT: [(&str, Spoil); 17] = [
    ("HTML with 200", |answer| body(answer, 200, "text/html", "<html><body>Sign in</body></html>")),
    ("HTML with 502", |answer| body(answer, 502, "text/html", "<html><h1>Bad Gateway</h1></html>")),
    ("500 after it was processed", |answer| json_body(answer, 500, &json!({"error": {"code": "InternalServerError"}}))),
    ("503 with nothing", |answer| body(answer, 503, "text/plain", "")),
    ("nothing at all", |answer| body(answer, 200, "application/json", "")),
    ("a list", |answer| json_body(answer, 200, &json!([1, 2, 3]))),
    ("a number", |answer| json_body(answer, 200, &json!(7))),
    ("JSON as text", |answer| body(answer, 200, "text/plain", r#"{"properties":{"provisioningState":7}}"#)),
    ("cut off", |answer| {
        let half = answer.body().slice(..answer.body().len() / 2);
        body(answer, 200, "application/json", half);
    }),
    ("broken JSON", |answer| body(answer, 200, "application/json", "{\"id\": nope")),
    ("no UTF-8", |answer| body(answer, 200, "application/json", &b"{\"id\":\"\xff\xfe\"}"[..])),
    ("nested without end", |answer| body(answer, 200, "application/json", "[".repeat(100_000))),
    ("17 MiB", |answer| body(answer, 200, "application/json", format!("\"{}\"", "x".repeat(17 << 20)))),
    ("a word nobody knows", |answer| {
        json_body(answer, 200, &json!({"status": "Pondering", "properties": {"provisioningState": "Pondering"}}));
    }),
    ("404", |answer| json_body(answer, 404, &json!({"error": {"code": "ResourceNotFound", "message": "gone"}}))),
    ("418 without a body", |answer| body(answer, 418, "text/plain", "")),
    ("a code with control characters", |answer| {
        json_body(answer, 400, &json!({"error": {"code": "Bad\u{1b}[31m", "message": "\u{202e}##vso[task.x]y"}}));
    }),
];

fn is_at(place: Place, method: &Method, path: &str) -> bool {
    let path = path.to_lowercase();
    let cluster = path.split('?').next().unwrap_or_default().ends_with("/managedclusters/aks-outcomes");
    match place {
        Place::Write => *method == Method::PUT && cluster,
        Place::Operation => *method == Method::GET && path.contains("/operations/"),
        Place::Object => *method == Method::GET && cluster,
    }
}

/// Applies while answers at a place are spoilt, at most so many times; the diagnostics, or why there was no plan.
async fn spoilt(world: &mut World, place: Place, times: usize, spoil: Spoil) -> (Option<End>, Vec<Diagnostic>) {
    let count = Arc::<AtomicUsize>::default();
    let spoils = Arc::clone(&count);
    world.tamper = Some(Arc::new(move |method, path, answer| {
        if is_at(place, method, path) && spoils.fetch_add(1, Ordering::Relaxed) < times {
            spoil(answer);
        }
    }));
    let outcome = world.attempt(STACK, Mode::Apply, &Cancel::new()).await;
    world.tamper = None;
    assert!(count.load(Ordering::Relaxed) > 0, "{place:?}: nothing was spoilt");
    match outcome {
        Ok(outcome) => (Some(outcome.report.end), outcome.report.diagnostics.sorted().into_iter().cloned().collect()),
        Err(_) => (None, Vec::new()),
    }
}

/// What is said stands on the block, has a code of Azure's answers and a way out, and nothing in it drives a terminal.
#[track_caller]
fn check(name: &str, found: &[Diagnostic]) {
    let errors: Vec<&Diagnostic> = found.iter().filter(|found| found.severity == Severity::Error).collect();
    assert!(!errors.is_empty(), "{name}: it failed and says nothing");
    for error in errors {
        assert_eq!(error.address.as_deref(), Some("cluster.app"), "{name}: {error:#?}");
        let at = error.labels.first().unwrap_or_else(|| panic!("{name}: {error:#?}")).span.start as usize;
        assert!(STACK[at..].starts_with("cluster \"app\""), "{name}: {error:#?}");
        assert!((500..600).contains(&error.code.0), "{name}: {error:#?}");
        assert!(error.help.as_ref().is_some_and(|help| !help.is_empty()), "{name}: {error:#?}");
        let told = format!("{}\n{}\n{}", error.message, error.notes.join("\n"), error.help.as_deref().unwrap());
        let unsafe_in = told.chars().find(|letter| letter.is_control() && *letter != '\n' || *letter == '\u{202e}');
        assert_eq!(unsafe_in, None, "{name}: {told}");
        assert!(!told.contains("##vso["), "{name}: {told}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_answer_once_is_asked_again() {
    for place in [Place::Write, Place::Operation, Place::Object] {
        for (name, spoil) in SPOILT {
            let mut world = World::new();
            let (end, found) = spoilt(&mut world, place, 1, spoil).await;
            if end != Some(End::Done) {
                check(&format!("{name} at {place:?}"), &found);
            }
            world.settle_to(STACK).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_answer_for_ever_ends_and_is_told() {
    for place in [Place::Write, Place::Operation, Place::Object] {
        for (name, spoil) in SPOILT {
            let mut world = World::new();
            let (end, found) = spoilt(&mut world, place, usize::MAX, spoil).await;
            // Some say enough all the same: the object itself is read in any case.
            if end != Some(End::Done) {
                check(&format!("{name} at {place:?}"), &found);
            }
            world.settle_to(STACK).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_ends_badly_tells_azures_code_and_what_to_do() {
    for status in ["Failed", "failed", "FAILED", "Canceled", "Cancelled", "cancelled"] {
        let failed: Spoil = match status {
            "Failed" => |answer| ended(answer, "Failed"),
            "failed" => |answer| ended(answer, "failed"),
            "FAILED" => |answer| ended(answer, "FAILED"),
            "Canceled" => |answer| ended(answer, "Canceled"),
            "Cancelled" => |answer| ended(answer, "Cancelled"),
            _ => |answer| ended(answer, "cancelled"),
        };
        let mut world = World::new();
        let (end, found) = spoilt(&mut world, Place::Operation, usize::MAX, failed).await;
        assert_eq!(end, Some(End::SomeFailed), "{status}: {found:#?}");
        check(status, &found);
        let told = format!("{found:#?}");
        assert!(told.contains("SkuNotAvailable") && told.contains("there is no room"), "{status}: {told}");
        world.settle_to(STACK).await;
    }
}

fn ended(answer: &mut Response<Bytes>, status: &str) {
    let error = json!({"code": "SkuNotAvailable", "message": "there is no room"});
    json_body(answer, 200, &json!({"status": status, "error": error}));
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_never_ends_is_given_up_with_its_last_word() {
    let mut world = World::new();
    let spoil: Spoil = |answer| json_body(answer, 200, &json!({"status": "Pondering"}));
    let (end, found) = spoilt(&mut world, Place::Operation, usize::MAX, spoil).await;
    assert_eq!(end, Some(End::SomeFailed), "{found:#?}");
    check("stuck", &found);
    assert!(format!("{found:#?}").contains("Pondering"), "{found:#?}");
    world.settle_to(STACK).await;
}

#[tokio::test(start_paused = true)]
async fn a_plan_is_never_made_of_what_is_no_answer() {
    for (name, spoil) in SPOILT {
        let mut world = World::new();
        world.apply(STACK).await;
        world.tamper = Some(Arc::new(move |method, path, answer| {
            if *method == Method::GET && path.to_lowercase().contains("/providers/microsoft.containerservice/") {
                spoil(answer);
            }
        }));
        let before = world.objects();
        match world.attempt(STACK, Mode::Apply, &Cancel::new()).await {
            Err(why) => assert!(why.contains("managedClusters"), "{name}: {why}"),
            // What is said to be gone is made again, at the id that it has.
            Ok(_) => assert!(["404"].contains(&name), "{name}: a plan was made"),
        }
        world.tamper = None;
        assert_eq!(world.objects().keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>(), "{name}");
        world.settle_to(STACK).await;
    }
}
