//! Networks and what hangs on them: headers and waits a type, one write at a time, children in their
//! parent's body, references and what they forbid.

use serde_json::{Value, json};

use crate::support::{Azure, Reply, pass};

const NET: &str = "~/resourceGroups/shop/providers/Microsoft.Network";

async fn with_group() -> Azure {
    let azure = Azure::new().await;
    azure.group("shop").await;
    azure
}

fn at(azure: &Azure, path: &str) -> String {
    format!("{NET}/{path}").replace('~', &azure.subscription)
}

async fn put(azure: &Azure, path: &str, properties: Value, expected: &str) -> Reply {
    let mut body = json!({ "properties": properties });
    if path.matches('/').count() == 1 {
        body["location"] = "westeurope".into();
    }
    azure.check(&format!("PUT {NET}/{path}"), body, expected).await
}

async fn delete(azure: &Azure, path: &str, expected: &str) -> Reply {
    azure.check(&format!("DELETE {NET}/{path}"), Value::Null, expected).await
}

async fn get(azure: &Azure, path: &str) -> Value {
    azure.get(&format!("{NET}/{path}")).await
}

/// A network `10.0.0.0/16` with these subnets.
async fn network(azure: &Azure, subnets: Value) {
    put(
        azure,
        "virtualNetworks/net",
        json!({ "addressSpace": { "addressPrefixes": ["10.0.0.0/16"] }, "subnets": subnets }),
        "201",
    )
    .await;
    pass(30).await;
}

#[tokio::test(start_paused = true)]
async fn every_type_has_its_waits() {
    for (path, put_wait, delete_wait, word) in [
        ("virtualNetworks/a", "3", "10", "operations"),
        ("virtualNetworks/net/subnets/a", "3", "10", "operations"),
        ("routeTables/a", "2", "2", "operations"),
        ("routeTables/table/routes/a", "2", "2", "operations"),
        ("networkSecurityGroups/a", "1", "1", "operations"),
        ("networkSecurityGroups/group/securityRules/a", "1", "1", "operations"),
        ("publicIPAddresses/a", "1", "10", "operations"),
        ("natGateways/a", "10", "10", "operations"),
        ("azureFirewalls/a", "10", "10", "operations"),
        ("firewallPolicies/a", "10", "", "nfvOperations"),
        ("firewallPolicies/policy/ruleCollectionGroups/a", "10", "10", "nfvOperations"),
        ("privateEndpoints/a", "10", "10", "operations"),
        ("privateEndpoints/end/privateDnsZoneGroups/a", "10", "10", "operations"),
    ] {
        let azure = with_group().await;
        if let Some((parent, _)) = path.rsplit_once('/').and_then(|(above, _)| above.rsplit_once('/')) {
            put(&azure, parent, json!({}), "201").await;
            pass(100).await;
        }
        let made = put(&azure, path, json!({}), "201").await;
        assert_eq!(made.body["properties"]["provisioningState"], "Updating", "{path}");
        assert_eq!((made.header("retry-after"), made.header("location")), (put_wait, ""), "{path}");
        assert_eq!(made.header("azure-asyncnotification"), "Enabled");
        let operation = made.header("azure-asyncoperation").to_owned();
        assert!(operation.contains(&format!("/locations/westeurope/{word}/")), "{operation}");
        let running = azure.check(&format!("GET {operation}"), Value::Null, "200").await;
        assert_eq!((&running.body["status"], running.header("retry-after")), (&json!("InProgress"), "10"), "{path}");
        pass(100).await;
        let done = azure.check(&format!("GET {operation}"), Value::Null, "200").await;
        assert_eq!((&done.body["status"], done.header("retry-after")), (&json!("Succeeded"), ""), "{path}");
        assert_eq!(get(&azure, path).await["properties"]["provisioningState"], "Succeeded");
        let again = put(&azure, path, json!({}), "200").await;
        assert_eq!(
            (&again.body["properties"]["provisioningState"], again.header("retry-after")),
            (&json!("Succeeded"), "")
        );
        assert!(!again.header("azure-asyncoperation").is_empty(), "{path}");
        let deleted = delete(&azure, path, if delete_wait.is_empty() { "200" } else { "202" }).await;
        assert_eq!(deleted.header("retry-after"), delete_wait, "{path}");
        if deleted.status == 202 {
            assert_eq!(get(&azure, path).await["properties"]["provisioningState"], "Deleting");
            assert!(!deleted.header("location").is_empty(), "{path}");
        }
        pass(600).await;
        let child = path.matches('/').count() > 1;
        let missing = if child { "404 NotFound" } else { "404 ResourceNotFound" };
        azure.check(&format!("GET {NET}/{path}"), Value::Null, missing).await;
        delete(&azure, path, "204").await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_wait_grows() {
    let azure = with_group().await;
    network(&azure, json!([{ "name": "AzureFirewallSubnet", "properties": { "addressPrefix": "10.0.1.0/26" } }])).await;
    let subnet = at(&azure, "virtualNetworks/net/subnets/AzureFirewallSubnet");
    let address = at(&azure, "publicIPAddresses/out");
    let standard = json!({ "location": "westeurope", "sku": { "name": "Standard" }, "properties": { "publicIPAllocationMethod": "Static" } });
    let made = azure.check(&format!("PUT {address}"), standard, "201").await;
    assert_eq!(made.body["sku"], json!({ "name": "Standard", "tier": "Regional" }));
    assert!(made.body["properties"].get("ipAddress").is_none());
    pass(30).await;
    assert!(get(&azure, "publicIPAddresses/out").await["properties"]["ipAddress"].as_str().unwrap().starts_with("20."));
    let config =
        json!([{ "name": "c", "properties": { "subnet": { "id": subnet }, "publicIPAddress": { "id": address } } }]);
    let made = put(&azure, "azureFirewalls/wall", json!({ "ipConfigurations": config }), "201").await;
    let shown = "/properties/ipConfigurations/0/properties/privateIPAddress";
    assert_eq!(made.body.pointer(shown), None);
    let operation = made.header("azure-asyncoperation").to_owned();
    for (seconds, wait) in [(5, "10"), (20, "20"), (40, "40"), (60, "80"), (100, "160")] {
        pass(seconds).await;
        assert_eq!(azure.check(&format!("GET {operation}"), Value::Null, "200").await.header("retry-after"), wait);
    }
    pass(400).await;
    assert_eq!(get(&azure, "azureFirewalls/wall").await.pointer(shown), Some(&json!("10.0.1.4")));
    // What it uses shows it, and stays.
    let by = format!("{}/azureFirewallIpConfigurations/c", at(&azure, "azureFirewalls/wall"));
    assert_eq!(get(&azure, "publicIPAddresses/out").await["properties"]["ipConfiguration"]["id"], by);
    assert_eq!(
        get(&azure, "virtualNetworks/net").await["properties"]["subnets"][0]["properties"]["ipConfigurations"],
        json!([{ "id": by }])
    );
    delete(&azure, "publicIPAddresses/out", "400 PublicIPAddressCannotBeDeleted").await;
    delete(&azure, "virtualNetworks/net", "400 InUseSubnetCannotBeDeleted").await;
    let moved = json!({ "addressPrefix": "10.0.2.0/26" });
    put(&azure, "virtualNetworks/net/subnets/AzureFirewallSubnet", moved, "400 InUsePrefixCannotBeDeleted").await;
    delete(&azure, "azureFirewalls/wall", "202").await;
    pass(500).await;
    delete(&azure, "publicIPAddresses/out", "202").await;
    delete(&azure, "virtualNetworks/net", "202").await;
}

#[tokio::test(start_paused = true)]
async fn one_write_at_a_time() {
    let azure = with_group().await;
    network(&azure, json!([])).await;
    put(&azure, "virtualNetworks/net/subnets/a", json!({ "addressPrefix": "10.0.0.0/24" }), "201").await;
    let busy = put(
        &azure,
        "virtualNetworks/net/subnets/b",
        json!({ "addressPrefix": "10.0.1.0/24" }),
        "409 AnotherOperationInProgress",
    )
    .await;
    assert!(busy.body["error"]["message"].as_str().unwrap().contains("https://management.azure.com/"), "{}", busy.text);
    put(&azure, "virtualNetworks/net", json!({}), "409 AnotherOperationInProgress").await;
    delete(&azure, "virtualNetworks/net", "409 AnotherOperationInProgress").await;
    let endpoint = json!({ "subnet": { "id": at(&azure, "virtualNetworks/net/subnets/a") } });
    let early = put(&azure, "privateEndpoints/end", endpoint.clone(), "429 RetryableError").await;
    assert_eq!(early.body["error"]["details"][0]["code"], "ReferencedResourceNotProvisioned");
    pass(30).await;
    put(&azure, "privateEndpoints/end", endpoint, "201").await;

    put(&azure, "routeTables/table", json!({}), "201").await;
    pass(30).await;
    put(&azure, "routeTables/table/routes/a", json!({ "addressPrefix": "10.1.0.0/16" }), "201").await;
    let busy =
        put(&azure, "routeTables/table/routes/b", json!({ "addressPrefix": "10.2.0.0/16" }), "429 RetryableError")
            .await;
    let wait: u64 = busy.header("retry-after").parse().unwrap();
    assert!((11..=16).contains(&wait), "{wait}");
    pass(wait).await;

    put(&azure, "firewallPolicies/policy", json!({}), "201").await;
    let group = json!({ "priority": 100 });
    put(&azure, "firewallPolicies/policy/ruleCollectionGroups/g", group.clone(), "409 AnotherOperationInProgress")
        .await;
    let policy = json!({ "firewallPolicy": { "id": at(&azure, "firewallPolicies/policy") } });
    put(&azure, "azureFirewalls/wall", policy.clone(), "409 AnotherOperationInProgress").await;
    pass(100).await;
    put(&azure, "azureFirewalls/wall", policy, "201").await;
    put(&azure, "firewallPolicies/policy/ruleCollectionGroups/g", group.clone(), "409 AnotherOperationInProgress")
        .await;
    pass(100).await;
    put(&azure, "firewallPolicies/policy/ruleCollectionGroups/g", group, "201").await;
    delete(&azure, "firewallPolicies/policy", "409 AnotherOperationInProgress").await;
    pass(100).await;
    let shown = get(&azure, "firewallPolicies/policy").await;
    assert_eq!(shown["properties"]["firewalls"], json!([{ "id": at(&azure, "azureFirewalls/wall") }]));
    assert_eq!(shown["properties"]["ruleCollectionGroups"].as_array().unwrap().len(), 1);
    assert_eq!(shown["type"], "Microsoft.Network/FirewallPolicies");
    delete(&azure, "firewallPolicies/policy", "400 FirewallPolicyInUse").await;
}

#[tokio::test(start_paused = true)]
async fn children_stand_in_their_parents_body() {
    let azure = with_group().await;
    network(&azure, json!([{ "name": "a", "properties": { "addressPrefix": "10.0.0.0/24" } }])).await;
    let parent = get(&azure, "virtualNetworks/net").await;
    let child = get(&azure, "virtualNetworks/net/subnets/a").await;
    assert_eq!(parent["properties"]["subnets"], json!([child]));
    assert_eq!(parent["etag"], child["etag"]);
    assert_eq!(child["properties"]["privateLinkServiceNetworkPolicies"], "Enabled");
    put(&azure, "virtualNetworks/net/subnets/b", json!({ "addressPrefix": "10.0.1.0/24" }), "201").await;
    pass(30).await;
    let bumped = get(&azure, "virtualNetworks/net").await;
    assert_ne!(bumped["etag"], parent["etag"]);
    assert_eq!(bumped["properties"]["subnets"].as_array().unwrap().len(), 2);
    // Left out they stay, an empty list removes them.
    let space = json!({ "addressPrefixes": ["10.0.0.0/16", "10.9.0.0/16"] });
    put(&azure, "virtualNetworks/net", json!({ "addressSpace": space }), "200").await;
    pass(30).await;
    assert_eq!(get(&azure, "virtualNetworks/net/subnets").await["value"].as_array().unwrap().len(), 2);
    for (path, prefix, expected) in [
        ("c", "10.0.0.128/25", "400 NetcfgSubnetRangesOverlap"),
        ("c", "192.168.0.0/24", "400 NetcfgSubnetRangeOutsideVnet"),
    ] {
        put(&azure, &format!("virtualNetworks/net/subnets/{path}"), json!({ "addressPrefix": prefix }), expected).await;
    }
    put(&azure, "virtualNetworks/net", json!({ "addressSpace": space, "subnets": [] }), "200").await;
    pass(30).await;
    azure.check(&format!("GET {NET}/virtualNetworks/net/subnets/a"), Value::Null, "404 NotFound").await;

    // Routes and rules that are left out are gone.
    put(
        &azure,
        "routeTables/table",
        json!({ "routes": [{ "name": "r", "properties": { "addressPrefix": "10.1.0.0/16", "nextHopType": "None" } }] }),
        "201",
    )
    .await;
    pass(30).await;
    assert_eq!(get(&azure, "routeTables/table/routes/r").await["properties"]["hasBgpOverride"], false);
    put(&azure, "routeTables/table", json!({}), "200").await;
    pass(30).await;
    assert_eq!(get(&azure, "routeTables/table").await["properties"]["routes"], json!([]));
    put(&azure, "networkSecurityGroups/group", json!({}), "201").await;
    pass(30).await;
    assert_eq!(
        get(&azure, "networkSecurityGroups/group").await["properties"]["defaultSecurityRules"]
            .as_array()
            .unwrap()
            .len(),
        6
    );
    let rule = json!({ "priority": 100, "direction": "Inbound", "access": "Allow", "protocol": "*" });
    put(&azure, "networkSecurityGroups/group/securityRules/a", rule.clone(), "201").await;
    pass(30).await;
    put(&azure, "networkSecurityGroups/group/securityRules/b", rule, "400 SecurityRuleConflict").await;
    assert_eq!(get(&azure, "networkSecurityGroups/group").await["properties"]["securityRules"][0]["name"], "a");
    let missing =
        azure.check(&format!("GET {NET}/virtualNetworks/none/subnets/a"), Value::Null, "404 ResourceNotFound").await;
    assert!(missing.text.contains("virtualNetworks/none'"), "{}", missing.text);
}

#[tokio::test(start_paused = true)]
async fn what_hangs_on_a_subnet_is_taken_away_by_leaving_it_out() {
    for (kind, property, refusal) in [
        ("routeTables", "routeTable", "400 InUseRouteTableCannotBeDeleted"),
        ("networkSecurityGroups", "networkSecurityGroup", "400 InUseNetworkSecurityGroupCannotBeDeleted"),
        ("natGateways", "natGateway", "400 InUseNatGatewayCannotBeDeleted"),
    ] {
        let azure = with_group().await;
        network(&azure, json!([])).await;
        let (other, subnet) = (format!("{kind}/other"), "virtualNetworks/net/subnets/a");
        let hung = json!({ "addressPrefix": "10.0.0.0/24", property: { "id": at(&azure, &other) } });
        put(&azure, subnet, hung.clone(), "400 InvalidResourceReference").await;
        put(&azure, &other, json!({}), "201").await;
        pass(30).await;
        put(&azure, subnet, hung, "201").await;
        pass(30).await;
        assert_eq!(get(&azure, &other).await["properties"]["subnets"], json!([{ "id": at(&azure, subnet) }]), "{kind}");
        delete(&azure, &other, refusal).await;
        put(&azure, subnet, json!({ "addressPrefix": "10.0.0.0/24" }), "200").await;
        pass(30).await;
        assert!(get(&azure, subnet).await["properties"].get(property).is_none());
        assert!(get(&azure, &other).await["properties"].get("subnets").is_none(), "{kind}");
        delete(&azure, &other, "202").await;
    }
}

#[tokio::test(start_paused = true)]
async fn private_dns_answers_nothing_at_first() {
    let azure = with_group().await;
    network(&azure, json!([])).await;
    let zone = format!("{NET}/privateDnsZones/privatelink.westeurope.azmk8s.io");
    let global = json!({ "location": "global" });
    azure
        .check(&format!("PUT {zone}"), json!({ "location": "westeurope" }), "400 LocationNotAvailableForResourceType")
        .await;
    azure.check(&format!("PUT {NET}/privateDnsZones/one"), global.clone(), "400 BadRequest").await;
    let made = azure.check(&format!("PUT {zone}"), global.clone(), "202").await;
    assert_eq!((made.text.as_str(), made.header("retry-after")), ("{}", "30"));
    let (status, result) = (made.header("azure-asyncoperation").to_owned(), made.header("location").to_owned());
    let running = azure.check(&format!("GET {status}"), Value::Null, "202").await;
    assert_eq!((running.body["status"].as_str(), running.header("retry-after")), (Some("InProgress"), "30"));
    pass(60).await;
    assert_eq!(azure.get(&status).await, json!({ "status": "Succeeded" }));
    assert_eq!(azure.get(&result).await["id"], zone.replace('~', &azure.subscription));
    let counters = azure.get(&zone).await["properties"].clone();
    assert_eq!(
        (&counters["maxNumberOfRecordSets"], &counters["numberOfVirtualNetworkLinks"]),
        (&json!(25000), &json!(0))
    );

    let link = format!("{zone}/virtualNetworkLinks/net");
    let asked = |network: &str| json!({ "location": "global", "properties": { "registrationEnabled": false, "virtualNetwork": { "id": network } } });
    let network = at(&azure, "virtualNetworks/net");
    azure.check(&format!("PUT {link}"), asked(&format!("{network}x")), "400 InvalidResourceReference").await;
    azure.check(&format!("PUT {link}"), asked(&network), "202").await;
    assert_eq!(azure.get(&link).await["properties"]["virtualNetworkLinkState"], "InProgress");
    azure.check(&format!("PUT {zone}/virtualNetworkLinks/twice"), asked(&network), "409 Conflict").await;
    pass(60).await;
    assert_eq!(azure.get(&link).await["properties"]["virtualNetworkLinkState"], "Completed");
    assert_eq!(azure.get(&zone).await["properties"]["numberOfVirtualNetworkLinks"], 1);
    azure.check(&format!("DELETE {zone}"), Value::Null, "409 CannotDeleteResource").await;
    azure.check(&format!("DELETE {link}"), Value::Null, "202").await;
    azure.check(&format!("DELETE {zone}"), Value::Null, "409 CannotDeleteResource").await;
    pass(100).await;
    azure.check(&format!("DELETE {zone}"), Value::Null, "202").await;
    pass(100).await;
    azure.check(&format!("DELETE {zone}"), Value::Null, "204").await;
    azure.check(&format!("GET {zone}"), Value::Null, "404 ResourceNotFound").await;
}

#[tokio::test(start_paused = true)]
async fn a_private_endpoint_is_approved_and_named() {
    let azure = with_group().await;
    network(&azure, json!([{ "name": "a", "properties": { "addressPrefix": "10.0.0.0/24" } }])).await;
    let subnet = at(&azure, "virtualNetworks/net/subnets/a");
    let target = format!(
        "{}/resourceGroups/shop/providers/Microsoft.ContainerRegistry/registries/ShopImages",
        azure.subscription
    );
    let connection =
        json!([{ "name": "c", "properties": { "privateLinkServiceId": target, "groupIds": ["registry"] } }]);
    let asked = json!({ "subnet": { "id": subnet }, "privateLinkServiceConnections": connection });
    let made = put(&azure, "privateEndpoints/end", asked, "201").await;
    let state = "/properties/privateLinkServiceConnections/0/properties/privateLinkServiceConnectionState/status";
    assert_eq!(made.body.pointer(state), Some(&json!("Approved")));
    pass(100).await;
    let shown = get(&azure, "privateEndpoints/end").await;
    assert_eq!(
        shown["properties"]["customDnsConfigs"],
        json!([{ "fqdn": "shopimages.azurecr.io", "ipAddresses": ["10.0.0.4"] }])
    );
    assert_eq!(shown["properties"]["networkInterfaces"].as_array().unwrap().len(), 1);
    delete(&azure, "virtualNetworks/net/subnets/a", "400 InUseSubnetCannotBeDeleted").await;
    let zone = at(&azure, "privateDnsZones/privatelink.azurecr.io");
    let group = json!({ "privateDnsZoneConfigs": [{ "name": "z", "properties": { "privateDnsZoneId": zone } }] });
    put(&azure, "privateEndpoints/end/privateDnsZoneGroups/default", group.clone(), "400 InvalidResourceReference")
        .await;
    azure.check(&format!("PUT {zone}"), json!({ "location": "global" }), "202").await;
    pass(100).await;
    put(&azure, "privateEndpoints/end/privateDnsZoneGroups/default", group.clone(), "201").await;
    pass(30).await;
    put(
        &azure,
        "privateEndpoints/end/privateDnsZoneGroups/other",
        group,
        "400 MoreThanOnePrivateDnsZoneGroupPerPrivateEndpointNotAllowed",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_group_takes_its_networks_along() {
    let azure = with_group().await;
    network(&azure, json!([{ "name": "a", "properties": { "addressPrefix": "10.0.0.0/24" } }])).await;
    let listed = azure.get("~/providers/Microsoft.Network/virtualNetworks").await;
    assert_eq!(listed["value"], json!([get(&azure, "virtualNetworks/net").await]));
    azure.check("DELETE ~/resourceGroups/shop", Value::Null, "202").await;
    pass(100).await;
    assert!(!azure.emulator.god().ids().iter().any(|id| id.contains("/resourcegroups/")));
}
