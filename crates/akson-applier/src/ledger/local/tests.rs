//! Every step of a write fails once; every damage is passed over or refused; one run at a time.
#![allow(clippy::unwrap_used, reason = "a test that fails should say where")]

use std::sync::atomic::{AtomicU8, Ordering};

use futures_util::FutureExt as _;
use tempfile::TempDir;

use super::{
    super::{Binding, document::tests::sample},
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
        let kept = read(&store.kept_path(age)).unwrap().unwrap().unwrap();
        assert_eq!(kept.generation, 8 - age as u64);
    }
    assert!(!store.kept_path(6).exists());
}

#[test]
fn whichever_step_fails_the_old_or_the_new_generation_is_there() {
    for failing in DiskStep::ALL {
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
    let newer = String::from_utf8(generation(1).write()).unwrap().replace("\"format\":1", "\"format\":2");
    fs::write(path.with_extension("json.1"), generation(1).write()).unwrap();
    fs::write(&path, newer).unwrap();
    assert!(matches!(load(&directory), Err(StoreError::Unreadable { reason: ReadError::Format(2), .. })));
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
