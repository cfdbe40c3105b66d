//! Ids: Azure's, and the symbolic id that a resource has from the configuration alone.

use std::{cmp, fmt, hash};

/// An ARM id. It is shown as it was written and compared without regard to case, as ARM does.
#[derive(Debug, Clone)]
pub struct ArmId {
    display: String,
    folded: String,
}

impl ArmId {
    /// An id from its text; a trailing slash is dropped.
    pub fn new(text: impl Into<String>) -> Self {
        let mut display: String = text.into();
        while display.len() > 1 && display.ends_with('/') {
            display.pop();
        }
        let folded = display.to_ascii_lowercase();
        Self { display, folded }
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.display
    }

    /// In lower case: what ids are compared by.
    pub fn folded(&self) -> &str {
        &self.folded
    }

    /// The subscription's GUID, if it is below one.
    pub fn subscription(&self) -> Option<&str> {
        self.segment_after("subscriptions")
    }

    /// The resource group's name, if it is in one.
    pub fn resource_group(&self) -> Option<&str> {
        self.segment_after("resourcegroups")
    }

    /// The last segment.
    pub fn name(&self) -> &str {
        self.display.rsplit('/').next().unwrap_or("")
    }

    /// Whether `self` lies below `ancestor`, or is it.
    pub fn is_within(&self, ancestor: &ArmId) -> bool {
        self.folded
            .strip_prefix(ancestor.folded.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || ancestor.folded.ends_with('/'))
    }

    fn segment_after(&self, word: &str) -> Option<&str> {
        let mut segments = self.display.split('/');
        segments.find(|segment| segment.eq_ignore_ascii_case(word))?;
        segments.next().filter(|segment| !segment.is_empty())
    }
}

impl fmt::Display for ArmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.display)
    }
}

impl PartialEq for ArmId {
    fn eq(&self, other: &Self) -> bool {
        self.folded == other.folded
    }
}

impl Eq for ArmId {}

impl hash::Hash for ArmId {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.folded.hash(state);
    }
}

impl PartialOrd for ArmId {
    fn partial_cmp(&self, other: &Self) -> Option<cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ArmId {
    fn cmp(&self, other: &Self) -> cmp::Ordering {
        self.folded.cmp(&other.folded)
    }
}

/// What a resource *is*, known from the configuration alone and the same on every machine. For an ARM object with a
/// chosen name it is the case-folded ARM id. Ledger entries, markers and plan digests are keyed by it, never by an address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct SymbolicId(String);

impl SymbolicId {
    /// The symbolic id of an ARM object.
    pub fn of_arm(id: &ArmId) -> Self {
        Self(id.folded().to_owned())
    }

    /// One read back from a ledger.
    pub fn from_ledger(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SymbolicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
