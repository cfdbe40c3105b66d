//! Who signs in, against a transport that answers from a script: which credential, by which requests, kept for how long.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails should say where")]

mod chain;
mod keeping;
mod place;
mod script;
mod sources;
#[cfg(unix)]
mod tools;
