//! `azureFirewalls`, `firewallPolicies` and their `ruleCollectionGroups`: written one at a time. A
//! firewall has its private address only when it stands, which takes minutes.

use serde_json::{Value, json};

use super::super::body::Body;
use super::super::takes::Takes;
use super::cidr::Prefix;
use super::profile::{Busy, Delete, Guard, Location, Profile, Writing};
use super::with_defaults;
use crate::errors::{self, Refusal};
use crate::world::{Object, World};

pub(super) static FIREWALL: Profile = Profile {
    takes: |properties| {
        let attached = properties.get("ipConfigurations").and_then(Value::as_array).is_some_and(|all| !all.is_empty());
        if attached { Takes(378, 440, 514) } else { Takes(8, 12, 20) }
    },
    wait: "10",
    delete: Delete::Slow { takes: Takes(120, 240, 420), wait: "10" },
    busy: Busy::Policy,
    has_guid: false,
    settle: settle_firewall,
    finish: allocate,
    ..Profile::whole("Microsoft.Network/azureFirewalls", "AzureFirewall")
};

pub(super) static POLICY: Profile = Profile {
    shown: "Microsoft.Network/FirewallPolicies",
    takes: |_| Takes(8, 11, 15),
    wait: "10",
    delete: Delete::Sync,
    operations: "nfvOperations",
    busy: Busy::Policy,
    has_guid: false,
    settle: |writing, asked| Ok(settle_policy(writing, asked)),
    guard: &[
        Guard { property: "firewalls", code: "FirewallPolicyInUse", message: in_use },
        Guard { property: "childPolicies", code: "FirewallPolicyInUse", message: in_use },
    ],
    ..Profile::whole("Microsoft.Network/firewallPolicies", "FirewallPolicy")
};

pub(super) static RULE_COLLECTION_GROUP: Profile = Profile {
    shown: "Microsoft.Network/FirewallPolicies/RuleCollectionGroups",
    takes: |_| Takes(8, 12, 60),
    wait: "10",
    delete: Delete::Slow { takes: Takes(8, 12, 30), wait: "10" },
    operations: "nfvOperations",
    busy: Busy::Policy,
    location: Location::OfRoot,
    settle: |_, asked| Ok(settle_group(asked)),
    ..Profile::part("Microsoft.Network/firewallPolicies/ruleCollectionGroups", "RuleCollectionGroup")
};

fn in_use(policy: &Object, by: &str) -> String {
    format!("Firewall Policy {} cannot be deleted because it is in use by {by}.", policy.id())
}

fn settle_firewall(writing: &Writing<'_>, mut asked: Body) -> Result<Body, Refusal> {
    let before = writing.before("ipConfigurations").and_then(Value::as_array).cloned().unwrap_or_default();
    for which in ["ipConfigurations", "managementIpConfiguration"] {
        let items: Vec<&mut Value> = match asked.get_mut(which) {
            Some(Value::Array(items)) => items.iter_mut().collect(),
            Some(item) => vec![item],
            None => Vec::new(),
        };
        for item in items.into_iter().filter_map(Value::as_object_mut) {
            let subnet = item.get("properties").and_then(|own| own.pointer("/subnet/id")).and_then(Value::as_str);
            let needed =
                if which == "ipConfigurations" { "AzureFirewallSubnet" } else { "AzureFirewallManagementSubnet" };
            if subnet.is_some_and(|id| !id.rsplit('/').next().unwrap_or_default().eq_ignore_ascii_case(needed)) {
                let message = format!("Azure Firewall {} requires the subnet to be named {needed}.", writing.shown);
                return Err(errors::network::invalid("AzureFirewallSubnetNameInvalid", message));
            }
            let name = item.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            item.insert("id".to_owned(), format!("{}/azureFirewallIpConfigurations/{name}", writing.shown).into());
            item.insert("etag".to_owned(), "".into());
            item.insert("type".to_owned(), "Microsoft.Network/azureFirewalls/azureFirewallIpConfigurations".into());
            let known = before.iter().find(|known| known["name"] == name.as_str());
            let address = known.and_then(|known| known.pointer("/properties/privateIPAddress")).cloned();
            if let Some(Value::Object(properties)) = item.get_mut("properties") {
                properties.insert("provisioningState".to_owned(), "Succeeded".into());
                properties.shift_remove("privateIPAddress");
                if let Some(address) = address {
                    properties.insert("privateIPAddress".to_owned(), address);
                }
                properties.insert("privateIPAllocationMethod".to_owned(), "Dynamic".into());
            }
        }
    }
    let mut sku = json!({ "name": "AZFW_VNet", "tier": "Standard" });
    if let (Some(sku), Some(Value::Object(given))) = (sku.as_object_mut(), asked.get("sku")) {
        sku.extend(given.clone());
    }
    asked.insert("sku".to_owned(), sku);
    Ok(with_defaults(
        asked,
        json!({
            "threatIntelMode": "Alert",
            "additionalProperties": {},
            "ipConfigurations": [],
            "networkRuleCollections": [],
            "applicationRuleCollections": [],
            "natRuleCollections": [],
        }),
    ))
}

/// The first address of the subnet that is not Azure's own.
fn allocate(world: &mut World, key: &str) {
    let Some(object) = world.objects.get(key) else { return };
    let items = object.properties().and_then(|own| own.get("ipConfigurations")).and_then(Value::as_array);
    let mut items = items.cloned().unwrap_or_default();
    for item in &mut items {
        let subnet = item.pointer("/properties/subnet/id").and_then(Value::as_str).map(str::to_ascii_lowercase);
        let subnet = subnet.and_then(|key| world.objects.get(&key));
        let prefix = subnet.and_then(|subnet| Prefix::parse(subnet.property("addressPrefix")));
        if let (Some(prefix), Some(Value::Object(properties))) = (prefix, item.get_mut("properties")) {
            properties.entry("privateIPAddress").or_insert_with(|| prefix.address(4).to_string().into());
        }
    }
    world.objects.edit(key, |object| {
        if let Some(properties) = object.body.get_mut("properties").and_then(Value::as_object_mut) {
            properties.insert("ipConfigurations".to_owned(), items.into());
        }
    });
}

fn settle_policy(writing: &Writing<'_>, mut asked: Body) -> Body {
    let mut kept = Body::new();
    let size = size(&asked);
    kept.insert("size".to_owned(), size);
    kept.insert("sku".to_owned(), asked.shift_remove("sku").unwrap_or_else(|| json!({ "tier": "Standard" })));
    for back in ["childPolicies", "ruleCollectionGroups", "firewalls"] {
        asked.shift_remove(back);
        kept.insert(back.to_owned(), writing.before(back).cloned().unwrap_or_else(|| json!([])));
    }
    // Recorded: the alias stands for the ranges that it means.
    if let Some(Value::Object(snat)) = asked.get_mut("snat")
        && snat.get("privateRanges") == Some(&json!(["IANAPrivateRanges"]))
    {
        let ranges = json!(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"]);
        snat.insert("privateRanges".to_owned(), ranges);
    }
    for own in ["size", "provisioningState"] {
        asked.shift_remove(own);
    }
    kept.extend(asked);
    with_defaults(kept, json!({ "threatIntelMode": "Alert" }))
}

fn settle_group(mut asked: Body) -> Body {
    let mut kept = Body::new();
    asked.shift_remove("size");
    kept.insert("size".to_owned(), size(&asked));
    if let Some(Value::Array(collections)) = asked.get_mut("ruleCollections") {
        for collection in collections.iter_mut().filter_map(Value::as_object_mut) {
            let rules = collection.entry("rules").or_insert_with(|| json!([]));
            // Recorded: a rule for networks says which family of addresses it is for.
            let rules = rules.as_array_mut().into_iter().flatten().filter(|rule| rule["ruleType"] == "NetworkRule");
            for rule in rules.filter_map(Value::as_object_mut) {
                rule.entry("ipv6Rule").or_insert(json!(false));
            }
        }
    }
    kept.extend(asked);
    with_defaults(kept, json!({ "ruleCollections": [] }))
}

/// The size that the service says a policy has: it follows the length of what was sent.
fn size(asked: &Body) -> Value {
    let length = u32::try_from(Value::Object(asked.clone()).to_string().len()).unwrap_or(u32::MAX);
    let megabytes = (1100.0 + f64::from(length)) / 1_048_576.0;
    format!("{megabytes:.9} MB").into()
}
