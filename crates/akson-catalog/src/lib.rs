//! Which resource kinds exist, as data: `kinds/*.toml`, one file a kind; and the words every layer above shares:
//! values, types, addresses, ids, equality.
//!
//! Checking, diffing, requests, list calls, documentation and `akson explain KIND` come from a [`Kind`].
//! What data cannot say is a [`Quirk`] with its reason. This crate knows no configuration and does no I/O.

mod address;
pub mod body;
pub mod canonical;
pub mod decode;
pub mod encode;
pub mod equality;
mod id;
pub mod json;
pub mod kind;
pub mod marker;
pub mod named;
pub mod policies;
pub mod rights;
pub mod roles;
mod secret;
mod severity;
pub mod time;
mod types;
mod value;

pub use address::{Address, InstanceKey};
pub use id::{ArmId, SymbolicId};
pub use kind::{Attribute, Catalog, Kind, Quirk, docs};
pub use secret::Secret;
pub use severity::Severity;
pub use types::Type;
pub use value::{Operator, Reference, Residual, Value};
