//! Who only reads can plan: every kind there is, brought up by an owner, is planned, looked at for drift and imported by somebody with Reader and
//! roles of Microsoft Graph that read; and nothing is sent that changes anything or lists a key or a credential.

use std::collections::BTreeSet;

use akson_tests::{Folder, Ran, RunningEmulator};
use serde_json::{Value, json};

/// The kinds that the example does not have.
const REST: &str = r#"
application "deploy" {
  display_name = "myapp-deploy"
}

service_principal "deploy" {
  application = application.deploy
}

federated_credential "pipeline" {
  identity = identity.cluster
  name     = "pipeline"
  issuer   = "https://token.actions.githubusercontent.com"
  subject  = "repo:example/app:ref:refs/heads/main"
}

lock "app" {
  name  = "keep"
  on    = registry.app
  level = cannot_delete
}

maintenance_window "upgrades" {
  cluster    = cluster.main
  name       = "aksManagedAutoUpgradeSchedule"
  schedule   = weekly(every = 1, day = saturday)
  start_time = "02:00"
  hours      = 6
}

node_pool "batch" {
  cluster = cluster.main
  vm_size = "Standard_D4s_v5"
  scale   = fixed(1)
}

public_ip "out" {
  name           = "myapp-nat-ip"
  resource_group = resource_group.app
}

nat_gateway "out" {
  name           = "myapp-nat"
  resource_group = resource_group.app
  public_ips     = [public_ip.out]
}

network_security_group "nodes" {
  name           = "myapp-nsg"
  resource_group = resource_group.app
}

private_dns_zone "vault" {
  name           = "privatelink.vaultcore.azure.net"
  resource_group = resource_group.app
}

private_dns_zone_link "main" {
  zone    = private_dns_zone.vault
  network = network.main
}

private_endpoint "vault" {
  name           = "myapp-kv-pe"
  resource_group = resource_group.app
  subnet         = subnet.nodes
  target         = vault.app
  groups         = ["vault"]

  dns_zone_group "default" {
    zone "vault" { id = private_dns_zone.vault }
  }
}

firewall_rules "more" {
  policy   = firewall_policy.egress
  priority = 900

  application "registry" {
    from      = ["10.0.0.0/16"]
    to        = ["myapp.azurecr.io"]
    protocols = [{ type = https, port = 443 }]
  }
}

policy_definition "tags" {
  name         = "require-team"
  display_name = "Require a team"
  mode         = all
  rule = {
    if   = { field = "tags['team']", exists = false }
    then = { effect = "audit" }
  }
}

initiative "platform" {
  name         = "platform"
  display_name = "Platform"
  policies     = [{ definition = policy_definition.tags }]
}

policy_exemption "agents" {
  name       = "monitoring-agents"
  on         = resource_group.app
  assignment = policy.baseline
  category   = mitigated
  expires    = "2037-01-01T00:00:00Z"
}

role "restart" {
  name              = "Workload Restarter"
  key               = "workload-restarter"
  assignable_scopes = [resource_group.app]
  actions           = ["Microsoft.ContainerService/managedClusters/read"]
}

resource "Microsoft.Network/routeTables@2025-03-01" "other" {
  parent   = resource_group.app
  name     = "myapp-other-routes"
  location = "westeurope"
  body     = { properties = { disableBgpRoutePropagation = true } }
}

namespace "tools" {
  cluster = cluster.main
  name    = "tools"
}

service_account "tools" {
  cluster   = cluster.main
  namespace = namespace.tools
  name      = "tools"
}

secret_provider_class "tools" {
  cluster   = cluster.main
  namespace = namespace.tools
  name      = "tools"
  vault     = vault.app
  client_id = identity.cluster.client_id
  tenant_id = identity.cluster.tenant_id
  objects   = [{ name = "db-password" }]
}

cluster_role "viewer" {
  cluster = cluster.main
  name    = "tools-viewer"
  rules   = [{ api_groups = [""], resources = ["pods"], verbs = ["get", "list"] }]
}

cluster_role_binding "viewer" {
  cluster      = cluster.main
  name         = "tools-viewer"
  cluster_role = cluster_role.viewer
  members      = [group.developers]
}

role_binding "viewer" {
  cluster      = cluster.main
  namespace    = namespace.tools
  name         = "tools-viewer"
  cluster_role = cluster_role.viewer
  members      = [group.developers]
}
"#;

const CLIENT: &str = "0e5f3a52-7f0a-4c0e-9d3a-6f1d2c3b4a51";
const OBJECT: &str = "5b1c0de4-33a1-4d8e-8a44-1f2e3d4c5b6a";
const SECRET: &str = "reader-of-everything-7731";

pub(crate) const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
const AKS_READER: &str = "7f6c6a51-bcf8-42ba-9220-52d62157d7db";
/// A role of the tenant's own: what AKS's reader does not read, roles and custom resources, and no secret.
pub(crate) const ROLES_READER: &str = "6a1f6a4e-0a0e-4c59-9d53-3f6f2f3d7c11";

/// GroupMember.Read.All, User.Read.All, Application.Read.All.
pub(crate) const GRAPH: [&str; 3] = [
    "98830695-27a2-44f7-8c18-0c3ebc9698f6",
    "df021288-bdef-4463-88db-98f22de89214",
    "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30",
];

/// The example with all kinds in it, which an owner has applied; the emulator it lives in.
pub(crate) fn stack() -> (Folder, RunningEmulator) {
    let mut folder = Folder::example("myapp");
    folder.write("rest.aks", REST);
    let emulator = folder.start_emulator(&["--time-scale", "100000", "--latency", "none"]);
    folder.use_emulator(&emulator.url);
    let _ = folder.apply().exits(0);
    (folder, emulator)
}

/// Lets a service principal in: with roles of Azure at the subscription, and of Microsoft Graph.
pub(crate) fn let_in(emulator: &RunningEmulator, roles: &[&str], graph: &[&str]) {
    let info: Value = serde_json::from_str(&emulator.ask("GET", "/_emulator/info", "")).unwrap();
    let subscription = format!("/subscriptions/{}", info["subscription"].as_str().unwrap());
    let mut objects = vec![json!({
        "@odata.type": "#microsoft.graph.servicePrincipal", "id": OBJECT, "appId": CLIENT, "displayName": "reader",
        "servicePrincipalType": "Application", "passwordCredentials": [{"secretText": SECRET}],
        "appRoleAssignments": graph.iter().map(|role| json!({"appRoleId": role})).collect::<Vec<_>>(),
    })];
    objects.push(json!({
        "id": format!("{subscription}/providers/Microsoft.Authorization/roleDefinitions/{ROLES_READER}"),
        "properties": {
            "roleName": "akson plan", "type": "CustomRole", "assignableScopes": [subscription],
            "permissions": [{
                "actions": [], "notActions": [],
                "dataActions": ["Microsoft.ContainerService/managedClusters/*/read"],
                "notDataActions": ["Microsoft.ContainerService/managedClusters/secrets/read"],
            }],
        },
    }));
    for (number, role) in roles.iter().enumerate() {
        objects.push(json!({
            "id": format!("{subscription}/providers/Microsoft.Authorization/roleAssignments/0c0e4f4e-8f2d-4a8e-9a3e-5f5f3f6f7a0{number}"),
            "properties": {
                "principalId": OBJECT, "principalType": "ServicePrincipal",
                "roleDefinitionId": format!("{subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}"),
            },
        }));
    }
    assert_eq!(emulator.ask("POST", "/_emulator/objects", &Value::Array(objects).to_string()), "");
}

/// Runs it as the reader.
pub(crate) fn as_reader(folder: &Folder, arguments: &[&str]) -> Ran {
    let mut command = folder.command(arguments);
    Ran::of(command.env("AKSON_EMULATOR_CLIENT_ID", CLIENT).env("AKSON_EMULATOR_CLIENT_SECRET", SECRET))
}

/// What was sent that is neither a read nor a question that is asked by POST.
pub(crate) fn more_than_reads(emulator: &RunningEmulator) -> Vec<String> {
    let sent: Vec<Value> = serde_json::from_str(&emulator.ask("GET", "/_emulator/requests", "")).unwrap();
    assert!(sent.len() > 3, "{sent:#?}");
    let questions =
        ["/oauth2/v2.0/token", "/directoryobjects/getbyids", "/providers/microsoft.resourcegraph/resources"];
    let is_read = |call: &Value| {
        let path = call["path"].as_str().unwrap().to_ascii_lowercase();
        let place = path.split('?').next().unwrap();
        let lists_secrets = ["listkeys", "credential", "getsecret", "listsecrets", "regenerate"].iter().any(|word| {
            place.rsplit('/').next().unwrap().contains(word) && !place.ends_with("federatedidentitycredentials")
        });
        match call["method"].as_str().unwrap() {
            "GET" | "HEAD" => !lists_secrets,
            "POST" => questions.iter().any(|question| place.ends_with(question)),
            _ => false,
        }
    };
    sent.iter()
        .filter(|call| !is_read(call) && !call["path"].as_str().unwrap().starts_with("/_emulator"))
        .map(ToString::to_string)
        .collect()
}

#[test]
fn who_only_reads_plans_a_whole_stack_of_every_kind() {
    let (folder, emulator) = stack();
    let plan = folder.akson(&["plan", "--format", "json", "--all"]).exits(0).json();
    let planned: BTreeSet<&str> =
        plan["changes"].as_array().unwrap().iter().map(|change| change["kind"].as_str().unwrap()).collect();
    let catalog = akson_catalog::Catalog::builtin().unwrap();
    let missing: Vec<&str> = catalog
        .iter()
        .map(|kind| kind.keyword.as_str())
        // Of what exists already nothing is planned.
        .filter(|kind| !planned.contains(kind) && *kind != "user")
        .collect();
    assert!(missing.is_empty(), "the stack has no {missing:?}");

    let_in(&emulator, &[READER, AKS_READER], &GRAPH);
    // With AKS's own role for readers what it does not read is told, and is never "no drift".
    let _ = as_reader(&folder, &["plan"]).exits(0).says("AKS0422").says("rbac.authorization.k8s.io");
    let _ = as_reader(&folder, &["drift"]).exits(1).says("AKS0422");
    let_in(&emulator, &[READER, ROLES_READER], &GRAPH);
    emulator.ask("DELETE", "/_emulator/requests", "");
    let _ = as_reader(&folder, &["check"]).exits(0);
    let read = as_reader(&folder, &["plan", "--format", "json", "--all", "--out", "a.plan"]).exits(0).json();
    assert_eq!(read["digest"], plan["digest"], "a reader sees the same: {read:#}");
    let _ = as_reader(&folder, &["plan", "--detailed-exitcode"]).exits(0);
    let _ = as_reader(&folder, &["plan", "--destroy"]).exits(0);
    let _ = as_reader(&folder, &["drift"]).exits(0);
    let _ = as_reader(&folder, &["show", "a.plan"]).exits(0);
    let _ = as_reader(&folder, &["ledger", "show"]).exits(0);
    assert_eq!(more_than_reads(&emulator), Vec::<String>::new());

    // The rights are enforced: a reader changes nothing, and it is said which right is missing.
    folder.edit("main.aks", "retention_days = 90", "retention_days = 60");
    let _ = as_reader(&folder, &["plan", "--detailed-exitcode"]).exits(2).says("retention_days");
    let _ = as_reader(&folder, &["apply", "--auto-approve"]).exits(3).says("AKS0511").says("workspaces/write");

    // An import asks how the clusters are reached, which a reader may not: it is said, and the rest is printed.
    emulator.ask("DELETE", "/_emulator/requests", "");
    let imported = as_reader(&folder, &["import", "--resource-group", "myapp-rg"]).exits(0);
    let _ = imported.says("cluster \"myapp_aks\"").says("what is in the cluster was not read");
    let asked = more_than_reads(&emulator);
    assert!(!asked.is_empty() && asked.iter().all(|call| call.contains("listClusterUserCredential")), "{asked:#?}");
    emulator.ask("DELETE", "/_emulator/requests", "");
    let imported = as_reader(&folder, &["import", "--resource-group", "myapp-rg", "--no-clusters"]).exits(0);
    assert!(imported.stdout.contains("cluster \"myapp_aks\"") && !imported.stdout.contains("service_account"));
    assert_eq!(more_than_reads(&emulator), Vec::<String>::new());
}

#[test]
fn who_may_not_read_the_directory_is_told() {
    let (folder, emulator) = stack();
    let_in(&emulator, &[READER], &[]);
    let _ = as_reader(&folder, &["plan"]).exits(1).says("Authorization_RequestDenied");
    let mut command = folder.command(&["plan"]);
    let _ = Ran::of(command.env("AKSON_EMULATOR_CLIENT_ID", CLIENT)).exits(1).says("AKS0572");
}
