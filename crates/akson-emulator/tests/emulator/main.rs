//! The emulator as a caller sees it: one module a subject, all through whole requests.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

mod faults;
mod federated_credentials;
mod gate;
mod generic;
mod god;
mod graph;
mod identities;
mod inventory;
mod kubernetes;
mod locks;
mod login;
mod nonsense;
mod pages;
mod persistence;
mod recorded;
mod recorded_graph;
mod resource_groups;
mod server;
mod speed;
mod support;
mod vaults;
