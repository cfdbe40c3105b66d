//! Scopes that are no resources, and constructors of secrets.

use akson_catalog::Value;

use super::{own::run_own, run::SUBSCRIPTION};

const BASE: &str = r#"
stack "s" { location = "westeurope" }
resource_group "app" { name = "app-rg" }
cluster "main" {
  name           = "App-aks"
  resource_group = resource_group.app
}
identity "app" {
  name           = "app-identity"
  resource_group = resource_group.app
}
vault "app" {
  name             = "app-kv-x7"
  resource_group   = resource_group.app
  purge_protection = enabled
}
"#;

fn grant(on: &str) -> String {
    format!("{BASE}\ngrant \"a\" {{\n  to   = identity.app\n  role = \"Reader\"\n  on   = {on}\n}}\n")
}

#[track_caller]
fn scope(on: &str, id: &str) {
    let config = run_own(&grant(on)).good();
    let grant = config.resources.iter().find(|resource| resource.kind.keyword == "grant").unwrap();
    let parent = grant.parent.as_ref().unwrap().as_str();
    assert_eq!(parent, id.to_lowercase(), "{on}");
    let cluster = config.resources.iter().find(|resource| resource.kind.keyword == "cluster").unwrap();
    let depends = grant.dependencies.iter().any(|dependency| dependency.on == cluster.symbolic_id);
    assert_eq!(depends, on.contains("cluster.main"), "{on}");
}

#[track_caller]
fn wrong(text: &str, expected: &[&str]) {
    assert_eq!(run_own(text).lines(), expected, "{text}");
}

#[test]
fn a_scope_is_an_id_below_its_resource() {
    let cluster = format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/app-rg/providers/Microsoft.ContainerService/managedClusters/App-aks"
    );
    scope("cluster.main", &cluster);
    scope("cluster.main.namespace(\"production\")", &format!("{cluster}/namespaces/production"));
    scope("cluster.main.namespace(name = \"production\")", &format!("{cluster}/namespaces/production"));
    scope("cluster.main.namespace(\"${\"dev\"}-1\")", &format!("{cluster}/namespaces/dev-1"));
    scope("subscription()", &format!("/subscriptions/{SUBSCRIPTION}"));
    scope("\"/subscriptions/s/resourceGroups/g\"", "/subscriptions/s/resourceGroups/g");
}

#[test]
fn scopes_go_through_locals() {
    let text = format!(
        "{}\nlocals {{\n  there = cluster.main.namespace(\"production\")\n  all   = subscription()\n}}\n",
        grant("local.there")
    );
    let config = run_own(&text).good();
    let grant = config.resources.iter().find(|resource| resource.kind.keyword == "grant").unwrap();
    assert!(grant.parent.as_ref().unwrap().as_str().ends_with("/namespaces/production"));
}

#[test]
fn calls_that_are_wrong() {
    wrong(
        &grant("cluster.main.namespace(\"Production\")"),
        &["21: AKS0217 `Production` cannot be the name of a `namespace`"],
    );
    wrong(&grant("cluster.main.namespace()"), &["21: AKS0222 `namespace` takes one argument, not 0"]);
    wrong(&grant("cluster.main.namespace(id = \"a\")"), &["21: AKS0222 `namespace` has no argument `id`"]);
    wrong(
        &grant("cluster.main.namespaces(\"a\")"),
        &["21: AKS0212 the cluster `cluster.main` has no call `namespaces`"],
    );
    wrong(&grant("vault.app.namespace(\"a\")"), &["21: AKS0212 the vault `vault.app` has no call `namespace`"]);
    wrong(
        &grant("cluster.main.namespace(identity.app.client_id)"),
        &["21: AKS0234 which `namespace` is meant is known only after apply"],
    );
    wrong(&grant("subscription(\"x\")"), &["21: AKS0222 `subscription` takes 0 arguments, not 1"]);
}

#[test]
fn a_scope_stands_where_one_is_wanted() {
    let lock = |on: &str| format!("{BASE}\nlock \"a\" {{\n  name  = \"a\"\n  on    = {on}\n  level = read_only\n}}\n");
    wrong(&lock("cluster.main.namespace(\"a\")"), &["20: AKS0215 a resource is wanted here, not a scope"]);
    let tags =
        |value: &str| format!("{BASE}\nresource_group \"b\" {{\n  name = \"b\"\n  tags = {{ a = {value} }}\n}}\n");
    wrong(&tags("cluster.main.namespace(\"a\")"), &["20: AKS0215 text is wanted here, not a scope"]);
    wrong(&tags("subscription()"), &["20: AKS0215 text is wanted here, not a scope"]);
    wrong(
        "stack \"s\" { location = \"${subscription()}\" }\n",
        &["1: AKS0232 references go round in a circle: `stack` → `stack`"],
    );
}

#[test]
fn a_generated_secret_keeps_its_length() {
    let secret =
        |value: &str| format!("{BASE}\nsecret \"a\" {{\n  vault = vault.app\n  name  = \"a\"\n  value = {value}\n}}\n");
    for value in ["generated(32)", "generated(length = 32)", "true ? generated(32) : generated(16)"] {
        let config = run_own(&secret(value)).good();
        let secret = config.resources.iter().find(|resource| resource.kind.keyword == "secret").unwrap();
        let (_, value, _) = secret.attributes.iter().find(|(name, ..)| name == "value").unwrap();
        let Value::Choice { name, arguments } = value else { panic!("{value:?}") };
        assert_eq!((name.as_str(), arguments.get("length")), ("generated", Some(&Value::Int(32))));
        assert!(secret.leaves.iter().any(|leaf| leaf.pointer == "/properties/value" && leaf.sensitive));
    }
    wrong(&secret("generated(8)"), &["21: AKS0218 `length` is out of range"]);
    wrong(&secret("generated()"), &["21: AKS0221 `generated` lacks `length`"]);
    wrong(&secret("generate(32)"), &["21: AKS0212 there is no function or constructor `generate`"]);
    wrong(
        &format!("{BASE}\noutput \"a\" {{ value = generated(32) }}\n"),
        &["18: AKS0212 there is no function `generated`"],
    );
}

#[test]
fn the_environment_is_for_secrets() {
    let text = format!(
        "# env PASSWORD=x\n{BASE}\nsecret \"a\" {{\n  vault = vault.app\n  name  = \"a\"\n  value = env(\"PASSWORD\")\n}}\n"
    );
    let config = run_own(&text).good();
    let secret = config.resources.iter().find(|resource| resource.kind.keyword == "secret").unwrap();
    assert!(matches!(&secret.attributes[2].1, Value::Sensitive(_)));
    wrong(
        &format!("{BASE}\nsecret \"a\" {{\n  vault = vault.app\n  name  = env(\"PASSWORD\")\n}}\n"),
        &["20: AKS0240 `env` gives a secret, and this is no place for one"],
    );
}
