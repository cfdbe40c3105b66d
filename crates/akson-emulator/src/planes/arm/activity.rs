//! The activity log of a subscription: what was written through ARM, by whom, and what came of it. It can
//! be found some time after it happened. Calls to vaults, clusters and the directory are not in it, nor
//! is what is changed from outside.

use std::borrow::Cow;
use std::time::Duration;

use http::{Method, StatusCode};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::path::{Collection, Target};
use super::types::ArmType;
use super::{Call, list, rights};
use crate::access::grants::{self, ticks};
use crate::clock::WorldTime;
use crate::dice;
use crate::errors::{self, Outcome};
use crate::id::ResourceId;
use crate::planes::login;
use crate::reply::{self, Answer};
use crate::world::principals::PrincipalKind;
use crate::world::{Event, EventBody, EventCaller, World};

pub(super) const TYPE_KEY: &str = "microsoft.insights/eventtypes/values";

/// Writes that are kept, each shown as two events.
const KEPT: u64 = 2_500;

/// How long events can be asked for.
const PAST: Duration = Duration::from_secs(90 * 86_400);

/// Notes a write that has been answered.
pub(super) fn note(call: &mut Call<'_>, target: &Target, answer: &Answer) {
    let status = answer.status();
    if login::reads(&call.visit.method) || status == StatusCode::METHOD_NOT_ALLOWED || target.subscription().is_none() {
        return;
    }
    let Some((action, resource)) = rights::action(target, &call.visit.method) else { return };
    let bearer = call.bearer();
    let world = &mut call.state.world;
    // Recorded: some minutes at worst.
    let lag = Duration::from_secs(world.luck.between(20, 180));
    let fresh = world.luck.guid();
    let caller = caller(world, &bearer.object_id);
    let header = |name: &str| call.visit.header(name).map(str::to_owned);
    let logs_bodies = matches!(target, Target::Resource(id) if id.type_key() == grants::TYPE_KEY);
    let event = Event {
        began: call.now,
        ended: call.now.plus(call.work),
        visible: call.now.plus(lag),
        caller,
        object_id: bearer.object_id,
        client_id: bearer.client_id,
        address: call.options.caller_address.to_string(),
        method: call.visit.method.to_string(),
        uri: format!("{}{}", call.visit.base, call.visit.path_and_query()),
        action,
        resource,
        status: status.as_u16(),
        correlation: header("x-ms-correlation-request-id").unwrap_or(fresh),
        client_request: header("x-ms-client-request-id"),
        body: logs_bodies.then(|| EventBody {
            request: serde_json::from_slice(&call.visit.body).unwrap_or(Value::Null),
            response: serde_json::from_slice(answer.body()).unwrap_or(Value::Null),
        }),
    };
    keep(world, event);
}

/// Notes that somebody did what was done from outside, through an application; it can be found at once.
pub(crate) fn note_of(world: &mut World, deed: &Outside<'_>, now: WorldTime) {
    let method = if deed.deletes { Method::DELETE } else { Method::PUT };
    let Some((action, resource)) = Target::parse(deed.id, &method).and_then(|target| rights::action(&target, &method))
    else {
        return;
    };
    let event = Event {
        began: now,
        ended: now,
        visible: now,
        caller: caller(world, deed.object_id),
        object_id: deed.object_id.to_owned(),
        client_id: deed.application.to_owned(),
        address: "203.0.113.99".to_owned(),
        method: method.to_string(),
        uri: format!("https://management.azure.com{}", deed.id),
        action,
        resource,
        status: 200,
        correlation: world.luck.guid(),
        client_request: None,
        body: None,
    };
    keep(world, event);
}

/// Something that was done from outside, in somebody's name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outside<'a> {
    pub(crate) object_id: &'a str,
    /// The application's client id.
    pub(crate) application: &'a str,
    /// To what.
    pub(crate) id: &'a str,
    /// Whether it was deleted, and not written.
    pub(crate) deletes: bool,
}

fn keep(world: &mut World, event: Event) {
    let newest = world.activity.iter().next().and_then(|(key, _)| number(key)).unwrap_or(0);
    let next = newest.saturating_add(1);
    world.activity.insert(key(next), event);
    if let Some(oldest) = next.checked_sub(KEPT) {
        world.activity.remove(&key(oldest));
    }
}

/// What people are told of whoever it was.
fn caller(world: &World, object_id: &str) -> EventCaller {
    let found = world.principal(object_id);
    let user = found.as_ref().filter(|found| found.kind == PrincipalKind::User).map(|found| found.name.clone());
    let index = world.arm_index();
    let identity = index.identities.get(&object_id.to_ascii_lowercase());
    let identity = identity.and_then(|identity| world.objects.get(&identity.key)).map(|object| object.id().to_owned());
    EventCaller { user, name: found.map(|found| found.name), identity }
}

/// Keys count downwards, so that the newest event comes first.
fn key(number: u64) -> String {
    format!("{:016x}", u64::MAX - number)
}

fn number(key: &str) -> Option<u64> {
    u64::from_str_radix(key, 16).ok().map(|left| u64::MAX - left)
}

pub(super) struct Activity;

impl ArmType for Activity {
    fn has_parents(&self) -> bool {
        false
    }

    fn put(&self, call: &mut Call<'_>, _id: &ResourceId, _version: &str) -> Outcome {
        Err(errors::method_not_allowed(call.visit.method.as_str()))
    }

    fn list(&self, call: &mut Call<'_>, collection: &Collection, _version: &str) -> Outcome {
        let wanted = match Wanted::read(call.visit.query.get("$filter").unwrap_or_default(), call.now) {
            Ok(wanted) => wanted,
            // Recorded: the monitor's errors are not wrapped.
            Err(message) => {
                let body = json!({ "code": "BadRequest", "message": message });
                return Ok(reply::json(StatusCode::BAD_REQUEST, &body));
            }
        };
        let select: Vec<String> = call
            .visit
            .query
            .get("$select")
            .unwrap_or_default()
            .split(',')
            .map(|name| name.trim().to_ascii_lowercase())
            .filter(|name| !name.is_empty())
            .collect();
        let subscription = collection.place.subscription.as_deref().unwrap_or_default();
        let inside = format!("/subscriptions/{}", subscription.to_ascii_lowercase());
        let after = list::start(call)?;
        let call = &*call;
        let rows: Vec<(String, Map<String, Value>)> = call
            .state
            .world
            .activity
            .iter()
            .filter(|(_, event)| event.visible <= call.now && wanted.holds(event))
            .filter(|(_, event)| crate::access::covers(&inside, &event.resource.to_ascii_lowercase()))
            .flat_map(|(key, event)| {
                [true, false].map(|end| (format!("{key}{}", u8::from(!end)), shown(call, key, event, end)))
            })
            .filter(|(key, _)| *key > after)
            .map(|(key, mut row)| {
                row.retain(|name, _| select.is_empty() || select.contains(&name.to_ascii_lowercase()));
                (key, row)
            })
            .collect();
        Ok(list::page(call, rows.iter().map(|(key, row)| (key.as_str(), Cow::Borrowed(row)))))
    }
}

/// Which events are asked for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    from: Option<WorldTime>,
    to: Option<WorldTime>,
    /// At most one field beside the time.
    field: Option<(String, String)>,
}

impl Wanted {
    /// Reads a filter; values may be quoted or not. The start is required and at most 90 days ago.
    fn read(text: &str, now: WorldTime) -> Result<Self, String> {
        let invalid = || format!("The $filter '{text}' is not valid.");
        let mut wanted = Self::default();
        for condition in text.split(" and ").map(str::trim).filter(|condition| !condition.is_empty()) {
            let mut words = condition.splitn(3, ' ');
            let (Some(field), Some(operator), Some(value)) = (words.next(), words.next(), words.next()) else {
                return Err(invalid());
            };
            let value = value.trim().trim_matches('\'');
            match (field.to_ascii_lowercase().as_str(), operator.to_ascii_lowercase().as_str()) {
                ("eventtimestamp", operator) => {
                    let at = Some(WorldTime(moment(value).ok_or_else(invalid)?.as_millisecond()));
                    match operator {
                        "ge" | "gt" => wanted.from = at,
                        "le" | "lt" => wanted.to = at,
                        _ => return Err(invalid()),
                    }
                }
                // Accepted and without meaning: all events come from these channels.
                ("eventchannels", "eq") => {}
                (
                    field @ ("resourcegroupname" | "resourceuri" | "resourceid" | "resourceprovider" | "correlationid"),
                    "eq",
                ) => {
                    if wanted.field.is_some() {
                        return Err("At most one of resourceGroupName, resourceUri, resourceProvider and correlationId can be filtered by.".to_owned());
                    }
                    wanted.field = Some((field.to_owned(), value.to_ascii_lowercase()));
                }
                _ => return Err(invalid()),
            }
        }
        match wanted.from {
            None => Err("The $filter must state a start time: eventTimestamp ge '...'.".to_owned()),
            Some(from) if now.since(from) > PAST => {
                Err("The start time cannot be more than 90 days in the past.".to_owned())
            }
            Some(_) => Ok(wanted),
        }
    }

    fn holds(&self, event: &Event) -> bool {
        let in_time = self.from.is_none_or(|from| from <= event.began) && self.to.is_none_or(|to| event.began <= to);
        let resource = event.resource.to_ascii_lowercase();
        in_time
            && self.field.as_ref().is_none_or(|(field, value)| match field.as_str() {
                "resourcegroupname" => group_of(&resource).is_some_and(|group| group == value),
                "resourceprovider" => provider_of(&event.action).eq_ignore_ascii_case(value),
                "correlationid" => event.correlation.eq_ignore_ascii_case(value),
                _ => resource == value.trim_end_matches('/'),
            })
    }
}

/// A moment; without a zone it is of UTC, as clients write it that do not think of zones.
fn moment(text: &str) -> Option<Timestamp> {
    let zoned = text.parse().ok();
    zoned.or_else(|| Some(text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp()))
}

fn provider_of(action: &str) -> &str {
    action.split('/').next().unwrap_or_default()
}

fn group_of(resource: &str) -> Option<&str> {
    let mut words = resource.split('/').skip(3);
    words.next().filter(|word| word.eq_ignore_ascii_case("resourcegroups"))?;
    words.next()
}

/// `Microsoft.KeyVault/vaults` of `Microsoft.KeyVault/vaults/write`.
fn type_of(action: &str) -> &str {
    action.strip_suffix("/action").unwrap_or(action).rsplit_once('/').map_or(action, |(kind, _)| kind)
}

/// The beginning or the end of a write.
fn shown(call: &Call<'_>, key: &str, event: &Event, end: bool) -> Map<String, Value> {
    let tenant = &call.state.world.tenant;
    let subscription = event.resource.split('/').nth(2).unwrap_or_default();
    let named = |value: &str| json!({ "value": value, "localizedValue": value });
    let at = if end { event.ended } else { event.began };
    let id = dice::guid_of(&["event", key, if end { "end" } else { "begin" }]);
    let operation = dice::guid_of(&["operation", key]);
    let failed = event.status >= 400;
    let status = match (end, event.status) {
        (false, _) => "Started",
        (true, 202) => "Accepted",
        (true, _) if failed => "Failed",
        (true, _) => "Succeeded",
    };
    let reason = StatusCode::from_u16(event.status).ok().and_then(|status| status.canonical_reason()).unwrap_or("");
    let words: String = reason.split(' ').collect();
    let sub_status = if end {
        json!({ "value": words, "localizedValue": format!("{reason} (HTTP Status Code: {})", event.status) })
    } else {
        named("")
    };
    let mut properties = json!({
        "eventCategory": "Administrative",
        "entity": event.resource,
        "message": event.action,
        "hierarchy": format!("{tenant}/{subscription}"),
    });
    if let Some(body) = &event.body {
        if end {
            properties["statusCode"] = words.as_str().into();
            properties["responseBody"] = body.response.to_string().into();
        } else {
            properties["requestbody"] = body.request.to_string().into();
        }
    }
    let client_request = event.client_request.as_deref().unwrap_or(&operation);
    let mut row = json!({
        "authorization": { "action": event.action, "scope": event.resource },
        "caller": event.caller.user.as_ref().unwrap_or(&event.object_id),
        "channels": "Operation",
        "claims": {
            "aud": "https://management.azure.com/",
            "iss": format!("https://sts.windows.net/{tenant}/"),
            "appid": event.client_id,
            "appidacr": "1",
            "http://schemas.microsoft.com/identity/claims/objectidentifier": event.object_id,
            "http://schemas.microsoft.com/identity/claims/tenantid": tenant,
            "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier": event.object_id,
            "ipaddr": event.address,
            "idtyp": "app",
            "ver": "1.0",
        },
        "correlationId": event.correlation,
        "description": "",
        "eventDataId": id,
        "eventName": named(if end { "EndRequest" } else { "BeginRequest" }),
        "category": named("Administrative"),
        "httpRequest": {
            "clientRequestId": client_request,
            "clientIpAddress": event.address,
            "method": event.method,
            "uri": event.uri,
        },
        "id": format!("{}/events/{id}/ticks/{}", event.resource, at.ticks()),
        "level": if failed && end { "Error" } else { "Informational" },
        "resourceGroupName": group_of(&event.resource).unwrap_or_default(),
        "resourceProviderName": named(provider_of(&event.action)),
        "resourceId": event.resource,
        "resourceType": named(type_of(&event.action)),
        "operationId": operation,
        "operationName": named(&event.action),
        "properties": properties,
        "status": named(status),
        "subStatus": sub_status,
        "eventTimestamp": ticks(at),
        "submissionTimestamp": event.visible.to_seconds(),
        "subscriptionId": subscription,
        "tenantId": tenant,
    });
    if let Some(user) = &event.caller.user {
        let claims = &mut row["claims"];
        claims["idtyp"] = "user".into();
        claims["appidacr"] = "0".into();
        claims["name"] = event.caller.name.as_ref().unwrap_or(user).as_str().into();
        claims["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"] = user.as_str().into();
        claims["http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"] = user.as_str().into();
    }
    if let Some(identity) = &event.caller.identity {
        row["claims"]["xms_mirid"] = identity.as_str().into();
    }
    row.as_object().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters() {
        let now = WorldTime::EPOCH;
        let check = |text: &str, expected: Option<Option<(&str, &str)>>| {
            let expected = expected.map(|field| field.map(|(name, value)| (name.to_owned(), value.to_owned())));
            assert_eq!(Wanted::read(text, now).ok().map(|wanted| wanted.field), expected, "{text}");
        };
        check("eventTimestamp ge '2026-01-01T00:00:00Z'", Some(None));
        check(
            "eventTimestamp ge 2026-01-01T00:00:00.0000000Z and eventTimestamp le 2026-01-02T00:00:00Z and resourceProvider eq Microsoft.Authorization",
            Some(Some(("resourceprovider", "microsoft.authorization"))),
        );
        check(
            "eventTimestamp ge '2026-01-01T00:00:00Z' and resourceGroupName eq 'Shop' and eventChannels eq 'Admin, Operation'",
            Some(Some(("resourcegroupname", "shop"))),
        );
        check(
            "eventTimestamp ge 2026-01-01T00:00:00.338204 and resourceGroupName eq 'g'",
            Some(Some(("resourcegroupname", "g"))),
        );
        check("", None);
        check("resourceGroupName eq 'shop'", None);
        check("eventTimestamp ge '2025-09-01T00:00:00Z'", None);
        check("eventTimestamp ge 'yesterday'", None);
        check("eventTimestamp ge '2026-01-01T00:00:00Z' and level eq 'x'", None);
        check("eventTimestamp ge '2026-01-01T00:00:00Z' and resourceUri eq 'x' and correlationId eq 'y'", None);
    }

    #[test]
    fn keys_count_downwards() {
        assert!(key(2) < key(1));
        assert_eq!(number(&key(7)), Some(7));
        assert_eq!(type_of("A.B/c/write"), "A.B/c");
        assert_eq!(type_of("A.B/c/start/action"), "A.B/c");
    }
}
