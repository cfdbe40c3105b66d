//! Token buckets, refilled in world time. Not persisted: a reopened world has full buckets.
//!
//! Source: ARM's documented limits a subscription, principal and kind of call (reads 250 with 25 a
//! second, writes and deletes 200 with 10), the managed identity provider's rates, and AKS's limits: writes
//! of one cluster or pool, reads of one cluster, lists, operations, and all else of a subscription.

use std::collections::BTreeMap;

use http::Method;

use crate::clock::WorldTime;

/// What a call costs a token of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Limit {
    Reads,
    Writes,
    Deletes,
    IdentityGets,
    IdentityLists,
    IdentityWrites,
    ClusterWrites,
    ClusterGets,
    ClusterLists,
    ClusterListsOfGroup,
    ClusterOperations,
    ClusterOthers,
    GraphQueries,
}

impl Limit {
    /// ARM's own limit for a method.
    pub(crate) fn of(method: &Method) -> Self {
        match *method {
            Method::GET | Method::HEAD => Self::Reads,
            Method::DELETE => Self::Deletes,
            _ => Self::Writes,
        }
    }

    /// The managed identity provider's limit.
    pub(crate) fn of_identities(method: &Method, list: bool) -> Self {
        match *method {
            Method::GET | Method::HEAD if list => Self::IdentityLists,
            Method::GET | Method::HEAD => Self::IdentityGets,
            _ => Self::IdentityWrites,
        }
    }

    /// The bucket's size and what flows in a second. The identity provider documents only rates; the
    /// sizes are chosen so that a stack of ten identities passes without a wait.
    fn rate(self) -> (f64, f64) {
        match self {
            Self::Reads => (250.0, 25.0),
            Self::Writes | Self::Deletes => (200.0, 10.0),
            Self::IdentityGets => (100.0, 10.0),
            Self::IdentityLists => (50.0, 5.0),
            Self::IdentityWrites => (40.0, 2.0),
            Self::ClusterWrites => (20.0, 1.0 / 60.0),
            Self::ClusterLists => (500.0, 1.0),
            Self::ClusterOperations => (200.0, 2.0),
            Self::ClusterGets | Self::ClusterListsOfGroup | Self::ClusterOthers => (60.0, 1.0),
            // Documented: 15 in five seconds.
            Self::GraphQueries => (15.0, 3.0),
        }
    }

    /// The word in header names and messages.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Writes | Self::IdentityWrites | Self::ClusterWrites => "writes",
            Self::Deletes => "deletes",
            _ => "reads",
        }
    }
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    at: WorldTime,
}

/// All buckets, made when first asked for.
#[derive(Debug, Default)]
pub(crate) struct Buckets {
    buckets: BTreeMap<(String, Limit), Bucket>,
}

impl Buckets {
    /// Takes one token of a subscription, or of whatever has a bucket of its own. `Ok` is how many whole tokens are left, `Err` after how many whole seconds
    /// there is one again (at least 1).
    pub(crate) fn take(&mut self, of: &str, limit: Limit, now: WorldTime) -> Result<u32, u64> {
        let (size, flow) = limit.rate();
        let bucket = self.buckets.entry((of.to_owned(), limit)).or_insert(Bucket { tokens: size, at: now });
        bucket.tokens = (bucket.tokens + now.since(bucket.at).as_secs_f64() * flow).min(size);
        bucket.at = now;
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            return Ok(whole(bucket.tokens));
        }
        Err(u64::from(whole(((1.0 - bucket.tokens) / flow).ceil())).max(1))
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bucket sizes are small and not negative")]
fn whole(number: f64) -> u32 {
    number as u32
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bucket_empties_and_refills() {
        let mut buckets = Buckets::default();
        let start = WorldTime::EPOCH;
        let taken = (0..300).filter(|_| buckets.take("s", Limit::Writes, start).is_ok()).count();
        assert_eq!(taken, 200);
        assert_eq!(buckets.take("s", Limit::Writes, start), Err(1));
        assert_eq!(buckets.take("s", Limit::Deletes, start), Ok(199));
        assert_eq!(buckets.take("t", Limit::Writes, start), Ok(199));
        let later = start.plus(Duration::from_secs(1));
        let taken = (0..300).filter(|_| buckets.take("s", Limit::Writes, later).is_ok()).count();
        assert_eq!(taken, 10);
    }
}
