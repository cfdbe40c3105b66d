//! The group of nodes beside a cluster: made with it, gone with it, with the identities of kubelet and
//! add-ons and the address that traffic leaves by. Machines and balancers are not modelled.

use serde_json::{Value, json};

use super::shape::{at, is_on, set, text};
use super::{Body, defaults, identity, network, removal, resource_group, types};
use crate::clock::WorldTime;
use crate::dice::Dice;
use crate::id::{ResourceId, group_key};
use crate::world::{Object, World};

/// Add-ons that get an identity, and how its name begins.
const ADDONS: [(&str, &str); 6] = [
    ("azurepolicy", "azurepolicy"),
    ("azurekeyvaultsecretsprovider", "azurekeyvaultsecretsprovider"),
    ("omsagent", "omsagent"),
    ("ingressapplicationgateway", "ingressapplicationgateway"),
    ("aciconnectorlinux", "aciconnectorlinux"),
    ("httpapplicationrouting", "httpapplicationrouting"),
];

fn subscription(cluster: &Object) -> String {
    cluster.id().split('/').nth(2).unwrap_or_default().to_owned()
}

/// Makes the group, if it is not there.
pub(super) fn make(world: &mut World, cluster: &Object, now: WorldTime) {
    let (subscription, group) = (subscription(cluster), cluster.property("nodeResourceGroup").to_owned());
    let key = group_key(&subscription, &group);
    if group.is_empty() || world.objects.contains(&key) {
        return;
    }
    resource_group::make_up(world, &subscription, &group, cluster.text("location"), now);
    let home = cluster.id().split('/').nth(4).unwrap_or_default();
    world.objects.edit(&key, |object| {
        object.body.insert("managedBy".to_owned(), cluster.id().into());
        let tags = json!({ "aks-managed-cluster-name": cluster.text("name"), "aks-managed-cluster-rg": home });
        object.body.insert("tags".to_owned(), tags);
    });
}

/// Removes the group with all in it.
pub(super) fn remove(world: &mut World, cluster_key: &str, now: WorldTime) {
    let Some(cluster) = world.objects.get(cluster_key) else { return };
    let group = cluster.property("nodeResourceGroup");
    if !group.is_empty() {
        let key = group_key(&subscription(cluster), group);
        removal::remove(world, &key, now);
    }
}

/// What the end of a write brings: identities and addresses, in the group and in the cluster's body.
pub(super) fn furnish(world: &mut World, cluster_key: &str, now: WorldTime) {
    let Some(cluster) = world.objects.get(cluster_key).cloned() else { return };
    make(world, &cluster, now);
    let mut properties = cluster.properties().cloned().unwrap_or_default();
    kubelet(world, &cluster, &mut properties, now);
    addons(world, &cluster, &mut properties, now);
    ingress(world, &cluster, &mut properties, now);
    outbound_address(world, &cluster, &mut properties, now);
    if let Some(Value::Array(links)) = properties.get_mut("privateLinkResources") {
        for link in links.iter_mut().filter_map(Value::as_object_mut) {
            link.insert("id".to_owned(), format!("{}/privateLinkResources/management", cluster.id()).into());
        }
    }
    let own = own_identity(world, &cluster);
    world.objects.edit(cluster_key, |object| {
        object.body.insert("properties".to_owned(), Value::Object(properties));
        if let Some(own) = own {
            object.body.insert("identity".to_owned(), own);
        }
    });
}

/// The cluster's own identity, with its principals.
pub(super) fn own_identity(world: &mut World, cluster: &Object) -> Option<Value> {
    let mut identity = cluster.body.get("identity")?.clone();
    match identity.get("type").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase().as_str() {
        "systemassigned" => {
            let fields = identity.as_object_mut()?;
            fields.entry("principalId").or_insert_with(|| world.dice.guid().into());
            fields.entry("tenantId").or_insert_with(|| world.tenant.as_str().into());
        }
        "userassigned" => {
            let assigned = identity.get_mut("userAssignedIdentities").and_then(Value::as_object_mut)?;
            for (id, value) in assigned.iter_mut() {
                if let Some(object) = world.objects.get(&id.to_ascii_lowercase()) {
                    *value = json!({
                        "clientId": object.property("clientId"), "principalId": object.property("principalId"),
                    });
                }
            }
        }
        _ => {}
    }
    Some(identity)
}

fn kubelet(world: &mut World, cluster: &Object, properties: &mut Body, now: WorldTime) {
    let given = text(properties, "identityProfile.kubeletidentity.resourceId").to_ascii_lowercase();
    let shown = if given.is_empty() {
        make_identity(world, cluster, &format!("{}-agentpool", cluster.text("name")), now)
    } else {
        world.objects.get(&given).map(shown)
    };
    if let Some(shown) = shown {
        set(properties, "identityProfile.kubeletidentity", shown);
    }
}

fn addons(world: &mut World, cluster: &Object, properties: &mut Body, now: WorldTime) {
    let names: Vec<String> = properties
        .get("addonProfiles")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(|all| all.keys().cloned())
        .collect();
    for name in names {
        let Some((_, word)) = ADDONS.iter().find(|(known, _)| known.eq_ignore_ascii_case(&name)) else { continue };
        let own = format!("{word}-{}", cluster.text("name"));
        if is_on(properties, &format!("addonProfiles.{name}.enabled")) {
            if let Some(shown) = make_identity(world, cluster, &own, now) {
                set(properties, &format!("addonProfiles.{name}.identity"), shown);
            }
        } else {
            let key = identity_id(cluster, &own).to_ascii_lowercase();
            removal::remove(world, &key, now);
        }
    }
}

/// The identity that application routing writes DNS records with.
fn ingress(world: &mut World, cluster: &Object, properties: &mut Body, now: WorldTime) {
    const ROUTING: &str = "ingressProfile.webAppRouting";
    let own = format!("webapprouting-{}", cluster.text("name"));
    if is_on(properties, &format!("{ROUTING}.enabled")) {
        if let Some(shown) = make_identity(world, cluster, &own, now) {
            set(properties, &format!("{ROUTING}.identity"), shown);
        }
    } else if at(properties, ROUTING).is_some() {
        set(properties, &format!("{ROUTING}.identity"), json!({}));
        removal::remove(world, &identity_id(cluster, &own).to_ascii_lowercase(), now);
    }
}

/// The id of a registry that caches images for a cluster which may not reach the internet.
pub(super) fn registry(cluster: &ResourceId, properties: &Body, dice: &mut Dice) -> String {
    format!(
        "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.ContainerRegistry/registries/{}",
        cluster.place.subscription.as_deref().unwrap_or_default(),
        text(properties, "nodeResourceGroup"),
        dice.guid().replace('-', "")
    )
}

fn identity_id(cluster: &Object, name: &str) -> String {
    format!(
        "/subscriptions/{}/resourcegroups/{}/providers/{}/{name}",
        subscription(cluster),
        cluster.property("nodeResourceGroup"),
        identity::TYPE
    )
}

/// Makes an identity in the group, if it is not there, and says how the cluster shows it.
fn make_identity(world: &mut World, cluster: &Object, name: &str, now: WorldTime) -> Option<Value> {
    let id = identity_id(cluster, name);
    let key = id.to_ascii_lowercase();
    if !world.objects.contains(&key) {
        let mut body = Body::new();
        body.insert("location".to_owned(), cluster.text("location").into());
        body.insert("tags".to_owned(), json!({}));
        body.insert("id".to_owned(), id.into());
        body.insert("name".to_owned(), name.into());
        body.insert("type".to_owned(), identity::TYPE.into());
        types::of(identity::TYPE_KEY).complete(world, &mut body, now);
        world.objects.insert(key.clone(), Object::new(identity::TYPE_KEY.to_owned(), body, now));
    }
    world.objects.get(&key).map(shown)
}

/// How a cluster shows an identity.
fn shown(identity: &Object) -> Value {
    json!({
        "resourceId": identity.id(),
        "clientId": identity.property("clientId"),
        "objectId": identity.property("principalId"),
    })
}

/// The address behind a balancer or a gateway that AKS manages itself.
fn outbound_address(world: &mut World, cluster: &Object, properties: &mut Body, now: WorldTime) {
    const BALANCER: &str = "networkProfile.loadBalancerProfile";
    let kind = text(properties, "networkProfile.outboundType").to_ascii_lowercase();
    let gateway = kind == "managednatgateway";
    if kind != "loadbalancer"
        && let Some(Value::Object(balancer)) =
            properties.get_mut("networkProfile").and_then(|network| network.get_mut("loadBalancerProfile"))
    {
        balancer.retain(|name, _| !defaults::WAYS.contains(&name.as_str()) && name != "effectiveOutboundIPs");
    }
    let (profile, shown) = if gateway {
        const GATEWAY: &str = "networkProfile.natGatewayProfile";
        (format!("{GATEWAY}.managedOutboundIPProfile"), format!("{GATEWAY}.effectiveOutboundIPs"))
    } else {
        (format!("{BALANCER}.managedOutboundIPs"), format!("{BALANCER}.effectiveOutboundIPs"))
    };
    if at(properties, &profile).is_none() {
        let given = ["outboundIPs.publicIPs", "outboundIPPrefixes.publicIPPrefixes"]
            .iter()
            .find_map(|way| at(properties, &format!("{BALANCER}.{way}")).cloned());
        if let Some(given) = given {
            set(properties, &shown, given);
        }
        return;
    }
    let known = at(properties, &shown).and_then(|all| all.get(0)).and_then(|one| one["id"].as_str());
    if known.is_some_and(|id| world.objects.contains(&id.to_ascii_lowercase())) {
        return;
    }
    let name = world.dice.guid();
    let address = network::public_address(world);
    let id = format!(
        "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Network/publicIPAddresses/{name}",
        subscription(cluster),
        cluster.property("nodeResourceGroup")
    );
    let body = json!({
        "name": name,
        "id": id,
        "type": "Microsoft.Network/publicIPAddresses",
        "location": cluster.text("location"),
        "tags": { "aks-managed-cluster-name": cluster.text("name"), "aks-managed-type": "aks-slb-managed-outbound-ip" },
        "properties": { "ipAddress": address, "publicIPAllocationMethod": "Static" },
        "sku": { "name": "Standard", "tier": "Regional" },
    });
    if let Value::Object(mut body) = body {
        const KEY: &str = "microsoft.network/publicipaddresses";
        types::of(KEY).complete(world, &mut body, now);
        world.objects.insert(id.to_ascii_lowercase(), Object::new(KEY.to_owned(), body, now));
    }
    set(properties, &shown, json!([{ "id": id }]));
}
