//! Tests of evaluation through its public interface. Not of the parser or the catalog, which are used as they are.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests read their corpus and fail loudly"
)]

mod advice;
mod bad;
mod corpus;
mod expand;
mod functions;
mod holes;
mod inputs;
mod kinds;
mod modules;
mod omitted;
mod order;
mod own;
mod pages;
mod principals;
mod properties;
mod resolved;
mod run;
mod scopes;
mod workload;
