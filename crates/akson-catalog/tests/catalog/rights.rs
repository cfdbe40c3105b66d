//! `rights.toml` against Azure's own list of built-in roles: the role that is named for an action really has it. The data is found by
//! `AKSON_AZURE_DATA`, else in `../shared/azure` beside the repository.

use std::{env, fs, path::PathBuf};

use akson_catalog::{
    Catalog,
    kind::Plane,
    rights::{Right, role_with},
};
use serde_json::Value as Json;

/// Azure refuses this one under a name that its own role's pattern does not have.
const NAMED_OTHERWISE: &str = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action";

fn azures_roles() -> Option<Vec<Json>> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/azure");
    let folder = env::var_os("AKSON_AZURE_DATA").map_or_else(beside, PathBuf::from);
    let text = fs::read_to_string(folder.join("builtin_roles.json")).ok()?;
    serde_json::from_str(&text).ok()
}

fn fits(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.to_ascii_lowercase(), action.to_ascii_lowercase());
    match pattern.split_once('*') {
        None => pattern == action,
        Some((start, end)) => action.strip_prefix(start).is_some_and(|rest| {
            if end.contains('*') {
                (0..=rest.len()).any(|at| rest.is_char_boundary(at) && fits(end, &rest[at..]))
            } else {
                rest.ends_with(end)
            }
        }),
    }
}

fn has(role: &Json, right: Right<'_>) -> bool {
    let (given, except, name) = match right {
        Right::Action(name) => ("actions", "notActions", name),
        Right::Data(name) => ("dataActions", "notDataActions", name),
    };
    let any = |permission: &Json, key: &str| {
        permission[key].as_array().into_iter().flatten().filter_map(Json::as_str).any(|pattern| fits(pattern, name))
    };
    let mut permissions = role["permissions"].as_array().into_iter().flatten();
    permissions.any(|permission| any(permission, given) && !any(permission, except))
}

#[test]
fn the_role_that_is_named_has_the_action() {
    let Some(roles) = azures_roles() else {
        println!("skipped: Azure's roles are not here");
        return;
    };
    let mut checked = 0;
    let mut check = |right: Right<'_>| {
        let role = role_with(right).unwrap_or_else(|| panic!("no role for {right:?}"));
        let azures = roles.iter().find(|azures| azures["name"] == role.guid.as_str());
        assert!(has(azures.unwrap(), right), "{} has not {right:?}", role.name);
        checked += 1;
    };
    for kind in Catalog::builtin().unwrap().iter() {
        if !matches!(kind.plane, Plane::Arm | Plane::KeyVault) || !kind.resource_type.starts_with("Microsoft.") {
            continue;
        }
        let of = kind
            .resource_type
            .replace("Microsoft.Resources/resourceGroups", "Microsoft.Resources/subscriptions/resourceGroups");
        for verb in ["read", "write", "delete"] {
            check(Right::Action(&format!("{of}/{verb}")));
        }
    }
    for action in [
        "Microsoft.ContainerService/managedClusters/listClusterUserCredential/action",
        "Microsoft.KeyVault/locations/deletedVaults/read",
        "Microsoft.KeyVault/locations/deletedVaults/purge/action",
        "Microsoft.KeyVault/vaults/deploy/action",
        "Microsoft.Network/virtualNetworks/subnets/join/action",
        "Microsoft.Network/virtualNetworks/subnets/joinViaServiceEndpoint/action",
        "Microsoft.Network/privateDnsZones/join/action",
        "Microsoft.OperationalInsights/workspaces/sharedkeys/action",
        "Microsoft.Resources/subscriptions/read",
        "Microsoft.Resources/subscriptions/resources/read",
    ] {
        check(Right::Action(action));
    }
    for action in
        ["readMetadata/action", "getSecret/action", "setSecret/action", "update/action", "delete", "recover/action"]
    {
        check(Right::Data(&format!("Microsoft.KeyVault/vaults/secrets/{action}")));
    }
    for plural in [
        "namespaces",
        "resourcequotas",
        "configmaps",
        "serviceaccounts",
        "secrets",
        "networking.k8s.io/networkpolicies",
        "rbac.authorization.k8s.io/roles",
        "rbac.authorization.k8s.io/rolebindings",
        "rbac.authorization.k8s.io/clusterroles",
        "rbac.authorization.k8s.io/clusterrolebindings",
        "secrets-store.csi.x-k8s.io/secretproviderclasses",
    ] {
        for verb in ["read", "write", "delete"] {
            check(Right::Data(&format!("Microsoft.ContainerService/managedClusters/{plural}/{verb}")));
        }
    }
    assert!(checked > 100, "{checked}");
    let otherwise = role_with(Right::Action(NAMED_OTHERWISE)).unwrap();
    let azures = roles.iter().find(|azures| azures["name"] == otherwise.guid.as_str()).unwrap();
    assert!(has(azures, Right::Action(&NAMED_OTHERWISE.replace("/assign", "/x/assign"))));
}
