//! How far the emulator's answers agree with recorded ones, counted by type and aspect, and printed as a table. Which exchanges
//! are compared, and in which world, is the business of `recorded`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::Value;

/// What is compared of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Aspect {
    Status,
    Headers,
    Shape,
    Error,
    Ids,
}

const ASPECTS: [(Aspect, &str); 5] = [
    (Aspect::Status, "status class"),
    (Aspect::Headers, "async headers"),
    (Aspect::Shape, "body shape"),
    (Aspect::Error, "error"),
    (Aspect::Ids, "id casing"),
];

/// Keys that are not modelled, and why.
const NOT_MODELLED: [(&str, &str); 22] = [
    ("/privateEndpointConnections/*", "what became of a connection is not modelled"),
    ("/defaultOutboundAccess", "places at the edge are not modelled"),
    ("/availabilityZones", ERA),
    ("/networkProfile/podLinkLocalAccess", ERA),
    ("lacks /properties/ipConfiguration", "who uses an address is not in the recording"),
    ("lacks /etag text", "for a while one preview spelled the etag of clusters in small letters"),
    ("/clusterServiceLoadBalancerHealthProbeMode", ERA),
    ("/hostedSystemProfile", ERA),
    ("/enableLTS", ERA),
    ("/dockerBridgeCidr", ERA),
    ("/webAppRouting/dnsZoneResourceId text", ERA),
    ("/networkProfile/networkPluginMode", ERA),
    ("/nodeTaints", ERA),
    ("/properties/source", ERA),
    ("/upgradeStrategy", ERA),
    ("/privateLinkServiceID", "the service's own network is not modelled"),
    ("/securityProfile", "a policy of the recorded subscription switched it on"),
    ("/properties/tags", "a policy of the recorded subscription set them"),
    ("/issuerURL", "which version a new cluster gets changes with time, and with it what is on by default"),
    ("/snat", "drafts of policies are not modelled"),
    ("/intrusionDetection", "drafts of policies are not modelled"),
    ("/ruleCollections", "drafts of policies are not modelled"),
];

/// Why most of these are not there: a recorder rewrites the versions of old recordings.
const ERA: &str = "answers of other years stand under the same version";

/// One side of an exchange.
pub(crate) struct Side<'a> {
    pub(crate) status: u16,
    pub(crate) header: &'a dyn Fn(&str) -> String,
    pub(crate) body: &'a Value,
}

/// What one type has come to.
#[derive(Debug, Default)]
struct Row {
    exchanges: usize,
    agreed: usize,
    /// Those that differ with a reason.
    explained: usize,
    differ: BTreeMap<Aspect, usize>,
    /// Why, and how often.
    reasons: BTreeMap<String, usize>,
}

/// The agreement by type.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: BTreeMap<String, Row>,
}

/// The aspects in which two sides differ, with what differs.
pub(crate) fn differences(recorded: &Side<'_>, answered: &Side<'_>) -> Vec<(Aspect, String)> {
    let mut found = Vec::new();
    let mut compare = |aspect, left: String, right: String| {
        if left != right {
            found.push((aspect, format!("{left} answered with {right}")));
        }
    };
    compare(Aspect::Status, class(recorded.status), class(answered.status));
    compare(Aspect::Headers, headers(recorded), headers(answered));
    compare(Aspect::Error, error(recorded), error(answered));
    if recorded.status < 300 && answered.status < 300 {
        let names = ["id", "type"].map(|name| recorded.body[name].is_string());
        compare(Aspect::Ids, ids(recorded.body, names), ids(answered.body, names));
        let (mut said, mut found_paths) = (BTreeSet::new(), BTreeSet::new());
        shape(recorded.body, "", &mut said);
        shape(answered.body, "", &mut found_paths);
        let lacks: Vec<&String> = said.difference(&found_paths).collect();
        found.extend(lacks.into_iter().map(|path| (Aspect::Shape, format!("lacks {path}"))));
    }
    found
}

/// `2xx`, and what refusals are in full: clients look at their very number.
fn class(status: u16) -> String {
    if status < 400 { format!("{}xx", status / 100) } else { status.to_string() }
}

/// Which headers lead a client to the end of an operation.
fn headers(side: &Side<'_>) -> String {
    let followed = !(side.header)("azure-asyncoperation").is_empty();
    // A location is a way to follow only where there is something to follow.
    let located = !(side.header)("location").is_empty() && (followed || side.status == 202);
    format!("operation {followed}, location {located}")
}

/// The code of an error, and whether it is wrapped.
fn error(side: &Side<'_>) -> String {
    if side.status < 400 {
        return "none".to_owned();
    }
    let wrapped = side.body["error"]["code"].as_str();
    match wrapped.or(side.body["code"].as_str()) {
        Some(code) if wrapped.is_some() => format!("wrapped {code}"),
        Some(code) => format!("bare {code}"),
        None => "no code".to_owned(),
    }
}

/// Id and type, so far as the recorded answer has them: in old versions some do not.
fn ids(body: &Value, said: [bool; 2]) -> String {
    let text = |name: &str, said: bool| body[name].as_str().filter(|_| said).unwrap_or_default().to_owned();
    format!("{} {}", text("id", said[0]), text("type", said[1]))
}

/// The paths of a body with the types of what is there; elements of a list are one. Null and what is empty are nothing: services
/// leave them out or not, from one answer to the next. What stands below names that somebody gave is one thing, too.
fn shape(value: &Value, path: &str, into: &mut BTreeSet<String>) {
    let named = [
        "/tags",
        "/userAssignedIdentities",
        "/metadata",
        "/parameters",
        "/nodeLabels",
        "/addonProfiles",
        "/identityProfile",
        "/patchVersions",
    ];
    match value {
        Value::Null => {}
        Value::Array(items) if items.is_empty() => {}
        Value::Object(fields) if fields.is_empty() => {}
        Value::Array(items) => {
            into.insert(format!("{path} list"));
            for item in items {
                shape(item, &format!("{path}/*"), into);
            }
        }
        Value::Object(_) if named.iter().any(|end| path.ends_with(end)) => {
            into.insert(format!("{path} object"));
        }
        Value::Object(fields) => {
            into.insert(format!("{path} object"));
            for (name, field) in fields {
                shape(field, &format!("{path}/{name}"), into);
            }
        }
        Value::String(_) => _ = into.insert(format!("{path} text")),
        Value::Number(_) => _ = into.insert(format!("{path} number")),
        Value::Bool(_) => _ = into.insert(format!("{path} truth")),
    }
}

impl Table {
    /// Counts an exchange; `reason` is why differences are meant to be.
    pub(crate) fn count(&mut self, kind: &str, differences: &[(Aspect, String)], reason: Option<&str>) {
        let row = self.rows.entry(kind.to_owned()).or_default();
        row.exchanges += 1;
        if differences.is_empty() {
            row.agreed += 1;
            return;
        }
        let known = |what: &str| NOT_MODELLED.iter().find(|(key, _)| what.contains(key)).map(|(_, why)| *why);
        row.explained += usize::from(differences.iter().all(|(_, what)| reason.or(known(what)).is_some()));
        for aspect in differences.iter().map(|(aspect, _)| *aspect).collect::<BTreeSet<_>>() {
            *row.differ.entry(aspect).or_default() += 1;
        }
        let reasons =
            differences.iter().map(|(_, what)| reason.or(known(what)).map_or_else(|| what.clone(), str::to_owned));
        for reason in reasons.collect::<BTreeSet<_>>() {
            *row.reasons.entry(reason).or_default() += 1;
        }
    }

    /// The types of which fewer exchanges than this agree, with and without reasons counted as agreement, in percent.
    pub(crate) fn below(&self, least: f64) -> Vec<String> {
        let rows = self.rows.iter().map(|(kind, row)| (kind, percent(row.agreed + row.explained, row.exchanges)));
        rows.filter(|(_, found)| *found < least).map(|(kind, found)| format!("{kind}: {found:.1}%")).collect()
    }

    /// How many of all exchanges agree in all, in percent.
    pub(crate) fn strict(&self) -> f64 {
        let (agreed, all) =
            self.rows.values().fold((0, 0), |(agreed, all), row| (agreed + row.agreed, all + row.exchanges));
        percent(agreed, all)
    }

    /// For people.
    pub(crate) fn shown(&self) -> String {
        let mut text = format!("{:68}{:>6}", "type", "n");
        for (_, name) in ASPECTS {
            let _ = write!(text, "{name:>15}");
        }
        let _ = writeln!(text, "{:>9}{:>14}", "all", "with reasons");
        let mut total = (0, 0, 0);
        for (kind, row) in &self.rows {
            let _ = write!(text, "{kind:68}{:>6}", row.exchanges);
            for (aspect, _) in ASPECTS {
                let differ = row.differ.get(&aspect).copied().unwrap_or_default();
                let _ = write!(text, "{:>14.1}%", percent(row.exchanges - differ, row.exchanges));
            }
            let (all, explained) =
                (percent(row.agreed, row.exchanges), percent(row.agreed + row.explained, row.exchanges));
            let _ = writeln!(text, "{all:>8.1}%{explained:>13.1}%");
            total = (total.0 + row.agreed, total.1 + row.explained, total.2 + row.exchanges);
            let mut reasons: Vec<_> = row.reasons.iter().collect();
            reasons.sort_by_key(|(_, times)| std::cmp::Reverse(**times));
            for (reason, times) in reasons {
                let _ = writeln!(text, "    {times} x {reason}");
            }
        }
        let (agreed, explained, all) = total;
        let (strict, with) = (percent(agreed, all), percent(agreed + explained, all));
        let _ = writeln!(text, "{:68}{all:>6}{strict:>83.1}%{with:>13.1}%", "all");
        text
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts of exchanges are small")]
fn percent(part: usize, whole: usize) -> f64 {
    if whole == 0 { 100.0 } else { part as f64 * 100.0 / whole as f64 }
}
