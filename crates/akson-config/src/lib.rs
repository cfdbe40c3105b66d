//! Syntax trees to a typed, resolved configuration: names, types, functions, instances, wire leaves, lints.
//!
//! Total and pure: no clock, no randomness, no I/O (file texts and environment values come in with [`Inputs`]). What is known only
//! after apply stays a residual expression in the values; [`fold`] computes it when its outputs are known.

#![allow(
    clippy::match_same_arms,
    clippy::single_match_else,
    reason = "matches over pairs of types and values are tables: one line a case, in the order in which one looks for it"
)]

mod adopt;
pub mod codes;
mod edit;
mod eval;
mod evaluate;
mod expand;
mod fault;
mod fold;
mod functions;
mod graph;
pub mod guard;
mod habits;
pub mod import;
mod lints;
pub mod model;
mod modules;
mod names;
mod operators;
mod policy;
mod resources;
mod sink;
mod stack;
mod val;
mod variables;
mod version;
mod workload;

pub use adopt::{Adopting, Adoption, Drifted, adopt, declare};
pub use edit::{Edit, Overlap, apply as apply_edits};
pub use evaluate::evaluate;
pub use expand::{ExpandError, Expanded, expand};
pub use fold::{FoldError, check_folded, fold};
pub use functions::{Function, Parameter, Shape, functions};
pub use model::{Config, Day, Dependency, Inputs, OutputValue, Resource, Stack, Tolerance};
pub use modules::module_folders;
pub use sink::limits;
