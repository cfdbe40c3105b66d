//! How fast requests go out: a token bucket per subscription, provider and kind of request, as a decision. Time comes in from outside.

use std::{collections::BTreeMap, time::Duration};

use crate::{Audience, Operation, Verb};

/// The provider with limits of its own, far below ARM's.
const IDENTITIES: &str = "microsoft.managedidentity";

/// What is limited together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane {
    /// The subscription, or nothing where there is none.
    pub subscription: String,
    /// The provider, in lower case.
    pub provider: String,
    /// What kind of request.
    pub kind: LaneKind,
}

/// Reads, writes and deletes have limits of their own. The managed identity provider tells lists from other reads, and has one limit
/// for all that changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LaneKind {
    /// GET
    Read,
    /// GET of a collection, where that has a limit of its own.
    List,
    /// PUT, PATCH, POST
    Write,
    /// DELETE
    Delete,
}

impl Lane {
    /// The lane of an operation.
    pub fn of(operation: &Operation) -> Self {
        let kind = match operation.verb() {
            Verb::Get => LaneKind::Read,
            Verb::Delete => LaneKind::Delete,
            Verb::Put | Verb::Patch | Verb::Post(_) => LaneKind::Write,
        };
        match operation.audience() {
            Audience::Arm => Self::of_path(operation.path(), kind),
            other => Self { subscription: String::new(), provider: format!("{other:?}").to_ascii_lowercase(), kind },
        }
    }

    /// The lane of a path below ARM's host.
    pub fn of_path(path: &str, kind: LaneKind) -> Self {
        let segments: Vec<&str> = path.split('/').collect();
        let after = |word: &str, last: bool| {
            let mut places = (0..segments.len()).filter(|at| segments[*at].eq_ignore_ascii_case(word));
            let at = if last { places.next_back() } else { places.next() };
            at.and_then(|at| segments.get(at + 1)).map(|segment| segment.to_ascii_lowercase())
        };
        let provider = after("providers", true).unwrap_or_else(|| "microsoft.resources".to_owned());
        let kind = match kind {
            // An even number of segments after the provider's name is an object, an odd one a collection.
            LaneKind::Read if provider == IDENTITIES => {
                let behind = segments.iter().rev().position(|segment| segment.eq_ignore_ascii_case(IDENTITIES));
                if behind.is_some_and(|behind| behind % 2 == 1) { LaneKind::List } else { LaneKind::Read }
            }
            LaneKind::Delete if provider == IDENTITIES => LaneKind::Write,
            kind => kind,
        };
        Self { subscription: after("subscriptions", false).unwrap_or_default(), provider, kind }
    }

    /// Burst and refill a second. ARM's documented buckets: reads 250 and 25, writes and deletes 200 and 10. The managed identity
    /// provider documents rates alone, 10 reads, 5 lists and 2 writes: its bursts are as long as ARM's.
    fn limits(&self) -> (f64, f64) {
        if self.provider == IDENTITIES {
            return match self.kind {
                LaneKind::Read => (100.0, 10.0),
                LaneKind::List => (50.0, 5.0),
                LaneKind::Write | LaneKind::Delete => (40.0, 2.0),
            };
        }
        match self.kind {
            LaneKind::Read | LaneKind::List => (250.0, 25.0),
            LaneKind::Write | LaneKind::Delete => (200.0, 10.0),
        }
    }
}

/// All buckets. `now` is the time since a start of the caller's choosing; it must not go back.
#[derive(Debug, Clone, Default)]
pub struct Throttle {
    buckets: BTreeMap<Lane, Bucket>,
}

#[derive(Debug, Clone)]
struct Bucket {
    /// Requests that may go out at once.
    tokens: f64,
    /// Refilled a second: halved by each 429, growing again by and by.
    rate: f64,
    updated: Duration,
    stopped_until: Duration,
    /// 429s in a row, for waits of our own where the service names none.
    refused: u32,
}

/// The slowest rate, a second.
const SLOWEST: f64 = 0.2;
/// The first wait after a 429 that names none.
const FIRST_WAIT: Duration = Duration::from_secs(2);

impl Throttle {
    /// No request made yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the right to send one request.
    ///
    /// # Errors
    /// How long to wait before asking again.
    pub fn take(&mut self, lane: &Lane, now: Duration) -> Result<(), Duration> {
        let (burst, rate) = lane.limits();
        let bucket = self.bucket(lane, now);
        if now < bucket.stopped_until {
            return Err(bucket.stopped_until.saturating_sub(now));
        }
        let passed = now.saturating_sub(bucket.updated).as_secs_f64();
        bucket.tokens = (bucket.tokens + passed * bucket.rate).min(burst);
        bucket.rate = (bucket.rate + passed * rate / 60.0).min(rate);
        bucket.updated = bucket.updated.max(now);
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            return Ok(());
        }
        // Rounded up, so that asking again after it succeeds.
        let wait = ((1.0 - bucket.tokens) / bucket.rate * 1000.0).ceil().max(1.0) / 1000.0;
        Err(Duration::from_secs_f64(wait))
    }

    /// A 429 came: nothing goes out in this lane for as long as the service says, or for a growing time if it does not. Returns how long that is.
    pub fn refused(&mut self, lane: &Lane, now: Duration, retry_after: Option<Duration>) -> Duration {
        let bucket = self.bucket(lane, now);
        bucket.refused = bucket.refused.saturating_add(1);
        let own = FIRST_WAIT * 2_u32.saturating_pow((bucket.refused - 1).min(6));
        let wait = retry_after.unwrap_or(own);
        bucket.stopped_until = bucket.stopped_until.max(now + wait);
        // Those that wait do not all rush out at its end.
        bucket.tokens = 1.0;
        bucket.updated = bucket.stopped_until;
        bucket.rate = (bucket.rate / 2.0).max(SLOWEST);
        bucket.stopped_until.saturating_sub(now)
    }

    /// An answer other than 429 came.
    pub fn accepted(&mut self, lane: &Lane) {
        if let Some(bucket) = self.buckets.get_mut(lane) {
            bucket.refused = 0;
        }
    }

    fn bucket(&mut self, lane: &Lane, now: Duration) -> &mut Bucket {
        let (burst, rate) = lane.limits();
        self.buckets.entry(lane.clone()).or_insert(Bucket {
            tokens: burst,
            rate,
            updated: now,
            stopped_until: Duration::ZERO,
            refused: 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writes() -> Lane {
        Lane::of_path("/subscriptions/S/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v", LaneKind::Write)
    }

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[track_caller]
    fn check_lane(path: &str, subscription: &str, provider: &str) {
        let lane = Lane::of_path(path, LaneKind::Read);
        assert_eq!((lane.subscription.as_str(), lane.provider.as_str()), (subscription, provider), "{path}");
    }

    #[test]
    fn the_lane_follows_from_the_path() {
        check_lane(
            "/subscriptions/S/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v",
            "s",
            "microsoft.keyvault",
        );
        check_lane(
            "/subscriptions/S/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v/providers/Microsoft.Authorization/locks/l",
            "s",
            "microsoft.authorization",
        );
        check_lane("/subscriptions/S/resourcegroups/g", "s", "microsoft.resources");
        check_lane("/providers/Microsoft.Management/managementGroups/m", "", "microsoft.management");
        check_lane("/subscriptions", "", "microsoft.resources");
    }

    #[test]
    fn managed_identities_have_limits_of_their_own() {
        #[track_caller]
        fn check(path: &str, kind: LaneKind, expected: LaneKind, burst: f64, rate: f64) {
            let path = format!("/subscriptions/s{path}");
            let lane = Lane::of_path(&path, kind);
            assert_eq!((lane.kind, lane.limits()), (expected, (burst, rate)), "{path}");
        }
        let all = "/providers/Microsoft.ManagedIdentity/userAssignedIdentities";
        let one = "/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i";
        check(all, LaneKind::Read, LaneKind::List, 50.0, 5.0);
        check(one, LaneKind::Read, LaneKind::Read, 100.0, 10.0);
        check(&format!("{one}/federatedIdentityCredentials"), LaneKind::Read, LaneKind::List, 50.0, 5.0);
        check(&format!("{one}/federatedIdentityCredentials/c"), LaneKind::Write, LaneKind::Write, 40.0, 2.0);
        check(one, LaneKind::Delete, LaneKind::Write, 40.0, 2.0);
        check("/resourceGroups/g/providers/Microsoft.KeyVault/vaults", LaneKind::Read, LaneKind::Read, 250.0, 25.0);
    }

    #[test]
    fn a_burst_then_the_documented_rate() {
        let (mut throttle, lane) = (Throttle::new(), writes());
        for _ in 0..200 {
            assert_eq!(throttle.take(&lane, at(0)), Ok(()));
        }
        assert_eq!(throttle.take(&lane, at(0)), Err(Duration::from_millis(100)));
        assert_eq!(throttle.take(&lane, Duration::from_millis(100)), Ok(()));
        assert!(throttle.take(&lane, Duration::from_millis(100)).is_err());
        let other = Lane { kind: LaneKind::Delete, ..lane };
        assert_eq!(throttle.take(&other, at(0)), Ok(()), "other lanes go on");
    }

    #[test]
    fn a_retry_after_stops_the_whole_lane() {
        let (mut throttle, lane) = (Throttle::new(), writes());
        assert_eq!(throttle.take(&lane, at(10)), Ok(()));
        assert_eq!(throttle.refused(&lane, at(10), Some(at(30))), at(30));
        assert_eq!(throttle.take(&lane, at(10)), Err(at(30)));
        assert_eq!(throttle.take(&lane, at(39)), Err(at(1)));
        assert_eq!(throttle.take(&lane, at(40)), Ok(()));
        assert!(throttle.take(&lane, at(40)).is_err(), "no rush at the end");
        assert_eq!(throttle.refused(&lane, at(40), Some(at(5))), at(5));
    }

    #[test]
    fn a_shorter_stop_does_not_shorten_a_longer_one() {
        let (mut throttle, lane) = (Throttle::new(), writes());
        throttle.refused(&lane, at(0), Some(at(60)));
        assert_eq!(throttle.refused(&lane, at(1), Some(at(2))), at(59));
    }

    #[test]
    fn waits_of_our_own_grow_and_never_become_none() {
        let (mut throttle, lane) = (Throttle::new(), writes());
        let mut now = at(0);
        let mut waits = Vec::new();
        for _ in 0..9 {
            let wait = throttle.refused(&lane, now, None);
            waits.push(wait.as_secs());
            now += wait;
        }
        assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 128, 128]);
        throttle.accepted(&lane);
        assert_eq!(throttle.refused(&lane, now, None).as_secs(), 2);
    }

    #[test]
    fn whoever_waits_as_told_gets_through() {
        let (mut throttle, lane) = (Throttle::new(), writes());
        let mut now = at(0);
        for _ in 0..5 {
            now += throttle.refused(&lane, now, None);
        }
        for _ in 0..100 {
            while let Err(wait) = throttle.take(&lane, now) {
                assert!(wait >= Duration::from_millis(1));
                now += wait;
            }
        }
    }
}
