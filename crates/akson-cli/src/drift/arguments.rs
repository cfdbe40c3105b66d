//! The flags of `akson drift`. What they do is beside this file and in `commands/drift.rs`.

use std::path::PathBuf;

use clap::Args;

use crate::{arguments::FromRecording, pipeline::PipelineFiles, schedule::ScheduleArguments};

/// How drift is looked for, and what is done about it.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct DriftArguments {
    #[command(flatten)]
    pub(crate) look: LookArguments,
    #[command(flatten)]
    pub(crate) take_over: AdoptArguments,
    #[command(flatten)]
    pub(crate) undo: RevertArguments,
    #[command(flatten)]
    pub(crate) schedule: ScheduleArguments,
    #[command(flatten)]
    pub(crate) recorded: FromRecording,
    #[command(flatten)]
    pub(crate) files: PipelineFiles,
}

/// Taking it over.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct AdoptArguments {
    /// Write what changed outside into the `.aks` files: all of it, or that of these resources; by its id, an object that nobody declared.
    /// May be repeated.
    #[arg(
        long,
        value_name = "ADDRESS|ID",
        num_args = 0..,
        conflicts_with_all = ["revert", "every", "each", "targets", "metrics_file", "snapshot"]
    )]
    pub(crate) adopt: Option<Vec<String>>,
    /// With `--adopt`: print what would be edited and write nothing.
    #[arg(long, requires = "adopt")]
    pub(crate) dry_run: bool,
}

/// Undoing it.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct RevertArguments {
    /// Plan to undo what changed outside and nothing else: of everything, or of these resources; may be repeated.
    #[arg(long, value_name = "ADDRESS", num_args = 0.., conflicts_with_all = ["every", "each", "targets", "metrics_file"])]
    pub(crate) revert: Option<Vec<String>>,
    /// With `--revert`: write the plan to a file that `apply` takes.
    #[arg(long, value_name = "FILE", requires = "revert")]
    pub(crate) out: Option<PathBuf>,
}

/// What is looked at.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct LookArguments {
    /// Do not look for what lies in the stack's scopes and is declared nowhere.
    #[arg(long)]
    pub(crate) no_unmanaged: bool,
}
