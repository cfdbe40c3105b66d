//! Durable means durable: what a change promises is what the store holds when it returns.
#![allow(clippy::unwrap_used, reason = "a test that fails should say where")]

use futures_util::{FutureExt as _, future::join_all};

use super::{
    super::{MemoryStore, WriteFault},
    *,
};

fn id(name: &str) -> SymbolicId {
    SymbolicId::from_ledger(name)
}

async fn open(store: &MemoryStore) -> Ledger {
    Ledger::open(Arc::new(store.clone()), &Binding::default(), "run").await.unwrap().0
}

fn add(name: &str) -> Vec<(SymbolicId, Option<Entry>)> {
    vec![(id(name), Some(Entry::default()))]
}

#[tokio::test(start_paused = true)]
async fn many_changes_share_a_write_and_each_is_durable_when_it_returns() {
    let store = MemoryStore::new();
    let ledger = open(&store).await;
    let changes = (0..100).map(|at| {
        let (ledger, store) = (&ledger, &store);
        async move {
            let name = format!("/{at}");
            ledger.change(add(&name)).await.unwrap();
            assert!(store.document().unwrap().entries.contains_key(&id(&name)));
        }
    });
    join_all(changes).await;
    assert!(store.commits() <= 2, "{} writes", store.commits());
    ledger.change(vec![(id("/5"), None)]).await.unwrap();
    let document = store.document().unwrap();
    assert_eq!(document.entries.len(), 99);
    assert_eq!(document.generation, store.commits() as u64, "each write is one generation");
    assert_eq!(document.writer.run, "run");
}

#[tokio::test(start_paused = true)]
async fn a_failed_write_changes_nothing_and_the_next_one_follows_what_is_there() {
    for fault in [WriteFault::Before, WriteFault::After, WriteFault::Torn] {
        for (store, failing) in [
            (MemoryStore::new(), 1),
            (MemoryStore::new().appending_from(0), 1),
            (MemoryStore::new().appending_from(0), 2),
        ] {
            let ledger = open(&store).await;
            let mut expected = Vec::new();
            for name in ["/a", "/a2"].into_iter().take(failing) {
                ledger.change(add(name)).await.unwrap();
                expected.push(name);
            }
            store.fail(move |before| if before == failing { fault } else { WriteFault::None });
            assert!(ledger.change(add("/b")).await.is_err());
            assert_eq!(ledger.entry(&id("/b")), None, "{fault:?}: it is not promised");
            let way = Way { host: "h".to_owned(), authority: "a".to_owned() };
            store.fail(move |before| if before == failing + 1 { fault } else { WriteFault::None });
            assert!(ledger.remember(&id("/cluster"), Some(way.clone())).await.is_err());
            assert_eq!(ledger.way(&id("/cluster")), None);
            for name in ["/c", "/d", "/e"] {
                ledger.change(add(name)).await.unwrap();
                expected.push(name);
                let document = store.document().unwrap();
                assert_eq!(document, ledger.document());
                let names: Vec<&str> = document.entries.keys().map(SymbolicId::as_str).collect();
                assert_eq!(names, expected, "{fault:?}");
            }
            ledger.remember(&id("/cluster"), Some(way)).await.unwrap();
            ledger.change(vec![(id("/c"), None)]).await.unwrap();
            assert_eq!(store.document().unwrap(), ledger.document());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_that_is_dropped_does_not_stop_the_others() {
    let store = MemoryStore::new();
    let ledger = open(&store).await;
    let mut dropped = Box::pin(ledger.change(add("/a")));
    assert!((&mut dropped).now_or_never().is_none());
    drop(dropped);
    ledger.change(add("/b")).await.unwrap();
    assert_eq!(store.document().unwrap().entries.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_ledger_of_something_else_is_refused_and_left_unlocked() {
    let store = MemoryStore::new();
    let ledger = open(&store).await;
    ledger.change(add("/a")).await.unwrap();
    ledger.close().await.unwrap();
    let other = Binding { tenant: "other".to_owned(), ..Binding::default() };
    let refused = Ledger::open(Arc::new(store.clone()), &other, "run").await.map(drop).unwrap_err();
    assert!(matches!(refused, LedgerError::Foreign { differences, .. } if differences[0].0 == "tenant"));
    assert!(peek(&store, &other).await.is_err());
    open(&store).await;
    let again = Ledger::open(Arc::new(store.clone()), &Binding::default(), "run 2").await.map(drop).unwrap_err();
    assert!(matches!(again, LedgerError::Store { error: StoreError::Locked { holder: Some(_) }, .. }));
    store.holder_died();
    open(&store).await;
}
