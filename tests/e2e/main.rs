//! End to end: the real binary against the emulator. One module a concern; each case is a folder of its own.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests fail by panicking")]

mod canaries;
mod changes;
mod crash;
mod emulator;
mod formats;
mod hostile_server;
mod hostile_text;
mod import;
mod inputs;
mod interrupt;
mod kubeconfig;
mod ledgers;
mod main_job;
mod pages;
mod plan_files;
mod recover;
mod rights;
mod sign_in;
mod stacks;
mod tolerate;
