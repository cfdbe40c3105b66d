//! What a report tells, without a format: a headline, the findings by how bad they are, who did it. Each format escapes it in its way.

use serde_json::Value;

use crate::{
    document::{Place, ReasonDocument},
    drift::{Actor, Severity},
    schedule::{Look, Outcome},
    views::{literal, plan::count},
};

/// Longer values are cut in messages.
const LONGEST_VALUE: usize = 200;

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) severity: Option<Severity>,
    /// An address, or the id of what has none.
    pub(crate) subject: String,
    pub(crate) kind: String,
    pub(crate) what: What,
    /// In a sentence, of what is declared nowhere.
    pub(crate) sentence: String,
    pub(crate) edits: Vec<Edit>,
    pub(crate) by: Vec<String>,
    pub(crate) place: Option<Place>,
}

/// What happened to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    Deleted,
    Changed,
    Unmanaged,
}

/// One attribute, in the language's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edit {
    pub(crate) attribute: String,
    pub(crate) is: String,
    pub(crate) declared: String,
}

impl What {
    /// In words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Deleted => "deleted outside",
            Self::Changed => "changed outside",
            Self::Unmanaged => "declared nowhere",
        }
    }

    /// In a word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Changed => "changed",
            Self::Unmanaged => "unmanaged",
        }
    }
}

impl Item {
    /// `HIGH `, or nothing if nobody has ranked it.
    pub(crate) fn rank(&self) -> &'static str {
        match self.severity {
            Some(Severity::High) => "HIGH ",
            Some(Severity::Medium) => "MEDIUM ",
            Some(Severity::Low) => "LOW ",
            None => "",
        }
    }
}

/// The findings, the worst first.
pub(crate) fn items(look: &Look) -> Vec<Item> {
    let Some(document) = &look.document else { return Vec::new() };
    let changes = document.plan.changes.iter().map(|change| Item {
        severity: change.severity,
        subject: literal::safe(&change.address),
        kind: literal::safe(&change.kind),
        what: if change.action == "create" { What::Deleted } else { What::Changed },
        sentence: String::new(),
        edits: change.reasons.iter().filter_map(edit).collect(),
        by: change.by.iter().map(actor).collect(),
        place: change.source.clone(),
    });
    let unmanaged = document.unmanaged.iter().map(|found| Item {
        severity: Some(found.severity),
        subject: literal::safe(&found.id),
        kind: literal::safe(&found.kind),
        what: What::Unmanaged,
        sentence: match &found.on {
            Some(on) => format!("{}, on {}", literal::safe(&found.what), literal::safe(on)),
            None => literal::safe(&found.what),
        },
        edits: Vec::new(),
        by: found.by.iter().map(actor).collect(),
        place: None,
    });
    let mut items: Vec<Item> = changes.chain(unmanaged).collect();
    items.sort_by(|one, other| {
        other.severity.cmp(&one.severity).then(one.what.cmp(&other.what)).then_with(|| one.subject.cmp(&other.subject))
    });
    items
}

fn edit(reason: &ReasonDocument) -> Option<Edit> {
    let show = |value: &Value| match value {
        _ if reason.sensitive => "(sensitive)".to_owned(),
        Value::Null => "(absent)".to_owned(),
        // What is cut in the end need not be escaped before.
        Value::String(text) if text.len() > 8 * LONGEST_VALUE => {
            cut(&literal::aks(&Value::String(cut(text, 2 * LONGEST_VALUE))), LONGEST_VALUE)
        }
        value if reason.expression => cut(&literal::expression(value), LONGEST_VALUE),
        value => cut(&literal::aks(value), LONGEST_VALUE),
    };
    Some(Edit {
        attribute: literal::safe(reason.attribute.as_deref()?),
        is: show(&reason.before),
        declared: if reason.known_after_apply { "(known after apply)".to_owned() } else { show(&reason.after) },
    })
}

/// `tom@contoso.com with portal, 2026-11-22T17:03:00Z, Microsoft.Network/…/write`.
fn actor(actor: &Actor) -> String {
    let mut text = literal::safe(&actor.who);
    if let Some(application) = &actor.application {
        text.push_str(&format!(" with {}", literal::safe(application)));
    }
    for part in [&actor.at, &actor.operation].into_iter().flatten() {
        text.push_str(&format!(", {}", literal::safe(part)));
    }
    text
}

/// What happened, in a line.
pub(crate) fn headline(look: &Look) -> String {
    let stack = literal::safe(look.name());
    match look.outcome {
        Outcome::InSync => format!("Stack {stack} is in sync"),
        Outcome::Drift => format!("Stack {stack} has drifted"),
        Outcome::Incomplete => format!("Stack {stack} could not be seen as a whole"),
        Outcome::Failed => format!("Stack {stack} could not be looked at"),
    }
}

/// `2 changed, 1 deleted, 1 declared nowhere, 1 tolerated; 8 in sync`; of a failure, the error.
pub(crate) fn summary(look: &Look) -> String {
    let Some(document) = &look.document else {
        return match &look.error {
            Some(error) => format!("{}: {}", error.code, literal::safe(&error.message)),
            None => "nothing is known of it".to_owned(),
        };
    };
    let found = document.found;
    let parts: Vec<String> = [
        (found.changed, "changed"),
        (found.deleted, "deleted"),
        (found.unmanaged, "declared nowhere"),
        (found.tolerated, "tolerated"),
        (found.unseen, "not seen"),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, words)| format!("{number} {words}"))
    .collect();
    let in_sync = format!("{} in sync", count(found.in_sync, "resource"));
    if parts.is_empty() { in_sync } else { format!("{}; {in_sync}", parts.join(", ")) }
}

/// The beginning of a text, and that it is cut.
pub(crate) fn cut(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(longest.saturating_sub(1)).collect();
    cut.push('…');
    cut
}
