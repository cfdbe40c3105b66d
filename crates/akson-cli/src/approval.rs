//! What moved between an approved plan and the plan of now: three ways, since what was there, what was approved and what is there now may all
//! differ. Comparison of two documents; who moved it is asked elsewhere and put in.

use std::collections::BTreeMap;

use akson_applier::{Deed, Engine, Happened, actors};
use akson_catalog::kind::Plane;
use akson_planner::{Plan, Snapshot};
use serde::Serialize;
use serde_json::Value;

use crate::{
    document::{ChangeDocument, PlanDocument, ReasonDocument},
    drift::Actor,
};

/// A resource that would be treated differently now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Moved {
    pub(crate) address: String,
    pub(crate) id: Option<String>,
    /// What was approved; none if the resource was not in the plan.
    pub(crate) approved: Option<String>,
    /// What would be done now; none if it is in the plan no more.
    pub(crate) now: Option<String>,
    pub(crate) fields: Vec<Field>,
    /// Who changed it outside since, the newest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) by: Vec<Actor>,
}

/// One attribute of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Field {
    pub(crate) attribute: String,
    /// Where it moved.
    pub(crate) moved: Where,
    /// What was approved; none if it was not to change.
    pub(crate) approved: Option<Sides>,
    /// What would be done now; none if it would not change any more.
    pub(crate) now: Option<Sides>,
}

/// What is there, and what is to be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Sides {
    pub(crate) live: Value,
    pub(crate) wanted: Value,
    pub(crate) sensitive: bool,
    pub(crate) expression: bool,
    pub(crate) known_after_apply: bool,
}

/// Which side of a comparison moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Where {
    /// Somebody changed the object.
    Outside,
    /// The configuration or its variables.
    Configuration,
    Both,
}

/// What moved, in the order of the plan of now; what is in it no more comes last.
pub(crate) fn moved(approved: &PlanDocument, now: &PlanDocument) -> Vec<Moved> {
    let (then, today) = (Index::of(approved), Index::of(now));
    let changes = now.changes.iter().filter_map(|change| compared(then.find(change), Some(change)));
    let gone = approved.changes.iter().filter(|other| today.find(other).is_none());
    changes.chain(gone.filter_map(|other| compared(Some(other), None))).collect()
}

/// The changes of a plan. Blocks may be renamed, so the id tells which is which; what is new has none yet, and has one once somebody made it:
/// then the address does.
struct Index<'a> {
    by_id: BTreeMap<String, &'a ChangeDocument>,
    by_address: BTreeMap<&'a str, &'a ChangeDocument>,
}

impl<'a> Index<'a> {
    fn of(plan: &'a PlanDocument) -> Self {
        let id = |change: &'a ChangeDocument| Some((change.id.as_ref()?.to_ascii_lowercase(), change));
        Self {
            by_id: plan.changes.iter().filter_map(id).collect(),
            by_address: plan.changes.iter().map(|change| (change.address.as_str(), change)).collect(),
        }
    }

    fn find(&self, change: &ChangeDocument) -> Option<&'a ChangeDocument> {
        let by_id = change.id.as_ref().and_then(|id| self.by_id.get(&id.to_ascii_lowercase()));
        // The same address with another id is another object.
        let by_address = || {
            let found = self.by_address.get(change.address.as_str())?;
            (found.id.is_none() || change.id.is_none()).then_some(found)
        };
        by_id.or_else(by_address).copied()
    }
}

/// Asks who moved what was moved outside, since the plan was approved. What nobody wrote down stays open.
pub(crate) async fn ask_who(
    moved: &mut [Moved],
    engine: &Engine,
    (plan, snapshot): (&Plan, &Snapshot),
    since: Option<&str>,
) -> Vec<String> {
    let outside: Vec<&mut Moved> = moved.iter_mut().filter(|moved| moved.is_outside() && moved.id.is_some()).collect();
    let deeds: Vec<Deed> = outside
        .iter()
        .map(|moved| {
            let gone = moved.now.as_deref() == Some("create");
            let happened = if gone { Happened::Deleted } else { Happened::Changed };
            let deed = Deed::to(moved.id.as_deref().unwrap_or_default(), happened);
            let Some(change) = plan.changes.iter().find(|change| change.address == moved.address) else { return deed };
            let live = snapshot.live(&change.symbolic_id).filter(|_| change.kind.plane == Plane::Kubernetes);
            Deed {
                symbolic_id: change.symbolic_id.clone(),
                plane: change.kind.plane,
                pointers: change.differences.iter().map(|difference| difference.pointer.clone()).collect(),
                body: live.map(|live| live.body.clone()),
                ..deed
            }
        })
        .collect();
    let since = since.and_then(|text| text.parse::<jiff::Timestamp>().ok()).map(jiff::Timestamp::as_second);
    let told = actors(engine, &deeds, since).await;
    for (moved, told) in outside.into_iter().zip(told.of) {
        moved.by = told.by.into_iter().map(Actor::from).collect();
    }
    told.unread.into_iter().map(|unread| format!("{}: {}", unread.id, unread.why)).collect()
}

impl Moved {
    /// Whether somebody changed, made or deleted it, and not the configuration alone.
    fn is_outside(&self) -> bool {
        self.fields.is_empty() || self.fields.iter().any(|field| field.moved != Where::Configuration)
    }
}

fn compared(approved: Option<&ChangeDocument>, now: Option<&ChangeDocument>) -> Option<Moved> {
    let acts = |change: Option<&ChangeDocument>| change.is_some_and(|change| change.action != "no_op");
    if !acts(approved) && !acts(now) {
        return None;
    }
    let known = now.or(approved)?;
    let reasons = |change: Option<&ChangeDocument>| change.map(|change| change.reasons.clone()).unwrap_or_default();
    let (then, today) = (reasons(approved), reasons(now));
    let mut names: Vec<&str> = Vec::new();
    for name in today.iter().chain(&then).filter_map(|reason| reason.attribute.as_deref()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    // Of what somebody made in between or deleted, every attribute would differ: the action says it.
    let appeared = |change: Option<&ChangeDocument>| change.is_some_and(|change| change.action == "create");
    let fields: Vec<Field> = if appeared(approved) != appeared(now) && acts(approved) {
        Vec::new()
    } else {
        names.iter().filter_map(|name| field(name, named(&then, name), named(&today, name), &today)).collect()
    };
    let action = |change: Option<&ChangeDocument>| change.map(|change| change.action.clone());
    if fields.is_empty() && action(approved) == action(now) && approved.is_some() {
        return None;
    }
    Some(Moved {
        address: known.address.clone(),
        id: known.id.clone().or_else(|| approved.and_then(|change| change.id.clone())),
        approved: action(approved),
        now: action(now),
        fields,
        by: Vec::new(),
    })
}

fn named<'a>(reasons: &'a [ReasonDocument], name: &str) -> Option<&'a ReasonDocument> {
    reasons.iter().find(|reason| reason.attribute.as_deref() == Some(name))
}

fn field(
    name: &str,
    approved: Option<&ReasonDocument>,
    now: Option<&ReasonDocument>,
    today: &[ReasonDocument],
) -> Option<Field> {
    let sides = |reason: &ReasonDocument| Sides {
        live: reason.before.clone(),
        wanted: reason.after.clone(),
        sensitive: reason.sensitive,
        expression: reason.expression,
        known_after_apply: reason.known_after_apply,
    };
    let (then, at_present) = (approved.map(sides), now.map(sides));
    let moved = match (&then, &at_present) {
        (Some(then), Some(now)) if then == now => return None,
        (Some(then), Some(now)) => match (then.live != now.live, then.wanted != now.wanted) {
            (true, false) => Where::Outside,
            (false, true) => Where::Configuration,
            _ => Where::Both,
        },
        // It was as declared, and is not any more.
        (None, Some(_)) => {
            let causes: Vec<&str> = today
                .iter()
                .filter(|reason| reason.attribute.as_deref() == Some(name))
                .map(|reason| reason.cause.as_str())
                .collect();
            match (causes.contains(&"drift") || causes.contains(&"removed"), causes.contains(&"config")) {
                (true, false) => Where::Outside,
                (false, true) => Where::Configuration,
                _ => Where::Both,
            }
        }
        // Somebody brought it there already, or it is not wanted any more.
        (Some(_), None) => Where::Both,
        (None, None) => return None,
    };
    Some(Field { attribute: name.to_owned(), moved, approved: then, now: at_present })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reason(attribute: &str, cause: &str, before: &str, after: &str) -> Value {
        json!({
            "cause": cause, "attribute": attribute, "before": before, "after": after, "sensitive": false,
            "known_after_apply": false, "effect": "in_place",
        })
    }

    fn plan(changes: &[(&str, &str, Vec<Value>)]) -> PlanDocument {
        let changes: Vec<Value> = changes
            .iter()
            .map(|(address, action, reasons)| {
                json!({ "address": address, "kind": "vault", "id": null, "action": action, "irreversible": false, "reasons": reasons })
            })
            .collect();
        serde_json::from_value(json!({
            "format_version": "1", "stack": "s", "cloud": "emulator", "digest": "sha256:0",
            "summary": { "create": 0, "update": 0, "replace": 0, "delete": 0, "adopt": 0, "forget": 0, "no_op": 0 },
            "changes": changes, "access": {}, "requests": { "reads": 0 },
        }))
        .expect("the document is complete")
    }

    /// Each a line: address, approved > now, and the fields with where they moved.
    fn told(approved: &PlanDocument, now: &PlanDocument) -> Vec<String> {
        let word = |action: &Option<String>| action.clone().unwrap_or_else(|| "nothing".to_owned());
        let line = |moved: &Moved| {
            let fields: Vec<String> =
                moved.fields.iter().map(|field| format!("{} {:?}", field.attribute, field.moved)).collect();
            format!("{} {}>{} [{}]", moved.address, word(&moved.approved), word(&moved.now), fields.join(", "))
        };
        moved(approved, now).iter().map(line).collect()
    }

    #[track_caller]
    fn check(then: (&str, Vec<Value>), now: (&str, Vec<Value>), expected: &[&str]) {
        let approved = plan(&[("vault.a", then.0, then.1), ("vault.b", "no_op", vec![])]);
        let now = plan(&[("vault.a", now.0, now.1), ("vault.b", "no_op", vec![])]);
        assert_eq!(told(&approved, &now), expected);
    }

    #[test]
    fn each_way_that_something_moves() {
        let approved = || ("update", vec![reason("tags.a", "config", "old", "new")]);
        check(approved(), approved(), &[]);
        check(
            approved(),
            ("update", vec![reason("tags.a", "config", "mallory", "new"), reason("tags.a", "drift", "mallory", "new")]),
            &["vault.a update>update [tags.a Outside]"],
        );
        check(
            approved(),
            ("update", vec![reason("tags.a", "config", "old", "newer")]),
            &["vault.a update>update [tags.a Configuration]"],
        );
        check(
            approved(),
            ("update", vec![reason("tags.a", "config", "old", "new"), reason("tags.b", "drift", "x", "y")]),
            &["vault.a update>update [tags.b Outside]"],
        );
        check(approved(), ("no_op", vec![]), &["vault.a update>no_op [tags.a Both]"]);
        check(("no_op", vec![]), approved(), &["vault.a no_op>update [tags.a Configuration]"]);
        check(
            ("no_op", vec![]),
            ("update", vec![reason("tags.a", "drift", "x", "y")]),
            &["vault.a no_op>update [tags.a Outside]"],
        );
        // Somebody made it in between.
        check(
            ("create", vec![reason("tags.a", "config", "", "new")]),
            ("adopt", vec![reason("tags.a", "adopt", "x", "new")]),
            &["vault.a create>adopt []"],
        );
        // What is to go was changed: not this was approved to be deleted.
        check(
            ("delete", vec![reason("tags.a", "removed", "x", "")]),
            ("delete", vec![reason("tags.a", "removed", "mallory", "")]),
            &["vault.a delete>delete [tags.a Outside]"],
        );
    }

    #[test]
    fn what_is_in_one_plan_only() {
        let both = plan(&[("vault.a", "create", vec![]), ("vault.b", "delete", vec![])]);
        let one = plan(&[("vault.a", "create", vec![])]);
        assert_eq!(told(&both, &one), ["vault.b delete>nothing []"]);
        assert_eq!(told(&one, &both), ["vault.b nothing>delete []"]);
    }
}
