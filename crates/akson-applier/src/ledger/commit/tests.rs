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
    for fault in [WriteFault::Before, WriteFault::After] {
        let store = MemoryStore::new();
        let ledger = open(&store).await;
        ledger.change(add("/a")).await.unwrap();
        store.fail(move |before| if before == 1 { fault } else { WriteFault::None });
        assert!(ledger.change(add("/b")).await.is_err());
        assert_eq!(ledger.entry(&id("/b")), None, "{fault:?}: it is not promised");
        ledger.change(add("/c")).await.unwrap();
        let document = store.document().unwrap();
        assert_eq!(document, ledger.document());
        let names: Vec<&str> = document.entries.keys().map(SymbolicId::as_str).collect();
        assert_eq!(names, ["/a", "/c"], "{fault:?}");
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

/// A ledger that appends always.
async fn appending(store: &MemoryStore) -> Ledger {
    open(&store.clone().appending_from(0)).await
}

fn lines(store: &MemoryStore) -> Vec<String> {
    String::from_utf8(store.bytes().unwrap()).unwrap().lines().map(str::to_owned).collect()
}

#[tokio::test(start_paused = true)]
async fn what_changes_is_appended_and_stands_alone_in_the_end() {
    let store = MemoryStore::new();
    let ledger = appending(&store).await;
    let way = Way { host: "h".to_owned(), authority: "a".to_owned() };
    let many: Vec<String> = (0..30).map(|at| format!("/{at}")).collect();
    ledger.change(many.iter().flat_map(|name| add(name)).collect()).await.unwrap();
    for name in ["/a", "/b", "/c"] {
        ledger.change(add(name)).await.unwrap();
        assert_eq!(store.document(), Some(ledger.document()));
    }
    ledger.change(vec![(id("/b"), None)]).await.unwrap();
    ledger.remember(&id("/a"), Some(way.clone())).await.unwrap();
    assert_eq!(store.document(), Some(ledger.document()));
    assert_eq!(store.document().unwrap().clusters, [(id("/a"), way)].into());
    let lines = lines(&store);
    assert!(lines[0].contains("\"format\":2") && lines.len() == 6, "{lines:?}");
    let last = lines.last().unwrap();
    assert!(last.contains("/a") && !last.contains("/c"), "only what changed: {last}");
    let before = store.document().unwrap();
    ledger.close().await.unwrap();
    assert_eq!(store.bytes().unwrap(), Document { generation: before.generation + 1, ..before }.write());
}

#[tokio::test(start_paused = true)]
async fn a_short_document_is_replaced_and_closed_as_it_is() {
    let store = MemoryStore::new();
    let ledger = open(&store.clone().appending_from(100_000)).await;
    for name in ["/a", "/b"] {
        ledger.change(add(name)).await.unwrap();
        assert_eq!(store.bytes().unwrap(), ledger.document().write());
    }
    let commits = store.commits();
    ledger.close().await.unwrap();
    assert_eq!(store.commits(), commits);
}

#[tokio::test(start_paused = true)]
async fn records_are_gathered_in_before_they_are_longer_than_the_document() {
    let store = MemoryStore::new();
    let ledger = appending(&store).await;
    let (mut whole, mut longest) = (0, 0);
    for at in 0..200 {
        ledger.change(add(&format!("/{}", at % 20))).await.unwrap();
        let lines = lines(&store);
        whole += usize::from(lines.len() == 1);
        let records: usize = lines[1..].iter().map(String::len).sum();
        longest = longest.max(records * 100 / lines[0].len());
    }
    assert!((5..60).contains(&whole), "{whole} whole documents");
    assert!((60..200).contains(&longest), "records of {longest} % of the document");
    assert_eq!(store.document(), Some(ledger.document()));
}

#[tokio::test(start_paused = true)]
async fn a_record_that_fails_is_followed_by_a_whole_document() {
    for fault in [WriteFault::Before, WriteFault::After, WriteFault::Torn] {
        let store = MemoryStore::new();
        let ledger = appending(&store).await;
        ledger.change(add("/a")).await.unwrap();
        ledger.change(add("/b")).await.unwrap();
        store.fail(move |before| if before == 2 { fault } else { WriteFault::None });
        assert!(ledger.change(add("/c")).await.is_err());
        assert_eq!(ledger.entry(&id("/c")), None, "{fault:?}: it is not promised");
        let there = if fault == WriteFault::After { 3 } else { 2 };
        assert_eq!(store.document().unwrap().entries.len(), there, "{fault:?}");
        assert_eq!(store.document().unwrap().generation, there as u64, "{fault:?}");
        ledger.change(add("/d")).await.unwrap();
        assert_eq!(lines(&store).len(), 1, "{fault:?}");
        let document = store.document().unwrap();
        assert_eq!(document, ledger.document());
        let names: Vec<&str> = document.entries.keys().map(SymbolicId::as_str).collect();
        assert_eq!(names, ["/a", "/b", "/d"], "{fault:?}");
        ledger.change(add("/e")).await.unwrap();
        assert_eq!(lines(&store).len(), 2, "{fault:?}: and then records again");
        ledger.close().await.unwrap();
        assert_eq!(lines(&store).len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_end_leaves_all_that_was_appended() {
    let store = MemoryStore::new();
    let ledger = appending(&store).await;
    ledger.change(add("/a")).await.unwrap();
    ledger.change(add("/b")).await.unwrap();
    store.fail(|_| WriteFault::Before);
    ledger.close().await.unwrap();
    assert_eq!(store.document().unwrap().entries.len(), 2);
    store.fail(|_| WriteFault::None);
    // The next run begins with a document of its own.
    let next = appending(&store).await;
    next.change(add("/c")).await.unwrap();
    assert_eq!((lines(&store).len(), store.document().unwrap().entries.len()), (1, 3));
}

#[tokio::test(start_paused = true)]
async fn a_way_that_is_not_durable_is_forgotten() {
    let store = MemoryStore::new();
    let ledger = open(&store).await;
    let way = |host: &str| Some(Way { host: host.to_owned(), authority: String::new() });
    ledger.remember(&id("/a"), way("one")).await.unwrap();
    store.fail(|_| WriteFault::Before);
    assert!(ledger.remember(&id("/a"), way("two")).await.is_err());
    assert!(ledger.remember(&id("/b"), way("two")).await.is_err());
    assert_eq!((ledger.way(&id("/a")), ledger.way(&id("/b"))), (way("one"), None));
    store.fail(|_| WriteFault::None);
    ledger.remember(&id("/a"), None).await.unwrap();
    assert_eq!((ledger.way(&id("/a")), store.document().unwrap().clusters.len()), (None, 0));
}

#[tokio::test(start_paused = true)]
async fn a_write_that_fails_says_nothing_of_one_that_came_before() {
    // A whole document that differs in nothing but its generation.
    let store = MemoryStore::new();
    let ledger = open(&store).await;
    ledger.change(add("/a")).await.unwrap();
    store.fail(|_| WriteFault::Before);
    assert!(ledger.change(add("/a")).await.is_err());
    assert_eq!(ledger.next_generation(), 2, "what is there is the generation before");
    store.fail(|_| WriteFault::None);
    ledger.change(add("/a")).await.unwrap();
    assert_eq!(store.document().unwrap().generation, 2);
}

#[test]
fn a_journal_as_long_as_its_document_takes_no_more() {
    let next = |records| {
        let mut state = State {
            document: Document::new(Binding::default()),
            text: Text::default(),
            changes: 0,
            durable: 0,
            changed: Changed::default(),
            journal: Some(Journal { sum: "sum".to_owned(), document: 10, records }),
        };
        let next = state.next(&Writer::default(), Some(0));
        assert!(state.journal.is_none(), "while it is written nobody knows what is there");
        matches!(next, Next::Record(..))
    };
    assert!(next(9) && !next(10) && !next(11));
}
