//! Which requests a plan reads with: values, in at most three waves. Not the sending of them.

use akson_catalog::SymbolicId;

/// One read request. A GET without a body, never of a key, a secret value or a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// Whom it is asked of.
    pub at: At,
    /// Path below the plane's host, with its query but for paging: `/subscriptions/…?api-version=…`.
    pub path: String,
    /// What comes back.
    pub target: ReadTarget,
}

/// Whom a read is asked of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum At {
    /// Azure Resource Manager.
    Arm,
    /// Microsoft Graph.
    Graph,
    /// The API server of this cluster.
    Cluster(SymbolicId),
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
    /// Objects of a kind whose ids do not follow from the configuration, in `value`, page by page.
    Candidates {
        /// The kind's keyword.
        kind: String,
        /// What is known to be covered, if it is a list.
        within: Option<SymbolicId>,
        /// What was asked for by name: what of it does not come is absent.
        sought: Vec<SymbolicId>,
    },
    /// One object by a key of ours, whose id Azure makes; a 404 means that it is absent.
    Keyed {
        /// The kind's keyword.
        kind: String,
        /// What was asked for.
        sought: SymbolicId,
    },
    /// The items of a set of edges in `value`, page by page.
    Edges {
        /// Whose.
        symbolic_id: SymbolicId,
        /// The set's place in the object, as a JSON pointer.
        pointer: String,
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
    /// Whom it was asked of cannot be reached, or does not let us look: nothing is known.
    Unreachable(String),
}
