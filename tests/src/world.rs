//! The engine's world in one thread: the emulator, a ledger in memory, and runs that read, plan and apply against them under paused
//! time. Each mutating request must have been announced in the durable ledger when it arrives. Not the binary: that is the crate's root.

use std::{collections::BTreeMap, sync::Arc};

use akson_applier::{
    ApplyEvent, Cancel, Engine, EngineOptions, Gathered, Limits, Pace, Report, apply, gather,
    ledger::{Binding, Ledger, LedgerStore, MemoryStore},
    refresh, settle,
};
use akson_azure::{ClientCredentials, Cloud, Transport};
use akson_catalog::{ArmId, Catalog, Secret, SymbolicId};
use akson_config::{Config, Inputs};
use akson_diagnostics::{Diagnostics, SourceMap};
use akson_emulator::{Emulator, God, Latency, Options};
use akson_planner::{
    Owned, Plan, Snapshot, Way, Work,
    options::{Mode, PlanOptions},
};
use bytes::Bytes;
use http::{Method, Response};

mod disk;
pub(crate) mod patience;
mod trouble;
mod watch;
mod wire;

pub use disk::Disk;
pub use trouble::{TROUBLES, Trouble};
use watch::{Watch, Watched, WatchedStore};
use wire::Wire;

/// Two applications, each with an identity, and a vault.
pub const STACK: &str = r#"
stack "test" {
  location = "westeurope"
}

resource_group "app" {
  name = "app-rg"
  tags = { team = "one" }
}

identity "app" {
  for_each       = ["a", "b"]
  name           = "id-${each.key}"
  resource_group = resource_group.app
}

federated_credential "ci" {
  for_each = ["x", "y"]
  identity = identity.app["a"]
  name     = "ci-${each.key}"
  issuer   = "https://token.actions.githubusercontent.com"
  subject  = "repo:example/${each.key}:ref:refs/heads/main"
}

vault "app" {
  name           = "kv-applier-test"
  resource_group = resource_group.app
  tags           = { reader = identity.app["a"].client_id }
}

output "client" {
  value = identity.app["a"].client_id
}
"#;

/// What a test has between runs.
pub struct World {
    /// Its Azure.
    pub emulator: Arc<Emulator>,
    /// Its ledger, as durable as a disk.
    pub store: MemoryStore,
    /// Where the engine's randomness starts.
    pub seed: u64,
    /// What somebody else does between plan and apply.
    pub meanwhile: Option<Hand>,
    /// What somebody else does after each write.
    pub afterwards: Option<Hand>,
    /// What becomes of answers on their way.
    pub tamper: Option<Tamper>,
    /// What befalls one request of the next runs, by its number from 0.
    pub trouble: Option<(usize, Trouble)>,
    /// How often a run is sure to have the ledger's lock; then it is another's. None: for ever.
    pub sure: Option<usize>,
    /// Where the ledger is in files.
    pub disk: Option<Disk>,
    /// How many requests may be under way at once.
    pub parallelism: usize,
    /// How many deletions a plan may have.
    pub max_deletes: Option<usize>,
    /// What all the ids have in them that only this stack's objects have: whatever lives there must be in the ledger, always.
    pub ours: Option<String>,
    /// What a broken planner makes of each plan: the engine gets that, and what must hold is held to the right one.
    pub breaks: Option<Break>,
    watch: Arc<Watch>,
}

/// A planner's mistake, made on purpose.
pub type Break = Arc<dyn Fn(&mut Plan) + Send + Sync>;

/// Changes answers on their way: given the method and the path that were asked for.
pub type Tamper = Arc<dyn Fn(&Method, &str, &mut Response<Bytes>) + Send + Sync>;

/// Somebody else at work.
pub type Hand = Arc<dyn Fn(&God) + Send + Sync>;

/// When a run is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kill {
    /// As its n-th request (from 0) is about to be processed.
    Before(usize),
    /// After it was.
    After(usize),
    /// As it is on its way: it arrives a while after the death.
    OnItsWay(usize),
}

/// What came of a run.
pub struct Outcome {
    /// How the apply ended.
    pub report: Report,
    /// What was planned.
    pub plan: Plan,
    /// What was told meanwhile.
    pub events: Vec<ApplyEvent>,
}

/// A run that has its plan.
pub(crate) struct Begun {
    engine: Engine,
    ledger: Ledger,
    snapshot: Snapshot,
    pub(crate) plan: Plan,
}

impl Begun {
    /// Carries the plan out.
    pub(crate) async fn finish(self) -> Result<Outcome, String> {
        let Self { engine, ledger, snapshot, plan } = self;
        let mut events = Vec::new();
        let report = apply(&engine, &plan, &snapshot, &ledger, &mut |event| events.push(event)).await;
        ledger.close().await.map_err(|error| error.to_string())?;
        Ok(Outcome { report, plan, events })
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// One as every test has it.
    pub fn new() -> Self {
        Self::of_seed(7, Options::default().seed)
    }

    /// One whose engine and emulator draw from these seeds.
    pub fn of_seed(seed: u64, emulator: u64) -> Self {
        let options = Options { latency: Latency::Realistic, seed: emulator, ..Options::default() };
        Self::within(Emulator::open(options).unwrap(), seed)
    }

    /// Another stack in the same Azure.
    #[must_use]
    pub fn beside(&self, seed: u64) -> Self {
        Self::within(Arc::clone(&self.emulator), seed)
    }

    fn within(emulator: Arc<Emulator>, seed: u64) -> Self {
        Self {
            emulator,
            // Half of the worlds have a ledger that is appended to, as long ones are.
            store: if seed.is_multiple_of(2) { MemoryStore::new().appending_from(0) } else { MemoryStore::new() },
            seed,
            meanwhile: None,
            afterwards: None,
            tamper: None,
            trouble: None,
            sure: None,
            disk: None,
            parallelism: Limits::default().parallelism,
            max_deletes: None,
            ours: None,
            breaks: None,
            watch: Arc::default(),
        }
    }

    /// The view of one who knows everything.
    pub fn god(&self) -> God {
        self.emulator.god()
    }

    /// Reads, plans and applies to the end.
    pub async fn apply(&self, source: &str) -> Outcome {
        self.run(source, Mode::Apply, &Cancel::new()).await
    }

    /// Deletes everything.
    pub async fn destroy(&self, source: &str) -> Outcome {
        self.run(source, Mode::Destroy, &Cancel::new()).await
    }

    /// Reads, plans and applies.
    pub async fn run(&self, source: &str, mode: Mode, cancel: &Cancel) -> Outcome {
        let wire = Arc::new(Wire::new(self, None));
        self.run_over(wire, source, mode, cancel).await
    }

    /// Applies until killed; whether that happened before the end.
    pub async fn kill(&self, source: &str, mode: Mode, kill: Kill) -> bool {
        let wire = Arc::new(Wire::new(self, Some(kill)));
        let cancel = Cancel::new();
        let killed = Arc::clone(&wire);
        let died = tokio::select! {
            biased;
            () = killed.killed.notified() => true,
            _ = self.attempt_over(Arc::clone(&wire), source, mode, &cancel) => false,
        };
        self.store.holder_died();
        self.watch.holder_died();
        died
    }

    async fn run_over(&self, wire: Arc<Wire>, source: &str, mode: Mode, cancel: &Cancel) -> Outcome {
        self.attempt_over(wire, source, mode, cancel).await.unwrap_or_else(|why| panic!("{why}"))
    }

    /// As `run`, where faults may keep a run from its plan.
    ///
    /// # Errors
    /// Why there is no plan, in words.
    pub async fn attempt(&self, source: &str, mode: Mode, cancel: &Cancel) -> Result<Outcome, String> {
        self.attempt_over(Arc::new(Wire::new(self, None)), source, mode, cancel).await
    }

    /// Reads what an import of these places reads.
    ///
    /// # Errors
    /// What could not be read.
    pub async fn gather(&self, places: &[ArmId], directory: &[String]) -> Result<Gathered, String> {
        let engine = self.engine(Arc::new(Wire::new(self, None)), &Cancel::new());
        let catalog = Catalog::builtin().unwrap();
        gather(&engine, catalog, places, directory, true).await.map_err(|failure| failure.to_string())
    }

    /// Reads and plans with the ledger as it is, without its lock: what a plan in a pull request and a look for drift do.
    ///
    /// # Errors
    /// Why there is no plan, in words.
    pub async fn look(&self, source: &str) -> Result<Plan, String> {
        let owned = self.store.document().map(|document| document.owned()).unwrap_or_default();
        let held = akson_planner::held_names(&self.config(source), &owned);
        self.planned(&self.evaluated(source, held)?, &owned).await
    }

    /// Reads and plans, as one to whom nothing belongs yet.
    ///
    /// # Errors
    /// Why there is no plan, in words.
    pub async fn plan(&self, source: &str) -> Result<Plan, String> {
        self.plan_reaching(source, BTreeMap::new()).await
    }

    /// The same, as one who knows how clusters are reached.
    ///
    /// # Errors
    /// Why there is no plan, in words.
    pub async fn plan_reaching(&self, source: &str, ways: BTreeMap<SymbolicId, Way>) -> Result<Plan, String> {
        let config = self.evaluated(source, BTreeMap::new())?;
        self.planned(&config, &Owned { known: true, reachable: ways, ..Owned::default() }).await
    }

    async fn planned(&self, config: &Config, owned: &Owned) -> Result<Plan, String> {
        let engine = self.engine(Arc::new(Wire::new(self, None)), &Cancel::new());
        let catalog = Catalog::builtin().unwrap();
        let options = PlanOptions { cloud: "emulator".to_owned(), ..PlanOptions::default() };
        let snapshot = refresh(&engine, config, owned, catalog, &options)
            .await
            .map_err(|failure| format!("read {}: {:?}", failure.path, failure.cause))?;
        let mut diagnostics = Diagnostics::new();
        akson_planner::plan(config, &snapshot, owned, catalog, &options, &mut diagnostics)
            .ok_or_else(|| format!("plan: {:#?}", diagnostics.sorted()))
    }

    pub(crate) fn engine<T: Transport + 'static>(&self, wire: Arc<T>, cancel: &Cancel) -> Engine {
        let signed_in = self.emulator.identity();
        let tokens = ClientCredentials::new(
            Arc::<T>::clone(&wire),
            Cloud::PUBLIC,
            signed_in.tenant.clone(),
            signed_in.client_id.clone(),
            Secret::new(signed_in.client_secret.clone()),
        );
        Engine::new(EngineOptions {
            transport: wire,
            tokens: Arc::new(tokens),
            cloud: Cloud::PUBLIC,
            pace: Pace::new(signed_in.time_scale),
            seed: self.seed,
            run: format!("00000000-0000-4000-8000-{:012}", self.store.commits()),
            limits: Limits { parallelism: self.parallelism, ..Limits::default() },
            cancel: cancel.clone(),
        })
    }

    async fn attempt_over(
        &self,
        wire: Arc<Wire>,
        source: &str,
        mode: Mode,
        cancel: &Cancel,
    ) -> Result<Outcome, String> {
        let watched = Arc::clone(&wire.watched);
        let begun = self.begin(self.engine(wire, cancel), Some(&watched), source, mode).await?;
        if let Some(meanwhile) = &self.meanwhile {
            meanwhile(&self.god());
        }
        begun.finish().await
    }

    /// Takes the ledger, reads and plans.
    pub(crate) async fn begin(
        &self,
        engine: Engine,
        watched: Option<&Arc<Watched>>,
        source: &str,
        mode: Mode,
    ) -> Result<Begun, String> {
        let config = self.config(source);
        let catalog = Catalog::builtin().unwrap();
        let binding = binding(&config);
        let store: Arc<dyn LedgerStore> = match &self.disk {
            Some(disk) => disk.store(&self.store),
            None => Arc::new(self.store.clone()),
        };
        let store: Arc<dyn LedgerStore> = match watched {
            Some(watched) => {
                Arc::new(WatchedStore { inner: store, memory: self.store.clone(), watched: Arc::clone(watched) })
            }
            None => store,
        };
        let (ledger, _) =
            Ledger::open(store, &binding, engine.run()).await.map_err(|error| format!("ledger: {error}"))?;
        // Whatever happens, the next run gets the lock.
        let planned = async {
            settle(&engine, &ledger, true).await.map_err(|error| format!("settle: {error:?}"))?;
            let options = PlanOptions {
                mode,
                cloud: "emulator".to_owned(),
                max_deletes: self.max_deletes,
                ..PlanOptions::default()
            };
            let owned = ledger.owned();
            let held = akson_planner::held_names(&config, &owned);
            let config = if held.is_empty() { config } else { self.config_with(source, held) };
            let snapshot = refresh(&engine, &config, &owned, catalog, &options)
                .await
                .map_err(|failure| format!("read {}: {:?}", failure.path, failure.cause))?;
            let mut diagnostics = Diagnostics::new();
            let plan = akson_planner::plan(&config, &snapshot, &owned, catalog, &options, &mut diagnostics);
            let mut plan = plan.ok_or_else(|| format!("plan: {:#?}", diagnostics.sorted()))?;
            if let Some(watched) = watched {
                watched.planned(&plan, ledger.document(), &config, self.max_deletes);
            }
            if let Some(breaks) = &self.breaks {
                breaks(&mut plan);
            }
            Ok::<_, String>((snapshot, plan))
        };
        match planned.await {
            Ok((snapshot, plan)) => Ok(Begun { engine, ledger, snapshot, plan }),
            Err(why) => {
                ledger.close().await.map_err(|error| error.to_string())?;
                Err(why)
            }
        }
    }

    /// A configuration in this world; it must be right.
    pub fn config(&self, source: &str) -> Config {
        self.config_with(source, BTreeMap::new())
    }

    /// The same with names that a ledger holds.
    pub fn config_with(&self, source: &str, held_names: BTreeMap<String, String>) -> Config {
        self.evaluated(source, held_names).unwrap_or_else(|why| panic!("{why}"))
    }

    /// A configuration in this world.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn evaluated(&self, source: &str, held_names: BTreeMap<String, String>) -> Result<Config, String> {
        let signed_in = self.emulator.identity();
        let mut sources = SourceMap::new();
        let mut diagnostics = Diagnostics::new();
        let id = sources.add("main.aks", source);
        let file = akson_parser::parse(&sources, id, &mut diagnostics);
        let inputs = Inputs {
            tenant: Some(signed_in.tenant),
            subscription: Some(signed_in.subscription),
            token_exchange_audience: Cloud::PUBLIC.token_exchange_audience.to_owned(),
            held_names,
            ..Inputs::default()
        };
        let catalog = Catalog::builtin().unwrap();
        let config = akson_config::evaluate(&[file], &sources, catalog, &inputs, &mut diagnostics);
        config.filter(|_| !diagnostics.has_errors()).ok_or_else(|| format!("{:#?}", diagnostics.sorted()))
    }

    /// Everything that lives in the subscription's groups, by id, without what a service counts by itself.
    pub fn objects(&self) -> BTreeMap<String, serde_json::Value> {
        self.god().snapshot().objects
    }

    /// The same where what a dead run was deleting may vanish between plan and apply: that fails a step, and the next run goes on.
    pub async fn settle_to(&self, source: &str) {
        self.apply(source).await;
        self.converge(source).await;
    }

    /// Applies until nothing is left to do; the runs it took.
    pub async fn converge(&self, source: &str) -> usize {
        for runs in 0..5 {
            let outcome = self.apply(source).await;
            if outcome.plan.is_empty() && outcome.plan.changes.iter().all(|change| !change.work.is_step()) {
                return runs;
            }
            assert!(!outcome.report.diagnostics.has_errors(), "{:#?}", outcome.report.diagnostics);
        }
        panic!("it never converges");
    }
}

fn binding(config: &Config) -> Binding {
    Binding {
        stack: config.stack.label.clone(),
        stack_id: "the stack of the test".to_owned(),
        cloud: "emulator".to_owned(),
        tenant: config.stack.tenant.clone(),
        subscription: config.stack.subscription.clone(),
    }
}

/// Whether a plan would send anything.
pub fn sends(plan: &Plan) -> bool {
    plan.changes.iter().any(|change| matches!(change.work, Work::Write { .. } | Work::Delete { .. }))
}
