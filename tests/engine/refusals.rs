//! What Azure refuses: each a diagnostic on the block that asked, with what is lacking and the way out; the rest is done and recorded.

use akson_applier::{Cancel, End};
use akson_diagnostics::Diagnostic;
use akson_emulator::Denial;
use akson_planner::options::Mode;
use akson_tests::world::World;
use serde_json::json;

const STACK: &str = r#"
stack "test" {
  location = "westeurope"
}

resource_group "app" {
  name = "app-rg"
}

vault "app" {
  name           = "kv-refusals-test"
  resource_group = resource_group.app
}

secret "app" {
  vault = vault.app
  name  = "password"
  value = generated(32)
}
"#;

fn group(world: &World) -> String {
    format!("/subscriptions/{}/resourceGroups/app-rg", world.emulator.identity().subscription)
}

fn deny(world: &World, action: &str, scope: &str) {
    let denied = json!([{ "action": action, "scope": scope }]);
    let denied: Vec<Denial> = serde_json::from_value(denied).unwrap();
    world.god().set_denied_actions(denied).unwrap();
}

/// The one failure of an apply, on this block, with these texts.
async fn fails(world: &World, source: &str, block: &str, code: u16, texts: &[&str]) -> Diagnostic {
    let outcome = world.apply(source).await;
    assert_eq!(outcome.report.end, End::SomeFailed, "{:#?}", outcome.report.diagnostics);
    let failures: Vec<Diagnostic> = outcome.report.diagnostics.sorted().into_iter().cloned().collect();
    let [failure] = &failures[..] else { panic!("{failures:#?}") };
    check(failure, source, block, code, texts);
    failure.clone()
}

#[track_caller]
fn check(failure: &Diagnostic, source: &str, block: &str, code: u16, texts: &[&str]) {
    assert_eq!(failure.code.to_string(), format!("AKS{code:04}"), "{failure:#?}");
    let at = failure.labels.first().expect("it stands on a block").span.start as usize;
    assert!(source[at..].starts_with(block), "{}", &source[at..]);
    let told = format!("{}\n{}\n{}", failure.message, failure.notes.join("\n"), failure.help.as_deref().unwrap());
    for text in texts {
        assert!(told.contains(text), "{text} in\n{told}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_right_on_the_control_plane() {
    let world = World::new();
    deny(&world, "Microsoft.KeyVault/vaults/write", "/");
    let object = world.emulator.identity().object_id;
    let assign = format!("--assignee {object} --role \"Key Vault Contributor\" --scope {}`", group(&world));
    let texts =
        ["may not create `vault.app`", "the action `Microsoft.KeyVault/vaults/write` on", &assign, "grant \"NAME\""];
    fails(&world, STACK, "vault \"app\"", 511, &texts).await;
    assert!(world.god().object(&group(&world)).is_some(), "what comes before it is done");
    let entries = world.store.document().unwrap().entries;
    assert_eq!(entries.len(), 1, "and recorded, and nothing else: {entries:#?}");
    world.god().set_denied_actions(Vec::new()).unwrap();
    assert_eq!(world.apply(STACK).await.report.end, End::Done);
}

#[tokio::test(start_paused = true)]
async fn a_right_in_a_vault() {
    let world = World::new();
    deny(&world, "Microsoft.KeyVault/vaults/secrets/setSecret/action", "/");
    let texts = [
        "may not create `secret.app`",
        "the data action `Microsoft.KeyVault/vaults/secrets/setSecret/action` on",
        "--role \"Key Vault Secrets Officer\" --scope /subscriptions/",
        "/vaults/kv-refusals-test`",
    ];
    fails(&world, STACK, "secret \"app\"", 511, &texts).await;
}

#[tokio::test(start_paused = true)]
async fn a_right_in_the_directory() {
    let world = World::new();
    deny(&world, "microsoft.directory/groups/create", "/");
    let source = format!("{STACK}\ngroup \"dev\" {{\n  display_name = \"developers\"\n}}\n");
    let texts = ["may not create `group.dev`", "`Group.ReadWrite.All` of Microsoft Graph", "`Groups Administrator`"];
    fails(&world, &source, "group \"dev\"", 511, &texts).await;
}

#[tokio::test(start_paused = true)]
async fn a_vault_whose_name_somebody_has() {
    let world = World::new();
    let subscription = world.emulator.identity().subscription;
    let other = format!("/subscriptions/{subscription}/resourceGroups/other");
    let vault = format!("{other}/providers/Microsoft.KeyVault/vaults/kv-refusals-test");
    world.god().put_object(&other, json!({ "location": "westeurope" })).unwrap();
    world.god().put_object(&vault, json!({ "location": "westeurope", "properties": {} })).unwrap();
    let texts = [
        "Azure refused to create `vault.app`",
        "VaultAlreadyExists",
        "az keyvault recover --name",
        "az keyvault purge",
    ];
    fails(&world, STACK, "vault \"app\"", 521, &texts).await;
}

#[tokio::test(start_paused = true)]
async fn roles_and_policies_that_do_not_exist() {
    let world = World::new();
    let none = "99999999-8888-4777-8666-555555555555";
    let grant = format!(
        "{STACK}\ngrant \"none\" {{\n  to   = \"{}\"\n  role = \"{none}\"\n  on   = resource_group.app\n}}\n",
        world.emulator.identity().object_id
    );
    let texts = ["Azure refused to create `grant.none`", "RoleDefinitionDoesNotExist", "check its GUID"];
    fails(&world, &grant, "grant \"none\"", 510, &texts).await;
    let policy = format!(
        "{STACK}\npolicy \"none\" {{\n  definition = \"/providers/Microsoft.Authorization/policyDefinitions/{none}\"\n  on     = resource_group.app\n}}\n"
    );
    let texts = ["Azure refused to create `policy.none`", "PolicyDefinitionNotFound", "check its GUID"];
    fails(&world, &policy, "policy \"none\"", 510, &texts).await;
}

#[tokio::test(start_paused = true)]
async fn a_user_who_is_not_found() {
    let world = World::new();
    let source = format!("{STACK}\nexisting user \"ann\" {{\n  user_principal_name = \"ann@nowhere.example\"\n}}\n");
    let refused = world.attempt(&source, Mode::Apply, &Cancel::new()).await.err().unwrap();
    assert!(refused.contains("AKS0402") && refused.contains("user.ann"), "{refused}");
    assert!(world.store.document().is_none_or(|document| document.entries.is_empty()));
}
