//! `networkSecurityGroups` and their `securityRules`. Every group also has six rules of its own.

use serde_json::{Value, json};

use super::super::body::Body;
use super::super::takes::Takes;
use super::profile::{Busy, Delete, Guard, Inline, Profile, Writing};
use super::with_defaults;
use crate::errors::{self, Refusal};
use crate::world::Object;

pub(super) static SECURITY_GROUP: Profile = Profile {
    takes: |_| Takes(2, 3, 5),
    wait: "1",
    delete: Delete::Slow { takes: Takes(2, 4, 10), wait: "1" },
    busy: Busy::TreeRetry,
    inline: &[Inline { property: "securityRules", kind: "securityrules", kept: false }],
    settle: |writing, asked| Ok(settle_group(writing, asked)),
    guard: &[Guard { property: "subnets", code: "InUseNetworkSecurityGroupCannotBeDeleted", message: in_use }],
    ..Profile::whole("Microsoft.Network/networkSecurityGroups", "NetworkSecurityGroup")
};

pub(super) static SECURITY_RULE: Profile = Profile {
    takes: |_| Takes(2, 3, 5),
    wait: "1",
    delete: Delete::Slow { takes: Takes(2, 3, 5), wait: "1" },
    busy: Busy::TreeRetry,
    settle: settle_rule,
    ..Profile::part("Microsoft.Network/networkSecurityGroups/securityRules", "SecurityRule")
};

fn in_use(group: &Object, by: &str) -> String {
    format!(
        "Network security group {} cannot be deleted because it is in use by the following resources: {by}. In order to delete the Network security group, remove the association with the resource(s). To learn how to do this, see aka.ms/deletensg.",
        group.id()
    )
}

fn settle_group(writing: &Writing<'_>, mut asked: Body) -> Body {
    for own in ["subnets", "networkInterfaces", "defaultSecurityRules"] {
        asked.shift_remove(own);
    }
    let mut kept = asked;
    kept.insert("defaultSecurityRules".to_owned(), own_rules(writing.shown));
    if let Some(subnets) = writing.before("subnets") {
        kept.insert("subnets".to_owned(), subnets.clone());
    }
    kept
}

/// The rules that every group has and nobody can change.
fn own_rules(group: &str) -> Value {
    let rule = |name: &str, text: &str, from: &str, to: &str, access: &str, priority: u32| {
        let direction = if name.ends_with("InBound") { "Inbound" } else { "Outbound" };
        json!({
            "name": name,
            "id": format!("{group}/defaultSecurityRules/{name}"),
            "etag": "",
            "type": "Microsoft.Network/networkSecurityGroups/defaultSecurityRules",
            "properties": {
                "provisioningState": "Succeeded",
                "description": text,
                "protocol": "*",
                "sourcePortRange": "*",
                "destinationPortRange": "*",
                "sourceAddressPrefix": from,
                "destinationAddressPrefix": to,
                "access": access,
                "priority": priority,
                "direction": direction,
                "sourcePortRanges": [],
                "destinationPortRanges": [],
                "sourceAddressPrefixes": [],
                "destinationAddressPrefixes": [],
            },
        })
    };
    let (network, balancer) = ("VirtualNetwork", "AzureLoadBalancer");
    json!([
        rule("AllowVnetInBound", "Allow inbound traffic from all VMs in VNET", network, network, "Allow", 65000),
        rule(
            "AllowAzureLoadBalancerInBound",
            "Allow inbound traffic from azure load balancer",
            balancer,
            "*",
            "Allow",
            65001
        ),
        rule("DenyAllInBound", "Deny all inbound traffic", "*", "*", "Deny", 65500),
        rule(
            "AllowVnetOutBound",
            "Allow outbound traffic from all VMs to all VMs in VNET",
            network,
            network,
            "Allow",
            65000
        ),
        rule(
            "AllowInternetOutBound",
            "Allow outbound traffic from all VMs to Internet",
            "*",
            "Internet",
            "Allow",
            65001
        ),
        rule("DenyAllOutBound", "Deny all outbound traffic", "*", "*", "Deny", 65500),
    ])
}

/// Two rules of one direction cannot have one priority.
fn settle_rule(writing: &Writing<'_>, asked: Body) -> Result<Body, Refusal> {
    let kept = with_defaults(
        asked,
        json!({
            "sourcePortRanges": [],
            "destinationPortRanges": [],
            "sourceAddressPrefixes": [],
            "destinationAddressPrefixes": [],
        }),
    );
    if let Some(parent) = writing.id.parent().filter(|_| writing.existing.is_none()) {
        let prefix = format!("{}/securityrules/", parent.key());
        for (_, other) in writing.world.objects.starting_with(&prefix, "") {
            let same = |name: &str| other.properties().and_then(|other| other.get(name)) == kept.get(name);
            if same("priority") && same("direction") && kept.contains_key("priority") {
                let message = format!(
                    "Security rule {} conflicts with rule {}. Rules cannot have the same Priority and Direction.",
                    writing.id.name(),
                    other.text("name")
                );
                return Err(errors::network::invalid("SecurityRuleConflict", message));
            }
        }
    }
    Ok(kept)
}
