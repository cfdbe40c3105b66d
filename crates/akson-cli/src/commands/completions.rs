//! `akson completions`: the shell's script, from the same definitions as the help.

use crate::{examples, exit::Exit, output};

/// Prints the script.
pub(crate) fn run(shell: clap_complete::Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut examples::command(), "akson", &mut script);
    output::result(&String::from_utf8_lossy(&script));
    Exit::Done
}
