//! The guard file: what plans may do at most. Each rule is tried with what it allows and what it does not.

use std::process::Command;

use akson_tests::Folder;

const STACK: &str = r#"stack "app" {
  location = "westeurope"
}

existing user "anna" {
  user_principal_name = "anna@contoso.com"
}

group "developers" {
  display_name = "app-developers"
  members      = [user.anna]
}

resource_group "app" {
  name = "app-rg"
}

identity "app" {
  name           = "app-id"
  resource_group = resource_group.app
}

grant "reads" {
  to   = identity.app
  role = "Reader"
  on   = resource_group.app
}

federated_credential "main" {
  identity = identity.app
  issuer   = "https://token.actions.githubusercontent.com"
  subject  = "repo:contoso/app:environment:production"
}

federated_credential "pod" {
  identity = identity.app
  issuer   = cluster.main.oidc_issuer_url
  subject  = "system:serviceaccount:app:app"
}

role "restarter" {
  name              = "Restarter"
  assignable_scopes = [resource_group.app]
  actions           = ["Microsoft.ContainerService/managedClusters/read"]
}

cluster "main" {
  name           = "app-aks"
  resource_group = resource_group.app
  dns_prefix     = "app-aks"
  oidc_issuer    = enabled

  entra {
    admin_groups  = [group.developers]
    authorization = azure_rbac
  }

  node_pool "system" {
    mode    = system
    vm_size = "Standard_D4s_v5"
    scale   = fixed(1)
  }
}
"#;

const SEED: &str = r##"[
  {
    "@odata.type": "#microsoft.graph.user",
    "id": "0b7f8a52-4c2e-4f6a-8f43-1d1f0c9e6a21",
    "userPrincipalName": "anna@contoso.com",
    "displayName": "Anna"
  }
]
"##;

fn folder() -> Folder {
    let folder = Folder::with(STACK);
    folder.write("emulator.json", SEED);
    folder
}

/// Plans under a guard file with this body; what it is refused for.
#[track_caller]
fn plan(folder: &Folder, rules: &str) -> Vec<String> {
    folder.write("g.guard", &format!("guard {{\n{rules}\n}}\n"));
    let ran = folder.akson(&["plan", "--guard", "g.guard", "--format", "json"]);
    let found = ran.json();
    let errors: Vec<String> = found["diagnostics"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|found| found["severity"] == "error")
        .map(|found| found["message"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ran.code, if errors.is_empty() { 0 } else { 6 }, "{rules}\n{}", ran.stderr);
    errors
}

#[test]
fn each_rule_allows_what_it_lists_and_nothing_else() {
    let folder = folder();
    let _ = folder.akson(&["plan"]).exits(0);
    let (tenant, subscription) = {
        let world = folder.world();
        (world.identity().tenant.clone(), world.identity().subscription.clone())
    };
    let allowed = [
        String::new(),
        format!("tenants = [\"{}\"]", tenant.to_uppercase()),
        format!("subscriptions = [\"{subscription}\"]"),
        "ledgers = [\"local\"]".to_owned(),
        "federated_credential_issuers = [\"https://token.actions.githubusercontent.com\", \"cluster\"]".to_owned(),
        "federated_credential_subjects = [\"repo:contoso/app:*\", \"system:serviceaccount:app:*\"]".to_owned(),
        "roles = [\"Reader\"]\nrole_actions = [\"Microsoft.ContainerService/*/read\"]".to_owned(),
        "roles = [\"acdd72a7-3385-48ef-bd42-f606fba81ae7\"]\nrole_actions = [\"*\"]".to_owned(),
        format!("scopes = [\"/subscriptions/{subscription}/resourceGroups/app-*\"]"),
        "scopes = [\"/\"]".to_owned(),
        "principals = [\"declared\", \"0b7f8a52-4c2e-4f6a-8f43-1d1f0c9e6a21\"]".to_owned(),
        "kubernetes_roles = [\"cluster-admin\"]".to_owned(),
        "deletes = []".to_owned(),
        "resource_types = []".to_owned(),
    ];
    for rules in &allowed {
        assert_eq!(plan(&folder, rules), Vec::<String>::new(), "{rules}");
    }
    let refused = [
        ("tenants = []", &["this stack: the tenant"][..]),
        ("subscriptions = [\"00000000-0000-0000-0000-000000000001\"]", &["this stack: the subscription"]),
        ("ledgers = [\"https://*.blob.core.windows.net/ledgers/*\"]", &["this stack: the ledger `local`"]),
        (
            "federated_credential_issuers = [\"https://token.actions.githubusercontent.com/\"]",
            &[
                "`federated_credential.main`: its issuer `https://token.actions.githubusercontent.com` is not in",
                "`federated_credential.pod`: its issuer `of a cluster of this stack`",
            ],
        ),
        (
            "federated_credential_issuers = [\"HTTPS://token.actions.githubusercontent.com\", \"cluster\"]",
            &["`federated_credential.main`"],
        ),
        (
            "federated_credential_subjects = [\"repo:contoso/app:ref:*\", \"system:*\"]",
            &["`federated_credential.main`: its subject `repo:contoso/app:environment:production`"],
        ),
        ("federated_credential_subjects = [\"repo:Contoso/app:*\", \"system:*\"]", &["`federated_credential.main`"]),
        ("roles = [\"Reader\"]", &["`role.restarter`: it makes or changes a role"]),
        ("roles = [\"AcrPull\"]\nrole_actions = [\"*\"]", &["`grant.reads`: its role `Reader`"]),
        (
            "role_actions = [\"Microsoft.ContainerService/managedClusters/write\"]",
            &["`role.restarter`: it allows `Microsoft.ContainerService/managedClusters/read`"],
        ),
        ("scopes = [\"/subscriptions/*/resourceGroups/app\"]", &["`grant.reads`: its scope"]),
        ("principals = [\"declared\"]", &["`group.developers`: who gets it `0b7f8a52-4c2e-4f6a-8f43-1d1f0c9e6a21`"]),
        (
            "principals = [\"0b7f8a52-4c2e-4f6a-8f43-1d1f0c9e6a21\"]",
            &["`grant.reads`: who gets it `known after apply`", "`cluster.main`: who gets it"],
        ),
        ("kubernetes_roles = [\"view\"]", &["`cluster.main`: its administrators have the role `cluster-admin`"]),
    ];
    for (rules, expected) in refused {
        let found = plan(&folder, rules);
        assert_eq!(found.len(), expected.len(), "{rules}: {found:#?}");
        for text in expected {
            assert!(found.iter().any(|found| found.contains(text)), "{rules}: {found:#?}");
        }
    }
}

#[test]
fn deletions_and_raw_resources() {
    let folder = folder();
    let _ = folder.apply().exits(0);
    // Nothing changes, and nothing is refused.
    assert!(plan(&folder, "roles = []\ndeletes = []\nprincipals = []").is_empty());
    let text = STACK.replace(
        "grant \"reads\" {\n  to   = identity.app\n  role = \"Reader\"\n  on   = resource_group.app\n}\n\n",
        "",
    );
    folder.write("main.aks", &text);
    assert!(plan(&folder, "deletes = [\"grant\"]").is_empty());
    let found = plan(&folder, "deletes = [\"identity\"]");
    assert!(
        found.len() == 1 && found[0].contains("`grant.reads`: it would be deleted, and its kind `grant`"),
        "{found:?}"
    );
    // Written as it is, a grant is a grant.
    folder.write(
        "main.aks",
        &format!(
            "{STACK}
resource \"Microsoft.Authorization/roleAssignments@2022-04-01\" \"sly\" {{
  name   = \"6f2c9d0e-4b1a-4c52-9f0e-6a2d8b41c7e3\"
  parent = resource_group.app
  body = {{
    properties = {{
      principalId      = \"0b7f8a52-4c2e-4f6a-8f43-1d1f0c9e6a21\"
      principalType    = \"User\"
      roleDefinitionId = \"/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635\"
    }}
  }}
}}
"
        ),
    );
    let found = plan(&folder, "roles = [\"Reader\"]");
    assert!(
        found.iter().any(|found| found.contains("its type `Microsoft.Authorization/roleAssignments`")),
        "{found:?}"
    );
    assert!(found.iter().any(|found| found.contains("its role `Owner`")), "{found:?}");
    let found = plan(&folder, "roles = [\"Reader\"]\nresource_types = [\"Microsoft.Authorization/*\"]");
    assert!(found.len() == 1 && found[0].contains("its role `Owner`"), "{found:?}");
}

/// Refused before anything is asked or sent; and a guard file that is not understood allows nothing.
#[test]
fn apply_is_held_to_it() {
    let folder = folder();
    folder.write("akson.guard", "guard {\n  roles = []\n}\n");
    let _ = folder.akson(&["plan", "--out", "a.plan"]).exits(6).says("error[AKS0441]").says("akson.guard:2:3");
    assert!(!folder.path().join("a.plan").exists());
    let _ = folder.apply().exits(6).says("`grant.reads`");
    assert!(folder.world().god().ids().iter().all(|id| !id.contains("app-rg")));
    folder.write("akson.guard", "guard {\n  rols = []\n}\n");
    let _ = folder.akson(&["plan"]).exits(6).says("did you mean `roles`?");
    let _ = folder.akson(&["plan", "--guard", "missing.guard"]).exits(6).says("AKS0442");
    folder.write(
        "akson.guard",
        "guard {\n  roles = [\"Reader\"]\n  role_actions = [\"Microsoft.ContainerService/*\"]\n}\n",
    );
    let _ = folder.akson(&["plan", "--out", "a.plan"]).exits(0);
    // What was approved before the guard file became stricter is refused, too.
    folder.write("akson.guard", "guard {\n  scopes = []\n}\n");
    let _ = folder.akson(&["apply", "a.plan"]).exits(6);
}

#[track_caller]
fn git(folder: &Folder, arguments: &[&str]) {
    let mut command = Command::new("git");
    command.arg("-C").arg(folder.path()).args([
        "-c",
        "user.name=a",
        "-c",
        "user.email=a@b.c",
        "-c",
        "init.defaultBranch=main",
    ]);
    let output = command.args(arguments).output().expect("git runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// In a pull request the guard file of its base branch holds, whatever the request makes of its own.
#[test]
#[allow(clippy::print_stderr, reason = "that a test was skipped must be seen")]
fn a_pull_request_cannot_loosen_it() {
    if Command::new("git").arg("--version").output().is_err() {
        eprintln!("skipped: there is no git");
        return;
    }
    let folder = folder();
    folder.write("akson.guard", "guard {\n  roles = []\n}\n");
    git(&folder, &["init", "--quiet"]);
    git(&folder, &["add", "akson.guard"]);
    git(&folder, &["commit", "--quiet", "-m", "guard"]);
    git(&folder, &["update-ref", "refs/remotes/origin/main", "HEAD"]);
    git(&folder, &["checkout", "--quiet", "-b", "loosen"]);
    folder.write("akson.guard", "guard {\n  roles = [\"*\"]\n}\n");
    let run = |branch: &str| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        akson_tests::Ran::of(folder.command(&["plan"]).env("GITHUB_BASE_REF", branch).env("PATH", path))
    };
    let _ = run("main").exits(6).says("main:akson.guard:2:3").says("this pull request changes `akson.guard`");
    std::fs::remove_file(folder.path().join("akson.guard")).unwrap();
    let _ = run("main").exits(6).says("`grant.reads`");
    // Without that branch it is not known what holds.
    let _ = run("elsewhere").exits(0).says("warning[AKS0443]");
    folder.write("akson.guard", "guard {\n  role_actions = [\"*\"]\n}\n");
    let _ = run("elsewhere").exits(6).says("error[AKS0443]").says("git fetch");
}
