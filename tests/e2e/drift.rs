//! Drift by everybody there is: a user in the portal, a user of the command line, a service principal, a pod's identity, kubectl, and a person in
//! the directory. What they did, who they are, how bad it is; what nobody declares; and what could not be found out.

use std::{sync::Arc, time::Duration};

use akson_emulator::{Denial, Emulator};
use akson_tests::Folder;
use bytes::Bytes;
use http::Request;
use serde_json::{Value, json};

pub(crate) const SHOP: &str = r#"stack "shop" {
  location = "westeurope"
}

existing user "me" {
  user_principal_name = "user@example.com"
}

group "devs" {
  display_name = "shop-devs"
  members      = [user.me]
}

resource_group "shop" {
  name = "shop-rg"
  tags = { owner = "platform" }
}

identity "pod" {
  name           = "shop-pod"
  resource_group = resource_group.shop
}

federated_credential "pipeline" {
  name     = "pipeline"
  identity = identity.pod
  issuer   = "https://token.actions.githubusercontent.com"
  subject  = "repo:contoso/shop:ref:refs/heads/main"
}

vault "shop" {
  name           = "shop-kv-x7"
  resource_group = resource_group.shop
  network        = selected(ips = ["203.0.113.0/24"])
}

grant "pod_reads" {
  to   = identity.pod
  role = "Key Vault Secrets User"
  on   = vault.shop
}
"#;

const CLUSTER: &str = r#"
cluster "main" {
  name           = "shop-aks"
  resource_group = resource_group.shop
  local_accounts = disabled

  entra {
    admin_groups  = ["00000000-0000-0000-0000-0000000000a1"]
    authorization = azure_rbac
  }

  node_pool "system" {
    mode    = system
    vm_size = "Standard_D4s_v5"
    scale   = fixed(3)
  }
}

namespace "shop" {
  cluster = cluster.main
  name    = "shop"
  labels  = { team = "payments" }
}
"#;

pub(crate) const TOM: &str = "00000000-0000-4000-8000-0000000000aa";
const ROBOT: &str = "00000000-0000-4000-8000-0000000000bb";
const ASSIGNED: &str = "00000000-0000-4000-8000-0000000000dd";
pub(crate) const PORTAL: &str = "c44b4083-3bb0-49c1-b47d-974e53cbdf3c";
const OWNER: &str = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
pub(crate) const ARM: &str = "https://management.azure.com";
const GRAPH: &str = "https://graph.microsoft.com";
const CLUSTERS: &str = "6dae42f8-4368-4678-94ff-3960e28e3630";

/// The world while no `akson` runs, and those who meddle with it.
pub(crate) struct World {
    pub(crate) emulator: Arc<Emulator>,
    subscription: String,
}

impl World {
    pub(crate) fn group(&self) -> String {
        format!("{}/resourceGroups/shop-rg", self.subscription)
    }

    pub(crate) fn vault(&self) -> String {
        format!("{}/providers/Microsoft.KeyVault/vaults/shop-kv-x7", self.group())
    }

    fn identity(&self) -> String {
        format!("{}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/shop-pod", self.group())
    }

    /// Makes somebody an owner of the subscription, above all that the stack has.
    fn enable(&self, who: &str) {
        let id = format!("{}/providers/Microsoft.Authorization/roleAssignments/{who}", self.subscription);
        let role = format!("/providers/Microsoft.Authorization/roleDefinitions/{OWNER}");
        let body = json!({ "properties": { "roleDefinitionId": role, "principalId": who } });
        self.emulator.god().put_object(&id, body).unwrap();
    }

    /// One call, which must succeed.
    pub(crate) async fn send(&self, token: &str, agent: &str, call: &str, body: Value) -> Value {
        let (method, url) = call.split_once(' ').unwrap();
        let url = if url.starts_with("https:") { url.to_owned() } else { format!("{ARM}{url}") };
        let kind = if method == "PATCH" && url.contains("azmk8s.io") {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        let request = Request::builder()
            .method(method)
            .uri(&url)
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", kind)
            .header("user-agent", agent)
            .body(if body.is_null() { Bytes::new() } else { body.to_string().into() })
            .unwrap();
        let answer = self.emulator.handle(request).await.unwrap();
        let text = String::from_utf8_lossy(answer.body()).into_owned();
        assert!(answer.status().is_success(), "{call}: {} {text}", answer.status());
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    fn token(&self, who: &str, audience: &str) -> String {
        self.emulator.god().token(who, audience).unwrap()
    }
}

/// Something is done behind the stack's back; then as much time passes as logs need.
pub(crate) fn behind(folder: &Folder, act: impl AsyncFnOnce(&World)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let emulator = folder.world();
        let subscription = format!("/subscriptions/{}", emulator.identity().subscription);
        let world = World { emulator, subscription };
        act(&world).await;
        tokio::time::sleep(Duration::from_secs(300)).await;
        // With the next change the world knows what time it is.
        world.emulator.god().set_denied_actions(Vec::new()).unwrap();
    });
}

pub(crate) fn applied(text: &str) -> Folder {
    let folder = Folder::with(text);
    let _ = folder.apply().exits(0);
    behind(&folder, async |world| {
        let tom = json!({ "@odata.type": "#microsoft.graph.user", "id": TOM, "userPrincipalName": "tom@example.com" });
        let robot = json!({ "@odata.type": "#microsoft.graph.servicePrincipal", "id": ROBOT, "displayName": "robot",
            "appId": "00000000-0000-4000-8000-0000000000cc" });
        world.emulator.seed(vec![tom, robot]).unwrap();
        world.enable(TOM);
        world.enable(ROBOT);
    });
    folder
}

fn drift(folder: &Folder) -> Value {
    folder.akson(&["drift", "--format", "json"]).exits(2).json()
}

#[track_caller]
fn change<'a>(drift: &'a Value, address: &str) -> &'a Value {
    let mut changes = drift["changes"].as_array().unwrap().iter();
    changes.find(|change| change["address"] == address).unwrap_or_else(|| panic!("{address} is not in {drift:#}"))
}

/// Who did it: the first of them.
#[track_caller]
fn by(told: &Value) -> (&str, &str, &str) {
    let text = |name: &str| told["by"][0][name].as_str().unwrap_or_default();
    (text("who"), text("application"), text("source"))
}

async fn five_deeds(world: &World) {
    // A user, in the portal.
    let portal = world.emulator.god().token_through(TOM, PORTAL, ARM).unwrap();
    let open = json!({ "properties": { "networkAcls": { "defaultAction": "Allow" } } });
    world.send(&portal, "Mozilla", &format!("PATCH {}?api-version=2023-07-01", world.vault()), open).await;
    // The same user, with the command line.
    let id = format!("{}/providers/Microsoft.Authorization/roleAssignments/{ASSIGNED}", world.group());
    let role = format!("{}/providers/Microsoft.Authorization/roleDefinitions/{OWNER}", world.subscription);
    let body = json!({ "properties": { "roleDefinitionId": role, "principalId": TOM, "principalType": "User" } });
    world.send(&world.token(TOM, ARM), "az", &format!("PUT {id}?api-version=2022-04-01"), body).await;
    // A service principal.
    let id = format!("{}/federatedIdentityCredentials/pipeline", world.identity());
    let robot = world.token(ROBOT, ARM);
    world.send(&robot, "terraform", &format!("DELETE {id}?api-version=2023-01-31"), Value::Null).await;
    // A pod's identity: of the stack itself.
    let pod = world.emulator.god().object(&world.identity()).unwrap()["properties"]["principalId"].clone();
    let pod = pod.as_str().unwrap();
    world.enable(pod);
    let tags = json!({ "tags": { "owner": "mallory" } });
    let call = format!("PATCH {}?api-version=2021-04-01", world.group());
    world.send(&world.token(pod, ARM), "python", &call, tags).await;
    // A person, in the directory.
    let directory = world.emulator.god().snapshot().directory;
    let (me, _) = directory.iter().find(|(_, entry)| entry["mail"] == "user@example.com").unwrap();
    let (group, _) = directory.iter().find(|(_, entry)| entry["displayName"] == "shop-devs").unwrap();
    let call = format!("DELETE {GRAPH}/v1.0/groups/{group}/members/{me}/$ref");
    world.send(&world.token(me, GRAPH), "Mozilla", &call, Value::Null).await;
}

#[test]
fn five_kinds_of_actors() {
    let folder = applied(SHOP);
    let _ = folder.akson(&["drift"]).exits(0).says("No drift");
    behind(&folder, async |world| five_deeds(world).await);
    let found = drift(&folder);
    assert_eq!(found["changes"].as_array().unwrap().len(), 4, "{found:#}");
    let vault = change(&found, "vault.shop");
    assert_eq!(by(vault), ("tom@example.com", "Azure portal", "activity_log"), "{vault:#}");
    assert_eq!(
        (&vault["severity"], &vault["by"][0]["operation"]),
        (&json!("high"), &json!("Microsoft.KeyVault/vaults/write"))
    );
    assert!(vault["by"][0]["at"].as_str().unwrap().ends_with('Z'), "{vault:#}");
    assert_eq!(vault["by"].as_array().unwrap().len(), 1, "what was before our own write was overwritten: {vault:#}");
    let credential = change(&found, "federated_credential.pipeline");
    assert_eq!((&credential["action"], &credential["severity"]), (&json!("create"), &json!("high")));
    assert_eq!(by(credential), (ROBOT, "00000000-0000-4000-8000-0000000000cc", "activity_log"));
    let group = change(&found, "resource_group.shop");
    assert_eq!(group["severity"], "low");
    assert_eq!(group["by"][0]["application"], "identity shop-pod", "{group:#}");
    let devs = change(&found, "group.devs");
    assert_eq!(by(devs), ("user@example.com", "Mozilla", "directory_audit"), "{devs:#}");
    assert_eq!((&devs["severity"], &devs["by"][0]["operation"]), (&json!("high"), &json!("Remove member from group")));
    let [unmanaged] = found["unmanaged"].as_array().unwrap().as_slice() else { panic!("{found:#}") };
    assert_eq!(by(unmanaged), ("tom@example.com", "Azure CLI", "activity_log"));
    assert_eq!(unmanaged["what"], format!("gives Owner on resource_group.shop to user {TOM}"));
    let counts = json!({ "high": 4, "medium": 0, "low": 1, "changed": 3, "deleted": 1, "unmanaged": 1, "tolerated": 0,
        "unseen": 0, "in_sync": found["found"]["in_sync"] });
    assert_eq!(found["found"], counts);

    let human = folder.akson(&["drift"]).exits(2);
    let (high, low) = (human.stdout.find("HIGH ").unwrap(), human.stdout.find("LOW ").unwrap());
    assert!(high < low, "{}", human.stdout);
    let human = human
        .says("by tom@example.com, with Azure portal, 20")
        .says("undo: akson apply --target vault.shop")
        .says("declared \"platform\", now \"mallory\"")
        .says("federated_credential.pipeline  declared, now gone")
        .says("drift: 3 changed, 1 deleted, 1 unmanaged, 0 tolerated, ");
    drop(human);
    let _ = folder.akson(&["drift", "--format", "markdown"]).exits(2).says("<!-- akson:drift stack=shop -->");
    let without = folder.akson(&["drift", "--no-unmanaged", "--format", "json"]).exits(2).json();
    assert_eq!(without["unmanaged"], json!([]));

    // What it says to do, does.
    let id = unmanaged["id"].as_str().unwrap();
    assert_eq!(unmanaged["adopt"], format!("akson drift --adopt {id}"));
    let _ = folder.akson(&["import", id]).exits(0).says("grant \"owner_on_shop_rg\"").says("tom@example.com");
    assert!(folder.world().god().delete_object(id).unwrap());
    let _ = folder.apply().exits(0);
    let _ = folder.akson(&["drift"]).exits(0).says("No drift");
}

#[test]
fn in_a_cluster() {
    let folder = applied(&format!("{SHOP}{CLUSTER}"));
    behind(&folder, async |world| {
        let god = world.emulator.god();
        let id = format!("{}/providers/Microsoft.ContainerService/managedClusters/shop-aks", world.group());
        let host = god.object(&id).unwrap()["properties"]["fqdn"].as_str().unwrap().to_owned();
        let me = world.token(&world.emulator.identity().object_id, CLUSTERS);
        let call = format!("PATCH https://{host}/api/v1/namespaces/shop?fieldManager=kubectl-edit");
        let labels = json!({ "metadata": { "labels": { "team": "mallory" } } });
        world.send(&me, "kubectl/v1.33", &call, labels).await;
    });
    let found = drift(&folder);
    let namespace = change(&found, "namespace.shop");
    assert_eq!(by(namespace), ("kubectl-edit", "", "managed_fields"), "{namespace:#}");
    let asked =
        |path: &str| folder.world().god().requests().iter().filter(|request| request.path.contains(path)).count();
    assert_eq!(asked("eventtypes"), 0, "the object says it itself");
    let _ = folder.akson(&["drift"]).exits(2).says("undo: set it back with kubectl-edit");
    behind(&folder, async |world| {
        let god = world.emulator.god();
        let id = format!("{}/providers/Microsoft.ContainerService/managedClusters/shop-aks", world.group());
        let host = god.object(&id).unwrap()["properties"]["fqdn"].as_str().unwrap().to_owned();
        let me = world.token(&world.emulator.identity().object_id, CLUSTERS);
        world.send(&me, "kubectl", &format!("DELETE https://{host}/api/v1/namespaces/shop"), Value::Null).await;
    });
    let found = drift(&folder);
    let namespace = change(&found, "namespace.shop");
    assert_eq!((&namespace["action"], &namespace["by"]), (&json!("create"), &Value::Null));
    assert!(namespace["notes"].to_string().contains("audit log alone"), "{namespace:#}");
}

/// What nobody declares, by scope: at and below what is declared, not above and not beside.
#[test]
fn unmanaged_objects() {
    let folder = applied(SHOP);
    let other = "11111111-1111-4111-8111-111111111111";
    behind(&folder, async |world| {
        let god = world.emulator.god();
        let role = format!("{}/providers/Microsoft.Authorization/roleDefinitions/{READER}", world.subscription);
        let grant = |on: &str, name: &str, description: &str| {
            let id = format!("{on}/providers/Microsoft.Authorization/roleAssignments/{name}");
            let body = json!({ "properties": { "roleDefinitionId": role, "principalId": TOM, "principalType": "User",
                "description": description } });
            god.put_object(&id, body).unwrap();
        };
        grant(&world.subscription, "00000000-0000-4000-8000-000000000001", "");
        grant(&world.vault(), "00000000-0000-4000-8000-000000000002", "");
        let marked = format!("of the other team [akson:{other}/0123456789abcdef]");
        grant(&world.group(), "00000000-0000-4000-8000-000000000003", &marked);
        let elsewhere = format!("{}/resourceGroups/other", world.subscription);
        god.put_object(&elsewhere, json!({ "location": "westeurope" })).unwrap();
        grant(&elsewhere, "00000000-0000-4000-8000-000000000004", "");
        let credential = format!("{}/federatedIdentityCredentials/evil", world.identity());
        let trusts = json!({ "properties": { "issuer": "https://evil.example", "subject": "anybody",
            "audiences": ["api://AzureADTokenExchange"] } });
        god.put_object(&credential, trusts).unwrap();
        let policy = format!("{}/providers/Microsoft.Authorization/policyAssignments/surprise", world.group());
        let definition = "/providers/Microsoft.Authorization/policySetDefinitions/a8640138-9b0a-4a28-b8cb-1666c838647d";
        god.put_object(&policy, json!({ "properties": { "policyDefinitionId": definition } })).unwrap();
        god.blame(TOM, PORTAL, &policy, false).unwrap();
    });
    let found = drift(&folder);
    let all = found["unmanaged"].as_array().unwrap();
    let whats: Vec<&str> = all.iter().map(|one| one["what"].as_str().unwrap()).collect();
    assert_eq!(whats.len(), 3, "{found:#}");
    assert!(whats.iter().any(|what| *what == format!("gives Reader on vault.shop to user {TOM}")), "{whats:?}");
    assert!(whats.contains(&"lets anybody of https://evil.example sign in as identity.pod"), "{whats:?}");
    let policy = all.iter().find(|one| one["kind"] == "policy").unwrap();
    assert_eq!((&policy["on"], by(policy).0), (&json!("resource_group.shop"), "tom@example.com"));
    // Of what was put there from outside, nobody wrote down who it was.
    let grant = all.iter().find(|one| one["kind"] == "grant").unwrap();
    assert!(grant["by"].is_null() && grant["notes"][0].as_str().unwrap().starts_with("nobody wrote down who yet"));
    let [of_another] = found["of_other_stacks"].as_array().unwrap().as_slice() else { panic!("{found:#}") };
    assert_eq!((&of_another["stack"], &of_another["severity"]), (&json!(other), &json!("low")));
    assert_eq!(found["changes"], json!([]));
    let _ = folder
        .akson(&["drift"])
        .exits(2)
        .says("drift: 0 changed, 0 deleted, 3 unmanaged")
        .says(&format!("of stack {other}"));
    let _ = folder.akson(&["drift", "--no-unmanaged"]).exits(0);
}

fn deny(folder: &Folder, actions: &[&str]) {
    let denied = actions.iter().map(|action| json!({ "action": action, "scope": "/" })).collect();
    let denied: Vec<Denial> = serde_json::from_value(Value::Array(denied)).unwrap();
    folder.world().god().set_denied_actions(denied).unwrap();
}

/// Who did it may remain unknown; what is there may not.
#[test]
fn what_cannot_be_read() {
    let folder = applied(SHOP);
    behind(&folder, async |world| five_deeds(world).await);
    deny(&folder, &["Microsoft.Insights/*", "microsoft.directory/auditLogs/*"]);
    let found = drift(&folder);
    assert_eq!(found["changes"].as_array().unwrap().len(), 4);
    assert!(found["changes"].as_array().unwrap().iter().all(|change| change["by"].is_null()), "{found:#}");
    let notes = found["notes"].to_string();
    assert!(notes.contains("the activity log of subscription") && notes.contains("AuditLog.Read.All"), "{notes}");
    let _ = folder.akson(&["drift"]).exits(2).says("note: the directory's audit log was not read");

    for lists in [
        "Microsoft.Authorization/policyAssignments/read",
        "Microsoft.ManagedIdentity/*/federatedIdentityCredentials/read",
    ] {
        deny(&folder, &[lists]);
        let ran = folder.akson(&["drift"]).exits(1).says("AKS0511");
        assert!(!ran.stdout.contains("No drift"), "{}", ran.stdout);
    }
    deny(&folder, &["Microsoft.Authorization/policyAssignments/read"]);
    let _ = folder.akson(&["drift", "--no-unmanaged"]).exits(2);
}

/// Whoever looks at something that nobody touched asks no log; and drift is told from what our own run wrote a moment ago.
#[test]
fn a_clean_run_asks_no_log() {
    let mut folder = Folder::with(SHOP);
    let emulator = folder.start_emulator(&["--latency", "none"]);
    folder.use_emulator(&emulator.url);
    let _ = folder.apply().exits(0);
    let _ = emulator.ask("DELETE", "/_emulator/requests", "");
    let _ = folder.akson(&["drift", "--no-unmanaged"]).exits(0).says("No drift");
    let requests = |emulator: &akson_tests::RunningEmulator| -> Vec<Value> {
        let all: Vec<Value> = serde_json::from_str(&emulator.ask("GET", "/_emulator/requests", "")).unwrap();
        let _ = emulator.ask("DELETE", "/_emulator/requests", "");
        all.into_iter().filter(|request| request["method"] == "GET").collect()
    };
    let plain = requests(&emulator);
    let _ = folder.akson(&["plan"]).exits(0);
    assert_eq!(plain.len(), requests(&emulator).len(), "no more than a plan reads: {plain:#?}");
    let _ = folder.akson(&["drift"]).exits(0).says("No drift");
    let whole = requests(&emulator);
    let logs = whole.iter().filter(|request| {
        let path = request["path"].as_str().unwrap();
        path.contains("eventtypes") || path.contains("auditLogs")
    });
    assert_eq!(logs.count(), 0);
    assert!(whole.len() <= plain.len() + 2, "a list of grants at most, and one of policies: {whole:#?}");
}
