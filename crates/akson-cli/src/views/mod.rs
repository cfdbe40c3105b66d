//! What people and programs see. Views are made from documents and events; they decide nothing.

pub(crate) mod apply;
pub(crate) mod drift;
pub(crate) mod drift_markdown;
pub(crate) mod graph;
pub(crate) mod literal;
pub(crate) mod markdown;
pub(crate) mod outputs;
pub(crate) mod plan;
pub(crate) mod stacks;
pub(crate) mod stale;
