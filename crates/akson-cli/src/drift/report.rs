//! The document of `akson drift`: a plan's, with what is no drift left out and what a plan does not tell beside it.

use akson_catalog::Catalog;
use serde::{Deserialize, Serialize};

use crate::document::{ChangeDocument, PlanDocument, Summary};

/// `drift --format json`: all that a plan's document has, and more.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct DriftDocument {
    /// The changes that would undo the drift. Their reasons are those of drift alone: `before` is what is there now, `after` what is declared.
    #[serde(flatten)]
    pub(crate) plan: PlanDocument,
    /// How much of what was found.
    pub(crate) found: Found,
    /// What lies inside of the stack's scopes and is declared nowhere.
    #[serde(default)]
    pub(crate) unmanaged: Vec<Unmanaged>,
    /// The same of objects that bear the mark of another stack of Akson's: told, and no drift of this one.
    #[serde(default)]
    pub(crate) of_other_stacks: Vec<Unmanaged>,
    /// What differs and is tolerated for now: in each reason why, and the last day.
    #[serde(default)]
    pub(crate) tolerated: Vec<ChangeDocument>,
    /// What could not be found out about who did it.
    #[serde(default)]
    pub(crate) notes: Vec<String>,
}

/// Counts of a look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Found {
    pub(crate) high: usize,
    pub(crate) medium: usize,
    pub(crate) low: usize,
    /// Resources that changed outside.
    pub(crate) changed: usize,
    /// Resources that were deleted outside.
    pub(crate) deleted: usize,
    pub(crate) unmanaged: usize,
    pub(crate) tolerated: usize,
    /// Resources that nobody could look at: without them it is not known whether there is drift.
    pub(crate) unseen: usize,
    pub(crate) in_sync: usize,
}

/// How bad a difference is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Severity {
    Low,
    Medium,
    High,
}

impl From<akson_catalog::Severity> for Severity {
    fn from(severity: akson_catalog::Severity) -> Self {
        match severity {
            akson_catalog::Severity::Low => Self::Low,
            akson_catalog::Severity::Medium => Self::Medium,
            akson_catalog::Severity::High => Self::High,
        }
    }
}

impl Severity {
    /// The word for it, as people are told it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
        }
    }
}

/// Who did it, as far as somebody wrote it down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Actor {
    /// A user's name, or the object id of an application or identity.
    pub(crate) who: String,
    /// With which application: its id, or the name it gave itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) application: Option<String>,
    /// When, in RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<String>,
    /// By which operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) operation: Option<String>,
    /// Where it stands: `activity_log`, `directory_audit` or `managed_fields`.
    pub(crate) source: String,
}

impl From<akson_applier::Actor> for Actor {
    fn from(actor: akson_applier::Actor) -> Self {
        Self {
            who: actor.who,
            application: actor.application,
            at: actor.at,
            operation: actor.operation,
            source: actor.source.as_str().to_owned(),
        }
    }
}

/// An object that is declared nowhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Unmanaged {
    pub(crate) severity: Severity,
    pub(crate) kind: String,
    pub(crate) id: String,
    /// What it does, in a sentence: `gives Contributor on … to …`.
    pub(crate) what: String,
    /// What to run so that it becomes declared.
    #[serde(default)]
    pub(crate) adopt: String,
    /// What to run so that it is gone.
    #[serde(default)]
    pub(crate) remove: String,
    /// The stack whose mark it bears, if it bears another's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) stack: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
    /// The address of the declared resource that it lies on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) on: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) by: Vec<Actor>,
}

impl DriftDocument {
    /// The drift in a plan that has its no-ops.
    pub(crate) fn new(plan: PlanDocument, unseen: usize) -> Self {
        let tolerated = tolerated(&plan);
        let in_sync_but = tolerated.iter().filter(|change| change.action == "no_op").count();
        let plan = only_drift(plan);
        let deleted = plan.changes.iter().filter(|change| change.action == "create").count();
        let found = Found {
            changed: plan.changes.len() - deleted,
            deleted,
            unseen,
            tolerated: tolerated.len(),
            in_sync: plan.summary.no_op.saturating_sub(unseen + in_sync_but),
            ..Found::default()
        };
        Self { plan, found, unmanaged: Vec::new(), of_other_stacks: Vec::new(), tolerated, notes: Vec::new() }
    }

    /// Says of each difference how bad it is, as the kinds have it, and counts.
    pub(crate) fn judge(&mut self, catalog: &Catalog) {
        for change in self.plan.changes.iter_mut().chain(&mut self.tolerated) {
            // A raw block's kind is known by its keyword, too.
            let Some(kind) = catalog.get(&change.kind) else { continue };
            let whole = Severity::from(kind.severity_of_whole());
            for reason in &mut change.reasons {
                let of = |attribute: &String| Severity::from(kind.severity_at(attribute));
                reason.severity = Some(reason.attribute.as_ref().map_or(whole, of));
            }
            let worst = change.reasons.iter().filter_map(|reason| reason.severity).max();
            change.severity = if change.action == "create" { Some(whole) } else { worst };
        }
        self.plan.changes.sort_by_key(|change| std::cmp::Reverse(change.severity));
        self.unmanaged.sort_by_key(|one| std::cmp::Reverse(one.severity));
        self.count();
    }

    /// Counts anew what changed hands since it was made: what is unmanaged or tolerated.
    pub(crate) fn count(&mut self) {
        let of = |severity| {
            let changes = self.plan.changes.iter().filter(|change| change.severity == Some(severity)).count();
            changes + self.unmanaged.iter().filter(|one| one.severity == severity).count()
        };
        let (high, medium, low) = (of(Severity::High), of(Severity::Medium), of(Severity::Low));
        let (unmanaged, tolerated) = (self.unmanaged.len(), self.tolerated.len());
        self.found = Found { high, medium, low, unmanaged, tolerated, ..self.found };
    }

    /// Whether something changed outside or is there without being declared.
    pub(crate) fn is_drift(&self) -> bool {
        self.plan.summary.changes() > 0 || !self.unmanaged.is_empty()
    }
}

/// What is left as it is: resources with the differences that their blocks tolerate, and why and until when in each.
fn tolerated(document: &PlanDocument) -> Vec<ChangeDocument> {
    let with = document.changes.iter().filter(|change| !change.tolerated.is_empty());
    with.map(|change| ChangeDocument {
        reasons: change.tolerated.clone(),
        tolerated: Vec::new(),
        irreversible: false,
        ..change.clone()
    })
    .collect()
}

/// The changes whose cause lies outside, with the reasons that say so.
fn only_drift(mut document: PlanDocument) -> PlanDocument {
    let mut summary = Summary { no_op: document.summary.no_op, ..Summary::default() };
    let mut changes: Vec<ChangeDocument> = Vec::new();
    for mut change in document.changes {
        change.reasons.retain(|reason| reason.cause == "drift");
        if change.action == "no_op" {
            continue;
        }
        if change.reasons.is_empty() {
            // Differs from its block, and not because somebody else changed it.
            summary.no_op += 1;
            continue;
        }
        match change.action.as_str() {
            "create" => summary.create += 1,
            "replace" => summary.replace += 1,
            "delete" => summary.delete += 1,
            "adopt" => summary.adopt += 1,
            "forget" => summary.forget += 1,
            _ => summary.update += 1,
        }
        changes.push(change);
    }
    document.changes = changes;
    document.summary = summary;
    document
}
