//! `akson emulator start` and its options, as a user gives them. What the emulator answers is tested in its own crate, other
//! people's clients in `tests/clients`.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    time::{Duration, Instant},
};

use akson_tests::{Folder, Ran};
use serde_json::{Value, json};

const GROUP: &str = "/subscriptions/22222222-2222-4222-8222-222222222222/resourceGroups/seeded";

/// Asks the emulator itself, or a service by path, without signing in: the status line and the body.
fn ask(url: &str, call: &str) -> (String, String) {
    let address = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "{call} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.lines().next().unwrap_or_default().to_owned(), body.to_owned())
}

fn json_of(url: &str, path: &str) -> Value {
    let (status, body) = ask(url, &format!("GET {path}"));
    assert_eq!(status, "HTTP/1.1 200 OK", "{body}");
    serde_json::from_str(&body).unwrap()
}

fn folder() -> Folder {
    Folder::with("stack \"none\" { location = \"westeurope\" }\n")
}

/// Runs `akson emulator start`, which is expected to refuse.
fn refused(folder: &Folder, arguments: &[&str]) -> Ran {
    let all = [&["emulator", "start"], arguments].concat();
    folder.akson(&all).exits(1)
}

#[test]
fn seeds_from_files_and_folders() {
    let folder = folder();
    let cluster = format!("{GROUP}/providers/Microsoft.ContainerService/managedClusters/aks");
    let vault = format!("{GROUP}/providers/Microsoft.KeyVault/vaults/seeded-kv");
    // What lies in a cluster or a vault comes first here, and lists are as calls answer them.
    let inside = json!([
        { "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "settings", "namespace": "web" }, "data": { "a": "b" } },
        { "id": "https://seeded-kv.vault.azure.net/secrets/password", "value": "hidden" },
    ]);
    folder.write("seeds/a.json", &inside.to_string());
    folder.write("seeds/inner/list.json", &json!({ "value": [{ "id": vault, "location": "westeurope" }] }).to_string());
    let lines = [
        json!({ "id": cluster, "location": "westeurope" }),
        json!({ "@odata.type": "#microsoft.graph.group", "displayName": "seeded admins" }),
    ];
    folder.write("seeds/lines.jsonl", &format!("{}\n\n{}\n", lines[0], lines[1]));
    folder.write("seeds/readme.txt", "not for loading");
    let emulator = folder.start_emulator(&["--seed", "seeds"]);
    let world = json_of(&emulator.url, "/_emulator/world");
    let objects = world["objects"].as_object().unwrap();
    for id in [&cluster, &vault, &format!("{vault}/secrets/password")] {
        assert!(objects.contains_key(&id.to_ascii_lowercase()), "{id} is missing: {:?}", objects.keys());
    }
    let directory = world["directory"].as_object().unwrap();
    assert!(directory.values().any(|entry| entry["displayName"] == "seeded admins"));
    let settings = &world["kubernetes"][format!("{}//configmaps./web/settings", cluster.to_ascii_lowercase())];
    assert_eq!(settings["data"]["a"], "b");
    drop(emulator);

    // One file, over what is there.
    folder.write("one.json", &json!({ "id": vault, "location": "northeurope" }).to_string());
    let emulator = folder.start_emulator(&["--seed", "one.json"]);
    let world = json_of(&emulator.url, "/_emulator/world");
    assert_eq!(world["objects"][vault.to_ascii_lowercase()]["location"], "northeurope");
}

#[test]
fn a_seed_that_cannot_be_loaded_is_named() {
    let folder = folder();
    folder.write("seeds/a.json", &json!([{ "id": GROUP }, { "id": format!("{GROUP}2") }]).to_string());
    folder
        .write("seeds/b.jsonl", &format!("{}\n{}\n", json!({ "id": format!("{GROUP}3") }), json!({ "name": "no id" })));
    let _ = refused(&folder, &["--seed", "seeds"]).says("AKS0687").says("object 2 of `seeds/b.jsonl`");
    folder.write("broken.jsonl", &format!("{}\n{{\n", json!({ "id": GROUP })));
    let _ = refused(&folder, &["--seed", "broken.jsonl"]).says("AKS0687").says("line 2");
    let _ = refused(&folder, &["--seed", "nowhere.json"]).says("AKS0687").says("nowhere.json");
    let world = folder.world();
    assert_eq!(world.god().ids().iter().filter(|id| id.contains("seeded")).count(), 0, "all or nothing");
}

#[test]
fn time_latency_and_faults() {
    let folder = folder();
    let _ = refused(&folder, &["--time-scale", "0"]).says("AKS0689");
    let _ = refused(&folder, &["--faults", "nowhere.json"]).says("AKS0689");
    let _ = folder.akson(&["emulator", "start", "--latency", "slow"]).exits(64).says("realistic");
    folder.write(
        "faults.json",
        &json!([{ "match": { "path": "/subscriptions" }, "effect": { "kind": "status", "status": 503 }, "limit": 1 }])
            .to_string(),
    );
    let emulator = folder.start_emulator(&["--time-scale", "7", "--latency", "none", "--faults", "faults.json"]);
    assert_eq!(json_of(&emulator.url, "/_emulator/info")["time_scale"], 7.0);
    assert_eq!(ask(&emulator.url, "GET /subscriptions").0, "HTTP/1.1 503 Service Unavailable");
    assert_eq!(ask(&emulator.url, "GET /subscriptions").0, "HTTP/1.1 401 Unauthorized");
    let took = |url: &str| {
        let begin = Instant::now();
        for _ in 0..6 {
            ask(url, "GET /subscriptions");
        }
        begin.elapsed()
    };
    let quick = took(&emulator.url);
    let authority = folder.path().join(".akson/emulator/world/ca.pem");
    assert!(is_certificate(&authority));
    drop(emulator);
    // At least a tenth of a second each.
    let emulator = folder.start_emulator(&["--time-scale", "1", "--latency", "realistic"]);
    let slow = took(&emulator.url);
    assert!(slow >= Duration::from_millis(600), "{slow:?}");
    assert!(quick < slow, "{quick:?} {slow:?}");
}

/// The examples of the book's page, in its order: seeds, then faults.
#[test]
fn the_book_is_right() {
    let page = std::fs::read_to_string(akson_tests::root().join("book/src/concepts/emulator.md")).unwrap();
    let examples: Vec<&str> =
        page.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default()).collect();
    let [seed, faults] = examples.as_slice() else { panic!("{} examples", examples.len()) };
    let folder = folder();
    folder.write("seed.json", seed);
    folder.write("faults.json", faults);
    let emulator = folder.start_emulator(&["--seed", "seed.json", "--faults", "faults.json"]);
    let world = json_of(&emulator.url, "/_emulator/world");
    assert!(world["objects"].as_object().unwrap().keys().any(|id| id.ends_with("/resourcegroups/shop")));
    assert!(world["directory"].to_string().contains("ann@example.com"));
    assert_eq!(json_of(&emulator.url, "/_emulator/faults").as_array().unwrap().len(), 2);
}

/// A certificate, and no key beside it.
fn is_certificate(path: &Path) -> bool {
    let text = std::fs::read_to_string(path).unwrap();
    text.starts_with("-----BEGIN CERTIFICATE-----") && !text.contains("PRIVATE KEY")
}
