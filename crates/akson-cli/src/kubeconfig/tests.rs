//! What each mode of kubelogin is called with, what is read from Azure's answer, and what stays of a file that is there.
#![allow(clippy::unwrap_used, reason = "a test that fails should say where")]

use super::*;
use merge::merge;

const TENANT: &str = "11111111-1111-1111-1111-111111111111";
const OWN: &str = "33333333-3333-3333-3333-333333333333";
const IDENTITY: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/i";

fn cluster() -> ClusterAccess {
    ClusterAccess {
        name: "app-aks".to_owned(),
        resource_group: "app-rg".to_owned(),
        server: "https://app-aks-x.hcp.westeurope.azmk8s.io:443".to_owned(),
        authority: Some("QUJD".to_owned()),
        proxy: None,
        tenant: TENANT.to_owned(),
        server_app: SERVER_APP.to_owned(),
        client_app: CLIENT_APP.to_owned(),
    }
}

#[track_caller]
fn check(mode: Login, cloud: Cloud, sign_in: &SignIn, expected: &str) {
    let config = kubeconfig(&cluster(), cloud, mode, sign_in, None);
    let exec = &config["users"][0]["user"]["exec"];
    let arguments: Vec<&str> = exec["args"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    let start = format!("get-token --login {} --server-id {SERVER_APP}", mode.as_str());
    let rest = arguments.join(" ");
    assert_eq!(rest.strip_prefix(&start).unwrap_or("(another start)").trim_start(), expected, "{}", mode.as_str());
    assert_eq!(exec["command"], "kubelogin");
    assert_eq!(exec["apiVersion"], "client.authentication.k8s.io/v1beta1");
    assert!(exec["env"].is_null() && exec["provideClusterInfo"] == false);
}

#[test]
fn a_running_emulator_leads_to_its_clusters() {
    let config =
        |cluster: &ClusterAccess| kubeconfig(cluster, Cloud::Emulator, Login::Azurecli, &SignIn::default(), None);
    assert!(config(&cluster())["clusters"][0]["cluster"].get("proxy-url").is_none());
    let led = ClusterAccess { proxy: Some(proxy("https://127.0.0.1:7777/")), ..cluster() };
    let shown = config(&led);
    assert_eq!(shown["clusters"][0]["cluster"]["proxy-url"], "http://127.0.0.1:7777");
    assert_eq!(shown["clusters"][0]["cluster"]["server"], cluster().server);
}

#[test]
fn every_mode() {
    let none = SignIn::default();
    let own = SignIn { client_id: Some(OWN.to_owned()), identity: None };
    let by_id = SignIn { client_id: None, identity: Some(IDENTITY.to_owned()) };
    let people = format!("--client-id {CLIENT_APP} --tenant-id {TENANT} --environment AzurePublicCloud");
    check(Login::Azurecli, Cloud::Public, &none, "");
    check(Login::Azd, Cloud::Public, &none, "");
    check(Login::Devicecode, Cloud::Public, &none, &people);
    check(Login::Interactive, Cloud::Emulator, &none, &people);
    check(
        Login::Interactive,
        Cloud::Usgov,
        &own,
        &format!("--client-id {OWN} --tenant-id {TENANT} --environment AzureUSGovernmentCloud"),
    );
    check(Login::Spn, Cloud::China, &none, &format!("--tenant-id {TENANT} --environment AzureChinaCloud"));
    check(
        Login::Spn,
        Cloud::Public,
        &own,
        &format!("--client-id {OWN} --tenant-id {TENANT} --environment AzurePublicCloud"),
    );
    check(Login::Msi, Cloud::Public, &none, "");
    check(Login::Msi, Cloud::Public, &own, &format!("--client-id {OWN}"));
    check(Login::Msi, Cloud::Public, &by_id, &format!("--identity-resource-id {IDENTITY}"));
    check(Login::Workloadidentity, Cloud::Public, &none, "");
    check(Login::Workloadidentity, Cloud::Public, &own, &format!("--client-id {OWN}"));
}

#[test]
fn the_whole_of_it() {
    let text = yaml(&kubeconfig(&cluster(), Cloud::Public, Login::Azurecli, &SignIn::default(), Some("prod")));
    assert_eq!(
        text,
        "apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: QUJD
    server: https://app-aks-x.hcp.westeurope.azmk8s.io:443
  name: app-aks
contexts:
- context:
    cluster: app-aks
    user: clusterUser_app-rg_app-aks
  name: prod
current-context: prod
kind: Config
preferences: {}
users:
- name: clusterUser_app-rg_app-aks
  user:
    exec:
      apiVersion: client.authentication.k8s.io/v1beta1
      args:
      - get-token
      - --login
      - azurecli
      - --server-id
      - 6dae42f8-4368-4678-94ff-3960e28e3630
      command: kubelogin
      env: null
      provideClusterInfo: false
"
    );
}

fn answered(user: &str) -> String {
    let text = format!(
        "apiVersion: v1\nclusters:\n- cluster:\n    certificate-authority-data: QUJD\n    server: https://x:443\n  name: c\nusers:\n- name: u\n  user:\n{user}"
    );
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[test]
fn azures_answer() {
    let id = ArmId::new(
        "/subscriptions/s/resourceGroups/App-rg/providers/Microsoft.ContainerService/managedClusters/App-aks",
    );
    let entra = json!({ "properties": { "aadProfile": { "managed": true, "tenantID": TENANT } } });
    let exec = answered(
        "    exec:\n      args:\n      - get-token\n      - --server-id\n      - other-server\n      - --client-id\n      - other-client\n",
    );
    let found = access(&id, &entra, &exec, "t").unwrap();
    assert_eq!(
        (found.name.as_str(), found.resource_group.as_str(), found.server.as_str(), found.authority.as_deref()),
        ("App-aks", "App-rg", "https://x:443", Some("QUJD"))
    );
    assert_eq!(
        (found.tenant.as_str(), found.server_app.as_str(), found.client_app.as_str()),
        (TENANT, "other-server", "other-client")
    );
    let secret = answered("    token: top-secret\n");
    let found = access(&id, &json!({ "properties": { "aadProfile": {} } }), &secret, "t").unwrap();
    assert_eq!((found.tenant.as_str(), found.server_app.as_str()), ("t", SERVER_APP));
    assert!(!format!("{found:?}").contains("top-secret"));
    assert_eq!(access(&id, &json!({ "properties": {} }), &secret, "t"), Err(NoAccess::NoEntra));
    assert_eq!(access(&id, &entra, "no base64!", "t"), Err(NoAccess::Unreadable));
    let other = base64::engine::general_purpose::STANDARD.encode("a: [");
    assert_eq!(access(&id, &entra, &other, "t"), Err(NoAccess::Unreadable));
}

#[test]
fn a_cluster_without_an_authority_of_its_own() {
    let without = ClusterAccess { authority: None, ..cluster() };
    let config = kubeconfig(&without, Cloud::Public, Login::Azurecli, &SignIn::default(), None);
    assert_eq!(config["clusters"][0]["cluster"], json!({ "server": without.server }));
}

#[test]
fn a_file_keeps_what_else_is_in_it() {
    let added = kubeconfig(&cluster(), Cloud::Public, Login::Azurecli, &SignIn::default(), None);
    assert_eq!(merge("", &added).unwrap(), added);
    assert_eq!(merge(&yaml(&added), &added).unwrap(), added, "twice is once");
    let file = "kind: Config\nextensions: [{name: x}]\ncurrent-context: other\nclusters:\n- {name: other, cluster: {server: 'https://o'}}\n- {name: app-aks, cluster: {server: 'https://old'}}\nusers: null\n";
    let merged = merge(file, &added).unwrap();
    assert_eq!(merged["clusters"][0]["name"], "other");
    assert_eq!(merged["clusters"][1], added["clusters"][0]);
    assert_eq!(merged["clusters"].as_array().unwrap().len(), 2);
    assert_eq!((&merged["users"], &merged["contexts"]), (&added["users"], &added["contexts"]));
    assert_eq!((&merged["current-context"], &merged["extensions"][0]["name"]), (&json!("app-aks"), &json!("x")));
    for broken in ["a: [", "- 1\n", "kind: Pod\n", "clusters: 1\n"] {
        assert!(merge(broken, &added).is_err(), "{broken}");
    }
}
