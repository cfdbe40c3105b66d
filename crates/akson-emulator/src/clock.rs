//! The world's clock: persisted world time plus tokio time since it was opened, scaled. Tokio's clock
//! can be paused, so a simulation steers it; the computer's own clock is read once, for a new world.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// A moment of world time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WorldTime(pub i64);

impl WorldTime {
    /// 2026-01-01T00:00:00Z, where worlds in memory begin.
    pub(crate) const EPOCH: Self = Self(1_767_225_600_000);

    /// The computer's own time.
    pub(crate) fn of_the_computer() -> Self {
        Self(Timestamp::now().as_millisecond())
    }

    /// This moment and some world time more.
    #[must_use]
    pub(crate) fn plus(self, duration: Duration) -> Self {
        let more = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(more))
    }

    /// World seconds from `earlier` to here; 0 if it is not earlier.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    fn format(self, pattern: &str) -> String {
        Timestamp::from_millisecond(self.0).unwrap_or(Timestamp::MAX).strftime(pattern).to_string()
    }

    /// `2026-01-01T00:00:00Z`.
    pub(crate) fn to_seconds(self) -> String {
        self.format("%Y-%m-%dT%H:%M:%SZ")
    }

    /// `2026-01-01 00:00:00Z`, the form of token errors and vault operations.
    pub(crate) fn spaced(self) -> String {
        self.format("%Y-%m-%d %H:%M:%SZ")
    }

    /// `Thu, 01 Jan 2026 00:00:00 GMT`, the form of HTTP headers.
    pub(crate) fn http_date(self) -> String {
        self.format("%a, %d %b %Y %H:%M:%S GMT")
    }

    /// Ticks of 100 ns since the year 1, the form of the `t` in operation URLs.
    pub(crate) fn ticks(self) -> i64 {
        self.0.saturating_mul(10_000).saturating_add(621_355_968_000_000_000)
    }

    /// Whole seconds since 1970.
    pub(crate) fn unix_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }
}

impl fmt::Display for WorldTime {
    /// `2026-01-01T00:00:00.000Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.format("%Y-%m-%dT%H:%M:%S.%3fZ"))
    }
}

/// Reads world time.
#[derive(Debug)]
pub(crate) struct Clock {
    opened: Instant,
    start: WorldTime,
    scale: f64,
}

impl Clock {
    /// A clock that stands at `start` now. `scale` is positive and finite.
    pub(crate) fn starting_at(start: WorldTime, scale: f64) -> Self {
        Self { opened: Instant::now(), start, scale }
    }

    pub(crate) fn now(&self) -> WorldTime {
        let elapsed = self.opened.elapsed();
        // An overlong stay saturates; nothing else depends on it.
        self.start.plus(elapsed.try_mul(self.scale))
    }

    pub(crate) fn scale(&self) -> f64 {
        self.scale
    }

    /// The tokio time in which so much world time passes.
    pub(crate) fn real(&self, world: Duration) -> Duration {
        world.try_mul(1.0 / self.scale)
    }
}

/// Multiplication that saturates instead of panicking.
trait TryMul {
    fn try_mul(self, factor: f64) -> Duration;
}

impl TryMul for Duration {
    fn try_mul(self, factor: f64) -> Duration {
        Duration::try_from_secs_f64(self.as_secs_f64() * factor).unwrap_or(Duration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        let moment = WorldTime::EPOCH.plus(Duration::from_millis(1234));
        assert_eq!(moment.to_string(), "2026-01-01T00:00:01.234Z");
        assert_eq!(moment.to_seconds(), "2026-01-01T00:00:01Z");
        assert_eq!(moment.http_date(), "Thu, 01 Jan 2026 00:00:01 GMT");
        assert_eq!(WorldTime(0).ticks(), 621_355_968_000_000_000);
    }

    #[tokio::test(start_paused = true)]
    async fn runs_at_its_scale() {
        let clock = Clock::starting_at(WorldTime(0), 30.0);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(clock.now(), WorldTime(60_000));
        assert_eq!(clock.real(Duration::from_secs(60)), Duration::from_secs(2));
    }
}
