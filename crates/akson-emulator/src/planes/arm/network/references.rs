//! Who refers to whom: a reference must lead to something, and the other side shows it. What the other
//! side shows is never stored as truth; it is made anew from the references whenever something changed.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::body::Body;
use super::{profile_of, root_key};
use crate::clock::WorldTime;
use crate::errors::{self, Refusal};
use crate::id::ResourceId;
use crate::world::{Object, World};

/// A reference from a type, by its path in the properties, and how its target shows it.
struct Reference {
    /// The referring type in lower case.
    from: &'static str,
    /// Where the elements are that refer; empty is the object itself. `*` is every item of a list.
    element: &'static str,
    /// Where the id is in an element.
    target: &'static str,
    /// The property in which the target shows it.
    back: &'static str,
    /// Whether it shows the element's id and not the object's.
    of_element: bool,
}

const SUBNETS: &str = "microsoft.network/virtualnetworks/subnets";
const FIREWALLS: &str = "microsoft.network/azurefirewalls";
const POLICIES: &str = "microsoft.network/firewallpolicies";
const RULE_COLLECTION_GROUPS: &str = "microsoft.network/firewallpolicies/rulecollectiongroups";
const INTERFACES: &str = "microsoft.network/networkinterfaces";
const BALANCERS: &str = "microsoft.network/loadbalancers";
const BASTIONS: &str = "microsoft.network/bastionhosts";
const GATEWAYS: &str = "microsoft.network/virtualnetworkgateways";
const VAULTS: &str = "microsoft.keyvault/vaults";
const POOLS: &str = "microsoft.containerservice/managedclusters/agentpools";

const fn object(from: &'static str, target: &'static str, back: &'static str) -> Reference {
    Reference { from, element: "", target, back, of_element: false }
}

const ENDPOINTS: &str = "microsoft.network/privateendpoints";

/// A reference of one of an object's address configurations.
const fn configuration(
    from: &'static str,
    element: &'static str,
    target: &'static str,
    back: &'static str,
) -> Reference {
    Reference { from, element, target, back, of_element: true }
}

const TABLE: [Reference; 19] = [
    configuration(INTERFACES, "ipConfigurations/*", "properties/subnet/id", "ipConfigurations"),
    configuration(INTERFACES, "ipConfigurations/*", "properties/publicIPAddress/id", "ipConfiguration"),
    configuration(BALANCERS, "frontendIPConfigurations/*", "properties/subnet/id", "ipConfigurations"),
    configuration(BALANCERS, "frontendIPConfigurations/*", "properties/publicIPAddress/id", "ipConfiguration"),
    configuration(BASTIONS, "ipConfigurations/*", "properties/subnet/id", "ipConfigurations"),
    configuration(BASTIONS, "ipConfigurations/*", "properties/publicIPAddress/id", "ipConfiguration"),
    configuration(GATEWAYS, "ipConfigurations/*", "properties/subnet/id", "ipConfigurations"),
    configuration(GATEWAYS, "ipConfigurations/*", "properties/publicIPAddress/id", "ipConfiguration"),
    object(SUBNETS, "networkSecurityGroup/id", "subnets"),
    object(SUBNETS, "routeTable/id", "subnets"),
    object(SUBNETS, "natGateway/id", "subnets"),
    object(FIREWALLS, "firewallPolicy/id", "firewalls"),
    object(POLICIES, "basePolicy/id", "childPolicies"),
    object("microsoft.network/natgateways", "publicIpAddresses/*/id", "natGateway"),
    object("microsoft.network/privateendpoints", "subnet/id", "privateEndpoints"),
    object(
        "microsoft.network/privateendpoints/privatednszonegroups",
        "privateDnsZoneConfigs/*/properties/privateDnsZoneId",
        "",
    ),
    Reference {
        from: FIREWALLS,
        element: "ipConfigurations/*",
        target: "properties/subnet/id",
        back: "ipConfigurations",
        of_element: true,
    },
    Reference {
        from: FIREWALLS,
        element: "ipConfigurations/*",
        target: "properties/publicIPAddress/id",
        back: "ipConfiguration",
        of_element: true,
    },
    object("microsoft.network/privatednszones/virtualnetworklinks", "virtualNetwork/id", ""),
];

/// The properties that show references, by type, and what each is without any.
const SHOWN: [(&str, &[(&str, Empty)]); 6] = [
    (SUBNETS, &[("ipConfigurations", Empty::Absent), ("privateEndpoints", Empty::Absent)]),
    ("microsoft.network/routetables", &[("subnets", Empty::Absent)]),
    ("microsoft.network/networksecuritygroups", &[("subnets", Empty::Absent)]),
    ("microsoft.network/natgateways", &[("subnets", Empty::Absent)]),
    ("microsoft.network/publicipaddresses", &[("ipConfiguration", Empty::Single), ("natGateway", Empty::Single)]),
    (POLICIES, &[("childPolicies", Empty::List), ("ruleCollectionGroups", Empty::List), ("firewalls", Empty::List)]),
];

#[derive(Clone, Copy)]
enum Empty {
    /// A list that is absent when empty.
    Absent,
    /// A list that is always there.
    List,
    /// One object or nothing.
    Single,
}

/// Everything at a path; `*` is every item of a list.
fn walk<'a>(value: &'a Value, path: &str) -> Vec<&'a Value> {
    path.split('/').filter(|step| !step.is_empty()).fold(vec![value], |found, step| {
        let next = |value: &'a Value| -> Vec<&'a Value> {
            if step == "*" {
                value.as_array().map_or_else(Vec::new, |items| items.iter().collect())
            } else {
                value.get(step).into_iter().collect()
            }
        };
        found.into_iter().flat_map(next).collect()
    })
}

/// Whether all that properties refer to exists and is settled. What is written in the same call counts
/// as there: `own` is its tree.
pub(super) fn check(
    world: &World,
    id: &ResourceId,
    shown: &str,
    properties: &Body,
    now: WorldTime,
) -> Result<(), Refusal> {
    let (type_key, own) = (id.type_key(), root_key(id));
    let properties = Value::Object(properties.clone());
    for reference in TABLE.iter().filter(|reference| reference.from == type_key) {
        for element in walk(&properties, reference.element) {
            for target in walk(element, reference.target).into_iter().filter_map(Value::as_str) {
                let key = target.to_ascii_lowercase();
                let Some(object) = world.objects.get(&key) else {
                    return Err(errors::network::invalid_reference(target, shown));
                };
                if let Some(settling) = object.settling.as_ref().filter(|_| object.is_settling(now))
                    && !key.starts_with(&own)
                    && reference.back != "firewalls"
                {
                    let verb = if settling.state == "Deleting" { "Delete" } else { "Put" };
                    let singular = profile_of(&object.type_key).map_or("Resource", |profile| profile.singular);
                    let operation = format!("{verb}{singular}Operation");
                    return Err(errors::network::not_provisioned(target, shown, &settling.state, &operation));
                }
            }
        }
    }
    Ok(())
}

/// Makes all that shows references anew.
pub(in super::super) fn refresh(world: &mut World, now: WorldTime) {
    let back = collect(world);
    let mut edits: Vec<(String, &'static str, Option<Value>)> = Vec::new();
    for (key, object) in world.objects.iter() {
        let Some((_, shown)) = SHOWN.iter().find(|(type_key, _)| *type_key == object.type_key) else { continue };
        for (property, empty) in *shown {
            let ids = back.get(&(key.to_owned(), *property)).map_or(&[][..], Vec::as_slice);
            let list = || ids.iter().map(|id| json!({ "id": id })).collect::<Vec<Value>>();
            let value = match empty {
                Empty::Single => ids.first().map(|id| json!({ "id": id })),
                Empty::List => Some(list().into()),
                Empty::Absent => (!ids.is_empty()).then(|| list().into()),
            };
            let now = object.properties().and_then(|properties| properties.get(*property));
            if now != value.as_ref() {
                edits.push((key.to_owned(), *property, value));
            }
        }
    }
    edits.extend(connections(world));
    for (key, property, value) in edits {
        world.objects.edit(&key, |object| {
            if let Some(Value::Object(properties)) = object.body.get_mut("properties") {
                match value {
                    Some(value) => properties.insert(property.to_owned(), value),
                    None => properties.shift_remove(property),
                };
            }
        });
        if let Some((network, _)) = key.split_once("/subnets/") {
            super::write::gather(world, network, now);
        }
    }
}

/// Ids that refer, by the key of the target and the property in which it shows them.
fn collect(world: &World) -> BTreeMap<(String, &'static str), Vec<String>> {
    let mut back: BTreeMap<(String, &'static str), Vec<String>> = BTreeMap::new();
    for (key, object) in world.objects.iter() {
        for reference in
            TABLE.iter().filter(|reference| reference.from == object.type_key && !reference.back.is_empty())
        {
            let Some(properties) = object.body.get("properties") else { continue };
            for element in walk(properties, reference.element) {
                let own = if reference.of_element { element.get("id").and_then(Value::as_str) } else { None };
                let named = element.get("name").and_then(Value::as_str).filter(|_| reference.of_element);
                let kind = reference.element.trim_end_matches("/*");
                let named = named.map(|name| format!("{}/{kind}/{name}", object.id()));
                for target in walk(element, reference.target).into_iter().filter_map(Value::as_str) {
                    let by = own.map(str::to_owned).or_else(|| named.clone());
                    let by = by.unwrap_or_else(|| object.id().to_owned());
                    back.entry((target.to_ascii_lowercase(), reference.back)).or_default().push(by);
                }
            }
        }
        if object.type_key == RULE_COLLECTION_GROUPS
            && let Some((policy, _)) = key.split_once("/rulecollectiongroups/")
        {
            back.entry((policy.to_owned(), "ruleCollectionGroups")).or_default().push(object.id().to_owned());
        }
        if object.type_key == POOLS
            && let Some(subnet) = object.properties().and_then(|all| all.get("vnetSubnetID")).and_then(Value::as_str)
        {
            let entry = back.entry((subnet.to_ascii_lowercase(), "ipConfigurations")).or_default();
            entry.push(first_node(world, key, object));
        }
    }
    back
}

/// How they show them.
const BACK: &str = "privateEndpointConnections";

/// What vaults show of the private endpoints that lead to them.
fn connections(world: &World) -> Vec<(String, &'static str, Option<Value>)> {
    let mut shown: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (_, endpoint) in world.objects.iter().filter(|(_, object)| object.type_key == ENDPOINTS) {
        let Some(properties) = endpoint.body.get("properties") else { continue };
        let own = ["privateLinkServiceConnections/*", "manualPrivateLinkServiceConnections/*"];
        for connection in own.iter().flat_map(|path| walk(properties, path)) {
            let Some(target) = connection.pointer("/properties/privateLinkServiceId").and_then(Value::as_str) else {
                continue;
            };
            let name = connection["name"].as_str().unwrap_or_default();
            let state = &connection["properties"]["privateLinkServiceConnectionState"];
            let part = json!({
                "id": format!("{target}/privateEndpointConnections/{name}"),
                "properties": {
                    "provisioningState": "Succeeded",
                    "privateEndpoint": { "id": endpoint.id() },
                    "privateLinkServiceConnectionState": { "status": state["status"], "actionsRequired": "None" },
                },
            });
            shown.entry(target.to_ascii_lowercase()).or_default().push(part);
        }
    }
    let vaults = world.objects.iter().filter(|(_, object)| object.type_key == VAULTS);
    let edits = vaults.filter_map(|(key, vault)| {
        let now = vault.properties().and_then(|properties| properties.get(BACK));
        let value = shown.get(key).map(|all| Value::Array(all.clone()));
        (now != value.as_ref()).then(|| (key.to_owned(), BACK, value))
    });
    edits.collect()
}

/// The address configuration of a pool's first node, which stands for all in what a subnet shows.
fn first_node(world: &World, key: &str, pool: &Object) -> String {
    let cluster = key.split_once("/agentpools/").and_then(|(cluster, _)| world.objects.get(cluster));
    let group = cluster.map_or("", |cluster| cluster.property("nodeResourceGroup"));
    let subscription = key.split('/').nth(2).unwrap_or_default();
    let set = format!("aks-{}-vmss", pool.text("name"));
    format!(
        "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachineScaleSets/{set}/virtualMachines/0/networkInterfaces/{set}/ipConfigurations/ipconfig1"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walking() {
        let value = json!({ "a": [{ "b": { "id": 1 } }, { "b": { "id": 2 } }, {}], "c": { "id": 3 } });
        assert_eq!(walk(&value, "a/*/b/id"), [&json!(1), &json!(2)]);
        assert_eq!(walk(&value, "c/id"), [&json!(3)]);
        assert_eq!(walk(&value, "c/*/id"), Vec::<&Value>::new());
        assert_eq!(walk(&value, ""), [&value]);
    }
}
