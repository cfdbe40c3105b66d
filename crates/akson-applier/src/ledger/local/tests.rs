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
        let (kept, _) = read(&store.kept_path(age)).unwrap().unwrap().unwrap();
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

/// A process that is being started has all that its parent has open, until it runs its own program.
#[test]
fn the_lock_goes_whoever_else_has_the_file_open() {
    let directory = TempDir::new().unwrap();
    let first = store(&directory);
    let second = store(&directory);
    let inherited = |store: &LocalStore| store.state().lock.as_ref().unwrap().try_clone().unwrap();
    now(first.lock("run 1")).unwrap();
    let _child = inherited(&first);
    now(first.unlock()).unwrap();
    now(second.lock("run 2")).unwrap();
    let _child = inherited(&second);
    drop(second);
    now(first.lock("run 3")).unwrap();
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

/// A run's ledger that appends from the third write on.
fn run(store: LocalStore) -> super::super::Ledger {
    let opened = super::super::Ledger::open(Arc::new(store), &sample().binding, "r1").now_or_never().unwrap();
    opened.unwrap().0
}

fn entry(name: &str) -> Vec<(akson_catalog::SymbolicId, Option<super::super::Entry>)> {
    vec![(akson_catalog::SymbolicId::from_ledger(name), Some(super::super::Entry::default()))]
}

/// Enough of them that records stay shorter for a while.
async fn fill(ledger: &super::super::Ledger) {
    ledger.change((0..20).flat_map(|number| entry(&format!("/{number:02}"))).collect()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_long_one_is_appended_to_and_a_short_one_replaced() {
    for (length, lines) in [(0, 5), (usize::MAX, 1)] {
        let directory = TempDir::new().unwrap();
        let ledger = run(store(&directory).appending_from(length));
        fill(&ledger).await;
        for number in 0..4 {
            ledger.change(entry(&format!("/{number}"))).await.unwrap();
        }
        let path = store(&directory).path();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), lines, "{length}: {text}");
        let loaded = load(&directory).unwrap();
        assert_eq!((loaded.document, loaded.fallback), (Some(ledger.document()), None));
        // What the records say is in the generations that are kept, too, and the next run begins with a whole one.
        ledger.close().await.unwrap();
        let next = run(store(&directory).appending_from(length));
        assert_eq!(next.document().generation, 5);
        next.change(entry("/next")).await.unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 1);
        let (kept, _) = read(&store(&directory).kept_path(1)).unwrap().unwrap().unwrap();
        assert_eq!(kept.generation, 5, "{length}");
    }
}

#[tokio::test(start_paused = true)]
async fn records_are_folded_into_a_new_document_once_they_are_as_long() {
    let directory = TempDir::new().unwrap();
    let ledger = run(store(&directory).appending_from(0));
    let mut most = 0;
    for _ in 0..200 {
        ledger.change(entry("/one")).await.unwrap();
        most = most.max(fs::metadata(store(&directory).path()).unwrap().len());
    }
    let whole = ledger.document().write().len() as u64;
    assert!(most > whole && most < 4 * whole, "{most} and {whole}");
    assert_eq!(load(&directory).unwrap().document, Some(ledger.document()));
}

#[tokio::test(start_paused = true)]
async fn whichever_step_of_a_record_fails_the_next_write_is_a_whole_one() {
    for failing in DiskStep::OF_RECORD {
        let directory = TempDir::new().unwrap();
        let left = Arc::new(AtomicU8::new(1));
        let fails = Arc::clone(&left);
        let store = store(&directory).appending_from(0).failing(move |step| {
            let fails = step == failing && fails.swap(0, Ordering::Relaxed) > 0;
            if fails { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        });
        let path = store.path();
        let ledger = run(store);
        fill(&ledger).await;
        assert!(ledger.change(entry("/c")).await.is_err(), "{failing:?}");
        // Half a record, as a full disk leaves it, is none.
        let loaded = load(&directory).unwrap();
        assert!(loaded.fallback.is_none(), "{failing:?}");
        ledger.change(entry("/d")).await.unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 1, "{failing:?}");
        let loaded = load(&directory).unwrap();
        assert_eq!(loaded.document, Some(ledger.document()), "{failing:?}");
        let names: Vec<String> = ledger.document().entries.keys().map(ToString::to_string).collect();
        assert_eq!((names.len(), names.last().map(String::as_str)), (21, Some("/d")));
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_that_changed_under_the_lock_is_not_appended_to() {
    for removed in [false, true] {
        let directory = TempDir::new().unwrap();
        let ledger = run(store(&directory).appending_from(0));
        fill(&ledger).await;
        ledger.change(entry("/a")).await.unwrap();
        let path = store(&directory).path();
        let other = generation(9).write();
        let changed = if removed { fs::remove_file(&path) } else { fs::write(&path, &other) };
        changed.unwrap();
        assert_eq!(ledger.change(entry("/b")).await, Err(StoreError::Conflict), "{removed}");
        assert_eq!(fs::read(&path).ok(), (!removed).then_some(other));
    }
}

#[tokio::test(start_paused = true)]
async fn a_damaged_last_record_is_passed_over_and_told() {
    let directory = TempDir::new().unwrap();
    let ledger = run(store(&directory).appending_from(0));
    fill(&ledger).await;
    for name in ["/a", "/b", "/c"] {
        ledger.change(entry(name)).await.unwrap();
    }
    let path = store(&directory).path();
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.len() - 20;
    bytes[at] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let loaded = load(&directory).unwrap();
    let fallback = loaded.fallback.unwrap();
    assert_eq!((loaded.document.unwrap().generation, fallback.generation), (3, 3));
    assert!(fallback.unreadable[0].1.contains("after generation 3"), "{fallback:?}");
    // Cut off in the middle of it, nobody was ever told that it is there.
    fs::write(&path, &bytes[..at]).unwrap();
    let loaded = load(&directory).unwrap();
    assert_eq!((loaded.document.unwrap().generation, loaded.fallback), (3, None));
}

/// When the power goes, what was not brought to the disk may be lost: of each file as much as was synced, and names as they were when
/// their folder was.
#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn nothing_is_told_to_be_durable_before_it_is_on_the_disk() {
    use std::{collections::BTreeMap, os::unix::fs::MetadataExt as _};

    let directory = TempDir::new().unwrap();
    let folder = directory.path().join(".akson/emulator");
    let synced: Arc<Mutex<BTreeMap<u64, u64>>> = Arc::default();
    // The ledger's inode as of the folder's last sync.
    let named: Arc<Mutex<Option<u64>>> = Arc::default();
    let path = store(&directory).path();
    let (lengths, names, of) = (Arc::clone(&synced), Arc::clone(&named), path.clone());
    let store = store(&directory).appending_from(0).syncing(move |file| {
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            *names.lock().unwrap() = Some(fs::metadata(&of)?.ino());
        } else {
            lengths.lock().unwrap().insert(metadata.ino(), metadata.len());
        }
        Ok(())
    });
    // A file takes the ledger's name once it is on the disk: the folder may reach the disk before it otherwise.
    let (lengths, within) = (Arc::clone(&synced), folder.clone());
    let store = store.failing(move |step| {
        if step == DiskStep::Rename {
            let new = fs::read_dir(&within)?
                .filter_map(Result::ok)
                .find(|entry| entry.file_name().to_string_lossy().contains("new-"));
            let new = new.unwrap().metadata()?;
            assert_eq!(lengths.lock().unwrap().get(&new.ino()), Some(&new.len()), "it is renamed before it is synced");
        }
        Ok(())
    });
    let ledger = run(store);
    fill(&ledger).await;
    for number in 0..6 {
        ledger.change(entry(&format!("/{number}"))).await.unwrap();
        let now = fs::metadata(&path).unwrap();
        assert_eq!(synced.lock().unwrap().get(&now.ino()), Some(&now.len()), "write {number}");
        assert_eq!(*named.lock().unwrap(), Some(now.ino()), "write {number}");
    }
}
