//! Microsoft.Network: one way to write and delete for all its types, and a description of each type
//! that says in what they differ. Private DNS has a dialect of its own.

mod address;
mod cidr;
mod endpoint;
mod firewall;
mod obstacles;
mod private_dns;
mod profile;
mod references;
mod route_table;
mod security_group;
mod virtual_network;
mod write;

use super::types::ArmType;
use super::{Call, body, operation};
use crate::errors;
use crate::id::ResourceId;
use crate::reply::{self, WithHeader};
use crate::world::{Work, World};
use profile::Profile;
use write::Network;

pub(super) use private_dns::urls as private_dns_urls;
pub(super) use references::refresh;

const VIRTUAL_NETWORK: Network = Network(&virtual_network::VIRTUAL_NETWORK);
const SUBNET: Network = Network(&virtual_network::SUBNET);
const ROUTE_TABLE: Network = Network(&route_table::ROUTE_TABLE);
const ROUTE: Network = Network(&route_table::ROUTE);
const SECURITY_GROUP: Network = Network(&security_group::SECURITY_GROUP);
const SECURITY_RULE: Network = Network(&security_group::SECURITY_RULE);
const PUBLIC_ADDRESS: Network = Network(&address::PUBLIC_ADDRESS);
const NAT_GATEWAY: Network = Network(&address::NAT_GATEWAY);
const FIREWALL: Network = Network(&firewall::FIREWALL);
const POLICY: Network = Network(&firewall::POLICY);
const RULE_COLLECTION_GROUP: Network = Network(&firewall::RULE_COLLECTION_GROUP);
const ENDPOINT: Network = Network(&endpoint::ENDPOINT);
const ZONE_GROUP: Network = Network(&endpoint::ZONE_GROUP);

/// The rules of a type, by its name in lower case, if it is one of those known here.
pub(super) fn of(type_key: &str) -> Option<&'static dyn ArmType> {
    Some(match type_key.strip_prefix("microsoft.network/")? {
        "virtualnetworks" => &VIRTUAL_NETWORK,
        "virtualnetworks/subnets" => &SUBNET,
        "routetables" => &ROUTE_TABLE,
        "routetables/routes" => &ROUTE,
        "networksecuritygroups" => &SECURITY_GROUP,
        "networksecuritygroups/securityrules" => &SECURITY_RULE,
        "publicipaddresses" => &PUBLIC_ADDRESS,
        "natgateways" => &NAT_GATEWAY,
        "azurefirewalls" => &FIREWALL,
        "firewallpolicies" => &POLICY,
        "firewallpolicies/rulecollectiongroups" => &RULE_COLLECTION_GROUP,
        "privateendpoints" => &ENDPOINT,
        "privateendpoints/privatednszonegroups" => &ZONE_GROUP,
        "privatednszones" => &private_dns::Zones,
        "privatednszones/virtualnetworklinks" => &private_dns::Links,
        _ => return None,
    })
}

/// The description of a type, by its name in lower case.
fn profile_of(type_key: &str) -> Option<&'static Profile> {
    Some(match type_key.strip_prefix("microsoft.network/")? {
        "virtualnetworks" => &virtual_network::VIRTUAL_NETWORK,
        "virtualnetworks/subnets" => &virtual_network::SUBNET,
        "routetables" => &route_table::ROUTE_TABLE,
        "routetables/routes" => &route_table::ROUTE,
        "networksecuritygroups" => &security_group::SECURITY_GROUP,
        "networksecuritygroups/securityrules" => &security_group::SECURITY_RULE,
        "publicipaddresses" => &address::PUBLIC_ADDRESS,
        "natgateways" => &address::NAT_GATEWAY,
        "azurefirewalls" => &firewall::FIREWALL,
        "firewallpolicies" => &firewall::POLICY,
        "firewallpolicies/rulecollectiongroups" => &firewall::RULE_COLLECTION_GROUP,
        "privateendpoints" => &endpoint::ENDPOINT,
        "privateendpoints/privatednszonegroups" => &endpoint::ZONE_GROUP,
        _ => return None,
    })
}

/// The subnet of an id as the world has it: whether it is there, and the addresses that its route
/// table leads elsewhere, if it has one.
pub(super) struct SubnetView {
    /// The prefixes of the routes of its route table; `None` without a table.
    pub(super) routed: Option<Vec<String>>,
}

/// Looks at a subnet from outside of Microsoft.Network.
pub(super) fn subnet(world: &World, id: &str) -> Option<SubnetView> {
    let object = world.objects.get(&id.to_ascii_lowercase())?;
    let table = object.properties()?.get("routeTable").and_then(|table| table.get("id")).and_then(|id| id.as_str());
    let routed = table.and_then(|table| world.objects.get(&table.to_ascii_lowercase())).map(|table| {
        let routes = table.properties().and_then(|properties| properties.get("routes")).and_then(|all| all.as_array());
        let prefixes = routes.into_iter().flatten().filter_map(|route| route.pointer("/properties/addressPrefix"));
        prefixes.filter_map(|prefix| prefix.as_str().map(str::to_owned)).collect()
    });
    Some(SubnetView { routed })
}

/// Lays the drafts of a firewall policy and of its groups over them, and ends them.
pub(super) fn deploy_drafts(call: &mut Call<'_>, id: &ResourceId) -> errors::Outcome {
    let prefix = format!("{}/", id.key());
    let world = &mut call.state.world;
    let drafts: Vec<(String, serde_json::Value)> = world
        .objects
        .starting_with(&prefix, "")
        .filter(|(_, object)| object.type_key.ends_with("drafts"))
        .filter_map(|(key, draft)| Some((key.to_owned(), draft.body.get("properties")?.clone())))
        .collect();
    if drafts.is_empty() {
        let message = format!("There is no draft of firewall policy {}.", id.name());
        return Err(errors::network::invalid("FirewallPolicyDraftNotFound", message));
    }
    for (key, properties) in drafts {
        // `{policy}/firewallpolicydrafts/default`, `{group}/rulecollectiongroupdrafts/default`.
        if let Some(of) = key.rsplitn(3, '/').nth(2).map(str::to_owned) {
            world.objects.edit(&of, |object| {
                let target = object.body.entry("properties").or_insert(serde_json::Value::Null);
                body::merge(target, &properties);
                crate::world::set_state(&mut object.body, "Succeeded");
            });
        }
        world.objects.remove(&key);
    }
    let work = Work::Write { key: id.key().to_owned() };
    let takes = std::time::Duration::from_secs(12);
    let token = operation::begin(call, work, id.as_written(), takes);
    let version = call.visit.query.get("api-version").unwrap_or_default().to_owned();
    let answer = reply::empty(http::StatusCode::ACCEPTED)
        .with("azure-asyncoperation", &operation_url(call, id, "nfvOperations", &token, &version))
        .with("location", &operation_url(call, id, "nfvOperationResults", &token, &version))
        .with("retry-after", "10");
    Ok(answer)
}

/// Whether an address of a virtual network can be had, and which can if not; `None` if it is of no subnet of it.
pub(super) fn free_addresses(world: &World, network: &str, asked: &str) -> Option<serde_json::Value> {
    let asked: std::net::Ipv4Addr = asked.parse().ok()?;
    let prefix = format!("{network}/subnets/");
    let subnets = world.objects.starting_with(&prefix, "").filter_map(|(_, subnet)| {
        let prefix = cidr::Prefix::parse(subnet.property("addressPrefix"))?;
        prefix.holds(asked).then_some((subnet, prefix))
    });
    let (subnet, prefix) = subnets.into_iter().next()?;
    let endpoints = subnet.properties().and_then(|own| own.get("privateEndpoints")).and_then(|all| all.as_array());
    let used = u64::try_from(endpoints.map_or(0, Vec::len)).unwrap_or(0);
    let place = u64::from(u32::from(asked).wrapping_sub(u32::from(prefix.address(0))));
    // Azure keeps the first four addresses of a subnet and its last; endpoints take the next.
    let reserved = place < 4 || place + 1 >= prefix.size();
    let taken = (4..4 + used).contains(&place);
    if !reserved && !taken {
        return Some(serde_json::json!({ "available": true, "isPlatformReserved": false }));
    }
    let others = (4 + used..prefix.size().saturating_sub(1)).take(5).filter_map(|at| u32::try_from(at).ok());
    let others: Vec<String> = others.map(|at| prefix.address(at).to_string()).collect();
    Some(serde_json::json!({ "available": false, "availableIPAddresses": others, "isPlatformReserved": reserved }))
}

/// A public address, out of a range that Azure has.
pub(super) fn public_address(world: &mut World) -> String {
    address::draw(&mut world.dice)
}

/// The key of the top resource that an id is of, or is below.
fn root_key(id: &ResourceId) -> String {
    let mut root = id.clone();
    while let Some(parent) = root.parent() {
        root = parent;
    }
    root.key().to_owned()
}

/// The URL of an operation at the region of a resource.
fn operation_url(call: &Call<'_>, id: &ResourceId, kind: &str, token: &str, version: &str) -> String {
    let subscription = id.place.subscription.as_deref().unwrap_or_default();
    let location = match call.state.world.objects.get(&root_key(id)).map(|root| root.text("location")) {
        None | Some("") => "global",
        Some(location) => location,
    };
    let path = format!("/subscriptions/{subscription}/providers/Microsoft.Network/locations/{location}/{kind}/{token}");
    operation::url(call, &path, version)
}

/// Where the state of an operation is, of which this is where its result is.
pub(super) fn status_url(call: &Call<'_>, id: &ResourceId) -> String {
    let subscription = id.place.subscription.as_deref().unwrap_or_default();
    let location = id.steps.first().map_or("", |step| step.name.as_str());
    let token = operation::token(id.name());
    let version = call.visit.query.get("api-version").unwrap_or_default();
    let path =
        format!("/subscriptions/{subscription}/providers/Microsoft.Network/locations/{location}/operations/{token}");
    operation::url(call, &path, version)
}

/// Puts defaults where nothing was said.
fn with_defaults(mut given: body::Body, defaults: serde_json::Value) -> body::Body {
    if let serde_json::Value::Object(defaults) = defaults {
        for (name, value) in defaults {
            given.entry(name).or_insert(value);
        }
    }
    given
}
