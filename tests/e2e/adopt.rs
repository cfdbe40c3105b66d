//! `drift --adopt`: what changed outside is written into the files, byte by byte what it should be and nothing else, and the plan is empty.

use akson_tests::Folder;
use serde_json::{Value, json};

/// Applies a configuration.
fn applied(text: &str) -> Folder {
    let folder = Folder::with(text);
    let _ = folder.apply().exits(0);
    folder
}

/// Edits objects behind our back; ids are below the subscription, or below the group `shop-rg` if they do not begin with a slash.
fn outside(folder: &Folder, edits: &[(&str, &str, Value)]) {
    let world = folder.world();
    let subscription = format!("/subscriptions/{}", world.identity().subscription);
    for (id, pointer, value) in edits {
        let id = match id.strip_prefix('/') {
            Some(id) => format!("{subscription}/{id}"),
            None => format!("{subscription}/resourceGroups/shop-rg/providers/{id}"),
        };
        let edited = world.god().edit(&id, |object| match value {
            Value::Null => akson_catalog::json::remove(object, pointer),
            value => akson_catalog::json::put(object, pointer, value.clone()),
        });
        assert!(edited.unwrap(), "{id}");
    }
}

/// Adopts all; the file is then as expected, and nothing is left to do.
#[track_caller]
fn becomes(folder: &Folder, name: &str, expected: &str) {
    let ran = folder.akson(&["drift", "--adopt"]).exits(0);
    let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(text, expected, "{}\n{}", ran.stdout, ran.stderr);
    folder.settled();
    let _ = folder.akson(&["drift", "--no-unmanaged"]).exits(0);
}

const SHOP: &str = r#"# The shop.
stack "shop" {
  location = "westeurope"
}

resource_group "app" {
  name = "shop-rg" # as finance calls it
  tags = {
    app  = "shop" // what it is
    cost = "a1"   // finance's
    // Whoever is called at night.
    owner = "anna"
  }
}

identity "app" {
  name           = "shop-id"
  resource_group = resource_group.app
  tags           = { app = "shop", cost = "a1" }   # two
}

vault "app" {
  name                       = "shop-kv-7421"
  resource_group             = resource_group.app

  network                    = selected(ips = ["203.0.113.0/28"], trusted_services = enabled)
  purge_protection           = enabled
}
"#;

const VAULT: &str = "Microsoft.KeyVault/vaults/shop-kv-7421";
const IDENTITY: &str = "Microsoft.ManagedIdentity/userAssignedIdentities/shop-id";

#[test]
fn plain_values_and_entries_of_maps() {
    let folder = applied(SHOP);
    outside(
        &folder,
        &[
            ("/resourceGroups/shop-rg", "/tags/cost", json!("b\"${2}")),
            ("/resourceGroups/shop-rg", "/tags/owner", Value::Null),
            (IDENTITY, "/tags/app", Value::Null),
            (
                VAULT,
                "/properties/networkAcls/ipRules",
                json!([{ "value": "203.0.113.0/28" }, { "value": "198.51.100.7/32" }]),
            ),
        ],
    );
    let expected = SHOP
        .replace("\"a1\"   // finance's", "\"b\\\"$${2}\"   // finance's")
        .replace("    owner = \"anna\"\n", "")
        .replace("{ app = \"shop\", cost = \"a1\" }", "{ cost = \"a1\" }")
        .replace("[\"203.0.113.0/28\"]", "[\"203.0.113.0/28\", \"198.51.100.7/32\"]");
    becomes(&folder, "main.aks", &expected);
}

/// Whoever replaces all tags takes our mark along. The tags are taken over, and of the mark it is said that the next apply writes it.
#[test]
fn tags_that_were_replaced_as_a_whole() {
    let folder = applied(SHOP);
    outside(&folder, &[("/resourceGroups/shop-rg", "/tags", json!({ "app": "shop", "cost": "a2", "owner": "anna" }))]);
    let _ = folder.akson(&["drift", "--adopt"]).exits(2).says("adopted resource_group.app.tags").says("AKS0269");
    let text = std::fs::read_to_string(folder.path().join("main.aks")).unwrap();
    assert_eq!(text, SHOP.replacen("cost = \"a1\"", "cost = \"a2\"", 1));
    let plan = folder.plan();
    let reasons = plan["changes"][0]["reasons"].as_array().unwrap();
    assert!(reasons.len() == 1 && reasons[0]["attribute"] == "tags.akson", "{plan:#}");
    let _ = folder.apply().exits(0);
    folder.settled();
}

#[test]
fn a_dry_run_prints_and_writes_nothing() {
    let folder = applied(SHOP);
    outside(&folder, &[("/resourceGroups/shop-rg", "/tags/cost", json!("a2"))]);
    let ran = folder.akson(&["drift", "--adopt", "--dry-run"]).exits(0);
    assert!(
        ran.stdout.contains("-    cost = \"a1\"   // finance's\n+    cost = \"a2\"   // finance's\n"),
        "{}",
        ran.stdout
    );
    assert_eq!(std::fs::read_to_string(folder.path().join("main.aks")).unwrap(), SHOP);
    let _ = folder.akson(&["drift", "--no-unmanaged"]).exits(2);
}

const PLACES: &str = r#"
stack "shop" {
  location = "westeurope"
}

locals {
  office  = "203.0.113.0/28" # the office
  ranges  = [
    local.office,   // stays
    "192.0.2.0/24", // leaves
    "192.0.2.7/32"  # the last one
  ]
  cost    = "a1"
  shared  = "both"
  teams = {
    mail = { cost = "m1", size = 1 } # post
    web  = {
      cost = "w1"
    }
  }
}

variable "owner" {
  type    = string
  default = "anna" # default
}

variable "night" {
  type    = string
  default = "nobody"
}

resource_group "app" {
  name = "shop-rg"
  tags = { cost = local.cost, owner = var.owner, night = var.night, shared = local.shared, both = "${local.shared}!" }
}

identity "team" {
  for_each       = local.teams
  name           = "team-${each.key}"
  resource_group = resource_group.app
  tags           = { cost = each.value.cost, fixed = "f1" }
}

vault "app" {
  name             = "shop-kv-7421"
  resource_group   = resource_group.app
  purge_protection = enabled
  network          = selected(local.ranges)
  tags             = { shared = local.shared }
}

lock "app" {
  name  = "keep"
  on    = vault.app
  level = cannot_delete
  notes = <<-EOT
    Holds what the shop knows.
      Ask before you take it away.
  EOT
}
//- night.aksvars
# Who is called.
night = "bert" # for now
"#;

#[test]
fn values_are_edited_where_they_are_written() {
    let folder = Folder::with(PLACES);
    let vars = ["--var-file", "night.aksvars"];
    let _ = folder.akson(&["apply", "--auto-approve", vars[0], vars[1]]).exits(0);
    outside(
        &folder,
        &[
            ("/resourceGroups/shop-rg", "/tags/cost", json!("a2")),
            ("/resourceGroups/shop-rg", "/tags/owner", json!("otto")),
            ("/resourceGroups/shop-rg", "/tags/night", json!("carl")),
            ("Microsoft.ManagedIdentity/userAssignedIdentities/team-web", "/tags/cost", json!("w2")),
            (
                VAULT,
                "/properties/networkAcls/ipRules",
                json!([{ "value": "203.0.113.0/28" }, { "value": "192.0.2.7/32" }, { "value": "198.51.100.0/24" }]),
            ),
        ],
    );
    let world = folder.world();
    let group = format!("/subscriptions/{}/resourceGroups/shop-rg/providers", world.identity().subscription);
    let edited = world.god().edit(&format!("{group}/{VAULT}/providers/Microsoft.Authorization/locks/keep"), |lock| {
        let notes = lock["properties"]["notes"].as_str().unwrap();
        let text = notes.replace("Ask before you take it away.", "Ask anna ${first}.\n\nThen wait.");
        assert_ne!(notes, text);
        lock["properties"]["notes"] = text.into();
    });
    assert!(edited.unwrap());
    drop(world);
    let ran = folder.akson(&["drift", "--adopt", vars[0], vars[1]]).exits(0);
    let main = std::fs::read_to_string(folder.path().join("main.aks")).unwrap();
    let before = PLACES.split("//- night").next().unwrap();
    let expected = before
        .replace("cost    = \"a1\"", "cost    = \"a2\"")
        .replace("\"anna\"", "\"otto\"")
        .replace("cost = \"w1\"", "cost = \"w2\"")
        .replace("    \"192.0.2.0/24\", // leaves\n", "")
        .replace("\"192.0.2.7/32\"  # the last one\n", "\"192.0.2.7/32\",  # the last one\n    \"198.51.100.0/24\"\n")
        .replace("      Ask before you take it away.\n", "      Ask anna $${first}.\n\n    Then wait.\n");
    assert_eq!(main, expected, "{}\n{}", ran.stdout, ran.stderr);
    let values = std::fs::read_to_string(folder.path().join("night.aksvars")).unwrap();
    assert_eq!(values, "# Who is called.\nnight = \"carl\" # for now\n");
    let _ = folder.akson(&["plan", "--detailed-exitcode", vars[0], vars[1]]).exits(0);
}

#[test]
fn what_is_written_in_no_place_of_its_own_is_refused_and_the_rest_is_done() {
    let folder = Folder::with(PLACES);
    let _ = folder.akson(&["apply", "--auto-approve", "--var", "night=doris"]).exits(0);
    outside(
        &folder,
        &[
            ("/resourceGroups/shop-rg", "/tags/cost", json!("a2")),
            ("/resourceGroups/shop-rg", "/tags/night", json!("carl")),
            ("/resourceGroups/shop-rg", "/tags/shared", json!("one")),
            ("/resourceGroups/shop-rg", "/tags/both", json!("two")),
            ("Microsoft.ManagedIdentity/userAssignedIdentities/team-web", "/tags/fixed", json!("f2")),
        ],
    );
    let ran = folder.akson(&["drift", "--adopt", "--var", "night=doris"]).exits(2);
    let main = std::fs::read_to_string(folder.path().join("main.aks")).unwrap();
    let before = PLACES.split("//- night").next().unwrap();
    assert_eq!(main, before.replace("cost    = \"a1\"", "cost    = \"a2\""), "{}", ran.stderr);
    for why in [
        "AKS0269",
        "is given by `--var night=…`",
        "`local.shared` is read in 3 places",
        "a text that is put together",
        "other instances read the same text",
    ] {
        assert!(ran.stderr.contains(why), "{why}: {}", ran.stderr);
    }
}

const TABLE: &str = r#"
stack "shop" {
  location = "westeurope"
}

resource_group "app" {
  name = "shop-rg"
}

# Every way out.
route_table "app" {
  name            = "shop-routes"
  resource_group  = resource_group.app
  bgp_propagation = disabled

  # The way out.
  route "default" {
    to       = "0.0.0.0/0" # everything
    next_hop = virtual_appliance
    address  = "10.0.0.4"
  }
  route "office" { # to the office
    to       = "203.0.113.0/28"
    next_hop = internet
  }
  # Behind them.
}

network "app" {
  name           = "shop-net"
  resource_group = resource_group.app
  ranges         = ["10.0.0.0/16"]
}

subnet "nodes" {
  name      = "nodes"
  network   = network.app
  range     = "10.0.1.0/24"
}

vault "app" {
  name             = "shop-kv-7421"
  resource_group   = resource_group.app
  purge_protection = enabled
  network          = selected(ips = ["203.0.113.0/28"])
}

output "vault" { value = vault.app.uri }
"#;

#[test]
fn blocks_in_blocks_and_references() {
    let folder = applied(TABLE);
    let table = "Microsoft.Network/routeTables/shop-routes";
    let world = folder.world();
    let group = format!("/subscriptions/{}/resourceGroups/shop-rg/providers", world.identity().subscription);
    let edited = world.god().edit(&format!("{group}/{table}"), |table| {
        let routes = table["properties"]["routes"].as_array_mut().unwrap();
        routes.retain(|route| route["name"] != "office");
        routes[0]["properties"]["nextHopIpAddress"] = json!("10.0.0.5");
    });
    assert!(edited.unwrap());
    let subnet = format!("{group}/Microsoft.Network/virtualNetworks/shop-net/subnets/nodes");
    drop(world);
    outside(
        &folder,
        &[(VAULT, "/properties/networkAcls/virtualNetworkRules", json!([{ "id": subnet.to_lowercase() }]))],
    );
    let expected = TABLE
        .replace("\"10.0.0.4\"", "\"10.0.0.5\"")
        .replace(
            "  route \"office\" { # to the office\n    to       = \"203.0.113.0/28\"\n    next_hop = internet\n  }\n",
            "",
        )
        .replace(
            "selected(ips = [\"203.0.113.0/28\"])",
            "selected(ips = [\"203.0.113.0/28\"], subnets = [subnet.nodes])",
        );
    becomes(&folder, "main.aks", &expected);
}

#[test]
fn blocks_of_what_was_deleted_go_unless_something_refers_to_them() {
    let folder = applied(TABLE);
    let world = folder.world();
    let group = format!("/subscriptions/{}/resourceGroups/shop-rg/providers", world.identity().subscription);
    for gone in [
        "Microsoft.Network/routeTables/shop-routes",
        "Microsoft.Network/virtualNetworks/shop-net/subnets/nodes",
        "Microsoft.Network/virtualNetworks/shop-net",
    ] {
        assert!(world.god().delete_object(&format!("{group}/{gone}")).unwrap(), "{gone}");
    }
    assert!(world.god().delete_object(&format!("{group}/{VAULT}")).unwrap());
    drop(world);
    let ran = folder.akson(&["drift", "--adopt"]).exits(2);
    assert!(ran.stderr.contains("`output.vault` refers to it"), "{}", ran.stderr);
    let main = std::fs::read_to_string(folder.path().join("main.aks")).unwrap();
    let (head, rest) = TABLE.split_once("route_table").unwrap();
    let (_, vault) = rest.split_once("vault \"app\"").unwrap();
    assert_eq!(main, format!("{head}vault \"app\"{vault}"), "{}", ran.stdout);
}

#[test]
fn instances_go_from_what_they_are_made_of() {
    let folder = applied(super::stacks::TEAMS);
    let world = folder.world();
    let group = format!("/subscriptions/{}/resourceGroups/teams-rg/providers", world.identity().subscription);
    let identity = format!("{group}/Microsoft.ManagedIdentity/userAssignedIdentities/team-web");
    assert!(world.god().delete_object(&format!("{identity}/federatedIdentityCredentials/pipeline")).unwrap());
    assert!(world.god().delete_object(&identity).unwrap());
    drop(world);
    // The variable is read by both blocks: nothing is done to it.
    let ran = folder.akson(&["drift", "--adopt"]).exits(2);
    assert!(ran.stderr.contains("is read in"), "{}", ran.stderr);
    let text = std::fs::read_to_string(folder.path().join("main.aks")).unwrap();
    assert_eq!(text, super::stacks::TEAMS);
}

#[test]
fn an_instance_of_a_list_of_its_own_goes() {
    let text = "stack \"shop\" {\n  location = \"westeurope\"\n}\n\nresource_group \"many\" {\n  for_each = [\"a\", \"b\", \"c\"] # all\n  name     = \"rg-${each.key}\"\n}\n";
    let folder = applied(text);
    let world = folder.world();
    let subscription = format!("/subscriptions/{}", world.identity().subscription);
    for gone in ["b", "c"] {
        assert!(world.god().delete_object(&format!("{subscription}/resourceGroups/rg-{gone}")).unwrap());
    }
    drop(world);
    let _ = folder.akson(&["drift", "--adopt", "resource_group.many[\"b\"]"]).exits(0);
    let read = || std::fs::read_to_string(folder.path().join("main.aks")).unwrap();
    assert_eq!(read(), text.replace("[\"a\", \"b\", \"c\"]", "[\"a\", \"c\"]"));
    let _ = folder.akson(&["drift", "--adopt"]).exits(0);
    assert_eq!(read(), text.replace("[\"a\", \"b\", \"c\"]", "[\"a\"]"));
    let _ = folder.apply().exits(0);
    folder.settled();
}

#[test]
fn modules_are_edited_where_all_instances_agree() {
    let text = r#"stack "shop" {
  location = "westeurope"
}

module "one" {
  source = "./parts"
  name   = "one-rg"
  cost   = "a1"
}
//- parts/main.aks
variable "name" { type = string }
variable "cost" { type = string }

resource_group "part" {
  name = var.name
  tags = { cost = var.cost, kind = "part" } # of a module
}
"#;
    let folder = applied(text);
    outside(
        &folder,
        &[
            ("/resourceGroups/one-rg", "/tags/cost", json!("a2")),
            ("/resourceGroups/one-rg", "/tags/kind", json!("piece")),
        ],
    );
    let ran = folder.akson(&["drift", "--adopt"]).exits(0);
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(read("main.aks").contains("cost   = \"a2\"\n"), "{}", ran.stderr);
    assert!(read("parts/main.aks").contains("tags = { cost = var.cost, kind = \"piece\" } # of a module\n"));
    folder.settled();
    // Two instances: what one has alone cannot be said.
    folder.edit(
        "main.aks",
        "module \"one\"",
        "module \"two\" {\n  source = \"./parts\"\n  name   = \"two-rg\"\n  cost   = \"b1\"\n}\n\nmodule \"one\"",
    );
    let _ = folder.apply().exits(0);
    outside(&folder, &[("/resourceGroups/two-rg", "/tags/kind", json!("other"))]);
    let _ = folder.akson(&["drift", "--adopt"]).exits(2).says("other instances");
    outside(&folder, &[("/resourceGroups/one-rg", "/tags/kind", json!("other"))]);
    let _ = folder.akson(&["drift", "--adopt"]).exits(0);
    assert!(read("parts/main.aks").contains("kind = \"other\" } # of a module\n"));
    folder.settled();
}

#[test]
fn what_the_author_changed_since_stays_and_stays_his() {
    let folder = applied(SHOP);
    outside(
        &folder,
        &[
            ("/resourceGroups/shop-rg", "/tags/cost", json!("a2")),
            (VAULT, "/properties/networkAcls/bypass", json!("None")),
        ],
    );
    folder.edit("main.aks", "app  = \"shop\" // what it is", "app  = \"store\" // what it is");
    let before = std::fs::read_to_string(folder.path().join("main.aks")).unwrap();
    let _ = folder.akson(&["drift", "--adopt"]).exits(0);
    let after = std::fs::read_to_string(folder.path().join("main.aks")).unwrap();
    assert_eq!(
        after,
        before
            .replace("\"a1\"   // finance's", "\"a2\"   // finance's")
            .replace("trusted_services = enabled", "trusted_services = disabled")
    );
    let plan = folder.plan();
    assert_eq!(akson_tests::actions(&plan), ["resource_group.app update"]);
    assert_eq!(plan["changes"][0]["reasons"].as_array().unwrap().len(), 1);
    assert_eq!(plan["changes"][0]["reasons"][0]["attribute"], "tags.app");
}

/// The object of an id, wherever it stands in a document.
fn object<'v>(within: &'v Value, id: &str) -> Option<&'v Value> {
    let is = |value: &Value| value["id"].as_str().is_some_and(|own| own.eq_ignore_ascii_case(id));
    match within {
        Value::Object(members) if !is(within) => members.values().find_map(|value| object(value, id)),
        Value::Array(items) => items.iter().find_map(|value| object(value, id)),
        value => is(value).then_some(value),
    }
}

#[test]
fn no_request_of_it_writes_and_no_file_outside_of_the_folder_is_written() {
    let mut folder = Folder::with(PLACES);
    folder.write("elsewhere/night.aksvars", "night = \"bert\"\n");
    let emulator = folder.start_emulator(&[]);
    folder.use_emulator(&emulator.url);
    // The configuration lies beside the file of variables.
    std::fs::create_dir(folder.path().join("stack")).unwrap();
    std::fs::copy(folder.path().join("main.aks"), folder.path().join("stack/main.aks")).unwrap();
    let given = ["-C", "stack", "--var-file", "elsewhere/night.aksvars"];
    let run = |arguments: &[&str]| folder.akson(&[&given, arguments].concat());
    let _ = run(&["apply", "--auto-approve"]).exits(0);
    let group = run(&["plan", "--all", "--format", "json"]).exits(0).json();
    let all = group["changes"].as_array().unwrap();
    let group = all.iter().find(|change| change["address"] == "resource_group.app").unwrap()["id"].as_str().unwrap();
    let world: Value = serde_json::from_str(&emulator.ask("GET", "/_emulator/world", "")).unwrap();
    let mut changed = object(&world, group).expect("the group is there").clone();
    assert_eq!(changed["tags"]["night"], "bert");
    changed["tags"]["night"] = json!("carl");
    emulator.ask("POST", "/_emulator/objects", &changed.to_string());
    emulator.ask("DELETE", "/_emulator/requests", "");
    let _ = run(&["drift", "--adopt"]).exits(1).says("is outside of the configuration's folder");
    let outside = std::fs::read_to_string(folder.path().join("elsewhere/night.aksvars")).unwrap();
    assert_eq!(outside, "night = \"bert\"\n");
    let sent: Vec<Value> = serde_json::from_str(&emulator.ask("GET", "/_emulator/requests", "")).unwrap();
    assert!(sent.len() > 3, "{sent:#?}");
    for call in &sent {
        let method = call["method"].as_str().unwrap();
        assert!(!matches!(method, "PUT" | "PATCH" | "DELETE"), "{call}");
    }
}

#[test]
fn objects_that_nobody_declared_are_declared_by_their_id() {
    let folder = applied(SHOP);
    let world = folder.world();
    let subscription = format!("/subscriptions/{}", world.identity().subscription);
    let group = format!("{subscription}/resourceGroups/shop-rg");
    let identity = format!("{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/by-hand");
    let own = format!("{group}/providers/{IDENTITY}");
    let body = json!({ "location": "westeurope", "tags": { "made": "by hand" } });
    world.god().put_object(&identity, body).unwrap();
    let principal = world.god().object(&own).unwrap()["properties"]["principalId"].clone();
    let grant =
        format!("{group}/providers/Microsoft.Authorization/roleAssignments/0a0a0a0a-0000-4000-8000-00000000000f");
    let reader = format!(
        "{subscription}/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"
    );
    let body = json!({ "properties": { "principalId": principal, "principalType": "ServicePrincipal", "roleDefinitionId": reader, "scope": group } });
    world.god().put_object(&grant, body).unwrap();
    drop(world);
    let _ = folder.akson(&["drift", "--adopt", &identity, "--adopt", &grant]).exits(0).says("identity.by_hand");
    let main = std::fs::read_to_string(folder.path().join("main.aks")).unwrap();
    let more = main.strip_prefix(SHOP).expect("what was there is as it was");
    assert!(more.starts_with('\n'), "{more}");
    for text in [
        "name           = \"by-hand\"",
        "resource_group = resource_group.app",
        "to   = identity.app",
        "on   = resource_group.app",
        "role = \"Reader\"",
    ] {
        assert!(more.contains(text), "{text}: {more}");
    }
    let _ = folder.akson(&["fmt", "--check"]).exits(1);
    let mut actions = folder.actions();
    actions.retain(|action| !action.ends_with(" adopt"));
    assert!(actions.is_empty(), "{actions:?}");
    let _ = folder.apply().exits(0);
    folder.settled();
    let _ = folder.akson(&["drift", "--adopt", &identity]).exits(1).says("declared already");
    let _ = folder.akson(&["drift", "--adopt", "identity.ap"]).exits(1).says("did you mean `identity.app`");
}

/// The example: a cluster with pools and admin groups, a policy assignment. What its own block says alone is edited; what a variable says that others
/// read is told.
#[test]
fn a_cluster_and_what_belongs_to_it() {
    let folder = Folder::example("myapp");
    let _ = folder.apply().exits(0);
    let before = std::fs::read_to_string(folder.path().join("main.aks")).unwrap();
    let plan = folder.akson(&["plan", "--all", "--format", "json"]).exits(0).json();
    let all = plan["changes"].as_array().unwrap();
    let developers = all.iter().find(|change| change["address"] == "group.developers").unwrap()["id"].clone();
    let world = folder.world();
    let find = |part: &str| {
        let ids = world.god().ids();
        let found = ids.iter().filter(|id| id.to_lowercase().contains(&part.to_lowercase()));
        found.min_by_key(|id| id.len()).unwrap_or_else(|| panic!("{part}: {ids:#?}")).clone()
    };
    let cluster = find("/managedClusters/");
    let edited = world.god().edit(&cluster, |cluster| {
        let properties = &mut cluster["properties"];
        properties["apiServerAccessProfile"]["authorizedIPRanges"]
            .as_array_mut()
            .unwrap()
            .push(json!("198.51.100.7/32"));
        properties["disableLocalAccounts"] = json!(false);
        properties["aadProfile"]["adminGroupObjectIDs"].as_array_mut().unwrap().push(developers);
    });
    assert!(edited.unwrap());
    let pool = find("/agentPools/apps");
    let edited = world.god().edit(&pool, |pool| {
        pool["properties"]["maxCount"] = json!(12);
        pool["properties"]["nodeLabels"]["workload"] = json!("other");
    });
    assert!(edited.unwrap());
    drop(world);
    let _ = folder.akson(&["drift", "--adopt"]).exits(2).says("`var.runner_ranges` is read in 2 places");
    let after = std::fs::read_to_string(folder.path().join("main.aks")).unwrap();
    let expected = before
        .replace("local_accounts    = disabled", "local_accounts    = enabled")
        .replace("[group.platform_admins]", "[group.platform_admins, group.developers]")
        .replace("autoscale(1, 10)", "autoscale(1, 12)")
        .replace("{ workload = \"apps\" }", "{ workload = \"other\" }");
    assert_eq!(after, expected);
    let left = folder.akson(&["drift", "--no-unmanaged", "--format", "json"]).exits(2).json();
    assert_eq!(left["found"]["changed"], 1);
    assert_eq!(left["changes"][0]["reasons"].as_array().unwrap().len(), 1);
}
