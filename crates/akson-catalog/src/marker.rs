//! How an object shows that it is ours: which stack's, and by a hash whose. Not where it stands: that is a kind's `Marker`.
//!
//! A marker counts only if its hash fits the object's own id: services copy tags from one object to another.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::{SymbolicId, canonical::hex};

/// The tag that holds a marker.
pub const TAG: &str = "akson";

/// Where a Kubernetes object has the label that holds one.
pub const LABEL: &str = "/metadata/labels/akson";

/// What free text has before a marker.
const OPEN: &str = "[akson:";

/// A marker: `{stack id}/{hash of the symbolic id}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The stack's id, a GUID in lower case.
    pub stack: String,
    /// 64 bits of SHA-256 over the symbolic id, in hex.
    pub hash: String,
}

impl Mark {
    /// The marker of a resource of a stack.
    pub fn new(stack: &str, id: &SymbolicId) -> Self {
        Self { stack: stack.to_ascii_lowercase(), hash: hash(id) }
    }

    /// One read back from a tag's value.
    pub fn parse(text: &str) -> Option<Self> {
        let (stack, hash) = text.trim().split_once('/')?;
        let is_hash = hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        let stack = uuid::Uuid::try_parse(stack).ok()?;
        is_hash.then(|| Self { stack: stack.to_string(), hash: hash.to_ascii_lowercase() })
    }

    /// One read back from the end of free text.
    pub fn parse_text(text: &str) -> Option<Self> {
        split(text).1
    }

    /// As the value of a label, which may hold no slash.
    pub fn label(&self) -> String {
        format!("{}.{}", self.stack, self.hash)
    }

    /// One read back from a label.
    pub fn parse_label(text: &str) -> Option<Self> {
        Self::parse(&text.replacen('.', "/", 1))
    }

    /// Whether it belongs to the object it stands on.
    pub fn fits(&self, id: &SymbolicId) -> bool {
        self.hash == hash(id)
    }

    /// Free text with it at the end.
    pub fn append_to(&self, text: &str) -> String {
        let text = without_mark(text);
        if text.is_empty() { format!("{OPEN}{self}]") } else { format!("{text} {OPEN}{self}]") }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.stack, self.hash)
    }
}

/// Free text without a marker at its end.
pub fn without_mark(text: &str) -> &str {
    split(text).0
}

/// A unique name that shows whose it is: `akson-{the stack's first 8 digits}-{hash}`.
pub fn unique_name(stack: &str, hash: &str) -> String {
    format!("akson-{}-{hash}", short(stack))
}

/// The first digits of the stack that made a unique name; none if it is a name that someone chose.
pub fn stack_of_name(name: &str) -> Option<&str> {
    let (stack, hash) = name.strip_prefix("akson-")?.split_once('-')?;
    let digits = |text: &str, length: usize| text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    (digits(stack, 8) && digits(hash, 16)).then_some(stack)
}

/// The first digits of a stack's id.
pub fn short(stack: &str) -> &str {
    stack.get(..8).unwrap_or(stack)
}

fn split(text: &str) -> (&str, Option<Mark>) {
    let found = text.strip_suffix(']').and_then(|inner| {
        let at = inner.rfind(OPEN)?;
        let mark = Mark::parse(inner.get(at + OPEN.len()..)?)?;
        let before = text.get(..at)?;
        Some((before.strip_suffix(' ').unwrap_or(before), mark))
    });
    match found {
        Some((text, mark)) => (text, Some(mark)),
        None => (text, None),
    }
}

fn hash(id: &SymbolicId) -> String {
    let digest = Sha256::digest(id.as_str().as_bytes());
    hex(digest.get(..8).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails should say where")]
    use super::*;

    const STACK: &str = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";

    #[test]
    fn a_marker_survives_free_text_and_tags() {
        let id = SymbolicId::from_ledger("/subscriptions/s/resourcegroups/g");
        let other = SymbolicId::from_ledger("/subscriptions/s/resourcegroups/h");
        let mark = Mark::new(STACK, &id);
        assert!(mark.fits(&id) && !mark.fits(&other));
        assert_eq!(Mark::parse(&mark.to_string()), Some(mark.clone()));
        for text in ["", "kept by the platform team", "ends with a bracket]", "two\nlines"] {
            let marked = mark.append_to(text);
            assert_eq!(without_mark(&marked), text);
            assert_eq!(Mark::parse_text(&marked).unwrap(), mark);
            assert_eq!(mark.append_to(&marked), marked, "it is not appended twice");
        }
    }

    #[test]
    fn what_only_looks_like_a_marker_is_text() {
        for text in ["[akson:]", "x [akson:nothing/else]", "[akson:6ba7b810-9dad-11d1-80b4-00c04fd430c8/zz]", "akson"] {
            assert_eq!(without_mark(text), text);
            assert_eq!(Mark::parse_text(text), None);
        }
    }
}
