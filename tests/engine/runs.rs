//! Runs in fair weather, and what changed behind their back.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use akson_applier::{Cancel, End, Left, What, codes, ledger::WriteFault};
use akson_catalog::{Catalog, SymbolicId, Value};
use akson_emulator::{Effect, FaultRule, RetryAfter};
use akson_planner::{Action, OwnedState, marker::marker, options::Mode};
use serde_json::json;

use akson_tests::world::{STACK, World, sends};

fn id(world: &World, rest: &str) -> String {
    format!("/subscriptions/{}/resourceGroups/app-rg{rest}", world.emulator.identity().subscription)
}

#[tokio::test(start_paused = true)]
async fn a_stack_comes_up_and_a_second_run_has_nothing_to_do() {
    let world = World::new();
    let first = world.apply(STACK).await;
    assert_eq!(first.report.end, End::Done, "{:#?}", first.report.diagnostics);
    assert_eq!(first.report.counts.succeeded, 6);
    assert!(matches!(&first.report.outputs[0].value, Value::Text(client) if client.len() == 36));
    let vault = world.god().object(&id(&world, "/providers/Microsoft.KeyVault/vaults/kv-applier-test")).unwrap();
    assert_eq!(vault["tags"]["reader"], json!(first.report.outputs[0].value.as_text()));

    let names: Vec<&str> = first.events.iter().map(|event| event.what.as_str()).collect();
    assert_eq!(names.iter().filter(|name| **name == "step_started").count(), 6);
    assert_eq!(names.last(), Some(&"summary"));

    let commits = world.store.commits();
    let second = world.apply(STACK).await;
    assert!(second.plan.is_empty() && !sends(&second.plan), "{:#?}", second.plan.changes);
    assert_eq!(world.store.commits(), commits, "and writes nothing");
}

#[tokio::test(start_paused = true)]
async fn an_edit_is_one_update_and_a_removed_instance_one_deletion() {
    let world = World::new();
    world.apply(STACK).await;
    let edited = STACK.replace("team = \"one\"", "team = \"two\"");
    let outcome = world.apply(&edited).await;
    assert_eq!((outcome.plan.count(Action::Update), outcome.report.counts.succeeded), (1, 1));
    assert_eq!(world.god().object(&id(&world, "")).unwrap()["tags"]["team"], "two");

    let removed = edited.replace("[\"x\", \"y\"]", "[\"x\"]");
    let outcome = world.apply(&removed).await;
    assert_eq!((outcome.plan.count(Action::Delete), outcome.report.counts.succeeded), (1, 1));
    let credential =
        "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-a/federatedIdentityCredentials/ci-y";
    assert_eq!(world.god().object(&id(&world, credential)), None);
    let tombstones = |world: &World| {
        let document = world.store.document().unwrap();
        document.entries.values().filter(|entry| entry.owned.state == OwnedState::Tombstone).count()
    };
    assert_eq!(tombstones(&world), 1);
    assert!(
        world.store.document().unwrap().entries.values().all(|entry| entry.intent.is_none()),
        "nothing is under way"
    );
    world.apply(&removed).await;
    assert_eq!(tombstones(&world), 0, "a later run that sees it absent drops it");
}

#[tokio::test(start_paused = true)]
async fn others_tags_stay_and_destroying_leaves_nothing_of_ours() {
    let world = World::new();
    world.apply(STACK).await;
    world.god().edit(&id(&world, ""), |group| group["tags"]["theirs"] = json!("kept")).unwrap();
    world.apply(&STACK.replace("team = \"one\"", "team = \"two\"")).await;
    let group = world.god().object(&id(&world, "")).unwrap();
    assert_eq!((&group["tags"]["theirs"], &group["tags"]["team"]), (&json!("kept"), &json!("two")));

    let outcome = world.destroy(STACK).await;
    assert_eq!(outcome.report.end, End::Done, "{:#?}", outcome.report.diagnostics);
    let left: Vec<String> = world.objects().into_keys().filter(|id| id.contains("app-rg")).collect();
    assert!(left.is_empty(), "{left:?}");
    // What was purged from the names of this world is brought back under the same id, with its mark.
    assert_eq!(world.apply(STACK).await.report.end, End::Done);
    world.converge(STACK).await;
}

#[tokio::test(start_paused = true)]
async fn a_right_that_is_missing_fails_its_step_and_what_needs_it() {
    let world = World::new();
    let denial =
        akson_emulator::Denial { action: "Microsoft.ManagedIdentity/*/write".to_owned(), scope: "/".to_owned() };
    world.god().set_denied_actions(vec![denial]).unwrap();
    let outcome = world.apply(STACK).await;
    assert_eq!(outcome.report.end, End::SomeFailed);
    let diagnostics = outcome.report.diagnostics.sorted();
    assert!(diagnostics.iter().all(|diagnostic| diagnostic.code == codes::DENIED), "{diagnostics:#?}");
    assert!(diagnostics.iter().all(|diagnostic| diagnostic.primary().is_some()));
    assert!(outcome.events.iter().any(|event| matches!(event.what, What::StepSkipped { .. })));
    world.god().set_denied_actions(Vec::new()).unwrap();
    world.converge(STACK).await;
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_stops_what_is_not_announced_yet() {
    let world = World::new();
    for failing in 0..8 {
        for fault in [WriteFault::Before, WriteFault::After] {
            let world = World::new();
            world.store.fail(move |before| if before >= failing { fault } else { WriteFault::None });
            let outcome = world.apply(STACK).await;
            if outcome.report.end == End::Done {
                continue;
            }
            assert_eq!(outcome.report.end, End::LedgerFailed);
            let codes: Vec<_> = outcome.report.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
            assert!(codes.contains(&codes::LEDGER_UNWRITABLE), "{codes:?}");
            world.store.fail(|_| WriteFault::None);
            world.converge(STACK).await;
        }
    }
    assert!(world.store.document().is_none());
}

/// Once it could not be written the ledger may say less than there is: nothing more is sent, even if later writes would come through.
#[tokio::test(start_paused = true)]
async fn a_ledger_that_failed_once_stops_the_run() {
    let many = r#"
stack "test" {
  location = "westeurope"
}
resource_group "app" {
  for_each = ["a", "b", "c", "d", "e", "f"]
  name     = "app-rg-${each.key}"
}
"#;
    let mut stopped = 0;
    for failing in 0..20 {
        let mut world = World::new();
        world.parallelism = 1;
        let (god, sent) = (world.god(), Arc::new(AtomicUsize::new(usize::MAX)));
        let puts = |god: &akson_emulator::God| god.requests().iter().filter(|request| request.method == "PUT").count();
        let at_failure = Arc::clone(&sent);
        world.store.fail(move |before| {
            if before != failing || at_failure.load(Ordering::Relaxed) != usize::MAX {
                return WriteFault::None;
            }
            at_failure.store(puts(&god), Ordering::Relaxed);
            WriteFault::Before
        });
        let outcome = world.apply(many).await;
        if outcome.report.end == End::Done {
            continue;
        }
        assert_eq!(outcome.report.end, End::LedgerFailed);
        assert_eq!(puts(&world.god()), sent.load(Ordering::Relaxed), "at {failing}");
        stopped += 1;
        world.converge(many).await;
    }
    assert!(stopped > 5, "{stopped}");
}

/// Of a run whose ledger fails in the middle, what is said to be not begun does not exist, and what exists is said to.
#[tokio::test(start_paused = true)]
async fn a_full_disk_is_no_reason_to_call_skipped_what_was_sent() {
    let many = r#"
stack "test" {
  location = "westeurope"
}
resource_group "app" {
  name = "app-rg"
}
identity "app" {
  for_each       = [for n in range(30) : "n${n}"]
  name           = "id-${each.key}"
  resource_group = resource_group.app
}
"#;
    let (mut unrecorded, mut not_begun) = (0, 0);
    for failing in 0..20 {
        let world = World::new();
        world.store.fail(move |before| if before >= failing { WriteFault::Before } else { WriteFault::None });
        let outcome = world.apply(many).await;
        let counts = outcome.report.counts;
        let total = counts.succeeded + counts.failed + counts.skipped + counts.left + counts.not_recorded;
        assert_eq!(total, 31, "{counts:?}");
        for event in &outcome.events {
            let (step, sent) = match &event.what {
                What::StepSkipped { step, .. } => (step, false),
                What::StepLeft(step, Left::NotRecorded) | What::StepSucceeded(step) => (step, true),
                _ => continue,
            };
            let change = outcome.plan.changes.iter().find(|change| change.address == step.address).unwrap();
            let exists = world.god().object(change.symbolic_id.as_str()).is_some();
            assert_eq!(exists, sent, "{} at {failing}", step.address);
        }
        unrecorded += counts.not_recorded;
        not_begun += counts.skipped;
        world.store.fail(|_| WriteFault::None);
        world.converge(many).await;
    }
    assert!(unrecorded > 0 && not_begun > 0, "{unrecorded} {not_begun}");
}

#[tokio::test(start_paused = true)]
async fn stopping_sends_nothing_new_and_loses_nothing() {
    let world = World::new();
    let cancel = Cancel::new();
    let stopper = cancel.clone();
    let run = world.run(STACK, Mode::Apply, &cancel);
    let stop = async {
        while !world.god().requests().iter().any(|request| request.method == "PUT") {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        stopper.stop();
    };
    let (outcome, ()) = tokio::join!(run, stop);
    assert_eq!(outcome.report.end, End::Interrupted);
    let writes = world.god().requests().iter().filter(|request| request.method == "PUT").count();
    assert_eq!(writes, 1, "the group was on its way");
    assert_eq!(outcome.report.counts.succeeded, 1, "and is recorded");
    let document = world.store.document().unwrap();
    assert!(document.entries.values().all(|entry| entry.intent.is_none()));
    world.converge(STACK).await;
}

/// At whatever answer it is stopped: what was not sent by then is not.
#[tokio::test(start_paused = true)]
async fn nothing_is_sent_after_the_answer_at_which_it_was_stopped() {
    let mut stopped_at = 0;
    for number in 0.. {
        let mut world = World::new();
        world.parallelism = 1;
        let cancel = Cancel::new();
        let (stopper, left) = (cancel.clone(), AtomicUsize::new(number));
        let after: Arc<Mutex<Vec<String>>> = Arc::default();
        let changing = Arc::clone(&after);
        world.tamper = Some(Arc::new(move |method, path, _| {
            if stopper.is_stopped() {
                if ["PUT", "PATCH", "DELETE"].contains(&method.as_str()) {
                    changing.lock().unwrap().push(format!("{method} {path}"));
                }
            } else if left.fetch_sub(1, Ordering::Relaxed) == 0 {
                stopper.stop();
            }
        }));
        // One that is stopped as it reads has no plan.
        let _ = world.attempt(STACK, Mode::Apply, &cancel).await;
        if !cancel.is_stopped() {
            break;
        }
        assert_eq!(*after.lock().unwrap(), Vec::<String>::new(), "stopped at answer {number}");
        stopped_at = number;
        world.tamper = None;
        world.converge(STACK).await;
    }
    assert!(stopped_at > 20, "{stopped_at}");
}

/// Whose lock went to another in the middle, as that of one who was paused, sends nothing more.
#[tokio::test(start_paused = true)]
async fn who_has_lost_the_lock_sends_nothing_more() {
    for sure in 0..10 {
        let mut world = World::new();
        world.sure = Some(sure);
        let outcome = world.apply(STACK).await;
        let writes = world.god().requests().iter().filter(|request| request.method == "PUT").count();
        assert!(writes <= sure, "{writes} after {sure}");
        if outcome.report.end == End::Done {
            assert!(sure > 5);
            continue;
        }
        assert_eq!(outcome.report.end, End::LedgerFailed);
        let codes: Vec<_> = outcome.report.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
        assert!(codes.contains(&codes::LEDGER_CONFLICT), "{codes:?}");
        world.sure = None;
        world.converge(STACK).await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_seed_is_one_run() {
    let mut traces = Vec::new();
    for _ in 0..2 {
        let world = World::new();
        world.apply(STACK).await;
        let trace: Vec<String> = world
            .god()
            .requests()
            .iter()
            .map(|request| format!("{:?} {} {}", request.arrived, request.method, request.path))
            .collect();
        traces.push(trace);
    }
    assert_eq!(traces[0], traces[1]);
}

#[tokio::test(start_paused = true)]
async fn what_changed_since_the_plan_is_not_touched() {
    let edited = STACK.replace("team = \"one\"", "team = \"two\"");
    let mut world = World::new();
    world.apply(STACK).await;
    let group = id(&world, "");
    let edit = group.clone();
    world.meanwhile = Some(Arc::new(move |god| {
        god.edit(&edit, |group| group["tags"]["team"] = json!("three")).unwrap();
    }));
    let outcome = world.apply(&edited).await;
    let diagnostics = outcome.report.diagnostics.sorted();
    assert_eq!((outcome.report.end, diagnostics[0].code), (End::SomeFailed, codes::STALE));
    assert_eq!(world.god().object(&group).unwrap()["tags"]["team"], "three");
    world.meanwhile = None;
    world.converge(&edited).await;

    // Somebody makes it as it is wanted: no harm.
    let wanted = group.clone();
    world.meanwhile = Some(Arc::new(move |god| {
        god.edit(&wanted, |group| group["tags"]["team"] = json!("one")).unwrap();
    }));
    assert_eq!(world.apply(STACK).await.report.end, End::Done);
}

#[tokio::test(start_paused = true)]
async fn what_appeared_or_vanished_since_the_plan_is_not_touched() {
    let mut world = World::new();
    let group = id(&world, "");
    let appearing = group.clone();
    world.meanwhile = Some(Arc::new(move |god| god.put_object(&appearing, json!({"location": "westeurope"})).unwrap()));
    let outcome = world.apply(STACK).await;
    assert_eq!(outcome.report.diagnostics.sorted()[0].code, codes::STALE);
    assert_eq!(outcome.report.counts.skipped, 5);
    assert_eq!(world.god().object(&group).unwrap()["tags"]["akson"], json!(null));

    let mut world = World::new();
    world.apply(STACK).await;
    let vanishing = group.clone();
    world.meanwhile = Some(Arc::new(move |god| {
        god.delete_object(&vanishing).unwrap();
    }));
    let outcome = world.apply(&STACK.replace("team = \"one\"", "team = \"two\"")).await;
    assert_eq!(outcome.report.diagnostics.sorted()[0].code, codes::STALE);
    world.meanwhile = None;
    world.converge(STACK).await;
}

#[tokio::test(start_paused = true)]
async fn what_lost_its_mark_since_the_plan_is_not_deleted() {
    let mut world = World::new();
    world.apply(STACK).await;
    let identity = id(&world, "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-b");
    let stripped = identity.clone();
    world.meanwhile = Some(Arc::new(move |god| {
        god.edit(&stripped, |identity| identity["tags"] = json!({})).unwrap();
    }));
    let outcome = world.apply(&STACK.replace("[\"a\", \"b\"]", "[\"a\"]")).await;
    assert_eq!(outcome.report.diagnostics.sorted()[0].code, codes::NOT_OURS);
    assert!(world.god().object(&identity).is_some());
}

#[tokio::test(start_paused = true)]
async fn what_azure_does_not_keep_is_no_success_and_no_secret() {
    let mut world = World::new();
    let group = id(&world, "");
    let policed = group.clone();
    world.afterwards = Some(Arc::new(move |god| {
        god.edit(&policed, |group| group["tags"]["team"] = json!("policy")).unwrap();
    }));
    let outcome = world.apply(STACK).await;
    let diagnostic = outcome.report.diagnostics.sorted()[0].clone();
    assert_eq!((outcome.report.end, diagnostic.code), (End::SomeFailed, codes::NOT_KEPT));
    assert!(diagnostic.notes[0].contains("`tags.team` is `\"policy\"`, and `\"one\"` was sent"), "{diagnostic:#?}");
    let document = world.store.document().unwrap();
    let entry = document.entries.values().find(|entry| entry.owned.id.eq_ignore_ascii_case(&group)).unwrap();
    let owns = |leaf: &str| entry.owned.sent.contains_key(leaf);
    assert!(entry.owned.state == OwnedState::Owned && entry.intent.is_none(), "it is ours, and nothing is under way");
    assert!(owns("/location") && !owns("/tags/team"), "but for what was not kept: {:?}", entry.owned.sent);
    world.afterwards = None;
    let again = world.apply(STACK).await;
    assert_eq!(again.plan.count(Action::Update), 1, "the next plan shows it");
    assert_eq!(world.god().object(&group).unwrap()["tags"]["team"], "one");
    world.converge(STACK).await;
}

/// A policy may take the mark off, too: what is not marked would not be deleted later, so that is told at once.
#[tokio::test(start_paused = true)]
async fn a_mark_that_azure_does_not_keep_is_told() {
    let mut world = World::new();
    let group = id(&world, "");
    let stripped = group.clone();
    world.afterwards = Some(Arc::new(move |god| {
        god.edit(&stripped, |group| group["tags"] = json!({"team": "one"})).unwrap();
    }));
    let outcome = world.apply(STACK).await;
    let diagnostic = outcome.report.diagnostics.sorted()[0].clone();
    assert_eq!((outcome.report.end, diagnostic.code), (End::SomeFailed, codes::NOT_KEPT));
    assert!(diagnostic.notes[0].contains("mark of ownership"), "{diagnostic:#?}");
    world.afterwards = None;
    world.converge(STACK).await;
    assert!(world.god().object(&group).unwrap()["tags"].as_object().unwrap().len() > 1, "it is marked again");
}

/// The request that would only have marked what is adopted did not arrive: that all else is as it is wanted does not mean that it did.
#[tokio::test(start_paused = true)]
async fn an_adoption_is_done_once_the_mark_is_there() {
    for rule in [FaultRule::new(Effect::Reset), FaultRule::new(Effect::Reset).after()] {
        let world = World::new();
        let group = id(&world, "");
        world.god().put_object(&group, json!({"location": "westeurope", "tags": {"team": "one"}})).unwrap();
        world.god().set_faults(vec![rule.on_method("PUT").nth(1)]);
        let outcome = world.apply(STACK).await;
        assert_eq!((outcome.plan.count(Action::Adopt), outcome.report.end), (1, End::Done));
        assert!(world.god().object(&group).unwrap()["tags"].as_object().unwrap().len() > 1);
    }
}

/// Somebody makes the same between our look and our request, which does not arrive: what is there is as it was wanted, and not ours.
#[tokio::test(start_paused = true)]
async fn what_somebody_made_in_our_place_is_not_ours() {
    let world = World::new();
    let group = id(&world, "");
    world.god().set_faults(vec![FaultRule::new(Effect::Reset).on_method("PUT").nth(1)]);
    let cancel = Cancel::new();
    let run = world.run(STACK, Mode::Apply, &cancel);
    let other = tokio::time::timeout(Duration::from_secs(600), async {
        while !world.god().requests().iter().any(|request| request.method == "PUT") {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        world.god().put_object(&group, json!({"location": "westeurope", "tags": {"team": "one"}})).unwrap();
    });
    let (outcome, made) = tokio::join!(run, other);
    made.expect("the request is sent");
    let diagnostics = outcome.report.diagnostics.sorted();
    assert_eq!((outcome.report.end, diagnostics[0].code), (End::SomeFailed, codes::STALE), "{diagnostics:#?}");
    assert_eq!(world.god().object(&group).unwrap()["tags"], json!({"team": "one"}), "nothing was sent to it");
    let next = world.apply(STACK).await;
    let change = next.plan.changes.iter().find(|change| change.address == "resource_group.app").unwrap();
    assert_eq!(change.action, Action::Adopt, "that it is to be taken over is shown first");
    world.converge(STACK).await;
}

const CREDENTIAL: &str =
    "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-a/federatedIdentityCredentials/ci-y";

/// What takes no mark is known by what it is: changed since the plan, it is not deleted.
#[tokio::test(start_paused = true)]
async fn what_takes_no_mark_and_changed_since_the_plan_is_not_deleted() {
    let mut world = World::new();
    world.apply(STACK).await;
    let credential = id(&world, CREDENTIAL);
    let changed = credential.clone();
    world.meanwhile = Some(Arc::new(move |god| {
        god.edit(&changed, |credential| credential["properties"]["subject"] = json!("repo:other/y")).unwrap();
    }));
    let removed = STACK.replace("[\"x\", \"y\"]", "[\"x\"]");
    let outcome = world.apply(&removed).await;
    assert_eq!(outcome.report.diagnostics.sorted()[0].code, codes::STALE);
    assert_eq!(world.god().object(&credential).unwrap()["properties"]["subject"], "repo:other/y");
}

/// A deletion that may have happened stays announced; one that was refused does not.
#[tokio::test(start_paused = true)]
async fn a_deletion_that_may_have_happened_stays_announced() {
    let removed = STACK.replace("[\"x\", \"y\"]", "[\"x\"]");
    for (status, state) in [(500, OwnedState::IntentDelete), (403, OwnedState::Owned)] {
        let world = World::new();
        world.apply(STACK).await;
        let effect = Effect::Status { status, retry_after: RetryAfter::Absent, html: false };
        world.god().set_faults(vec![FaultRule::new(effect).on_method("DELETE")]);
        let outcome = world.apply(&removed).await;
        assert_eq!(outcome.report.end, End::SomeFailed, "{status}");
        let document = world.store.document().unwrap();
        let credential = id(&world, CREDENTIAL);
        let entry = document.entries.values().find(|entry| entry.owned.id.eq_ignore_ascii_case(&credential)).unwrap();
        assert_eq!(entry.owned.state, state, "{status}");
        world.god().set_faults(Vec::new());
        world.converge(&removed).await;
        assert_eq!(world.god().object(&credential), None);
    }
}

/// What is expected and not shown is looked for again before that is believed: readers lag behind.
#[tokio::test(start_paused = true)]
async fn one_look_that_does_not_show_it_is_not_believed() {
    let edited = STACK.replace("team = \"one\"", "team = \"two\"").replace("[\"x\", \"y\"]", "[\"x\"]");
    let mut looks = 0;
    for nth in 1.. {
        let mut world = World::new();
        world.apply(STACK).await;
        let before = world.god().requests().len();
        let effect = Effect::Status { status: 404, retry_after: RetryAfter::Absent, html: false };
        let rule = FaultRule::new(effect).on_method("GET").nth(nth);
        world.meanwhile = Some(Arc::new(move |god| god.set_faults(vec![rule.clone()])));
        let outcome = world.apply(&edited).await;
        assert_eq!(outcome.report.end, End::Done, "{nth}: {:#?}", outcome.report.diagnostics);
        assert_eq!(outcome.report.counts.succeeded, 2, "{nth}");
        if world.god().requests()[before..].iter().all(|request| request.processed) {
            break;
        }
        looks += 1;
    }
    assert!(looks > 1, "{looks}");
}

/// Another stack's mark came on it since the plan: it is not touched, whether it would be written or deleted.
#[tokio::test(start_paused = true)]
async fn what_another_stack_took_since_the_plan_is_not_touched() {
    let edited = STACK.replace("team = \"one\"", "team = \"two\"").replace("[\"a\", \"b\"]", "[\"a\"]");
    let identity = "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-b";
    for (of, place) in [("resource_group", ""), ("identity", identity)] {
        let mut world = World::new();
        world.apply(STACK).await;
        let place = id(&world, place);
        let kind = Catalog::builtin().unwrap().get(of).unwrap();
        let mark =
            marker(kind, "00000000-0000-4000-8000-00000000beef", &SymbolicId::from_ledger(place.to_ascii_lowercase()));
        let (taken, text) = (place.clone(), mark.clone());
        world.meanwhile = Some(Arc::new(move |god| {
            god.edit(&taken, |object| object["tags"]["akson"] = json!(text)).unwrap();
        }));
        let outcome = world.apply(&edited).await;
        let codes: Vec<_> = outcome.report.diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
        assert!(codes.contains(&codes::NOT_OURS), "{of}: {codes:?}");
        let object = world.god().object(&place).unwrap();
        assert_eq!(object["tags"]["akson"], json!(mark), "{of}");
        assert_ne!(object["tags"]["team"], "two", "{of}");
    }
}
