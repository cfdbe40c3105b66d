//! The flags of `akson drift`. What they do is beside this file and in `commands/drift.rs`.

use clap::Args;

use crate::{arguments::FromRecording, pipeline::PipelineFiles};

/// How drift is looked for, and what is done about it.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct DriftArguments {
    #[command(flatten)]
    pub(crate) recorded: FromRecording,
    #[command(flatten)]
    pub(crate) files: PipelineFiles,
}
