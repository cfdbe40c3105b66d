//! The network against a real TLS server on this machine: who is trusted, what is followed, and where a token never arrives.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that fails should say where, and its child what it found"
)]

mod environment;
mod server;
mod tokens;
mod trust;
