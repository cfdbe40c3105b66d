//! Configurations of every kind against a service that answers as services do: with defaults filled in, in another order, in another case,
//! with fields of a newer version, without nulls. No plan of what was applied has a change; and a leaf of ours that somebody else changes
//! is what the plan names, and nothing beside it. `AKSON_CASES` says how many cases; each is made from its number alone.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "how many cases is asked of the environment, and what came of them is told"
)]

mod adversary;
mod generate;

use std::{collections::BTreeMap, env};

use akson_catalog::{
    SymbolicId, Value,
    encode::Leaf,
    equality::Equality,
    json::{lookup, put, remove},
};
use akson_diagnostics::Diagnostics;
use akson_planner::{Action, LiveObject, Owned, Plan, PlanOptions, Snapshot, plan};
use serde_json::{Value as Json, json};

use crate::declare::catalog;
use generate::{Case, Rng};

/// What the gate runs.
const CASES: u64 = 1_000;

fn cases() -> u64 {
    env::var("AKSON_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES)
}

/// Plans a case against an answer of its object.
fn planned(case: &Case, body: &Json) -> Result<Plan, Diagnostics> {
    let mut snapshot = Snapshot::default();
    let id = body["id"].as_str().unwrap_or_default().to_owned();
    let live = LiveObject { id, body: body.clone() };
    snapshot.objects.insert(case.resource().symbolic_id.clone(), live);
    let owned = Owned {
        known: true,
        entries: [(case.resource().symbolic_id.clone(), case.entry.clone())].into(),
        ..Owned::default()
    };
    let options = PlanOptions { cloud: "emulator".to_owned(), ..PlanOptions::default() };
    let mut diagnostics = Diagnostics::new();
    let plan = plan(&case.config, &snapshot, &owned, catalog(), &options, &mut diagnostics);
    plan.ok_or(diagnostics)
}

/// What a plan would change, in words; nothing if all is as it was left.
fn changes(plan: &Plan) -> Vec<String> {
    let own = plan.changes.iter().filter(|change| change.action != Action::NoOp || !change.differences.is_empty());
    own.map(|change| format!("{} {} {:?}", change.action.as_str(), change.address, change.differences)).collect()
}

#[test]
fn nothing_is_found_where_only_the_service_speaks_differently() {
    let mut by_kind: BTreeMap<String, u64> = BTreeMap::new();
    let mut phantoms = Vec::new();
    for number in 0..cases() {
        let case = Case::new(number);
        let answer = adversary::answer(&case, &mut Rng::new(number ^ 0x00ad_0e45_a41e));
        *by_kind.entry(case.resource().kind.keyword.clone()).or_default() += 1;
        let found = match planned(&case, &answer) {
            Ok(plan) => changes(&plan),
            Err(diagnostics) => vec![format!("{:#?}", diagnostics.sorted())],
        };
        if !found.is_empty() {
            phantoms.push(format!("case {number}, {}: {found:#?}\n{}", case.resource().kind.keyword, case.words()));
        }
    }
    assert_eq!(by_kind.len(), generate::kinds().len(), "every kind is there: {by_kind:?}");
    println!("{} phantom changes in {} cases of {} kinds", phantoms.len(), cases(), by_kind.len());
    let shown: Vec<&String> = phantoms.iter().take(5).collect();
    assert!(
        phantoms.is_empty(),
        "{} phantoms, such as {}",
        phantoms.len(),
        shown.iter().map(|one| format!("{one}\n")).collect::<String>()
    );
}

/// Another value that is certainly another.
fn other(leaf: &Leaf, live: Option<&Json>) -> Json {
    match live {
        // The mark behind the text stays.
        Some(Json::String(text)) if leaf.equality == Equality::MarkedText => json!(format!("other {text}")),
        None | Some(Json::Null) if matches!(leaf.want, Value::List(_)) => json!([{"name": "other", "id": "other"}]),
        Some(Json::Bool(flag)) => json!(!flag),
        Some(Json::Number(number)) => json!(number.as_f64().unwrap_or(0.0) + 1.0),
        // Of an id it may be the end that counts, of a URL what comes before its slash.
        Some(Json::String(text)) if text.starts_with('{') || text.contains('\n') => json!("other: thing"),
        Some(Json::String(text)) => json!(format!("{}-other", text.trim_end_matches('/'))),
        Some(Json::Array(items)) => match (items.first(), leaf.equality) {
            (Some(Json::Object(first)), _) => {
                let mut first = first.clone();
                for value in first.values_mut().filter(|value| value.is_string()) {
                    *value = json!("other");
                }
                first.insert("name".to_owned(), json!("other"));
                items.iter().cloned().chain([Json::Object(first)]).collect()
            }
            (_, Equality::CidrSet) => items.iter().cloned().chain([json!("198.51.100.7/32")]).collect(),
            _ => items.iter().cloned().chain([json!("other")]).collect(),
        },
        Some(Json::Object(members)) => {
            let mut members = members.clone();
            members.clear();
            members.insert("other".to_owned(), json!("other"));
            Json::Object(members)
        }
        None | Some(Json::Null) => json!("other"),
    }
}

#[test]
fn a_leaf_that_somebody_else_changed_is_found_and_nothing_beside_it() {
    let (mut found, mut missed) = (0, Vec::new());
    for number in 0..cases() {
        let mut rng = Rng::new(number ^ 0x00b5_1234);
        // Of a case in which nothing of the object is ours there is nothing to change.
        let Some((case, leaf)) = (0..64).find_map(|turn| {
            let case = Case::new(number + turn * 1_000_003);
            let own: Vec<Leaf> = case.owned().cloned().collect();
            let at = rng.below(own.len().max(1));
            own.get(at).cloned().map(|leaf| (case, leaf))
        }) else {
            panic!("case {number} has nothing of its own");
        };
        let mut answer = adversary::answer(&case, &mut Rng::new(number));
        let live = lookup(&answer, &leaf.pointer).cloned();
        put(&mut answer, &leaf.pointer, other(&leaf, live.as_ref().or(leaf.absent.as_ref())));
        if leaf.in_sync(&answer) != Some(false) {
            // A thing that is not there may be what it was changed to.
            remove(&mut answer, &leaf.pointer);
        }
        let named = match planned(&case, &answer) {
            Ok(plan) => plan
                .changes
                .iter()
                .flat_map(|change| &change.differences)
                .map(|difference| difference.pointer.clone())
                .collect(),
            // What cannot be changed back is refused, with its name.
            Err(diagnostics) => refused(&diagnostics, &case, &leaf),
        };
        if named == [leaf.pointer.clone()] {
            found += 1;
        } else {
            missed.push(format!(
                "case {number}, {}: {} was {live:?}, found {named:?}\n{}",
                case.resource().kind.keyword,
                leaf.pointer,
                case.words()
            ));
        }
    }
    println!("{found} of {} changed leaves found", cases());
    let shown: Vec<&String> = missed.iter().take(5).collect();
    assert!(
        missed.is_empty(),
        "{} missed, such as {}",
        missed.len(),
        shown.iter().map(|one| format!("{one}\n")).collect::<String>()
    );
}

/// The place that a refusal is about: that of the leaf, if it alone is named.
fn refused(diagnostics: &Diagnostics, case: &Case, leaf: &Leaf) -> Vec<String> {
    let mut named: Vec<String> = Vec::new();
    for diagnostic in diagnostics {
        let text = format!("{} {:?}", diagnostic.message, diagnostic.notes);
        let top = leaf.attribute.split('.').next().unwrap_or_default();
        // To change it back would let nobody in any more: the refusal tells which door that is in words.
        let shuts = diagnostic.code == akson_planner::codes::LOCKOUT && ["local_accounts", "entra"].contains(&top);
        let about = shuts || text.contains(&leaf.attribute) || text.contains(&format!("`{top}"));
        named.push(if about { leaf.pointer.clone() } else { format!("{}: {text}", case.resource().address) });
    }
    named.dedup();
    named
}

/// The symbolic id of a text.
pub(crate) fn symbolic(id: &str) -> SymbolicId {
    akson_planner::place::symbolic(id)
}
