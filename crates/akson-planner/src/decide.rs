//! What is done to one resource: the decision, before steps are put in order. Not the reading, and not the order.

mod credentials;
mod declared;
mod deleted_name;
mod leaf;
mod locks;
mod named;
mod refuse;
mod removed;
mod revert;
mod tolerate;

use std::{collections::BTreeMap, sync::Arc};

use akson_catalog::{Kind, SymbolicId};
use akson_config::Resource;
use akson_diagnostics::{Diagnostic, Severity, Span};

use crate::{
    OwnedEntry, Snapshot,
    options::PlanOptions,
    plan::{Action, Difference, Reason, Tolerated, Work},
    presence::Presence,
};

pub(crate) use credentials::check as check_credentials;
pub(crate) use declared::{check_existing, decide as decide_declared};
pub(crate) use locks::{check as check_locks, is_read_only};
pub(crate) use refuse::{name_made_anew, name_moves, name_undecided, unknown_kind};
pub(crate) use removed::{Removal, decide as decide_removed, go_along, go_with_cluster, spare_containers};
pub(crate) use revert::decide as decide_reverted;
pub(crate) use tolerate::report as report_tolerated;

/// What every decision is made with.
pub(crate) struct Setting<'a> {
    pub stack_id: &'a str,
    pub options: &'a PlanOptions,
    pub snapshot: &'a Snapshot,
    /// Names by which the configuration calls what it declares, for texts.
    pub addresses: &'a BTreeMap<&'a SymbolicId, String>,
}

/// A declared resource with all that is known of it.
pub(crate) struct Case<'a> {
    pub resource: &'a Resource,
    pub address: &'a str,
    /// Its leaves, holes filled where that can be done now.
    pub leaves: Vec<akson_catalog::encode::Leaf>,
    /// The id it is created at, where that is made of what other resources tell.
    pub late: Option<akson_catalog::Value>,
    pub presence: Presence<'a>,
    pub entry: Option<&'a OwnedEntry>,
    /// What it lies in is created or replaced in this plan, and takes it along.
    pub parent_is_new: bool,
    /// What it depends on, sorted, as the ledger will have it.
    pub dependencies: &'a [SymbolicId],
}

/// A change on its way: decided, and not yet in order.
pub(crate) struct Pending<'a> {
    pub symbolic_id: &'a SymbolicId,
    pub address: String,
    pub kind: Arc<Kind>,
    pub header: Option<Span>,
    /// Whether it is there now.
    pub is_present: bool,
    /// What it depends on, sorted.
    pub dependencies: Vec<SymbolicId>,
    pub protect: bool,
    pub keep: bool,
    pub conflict_domain: Option<SymbolicId>,
    pub decision: Decision,
}

/// What is done to a resource.
#[derive(Debug, Clone)]
pub(crate) struct Decision {
    pub action: Action,
    pub work: Work,
    pub id: Option<String>,
    pub irreversible: bool,
    pub reasons: Vec<Reason>,
    pub notes: Vec<String>,
    pub tolerated: Vec<Tolerated>,
    /// JSON pointers of leaves that stay as they are, in the ledger too.
    pub kept: Vec<String>,
    pub differences: Vec<Difference>,
    /// It could not be looked at, and is decided about by the ledger alone.
    pub not_verified: bool,
    /// What is wrong with it. With an error in it, the decision is void.
    pub diagnostics: Vec<Diagnostic>,
}

impl Decision {
    pub(crate) fn nothing() -> Self {
        Self {
            action: Action::NoOp,
            work: Work::Nothing,
            id: None,
            irreversible: false,
            reasons: Vec::new(),
            notes: Vec::new(),
            tolerated: Vec::new(),
            kept: Vec::new(),
            differences: Vec::new(),
            not_verified: false,
            diagnostics: Vec::new(),
        }
    }

    fn refused(diagnostic: Diagnostic) -> Self {
        Self { diagnostics: vec![diagnostic], ..Self::nothing() }
    }

    /// Whether it was refused: an error is among what is wrong with it.
    fn is_void(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Whether what was there before is gone afterwards.
    pub(crate) fn deletes(&self) -> bool {
        matches!(self.action, Action::Delete | Action::Replace)
    }
}

/// `Key Vault`, for sentences.
pub(crate) fn title(kind: &Arc<Kind>) -> &str {
    if kind.title.is_empty() { &kind.keyword } else { &kind.title }
}
