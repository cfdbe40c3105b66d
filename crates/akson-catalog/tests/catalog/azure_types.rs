//! Kinds against Azure's own type data: every place that a kind writes exists there and may be written; what may be written and no
//! kind says is listed with its reason. The data is found by `AKSON_AZURE_DATA`, else in `../shared/azure` beside the repository.

use std::{collections::BTreeSet, env, fs, path::PathBuf};

use akson_catalog::{
    Attribute, Catalog, Type,
    kind::{Plane, embedded::KINDS},
};
use serde_json::Value as Json;

/// What may be written and is left out on purpose. A place that ends with a slash stands for all below it.
const LEFT_OUT: &[(&str, &str, &str)] = &[
    ("grant", "/properties/principalType", "follows from the principal, and is always sent where it does"),
    ("vault", "/properties/enableSoftDelete", "always true: Azure forces it"),
    (
        "vault",
        "/properties/createMode",
        "recovering a deleted vault is the planner's, by the quirk `soft_deleted_name`",
    ),
    ("vault", "/properties/vaultUri", "an output: Azure says it, though the types call it writable"),
    ("vault", "/properties/provisioningState", "Azure says it, though the types call it writable"),
    ("cluster", "/identity/delegatedResources", "set by services that delegate, never by people"),
    ("cluster", "/properties/aadProfile/clientAppID", "of the integration that Azure retired"),
    ("cluster", "/properties/aadProfile/serverAppID", "of the integration that Azure retired"),
    ("cluster", "/properties/aadProfile/serverAppSecret", "of the integration that Azure retired"),
    (
        "cluster",
        "/properties/httpProxyConfig/enabled",
        "switches a proxy off without forgetting it; a proxy that is written is on",
    ),
    ("cluster", "/properties/podIdentityProfile/", "pod identity is retired: workload identity takes its place"),
    ("cluster", "/properties/privateLinkResources/", "Azure says it, though the types call it writable"),
    ("cluster", "/properties/agentPoolProfiles/", "pools are resources of their own: `node_pool`"),
    (
        "cluster",
        "/properties/securityProfile/defender/securityGating/identities/*/identity/",
        "follows from the identity",
    ),
    (
        "defender",
        "/properties/extensions/*/additionalExtensionProperties",
        "settings of single extensions, in no documented form",
    ),
    ("diagnostic_setting", "/properties/logs/*/retentionPolicy/", "retired: retention is the storage account's"),
    ("diagnostic_setting", "/properties/metrics/*/retentionPolicy/", "retired: retention is the storage account's"),
    ("diagnostic_setting", "/properties/metrics/*/timeGrain", "Azure chooses it"),
    ("diagnostic_setting", "/properties/serviceBusRuleId", "retired: `event_hub_rule` takes its place"),
    ("firewall", "/extendedLocation/", "firewalls in edge zones are not of this domain"),
    ("firewall", "/properties/additionalProperties", "free settings without documentation"),
    ("firewall", "/properties/hubIPAddresses/", "addresses in a hub are Azure's to choose"),
    ("firewall", "/properties/managementIpConfiguration", "forced tunnelling is not of this domain"),
    ("firewall", "/properties/applicationRuleCollections/", "rules are the policy's"),
    ("firewall", "/properties/networkRuleCollections/", "rules are the policy's"),
    ("firewall", "/properties/natRuleCollections/", "rules are the policy's"),
    ("firewall_policy", "/properties/dnsSettings/requireProxyForNetworkRules", "follows from `dns_proxy`"),
    ("firewall_policy", "/properties/explicitProxy/", "an explicit proxy is not of this domain"),
    ("firewall_policy", "/properties/insights/", "retired: diagnostic settings take its place"),
    ("firewall_policy", "/properties/intrusionDetection/", "overrides of single signatures are not of this domain"),
    ("firewall_rules", "/properties/ruleCollections/*/name", "there are two collections, `network` and `application`"),
    ("initiative", "/properties/version", "versions of own initiatives are a preview"),
    ("initiative", "/properties/versions", "versions of own initiatives are a preview"),
    ("log_workspace", "/etag", "a workspace is written without a condition"),
    ("log_workspace", "/properties/features/dataAuthorizationMode", "a preview without documentation"),
    ("nat_gateway", "/properties/nat64", "a preview"),
    ("nat_gateway", "/properties/serviceGateway/", "a preview"),
    ("nat_gateway", "/properties/sourceVirtualNetwork/", "a preview"),
    ("network", "/extendedLocation/", "networks in edge zones are not of this domain"),
    ("network", "/properties/bgpCommunities/", "of ExpressRoute, not of this domain"),
    ("network", "/properties/ipAllocations/", "set by services that allocate, never by people"),
    ("network", "/properties/subnets", "subnets are resources of their own: `subnet`"),
    ("network", "/properties/summarizedGatewayPrefixes", "of gateways, not of this domain"),
    ("network", "/properties/virtualNetworkPeerings/", "a peering is a resource of its own: write it as a raw one"),
    ("node_pool", "/properties/nodeImageVersion", "an output: nodes are made new by an upgrade"),
    ("node_pool", "/properties/virtualMachineNodesStatus/", "Azure says it, though the types call it writable"),
    ("policy", "/properties/assignmentType", "Azure says it, though the types call it writable"),
    ("policy", "/properties/selfServeExemptionSettings/", "a preview"),
    ("policy_definition", "/properties/externalEvaluationEnforcementSettings/", "a preview"),
    ("policy_definition", "/properties/version", "versions of own definitions are a preview"),
    ("policy_definition", "/properties/versions", "versions of own definitions are a preview"),
    ("policy_exemption", "/properties/resourceSelectors/*/selectors/", "in Azure's words, by `selectors`"),
    ("private_dns_zone", "/etag", "a zone is written without a condition"),
    ("private_dns_zone_link", "/etag", "a link is written without a condition"),
    ("private_endpoint", "/extendedLocation/", "endpoints in edge zones are not of this domain"),
    ("private_endpoint", "/properties/applicationSecurityGroups", "membership is said by the group"),
    ("private_endpoint", "/properties/billingSku", "a preview"),
    ("private_endpoint", "/properties/ipVersionType", "a preview"),
    ("private_endpoint", "/properties/customDnsConfigs/", "Azure says it, though the types call it writable"),
    (
        "private_endpoint",
        "/properties/manualPrivateLinkServiceConnections",
        "of targets of other tenants, which somebody there must approve",
    ),
    ("public_ip", "/extendedLocation/", "addresses in edge zones are not of this domain"),
    ("public_ip", "/properties/ddosSettings/", "plans are the network's"),
    ("public_ip", "/properties/deleteOption", "of machines, not of this domain"),
    ("public_ip", "/properties/dnsSettings/", "Azure says it, or it is a preview"),
    ("public_ip", "/properties/ipAddress", "an output: Azure says it, though the types call it writable"),
    ("public_ip", "/properties/ipTags/", "of Microsoft's own services"),
    ("public_ip", "/properties/linkedPublicIPAddress", "of the migration from basic addresses"),
    ("public_ip", "/properties/migrationPhase", "of the migration from basic addresses"),
    ("public_ip", "/properties/natGateway/", "said by the NAT gateway"),
    ("public_ip", "/properties/servicePublicIPAddress", "of the migration from basic addresses"),
    ("registry", "/properties/policies/trustPolicy/type", "always `Notary`"),
    ("registry", "/systemData/", "Azure says it, though the types call it writable"),
    ("route_table", "/properties/disablePeeringRoute", "a preview"),
    ("route_table", "/properties/routes/*/id", "Azure says it, though the types call it writable"),
    ("route_table", "/properties/routes/*/properties/nextHop/", "a preview"),
    ("subnet", "/properties/applicationGatewayIPConfigurations/", "said by the application gateway"),
    ("subnet", "/properties/delegations/*/id", "Azure says it, though the types call it writable"),
    ("subnet", "/properties/delegations/*/type", "Azure says it, though the types call it writable"),
    ("subnet", "/properties/ipAllocations/", "set by services that allocate, never by people"),
    ("subnet", "/properties/ipamPoolPrefixAllocations/", "of address pools, not of this domain"),
    ("subnet", "/properties/routeTable/", "said by the route table"),
    ("subnet", "/properties/serviceEndpointPolicies/", "of storage accounts, not of this domain"),
    ("subnet", "/properties/serviceEndpoints/", "Azure chooses it"),
    ("subnet", "/properties/serviceGateway/", "a preview"),
    ("subnet", "/properties/sharingScope", "a preview"),
];

/// Places that kinds write and the data does not call by that name.
const ENVELOPE: [&str; 2] = ["/location", "/tags"];

fn folder() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/azure");
    let folder = env::var_os("AKSON_AZURE_DATA").map_or(beside, PathBuf::from).join("types");
    folder.is_dir().then_some(folder)
}

/// The type data of a resource type, of whichever api-version there is.
fn data(folder: &PathBuf, resource_type: &str) -> Option<Json> {
    let start = format!("{}@", resource_type.replace('/', "."));
    let mut names: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.file_name()
                .and_then(|name| name.to_str())
                .is_some_and(|name| name.to_lowercase().starts_with(&start.to_lowercase()))
        })
        .collect();
    names.sort();
    Some(serde_json::from_str(&fs::read_to_string(names.last()?).unwrap()).unwrap())
}

fn has_flag(node: &Json, flag: &str) -> bool {
    node["flags"].as_array().is_some_and(|flags| flags.iter().any(|found| found == flag))
}

/// The node of a pointer; `*` stands for the items of a list. An error says which step is not there or is read-only.
fn find<'a>(data: &'a Json, pointer: &str) -> Result<&'a Json, String> {
    let mut node = &data["body"];
    for step in pointer.split('/').skip(1) {
        // An object with free keys says nothing of what is in it.
        if node["type"] == "any" || node["type"] == "object" && node["properties"].is_null() {
            return Ok(node);
        }
        let step = if step.starts_with("~k") { "*" } else { step };
        node = resolved(data, if step == "*" { &node["items"] } else { member(node, step) });
        if node.is_null() {
            return Err(format!("`{pointer}` does not exist at `{step}`"));
        }
        if has_flag(node, "readOnly") {
            return Err(format!("`{pointer}` is read-only at `{step}`"));
        }
    }
    Ok(node)
}

/// What a reference stands for.
fn resolved<'a>(data: &'a Json, node: &'a Json) -> &'a Json {
    let name = node["ref"].as_str().and_then(|reference| reference.rsplit('/').next());
    name.map_or(node, |name| &data["definitions"][name])
}

/// A member of an object, also of one whose members depend on its type.
fn member<'a>(node: &'a Json, name: &str) -> &'a Json {
    let own = &node["properties"][name];
    let variants =
        || node["variants"].as_object().into_iter().flatten().map(|(_, variant)| &variant["properties"][name]);
    if own.is_null() { variants().find(|found| !found.is_null()).unwrap_or(own) } else { own }
}

/// Whether an answer can have something there: items of lists by their place.
fn exists(data: &Json, pointer: &str) -> bool {
    let mut node = &data["body"];
    for step in pointer.split('/').skip(1) {
        if node["type"] == "object" && node["properties"].is_null() {
            return true;
        }
        let next = if step.parse::<usize>().is_ok() { &node["items"] } else { member(node, step) };
        node = resolved(data, next);
        if node.is_null() {
            return false;
        }
    }
    true
}

/// Every place below a node that may be written, as pointers; lists of objects are walked as `*`, free keys are one place.
fn writable(node: &Json, at: &str, found: &mut BTreeSet<String>) {
    if has_flag(node, "readOnly") {
        return;
    }
    let inner = if node["type"] == "array" && node["items"]["properties"].is_object() {
        (&node["items"], format!("{at}/*"))
    } else {
        (node, at.to_owned())
    };
    match inner.0["properties"].as_object() {
        Some(properties) => {
            for (name, node) in properties {
                writable(node, &format!("{}/{name}", inner.1), found);
            }
        }
        None => {
            found.insert(at.to_owned());
        }
    }
}

/// Every place an attribute writes: with the places inside of the items of lists.
fn written(attribute: &Attribute, found: &mut BTreeSet<String>) {
    found.extend(attribute.creates.keys().cloned());
    let constants = attribute.writes.keys().chain(attribute.off.keys());
    found.extend(constants.map(|place| match (place.strip_prefix('*'), &attribute.pointer) {
        (Some(below), Some(list)) => format!("{list}/*{below}"),
        _ => place.clone(),
    }));
    for variant in attribute.variants.values() {
        found.extend(variant.writes.keys().chain(variant.creates.keys()).cloned());
        for argument in variant.arguments.values() {
            written(argument, found);
        }
    }
    if matches!(attribute.of, Type::Object(_)) && attribute.keyed.is_none() {
        attribute.fields.values().for_each(|field| written(field, found));
        return;
    }
    let Some(pointer) = &attribute.pointer else { return };
    let objects = matches!(&attribute.of, Type::List(item) | Type::Set(item) if matches!(**item, Type::Object(_)))
        || attribute.keyed.is_some();
    if let Some(key) = &attribute.keyed {
        found.insert(format!("{pointer}/*/{key}"));
    }
    if let Some(key) = &attribute.wrap_items {
        found.insert(format!("{pointer}/*/{key}"));
        found.extend(attribute.wrap_with.keys().map(|key| format!("{pointer}/*/{key}")));
    } else if objects {
        let mut fields = BTreeSet::new();
        for field in attribute.fields.values() {
            written(field, &mut fields);
        }
        found.extend(fields.into_iter().map(|field| format!("{pointer}/*{field}")));
    } else {
        found.insert(pointer.clone());
    }
}

/// Azure's words that no word of ours stands for, with the reason.
const UNSAID_WORDS: &[(&str, &str, &str, &str)] = &[
    ("lock", "level", "NotSpecified", "Azure refuses it in a request"),
    ("log_workspace", "public_ingestion", "SecuredByPerimeter", "network security perimeters are not of this domain"),
    ("log_workspace", "public_query", "SecuredByPerimeter", "network security perimeters are not of this domain"),
    ("policy", "enforcement", "Enroll", "a preview"),
    ("registry", "sku", "Classic", "retired"),
    ("route_table", "next_hop", "VirtualApplianceEcmp", "a preview"),
];

/// The words of an enum, ours mapped to Azure's, must be among Azure's.
fn check_words(keyword: &str, attribute: &Attribute, node: &Json, wrong: &mut Vec<String>) {
    let node = if node["items"].is_object() { &node["items"] } else { node };
    let Some(known) = node["enum"].as_array() else { return };
    let ours = attribute
        .values
        .values()
        .chain(attribute.switch.iter().flat_map(|(enabled, disabled)| [Some(enabled), disabled.as_ref()]).flatten());
    let ours: Vec<&Json> = ours.collect();
    for word in ours.iter().filter(|word| !known.contains(word)) {
        wrong.push(format!("{keyword}.{}: Azure does not know the word {word}", attribute.name));
    }
    // A text takes any word.
    let closed = matches!(attribute.of, Type::Enum(_) | Type::Switch) || !ours.is_empty();
    let said = |word: &Json| {
        let plain = matches!(&attribute.of, Type::Enum(words) if word.as_str().is_some_and(|word| words.iter().any(|own| own == word)));
        plain || ours.contains(&word) || (matches!(attribute.of, Type::Switch) && attribute.switch.is_none())
    };
    for word in known.iter().filter(|word| closed && !said(word)) {
        let left =
            UNSAID_WORDS.iter().any(|(of, name, left, _)| *of == keyword && *name == attribute.name && word == left);
        if !left {
            wrong.push(format!("{keyword}.{}: no word stands for Azure's {word}", attribute.name));
        }
    }
}

/// The words of an attribute, and of everything in it.
fn words(keyword: &str, attribute: &Attribute, base: &str, data: &Json, wrong: &mut Vec<String>) {
    let at = attribute.pointer.as_ref().map(|pointer| format!("{base}{pointer}"));
    if let Some(node) = at.as_deref().and_then(|at| find(data, at).ok()) {
        check_words(keyword, attribute, node, wrong);
    }
    let block = matches!(attribute.of, Type::Object(_)) && attribute.keyed.is_none();
    let below = if block { base.to_owned() } else { format!("{}/*", at.unwrap_or_default()) };
    for field in attribute.fields.values() {
        words(keyword, field, &below, data, wrong);
    }
    for argument in attribute.variants.values().flat_map(|variant| variant.arguments.values()) {
        words(keyword, argument, base, data, wrong);
    }
}

#[test]
fn kinds_write_what_azure_takes() {
    let Some(folder) = folder() else {
        eprintln!("skipped: no Azure type data (AKSON_AZURE_DATA, else ../shared/azure)");
        return;
    };
    let mut wrong: Vec<String> = Vec::new();
    for kind in Catalog::builtin().unwrap().iter().filter(|kind| !kind.resource_type.is_empty()) {
        // Of the directory's objects only what a stack needs is written; clusters' objects have no type data.
        if matches!(kind.plane, Plane::Graph | Plane::Kubernetes) {
            continue;
        }
        let Some(data) = data(&folder, &kind.resource_type) else {
            wrong.push(format!("{}: no type data of {}", kind.keyword, kind.resource_type));
            continue;
        };
        let body = &data["body"];
        let mut ours = BTreeSet::new();
        for attribute in kind.attributes.values() {
            written(attribute, &mut ours);
        }
        // Keys of tags are free.
        for pointer in ours.iter().filter(|pointer| !pointer.starts_with("/tags/")) {
            if let Err(why) = find(&data, pointer) {
                wrong.push(format!("{}: {why}", kind.keyword));
            }
        }
        for attribute in kind.attributes.values() {
            words(&kind.keyword, attribute, "", &data, &mut wrong);
        }
        for output in kind.outputs.values() {
            if !exists(&data, &output.pointer) {
                wrong.push(format!("{}: there is no output at `{}`", kind.keyword, output.pointer));
            }
        }

        let mut all = BTreeSet::new();
        for (name, node) in body["properties"].as_object().unwrap() {
            if name != "name" {
                writable(resolved(&data, node), &format!("/{name}"), &mut all);
            }
        }
        // A free object is covered by what is written in it.
        let ours = |place: &str| {
            let below = format!("{}/", place.replace("/*", "/~"));
            ours.iter().any(|own| {
                let own: String = own
                    .split('/')
                    .map(|step| if step.starts_with("~k") { "*" } else { step })
                    .collect::<Vec<_>>()
                    .join("/");
                own == place || own.replace("/*", "/~").starts_with(&below)
            })
        };
        let covered = all.iter().filter(|place| ours(place)).count();
        let left_out: Vec<_> = LEFT_OUT.iter().filter(|(keyword, ..)| *keyword == kind.keyword).collect();
        // A place that ends with a slash stands for all below it.
        let is_left_out = |left: &str, place: &str| left == place || (left.ends_with('/') && place.starts_with(left));
        println!(
            "{}: {covered} of {} writable properties by attributes, {} left out",
            kind.keyword,
            all.len(),
            left_out.len()
        );
        for place in all.iter().filter(|place| !ours(place)) {
            match left_out.iter().find(|(_, pointer, _)| is_left_out(pointer, place)) {
                Some((_, pointer, reason)) => println!("  {pointer}: {reason}"),
                None => wrong.push(format!("{}: `{place}` may be written and no attribute says it", kind.keyword)),
            }
        }
        for (_, pointer, _) in left_out
            .iter()
            .filter(|(_, pointer, _)| !all.iter().any(|place| is_left_out(pointer, place) && !ours(place)))
        {
            wrong.push(format!("{}: `{pointer}` need not be in the list of what is left out", kind.keyword));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_is_left_out_belongs_to_a_kind() {
    for (keyword, pointer, reason) in LEFT_OUT {
        assert!(
            KINDS.iter().any(|kind| kind.name == format!("{keyword}.toml"))
                && pointer.starts_with('/')
                && !reason.is_empty()
        );
        assert!(!ENVELOPE.contains(pointer), "location and tags are every kind's");
    }
}
