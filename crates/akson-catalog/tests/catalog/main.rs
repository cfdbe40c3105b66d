//! The catalog from outside: leaves and bodies of the kinds, broken kind files, kinds against Azure's own type data, properties.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails should say where")]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the comparison with Azure's types says what it covered or that it was skipped"
)]
#![allow(clippy::needless_pass_by_value, reason = "rows of a table are written as values")]
#![allow(unreachable_pub, reason = "a test binary has no outside")]
#![allow(clippy::disallowed_methods, reason = "Azure's type data is read from files beside the repository")]

mod azure_types;
mod broken;
mod decoding;
mod encoding;
mod properties;
mod rights;
mod values;
