//! Microsoft Graph: the directory's users, groups, applications and service principals. What they are
//! is in the world; no mail, no devices, no policies.

mod audits;
mod batch;
mod credential;
mod errors;
mod filter;
mod find;
mod links;
mod path;
mod query;
mod rights;
pub(crate) mod seeding;
mod shape;
mod show;
mod write;

use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderValue};
use serde_json::{Value, json};

use super::Call;
use super::login::{self, BadToken};
use crate::clock::WorldTime;
use crate::reply::{self, Answer, WithHeader};
use crate::world::principals::PrincipalKind;
use crate::world::{DirectoryEntry, DirectoryKind, World};
use errors::Outcome;
use path::{Key, Path};
use shape::Body;

/// The audiences whose tokens Graph accepts.
const AUDIENCES: [&str; 2] = ["https://graph.microsoft.com", "00000003-0000-0000-c000-000000000000"];

/// Applies everything whose time has come.
pub(crate) fn settle(world: &mut World, now: WorldTime) {
    write::settle(world, now);
}

/// Every object of the directory as Graph would show it whole, for the view from outside.
pub(crate) fn everything(world: &World) -> Vec<(String, Value)> {
    let shown = world.directory.iter().map(|(id, entry)| {
        let mut view = show::typed(entry, true);
        if entry.kind == DirectoryKind::Group {
            view.insert("members".to_owned(), json!(entry.members));
        }
        if entry.kind != DirectoryKind::User {
            view.insert("owners".to_owned(), json!(entry.owners));
        }
        if entry.kind == DirectoryKind::Application {
            view.insert("federatedIdentityCredentials".to_owned(), json!(entry.credentials));
        }
        (id.to_owned(), Value::Object(view))
    });
    shown.collect()
}

/// What a request is about, besides the call.
struct Ask {
    /// `https://graph.microsoft.com/v1.0`.
    root: String,
    /// The object id of whoever calls.
    principal: String,
}

impl Ask {
    fn allowed(&self, call: &Call<'_>, action: &str) -> Outcome<()> {
        rights::check(call, &self.principal, action)
    }

    /// The body, which must be a JSON object.
    fn body(&self, call: &Call<'_>) -> Outcome<Body> {
        if call.visit.body.is_empty() {
            return Err(errors::malformed("Empty Payload. JSON content expected."));
        }
        match serde_json::from_slice(&call.visit.body) {
            Ok(Value::Object(body)) => Ok(body),
            _ => Err(errors::malformed(format!(
                "Unable to read JSON request payload of {}. Please ensure Content-Type header is set and payload is of valid JSON format.",
                self.root
            ))),
        }
    }
}

pub(super) fn answer(call: &mut Call<'_>) -> Answer {
    let answer = respond(call);
    audits::note(call);
    answer
}

/// Answers a call, alone or as a part of a batch.
fn respond(call: &mut Call<'_>) -> Answer {
    let segments = call.visit.segments().unwrap_or_default();
    let units = cost(&segments, call.visit.query.get("$filter").is_some());
    let outcome = route(call, &segments);
    let mut answer = match outcome {
        Ok(answer) => {
            let request = call.state.world.luck.guid();
            let client = call.visit.header("client-request-id").unwrap_or(&request).to_owned();
            answer.with("request-id", &request).with("client-request-id", &client)
        }
        Err(error) => error.into_answer(call),
    };
    if answer.status().is_success() && !answer.body().is_empty() {
        let json =
            answer.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
        if json {
            let kind =
                "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";
            answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        answer = answer.with("odata-version", "4.0");
    }
    answer.with("x-ms-resource-unit", &units.to_string())
}

/// Resource units (recorded).
fn cost(segments: &[String], filtered: bool) -> u32 {
    match segments.last().map_or("", String::as_str) {
        "getByIds" | "members" | "transitiveMembers" => 3,
        "checkMemberGroups" => 4,
        "getMemberGroups" => 2,
        "applications" | "users" if filtered => 2,
        _ => 1,
    }
}

fn route(call: &mut Call<'_>, segments: &[String]) -> Outcome {
    let checked = login::principal(&call.state.world, call.visit.header("authorization"), &AUDIENCES, call.now);
    let principal = checked.map_err(|bad| {
        errors::unauthenticated(match bad {
            BadToken::Missing => "Access token is empty.",
            BadToken::Invalid => "CompactToken parsing failed with error code: 80049217",
            BadToken::WrongAudience => "Access token validation failure. Invalid audience.",
            BadToken::Expired { .. } => "Lifetime validation failed, the token is expired.",
        })
    })?;
    let Some((version, rest)) = segments.split_first() else { return Err(errors::no_segment("")) };
    if version != "v1.0" && version != "beta" {
        return Err(errors::malformed("Invalid version."));
    }
    let ask = Ask { root: format!("{}/{version}", call.visit.base), principal };
    let path = Path::parse(rest)?;
    let rest = path.rest();
    match (path.set.as_str(), &path.key) {
        ("$batch", None) => batch::answer(call, &ask),
        ("me", None) => me(call, &ask, &rest),
        ("organization", key) => organization(call, &ask, key.as_ref()),
        ("directory", None) => match rest.as_slice() {
            ["deletedItems", rest @ ..] => write::deleted_items(call, &ask, rest),
            other => Err(errors::no_segment(other.first().copied().unwrap_or("directory"))),
        },
        ("auditLogs", None) => match rest.as_slice() {
            ["directoryAudits", rest @ ..] => audits::answer(call, &ask, rest),
            other => Err(errors::no_segment(other.first().copied().unwrap_or("auditLogs"))),
        },
        ("directoryObjects", None) if rest == ["getByIds"] => {
            ask.allowed(call, "microsoft.directory/directoryObjects/standard/read")?;
            links::get_by_ids(call, &ask)
        }
        ("directoryObjects", Some(Key::Id(id))) => of_any(call, &ask, id, &rest),
        (set, key) => match (shape::kind(set), key) {
            (Some(kind), Some(key)) => of_object(call, &ask, kind, key, &rest),
            (Some(kind), None) => of_set(call, &ask, kind, &rest),
            (None, _) => Err(errors::no_segment(set)),
        },
    }
}

fn of_set(call: &mut Call<'_>, ask: &Ask, kind: DirectoryKind, rest: &[&str]) -> Outcome {
    let set = shape::set(kind);
    match (call.visit.method.as_str(), rest) {
        ("GET", [] | ["$count"]) => {
            ask.allowed(call, &format!("microsoft.directory/{set}/standard/read"))?;
            let world = &call.state.world;
            let found: Vec<DirectoryEntry> =
                find::all(world, kind).into_iter().map(std::borrow::Cow::into_owned).collect();
            if rest.is_empty() { show::list(call, ask, set, found, false) } else { show::count(call, set, &found) }
        }
        ("POST", []) => write::create(call, ask, kind),
        (_, []) => Err(errors::method_not_allowed()),
        (_, [other, ..]) => Err(errors::no_segment(other)),
    }
}

fn of_object(call: &mut Call<'_>, ask: &Ask, kind: DirectoryKind, key: &Key, rest: &[&str]) -> Outcome {
    match (call.visit.method.as_str(), rest) {
        ("PATCH", []) => return write::update(call, ask, kind, key),
        ("DELETE", []) => return write::delete(call, ask, kind, key),
        _ => {}
    }
    let entry = find::by_key(&call.state.world, kind, key)?.into_owned();
    of_entry(call, ask, &entry, key, rest)
}

/// One object, or what belongs to it.
fn of_entry(call: &mut Call<'_>, ask: &Ask, entry: &DirectoryEntry, key: &Key, rest: &[&str]) -> Outcome {
    let set = shape::set(entry.kind);
    let id = entry.text("id").to_owned();
    let reads = login::reads(&call.visit.method);
    if reads && find::is_behind(call, entry.created) {
        return Err(errors::not_found(match key {
            Key::Id(value) | Key::Named { value, .. } => value,
        }));
    }
    let group = entry.kind == DirectoryKind::Group;
    let application = matches!(entry.kind, DirectoryKind::Application | DirectoryKind::ServicePrincipal);
    match rest {
        [] if reads => {
            ask.allowed(call, &format!("microsoft.directory/{set}/standard/read"))?;
            show::one(call, ask, entry)
        }
        ["members", rest @ ..] if group => links::answer(call, ask, entry, "members", rest),
        ["owners", rest @ ..] if entry.kind != DirectoryKind::User => links::answer(call, ask, entry, "owners", rest),
        ["transitiveMembers", rest @ ..] if group && reads => {
            ask.allowed(call, "microsoft.directory/groups/members/read")?;
            let ids = links::transitive_members(&call.state.world, &id);
            links::listed(call, ask, &ids, rest)
        }
        ["memberOf" | "transitiveMemberOf", more @ ..] if reads && entry.kind != DirectoryKind::Application => {
            ask.allowed(call, &format!("microsoft.directory/{set}/memberOf/read"))?;
            let world = &call.state.world;
            let ids = if rest[0] == "memberOf" { links::member_of(world, &id) } else { world.groups_of(&id) };
            links::listed(call, ask, &ids, more)
        }
        [function @ ("checkMemberGroups" | "getMemberGroups" | "checkMemberObjects" | "getMemberObjects")] => {
            ask.allowed(call, &format!("microsoft.directory/{set}/memberOf/read"))?;
            links::membership(call, ask, &id, function)
        }
        ["addPassword"] if application && !reads => credential::add_password(call, ask, entry),
        ["removePassword"] if application && !reads => credential::remove_password(call, ask, entry),
        ["federatedIdentityCredentials", rest @ ..] => credential::federated(call, ask, entry, rest),
        [] => Err(errors::method_not_allowed()),
        [other, ..] => Err(errors::no_segment(other)),
    }
}

/// `/directoryObjects/{id}`: of whatever kind.
fn of_any(call: &mut Call<'_>, ask: &Ask, id: &str, rest: &[&str]) -> Outcome {
    let entry = find::by_id(&call.state.world, id).ok_or_else(|| errors::not_found(id))?.into_owned();
    match (call.visit.method.as_str(), rest) {
        ("DELETE", []) => write::delete_by_id(call, ask, entry.kind, &id.to_ascii_lowercase()),
        ("GET", []) => {
            ask.allowed(call, &format!("microsoft.directory/{}/standard/read", shape::set(entry.kind)))?;
            if find::is_behind(call, entry.created) {
                return Err(errors::not_found(id));
            }
            Ok(reply::json(StatusCode::OK, &show::directory_object(ask, &entry)))
        }
        (_, []) => Err(errors::method_not_allowed()),
        _ => of_entry(call, ask, &entry, &Key::Id(id.to_owned()), rest),
    }
}

/// `/me`: only a person has one.
fn me(call: &mut Call<'_>, ask: &Ask, rest: &[&str]) -> Outcome {
    let user = call.state.world.principal(&ask.principal).filter(|found| found.kind == PrincipalKind::User);
    if user.is_none() {
        return Err(errors::malformed("/me request is only valid with delegated authentication flow."));
    }
    of_object(call, ask, DirectoryKind::User, &Key::Id(ask.principal.clone()), rest)
}

fn organization(call: &mut Call<'_>, ask: &Ask, key: Option<&Key>) -> Outcome {
    if !login::reads(&call.visit.method) {
        return Err(errors::method_not_allowed());
    }
    ask.allowed(call, "microsoft.directory/organization/standard/read")?;
    let tenant = &call.state.world.tenant;
    let organization = json!({
        "id": tenant,
        "displayName": "Emulated organization",
        "tenantType": "AAD",
        "countryLetterCode": "NL",
        "verifiedDomains": [{
            "capabilities": "Email, OfficeCommunicationsOnline",
            "isDefault": true,
            "isInitial": true,
            "name": "example.com",
            "type": "Managed",
        }],
    });
    match (key, organization) {
        (None, organization) => {
            let context = format!("{}/$metadata#organization", ask.root);
            Ok(reply::json(StatusCode::OK, &json!({ "@odata.context": context, "value": [organization] })))
        }
        (Some(Key::Id(id)), Value::Object(organization)) if id.eq_ignore_ascii_case(tenant) => {
            let context = format!("{}/$metadata#organization/$entity", ask.root);
            Ok(reply::json(StatusCode::OK, &show::with_context(context, organization)))
        }
        (Some(Key::Id(id) | Key::Named { value: id, .. }), _) => Err(errors::not_found(id)),
    }
}
