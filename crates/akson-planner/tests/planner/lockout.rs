//! No prefix of a plan's steps locks anybody out: every pair of ways to administer a cluster, or to reach a vault, and every order that
//! a schedule allows, against a model of its own that knows nothing of how the planner decides.

use std::collections::{BTreeMap, BTreeSet};

use akson_catalog::{ArmId, SymbolicId};
use akson_config::{Config, Inputs};
use akson_diagnostics::{Diagnostics, Severity, SourceMap};
use akson_planner::{Action, Caller, Mode, Plan, PlanOptions, Way};
use serde_json::json;

use crate::{
    azure::{Planned, World},
    declare::{SUBSCRIPTION, TENANT, catalog},
};

const ADMINS: &str = "00000000-0000-0000-0000-0000000000a1";
const OTHERS: &str = "00000000-0000-0000-0000-0000000000a2";
const PERSON: &str = "00000000-0000-0000-0000-0000000000b1";

fn config(text: &str) -> Config {
    let mut sources = SourceMap::new();
    let mut diagnostics = Diagnostics::new();
    let id = sources.add("main.aks", text);
    let file = akson_parser::parse(&sources, id, &mut diagnostics);
    let inputs =
        Inputs { tenant: Some(TENANT.to_owned()), subscription: Some(SUBSCRIPTION.to_owned()), ..Inputs::default() };
    let config = akson_config::evaluate(&[file], &sources, catalog(), &inputs, &mut diagnostics);
    config.filter(|_| !diagnostics.has_errors()).unwrap_or_else(|| panic!("{diagnostics:#?}\n{text}"))
}

/// Ways in, each there or not.
#[derive(Debug, Clone, Copy)]
#[allow(clippy::struct_excessive_bools, reason = "independent facts")]
struct Ways {
    local: bool,
    named: bool,
    /// Another group than the first.
    other: bool,
    grant: bool,
    binding: bool,
}

impl Ways {
    fn all() -> impl Iterator<Item = Ways> {
        (0..32_u8).map(|bits| Ways {
            local: bits & 1 != 0,
            named: bits & 2 != 0,
            other: bits & 4 != 0,
            grant: bits & 8 != 0,
            binding: bits & 16 != 0,
        })
    }

    fn source(self) -> String {
        let groups: Vec<String> = [(self.named, ADMINS), (self.other, OTHERS)]
            .iter()
            .filter(|(is, _)| *is)
            .map(|(_, id)| format!("\"{id}\""))
            .collect();
        let mut text = format!(
            r#"
stack "myapp" {{ location = "westeurope" }}
resource_group "app" {{ name = "app" }}
cluster "main" {{
  name           = "aks"
  resource_group = resource_group.app
  entra {{
    admin_groups  = [{}]
    authorization = azure_rbac
  }}
  local_accounts = {}
  node_pool "system" {{
    mode    = system
    vm_size = "Standard_D4s_v5"
    scale   = fixed(3)
  }}
}}
grant "reads" {{
  to   = "{PERSON}"
  role = "Azure Kubernetes Service RBAC Reader"
  on   = cluster.main
}}
"#,
            groups.join(", "),
            if self.local { "enabled" } else { "disabled" }
        );
        if self.grant {
            text.push_str(&format!(
                "grant \"admin\" {{\n  to   = \"{PERSON}\"\n  role = \"Azure Kubernetes Service RBAC Cluster Admin\"\n  on   = cluster.main\n}}\n"
            ));
        }
        if self.binding {
            text.push_str(&format!(
                "cluster_role_binding \"admins\" {{\n  cluster      = cluster.main\n  name         = \"admins\"\n  cluster_role = \"cluster-admin\"\n  members      = [\"user:{PERSON}\"]\n}}\n"
            ));
        }
        text
    }

    /// Whether somebody can administer the cluster: all that the model knows.
    fn admit(self) -> bool {
        self.local || self.named || self.other || self.grant || self.binding
    }

    /// What is so once some steps are done and others are not.
    fn between(before: Self, after: Self, done: &BTreeSet<&str>) -> Self {
        let at = |address: &str| if done.contains(address) { after } else { before };
        Self {
            local: at("cluster.main").local,
            named: at("cluster.main").named,
            other: at("cluster.main").other,
            grant: at("grant.admin").grant,
            binding: at("cluster_role_binding.admins").binding,
        }
    }
}

fn cluster() -> SymbolicId {
    let id = format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/app/providers/Microsoft.ContainerService/managedClusters/aks"
    );
    SymbolicId::of_arm(&ArmId::new(id))
}

/// A world with these ways in, reachable.
fn world(config: &Config) -> World {
    let mut world = World::new();
    let way = Way { host: "aks.hcp.westeurope.azmk8s.io".to_owned(), authority: "PEM".to_owned() };
    world.owned.reachable.insert(cluster(), way);
    world.apply(config);
    world
}

/// Every set of steps that may be done at some moment, whatever the order and whatever fails.
fn prefixes(plan: &Plan) -> Vec<BTreeSet<&str>> {
    let steps: BTreeMap<&SymbolicId, (&str, Vec<&SymbolicId>)> = plan
        .changes
        .iter()
        .filter(|change| change.work.is_step())
        .map(|change| (&change.symbolic_id, (change.address.as_str(), change.needs.iter().collect())))
        .collect();
    let mut found: BTreeSet<BTreeSet<&SymbolicId>> = BTreeSet::from([BTreeSet::new()]);
    let mut left: Vec<BTreeSet<&SymbolicId>> = vec![BTreeSet::new()];
    while let Some(done) = left.pop() {
        for (step, (_, needs)) in &steps {
            let ready = needs.iter().all(|need| done.contains(need) || !steps.contains_key(need));
            if !done.contains(step) && ready {
                let mut more = done.clone();
                more.insert(step);
                if found.insert(more.clone()) {
                    left.push(more);
                }
            }
        }
    }
    assert!(found.contains(&steps.keys().copied().collect()), "the plan comes to its end");
    found.into_iter().map(|done| done.into_iter().map(|id| steps[id].0).collect()).collect()
}

#[test]
fn in_every_order_of_every_change_somebody_administers_the_cluster() {
    let (mut ordered, mut refused) = (0, 0);
    for before in Ways::all() {
        let mut world = world(&config(&before.source()));
        for after in Ways::all() {
            let planned = world.plan(&config(&after.source()));
            if before.admit() && !after.admit() {
                assert_eq!(planned.codes(), [423], "{before:?} to {after:?}");
                assert!(planned.plan.is_none());
                refused += 1;
                continue;
            }
            let plan = planned.plan.as_ref().unwrap_or_else(|| panic!("{before:?} to {after:?}"));
            for done in prefixes(plan) {
                let now = Ways::between(before, after, &done);
                assert!(now.admit() || !before.admit(), "{before:?} to {after:?}: locked out after {done:?}");
            }
            ordered += 1;
        }
        world.owned.entries.clear();
    }
    // The model is not vacuous: of the 31 states with a way in, one has none.
    assert_eq!((ordered, refused), (32 * 32 - 31, 31));
}

#[test]
fn without_the_waits_some_order_would_lock_out() {
    // The check above can fail: with the steps free to go in any order, it does.
    let (before, after) = (
        Ways { local: true, named: false, other: false, grant: false, binding: false },
        Ways { local: false, named: false, other: false, grant: true, binding: false },
    );
    let mut plan = world(&config(&before.source())).plan(&config(&after.source())).sound();
    let is_locked_out = |plan: &Plan| prefixes(plan).iter().any(|done| !Ways::between(before, after, done).admit());
    assert!(!is_locked_out(&plan));
    plan.changes.iter_mut().for_each(|change| change.needs.clear());
    assert!(is_locked_out(&plan));
}

#[test]
fn a_role_of_ones_own_or_a_condition_is_a_warning_and_no_refusal() {
    let before = Ways { local: true, named: false, other: false, grant: false, binding: false };
    let world = world(&config(&before.source()));
    let bare = Ways { local: false, ..before }.source();
    for grant in [
        "role = \"11111111-2222-3333-4444-555555555555\"",
        "role = \"Azure Kubernetes Service RBAC Cluster Admin\"\n  condition = \"@Resource[x] StringEquals 'y'\"",
    ] {
        let text = format!("{bare}grant \"own\" {{\n  to = \"{PERSON}\"\n  on = cluster.main\n  {grant}\n}}\n");
        let planned = world.plan(&config(&text));
        assert_eq!(planned.codes(), [424], "{grant}");
        assert!(planned.diagnostics.iter().all(|report| report.severity == Severity::Warning));
        planned.sound();
    }
}

#[test]
fn an_assignment_of_somebody_else_above_it_is_a_way_in() {
    let before = Ways { local: true, named: false, other: false, grant: false, binding: false };
    let mut world = world(&config(&before.source()));
    let after = config(&Ways { local: false, ..before }.source());
    let refused = world.plan(&after);
    assert_eq!(refused.codes(), [423]);
    let report = refused.diagnostics.iter().next().unwrap();
    assert_eq!(report.address.as_deref(), Some("cluster.main"));
    assert!(report.notes[0].contains("as soon as `cluster.main` is updated"), "the prefix is named: {report:#?}");
    assert_eq!(report.labels.len(), 1);
    let group = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/app");
    let role = format!(
        "/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b"
    );
    world.azure.insert(
        &format!("{group}/providers/Microsoft.Authorization/roleAssignments/aaaaaaaa-0000-4000-8000-000000000001"),
        json!({"properties": {"principalId": OTHERS, "roleDefinitionId": role, "scope": group}}),
    );
    world.plan(&after).sound();
}

#[test]
fn what_nobody_declares_as_the_last_way_in_is_refused_and_destroying_all_is_not() {
    let with = Ways { local: false, named: false, other: false, grant: true, binding: false };
    let world = world(&config(&with.source()));
    let planned = world.plan(&config(&Ways { grant: false, ..with }.source()));
    assert_eq!(planned.codes(), [423]);
    assert!(format!("{:#?}", planned.diagnostics).contains("`grant.admin` is deleted"));
    let options = PlanOptions { mode: Mode::Destroy, ..PlanOptions::default() };
    assert_eq!(world.plan_with(&config(&with.source()), &options).codes(), [0_u16; 0]);
    // A cluster that stays while everything else goes is told of.
    let kept = with.source().replace("  local_accounts", "  on_remove = keep\n  local_accounts");
    let mut world = self::world(&config(&kept));
    world.apply(&config(&kept));
    let planned = world.plan_with(&config(&kept), &options);
    assert!(planned.codes().contains(&423), "{:#?}", planned.diagnostics);
    planned.sound();
}

fn vault(access: &str, grants: &[(&str, &str)]) -> Config {
    let mut text = format!(
        "stack \"myapp\" {{ location = \"westeurope\" }}\nresource_group \"app\" {{ name = \"app\" }}\nvault \"kv\" {{\n  name = \"kv-myapp\"\n  resource_group = resource_group.app\n  access = {access}\n}}\n"
    );
    for (label, role) in grants {
        text.push_str(&format!(
            "grant \"{label}\" {{\n  to = \"{PERSON}\"\n  role = \"{role}\"\n  on = vault.kv\n}}\n"
        ));
    }
    config(&text)
}

const LIST: &str = "policies([{ principal = \"00000000-0000-0000-0000-0000000000b1\", secrets = [\"get\"] }])";

#[test]
fn a_vault_switches_to_role_assignments_once_one_gives_somebody_something() {
    let mut world = World::new();
    world.apply(&vault(LIST, &[]));
    for nothing in [&[][..], &[("reader", "Key Vault Reader")][..], &[("other", "Owner")][..]] {
        let planned = world.plan(&vault("rbac", nothing));
        assert_eq!(planned.codes(), [423], "{nothing:?}");
        assert_eq!(planned.diagnostics.iter().next().unwrap().address.as_deref(), Some("vault.kv"));
    }
    let plan = world.plan(&vault("rbac", &[("user", "Key Vault Secrets User")])).sound();
    for done in prefixes(&plan) {
        assert!(!done.contains("vault.kv") || done.contains("grant.user"), "{done:?}");
    }
    world.carry_out(&plan);
    // From then on one takes the place of the other without a gap; and that nobody is let in any more is the author's to say.
    let plan = world.plan(&vault("rbac", &[("officer", "Key Vault Secrets Officer")])).sound();
    for done in prefixes(&plan) {
        assert!(!done.contains("grant.user") || done.contains("grant.officer"), "{done:?}");
    }
    world.plan(&vault("rbac", &[])).sound();
}

fn callers(address: &[&str], object_id: Option<&str>) -> PlanOptions {
    let addresses = address.iter().map(|address| address.parse().unwrap()).collect();
    PlanOptions { caller: Caller { object_id: object_id.map(str::to_owned), addresses }, ..PlanOptions::default() }
}

#[test]
fn ranges_without_the_caller_are_refused_and_an_unknown_caller_is_said() {
    #[track_caller]
    fn check(planned: &Planned, code: Option<u16>) {
        assert_eq!(planned.codes(), code.into_iter().collect::<Vec<_>>(), "{:#?}", planned.diagnostics);
        assert_eq!(planned.plan.is_some(), code != Some(425));
    }
    let open = Ways { local: true, named: true, other: false, grant: false, binding: false }.source();
    let ranged = |ranges: &str| {
        config(&open.replace("  local_accounts", &format!("  api_server = authorized([{ranges}])\n  local_accounts")))
    };
    let mut world = world(&config(&open));
    let narrow = ranged("\"203.0.113.0/28\"");
    check(&world.plan_with(&narrow, &callers(&["203.0.113.7"], None)), None);
    check(&world.plan_with(&narrow, &callers(&["198.51.100.7"], None)), Some(425));
    check(&world.plan_with(&narrow, &callers(&["203.0.113.7", "198.51.100.7"], None)), Some(425));
    check(&world.plan_with(&narrow, &callers(&["2001:db8::1"], None)), Some(425));
    check(&world.plan_with(&narrow, &callers(&[], None)), Some(426));
    check(
        &world.plan_with(&ranged("\"203.0.113.0/28\", \"198.51.100.7/32\""), &callers(&["198.51.100.7"], None)),
        None,
    );
    // A new cluster is no exception: what is to be made in it could not be.
    check(&World::new().plan_with(&narrow, &callers(&["198.51.100.7"], None)), Some(425));
    // What stays as it is, is not asked about.
    world.apply(&narrow);
    check(&world.plan_with(&narrow, &callers(&["198.51.100.7"], None)), None);
    check(&world.plan_with(&narrow, &callers(&[], None)), None);
    let public = open.replace("  local_accounts", "  api_server = public\n  local_accounts");
    check(&world.plan_with(&config(&public), &callers(&[], None)), None);
}

#[test]
fn the_callers_own_assignment_goes_after_whatever_it_may_be_needed_for() {
    let mine = "grant \"mine\" {\n  to   = \"00000000-0000-0000-0000-0000000000c1\"\n  role = \"Owner\"\n  on   = resource_group.app\n}\n";
    let all = Ways { local: true, named: true, other: true, grant: true, binding: true };
    let fewer = Ways { other: false, grant: false, binding: false, ..all };
    let mut world = world(&config(&format!("{}{mine}", all.source())));
    let next = config(&fewer.source());
    let me = callers(&[], Some("00000000-0000-0000-0000-0000000000C1"));
    let plan = world.plan_with(&next, &me).sound();
    let last = prefixes(&plan).into_iter().filter(|done| done.contains("grant.mine"));
    for done in last {
        for earlier in ["cluster.main", "grant.admin", "cluster_role_binding.admins"] {
            assert!(done.contains(earlier), "before {earlier}: {done:?}");
        }
    }
    // Somebody else's is taken away without waiting for anything.
    let plan = world.plan_with(&next, &callers(&[], Some(PERSON))).sound();
    assert!(prefixes(&plan).iter().any(|done| done.len() == 1 && done.contains("grant.mine")));
    // To destroy everything, it goes right before what it is on.
    let options = PlanOptions { mode: Mode::Destroy, ..me };
    let plan = world.plan_with(&next, &options).sound();
    let mut deleted = plan.changes.iter().filter(|change| change.action == Action::Delete);
    assert_eq!(deleted.next_back().unwrap().address, "resource_group.app");
    world.carry_out(&plan);
    assert!(world.azure.objects.is_empty());
}
