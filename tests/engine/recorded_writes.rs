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

/// What clients send and no attribute says, below these places, with the reason.
const UNSAID: &[(&str, &str, &str)] = &[
    ("cluster", "/kind", "always `Base`"),
    ("cluster", "/properties/aadProfile/tenantID", "with the integration that Azure retired"),
    ("cluster", "/properties/disableLocalAccounts", "with the integration that Azure retired"),
    ("cluster", "/properties/apiServerAccessProfile/enableVnetIntegration", "without a subnet of one's own"),
    ("cluster", "/properties/apiServerAccessProfile/authorizedIPRanges", "without a subnet of one's own"),
    ("cluster", "/properties/networkProfile/loadBalancerProfile", "of a load balancer that is not the way out"),
    ("cluster", "/properties/securityProfile/imageCleaner/intervalHours", "of a cleaner that is off"),
    ("cluster", "/properties/aadProfile/clientAppID", "of the integration that Azure retired"),
    ("cluster", "/properties/aadProfile/serverAppID", "of the integration that Azure retired"),
    ("cluster", "/properties/aadProfile/serverAppSecret", "of the integration that Azure retired"),
    ("cluster", "/properties/httpProxyConfig/enabled", "a proxy that is written is on"),
    ("cluster", "/properties/servicePrincipalProfile/clientId", "echoed by clients of clusters with an identity"),
    ("cluster", "/properties/podIdentityProfile", "retired: workload identity takes its place"),
    ("grant", "/properties/principalType", "follows from the principal, and is always sent where it does"),
    ("cluster", "/identity/delegatedResources", "set by services that delegate, never by people"),
    ("cluster", "/properties/aadProfile/managed", "false with the integration that Azure retired"),
    ("initiative", "/properties/version", "of a preview at the api-version of the kind"),
    ("initiative", "/properties/versions", "of a preview at the api-version of the kind"),
    ("policy", "/properties/selfServeExemptionSettings", "of a preview at the api-version of the kind"),
    (
        "policy_definition",
        "/properties/externalEvaluationEnforcementSettings",
        "of a preview at the api-version of the kind",
    ),
    ("policy_definition", "/properties/version", "of a preview at the api-version of the kind"),
    ("policy_definition", "/properties/versions", "of a preview at the api-version of the kind"),
    ("vault", "/properties/createMode", "recovering a deleted vault is the planner's"),
    ("vault", "/properties/enableSoftDelete", "always true: Azure forces it"),
    ("vault", "/properties/provisioningState", "Azure says it"),
];

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
pub fn is_unsaid(kind: &str, place: &str) -> bool {
    UNSAID.iter().any(|(of, known, _)| *of == kind && fits(known, place))
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
            || is_unsaid(&kind.keyword, place)
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
        let missing = missing(kind, id.name(), &sent, data.as_ref());
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
