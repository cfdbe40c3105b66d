//! A ledger as `akson ledger show --format json` prints it. Stable: pipelines read it.

use serde_json::{Value, json};

use super::{Document, document::state_word};

/// `{"stack":…,"entries":[{"symbolic_id":…,"id":…,"kind":…,"state":"owned|intent|tombstone"}]}`, by symbolic id.
pub fn show(document: &Document) -> Value {
    let entries: Vec<Value> = document
        .entries
        .iter()
        .map(|(symbolic_id, entry)| {
            json!({
                "symbolic_id": symbolic_id.as_str(),
                "id": entry.owned.id,
                "kind": entry.owned.kind,
                "state": state_word(entry.owned.state),
                "address": entry.owned.address,
                "protected": entry.owned.protected,
            })
        })
        .collect();
    json!({
        "stack": document.binding.stack,
        "stack_id": document.binding.stack_id,
        "cloud": document.binding.cloud,
        "tenant": document.binding.tenant,
        "subscription": document.binding.subscription,
        "generation": document.generation,
        "entries": entries,
    })
}

#[cfg(test)]
mod tests {
    use super::{super::document::tests::sample, *};

    #[test]
    fn the_shape_that_pipelines_read() {
        let shown = show(&sample());
        assert_eq!(shown["stack"], "myapp");
        let states: Vec<&Value> =
            shown["entries"].as_array().into_iter().flatten().map(|entry| &entry["state"]).collect();
        assert_eq!(states, ["intent", "tombstone", "owned", "intent"]);
        assert_eq!(shown["entries"][0]["symbolic_id"], "/delete");
        assert_eq!(shown["entries"][0]["id"], "/subscriptions/S/resourceGroups/g");
    }
}
