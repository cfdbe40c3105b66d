//! References between objects: members and owners, added and removed by `$ref`, and memberships in
//! every direction.

use std::collections::BTreeSet;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::errors::{self, Outcome};
use super::shape::{self, Body};
use super::{Ask, Call, find, show, write};
use crate::reply;
use crate::world::{DirectoryEntry, DirectoryKind, World};

/// No more references in one request.
const MOST: usize = 20;
/// No more ids in one `getByIds`, nor groups in one `checkMemberGroups`.
const MOST_IDS: usize = 1000;
const MOST_GROUPS: usize = 20;

/// The object ids that a property such as `members@odata.bind` refers to; takes it out of the body.
pub(super) fn bound(world: &World, body: &mut Body, property: &str) -> Outcome<Vec<String>> {
    let urls = match body.remove(property) {
        None => return Ok(Vec::new()),
        Some(Value::Array(urls)) if urls.len() <= MOST => urls,
        Some(Value::Array(_)) => {
            return Err(errors::bad(format!("The number of references in the request exceeds the limit of {MOST}.")));
        }
        Some(_) => return Err(errors::bad(format!("Invalid value specified for property '{property}'."))),
    };
    let mut ids = Vec::with_capacity(urls.len());
    for url in &urls {
        let id = referred(world, url.as_str().unwrap_or_default())?;
        if ids.contains(&id) {
            return Err(errors::already_referenced(property.split('@').next().unwrap_or_default()));
        }
        ids.push(id);
    }
    Ok(ids)
}

/// The object id that a URL refers to: `.../directoryObjects/{id}`, `.../users('a@b')`.
fn referred(world: &World, url: &str) -> Outcome<String> {
    let invalid = || errors::bad(format!("Invalid URI specified in request body: '{url}'."));
    let path = url.split_once("//").and_then(|(_, rest)| rest.split_once('/')).ok_or_else(invalid)?.1;
    let segments = crate::visit::segments(path).ok_or_else(invalid)?;
    let (_, after) = segments.split_first().ok_or_else(invalid)?;
    // Written by old clients: the tenant stands before the set.
    let at = after.iter().position(|segment| {
        let set = segment.split('(').next().unwrap_or_default();
        shape::kind(set).is_some() || set == "directoryObjects"
    });
    let path = super::path::Path::parse(&after[at.ok_or_else(invalid)?..])?;
    let key = path.key.ok_or_else(invalid)?;
    let kind = shape::kind(&path.set).unwrap_or(DirectoryKind::Group);
    let id = find::id_of(world, kind, &key)?;
    let shown = match &key {
        super::path::Key::Id(value) | super::path::Key::Named { value, .. } => value.clone(),
    };
    let found =
        id.and_then(|id| find::by_id(world, &id)).filter(|entry| path.set == "directoryObjects" || entry.kind == kind);
    found.map(|entry| entry.text("id").to_owned()).ok_or_else(|| errors::not_found(&shown))
}

/// Whether these can be members of a group: applications cannot, nor the group itself.
pub(super) fn check_members(world: &World, group: &str, members: &[String]) -> Outcome<()> {
    for member in members {
        let application = world.directory.get(member).is_some_and(|entry| entry.kind == DirectoryKind::Application);
        if application || member == group {
            return Err(errors::bad(
                "Unable to update the specified properties: the object cannot be added as a member of the group.",
            ));
        }
    }
    Ok(())
}

/// Takes a deleted object out of all groups and owners.
pub(super) fn forget(world: &mut World, id: &str) {
    let touched: Vec<String> = world
        .directory
        .iter()
        .filter(|(_, entry)| entry.members.iter().chain(&entry.owners).any(|other| other == id))
        .map(|(id, _)| id.to_owned())
        .collect();
    for other in touched {
        world.directory.edit(&other, |entry| {
            entry.members.retain(|member| member != id);
            entry.owners.retain(|owner| owner != id);
        });
    }
}

/// `members` or `owners` of an object, and what follows.
pub(super) fn answer(call: &mut Call<'_>, ask: &Ask, entry: &DirectoryEntry, relation: &str, rest: &[&str]) -> Outcome {
    let set = shape::set(entry.kind);
    let members = relation == "members";
    let id = entry.text("id").to_owned();
    let update = format!("microsoft.directory/{set}/{relation}/update");
    match (call.visit.method.as_str(), rest) {
        ("GET", [] | [_]) => {
            ask.allowed(call, &format!("microsoft.directory/{set}/{relation}/read"))?;
            let ids = if members { &entry.members } else { &entry.owners };
            listed(call, ask, ids, rest)
        }
        ("POST", ["$ref"]) => {
            ask.allowed(call, &update)?;
            let asked = ask.body(call)?;
            let url = asked.get("@odata.id").and_then(Value::as_str);
            let url = url.ok_or_else(|| errors::bad("A value is required for property '@odata.id'."))?;
            let added = referred(&call.state.world, url)?;
            if members {
                check_members(&call.state.world, &id, std::slice::from_ref(&added))?;
            }
            let known = if members { &entry.members } else { &entry.owners };
            if known.contains(&added) {
                return Err(errors::already_referenced(relation));
            }
            // A managed identity and the like own nothing and have no members.
            let edited = call
                .state
                .world
                .directory
                .edit(&id, |entry| if members { entry.members.push(added) } else { entry.owners.push(added) });
            edited.map(|()| reply::empty(StatusCode::NO_CONTENT)).ok_or_else(errors::denied)
        }
        ("DELETE", [other, "$ref"]) => {
            ask.allowed(call, &update)?;
            let other = other.to_ascii_lowercase();
            let known = if members { &entry.members } else { &entry.owners };
            if !known.contains(&other) {
                return Err(errors::not_found(&other));
            }
            let last = !members && entry.kind == DirectoryKind::Group && known.len() == 1;
            if last {
                return Err(errors::bad("The group must have at least one owner, hence this owner cannot be removed."));
            }
            let edited = call.state.world.directory.edit(&id, |entry| {
                let list = if members { &mut entry.members } else { &mut entry.owners };
                list.retain(|known| *known != other);
            });
            edited.map(|()| reply::empty(StatusCode::NO_CONTENT)).ok_or_else(errors::denied)
        }
        // Without `$ref` it is the object itself that is deleted.
        ("DELETE", [other]) if !other.starts_with('$') => {
            let other = other.to_ascii_lowercase();
            let known = if members { &entry.members } else { &entry.owners };
            if !known.contains(&other) {
                return Err(errors::not_found(&other));
            }
            let kind = find::by_id(&call.state.world, &other).map(|entry| entry.kind);
            write::delete_by_id(call, ask, kind.ok_or_else(|| errors::not_found(&other))?, &other)
        }
        _ => Err(errors::method_not_allowed()),
    }
}

/// A list of objects by their ids: whole, as references, counted, or of one kind only.
pub(super) fn listed(call: &mut Call<'_>, ask: &Ask, ids: &[String], rest: &[&str]) -> Outcome {
    let world = &call.state.world;
    let mut found: Vec<DirectoryEntry> =
        ids.iter().filter_map(|id| find::by_id(world, id)).map(std::borrow::Cow::into_owned).collect();
    match rest {
        [] => show::list(call, ask, "directoryObjects", found, true),
        ["$count"] => show::count(call, "directoryObjects", &found),
        ["$ref"] => {
            let urls = found.iter().map(|entry| {
                let id = entry.text("id");
                json!({ "@odata.id": format!(
                    "{}/v2/{}/directoryObjects/{id}/Microsoft.DirectoryServices.{}",
                    call.visit.base, world.tenant, shape::class(entry.kind)
                )})
            });
            let context = format!("{}/$metadata#Collection($ref)", ask.root);
            Ok(reply::json(StatusCode::OK, &json!({ "@odata.context": context, "value": urls.collect::<Vec<_>>() })))
        }
        [cast] => {
            let word = cast.strip_prefix("microsoft.graph.").ok_or_else(|| errors::no_segment(cast))?;
            found.retain(|entry| shape::type_word(entry.kind) == word);
            let set = found.first().map_or("directoryObjects", |entry| shape::set(entry.kind));
            show::list(call, ask, set, found, false)
        }
        [other, ..] => Err(errors::no_segment(other)),
    }
}

/// Everybody in a group and in the groups in it.
pub(super) fn transitive_members(world: &World, id: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    let mut open = std::collections::VecDeque::from([id.to_owned()]);
    while let Some(next) = open.pop_front() {
        for member in world.directory.get(&next).map(|entry| entry.members.clone()).unwrap_or_default() {
            if seen.insert(member.clone()) {
                found.push(member.clone());
                open.push_back(member);
            }
        }
    }
    found
}

/// The groups that somebody is directly in.
pub(super) fn member_of(world: &World, id: &str) -> Vec<String> {
    let groups = world.groups_of(id).into_iter();
    groups
        .filter(|group| world.directory.get(group).is_some_and(|entry| entry.members.iter().any(|member| member == id)))
        .collect()
}

/// `checkMemberGroups`, `getMemberGroups`, `checkMemberObjects`, `getMemberObjects`.
pub(super) fn membership(call: &mut Call<'_>, ask: &Ask, id: &str, function: &str) -> Outcome {
    if call.visit.method != Method::POST {
        return Err(errors::method_not_allowed());
    }
    let asked = ask.body(call)?;
    let groups = call.state.world.groups_of(id);
    let value: Vec<String> = match function {
        "checkMemberGroups" | "checkMemberObjects" => {
            let name = if function == "checkMemberGroups" { "groupIds" } else { "ids" };
            let wanted = asked.get(name).and_then(Value::as_array).ok_or_else(|| {
                errors::bad(format!("A value is required for property '{name}' of resource '{function}'."))
            })?;
            if wanted.len() > MOST_GROUPS {
                return Err(errors::bad(format!("The number of ids in '{name}' exceeds the limit of {MOST_GROUPS}.")));
            }
            let wanted = wanted.iter().filter_map(Value::as_str).map(str::to_ascii_lowercase);
            wanted.filter(|group| groups.contains(group)).collect()
        }
        _ => {
            let secure = asked.get("securityEnabledOnly").and_then(Value::as_bool);
            let secure = secure.ok_or_else(|| errors::required("securityEnabledOnly", function))?;
            let directory = &call.state.world.directory;
            let fits = |group: &String| {
                !secure
                    || directory.get(group).and_then(|entry| shape::property(entry, "securityEnabled"))
                        == Some(&Value::Bool(true))
            };
            groups.into_iter().filter(fits).collect()
        }
    };
    let context = format!("{}/$metadata#Collection(Edm.String)", ask.root);
    Ok(reply::json(StatusCode::OK, &json!({ "@odata.context": context, "value": value })))
}

/// `POST /directoryObjects/getByIds`: what is not there is left out.
pub(super) fn get_by_ids(call: &mut Call<'_>, ask: &Ask) -> Outcome {
    if call.visit.method != Method::POST {
        return Err(errors::method_not_allowed());
    }
    let asked = ask.body(call)?;
    let ids = asked.get("ids").and_then(Value::as_array).filter(|ids| !ids.is_empty());
    let ids = ids.ok_or_else(|| errors::required("ids", "getByIds"))?;
    if ids.len() > MOST_IDS {
        return Err(errors::bad(format!("The number of ids exceeds the limit of {MOST_IDS}.")));
    }
    let types: Option<Vec<&str>> =
        asked.get("types").and_then(Value::as_array).map(|types| types.iter().filter_map(Value::as_str).collect());
    let mut found: Vec<DirectoryEntry> = Vec::new();
    for id in ids.iter().filter_map(Value::as_str) {
        let entry = find::by_id(&call.state.world, id).map(std::borrow::Cow::into_owned);
        let wanted = |entry: &DirectoryEntry| {
            let word = shape::type_word(entry.kind);
            types
                .as_ref()
                .is_none_or(|types| types.is_empty() || types.contains(&word) || types.contains(&"directoryObject"))
        };
        if let Some(entry) = entry.filter(wanted)
            && !find::is_behind(call, entry.created)
            && !found.iter().any(|known| known.text("id") == entry.text("id"))
        {
            found.push(entry);
        }
    }
    let value: Vec<Value> = found.iter().map(|entry| Value::Object(show::typed(entry, false))).collect();
    let context = format!("{}/$metadata#directoryObjects", ask.root);
    Ok(reply::json(StatusCode::OK, &json!({ "@odata.context": context, "value": value })))
}
