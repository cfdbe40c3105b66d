//! `akson kubeconfig` and `akson expand`: what they print, and what they write where.

use akson_tests::Folder;
use serde_json::json;

const TEXT: &str = r#"stack "app" { location = "westeurope" }

existing resource_group "app" { name = "app-rg" }

existing cluster "main" {
  name           = "app-aks"
  resource_group = resource_group.app
}

existing cluster "old" {
  name           = "old-aks"
  resource_group = resource_group.app
}
"#;

/// A folder whose world has the clusters.
fn folder() -> Folder {
    let folder = Folder::with(TEXT);
    let world = folder.world();
    let subscription = world.identity().subscription.clone();
    let cluster = |name: &str, entra: serde_json::Value| {
        let mut properties = json!({ "dnsPrefix": name });
        if !entra.is_null() {
            properties["aadProfile"] = entra;
        }
        json!({
            "id": format!("/subscriptions/{subscription}/resourceGroups/app-rg/providers/Microsoft.ContainerService/managedClusters/{name}"),
            "name": name,
            "type": "Microsoft.ContainerService/managedClusters",
            "location": "westeurope",
            "properties": properties,
        })
    };
    let seeded = world.seed(vec![
        cluster("app-aks", json!({ "managed": true, "enableAzureRBAC": true })),
        cluster("old-aks", serde_json::Value::Null),
    ]);
    seeded.expect("clusters can be seeded");
    drop(world);
    folder
}

#[test]
fn a_kubeconfig_has_no_secret_and_keeps_what_a_file_has() {
    let folder = folder();
    let _ = folder.akson(&["kubeconfig", "cluster.main"]).exits(1).says("AKS0697");
    let printed = folder.akson(&["kubeconfig", "cluster.main", "--live", "--login", "devicecode"]).exits(0);
    for text in ["server: https://", "- devicecode", "name: clusterUser_app-rg_app-aks"] {
        assert!(printed.stdout.contains(text), "{text} in\n{}", printed.stdout);
    }
    assert!(!printed.stdout.contains("token:"), "{}", printed.stdout);
    // By its name, into a file that has another.
    let file = folder.path().join("config");
    std::fs::write(&file, "kind: Config\nclusters:\n- name: other\n  cluster: {server: https://other}\n").unwrap();
    let path = file.display().to_string();
    let _ = folder.akson(&["kubeconfig", "APP-AKS", "--live", "--context", "prod", "--out", &path]).exits(0);
    let written = std::fs::read_to_string(&file).unwrap();
    for text in ["name: other", "name: app-aks", "current-context: prod", "- azurecli"] {
        assert!(written.contains(text), "{text} in\n{written}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    std::fs::write(&file, "- notes\n").unwrap();
    let _ = folder.akson(&["kubeconfig", "cluster.main", "--live", "--out", &path]).exits(1).says("AKS0699");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "- notes\n");
}

#[test]
fn after_an_apply_the_ledger_knows_the_way() {
    let folder = folder();
    let namespace = "namespace \"guest\" {\n  cluster = cluster.main\n  name    = \"guest\"\n}\n";
    folder.write("guest.aks", namespace);
    let _ = folder.apply().exits(0);
    folder.settled();
    let printed = folder.akson(&["kubeconfig", "cluster.main"]).exits(0);
    let live = folder.akson(&["kubeconfig", "cluster.main", "--live"]).exits(0);
    assert_eq!(printed.stdout, live.stdout);
    assert!(printed.stdout.contains("certificate-authority-data: "), "{}", printed.stdout);
    let _ = folder.akson(&["drift"]).exits(0).says("No drift");

    // From an address that is not let in nobody can look, and nobody says that nothing changed.
    let subscription = folder.world().identity().subscription.clone();
    let cluster = format!(
        "/subscriptions/{subscription}/resourceGroups/app-rg/providers/Microsoft.ContainerService/managedClusters/app-aks"
    );
    let ranges = |ranges: serde_json::Value| {
        let world = folder.world();
        let edit = |object: &mut serde_json::Value| {
            object["properties"]["apiServerAccessProfile"] = json!({ "authorizedIPRanges": ranges });
        };
        assert!(world.god().edit(&cluster, edit).unwrap());
    };
    ranges(json!(["192.0.2.0/24"]));
    let _ = folder.akson(&["drift"]).exits(1).says("AKS0422");
    let plan = folder.akson(&["plan"]).exits(0).says("AKS0422");
    assert!(plan.stdout.contains("No changes"), "{}", plan.stdout);
    ranges(json!([]));
    let _ = folder.akson(&["drift"]).exits(0);
    let _ = folder.akson(&["destroy", "--auto-approve"]).exits(0);
}

#[test]
fn clusters_that_give_none() {
    let folder = folder();
    let _ = folder.akson(&["kubeconfig", "cluster.old", "--live"]).exits(1).says("AKS0698");
    let _ = folder.akson(&["kubeconfig", "cluster.mian", "--live"]).exits(1).says("did you mean `cluster.main`?");
    let _ = folder.akson(&["kubeconfig", "cluster.main", "--login", "nothing"]).exits(64);
}

#[test]
fn a_configuration_without_intents_expands_to_itself() {
    let folder = folder();
    let all = folder.akson(&["expand"]).exits(0);
    assert_eq!(all.stdout, TEXT);
    let one = folder.akson(&["expand", "cluster.old"]).exits(0);
    assert!(one.stdout.starts_with("existing cluster \"old\" {"), "{}", one.stdout);
    let _ = folder.akson(&["expand", "cluster.odl"]).exits(1).says("did you mean `cluster.old`?");
    let json = folder.akson(&["expand", "--format", "json"]).exits(0).json();
    assert_eq!((&json["files"][0]["file"], &json["files"][0]["text"]), (&json!("main.aks"), &json!(TEXT)));
}
