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
