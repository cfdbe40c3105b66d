//! Whole runs against the emulator: real parser, real plan, paused time. What a request must find announced is checked as it arrives.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(
    clippy::missing_panics_doc,
    missing_docs,
    unreachable_pub,
    reason = "nobody reads the documentation of a test"
)]

mod clusters;
mod disk;
mod domain;
mod early;
mod faults;
mod fleet;
mod grants;
mod groups;
mod hosts;
mod imports;
mod kills;
mod kinds;
mod lockout;
mod outcomes;
mod plans;
mod propagation;
mod recorded_import;
mod recorded_mutations;
mod recorded_writes;
mod refusals;
mod requests;
mod runs;
mod scenarios;
mod secrets;
mod sim;
mod synthetic;
