//! How fast requests go out: token buckets, as a decision. Each request takes from its service's bucket and, below ARM's host, from ARM's,
//! which spans all providers. Time and chance come in from outside.

use std::{collections::BTreeMap, time::Duration};

use crate::{Audience, Operation, Verb};

/// Providers with limits of their own, far below ARM's.
const IDENTITIES: &str = "microsoft.managedidentity";
const CLUSTERS: &str = "microsoft.containerservice";

/// What a service limits together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane {
    audience: Audience,
    /// The subscription, or nothing where there is none.
    subscription: String,
    /// The provider, in lower case; nothing for all of them together, and outside of ARM.
    provider: String,
    /// What is limited by itself, in lower case: a cluster, or a group where lists are limited in each.
    object: String,
    kind: LaneKind,
    /// What ARM counts it as.
    verb: LaneKind,
}

/// What is counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LaneKind {
    /// GET
    Read,
    /// GET of a collection, where that has a limit of its own.
    List,
    /// GET of a long-running operation, where that has a limit of its own.
    Status,
    /// PUT, PATCH, POST
    Write,
    /// DELETE
    Delete,
    /// Whatever a provider has no other limit for.
    Other,
}

impl Lane {
    /// The lane of an operation.
    pub fn of(operation: &Operation) -> Self {
        let verb = match operation.verb() {
            Verb::Get => LaneKind::Read,
            Verb::Delete => LaneKind::Delete,
            Verb::Put | Verb::Patch | Verb::Post(_) => LaneKind::Write,
        };
        match operation.audience() {
            Audience::Arm => Self::of_path(operation.path(), verb),
            other => Self::beside(other, verb),
        }
    }

    /// The lane of requests to a service beside ARM.
    pub fn beside(audience: Audience, verb: LaneKind) -> Self {
        let nothing = String::new;
        Self { audience, subscription: nothing(), provider: nothing(), object: nothing(), kind: verb, verb }
    }

    /// The lane of a path below ARM's host; `verb` is to read, write or delete.
    pub fn of_path(path: &str, verb: LaneKind) -> Self {
        let path = path.to_ascii_lowercase();
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let subscription = match segments.as_slice() {
            ["subscriptions", subscription, ..] => (*subscription).to_owned(),
            _ => String::new(),
        };
        let at = segments.iter().rposition(|segment| *segment == "providers");
        let (provider, within) = match at.and_then(|at| segments.get(at + 1..)) {
            Some([provider, within @ ..]) => (*provider, within),
            _ => ("microsoft.resources", [].as_slice()),
        };
        let is_list = within.len() % 2 == 1;
        let (kind, object) = match (provider, verb) {
            (IDENTITIES, LaneKind::Read) if is_list => (LaneKind::List, String::new()),
            (IDENTITIES, LaneKind::Delete) => (LaneKind::Write, String::new()),
            (CLUSTERS, _) => of_clusters(&path, within, verb),
            _ => (verb, String::new()),
        };
        Self { audience: Audience::Arm, subscription, provider: provider.to_owned(), object, kind, verb }
    }

    /// All that ARM itself counts together with it, whichever provider it is for.
    pub fn gateway(&self) -> Option<Self> {
        let nothing = String::new;
        let (kind, subscription) = (self.verb, self.subscription.clone());
        let all = Self { subscription, provider: nothing(), object: nothing(), kind, ..self.clone() };
        (self.audience == Audience::Arm).then_some(all)
    }

    /// The same for all that its service counts together.
    #[must_use]
    pub fn own(&self) -> Self {
        Self { verb: self.kind, ..self.clone() }
    }

    /// Burst and refill a second. ARM's documented buckets: reads 250 and 25, writes and deletes 200 and 10. The managed identity
    /// provider documents rates alone, 10 reads, 5 lists and 2 writes: its bursts are as long as ARM's. AKS documents both.
    fn limits(&self) -> (f64, f64) {
        match (self.provider.as_str(), self.kind) {
            (IDENTITIES, LaneKind::Read) => (100.0, 10.0),
            (IDENTITIES, LaneKind::List) => (50.0, 5.0),
            (IDENTITIES, _) => (40.0, 2.0),
            (CLUSTERS, LaneKind::Status) => (200.0, 2.0),
            (CLUSTERS, LaneKind::List) if self.object.is_empty() => (500.0, 1.0),
            (CLUSTERS, LaneKind::Write) => (20.0, 1.0 / 60.0),
            (CLUSTERS, _) => (60.0, 1.0),
            (_, LaneKind::Write | LaneKind::Delete) => (200.0, 10.0),
            _ => (250.0, 25.0),
        }
    }
}

/// AKS has limits for reads and writes of each cluster, writes of each pool, lists of a subscription and of each group, operations, and
/// one for all else. `within` is the path behind the provider.
fn of_clusters(path: &str, within: &[&str], verb: LaneKind) -> (LaneKind, String) {
    match (within, verb) {
        (["managedclusters"], LaneKind::Read) => {
            let group = path.split_once("/providers/").map_or("", |(scope, _)| scope);
            (LaneKind::List, if group.contains("/resourcegroups/") { group.to_owned() } else { String::new() })
        }
        (["managedclusters", _], LaneKind::Read | LaneKind::Write)
        | (["managedclusters", _, "agentpools", _], LaneKind::Write) => (verb, path.to_owned()),
        (["locations", _, "operations", _], LaneKind::Read) => (LaneKind::Status, String::new()),
        _ => (LaneKind::Other, String::new()),
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
    /// The rate, as a part of the documented one, that was too much last.
    ceiling: f64,
    updated: Duration,
    stopped_until: Duration,
    /// When a 429 counted last: those to requests that were sent before say the same once more.
    refused_at: Option<Duration>,
    /// 429s in a row, for waits of our own where the service names none.
    refused: u32,
    /// When something came through last.
    accepted_at: Option<Duration>,
}

/// A request that was refused.
#[derive(Debug, Clone, Copy)]
pub struct Refusal {
    /// When it was sent.
    pub sent: Duration,
    /// How long the service asks to wait, if it says so.
    pub retry_after: Option<Duration>,
    /// Whether it was ARM that refused and not what stands behind it.
    pub by_gateway: bool,
    /// From 0 to 1, by chance: many who were told the same do not come back at once.
    pub chance: f64,
}

/// What is left of a rate after a 429.
const LEFT: f64 = 0.7;
/// The slowest rate, as a part of the documented one.
const SLOWEST: f64 = 1.0 / 256.0;
/// In so many seconds a rate doubles, from where it was too much last; in twice as many it is 256 times as much.
const GROWTH: f64 = 16.0;
/// The longest wait in seconds before asking again: the rate grows meanwhile.
const ASK_AGAIN: f64 = 10.0;
/// The first wait after a 429 that names none.
const FIRST_WAIT: Duration = Duration::from_secs(2);

impl Throttle {
    /// No request made yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the right to send one request now.
    ///
    /// # Errors
    /// How long to wait before asking again. Nothing is taken then.
    pub fn take(&mut self, lane: &Lane, now: Duration) -> Result<(), Duration> {
        let lanes: Vec<Lane> = [Some(lane.own()), lane.gateway()].into_iter().flatten().collect();
        let waits = lanes.iter().filter_map(|lane| self.bucket(lane, now).refill(lane, now).err());
        if let Some(wait) = waits.max() {
            return Err(wait);
        }
        for lane in &lanes {
            self.bucket(lane, now).tokens -= 1.0;
        }
        Ok(())
    }

    /// A 429 came: nothing goes out in this lane for as long as the service says, or for a growing time if it does not. Returns how long
    /// that is.
    pub fn refused(&mut self, lane: &Lane, now: Duration, refusal: &Refusal) -> Duration {
        let by = lane.gateway().filter(|_| refusal.by_gateway).unwrap_or_else(|| lane.own());
        let bucket = self.bucket(&by, now);
        if bucket.refused_at.is_some_and(|at| refusal.sent <= at) {
            bucket.stop(now + refusal.retry_after.unwrap_or_default(), refusal.chance);
        } else {
            let rate = bucket.rate(now);
            // Too much below what was too much before: others have come, and are left room.
            bucket.ceiling = if rate < bucket.ceiling { rate * (1.0 + LEFT) / 2.0 } else { rate };
            bucket.refused_at = Some(now);
            bucket.refused = bucket.refused.saturating_add(1);
            let own = FIRST_WAIT * 2_u32.saturating_pow((bucket.refused - 1).min(6));
            bucket.stop(now + refusal.retry_after.unwrap_or(own), refusal.chance);
        }
        bucket.stopped_until.saturating_sub(now)
    }

    /// A service that is busy asks to be left alone so long.
    pub fn busy(&mut self, lane: &Lane, now: Duration, retry_after: Duration, chance: f64) {
        self.bucket(&lane.own(), now).stop(now + retry_after, chance);
    }

    /// An answer other than these came.
    pub fn accepted(&mut self, lane: &Lane, now: Duration) {
        for lane in [Some(lane.own()), lane.gateway()].into_iter().flatten() {
            let bucket = self.bucket(&lane, now);
            bucket.refused = 0;
            bucket.accepted_at = Some(now);
        }
    }

    /// When something came through in this lane last.
    pub fn last_accepted(&self, lane: &Lane) -> Option<Duration> {
        self.buckets.get(&lane.own())?.accepted_at
    }

    fn bucket(&mut self, lane: &Lane, now: Duration) -> &mut Bucket {
        let (burst, _) = lane.limits();
        self.buckets.entry(lane.clone()).or_insert(Bucket {
            tokens: burst,
            ceiling: 1.0,
            updated: now,
            stopped_until: Duration::ZERO,
            refused_at: None,
            refused: 0,
            accepted_at: None,
        })
    }
}

impl Bucket {
    /// What has flowed in; how long to wait if that is not enough for a request.
    fn refill(&mut self, lane: &Lane, now: Duration) -> Result<(), Duration> {
        if now < self.stopped_until {
            return Err(self.stopped_until.saturating_sub(now));
        }
        let (burst, rate) = lane.limits();
        let passed = now.saturating_sub(self.updated).as_secs_f64();
        let rate = rate * self.rate(now);
        self.tokens = (self.tokens + passed * rate).min(burst);
        self.updated = self.updated.max(now);
        if self.tokens >= 1.0 {
            return Ok(());
        }
        // Rounded up, so that asking again after it succeeds.
        let wait = ((1.0 - self.tokens) / rate * 1000.0).ceil().max(1.0) / 1000.0;
        Err(Duration::from_secs_f64(wait.min(ASK_AGAIN)))
    }

    /// How fast it flows, as a part of the documented rate: soon again nearly as fast as was too much, there for a while, then faster and
    /// faster. Several engines that share a limit and do not see each other stay near its edge so, and whoever is left alone takes all.
    fn rate(&self, now: Duration) -> f64 {
        let Some(at) = self.refused_at else { return 1.0 };
        let passed = now.saturating_sub(at.max(self.stopped_until)).as_secs_f64() / GROWTH;
        let back = -LEFT.log2().cbrt();
        (self.ceiling * (passed - back).powi(3).exp2()).clamp(SLOWEST, 1.0)
    }

    fn stop(&mut self, until: Duration, chance: f64) {
        if until > self.stopped_until {
            self.stopped_until = until;
            // Those that wait do not all rush out at its end, and neither do all who were told the same.
            self.tokens = chance.clamp(0.0, 1.0);
            self.updated = until;
        }
    }
}

#[cfg(test)]
mod tests;
