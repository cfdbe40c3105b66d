//! A plan as JSON: the promise to pipelines. Sensitive values are not in it, whatever is asked.

use std::collections::BTreeMap;

use akson_catalog::SymbolicId;
use akson_config::OutputValue;
use akson_diagnostics::{Diagnostics, SourceMap, Span, render};
use serde_json::{Map, Value as Json, json};

use crate::{
    access::Edge,
    plan::{Action, Cause, Change, Effect, Plan, Reason, Shown, Tolerated},
    shown::shown,
};

/// The document of `plan --format json`. No-ops are listed only with `all`.
pub fn to_json(plan: &Plan, sources: &SourceMap, diagnostics: &Diagnostics, all: bool) -> Json {
    let listed = plan.changes.iter().filter(|change| change.is_told() && (all || change.action != Action::NoOp));
    let addresses: BTreeMap<&SymbolicId, &str> =
        plan.changes.iter().map(|change| (&change.symbolic_id, change.address.as_str())).collect();
    let changes: Vec<Json> = listed.map(|change| one(change, &addresses, sources)).collect();
    let outputs: Map<String, Json> = plan
        .outputs
        .iter()
        .map(|output| {
            let value = self::output(output);
            let known = !matches!(shown(&output.value), Shown::KnownAfterApply(_));
            let sensitive = output.sensitive || output.value.is_sensitive();
            (
                output.name.clone(),
                json!({ "value": value.unwrap_or(Json::Null), "sensitive": sensitive, "known_after_apply": !known }),
            )
        })
        .collect();
    json!({
        "format_version": "1",
        "stack": plan.stack,
        "cloud": plan.cloud,
        "digest": plan.digest,
        "summary": summary(plan),
        "changes": changes,
        "outputs": outputs,
        "access": {
            "gained": plan.access.gained.iter().map(edge).collect::<Vec<Json>>(),
            "lost": plan.access.lost.iter().map(edge).collect::<Vec<Json>>(),
            // Direct access only.
            "complete": false,
        },
        "diagnostics": render::json::value(diagnostics, sources),
        "requests": { "reads": plan.reads },
    })
}

/// An output's value; none if it is sensitive, absent or not known yet.
pub fn output(output: &OutputValue) -> Option<Json> {
    match shown(&output.value) {
        Shown::Value(value) | Shown::Written(value) if !output.sensitive => Some(value),
        _ => None,
    }
}

/// How many changes there are of each action.
pub fn summary(plan: &Plan) -> Json {
    let actions =
        [Action::Create, Action::Update, Action::Replace, Action::Delete, Action::Adopt, Action::Forget, Action::NoOp];
    actions
        .into_iter()
        .map(|action| (action.as_str().to_owned(), Json::from(plan.count(action))))
        .collect::<Map<_, _>>()
        .into()
}

fn edge(edge: &Edge) -> Json {
    json!({ "who": edge.who, "can": edge.can, "on": edge.on, "path": [edge.by] })
}

fn one(change: &Change, addresses: &BTreeMap<&SymbolicId, &str>, sources: &SourceMap) -> Json {
    let needs: Vec<&str> = change.needs.iter().filter_map(|need| addresses.get(need).copied()).collect();
    let mut document = json!({
        "address": change.address,
        "kind": change.kind.keyword,
        "id": change.id,
        "action": change.action.as_str(),
        "irreversible": change.irreversible,
        "reasons": change.reasons.iter().flat_map(reasons).collect::<Vec<Json>>(),
        "notes": change.notes,
        "source": change.source.map(|source| place(source, sources)),
        "needs": needs,
    });
    if !change.tolerated.is_empty() {
        document["tolerated"] = change.tolerated.iter().flat_map(tolerated).collect();
    }
    document
}

/// What is left as it is: the reason that it would be undone for, why it is not, and until when.
fn tolerated(one: &Tolerated) -> Vec<Json> {
    let mut told = reasons(&one.reason);
    for reason in &mut told {
        reason["because"] = Json::from(one.because.clone());
        reason["until"] = Json::from(one.until.to_string());
    }
    told
}

fn place(span: Span, sources: &SourceMap) -> Json {
    json!({ "file": sources.get(span.source).name, "line": sources.start(span).line })
}

/// A reason; one that is both configuration and drift is told once under each cause.
fn reasons(reason: &Reason) -> Vec<Json> {
    let causes: &[&str] = match reason.cause {
        Cause::Config => &["config"],
        Cause::Drift => &["drift"],
        Cause::Both => &["config", "drift"],
        Cause::Adopt => &["adopt"],
        Cause::Removed => &["removed"],
        Cause::Dependency => &["dependency"],
    };
    let effect = match reason.effect {
        Effect::InPlace => "in_place",
        Effect::Replace => "replace",
        Effect::Irreversible => "irreversible",
    };
    let value = |shown: &Shown| match shown {
        Shown::Value(value) | Shown::Written(value) => value.clone(),
        Shown::Absent | Shown::Sensitive | Shown::KnownAfterApply(_) => Json::Null,
    };
    causes
        .iter()
        .map(|cause| {
            json!({
                "cause": cause,
                "attribute": reason.attribute,
                "before": value(&reason.before),
                "after": value(&reason.after),
                "sensitive": reason.before == Shown::Sensitive || reason.after == Shown::Sensitive,
                "expression": matches!(reason.before, Shown::Written(_)) || matches!(reason.after, Shown::Written(_)),
                "known_after_apply": matches!(reason.after, Shown::KnownAfterApply(_)),
                "effect": effect,
            })
        })
        .collect()
}
