//! A plan: what would be done and why. Inert data; nothing here decides or prints.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use akson_catalog::{Kind, SymbolicId, Value, encode::Leaf};
use akson_config::{Day, OutputValue};
use akson_diagnostics::Span;

use crate::access::AccessDelta;

/// What a plan decided.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The stack's label.
    pub stack: String,
    /// The stack's id.
    pub stack_id: String,
    /// Which cloud: `emulator`, `public`, …
    pub cloud: String,
    /// The tenant's GUID.
    pub tenant: String,
    /// The stack's subscription.
    pub subscription: String,
    /// Every change and every no-op: resources in source order, then what leaves, in the order it will leave.
    pub changes: Vec<Change>,
    /// Who gets and loses access by it.
    pub access: AccessDelta,
    /// The outputs as far as they are known now.
    pub outputs: Vec<OutputValue>,
    /// Known outputs of resources: by symbolic id and output name, from the snapshot. Folding at apply starts from them.
    pub known: BTreeMap<(SymbolicId, String), Value>,
    /// `sha256:` and hex: what an approval refers to.
    pub digest: String,
    /// How many requests the reads took.
    pub reads: usize,
}

/// What happens to one resource.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts of a change")]
pub struct Change {
    /// How the configuration calls it, or last called it.
    pub address: String,
    /// Its kind.
    pub kind: Arc<Kind>,
    /// What it is.
    pub symbolic_id: SymbolicId,
    /// Azure's id, once Azure has told it.
    pub id: Option<String>,
    /// What is done.
    pub action: Action,
    /// Whether some of it cannot be undone.
    pub irreversible: bool,
    /// Why, an attribute each.
    pub reasons: Vec<Reason>,
    /// What changed outside and is left as it is, as its block says.
    pub tolerated: Vec<Tolerated>,
    /// JSON pointers of leaves that are not written as they are wanted: what the ledger remembers of them stays.
    pub kept: Vec<String>,
    /// Facts to tell beside it: a leaf released, what else a deletion takes along.
    pub notes: Vec<String>,
    /// The declaring block's header, while there is one.
    pub source: Option<Span>,
    /// Steps that must be finished before this one: creations and updates of what it needs; for a deletion, deletions of what
    /// needs it. Only changes with work, each once, in the plan's order.
    pub needs: Vec<SymbolicId>,
    /// Those of `needs` whose first answer has all that this one needs of them: these outputs.
    pub early: BTreeMap<SymbolicId, BTreeSet<String>>,
    /// What it depends on, changed or not: what the ledger keeps so that deletes run in reverse when the configuration is gone.
    pub dependencies: Vec<SymbolicId>,
    /// `protect`, for the ledger.
    pub protect: bool,
    /// `on_remove = keep`, for the ledger.
    pub keep: bool,
    /// What differs, leaf by leaf in the wire's terms: what the digest is made of. No sensitive leaf.
    pub differences: Vec<Difference>,
    /// It could not be looked at: decided by what the ledger remembers.
    pub not_verified: bool,
    /// Requests of one domain run one after another.
    pub conflict_domain: Option<SymbolicId>,
    /// The weight on the longest path, in seconds.
    pub seconds: f64,
    /// What the applier is to do.
    pub work: Work,
}

/// One leaf that differs, in the wire's terms.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// JSON pointer into the body.
    pub pointer: String,
    /// What is there now; none if it is absent.
    pub before: Option<serde_json::Value>,
    /// What is wanted, with its holes; [`Value::None`] means absent.
    pub after: Value,
}

/// What is done to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// It does not exist and will.
    Create,
    /// It exists, is ours, and differs.
    Update,
    /// Deleted and created again.
    Replace,
    /// Ours and no longer declared.
    Delete,
    /// Exists, declared, and not ours yet.
    Adopt,
    /// Ours no longer, and left as it is.
    Forget,
    /// Nothing.
    NoOp,
}

/// Why, for one attribute.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// Where the difference comes from.
    pub cause: Cause,
    /// The attribute; none if it is about the whole resource.
    pub attribute: Option<String>,
    /// What is there now.
    pub before: Shown,
    /// What will be.
    pub after: Shown,
    /// What the change does.
    pub effect: Effect,
    /// Where the wanted value is written.
    pub span: Option<Span>,
}

/// A leaf that changed outside and is left as it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Tolerated {
    /// The difference, as it would be undone.
    pub reason: Reason,
    /// JSON pointer into the body: what the ledger remembers of it is kept.
    pub pointer: String,
    /// Why it is tolerated.
    pub because: String,
    /// The last day.
    pub until: Day,
    /// Where that is written.
    pub span: Span,
}

/// A value as a plan shows it.
#[derive(Debug, Clone, PartialEq)]
pub enum Shown {
    /// Nothing there.
    Absent,
    /// This, in the configuration's words, as JSON.
    Value(serde_json::Value),
    /// A constructor, a reference or a list of such, as JSON: its texts are expressions as the configuration writes them.
    Written(serde_json::Value),
    /// Not to be shown.
    Sensitive,
    /// Known after apply: the expression in the configuration's words.
    KnownAfterApply(String),
}

/// Where a difference comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The configuration changed.
    Config,
    /// The object changed outside.
    Drift,
    /// Both: the configuration changed and the object changed outside.
    Both,
    /// It existed before us.
    Adopt,
    /// It is no longer declared.
    Removed,
    /// What it depends on is replaced.
    Dependency,
}

/// What a change does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Only the change.
    InPlace,
    /// The object is deleted and created again.
    Replace,
    /// It cannot be undone.
    Irreversible,
}

/// What the applier is to do for a change.
#[derive(Debug, Clone)]
pub enum Work {
    /// Nothing at all.
    Nothing,
    /// No request: the ledger's entry is brought up to date (hashes refreshed, an intent found fulfilled, an object taken back).
    Record {
        /// The leaves owned from now on.
        leaves: Vec<Leaf>,
    },
    /// Write it: PUT at its known id.
    Write {
        /// The id to write at, in the author's casing: of what is there, its own. Empty while `late` alone tells it, or nobody does yet.
        id: String,
        /// The id to create it at, where that is made of what is known after apply.
        late: Option<Box<Value>>,
        /// Every owned leaf and, when it is created, those sent at create. With holes.
        leaves: Vec<Leaf>,
        /// Whether it is there already, so that a full-replacing PUT reads it first.
        exists: bool,
        /// Whether it is first brought back from soft deletion.
        recover: bool,
        /// Whether it is deleted first.
        replace: bool,
        /// The mark of ownership it gets: the tag's value, or what its free text ends with. Empty for kinds that take none.
        marker: String,
    },
    /// Delete it.
    Delete {
        /// The id to delete.
        id: String,
        /// Its api-version.
        api_version: String,
    },
    /// Take the entry out of the ledger and send nothing: what is forgotten is left as it is; a tombstone's object is gone.
    Forget,
}

impl Work {
    /// Whether there is anything to do, be it in the ledger alone.
    pub fn is_step(&self) -> bool {
        !matches!(self, Work::Nothing)
    }
}

impl Change {
    /// Whether it is worth a line: it does something, or says of a declared resource that there is nothing to do.
    pub fn is_told(&self) -> bool {
        self.action != Action::NoOp || self.source.is_some()
    }
}

impl Plan {
    /// Whether nothing would change. Ledger entries may still be brought up to date.
    pub fn is_empty(&self) -> bool {
        self.changes.iter().all(|change| change.action == Action::NoOp)
    }

    /// The addresses of what could not be looked at.
    pub fn not_verified(&self) -> impl Iterator<Item = &str> {
        self.changes.iter().filter(|change| change.not_verified).map(|change| change.address.as_str())
    }

    /// How many changes there are of an action; of those without one, what is declared: what is gone for good is nothing to tell.
    pub fn count(&self, action: Action) -> usize {
        self.changes.iter().filter(|change| change.action == action && change.is_told()).count()
    }

    /// Leaves out the changes of these addresses, and those that need them: they are not approved. Answers which were left out.
    pub fn withhold(&mut self, addresses: &[String]) -> Vec<String> {
        let mut held: BTreeSet<SymbolicId> = BTreeSet::new();
        loop {
            let more: Vec<SymbolicId> = self
                .changes
                .iter()
                .filter(|change| change.work.is_step() && !held.contains(&change.symbolic_id))
                .filter(|change| {
                    addresses.contains(&change.address) || change.needs.iter().any(|need| held.contains(need))
                })
                .map(|change| change.symbolic_id.clone())
                .collect();
            if more.is_empty() {
                break;
            }
            held.extend(more);
        }
        let mut withheld = Vec::new();
        for change in self.changes.iter_mut().filter(|change| held.contains(&change.symbolic_id)) {
            if change.action != Action::NoOp {
                withheld.push(change.address.clone());
            }
            change.action = Action::NoOp;
            change.work = Work::Nothing;
            change.reasons.clear();
            change.differences.clear();
        }
        withheld
    }

    /// The change of a resource.
    pub fn change(&self, of: &SymbolicId) -> Option<&Change> {
        self.changes.iter().find(|change| &change.symbolic_id == of)
    }
}

impl Action {
    /// The word for it in every format.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Update => "update",
            Action::Replace => "replace",
            Action::Delete => "delete",
            Action::Adopt => "adopt",
            Action::Forget => "forget",
            Action::NoOp => "no_op",
        }
    }
}
