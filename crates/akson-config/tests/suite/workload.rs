//! The intent `workload`: which parts it makes, what they are called, and where what is wrong with them is shown.

use akson_catalog::{Residual, Value};
use akson_config::{Config, model::Resource};

use super::{own::run_own, run::SUBSCRIPTION};

pub(crate) const BASE: &str = r#"
stack "s" { location = "westeurope" }
resource_group "app" { name = "app-rg" }
cluster "main" {
  name           = "app-aks"
  resource_group = resource_group.app
  location       = "northeurope"

  oidc_issuer       = enabled
  workload_identity = enabled
}
vault "app" {
  name             = "app-kv-x7"
  resource_group   = resource_group.app
  purge_protection = enabled
}
vault "other" {
  name             = "other-kv-x7"
  resource_group   = resource_group.app
  purge_protection = enabled
}
secret "password" {
  vault = vault.app
  name  = "db-password"
}
secret "token" {
  vault = vault.app
  name  = "api-token"
}
secret "far" {
  vault = vault.other
  name  = "far"
}
"#;

/// The workload of the examples.
pub(crate) const MYAPP: &str = r#"
workload "myapp" {
  cluster         = cluster.main
  namespace       = "production"
  service_account = "myapp-sa"
  mount {
    class   = "azure-kv-secrets"
    secrets = [secret.password]
    sync    = { "myapp-secrets" = { DB_PASSWORD = secret.password } }
  }
}
"#;

pub(crate) fn good(text: &str) -> Config {
    run_own(&format!("{BASE}{text}")).good()
}

fn part<'c>(config: &'c Config, address: &str) -> &'c Resource {
    let found = config.resources.iter().find(|resource| resource.address.to_string() == address);
    found.unwrap_or_else(|| panic!("no {address} among {:#?}", addresses(config)))
}

fn addresses(config: &Config) -> Vec<String> {
    config
        .resources
        .iter()
        .map(|resource| resource.address.to_string())
        .filter(|address| address.starts_with("workload"))
        .collect()
}

fn value<'r>(resource: &'r Resource, name: &str) -> &'r Value {
    &resource.attributes.iter().find(|(path, ..)| path == name).unwrap_or_else(|| panic!("no {name}")).1
}

fn text<'r>(resource: &'r Resource, name: &str) -> &'r str {
    value(resource, name).as_text().unwrap_or_else(|| panic!("{name} is {:?}", value(resource, name)))
}

/// `LINE CODE message` of what is wrong in what follows the base.
#[track_caller]
fn wrong(text: &str, expected: &[&str]) {
    let run = run_own(&format!("{BASE}{text}"));
    let base = BASE.lines().count();
    let lines: Vec<String> = run
        .lines()
        .into_iter()
        .map(|line| {
            let (number, rest) = line.split_once(':').unwrap();
            format!("{}:{rest}", number.parse::<usize>().unwrap() - base)
        })
        .collect();
    assert_eq!(lines, expected, "{text}");
}

#[test]
fn one_block_is_six_resources() {
    let config = good(MYAPP);
    assert_eq!(
        addresses(&config),
        [
            "workload.myapp.identity",
            "workload.myapp.federated_credential",
            "workload.myapp.service_account",
            "workload.myapp.secret_provider_class",
            "workload.myapp.grant[\"app-kv-x7\"]",
            "workload.myapp.namespace",
        ]
    );
    let namespace = part(&config, "workload.myapp.namespace");
    assert!(namespace.keep, "others may live in it");
    assert!(
        namespace.symbolic_id.as_str().ends_with("/managedclusters/app-aks/kubernetes.namespace/production"),
        "{}",
        namespace.symbolic_id
    );
    let group = format!("/subscriptions/{SUBSCRIPTION}/resourcegroups/app-rg/providers");
    let identity = part(&config, "workload.myapp.identity");
    assert_eq!(
        identity.symbolic_id.as_str(),
        format!("{group}/microsoft.managedidentity/userassignedidentities/production-myapp-sa")
    );
    assert_eq!(text(identity, "location"), "northeurope", "the cluster's, not the group's");
    let credential = part(&config, "workload.myapp.federated_credential");
    assert_eq!(text(credential, "subject"), "system:serviceaccount:production:myapp-sa");
    assert_eq!(credential.parent.as_ref(), Some(&identity.symbolic_id));
    let Value::Unknown { residual, .. } = value(credential, "issuer") else { panic!() };
    assert!(matches!(&**residual, Residual::Output { output, .. } if output == "oidc_issuer_url"));
    let account = part(&config, "workload.myapp.service_account");
    let Value::Map(annotations) = value(account, "annotations") else { panic!() };
    let Some(Value::Unknown { residual, .. }) = annotations.get("azure.workload.identity/client-id") else { panic!() };
    assert!(matches!(&**residual, Residual::Output { output, .. } if output == "client_id"));
    let grant = part(&config, "workload.myapp.grant[\"app-kv-x7\"]");
    assert_eq!(text(grant, "role"), "Key Vault Secrets User");
    let vault = part(&config, "vault.app");
    assert_eq!(grant.parent.as_ref(), Some(&vault.symbolic_id));
    assert!(grant.dependencies.iter().any(|dependency| dependency.on == identity.symbolic_id));
    let class = part(&config, "workload.myapp.secret_provider_class");
    let Value::Map(parameters) = value(class, "parameters") else { panic!() };
    assert_eq!(parameters["usePodIdentity"], Value::Text("false".to_owned()));
    assert_eq!(parameters["keyvaultName"], Value::Text("app-kv-x7".to_owned()));
    let Value::Text(objects) = &parameters["objects"] else { panic!() };
    assert_eq!(objects, "array:\n- |\n  objectName: db-password\n  objectType: secret\n");
    let Value::List(copies) = value(class, "secret_objects") else { panic!() };
    let Value::Map(copy) = &copies[0] else { panic!() };
    assert_eq!(copy["secretName"], Value::Text("myapp-secrets".to_owned()));
    let Value::List(data) = &copy["data"] else { panic!() };
    let Value::Map(entry) = &data[0] else { panic!() };
    assert_eq!((entry["objectName"].as_text(), entry["key"].as_text()), (Some("db-password"), Some("DB_PASSWORD")));
}

#[test]
fn each_part_can_be_changed() {
    let config = good(
        r#"
workload "myapp" {
  cluster   = cluster.main
  namespace = "production"
  service_account {
    name        = "myapp-sa"
    annotations = { team = "a" }
    labels      = { app = "myapp" }
  }
  identity {
    name     = "shop-identity"
    location = "uksouth"
    tags     = { app = "myapp" }
  }
  federated_credential { name = "shop-credential" }
  grant { role = "Key Vault Reader" }
  mount {
    class      = "kv"
    secrets    = [secret.password]
    parameters = { cloudName = "AzurePublicCloud" }
  }
  protect = true
}
"#,
    );
    let identity = part(&config, "workload.myapp.identity");
    assert!(identity.symbolic_id.as_str().ends_with("/shop-identity") && identity.protect);
    assert_eq!(text(identity, "location"), "uksouth");
    let credential = part(&config, "workload.myapp.federated_credential");
    assert!(credential.symbolic_id.as_str().ends_with("/shop-identity/federatedidentitycredentials/shop-credential"));
    let account = part(&config, "workload.myapp.service_account");
    let Value::Map(annotations) = value(account, "annotations") else { panic!() };
    assert_eq!(
        annotations.keys().map(String::as_str).collect::<Vec<_>>(),
        ["azure.workload.identity/client-id", "team"]
    );
    assert_eq!(text(part(&config, "workload.myapp.grant[\"app-kv-x7\"]"), "role"), "Key Vault Reader");
    let Value::Map(parameters) = value(part(&config, "workload.myapp.secret_provider_class"), "parameters") else {
        panic!()
    };
    assert_eq!(parameters["cloudName"], Value::Text("AzurePublicCloud".to_owned()));
}

#[test]
fn several_mounts_and_grants_on_secrets() {
    let text = |access: &str| {
        format!(
            "workload \"w\" {{\n  cluster = cluster.main\n  namespace = \"p\"\n  service_account = \"sa\"\n{access}  mount \"near\" {{ secrets = [secret.password, secret.token] }}\n  mount \"far\" {{ secrets = [secret.far] }}\n}}\n"
        )
    };
    let grants = |config: &Config| {
        addresses(config).into_iter().filter(|address| address.contains(".grant")).collect::<Vec<_>>()
    };
    let config = good(&text(""));
    assert_eq!(grants(&config), ["workload.w.grant[\"app-kv-x7\"]", "workload.w.grant[\"other-kv-x7\"]"]);
    assert_eq!(super::workload::text(part(&config, "workload.w.secret_provider_class[\"far\"]"), "name"), "far");
    let config = good(&text("  access = secret\n"));
    assert_eq!(
        grants(&config),
        [
            "workload.w.grant[\"app-kv-x7/db-password\"]",
            "workload.w.grant[\"app-kv-x7/api-token\"]",
            "workload.w.grant[\"other-kv-x7/far\"]"
        ]
    );
    let far = part(&config, "workload.w.grant[\"other-kv-x7/far\"]");
    assert_eq!(far.parent.as_ref(), Some(&part(&config, "secret.far").symbolic_id));
    assert!(grants(&good(&text("  grant = none\n"))).is_empty());
}

#[test]
fn instances_outputs_and_order() {
    let config = good(
        r#"
workload "team" {
  for_each        = { a = "alpha", b = "beta", c = "gamma" }
  when            = each.key != "c"
  cluster         = cluster.main
  namespace       = each.value
  service_account = "sa-${each.key}"
  mount {
    class   = "kv"
    secrets = [secret.password]
  }
}
workload "plain" {
  cluster         = cluster.main
  namespace       = "plain"
  service_account = "sa"
  identity        = workload.team["a"].identity
}
resource_group "late" {
  name  = "late-rg"
  after = [workload.plain, workload.team["b"]]
}
output "client" { value = workload.team["b"].client_id }
output "principal" { value = workload.plain.principal_id }
"#,
    );
    let team = part(&config, "workload.team[\"b\"].identity");
    assert!(team.symbolic_id.as_str().ends_with("/beta-sa-b"));
    part(&config, "workload.team[\"a\"].grant[\"app-kv-x7\"]");
    assert_eq!(
        addresses(&config).iter().filter(|address| address.contains("plain")).collect::<Vec<_>>(),
        ["workload.plain.federated_credential", "workload.plain.service_account", "workload.plain.namespace"]
    );
    let late = part(&config, "resource_group.late");
    let needs = |address: &str| {
        let on = &part(&config, address).symbolic_id;
        late.dependencies.iter().any(|dependency| dependency.on == *on)
    };
    assert!(needs("workload.plain.service_account") && needs("workload.team[\"b\"].grant[\"app-kv-x7\"]"));
    assert!(!needs("workload.team[\"a\"].service_account"));
    let Value::Unknown { residual, .. } = &config.outputs[0].value else { panic!() };
    assert!(
        matches!(&**residual, Residual::Output { of, output, .. } if *of == team.symbolic_id && output == "client_id")
    );
}

#[test]
fn a_namespace_is_brought_once_and_only_if_no_block_declares_it() {
    let namespaces = |text: &str| {
        let config = good(text);
        let all = config.resources.iter().map(|resource| resource.address.to_string());
        all.filter(|address| address.contains("namespace")).collect::<Vec<_>>()
    };
    let again = MYAPP.replace("\"myapp\"", "\"other\"").replace("myapp-sa", "other-sa").replace("azure-kv", "other-kv");
    assert_eq!(namespaces(&format!("{MYAPP}{again}")), ["workload.myapp.namespace"]);
    let own = "namespace \"production\" {\n  cluster = cluster.main\n  name = \"production\"\n}\n";
    assert_eq!(namespaces(&format!("{MYAPP}{own}")), ["namespace.production"]);
    assert_eq!(namespaces(&format!("{MYAPP}existing {own}")), ["namespace.production"]);
    assert_eq!(namespaces(&MYAPP.replace("\"production\"", "\"default\"")), Vec::<String>::new());
    let keyed =
        MYAPP.replace("  cluster ", "  for_each = [\"a\", \"b\"]\n  cluster ").replace("myapp-sa", "sa-${each.key}");
    let one_class = keyed.replace("\"azure-kv-secrets\"", "\"kv-${each.key}\"");
    assert_eq!(namespaces(&one_class), ["workload.myapp[\"a\"].namespace"]);
    let each = one_class.replace("\"production\"", "\"ns-${each.key}\"");
    assert_eq!(namespaces(&each), ["workload.myapp[\"a\"].namespace", "workload.myapp[\"b\"].namespace"]);
}

#[test]
fn what_is_wrong_is_shown_in_the_workload() {
    let with = |line: &str| MYAPP.replacen("  mount {", &format!("  {line}\n  mount {{"), 1);
    wrong(&with("identity { nam = \"x\" }"), &["6: AKS0206 `identity` has no attribute `nam`"]);
    wrong(&with("identity { name = \"a b\" }"), &["6: AKS0217 `a b` cannot be `name`"]);
    wrong(&with("acess = secret"), &["6: AKS0206 `workload` has no attribute `acess`"]);
    wrong(&with("access = everything"), &["6: AKS0213 `access` is `vault` or `secret`"]);
    wrong(&with("grant = \"x\""), &["6: AKS0250 `grant` is a block, or `none`"]);
    wrong(&with("identity = vault.app"), &["6: AKS0215 an identity is wanted here, not the vault `vault.app`"]);
    wrong(
        "\nworkload \"w\" {\n  namespace = \"a\"\n}\n",
        &["2: AKS0207 `workload` lacks `cluster`, `service_account`"],
    );
    wrong(
        &MYAPP.replace("[secret.password]", "[secret.password, secret.far]"),
        &["8: AKS0215 the secrets of one mount lie in one vault, and these do not"],
    );
    wrong(
        &MYAPP.replace("DB_PASSWORD = secret.password", "DB_PASSWORD = secret.token"),
        &["9: AKS0210 `secret.token` is copied and not mounted"],
    );
    wrong(&MYAPP.replace("[secret.password]", "[]"), &["8: AKS0207 a mount needs a secret at least"]);
    wrong(
        &MYAPP.replace("= cluster.main", "= vault.app"),
        &["3: AKS0215 a cluster is wanted here, not the vault `vault.app`"],
    );
    wrong(
        &format!("{MYAPP}output \"a\" {{ value = workload.myapp.client }}\n"),
        &["12: AKS0226 there is no key `client`"],
    );
    wrong(
        &format!(
            "{MYAPP}grant \"a\" {{\n  to   = workload.myapp.identity\n  role = \"Key Vault Secrets User\"\n  on   = vault.app\n}}\n"
        ),
        &["12: AKS0242 `workload.myapp.grant[\"app-kv-x7\"]` and `grant.a` are one resource in Azure"],
    );
    wrong(
        &format!("{}{}", MYAPP, MYAPP.replace("\"myapp\"", "\"again\"")),
        &["13: AKS0242 `workload.myapp.identity` and `workload.again.identity` are one resource in Azure"],
    );
}
