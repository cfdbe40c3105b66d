//! Nobody is locked out while an apply runs: what Azure has after each single request, also of runs that are killed, against a model of
//! its own of who gets in.

use std::sync::{Arc, Mutex};

use akson_applier::End;
use akson_emulator::God;
use akson_planner::{Action, options::Mode};
use serde_json::Value;

use akson_tests::world::{Kill, World};

/// A cluster with local accounts, and what is said about who administers it.
fn stack(local: &str, admins: &str, rest: &str) -> String {
    format!(
        r#"
stack "test" {{
  location = "westeurope"
}}

resource_group "app" {{
  name = "app-rg"
}}

group "admins" {{
  display_name = "app-admins"
  members      = [{admins}]
}}

identity "robot" {{
  name           = "robot-id"
  resource_group = resource_group.app
}}

cluster "main" {{
  name           = "aks"
  resource_group = resource_group.app
  entra {{
    admin_groups  = [{}]
    authorization = azure_rbac
  }}
  local_accounts = {local}

  node_pool "system" {{
    mode    = system
    vm_size = "Standard_D4s_v5"
    scale   = fixed(3)
  }}
}}
{rest}
"#,
        if rest.contains("# named") { "group.admins" } else { "" }
    )
}

const GRANT: &str = r#"
grant "robot" {
  to   = identity.robot
  role = "Azure Kubernetes Service RBAC Cluster Admin"
  on   = cluster.main
}
"#;

const TO_GROUP: &str = r#"
grant "admins" {
  to   = group.admins
  role = "Azure Kubernetes Service RBAC Cluster Admin"
  on   = cluster.main
}
"#;

/// Whether somebody can administer the cluster; none if there is none.
fn admitted(god: &God) -> Option<bool> {
    let find = |part: &str| god.ids().into_iter().filter(|id| id.to_lowercase().contains(part)).collect::<Vec<_>>();
    let cluster = find("/managedclusters/aks").into_iter().find(|id| id.to_lowercase().ends_with("/aks"))?;
    let cluster = god.object(&cluster)?;
    let properties = &cluster["properties"];
    let directory = god.snapshot().directory;
    let peopled = |id: &Value| {
        let group = directory.get(id.as_str().unwrap_or_default());
        group.and_then(|group| group["members"].as_array()).is_some_and(|members| !members.is_empty())
    };
    let local = properties["disableLocalAccounts"] != true;
    let groups = properties["aadProfile"]["adminGroupObjectIDs"].as_array().cloned().unwrap_or_default();
    let granted = find("/managedclusters/aks/providers/microsoft.authorization/roleassignments/").iter().any(|id| {
        let grant = god.object(id).unwrap();
        let is_admin = grant["properties"]["roleDefinitionId"]
            .as_str()
            .is_some_and(|role| role.ends_with("b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b"));
        is_admin && (grant["properties"]["principalType"] != "Group" || peopled(&grant["properties"]["principalId"]))
    });
    let rbac = properties["aadProfile"]["enableAzureRBAC"] == true;
    Some(local || groups.iter().any(peopled) || (rbac && granted))
}

/// A world in which nobody has rights in all clusters and vaults from above.
fn without_rights_from_above() -> World {
    let world = World::new();
    let god = world.god();
    let roles = ["b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b", "b86a8fe4-44ce-4948-aee5-eccb2c155cd7"];
    let mut taken = 0;
    for id in god.ids().into_iter().filter(|id| id.contains("/microsoft.authorization/roleassignments/")) {
        let grant = god.object(&id).unwrap();
        let role = grant["properties"]["roleDefinitionId"].as_str().unwrap();
        if roles.iter().any(|above| role.ends_with(above)) {
            assert!(god.delete_object(&id).unwrap());
            taken += 1;
        }
    }
    assert_eq!(taken, 2, "of the signed-in user");
    world
}

/// Applies one stack and then another, looking after each write: nobody was ever locked out.
async fn check(before: &str, after: &str) {
    let mut world = without_rights_from_above();
    let first = world.apply(before).await;
    assert_eq!(first.report.end, End::Done, "{:#?}", first.report.diagnostics);
    assert_eq!(admitted(&world.god()), Some(true));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sees = Arc::clone(&seen);
    world.afterwards = Some(Arc::new(move |god| sees.lock().unwrap().push(admitted(god))));
    let outcome = world.apply(after).await;
    assert_eq!(outcome.report.end, End::Done, "{:#?}", outcome.report.diagnostics);
    let seen = seen.lock().unwrap().clone();
    assert!(!seen.is_empty() && seen.iter().all(|seen| *seen == Some(true)), "{seen:?}\n{:#?}", outcome.plan.changes);
    world.converge(after).await;
}

#[tokio::test(start_paused = true)]
async fn local_accounts_go_after_the_grant_the_group_and_its_first_member() {
    let before = stack("enabled", "", "");
    check(&before, &stack("disabled", "", GRANT)).await;
    check(&before, &stack("disabled", "identity.robot.principal_id", "# named")).await;
    check(&before, &stack("disabled", "identity.robot.principal_id", TO_GROUP)).await;
}

#[tokio::test(start_paused = true)]
async fn one_way_in_takes_the_place_of_another_without_a_gap() {
    let member = "identity.robot.principal_id";
    check(&stack("disabled", member, "# named"), &stack("disabled", member, GRANT)).await;
    check(&stack("disabled", member, GRANT), &stack("disabled", member, "# named")).await;
    check(&stack("disabled", member, TO_GROUP), &stack("disabled", "", GRANT)).await;
    check(&stack("disabled", "", GRANT), &stack("enabled", member, "")).await;
}

#[tokio::test(start_paused = true)]
async fn the_last_member_of_the_last_group_stays() {
    let world = without_rights_from_above();
    let with = stack("disabled", "identity.robot.principal_id", "# named");
    world.apply(&with).await;
    let why = world.attempt(&stack("disabled", "", "# named"), Mode::Apply, &akson_applier::Cancel::new()).await;
    let Err(why) = why else { panic!("it was planned") };
    assert!(why.contains("AKS0423") && why.contains("`group.admins` is updated"), "{why}");
    assert_eq!(admitted(&world.god()), Some(true));
    // With another way in it may be emptied.
    let outcome = world.apply(&stack("disabled", "", &format!("# named\n{GRANT}"))).await;
    assert_eq!(outcome.report.end, End::Done, "{:#?}", outcome.report.diagnostics);
    let destroyed = world.destroy(&with).await;
    assert_eq!(destroyed.report.end, End::Done, "{:#?}", destroyed.report.diagnostics);
    assert!(destroyed.plan.changes.iter().all(|change| change.action != Action::Forget));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_killed_at_any_request_leaves_a_way_in() {
    let (before, after) = (stack("enabled", "", ""), stack("disabled", "", GRANT));
    for at in 0..30 {
        for kill in [Kill::Before(at), Kill::After(at)] {
            let world = without_rights_from_above();
            world.apply(&before).await;
            let died = world.kill(&after, Mode::Apply, kill).await;
            assert_eq!(admitted(&world.god()), Some(true), "{kill:?}");
            world.settle_to(&after).await;
            assert_eq!(admitted(&world.god()), Some(true), "{kill:?}");
            if !died {
                return;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_vault_is_given_to_role_assignments_after_one_gives_somebody_something() {
    let vault = |access: &str, rest: &str| {
        format!(
            "stack \"test\" {{ location = \"westeurope\" }}\nresource_group \"app\" {{ name = \"app-rg\" }}\nidentity \"app\" {{\n  name = \"app-id\"\n  resource_group = resource_group.app\n}}\nvault \"app\" {{\n  name = \"kv-lockout-test\"\n  resource_group = resource_group.app\n  access = {access}\n}}\n{rest}"
        )
    };
    let listed = vault("policies([{ principal = identity.app.principal_id, secrets = [\"get\"] }])", "");
    let grant = "grant \"app\" {\n  to = identity.app\n  role = \"Key Vault Secrets User\"\n  on = vault.app\n}\n";
    let mut world = without_rights_from_above();
    assert_eq!(world.apply(&listed).await.report.end, End::Done);
    let refused = world.attempt(&vault("rbac", ""), Mode::Apply, &akson_applier::Cancel::new()).await;
    assert!(refused.is_err_and(|why| why.contains("AKS0423")));
    let switched = Arc::new(Mutex::new(Vec::new()));
    let sees = Arc::clone(&switched);
    world.afterwards = Some(Arc::new(move |god: &God| {
        let ids = god.ids();
        let vault = ids.iter().find(|id| id.to_lowercase().ends_with("/vaults/kv-lockout-test")).unwrap();
        let rbac = god.object(vault).unwrap()["properties"]["enableRbacAuthorization"] == true;
        let granted =
            ids.iter().any(|id| id.to_lowercase().contains("/kv-lockout-test/providers/microsoft.authorization/"));
        sees.lock().unwrap().push((rbac, granted));
    }));
    let outcome = world.apply(&vault("rbac", grant)).await;
    assert_eq!(outcome.report.end, End::Done, "{:#?}", outcome.report.diagnostics);
    let switched = switched.lock().unwrap().clone();
    assert!(switched.contains(&(true, true)) && !switched.contains(&(true, false)), "{switched:?}");
}
