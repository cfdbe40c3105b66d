//! Tests of the planner against a little Azure of their own.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(
    clippy::missing_panics_doc,
    missing_docs,
    unreachable_pub,
    reason = "nobody reads the documentation of a test"
)]

mod azure;
mod clusters;
mod declare;
mod differential;
mod kinds;
mod lockout;
mod ownership;
mod phantoms;
mod properties;
mod reference;
mod refusals;
mod revert;
mod situation;
mod story;
mod tolerate;
mod unmanaged;
