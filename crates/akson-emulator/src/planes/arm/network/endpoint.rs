//! `privateEndpoints` and their `privateDnsZoneGroups`.

use serde_json::{Value, json};

use super::super::body::Body;
use super::super::takes::Takes;
use super::cidr::Prefix;
use super::profile::{Busy, Delete, Profile, Writing};
use super::with_defaults;
use crate::errors::{self, Refusal};
use crate::world::World;

pub(super) static ENDPOINT: Profile = Profile {
    takes: |_| Takes(20, 36, 60),
    wait: "10",
    delete: Delete::Slow { takes: Takes(10, 20, 40), wait: "10" },
    busy: Busy::Tree,
    settle: settle_endpoint,
    finish: connect,
    ..Profile::whole("Microsoft.Network/privateEndpoints", "PrivateEndpoint")
};

pub(super) static ZONE_GROUP: Profile = Profile {
    takes: |_| Takes(2, 3, 6),
    wait: "10",
    delete: Delete::Slow { takes: Takes(2, 5, 10), wait: "10" },
    busy: Busy::Tree,
    settle: settle_group,
    ..Profile::part("Microsoft.Network/privateEndpoints/privateDnsZoneGroups", "PrivateDnsZoneGroup")
};

fn settle_endpoint(writing: &Writing<'_>, mut asked: Body) -> Result<Body, Refusal> {
    if let (Some(before), Some(now)) = (writing.before("subnet"), asked.get("subnet")) {
        let id = |subnet: &Value| subnet.get("id").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
        if id(before) != id(now) {
            let message = format!("Subnet of private endpoint {} cannot be changed.", writing.shown);
            return Err(errors::network::invalid("PrivateEndpointSubnetCannotBeChanged", message));
        }
    }
    for (which, status, description) in [
        ("privateLinkServiceConnections", "Approved", "Auto-Approved"),
        ("manualPrivateLinkServiceConnections", "Pending", "Awaiting Approval"),
    ] {
        let Some(Value::Array(items)) = asked.get_mut(which) else { continue };
        for item in items.iter_mut().filter_map(Value::as_object_mut) {
            let name = item.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            item.insert("id".to_owned(), format!("{}/{which}/{name}", writing.shown).into());
            item.insert("etag".to_owned(), "".into());
            item.insert("type".to_owned(), format!("Microsoft.Network/privateEndpoints/{which}").into());
            if let Some(Value::Object(properties)) = item.get_mut("properties") {
                properties.insert("provisioningState".to_owned(), "Succeeded".into());
                let state = json!({ "status": status, "description": description, "actionsRequired": "None" });
                properties.insert("privateLinkServiceConnectionState".to_owned(), state);
            }
        }
    }
    if let Some(Value::Array(configs)) = asked.get_mut("ipConfigurations") {
        for config in configs.iter_mut().filter_map(Value::as_object_mut) {
            let name = config.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            config.insert("id".to_owned(), format!("{}/ipConfigurations/{name}", writing.shown).into());
            config.insert("etag".to_owned(), "".into());
            config.insert("type".to_owned(), "Microsoft.Network/privateEndpoints/ipConfigurations".into());
            if let Some(Value::Object(properties)) = config.get_mut("properties") {
                properties.insert("provisioningState".to_owned(), "Succeeded".into());
            }
        }
    }
    // Recorded: one version says whether an endpoint has addresses of the sixth version, later ones of which it has.
    if writing.version >= "2024-07" {
        asked.entry("ipVersionType").or_insert_with(|| "IPv4".into());
    } else if writing.version >= "2024" {
        asked.insert("isIPv6EnabledPrivateEndpoint".to_owned(), json!(false));
    }
    for own in ["networkInterfaces", "customDnsConfigs"] {
        asked.shift_remove(own);
        if let Some(before) = writing.before(own) {
            asked.insert(own.to_owned(), before.clone());
        }
    }
    Ok(with_defaults(
        asked,
        json!({
            "privateLinkServiceConnections": [],
            "manualPrivateLinkServiceConnections": [],
            "customNetworkInterfaceName": "",
            "ipConfigurations": [],
            "networkInterfaces": [{ "id": interface(writing) }],
            "customDnsConfigs": [],
        }),
    ))
}

/// The interface that the service makes; its name ends in a GUID, here one that follows from the name.
fn interface(writing: &Writing<'_>) -> String {
    let group = writing.shown.split("/privateEndpoints/").next().unwrap_or_default();
    let seed = writing
        .id
        .key()
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let guid = crate::dice::Dice::new(seed).guid();
    format!("{group}/networkInterfaces/{}.nic.{guid}", writing.id.name())
}

/// Once it stands, the endpoint says by which names and address its target is reached.
fn connect(world: &mut World, key: &str) {
    let Some(properties) = world.objects.get(key).and_then(|object| object.properties()).cloned() else { return };
    let subnet = properties.get("subnet").and_then(|subnet| subnet.get("id")).and_then(Value::as_str);
    let subnet = subnet.and_then(|id| world.objects.get(&id.to_ascii_lowercase()));
    let prefix = subnet.and_then(|subnet| Prefix::parse(subnet.property("addressPrefix")));
    let position = subnet.map_or(0, |subnet| {
        let all = subnet.properties().and_then(|own| own.get("privateEndpoints")).and_then(Value::as_array);
        let at = all.and_then(|all| {
            all.iter().position(|one| one["id"].as_str().is_some_and(|id| id.eq_ignore_ascii_case(key)))
        });
        u32::try_from(at.unwrap_or(0)).unwrap_or(0)
    });
    let address = prefix.map(|prefix| prefix.address(4 + position).to_string());
    let connections = properties.get("privateLinkServiceConnections").and_then(Value::as_array);
    let names: Vec<Value> = connections
        .into_iter()
        .flatten()
        .filter_map(|connection| {
            let target = connection.pointer("/properties/privateLinkServiceId").and_then(Value::as_str)?;
            let group = connection.pointer("/properties/groupIds/0").and_then(Value::as_str)?;
            let fqdn = name_of(world, target, group)?;
            Some(json!({ "fqdn": fqdn, "ipAddresses": address.iter().collect::<Vec<_>>() }))
        })
        .collect();
    world.objects.edit(key, |object| {
        if let Some(properties) = object.body.get_mut("properties").and_then(Value::as_object_mut) {
            properties.insert("customDnsConfigs".to_owned(), names.into());
        }
    });
}

/// The name of a target, for the groups that the services here have.
fn name_of(world: &World, target: &str, group: &str) -> Option<String> {
    let name = target.rsplit('/').next()?.to_ascii_lowercase();
    match group.to_ascii_lowercase().as_str() {
        "vault" => Some(format!("{name}.vault.azure.net")),
        "registry" => Some(format!("{name}.azurecr.io")),
        "management" => {
            let cluster = world.objects.get(&target.to_ascii_lowercase())?;
            Some(cluster.property("privateFQDN").to_owned()).filter(|fqdn| !fqdn.is_empty())
        }
        "blob" | "file" | "queue" | "table" => Some(format!("{name}.{group}.core.windows.net")),
        _ => None,
    }
}

/// The records that the names of an endpoint get in a zone.
fn record_sets(writing: &Writing<'_>, zone: &str) -> Vec<Value> {
    let endpoint = writing.id.parent().and_then(|parent| writing.world.objects.get(parent.key()));
    let names = endpoint.and_then(|endpoint| endpoint.properties()?.get("customDnsConfigs")?.as_array());
    let record = |name: &Value| {
        let label = name["fqdn"].as_str()?.split('.').next()?;
        Some(json!({
            "recordType": "A",
            "recordSetName": label,
            "fqdn": format!("{label}.{zone}"),
            "ttl": 10,
            "provisioningState": "Succeeded",
            "ipAddresses": name["ipAddresses"],
        }))
    };
    names.into_iter().flatten().filter_map(record).collect()
}

/// One group for an endpoint; its zones are parts of it.
fn settle_group(writing: &Writing<'_>, mut asked: Body) -> Result<Body, Refusal> {
    if let Some(parent) = writing.id.parent() {
        let prefix = format!("{}/privatednszonegroups/", parent.key());
        if writing
            .world
            .objects
            .starting_with(&prefix, "")
            .any(|(key, other)| key != writing.id.key() && other.type_key == writing.id.type_key())
        {
            let message = format!("Private endpoint {} already has a private DNS zone group.", parent.name());
            return Err(errors::network::invalid(
                "MoreThanOnePrivateDnsZoneGroupPerPrivateEndpointNotAllowed",
                message,
            ));
        }
    }
    if let Some(Value::Array(configs)) = asked.get_mut("privateDnsZoneConfigs") {
        for config in configs.iter_mut().filter_map(Value::as_object_mut) {
            let name = config.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            config.insert("id".to_owned(), format!("{}/privateDnsZoneConfigs/{name}", writing.shown).into());
            config.insert("etag".to_owned(), "".into());
            let kind = "Microsoft.Network/privateEndpoints/privateDnsZoneGroups/privateDnsZoneConfigs";
            config.insert("type".to_owned(), kind.into());
            if let Some(Value::Object(properties)) = config.get_mut("properties") {
                properties.insert("provisioningState".to_owned(), "Succeeded".into());
                let zone = properties.get("privateDnsZoneId").and_then(Value::as_str).unwrap_or_default();
                let records = record_sets(writing, zone.rsplit('/').next().unwrap_or_default());
                properties.insert("recordSets".to_owned(), records.into());
            }
        }
    }
    Ok(with_defaults(asked, json!({ "privateDnsZoneConfigs": [] })))
}
