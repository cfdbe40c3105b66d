//! Each bucket by what it lets through at which second.

use super::*;

const VAULT: &str = "/subscriptions/S/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v";
const IDENTITY: &str = "/subscriptions/S/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i";
const CLUSTER: &str = "/subscriptions/S/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c";

fn writes() -> Lane {
    Lane::of_path(VAULT, LaneKind::Write)
}

fn identities() -> Lane {
    Lane::of_path(IDENTITY, LaneKind::Write)
}

const fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn after(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Of a request that was sent at this second.
fn refusal(sent: u64, retry_after: Option<u64>) -> Refusal {
    Refusal { sent: at(sent), retry_after: retry_after.map(at), by_gateway: false, chance: 1.0 }
}

/// How many may be sent now.
fn taken(throttle: &mut Throttle, lane: &Lane, now: Duration) -> usize {
    (0..1000).take_while(|_| throttle.take(lane, now).is_ok()).count()
}

#[test]
fn the_lane_follows_from_the_path() {
    #[track_caller]
    fn check(path: &str, subscription: &str, provider: &str) {
        let lane = Lane::of_path(path, LaneKind::Read);
        assert_eq!((lane.subscription.as_str(), lane.provider.as_str()), (subscription, provider), "{path}");
        assert_eq!((lane.audience, lane.kind, lane.verb), (Audience::Arm, LaneKind::Read, LaneKind::Read), "{path}");
    }
    check(VAULT, "s", "microsoft.keyvault");
    check(&format!("{VAULT}/providers/Microsoft.Authorization/locks/l"), "s", "microsoft.authorization");
    check("/subscriptions/S/resourcegroups/g", "s", "microsoft.resources");
    check("/providers/Microsoft.Management/managementGroups/m", "", "microsoft.management");
    check("/subscriptions", "", "microsoft.resources");
    check("", "", "microsoft.resources");
    check("/subscriptions/S/providers", "s", "microsoft.resources");
}

#[test]
fn providers_have_limits_of_their_own() {
    #[track_caller]
    fn check(path: &str, verb: LaneKind, expected: LaneKind, object: &str, limits: (f64, f64)) {
        let lane = Lane::of_path(path, verb);
        assert_eq!((lane.kind, lane.object.as_str(), lane.limits()), (expected, object, limits), "{path}");
        assert_eq!(lane.verb, verb, "{path}");
    }
    let (read, write, delete) = (LaneKind::Read, LaneKind::Write, LaneKind::Delete);
    let identities = "/subscriptions/s/providers/Microsoft.ManagedIdentity/userAssignedIdentities";
    let credentials = &format!("{IDENTITY}/federatedIdentityCredentials");
    check(identities, read, LaneKind::List, "", (50.0, 5.0));
    check(IDENTITY, read, read, "", (100.0, 10.0));
    check(credentials, read, LaneKind::List, "", (50.0, 5.0));
    check(&format!("{credentials}/c"), read, read, "", (100.0, 10.0));
    check(&format!("{credentials}/c"), write, write, "", (40.0, 2.0));
    check(IDENTITY, delete, write, "", (40.0, 2.0));

    let cluster = &CLUSTER.to_ascii_lowercase();
    let group = "/subscriptions/s/resourcegroups/g";
    let clusters = "providers/Microsoft.ContainerService/managedClusters";
    check(CLUSTER, read, read, cluster, (60.0, 1.0));
    check(CLUSTER, write, write, cluster, (20.0, 1.0 / 60.0));
    check(CLUSTER, delete, LaneKind::Other, "", (60.0, 1.0));
    check(&format!("{CLUSTER}/agentPools/p"), write, write, &format!("{cluster}/agentpools/p"), (20.0, 1.0 / 60.0));
    check(&format!("{CLUSTER}/agentPools/p"), read, LaneKind::Other, "", (60.0, 1.0));
    check(&format!("{CLUSTER}/listClusterUserCredential"), write, LaneKind::Other, "", (60.0, 1.0));
    check(&format!("/subscriptions/s/{clusters}"), read, LaneKind::List, "", (500.0, 1.0));
    check(&format!("{group}/{clusters}"), read, LaneKind::List, group, (60.0, 1.0));
    let operation = "/subscriptions/s/providers/Microsoft.ContainerService/locations/westeurope/operations/o";
    check(operation, read, LaneKind::Status, "", (200.0, 2.0));

    check(VAULT, read, read, "", (250.0, 25.0));
    check(VAULT, write, write, "", (200.0, 10.0));
    check(VAULT, delete, delete, "", (200.0, 10.0));
}

#[test]
fn beside_arm_each_service_has_its_lane() {
    let lane = Lane::beside(Audience::Graph, LaneKind::Write);
    assert_eq!((lane.audience, lane.gateway(), lane.limits()), (Audience::Graph, None, (200.0, 10.0)));
    assert_ne!(lane.own(), Lane::beside(Audience::KeyVault, LaneKind::Write).own());
}

#[test]
fn a_burst_then_the_documented_rate() {
    let (mut throttle, lane) = (Throttle::new(), writes());
    assert_eq!(taken(&mut throttle, &lane, at(0)), 200);
    assert_eq!(throttle.take(&lane, at(0)), Err(after(100)));
    assert_eq!(throttle.take(&lane, after(50)), Err(after(50)), "half of it has flowed in");
    assert_eq!(throttle.take(&lane, after(100)), Ok(()));
    assert_eq!(throttle.take(&lane, after(100)), Err(after(100)));
    assert_eq!(taken(&mut throttle, &lane, at(3)), 29);
    assert_eq!(taken(&mut throttle, &lane, at(1000)), 200, "no more than it holds");
    let other = Lane::of_path(VAULT, LaneKind::Delete);
    assert_eq!(taken(&mut throttle, &other, at(1000)), 200, "other lanes go on");
}

#[test]
fn a_slow_service_is_asked_again_before_its_token_is_there() {
    let (mut throttle, lane) = (Throttle::new(), Lane::of_path(CLUSTER, LaneKind::Write));
    assert_eq!(taken(&mut throttle, &lane, at(0)), 20);
    assert_eq!(throttle.take(&lane, at(0)), Err(at(10)), "and not a minute");
    assert_eq!(throttle.take(&lane, after(59_500)), Err(after(500)));
    assert_eq!(throttle.take(&lane, at(60)), Ok(()));
}

#[test]
fn a_request_takes_of_its_provider_and_of_arm() {
    let (mut throttle, lane) = (Throttle::new(), writes());
    assert_eq!(taken(&mut throttle, &identities(), at(0)), 40);
    assert_eq!(taken(&mut throttle, &lane, at(0)), 160, "ARM counts both");
    assert_eq!(throttle.take(&identities(), at(0)), Err(after(500)), "the longer of both waits");
    let elsewhere = Lane::of_path(&VAULT.replace("/S/", "/T/"), LaneKind::Write);
    assert_eq!(taken(&mut throttle, &elsewhere, at(0)), 200, "another subscription");

    // What one of both refuses is taken of neither.
    let mut throttle = Throttle::new();
    assert_eq!(taken(&mut throttle, &identities(), at(0)), 40);
    for _ in 0..100 {
        assert!(throttle.take(&identities(), at(0)).is_err());
    }
    assert_eq!(taken(&mut throttle, &lane, at(0)), 160);
}

#[test]
fn deletes_of_identities_are_writes_to_them_and_deletes_to_arm() {
    let (mut throttle, deletes) = (Throttle::new(), Lane::of_path(IDENTITY, LaneKind::Delete));
    assert_eq!(taken(&mut throttle, &deletes, at(0)), 40);
    assert_eq!(taken(&mut throttle, &identities(), at(0)), 0);
    assert_eq!(taken(&mut throttle, &writes(), at(0)), 200);
    assert_eq!(taken(&mut throttle, &Lane::of_path(VAULT, LaneKind::Delete), at(0)), 160);
}

#[test]
fn a_retry_after_stops_the_whole_lane() {
    let (mut throttle, lane) = (Throttle::new(), writes());
    assert_eq!(throttle.take(&lane, at(10)), Ok(()));
    assert_eq!(throttle.refused(&lane, at(10), &refusal(9, Some(30))), at(30));
    assert_eq!(throttle.take(&lane, at(10)), Err(at(30)));
    assert_eq!(throttle.take(&lane, at(39)), Err(at(1)));
    assert_eq!(throttle.take(&identities(), at(39)), Ok(()), "another provider goes on");
    assert_eq!(throttle.take(&lane, at(40)), Ok(()));
    assert!(throttle.take(&lane, at(40)).is_err(), "no rush at the end");
    assert_eq!(throttle.refused(&lane, at(40), &refusal(39, Some(5))), at(5));
}

#[test]
fn arm_stops_all_providers() {
    let (mut throttle, lane) = (Throttle::new(), writes());
    let by_arm = Refusal { by_gateway: true, ..refusal(9, Some(30)) };
    assert_eq!(throttle.refused(&lane, at(10), &by_arm), at(30));
    assert_eq!(throttle.take(&identities(), at(10)), Err(at(30)));
    assert_eq!(
        throttle.take(&Lane::of_path(VAULT, LaneKind::Read), at(10)),
        Ok(()),
        "but not what it counts elsewhere"
    );
    let beside = Lane::beside(Audience::Graph, LaneKind::Write);
    assert_eq!(throttle.refused(&beside, at(10), &by_arm), at(30), "there is no ARM before it");
    assert_eq!(throttle.take(&beside, at(10)), Err(at(30)));
}

#[test]
fn a_busy_service_is_left_alone_and_not_taken_for_slow() {
    let (mut throttle, lane) = (Throttle::new(), writes());
    throttle.busy(&lane, at(10), at(20), 1.0);
    assert_eq!(throttle.take(&lane, at(29)), Err(at(1)));
    assert_eq!(throttle.take(&lane, at(30)), Ok(()));
    assert_eq!(throttle.take(&lane, at(30)), Err(after(100)));
    assert_eq!(throttle.take(&identities(), at(10)), Ok(()));
}

#[test]
fn a_shorter_stop_does_not_shorten_a_longer_one() {
    let (mut throttle, lane) = (Throttle::new(), writes());
    throttle.refused(&lane, at(0), &refusal(0, Some(60)));
    assert_eq!(throttle.refused(&lane, at(1), &refusal(0, Some(2))), at(59));
    assert_eq!(throttle.take(&lane, at(60)), Ok(()));
}

#[test]
fn who_was_told_the_same_does_not_come_back_at_once() {
    let (mut throttle, lane) = (Throttle::new(), writes());
    throttle.refused(&lane, at(10), &Refusal { chance: 0.3, ..refusal(9, Some(5)) });
    throttle.refused(&lane, at(10), &refusal(9, Some(5)));
    // 7 a second: what is missing of a token takes a tenth of a second.
    assert_eq!(throttle.take(&lane, at(15)), Err(after(100)));
    assert_eq!(throttle.take(&lane, after(15_100)), Ok(()));
}

/// How many a second are let through at a time, in thousandths, by how long the wait for the next one is.
fn rate(throttle: &Throttle, lane: &Lane, now: Duration) -> u128 {
    let mut throttle = throttle.clone();
    taken(&mut throttle, lane, now);
    let bucket = throttle.bucket(&lane.own(), now);
    bucket.tokens = 0.0;
    1_000_000 / throttle.take(lane, now).expect_err("nothing is left").as_millis()
}

#[test]
fn a_refusal_slows_down_and_time_makes_up_for_it() {
    let (mut throttle, lane) = (Throttle::new(), writes());
    assert_eq!(rate(&throttle, &lane, at(10)), 10_000);
    throttle.refused(&lane, at(10), &refusal(9, Some(5)));
    let rates = [15, 20, 25, 27, 28, 30, 40].map(|now| rate(&throttle, &lane, at(now)));
    assert_eq!(rates, [6_993, 9_174, 9_900, 9_900, 10_000, 10_000, 10_000]);

    // At the whole rate it is as before; below it, room is left for others.
    throttle.refused(&lane, at(40), &refusal(39, Some(1)));
    assert_eq!(rate(&throttle, &lane, at(41)), 6_993);
    throttle.refused(&lane, at(41), &refusal(41, Some(1)));
    let rates = [42, 57, 62].map(|now| rate(&throttle, &lane, at(now)));
    assert_eq!(rates, [4_149, 5_952, 6_329]);
}

#[test]
fn a_rate_has_a_floor_and_comes_back_faster_and_faster() {
    let (mut throttle, lane) = (Throttle::new(), writes());
    for now in (10..610).step_by(10) {
        throttle.refused(&lane, at(now), &refusal(now, Some(1)));
    }
    assert_eq!(rate(&throttle, &lane, at(601)), 100, "it asks again after ten seconds at the latest");
    let bucket = throttle.bucket(&lane.own(), at(600)).clone();
    let rates = [601, 623, 629, 633, 639, 643, 647].map(|now| format!("{:.4}", bucket.rate(at(now))));
    assert_eq!(rates, ["0.0039", "0.0045", "0.0071", "0.0129", "0.0582", "0.2615", "1.0000"]);
}

#[test]
fn what_was_sent_before_the_stop_counts_once() {
    let (mut throttle, lane) = (Throttle::new(), writes());
    throttle.refused(&lane, at(10), &refusal(9, Some(5)));
    let once = rate(&throttle, &lane, at(15));
    for _ in 0..5 {
        assert_eq!(throttle.refused(&lane, at(11), &refusal(10, Some(4))), at(4));
        assert_eq!(
            throttle.refused(&lane, at(11), &refusal(10, None)),
            at(4),
            "and is no reason for a wait of our own"
        );
    }
    assert_eq!(rate(&throttle, &lane, at(15)), once);
    throttle.refused(&lane, at(16), &refusal(15, Some(1)));
    assert!(rate(&throttle, &lane, at(17)) < once);
}

#[test]
fn waits_of_our_own_grow_and_never_become_none() {
    let (mut throttle, lane) = (Throttle::new(), writes());
    let mut now = at(0);
    let mut waits = Vec::new();
    for _ in 0..9 {
        let wait = throttle.refused(&lane, now, &Refusal { sent: now, ..refusal(0, None) });
        waits.push(wait.as_secs());
        now += wait;
    }
    assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 128, 128]);
    throttle.accepted(&lane, now);
    assert_eq!(throttle.refused(&lane, now, &Refusal { sent: now, ..refusal(0, None) }).as_secs(), 2);
}

#[test]
fn what_came_through_last_is_remembered() {
    let (mut throttle, lane) = (Throttle::new(), writes());
    assert_eq!(throttle.last_accepted(&lane), None);
    throttle.accepted(&lane, at(3));
    throttle.refused(&lane, at(4), &refusal(4, Some(5)));
    assert_eq!(throttle.last_accepted(&lane), Some(at(3)));
    assert_eq!(throttle.last_accepted(&identities()), None);
}

#[test]
fn whoever_waits_as_told_gets_through() {
    let (mut throttle, lane) = (Throttle::new(), writes());
    let mut now = at(0);
    for _ in 0..5 {
        now += throttle.refused(&lane, now, &Refusal { sent: now, ..refusal(0, None) });
    }
    for _ in 0..100 {
        while let Err(wait) = throttle.take(&lane, now) {
            assert!(wait >= after(1));
            now += wait;
        }
    }
}
