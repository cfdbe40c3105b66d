//! Objects as tables: the columns that kubectl prints. What no controller sets here is shown as a cluster shows it that
//! has not come to it yet.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::Call;
use super::fields::Body;
use super::kinds::Kind;
use super::list;
use crate::clock::WorldTime;

/// What a row has of its object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Include {
    Nothing,
    Metadata,
    Object,
}

impl Include {
    pub(super) fn asked(call: &Call<'_>) -> Self {
        match call.visit.query.get("includeObject") {
            Some("None") => Self::Nothing,
            Some("Object") => Self::Object,
            _ => Self::Metadata,
        }
    }
}

/// Whether a table is the first of what the caller accepts.
pub(super) fn is_wanted(call: &Call<'_>) -> bool {
    list::wants_metadata(call, "Table")
}

/// A column: its name, its type, and whether it is only for whoever wants to see more.
struct Column {
    name: &'static str,
    of: &'static str,
    wide: bool,
    cell: fn(&Body, WorldTime) -> Value,
}

const fn column(name: &'static str, cell: fn(&Body, WorldTime) -> Value) -> Column {
    Column { name, of: "string", wide: false, cell }
}

const fn count(name: &'static str, cell: fn(&Body, WorldTime) -> Value) -> Column {
    Column { name, of: "integer", wide: false, cell }
}

const fn wide(name: &'static str, cell: fn(&Body, WorldTime) -> Value) -> Column {
    Column { name, of: "string", wide: true, cell }
}

const NAME: Column = column("Name", |body, _| text(body, &["metadata", "name"]).into());
const AGE: Column = column("Age", |body, now| age(body, now).into());
const CREATED: Column = column("Created At", |body, _| text(body, &["metadata", "creationTimestamp"]).into());

const NAMESPACES: &[Column] = &[NAME, column("Status", |body, _| text(body, &["status", "phase"]).into()), AGE];
const CONFIG_MAPS: &[Column] =
    &[NAME, count("Data", |body, _| (size(body, &["data"]) + size(body, &["binaryData"])).into()), AGE];
const SECRETS: &[Column] = &[
    NAME,
    column("Type", |body, _| text(body, &["type"]).into()),
    count("Data", |body, _| size(body, &["data"]).into()),
    AGE,
];
const SERVICE_ACCOUNTS: &[Column] = &[NAME, count("Secrets", |body, _| size(body, &["secrets"]).into()), AGE];
const PODS: &[Column] = &[
    NAME,
    column("Ready", |body, _| format!("0/{}", size(body, &["spec", "containers"])).into()),
    column("Status", |body, _| text(body, &["status", "phase"]).into()),
    column("Restarts", |_, _| "0".into()),
    AGE,
    wide("IP", |body, _| or_none(text(body, &["status", "podIP"])).into()),
    wide("Node", |body, _| or_none(text(body, &["spec", "nodeName"])).into()),
];
const SERVICES: &[Column] = &[
    NAME,
    column("Type", |body, _| or(text(body, &["spec", "type"]), "ClusterIP").into()),
    column("Cluster-IP", |body, _| or_none(text(body, &["spec", "clusterIP"])).into()),
    column("External-IP", |_, _| "<none>".into()),
    column("Port(s)", |body, _| ports(body).into()),
    AGE,
    wide("Selector", |body, _| pairs(at(body, &["spec", "selector"])).into()),
];
const DEPLOYMENTS: &[Column] = &[
    NAME,
    column("Ready", |body, _| ready(body).into()),
    count("Up-to-date", |body, _| number(body, &["status", "updatedReplicas"]).into()),
    count("Available", |body, _| number(body, &["status", "availableReplicas"]).into()),
    AGE,
    wide("Containers", |body, _| containers(body, "name").into()),
    wide("Images", |body, _| containers(body, "image").into()),
    wide("Selector", |body, _| pairs(at(body, &["spec", "selector", "matchLabels"])).into()),
];
const DAEMON_SETS: &[Column] = &[
    NAME,
    count("Desired", |body, _| number(body, &["status", "desiredNumberScheduled"]).into()),
    count("Current", |body, _| number(body, &["status", "currentNumberScheduled"]).into()),
    count("Ready", |body, _| number(body, &["status", "numberReady"]).into()),
    count("Up-to-date", |body, _| number(body, &["status", "updatedNumberScheduled"]).into()),
    count("Available", |body, _| number(body, &["status", "numberAvailable"]).into()),
    column("Node Selector", |body, _| pairs(at(body, &["spec", "template", "spec", "nodeSelector"])).into()),
    AGE,
    wide("Containers", |body, _| containers(body, "name").into()),
    wide("Images", |body, _| containers(body, "image").into()),
];
const REPLICA_SETS: &[Column] = &[
    NAME,
    count("Desired", |body, _| at(body, &["spec", "replicas"]).and_then(Value::as_u64).unwrap_or(1).into()),
    count("Current", |body, _| number(body, &["status", "replicas"]).into()),
    count("Ready", |body, _| number(body, &["status", "readyReplicas"]).into()),
    AGE,
];
const EVENTS: &[Column] = &[
    column("Last Seen", |body, now| since(text(body, &["lastTimestamp"]), now).into()),
    column("Type", |body, _| text(body, &["type"]).into()),
    column("Reason", |body, _| text(body, &["reason"]).into()),
    column("Object", |body, _| {
        let kind = text(body, &["involvedObject", "kind"]).to_ascii_lowercase();
        format!("{kind}/{}", text(body, &["involvedObject", "name"])).into()
    }),
    column("Message", |body, _| text(body, &["message"]).into()),
];
const STATEFUL_SETS: &[Column] = &[
    NAME,
    column("Ready", |body, _| ready(body).into()),
    AGE,
    wide("Containers", |body, _| containers(body, "name").into()),
    wide("Images", |body, _| containers(body, "image").into()),
];
const NETWORK_POLICIES: &[Column] =
    &[NAME, column("Pod-Selector", |body, _| pairs(at(body, &["spec", "podSelector", "matchLabels"])).into()), AGE];
const QUOTAS: &[Column] = &[
    NAME,
    column("Request", |body, _| quota(body, false).into()),
    column("Limit", |body, _| quota(body, true).into()),
    AGE,
];
const BINDINGS: &[Column] = &[
    NAME,
    column("Role", |body, _| {
        format!("{}/{}", text(body, &["roleRef", "kind"]), text(body, &["roleRef", "name"])).into()
    }),
    AGE,
    wide("Users", |body, _| subjects(body, "User").into()),
    wide("Groups", |body, _| subjects(body, "Group").into()),
    wide("ServiceAccounts", |body, _| subjects(body, "ServiceAccount").into()),
];

fn columns(kind: &Kind) -> &'static [Column] {
    match kind.plural {
        "namespaces" => NAMESPACES,
        "configmaps" => CONFIG_MAPS,
        "secrets" => SECRETS,
        "serviceaccounts" => SERVICE_ACCOUNTS,
        "pods" => PODS,
        "services" => SERVICES,
        "deployments" => DEPLOYMENTS,
        "daemonsets" => DAEMON_SETS,
        "replicasets" => REPLICA_SETS,
        "statefulsets" => STATEFUL_SETS,
        "events" => EVENTS,
        "networkpolicies" => NETWORK_POLICIES,
        "resourcequotas" => QUOTAS,
        "rolebindings" | "clusterrolebindings" => BINDINGS,
        "roles" | "clusterroles" | "limitranges" | "customresourcedefinitions" => &[NAME, CREATED],
        _ => &[NAME, AGE],
    }
}

/// The table of some objects.
pub(super) fn of<'b>(
    kind: &Kind,
    bodies: impl Iterator<Item = &'b Body>,
    metadata: &Value,
    include: Include,
    now: WorldTime,
) -> Value {
    let columns = columns(kind);
    let definitions = columns.iter().map(|column| {
        json!({
            "name": column.name,
            "type": column.of,
            "format": if column.name == "Name" { "name" } else { "" },
            "description": "",
            "priority": u8::from(column.wide),
        })
    });
    let definitions: Vec<Value> = definitions.collect();
    let rows = bodies.map(|body| {
        let cells: Vec<Value> = columns.iter().map(|column| (column.cell)(body, now)).collect();
        let object = match include {
            Include::Nothing => Value::Null,
            Include::Metadata => list::metadata_of(body),
            Include::Object => Value::Object(body.clone()),
        };
        json!({ "cells": cells, "object": object })
    });
    let rows: Vec<Value> = rows.collect();
    json!({
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": definitions,
        "rows": rows,
    })
}

fn at<'b>(body: &'b Body, path: &[&str]) -> Option<&'b Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(body.get(*first)?, |value, name| value.get(name))
}

fn text<'b>(body: &'b Body, path: &[&str]) -> &'b str {
    at(body, path).and_then(Value::as_str).unwrap_or_default()
}

fn number(body: &Body, path: &[&str]) -> u64 {
    at(body, path).and_then(Value::as_u64).unwrap_or_default()
}

/// How many there are in a map or a list.
fn size(body: &Body, path: &[&str]) -> usize {
    match at(body, path) {
        Some(Value::Object(map)) => map.len(),
        Some(Value::Array(list)) => list.len(),
        _ => 0,
    }
}

fn list<'b>(body: &'b Body, path: &[&str]) -> impl Iterator<Item = &'b Value> + use<'b> {
    at(body, path).and_then(Value::as_array).into_iter().flatten()
}

fn or<'t>(text: &'t str, other: &'t str) -> &'t str {
    if text.is_empty() { other } else { text }
}

fn or_none(text: &str) -> &str {
    or(text, "<none>")
}

fn ready(body: &Body) -> String {
    let wanted = at(body, &["spec", "replicas"]).and_then(Value::as_u64).unwrap_or(1);
    format!("{}/{wanted}", number(body, &["status", "readyReplicas"]))
}

fn containers(body: &Body, field: &str) -> String {
    let all = list(body, &["spec", "template", "spec", "containers"]);
    let names: Vec<&str> = all.filter_map(|container| container.get(field)?.as_str()).collect();
    names.join(",")
}

fn ports(body: &Body) -> String {
    let all = list(body, &["spec", "ports"]).map(|port| {
        let number = port.get("port").and_then(Value::as_u64).unwrap_or_default();
        format!("{number}/{}", port.get("protocol").and_then(Value::as_str).unwrap_or("TCP"))
    });
    let all: Vec<String> = all.collect();
    or_none(&all.join(",")).to_owned()
}

fn pairs(map: Option<&Value>) -> String {
    let all = map.and_then(Value::as_object).into_iter().flatten();
    let all: Vec<String> = all.map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default())).collect();
    or_none(&all.join(",")).to_owned()
}

fn subjects(body: &Body, kind: &str) -> String {
    let all = list(body, &["subjects"]).filter(|subject| subject.get("kind").and_then(Value::as_str) == Some(kind));
    let names = all.map(|subject| {
        let field = |name: &str| subject.get(name).and_then(Value::as_str).unwrap_or_default();
        if kind == "ServiceAccount" {
            format!("{}/{}", field("namespace"), field("name"))
        } else {
            field("name").to_owned()
        }
    });
    names.collect::<Vec<_>>().join(", ")
}

/// `cpu: 0/2, memory: 0/4Gi`: limits, or what is not a limit.
fn quota(body: &Body, limits: bool) -> String {
    let hard = at(body, &["spec", "hard"]).and_then(Value::as_object);
    let mut shown = String::new();
    for (name, value) in hard.into_iter().flatten().filter(|(name, _)| name.starts_with("limits.") == limits) {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let comma = if shown.is_empty() { "" } else { ", " };
        write!(shown, "{comma}{name}: 0/{value}").unwrap_or_default();
    }
    shown
}

/// How old an object is.
fn age(body: &Body, now: WorldTime) -> String {
    since(text(body, &["metadata", "creationTimestamp"]), now)
}

fn since(time: &str, now: WorldTime) -> String {
    match time.parse::<jiff::Timestamp>() {
        Ok(then) => duration(now.unix_seconds().saturating_sub(then.as_second())),
        Err(_) => "<unknown>".to_owned(),
    }
}

/// Seconds as kubectl shows them: two units at most, fewer the longer it is.
fn duration(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let with = |large: i64, unit: char, small: i64, less: char| {
        if small == 0 { format!("{large}{unit}") } else { format!("{large}{unit}{small}{less}") }
    };
    match seconds {
        ..0 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        120..600 => with(minutes, 'm', seconds % 60, 's'),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => with(hours, 'h', minutes % 60, 'm'),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => with(days, 'd', hours % 24, 'h'),
        691_200..63_072_000 => format!("{days}d"),
        63_072_000..252_288_000 => with(days / 365, 'y', days % 365, 'd'),
        _ => format!("{}y", days / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let check = |seconds: i64, shown: &str| assert_eq!(duration(seconds), shown);
        check(-1, "0s");
        check(119, "119s");
        check(120, "2m");
        check(599, "9m59s");
        check(600, "10m");
        check(10_800, "3h");
        check(10_860, "3h1m");
        check(28_800, "8h");
        check(172_800, "2d");
        check(180_000, "2d2h");
        check(864_000, "10d");
        check(63_072_000, "2y");
        check(63_158_400, "2y1d");
        check(315_360_000, "10y");
    }
}
