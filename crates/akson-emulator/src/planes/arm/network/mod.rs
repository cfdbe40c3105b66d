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
use crate::id::ResourceId;
use crate::world::World;
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

/// Puts defaults where nothing was said.
fn with_defaults(mut given: body::Body, defaults: serde_json::Value) -> body::Body {
    if let serde_json::Value::Object(defaults) = defaults {
        for (name, value) in defaults {
            given.entry(name).or_insert(value);
        }
    }
    given
}
