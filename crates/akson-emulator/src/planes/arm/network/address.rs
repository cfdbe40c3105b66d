//! `publicIPAddresses`, which get their address at the end of the write, and `natGateways`.

use serde_json::json;

use super::super::body::Body;
use super::super::takes::Takes;
use super::profile::{Busy, Delete, Guard, Profile, Writing};
use super::with_defaults;
use crate::dice::Dice;
use crate::errors::{self, Refusal};
use crate::world::{Object, World};

pub(super) static PUBLIC_ADDRESS: Profile = Profile {
    takes: |_| Takes(1, 2, 4),
    wait: "1",
    delete: Delete::Slow { takes: Takes(5, 10, 14), wait: "10" },
    busy: Busy::Alone,
    sku: Some(("Basic", "Regional")),
    settle: settle_address,
    finish: allocate,
    guard: &[
        Guard { property: "ipConfiguration", code: "PublicIPAddressCannotBeDeleted", message: address_in_use },
        Guard { property: "natGateway", code: "PublicIPAddressCannotBeDeleted", message: address_in_use },
    ],
    ..Profile::whole("Microsoft.Network/publicIPAddresses", "PublicIpAddress")
};

pub(super) static NAT_GATEWAY: Profile = Profile {
    takes: |_| Takes(5, 10, 14),
    wait: "10",
    delete: Delete::Slow { takes: Takes(5, 10, 14), wait: "10" },
    busy: Busy::Alone,
    sku: Some(("Standard", "Regional")),
    settle: |writing, asked| Ok(settle_gateway(writing, asked)),
    guard: &[Guard { property: "subnets", code: "InUseNatGatewayCannotBeDeleted", message: gateway_in_use }],
    ..Profile::whole("Microsoft.Network/natGateways", "NatGateway")
};

fn address_in_use(address: &Object, by: &str) -> String {
    format!(
        "Public IP address {} can not be deleted since it is still allocated to resource {by}. In order to delete the public IP, disassociate/detach the Public IP address from the resource. To learn how to do this, see aka.ms/deletepublicip.",
        address.id()
    )
}

fn gateway_in_use(gateway: &Object, by: &str) -> String {
    format!("NAT gateway {} cannot be deleted since it is in use by {by}.", gateway.id())
}

/// An address out of one of Azure's ranges.
pub(super) fn draw(dice: &mut Dice) -> String {
    format!("20.{}.{}.{}", dice.between(33, 127), dice.between(0, 255), dice.between(1, 254))
}

fn settle_address(writing: &Writing<'_>, mut asked: Body) -> Result<Body, Refusal> {
    let prefix = asked.get("publicIPPrefix").and_then(|prefix| prefix.get("id")).and_then(serde_json::Value::as_str);
    if let Some(prefix) = prefix.filter(|prefix| !writing.world.objects.contains(&prefix.to_ascii_lowercase())) {
        return Err(errors::network::not_found(prefix));
    }
    // Recorded: an address of a prefix of one's own can be chosen.
    let chosen = asked.shift_remove("ipAddress").filter(|_| asked.contains_key("publicIPPrefix"));
    for own in ["ipConfiguration", "natGateway"] {
        asked.shift_remove(own);
    }
    let mut kept = Body::new();
    if let Some(address) = writing.before("ipAddress").or(chosen.as_ref()) {
        kept.insert("ipAddress".to_owned(), address.clone());
    }
    kept.extend(asked);
    let mut kept = with_defaults(
        kept,
        json!({
            "publicIPAddressVersion": "IPv4",
            "publicIPAllocationMethod": "Dynamic",
            "idleTimeoutInMinutes": 4,
            "ipTags": [],
            "ddosSettings": { "protectionMode": "VirtualNetworkInherited" },
        }),
    );
    for back in ["ipConfiguration", "natGateway"] {
        if let Some(value) = writing.before(back) {
            kept.insert(back.to_owned(), value.clone());
        }
    }
    Ok(kept)
}

/// A static address is there from the end of the first write on.
fn allocate(world: &mut World, key: &str) {
    let Some(object) = world.objects.get(key) else { return };
    if object.property("publicIPAllocationMethod") != "Static" || !object.property("ipAddress").is_empty() {
        return;
    }
    let address = draw(&mut world.dice);
    world.objects.edit(key, |object| {
        if let Some(properties) = object.body.get_mut("properties").and_then(|value| value.as_object_mut()) {
            properties.insert("ipAddress".to_owned(), address.into());
        }
    });
}

fn settle_gateway(writing: &Writing<'_>, mut asked: Body) -> Body {
    asked.shift_remove("subnets");
    // Recorded: this version has other words.
    let mut kept = if writing.version >= "2025-03" || asked.contains_key("scope") {
        let defaults = json!({ "idleTimeoutInMinutes": 4, "scope": "Public", "privateIPAddresses": [], "privateIPAddressesV6": [] });
        with_defaults(asked, defaults)
    } else {
        with_defaults(asked, json!({ "idleTimeoutInMinutes": 4, "type": "Public" }))
    };
    if let Some(subnets) = writing.before("subnets") {
        kept.insert("subnets".to_owned(), subnets.clone());
    }
    kept
}
