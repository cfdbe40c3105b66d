//! Runs plans against Azure: reads in waves, steps concurrently, each request announced in the ledger before it is sent.
//!
//! An [`Engine`] sends requests, [`refresh()`] reads with it what a plan needs, [`apply()`] runs a plan and tells of it in
//! [`ApplyEvent`]s, and a [`ledger::Ledger`] holds what is ours. Everything from outside is handed in, and all of it runs in the
//! caller's task: no thread, no spawn, no clock but tokio's. What is printed, and how, is the command line's.

mod actors;
mod apply;
mod around;
mod caller;
mod cancel;
pub mod codes;
mod engine;
mod event;
mod gather;
mod holes;
pub mod ledger;
mod pace;
mod reach;
mod recover;
mod refresh;
pub mod report;
mod settle;
mod step;
mod tenant;
mod unmanaged;

pub use actors::{Actor, Attribution, Deed, Happened, Source, Told, actors};
pub use apply::{End, Report, apply};
pub use around::look_around;
pub use cancel::Cancel;
pub use engine::{Engine, EngineOptions, Limits, SendError};
pub use event::{ApplyEvent, Because, Counts, Left, StepName, What};
pub use gather::{Gathered, Unread, gather};
pub use holes::HoleError;
pub use pace::Pace;
pub use reach::{Kubeconfig, kubeconfig, look};
pub use recover::{Recovered, Recovery, recover};
pub use refresh::{ReadCause, ReadFailure, refresh};
pub use settle::settle;
pub use step::{NotKept, Stale, StepError};
pub use tenant::tenant_of;
pub use unmanaged::unmanaged;
