//! Kinds in configurations: every example of a kind file checks cleanly, and what blocks in blocks come to.

use akson_catalog::{
    Catalog,
    body::body,
    json::{lookup, to_plain_json},
};
use akson_config::model::Resource;
use serde_json::{Value as Json, json};

use super::run::{Run, run};

fn resource<'r>(run: &'r Run, address: &str) -> &'r Resource {
    let resources = &run.config.as_ref().unwrap().resources;
    resources.iter().find(|resource| resource.address.to_string() == address).unwrap()
}

fn created(run: &Run, address: &str) -> Json {
    body(&resource(run, address).leaves).unwrap()
}

#[test]
fn examples_of_kinds_check_cleanly() {
    let mut wrong = Vec::new();
    for kind in Catalog::builtin().unwrap().iter() {
        let stack =
            if kind.example.contains("\nstack \"") { "" } else { "stack \"s\" { location = \"westeurope\" }\n" };
        let run = run(&format!("{stack}{}", kind.example));
        let errors: Vec<String> = run.lines();
        if !errors.is_empty() {
            wrong.push(format!("{}: {errors:?}", kind.keyword));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const CLUSTER: &str = r#"
stack "s" { location = "westeurope" }
resource_group "a" { name = "rg-a" }
network "n" {
  name           = "vnet"
  resource_group = resource_group.a
  ranges         = ["10.0.0.0/16"]
}
subnet "nodes" {
  network = network.n
  range   = "10.0.0.0/22"
}
cluster "main" {
  name           = "my_aks"
  resource_group = resource_group.a
  entra {
    admin_groups  = ["00000000-0000-0000-0000-0000000000a1"]
    authorization = azure_rbac
  }
  local_accounts   = disabled
  egress           = user_defined_routing(subnet.nodes)
  image_cleaner {}
  monitoring       = none
  node_pool "user" {
    mode  = user
    scale = fixed(2)
  }
  node_pool "system" {
    mode   = system
    scale  = autoscale(3, 5)
    labels = { tier = "system" }
  }
  node_pool "second" { mode = system }
}
output "pool"    { value = cluster.main.node_pool.system.id }
output "kubelet" { value = cluster.main.kubelet_identity.object_id }
"#;

#[test]
fn pools_are_resources_and_the_first_system_pool_travels_with_its_cluster() {
    let run = run(CLUSTER);
    assert_eq!(run.lines(), Vec::<String>::new());
    let pool = resource(&run, "cluster.main.node_pool.system");
    let cluster = resource(&run, "cluster.main");
    assert!(pool.id.as_ref().unwrap().as_str().ends_with("/managedClusters/my_aks/agentPools/system"));
    assert_eq!(pool.parent.as_ref(), Some(&cluster.symbolic_id));
    assert_eq!(pool.conflict_domain.as_ref(), Some(&cluster.symbolic_id));
    assert_eq!(cluster.conflict_domain.as_ref(), Some(&cluster.symbolic_id));
    assert!(pool.dependencies.iter().any(|need| need.on == cluster.symbolic_id));
    let subnet = resource(&run, "subnet.nodes");
    assert!(cluster.dependencies.iter().any(|need| need.on == subnet.symbolic_id));

    let body = created(&run, "cluster.main");
    assert_eq!(
        lookup(&body, "/properties/agentPoolProfiles"),
        Some(&json!([{
            "name": "system",
            "mode": "System",
            "enableAutoScaling": true,
            "minCount": 3,
            "maxCount": 5,
            "nodeLabels": {"tier": "system"},
            "vnetSubnetID": subnet.id.as_ref().unwrap().as_str(),
            "type": "VirtualMachineScaleSets",
        }]))
    );
    assert!(cluster.leaves.iter().all(|leaf| leaf.on_create_only || !leaf.pointer.contains("agentPoolProfiles")));
    assert_eq!(lookup(&body, "/properties/dnsPrefix"), Some(&json!("my-aks")));
    assert_eq!(lookup(&body, "/identity/type"), Some(&json!("SystemAssigned")));
    assert_eq!(
        lookup(&body, "/properties/aadProfile"),
        Some(&json!({
            "managed": true, "adminGroupObjectIDs": ["00000000-0000-0000-0000-0000000000a1"], "enableAzureRBAC": true,
        }))
    );
    assert_eq!(
        lookup(&body, "/properties/securityProfile/imageCleaner"),
        Some(&json!({"enabled": true, "intervalHours": 168}))
    );
    assert_eq!(lookup(&body, "/properties/addonProfiles/omsagent"), Some(&json!({"enabled": false})));
    let own = created(&run, "cluster.main.node_pool.user");
    assert_eq!(lookup(&own, "/properties/count"), Some(&json!(2)));
    assert_eq!(lookup(&own, "/properties/vnetSubnetID"), Some(&json!(subnet.id.as_ref().unwrap().as_str())));
}

#[test]
fn items_of_keyed_lists_are_leaves_of_their_own() {
    let run = run(r#"
stack "s" { location = "westeurope" }
resource_group "a" { name = "rg-a" }
route_table "r" {
  name           = "rt"
  resource_group = resource_group.a
  route "default" {
    to       = "0.0.0.0/0"
    next_hop = virtual_appliance
    address  = "10.0.4.4"
  }
}
"#);
    let table = resource(&run, "route_table.r");
    let leaf = table.leaves.iter().find(|leaf| leaf.attribute == "route.default.next_hop").unwrap();
    assert_eq!(leaf.pointer, "/properties/routes/~kname=default/properties/nextHopType");
    // A route of somebody else is no difference, and stays.
    let theirs =
        json!({"name": "aks-1", "properties": {"addressPrefix": "10.244.0.0/24", "nextHopType": "VirtualAppliance"}});
    let mut live = created(&run, "route_table.r");
    live["properties"]["routes"].as_array_mut().unwrap().insert(0, theirs.clone());
    live["properties"]["routes"][1]["id"] = json!("/subscriptions/s/routes/default");
    assert!(table.leaves.iter().all(|leaf| leaf.in_sync(&live) == Some(true)));
    live["properties"]["routes"][1]["properties"]["nextHopType"] = json!("Internet");
    assert_eq!(leaf.in_sync(&live), Some(false));
    let again = akson_catalog::body::lay_over(&table.kind, live, &table.leaves).unwrap();
    assert_eq!(again["properties"]["routes"][0], theirs);
    assert_eq!(again["properties"]["routes"][1]["properties"]["nextHopType"], json!("VirtualAppliance"));
}

#[test]
fn pools_of_instances_and_references_to_them() {
    let run = run(r#"
stack "s" { location = "westeurope" }
resource_group "a" { name = "rg-a" }
cluster "main" {
  for_each       = ["blue", "green"]
  name           = "aks-${each.key}"
  resource_group = resource_group.a
  entra { authorization = azure_rbac }
  local_accounts = disabled
  node_pool "system" {
    mode    = system
    vm_size = "Standard_D4s_v5"
    tags    = { color = each.key }
  }
}
lock "pool" {
  name  = "keep"
  on    = cluster.main["blue"].node_pool.system
  level = cannot_delete
}
"#);
    assert_eq!(run.lines(), Vec::<String>::new());
    let green = resource(&run, "cluster.main[\"green\"].node_pool.system");
    assert!(green.id.as_ref().unwrap().as_str().ends_with("/managedClusters/aks-green/agentPools/system"));
    assert_eq!(created(&run, "cluster.main[\"green\"].node_pool.system")["properties"]["tags"]["color"], "green");
    let blue = resource(&run, "cluster.main[\"blue\"].node_pool.system");
    assert!(resource(&run, "lock.pool").dependencies.iter().any(|need| need.on == blue.symbolic_id));
}

#[test]
fn a_secret_of_a_constructor_is_shown_nowhere() {
    let run = run(&CLUSTER.replace(
        "  image_cleaner {}",
        "  identity = service_principal(\"00000000-0000-0000-0000-0000000000c1\", \"hunter2\")",
    ));
    assert_eq!(run.lines(), ["22: AKS0312 `identity.secret` is a secret, and this is ordinary text"]);
    let leaves = &resource(&run, "cluster.main").leaves;
    let own: Vec<_> = leaves.iter().filter(|leaf| leaf.attribute == "identity").collect();
    assert_eq!(own.len(), 3);
    for leaf in own {
        assert!(!format!("{leaf:?}").contains("hunter2"), "{leaf:?}");
        assert_eq!(leaf.sensitive, leaf.pointer.ends_with("/secret"), "{}", leaf.pointer);
    }
}

#[test]
fn a_role_has_its_id_before_it_exists() {
    let role = |name: &str, key: &str| {
        let run = run(&format!(
            "stack \"s\" {{ location = \"westeurope\" }}\nrole \"r\" {{\n  name = \"{name}\"\n{key}  assignable_scopes = [\"/subscriptions/22222222-2222-2222-2222-222222222222\"]\n  actions = [\"*/read\"]\n}}\n"
        ));
        assert_eq!(run.lines(), Vec::<String>::new());
        let role = resource(&run, "role.r");
        let permissions = lookup(&body(&role.leaves).unwrap(), "/properties/permissions").cloned();
        assert_eq!(permissions, Some(json!([{"actions": ["*/read"]}])));
        role.id.as_ref().unwrap().as_str().to_owned()
    };
    let key = "  key = \"restart\"\n";
    assert_eq!(role("A", key), role("B", key));
    assert_ne!(role("A", ""), role("B", ""));
}

#[test]
fn names_of_built_ins_stand_for_their_ids() {
    let run = run(r#"
stack "s" { location = "westeurope" }
resource_group "a" { name = "rg-a" }
policy "p" {
  initiative = "Kubernetes cluster pod security baseline standards for Linux-based workloads"
  on         = resource_group.a
  parameters = { effect = "audit", excludedNamespaces = ["kube-system"] }
}
"#);
    assert_eq!(run.lines(), Vec::<String>::new());
    let policy = resource(&run, "policy.p");
    let want = |pointer: &str| {
        policy.leaves.iter().find(|leaf| leaf.pointer == pointer).and_then(|leaf| to_plain_json(&leaf.want)).unwrap()
    };
    assert_eq!(
        want("/properties/policyDefinitionId"),
        json!("/providers/Microsoft.Authorization/policySetDefinitions/a8640138-9b0a-4a28-b8cb-1666c838647d")
    );
    assert_eq!(want("/properties/parameters/effect"), json!({"value": "audit"}));
    assert!(policy.id.as_ref().unwrap().name().len() <= 24);
}

#[test]
fn outputs_of_a_group_are_told_also_where_an_attribute_has_its_name() {
    let text = CLUSTER.replace(
        "  image_cleaner {}",
        "  kubelet_identity = \"/subscriptions/00000000-0000-0000-0000-0000000000a1/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/nodes\"",
    );
    let run = run(&format!("{text}\noutput \"nodes\" {{\n  value = cluster.main.kubelet_identity.object_id\n}}\n"));
    let wrong: Vec<String> = run.lines().into_iter().filter(|line| line.contains("has no")).collect();
    assert_eq!(wrong, Vec::<String>::new());
}
