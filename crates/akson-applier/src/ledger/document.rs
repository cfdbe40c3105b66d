//! The ledger's document and its text. Read strictly: what is not exactly understood is refused, never guessed. Not where it is kept.

use std::collections::BTreeMap;

use akson_catalog::SymbolicId;
use akson_planner::{Owned, OwnedEntry, OwnedState, Way};
use sha2::{Digest, Sha256};

mod journal;
mod wire;

pub(super) use journal::{Changed, record};
pub(super) use wire::Text;

/// The format of a document that is replaced as a whole.
pub const FORMAT: u64 = 1;
/// The format of one that records follow. What knows the first alone must not take these for damage.
pub const APPENDED: u64 = 2;

/// A stack's ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What it is bound to.
    pub binding: Binding,
    /// Grows by one with each write.
    pub generation: u64,
    /// Who wrote it.
    pub writer: Writer,
    /// What is ours.
    pub entries: BTreeMap<SymbolicId, Entry>,
    /// How API servers of clusters are reached, so that no plan has to ask for a credential. This is the one thing in a ledger that is a value;
    /// both of its parts are public.
    pub clusters: BTreeMap<SymbolicId, Way>,
}

/// What a ledger is bound to by the first apply. It serves nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Binding {
    /// The stack's label.
    pub stack: String,
    /// The stack's id.
    pub stack_id: String,
    /// `emulator`, `public`, …
    pub cloud: String,
    /// The tenant's GUID.
    pub tenant: String,
    /// The subscription's GUID.
    pub subscription: String,
}

/// Who wrote a document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Writer {
    /// The run's id.
    pub run: String,
    /// Akson's version.
    pub version: String,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Entry {
    /// What planning needs to know of it. The hashes of an intent over something owned are those from before.
    pub owned: OwnedEntry,
    /// How the object shows that it is ours: `tag`, `text` or `parent`.
    pub marker: String,
    /// What was announced, while its outcome is not recorded.
    pub intent: Option<Intent>,
}

/// An announced request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Intent {
    /// The run that announced it.
    pub run: String,
    /// SHA-256 over what was to be sent, in hex, without sensitive leaves; empty for a deletion.
    pub digest: String,
    /// The generation it was announced in.
    pub since: u64,
}

/// Why a text is no ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Of a newer version.
    #[error("it has format {0}, and this version of akson knows {FORMAT} and {APPENDED}")]
    Format(u64),
    /// Not the JSON of a ledger: cut off, altered by hand, something else.
    #[error("it is damaged: {0}")]
    Damaged(String),
    /// Its checksum is not that of its content.
    #[error("its checksum does not fit its content")]
    Sum,
}

impl Document {
    /// The ledger of a stack before its first write.
    pub fn new(binding: Binding) -> Self {
        Self { binding, generation: 0, writer: Writer::default(), entries: BTreeMap::new(), clusters: BTreeMap::new() }
    }

    /// Reads a document.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn read(bytes: &[u8]) -> Result<Self, ReadError> {
        Self::read_all(bytes).map(|(document, _)| document)
    }

    /// Reads a document with its records; also why some of them are passed over, if one is damaged.
    ///
    /// # Errors
    /// [`ReadError`]
    pub fn read_all(bytes: &[u8]) -> Result<(Self, Option<ReadError>), ReadError> {
        wire::read(bytes)
    }

    /// Its text: canonical JSON, with the checksum at the end.
    pub fn write(&self) -> Vec<u8> {
        Text::default().write(self, self.generation, &self.writer)
    }

    /// What planning needs of it.
    pub fn owned(&self) -> Owned {
        let entries = self.entries.iter().map(|(id, entry)| (id.clone(), entry.owned.clone())).collect();
        Owned { entries, known: true, reachable: self.clusters.clone() }
    }

    /// Whether something was announced by another run, so that its outcome must be waited for.
    pub fn has_intents_of_others(&self, run: &str) -> bool {
        self.entries.values().filter_map(|entry| entry.intent.as_ref()).any(|intent| intent.run != run)
    }
}

impl Binding {
    /// What differs between two bindings, in words; nothing if they are the same. GUIDs are compared without regard to case.
    pub fn differences(&self, wanted: &Binding) -> Vec<(&'static str, String, String)> {
        let parts = [
            ("stack", &self.stack, &wanted.stack),
            ("cloud", &self.cloud, &wanted.cloud),
            ("tenant", &self.tenant, &wanted.tenant),
            ("subscription", &self.subscription, &wanted.subscription),
            ("stack id", &self.stack_id, &wanted.stack_id),
        ];
        parts
            .into_iter()
            .filter(|(_, have, want)| !have.eq_ignore_ascii_case(want))
            .map(|(part, have, want)| (part, have.clone(), want.clone()))
            .collect()
    }
}

/// The word of a state in the document and in `akson ledger show`.
pub(super) fn state_word(state: OwnedState) -> &'static str {
    match state {
        OwnedState::Owned => "owned",
        OwnedState::IntentWrite | OwnedState::IntentDelete => "intent",
        OwnedState::Tombstone => "tombstone",
    }
}

fn hex(text: &str) -> String {
    use std::fmt::Write as _;
    Sha256::digest(text.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
pub(super) mod tests;
