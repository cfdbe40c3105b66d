//! Configuration, live snapshot and ownership to a plan; the plan to a schedule. Pure: no I/O, no runtime, no clock.
//!
//! Three inputs meet here: [`akson_config::Config`] (what should be), [`Snapshot`] (what is) and [`Owned`] (what is ours). The outcome is a
//! [`Plan`]: inert data that views print, that is digested, and that a [`schedule`] executes.
//!
//! [`first_wave`] and [`next_wave`] say what is to be read for it, [`plan()`] decides, [`Schedule`] says which step may start.

pub mod access;
pub mod codes;
mod decide;
pub mod digest;
mod early;
pub mod graph;
pub mod guard;
pub mod hashes;
mod held;
pub mod json;
mod known;
mod link;
mod lockout;
pub mod marker;
pub mod options;
mod order;
pub mod owned;
pub mod place;
pub mod plan;
mod planning;
mod presence;
pub mod reads;
pub mod rest;
pub mod schedule;
mod shown;
pub mod snapshot;
pub mod unmanaged;
pub mod waves;

pub use graph::Graph;
pub use held::held_names;
pub use options::{Caller, Mode, PlanOptions};
pub use owned::{Owned, OwnedEntry, OwnedState, Way};
pub use plan::{Action, Cause, Change, Difference, Effect, Plan, Reason, Shown, Work};
pub use planning::plan;
pub use reads::{Answer, At, Read, ReadTarget};
pub use schedule::{Outcome, Schedule, StepId, StepState};
pub use snapshot::{LiveObject, Snapshot};
pub use waves::{first_wave, next_wave};
