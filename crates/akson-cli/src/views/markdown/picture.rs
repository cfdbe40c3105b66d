//! The changed part of the graph as a Mermaid picture: what changes, what of it needs what, and who gets access to what. Labels are drawn letter
//! by letter, so that no name can be taken for syntax.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use serde_json::Value;

use super::{classes::Class, cut};
use crate::document::PlanDocument;

/// More boxes than this are no picture any more.
const BOXES: usize = 30;
/// And more lines.
const LINES: usize = 60;

/// The picture; none if nothing in it would be joined.
pub(super) fn mermaid(document: &PlanDocument, classes: &[Class<'_>]) -> Option<String> {
    let shown = classes.get(..BOXES.min(classes.len()))?;
    let mut places: BTreeMap<&str, String> = BTreeMap::new();
    let mut boxes = String::new();
    for (at, class) in shown.iter().enumerate() {
        for change in &class.changes {
            places.insert(&change.address, format!("r{at}"));
        }
        let style = match class.action() {
            "create" => "new",
            "delete" | "replace" => "gone",
            _ => "changed",
        };
        let _ = writeln!(boxes, "  r{at}[\"{}\"]:::{style}", label(&class.label()));
    }
    let mut lines: BTreeSet<String> = BTreeSet::new();
    for class in shown {
        for change in &class.changes {
            let Some(from) = places.get(change.address.as_str()) else { continue };
            for to in change.needs.iter().filter_map(|need| places.get(need.as_str())).filter(|to| *to != from) {
                lines.insert(format!("  {to} --> {from}\n"));
            }
        }
    }
    let mut others: BTreeMap<String, String> = BTreeMap::new();
    for (list, style) in [("gained", "==>"), ("lost", "-.->")] {
        for edge in document.access.get(list).and_then(Value::as_array).into_iter().flatten() {
            let text = |name: &str| edge.get(name).and_then(Value::as_str).unwrap_or_default();
            let mut place = |name: &str| -> Option<String> {
                if let Some(place) = places.get(name) {
                    return Some(place.clone());
                }
                if !others.contains_key(name) && shown.len() + others.len() >= BOXES + BOXES / 2 {
                    return None;
                }
                let at = others.len();
                Some(others.entry(name.to_owned()).or_insert_with(|| format!("o{at}")).clone())
            };
            if let (Some(who), Some(on)) = (place(text("who")), place(text("on"))) {
                lines.insert(format!("  {who} {style}|\"{}\"| {on}\n", label(text("can"))));
            }
        }
    }
    if lines.is_empty() {
        return None;
    }
    for (name, place) in &others {
        let _ = writeln!(boxes, "  {place}([\"{}\"])", label(name));
    }
    let mut out = format!("graph LR\n{boxes}");
    lines.iter().take(LINES).for_each(|line| out.push_str(line));
    out.push_str("  classDef new stroke:#1a7f37,stroke-width:2px\n  classDef changed stroke:#9a6700,stroke-width:2px\n  classDef gone stroke:#cf222e,stroke-width:2px\n");
    Some(out)
}

/// A label that is one whatever is in it.
fn label(text: &str) -> String {
    let mut out = String::new();
    // Of an id its end tells most.
    let steps: Vec<&str> = text.split('/').collect();
    let end = match steps.len() {
        7.. if text.starts_with('/') => format!("…/{}", steps.get(steps.len() - 4..).unwrap_or_default().join("/")),
        _ => text.to_owned(),
    };
    for character in cut(&end, 60).chars() {
        if character.is_ascii_alphanumeric() || matches!(character, ' ' | '_' | '.' | '/' | '-' | ',') {
            out.push(character);
        } else {
            let _ = write!(out, "#{};", u32::from(character));
        }
    }
    out
}
