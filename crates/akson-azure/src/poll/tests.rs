//! Operations told as scripts: what was asked, what each answer leads to. The answers have the shapes of recorded ones.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails should say where")]

use http::Response;
use serde_json::json;

use super::*;

const ID: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.X/y/z";
const OBJECT: &str =
    "https://management.azure.com/subscriptions/s/resourceGroups/g/providers/Microsoft.X/y/z?api-version=1";
const STATUS: &str = "https://management.azure.com/subscriptions/s/providers/Microsoft.X/operations/1?api-version=2016-03-30&t=1&s=a_B%2f";

fn put() -> Operation {
    Operation::put(ID, "1", json!({}))
}

fn delete() -> Operation {
    Operation::delete(ID, "1")
}

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    Answer::of(response.body(Bytes::from(body.to_owned())).unwrap())
}

fn told(next: &Next) -> String {
    match next {
        Next::Done(None) => "done".to_owned(),
        Next::Done(Some(object)) => format!("done {object}"),
        Next::Wait { after, request } => format!("{}s poll {}", after.as_secs(), request.uri()),
        Next::ReadBack { after, request } if request.uri() == OBJECT => format!("{}s read", after.as_secs()),
        Next::ReadBack { request, .. } => panic!("reads {}", request.uri()),
        Next::Failed(FollowError::Azure(error)) => format!("failed {}: {}", error.code, error.message),
        Next::Failed(other) => format!("failed {other:?}"),
    }
}

/// Runs the answers through, the clock going on as the machine says.
#[track_caller]
fn check(operation: &Operation, answers: &[(Answer, &str)]) {
    let mut now = Duration::ZERO;
    let (first, rest) = answers.split_first().unwrap();
    let (mut follow, mut next) = Follow::start(
        operation,
        &Cloud::PUBLIC,
        &RequestIds::default(),
        &first.0,
        now,
        Duration::ZERO,
        Duration::from_secs(3600),
    )
    .unwrap();
    assert_eq!(told(&next), first.1, "the first answer");
    for (at, (answer, expected)) in rest.iter().enumerate() {
        match &next {
            Next::Wait { after, .. } | Next::ReadBack { after, .. } => now += *after,
            Next::Done(_) | Next::Failed(_) => panic!("ended before answer {}", at + 1),
        }
        next = follow.next(answer, now);
        assert_eq!(told(&next), *expected, "answer {}", at + 1);
    }
}

#[test]
fn a_cluster_async_operation_only_and_no_retry_after() {
    let poll = format!("2s poll {STATUS}");
    let wait = |seconds: u32| format!("{seconds}s poll {STATUS}");
    check(
        &put(),
        &[
            (
                answer(201, &[("Azure-AsyncOperation", STATUS)], r#"{"properties":{"provisioningState":"Creating"}}"#),
                &poll,
            ),
            (answer(200, &[], r#"{"status":"ProvisioningControlPlane"}"#), &wait(2)),
            (
                answer(
                    200,
                    &[],
                    r#"{"status":"InProgress","error":{"code":"NotLatestOperation","message":"x"},"endTime":"y"}"#,
                ),
                &wait(2),
            ),
            (answer(502, &[], "<html>Bad Gateway</html>"), &wait(2)),
            (answer(429, &[("Retry-After", "30")], r#"{"error":{"code":"Throttled"}}"#), &wait(30)),
            (
                answer(200, &[], r#"{"status":"succeeded","error":{"code":"OverlaymgrReconcileError","message":"x"}}"#),
                "0s read",
            ),
            (answer(200, &[], r#"{"properties":{"provisioningState":"Updating"}}"#), "2s read"),
            (
                answer(200, &[], r#"{"properties":{"provisioningState":"Succeeded"}}"#),
                r#"done {"properties":{"provisioningState":"Succeeded"}}"#,
            ),
        ],
    );
}

#[test]
fn an_identity_whose_relative_location_is_no_operation() {
    check(
        &put(),
        &[
            (answer(201, &[("Location", "/subscriptions/s/resourcegroups/g/x")], r#"{"properties":{}}"#), "0s read"),
            (answer(200, &[], r#"{"id":"i"}"#), r#"done {"id":"i"}"#),
        ],
    );
    check(&put(), &[(answer(201, &[("Location", STATUS)], "{}"), "0s read")]);
}

#[test]
fn a_vault_that_registers_its_name() {
    check(
        &put(),
        &[
            (answer(200, &[], r#"{"properties":{"provisioningState":"RegisteringDns"}}"#), "2s read"),
            (answer(200, &[], r#"{"properties":{"provisioningState":"RegisteringDns"}}"#), "2s read"),
            (
                answer(200, &[], r#"{"properties":{"provisioningState":"Succeeded"}}"#),
                r#"done {"properties":{"provisioningState":"Succeeded"}}"#,
            ),
        ],
    );
}

#[test]
fn a_group_deleted_by_location_only() {
    let location = "https://management.azure.com/subscriptions/s/operationresults/A?api-version=2021-04-01&t=1";
    let moved = "https://management.azure.com/subscriptions/s/operationresults/B?api-version=2021-04-01&t=2";
    let (first, second) = (format!("15s poll {location}"), format!("15s poll {moved}"));
    check(
        &delete(),
        &[
            (answer(202, &[("Location", location), ("Retry-After", "15")], ""), &first),
            (answer(202, &[("Location", moved), ("Retry-After", "15")], ""), &second),
            (answer(202, &[("Retry-After", "15")], ""), &second),
            (answer(200, &[], ""), "done"),
        ],
    );
}

#[test]
fn a_zone_whose_status_is_answered_with_202() {
    let poll = format!("30s poll {STATUS}");
    check(
        &put(),
        &[
            (
                answer(202, &[("Azure-AsyncOperation", STATUS), ("Location", OBJECT), ("Retry-After", "30")], "{}"),
                &poll,
            ),
            (answer(202, &[("Retry-After", "30")], r#"{"status":"InProgress"}"#), &poll),
            (answer(200, &[], r#"{"status":"Succeeded"}"#), "0s read"),
        ],
    );
}

#[test]
fn deletions_that_end_at_once() {
    check(&delete(), &[(answer(200, &[], ""), "done")]);
    check(&delete(), &[(answer(200, &[], r#"{"id":"x"}"#), "done")]);
    check(&delete(), &[(answer(204, &[], ""), "done")]);
    check(&delete(), &[(answer(404, &[], r#"{"error":{"code":"ResourceGroupNotFound","message":"m"}}"#), "done")]);
    check(&delete(), &[(answer(404, &[], r#"{"code":"NotFound","message":"m"}"#), "done")]);
    check(
        &delete(),
        &[(answer(409, &[], r#"{"error":{"code":"ScopeLocked","message":"m"}}"#), "failed ScopeLocked: m")],
    );
}

#[test]
fn a_deletion_followed_by_the_object() {
    check(
        &delete(),
        &[
            (answer(202, &[], r#"{"properties":{"provisioningState":"Deleting"}}"#), "2s read"),
            (answer(200, &[], r#"{"properties":{"provisioningState":"Succeeded"}}"#), "2s read"),
            (answer(200, &[], r#"{"properties":{"provisioningState":"Deleting"}}"#), "2s read"),
            (answer(404, &[], ""), "done"),
        ],
    );
    check(
        &delete(),
        &[
            (answer(202, &[], ""), "2s read"),
            (answer(200, &[], r#"{"properties":{"provisioningState":"Deleting"}}"#), "2s read"),
            (answer(200, &[], r#"{"properties":{"provisioningState":"Succeeded"}}"#), "failed RolledBack"),
        ],
    );
}

#[test]
fn every_terminal_word_in_every_case() {
    let poll = format!("2s poll {STATUS}");
    let again = format!("2s poll {STATUS}");
    for (word, expected) in [
        ("Succeeded", "0s read"),
        ("SUCCEEDED", "0s read"),
        ("Failed", "failed Failed: "),
        ("failed", "failed failed: "),
        ("Canceled", "failed Canceled: "),
        ("Cancelled", "failed Cancelled: "),
        ("Running", &again),
        ("CreatingAgentPools: 1/1 nodes completed", &again),
        ("Failing", &again),
    ] {
        let body = json!({"status": word}).to_string();
        check(
            &put(),
            &[(answer(200, &[("Azure-AsyncOperation", STATUS)], "{}"), &poll), (answer(200, &[], &body), expected)],
        );
    }
    let failed = r#"{"status":"Failed","error":{"code":"ServerIsBusy","message":"try later"}}"#;
    check(
        &put(),
        &[
            (answer(201, &[("Azure-AsyncOperation", STATUS)], "{}"), &poll),
            (answer(200, &[], failed), "failed ServerIsBusy: try later"),
        ],
    );
}

#[test]
fn polls_without_body_or_of_a_lost_operation() {
    let poll = format!("2s poll {STATUS}");
    let again = format!("2s poll {STATUS}");
    let begin = || answer(201, &[("Azure-AsyncOperation", STATUS)], "{}");
    check(&put(), &[(begin(), &poll), (answer(200, &[], ""), "0s read")]);
    check(&put(), &[(begin(), &poll), (answer(204, &[], ""), "0s read")]);
    check(&put(), &[(begin(), &poll), (answer(202, &[], ""), &again)]);
    check(&put(), &[(begin(), &poll), (answer(200, &[], "<html>"), &again)]);
    check(
        &put(),
        &[(begin(), &poll), (answer(404, &[], ""), "2s read"), (answer(200, &[], r#"{"a":1}"#), r#"done {"a":1}"#)],
    );
    check(
        &delete(),
        &[
            (answer(202, &[("Azure-AsyncOperation", STATUS)], ""), &poll),
            (answer(404, &[], ""), "2s read"),
            (answer(404, &[], ""), "done"),
        ],
    );
    check(
        &delete(),
        &[
            (answer(202, &[("Azure-AsyncOperation", STATUS)], ""), &poll),
            (answer(200, &[], r#"{"status":"Succeeded"}"#), "done"),
        ],
    );
}

#[test]
fn a_url_elsewhere_is_not_followed() {
    for url in [
        "https://westus2.rp.kubernetesconfiguration.azure.com/op",
        "http://management.azure.com/op",
        "https://user@management.azure.com/op",
        "https://management.azure.com:444/op",
        "not a url",
    ] {
        check(
            &put(),
            &[(answer(201, &[("Azure-AsyncOperation", url)], "{}"), "2s read"), (answer(200, &[], "{}"), "done {}")],
        );
        check(&delete(), &[(answer(202, &[("Location", url)], ""), "2s read"), (answer(404, &[], ""), "done")]);
    }
    let same = "https://management.azure.com:443/op?s=x";
    check(&put(), &[(answer(201, &[("Azure-AsyncOperation", same)], "{}"), &format!("2s poll {same}"))]);
}

#[test]
fn an_object_that_readers_do_not_see_yet() {
    check(
        &put(),
        &[
            (answer(201, &[], "{}"), "0s read"),
            (answer(404, &[], ""), "2s read"),
            (answer(403, &[], r#"{"error":{"code":"AuthorizationFailed","message":"m"}}"#), "2s read"),
            (answer(200, &[], r#"{"a":1}"#), r#"done {"a":1}"#),
        ],
    );
    let gone = || answer(404, &[("Retry-After", "60")], "");
    check(
        &put(),
        &[(answer(201, &[], "{}"), "0s read"), (gone(), "60s read"), (gone(), "60s read"), (gone(), "failed Vanished")],
    );
}

#[test]
fn an_object_that_ends_badly_after_the_operation_succeeded() {
    let body = r#"{"properties":{"provisioningState":"Failed"}}"#;
    check(&put(), &[(answer(200, &[], "{}"), "0s read"), (answer(200, &[], body), "failed Failed: ")]);
}

#[test]
fn actions_end_with_their_result() {
    let purge = Operation::action(ID, crate::Action::Purge, "1");
    let location = "https://management.azure.com/operationresults/1?api-version=1";
    let poll = format!("5s poll {location}");
    check(
        &purge,
        &[
            (answer(202, &[("Location", location), ("Retry-After", "5")], ""), &poll),
            (answer(202, &[("Retry-After", "5")], r#"{"status":"NotStarted"}"#), &poll),
            (answer(200, &[], r#"{"status":"Succeeded"}"#), r#"done {"status":"Succeeded"}"#),
        ],
    );
    check(
        &purge,
        &[
            (answer(202, &[("Location", location), ("Retry-After", "5")], ""), &poll),
            (answer(200, &[], r#"{"status":"Failed"}"#), "failed Failed: "),
        ],
    );
}

#[test]
fn following_ends_at_the_deadline() {
    let accepted = answer(202, &[("Location", STATUS)], "");
    let deadline = Duration::from_secs(60);
    let (mut follow, _) = Follow::start(
        &delete(),
        &Cloud::PUBLIC,
        &RequestIds::default(),
        &accepted,
        Duration::ZERO,
        Duration::ZERO,
        deadline,
    )
    .unwrap();
    let slow = answer(202, &[("Retry-After", "600")], r#"{"status":"Deleting"}"#);
    assert_eq!(told(&follow.next(&slow, Duration::from_secs(50))), format!("10s poll {STATUS}"));
    assert!(told(&follow.unanswered(Duration::from_secs(55))).ends_with(STATUS));
    assert_eq!(told(&follow.next(&slow, deadline)), r#"failed Deadline { status: Some("Deleting") }"#);
}

#[test]
fn waits_of_our_own_are_a_part_of_what_has_passed() {
    let accepted = answer(202, &[("Location", STATUS)], "");
    let (began, deadline) = (Duration::from_secs(1000), Duration::from_secs(10_000));
    let (mut follow, _) =
        Follow::start(&put(), &Cloud::PUBLIC, &RequestIds::default(), &accepted, began, Duration::ZERO, deadline)
            .unwrap();
    let running = answer(202, &[], "");
    let waits = [0, 199, 300, 640, 1500, 4000].map(|passed| {
        let Next::Wait { after, .. } = follow.next(&running, began + Duration::from_secs(passed)) else { panic!() };
        after.as_millis()
    });
    assert_eq!(waits, [2000, 2000, 3000, 6400, 15_000, 15_000]);
}

#[test]
fn resuming_begins_with_a_read() {
    let (mut follow, next) =
        Follow::resume(&put(), &Cloud::PUBLIC, &RequestIds::default(), Duration::from_secs(60)).unwrap();
    assert_eq!(told(&next), "0s read");
    let creating = answer(200, &[], r#"{"properties":{"provisioningState":"Creating"}}"#);
    assert!(told(&follow.next(&creating, Duration::from_secs(1))).ends_with("read"));
    assert_eq!(follow.status(), Some("Creating"));
}

/// Before most of the usual time is over nobody is asked often; from then on as if it were not known.
#[test]
fn what_usually_takes_long_is_not_asked_for_often_at_first() {
    let accepted = answer(202, &[], "");
    let usual = Duration::from_secs(100);
    let deadline = Duration::from_secs(3600);
    let ids = RequestIds::default();
    let (mut follow, mut next) =
        Follow::start(&put(), &Cloud::PUBLIC, &ids, &accepted, Duration::ZERO, usual, deadline).unwrap();
    let (mut now, mut waits) = (Duration::ZERO, Vec::new());
    while now < Duration::from_secs(66) {
        let (Next::Wait { after, .. } | Next::ReadBack { after, .. }) = next else { panic!("{next:?}") };
        waits.push(after.as_secs());
        now += after;
        next = follow.next(&answer(200, &[], r#"{"properties":{"provisioningState":"Creating"}}"#), now);
    }
    assert_eq!(waits, [15, 15, 15, 15, 2, 2, 2]);
}
