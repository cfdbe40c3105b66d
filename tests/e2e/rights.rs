//! Missing rights, as people see them: the block, the action, the role, the command; what succeeded is recorded.

use akson_emulator::Denial;
use akson_tests::Folder;
use serde_json::json;

const STACK: &str = r#"stack "app" {
  location = "westeurope"
}

resource_group "app" {
  name = "app-rg"
}

identity "app" {
  name           = "app-id"
  resource_group = resource_group.app
}
"#;

fn deny(folder: &Folder, actions: &[&str]) {
    let denied = actions.iter().map(|action| json!({ "action": action, "scope": "/" })).collect();
    let denied: Vec<Denial> = serde_json::from_value(serde_json::Value::Array(denied)).unwrap();
    folder.world().god().set_denied_actions(denied).unwrap();
}

#[test]
fn a_write_that_may_not_be() {
    let folder = Folder::with(STACK);
    deny(&folder, &["Microsoft.ManagedIdentity/*/write"]);
    let _ = folder
        .apply()
        .exits(3)
        .says("error[AKS0511]: the signed-in principal may not create `identity.app`")
        .says("main.aks:9:1")
        .says("it lacks the action `Microsoft.ManagedIdentity/userAssignedIdentities/write`")
        .says("--role \"Managed Identity Contributor\" --scope /subscriptions/");
    // What succeeded is recorded: there is one thing left to do.
    assert_eq!(folder.actions(), ["identity.app create"]);
    deny(&folder, &[]);
    let _ = folder.apply().exits(0);
    folder.settled();
}

#[test]
fn a_read_that_may_not_be() {
    let folder = Folder::with(STACK);
    deny(&folder, &["Microsoft.ManagedIdentity/*/read"]);
    let ran = folder.akson(&["plan", "--format", "json"]).exits(1);
    let found = ran.json();
    let found = &found["diagnostics"][0];
    assert_eq!((found["code"].as_str(), found["address"].as_str()), (Some("AKS0511"), Some("identity.app")));
    assert_eq!(found["labels"][0]["line"], 9, "{found:#}");
    let notes = found["notes"].to_string();
    assert!(notes.contains("the role `Reader` has it") && notes.contains("userAssignedIdentities/read"), "{notes}");
    assert!(!folder.path().join(".akson/emulator/app.json").exists());
    // What could not be looked at is never "no drift".
    let _ = folder.akson(&["drift"]).exits(1).says("AKS0511");
}

#[test]
fn a_group_renamed_by_the_binary() {
    let folder = Folder::with(&format!("{STACK}\ngroup \"dev\" {{\n  display_name = \"developers\"\n}}\n"));
    let _ = folder.apply().exits(0);
    folder.edit("main.aks", "\"developers\"", "\"engineers\"");
    assert_eq!(folder.actions(), ["group.dev update"]);
    let _ = folder.apply().exits(0);
    folder.settled();
}
