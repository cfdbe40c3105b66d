//! What is ours, as the planner sees it: the ledger's entries without the ledger's file, lock and checksum.

use std::collections::BTreeMap;

use akson_catalog::SymbolicId;

/// The ledger's entries by symbolic id.
#[derive(Debug, Clone, Default)]
pub struct Owned {
    /// Entries.
    pub entries: BTreeMap<SymbolicId, OwnedEntry>,
    /// How the API servers of clusters are reached, as far as the ledger knows.
    pub reachable: BTreeMap<SymbolicId, Way>,
    /// Whether there was a ledger to read at all. Without one, deletes are not decided.
    pub known: bool,
}

/// How the API server of a cluster is reached.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Way {
    /// Its host.
    pub host: String,
    /// The public certificates of who vouches for it, in PEM.
    pub authority: String,
}

/// One entry. No values: per leaf, a hash of what was sent and of what Azure then returned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnedEntry {
    /// Azure's id as last seen; the id that will be asked for while it is only an intent.
    pub id: String,
    /// The kind's keyword; for a raw resource `resource`.
    pub kind: String,
    /// ARM type, needed for raw resources whose block is gone.
    pub resource_type: String,
    /// The api-version it was written with.
    pub api_version: String,
    /// How far it is.
    pub state: OwnedState,
    /// JSON pointer to hash of what was sent. A sensitive leaf is `-`.
    pub sent: BTreeMap<String, String>,
    /// JSON pointer to hash of what Azure returned after it settled. A sensitive leaf is `-`.
    pub observed: BTreeMap<String, String>,
    /// What it depended on, so that deletes run in reverse when the configuration is gone.
    pub dependencies: Vec<SymbolicId>,
    /// The conflict domain of its writes.
    pub conflict_domain: Option<SymbolicId>,
    /// `protect` when it was last applied.
    pub protected: bool,
    /// `on_remove = keep` when it was last applied.
    pub keep: bool,
    /// The address it last had; display only.
    pub address: String,
}

/// How far an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OwnedState {
    /// Ours.
    #[default]
    Owned,
    /// A request that writes it was announced and its outcome is not recorded: it may or may not have happened.
    IntentWrite,
    /// A request that deletes it was announced and its outcome is not recorded.
    IntentDelete,
    /// Deleted, and not yet seen absent by a later run.
    Tombstone,
}
