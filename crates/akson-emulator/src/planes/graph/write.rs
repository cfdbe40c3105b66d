//! Making, changing and deleting directory objects, by id and by alternate key.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use super::errors::{self, GraphError, Outcome};
use super::path::Key;
use super::shape::{self, Body};
use super::{Ask, Call, find, links, show};
use crate::clock::WorldTime;
use crate::reply::{self, Answer, WithHeader};
use crate::world::principals::PrincipalKind;
use crate::world::{DirectoryEntry, DirectoryKind, World};

/// How long a soft-deleted object can be restored.
const RESTORABLE: Duration = Duration::from_secs(30 * 24 * 3600);

/// Removes what was soft-deleted long ago.
pub(super) fn settle(world: &mut World, now: WorldTime) {
    let gone: Vec<String> = world
        .directory
        .iter()
        .filter(|(_, entry)| entry.deleted.is_some_and(|deleted| deleted.plus(RESTORABLE) <= now))
        .map(|(id, _)| id.to_owned())
        .collect();
    for id in gone {
        world.directory.remove(&id);
    }
}

/// `POST /groups` and the like.
pub(super) fn create(call: &mut Call<'_>, ask: &Ask, kind: DirectoryKind) -> Outcome {
    ask.allowed(call, &format!("microsoft.directory/{}/create", shape::set(kind)))?;
    let asked = ask.body(call)?;
    create_with(call, ask, kind, asked)
}

fn create_with(call: &mut Call<'_>, ask: &Ask, kind: DirectoryKind, mut asked: Body) -> Outcome {
    let members = links::bound(&call.state.world, &mut asked, "members@odata.bind")?;
    let owners = links::bound(&call.state.world, &mut asked, "owners@odata.bind")?;
    if kind != DirectoryKind::Group && !members.is_empty() {
        return Err(errors::bad("One or more properties contains invalid values."));
    }
    links::check_members(&call.state.world, "", &members)?;
    let asked = known(kind, asked)?;
    for property in asked.keys() {
        if shape::is_read_only(kind, property) {
            return Err(errors::read_only(property));
        }
    }
    if kind == DirectoryKind::ServicePrincipal && app_is_new(call, &asked) {
        let app_id = asked.get("appId").and_then(Value::as_str).unwrap_or_default();
        return Err(GraphError::new(
            StatusCode::BAD_REQUEST,
            "Request_BadRequest",
            format!(
                "When using this permission, the backing application of the service principal being created must in the local tenant: '{app_id}'."
            ),
        ));
    }
    let world = &mut call.state.world;
    let mut body = checked(world, kind, &asked, None)?;
    complete(world, kind, &mut body, call.now)?;
    let id = world.dice.guid();
    body.insert("id".to_owned(), id.as_str().into());
    if kind == DirectoryKind::Group {
        body.insert("securityIdentifier".to_owned(), shape::security_identifier(&id).into());
    }
    let mut entry = DirectoryEntry::new(kind, body, call.now);
    entry.members = members;
    entry.owners = owners;
    // Recorded: a person who makes an application owns it.
    let person = world.principal(&ask.principal).is_some_and(|found| found.kind == PrincipalKind::User);
    if kind == DirectoryKind::Application && entry.owners.is_empty() && person {
        entry.owners.push(ask.principal.clone());
    }
    let location = format!(
        "{}/v2/{}/directoryObjects/{id}/Microsoft.DirectoryServices.{}",
        call.visit.base,
        world.tenant,
        shape::class(kind)
    );
    let shown = show::entity(ask, &entry, shape::view(&entry, false));
    world.directory.insert(id, entry);
    Ok(reply::json(StatusCode::CREATED, &shown).with("location", &location))
}

/// An application that was just made may be unknown to the replica that makes its service principal.
fn app_is_new(call: &mut Call<'_>, asked: &Body) -> bool {
    let app_id = asked.get("appId").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    let world = &call.state.world;
    let application = world.key_index().applications.get(&app_id).cloned();
    let created = application.and_then(|id| world.directory.get(&id)).map(|entry| entry.created);
    created.is_some_and(|created| find::is_behind(call, created))
}

/// `PATCH` by id, or by an alternate key that may make the object.
pub(super) fn update(call: &mut Call<'_>, ask: &Ask, kind: DirectoryKind, key: &Key) -> Outcome {
    let id = find::id_of(&call.state.world, kind, key)?;
    let entry = id.as_ref().and_then(|id| call.state.world.directory.get(id));
    if entry.is_none_or(|entry| !entry.is_live() || entry.kind != kind) {
        if let Key::Named { property, value } = key
            && call.visit.header("prefer").is_some_and(prefers_creation)
        {
            ask.allowed(call, &format!("microsoft.directory/{}/create", shape::set(kind)))?;
            if entry.is_some_and(|entry| !entry.is_live()) {
                return Err(errors::taken(property));
            }
            let mut asked = ask.body(call)?;
            if asked.get(property).and_then(Value::as_str).is_some_and(|said| !said.eq_ignore_ascii_case(value)) {
                return Err(errors::bad(format!(
                    "The value of property '{property}' differs from the key of the request."
                )));
            }
            asked.insert(property.clone(), value.as_str().into());
            return create_with(call, ask, kind, asked);
        }
        // What is derived is there but cannot be written.
        find::by_key(&call.state.world, kind, key)?;
        return Err(errors::denied());
    }
    let Some(id) = id else { return Err(errors::not_found("")) };
    ask.allowed(call, &format!("microsoft.directory/{}/update", shape::set(kind)))?;
    let mut asked = ask.body(call)?;
    let added = links::bound(&call.state.world, &mut asked, "members@odata.bind")?;
    if !added.is_empty() {
        ask.allowed(call, "microsoft.directory/groups/members/update")?;
        if kind != DirectoryKind::Group {
            return Err(errors::bad("One or more properties contains invalid values."));
        }
        links::check_members(&call.state.world, &id, &added)?;
    }
    let asked = known(kind, asked)?;
    let world = &mut call.state.world;
    let Some(entry) = world.directory.get(&id) else { return Err(errors::not_found(&id)) };
    if added.iter().any(|member| entry.members.contains(member)) {
        return Err(errors::already_referenced("members"));
    }
    for (property, value) in &asked {
        let same = shape::property(entry, property) == Some(value);
        if !same && (shape::is_read_only(kind, property) || shape::is_fixed(kind, property)) {
            return Err(errors::read_only(property));
        }
    }
    let changed = checked(world, kind, &asked, Some(&id))?;
    let name = changed.get("displayName").cloned();
    let app_id = entry_text(world, &id, "appId");
    world.directory.edit(&id, |entry| {
        entry.body.extend(changed);
        entry.members.extend(added);
    });
    if let (DirectoryKind::Application, Some(name)) = (kind, name) {
        rename_principal(world, &app_id, &name);
    }
    Ok(reply::empty(StatusCode::NO_CONTENT))
}

fn entry_text(world: &World, id: &str, property: &str) -> String {
    world.directory.get(id).map(|entry| entry.text(property).to_owned()).unwrap_or_default()
}

/// The service principal shows its application's name.
fn rename_principal(world: &mut World, app_id: &str, name: &Value) {
    let principal = world.key_index().service_principals.get(app_id).cloned();
    if let Some(principal) = principal {
        world.directory.edit(&principal, |entry| {
            entry.body.insert("appDisplayName".to_owned(), name.clone());
            entry.body.insert("displayName".to_owned(), name.clone());
        });
    }
}

/// `Prefer: create-if-missing`, alone or among others.
fn prefers_creation(header: &str) -> bool {
    header.split(',').any(|word| word.trim().eq_ignore_ascii_case("create-if-missing"))
}

/// What was sent, without annotations; a property that the kind does not have is refused.
fn known(kind: DirectoryKind, asked: Body) -> Outcome<Body> {
    let template = shape::template(kind);
    let mut kept = Body::new();
    for (property, value) in asked {
        if property.contains('@') {
            continue;
        }
        if !template.contains_key(&property) {
            return Err(errors::bad(format!("Invalid property '{property}'.")));
        }
        kept.insert(property, value);
    }
    Ok(kept)
}

/// Whether values are of their type, and keys are free.
fn checked(world: &World, kind: DirectoryKind, asked: &Body, own: Option<&str>) -> Outcome<Body> {
    let template = shape::template(kind);
    for (property, value) in asked {
        let usual = template.get(property).unwrap_or(&Value::Null);
        let fits = match usual {
            Value::Array(_) => value.is_array(),
            Value::Object(_) => value.is_object(),
            Value::Bool(_) => value.is_boolean(),
            _ => match property.as_str() {
                "displayName" | "mailNickname" | "userPrincipalName" | "uniqueName" | "appId" => {
                    value.as_str().is_some_and(|text| !text.is_empty() && text.chars().count() <= 256)
                }
                "description" | "signInAudience" => value.is_string() || value.is_null(),
                _ => true,
            },
        };
        if !fits {
            return Err(errors::bad(format!(
                "Invalid value specified for property '{property}' of resource '{}'.",
                shape::class(kind)
            )));
        }
    }
    let keys = world.key_index();
    let text = |name: &str| asked.get(name).and_then(Value::as_str).map(str::to_ascii_lowercase);
    let others = |found: Option<&String>| found.is_some_and(|found| Some(found.as_str()) != own);
    if text("uniqueName").is_some_and(|name| others(keys.unique_names.get(&(kind, name)))) {
        return Err(errors::taken("uniqueName"));
    }
    if text("userPrincipalName").is_some_and(|name| others(keys.users.get(&name))) {
        return Err(errors::taken("userPrincipalName"));
    }
    if let Some(app_id) = text("appId").filter(|_| kind == DirectoryKind::ServicePrincipal)
        && own.is_none()
        && keys.service_principals.contains_key(&app_id)
    {
        return Err(errors::same_application(&app_id));
    }
    if let Some(nickname) = text("mailNickname") {
        let fits =
            nickname.len() <= 64 && nickname.chars().all(|c| c.is_ascii_graphic() && !"@()\\[]\";:<>,".contains(c));
        if !fits {
            return Err(errors::bad(format!(
                "Invalid value specified for property 'mailNickname' of resource '{}'.",
                shape::class(kind)
            )));
        }
    }
    if asked.get("isAssignableToRole") == Some(&Value::Bool(true))
        && asked.get("securityEnabled") == Some(&Value::Bool(false))
    {
        return Err(errors::bad("Only security-enabled groups can be assigned to directory roles."));
    }
    Ok(asked.clone())
}

/// What is required, and what the service fills in.
fn complete(world: &mut World, kind: DirectoryKind, body: &mut Body, now: WorldTime) -> Outcome<()> {
    let required: &[&str] = match kind {
        DirectoryKind::User => {
            &["accountEnabled", "displayName", "mailNickname", "passwordProfile", "userPrincipalName"]
        }
        DirectoryKind::Group => &["displayName", "mailEnabled", "mailNickname", "securityEnabled"],
        DirectoryKind::Application => &["displayName"],
        DirectoryKind::ServicePrincipal => &["appId"],
    };
    for property in required {
        if body.get(*property).is_none_or(Value::is_null) {
            return Err(errors::required(property, shape::class(kind)));
        }
    }
    body.insert("createdDateTime".to_owned(), now.to_seconds().into());
    match kind {
        DirectoryKind::User => {
            // Kept nowhere: nobody signs in with a password here.
            body.remove("passwordProfile");
        }
        DirectoryKind::Group => complete_group(body, now)?,
        DirectoryKind::Application => {
            body.insert("appId".to_owned(), world.dice.guid().into());
        }
        DirectoryKind::ServicePrincipal => complete_principal(world, body)?,
    }
    Ok(())
}

/// Recorded: a Microsoft 365 group has mail whatever was asked for.
fn complete_group(body: &mut Body, now: WorldTime) -> Outcome<()> {
    let types: Vec<String> = body
        .get("groupTypes")
        .and_then(Value::as_array)
        .map(|types| types.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        .unwrap_or_default();
    if types.iter().any(|name| name == "DynamicMembership") {
        return Err(GraphError::new(
            StatusCode::FORBIDDEN,
            "Authorization_RequestDenied",
            "Tenant does not have premium license.",
        ));
    }
    body.insert("renewedDateTime".to_owned(), now.to_seconds().into());
    if types.iter().any(|name| name == "Unified") {
        let mail = format!("{}@example.com", body.get("mailNickname").and_then(Value::as_str).unwrap_or_default());
        body.insert("proxyAddresses".to_owned(), json!([format!("SMTP:{mail}")]));
        body.insert("mail".to_owned(), mail.into());
        body.insert("mailEnabled".to_owned(), true.into());
        body.entry("visibility").or_insert_with(|| "Public".into());
        return Ok(());
    }
    if body.get("mailEnabled") != Some(&Value::Bool(false)) || body.get("securityEnabled") != Some(&Value::Bool(true)) {
        return Err(errors::bad(
            "The service does not currently support writes of mail-enabled groups. Please ensure that the mail-enablement property is unset and the security-enablement property is set.",
        ));
    }
    Ok(())
}

fn complete_principal(world: &World, body: &mut Body) -> Outcome<()> {
    let app_id = body.get("appId").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    let application = world.key_index().applications.get(&app_id).cloned();
    let Some(application) = application.and_then(|id| world.directory.get(&id)) else {
        return Err(errors::bad(format!(
            "The appId '{app_id}' of the service principal does not reference a valid application object."
        )));
    };
    let text = |name: &str| shape::property(application, name).cloned().unwrap_or_default();
    for (name, value) in [
        ("appId", text("appId")),
        ("appDisplayName", text("displayName")),
        ("displayName", text("displayName")),
        ("appOwnerOrganizationId", world.tenant.as_str().into()),
        ("servicePrincipalNames", json!([text("appId")])),
        ("signInAudience", text("signInAudience")),
    ] {
        body.insert(name.to_owned(), value);
    }
    Ok(())
}

/// `DELETE`: security groups are gone at once, all else can be restored for a while.
pub(super) fn delete(call: &mut Call<'_>, ask: &Ask, kind: DirectoryKind, key: &Key) -> Outcome {
    let id = find::by_key(&call.state.world, kind, key)?.text("id").to_owned();
    delete_by_id(call, ask, kind, &id)
}

pub(super) fn delete_by_id(call: &mut Call<'_>, ask: &Ask, kind: DirectoryKind, id: &str) -> Outcome {
    ask.allowed(call, &format!("microsoft.directory/{}/delete", shape::set(kind)))?;
    let now = call.now;
    let world = &mut call.state.world;
    // A managed identity goes with its ARM object only.
    let Some(entry) = world.directory.get(id) else { return Err(errors::denied()) };
    let unified = entry.body.get("groupTypes").and_then(Value::as_array).is_some_and(|types| !types.is_empty());
    let app_id = entry.text("appId").to_ascii_lowercase();
    let principal = world.key_index().service_principals.get(&app_id).cloned();
    if kind == DirectoryKind::Group && !unified {
        world.directory.remove(id);
    } else {
        soft_delete(world, id, now);
    }
    if let (DirectoryKind::Application, Some(principal)) = (kind, principal) {
        soft_delete(world, &principal, now);
    }
    links::forget(world, id);
    Ok(reply::empty(StatusCode::NO_CONTENT))
}

fn soft_delete(world: &mut World, id: &str, now: WorldTime) {
    world.directory.edit(id, |entry| {
        entry.deleted = Some(now);
        entry.body.insert("deletedDateTime".to_owned(), now.to_seconds().into());
    });
}

/// `/directory/deletedItems/...`.
pub(super) fn deleted_items(call: &mut Call<'_>, ask: &Ask, rest: &[&str]) -> Outcome {
    let method = call.visit.method.as_str();
    match (method, rest) {
        ("GET", [set]) if set.starts_with("microsoft.graph.") => {
            let kind = match set.trim_start_matches("microsoft.graph.") {
                "user" => DirectoryKind::User,
                "group" => DirectoryKind::Group,
                "application" => DirectoryKind::Application,
                "servicePrincipal" => DirectoryKind::ServicePrincipal,
                other => return Err(errors::no_segment(other)),
            };
            ask.allowed(call, &format!("microsoft.directory/{}/standard/read", shape::set(kind)))?;
            let stored = call.state.world.directory.iter().map(|(_, entry)| entry);
            let found = stored.filter(|entry| entry.kind == kind && !entry.is_live()).cloned().collect();
            show::list(call, ask, shape::set(kind), found, false)
        }
        (_, [id, rest @ ..]) => {
            let id = id.to_ascii_lowercase();
            let found = call.state.world.directory.get(&id).filter(|entry| !entry.is_live()).cloned();
            let entry = found.ok_or_else(|| errors::not_found(&id))?;
            let set = shape::set(entry.kind);
            match (method, rest) {
                ("GET", []) => {
                    ask.allowed(call, &format!("microsoft.directory/{set}/standard/read"))?;
                    Ok(reply::json(StatusCode::OK, &show::directory_object(ask, &entry)))
                }
                ("DELETE", []) => {
                    ask.allowed(call, &format!("microsoft.directory/{set}/delete"))?;
                    call.state.world.directory.remove(&id);
                    Ok(reply::empty(StatusCode::NO_CONTENT))
                }
                ("POST", ["restore"]) => {
                    ask.allowed(call, &format!("microsoft.directory/{set}/update"))?;
                    restore(call, ask, &id, &entry)
                }
                (_, [] | ["restore"]) => Err(errors::method_not_allowed()),
                (_, [other, ..]) => Err(errors::no_segment(other)),
            }
        }
        _ => Err(errors::no_segment("deletedItems")),
    }
}

/// An application comes back with its service principal.
fn restore(call: &mut Call<'_>, ask: &Ask, id: &str, entry: &DirectoryEntry) -> Outcome<Answer> {
    let world = &mut call.state.world;
    let app_id = entry.text("appId").to_owned();
    if entry.kind == DirectoryKind::User
        && world.key_index().users.contains_key(&entry.text("userPrincipalName").to_ascii_lowercase())
    {
        return Err(errors::taken("userPrincipalName"));
    }
    let mut back = vec![id.to_owned()];
    if entry.kind == DirectoryKind::Application {
        let principals = world.directory.iter().filter(|(_, other)| {
            other.kind == DirectoryKind::ServicePrincipal && !other.is_live() && other.text("appId") == app_id
        });
        back.extend(principals.map(|(id, _)| id.to_owned()));
    }
    for id in &back {
        world.directory.edit(id, |entry| {
            entry.deleted = None;
            entry.body.remove("deletedDateTime");
        });
    }
    let restored = world.directory.get(id).cloned().unwrap_or_else(|| entry.clone());
    Ok(reply::json(StatusCode::OK, &show::directory_object(ask, &restored)))
}
