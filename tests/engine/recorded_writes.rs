//! What other clients really sent, said in our words: each recorded PUT body is read as a block would say it and encoded again, and
//! whatever the client sent must be in what we would send. The recordings are not part of the repository; without them the test says
//! so and passes.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a table of what was found")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use akson_catalog::{
    ArmId, Attribute, Catalog, Kind, Value,
    body::body,
    encode::{Context, encode},
    equality::{Equality, equal},
    json::lookup,
    kind::{Plane, Role, ids::type_of},
};
use akson_config::import::{Reading, flatten};
use indexmap::IndexMap;
use serde_json::{Value as Json, json};

use crate::recorded_import::{exchanges, folder};

/// What clients send and no attribute says: of which kind, at which place or below it, in which bodies, and the reason. A body is
/// one where all of these hold: `/place = value`, `/place != value` (also where it is absent), `/place absent`, `/place present`.
const UNSAID: &[(&str, &str, &[&str], &str)] = &[
    ("cluster", "/properties/aadProfile/managed", RETIRED, "the integration that Azure retired"),
    ("cluster", "/properties/aadProfile/tenantID", RETIRED, "the integration that Azure retired"),
    ("cluster", "/properties/aadProfile/enableAzureRBAC", RETIRED, "the integration that Azure retired"),
    ("cluster", "/properties/aadProfile/clientAppID", RETIRED, "the integration that Azure retired"),
    ("cluster", "/properties/aadProfile/serverAppID", RETIRED, "the integration that Azure retired"),
    ("cluster", "/properties/aadProfile/serverAppSecret", RETIRED, "the integration that Azure retired"),
    ("cluster", "/properties/disableLocalAccounts", RETIRED, "a cluster without them needs the integration of today"),
    (
        "cluster",
        "/properties/apiServerAccessProfile/enableVnetIntegration",
        &["/properties/apiServerAccessProfile/subnetId absent"],
        "into a network without a subnet of one's own",
    ),
    (
        "cluster",
        "/properties/apiServerAccessProfile/authorizedIPRanges",
        &[
            "/properties/apiServerAccessProfile/subnetId absent",
            "/properties/apiServerAccessProfile/enablePrivateCluster = true",
        ],
        "of a private cluster in a network without a subnet of one's own",
    ),
    (
        "cluster",
        "/properties/networkProfile/loadBalancerProfile",
        &["/properties/networkProfile/outboundType != loadBalancer"],
        "of a load balancer that is not the way out",
    ),
    (
        "cluster",
        "/properties/securityProfile/imageCleaner/intervalHours",
        &["/properties/securityProfile/imageCleaner/enabled != true"],
        "of a cleaner that is off",
    ),
    (
        "cluster",
        "/properties/httpProxyConfig/enabled",
        &["/properties/httpProxyConfig/enabled = true"],
        "a proxy that is written is on",
    ),
    (
        "cluster",
        "/properties/servicePrincipalProfile/clientId",
        &["/identity/type present", "/properties/servicePrincipalProfile/secret absent"],
        "clients echo it of clusters with an identity",
    ),
    (
        "cluster",
        "/properties/servicePrincipalProfile",
        &["/identity/type absent", "/properties/servicePrincipalProfile/secret absent"],
        "of an application whose secret nobody tells",
    ),
    ("cluster", "/properties/podIdentityProfile", &[], "retired: workload identity takes its place"),
    ("cluster", "/identity/delegatedResources", &[], "set by services that delegate, never by people"),
    ("grant", "/properties/principalType", &[], "follows from the principal, and is always sent where it does"),
    ("initiative", "/properties/version", &[], "of a preview at the api-version of the kind"),
    ("initiative", "/properties/versions", &[], "of a preview at the api-version of the kind"),
    ("policy", "/properties/selfServeExemptionSettings", &[], "of a preview at the api-version of the kind"),
    (
        "policy_definition",
        "/properties/externalEvaluationEnforcementSettings",
        &[],
        "of a preview at the api-version of the kind",
    ),
    ("policy_definition", "/properties/version", &[], "of a preview at the api-version of the kind"),
    ("policy_definition", "/properties/versions", &[], "of a preview at the api-version of the kind"),
    ("vault", "/properties/createMode", &[], "recovering a deleted vault is the planner's"),
    ("vault", "/properties/enableSoftDelete", &[], "always true: Azure forces it"),
    ("vault", "/properties/provisioningState", &[], "Azure says it"),
];

/// A cluster with the integration that Azure retired, or with none.
const RETIRED: &[&str] = &["/properties/aadProfile/managed != true"];

/// Whether a condition holds of a body.
fn holds_of(body: &Json, condition: &str) -> bool {
    let steps: Vec<&str> = condition.split(' ').collect();
    let live = |place: &str| lookup(body, place).filter(|value| !value.is_null() && *value != "");
    let word = |place: &str| live(place).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    match steps.as_slice() {
        [place, "absent"] => live(place).is_none(),
        [place, "present"] => live(place).is_some(),
        [place, "=", value] => word(place).is_some_and(|live| live.eq_ignore_ascii_case(value)),
        [place, "!=", value] => word(place).is_none_or(|live| !live.eq_ignore_ascii_case(value)),
        _ => panic!("`{condition}` is no condition"),
    }
}

/// Whether the type data of the latest stable api-version has a place, and the word that is sent there. What it does not have is of a preview, or is retired.
fn is_stable(data: &Json, place: &str, sent: &str) -> bool {
    let mut node = &data["body"];
    for step in place.split('/').skip(1) {
        while let Some(of) = node["ref"].as_str().and_then(|of| of.strip_prefix("#/definitions/")) {
            node = &data["definitions"][of];
        }
        let own = node["properties"].as_object().into_iter().flatten().find(|(key, _)| key.eq_ignore_ascii_case(step));
        node = match own {
            Some((_, next)) => next,
            None if node["additionalProperties"].is_object() => &node["additionalProperties"],
            None => return node["type"] == "any",
        };
    }
    let words = node["enum"].as_array();
    words.is_none_or(|words| words.iter().any(|word| word.to_string().eq_ignore_ascii_case(sent)))
}

/// The type data of a kind, of whichever api-version there is.
pub fn types(folder: &Path, kind: &Kind) -> Option<Json> {
    let start = format!("{}@", kind.resource_type.replace('/', ".")).to_ascii_lowercase();
    let names = fs::read_dir(folder.join("../types")).ok()?.filter_map(Result::ok).map(|entry| entry.path());
    let is = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().to_ascii_lowercase().starts_with(&start))
    };
    serde_json::from_str(&fs::read_to_string(names.filter(is).max()?).ok()?).ok()
}

/// Whether an answer without a place means just what was sent there.
fn is_silence(kind: &Kind, place: &str, sent: &Json) -> bool {
    fn any(attributes: &IndexMap<String, Attribute>, place: &str, sent: &Json) -> bool {
        attributes.values().any(|attribute| {
            attribute
                .absent
                .get(place)
                .is_some_and(|silence| equal(Equality::CaseInsensitive, Some(silence), Some(sent)))
                || any(&attribute.fields, place, sent)
        })
    }
    any(&kind.attributes, place, sent)
}

/// Kinds that every writable property must be expressible of.
pub const MISSION: [&str; 12] = [
    "cluster",
    "federated_credential",
    "grant",
    "identity",
    "initiative",
    "node_pool",
    "policy",
    "policy_definition",
    "policy_exemption",
    "resource_group",
    "role",
    "vault",
];

/// The places of a body that say something, with what they say.
fn said(body: &Json, at: &str, found: &mut Vec<(String, Json)>) {
    match body {
        Json::Object(entries) => {
            for (key, value) in entries {
                said(value, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), found);
            }
        }
        Json::Null => {}
        Json::Array(items) if items.is_empty() => {}
        value => found.push((at.to_owned(), value.clone())),
    }
}

/// Whether what a client sent is in what we would send. Nulls, empty lists and false flags of items say nothing.
fn holds(ours: Option<&Json>, sent: &Json) -> bool {
    match (ours, sent) {
        (_, Json::Null) => true,
        (Some(Json::Object(ours)), Json::Object(sent)) => sent.iter().all(|(key, sent)| {
            let own = ours.iter().find(|(own, _)| own.eq_ignore_ascii_case(key)).map(|(_, own)| own);
            holds(own, sent)
        }),
        (Some(Json::Array(ours)), Json::Array(sent)) => {
            ours.len() == sent.len() && sent.iter().all(|sent| ours.iter().any(|own| holds(Some(own), sent)))
        }
        (ours, sent) => {
            equal(Equality::Location, Some(sent), ours)
                || equal(Equality::CaseInsensitive, Some(sent), ours)
                || equal(Equality::EmptyIsAbsent, Some(sent), ours)
        }
    }
}

/// Whether a place is known to be said by nobody.
pub fn is_unsaid(kind: &str, place: &str, body: &Json) -> bool {
    UNSAID.iter().any(|(of, known, conditions, _)| {
        *of == kind && fits(known, place) && conditions.iter().all(|condition| holds_of(body, condition))
    })
}

/// The places of a sent body that our own would not have; of the type data those that are stable.
pub fn missing(kind: &Kind, name: &str, sent: &Json, data: Option<&Json>) -> Vec<String> {
    let catalog = Catalog::builtin().unwrap();
    let context = Context { ..Context::default() }.with_principals(catalog);
    let reading = Reading { catalog, context: &context, everything: true };
    let (written, _) = reading.attributes(kind, name, sent);
    let mut values = Vec::new();
    for written in &written {
        flatten(written, "", &mut values);
    }
    let leaves: Vec<_> = encode(kind, &values, &context)
        .into_iter()
        .filter(|leaf| !matches!(leaf.want, Value::Unknown { .. }))
        .collect();
    let ours = body(&leaves).unwrap_or_default();
    let mut places = Vec::new();
    said(sent, "", &mut places);
    let by_block: BTreeSet<&str> =
        kind.blocks.values().filter_map(|nested| nested.first.as_ref()).map(|first| first.place.as_str()).collect();
    let elsewhere = |place: &str| {
        // Place, name and region are said by the block's own lines.
        let role = |role: Role| {
            kind.attributes
                .values()
                .filter(|attribute| attribute.role == role)
                .any(|attribute| attribute.pointer.as_deref() == Some(place))
        };
        ["/id", "/name", "/type", "/location", "/etag", "/eTag", "/apiVersion"].contains(&place)
            || role(Role::Location)
            || role(Role::Name)
            || by_block.iter().any(|block| place.starts_with(block))
            || kind.outputs.values().any(|output| output.pointer.eq_ignore_ascii_case(place))
            || kind.read_only.iter().any(|known| fits(known, place))
            || is_unsaid(&kind.keyword, place, sent)
    };
    places
        .into_iter()
        .filter(|(place, sent)| {
            !elsewhere(place) && !holds(lookup(&ours, place), sent) && !is_silence(kind, place, sent)
        })
        .filter(|(place, sent)| data.is_none_or(|data| is_stable(data, place, &sent.to_string())))
        .map(|(place, sent)| format!("{place} = {}", sent.to_string().chars().take(60).collect::<String>()))
        .collect()
}

/// Whether a place is at or below a known one; a step `*` stands for any.
fn fits(known: &str, place: &str) -> bool {
    let mut steps = place.split('/');
    known.split('/').all(|known| steps.next().is_some_and(|step| known == "*" || known.eq_ignore_ascii_case(step)))
}

/// Leaves the subnets of a network out of what it lacks; whether it is one.
fn keep_inner(kind: &Kind, missing: &mut Vec<String>) -> bool {
    if kind.keyword == "network" {
        missing.retain(|place| !place.starts_with("/properties/subnets = "));
    }
    kind.keyword == "network"
}

/// What the subnets that a network's body holds could not say as blocks.
fn inner_missing(id: &ArmId, sent: &Json, catalog: &Catalog, folder: &Path) -> Vec<String> {
    let kind = catalog.get("subnet").unwrap();
    let data = types(folder, kind);
    let subnets = sent.pointer("/properties/subnets").and_then(Json::as_array).into_iter().flatten();
    let mut lacking = Vec::new();
    for subnet in subnets {
        let name = subnet["name"].as_str().unwrap_or_default();
        let mut body = json!({"id": format!("{id}/subnets/{name}"), "name": name, "properties": subnet["properties"]});
        // What Azure says of a subnet is sent back with its network.
        for told in ["ipConfigurations", "privateEndpoints", "provisioningState", "purpose", "resourceNavigationLinks"]
        {
            body["properties"].as_object_mut().map(|members| members.remove(told));
        }
        let own = missing(kind, name, &body, data.as_ref());
        lacking.extend(own.into_iter().map(|place| format!("/properties/subnets/*{place}")));
    }
    lacking
}

#[test]
fn what_clients_send_can_be_said() {
    let Some(folder) = folder() else {
        eprintln!("skipped: no recordings (AKSON_AZURE_DATA, else ../shared/azure)");
        return;
    };
    let catalog = Catalog::builtin().unwrap();
    let mut seen = BTreeSet::new();
    let mut data: BTreeMap<String, Option<Json>> = BTreeMap::new();
    let mut totals: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut unsaid: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (_, exchange) in exchanges(&folder) {
        let took = exchange["status"].as_u64().is_some_and(|status| (200..300).contains(&status));
        let url = exchange["url"].as_str().unwrap_or_default();
        let Some(path) =
            url.strip_prefix("https://management.azure.com").filter(|_| took && exchange["method"] == "PUT")
        else {
            continue;
        };
        let id = ArmId::new(path.split('?').next().unwrap_or_default());
        let Some(kind) = type_of(&id).and_then(|of| catalog.kind_of_type(&of)).filter(|kind| kind.plane == Plane::Arm)
        else {
            continue;
        };
        let mut sent = exchange["request_body"].clone();
        if !sent.is_object() || !seen.insert(format!("{} {sent}", kind.keyword)) {
            continue;
        }
        if sent.get("id").is_none() {
            sent["id"] = json!(id.as_str());
        }
        let total = totals.entry(kind.keyword.clone()).or_default();
        total.1 += 1;
        let data = data.entry(kind.keyword.clone()).or_insert_with(|| types(&folder, kind));
        let mut missing = missing(kind, id.name(), &sent, data.as_ref());
        // What lies in it is a resource of its own, and must be sayable as such.
        if keep_inner(kind, &mut missing) {
            missing.extend(inner_missing(&id, &sent, catalog, &folder));
        }
        total.0 += usize::from(missing.is_empty());
        for place in missing {
            *unsaid.entry((kind.keyword.clone(), place)).or_default() += 1;
        }
    }
    for (kind, (whole, all)) in &totals {
        println!("{kind}: {whole} of {all} bodies can be said");
        for ((_, place), count) in unsaid.iter().filter(|((of, _), _)| of == kind) {
            println!("  {count} {place}");
        }
    }
    let lacking: Vec<_> = unsaid.keys().filter(|(kind, _)| MISSION.contains(&kind.as_str())).collect();
    assert!(lacking.is_empty(), "{lacking:#?}");
}
