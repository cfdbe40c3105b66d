//! `virtualNetworks` and their `subnets`. Security group, route table and NAT gateway hang on the
//! subnet: a write that leaves one out takes it away.

use serde_json::{Value, json};

use super::super::body::Body;
use super::super::takes::Takes;
use super::cidr::Prefix;
use super::profile::{Busy, Delete, Guard, Inline, Profile, Writing};
use super::with_defaults;
use crate::errors::{self, Refusal};
use crate::world::Object;

pub(super) static VIRTUAL_NETWORK: Profile = Profile {
    takes: |_| Takes(2, 4, 8),
    wait: "3",
    delete: Delete::Slow { takes: Takes(5, 10, 14), wait: "10" },
    busy: Busy::Tree,
    inline: &[
        Inline { property: "subnets", kind: "subnets", kept: true },
        Inline { property: "virtualNetworkPeerings", kind: "virtualnetworkpeerings", kept: true },
    ],
    settle: settle_network,
    ..Profile::whole("Microsoft.Network/virtualNetworks", "VirtualNetwork")
};

pub(super) static SUBNET: Profile = Profile {
    takes: |_| Takes(1, 2, 6),
    wait: "3",
    delete: Delete::Slow { takes: Takes(5, 10, 14), wait: "10" },
    busy: Busy::Tree,
    settle: settle_subnet,
    guard: &[
        Guard { property: "ipConfigurations", code: "InUseSubnetCannotBeDeleted", message: in_use },
        Guard { property: "privateEndpoints", code: "InUseSubnetCannotBeDeleted", message: in_use },
        Guard { property: "serviceAssociationLinks", code: "InUseSubnetCannotBeDeleted", message: in_use },
    ],
    ..Profile::part("Microsoft.Network/virtualNetworks/subnets", "Subnet")
};

fn in_use(subnet: &Object, by: &str) -> String {
    format!(
        "Subnet {} is in use by {by} and cannot be deleted. In order to delete the subnet, delete all the resources within the subnet. See aka.ms/deletesubnet.",
        subnet.text("name")
    )
}

fn settle_network(writing: &Writing<'_>, mut asked: Body) -> Result<Body, Refusal> {
    // Recorded: options come back with the list that they are about, empty or not.
    if let Some(Value::Object(options)) = asked.get_mut("dhcpOptions") {
        options.entry("dnsServers").or_insert_with(|| json!([]));
    }
    // Recorded: of the protection of machines only old versions speak.
    if !writing.version.is_empty() && writing.version < "2020" {
        asked.entry("enableVmProtection").or_insert(json!(false));
    } else if asked.get("enableVmProtection") == Some(&json!(false)) {
        asked.shift_remove("enableVmProtection");
    }
    if let Some(Value::Object(communities)) = asked.get_mut("bgpCommunities") {
        communities.insert("regionalCommunity".to_owned(), "12076:50006".into());
    }
    // Recorded: to be off says enough, to be on does not.
    if let Some(encryption) = asked.get("encryption").and_then(Value::as_object)
        && encryption.get("enabled") != Some(&json!(false))
        && !(encryption.contains_key("enabled") && encryption.contains_key("enforcement"))
    {
        let message = format!(
            "Cannot encrypt VirtualNetwork {} unless both encryption intent (Enabled true or false) and enforcement policy (AllowUnencrypted or DropUnencrypted) are specified.",
            writing.shown
        );
        return Err(errors::network::invalid("MustSpecifyBothEncryptionIntentAndEnforcementPolicy", message));
    }
    if let Some(Value::Object(encryption)) = asked.get_mut("encryption") {
        encryption.entry("enforcement").or_insert_with(|| "AllowUnencrypted".into());
    }
    let kept = with_defaults(
        asked,
        json!({ "addressSpace": { "addressPrefixes": [] }, "privateEndpointVNetPolicies": "Disabled", "enableDdosProtection": false }),
    );
    let prefix = format!("{}/subnets/", writing.id.key());
    for (_, subnet) in writing.world.objects.starting_with(&prefix, "") {
        if subnet.properties().is_some_and(|properties| prefixes(properties).iter().any(|own| !lies_in(&kept, *own))) {
            return Err(outside(subnet.text("name"), writing.id.name()));
        }
    }
    Ok(kept)
}

fn settle_subnet(writing: &Writing<'_>, mut asked: Body) -> Result<Body, Refusal> {
    // What others say of it is theirs to say.
    for own in ["ipConfigurations", "privateEndpoints", "serviceAssociationLinks", "resourceNavigationLinks"] {
        asked.shift_remove(own);
    }
    if let Some(Value::Array(endpoints)) = asked.get_mut("serviceEndpoints") {
        for endpoint in endpoints.iter_mut().filter_map(Value::as_object_mut) {
            endpoint.insert("provisioningState".to_owned(), "Succeeded".into());
            endpoint.entry("locations").or_insert_with(|| json!(["*"]));
        }
    }
    if let Some(Value::Array(delegations)) = asked.get_mut("delegations") {
        for delegation in delegations.iter_mut().filter_map(Value::as_object_mut) {
            let name = delegation.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            delegation.insert("id".to_owned(), format!("{}/delegations/{name}", writing.shown).into());
            delegation.insert("type".to_owned(), "Microsoft.Network/virtualNetworks/subnets/delegations".into());
            delegation.insert("etag".to_owned(), "".into());
            if let Some(Value::Object(properties)) = delegation.get_mut("properties") {
                properties.insert("provisioningState".to_owned(), "Succeeded".into());
                let actions = || json!(["Microsoft.Network/virtualNetworks/subnets/join/action"]);
                properties.entry("actions").or_insert_with(actions);
            }
        }
    }
    let mut kept = with_defaults(
        asked,
        json!({
            "delegations": [],
            "privateEndpointNetworkPolicies": "Disabled",
            "privateLinkServiceNetworkPolicies": "Enabled",
        }),
    );
    // Recorded: newer versions know of pools of addresses.
    if writing.version >= "2024" {
        kept = with_defaults(kept, json!({ "ipamPoolPrefixAllocations": [] }));
    }
    check_range(writing, &kept)?;
    for back in ["ipConfigurations", "privateEndpoints", "ipamPoolPrefixAllocations"] {
        if let Some(value) = writing.before(back) {
            kept.insert(back.to_owned(), value.clone());
        }
    }
    Ok(kept)
}

/// A subnet lies in its network, on no other subnet, and stays where it is while something is in it.
fn check_range(writing: &Writing<'_>, kept: &Body) -> Result<(), Refusal> {
    let own = prefixes(kept);
    let name = writing.id.name();
    let Some(parent) = writing.id.parent() else { return Ok(()) };
    if let Some(network) = writing.world.objects.get(parent.key()).and_then(Object::properties) {
        // A network that is written in the same call has been looked at already.
        if writing.existing.is_none() && own.iter().any(|own| !lies_in(network, *own)) {
            return Err(outside(name, parent.name()));
        }
        let prefix = format!("{}/subnets/", parent.key());
        for (key, sibling) in writing.world.objects.starting_with(&prefix, "") {
            let theirs = sibling.properties().map(prefixes).unwrap_or_default();
            if key != writing.id.key() && own.iter().any(|own| theirs.iter().any(|theirs| own.overlaps(*theirs))) {
                let message = format!(
                    "Subnet '{name}' is not valid because its IP address range overlaps with that of an existing subnet in virtual network '{}'.",
                    parent.name()
                );
                return Err(errors::network::invalid("NetcfgSubnetRangesOverlap", message));
            }
        }
    }
    let used = writing.before("ipConfigurations").or(writing.before("privateEndpoints")).is_some();
    let moved = writing.existing.and_then(Object::properties).is_some_and(|before| prefixes(before) != own);
    if used && moved {
        let message = format!("IpPrefix of subnet {name} is in use and cannot be deleted.");
        return Err(errors::network::invalid("InUsePrefixCannotBeDeleted", message));
    }
    Ok(())
}

fn outside(subnet: &str, network: &str) -> Refusal {
    errors::network::invalid(
        "NetcfgSubnetRangeOutsideVnet",
        format!(
            "Subnet '{subnet}' is not valid because its IP address range is outside the IP address range of virtual network '{network}'."
        ),
    )
}

fn prefixes(subnet: &Body) -> Vec<Prefix> {
    let one = subnet.get("addressPrefix").into_iter();
    let many = subnet.get("addressPrefixes").and_then(Value::as_array).into_iter().flatten();
    one.chain(many).filter_map(Value::as_str).filter_map(Prefix::parse).collect()
}

/// Whether a prefix lies in the address space of a network; one without any takes everything.
fn lies_in(network: &Body, own: Prefix) -> bool {
    let space = network.get("addressSpace").and_then(|space| space.get("addressPrefixes")).and_then(Value::as_array);
    let space: Vec<Prefix> = space.into_iter().flatten().filter_map(Value::as_str).filter_map(Prefix::parse).collect();
    space.is_empty() || space.iter().any(|space| space.contains(own))
}
