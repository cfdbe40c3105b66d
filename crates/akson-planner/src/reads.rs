//! Which requests a plan reads with: values, in at most three waves. Not the sending of them.

use akson_catalog::SymbolicId;

/// One read request. A GET without a body, never of a key, a secret value or a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// Path below the plane's host, with its query but for paging: `/subscriptions/…?api-version=…`.
    pub path: String,
    /// What comes back.
    pub target: ReadTarget,
}

/// What a read brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadTarget {
    /// Objects of a kind in `value`, page by page. A 404 means that what it lists in does not exist.
    List {
        /// The kind's keyword.
        kind: String,
        /// What is known to be covered: ids below this one that do not come are absent.
        within: SymbolicId,
    },
    /// Soft-deleted objects in `value`.
    SoftDeleted {
        /// The kind's keyword.
        kind: String,
        /// The subscription asked.
        subscription: String,
    },
    /// What lies in a resource group, in `value`: id, type, name, location and tags, without properties.
    Inventory {
        /// The group.
        within: SymbolicId,
    },
    /// One object; a 404 means that it is absent.
    Object {
        /// The kind's keyword.
        kind: String,
        /// Which.
        symbolic_id: SymbolicId,
    },
}

/// What a read was answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// A page of a list. A list counts as read once its last page is in.
    Page {
        /// What stood in `value`.
        items: Vec<serde_json::Value>,
        /// Whether no page follows.
        last: bool,
    },
    /// An object.
    Object(serde_json::Value),
    /// 404, in any of its shapes.
    NotFound,
}
