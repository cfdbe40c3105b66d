//! Drift as SARIF 2.1.0, for code scanning: a result a finding, at the block that declares it. An alert is recognised again by its
//! resource, and closes when a later run has it no more. Diagnostics have a format of their own, which looks alike.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::items::{self, Item, What};
use crate::{drift::Severity, schedule::Look, views::plan::count};

/// GitHub shows so many of a run's results and cuts the rest.
const RESULTS: usize = 5_000;

/// The log.
pub(super) fn log(look: &Look) -> Value {
    let items = items::items(look);
    let results: Vec<Value> = items.iter().take(RESULTS).map(|item| result(item, look)).collect();
    let mut told = Vec::new();
    if let Some(error) = &look.error {
        told.push(
            json!({ "level": "error", "descriptor": { "id": error.code }, "message": { "text": error.message } }),
        );
    }
    if items.len() > RESULTS {
        let text = format!("{} more are left out", count(items.len() - RESULTS, "finding"));
        told.push(json!({ "level": "warning", "message": { "text": text } }));
    }
    let rules = [What::Deleted, What::Changed, What::Unmanaged].map(rule);
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "akson-drift",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "automationDetails": { "id": format!("akson-drift/{}/", look.folder) },
            "invocations": [{ "executionSuccessful": look.outcome.is_success(), "toolExecutionNotifications": told }],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(what: What) -> Value {
    let (text, help) = match what {
        What::Deleted => ("A declared resource was deleted outside", "An apply makes it again."),
        What::Changed => (
            "A declared resource was changed outside",
            "An apply brings it back; to keep the change, write it into the configuration.",
        ),
        What::Unmanaged => {
            ("An object that no file declares", "Declare it, for instance with `akson import`, or remove it.")
        }
    };
    json!({
        "id": rule_id(what),
        "shortDescription": { "text": text },
        "help": { "text": help, "markdown": help },
        "defaultConfiguration": { "level": "warning" },
    })
}

fn rule_id(what: What) -> String {
    format!("drift/{}", what.as_str())
}

fn result(item: &Item, look: &Look) -> Value {
    let level = match item.severity {
        Some(Severity::High) => "error",
        Some(Severity::Low) => "note",
        Some(Severity::Medium) | None => "warning",
    };
    let mut location = json!({ "logicalLocations": [{ "fullyQualifiedName": item.subject, "kind": "resource" }] });
    if let Some(place) = &item.place {
        location["physicalLocation"] = json!({
            "artifactLocation": { "uri": uri(&look.file(&place.file)) },
            "region": { "startLine": place.line },
        });
    }
    let identity = identity(item, look);
    json!({
        "ruleId": rule_id(item.what),
        "level": level,
        "message": { "text": sentence(item) },
        "locations": [location],
        "partialFingerprints": { "akson/v1": identity, "primaryLocationLineHash": identity },
    })
}

/// A finding in plain lines.
pub(super) fn sentence(item: &Item) -> String {
    let mut text = format!("{}{} was {}", item.rank(), item.subject, item.what.words());
    if item.what == What::Unmanaged {
        text = format!("{}{} is {}: {}", item.rank(), item.subject, item.what.words(), item.sentence);
    }
    for edit in &item.edits {
        text.push_str(&format!("\n{} is {}, declared {}", edit.attribute, edit.is, edit.declared));
    }
    for by in &item.by {
        text.push_str(&format!("\nby {by}"));
    }
    text
}

/// The same for the same resource of the same stack, whatever it was changed to.
fn identity(item: &Item, look: &Look) -> String {
    let stack = look.stack_id.as_deref().unwrap_or(&look.folder);
    let digest = Sha256::digest(format!("{stack}\n{}\n{}", rule_id(item.what), item.subject));
    digest.iter().take(8).fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// A path as a URI: what is not unreserved is encoded, the slash is kept.
fn uri(path: &str) -> String {
    path.bytes().fold(String::new(), |mut uri, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/') {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
        uri
    })
}
