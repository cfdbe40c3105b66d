//! The flags of `akson drift`. What they do is beside this file and in `commands/drift.rs`.

use clap::Args;

use crate::{arguments::FromRecording, schedule::ScheduleArguments};

/// How drift is looked for, and what is done about it.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct DriftArguments {
    #[command(flatten)]
    pub(crate) look: LookArguments,
    #[command(flatten)]
    pub(crate) schedule: ScheduleArguments,
    #[command(flatten)]
    pub(crate) recorded: FromRecording,
}

/// What is looked at.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct LookArguments {
    /// Do not look for what lies in the stack's scopes and is declared nowhere.
    #[arg(long)]
    pub(crate) no_unmanaged: bool,
}
