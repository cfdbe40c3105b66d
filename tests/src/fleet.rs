//! Several stacks that come up at once in one subscription, each with an engine and a ledger of its own, under one clock that is paused:
//! how long that takes, beside how long it must take at least. Engines do not know of each other; the services' limits they share.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use akson_applier::{Cancel, End, ledger::MemoryStore};
use akson_azure::{Cloud, Transport, TransportError};
use akson_emulator::Emulator;
use akson_planner::{Plan, Work, options::Mode};
use bytes::Bytes;
use futures_util::future::join_all;
use http::{Method, Request, Response};
use rustix::time::{ClockId, clock_gettime};
use tokio::time::Instant;

use crate::world::{World, patience::Patience};

/// How a fleet came up.
#[derive(Debug, Clone)]
pub struct Came {
    /// Resources of all stacks.
    pub operations: usize,
    /// From the first step's begin to the last one's end.
    pub makespan: Duration,
    /// What it must take at least, each with its name.
    pub bounds: Vec<(&'static str, Duration)>,
    /// Requests of all engines while they applied.
    pub requests: usize,
    /// How many of them asked how an operation is.
    pub polls: usize,
    /// How many of them were throttled.
    pub throttled: usize,
    /// What this thread spent on applying, without the emulator.
    pub engine: Duration,
}

impl Came {
    /// The greatest of the bounds.
    pub fn bound(&self) -> Duration {
        self.bounds.iter().map(|(_, bound)| *bound).max().unwrap_or_default()
    }

    /// The makespan in bounds.
    pub fn ratio(&self) -> f64 {
        self.makespan.as_secs_f64() / self.bound().as_secs_f64().max(f64::EPSILON)
    }
}

/// What a stack is made of.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Identities, each with a federated credential for the cluster and two roles.
    pub identities: usize,
    /// Secrets in the vault.
    pub secrets: usize,
    /// Policies on the group.
    pub policies: usize,
    /// Groups of Entra.
    pub groups: usize,
}

impl Size {
    /// The stack that everything is measured with: 255 resources.
    pub const WHOLE: Self = Self { identities: 50, secrets: 20, policies: 20, groups: 10 };
    /// One for tests.
    pub const SMALL: Self = Self { identities: 12, secrets: 2, policies: 2, groups: 1 };

    /// As much of everything so many times.
    #[must_use]
    pub const fn times(self, times: usize) -> Self {
        Self {
            identities: self.identities * times,
            secrets: self.secrets * times,
            policies: self.policies * times,
            groups: self.groups * times,
        }
    }

    /// How many resources that is, with a group, a cluster and its pool, a vault and a registry.
    pub const fn resources(self) -> usize {
        self.identities * 4 + self.secrets + self.policies + self.groups + 5
    }

    /// Its text.
    fn stack(self, number: usize) -> String {
        let mut text = format!(
            r#"
stack "stack-{number}" {{
  location = "westeurope"
}}

resource_group "app" {{
  name = "fleet-{number}"
}}

cluster "main" {{
  name           = "aks-{number}"
  resource_group = resource_group.app
  entra {{ authorization = azure_rbac }}
  identity          = system
  local_accounts    = disabled
  oidc_issuer       = enabled
  workload_identity = enabled

  node_pool "system" {{
    mode    = system
    vm_size = "Standard_D4s_v5"
    scale   = fixed(3)
  }}
}}

vault "app" {{
  name           = "kv-fleet-{number}"
  resource_group = resource_group.app
}}

registry "app" {{
  name           = "fleetregistry{number}"
  resource_group = resource_group.app
}}

identity "app" {{
  for_each       = [for number in range({identities}) : "${{number}}"]
  name           = "id-${{each.key}}"
  resource_group = resource_group.app
}}

federated_credential "app" {{
  for_each = [for number in range({identities}) : "${{number}}"]
  identity = identity.app[each.key]
  issuer   = cluster.main.oidc_issuer_url
  subject  = "system:serviceaccount:app:web-${{each.key}}"
}}

grant "reads" {{
  for_each = [for number in range({identities}) : "${{number}}"]
  to       = identity.app[each.key]
  role     = "Reader"
  on       = resource_group.app
}}

grant "secrets" {{
  for_each = [for number in range({identities}) : "${{number}}"]
  to       = identity.app[each.key]
  role     = "Key Vault Secrets User"
  on       = vault.app
}}
"#,
            identities = self.identities
        );
        for secret in 0..self.secrets {
            let _ = write!(
                text,
                "\nsecret \"s{secret}\" {{\n  vault = vault.app\n  name  = \"s{secret}\"\n  value = generated(32)\n}}\n"
            );
        }
        for policy in 0..self.policies {
            let _ = write!(
                text,
                "\npolicy \"p{policy}\" {{\n  name       = \"p{policy}\"\n  on         = resource_group.app\n  definition = \"Kubernetes cluster containers should only use allowed images\"\n  parameters = {{ effect = \"audit\", allowedContainerImagesRegex = \"^r{policy}/.+$\" }}\n}}\n"
            );
        }
        for group in 0..self.groups {
            let _ = write!(text, "\ngroup \"g{group}\" {{\n  display_name = \"fleet-{number}-{group}\"\n}}\n");
        }
        text
    }
}

/// Brings so many stacks up.
///
/// # Panics
/// If one does not come up, or an engine does not wait as it was told to.
pub async fn come_up(stacks: usize, size: Size, seed: u64) -> Came {
    let first = World::of_seed(seed, seed);
    let worlds = (0..stacks as u64).map(|number| {
        let mut world = first.beside(seed.wrapping_mul(1000) + number);
        // As a file is.
        world.store = MemoryStore::new().appending_from(256 * 1024);
        world
    });
    let worlds: Vec<World> = worlds.collect();
    let roads: Vec<Arc<Road>> = worlds.iter().map(|world| Arc::new(Road::new(&world.emulator))).collect();
    let mut begun = Vec::new();
    for (number, (world, road)) in worlds.iter().zip(&roads).enumerate() {
        let engine = world.engine(Arc::clone(road), &Cancel::new());
        begun.push(world.begin(engine, None, &size.stack(number), Mode::Apply).await.expect("it can be planned"));
    }
    let plans: Vec<Plan> = begun.iter().map(|begun| begun.plan.clone()).collect();
    // What planning took of the limits has flowed in again.
    tokio::time::sleep(Duration::from_secs(600)).await;
    for road in &roads {
        road.forget();
    }
    let (started, spent) = (Instant::now(), spent());
    let outcomes = join_all(begun.into_iter().map(|begun| async {
        let outcome = begun.finish().await;
        (outcome, Instant::now())
    }))
    .await;
    let spent = self::spent().saturating_sub(spent);
    let mut makespan = Duration::ZERO;
    for (outcome, ended) in outcomes {
        let report = outcome.expect("its ledger is closed").report;
        assert_eq!(report.end, End::Done, "{:#?}", report.diagnostics);
        makespan = makespan.max(ended.duration_since(started));
    }
    let seen: Vec<Seen> = roads.iter().map(|road| std::mem::take(&mut *road.seen())).collect();
    let sum = |of: &dyn Fn(&Seen) -> usize| seen.iter().map(of).sum();
    let engine = spent.saturating_sub(seen.iter().map(|seen| seen.elsewhere).sum());
    Came {
        operations: plans.iter().map(|plan| plan.changes.iter().filter(|change| change.work.is_step()).count()).sum(),
        makespan,
        bounds: bounds(&plans, &seen),
        requests: sum(&|seen| seen.requests),
        polls: sum(&|seen| seen.polls),
        throttled: sum(&|seen| seen.throttled),
        engine,
    }
}

/// What no engine can be faster than: the longest chain of any stack, each object taking what it took in this very run from being asked
/// for to its end, without a look at it before or afterwards; and what the services let through of the writes alone.
fn bounds(plans: &[Plan], seen: &[Seen]) -> Vec<(&'static str, Duration)> {
    /// By provider, or for all of ARM's: what is let through at once, and a second.
    const WALLS: [(&str, &str, f64, f64); 2] = [
        ("writes of managed identities", "/providers/microsoft.managedidentity/", 40.0, 2.0),
        ("writes through ARM", "/subscriptions/", 200.0, 10.0),
    ];
    let chains = plans.iter().zip(seen).map(|(plan, seen)| longest(plan, seen));
    let mut bounds = vec![("longest chain", chains.fold(Duration::ZERO, Duration::max))];
    for (name, within, burst, rate) in WALLS {
        let writes: usize =
            seen.iter().map(|seen| seen.written.keys().filter(|path| path.contains(within)).count()).sum();
        #[allow(clippy::cast_precision_loss, reason = "some thousands")]
        let wall = (writes as f64 - burst).max(0.0) / rate;
        bounds.push((name, Duration::from_secs_f64(wall)));
    }
    bounds
}

/// The longest chain of a plan.
fn longest(plan: &Plan, seen: &Seen) -> Duration {
    // When it was first answered, and when it had come to its end.
    let mut done: BTreeMap<&str, (Duration, Duration)> = BTreeMap::new();
    let mut left: Vec<_> = plan.changes.iter().filter(|change| change.work.is_step()).collect();
    while !left.is_empty() {
        let before = left.len();
        let steps: Vec<&str> = left.iter().map(|change| change.symbolic_id.as_str()).collect();
        left.retain(|change| {
            if change.needs.iter().any(|need| need != &change.symbolic_id && steps.contains(&need.as_str())) {
                return true;
            }
            let ready = change.needs.iter().filter_map(|need| {
                let (answered, ended) = done.get(need.as_str())?;
                Some(if change.early.contains_key(need) { *answered } else { *ended })
            });
            let ready = ready.max().unwrap_or_default();
            let id = match &change.work {
                Work::Write { id, .. } if !id.is_empty() => id.as_str(),
                _ => change.symbolic_id.as_str(),
            };
            let (answer, operation) = seen.took(&id.to_ascii_lowercase());
            done.insert(change.symbolic_id.as_str(), (ready + answer, ready + answer + operation));
            false
        });
        assert!(left.len() < before, "a plan has no circles");
    }
    done.values().map(|(_, ended)| *ended).max().unwrap_or_default()
}

/// What an engine was seen to do.
#[derive(Debug, Default)]
struct Seen {
    requests: usize,
    polls: usize,
    throttled: usize,
    /// What each write that was taken took to be answered, by path.
    written: BTreeMap<String, Duration>,
    /// Where the operations of these are asked for, and what is at work there.
    operations: BTreeMap<String, String>,
    /// What these took, by path.
    took: BTreeMap<String, Duration>,
    /// What was spent on the emulator and on watching.
    elsewhere: Duration,
}

impl Seen {
    /// Until an object was answered for, and from there to its end.
    fn took(&self, path: &str) -> (Duration, Duration) {
        let answer = self.written.get(path).copied().unwrap_or_default();
        // An operation begins before it is answered.
        let operation = self.took.get(path).copied().unwrap_or_default().saturating_sub(answer);
        (answer, operation)
    }
}

/// The way of one engine to the emulator that all share.
struct Road {
    emulator: Arc<Emulator>,
    patience: Patience,
    seen: Mutex<Seen>,
}

impl Road {
    fn new(emulator: &Arc<Emulator>) -> Self {
        Self { emulator: Arc::clone(emulator), patience: Patience::default(), seen: Mutex::default() }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self) {
        *self.seen() = Seen::default();
    }

    fn note(&self, method: &Method, path: &str, took: Duration, answer: &Response<Bytes>) {
        let mut seen = self.seen();
        seen.requests += 1;
        seen.throttled += usize::from(answer.status().as_u16() == 429);
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok());
        if *method == Method::GET {
            if let Some(target) = seen.operations.get(path).cloned() {
                seen.polls += 1;
                let body: serde_json::Value = serde_json::from_slice(answer.body()).unwrap_or_default();
                let time = |name: &str| body[name].as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
                if let (Some(from), Some(to)) = (time("startTime"), time("endTime")) {
                    seen.took.insert(target, Duration::try_from(to.duration_since(from)).unwrap_or_default());
                }
            }
        } else if *method == Method::PUT && answer.status().is_success() {
            seen.written.insert(path.to_owned(), took);
            if let Some(url) = header("azure-asyncoperation").and_then(|url| url.parse::<http::Uri>().ok()) {
                seen.operations.insert(url.path().to_ascii_lowercase(), path.to_owned());
            }
        }
    }
}

#[async_trait::async_trait]
impl Transport for Road {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let (host, method) = (request.uri().host().unwrap_or_default().to_owned(), request.method().clone());
        let path = request.uri().path().to_ascii_lowercase();
        let sent = Instant::now();
        let watched = async {
            let going = self.patience.sent(&request);
            let answer = self.emulator.handle(request).await;
            let answer = answer
                .map_err(|_| TransportError::Broken { host: host.clone(), detail: "connection reset".to_owned() })?;
            if host != Cloud::PUBLIC.login {
                self.note(&method, &path, sent.elapsed(), &answer);
            }
            self.patience.answered(going, &answer);
            Ok(answer)
        };
        Elsewhere { future: Box::pin(watched), road: self }.await
    }
}

/// Counts what is spent on a future as not the engine's.
struct Elsewhere<'a, F> {
    future: Pin<Box<F>>,
    road: &'a Road,
}

impl<F: Future> Future for Elsewhere<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let before = spent();
        let polled = self.future.as_mut().poll(context);
        self.road.seen().elsewhere += spent().saturating_sub(before);
        polled
    }
}

/// What this thread has spent of the processor.
fn spent() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}
