//! What the listener shows and the rounds write: metrics, and whether things are well.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::metrics::Metrics;

/// Shared by the rounds and the listener, in one thread.
#[derive(Debug)]
pub(crate) struct Board {
    begun: Instant,
    /// After how long without a success something is wrong; none if nobody asks.
    stale: Option<Duration>,
    shown: Mutex<Shown>,
}

#[derive(Debug, Default)]
struct Shown {
    metrics: Metrics,
    last_success: Option<Instant>,
}

impl Board {
    pub(crate) fn new(metrics: Metrics, stale: Option<Duration>) -> Self {
        Self { begun: Instant::now(), stale, shown: Mutex::new(Shown { metrics, last_success: None }) }
    }

    /// Changes the metrics, or reads them.
    pub(crate) fn with<T>(&self, change: impl FnOnce(&mut Metrics) -> T) -> T {
        change(&mut self.lock().metrics)
    }

    /// A look saw everything.
    pub(crate) fn succeed(&self) {
        self.lock().last_success = Some(Instant::now());
    }

    /// Whether a look has seen everything lately, or there was no time for one yet; else since when not.
    pub(crate) fn health(&self) -> Result<(), Duration> {
        let since = self.lock().last_success.unwrap_or(self.begun).elapsed();
        if self.stale.is_some_and(|stale| since > stale) { Err(since) } else { Ok(()) }
    }

    /// Whether a look has seen everything yet.
    pub(crate) fn is_ready(&self) -> bool {
        self.lock().last_success.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
