//! A ledger in a blob of a storage account, for runs on several machines. A lease keeps other runs out and is renewed while a run goes on;
//! a write names the lease and the version that it replaces, so that neither a run that lost its lease nor one that was paused can write.
//!
//! Azure's REST calls by hand, over the one [`Transport`]: five of them.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use akson_azure::{Audience, Cloud, TokenSource, Transport, TransportError};
use akson_catalog::Secret;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header::AUTHORIZATION};
use tokio::task::JoinHandle;

use super::{Document, LedgerStore, Loaded, StoreError};
use crate::pace::{CloudClock, Pace};

/// The version of the service's API.
const VERSION: &str = "2021-12-02";
/// How long a lease lasts, in seconds: the longest that ends by itself.
const LEASE: u64 = 60;
/// How often it is renewed.
const RENEWED: Duration = Duration::from_secs(15);
/// What must be left of it when a request goes out that changes something: twice the time of a request.
const LEFT: Duration = Duration::from_secs(40);
/// How long one request to the service may take.
const REQUEST: Duration = Duration::from_secs(20);
/// Waits between the attempts of a request that got no answer or a passing one.
const AGAIN: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(8)];
/// What is at the end of the name of a blob that could not be read, beside the ledger's own.
const DAMAGED: &str = ".damaged";
/// What to do if no token is had, or none that counts.
const NO_TOKEN: &str = "see that whoever is signed in gets tokens for storage accounts, then run again";
/// The header that names the holder.
const HOLDER: &str = "x-ms-meta-holder";

/// A ledger in a blob.
pub struct BlobStore {
    link: Arc<Link>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The version that was loaded or written last.
    version: Option<HeaderValue>,
    lease: Option<Lease>,
    /// What was loaded and cannot be read: kept aside before anything is written over it.
    damaged: Option<Bytes>,
}

/// A lease while it is held.
struct Lease {
    id: HeaderValue,
    holder: HeaderValue,
    hold: Arc<Mutex<Hold>>,
    renewal: JoinHandle<()>,
}

/// What is known of a lease.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hold {
    /// Nobody else is in before this time, of ours: whoever holds a lease does not live faster than usual, even where the cloud does.
    Until(Duration),
    /// Somebody else may be in.
    Lost,
}

/// The way to the blob.
struct Link {
    transport: Arc<dyn Transport>,
    tokens: Arc<dyn TokenSource>,
    cloud: Cloud,
    clock: CloudClock,
    url: String,
}

/// Why a text is no place of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{url}` is not the URL of a blob in this cloud")]
pub struct NoBlob {
    /// What was given.
    pub url: String,
    /// How such a URL begins here.
    pub like: String,
}

/// An answer of the service.
struct Answer {
    status: StatusCode,
    code: String,
    headers: HeaderMap,
    body: Bytes,
}

impl BlobStore {
    /// The blob at `url` of the cloud. Asks nothing.
    ///
    /// # Errors
    /// [`NoBlob`]; a URL with a signature in it is refused as well: it would be a secret in plain sight.
    pub fn new(
        url: &str,
        cloud: Cloud,
        transport: Arc<dyn Transport>,
        tokens: Arc<dyn TokenSource>,
        pace: Pace,
    ) -> Result<Self, NoBlob> {
        let no_blob =
            || NoBlob { url: url.to_owned(), like: format!("https://ACCOUNT.{}/CONTAINER/NAME.json", cloud.blob) };
        let uri: http::Uri = url.parse().map_err(|_| no_blob())?;
        let (container, name) = uri.path().trim_start_matches('/').split_once('/').ok_or_else(no_blob)?;
        let named = is_container(container) && !name.is_empty() && name.split('/').all(|part| !part.is_empty());
        if cloud.audience_of(&uri) != Some(Audience::Storage) || uri.query().is_some() || !named {
            return Err(no_blob());
        }
        let link = Link { transport, tokens, cloud, clock: CloudClock::start(pace), url: url.to_owned() };
        Ok(Self { link: Arc::new(link), state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change of it is one assignment.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lease, if it is held.
    fn lease(&self) -> Result<(HeaderValue, HeaderValue, Arc<Mutex<Hold>>), StoreError> {
        let state = self.state();
        let lease = state.lease.as_ref().ok_or(StoreError::NotLocked)?;
        Ok((lease.id.clone(), lease.holder.clone(), Arc::clone(&lease.hold)))
    }

    async fn fetch(&self) -> Result<Answer, StoreError> {
        let answer = self.link.ask(Method::GET, "", &[], Bytes::new()).await?;
        self.state().version = answer.headers.get("etag").cloned();
        Ok(answer)
    }

    /// Makes the blob where there is none, since only what is there can be leased. It is empty until the first write.
    async fn make(&self) -> Result<(), StoreError> {
        let headers = [("x-ms-blob-type", value("BlockBlob")), ("if-none-match", value("*"))];
        let answer = self.link.ask(Method::PUT, "", &headers, Bytes::new()).await?;
        // Somebody else made it in between.
        let is_there = matches!(answer.status.as_u16(), 409 | 412);
        if answer.status.is_success() || (is_there && answer.code != "ContainerBeingDeleted") {
            return Ok(());
        }
        Err(self.link.refused("make", &answer))
    }

    /// Who holds it, by what it said of itself.
    async fn holder(&self) -> Option<String> {
        let answer = self.link.ask(Method::HEAD, "", &[], Bytes::new()).await.ok()?;
        Some(answer.headers.get(HOLDER)?.to_str().ok()?.to_owned())
    }
}

#[async_trait::async_trait]
impl LedgerStore for BlobStore {
    async fn load(&self) -> Result<Loaded, StoreError> {
        let answer = self.fetch().await?;
        if answer.code == "BlobNotFound" {
            return Ok(Loaded::default());
        }
        if !answer.status.is_success() {
            return Err(self.link.refused("read", &answer));
        }
        if answer.body.is_empty() {
            return Ok(Loaded::default());
        }
        match Document::read(&answer.body) {
            Ok(document) => Ok(Loaded { document: Some(document), fallback: None }),
            Err(reason) => {
                self.state().damaged = Some(answer.body);
                let tried = vec![(self.link.url.clone(), reason.to_string())];
                Err(StoreError::Unreadable { tried, reason })
            }
        }
    }

    async fn commit(&self, bytes: &[u8], _follows: u64) -> Result<(), StoreError> {
        self.assure().await?;
        let (lease, holder, _) = self.lease()?;
        let Some(version) = self.state().version.clone() else { return Err(StoreError::Conflict) };
        let damaged = self.state().damaged.clone();
        if let Some(damaged) = damaged {
            let headers = [("x-ms-blob-type", value("BlockBlob"))];
            let kept = self.link.ask(Method::PUT, DAMAGED, &headers, damaged).await?;
            if !kept.status.is_success() {
                return Err(self.link.refused("keep the damaged one of", &kept));
            }
            self.state().damaged = None;
        }
        let headers = [
            ("x-ms-blob-type", value("BlockBlob")),
            ("x-ms-lease-id", lease),
            ("if-match", version),
            ("content-type", value("application/json")),
            (HOLDER, holder),
        ];
        let answer = self.link.ask(Method::PUT, "", &headers, Bytes::copy_from_slice(bytes)).await?;
        if answer.status.is_success() {
            self.state().version = answer.headers.get("etag").cloned();
            return Ok(());
        }
        match answer.code.as_str() {
            // An attempt whose answer was lost may have been this one.
            "ConditionNotMet" => match self.fetch().await? {
                found if found.status.is_success() && found.body == bytes => Ok(()),
                _ => Err(StoreError::Conflict),
            },
            code if is_lost(code) => Err(StoreError::Lost),
            _ => Err(self.link.refused("write", &answer)),
        }
    }

    async fn lock(&self, holder: &str) -> Result<(), StoreError> {
        let id = value(&uuid::Uuid::new_v4().to_string());
        let holder: String = holder.chars().filter(|letter| matches!(letter, ' '..='~')).collect();
        let headers = [
            ("x-ms-lease-action", value("acquire")),
            ("x-ms-lease-duration", value(&LEASE.to_string())),
            // The same again is the same lease, so that a lost answer does no harm.
            ("x-ms-proposed-lease-id", id.clone()),
        ];
        let link = &self.link;
        let mut asked = link.clock.elapsed();
        let mut answer = link.ask(Method::PUT, "?comp=lease", &headers, Bytes::new()).await?;
        if answer.code == "BlobNotFound" {
            self.make().await?;
            asked = link.clock.elapsed();
            answer = link.ask(Method::PUT, "?comp=lease", &headers, Bytes::new()).await?;
        }
        if answer.code == "LeaseAlreadyPresent" {
            return Err(StoreError::Locked { holder: self.holder().await });
        }
        if !answer.status.is_success() {
            return Err(link.refused("lease", &answer));
        }
        let holder = value(&holder);
        // A courtesy to whoever comes meanwhile.
        let named = [("x-ms-lease-id", id.clone()), (HOLDER, holder.clone())];
        let _ = link.ask(Method::PUT, "?comp=metadata", &named, Bytes::new()).await;
        let hold = Arc::new(Mutex::new(Hold::Until(asked + Duration::from_secs(LEASE))));
        let renewal = tokio::spawn(keep_up(Arc::clone(link), id.clone(), Arc::clone(&hold)));
        self.state().lease = Some(Lease { id, holder, hold, renewal });
        Ok(())
    }

    async fn unlock(&self) -> Result<(), StoreError> {
        let Some(lease) = self.state().lease.take() else { return Ok(()) };
        lease.renewal.abort();
        let headers = [("x-ms-lease-action", value("release")), ("x-ms-lease-id", lease.id.clone())];
        let answer = self.link.ask(Method::PUT, "?comp=lease", &headers, Bytes::new()).await?;
        if answer.status.is_success() || is_lost(&answer.code) {
            return Ok(());
        }
        Err(self.link.refused("release", &answer))
    }

    async fn break_lock(&self) -> Result<bool, StoreError> {
        let link = &self.link;
        let lease = [("x-ms-lease-action", value("break")), ("x-ms-lease-break-period", value("0"))];
        let answer = link.ask(Method::PUT, "?comp=lease", &lease, Bytes::new()).await?;
        match answer.code.as_str() {
            _ if answer.status.is_success() => Ok(true),
            "LeaseNotPresentWithLeaseOperation" | "BlobNotFound" => Ok(true),
            _ => Err(link.refused("break the lease of", &answer)),
        }
    }

    async fn assure(&self) -> Result<(), StoreError> {
        let (id, _, hold) = self.lease()?;
        match *lock(&hold) {
            Hold::Lost => return Err(StoreError::Lost),
            Hold::Until(end) if self.link.clock.elapsed() + LEFT <= end => return Ok(()),
            Hold::Until(_) => {}
        }
        self.link.renew(&id, &hold).await?;
        match *lock(&hold) {
            Hold::Until(end) if self.link.clock.elapsed() + LEFT <= end => Ok(()),
            _ => Err(StoreError::Lost),
        }
    }

    fn place(&self) -> String {
        self.link.url.clone()
    }
}

impl Drop for BlobStore {
    fn drop(&mut self) {
        if let Some(lease) = &self.state().lease {
            lease.renewal.abort();
        }
    }
}

/// Renews a lease until it is released or lost.
async fn keep_up(link: Arc<Link>, id: HeaderValue, hold: Arc<Mutex<Hold>>) {
    while *lock(&hold) != Hold::Lost {
        tokio::time::sleep(RENEWED).await;
        // Without an answer the next turn tries again; whoever is about to send looks at what is left.
        let _ = link.renew(&id, &hold).await;
    }
}

impl Link {
    async fn renew(&self, id: &HeaderValue, hold: &Mutex<Hold>) -> Result<(), StoreError> {
        let asked = self.clock.elapsed();
        let headers = [("x-ms-lease-action", value("renew")), ("x-ms-lease-id", id.clone())];
        let answer = self.ask(Method::PUT, "?comp=lease", &headers, Bytes::new()).await?;
        let mut hold = lock(hold);
        if answer.status.is_success() {
            *hold = Hold::Until(asked + Duration::from_secs(LEASE));
            return Ok(());
        }
        if is_lost(&answer.code) || answer.code == "BlobNotFound" {
            *hold = Hold::Lost;
            return Err(StoreError::Lost);
        }
        Err(self.refused("renew the lease of", &answer))
    }

    /// A request and its answer. Each of ours may be sent twice: it names a lease, or the version that it replaces.
    async fn ask(
        &self,
        method: Method,
        query: &str,
        headers: &[(&'static str, HeaderValue)],
        body: Bytes,
    ) -> Result<Answer, StoreError> {
        let mut waits = AGAIN.iter();
        let mut refused: Option<Secret> = None;
        loop {
            let token = self.tokens.token(Audience::Storage, self.clock.now(), refused.as_ref()).await;
            let token = token.map_err(|error| self.failed("sign in for", error.to_string()))?;
            let request = self.request(&method, query, headers, &body, &token)?;
            let sent = tokio::time::timeout(REQUEST, self.transport.send(request)).await;
            let answer = match sent {
                Ok(Ok(response)) => Ok(Answer::of(response)),
                Ok(Err(error @ TransportError::Untrusted { .. })) => {
                    return Err(self.failed("reach", error.to_string()));
                }
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err(format!("no answer within {} s", REQUEST.as_secs())),
            };
            match answer {
                Ok(answer) if answer.status == StatusCode::UNAUTHORIZED && refused.is_none() => {
                    refused = Some(token);
                }
                Ok(answer) if !answer.is_passing() => return Ok(answer),
                answer => match (waits.next(), answer) {
                    (Some(wait), _) => tokio::time::sleep(*wait).await,
                    (None, Ok(answer)) => return Ok(answer),
                    (None, Err(detail)) => return Err(self.failed("reach", detail)),
                },
            }
        }
    }

    fn request(
        &self,
        method: &Method,
        query: &str,
        headers: &[(&'static str, HeaderValue)],
        body: &Bytes,
        token: &Secret,
    ) -> Result<Request<Bytes>, StoreError> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
            .map_err(|_| self.failed("sign in for", "the token cannot stand in a header".to_owned()))?;
        bearer.set_sensitive(true);
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{query}", self.url))
            .header(AUTHORIZATION, bearer)
            .header("x-ms-version", VERSION)
            .header("user-agent", concat!("akson/", env!("CARGO_PKG_VERSION")));
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request.body(body.clone()).map_err(|error| self.failed("reach", error.to_string()))?;
        // It was looked at when the store was made; a token goes nowhere else.
        debug_assert_eq!(self.cloud.audience_of(request.uri()), Some(Audience::Storage));
        Ok(request)
    }

    fn failed(&self, step: &'static str, detail: String) -> StoreError {
        let way_out = match step {
            "sign in for" => NO_TOKEN,
            _ => "see that the storage account is reached from here, then run again",
        };
        StoreError::Service { step, place: self.url.clone(), detail, way_out }
    }

    fn refused(&self, step: &'static str, answer: &Answer) -> StoreError {
        let way_out = match (answer.status.as_u16(), answer.code.as_str()) {
            (_, "ContainerNotFound" | "ContainerBeingDeleted") => "make the container first, then run again",
            (401, _) => NO_TOKEN,
            (403, "AuthorizationFailure") => "admit this network to the storage account, then run again",
            (403, _) => {
                "give whoever is signed in `Storage Blob Data Contributor` on the container (to plan, `Storage Blob Data Reader`), then run again"
            }
            (404, "ResourceNotFound") => "check the URL of the ledger: there is no such storage account or blob",
            (409 | 412, _) => {
                "see that nothing but akson writes the blob and that no policy makes it immutable, then run again"
            }
            (429 | 500..=599, _) => "the storage account is busy or in trouble: run again in a while",
            _ => "check the URL of the ledger and the storage account, then run again",
        };
        let code = if answer.code.is_empty() { "no code" } else { &answer.code };
        let detail = format!("the service answered {} ({code})", answer.status.as_u16());
        StoreError::Service { step, place: self.url.clone(), detail, way_out }
    }
}

impl Answer {
    fn of(response: Response<Bytes>) -> Self {
        let (parts, body) = response.into_parts();
        let code = parts.headers.get("x-ms-error-code").and_then(|code| code.to_str().ok()).unwrap_or_default();
        Self { status: parts.status, code: code.to_owned(), headers: parts.headers, body }
    }

    /// Whether the same request may be answered otherwise a moment later.
    fn is_passing(&self) -> bool {
        matches!(self.status.as_u16(), 408 | 429 | 500 | 502..=504)
    }
}

/// Codes that say that the lease is not ours any more.
fn is_lost(code: &str) -> bool {
    matches!(
        code,
        "LeaseLost"
            | "LeaseIdMissing"
            | "LeaseIdMismatchWithBlobOperation"
            | "LeaseIdMismatchWithLeaseOperation"
            | "LeaseNotPresentWithBlobOperation"
            | "LeaseNotPresentWithLeaseOperation"
            | "LeaseIsBrokenAndCannotBeRenewed"
            | "LeaseIsBreakingAndCannotBeAcquired"
    )
}

fn is_container(name: &str) -> bool {
    let bytes = name.as_bytes();
    (3..=63).contains(&bytes.len())
        && bytes.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--")
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("printable ASCII can stand in a header")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
