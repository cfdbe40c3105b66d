//! End to end: the real binary against the emulator. One module a concern; each case is a folder of its own.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests fail by panicking")]

mod adopt;
mod approvals;
mod azurite;
mod canaries;
mod changes;
mod crash;
mod drift;
mod emulator;
mod formats;
mod guard;
mod hostile_server;
mod hostile_text;
mod import;
mod inputs;
mod interrupt;
mod kubeconfig;
mod ledgers;
mod main_job;
mod manual;
mod many;
mod pages;
mod pipelines;
mod plan_files;
mod progress;
mod reader;
mod recordings;
mod recover;
mod reports;
mod revert;
mod rights;
mod schedules;
mod sign_in;
mod stacks;
mod tolerate;
mod watch;
