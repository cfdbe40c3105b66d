//! SARIF 2.1.0 for code scanning. A result is recognised again by its code and resource, not by its line, so that
//! moving a block opens no new alert.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::place::Place;
use super::{Options, json};
use crate::{Code, Diagnostic, Diagnostics, Severity, SourceMap, Span, codes};

/// What a path keeps as it is when it becomes a URI: the unreserved characters and the slash.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The whole log: one run, its rules with the text of their pages, its results.
pub(super) fn render(diagnostics: &Diagnostics, sources: &SourceMap, options: &Options) -> String {
    let list = diagnostics.sorted();
    let mut found: BTreeMap<Code, Severity> = BTreeMap::new();
    for diagnostic in &list {
        let severity = found.entry(diagnostic.code).or_insert(diagnostic.severity);
        *severity = (*severity).min(diagnostic.severity);
    }
    let rules: Value = found.iter().map(|(code, severity)| rule(*code, *severity)).collect();
    let indexes: BTreeMap<Code, usize> = found.keys().enumerate().map(|(index, code)| (*code, index)).collect();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let results: Value = list
        .into_iter()
        .map(|diagnostic| {
            let identity = identity(diagnostic, sources);
            let occurrence = seen.entry(identity.clone()).and_modify(|n| *n += 1).or_insert(1);
            let mut value = result(diagnostic, sources, options);
            value["ruleIndex"] = json!(indexes.get(&diagnostic.code));
            value["partialFingerprints"] = json!({
                "akson/v1": format!("{identity}:{occurrence}"),
                // The one name that GitHub's code scanning compares.
                "primaryLocationLineHash": format!("{identity}:{occurrence}"),
            });
            value
        })
        .collect();
    json::text(&json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": { "name": "akson", "semanticVersion": env!("CARGO_PKG_VERSION"), "rules": rules } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    }))
}

fn level(severity: Severity) -> &'static str {
    // SARIF uses the same three words.
    severity.as_str()
}

fn rule(code: Code, severity: Severity) -> Value {
    let mut rule = json!({ "id": code.to_string(), "defaultConfiguration": { "level": level(severity) } });
    if let (Some(title), Some(page)) = (codes::title(code), codes::page(code)) {
        rule["shortDescription"] = json!({ "text": title });
        rule["help"] = json!({ "text": page, "markdown": page });
    }
    rule
}

fn result(diagnostic: &Diagnostic, sources: &SourceMap, options: &Options) -> Value {
    let mut text = diagnostic.message.clone();
    for note in &diagnostic.notes {
        write!(text, "\nnote: {note}").expect("writing to a string never fails");
    }
    if let Some(help) = &diagnostic.help {
        write!(text, "\nhelp: {help}").expect("writing to a string never fails");
    }
    let mut value = json!({
        "ruleId": diagnostic.code.to_string(),
        "level": level(diagnostic.severity),
        "message": { "text": text },
        "locations": [],
    });
    if let Some(span) = diagnostic.primary() {
        let mut location = location(span, sources, options);
        if let Some(address) = &diagnostic.address {
            location["logicalLocations"] = json!([{ "fullyQualifiedName": address, "kind": "resource" }]);
        }
        value["locations"] = json!([location]);
    } else if let Some(address) = &diagnostic.address {
        value["locations"] = json!([{ "logicalLocations": [{ "fullyQualifiedName": address, "kind": "resource" }] }]);
    }
    let related = diagnostic.labels.iter().filter(|label| !label.primary).enumerate().map(|(id, label)| {
        let mut value = location(label.span, sources, options);
        value["id"] = json!(id);
        value["message"] = json!({ "text": label.text });
        value
    });
    value["relatedLocations"] = related.collect();
    let fixes = diagnostic.suggestions.iter().map(|suggestion| {
        let place = Place::of(suggestion.span, sources);
        json!({
            "description": { "text": suggestion.text },
            "artifactChanges": [{
                "artifactLocation": artifact(&place, options),
                "replacements": [{
                    "deletedRegion": region(&place),
                    "insertedContent": { "text": suggestion.replacement },
                }],
            }],
        })
    });
    value["fixes"] = fixes.collect();
    value
}

fn location(span: Span, sources: &SourceMap, options: &Options) -> Value {
    let place = Place::of(span, sources);
    json!({ "physicalLocation": { "artifactLocation": artifact(&place, options), "region": region(&place) } })
}

fn artifact(place: &Place<'_>, options: &Options) -> Value {
    json!({ "uri": utf8_percent_encode(&place.file_from(&options.folder), PATH).to_string() })
}

fn region(place: &Place<'_>) -> Value {
    json!({
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
    })
}

/// What the finding is about, whatever line it stands in: the resource, else the file and the words.
fn identity(diagnostic: &Diagnostic, sources: &SourceMap) -> String {
    let about = diagnostic.address.clone().unwrap_or_else(|| {
        let file = diagnostic.primary().map_or("", |span| sources.get(span.source).name.as_str());
        format!("{file}\n{}", diagnostic.message)
    });
    let digest = Sha256::digest(format!("{}\n{about}", diagnostic.code));
    digest.iter().take(8).fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
