//! How large and how deep an input may be. Generous, and never met by accident.

/// Levels of brackets, blocks, templates and conditions inside each other.
pub const MAX_NESTING: usize = 64;

/// Bytes of one file.
pub const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Syntax errors of one file after which the rest is counted, not listed.
pub const MAX_ERRORS: usize = 1_000;

/// How high the tree of one expression may be: `1 + 2` has height 2, `a.b.c` has 3. Who walks a tree by recursion
/// needs at most this many frames, plus [`MAX_NESTING`] for blocks.
pub const MAX_HEIGHT: usize = 256;
