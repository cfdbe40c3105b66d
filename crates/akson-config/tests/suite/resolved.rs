//! What the resolved configuration says: ids, parents, locations, subscriptions, dependencies, names, leaves.

use akson_catalog::Value;
use akson_config::{Config, Resource};

use super::run::{SUBSCRIPTION, TENANT, run};

const HEAD: &str = "stack \"s\" { location = \"westeurope\" }\nresource_group \"app\" { name = \"MyApp-rg\" }\nidentity \"ci\" {\n  name = \"id-ci\"\n  resource_group = resource_group.app\n}\n";

fn config(rest: &str) -> Config {
    run(&format!("{HEAD}{rest}")).good()
}

#[track_caller]
fn resource<'c>(config: &'c Config, address: &str) -> &'c Resource {
    config
        .resources
        .iter()
        .find(|resource| resource.address.to_string() == address)
        .unwrap_or_else(|| panic!("no {address}"))
}

#[track_caller]
fn leaf<'c>(resource: &'c Resource, attribute: &str) -> &'c akson_catalog::encode::Leaf {
    resource.leaves.iter().find(|leaf| leaf.attribute == attribute).unwrap_or_else(|| panic!("no {attribute}"))
}

#[test]
fn ids_follow_from_the_configuration() {
    let config = config("lock \"l\" {\n  name = \"keep\"\n  on = identity.ci\n  level = read_only\n}\n");
    let group = resource(&config, "resource_group.app");
    assert_eq!(group.id.as_ref().unwrap().as_str(), format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/MyApp-rg"));
    assert_eq!(group.symbolic_id.as_str(), format!("/subscriptions/{SUBSCRIPTION}/resourcegroups/myapp-rg"));
    assert_eq!(group.parent, None);
    let identity = resource(&config, "identity.ci");
    assert_eq!(identity.parent.as_ref(), Some(&group.symbolic_id));
    assert_eq!(identity.dependencies.len(), 1);
    assert_eq!(identity.dependencies[0].on, group.symbolic_id);
    assert_eq!(identity.dependencies[0].attribute, "resource_group");
    let lock = resource(&config, "lock.l");
    assert!(
        lock.id
            .as_ref()
            .unwrap()
            .as_str()
            .ends_with("/userAssignedIdentities/id-ci/providers/Microsoft.Authorization/locks/keep")
    );
    assert_eq!(config.stack.tenant, TENANT);
}

#[test]
fn a_group_in_another_subscription_takes_its_children_along() {
    let other = "33333333-3333-3333-3333-333333333333";
    let config = config(&format!(
        "resource_group \"far\" {{\n  name = \"far\"\n  subscription = \"{other}\"\n  location = \"northeurope\"\n}}\nidentity \"far\" {{\n  name = \"id-far\"\n  resource_group = resource_group.far\n}}\nidentity \"old\" {{\n  name = \"id-old\"\n  resource_group = \"/subscriptions/{other}/resourceGroups/old\"\n}}\n"
    ));
    for address in ["resource_group.far", "identity.far", "identity.old"] {
        assert_eq!(resource(&config, address).subscription, other, "{address}");
    }
    assert_eq!(leaf(resource(&config, "identity.far"), "location").want, Value::Text("northeurope".to_owned()));
    assert_eq!(leaf(resource(&config, "identity.old"), "location").want, Value::Text("westeurope".to_owned()));
    assert_eq!(
        resource(&config, "identity.old").parent.as_ref().unwrap().as_str(),
        format!("/subscriptions/{other}/resourcegroups/old")
    );
}

#[test]
fn derived_names_are_of_the_meaning_and_not_of_the_label() {
    let credential = |label: &str, subject: &str| {
        format!(
            "federated_credential \"{label}\" {{\n  identity = identity.ci\n  issuer = \"https://example.com\"\n  subject = \"{subject}\"\n}}\n"
        )
    };
    let name = |rest: &str, address: &str| resource(&config(rest), address).symbolic_id.clone();
    let first = name(&credential("a", "x"), "federated_credential.a");
    assert_eq!(first, name(&credential("renamed", "x"), "federated_credential.renamed"));
    assert_ne!(first, name(&credential("a", "y"), "federated_credential.a"));
    assert!(first.as_str().contains("/federatedidentitycredentials/akson-"));
    let holed = credential("a", "${identity.ci.client_id}");
    assert_eq!(name(&holed, "federated_credential.a"), name(&holed, "federated_credential.a"));
    let config = config(&credential("a", "x"));
    let credential = resource(&config, "federated_credential.a");
    assert_eq!(credential.conflict_domain.as_ref(), Some(&resource(&config, "identity.ci").symbolic_id));
    assert_eq!(
        leaf(credential, "audience").want,
        Value::List(vec![Value::Text("api://AzureADTokenExchange".to_owned())])
    );
    assert!(leaf(credential, "audience").on_create_only);
}

#[test]
fn known_outputs_are_values_and_still_an_order() {
    let config = config(
        "vault \"v\" {\n  name = \"kv-v-1234\"\n  resource_group = resource_group.app\n  purge_protection = enabled\n  tags = { id = identity.ci.id, name = upper(identity.ci.name), loc = resource_group.app.location }\n}\n",
    );
    let vault = resource(&config, "vault.v");
    let tags: Vec<_> = vault
        .leaves
        .iter()
        .filter(|leaf| leaf.attribute.starts_with("tags."))
        .map(|leaf| leaf.want.as_text().unwrap().to_owned())
        .collect();
    assert_eq!(tags, [resource(&config, "identity.ci").id.as_ref().unwrap().as_str(), "ID-CI", "westeurope"]);
    let on: Vec<_> = vault.dependencies.iter().map(|dependency| dependency.on.as_str()).collect();
    assert!(on.iter().any(|on| on.ends_with("/id-ci")), "{on:?}");
    assert_eq!(vault.conflict_domain.as_ref(), Some(&vault.symbolic_id));
}

#[test]
fn locals_carry_the_order_along() {
    let config = config(
        "locals {\n  plain = \"${identity.ci.id}/x\"\n  deep = { a = { b = local.plain } }\n}\nresource_group \"b\" {\n  name = \"rg-b\"\n  tags = { x = local.deep.a.b }\n}\n",
    );
    let group = resource(&config, "resource_group.b");
    assert_eq!(group.dependencies.len(), 1);
    assert_eq!(group.dependencies[0].on, resource(&config, "identity.ci").symbolic_id);
}

#[test]
fn what_is_not_taken_makes_no_order() {
    let config = config(
        "variable \"on\" { default = false }\nresource_group \"b\" {\n  name = \"rg-b\"\n  tags = { x = var.on ? identity.ci.client_id : \"none\" }\n}\n",
    );
    assert!(resource(&config, "resource_group.b").dependencies.is_empty());
}

#[test]
fn meta_arguments() {
    let config = config(
        "resource_group \"b\" {\n  for_each = { x = identity.ci }\n  name = \"rg-${each.key}\"\n  tags = { client = each.value.client_id }\n  protect = true\n  on_remove = keep\n  after = [identity.ci]\n}\nexisting identity \"e\" {\n  name = \"id-e\"\n  resource_group = resource_group.app\n}\n",
    );
    let group = resource(&config, "resource_group.b[\"x\"]");
    assert!(group.protect && group.keep);
    // The place says what is needed of it: an output alone, or the whole.
    let places: Vec<&str> = group.dependencies.iter().map(|dependency| dependency.attribute.as_str()).collect();
    assert_eq!(places, ["tags", "after"]);
    assert!(matches!(leaf(group, "tags.client").want, Value::Unknown { .. }));
    let existing = resource(&config, "identity.e");
    assert!(existing.existing && existing.leaves.is_empty());
}

#[test]
fn raw_resources() {
    let config = config(
        "resource \"Microsoft.Network/routeTables@2025-03-01\" \"nodes\" {\n  parent = resource_group.app\n  body = { properties = { x = identity.ci.client_id, group = resource_group.app } }\n}\noutput \"state\" { value = resource.nodes.properties.provisioningState }\n",
    );
    let raw = resource(&config, "resource.nodes");
    assert_eq!(raw.kind.resource_type, "Microsoft.Network/routeTables");
    assert_eq!(raw.kind.api_version, "2025-03-01");
    assert!(raw.id.as_ref().unwrap().as_str().ends_with("/providers/Microsoft.Network/routeTables/nodes"));
    assert_eq!(leaf(raw, "location").want, Value::Text("westeurope".to_owned()));
    let Value::Unknown { residual, .. } = &config.outputs[0].value else { panic!() };
    assert!(format!("{residual:?}").contains("/properties/provisioningState"));
}

#[test]
fn the_order_of_the_source_is_kept() {
    let config = run("stack \"s\" { location = \"westeurope\" }\nidentity \"z\" {\n  name = \"id-z\"\n  resource_group = resource_group.app\n}\nresource_group \"app\" { name = \"rg\" }\n").good();
    let order: Vec<String> = config.resources.iter().map(|resource| resource.address.to_string()).collect();
    assert_eq!(order, ["identity.z", "resource_group.app"]);
}

#[test]
fn secrets_are_never_printed() {
    let config = run("# --var secret=hunter2\nstack \"s\" {}\nvariable \"secret\" {\n  type = string\n  sensitive = true\n}\nresource_group \"a\" {\n  name = \"rg\"\n  location = \"westeurope\"\n  tags = { x = \"pre-${var.secret}\" }\n}\noutput \"o\" {\n  value = { a = [upper(var.secret)], b = length(var.secret) }\n  sensitive = true\n}\n").good();
    let printed = format!("{config:?}").to_lowercase();
    assert!(!printed.contains("hunter2"), "{printed}");
    assert!(
        resource(&config, "resource_group.a").leaves.iter().any(|leaf| leaf.attribute == "tags.x" && leaf.sensitive)
    );
}
