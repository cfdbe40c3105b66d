//! The blob ledger against a account that does what Azure documents: leases that end, conditions that hold, answers that get lost.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails should say where")]

use std::collections::VecDeque;

use akson_azure::TokenError;
use tokio::time::Instant;

use super::*;
use crate::ledger::Binding;

const URL: &str = "https://account.blob.core.windows.net/ledgers/app.json";

/// What goes wrong with a request.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// Nothing.
    None,
    /// It does not arrive.
    Before,
    /// Its answer does not.
    After,
    /// The account is busy.
    Busy,
    /// It is answered after 15 seconds.
    Late,
    /// It is refused, with this status and code.
    Refused(u16, &'static str),
}

#[derive(Default)]
struct Account {
    blob: Mutex<Option<Blob>>,
    faults: Mutex<VecDeque<Fault>>,
    log: Mutex<Vec<String>>,
    container_is_missing: bool,
    /// What was put aside under another name, in order.
    aside: Mutex<Vec<Bytes>>,
    nothing_goes_aside: bool,
    /// Which tokens came to nothing before others were asked for.
    tokens_refused: Mutex<usize>,
    nobody_signs_in: bool,
}

#[derive(Default)]
struct Blob {
    body: Bytes,
    version: u64,
    holder: Option<String>,
    lease: Option<(String, Instant)>,
}

impl Account {
    fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let refuse = |status: u16, code: &str| {
            Response::builder().status(status).header("x-ms-error-code", code).body(Bytes::new()).unwrap()
        };
        if self.container_is_missing {
            return refuse(404, "ContainerNotFound");
        }
        if request.uri().path().ends_with(DAMAGED) {
            if self.nothing_goes_aside {
                return refuse(403, "AuthorizationPermissionMismatch");
            }
            self.aside.lock().unwrap().push(request.body().clone());
            return Response::builder().status(201).body(Bytes::new()).unwrap();
        }
        let mut place = lock(&self.blob);
        let query = request.uri().query().unwrap_or_default();
        let action = header("x-ms-lease-action");
        self.log.lock().unwrap().push(format!("{} {query}{action}", request.method()));
        let creates = request.method() == Method::PUT && query.is_empty();
        if place.is_none() && creates && header("if-match").is_empty() {
            *place = Some(Blob::default());
        } else if creates && header("if-none-match") == "*" {
            return refuse(409, "BlobAlreadyExists");
        }
        let Some(blob) = place.as_mut() else { return refuse(404, "BlobNotFound") };
        if blob.lease.as_ref().is_some_and(|(_, end)| *end <= Instant::now()) {
            blob.lease = None;
        }
        let held = blob.lease.as_ref().map(|(id, _)| id.clone());
        let ok = |blob: &Blob, status: u16, body: Bytes| {
            let mut response = Response::builder().status(status).header("etag", format!("\"{}\"", blob.version));
            if let Some(holder) = &blob.holder {
                response = response.header(HOLDER, holder);
            }
            response.body(body).unwrap()
        };
        let end = Instant::now() + Duration::from_secs(LEASE);
        match (request.method().as_str(), query, action) {
            ("GET" | "HEAD", _, _) => ok(blob, 200, blob.body.clone()),
            ("PUT", "comp=lease", "acquire") => {
                let wanted = header("x-ms-proposed-lease-id").to_owned();
                if held.is_some_and(|held| held != wanted) {
                    return refuse(409, "LeaseAlreadyPresent");
                }
                blob.lease = Some((wanted, end));
                ok(blob, 201, Bytes::new())
            }
            ("PUT", "comp=lease", "break") if held.is_none() => refuse(409, "LeaseNotPresentWithLeaseOperation"),
            ("PUT", "comp=lease", "break") => {
                blob.lease = None;
                ok(blob, 202, Bytes::new())
            }
            _ if held.is_none() && !header("x-ms-lease-id").is_empty() => {
                refuse(412, "LeaseNotPresentWithBlobOperation")
            }
            _ if held.is_some_and(|held| held != header("x-ms-lease-id")) => {
                refuse(412, "LeaseIdMismatchWithBlobOperation")
            }
            ("PUT", "comp=lease", "renew") => {
                blob.lease = Some((header("x-ms-lease-id").to_owned(), end));
                ok(blob, 200, Bytes::new())
            }
            ("PUT", "comp=lease", _) => {
                blob.lease = None;
                ok(blob, 200, Bytes::new())
            }
            ("PUT", "comp=metadata", _) => {
                blob.version += 1;
                blob.holder = Some(header(HOLDER).to_owned());
                ok(blob, 200, Bytes::new())
            }
            _ if !header("if-match").is_empty() && header("if-match") != format!("\"{}\"", blob.version) => {
                refuse(412, "ConditionNotMet")
            }
            _ => {
                blob.version += 1;
                blob.body = request.body().clone();
                ok(blob, 201, Bytes::new())
            }
        }
    }

    fn fail(&self, faults: &[Fault]) {
        self.faults.lock().unwrap().extend(faults);
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }
}

#[async_trait::async_trait]
impl Transport for Account {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        assert_eq!(request.headers()["authorization"], "Bearer storage");
        let host = request.uri().host().unwrap().to_owned();
        let broken = || TransportError::Broken { host: host.clone(), detail: "reset".to_owned() };
        let fault = self.faults.lock().unwrap().pop_front().unwrap_or(Fault::None);
        match fault {
            Fault::None => Ok(self.answer(&request)),
            Fault::Before => Err(broken()),
            Fault::After => {
                let _ = self.answer(&request);
                Err(broken())
            }
            Fault::Late => {
                let answer = self.answer(&request);
                tokio::time::sleep(Duration::from_secs(15)).await;
                Ok(answer)
            }
            Fault::Busy => Ok(Response::builder().status(503).body(Bytes::new()).unwrap()),
            Fault::Refused(status, code) => {
                Ok(Response::builder().status(status).header("x-ms-error-code", code).body(Bytes::new()).unwrap())
            }
        }
    }
}

#[async_trait::async_trait]
impl TokenSource for Account {
    async fn token(&self, audience: Audience, _: Duration, refused: Option<&Secret>) -> Result<Secret, TokenError> {
        assert_eq!(audience, Audience::Storage);
        *self.tokens_refused.lock().unwrap() += usize::from(refused.is_some());
        if self.nobody_signs_in {
            return Err(TokenError::Refused { code: "invalid_scope".to_owned(), message: "AADSTS70011".to_owned() });
        }
        Ok(Secret::new("storage"))
    }
}

fn store(account: &Arc<Account>) -> BlobStore {
    let (transport, tokens): (Arc<dyn Transport>, Arc<dyn TokenSource>) = (account.clone(), account.clone());
    BlobStore::new(URL, Cloud::PUBLIC, transport, tokens, Pace::default()).unwrap()
}

fn document(generation: u64) -> Document {
    Document { generation, ..Document::new(Binding::default()) }
}

async fn commit(store: &BlobStore, generation: u64) -> Result<(), StoreError> {
    store.commit(&document(generation).write(), generation - 1).await
}

async fn generation(store: &BlobStore) -> u64 {
    store.load().await.unwrap().document.map_or(0, |document| document.generation)
}

#[tokio::test(start_paused = true)]
async fn a_life() {
    let account = Arc::<Account>::default();
    let first = store(&account);
    assert_eq!(first.load().await.unwrap(), Loaded::default(), "nothing is there");
    assert_eq!(account.asked(), ["GET "], "a look makes nothing");
    first.lock("run 1").await.unwrap();
    assert_eq!(first.load().await.unwrap(), Loaded::default(), "made, and empty");
    commit(&first, 1).await.unwrap();
    commit(&first, 2).await.unwrap();
    let second = store(&account);
    assert_eq!(generation(&second).await, 2, "whoever only looks needs no lock");
    assert_eq!(second.lock("run 2").await, Err(StoreError::Locked { holder: Some("run 1".to_owned()) }));
    assert_eq!(commit(&second, 3).await, Err(StoreError::NotLocked));
    first.unlock().await.unwrap();
    second.lock("run 2").await.unwrap();
    assert_eq!(generation(&second).await, 2);
    commit(&second, 3).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_put_aside_before_it_is_replaced() {
    for nothing_goes_aside in [false, true] {
        let account = Arc::new(Account { nothing_goes_aside, ..Account::default() });
        let broken = Bytes::from_static(b"{\"format\":1,");
        *account.blob.lock().unwrap() = Some(Blob { body: broken.clone(), ..Blob::default() });
        let store = store(&account);
        store.lock("run 1").await.unwrap();
        assert!(matches!(store.load().await, Err(StoreError::Unreadable { .. })));
        if nothing_goes_aside {
            assert!(commit(&store, 1).await.is_err());
            assert_eq!(account.blob.lock().unwrap().as_ref().unwrap().body, broken, "nothing is lost");
            continue;
        }
        commit(&store, 1).await.unwrap();
        commit(&store, 2).await.unwrap();
        assert_eq!(*account.aside.lock().unwrap(), [broken], "once");
        assert_eq!(generation(&store).await, 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_kept_up_as_long_as_it_is_held_and_ends_with_its_run() {
    let account = Arc::<Account>::default();
    let first = store(&account);
    first.lock("run 1").await.unwrap();
    tokio::time::sleep(Duration::from_secs(600)).await;
    let second = store(&account);
    assert!(matches!(second.lock("run 2").await, Err(StoreError::Locked { .. })));
    first.assure().await.unwrap();
    // The process is gone: nobody renews.
    drop(first);
    tokio::time::sleep(Duration::from_secs(LEASE + 1)).await;
    second.lock("run 2").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn whoever_lost_the_lease_neither_sends_nor_writes() {
    let account = Arc::<Account>::default();
    let first = store(&account);
    first.lock("run 1").await.unwrap();
    first.load().await.unwrap();
    commit(&first, 1).await.unwrap();
    let second = store(&account);
    second.break_lock().await.unwrap();
    second.lock("run 2").await.unwrap();
    assert_eq!(commit(&first, 2).await, Err(StoreError::Lost));
    // By then the lease would hold long enough, for all that the run was told.
    tokio::time::sleep(RENEWED + Duration::from_secs(1)).await;
    account.asked();
    assert_eq!(first.assure().await, Err(StoreError::Lost), "the renewal has seen it");
    assert!(account.asked().is_empty());
    assert_eq!(generation(&second).await, 1);
    commit(&second, 2).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_paused_asks_before_it_sends() {
    let account = Arc::<Account>::default();
    let first = store(&account);
    first.lock("run 1").await.unwrap();
    first.load().await.unwrap();
    // As if the machine slept: time passes, and the renewal did not run.
    first.state().lease.as_ref().unwrap().renewal.abort();
    tokio::time::sleep(Duration::from_secs(30)).await;
    account.asked();
    first.assure().await.unwrap();
    assert_eq!(account.asked(), ["PUT comp=leaserenew"]);
    tokio::time::sleep(Duration::from_secs(LEASE + 1)).await;
    let second = store(&account);
    second.lock("run 2").await.unwrap();
    assert_eq!(first.assure().await, Err(StoreError::Lost));
    assert_eq!(commit(&first, 1).await, Err(StoreError::Lost));
}

/// The service may have begun to count when the request was sent.
#[tokio::test(start_paused = true)]
async fn a_lease_counts_from_when_it_was_asked_for() {
    let account = Arc::<Account>::default();
    let first = store(&account);
    first.load().await.unwrap();
    account.fail(&[Fault::None, Fault::None, Fault::Late]);
    first.lock("run 1").await.unwrap();
    first.state().lease.as_ref().unwrap().renewal.abort();
    // Answered 15 s after it was asked for, it holds on for 45 from then: too short 10 s later.
    account.asked();
    first.assure().await.unwrap();
    assert!(account.asked().is_empty());
    tokio::time::sleep(Duration::from_secs(10)).await;
    account.fail(&[Fault::Late]);
    first.assure().await.unwrap();
    assert_eq!(account.asked(), ["PUT comp=leaserenew"]);
    tokio::time::sleep(Duration::from_secs(10)).await;
    first.assure().await.unwrap();
    assert_eq!(account.asked(), ["PUT comp=leaserenew"]);
    // A renewal that takes too long is none.
    tokio::time::sleep(Duration::from_secs(30)).await;
    account.fail(&[Fault::Busy, Fault::Busy, Fault::Busy, Fault::Late]);
    assert_eq!(first.assure().await, Err(StoreError::Lost));
}

/// Each request of a life is lost, unanswered or put off once, one after the other.
#[tokio::test(start_paused = true)]
async fn lost_requests_and_answers_change_nothing() {
    for fault in [Fault::Before, Fault::After, Fault::Busy] {
        for at in 0..7 {
            let account = Arc::<Account>::default();
            let mut faults = vec![Fault::None; at];
            faults.push(fault);
            account.fail(&faults);
            let store = store(&account);
            store.lock("run 1").await.unwrap();
            assert_eq!(generation(&store).await, 0);
            commit(&store, 1).await.unwrap();
            commit(&store, 2).await.unwrap();
            assert_eq!(generation(&store).await, 2, "at {at}");
            store.unlock().await.unwrap();
            assert!(account.blob.lock().unwrap().as_ref().unwrap().lease.is_none(), "at {at}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_account_that_stays_away_is_told_and_so_is_a_foreign_write() {
    let account = Arc::<Account>::default();
    let store = store(&account);
    store.lock("run 1").await.unwrap();
    store.load().await.unwrap();
    account.blob.lock().unwrap().as_mut().unwrap().version += 1;
    assert_eq!(commit(&store, 1).await, Err(StoreError::Conflict));
    account.fail(&[Fault::Before; 5]);
    assert!(matches!(store.load().await, Err(StoreError::Service { step: "reach", .. })));
    account.blob.lock().unwrap().as_mut().unwrap().body = Bytes::from_static(b"{");
    assert!(matches!(store.load().await, Err(StoreError::Unreadable { .. })));
}

#[tokio::test(start_paused = true)]
async fn the_container_must_be_there() {
    let account = Arc::new(Account { container_is_missing: true, ..Account::default() });
    let Err(error) = store(&account).lock("run 1").await else { panic!("it is locked") };
    let told = crate::report::ledger(&crate::ledger::LedgerError::Store { place: URL.to_owned(), error });
    assert!(told.message.contains("ContainerNotFound"), "{told:#?}");
    // Of a disk nothing is said.
    assert_eq!(told.help.as_deref(), Some("make the container first, then run again"));
    assert_eq!(told.code, crate::codes::LEDGER_UNREACHABLE);
}

#[tokio::test(start_paused = true)]
async fn each_refusal_says_what_to_do() {
    for (status, code, says) in [
        (403, "AuthorizationFailure", "admit this network"),
        (403, "AuthorizationPermissionMismatch", "`Storage Blob Data Contributor` on the container"),
        (404, "ResourceNotFound", "no such storage account or blob"),
        (409, "BlobImmutableDueToPolicy", "no policy makes it immutable"),
        (412, "SomeCondition", "no policy makes it immutable"),
        (429, "OperationTimedOut", "busy or in trouble"),
        (503, "ServerBusy", "busy or in trouble"),
        (400, "InvalidHeaderValue", "check the URL of the ledger and the storage account"),
        (401, "InvalidAuthenticationInfo", "gets tokens for storage accounts"),
    ] {
        let account = Arc::<Account>::default();
        account.fail(&[Fault::Refused(status, code); 5]);
        let Err(StoreError::Service { detail, way_out, .. }) = store(&account).load().await else {
            panic!("{status} {code} is taken")
        };
        assert!(way_out.contains(says), "{status} {code}: {way_out}");
        assert!(detail.contains(code), "{detail}");
    }
    let account = Arc::new(Account { nobody_signs_in: true, ..Account::default() });
    let Err(StoreError::Service { way_out, .. }) = store(&account).load().await else { panic!("nobody is signed in") };
    assert!(way_out.contains("gets tokens for storage accounts"), "{way_out}");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_refused_is_asked_for_anew_once() {
    let account = Arc::<Account>::default();
    account.fail(&[Fault::Refused(401, "InvalidAuthenticationInfo")]);
    assert_eq!(store(&account).load().await.unwrap(), Loaded::default());
    assert_eq!(*account.tokens_refused.lock().unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn only_what_says_so_ends_a_lease() {
    let account = Arc::<Account>::default();
    let first = store(&account);
    first.lock("run 1").await.unwrap();
    first.load().await.unwrap();
    // A renewal that is refused for other reasons: the lease goes on until its end.
    account.fail(&[Fault::Refused(403, "AuthorizationFailure")]);
    tokio::time::sleep(RENEWED + Duration::from_secs(1)).await;
    first.assure().await.unwrap();
    commit(&first, 1).await.unwrap();
    // The blob itself is gone, and the lease with it.
    *account.blob.lock().unwrap() = None;
    tokio::time::sleep(RENEWED * 2).await;
    account.asked();
    assert_eq!(first.assure().await, Err(StoreError::Lost));
    assert!(account.asked().is_empty(), "the renewal has seen it");
}

#[test]
fn places() {
    let account = Arc::<Account>::default();
    let is_taken =
        |url: &str| BlobStore::new(url, Cloud::PUBLIC, account.clone(), account.clone(), Pace::default()).is_ok();
    assert!(is_taken(URL));
    assert!(is_taken("https://account.blob.core.windows.net/ledgers/teams/app.json"));
    assert!(is_taken("https://account.blob.core.windows.net/team-2-ledgers/app.json"));
    for wrong in [
        "",
        "ledger.json",
        "http://account.blob.core.windows.net/ledgers/app",
        "https://account.blob.core.windows.net.evil.example/ledgers/app",
        "https://user@account.blob.core.windows.net/ledgers/app",
        "https://account.blob.core.windows.net/ledgers",
        "https://account.blob.core.windows.net/ledgers/",
        "https://account.blob.core.windows.net/Ledgers/app",
        "https://account.blob.core.windows.net/ledgers/app?sv=2021&sig=secret",
        "https://account.blob.core.usgovcloudapi.net/ledgers/app",
        "https://management.azure.com/ledgers/app",
    ] {
        assert!(!is_taken(wrong), "{wrong}");
    }
}
