//! Modules: what their instances are and depend on, what is found wrong in them and where.

use akson_catalog::Value;

use super::run::run;

/// A module with an identity, used by most of these.
const IDENTITY: &str = r#"
//- modules/identity/main.aks
variable "name" { type = string }
variable "group" { type = resource_group }
variable "tags" {
  type    = map(string)
  default = {}
}
identity "this" {
  name           = var.name
  resource_group = var.group
  tags           = var.tags
}
output "identity" { value = identity.this }
output "name" { value = identity.this.name }
"#;

const HEAD: &str = "stack \"s\" { location = \"westeurope\" }\nresource_group \"app\" { name = \"rg\" }\n";

fn addresses(text: &str) -> Vec<String> {
    let config = run(&format!("{HEAD}{text}{IDENTITY}")).good();
    config.resources.iter().map(|resource| resource.address.to_string()).collect()
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let run = run(&format!("{HEAD}{text}{IDENTITY}"));
    let found: Vec<String> = run.lines().into_iter().map(|line| line.split_once(": ").unwrap().1.to_owned()).collect();
    assert_eq!(found, expected);
}

#[test]
fn instances_have_the_way_to_them_as_address() {
    let text = r#"
module "one" {
  source = "./modules/identity"
  name   = "one"
  group  = resource_group.app
}
module "some" {
  source   = "./modules/identity"
  for_each = ["a", "b"]
  when     = each.key != "b"
  name     = "some-${each.key}"
  group    = resource_group.app
}
module "off" {
  source = "./modules/identity"
  when   = false
  name   = "off"
  group  = resource_group.app
}
"#;
    assert_eq!(addresses(text), ["resource_group.app", "module.one.identity.this", "module.some[\"a\"].identity.this"]);
}

#[test]
fn modules_in_modules_see_their_own_names_only() {
    let text = r#"
locals { name = "root" }
module "outer" {
  source = "./modules/outer"
  group  = resource_group.app
}
output "all" { value = "${local.name}-${module.outer.names}" }
//- modules/outer/main.aks
variable "group" { type = resource_group }
locals { name = "outer" }
module "inner" {
  source   = "../identity"
  for_each = { x = 1, y = 2 }
  name     = "${local.name}-${each.key}${each.value}"
  group    = var.group
}
output "names" { value = join("+", [for key, made in module.inner : made.name]) }
"#;
    let config = run(&format!("{HEAD}{text}{IDENTITY}")).good();
    let names: Vec<String> = config.resources.iter().map(|resource| resource.address.to_string()).collect();
    assert_eq!(
        names,
        [
            "resource_group.app",
            "module.outer.module.inner[\"x\"].identity.this",
            "module.outer.module.inner[\"y\"].identity.this"
        ]
    );
    assert_eq!(config.outputs[0].value, Value::Text("root-outer-x1+outer-y2".to_owned()));
}

#[test]
fn references_through_a_module_are_dependencies() {
    let text = r#"
module "one" {
  source = "./modules/identity"
  name   = "one"
  group  = resource_group.app
  after  = [identity.first]
}
identity "first" {
  name           = "first"
  resource_group = resource_group.app
}
identity "second" {
  name           = "second"
  resource_group = resource_group.app
  tags           = { of = module.one.identity.client_id }
}
identity "third" {
  name           = "third"
  resource_group = resource_group.app
  after          = [module.one]
}
"#;
    let config = run(&format!("{HEAD}{text}{IDENTITY}")).good();
    let needs = |address: &str| -> Vec<String> {
        let resource = config.resources.iter().find(|resource| resource.address.to_string() == address).unwrap();
        resource.dependencies.iter().map(|needed| needed.on.as_str().rsplit('/').next().unwrap().to_owned()).collect()
    };
    assert_eq!(needs("module.one.identity.this"), ["rg", "first"]);
    assert_eq!(needs("identity.second"), ["rg", "one"]);
    assert_eq!(needs("identity.third"), ["rg", "one"]);
}

/// An argument may depend on another output of the same module, as long as no reference goes round.
#[test]
fn a_module_is_no_lump() {
    let text = r#"
module "two" {
  source = "./modules/two"
  group  = resource_group.app
  suffix = module.two.first
}
//- modules/two/main.aks
variable "group" { type = resource_group }
variable "suffix" { type = string }
identity "first" {
  name           = "first"
  resource_group = var.group
}
identity "second" {
  name           = "second-${var.suffix}"
  resource_group = var.group
}
output "first" { value = identity.first.name }
"#;
    let config = run(&format!("{HEAD}{text}")).good();
    let ids: Vec<&str> = config.resources.iter().filter_map(|resource| Some(resource.id.as_ref()?.as_str())).collect();
    assert!(ids.iter().any(|id| id.ends_with("/second-first")), "{ids:?}");
}

#[test]
fn values_reach_a_module_typed_and_stay_sensitive() {
    check(
        r#"
module "one" {
  source = "./modules/identity"
  name   = 5
  group  = identity.x
}
identity "x" {
  name           = "xxx"
  resource_group = resource_group.app
}
"#,
        &[
            "AKS0214 text is wanted here, not a number",
            "AKS0215 a resource_group is wanted here, not the identity `identity.x`",
        ],
    );
    check(
        r#"
variable "key" {
  type      = string
  default   = "hidden"
  sensitive = true
}
module "one" {
  source = "./modules/identity"
  name   = "one"
  group  = resource_group.app
  tags   = { key = var.key }
}
output "name" { value = module.pass.value }
module "pass" {
  source = "./modules/pass"
  value  = var.key
}
//- modules/pass/main.aks
variable "value" {}
output "value" { value = var.value }
"#,
        &["AKS0239 the output `name` has a sensitive value"],
    );
}

#[test]
fn arguments_are_checked_at_the_block() {
    check(
        "module \"one\" {\n  source = \"./modules/identity\"\n  nam = \"one\"\n  size = 1\n}\n",
        &[
            "AKS0207 the module in `modules/identity` needs a value of `group`",
            "AKS0206 the module in `modules/identity` has no variable `nam`",
            "AKS0206 the module in `modules/identity` has no variable `size`",
        ],
    );
    check("module \"one\" {\n  name = \"one\"\n}\n", &["AKS0207 `module` lacks `source`"]);
}

#[test]
fn sources_that_are_no_folder_of_the_configuration() {
    for (source, message) in [
        ("\"./nothing\"", "there are no `.aks` files in the folder `nothing`"),
        ("\"../up\"", "`../up` leads out of the configuration's folder"),
        ("\"./modules/../../up\"", "`./modules/../../up` leads out of the configuration's folder"),
        ("\"modules/identity\"", "`modules/identity` is no folder of this configuration"),
        ("\"https://example.com/m\"", "`https://example.com/m` is no folder of this configuration"),
        ("\"/etc\"", "`/etc` is no folder of this configuration"),
        ("\"./${local.x}\"", "the source of a module is plain text"),
    ] {
        check(&format!("module \"one\" {{ source = {source} }}\n"), &[&format!("AKS0263 {message}")]);
    }
}

#[test]
fn circles_of_folders_are_refused_with_the_way() {
    check(
        r#"
module "a" { source = "./a" }
//- a/main.aks
module "b" { source = "../b" }
//- b/main.aks
module "a" { source = "../a" }
"#,
        &["AKS0264 modules go round in a circle: `a` → `b` → `a`"],
    );
    check(
        "module \"a\" { source = \"./\" }\n",
        &["AKS0264 modules go round in a circle: the configuration's folder → the configuration's folder"],
    );
}

#[test]
fn circles_of_references_name_the_module() {
    check(
        r#"
module "one" {
  source = "./modules/identity"
  name   = module.one.name
  group  = resource_group.app
}
"#,
        &[
            "AKS0232 references go round in a circle: `module.one.identity.this` → `module.one.var.name` → `module.one.output.name` → `module.one.identity.this`",
        ],
    );
}

/// What is wrong in a module is said once, however many instances there are, and also if there is none.
#[test]
fn mistakes_in_a_module_are_found_once() {
    let module = r#"
//- m/main.aks
variable "group" { type = resource_group }
identity "x" {
  name           = "x-${var.nothing}"
  resource_group = var.group
  client         = 1
}
"#;
    for meta in ["when = false", "for_each = [\"a\", \"b\"]", "for_each = []"] {
        check(
            &format!("module \"m\" {{\n  source = \"./m\"\n  {meta}\n  group = resource_group.app\n}}\n{module}"),
            &["AKS0210 there is no variable `nothing`", "AKS0206 `identity` has no attribute `client`"],
        );
    }
}

#[test]
fn how_often_a_module_exists_must_be_known() {
    check(
        r#"
identity "x" {
  name           = "xxx"
  resource_group = resource_group.app
}
module "one" {
  source = "./modules/identity"
  when   = identity.x.client_id != ""
  name   = "one"
  group  = resource_group.app
}
module "two" {
  source   = "./modules/identity"
  for_each = [identity.x.client_id]
  name     = "two"
  group    = resource_group.app
}
"#,
        &[
            "AKS0234 whether this exists is known only after apply",
            "AKS0234 the key of this instance is known only after apply",
        ],
    );
}

#[test]
fn references_to_what_is_not_there() {
    check(
        r#"
module "one" {
  source   = "./modules/identity"
  for_each = ["a", "b"]
  when     = each.key == "a"
  name     = "one-${each.key}"
  group    = resource_group.app
}
module "off" {
  source = "./modules/identity"
  when   = false
  name   = "off"
  group  = resource_group.app
}
locals {
  a = module.on["a"].name
  b = module.one["c"].name
  c = module.one["b"].name
  d = module.one.name
  e = module.off.name
  f = module.one["a"].nam
  g = module.one["a"].this
  h = module.off["a"].name
}
"#,
        &[
            "AKS0210 there is no module `on`",
            "AKS0226 `module.one` has no instance `c`",
            "AKS0236 `module.one[\"b\"]` does not exist in this configuration",
            "AKS0235 `module.one` has `for_each`: it is several modules",
            "AKS0236 `module.off` does not exist in this configuration",
            "AKS0266 `module.one` has no output `nam`",
            "AKS0266 `module.one` has no output `this`",
            "AKS0236 `module.off` does not exist in this configuration",
        ],
    );
}

#[test]
fn a_condition_on_what_is_not_known_says_where_the_value_is() {
    check(
        r#"
identity "x" {
  name           = "xxx"
  resource_group = resource_group.app
}
module "v" {
  source = "./v"
  value  = identity.x.client_id
}
//- v/main.aks
variable "value" {
  validation {
    condition = var.value != ""
    message   = "give one"
  }
}
"#,
        &["AKS0234 whether the value of `value` is right is known only after apply"],
    );
}

/// A file is named relative to the folder of the module, and nothing outside of the configuration's is read.
#[test]
fn files_of_a_module() {
    let text = r#"# file m/own.txt=own
# file shared.txt=shared
module "m" { source = "./m" }
output "both" { value = module.m.both }
//- m/main.aks
output "both" { value = "${file("own.txt")} ${file("../shared.txt")}" }
"#;
    let config = run(&format!("{HEAD}{text}")).good();
    assert_eq!(config.outputs[0].value, Value::Text("own shared".to_owned()));
    check(
        "module \"m\" { source = \"./m\" }\n//- m/main.aks\nlocals { x = file(\"../../up.txt\") }\n",
        &["AKS0241 there is no file `../../up.txt` in this configuration"],
    );
}

/// Two module blocks in each of many folders would be more modules than there is memory.
#[test]
fn modules_that_multiply_are_bounded() {
    let mut text = "module \"a\" { source = \"./m0\" }\n".to_owned();
    for level in 0..30 {
        text.push_str(&format!(
            "//- m{level}/main.aks\nmodule \"a\" {{ source = \"../m{0}\" }}\nmodule \"b\" {{ source = \"../m{0}\" }}\n",
            level + 1
        ));
    }
    text.push_str("//- m30/main.aks\nlocals { x = 1 }\n");
    let run = run(&format!("{HEAD}{text}"));
    assert!(run.lines().iter().all(|line| line.contains("too many modules in modules")), "{:?}", run.lines());
    assert!(run.diagnostics.has_errors());
}
