//! Showing objects: one with its context, lists with pages, members with their types.

use http::StatusCode;
use serde_json::{Value, json};

use super::errors::{self, Outcome};
use super::query::Query;
use super::shape::{self, Body};
use super::{Ask, Call, find};
use crate::reply;
use crate::world::DirectoryEntry;

/// One object of its own set.
pub(super) fn entity(ask: &Ask, entry: &DirectoryEntry, view: Body) -> Body {
    with_context(format!("{}/$metadata#{}/$entity", ask.root, shape::set(entry.kind)), view)
}

/// One object of any kind, typed.
pub(super) fn directory_object(ask: &Ask, entry: &DirectoryEntry) -> Body {
    with_context(format!("{}/$metadata#directoryObjects/$entity", ask.root), typed(entry, false))
}

pub(super) fn with_context(context: String, view: Body) -> Body {
    let mut shown = Body::new();
    shown.insert("@odata.context".to_owned(), context.into());
    shown.extend(view);
    shown
}

/// An object among objects of other kinds.
pub(super) fn typed(entry: &DirectoryEntry, all: bool) -> Body {
    let mut shown = Body::new();
    shown.insert("@odata.type".to_owned(), format!("#microsoft.graph.{}", shape::type_word(entry.kind)).into());
    shown.extend(shape::view(entry, all));
    shown
}

/// Refuses properties that no kind of the set has.
fn check_names(set: &str, query: &Query) -> Outcome<()> {
    let Some(kind) = shape::kind(set) else { return Ok(()) };
    let template = shape::template(kind);
    let asked = query.filter.iter().flat_map(|filter| filter.properties());
    for name in asked.chain(query.select.iter().flatten().map(String::as_str)) {
        if name != "*" && !template.contains_key(name.split('/').next().unwrap_or(name)) {
            return Err(errors::malformed(format!(
                "Could not find a property named '{name}' on type 'microsoft.graph.{}'.",
                shape::type_word(kind)
            )));
        }
    }
    Ok(())
}

/// One object as the request wants it.
pub(super) fn one(call: &Call<'_>, ask: &Ask, entry: &DirectoryEntry) -> Outcome {
    let query = Query::of(call)?;
    let set = shape::set(entry.kind);
    check_names(set, &query)?;
    let view = query.selected(shape::view(entry, query.select.is_some()));
    let context = format!("{}/$metadata#{set}{}/$entity", ask.root, query.context());
    Ok(reply::json(StatusCode::OK, &with_context(context, view)))
}

/// A list, in the order in which it comes. `mixed` lists hold objects of several kinds.
pub(super) fn list(
    call: &mut Call<'_>,
    ask: &Ask,
    context: &str,
    entries: Vec<DirectoryEntry>,
    mixed: bool,
) -> Outcome {
    let query = Query::of(call)?;
    check_names(context, &query)?;
    let holds = |entry: &DirectoryEntry| {
        query.filter.as_ref().is_none_or(|filter| filter.holds(&|name: &str| shape::property(entry, name)))
    };
    let mut found: Vec<DirectoryEntry> = entries.into_iter().filter(holds).collect();
    let total = found.len();
    if let Some(after) = &query.after {
        let at = found.iter().position(|entry| entry.text("id") == after).map(|at| at + 1);
        // An object that is gone meanwhile: in a list by id it is known where it stood.
        let stood = || found.iter().filter(|entry| entry.text("id") <= after.as_str()).count();
        let at = if mixed { at.ok_or_else(Query::expired)? } else { at.unwrap_or_else(stood) };
        found.drain(..at);
    }
    found.retain(|entry| !find::is_behind(call, entry.created));
    let more = found.len() > query.top;
    found.truncate(query.top);
    let next = found.last().filter(|_| more).map(|last| Query::next_link(call, last.text("id")));
    let all = query.select.is_some();
    let shown =
        |entry: &DirectoryEntry| query.selected(if mixed { typed(entry, all) } else { shape::view(entry, all) });
    let value: Vec<Body> = found.iter().map(shown).collect();
    let mut body = json!({ "@odata.context": format!("{}/$metadata#{context}{}", ask.root, query.context()) });
    if query.count {
        body["@odata.count"] = total.into();
    }
    if let Some(next) = next {
        body["@odata.nextLink"] = next.into();
    }
    body["value"] = value.into_iter().map(Value::Object).collect();
    Ok(reply::json(StatusCode::OK, &body))
}

/// The number of objects as plain text; only for a reader that accepts a stale one.
pub(super) fn count(call: &mut Call<'_>, context: &str, entries: &[DirectoryEntry]) -> Outcome {
    let query = Query::of(call)?;
    check_names(context, &query)?;
    if !query.advanced {
        return Err(errors::bad("$count is not currently supported."));
    }
    let holds = |entry: &&DirectoryEntry| {
        query.filter.as_ref().is_none_or(|filter| filter.holds(&|name: &str| shape::property(entry, name)))
    };
    let count = entries.iter().filter(holds).count();
    Ok(reply::typed(StatusCode::OK, "text/plain", count.to_string().into()))
}
