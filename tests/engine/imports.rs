//! What an import prints of a world that was made with every part of a stack: clusters and what is in them, workloads, what repeats.
//! Its plan adopts, and says so of everything. Not the command itself: that is `e2e/import.rs`.

use std::collections::BTreeMap;

use akson_applier::End;
use akson_catalog::{ArmId, Catalog};
use akson_config::import::{ImportOptions, Imported, import, kind_of};
use akson_planner::Action;
use akson_tests::world::World;
use serde_json::{Value, json};

/// A world after an apply of a stack.
async fn made(source: &str) -> World {
    let world = World::new();
    let outcome = world.apply(source).await;
    assert_eq!(outcome.report.end, End::Done, "{:#?}", outcome.report.diagnostics);
    world
}

/// Imports the stack's resource group, and checks that the plan of it adopts what it says and nothing else happens.
async fn imported(world: &World, group: &str) -> Imported {
    let signed_in = world.emulator.identity();
    let place = ArmId::new(format!("/subscriptions/{}/resourceGroups/{group}", signed_in.subscription));
    let gathered = world.gather(&[place], &[]).await.unwrap();
    assert_eq!(gathered.unread, []);
    let options = ImportOptions {
        stack: "test".to_owned(),
        tenant: Some(signed_in.tenant),
        subscription: Some(signed_in.subscription),
        token_exchange_audience: "api://AzureADTokenExchange".to_owned(),
        api_versions: gathered.api_versions,
        looked_at: gathered.looked_at,
    };
    let imported = import(&gathered.objects, Catalog::builtin().unwrap(), &options);
    let plan = world.plan_reaching(&imported.text, gathered.ways).await;
    let plan = plan.unwrap_or_else(|why| panic!("{why}\n{}", imported.text));
    let managed = imported.declared.iter().filter(|declared| !declared.existing).count();
    let mut adopted = 0;
    for change in &plan.changes {
        // What it was made with shows that it is this stack's; nothing is left to do for it.
        assert!(
            matches!(change.action, Action::Adopt | Action::NoOp),
            "{} {}\n{}",
            change.action.as_str(),
            change.address,
            imported.text
        );
        assert!(change.differences.is_empty(), "{:#?}\n{}", change.differences, imported.text);
        adopted += 1;
    }
    assert_eq!(adopted, managed, "{}", imported.text);
    imported
}

#[track_caller]
fn says(imported: &Imported, expected: &str) {
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat(&imported.text).contains(&flat(expected)), "`{expected}` in\n{}", imported.text);
}

#[track_caller]
fn silent(imported: &Imported, unexpected: &str) {
    assert!(!imported.text.contains(unexpected), "`{unexpected}` in\n{}", imported.text);
}

#[tokio::test(start_paused = true)]
async fn what_is_in_a_cluster_is_imported_too() {
    let world = made(crate::clusters::STACK).await;
    let imported = imported(&world, "app-rg").await;
    for expected in [
        "namespace \"app\" { name = \"app\" cluster = cluster.aks labels = { team = \"one\" } pod_security { enforce = baseline } }",
        "service_account \"web\" { name = \"web\" cluster = cluster.aks namespace = namespace.app identity = identity.app_id }",
        "client_id = identity.app_id.client_id objects = [{ name = \"db-password\" }]",
        "data = [{ object_name = \"db-password\", key = \"PASSWORD\" }]",
        "cluster_role = cluster_role.restart members = [ \"group:",
        "identity.app_id, service_account.web, ]",
        "cluster_role = \"view\"",
    ] {
        says(&imported, expected);
    }
    // The same as its own tool prints it, in a file beside the cluster's object.
    let signed_in = world.emulator.identity();
    let place = ArmId::new(format!("/subscriptions/{}/resourceGroups/app-rg", signed_in.subscription));
    let mut objects = world.gather(&[place], &[]).await.unwrap().objects;
    let mut lists: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for mut object in objects.extract_if(.., |object| object["id"].as_str().unwrap().contains("/kubernetes.")) {
        let kind = kind_of(&object, Catalog::builtin().unwrap()).unwrap();
        object.as_object_mut().unwrap().remove("id");
        lists.entry(kind.resource_type.clone()).or_default().push(object);
    }
    for (of, items) in lists {
        let (version, kind) = of.rsplit_once('/').unwrap();
        objects.push(json!({"apiVersion": version, "kind": format!("{kind}List"), "items": items}));
    }
    let options = ImportOptions {
        stack: "test".to_owned(),
        tenant: Some(signed_in.tenant),
        token_exchange_audience: "api://AzureADTokenExchange".to_owned(),
        ..ImportOptions::default()
    };
    assert_eq!(import(&objects, Catalog::builtin().unwrap(), &options).text, imported.text);
    // What every cluster has is nobody's to declare, and not worth a word.
    silent(&imported, "kube-system");
    silent(&imported, "cluster-admin");
    assert_eq!(imported.skipped, []);
}

/// A cluster and a vault with a secret, for workloads.
const GROUND: &str = r#"
stack "test" { location = "westeurope" }

resource_group "app" { name = "app-rg" }

cluster "main" {
  name           = "aks"
  resource_group = resource_group.app
  entra { authorization = azure_rbac }
  local_accounts    = disabled
  oidc_issuer       = enabled
  workload_identity = enabled
  secrets_provider { rotation_interval = "2m" }

  node_pool "system" {
    mode    = system
    vm_size = "Standard_D4s_v5"
    scale   = fixed(3)
  }
}

vault "app" {
  name           = "kv-applier-test"
  resource_group = resource_group.app
}

grant "me" {
  to   = "$ME"
  role = "Key Vault Secrets Officer"
  on   = vault.app
}

secret "db" {
  vault = vault.app
  name  = "db-password"
  value = generated(32)
  after = [grant.me]
}

secret "token" {
  vault = vault.app
  name  = "partner-token"
  value = generated(32)
  after = [grant.me]
}
"#;

/// The workloads of a text, each in one line.
fn workloads(imported: &Imported) -> Vec<String> {
    let blocks = imported.text.split("\n\n").filter(|block| block.starts_with("workload "));
    blocks.map(|block| block.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

async fn of_workloads(more: &str) -> Imported {
    let me = World::new().emulator.identity().object_id;
    let world = made(&format!("{}{more}", GROUND.replace("$ME", &me))).await;
    imported(&world, "app-rg").await
}

#[tokio::test(start_paused = true)]
async fn what_a_workload_stands_for_is_one_again() {
    let imported = of_workloads(
        r#"
namespace "production" {
  cluster = cluster.main
  name    = "production"
}

workload "plain" {
  cluster         = cluster.main
  namespace       = namespace.production
  service_account = "plain"
}

workload "myapp" {
  cluster         = cluster.main
  namespace       = "production"
  service_account = "myapp-sa"

  mount {
    class   = "azure-kv-secrets"
    secrets = [secret.db]
    sync    = { "myapp-secrets" = { DB_PASSWORD = secret.db } }
  }
}

workload "other" {
  cluster   = cluster.main
  namespace = "production"
  access    = secret

  service_account {
    name   = "other-sa"
    labels = { app = "other" }
  }

  identity {
    name = "other-id"
    tags = { app = "other" }
  }
  federated_credential { name = "other" }

  mount "database" {
    secrets    = [secret.db]
    parameters = { cloudName = "AzurePublicCloud" }
  }
  mount "partner" { secrets = [secret.token] }
}

workload "ungranted" {
  cluster         = cluster.main
  namespace       = "default"
  service_account = "ungranted"
  grant           = none

  mount {
    class   = "ungranted"
    secrets = [secret.db]
  }
}

grant "more" {
  to   = workload.myapp.identity
  role = "Reader"
  on   = resource_group.app
}
"#,
    )
    .await;
    assert_eq!(
        workloads(&imported),
        [
            "workload \"myapp_sa\" { cluster = cluster.aks namespace = namespace.production service_account = \"myapp-sa\" \
             mount { class = \"azure-kv-secrets\" secrets = [secret.db_password] \
             sync = { \"myapp-secrets\" = { DB_PASSWORD = secret.db_password } } } }",
            "workload \"other_sa\" { cluster = cluster.aks namespace = namespace.production \
             service_account { name = \"other-sa\" labels = { app = \"other\" } } \
             identity { name = \"other-id\" tags = { app = \"other\" } } \
             access = secret \
             federated_credential { name = \"other\" } \
             mount \"database\" { secrets = [secret.db_password] parameters = { cloudName = \"AzurePublicCloud\" } } \
             mount \"partner\" { secrets = [secret.partner_token] } }",
            "workload \"plain\" { cluster = cluster.aks namespace = namespace.production service_account = \"plain\" }",
            "workload \"ungranted\" { cluster = cluster.aks namespace = \"default\" service_account = \"ungranted\" \
             grant = none mount { class = \"ungranted\" secrets = [secret.db_password] } }",
        ],
        "{}",
        imported.text
    );
    says(&imported, "to = workload.myapp_sa.identity");
    for unexpected in ["identity \"", "service_account \"", "secret_provider_class \"", "federated_credential \""] {
        silent(&imported, &format!("\n{unexpected}"));
    }
    let addresses: Vec<&str> = imported.declared.iter().map(|declared| declared.address.as_str()).collect();
    for expected in [
        "workload.myapp_sa.identity",
        "workload.myapp_sa.grant[\"kv-applier-test\"]",
        "workload.myapp_sa.secret_provider_class",
        "workload.other_sa.grant[\"kv-applier-test/db-password\"]",
        "workload.other_sa.secret_provider_class[\"partner\"]",
    ] {
        assert!(addresses.contains(&expected), "{expected} in {addresses:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_differs_from_a_workload_stays_outside() {
    let imported = of_workloads(
        r#"
identity "shared" {
  name           = "shared"
  resource_group = resource_group.app
}

workload "one" {
  cluster         = cluster.main
  namespace       = "one"
  service_account = "web"
  identity        = identity.shared
}

workload "two" {
  cluster         = cluster.main
  namespace       = "two"
  service_account = "web"
  identity        = identity.shared
}

identity "alone" {
  name           = "alone"
  resource_group = resource_group.app
}

service_account "untrusted" {
  cluster   = cluster.main
  namespace = workload.one.namespace
  name      = "untrusted"
  identity  = identity.alone
}

workload "aliased" {
  cluster         = cluster.main
  namespace       = "one"
  service_account = "aliased"
}

secret_provider_class "aliased" {
  cluster   = cluster.main
  namespace = workload.one.namespace
  name      = "aliased"
  vault     = vault.app
  client_id = workload.aliased.client_id
  objects   = [{ name = secret.db, alias = "db" }]
}
"#
        .replace("workload.one.namespace", "\"one\"")
        .as_str(),
    )
    .await;
    assert_eq!(
        workloads(&imported),
        [
            "workload \"aliased\" { cluster = cluster.aks namespace = namespace.one service_account = \"aliased\" }",
            "workload \"web\" { cluster = cluster.aks namespace = namespace.one service_account = \"web\" \
             identity = identity.shared }",
            "workload \"web_2\" { cluster = cluster.aks namespace = namespace.two service_account = \"web\" \
             identity = identity.shared }",
        ],
        "{}",
        imported.text
    );
    says(&imported, "service_account \"untrusted\" {");
    says(&imported, "secret_provider_class \"aliased\" {");
    says(&imported, "client_id = workload.aliased.identity.client_id");
}

#[tokio::test(start_paused = true)]
async fn what_differs_in_one_value_is_one_block() {
    let world = made(
        r#"
stack "test" { location = "westeurope" }

resource_group "app" { name = "app-rg" }

identity "team" {
  for_each       = ["red", "green", "blue"]
  name           = "id-${each.key}"
  resource_group = resource_group.app
  tags           = { owner = "platform" }
}

identity "other" {
  name           = "other"
  resource_group = resource_group.app
}

federated_credential "ci" {
  for_each = ["api", "web", "job"]
  identity = identity.team["red"]
  name     = "ci-${each.key}"
  issuer   = "https://token.actions.githubusercontent.com"
  subject  = "repo:example/${each.key}:ref:refs/heads/main"
}

vault "app" {
  name           = "kv-applier-test"
  resource_group = resource_group.app
  tags           = { reader = identity.team["blue"].client_id }
}

grant "team" {
  for_each = ["red", "green", "blue"]
  to       = identity.team[each.key]
  role     = "Key Vault Secrets User"
  on       = vault.app
}

log_workspace "app" {
  name           = "app-logs"
  resource_group = resource_group.app
}

diagnostic_setting "vault" {
  name      = "to-logs"
  on        = vault.app
  workspace = log_workspace.app
  category_groups = ["audit"]
}

lock "two" {
  for_each = ["one", "two"]
  name     = each.key
  on       = resource_group.app
  level    = cannot_delete
}
"#,
    )
    .await;
    let imported = imported(&world, "app-rg").await;
    for expected in [
        "identity \"id\" { for_each = [\"id-blue\", \"id-green\", \"id-red\"] name = each.key resource_group = resource_group.app_rg \
         tags = { owner = \"platform\" } }",
        "federated_credential \"ci\" { for_each = {",
        "identity = identity.id[\"id-red\"]",
        "subject = each.value",
        "identity \"other\" {",
        "for_each = { id_blue = identity.id[\"id-blue\"] id_green = identity.id[\"id-green\"] id_red = identity.id[\"id-red\"] }",
        "tags = { reader = identity.id[\"id-blue\"].client_id }",
        "to = each.value role = \"Key Vault Secrets User\" on = vault.kv_applier_test",
        "diagnostic_setting \"to_logs\" { name = \"to-logs\" on = vault.kv_applier_test",
        "category_groups = [\"audit\"] workspace = log_workspace.app_logs",
        "lock \"one\"",
        "lock \"two\"",
    ] {
        says(&imported, expected);
    }
    let addresses: Vec<&str> = imported.declared.iter().map(|declared| declared.address.as_str()).collect();
    assert!(addresses.contains(&"federated_credential.ci[\"ci-api\"]"), "{addresses:#?}");
}

#[tokio::test(start_paused = true)]
async fn objects_of_the_directory_are_imported_by_their_ids() {
    let world = made(
        r#"
stack "test" { location = "westeurope" }

resource_group "app" { name = "app-rg" }

identity "app" {
  name           = "app-id"
  resource_group = resource_group.app
}

group "developers" {
  display_name = "app-developers"
  members      = [identity.app]
}

grant "developers" {
  to   = group.developers
  role = "Reader"
  on   = resource_group.app
}
"#,
    )
    .await;
    // Who a grant is for is looked at.
    let found = imported(&world, "app-rg").await;
    says(&found, "existing group \"app_developers\" {");
    says(&found, "to = group.app_developers");
    // What is asked for by its id is declared, with its members.
    let signed_in = world.emulator.identity();
    let group = found.declared.iter().find(|declared| declared.kind == "group").unwrap();
    let place = ArmId::new(format!("/subscriptions/{}/resourceGroups/app-rg", signed_in.subscription));
    let gathered = world.gather(&[place], std::slice::from_ref(&group.id)).await.unwrap();
    let options = ImportOptions {
        stack: "test".to_owned(),
        tenant: Some(signed_in.tenant),
        subscription: Some(signed_in.subscription),
        looked_at: gathered.looked_at,
        ..ImportOptions::default()
    };
    let imported = import(&gathered.objects, Catalog::builtin().unwrap(), &options);
    says(&imported, "group \"app_developers\" {");
    silent(&imported, "existing group");
    says(&imported, "members = [identity.app_id]");
    let plan = world.plan(&imported.text).await.unwrap_or_else(|why| panic!("{why}\n{}", imported.text));
    for change in &plan.changes {
        assert!(matches!(change.action, Action::Adopt | Action::NoOp), "{change:#?}\n{}", imported.text);
        assert!(change.differences.is_empty(), "{change:#?}\n{}", imported.text);
    }
    let wrong = world.gather(&[], &["00000000-0000-4000-8000-000000000009".to_owned()]).await;
    assert!(wrong.unwrap_err().contains("00000000-0000-4000-8000-000000000009"));
}
