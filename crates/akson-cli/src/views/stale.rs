//! Why an approved plan is not carried out: each resource that moved, with what was there, what was approved and what is there now.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use super::literal;
use crate::{
    approval::{Field, Moved, Sides, Where},
    drift::Actor,
};

/// How many resources are told one by one.
const SHOWN: usize = 40;
const FAINT: Style = Style::new().dimmed();
const NAME: Style = AnsiColor::Yellow.on_default();

/// For people.
pub(crate) fn human(moved: &[Moved]) -> String {
    let mut out = String::new();
    for one in moved.iter().take(SHOWN) {
        let _ = writeln!(out, "{NAME}{}{NAME:#}  {}", literal::safe(&one.address), actions(one));
        let width = one.fields.iter().map(|field| field.attribute.chars().count()).max().unwrap_or(0).min(40);
        for field in &one.fields {
            let pad = width.saturating_sub(field.attribute.chars().count());
            let name = literal::safe(&field.attribute);
            let _ = writeln!(out, "    {name}{:pad$}  approved  {}", "", side(field.approved.as_ref()));
            let _ = writeln!(
                out,
                "    {:width$}  now       {}  {FAINT}# {}{FAINT:#}",
                "",
                side(field.now.as_ref()),
                place(field)
            );
        }
        for actor in &one.by {
            let _ = writeln!(out, "    {FAINT}by {}{FAINT:#}", by(actor));
        }
    }
    if moved.len() > SHOWN {
        let _ = writeln!(out, "and {} more", super::plan::count(moved.len() - SHOWN, "resource"));
    }
    out
}

/// For a pull request's comment.
pub(crate) fn markdown(stack: &str, moved: &[Moved]) -> String {
    let code = super::markdown::code;
    let mut out = String::new();
    let _ = writeln!(out, "### akson apply · {} · the plan is stale\n", code(stack));
    out.push_str("Nothing was changed. Plan again, look at what moved and approve that.\n\n");
    out.push_str("| resource | attribute | approved | now | moved |\n|---|---|---|---|---|\n");
    for one in moved.iter().take(SHOWN) {
        let who = one.by.first().map(|actor| format!(", by {}", code(&by(actor)))).unwrap_or_default();
        let mut line = |attribute: &str, approved: &str, now: &str, place: &str| {
            let _ = writeln!(out, "| {} | {attribute} | {approved} | {now} | {place}{who} |", code(&one.address));
        };
        if one.fields.is_empty() {
            let action = |action: Option<&String>| action.map_or_else(|| "nothing".to_owned(), |action| code(action));
            line("", &action(one.approved.as_ref()), &action(one.now.as_ref()), "the action");
        }
        for field in &one.fields {
            line(
                &code(&field.attribute),
                &code(&side(field.approved.as_ref())),
                &code(&side(field.now.as_ref())),
                place(field),
            );
        }
    }
    if moved.len() > SHOWN {
        let _ = writeln!(out, "\nand {} more", super::plan::count(moved.len() - SHOWN, "resource"));
    }
    out
}

/// For programs: an event each.
pub(crate) fn events(moved: &[Moved]) -> Vec<Value> {
    moved
        .iter()
        .map(|one| {
            let mut event = json!({ "event": "stale" });
            if let (Some(event), Ok(Value::Object(fields))) = (event.as_object_mut(), serde_json::to_value(one)) {
                event.extend(fields);
            }
            event
        })
        .collect()
}

/// Who, with what, when and by which operation.
pub(crate) fn by(actor: &Actor) -> String {
    let mut text = literal::safe(&actor.who);
    for part in [&actor.application, &actor.at].into_iter().flatten() {
        let _ = write!(text, ", {}", literal::safe(part));
    }
    let source = literal::safe(&actor.source.replace('_', " "));
    match &actor.operation {
        Some(operation) => text + &format!(" ({}, {source})", literal::safe(operation)),
        None => text + &format!(" ({source})"),
    }
}

fn actions(one: &Moved) -> String {
    let word = |action: &Option<String>| {
        action.as_deref().map_or_else(|| "nothing".to_owned(), |action| literal::safe(&action.replace('_', "-")))
    };
    if one.approved == one.now {
        format!("approved as {}, and moved since", word(&one.now))
    } else {
        format!("approved as {}, and would now be {}", word(&one.approved), word(&one.now))
    }
}

fn place(field: &Field) -> &'static str {
    match field.moved {
        Where::Outside => "changed outside",
        Where::Configuration => "the configuration changed",
        Where::Both => "changed outside or in the configuration",
    }
}

fn side(sides: Option<&Sides>) -> String {
    let Some(sides) = sides else { return "no change".to_owned() };
    if sides.sensitive {
        return "(sensitive)".to_owned();
    }
    let text = |value: &Value| match value {
        Value::Null => "(absent)".to_owned(),
        value if sides.expression => literal::expression(value),
        value => literal::aks(value),
    };
    let wanted = if sides.known_after_apply { "(known after apply)".to_owned() } else { text(&sides.wanted) };
    format!("{} -> {wanted}", text(&sides.live))
}
