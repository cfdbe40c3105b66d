//! Expanded intents: legal source whose canonical form means the same resources.

use akson_config::{Config, ExpandError, expand};
use akson_diagnostics::{Diagnostics, SourceMap};

use super::{
    own::{catalog, run_in},
    run::inputs_of,
    workload::{BASE, MYAPP},
};

fn expanded(text: &str, only: Option<&str>) -> Result<String, ExpandError> {
    let mut sources = SourceMap::new();
    let id = sources.add("main.aks", text);
    let mut diagnostics = Diagnostics::new();
    let files = [akson_parser::parse(&sources, id, &mut diagnostics)];
    let made = expand(&files, &sources, &catalog(), &inputs_of(text), only, &mut diagnostics)?;
    let id = sources.add("expanded.aks", made[0].text.as_str());
    Ok(akson_parser::format(&sources, id).unwrap_or_else(|wrong| panic!("{wrong:#?}\n{}", made[0].text)))
}

/// What the resources are, without how the configuration calls them.
fn meaning(config: &Config) -> Vec<String> {
    let address = regex::Regex::new(r"address: Address \{[^}]*\}").unwrap();
    let mut all: Vec<String> = config
        .resources
        .iter()
        .map(|resource| {
            let leaves: Vec<String> =
                resource.leaves.iter().map(|leaf| format!("{} = {:?}", leaf.pointer, leaf.want)).collect();
            let mut needs: Vec<&str> = resource.dependencies.iter().map(|dependency| dependency.on.as_str()).collect();
            needs.sort_unstable();
            let text = format!(
                "{} {:?} {:?} {:?} {} {} {leaves:#?} {needs:?}",
                resource.symbolic_id,
                resource.id,
                resource.parent,
                resource.conflict_domain,
                resource.protect,
                resource.keep
            );
            address.replace_all(&text, "").into_owned()
        })
        .collect();
    all.extend(
        config
            .outputs
            .iter()
            .map(|output| address.replace_all(&format!("{} {:?}", output.name, output.value), "").into_owned()),
    );
    all.sort();
    all
}

#[track_caller]
fn same(text: &str) -> String {
    let text = format!("{BASE}{text}");
    let new = expanded(&text, None).unwrap();
    assert!(!new.contains("workload \"") && !new.contains(" workload.full"), "{new}");
    let inputs = inputs_of(&text);
    let before = run_in(&catalog(), &text, &inputs).good();
    let run = run_in(&catalog(), &new, &inputs);
    assert!(!run.diagnostics.has_errors(), "{:#?}\n{new}", run.lines());
    let after = run.good();
    assert_eq!(meaning(&before), meaning(&after), "{new}");
    assert!(after.resources.iter().all(|resource| !resource.address.to_string().starts_with("workload")));
    assert_eq!(expanded(&new, None).as_deref(), Ok(new.as_str()), "expanded again it is the same");
    new
}

#[test]
fn one_workload() {
    let new = same(MYAPP);
    let start = new.find("identity \"myapp\"").unwrap();
    insta::assert_snapshot!(new[start..].trim_end());
    let text = format!("{BASE}{MYAPP}");
    assert_eq!(expanded(&text, Some("workload.myapp")).unwrap().trim_end(), new[start..].trim_end());
    assert_eq!(
        expanded(&text, Some("resource_group.app")).unwrap(),
        "resource_group \"app\" {\n  name = \"app-rg\"\n}\n"
            .replace("{\n  name = \"app-rg\"\n}", "{ name = \"app-rg\" }")
    );
    let Err(ExpandError::NoSuchBlock(known)) = expanded(&text, Some("workload.other")) else { panic!() };
    assert!(known.contains(&"workload.myapp".to_owned()));
    assert_eq!(expanded("stack {", None), Err(ExpandError::Wrong));
}

#[test]
fn everything_a_workload_may_say() {
    same(
        r#"
variable "on" { default = true }
identity "full" {
  name           = "taken"
  resource_group = resource_group.app
}
workload "full" {
  cluster   = cluster.main
  namespace = "prod${"uction"}"
  when      = var.on
  after     = [vault.other]
  protect   = true
  on_remove = keep
  access    = secret
  service_account {
    name        = "sa"
    annotations = merge({ a = "1" }, { b = "2" })
    labels      = { app = "x" }
  }
  identity { tags = { a = "$${b}" } }
  federated_credential { audience = "api://AzureADTokenExchange" }
  grant { description = "because \"so\"" }
  mount "near" {
    secrets    = [for s in [secret.password, secret.token] : s]
    sync       = { for name in ["x"] : name => { KEY = secret.token } }
    parameters = { cloudName = "AzurePublicCloud" }
  }
  mount "far" { secrets = [secret.far] }
}
workload "off" {
  when            = false
  cluster         = cluster.main
  namespace       = "off"
  service_account = "sa"
}
workload "shares" {
  cluster         = cluster.main
  namespace       = "shared"
  service_account = "sa"
  identity        = workload.full.identity
  grant           = none
}
output "a" { value = workload.full.client_id }
output "b" { value = "x ${workload.shares.principal_id} y" }
output "c" { value = [for k, g in workload.full.grant : g.id] }
output "d" { value = workload.full.secret_provider_class["near"].name }
resource_group "late" {
  name  = "late-rg"
  after = [workload.full, vault.app]
}
"#,
    );
}

#[test]
fn several_instances() {
    same(
        r#"
locals { teams = { a = "alpha", b = "beta", c = "gamma" } }
workload "team" {
  for_each        = local.teams
  when            = each.key != "c"
  cluster         = cluster.main
  namespace       = each.value
  service_account = "sa-${each.key}"
  grant { description = "for ${each.value} (${each.key})" }
  mount {
    class   = "kv"
    secrets = each.key == "a" ? [secret.password] : [secret.far]
  }
}
workload "plain" {
  for_each        = ["a", "b"]
  cluster         = cluster.main
  namespace       = "plain-${each.value}"
  service_account = "sa"
  identity        = workload.team[each.key].identity
  access          = secret
  mount {
    class   = "kv"
    secrets = [secret.token]
  }
}
output "client" { value = workload.team["b"].client_id }
output "all" { value = [for key, team in workload.team : "${key} ${team.identity.name}"] }
output "grants" { value = [for name, grant in workload.plain["a"].grant : "${name} ${grant.id}"] }
resource_group "late" {
  name  = "late-rg"
  after = [workload.plain, workload.team["b"]]
}
"#,
    );
}
