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
    let before = azure.emulator.god().snapshot().objects;
    // A folder in the place of the temporary file: nobody can write there, root included.
    let obstacle = folder.path().join("world.json.tmp");
    fs::create_dir(&obstacle).unwrap();
    let refused =
        azure.check("PUT ~/resourceGroups/h", json!({ "location": "westeurope" }), "500 InternalServerError").await;
    assert!(refused.text.contains("nothing was changed"), "{}", refused.text);
    azure.check("PATCH ~/resourceGroups/g", json!({ "tags": {"a": "b"} }), "500 InternalServerError").await;
    azure.check("DELETE ~/resourceGroups/g", Value::Null, "500 InternalServerError").await;
    assert!(azure.emulator.seed(vec![json!({ "id": format!("{}/resourceGroups/s", azure.subscription) })]).is_err());
    assert_eq!(azure.emulator.god().snapshot().objects, before);
    azure.get("~/resourceGroups/g").await;
    fs::remove_dir(&obstacle).unwrap();
    azure.group("h").await;
    drop(azure);
    let azure = Azure::open(at(folder.path())).await;
    azure.get("~/resourceGroups/h").await;
}
