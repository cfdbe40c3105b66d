//! The parser as others see it. Not its inner steps: their tests stand beside them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says so by failing")]
#![allow(clippy::disallowed_methods, reason = "tests read the corpus")]

mod corpus;
mod format;
mod generate;
mod hostile;
mod pages;
mod print;
mod properties;
