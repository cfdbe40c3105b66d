//! What a caller chooses when opening an emulator. Faults are rules of their own (see `faults`).

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use http::Method;
use serde::{Deserialize, Serialize};

use crate::dice::Dice;
use crate::faults::FaultRule;

/// How an emulator runs. `Default` is a fresh world in memory, at real speed, without latency.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the world lives.
    pub store: Store,
    /// World seconds that pass in one second of tokio's clock. Every duration and every
    /// `Retry-After` that the emulator states is in world seconds; a client that waits for them
    /// divides by this. Values that are not positive and finite count as 1.
    pub time_scale: f64,
    /// Where all randomness starts. Two new worlds of one seed have the same tenant, subscription and
    /// ids, so a world that lasts should have one that was drawn; it has no effect on a world that
    /// exists already.
    pub seed: u64,
    /// How long an answer takes, in world time.
    pub latency: Latency,
    /// Calls to be spoiled, from the start.
    pub faults: Vec<FaultRule>,
    /// How many items one page of a list holds. A page that is exactly full links to a next one even
    /// if that is empty, as several services do.
    pub page_size: usize,
    /// Whether token buckets are enforced. Their headers are sent in either case.
    pub rate_limits: bool,
    /// For how long in world time a new object of the directory may still be missing from what Graph
    /// answers; whether it is missing is drawn for each request. Zero is a directory without delay.
    pub directory_lag: Duration,
    /// The address that calls appear to come from, for rules on networks.
    pub caller_address: IpAddr,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            store: Store::Memory,
            time_scale: 1.0,
            seed: 0,
            latency: Latency::None,
            faults: Vec::new(),
            page_size: 1000,
            rate_limits: true,
            directory_lag: Duration::from_secs(5),
            caller_address: IpAddr::V4(Ipv4Addr::new(203, 0, 113, 10)),
        }
    }
}

/// Where a world lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Store {
    /// Gone with the emulator. Its clock starts at 2026-01-01T00:00:00Z, so that runs repeat.
    Memory,
    /// `world.json` and its journal in this folder, which is made if absent; one process at a time.
    Directory(PathBuf),
}

/// How long answers take, in world time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Latency {
    /// No waiting: `handle` never yields.
    #[default]
    None,
    /// Always the same.
    Fixed {
        /// World seconds.
        seconds: f64,
    },
    /// Anything between two bounds, evenly.
    Uniform {
        /// World seconds at least.
        least: f64,
        /// World seconds at most.
        most: f64,
    },
    /// As measured on the real services: reads 0.1-0.9 s, writes 0.3-4 s, vaults a little more.
    Realistic,
}

impl Latency {
    /// The latency of one call, in world time.
    pub(crate) fn draw(self, method: &Method, path: &str, dice: &mut Dice) -> Duration {
        let (least, most) = match self {
            Self::None => return Duration::ZERO,
            Self::Fixed { seconds } => (seconds, seconds),
            Self::Uniform { least, most } => (least, most),
            Self::Realistic if method == Method::GET || method == Method::HEAD => (0.1, 0.9),
            Self::Realistic if path.contains("/vaults/") => (2.5, 4.0),
            Self::Realistic if path.contains("/oauth2/") => (0.2, 0.5),
            Self::Realistic => (0.3, 2.0),
        };
        let seconds = least + (most - least) * dice.fraction();
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO)
    }
}
