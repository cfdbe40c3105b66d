//! One request at a time, as many at once as allowed: tokens, throttling, slots, time. Not what the requests are for.
//!
//! Everything from outside is handed in: transport, tokens, pace, seed, the switch to stop. In one thread under tokio's paused time a
//! seed decides the whole run.

use std::{
    cell::Cell,
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use akson_azure::{
    Answer, BadOperation, Class, Cloud, Lane, NotACluster, Operation, Reach, Refusal, RequestIds, Throttle, TokenError,
    TokenSource, Transport, TransportError, TrustCa, classify, may_have_happened, plane::kubernetes::ApiServer,
};
use akson_catalog::Secret;
use akson_planner::Way;
use bytes::Bytes;
use http::{HeaderValue, Request, header::AUTHORIZATION};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use tokio::sync::{Semaphore, SemaphorePermit};
use uuid::Uuid;

use crate::{
    Cancel,
    ledger::{Ledger, StoreError},
    pace::{CloudClock, Pace},
};

/// What an engine is made with.
pub struct EngineOptions {
    /// How requests go out.
    pub transport: Arc<dyn Transport>,
    /// Where tokens come from.
    pub tokens: Arc<dyn TokenSource>,
    /// Whose hosts are asked.
    pub cloud: Cloud,
    /// How fast the cloud's time passes.
    pub pace: Pace,
    /// Decides every random choice of the run.
    pub seed: u64,
    /// The run's id, a GUID.
    pub run: String,
    /// Bounds.
    pub limits: Limits,
    /// Stops the run.
    pub cancel: Cancel,
}

/// Bounds of a run. Times are the cloud's but for [`Limits::request`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Requests in flight at once.
    pub parallelism: usize,
    /// How long one request may take, in our time.
    pub request: Duration,
    /// How long a read is tried.
    pub read: Duration,
    /// How long to go on following what is in flight after the run was stopped.
    pub after_stop: Duration,
    /// How long requests of a dead run may still arrive.
    pub settle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            parallelism: 16,
            request: Duration::from_secs(20),
            read: Duration::from_secs(120),
            after_stop: Duration::from_secs(60),
            settle: Duration::from_secs(30),
        }
    }
}

/// Sends requests.
pub struct Engine {
    pub(crate) options: EngineOptions,
    /// Where tokens may go.
    reach: Reach,
    clock: CloudClock,
    throttle: Mutex<Throttle>,
    /// Who waits for a lane, in the order of coming.
    queues: Mutex<BTreeMap<Lane, Arc<tokio::sync::Mutex<()>>>>,
    random: Mutex<StdRng>,
    /// From when on tokens may be asked for again.
    sign_in_from: Mutex<Duration>,
    slots: Semaphore,
    sent: AtomicUsize,
    /// What ARM's clock said last, in seconds since 1970; 0 before it said anything.
    told_time: AtomicI64,
    /// When the run was first seen to be stopped.
    stopped: Mutex<Option<Duration>>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// No whole answer came.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// There is no token.
    #[error(transparent)]
    SignIn(#[from] TokenError),
    /// The run was stopped before the request was sent.
    #[error("interrupted")]
    Interrupted,
    /// There is no such request.
    #[error(transparent)]
    Operation(#[from] BadOperation),
    /// The ledger is not surely ours any more: it was not sent.
    #[error(transparent)]
    Ledger(#[from] StoreError),
}

impl SendError {
    /// Whether the request may have been processed all the same.
    pub fn may_have_happened(&self) -> bool {
        matches!(self, SendError::Transport(TransportError::Broken { .. } | TransportError::TimedOut { .. }))
    }
}

/// How a request went on its way.
#[derive(Debug, Default)]
pub(crate) struct Passage {
    /// It was throttled. Nothing that is should have been processed, but only the gateway says so, and an announcement is not taken back
    /// on its word.
    pub(crate) throttled: Cell<bool>,
    /// How long it waited for its turn: that is not Azure's time.
    pub(crate) waited: Cell<Duration>,
}

/// Whether a wait ends when the run is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// At once: nothing is in flight.
    UntilStopped,
    /// Some time after: something is in flight.
    AWhileLonger,
}

/// Waits before it is believed that something is absent or not kept: readers lag behind.
pub(crate) const LOOK_AGAIN: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];
/// The first wait before a request is tried again.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// The longest.
const LONGEST_RETRY: Duration = Duration::from_secs(30);

impl Engine {
    /// An engine. Its clock starts now.
    pub fn new(options: EngineOptions) -> Self {
        Self {
            clock: CloudClock::start(options.pace),
            throttle: Mutex::new(Throttle::new()),
            queues: Mutex::default(),
            sign_in_from: Mutex::default(),
            random: Mutex::new(StdRng::seed_from_u64(options.seed)),
            slots: Semaphore::new(options.limits.parallelism.clamp(1, 1024)),
            sent: AtomicUsize::new(0),
            told_time: AtomicI64::new(0),
            stopped: Mutex::new(None),
            reach: Reach::new(options.cloud),
            options,
        }
    }

    /// The run's id.
    pub fn run(&self) -> &str {
        &self.options.run
    }

    /// Whose hosts are asked.
    pub fn cloud(&self) -> &Cloud {
        &self.options.cloud
    }

    /// The API server of a cluster of the stack's: tokens may go there from now on.
    ///
    /// # Errors
    /// [`NotACluster`] if the host is not one of the cloud's for clusters, whoever says so.
    pub(crate) fn cluster(&self, way: &Way) -> Result<ApiServer, NotACluster> {
        let host = self.reach.add_cluster(&way.host)?;
        let authority = (!way.authority.is_empty()).then(|| TrustCa::new(way.authority.as_str()));
        Ok(ApiServer { host, authority })
    }

    /// Its bounds.
    pub fn limits(&self) -> &Limits {
        &self.options.limits
    }

    /// The switch that stops it.
    pub fn cancel(&self) -> &Cancel {
        &self.options.cancel
    }

    /// How many requests were sent, without those for tokens.
    pub fn requests(&self) -> usize {
        self.sent.load(Ordering::Relaxed)
    }

    /// What time it is by ARM's own clock, in seconds since 1970, as of its last answer; none before the first. This machine's clock may
    /// be wrong, and an emulator's world has a time of its own.
    pub fn cloud_time(&self) -> Option<i64> {
        Some(self.told_time.load(Ordering::Relaxed)).filter(|seconds| *seconds > 0)
    }

    /// Since its start, in our time.
    pub fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// Since its start, in the cloud's time.
    pub(crate) fn now(&self) -> Duration {
        self.clock.now()
    }

    /// The ids of a step's requests: the same for each retry, so that Azure's logs show them as one.
    pub(crate) fn ids(&self, step: &str) -> RequestIds {
        let run = Uuid::try_parse(&self.options.run).unwrap_or_default();
        RequestIds { run: self.options.run.clone(), step: Uuid::new_v5(&run, step.as_bytes()).to_string() }
    }

    /// A wait before the `attempt`th retry (from 0): growing, and spread so that many do not come at once.
    pub(crate) fn backoff(&self, attempt: u32) -> Duration {
        let longest = (FIRST_RETRY * 2_u32.saturating_pow(attempt.min(10))).min(LONGEST_RETRY);
        longest.mul_f64(lock(&self.random).random_range(0.5..1.0))
    }

    /// Waits in the cloud's time.
    ///
    /// # Errors
    /// [`SendError::Interrupted`] if the run is stopped meanwhile.
    pub(crate) async fn pause(&self, wait: Duration, patience: Patience) -> Result<(), SendError> {
        self.unless_stopped(tokio::time::sleep(self.options.pace.ours(wait)), patience).await
    }

    /// Waits for something, or until the run is stopped.
    async fn unless_stopped<T>(&self, waited_for: impl Future<Output = T>, patience: Patience) -> Result<T, SendError> {
        let stopped = async {
            self.options.cancel.stopped().await;
            let since = *lock(&self.stopped).get_or_insert(self.now());
            if patience == Patience::AWhileLonger {
                let left = (since + self.options.limits.after_stop).saturating_sub(self.now());
                tokio::time::sleep(self.options.pace.ours(left)).await;
            }
        };
        tokio::select! {
            biased;
            came = waited_for => Ok(came),
            () = stopped => Err(SendError::Interrupted),
        }
    }

    /// Sends an operation that changes something once, but for what is certain not to have been processed: 401 once with a new token, 429
    /// until `deadline`. It only goes out while the ledger is surely this run's.
    ///
    /// # Errors
    /// [`SendError`]
    pub(crate) async fn send(
        &self,
        ledger: &Ledger,
        operation: &Operation,
        step: &str,
        deadline: Duration,
        patience: Patience,
    ) -> Result<Answer, SendError> {
        self.send_telling(ledger, (operation, step), deadline, patience, &Passage::default()).await
    }

    /// The same, telling how it went on its way.
    ///
    /// # Errors
    /// [`SendError`]
    pub(crate) async fn send_telling(
        &self,
        ledger: &Ledger,
        (operation, step): (&Operation, &str),
        deadline: Duration,
        patience: Patience,
        passage: &Passage,
    ) -> Result<Answer, SendError> {
        let request = operation.request(&self.options.cloud, &self.ids(step))?;
        self.send_holding((Some(ledger), passage), request, &Lane::of(operation), deadline, patience).await
    }

    /// The same with a request of its own that only reads: of a poll, of a page.
    ///
    /// # Errors
    /// [`SendError`]
    pub(crate) async fn send_request(
        &self,
        request: Request<Bytes>,
        lane: &Lane,
        deadline: Duration,
        patience: Patience,
    ) -> Result<Answer, SendError> {
        self.send_holding((None, &Passage::default()), request, lane, deadline, patience).await
    }

    async fn send_holding(
        &self,
        (ledger, passage): (Option<&Ledger>, &Passage),
        request: Request<Bytes>,
        lane: &Lane,
        deadline: Duration,
        patience: Patience,
    ) -> Result<Answer, SendError> {
        let mut since = self.now();
        let allowed = deadline.saturating_sub(since);
        let mut refused: Option<Secret> = None;
        loop {
            let came = self.now();
            let (request, token) = self.signed(request.clone(), refused.as_ref(), patience).await?;
            let _slot = self.turn(lane, ledger, patience).await?;
            let sent = self.now();
            passage.waited.set(passage.waited.get() + sent.saturating_sub(came));
            let answer = self.exchange(request).await?;
            let (now, retry_after) = (self.now(), answer.retry_after());
            match answer.status.as_u16() {
                401 if refused.is_none() => {
                    refused = Some(token);
                    continue;
                }
                429 => {
                    passage.throttled.set(true);
                    let by_gateway = answer.error().says("SubscriptionRequestsThrottled");
                    let refusal = Refusal { sent, retry_after, by_gateway, chance: self.chance() };
                    let wait = lock(&self.throttle).refused(lane, now, &refusal);
                    // What waits while others of its lane get through only waits for its turn, however many they are.
                    since = since.max(lock(&self.throttle).last_accepted(lane).unwrap_or_default());
                    if now + wait < since + allowed {
                        passage.waited.set(passage.waited.get() + now.saturating_sub(sent));
                        continue;
                    }
                }
                503 => {
                    if let Some(wait) = retry_after {
                        lock(&self.throttle).busy(lane, now, wait, self.chance());
                    }
                }
                _ => lock(&self.throttle).accepted(lane, now),
            }
            return Ok(answer);
        }
    }

    /// Waits until a request may go out, which it must do at once then: the slot is its place among those in flight. Who is first in a
    /// lane watches the clock, the others stand behind it.
    async fn turn(
        &self,
        lane: &Lane,
        ledger: Option<&Ledger>,
        patience: Patience,
    ) -> Result<SemaphorePermit<'_>, SendError> {
        let queue = Arc::clone(lock(&self.queues).entry(lane.clone()).or_default());
        let _first = self.unless_stopped(queue.lock(), patience).await?;
        loop {
            let slot = self.slots.acquire().await.expect("the semaphore is never closed");
            if patience == Patience::UntilStopped && self.options.cancel.is_stopped() {
                return Err(SendError::Interrupted);
            }
            // Last of all: whatever was waited for above, time has passed.
            if let Some(ledger) = ledger {
                ledger.assure().await?;
            }
            let taken = lock(&self.throttle).take(lane, self.now());
            let Err(wait) = taken else { return Ok(slot) };
            drop(slot);
            self.pause(wait, patience).await?;
        }
    }

    fn chance(&self) -> f64 {
        lock(&self.random).random_range(0.0..1.0)
    }

    /// One request and its answer.
    async fn exchange(&self, request: Request<Bytes>) -> Result<Answer, SendError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        self.sent.fetch_add(1, Ordering::Relaxed);
        let limit = self.options.limits.request;
        match tokio::time::timeout(limit, self.options.transport.send(request)).await {
            Ok(answer) => {
                let answer = Answer::of(answer?);
                if host == self.options.cloud.arm
                    && let Some(date) = answer.date()
                {
                    self.told_time.store(date, Ordering::Relaxed);
                }
                Ok(answer)
            }
            Err(_) => Err(TransportError::TimedOut { host, seconds: limit.as_secs() }.into()),
        }
    }

    /// The request with a token on it, if its host is one of the cloud's own or of the stack's clusters; to any other it is not sent.
    async fn signed(
        &self,
        mut request: Request<Bytes>,
        refused: Option<&Secret>,
        patience: Patience,
    ) -> Result<(Request<Bytes>, Secret), SendError> {
        let audience = self.reach.audience_of(request.uri());
        let audience = audience.ok_or_else(|| BadOperation::Path(request.uri().path().to_owned()))?;
        let give_up = self.now() + self.options.limits.read;
        let mut attempt = 0;
        let token = loop {
            let closed = lock(&self.sign_in_from).saturating_sub(self.now());
            if !closed.is_zero() {
                self.pause(closed, patience).await?;
            }
            match self.options.tokens.token(audience, self.now(), refused).await {
                Ok(token) => break token,
                Err(TokenError::Unavailable { retry_after, .. }) if self.now() < give_up => {
                    let wait = retry_after.unwrap_or_else(|| self.backoff(attempt));
                    if retry_after.is_some() {
                        let mut from = lock(&self.sign_in_from);
                        *from = (*from).max(self.now() + wait);
                    }
                    attempt += 1;
                    self.pause(wait, patience).await?;
                }
                Err(error) => return Err(error.into()),
            }
        };
        let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
            .map_err(|_| BadOperation::Header("the token".to_owned()))?;
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
        Ok((request, token))
    }

    /// Reads until there is an answer that says something: broken connections, 5xx and busy answers are tried again.
    ///
    /// # Errors
    /// [`SendError`]
    pub(crate) async fn read(
        &self,
        operation: &Operation,
        step: &str,
        patience: Patience,
    ) -> Result<Answer, SendError> {
        let request = operation.request(&self.options.cloud, &self.ids(step))?;
        self.read_request(request, &Lane::of(operation), patience).await
    }

    /// The same with a request of its own.
    ///
    /// # Errors
    /// [`SendError`]
    pub(crate) async fn read_request(
        &self,
        request: Request<Bytes>,
        lane: &Lane,
        patience: Patience,
    ) -> Result<Answer, SendError> {
        self.read_within(request, lane, patience, self.options.limits.read).await
    }

    /// The same, tried for so long and no longer.
    ///
    /// # Errors
    /// [`SendError`]
    pub(crate) async fn read_within(
        &self,
        request: Request<Bytes>,
        lane: &Lane,
        patience: Patience,
        long: Duration,
    ) -> Result<Answer, SendError> {
        let mut deadline = self.now() + long;
        let mut attempt = 0;
        loop {
            let passage = Passage::default();
            let answer = self.send_holding((None, &passage), request.clone(), lane, deadline, patience).await;
            deadline += passage.waited.get();
            let passing = match &answer {
                Ok(answer) if answer.is_success() || answer.is_gone() => false,
                Ok(answer) => {
                    may_have_happened(answer.status.as_u16()) || classify(&answer.error()) == Class::RetryFast
                }
                Err(SendError::Transport(error)) => {
                    !matches!(error, TransportError::Untrusted { .. } | TransportError::NotRecorded { .. })
                }
                Err(_) => false,
            };
            if !passing || self.now() >= deadline {
                return answer;
            }
            let wait = answer.ok().and_then(|answer| answer.retry_after()).unwrap_or_else(|| self.backoff(attempt));
            attempt += 1;
            self.pause(wait, patience).await?;
        }
    }
}

/// Nothing that holds one of the engine's locks can panic half way through a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
