//! The flags of `akson drift`. What they do is beside this file and in `commands/drift.rs`.

use clap::Args;

/// How drift is looked for, and what is done about it.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct DriftArguments {
    /// Do not look for what lies in the stack's scopes and is declared nowhere.
    #[arg(long)]
    pub(crate) no_unmanaged: bool,
}
