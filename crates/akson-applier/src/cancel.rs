//! Stopping a run from outside: nothing new is sent, what is in flight is followed to its end for a while.

use std::sync::Arc;

use tokio::sync::watch;

/// A switch that is thrown once. Its clones are one switch.
#[derive(Debug, Clone)]
pub struct Cancel {
    sender: Arc<watch::Sender<bool>>,
}

impl Default for Cancel {
    fn default() -> Self {
        Self { sender: Arc::new(watch::Sender::new(false)) }
    }
}

impl Cancel {
    /// One that is not thrown.
    pub fn new() -> Self {
        Self::default()
    }

    /// Throws it. What is in flight is finished and recorded; a second interrupt is the caller's to turn into an end at once.
    pub fn stop(&self) {
        self.sender.send_replace(true);
    }

    /// Whether it was thrown.
    pub fn is_stopped(&self) -> bool {
        *self.sender.borrow()
    }

    /// Waits until it is thrown.
    pub async fn stopped(&self) {
        // The sender lives as long as `self`, so that this only ends by the switch.
        let _ = self.sender.subscribe().wait_for(|stopped| *stopped).await;
    }
}
