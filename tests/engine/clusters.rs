//! Objects of clusters: made with their cluster, read, changed, given back, and what others do to them meanwhile.

use akson_applier::End;
use akson_emulator::{Effect, FaultRule, RetryAfter};
use akson_planner::{Action, options::Mode};
use bytes::Bytes;
use http::{Request, StatusCode};
use serde_json::{Value, json};

use akson_tests::world::{Kill, World, sends};

/// A cluster with something of each kind in it.
pub(crate) const STACK: &str = r#"
stack "test" {
  location = "westeurope"
}

resource_group "app" {
  name = "app-rg"
}

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

identity "app" {
  name           = "app-id"
  resource_group = resource_group.app
}

group "developers" { display_name = "app-developers" }

namespace "app" {
  cluster = cluster.main
  name    = "app"
  labels  = { team = "one" }

  pod_security { enforce = baseline }
}

service_account "app" {
  cluster   = cluster.main
  namespace = namespace.app
  name      = "web"
  identity  = identity.app
}

secret_provider_class "app" {
  cluster   = cluster.main
  namespace = namespace.app
  name      = "kv"
  vault     = "kv-applier-test"
  client_id = identity.app.client_id
  tenant_id = identity.app.tenant_id
  objects   = [{ name = "db-password" }]

  secret_objects = [
    { secret_name = "copy", data = [{ object_name = "db-password", key = "PASSWORD" }] },
  ]
}

cluster_role "restart" {
  cluster = cluster.main
  name    = "restart"
  rules   = [{ api_groups = ["apps"], resources = ["deployments"], verbs = ["get", "patch"] }]
}

role_binding "developers" {
  cluster      = cluster.main
  namespace    = namespace.app
  name         = "developers-restart"
  cluster_role = cluster_role.restart
  members      = [group.developers, identity.app, service_account.app]
}

cluster_role_binding "viewers" {
  cluster      = cluster.main
  name         = "viewers"
  cluster_role = "view"
  members      = ["group:00000000-0000-0000-0000-0000000000a1", "user:alice@example.com"]
}
"#;

/// How many of its objects lie in the cluster.
const OBJECTS: usize = 6;

fn without(source: &str, block: &str) -> String {
    let start = source.find(block).unwrap();
    let end = source[start..].find("\n}\n").unwrap() + start + 3;
    format!("{}{}", &source[..start], &source[end..])
}

fn host(world: &World) -> String {
    let objects = world.objects();
    let cluster = objects.iter().find(|(id, _)| id.to_ascii_lowercase().ends_with("/managedclusters/aks")).unwrap().1;
    cluster["properties"]["fqdn"].as_str().unwrap().to_owned()
}

/// As somebody with all rights does it, with another tool.
async fn kubectl(world: &World, method: &str, path: &str, body: Value) -> (StatusCode, Value) {
    let me = world.emulator.identity().object_id.clone();
    let token = world.god().token(&me, "6dae42f8-4368-4678-94ff-3960e28e3630").unwrap();
    let request = Request::builder()
        .method(method)
        .uri(format!("https://{}{path}", host(world)))
        .header("authorization", format!("Bearer {token}"))
        .header("user-agent", "kubectl/v1.33")
        .header("content-type", if method == "PATCH" { "application/merge-patch+json" } else { "application/json" })
        .body(if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) })
        .unwrap();
    let answer = world.emulator.handle(request).await.unwrap();
    (answer.status(), serde_json::from_slice(answer.body()).unwrap_or_default())
}

async fn object(world: &World, path: &str) -> Option<Value> {
    let (status, body) = kubectl(world, "GET", path, Value::Null).await;
    (status != StatusCode::NOT_FOUND).then_some(body)
}

const NAMESPACE: &str = "/api/v1/namespaces/app";
const ACCOUNT: &str = "/api/v1/namespaces/app/serviceaccounts/web";
const CLASS: &str = "/apis/secrets-store.csi.x-k8s.io/v1/namespaces/app/secretproviderclasses/kv";

async fn made() -> World {
    let world = World::new();
    let outcome = world.apply(STACK).await;
    assert_eq!(outcome.report.end, End::Done, "{:#?}", outcome.report.diagnostics);
    world
}

/// The requests to API servers, in short.
fn sent(world: &World) -> Vec<String> {
    let requests = world.god().requests();
    let to_cluster = requests.iter().filter(|request| request.host.ends_with("azmk8s.io"));
    to_cluster.map(|request| format!("{} {}", request.method, request.path.split('?').next().unwrap())).collect()
}

async fn is_settled(world: &World, source: &str) {
    let outcome = world.apply(source).await;
    let steps: Vec<_> = outcome.plan.changes.iter().filter(|change| change.work.is_step()).collect();
    assert!(outcome.plan.is_empty() && steps.is_empty(), "{steps:#?}");
    assert_eq!(outcome.plan.not_verified().count(), 0);
}

#[tokio::test(start_paused = true)]
async fn everything_is_made_and_the_next_plan_is_empty() {
    let world = made().await;
    let account = object(&world, ACCOUNT).await.unwrap();
    assert!(account["metadata"]["annotations"]["azure.workload.identity/client-id"].is_string(), "{account:#}");
    assert!(account["metadata"]["labels"]["akson"].is_string(), "{account:#}");
    let class = object(&world, CLASS).await.unwrap();
    assert_eq!(
        class["spec"]["parameters"]["objects"],
        "array:\n- |\n  objectName: db-password\n  objectType: secret\n"
    );
    assert_eq!(class["spec"]["secretObjects"][0]["data"][0]["key"], "PASSWORD");
    let binding = object(&world, "/apis/rbac.authorization.k8s.io/v1/namespaces/app/rolebindings/developers-restart")
        .await
        .unwrap();
    let kinds: Vec<&str> =
        binding["subjects"].as_array().unwrap().iter().map(|subject| subject["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["Group", "User", "ServiceAccount"], "{binding:#}");
    assert_eq!(binding["roleRef"]["name"], "restart");

    world.god().clear_request_log();
    is_settled(&world, STACK).await;
    let mut lists = sent(&world);
    lists.sort();
    assert_eq!(
        lists,
        [
            "GET /api/v1/namespaces",
            "GET /api/v1/serviceaccounts",
            "GET /apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
            "GET /apis/rbac.authorization.k8s.io/v1/clusterroles",
            "GET /apis/rbac.authorization.k8s.io/v1/rolebindings",
            "GET /apis/secrets-store.csi.x-k8s.io/v1/secretproviderclasses",
        ],
        "one list a type"
    );
    assert!(!world.god().requests().iter().any(|request| request.path.contains("listClusterUserCredential")));
}

#[tokio::test(start_paused = true)]
async fn one_edit_is_one_update_and_what_is_left_out_goes() {
    let world = made().await;
    let edited = STACK.replace("team = \"one\"", "team = \"two\", tier = \"a\"");
    let outcome = world.apply(&edited).await;
    let changed: Vec<_> = outcome.plan.changes.iter().filter(|change| change.action != Action::NoOp).collect();
    assert_eq!(changed.len(), 1, "{changed:#?}");
    assert_eq!((changed[0].action, changed[0].address.as_str()), (Action::Update, "namespace.app"));
    assert_eq!(outcome.report.end, End::Done, "{:#?}", outcome.report.diagnostics);
    let labels = object(&world, NAMESPACE).await.unwrap()["metadata"]["labels"].clone();
    assert_eq!((&labels["team"], &labels["tier"]), (&json!("two"), &json!("a")));
    is_settled(&world, &edited).await;

    let bare = edited.replace("  pod_security { enforce = baseline }\n", "").replace(", tier = \"a\"", "");
    let outcome = world.apply(&bare).await;
    assert_eq!(outcome.report.end, End::Done, "{:#?}", outcome.report.diagnostics);
    let labels = object(&world, NAMESPACE).await.unwrap()["metadata"]["labels"].clone();
    assert!(labels.get("tier").is_none() && labels.get("pod-security.kubernetes.io/enforce").is_none(), "{labels:#}");
    assert!(labels["kubernetes.io/metadata.name"].is_string(), "what others set stays");
    is_settled(&world, &bare).await;
}

#[tokio::test(start_paused = true)]
async fn what_vanishes_is_made_again_and_what_others_add_stays() {
    let world = made().await;
    kubectl(&world, "DELETE", ACCOUNT, Value::Null).await;
    let note = json!({"metadata": {"annotations": {"note": "by hand"}}});
    kubectl(&world, "PATCH", NAMESPACE, note).await;
    let outcome = world.apply(STACK).await;
    let changed: Vec<_> = outcome.plan.changes.iter().filter(|change| change.action != Action::NoOp).collect();
    assert_eq!(changed.len(), 1, "{changed:#?}");
    assert_eq!((changed[0].action, changed[0].address.as_str()), (Action::Create, "service_account.app"));
    assert!(changed[0].reasons.iter().any(|reason| reason.cause == akson_planner::Cause::Drift));
    assert!(object(&world, ACCOUNT).await.is_some());
    assert_eq!(object(&world, NAMESPACE).await.unwrap()["metadata"]["annotations"]["note"], "by hand");
    is_settled(&world, STACK).await;
}

#[tokio::test(start_paused = true)]
async fn a_field_that_somebody_else_took_is_told_and_not_taken_back() {
    let world = made().await;
    kubectl(&world, "PATCH", NAMESPACE, json!({"metadata": {"labels": {"team": "other"}}})).await;
    let outcome = world.apply(STACK).await;
    assert_eq!(outcome.report.end, End::SomeFailed);
    let found = outcome.report.diagnostics.sorted();
    assert_eq!(found.len(), 1, "{found:#?}");
    let told = format!("{} {} {:?}", found[0].code, found[0].message, found[0].notes);
    assert!(told.contains("AKS0527") && told.contains("`kubectl`") && told.contains("labels.team"), "{told}");
    assert_eq!(object(&world, NAMESPACE).await.unwrap()["metadata"]["labels"]["team"], "other");
    // As the help says: with the value that is there, it is both's.
    let agreed = STACK.replace("team = \"one\"", "team = \"other\"");
    assert_eq!(world.apply(&agreed).await.report.end, End::Done);
    is_settled(&world, &agreed).await;
}

#[tokio::test(start_paused = true)]
async fn a_block_that_goes_takes_its_object_along() {
    let world = made().await;
    let fewer = without(&without(STACK, "role_binding \"developers\""), "cluster_role \"restart\"");
    let outcome = world.apply(&fewer).await;
    assert_eq!(outcome.plan.count(Action::Delete), 2, "{:#?}", outcome.plan.changes);
    assert_eq!(outcome.report.end, End::Done, "{:#?}", outcome.report.diagnostics);
    assert_eq!(object(&world, "/apis/rbac.authorization.k8s.io/v1/clusterroles/restart").await, None);
    world.apply(&fewer).await;
    is_settled(&world, &fewer).await;

    // A namespace with all that is in it.
    let bare = ["namespace \"app\"", "service_account \"app\"", "secret_provider_class \"app\""]
        .iter()
        .fold(fewer, |source, block| without(&source, block));
    let outcome = world.apply(&bare).await;
    assert_eq!(outcome.report.end, End::Done, "{:#?}", outcome.report.diagnostics);
    assert_eq!(object(&world, NAMESPACE).await, None);
    world.apply(&bare).await;
    is_settled(&world, &bare).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_there_before_is_adopted_and_nobody_elses_is_deleted() {
    let world = World::new();
    let bare = without(STACK, "service_account \"app\"").replace(", service_account.app", "");
    assert_eq!(world.apply(&bare).await.report.end, End::Done);
    let foreign = json!({"metadata": {"name": "web", "labels": {"by": "hand"}}});
    kubectl(&world, "POST", "/api/v1/namespaces/app/serviceaccounts", foreign).await;
    let outcome = world.apply(STACK).await;
    assert_eq!(outcome.plan.count(Action::Adopt), 1, "{:#?}", outcome.plan.changes);
    assert_eq!(outcome.report.end, End::Done, "{:#?}", outcome.report.diagnostics);
    let account = object(&world, ACCOUNT).await.unwrap();
    assert_eq!(account["metadata"]["labels"]["by"], "hand");
    is_settled(&world, STACK).await;

    // Its mark is taken off: the ledger alone deletes nothing.
    kubectl(&world, "PATCH", ACCOUNT, json!({"metadata": {"labels": {"akson": null}}})).await;
    let refused = world.attempt(&bare, Mode::Apply, &akson_applier::Cancel::new()).await;
    assert!(refused.is_err_and(|why| why.contains("mark")));
    assert!(object(&world, ACCOUNT).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn objects_go_with_their_cluster_without_a_request() {
    let world = made().await;
    world.god().clear_request_log();
    let outcome = world.destroy(STACK).await;
    assert_eq!(outcome.report.end, End::Done, "{:#?}", outcome.report.diagnostics);
    assert!(sent(&world).iter().all(|line| line.starts_with("GET ")), "{:?}", sent(&world));
    let left = world.store.document().unwrap();
    assert!(left.clusters.is_empty(), "{:?}", left.clusters);
    world.destroy(STACK).await;
    assert!(world.store.document().unwrap().entries.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_cannot_be_reached_is_planned_from_the_ledger() {
    let world = made().await;
    let cluster =
        world.objects().into_keys().find(|id| id.to_ascii_lowercase().ends_with("/managedclusters/aks")).unwrap();
    let ranges = |ranges: Value| {
        world
            .god()
            .edit(&cluster, |object| {
                object["properties"]["apiServerAccessProfile"] = json!({"authorizedIPRanges": ranges});
            })
            .unwrap();
    };
    ranges(json!(["192.0.2.0/24"]));
    let outcome = world.apply(STACK).await;
    assert!(outcome.plan.is_empty(), "{:#?}", outcome.plan.changes);
    assert_eq!(outcome.plan.not_verified().count(), OBJECTS);

    let outcome = world.apply(&STACK.replace("team = \"one\"", "team = \"two\"")).await;
    assert_eq!(outcome.plan.count(Action::Update), 1);
    let found = outcome.report.diagnostics.sorted();
    assert!(found.iter().any(|found| found.code.to_string() == "AKS0530"), "{found:#?}");

    ranges(json!([]));
    is_settled(&world, STACK).await;
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_is_somebody_elses_is_entered_alike() {
    let world = made().await;
    let other = r#"
stack "test" { location = "westeurope" }
existing resource_group "app" { name = "app-rg" }
existing cluster "shared" {
  name           = "aks"
  resource_group = resource_group.app
}
namespace "guest" {
  cluster = cluster.shared
  name    = "guest"
}
"#;
    let mut second = World::new();
    second.emulator = std::sync::Arc::clone(&world.emulator);
    let outcome = second.apply(other).await;
    assert_eq!(outcome.report.end, End::Done, "{:#?}", outcome.report.diagnostics);
    assert!(object(&second, "/api/v1/namespaces/guest").await.is_some());
    is_settled(&second, other).await;
    assert_eq!(second.destroy(other).await.report.end, End::Done);
    assert_eq!(object(&second, "/api/v1/namespaces/guest").await, None);
    assert!(object(&world, NAMESPACE).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn what_a_cluster_lacks_is_told() {
    let world = made().await;
    let homeless = STACK
        .replace("namespace = namespace.app\n  name      = \"web\"", "namespace = \"nowhere\"\n  name      = \"web\"");
    let outcome = world.apply(&homeless).await;
    let codes: Vec<String> = outcome.report.diagnostics.sorted().iter().map(|found| found.code.to_string()).collect();
    assert_eq!(codes, ["AKS0528"], "{:#?}", outcome.report.diagnostics);

    let world = World::new();
    let plain = STACK.replace("  secrets_provider { rotation_interval = \"2m\" }\n", "");
    let bare = without(&plain, "secret_provider_class \"app\"");
    assert_eq!(world.apply(&bare).await.report.end, End::Done);
    let outcome = world.apply(&plain).await;
    let codes: Vec<String> = outcome.report.diagnostics.sorted().iter().map(|found| found.code.to_string()).collect();
    assert_eq!(codes, ["AKS0529"], "{:#?}", outcome.report.diagnostics);
    assert_eq!(world.apply(STACK).await.report.end, End::Done, "with the add-on it goes on");
    is_settled(&world, STACK).await;
}

#[tokio::test(start_paused = true)]
async fn a_new_cluster_that_lets_nobody_in_yet_is_waited_for() {
    let world = World::new();
    let shut = Effect::Status { status: 401, retry_after: RetryAfter::Absent, html: false };
    world.god().set_faults(vec![
        FaultRule::new(shut.clone()).on_path("/api*").at_most(40),
        FaultRule::new(Effect::Status { status: 403, retry_after: RetryAfter::Absent, html: false })
            .on_path("/api*")
            .at_most(10),
    ]);
    let outcome = world.apply(STACK).await;
    assert_eq!(outcome.report.end, End::Done, "{:#?}", outcome.report.diagnostics);
    let refused = world.god().requests().iter().filter(|request| !request.processed).count();
    assert!(refused >= 40, "{refused}");

    // One that is not new is not waited for.
    world.god().set_faults(vec![FaultRule::new(shut).on_path("/api*")]);
    let edited = STACK.replace("team = \"one\"", "team = \"two\"");
    let outcome = world.apply(&edited).await;
    assert_eq!(outcome.plan.not_verified().count(), OBJECTS);
    let found = outcome.report.diagnostics.sorted();
    assert!(
        found.len() == 1 && found[0].message.contains("may not update `namespace.app` in its cluster"),
        "{found:#?}"
    );
    world.god().set_faults(Vec::new());
    assert_eq!(world.apply(&edited).await.report.end, End::Done);
    is_settled(&world, &edited).await;
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_somebody_deleted_took_all_along() {
    let world = made().await;
    let objects = world.objects();
    let cluster = objects.keys().find(|id| id.to_ascii_lowercase().ends_with("/managedclusters/aks")).unwrap();
    world.god().delete_object(cluster).unwrap();
    let bare = STACK.split("cluster \"main\"").next().unwrap();
    world.apply(bare).await;
    world.converge(bare).await;
    assert!(world.store.document().unwrap().clusters.is_empty());
    // And what is declared comes back with another one.
    let world = made().await;
    world.god().delete_object(cluster).unwrap();
    let outcome = world.apply(STACK).await;
    assert_eq!(outcome.report.end, End::Done, "{:#?}", outcome.report.diagnostics);
    assert!(object(&world, ACCOUNT).await.is_some());
    is_settled(&world, STACK).await;
}

/// What a user writes who knows nothing of what it stands for.
const WORKLOAD: &str = r#"
stack "test" {
  location = "westeurope"
}

resource_group "app" {
  name = "app-rg"
}

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

secret "db_password" {
  vault = vault.app
  name  = "db-password"
  value = generated(32)
}

workload "myapp" {
  cluster         = cluster.main
  namespace       = "production"
  service_account = "myapp-sa"

  mount {
    class   = "azure-kv-secrets"
    secrets = [secret.db_password]
    sync    = { "myapp-secrets" = { DB_PASSWORD = secret.db_password } }
  }
}
"#;

#[tokio::test(start_paused = true)]
async fn a_workload_comes_up_on_a_fresh_cluster_from_pod_to_vault() {
    let world = World::new();
    let outcome = world.apply(WORKLOAD).await;
    assert_eq!(outcome.report.end, End::Done, "{:#?}", outcome.report.diagnostics);
    is_settled(&world, WORKLOAD).await;
    let objects = world.objects();
    let identity = objects.iter().find(|(id, _)| id.to_ascii_lowercase().ends_with("/production-myapp-sa"));
    let client = &identity.unwrap().1["properties"]["clientId"];
    let account = object(&world, "/api/v1/namespaces/production/serviceaccounts/myapp-sa").await.unwrap();
    assert_eq!(&account["metadata"]["annotations"]["azure.workload.identity/client-id"], client);
    let class = "/apis/secrets-store.csi.x-k8s.io/v1/namespaces/production/secretproviderclasses/azure-kv-secrets";
    let class = object(&world, class).await.unwrap();
    assert_eq!(&class["spec"]["parameters"]["clientID"], client);
    assert_eq!(class["spec"]["parameters"]["keyvaultName"], "kv-applier-test");
    assert_eq!(class["spec"]["secretObjects"][0]["secretName"], "myapp-secrets");
    let credential = objects.iter().find(|(id, _)| id.to_ascii_lowercase().contains("/federatedidentitycredentials/"));
    assert_eq!(credential.unwrap().1["properties"]["subject"], "system:serviceaccount:production:myapp-sa");

    // Without the workload its namespace stays: others may live there.
    let bare = WORKLOAD.split("workload \"myapp\"").next().unwrap();
    let outcome = world.apply(bare).await;
    assert_eq!(outcome.report.end, End::Done, "{:#?}", outcome.report.diagnostics);
    assert_eq!(outcome.plan.count(Action::Forget), 1);
    assert!(object(&world, "/api/v1/namespaces/production").await.is_some());
    assert_eq!(object(&world, "/api/v1/namespaces/production/serviceaccounts/myapp-sa").await, None);
    // Declared again, it is taken back; and the cluster goes with all of it.
    assert_eq!(world.apply(WORKLOAD).await.report.end, End::Done);
    let outcome = world.destroy(WORKLOAD).await;
    assert_eq!(outcome.report.end, End::Done, "{:#?}", outcome.report.diagnostics);
    assert!(world.god().snapshot().kubernetes.is_empty());
}

async fn killed(kill: Kill) -> bool {
    let world = World::new();
    let died = world.kill(STACK, Mode::Apply, kill).await;
    world.converge(STACK).await;
    let objects = world.god().snapshot().kubernetes;
    let ours = objects.values().filter(|object| object["metadata"]["labels"]["akson"].is_string()).count();
    assert_eq!(ours, OBJECTS, "{kill:?}");
    died
}

async fn at_requests<F: Future<Output = bool>>(every: usize, check: impl Fn(usize) -> F) {
    let mut number = 0;
    while check(number).await {
        number += every;
    }
    assert!(number > 30, "only {number} requests");
}

#[tokio::test(start_paused = true)]
async fn killed_before_each_request() {
    at_requests(1, |number| killed(Kill::Before(number))).await;
}

#[tokio::test(start_paused = true)]
async fn killed_after_each_request() {
    at_requests(1, |number| killed(Kill::After(number))).await;
}

#[tokio::test(start_paused = true)]
async fn killed_with_a_request_still_on_its_way() {
    at_requests(3, |number| killed(Kill::OnItsWay(number))).await;
}

#[tokio::test(start_paused = true)]
async fn killed_while_all_that_is_in_a_cluster_goes() {
    let bare = [
        "namespace \"app\"",
        "service_account \"app\"",
        "secret_provider_class \"app\"",
        "role_binding \"developers\"",
        "cluster_role_binding \"viewers\"",
        "cluster_role \"restart\"",
    ]
    .iter()
    .fold(STACK.to_owned(), |source, block| without(&source, block));
    let bare = &bare;
    let mut number = 0;
    loop {
        let world = made().await;
        let died = world.kill(bare, Mode::Apply, Kill::After(number)).await;
        world.converge(bare).await;
        let left = world.god().snapshot().kubernetes;
        assert!(!left.values().any(|object| object["metadata"]["labels"]["akson"].is_string()), "{number}");
        let plan = world.apply(STACK).await;
        assert!(sends(&plan.plan));
        world.converge(STACK).await;
        if !died {
            break;
        }
        number += 2;
    }
    assert!(number > 10, "only {number} requests");
}
