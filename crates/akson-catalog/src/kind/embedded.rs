//! The kind files that are part of the program. Not their meaning: see `load`.

use super::KindSource;

/// Every file of `kinds/`, by name.
pub static KINDS: &[KindSource] = include!(concat!(env!("OUT_DIR"), "/kinds.rs"));
