//! One file a command. Each returns how it ended; what it found is already printed.

pub(crate) mod apply;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod destroy;
pub(crate) mod drift;
pub(crate) mod emulator;
pub(crate) mod expand;
pub(crate) mod explain;
pub(crate) mod fmt;
pub(crate) mod graph;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod kubeconfig;
pub(crate) mod ledger;
pub(crate) mod man;
pub(crate) mod plan;
pub(crate) mod recover;
pub(crate) mod show;
