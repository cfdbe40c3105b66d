//! The project's automation, `cargo xtask COMMAND`: one module a command. Not part of the product.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for developers; it prints what it found")]

mod bench;
mod book;
mod release;
mod sim;
mod soak;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

/// What a command is called, what it does, and the function that does it with the arguments after its name.
type Command = (&'static str, &'static str, fn(&[String]) -> ExitCode);

const COMMANDS: &[Command] = &[
    (
        "bench",
        "times whole commands on a generated stack; apply: how near applies come to what Azure allows",
        bench::run,
    ),
    ("book", "writes the generated part of the book: the reference", book::run),
    ("release-check", "tries everything in the figures of a release, and prints a table", release::run),
    ("sim", "lives through seeds: crashes and faults, and what must hold", sim::run),
    ("soak", "lives through seeds for hours, and looks whether the process grows", soak::run),
    ("tidy", "checks what compilers do not: layering, file sizes, words, codes", tidy::run),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let called = arguments.first().map(String::as_str);
    if let Some((_, _, run)) = COMMANDS.iter().find(|(name, _, _)| Some(*name) == called) {
        return run(arguments.get(1..).unwrap_or_default());
    }
    eprintln!("usage: cargo xtask COMMAND\n");
    for (name, what, _) in COMMANDS {
        eprintln!("  {name:<13} {what}");
    }
    ExitCode::from(64)
}

/// The root of the repository: the folder above this package, as cargo names it at run time.
fn root() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from("."), |dir| PathBuf::from(dir).join(".."))
}
