//! Every step of a write fails once; every damage is passed over or refused; one run at a time.
#![allow(clippy::unwrap_used, reason = "a test that fails should say where")]

use std::sync::atomic::{AtomicU8, Ordering};

use futures_util::FutureExt as _;
use tempfile::TempDir;

use akson_catalog::SymbolicId;

use super::{
    super::{
        Binding, Entry,
        document::{Changed, Record, Text, tests::sample},
    },
    *,
};

/// The local store never waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().unwrap()
}

fn generation(number: u64) -> Document {
    let mut document = sample();
    document.generation = number;
    document
}

fn store(directory: &TempDir) -> LocalStore {
    LocalStore::new(directory.path(), "emulator", "myapp")
}

/// A locked store with generations `1..=newest`.
fn written(directory: &TempDir, newest: u64) -> LocalStore {
    let store = store(directory);
    now(store.lock("a test")).unwrap();
    now(store.load()).unwrap();
    for number in 1..=newest {
        now(store.commit(&generation(number).write(), number - 1)).unwrap();
    }
    store
}

fn load(directory: &TempDir) -> Result<Loaded, StoreError> {
    now(store(directory).load())
}

#[test]
fn nothing_is_there_before_the_first_write() {
    let directory = TempDir::new().unwrap();
    assert_eq!(load(&directory), Ok(Loaded::default()));
    assert!(!directory.path().join(".akson").exists(), "looking makes nothing");
}

#[test]
fn generations_follow_each_other_and_five_are_kept() {
    let directory = TempDir::new().unwrap();
    let store = written(&directory, 8);
    assert_eq!(load(&directory).unwrap().document, Some(generation(8)));
    for age in 1..=5 {
        let kept = Document::read(&fs::read(store.kept_path(age)).unwrap()).unwrap();
        assert_eq!(kept.generation, 8 - age as u64);
    }
    assert!(!store.kept_path(6).exists());
}

#[test]
fn whichever_step_fails_the_old_or_the_new_generation_is_there() {
    for failing in DiskStep::REPLACING {
        let directory = TempDir::new().unwrap();
        drop(written(&directory, 3));
        let store = store(&directory)
            .failing(move |step| if step == failing { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) });
        now(store.lock("a test")).unwrap();
        now(store.load()).unwrap();
        assert!(matches!(now(store.commit(&generation(4).write(), 3)), Err(StoreError::Io { .. })), "{failing:?}");
        let expected = if failing == DiskStep::SyncDirectory { 4 } else { 3 };
        let loaded = load(&directory).unwrap();
        assert_eq!((loaded.document, loaded.fallback), (Some(generation(expected)), None), "{failing:?}");
        // And the same run goes on once the disk has room again.
        drop(store);
        let next = super::tests::store(&directory);
        now(next.lock("a test")).unwrap();
        now(next.load()).unwrap();
        now(next.commit(&generation(expected + 1).write(), expected)).unwrap();
        let left: Vec<_> = fs::read_dir(directory.path().join(".akson/emulator"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert!(left.iter().all(|name| !name.to_string_lossy().contains("new-")), "{failing:?} leaves {left:?}");
    }
}

#[test]
fn a_write_after_a_failed_one_succeeds_in_the_same_run() {
    let directory = TempDir::new().unwrap();
    drop(written(&directory, 1));
    let failures = Arc::new(AtomicU8::new(1));
    let left = Arc::clone(&failures);
    let store = store(&directory).failing(move |step| {
        let fails = step == DiskStep::SyncDirectory && left.swap(0, Ordering::Relaxed) > 0;
        if fails { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    });
    now(store.lock("a test")).unwrap();
    now(store.load()).unwrap();
    assert!(now(store.commit(&generation(2).write(), 1)).is_err());
    now(store.commit(&generation(3).write(), 2)).unwrap();
    assert_eq!(load(&directory).unwrap().document, Some(generation(3)));
}

#[test]
fn a_damaged_generation_is_passed_over_and_told() {
    let directory = TempDir::new().unwrap();
    let store = written(&directory, 4);
    let path = store.path();
    drop(store);
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.iter().position(|byte| *byte == b'4').unwrap();
    bytes[at] = b'5';
    fs::write(&path, &bytes).unwrap();
    let loaded = load(&directory).unwrap();
    let fallback = loaded.fallback.unwrap();
    assert_eq!((loaded.document, fallback.generation), (Some(generation(3)), 3));
    assert!(fallback.used.ends_with("myapp.json.1"));
    assert!(fallback.unreadable[0].1.contains("checksum") || fallback.unreadable[0].1.contains("damaged"));

    fs::write(path.with_extension("json.1"), "x").unwrap();
    assert_eq!(load(&directory).unwrap().document, Some(generation(2)));

    // The damaged one is set aside at the next write, and does not push out a good one.
    let store = super::tests::store(&directory);
    now(store.lock("a test")).unwrap();
    now(store.load()).unwrap();
    now(store.commit(&generation(3).write(), 2)).unwrap();
    assert_eq!(load(&directory).unwrap(), Loaded { document: Some(generation(3)), fallback: None });
    assert_eq!(fs::read(path.with_extension("json.damaged")).unwrap(), bytes);
}

#[test]
fn a_lost_file_is_passed_over_and_told() {
    let directory = TempDir::new().unwrap();
    let path = written(&directory, 3).path();
    fs::remove_file(path).unwrap();
    let loaded = load(&directory).unwrap();
    assert_eq!(loaded.document, Some(generation(2)));
    assert_eq!(loaded.fallback.unwrap().unreadable[0].1, "it is not there");
}

#[test]
fn no_generation_is_better_than_a_wrong_one() {
    let directory = TempDir::new().unwrap();
    let path = written(&directory, 1).path();
    fs::write(&path, "{}").unwrap();
    assert!(matches!(load(&directory), Err(StoreError::Unreadable { reason: ReadError::Damaged(_), .. })));

    drop(written(&TempDir::new().unwrap(), 1));
    let newer = String::from_utf8(generation(1).write()).unwrap().replace("\"format\":1", "\"format\":3");
    fs::write(path.with_extension("json.1"), generation(1).write()).unwrap();
    fs::write(&path, newer).unwrap();
    assert!(matches!(load(&directory), Err(StoreError::Unreadable { reason: ReadError::Format(3), .. })));
}

#[test]
fn one_run_at_a_time() {
    let directory = TempDir::new().unwrap();
    let first = store(&directory);
    let second = store(&directory);
    now(first.lock("run 1")).unwrap();
    assert_eq!(now(second.lock("run 2")), Err(StoreError::Locked { holder: Some("run 1".to_owned()) }));
    assert_eq!(now(second.commit(b"{}", 0)), Err(StoreError::NotLocked));
    now(first.unlock()).unwrap();
    now(second.lock("run 2")).unwrap();
    drop(second);
    now(first.lock("run 1")).unwrap();
}

#[test]
fn a_file_that_changed_under_the_lock_is_not_replaced() {
    let directory = TempDir::new().unwrap();
    let store = written(&directory, 2);
    fs::write(store.path(), generation(9).write()).unwrap();
    assert_eq!(now(store.commit(&generation(3).write(), 2)), Err(StoreError::Conflict));
    assert_eq!(load(&directory).unwrap().document, Some(generation(9)));
}

#[cfg(unix)]
#[test]
fn others_can_neither_read_it_nor_lead_it_elsewhere() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let directory = TempDir::new().unwrap();
    let store = written(&directory, 2);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&store.path()), 0o600);
    assert_eq!(mode(&store.lock_path()), 0o600);
    assert_eq!(mode(&store.directory), 0o700);
    let path = store.path();
    drop(store);

    let elsewhere = directory.path().join("elsewhere");
    fs::rename(&path, &elsewhere).unwrap();
    symlink(&elsewhere, &path).unwrap();
    let irregular = |what| Err(StoreError::Irregular { path: path.display().to_string(), what });
    assert_eq!(load(&directory), irregular("a symbolic link"));
    assert!(now(super::tests::store(&directory).lock("x")).is_err());
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(load(&directory), irregular("no regular file"));
}

#[test]
fn names_stay_in_their_folder() {
    let path = |stack: &str| LocalStore::new(Path::new("/c"), "emulator", stack).path();
    assert_eq!(path("myapp"), Path::new("/c/.akson/emulator/myapp.json"));
    assert_eq!(path("my.app-1_x"), Path::new("/c/.akson/emulator/my.app-1_x.json"));
    assert_eq!(path("../../x"), Path::new("/c/.akson/emulator/%2e.%2f..%2fx.json"));
    assert_eq!(path(".."), Path::new("/c/.akson/emulator/%2e..json"));
    assert_eq!(path("ä b"), Path::new("/c/.akson/emulator/%c3%a4%20b.json"));
}

#[test]
fn an_unbound_document_is_written_like_any_other() {
    let directory = TempDir::new().unwrap();
    let store = written(&directory, 0);
    let document = Document { generation: 1, ..Document::new(Binding::default()) };
    now(store.commit(&document.write(), 0)).unwrap();
    assert_eq!(load(&directory).unwrap().document, Some(document));
}

/// A document of many resources with records after it, of which each takes the mark off one more.
fn records(count: u64) -> (Document, Vec<Vec<u8>>) {
    let mut document = generation(2);
    let mut text = Text::default();
    let mut sum = text.write(&document, 2, &document.writer, Some(0)).sum;
    let mut records = Vec::new();
    for number in 0..count {
        let id = SymbolicId::from_ledger(format!("/added/{number}"));
        document.entries.insert(id.clone(), Entry::default());
        document.generation += 1;
        let changed = Changed { entries: [id].into(), ..Changed::default() };
        let record = Record::of(&mut text, &document, &changed, document.generation, &sum);
        sum = record.sum;
        records.push(record.bytes);
    }
    (document, records)
}

/// A locked store with a document of generation 2 that takes records.
fn taking_records(directory: &TempDir) -> LocalStore {
    let store = written(directory, 1);
    let document = generation(2);
    let text = Text::default().write(&document, 2, &document.writer, Some(0));
    now(store.commit(&text.bytes, 1)).unwrap();
    store
}

#[test]
fn records_follow_a_document_in_the_same_file() {
    let directory = TempDir::new().unwrap();
    let store = taking_records(&directory);
    let (document, records) = records(3);
    for (at, record) in records.iter().enumerate() {
        now(store.append(record, 2 + at as u64)).unwrap();
    }
    assert_eq!(load(&directory).unwrap(), Loaded { document: Some(document.clone()), fallback: None });
    assert_eq!(Document::read(&fs::read(store.kept_path(1)).unwrap()), Ok(generation(1)), "nothing is kept of each");
    // The next document is written anew, and this one kept with its records.
    now(store.commit(&generation(6).write(), 5)).unwrap();
    assert_eq!(load(&directory).unwrap().document, Some(generation(6)));
    assert_eq!(Document::read(&fs::read(store.kept_path(1)).unwrap()), Ok(document));
}

#[test]
fn whichever_step_of_appending_fails_the_old_or_the_new_generation_is_there() {
    for failing in DiskStep::APPENDING {
        let directory = TempDir::new().unwrap();
        drop(taking_records(&directory));
        let store = store(&directory)
            .failing(move |step| if step == failing { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) });
        now(store.lock("a test")).unwrap();
        now(store.load()).unwrap();
        let (_, records) = records(1);
        assert!(matches!(now(store.append(&records[0], 2)), Err(StoreError::Io { .. })), "{failing:?}");
        let there = load(&directory).unwrap().document.unwrap().generation;
        assert_eq!(there, if failing == DiskStep::SyncRecord { 3 } else { 2 }, "{failing:?}");
        // The same run goes on with a whole document.
        now(store.commit(&generation(there + 1).write(), there)).unwrap();
        assert_eq!(load(&directory).unwrap().document, Some(generation(there + 1)));
    }
}

#[test]
fn nothing_is_appended_without_the_lock_or_to_another_file() {
    let directory = TempDir::new().unwrap();
    let (_, records) = records(1);
    let store = taking_records(&directory);
    now(store.unlock()).unwrap();
    assert_eq!(now(store.append(&records[0], 2)), Err(StoreError::NotLocked));
    now(store.lock("a test")).unwrap();
    fs::write(store.path(), generation(9).write()).unwrap();
    assert_eq!(now(store.append(&records[0], 2)), Err(StoreError::Conflict));
    fs::remove_file(store.path()).unwrap();
    assert_eq!(now(store.append(&records[0], 2)), Err(StoreError::Conflict));
    now(store.load()).unwrap();
    assert_eq!(now(store.append(&records[0], 2)), Err(StoreError::Conflict), "there is nothing to append to");
}

#[test]
fn of_damaged_records_those_before_are_used_and_that_is_told() {
    let directory = TempDir::new().unwrap();
    let store = taking_records(&directory);
    let (_, records) = records(3);
    for (at, record) in records.iter().enumerate() {
        now(store.append(record, 2 + at as u64)).unwrap();
    }
    let path = store.path();
    drop(store);
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.len() - records[2].len() - 3;
    bytes[at] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let loaded = load(&directory).unwrap();
    assert_eq!(loaded.document.unwrap().generation, 3);
    let fallback = loaded.fallback.unwrap();
    assert_eq!((fallback.generation, fallback.used.as_str()), (3, path.to_str().unwrap()));
    assert_eq!(fallback.unreadable[0].1, "its checksum does not fit its content");
    // Something newer beside it is better.
    fs::write(path.with_extension("json.3"), generation(4).write()).unwrap();
    assert_eq!(load(&directory).unwrap().fallback.unwrap().generation, 4);
    fs::write(path.with_extension("json.3"), generation(3).write()).unwrap();
    assert_eq!(load(&directory).unwrap().fallback.unwrap().used, path.to_str().unwrap());
}

#[test]
fn short_documents_are_replaced() {
    assert_eq!(LocalStore::new(Path::new("/c"), "emulator", "x").appends_from(), Some(256 * 1024));
    assert_eq!(LocalStore::new(Path::new("/c"), "emulator", "x").appending_from(7).appends_from(), Some(7));
}
