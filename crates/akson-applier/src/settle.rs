//! What a dead run may have left on its way: before anything is read, its requests are given the time to arrive.

use crate::{
    engine::{Engine, Patience, SendError},
    ledger::Ledger,
};

/// Waits, if the ledger holds intents of another run, until none of its requests can be on its way any more. Longer than a request
/// may take, on this process's own clock. `outlives` is false where no request outlives the process that sent it.
///
/// What came of the intents is then for the plan to see: it reads each of their objects.
///
/// # Errors
/// [`SendError::Interrupted`] if the run is stopped meanwhile.
pub async fn settle(engine: &Engine, ledger: &Ledger, outlives: bool) -> Result<(), SendError> {
    if outlives && ledger.has_intents_of_others() {
        engine.pause(engine.limits().settle, Patience::UntilStopped).await?;
    }
    Ok(())
}
