//! What Akson tells people: source texts, spans, diagnostics and their renderers.
//!
//! A [`Diagnostic`] is a structured product: it owns no source text and knows no output format. It is
//! made where a mistake is found, collected in [`Diagnostics`], and rendered at the very end by one file a
//! format in [`render`]. Errors that programs branch on are enums in the crates that raise them; they
//! become diagnostics at one place a crate. This crate does no I/O.

pub mod codes;
mod diagnostic;
pub mod render;
mod source;
mod suggest;
mod text;

pub use codes::Code;
pub use diagnostic::{Diagnostic, Diagnostics, Label, Severity, Suggestion};
pub use source::{LineColumn, Source, SourceId, SourceMap, Span};
pub use suggest::did_you_mean;
pub use text::SafeText;
