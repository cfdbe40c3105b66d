//! Differences that are left as they are for a while, as their block says: which of them, and what is written in their place when something
//! else of the object is. Never what the author changed, and never that an object is gone.

use std::collections::BTreeMap;

use akson_catalog::{Value, encode::Leaf, equality::Equality, json::from_json, kind::Plane, marker::without_mark};
use akson_config::{Config, Day, Tolerance};
use akson_diagnostics::{Diagnostic, Diagnostics, Span};
use serde_json::Value as Json;

use super::{Case, leaf::Verdict};
use crate::{
    OwnedState, codes,
    hashes::sent_hash,
    options::{Mode, PlanOptions},
    plan::{Cause, Plan, Tolerated},
};

/// What tolerates the difference of a leaf, if anything does on this day.
pub(super) fn by<'c>(
    case: &'c Case<'_>,
    (leaf, cause): (&Leaf, Cause),
    verdicts: &[(&Leaf, Verdict)],
    today: Option<Day>,
) -> Option<&'c Tolerance> {
    let today = today?;
    let tolerance = case
        .resource
        .tolerated
        .iter()
        .find(|tolerance| tolerance.holds_on(today) && tolerance.covers(&leaf.attribute))?;
    // An attribute that the author changed is written as a whole.
    let changed = verdicts.iter().any(|(other, verdict)| {
        let Verdict::Differs(why) = *verdict else { return false };
        other.attribute == leaf.attribute && !is_outside(case, other, why)
    });
    (is_outside(case, leaf, cause) && !changed).then_some(tolerance)
}

/// Whether a difference was made outside, and there alone. While a write was announced and never recorded, what was sent before it tells
/// whether the author changed anything since.
pub(super) fn is_outside(case: &Case<'_>, leaf: &Leaf, cause: Cause) -> bool {
    let announced = case.entry.filter(|entry| entry.state == OwnedState::IntentWrite);
    match cause {
        Cause::Drift => true,
        Cause::Config => announced.is_some_and(|entry| {
            let sent = entry.sent.get(&leaf.pointer);
            sent.is_some() && sent == sent_hash(leaf).as_ref()
        }),
        _ => false,
    }
}

/// The owned leaves as they are written: in place of what is kept, what is there.
pub(super) fn spared<'c>(case: &'c Case<'_>, kept: &'c [String], body: &'c Json) -> impl Iterator<Item = Leaf> + 'c {
    let owned = case.leaves.iter().filter(|leaf| !leaf.on_create_only);
    owned.filter_map(move |leaf| {
        if !kept.contains(&leaf.pointer) {
            return Some(leaf.clone());
        }
        // Edges are written one by one; what is applied in a cluster is what is to be ours there. What is not said stays.
        if leaf.equality == Equality::Edges || case.resource.kind.plane == Plane::Kubernetes {
            return None;
        }
        let want = match leaf.live(body) {
            Some(Json::String(text)) if leaf.equality == Equality::MarkedText => {
                Value::Text(without_mark(text).to_owned())
            }
            Some(live) => from_json(live),
            None => Value::None,
        };
        Some(Leaf { want, ..leaf.clone() })
    })
}

/// Tells what is tolerated, and whose time is over.
pub(crate) fn report(config: &Config, plan: &Plan, options: &PlanOptions, diagnostics: &mut Diagnostics) {
    let Some(today) = options.today.filter(|_| options.mode == Mode::Apply) else { return };
    for change in &plan.changes {
        let mut by_place: BTreeMap<Span, Vec<&Tolerated>> = BTreeMap::new();
        for one in &change.tolerated {
            by_place.entry(one.span).or_default().push(one);
        }
        for (span, all) in by_place {
            let mut names: Vec<&str> = all.iter().filter_map(|one| one.reason.attribute.as_deref()).collect();
            names.dedup();
            let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
            let Some(first) = all.first() else { continue };
            let text = format!(
                "{} of `{}` changed outside: tolerated until {}",
                names.join(", "),
                change.address,
                first.until
            );
            diagnostics.push(
                Diagnostic::note_only(codes::TOLERATED, text)
                    .at(span, "")
                    .on(&change.address)
                    .note(first.because.clone()),
            );
        }
    }
    let mut ended: BTreeMap<Span, (&Tolerance, String)> = BTreeMap::new();
    for resource in &config.resources {
        for tolerance in resource.tolerated.iter().filter(|tolerance| !tolerance.holds_on(today)) {
            ended.entry(tolerance.span).or_insert_with(|| (tolerance, resource.address.to_string()));
        }
    }
    for (span, (tolerance, address)) in ended {
        let text = format!("differences of `{}` were tolerated until {}", tolerance.attribute, tolerance.until);
        diagnostics.push(
            Diagnostic::warning(codes::TOLERANCE_ENDED, text)
                .at(span, "this has ended")
                .on(address)
                .note(tolerance.because.clone())
                .help("take the `tolerate` block out, or give it a later day"),
        );
    }
}
