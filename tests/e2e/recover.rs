//! A ledger that was lost or damaged is made again of the marks in Azure: shown first, written on consent, nothing of others taken, and
//! deletes work again with both keys.

use std::fs;

use akson_tests::Folder;
use serde_json::{Value, json};

const STACK: &str = r#"stack "app" {
  location = "westeurope"
}

resource_group "app" {
  name = "app-rg"
  tags = { owner = "platform" }
}

identity "app" {
  for_each       = ["mail", "shop"]
  name           = "id-${each.key}"
  resource_group = resource_group.app
}

group "developers" { display_name = "app-developers" }

vault "app" {
  name           = "kv-recover-test"
  resource_group = resource_group.app
}

secret "key" {
  vault = vault.app
  name  = "key"
  value = generated(32)
}

lock "mail" {
  name  = "keep"
  on    = identity.app["mail"]
  level = cannot_delete
}

grant "reads" {
  for_each = ["mail", "shop"]
  to       = identity.app[each.key]
  role     = "Key Vault Secrets User"
  on       = vault.app
}

grant "developers" {
  to   = group.developers
  role = "Reader"
  on   = resource_group.app
}
"#;

/// How many resources it has.
const COUNT: usize = 10;

fn applied(text: &str) -> Folder {
    let folder = Folder::with(text);
    let _ = folder.apply().exits(0);
    folder
}

fn ledger(folder: &Folder) -> Vec<std::path::PathBuf> {
    let files = fs::read_dir(folder.path().join(".akson/emulator")).unwrap();
    let mut files: Vec<_> = files.map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    files.sort();
    files
}

fn lose(folder: &Folder) {
    for file in ledger(folder) {
        fs::remove_file(file).unwrap();
    }
}

/// The entries without what changes from run to run, by symbolic id.
fn entries(folder: &Folder) -> Vec<Value> {
    let shown = folder.akson(&["ledger", "show", "--format", "json"]).exits(0).json();
    shown["entries"].as_array().unwrap().clone()
}

#[test]
fn what_bears_the_mark_comes_back_and_the_plan_is_empty() {
    let folder = applied(STACK);
    let before = entries(&folder);
    assert_eq!(before.len(), COUNT);
    lose(&folder);
    let _ = folder
        .akson(&["ledger", "recover"])
        .exits(1)
        .says("AKS0690")
        .says("Bears this stack's mark, and is declared:")
        .says("grant.reads[\"shop\"]");
    assert_eq!(entries(&folder), [json!(null); 0], "nothing was written");
    let told = folder.akson(&["ledger", "recover", "--yes", "--format", "json"]).exits(0).json();
    assert_eq!(
        (told["recovered"].as_array().unwrap().len(), told["written"].as_bool()),
        (COUNT, Some(true)),
        "{told:#}"
    );
    assert_eq!(told["unmarked"], json!([]));
    assert_eq!(entries(&folder), before, "ids, kinds, states and addresses");
    folder.settled();
    let _ = folder.akson(&["ledger", "recover", "--yes"]).exits(0).says("Nothing is to be added");
    let _ = folder.apply().exits(0);
    folder.settled();
}

#[test]
fn what_no_block_declares_is_deleted_again_with_both_keys() {
    let folder = applied(STACK);
    lose(&folder);
    folder.edit("main.aks", "[\"mail\", \"shop\"]", "[\"mail\"]");
    folder.settled();
    let _ = folder
        .akson(&["ledger", "recover", "--yes"])
        .exits(0)
        .says("no block declares it: the next apply would delete it")
        .says("id-shop");
    assert_eq!(entries(&folder).len(), COUNT);
    let plan = folder.plan();
    let deleted: Vec<&Value> =
        plan["changes"].as_array().unwrap().iter().filter(|change| change["action"] == "delete").collect();
    assert_eq!(deleted.len(), 2, "{plan:#}");
    // The role assignment goes before whom it was given to.
    let _ = folder.apply().exits(0);
    assert!(!folder.world().god().ids().iter().any(|id| id.contains("id-shop")));
    let _ = folder.apply().exits(0);
    folder.settled();
    assert_eq!(entries(&folder).len(), COUNT - 2);
}

#[test]
fn a_mark_that_is_gone_copied_or_of_another_stack_brings_nothing_back() {
    let folder = applied(STACK);
    lose(&folder);
    folder.edit("main.aks", "[\"mail\", \"shop\"]", "[\"mail\"]");
    {
        let world = folder.world();
        let god = world.god();
        let find = |end: &str| god.ids().into_iter().find(|id| id.ends_with(end)).unwrap();
        let (mail, shop) = (find("/id-mail"), find("/id-shop"));
        // A mark that was made for something else, and one of a stack that is not this.
        let copied = god.object(&mail).unwrap()["tags"]["akson"].clone();
        assert!(god.edit(&shop, |identity| identity["tags"]["akson"] = copied).unwrap());
        let hash = god.object(&mail).unwrap()["tags"]["akson"].as_str().unwrap().split_once('/').unwrap().1.to_owned();
        let theirs = json!(format!("6ba7b810-9dad-11d1-80b4-00c04fd430c8/{hash}"));
        assert!(god.edit(&mail, |identity| identity["tags"]["akson"] = theirs).unwrap());
    }
    let told = folder.akson(&["ledger", "recover", "--yes", "--format", "json"]).exits(0).json();
    let ids: Vec<&str> =
        told["recovered"].as_array().unwrap().iter().map(|found| found["id"].as_str().unwrap()).collect();
    assert!(!ids.iter().any(|id| id.ends_with("/id-shop") || id.ends_with("/id-mail")), "{ids:#?}");
    assert_eq!(told["unmarked"], json!(["identity.app[\"mail\"]"]));
    assert_eq!(told["other_stacks"].as_array().unwrap().len(), 1, "{told:#}");
    assert_eq!(told["other_stacks"][0]["stack_id"], "6ba7b810-9dad-11d1-80b4-00c04fd430c8");
    // The grant of the removed instance is known by its mark alone.
    assert!(told["recovered"].as_array().unwrap().iter().any(|found| found["declared"] == false), "{told:#}");
    // The other stack's is refused as ever, and what lost its mark is nobody's.
    let _ = folder.akson(&["plan"]).exits(1).says("AKS0403");
}

#[test]
fn a_damaged_one_is_kept_aside_and_made_again() {
    let folder = applied(STACK);
    let before = entries(&folder);
    let whole = folder.path().join(".akson/emulator/app.json");
    for file in ledger(&folder).into_iter().filter(|file| file.extension().is_none_or(|end| end != "lock")) {
        fs::write(file, "{ damaged").unwrap();
    }
    let _ = folder.akson(&["plan"]).exits(1).says("AKS0604").says("akson ledger recover");
    let _ = folder.akson(&["ledger", "recover", "--yes"]).exits(0).says("cannot be read: ");
    assert_eq!(entries(&folder), before);
    let aside = fs::read_to_string(folder.path().join(".akson/emulator/app.json.damaged")).unwrap();
    assert_eq!(aside, "{ damaged");
    folder.settled();

    // Of the generation before, where that can be read: what was made after it is found by its mark.
    let _ = folder.akson(&["ledger", "forget", "vault.app"]).exits(0);
    let _ = folder.akson(&["ledger", "forget", "grant.reads[\"mail\"]"]).exits(0);
    fs::write(&whole, "{ damaged again").unwrap();
    let _ = folder.akson(&["ledger", "recover", "--yes"]).exits(0).says("vault.app");
    assert_eq!(entries(&folder), before);
    folder.settled();

    // A newer version's is never written over.
    fs::write(&whole, r#"{"format":99}"#).unwrap();
    let _ = folder.akson(&["ledger", "recover", "--yes"]).exits(1).says("AKS0606");
    assert_eq!(fs::read_to_string(&whole).unwrap(), r#"{"format":99}"#);
}

/// As somebody else asks the storage account.
fn blob(folder: &Folder, method: &str, url: &str, content: &'static str) -> (u16, String) {
    let world = folder.world();
    let token = world.god().token(&world.identity().object_id, "https://storage.azure.com").unwrap();
    let request = http::Request::builder()
        .method(method)
        .uri(url)
        .header("authorization", format!("Bearer {token}"))
        .header("x-ms-version", "2021-12-02")
        .header("x-ms-blob-type", "BlockBlob")
        .body(bytes::Bytes::from_static(content.as_bytes()))
        .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answer = runtime.block_on(world.handle(request)).unwrap();
    (answer.status().as_u16(), String::from_utf8_lossy(answer.body()).into_owned())
}

#[test]
fn one_in_a_blob_too() {
    const URL: &str = "https://platform.blob.core.windows.net/ledgers/app.json";
    let text = STACK.replacen("stack \"app\" {", &format!("stack \"app\" {{\n  ledger = azure_blob(\"{URL}\")"), 1);
    let folder = applied(&text);
    let before = entries(&folder);
    assert_eq!(before.len(), COUNT);
    assert_eq!(blob(&folder, "PUT", URL, "{ damaged").0, 201);
    let _ = folder.akson(&["plan"]).exits(1).says("AKS0604");
    let _ = folder.akson(&["ledger", "recover", "--yes"]).exits(0);
    assert_eq!(entries(&folder), before);
    folder.settled();
    assert_eq!(blob(&folder, "GET", &format!("{URL}.damaged"), ""), (200, "{ damaged".to_owned()));
    assert_eq!(blob(&folder, "DELETE", URL, "").0, 202);
    let _ = folder.akson(&["ledger", "recover", "--yes"]).exits(0);
    assert_eq!(entries(&folder), before);
    folder.settled();
}

#[test]
fn what_lies_in_a_cluster_comes_back_through_its_api_server() {
    let folder = Folder::with(
        r#"stack "app" {
  location = "westeurope"
}

resource_group "app" { name = "app-rg" }

cluster "main" {
  name           = "aks"
  resource_group = resource_group.app
  entra { authorization = azure_rbac }
  local_accounts = disabled

  node_pool "system" {
    mode    = system
    vm_size = "Standard_D4s_v5"
    scale   = fixed(3)
  }
}

namespace "app" {
  cluster = cluster.main
  name    = "app"
}

service_account "app" {
  cluster   = cluster.main
  namespace = namespace.app
  name      = "web"
}
"#,
    );
    let _ = folder.apply().exits(0);
    let before = entries(&folder);
    lose(&folder);
    let told = folder.akson(&["ledger", "recover", "--yes", "--format", "json"]).exits(0).json();
    // A pool takes no mark.
    assert_eq!(told["unmarked"], json!(["cluster.main.node_pool.system"]), "{told:#}");
    assert_eq!(told["unseen"], json!([]));
    assert_eq!(entries(&folder).len(), before.len() - 1);
    assert_eq!(folder.actions(), ["cluster.main.node_pool.system adopt"]);
    let _ = folder.apply().exits(0);
    let without_ids = |entries: Vec<Value>| {
        let states = entries.into_iter().map(|entry| (entry["symbolic_id"].clone(), entry["state"].clone()));
        states.collect::<Vec<_>>()
    };
    assert_eq!(without_ids(entries(&folder)), without_ids(before));
    folder.settled();
    // And goes again with both keys.
    lose(&folder);
    let text = fs::read_to_string(folder.path().join("main.aks")).unwrap();
    folder.write("main.aks", text.split("service_account").next().unwrap());
    let _ = folder.akson(&["ledger", "recover", "--yes"]).exits(0).says("no block declares it");
    assert!(folder.actions().iter().any(|action| action.ends_with(" delete")), "{:?}", folder.actions());
    let _ = folder.apply().exits(0);
}
