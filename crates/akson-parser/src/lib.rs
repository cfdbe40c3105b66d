//! Text to syntax tree and back.
//!
//! [`parse`] reads a whole file and collects every syntax error of it; [`format`] writes it in canonical form.
//! What names and values mean is decided elsewhere. This crate does no I/O.

pub mod ast;
mod build;
mod characters;
pub mod codes;
mod decode;
mod explain;
mod faults;
mod format;
mod grammar;
mod lexer;
pub mod limits;
pub mod outline;
mod parse;
mod print;
mod regions;
mod report;

pub use decode::decode;
pub use format::format;
pub use parse::{parse, parse_expression, parse_values};
pub use print::{print_block, print_expression, quote};
