//! How fast the cloud's time passes: an emulator's may run many times faster than ours. Waits are given in the cloud's time.

use std::time::Duration;

use tokio::time::Instant;

/// Seconds of the cloud's time in one second of ours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Positive and finite; 1 for real clouds.
    pub time_scale: f64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { time_scale: 1.0 }
    }
}

impl Pace {
    /// A pace; what is not positive and finite counts as 1.
    pub fn new(time_scale: f64) -> Self {
        Self { time_scale: if time_scale.is_finite() && time_scale > 0.0 { time_scale } else { 1.0 } }
    }

    /// The cloud's time in ours.
    pub fn ours(self, cloud: Duration) -> Duration {
        Duration::try_from_secs_f64(cloud.as_secs_f64() / self.time_scale).unwrap_or(cloud)
    }

    /// Our time in the cloud's.
    pub fn cloud(self, ours: Duration) -> Duration {
        Duration::try_from_secs_f64(ours.as_secs_f64() * self.time_scale).unwrap_or(ours)
    }
}

/// A clock of the cloud's time, from its own start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CloudClock {
    started: Instant,
    pace: Pace,
}

impl CloudClock {
    /// Starts now.
    pub(crate) fn start(pace: Pace) -> Self {
        Self { started: Instant::now(), pace }
    }

    /// Since its start, in the cloud's time.
    pub(crate) fn now(&self) -> Duration {
        self.pace.cloud(self.started.elapsed())
    }

    /// Since its start, in ours.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_scaled_both_ways() {
        let pace = Pace::new(30.0);
        assert_eq!(pace.ours(Duration::from_secs(30)), Duration::from_secs(1));
        assert_eq!(pace.cloud(Duration::from_secs(1)), Duration::from_secs(30));
        for nonsense in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Pace::new(nonsense), Pace::default());
        }
    }
}
