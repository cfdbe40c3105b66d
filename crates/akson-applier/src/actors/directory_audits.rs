//! The audit log of the directory: who changed users, groups, applications. Many may not read it, and not every tenant has it: that is
//! said, and is no failure.

use akson_azure::{Class, classify, plane::graph};
use akson_catalog::time::of_epoch;
use akson_planner::waves::quoted;
use futures_util::future::join_all;
use serde_json::Value as Json;

use super::{Actor, Deed, Found, Happened, Source, Told, application, moment, newest, pages, text};
use crate::{Unread, engine::Engine, refresh::ReadCause};

const PATH: &str = "/v1.0/auditLogs/directoryAudits";
/// From so many objects on the log is listed once, for all of them.
const ONE_BY_ONE: usize = 8;
/// More pages than are looked through.
const MOST_PAGES: usize = 20;
const UNKNOWN: &str =
    "nobody wrote down who yet: the directory's audit log lags behind by some minutes, and is kept for 7 or 30 days";
const OURS: &str =
    "this is the newest that is written down, and looks like a run of akson; the audit log lags behind by some minutes";
/// What our requests call themselves.
const AGENT: &str = "akson/";

/// Who did these, as far as the log has it.
pub(super) async fn told(engine: &Engine, deeds: &[(usize, &Deed)], since: Option<i64>) -> Found {
    let reads: Vec<(String, Vec<(usize, &Deed)>)> = match deeds {
        [] => return (Vec::new(), Vec::new()),
        few if few.len() <= ONE_BY_ONE => few.iter().map(|one| (path(since, Some(&one.1.id)), vec![*one])).collect(),
        many => vec![(path(since, None), many.to_vec())],
    };
    let answers = join_all(reads.iter().map(async |(path, deeds)| {
        let enough = |rows: &[Json]| deeds.iter().all(|(_, deed)| rows.iter().any(|row| is_about(row, &deed.id)));
        pages(engine, &graph::read(path), MOST_PAGES, enough).await
    }))
    .await;
    let mut told = Vec::new();
    let mut unread: Vec<Unread> = Vec::new();
    for ((_, deeds), (rows, failed)) in reads.iter().zip(answers) {
        let unknown = if failed.is_some() { "the directory's audit log is not readable" } else { UNKNOWN };
        told.extend(deeds.iter().map(|(at, deed)| (*at, of(deed, &rows, unknown))));
        let why = failed.map(|cause| match &cause {
            ReadCause::Azure(error) if classify(error) == Class::Denied => {
                format!("{} (it takes `AuditLog.Read.All` and a license of Entra ID)", error.code)
            }
            _ => cause.to_string(),
        });
        unread.extend(why.map(|why| Unread { id: "the directory's audit log".to_owned(), why }));
    }
    unread.dedup();
    (told, unread)
}

fn path(since: Option<i64>, id: Option<&str>) -> String {
    let mut conditions = Vec::new();
    conditions.extend(since.map(|since| format!("activityDateTime ge {}", of_epoch(since))));
    conditions.extend(id.map(|id| format!("targetResources/any(t:t/id eq {})", quoted(id))));
    match conditions.as_slice() {
        [] => PATH.to_owned(),
        some => format!("{PATH}?$filter={}", some.join(" and ")),
    }
}

fn targets(row: &Json) -> impl Iterator<Item = &str> {
    row.get("targetResources").and_then(Json::as_array).into_iter().flatten().map(|target| text(target, "/id"))
}

fn is_about(row: &Json, id: &str) -> bool {
    targets(row).any(|target| target.eq_ignore_ascii_case(id))
}

fn of(deed: &Deed, rows: &[Json], unknown: &str) -> Told {
    let done = |row: &&Json| matches!(text(row, "/result"), "" | "success") && is_about(row, &deed.id);
    let deletes = |row: &&Json| {
        let activity = text(row, "/activityDisplayName").to_ascii_lowercase();
        activity.contains("delete ") || activity == "remove service principal"
    };
    let fits = |row: &&Json| deletes(row) == (deed.happened == Happened::Deleted);
    let mut rows: Vec<&Json> = rows.iter().filter(done).filter(fits).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(moment::second(text(row, "/activityDateTime"))));
    // Who went in or out of a group is told beside the group.
    let edges: Vec<&str> = deed.pointers.iter().filter_map(|pointer| pointer.rsplit('/').next()).collect();
    if rows.iter().any(|row| edges.iter().any(|edge| is_about(row, edge))) {
        rows.retain(|row| edges.iter().any(|edge| is_about(row, edge)));
    }
    let theirs: Vec<Actor> = rows.iter().take_while(|row| !is_ours(row)).map(|row| actor(row)).collect();
    match (theirs.is_empty(), rows.first()) {
        (false, _) => Told { by: newest(theirs), note: None },
        (true, Some(own)) => {
            let own = Actor { application: Some("akson".to_owned()), ..actor(own) };
            Told { by: vec![own], note: Some(OURS.to_owned()) }
        }
        (true, None) => Told { by: Vec::new(), note: Some(unknown.to_owned()) },
    }
}

fn agent(row: &Json) -> Option<&str> {
    let details = row.get("additionalDetails")?.as_array()?;
    let agent = details.iter().find(|detail| text(detail, "/key").eq_ignore_ascii_case("user-agent"))?;
    Some(text(agent, "/value")).filter(|agent| !agent.is_empty())
}

fn is_ours(row: &Json) -> bool {
    agent(row).is_some_and(|agent| agent.starts_with(AGENT))
}

fn actor(row: &Json) -> Actor {
    let said = |pointer: &str| Some(text(row, pointer)).filter(|text| !text.is_empty());
    let user = said("/initiatedBy/user/userPrincipalName").or_else(|| said("/initiatedBy/user/id"));
    let app = said("/initiatedBy/app/servicePrincipalId").or_else(|| said("/initiatedBy/app/displayName"));
    // A name can be chosen; the id beside it cannot.
    let named =
        said("/initiatedBy/app/appId").map(|id| match (application(id), said("/initiatedBy/app/displayName")) {
            (Some(known), _) => known.to_owned(),
            (None, Some(name)) => format!("{name} ({id})"),
            (None, None) => id.to_owned(),
        });
    Actor {
        who: user.or(app).unwrap_or("a service of the directory").to_owned(),
        application: named.or_else(|| agent(row).map(str::to_owned)),
        at: moment::second(text(row, "/activityDateTime")),
        operation: said("/activityDisplayName").map(str::to_owned),
        source: Source::DirectoryAudit,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const GROUP: &str = "00000000-0000-0000-0000-0000000000a1";

    fn row(activity: &str, second: u32, other: &str) -> Json {
        json!({
            "activityDisplayName": activity,
            "activityDateTime": format!("2026-11-26T08:00:{second:02}.5Z"),
            "result": "success",
            "initiatedBy": { "user": { "id": "u", "userPrincipalName": format!("p{second}@example.com") }, "app": null },
            "targetResources": [{ "id": other, "type": "User" }, { "id": GROUP, "type": "Group" }],
            "additionalDetails": [{ "key": "User-Agent", "value": "Mozilla/5.0" }],
        })
    }

    fn who(happened: Happened, pointers: &[&str], rows: &[Json]) -> Vec<String> {
        let mut deed = Deed::to(GROUP, happened);
        deed.pointers = pointers.iter().map(|pointer| (*pointer).to_owned()).collect();
        of(&deed, rows, UNKNOWN).by.into_iter().map(|actor| actor.who).collect()
    }

    #[test]
    fn the_newest_that_fits() {
        let rows = [
            row("Update group", 1, "x"),
            row("Add member to group", 2, "m"),
            row("Add member to group", 3, "n"),
            row("Delete group", 4, "x"),
        ];
        assert_eq!(who(Happened::Changed, &[], &rows), ["p3@example.com", "p2@example.com", "p1@example.com"]);
        assert_eq!(who(Happened::Changed, &["/members/m"], &rows), ["p2@example.com"]);
        assert_eq!(who(Happened::Deleted, &[], &rows), ["p4@example.com"]);
        assert_eq!(who(Happened::Changed, &[], &[]), [""; 0]);
        let mut failed = row("Update group", 5, "x");
        failed["result"] = "failure".into();
        assert_eq!(who(Happened::Changed, &[], &[failed]), [""; 0]);
    }

    #[test]
    fn applications_and_our_own_runs() {
        let mut ours = row("Update group", 2, "x");
        ours["initiatedBy"] =
            json!({ "user": null, "app": { "appId": "a", "displayName": "Azure CLI", "servicePrincipalId": "sp" } });
        let told = actor(&ours);
        assert_eq!((told.who.as_str(), told.application.as_deref()), ("sp", Some("Azure CLI (a)")));
        ours["additionalDetails"][0]["value"] = "akson/1.0".into();
        let told = of(&Deed::to(GROUP, Happened::Changed), &[row("Update group", 1, "x"), ours.clone()], UNKNOWN);
        assert_eq!((told.by[0].who.as_str(), told.by[0].application.as_deref()), ("sp", Some("akson")));
        assert_eq!(who(Happened::Changed, &[], &[ours, row("Update group", 3, "x")]), ["p3@example.com"]);
    }

    #[test]
    fn what_is_asked() {
        assert_eq!(path(None, None), PATH);
        assert_eq!(
            path(Some(0), Some("g")),
            "/v1.0/auditLogs/directoryAudits?$filter=activityDateTime ge 1970-01-01T00:00:00Z and targetResources/any(t:t/id eq 'g')"
        );
    }
}
