//! Plans without Azure: from what was recorded the same plan is made, also of a changed configuration; what a recording does not tell is never
//! taken for absent unasked; and there is no secret on it.

use std::{collections::BTreeMap, fs};

use akson_tests::{Folder, Ran};
use serde_json::{Value, json};

use super::reader;

/// What a pull request adds: of kinds that are there, of kinds that are not, in resources that are there and in new ones.
const MORE: &str = r#"
resource_group "more" { name = "more-rg" }

identity "more" {
  name           = "more-id"
  resource_group = resource_group.more
}

federated_credential "more" {
  identity = identity.more
  name     = "more"
  issuer   = "https://token.actions.githubusercontent.com"
  subject  = "repo:example/more:ref:refs/heads/main"
}

federated_credential "release" {
  identity = identity.cluster
  name     = "release"
  issuer   = "https://token.actions.githubusercontent.com"
  subject  = "repo:example/app:environment:release"
}

vault "more" {
  name             = "more-kv-77"
  resource_group   = resource_group.more
  purge_protection = enabled
}

secret "more" {
  vault = vault.app
  name  = "more"
  value = generated(32)
}

grant "more" {
  to   = identity.more
  role = "Key Vault Secrets User"
  on   = vault.app
}

group "more" { display_name = "more-people" }

node_pool "more" {
  cluster = cluster.main
  vm_size = "Standard_D4s_v5"
  scale   = fixed(1)
}

namespace "more" {
  cluster = cluster.main
  name    = "more"
}
"#;

/// The configuration of a folder alone, as somebody has it who cloned the repository, with a recording beside it.
fn clone(folder: &Folder, recording: &str) -> Folder {
    let other = Folder::new();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "aks") {
            fs::copy(&path, other.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    fs::copy(folder.path().join(recording), other.path().join("a.recording")).unwrap();
    other
}

/// Runs it where there is nobody to ask and nobody to sign in as.
fn offline(folder: &Folder, arguments: &[&str]) -> Ran {
    let mut command = folder.command(arguments);
    command.env_remove("AKSON_CLOUD").env("HTTPS_PROXY", "http://127.0.0.1:9").env("AZURE_CLIENT_ID", "nobody");
    Ran::of(&mut command)
}

/// What is planned, by address.
fn planned(plan: &Value) -> BTreeMap<String, String> {
    let text = |change: &Value, key: &str| change[key].as_str().unwrap().to_owned();
    plan["changes"].as_array().unwrap().iter().map(|change| (text(change, "address"), text(change, "action"))).collect()
}

#[test]
fn a_recording_of_every_kind_gives_the_same_plan_and_that_of_a_pull_request() {
    let (folder, emulator) = reader::stack();
    reader::let_in(&emulator, &[reader::READER, reader::ROLES_READER], &reader::GRAPH);
    folder.edit("main.aks", "retention_days = 90", "retention_days = 60");
    emulator.ask("DELETE", "/_emulator/requests", "");
    let made = reader::as_reader(&folder, &["plan", "--record", "all.recording", "--format", "json"]).exits(0).json();
    assert_eq!(reader::more_than_reads(&emulator), Vec::<String>::new());
    assert_eq!(
        planned(&made).into_iter().collect::<Vec<_>>(),
        [("log_workspace.security".to_owned(), "update".to_owned())]
    );

    let other = clone(&folder, "all.recording");
    emulator.ask("DELETE", "/_emulator/requests", "");
    let again = offline(&other, &["plan", "--snapshot", "a.recording", "--format", "json"]).exits(0).json();
    assert_eq!(again["digest"], made["digest"], "{again:#}");
    assert_eq!(again["changes"], made["changes"]);
    assert_eq!(again["cloud"], "emulator");
    assert!(again["recording"]["recorded_at"].is_string() && made.get("recording").is_none());
    let _ = offline(&other, &["plan", "--snapshot", "a.recording"]).exits(0).says("from a recording of 20");
    let _ = offline(&other, &["plan", "--snapshot", "a.recording", "--format", "markdown"])
        .exits(0)
        .says("from a recording of 20");
    let _ = offline(&other, &["drift", "--snapshot", "a.recording"]).exits(0).says("No drift");
    assert_eq!(emulator.ask("GET", "/_emulator/requests", ""), "[]", "nobody was asked");
    assert!(!other.path().join(".akson").exists(), "it writes nothing");

    // The pull request.
    other.write("more.aks", MORE);
    other.edit("main.aks", "retention_days = 60", "retention_days = 45");
    let more = offline(&other, &["plan", "--snapshot", "a.recording", "--format", "json"]).exits(0).json();
    let live = Folder::new();
    for name in ["main.aks", "access.aks", "app.aks", "network.aks", "rest.aks", "more.aks"] {
        fs::copy(other.path().join(name), live.path().join(name)).unwrap();
        fs::copy(other.path().join(name), folder.path().join(name)).unwrap();
    }
    let of_azure = reader::as_reader(&folder, &["plan", "--format", "json"]).exits(0).json();
    assert_eq!(planned(&more), planned(&of_azure));
    assert_eq!(more["digest"], of_azure["digest"], "the same as with Azure");
    assert_eq!(planned(&more).values().filter(|action| *action == "create").count(), 10);

    // What a recording cannot know.
    other.write("raw.aks", "resource \"Microsoft.Maps/accounts@2023-06-01\" \"maps\" {\n  parent   = resource_group.app\n  name     = \"maps\"\n  location = \"westeurope\"\n  body     = { sku = { name = \"G2\" } }\n}\n");
    let _ = offline(&other, &["plan", "--snapshot", "a.recording"])
        .exits(1)
        .says("error[AKS0540]")
        .says("raw.aks:1:1")
        .says("akson plan --record FILE");
    let assumed =
        offline(&other, &["plan", "--snapshot", "a.recording", "--assume-absent", "--format", "json"]).exits(0).json();
    assert_eq!(planned(&assumed)["resource.maps"], "create");
    assert!(
        assumed["recording"]["assumed_absent"][0].as_str().unwrap().ends_with("Microsoft.Maps/accounts/maps"),
        "{assumed:#}"
    );
    let _ = offline(&other, &["plan", "--snapshot", "a.recording", "--assume-absent"])
        .exits(0)
        .says("taken for absent: `/subscriptions/");
    other.write("raw.aks", "existing group \"x\" {\n  display_name = \"nobody asked for\"\n}\n");
    let _ = offline(&other, &["plan", "--snapshot", "a.recording"]).exits(1).says("AKS0540").says("raw.aks:1:1");
}

const STACK: &str = r#"stack "app" { location = "westeurope" }

variable "owner" {
  type      = string
  sensitive = true
}

resource_group "app" {
  name = "app-rg"
  tags = { owner = var.owner, team = "payments" }
}

identity "app" {
  name           = "app-id"
  resource_group = resource_group.app
}
"#;

#[test]
fn no_secret_is_on_a_recording() {
    let folder = Folder::with(STACK);
    let owner = "owner=somebody-nobody-knows-4471";
    let _ = folder.akson(&["apply", "--auto-approve", "--var", owner]).exits(0);
    // Somebody left secrets where they do not belong.
    {
        let world = folder.world();
        let subscription = world.identity().subscription;
        let group = format!("/subscriptions/{subscription}/resourceGroups/app-rg");
        world
            .god()
            .edit(&group, |body| {
                body["tags"]["connectionString"] = "Endpoint=sb://x;SharedAccessKey=canary-1".into();
                body["tags"]["link"] = "https://x.blob.core.windows.net/c?sv=1&sig=canary-2".into();
                body["tags"]["token"] =
                    "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJvaWQiOiJjYW5hcnkifQ.c2lnbmF0dXJl".into();
            })
            .unwrap();
        world
            .god()
            .put_object(
                &format!("/subscriptions/{subscription}/resourceGroups/foreign"),
                json!({"location": "westeurope", "tags": {"primaryKey": "canary-3"}}),
            )
            .unwrap();
    }
    let _ = folder.akson(&["plan", "--record", "a.recording", "--var", owner]).exits(0).says("recorded");
    let text = fs::read_to_string(folder.path().join("a.recording")).unwrap();
    for canary in ["canary-", "nobody-knows", "eyJ0eXAi", "Bearer", "uthorization\":"] {
        assert!(!text.contains(canary), "{canary} in {text}");
    }
    assert!(text.contains("payments") && text.contains("app-rg"), "{text}");
    let other = clone(&folder, "a.recording");
    let _ = offline(&other, &["plan", "--snapshot", "a.recording", "--var", owner, "--detailed-exitcode"]).exits(0);

    // A value that looks like a secret, and is set openly, would be missing: nothing is written then.
    folder.edit("main.aks", "team = \"payments\"", "password = \"a word to pass\"");
    let _ = folder.akson(&["apply", "--auto-approve", "--var", owner]).exits(0);
    let _ = folder.akson(&["plan", "--record", "b.recording", "--var", owner]).exits(1).says("AKS0661");
    assert!(!folder.path().join("b.recording").exists());
}

#[test]
fn what_is_no_recording_of_this_stack_is_refused() {
    let folder = Folder::with(STACK);
    let owner = ["--var", "owner=a"];
    let plan = |arguments: &[&str]| {
        let all: Vec<&str> = ["plan"].iter().chain(arguments).chain(&owner).copied().collect();
        offline(&folder, &all)
    };
    let _ = folder.akson(&["plan", "--record", "a.recording", "--var", "owner=a"]).exits(0);
    let _ = plan(&["--snapshot", "nowhere"]).exits(1).says("AKS0660");
    let text = fs::read_to_string(folder.path().join("a.recording")).unwrap();
    for (name, broken) in [
        ("empty", String::new()),
        ("plan", "{\"format\":\"akson-plan-1\"}\n".to_owned()),
        ("cut", text[..text.len() - 9].to_owned()),
        ("odd", text.replace("\"status\":200", "\"status\":\"ok\"")),
        ("cloud", text.replacen("\"cloud\":\"emulator\"", "\"cloud\":\"moon\"", 1)),
    ] {
        folder.write(name, &broken);
        let _ = plan(&["--snapshot", name]).exits(1).says("AKS0660");
    }
    let _ = plan(&["--snapshot", "a.recording", "--record", "b"]).exits(64);
    let _ = plan(&["--assume-absent"]).exits(64);
    // The approval of a plan that was made without Azure is one like any other: what is applied is planned again.
    let _ = plan(&["--snapshot", "a.recording", "--out", "a.plan"]).exits(0);
    let _ = folder.akson(&["apply", "a.plan", "--var", "owner=a"]).exits(0);
    folder.edit("main.aks", "stack \"app\"", "stack \"shop\"");
    let _ =
        plan(&["--snapshot", "a.recording"]).exits(1).says("the recording is of the stack `app`, and this is `shop`");
}
