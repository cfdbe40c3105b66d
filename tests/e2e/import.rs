//! `akson import`: what it prints of a world is adopted as it is, from live reads and from files; it writes nothing that it was not
//! asked for.

use akson_tests::Folder;
use serde_json::{Value, json};

const VIEWER: &str = "4633458b-17de-408a-b874-0445c86b69e6";
const GROUP: &str = "legacy-rg";

/// A group as somebody made it long ago, and one beside it.
fn objects(subscription: &str, tenant: &str) -> Vec<Value> {
    let group = format!("/subscriptions/{subscription}/resourceGroups/{GROUP}");
    let identity = format!("{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/legacy-app");
    let vault = format!("{group}/providers/Microsoft.KeyVault/vaults/legacy-kv-17");
    let cluster = format!("{group}/providers/Microsoft.ContainerService/managedClusters/legacy-aks");
    let principal = "7f0c7cd4-58e5-4c41-8a3e-4b64ad2d4b10";
    vec![
        json!({"id": group, "location": "northeurope", "tags": {"team": "payments"}}),
        json!({"id": format!("/subscriptions/{subscription}/resourceGroups/other-rg"), "location": "westeurope"}),
        json!({
            "id": format!("/subscriptions/{subscription}/resourceGroups/other-rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/other"),
            "location": "westeurope",
        }),
        json!({
            "id": identity,
            "location": "northeurope",
            "properties": {"principalId": principal, "clientId": "a1a3f1ce-9c1c-4b31-a8c5-0b9f4d1c5d11", "tenantId": tenant},
        }),
        json!({
            "id": format!("{identity}/federatedIdentityCredentials/ci-main"),
            "properties": {
                "issuer": "https://token.actions.githubusercontent.com",
                "subject": "repo:example/app:ref:refs/heads/main",
                "audiences": ["api://AzureADTokenExchange"],
            },
        }),
        json!({
            "id": vault,
            "location": "northeurope",
            "properties": {
                "tenantId": tenant,
                "sku": {"family": "A", "name": "premium"},
                "enableRbacAuthorization": true,
                "enableSoftDelete": true,
                "softDeleteRetentionInDays": 30,
                "accessPolicies": [],
            },
        }),
        json!({
            "id": format!("{vault}/providers/Microsoft.Authorization/roleAssignments/0c0e4f4e-8f2d-4a8e-9a3e-5f5f3f6f7a01"),
            "properties": {
                "principalId": principal,
                "principalType": "ServicePrincipal",
                "scope": vault,
                "roleDefinitionId": format!("/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{VIEWER}"),
            },
        }),
        json!({
            "id": cluster,
            "location": "northeurope",
            "identity": {"type": "SystemAssigned"},
            "properties": {
                "dnsPrefix": "legacy",
                "aadProfile": {"managed": true, "enableAzureRBAC": true},
                "disableLocalAccounts": true,
                "agentPoolProfiles": [{
                    "name": "system", "mode": "System", "count": 2, "vmSize": "Standard_D4s_v5", "osType": "Linux",
                    "type": "VirtualMachineScaleSets",
                }],
            },
        }),
        json!({
            "id": format!("{group}/providers/Microsoft.Authorization/locks/keep"),
            "properties": {"level": "CanNotDelete"},
        }),
    ]
}

/// A folder whose world has them, and nothing else in it.
fn folder() -> Folder {
    let folder = Folder::new();
    let world = folder.world();
    let signed_in = world.identity();
    world.seed(objects(&signed_in.subscription, &signed_in.tenant)).expect("they can be seeded");
    folder
}

/// Fails the test unless the plan of a text adopts, an apply of it succeeds and the plan after that is empty.
#[track_caller]
fn adopted(folder: &Folder, text: &str) {
    folder.write("main.aks", text);
    let _ = folder.akson(&["check"]).exits(0);
    let plan = folder.plan();
    let changes = plan["changes"].as_array().unwrap();
    for change in changes {
        assert_eq!(change["action"], "adopt", "{change:#}\n{text}");
        let differs = change["reasons"].as_array().unwrap().iter().any(|reason| !reason["attribute"].is_null());
        assert!(!differs, "{change:#}\n{text}");
    }
    assert!(changes.len() >= 6, "{plan:#}");
    let _ = folder.apply().exits(0);
    folder.settled();
    assert_eq!(std::fs::read_to_string(folder.path().join("main.aks")).unwrap(), text, "apply changes no file");
}

#[test]
fn a_resource_group_is_adopted_as_it_is() {
    let folder = folder();
    let imported = folder.akson(&["import", "--resource-group", GROUP]).exits(0);
    let text = &imported.stdout;
    for expected in [
        "stack \"legacy-rg\"",
        "resource_group \"legacy_rg\"",
        "identity = identity.legacy_app",
        "to   = identity.legacy_app",
        "on   = vault.legacy_kv_17",
        "node_pool \"system\"",
        "sku                        = premium",
        "level = cannot_delete",
        "tags = { team = \"payments\" }",
    ] {
        assert!(text.contains(expected), "`{expected}` in\n{text}\n{}", imported.stderr);
    }
    for unexpected in ["other", "/subscriptions/", "tenant", "api://AzureADTokenExchange", "purge_protection"] {
        assert!(!text.contains(unexpected), "`{unexpected}` in\n{text}");
    }
    let entries: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(entries, [".akson"], "it writes nothing");
    adopted(&folder, text);
    // It is canonical, and again the same, whoever owns it now.
    let _ = folder.akson(&["fmt", "--check"]).exits(0);
    assert_eq!(&folder.akson(&["import", "--resource-group", GROUP]).exits(0).stdout, text);
}

#[test]
fn objects_of_a_file_need_no_network() {
    let folder = folder();
    let signed_in = folder.world().identity();
    let all = objects(&signed_in.subscription, &signed_in.tenant);
    let ours: Vec<&Value> = all.iter().filter(|object| object["id"].as_str().unwrap().contains(GROUP)).collect();
    folder.write("legacy.json", &json!({ "value": ours }).to_string());
    let lines: Vec<String> = ours.iter().map(ToString::to_string).collect();
    folder.write("lines/legacy.jsonl", &lines.join("\n"));
    let offline = |arguments: &[&str]| {
        let mut command = folder.command(arguments);
        // Nobody could be asked.
        akson_tests::Ran::of(command.env("AKSON_EMULATOR_URL", "http://127.0.0.1:9"))
    };
    let imported = offline(&["import", "--from-file", "legacy.json", "--stack", "legacy"]).exits(0);
    let of_lines = offline(&["import", "--from-file", "lines", "--stack", "legacy"]).exits(0);
    assert_eq!(imported.stdout, of_lines.stdout);
    adopted(&folder, &imported.stdout);

    folder.write("broken.json", "{\"id\": ");
    let _ = offline(&["import", "--from-file", "broken.json"]).exits(1).says("AKS0679");
    let _ = offline(&["import", "--from-file", "nowhere.json"]).exits(1).says("AKS0681");
}

#[test]
fn one_resource_is_imported_with_what_lies_in_it() {
    let folder = folder();
    let subscription = folder.world().identity().subscription;
    let identity = format!(
        "/subscriptions/{subscription}/resourceGroups/{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/legacy-app"
    );
    let imported = folder.akson(&["import", &identity, "--out", "identity.aks", "--format", "json"]).exits(0).json();
    let declared: Vec<(&str, bool)> = imported["declared"]
        .as_array()
        .unwrap()
        .iter()
        .map(|declared| (declared["address"].as_str().unwrap(), declared["existing"].as_bool().unwrap()))
        .collect();
    assert_eq!(
        declared,
        [("resource_group.legacy_rg", true), ("identity.legacy_app", false), ("federated_credential.ci_main", false)]
    );
    assert_eq!(imported["skipped"], json!([]));
    let written = std::fs::read_to_string(folder.path().join("identity.aks")).unwrap();
    assert_eq!(imported["text"], json!(written));
    // What is there stays.
    let _ = folder.akson(&["import", &identity, "--out", "identity.aks"]).exits(1).says("AKS0682");
    let actions = folder.actions();
    assert_eq!(actions, ["federated_credential.ci_main adopt", "identity.legacy_app adopt"]);

    let _ = folder.akson(&["import", "legacy-app"]).exits(1).says("AKS0678");
    let _ = folder.akson(&["import", &format!("{identity}x")]).exits(1).says("legacy-appx");
    let _ = folder.akson(&["import"]).exits(64);
}

/// A cluster with a workload in it.
const CLUSTER: &str = r#"
stack "test" { location = "westeurope" }

resource_group "app" { name = "app-rg" }

cluster "main" {
  name           = "aks"
  resource_group = resource_group.app
  entra { authorization = azure_rbac }
  local_accounts    = disabled
  oidc_issuer       = enabled
  workload_identity = enabled

  node_pool "system" {
    mode    = system
    vm_size = "Standard_D4s_v5"
    scale   = fixed(2)
  }
}

workload "web" {
  cluster         = cluster.main
  namespace       = "production"
  service_account = "web"
}
"#;

#[test]
fn what_is_in_a_cluster_is_looked_at_by_the_first_plan() {
    let folder = Folder::with(CLUSTER);
    let _ = folder.apply().exits(0);
    let imported = folder.akson(&["import", "--resource-group", "app-rg", "--stack", "test"]).exits(0);
    assert!(imported.stdout.contains("workload \"web\" {"), "{}", imported.stdout);
    // A new clone of the folder, with nothing but what was printed and what the import keeps.
    let kept = std::fs::read_to_string(folder.path().join(".akson/clusters.json")).unwrap();
    for entry in std::fs::read_dir(folder.path().join(".akson")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("emulator") {
            std::fs::remove_dir_all(path).unwrap();
        } else if path.is_file() {
            std::fs::remove_file(path).unwrap();
        }
    }
    folder.write(".akson/clusters.json", &kept);
    folder.write("main.aks", &imported.stdout);
    let plan = folder.plan();
    let changes = plan["changes"].as_array().unwrap();
    for change in changes {
        assert!(change["action"] == "adopt" || change["action"] == "no_op", "{change:#}");
    }
    assert!(!plan.to_string().contains("whether it is there already"), "{plan:#}");
    let _ = folder.apply().exits(0);
    folder.settled();
}

#[test]
fn what_is_not_there_is_said_to_be_not_there() {
    let folder = folder();
    let mistyped = format!("{GROUP}x");
    let _ = folder
        .akson(&["import", "--resource-group", &mistyped])
        .exits(1)
        .says("AKS0522")
        .says("there is no such object")
        .says("check its spelling");
    let of_no_type = format!(
        "/subscriptions/3285b5fa-031a-4277-9a75-2baa96025085/resourceGroups/{GROUP}/providers/Example.Nobody/things/x"
    );
    let _ = folder.akson(&["import", &of_no_type]).exits(1).says("Example.Nobody");
    let _ = folder.akson(&["import", "00000000-0000-0000-0000-00000000dead"]).exits(1).says("there is no such object");
}
