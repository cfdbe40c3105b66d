//! What an approval refers to: a hash of what a plan would do. Renaming blocks, moving them between files, time and the ledger's
//! generation do not change it; a leaf, an action or an id does.

use akson_catalog::{
    Residual, Type, Value,
    canonical::{leaf_hash, sha256_hex},
    json::to_plain_json,
};
use serde_json::{Value as Json, json};

use crate::plan::{Action, Change, Plan, Work};

/// `sha256:` and hex, over the canonical JSON of the stack, its binding, and the sorted changes. No-ops are no part of it, nor are
/// sensitive leaves.
pub fn digest(plan: &Plan) -> String {
    let mut changes: Vec<&Change> = plan.changes.iter().filter(|change| change.action != Action::NoOp).collect();
    changes.sort_by(|left, right| left.symbolic_id.cmp(&right.symbolic_id));
    let document = json!({
        "format": 1,
        "stack": plan.stack_id,
        "cloud": plan.cloud,
        "tenant": plan.tenant.to_ascii_lowercase(),
        "subscription": plan.subscription.to_ascii_lowercase(),
        "changes": changes.into_iter().map(change).collect::<Vec<Json>>(),
    });
    format!("sha256:{}", sha256_hex(&document))
}

fn change(change: &Change) -> Json {
    let mut leaves: Vec<(&str, Json)> = change
        .differences
        .iter()
        .map(|difference| {
            let leaf = json!({
                "at": difference.pointer,
                "before": difference.before.as_ref().map(leaf_hash),
                "after": wanted(&difference.after),
            });
            (difference.pointer.as_str(), leaf)
        })
        .collect();
    leaves.sort_by_key(|(pointer, _)| *pointer);
    let recover = matches!(change.work, Work::Write { recover: true, .. });
    json!({
        "id": change.symbolic_id.as_str(),
        "action": change.action.as_str(),
        "irreversible": change.irreversible,
        "recover": recover,
        "leaves": leaves.into_iter().map(|(_, leaf)| leaf).collect::<Vec<Json>>(),
    })
}

/// What is wanted: a hash of what is known, the shape of what is not.
fn wanted(value: &Value) -> Json {
    match value {
        Value::None => Json::Null,
        value => match to_plain_json(value) {
            Some(known) => Json::from(leaf_hash(&known)),
            None => form(value),
        },
    }
}

/// A value with holes: outputs by what they are outputs of, never by an address.
fn form(value: &Value) -> Json {
    match value {
        Value::List(items) => json!({ "list": items.iter().map(form).collect::<Vec<Json>>() }),
        Value::Map(entries) => {
            json!({ "map": entries.iter().map(|(key, value)| (key.clone(), form(value))).collect::<serde_json::Map<_, _>>() })
        }
        Value::Choice { name, arguments } => {
            let arguments: serde_json::Map<String, Json> =
                arguments.iter().map(|(key, value)| (key.clone(), form(value))).collect();
            json!({ "choice": name, "arguments": arguments })
        }
        Value::Unknown { residual, of, .. } => json!({ "unknown": hole(residual), "of": type_name(of) }),
        Value::Reference(reference) => json!({ "reference": reference.symbolic_id.as_str() }),
        // Neither a value nor a hash of one.
        Value::Sensitive(_) => json!({ "sensitive": true }),
        Value::Default => json!({ "default": true }),
        known => json!({ "known": to_plain_json(known).as_ref().map(leaf_hash) }),
    }
}

fn hole(residual: &Residual) -> Json {
    let list = |items: &[Residual]| items.iter().map(hole).collect::<Vec<Json>>();
    match residual {
        Residual::Known(value) => form(value),
        Residual::Output { of, output, address: _ } => json!({ "output": output, "of": of.as_str() }),
        Residual::List(items) => json!({ "list": list(items) }),
        Residual::Map(entries) => {
            json!({ "map": entries.iter().map(|(key, item)| (key.clone(), hole(item))).collect::<serde_json::Map<_, _>>() })
        }
        Residual::Operation(operator, operands) => {
            json!({ "operator": format!("{operator:?}"), "operands": list(operands) })
        }
        Residual::Call { function, arguments } => json!({ "call": function, "arguments": list(arguments) }),
    }
}

fn type_name(of: &Type) -> String {
    of.to_string()
}
