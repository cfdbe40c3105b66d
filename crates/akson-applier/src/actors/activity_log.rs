//! Azure's activity log: who wrote, deleted or acted on what, in a subscription. Not what is in vaults, clusters or the directory.
//!
//! The log is asked once for each resource group, whatever the number of objects in it. It lags behind by minutes: that there is no event yet
//! says nothing.

use std::collections::{BTreeMap, BTreeSet};

use akson_azure::Operation;
use akson_catalog::{ArmId, SymbolicId, kind::ids::type_of, time::of_epoch};
use akson_planner::waves::quoted;
use futures_util::future::join_all;
use serde_json::Value as Json;
use uuid::Uuid;

use super::{Actor, Deed, Found, Happened, Source, Told, application, moment, newest, pages, text};
use crate::{Unread, engine::Engine};

const VERSION: &str = "2015-04-01";
/// More pages than are looked through for one place.
const MOST_PAGES: usize = 40;
/// What of an event is asked for.
const SELECT: &str = "caller,claims,httpRequest,operationName,operationId,correlationId,status,category,resourceId,eventTimestamp,eventDataId";
/// A resource's tags can be written by themselves.
const TAGS: &str = "/providers/microsoft.resources/tags/default";
const UNKNOWN: &str =
    "nobody wrote down who yet: the activity log lags behind by some minutes, and is kept for 90 days";
const OURS: &str = "this is the newest that is written down, and looks like a run of akson; the activity log lags behind by some minutes";

/// One write, from its beginning to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Event {
    /// The id of what was written to, in lower case.
    resource: String,
    /// `Microsoft.KeyVault/vaults/write`
    operation: String,
    actor: Actor,
    /// When, to the log's last digit.
    began: String,
    correlation: String,
    client_request: String,
}

/// Where the log is asked: which subscription, and what of it.
type Place = (String, (&'static str, String));

/// Who did these, as far as the log has it.
pub(super) async fn told(engine: &Engine, deeds: &[(usize, &Deed)], since: Option<i64>) -> Found {
    let mut places: BTreeMap<Place, Vec<(usize, &Deed)>> = BTreeMap::new();
    let mut told = Vec::new();
    for (at, deed) in deeds {
        match place(deed) {
            Some(place) => places.entry(place).or_default().push((*at, *deed)),
            None => {
                let note = "who writes above all subscriptions stands in no log that is read".to_owned();
                told.push((*at, Told { by: Vec::new(), note: Some(note) }));
            }
        }
    }
    let mut unread = Vec::new();
    let reads = places.iter().map(async |(place, deeds)| {
        let operation = Operation::read(&path(place, since));
        let enough = |rows: &[Json]| {
            let events = folded(rows);
            deeds.iter().all(|(_, deed)| events.iter().any(|event| tier(deed, event) == Some(0)))
        };
        pages(engine, &operation, MOST_PAGES, enough).await
    });
    for ((place, deeds), (rows, failed)) in places.iter().zip(join_all(reads).await) {
        let events = folded(&rows);
        let unknown = match &failed {
            Some(_) => "the activity log could not be read",
            None => UNKNOWN,
        };
        told.extend(deeds.iter().map(|(at, deed)| (*at, of(deed, &events, unknown))));
        if let Some(why) = failed {
            let (subscription, (field, value)) = place;
            unread.push(Unread {
                id: format!("the activity log of subscription {subscription}, {field} {value}"),
                why: why.to_string(),
            });
        }
    }
    (told, unread)
}

/// A group's events are listed by the group's name; of what lies in none, those of its provider.
fn place(deed: &Deed) -> Option<Place> {
    let id = ArmId::new(&*deed.id);
    let subscription = id.subscription()?.to_ascii_lowercase();
    let field = match id.resource_group() {
        Some(group) => ("resourceGroupName", group.to_ascii_lowercase()),
        None => {
            let of = type_of(&id)?;
            ("resourceProvider", of.split('/').next().unwrap_or_default().to_owned())
        }
    };
    Some((subscription, field))
}

fn path((subscription, (field, value)): &Place, since: Option<i64>) -> String {
    // The start is required; where the cloud's time is not known, nothing was read either.
    let since = of_epoch(since.unwrap_or_default());
    format!(
        "/subscriptions/{subscription}/providers/Microsoft.Insights/eventtypes/management/values?api-version={VERSION}\
         &$filter=eventTimestamp ge '{since}' and {field} eq {}&$select={SELECT}",
        quoted(value)
    )
}

/// Rows to writes: beginning and end are one, what failed changed nothing, what only reads is none. The newest first.
fn folded(rows: &[Json]) -> Vec<Event> {
    let mut by_operation: BTreeMap<(&str, &str), Vec<&Json>> = BTreeMap::new();
    for row in rows {
        let operation = match text(row, "/operationId") {
            "" => text(row, "/eventDataId"),
            id => id,
        };
        by_operation.entry((operation, text(row, "/resourceId"))).or_default().push(row);
    }
    let mut events: Vec<Event> = by_operation.values().filter_map(|rows| event(rows)).collect();
    events.sort_by(|one, other| other.began.cmp(&one.began).then_with(|| one.resource.cmp(&other.resource)));
    events
}

fn event(rows: &[&Json]) -> Option<Event> {
    let status = |word: &str| rows.iter().any(|row| text(row, "/status/value") == word);
    let first = |pointer: &str| rows.iter().map(|row| text(row, pointer)).find(|text| !text.is_empty());
    let operation = first("/operationName/value")?;
    let category = first("/category/value").unwrap_or("Administrative");
    if (status("Failed") && !status("Succeeded")) || category != "Administrative" || !changes(operation) {
        return None;
    }
    let claim = |name: &str| {
        let claims = rows.iter().filter_map(|row| row.get("claims")?.get(name)?.as_str());
        claims.map(str::trim).find(|text| !text.is_empty())
    };
    let who = first("/caller")
        .or_else(|| claim("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"))
        .or_else(|| claim("name"))
        .or_else(|| claim("http://schemas.microsoft.com/identity/claims/objectidentifier"))
        .unwrap_or("a service of Azure");
    // A managed identity's id says more than its client id.
    let identity = claim("xms_mirid").map(|id| format!("identity {}", id.rsplit('/').next().unwrap_or(id)));
    let application = claim("appid").map(|id| application(id).map_or_else(|| id.to_owned(), str::to_owned));
    let began = rows.iter().map(|row| text(row, "/eventTimestamp")).min().unwrap_or_default();
    Some(Event {
        resource: first("/resourceId")?.trim_end_matches('/').to_ascii_lowercase(),
        operation: operation.to_owned(),
        actor: Actor {
            who: who.to_owned(),
            application: identity.or(application),
            at: moment::second(began),
            operation: Some(operation.to_owned()),
            source: Source::ActivityLog,
        },
        began: began.to_owned(),
        correlation: first("/correlationId").unwrap_or_default().to_owned(),
        client_request: first("/httpRequest/clientRequestId").unwrap_or_default().to_owned(),
    })
}

/// Whether an operation may change something. Actions that tell secrets or check things are in the log, too.
fn changes(operation: &str) -> bool {
    const READING: [&str; 6] = ["list", "get", "check", "validate", "audit", "evaluate"];
    let mut words = operation.rsplit('/').map(str::to_ascii_lowercase);
    match words.next().as_deref() {
        Some("write" | "delete") => true,
        Some("action") => words.next().is_some_and(|word| !READING.iter().any(|reading| word.starts_with(reading))),
        _ => false,
    }
}

/// How well an event explains a deed; the lower the better. None: not at all.
fn tier(deed: &Deed, event: &Event) -> Option<u8> {
    let id = ArmId::new(&*deed.id);
    let deletes = event.operation.to_ascii_lowercase().ends_with("/delete");
    let resource = event.resource.strip_suffix(TAGS).unwrap_or(&event.resource);
    if id.folded() == resource {
        return match (deed.happened, deletes) {
            (Happened::Changed, false) | (Happened::Deleted, true) => Some(0),
            (Happened::Changed, true) => None,
            // Such as a move.
            (Happened::Deleted, false) => Some(3),
        };
    }
    let rest = id.folded().strip_prefix(resource).filter(|rest| rest.starts_with('/'))?;
    // What lies in it and is written with it: a network's subnets, a cluster's pools. Not what merely extends it, nor what a group has.
    let part = !rest.contains("/providers/") && resource.contains("/providers/");
    match (deed.happened, deletes) {
        // All that lies below goes with it.
        (Happened::Deleted, true) => Some(1),
        (_, false) if part => Some(2),
        _ => None,
    }
}

/// Whether an event is of a run of ours: its ids are made of each other as ours are.
fn is_ours(deed: &Deed, event: &Event) -> bool {
    let (Ok(run), Ok(request)) = (Uuid::try_parse(&event.correlation), Uuid::try_parse(&event.client_request)) else {
        return false;
    };
    let written = SymbolicId::of_arm(&ArmId::new(&*event.resource));
    [&deed.symbolic_id, &written].iter().any(|id| Uuid::new_v5(&run, id.as_str().as_bytes()) == request)
}

/// Who did a deed: of the events that explain it best, those after our own last write. What was before that, it overwrote.
fn of(deed: &Deed, events: &[Event], unknown: &str) -> Told {
    let tiers: BTreeSet<u8> = events.iter().filter_map(|event| tier(deed, event)).collect();
    for wanted in &tiers {
        let fitting = events.iter().filter(|event| tier(deed, event) == Some(*wanted));
        let theirs: Vec<Actor> =
            fitting.take_while(|event| !is_ours(deed, event)).map(|event| event.actor.clone()).collect();
        if !theirs.is_empty() {
            return Told { by: newest(theirs), note: None };
        }
    }
    // Told with what it is, and not hidden: the ids that show it are the client's own words.
    let own = events.iter().find(|event| tier(deed, event).is_some());
    match own {
        Some(own) => {
            let actor = Actor { application: Some("akson".to_owned()), ..own.actor.clone() };
            Told { by: vec![actor], note: Some(OURS.to_owned()) }
        }
        None => Told { by: Vec::new(), note: Some(unknown.to_owned()) },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails should say where")]
    use serde_json::json;

    use super::*;

    const GROUP: &str = "/subscriptions/s/resourceGroups/g";
    const VAULT: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kv";
    const SUBNET: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/n/subnets/a";

    struct Row<'a> {
        on: &'a str,
        operation: &'a str,
        who: &'a str,
        second: u32,
    }

    /// The two rows of a write.
    fn rows(row: &Row<'_>, end: &str) -> Vec<Json> {
        ["Started", end]
            .map(|status| {
                json!({
                    "resourceId": row.on,
                    "operationName": { "value": row.operation },
                    "operationId": format!("{}{}", row.operation, row.second),
                    "status": { "value": status },
                    "caller": row.who,
                    "claims": { "appid": "c44b4083-3bb0-49c1-b47d-974e53cbdf3c" },
                    "correlationId": "11111111-1111-4111-8111-111111111111",
                    "eventTimestamp": format!("2026-11-26T08:00:{:02}.1234567Z", row.second),
                })
            })
            .to_vec()
    }

    fn who(deed: &Deed, rows: &[Json]) -> Vec<String> {
        of(deed, &folded(rows), UNKNOWN).by.into_iter().map(|actor| actor.who).collect()
    }

    #[track_caller]
    fn check(id: &str, happened: Happened, log: &[Row<'_>], expected: &[&str]) {
        let rows: Vec<Json> = log.iter().flat_map(|row| rows(row, "Succeeded")).collect();
        assert_eq!(who(&Deed::to(id, happened), &rows), expected);
    }

    #[test]
    fn a_pair_is_one_event() {
        let row = Row { on: VAULT, operation: "Microsoft.KeyVault/vaults/write", who: "tom@example.com", second: 1 };
        let events = folded(&rows(&row, "Succeeded"));
        let [event] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(event.actor.who, "tom@example.com");
        assert_eq!(event.actor.application.as_deref(), Some("Azure portal"));
        assert_eq!(event.actor.at.as_deref(), Some("2026-11-26T08:00:01Z"));
        assert!(folded(&rows(&row, "Failed")).is_empty(), "what failed changed nothing");
        for reads in ["A.B/c/listKeys/action", "A.B/c/read", "Microsoft.Authorization/policies/audit/action"] {
            assert!(folded(&rows(&Row { operation: reads, ..row }, "Succeeded")).is_empty(), "{reads}");
        }
    }

    #[test]
    fn the_newest_write_of_the_object_itself() {
        let log = [
            Row { on: VAULT, operation: "Microsoft.KeyVault/vaults/write", who: "old", second: 1 },
            Row {
                on: &VAULT.to_ascii_uppercase(),
                operation: "Microsoft.KeyVault/vaults/write",
                who: "new",
                second: 2,
            },
            Row { on: GROUP, operation: "Microsoft.Resources/subscriptions/resourceGroups/write", who: "g", second: 3 },
        ];
        check(VAULT, Happened::Changed, &log, &["new", "old"]);
        check(GROUP, Happened::Changed, &log, &["g"]);
        check(VAULT, Happened::Deleted, &log, &["new", "old"]);
        let tags = format!("{VAULT}/providers/Microsoft.Resources/tags/default");
        check(
            VAULT,
            Happened::Changed,
            &[Row { on: &tags, operation: "Microsoft.Resources/tags/write", who: "tagger", second: 1 }],
            &["tagger"],
        );
    }

    #[test]
    fn what_lies_in_another_is_written_and_deleted_with_it() {
        let network = SUBNET.strip_suffix("/subnets/a").unwrap();
        let write = Row { on: network, operation: "Microsoft.Network/virtualNetworks/write", who: "net", second: 1 };
        check(SUBNET, Happened::Changed, &[write], &["net"]);
        let delete = Row {
            on: GROUP,
            operation: "Microsoft.Resources/subscriptions/resourceGroups/delete",
            who: "g",
            second: 1,
        };
        check(SUBNET, Happened::Deleted, &[delete], &["g"]);
        // What extends a vault is not written with it.
        let grant = format!("{VAULT}/providers/Microsoft.Authorization/roleAssignments/r");
        let write = Row { on: VAULT, operation: "Microsoft.KeyVault/vaults/write", who: "v", second: 1 };
        check(&grant, Happened::Changed, &[write], &[]);
    }

    #[test]
    fn our_own_runs_are_told_last() {
        let run = Uuid::from_u128(7);
        let deed = Deed::to(VAULT, Happened::Changed);
        let ours = |second| {
            let row = Row { on: VAULT, operation: "Microsoft.KeyVault/vaults/write", who: "pipeline", second };
            let mut rows = rows(&row, "Succeeded");
            for row in &mut rows {
                row["correlationId"] = run.to_string().into();
                let request = Uuid::new_v5(&run, deed.symbolic_id.as_str().as_bytes());
                row["httpRequest"] = json!({ "clientRequestId": request.to_string() });
            }
            rows
        };
        let theirs = |second| {
            rows(&Row { on: VAULT, operation: "Microsoft.KeyVault/vaults/write", who: "tom", second }, "Succeeded")
        };
        assert_eq!(who(&deed, &[ours(1), theirs(2)].concat()), ["tom"]);
        // It overwrote what was before.
        let told = of(&deed, &folded(&[theirs(1), ours(2)].concat()), UNKNOWN);
        assert_eq!((told.by[0].who.as_str(), told.by[0].application.as_deref()), ("pipeline", Some("akson")));
        assert_eq!(told.note.as_deref(), Some(OURS));
        assert_eq!(of(&deed, &[], UNKNOWN), Told { by: Vec::new(), note: Some(UNKNOWN.to_owned()) });
    }

    #[test]
    fn one_list_a_group() {
        let path = |id: &str| place(&Deed::to(id, Happened::Changed)).map(|place| super::path(&place, Some(0)));
        let expected = "/subscriptions/s/providers/Microsoft.Insights/eventtypes/management/values?api-version=2015-04-01&$filter=eventTimestamp ge '1970-01-01T00:00:00Z' and resourceGroupName eq 'g'";
        for id in [GROUP, VAULT, SUBNET] {
            assert!(path(id).unwrap().starts_with(expected), "{:?}", path(id));
        }
        let above = path("/subscriptions/s/providers/Microsoft.Authorization/policyAssignments/p").unwrap();
        assert!(above.contains("resourceProvider eq 'Microsoft.Authorization'"), "{above}");
        assert_eq!(path("/providers/Microsoft.Management/managementGroups/m"), None);
    }
}
