//! How many requests a plan of many resources takes: lists by scope, and lists in parents only where Azure has no other.

use akson_catalog::Catalog;
use akson_config::import::{ImportOptions, import};
use akson_planner::Action;
use serde_json::{Value, json};

use akson_tests::world::World;

/// Reader.
const ROLE: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

fn objects(subscription: &str, tenant: &str) -> Vec<Value> {
    let group = |number: usize| format!("/subscriptions/{subscription}/resourceGroups/team-{}", number % 30);
    let identity = |number: usize| {
        format!("{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/app-{number}", group(number))
    };
    let vault = |number: usize| format!("{}/providers/Microsoft.KeyVault/vaults/vault-{number}-x", group(number));
    let network =
        |number: usize| format!("{}/providers/Microsoft.Network/virtualNetworks/network-{number}", group(number));
    let guid = |kind: usize, number: usize| format!("00000000-0000-4000-8{kind:03}-{number:012}");
    let mut objects: Vec<Value> =
        (0..30).map(|number| json!({"id": group(number), "location": "westeurope"})).collect();
    objects.extend((0..1000).map(|number| {
        json!({"id": identity(number), "location": "westeurope", "properties": {
            "principalId": guid(1, number), "clientId": guid(2, number), "tenantId": tenant,
        }})
    }));
    objects.extend((0..20).map(|number| {
        json!({"id": format!("{}/federatedIdentityCredentials/main", identity(number)), "properties": {
            "issuer": "https://token.actions.githubusercontent.com",
            "subject": format!("repo:example/app-{number}:ref:refs/heads/main"),
            "audiences": ["api://AzureADTokenExchange"],
        }})
    }));
    objects.extend((0..20).map(|number| {
        json!({"id": vault(number), "location": "westeurope", "properties": {
            "tenantId": tenant, "sku": {"family": "A", "name": "standard"}, "enableRbacAuthorization": true,
            "accessPolicies": [],
        }})
    }));
    objects.extend((0..40).map(|number| {
        json!({"id": network(number), "location": "westeurope", "properties": {
            "addressSpace": {"addressPrefixes": [format!("10.{number}.0.0/16")]},
        }})
    }));
    objects.extend((0..80).map(|number| {
        let (of, place) = (number / 2, number % 2);
        json!({"id": format!("{}/subnets/part-{place}", network(of)), "properties": {
            "addressPrefix": format!("10.{of}.{place}.0/24"),
            "privateEndpointNetworkPolicies": "Disabled", "privateLinkServiceNetworkPolicies": "Enabled",
        }})
    }));
    objects.extend((0..780).map(|number| {
        let scope = vault(number % 20);
        json!({
            "id": format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{}", guid(3, number)),
            "properties": {
                "principalId": guid(1, number), "principalType": "ServicePrincipal", "scope": scope,
                "roleDefinitionId": format!("/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{ROLE}"),
            },
        })
    }));
    objects.extend((0..30).map(|number| {
        let id = format!("{}/providers/Microsoft.Authorization/locks/keep", group(number));
        json!({"id": id, "properties": {"level": "CanNotDelete"}})
    }));
    objects
}

#[tokio::test(start_paused = true)]
async fn two_thousand_resources_take_sixty_requests_at_most() {
    let world = World::new();
    let signed_in = world.emulator.identity();
    let objects = objects(&signed_in.subscription, &signed_in.tenant);
    assert_eq!(objects.len(), 2000);
    world.emulator.seed(objects.clone()).unwrap();
    let options = ImportOptions {
        stack: "many".to_owned(),
        tenant: Some(signed_in.tenant),
        subscription: Some(signed_in.subscription),
        token_exchange_audience: "api://AzureADTokenExchange".to_owned(),
        ..ImportOptions::default()
    };
    let imported = import(&objects, Catalog::builtin().unwrap(), &options);
    let plan = world.plan(&imported.text).await.unwrap();
    assert_eq!(plan.count(Action::Adopt), 2000);
    assert!(plan.changes.iter().all(|change| change.differences.is_empty()));
    assert!(plan.reads <= 60, "{} requests", plan.reads);
}
