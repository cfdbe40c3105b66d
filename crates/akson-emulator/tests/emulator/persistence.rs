//! A world on disk: what was answered is there after a kill, and nothing else ever is.

use std::fs;
use std::path::Path;
use std::time::Duration;

use akson_emulator::{Emulator, OpenError, Options, Store, WORLD_FORMAT};
use serde_json::{Value, json};

use crate::support::{Azure, pass};

fn at(folder: &Path) -> Options {
    Options { store: Store::Directory(folder.to_owned()), ..Options::default() }
}

#[tokio::test(start_paused = true)]
async fn what_was_answered_survives_a_kill_between_any_two_calls() {
    let folder = tempfile::tempdir().unwrap();
    let vault = "~/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kept";
    let mut last = None;
    let calls = [
        ("PUT ~/resourceGroups/g", json!({ "location": "westeurope" })),
        (
            "PUT ~/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/web",
            json!({ "location": "westeurope" }),
        ),
        (
            "PUT ~/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kept",
            json!({ "location": "westeurope", "properties": { "tenantId": "11111111-1111-4111-8111-111111111111", "sku": {"family": "A", "name": "standard"}, "accessPolicies": [] } }),
        ),
        ("DELETE ~/resourceGroups/g/providers/Microsoft.KeyVault/vaults/kept", Value::Null),
        (
            "PUT ~/resourceGroups/g/providers/Microsoft.Network/publicIPAddresses/ip",
            json!({ "location": "westeurope" }),
        ),
    ];
    for (call, body) in calls {
        let azure = Azure::open(at(folder.path())).await;
        let snapshot = azure.emulator.god().snapshot();
        if let Some(last) = last {
            assert_eq!((&snapshot.objects, &snapshot.deleted_vaults, &snapshot.operations), last_parts(&last));
        }
        let reply = azure.call(call, body).await;
        assert!(reply.status < 300, "{call} {}", reply.text);
        last = Some(azure.emulator.god().snapshot());
    }
    let azure = Azure::open(at(folder.path())).await;
    pass(60).await;
    let snapshot = azure.emulator.god().snapshot();
    assert!(snapshot.operations.is_empty(), "an operation ends in a reopened world");
    azure.check(&format!("GET {vault}"), Value::Null, "404 ResourceNotFound").await;
}

type Parts<'a> = (
    &'a std::collections::BTreeMap<String, Value>,
    &'a std::collections::BTreeMap<String, Value>,
    &'a Vec<akson_emulator::RunningOperation>,
);

fn last_parts(snapshot: &akson_emulator::Snapshot) -> Parts<'_> {
    (&snapshot.objects, &snapshot.deleted_vaults, &snapshot.operations)
}

#[tokio::test(start_paused = true)]
async fn the_clock_and_the_signed_in_principal_persist() {
    let folder = tempfile::tempdir().unwrap();
    let (identity, time) = {
        let azure = Azure::open(at(folder.path())).await;
        pass(1000).await;
        azure.group("g").await;
        (azure.emulator.identity(), azure.emulator.god().snapshot().world_time)
    };
    let azure = Azure::open(Options { seed: 99, ..at(folder.path()) }).await;
    assert_eq!(azure.emulator.identity(), identity);
    assert_eq!(azure.emulator.god().snapshot().world_time, time);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_goes_on_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let operation = {
        let azure = Azure::open(at(folder.path())).await;
        azure.group("g").await;
        azure.check("DELETE ~/resourceGroups/g", Value::Null, "202").await.header("location").to_owned()
    };
    let azure = Azure::open(at(folder.path())).await;
    azure.check(&format!("GET {operation}"), Value::Null, "202").await;
    tokio::time::advance(Duration::from_secs(100)).await;
    azure.check(&format!("GET {operation}"), Value::Null, "200").await;
    azure.check("GET ~/resourceGroups/g", Value::Null, "404 ResourceGroupNotFound").await;
}

#[tokio::test(start_paused = true)]
async fn worlds_that_cannot_be_opened() {
    let folder = tempfile::tempdir().unwrap();
    let first = Emulator::open(at(folder.path())).unwrap();
    assert!(matches!(Emulator::open(at(folder.path())), Err(OpenError::Locked { .. })));
    drop(first);
    let file = folder.path().join("world.json");
    let good = fs::read_to_string(&file).unwrap();

    let newer = good.replacen(&format!("\"format\":{WORLD_FORMAT}"), "\"format\":9", 1);
    fs::write(&file, &newer).unwrap();
    match Emulator::open(at(folder.path())) {
        Err(OpenError::NewerVersion { found: 9, known: WORLD_FORMAT, path }) => assert_eq!(path, file),
        other => panic!("{other:?}"),
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), newer, "left as it was");
    for broken in ["", "{}", "nonsense", "{\"format\":1}", &good[..good.len() / 2]] {
        fs::write(&file, broken).unwrap();
        assert!(matches!(Emulator::open(at(folder.path())), Err(OpenError::Broken { .. })), "{broken}");
        assert_eq!(fs::read_to_string(&file).unwrap(), broken);
    }
    fs::write(&file, good).unwrap();
    Emulator::open(at(folder.path())).unwrap();
    let not_a_folder = folder.path().join("world.json");
    assert!(matches!(Emulator::open(at(&not_a_folder)), Err(OpenError::Io { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_kill_in_the_middle_of_a_commit_leaves_the_world_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let azure = Azure::open(at(folder.path())).await;
    azure.group("g").await;
    drop(azure);
    fs::write(folder.path().join("world.json.tmp"), "{\"format\":1,\"wor").unwrap();
    let azure = Azure::open(at(folder.path())).await;
    azure.get("~/resourceGroups/g").await;
    azure.group("h").await;
    assert!(!folder.path().join("world.json.tmp").exists());
}

#[tokio::test(start_paused = true)]
async fn a_world_that_cannot_be_stored_does_not_change() {
    let folder = tempfile::tempdir().unwrap();
    let azure = Azure::open(at(folder.path())).await;
    azure.group("g").await;
    drop(azure);
    // The first call of a process writes the whole world, the others go on behind it.
    for file in ["world.json.tmp", "world.journal"] {
        let azure = Azure::open(at(folder.path())).await;
        if file == "world.journal" {
            azure.check("PATCH ~/resourceGroups/g", json!({ "tags": {} }), "200").await;
            let _ = fs::remove_file(folder.path().join(file));
        }
        let before = azure.emulator.god().snapshot().objects;
        // A folder in the place of the file: nobody can write there, root included.
        let obstacle = folder.path().join(file);
        fs::create_dir(&obstacle).unwrap();
        let put = format!("PUT ~/resourceGroups/{file}");
        let refused = azure.check(&put, json!({ "location": "westeurope" }), "500 InternalServerError").await;
        assert!(refused.text.contains("nothing was changed"), "{}", refused.text);
        azure.check("PATCH ~/resourceGroups/g", json!({ "tags": {"a": "b"} }), "500 InternalServerError").await;
        azure.check("DELETE ~/resourceGroups/g", Value::Null, "500 InternalServerError").await;
        let seed = json!({ "id": format!("{}/resourceGroups/s", azure.subscription) });
        assert!(azure.emulator.seed(vec![seed]).is_err());
        assert_eq!(azure.emulator.god().snapshot().objects, before);
        azure.get("~/resourceGroups/g").await;
        fs::remove_dir(&obstacle).unwrap();
        azure.group("h").await;
        drop(azure);
        let azure = Azure::open(at(folder.path())).await;
        azure.get("~/resourceGroups/h").await;
        azure.check("DELETE ~/resourceGroups/h", Value::Null, "202").await;
        tokio::time::advance(Duration::from_secs(100)).await;
        azure.check("GET ~/resourceGroups/h", Value::Null, "404 ResourceGroupNotFound").await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_journal_is_read_to_the_last_whole_line() {
    let folder = tempfile::tempdir().unwrap();
    let azure = Azure::open(at(folder.path())).await;
    azure.group("a").await;
    drop(azure);
    let azure = Azure::open(at(folder.path())).await;
    for name in ["first", "b", "c"] {
        azure.group(name).await;
    }
    drop(azure);
    let path = folder.path().join("world.journal");
    let whole = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    assert_eq!(lines.len(), 3, "a head, and what the second and the third call did");
    // Killed in the middle of the third.
    for end in lines[2].len() / 2..lines[2].len() {
        fs::write(&path, format!("{}{}{}", lines[0], lines[1], &lines[2][..end - 1])).unwrap();
        let azure = Azure::open(at(folder.path())).await;
        azure.get("~/resourceGroups/b").await;
        azure.check("GET ~/resourceGroups/c", Value::Null, "404 ResourceGroupNotFound").await;
    }
    // A line in the middle that is none is no world.
    fs::write(&path, format!("{}{{}}\n{}", lines[0], lines[2])).unwrap();
    match Emulator::open(at(folder.path())) {
        Err(OpenError::Broken { path: broken, .. }) => assert_eq!(broken, path),
        other => panic!("{other:?}"),
    }
    // That of another generation is left over from a kill between the two files.
    fs::write(&path, whole.replacen(":2}", ":1}", 1)).unwrap();
    let azure = Azure::open(at(folder.path())).await;
    azure.get("~/resourceGroups/a").await;
    azure.check("GET ~/resourceGroups/b", Value::Null, "404 ResourceGroupNotFound").await;
    azure.group("d").await;
    drop(azure);
    let azure = Azure::open(at(folder.path())).await;
    azure.get("~/resourceGroups/d").await;
}

#[tokio::test(start_paused = true)]
async fn a_long_journal_becomes_a_new_document() {
    let folder = tempfile::tempdir().unwrap();
    let azure = Azure::open(at(folder.path())).await;
    let long = "x".repeat(200_000);
    for number in 0..8 {
        azure.group(&format!("g{number}")).await;
        let id = format!("PUT ~/resourceGroups/g{number}/providers/A.B/c/d");
        azure.check(&id, json!({ "properties": {"text": long} }), "201").await;
    }
    let journal = fs::metadata(folder.path().join("world.journal")).unwrap().len();
    let document = fs::metadata(folder.path().join("world.json")).unwrap().len();
    assert!(journal < 1_200_000 && document > 900_000, "{journal} {document}");
    drop(azure);
    let azure = Azure::open(at(folder.path())).await;
    for number in 0..8 {
        azure.get(&format!("~/resourceGroups/g{number}/providers/A.B/c/d")).await;
    }
}
