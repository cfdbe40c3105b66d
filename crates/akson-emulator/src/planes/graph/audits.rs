//! The directory's audit log: which objects were changed, how and by whom. It is made of what a call did to the directory, whichever
//! way, and can be found some time later. What is changed from outside is not in it, nor are sign-ins.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::{Value, json};

use super::errors::{self, GraphError, Outcome};
use super::query::Query;
use super::{AUDIENCES, Ask, Call, login, shape};
use crate::clock::WorldTime;
use crate::reply;
use crate::world::principals::PrincipalKind;
use crate::world::{Audit, DirectoryEntry, DirectoryKind, World};

/// Changes that are kept.
const KEPT: u64 = 2_500;
/// How many a page holds if nothing is asked for, and at most.
const USUAL_PAGE: usize = 100;
const LARGEST_PAGE: usize = 1_000;

/// What happened to an object: the activity, and whom else it is about.
#[derive(Debug, PartialEq)]
struct Activity {
    name: String,
    kind: &'static str,
    targets: Vec<Value>,
}

/// Notes what a call has changed so far.
pub(super) fn note(call: &mut Call<'_>) {
    if login::reads(&call.visit.method) {
        return;
    }
    let Ok(bearer) = login::check(&call.state.world, call.visit.header("authorization"), &AUDIENCES, call.now) else {
        return;
    };
    let purges = call.visit.path.contains("deletedItems");
    let world = &call.state.world;
    let mut activities: Vec<Activity> = Vec::new();
    for (id, before, after) in world.directory.changes() {
        activities.extend(of(world, id, before, after, purges));
    }
    let initiated = match world.principal(&bearer.object_id) {
        Some(user) if user.kind == PrincipalKind::User => json!({
            "app": null,
            "user": {
                "id": user.object_id,
                "displayName": null,
                "userPrincipalName": user.name,
                "ipAddress": call.options.caller_address.to_string(),
                "userType": null,
                "homeTenantId": null,
                "homeTenantName": null,
            },
        }),
        found => json!({
            "app": {
                "appId": bearer.client_id,
                "displayName": found.map(|found| found.name),
                "servicePrincipalId": bearer.object_id,
                "servicePrincipalName": null,
            },
            "user": null,
        }),
    };
    let agent = call.visit.header("user-agent").map(str::to_owned);
    let now = call.now;
    for activity in activities {
        let world = &mut call.state.world;
        let lag = Duration::from_secs(world.luck.between(30, 240));
        let id = format!("Directory_{}", world.luck.guid());
        let correlation = world.luck.guid();
        let details: Vec<Value> = agent.iter().map(|agent| json!({ "key": "User-Agent", "value": agent })).collect();
        let body = json!({
            "id": id,
            "category": match activity.targets.first().and_then(|target| target["type"].as_str()) {
                Some("Application" | "ServicePrincipal") => "ApplicationManagement",
                Some("User") if activity.targets.len() == 1 => "UserManagement",
                _ => "GroupManagement",
            },
            "correlationId": correlation,
            "result": "success",
            "resultReason": "",
            "activityDisplayName": activity.name,
            "activityDateTime": now.to_string(),
            "loggedByService": "Core Directory",
            "operationType": activity.kind,
            "initiatedBy": initiated,
            "targetResources": activity.targets,
            "additionalDetails": details,
        });
        let newest = world.audits.iter().next().and_then(|(key, _)| number(key)).unwrap_or(0);
        let next = newest.saturating_add(1);
        world.audits.insert(key(next), Audit { at: now, visible: now.plus(lag), body });
        if let Some(oldest) = next.checked_sub(KEPT) {
            world.audits.remove(&key(oldest));
        }
    }
}

/// Keys count downwards, so that the newest comes first.
fn key(number: u64) -> String {
    format!("{:016x}", u64::MAX - number)
}

fn number(key: &str) -> Option<u64> {
    u64::from_str_radix(key, 16).ok().map(|left| u64::MAX - left)
}

/// The word for a kind in the names of activities.
fn noun(kind: DirectoryKind) -> &'static str {
    match kind {
        DirectoryKind::User => "user",
        DirectoryKind::Group => "group",
        DirectoryKind::Application => "application",
        DirectoryKind::ServicePrincipal => "service principal",
    }
}

fn target(entry: &DirectoryEntry, modified: &[Value]) -> Value {
    let name = entry.text("userPrincipalName");
    json!({
        "id": entry.text("id"),
        "displayName": entry.body.get("displayName").filter(|_| entry.kind != DirectoryKind::User),
        "type": shape::class(entry.kind),
        "userPrincipalName": (!name.is_empty()).then_some(name),
        "groupType": (entry.kind == DirectoryKind::Group).then_some("azureAD"),
        "modifiedProperties": modified,
    })
}

fn modified(name: &str, old: Option<&Value>, new: Option<&Value>) -> Value {
    json!({
        "displayName": name,
        "oldValue": old.map(ToString::to_string),
        "newValue": new.map(ToString::to_string),
    })
}

/// The activities that changed an object from what it was to what it is.
fn of(
    world: &World,
    id: &str,
    before: Option<&DirectoryEntry>,
    after: Option<&DirectoryEntry>,
    purges: bool,
) -> Vec<Activity> {
    let activity = |name: String, kind: &'static str, targets: Vec<Value>| Activity { name, kind, targets };
    match (before, after) {
        (None, Some(after)) => {
            let set = after.body.iter().filter(|(name, value)| *name != "id" && !value.is_null());
            let set: Vec<Value> = set.map(|(name, value)| modified(name, None, Some(&json!([value])))).collect();
            let mut all = vec![activity(format!("Add {}", noun(after.kind)), "Add", vec![target(after, &set)])];
            all.extend(edges(world, id, None, after));
            all
        }
        (Some(before), Some(after)) if !before.is_live() && after.is_live() => {
            vec![activity(format!("Restore {}", noun(after.kind)), "Update", vec![target(after, &[])])]
        }
        (Some(before), Some(after)) if before.is_live() == after.is_live() => {
            let mut all = Vec::new();
            let names: std::collections::BTreeSet<&String> = before.body.keys().chain(after.body.keys()).collect();
            let mut changed: Vec<Value> = names
                .into_iter()
                .filter(|name| before.body.get(*name) != after.body.get(*name))
                .map(|name| {
                    let side = |entry: &DirectoryEntry| entry.body.get(name).map(|value| json!([value]));
                    modified(name, side(before).as_ref(), side(after).as_ref())
                })
                .collect();
            if before.credentials != after.credentials {
                let (old, new) = (json!(before.credentials), json!(after.credentials));
                changed.push(modified("FederatedIdentityCredentials", Some(&old), Some(&new)));
            }
            if !changed.is_empty() {
                all.push(activity(format!("Update {}", noun(after.kind)), "Update", vec![target(after, &changed)]));
            }
            all.extend(edges(world, id, Some(before), after));
            all
        }
        (Some(entry), _) if entry.is_live() => {
            // The one that has a word of its own.
            let verb = if entry.kind == DirectoryKind::ServicePrincipal { "Remove" } else { "Delete" };
            vec![activity(format!("{verb} {}", noun(entry.kind)), "Delete", vec![target(entry, &[])])]
        }
        (Some(before), _) if purges => {
            vec![activity(format!("Hard Delete {}", noun(before.kind)), "Delete", vec![target(before, &[])])]
        }
        // What is removed when its time is up is nobody's deed.
        (Some(_), _) | (None, None) => Vec::new(),
    }
}

/// Who came and went, one activity each: the one who did is its first target, the object its second.
fn edges(world: &World, id: &str, before: Option<&DirectoryEntry>, after: &DirectoryEntry) -> Vec<Activity> {
    let none = Vec::new();
    let sets = [
        ("member", before.map_or(&none, |before| &before.members), &after.members),
        ("owner", before.map_or(&none, |before| &before.owners), &after.owners),
    ];
    let mut all = Vec::new();
    for (word, old, new) in sets {
        let added = new.iter().filter(|other| !old.contains(other)).map(|other| (true, other));
        let removed = old.iter().filter(|other| !new.contains(other)).map(|other| (false, other));
        for (adds, other) in added.chain(removed) {
            let of = noun(after.kind);
            let value = Value::from(id);
            let (old, new) = if adds { (None, Some(&value)) } else { (Some(&value), None) };
            let class = shape::class(after.kind);
            let changed = vec![modified(&format!("{class}.ObjectID"), old, new)];
            let first = match super::find::by_id(world, other) {
                Some(entry) => target(&entry, &changed),
                None => json!({ "id": other, "displayName": null, "type": "Other", "modifiedProperties": changed }),
            };
            all.push(Activity {
                name: if adds { format!("Add {word} to {of}") } else { format!("Remove {word} from {of}") },
                kind: if adds { "Assign" } else { "Unassign" },
                targets: vec![first, target(after, &[])],
            });
        }
    }
    all
}

/// `GET /auditLogs/directoryAudits`, and one of it by its id.
pub(super) fn answer(call: &mut Call<'_>, ask: &Ask, rest: &[&str]) -> Outcome {
    if !login::reads(&call.visit.method) {
        return Err(errors::method_not_allowed());
    }
    ask.allowed(call, "microsoft.directory/auditLogs/allProperties/read")?;
    let context = format!("{}/$metadata#auditLogs/directoryAudits", ask.root);
    let seen = call.state.world.audits.iter().filter(|(_, audit)| audit.visible <= call.now);
    match rest {
        [] => {
            let wanted = Wanted::read(call.visit.query.get("$filter").unwrap_or_default())?;
            let top = call.visit.query.get("$top").and_then(|text| text.parse::<usize>().ok()).unwrap_or(USUAL_PAGE);
            let top = top.clamp(1, LARGEST_PAGE).min(call.options.page_size.max(1));
            let after = match call.visit.query.get("$skiptoken") {
                None => String::new(),
                Some(token) => {
                    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
                    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(Query::expired)?
                }
            };
            let mut found: Vec<(&str, &Value)> = seen
                .filter(|(key, audit)| *key > after.as_str() && wanted.holds(audit))
                .map(|(key, audit)| (key, &audit.body))
                .collect();
            let more = found.len() > top;
            found.truncate(top);
            let mut body = json!({ "@odata.context": context });
            if let Some((last, _)) = found.last().filter(|_| more) {
                body["@odata.nextLink"] = Query::next_link(call, last).into();
            }
            body["value"] = found.into_iter().map(|(_, body)| body.clone()).collect();
            Ok(reply::json(StatusCode::OK, &body))
        }
        [id] => {
            let mut seen = seen;
            let found = seen.find(|(_, audit)| audit.body["id"] == *id).map(|(_, audit)| audit.body.clone());
            let Some(Value::Object(found)) = found else { return Err(errors::not_found(id)) };
            Ok(reply::json(StatusCode::OK, &super::show::with_context(format!("{context}/$entity"), found)))
        }
        [_, other, ..] => Err(errors::no_segment(other)),
    }
}

/// Which changes are asked for: conditions joined by `and`, as the documentation of this list has them.
#[derive(Debug, Default, PartialEq, Eq)]
struct Wanted {
    from: Option<WorldTime>,
    to: Option<WorldTime>,
    /// Pointers into the entry, and what stands there.
    fields: Vec<(String, String)>,
    /// The id of one of its targets.
    target: Option<String>,
}

impl Wanted {
    fn read(text: &str) -> Result<Self, GraphError> {
        /// What can be compared.
        const FIELDS: [&str; 9] = [
            "activityDisplayName",
            "category",
            "correlationId",
            "loggedByService",
            "operationType",
            "result",
            "initiatedBy/user/id",
            "initiatedBy/user/userPrincipalName",
            "initiatedBy/app/appId",
        ];
        let invalid = || errors::bad("Invalid filter clause");
        let mut wanted = Self::default();
        for condition in text.split(" and ").map(str::trim).filter(|condition| !condition.is_empty()) {
            if let Some(inner) = condition.strip_prefix("targetResources/any(").and_then(|rest| rest.strip_suffix(')'))
            {
                let (variable, condition) = inner.split_once(':').ok_or_else(invalid)?;
                let field = condition.trim().strip_prefix(&format!("{}/id eq ", variable.trim()));
                wanted.target = Some(quoted(field.ok_or_else(invalid)?).ok_or_else(invalid)?);
                continue;
            }
            let mut words = condition.splitn(3, ' ');
            let (Some(field), Some(operator), Some(value)) = (words.next(), words.next(), words.next()) else {
                return Err(invalid());
            };
            match (field, operator) {
                ("activityDateTime", "ge" | "gt" | "le" | "lt") => {
                    let at: jiff::Timestamp = value.trim().parse().map_err(|_| invalid())?;
                    let at = Some(WorldTime(at.as_millisecond()));
                    if operator.starts_with('g') { wanted.from = at } else { wanted.to = at }
                }
                (field, "eq") if FIELDS.contains(&field) => {
                    wanted.fields.push((format!("/{field}"), quoted(value).ok_or_else(invalid)?));
                }
                _ => return Err(invalid()),
            }
        }
        Ok(wanted)
    }

    fn holds(&self, audit: &Audit) -> bool {
        let same = |pointer: &str, wanted: &str| {
            audit.body.pointer(pointer).and_then(Value::as_str).is_some_and(|text| text.eq_ignore_ascii_case(wanted))
        };
        let targets = || audit.body["targetResources"].as_array().into_iter().flatten();
        self.from.is_none_or(|from| from <= audit.at)
            && self.to.is_none_or(|to| audit.at <= to)
            && self.fields.iter().all(|(pointer, wanted)| same(pointer, wanted))
            && self.target.as_ref().is_none_or(|id| {
                targets().any(|target| target["id"].as_str().is_some_and(|known| known.eq_ignore_ascii_case(id)))
            })
    }
}

fn quoted(text: &str) -> Option<String> {
    Some(text.trim().strip_prefix('\'')?.strip_suffix('\'')?.replace("''", "'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters() {
        let check = |text: &str, expected: Option<(Option<&str>, usize)>| {
            let found = Wanted::read(text).ok();
            let found = found.as_ref().map(|wanted| (wanted.target.as_deref(), wanted.fields.len()));
            assert_eq!(found, expected, "{text}");
        };
        check("", Some((None, 0)));
        check("activityDateTime ge 2026-01-01T00:00:00Z", Some((None, 0)));
        check(
            "activityDateTime ge 2026-01-01T00:00:00Z and targetResources/any(t:t/id eq 'x') and category eq 'GroupManagement'",
            Some((Some("x"), 1)),
        );
        check("initiatedBy/user/userPrincipalName eq 'a@b'", Some((None, 1)));
        check("targetResources/any(t: t/id eq 'x')", Some((Some("x"), 0)));
        check("targetResources/any(t:u/id eq 'x')", None);
        check("activityDateTime ge 'x'", None);
        check("colour eq 'x'", None);
        check("category eq GroupManagement", None);
    }
}
