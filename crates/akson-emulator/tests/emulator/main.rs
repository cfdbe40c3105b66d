//! The emulator as a caller sees it: one module a subject, all through whole requests.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

mod access;
mod activity;
mod cluster_rules;
mod clusters;
mod faults;
mod federated_credentials;
mod gate;
mod generic;
mod god;
mod graph;
mod identities;
mod inventory;
mod kube_clients;
mod kubernetes;
mod locks;
mod login;
mod networks;
mod nonsense;
mod observability;
mod pages;
mod persistence;
mod policies;
mod pricings;
mod recorded;
mod recorded_graph;
mod recorded_rights;
mod recorded_secrets;
mod resource_groups;
mod roles;
mod secrets;
mod server;
mod speed;
mod support;
mod tls;
mod vaults;
