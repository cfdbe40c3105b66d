//! Looks that tests are made with.

#![allow(clippy::unwrap_used, reason = "a test that fails should say where")]

use std::time::Duration;

use clap::Parser as _;
use serde_json::json;

use super::{Look, Outcome};
use crate::{
    arguments::{Arguments, Global},
    drift::DriftDocument,
    observer::{Seen, Told},
};

/// Flags without any.
pub(crate) fn global() -> Global {
    Arguments::try_parse_from(["akson", "drift"]).unwrap().global
}

/// A document with such changes: address, kind, action.
pub(crate) fn document(changes: &[(&str, &str, &str)]) -> DriftDocument {
    let all: Vec<_> = changes
        .iter()
        .enumerate()
        .map(|(line, (address, kind, action))| {
            json!({
                "address": address, "kind": kind, "id": format!("/subscriptions/0/{address}"), "action": action,
                "irreversible": false, "source": { "file": "main.aks", "line": line + 1 },
                "reasons": if *action == "create" { json!([]) } else { json!([{
                    "cause": "drift", "attribute": "purge_protection", "before": false, "after": true, "sensitive": false,
                    "known_after_apply": false, "effect": "in_place",
                }]) },
            })
        })
        .collect();
    let deleted = changes.iter().filter(|(_, _, action)| *action == "create").count();
    serde_json::from_value(json!({
        "format_version": "1", "stack": "app", "cloud": "public", "digest": "sha256:00",
        "summary": { "create": deleted, "update": changes.len() - deleted, "replace": 0, "delete": 0, "adopt": 0, "forget": 0, "no_op": 5 },
        "changes": all, "access": { "gained": [], "lost": [] }, "requests": { "reads": 3 },
        "found": {
            "high": 0, "medium": 0, "low": 0, "changed": changes.len() - deleted, "deleted": deleted, "unmanaged": 0,
            "tolerated": 0, "unseen": 0, "in_sync": 5,
        },
    }))
    .unwrap()
}

/// A look that found this, or failed.
pub(crate) fn look(document: Option<DriftDocument>) -> Look {
    let outcome = match &document {
        None => Outcome::Failed,
        Some(document) if document.found.unseen > 0 => Outcome::Incomplete,
        Some(document) if document.is_drift() => Outcome::Drift,
        Some(_) => Outcome::InSync,
    };
    let error =
        (!outcome.is_success()).then(|| Told { code: "AKS0511".to_owned(), message: "it lacks a right".to_owned() });
    Look {
        at: jiff::Timestamp::from_second(1_785_000_000).unwrap(),
        folder: ".".to_owned(),
        directory: String::new(),
        stack: Some("app".to_owned()),
        stack_id: document.is_some().then(|| "5b0c7a52-0000-5000-8000-000000000001".to_owned()),
        outcome,
        document,
        error,
        took: Duration::from_millis(1_500),
        seen: Seen::default(),
    }
}
