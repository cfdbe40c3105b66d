//! One run against a cloud: configuration, engine and ledger brought together. What is done with them is in `commands`.

use std::sync::Arc;

use akson_applier::{
    Cancel, Engine, EngineOptions, Limits, Pace,
    ledger::{Binding, Document, Fallback, Ledger, LedgerStore, peek},
    refresh, report, settle,
};
use akson_config::Config;
use akson_diagnostics::{Diagnostic, Diagnostics};
use akson_planner::{
    Caller, Owned, Plan, Snapshot,
    options::{Mode, PlanOptions},
};

use crate::{
    arguments::Global,
    clock,
    cloud::{self, Identity, Session},
    document::PlanDocument,
    exit::Exit,
    ledgers,
    load::{self, Loaded},
    output, planfile,
    sign_in::{self, Written},
    views::literal,
    ways,
};

/// Runs a command's future in this thread.
pub(crate) fn block_on(work: impl Future<Output = Exit>) -> Exit {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(work),
        Err(error) => {
            output::aside(&format!("error: cannot start: {error}"));
            Exit::Error
        }
    }
}

/// What sends the requests of a session.
pub(crate) fn engine(session: &Session, parallelism: usize, cancel: &Cancel) -> Engine {
    Engine::new(EngineOptions {
        tokens: Arc::clone(&session.tokens),
        transport: Arc::clone(&session.transport),
        cloud: akson_azure::Cloud::by_name(session.cloud.as_str()).unwrap_or(akson_azure::Cloud::PUBLIC),
        pace: Pace::new(session.time_scale),
        seed: uuid::Uuid::new_v4().as_u64_pair().0,
        run: uuid::Uuid::new_v4().to_string(),
        limits: Limits { parallelism, ..Limits::default() },
        cancel: cancel.clone(),
    })
}

/// A configuration, signed in.
pub(crate) struct Run {
    pub(crate) loaded: Loaded,
    pub(crate) config: Config,
    identity: Identity,
    pub(crate) engine: Engine,
    pub(crate) cancel: Cancel,
    pub(crate) binding: Binding,
    pub(crate) store: Arc<dyn LedgerStore>,
    outlives: bool,
    /// Who the plan is for, as far as that is known by now.
    caller: Caller,
    ways: std::collections::BTreeMap<akson_catalog::SymbolicId, akson_planner::Way>,
}

impl Run {
    /// Reads the configuration and signs in. A broken configuration is refused before anything is opened or created.
    ///
    /// # Errors
    /// The exit code; what is wrong is printed.
    pub(crate) async fn open(global: &Global, parallelism: usize) -> Result<Self, Exit> {
        let mut loaded = Loaded::read(global);
        // What is wrong with every tenant and subscription is told before a world is made or a token asked for.
        let written = match loaded.evaluate(global, None) {
            Some(config) if !loaded.diagnostics.has_errors() => Written::of(&config.stack),
            _ => return Err(loaded.refuse(global)),
        };
        loaded.diagnostics = Diagnostics::new();
        let session = match cloud::open(global, &written).await {
            Ok(session) => session,
            Err(diagnostic) => return Err(loaded.refuse_with(*diagnostic, global)),
        };
        let cancel = Cancel::new();
        let way = ledgers::Way {
            cloud: akson_azure::Cloud::by_name(session.cloud.as_str()).unwrap_or(akson_azure::Cloud::PUBLIC),
            transport: Arc::clone(&session.transport),
            tokens: Arc::clone(&session.tokens),
            pace: Pace::new(session.time_scale),
        };
        let engine = engine(&session, parallelism, &cancel);
        let mut identity = session.identity;
        if let Some(signed_in) = &session.signed_in {
            match sign_in::settle_tenant(&engine, &identity, signed_in, &written).await {
                Ok(tenant) => identity.tenant = tenant,
                Err(diagnostic) => return Err(loaded.refuse_with(*diagnostic, global)),
            }
            if !global.quiet {
                output::aside(&sign_in::announcement(session.cloud, signed_in, &identity));
            }
        }
        let Some(config) = loaded.evaluate(global, Some(&identity)) else {
            return Err(loaded.refuse(global));
        };
        let binding = Binding {
            stack: config.stack.label.clone(),
            stack_id: config.stack.id(),
            cloud: session.cloud.as_str().to_owned(),
            tenant: config.stack.tenant.clone(),
            subscription: config.stack.subscription.clone(),
        };
        let store = match ledgers::store(&global.directory, global.ledger.as_deref(), &config.stack, &binding, way) {
            Ok(store) => store,
            Err(diagnostic) => return Err(loaded.refuse_with(*diagnostic, global)),
        };
        // Said each time: a change of its place would be a change of what is ours.
        if !global.quiet && (global.ledger.is_some() || config.stack.ledger.is_some()) {
            output::aside(&format!("the ledger is {}", literal::safe(&store.place())));
        }
        let mut addresses = global.caller_addresses.clone();
        if addresses.is_empty() {
            addresses.extend(session.caller_address);
        }
        let caller = Caller { object_id: None, addresses };
        Ok(Self {
            loaded,
            config,
            identity,
            engine,
            cancel,
            binding,
            store,
            outlives: session.outlives,
            caller,
            ways: ways::known(&global.directory),
        })
    }

    /// What is ours, without locking anything: for commands that only look.
    ///
    /// # Errors
    /// The exit code; what is wrong is printed.
    pub(crate) async fn peek(&mut self, global: &Global) -> Result<Option<Document>, Exit> {
        match peek(self.store.as_ref(), &self.binding).await {
            Ok((document, fallback)) => {
                self.tell(fallback.as_ref());
                Ok(document)
            }
            Err(error) => Err(self.loaded.refuse_with(report::ledger(&error), global)),
        }
    }

    /// The ledger, locked for this run, after what a dead run may have sent had time to arrive.
    ///
    /// # Errors
    /// The exit code; what is wrong is printed.
    pub(crate) async fn lock(&mut self, global: &Global) -> Result<Ledger, Exit> {
        match Ledger::open(Arc::clone(&self.store), &self.binding, self.engine.run()).await {
            Ok((ledger, fallback)) => {
                self.tell(fallback.as_ref());
                if self.outlives && ledger.has_intents_of_others() && !global.quiet {
                    output::aside(
                        "an earlier run ended in the middle: waiting until none of its requests can be on its way",
                    );
                }
                if settle(&self.engine, &ledger, self.outlives).await.is_err() {
                    return Err(Exit::Interrupted);
                }
                Ok(ledger)
            }
            Err(error) => Err(self.loaded.refuse_with(report::ledger(&error), global)),
        }
    }

    fn tell(&mut self, fallback: Option<&Fallback>) {
        if let Some(fallback) = fallback {
            self.loaded.diagnostics.push(report::fallback(fallback));
        }
    }

    /// What is, as far as a plan needs it.
    ///
    /// # Errors
    /// The exit code; what is wrong is printed.
    pub(crate) async fn refresh(
        &mut self,
        owned: &Owned,
        options: &PlanOptions,
        global: &Global,
    ) -> Result<Snapshot, Exit> {
        self.hold_names(owned, global)?;
        let owned = &*ways::with(owned, &self.ways);
        match refresh(&self.engine, &self.config, owned, self.loaded.catalog, options).await {
            Ok(snapshot) => {
                // Its token is in memory by now.
                self.caller.object_id = self.engine.signed_in().await;
                Ok(snapshot)
            }
            Err(_) if self.cancel.is_stopped() => Err(Exit::Interrupted),
            Err(failure) => Err(self.loaded.refuse_with(report::read_for(&failure, &self.config), global)),
        }
    }

    /// Gives what has no written name the one that the ledger holds.
    pub(crate) fn hold_names(&mut self, owned: &Owned, global: &Global) -> Result<(), Exit> {
        let held = akson_planner::held_names(&self.config, owned);
        if held.is_empty() {
            return Ok(());
        }
        match self.loaded.evaluate_with(global, &self.identity, held) {
            Some(config) => {
                self.config = config;
                Ok(())
            }
            None => Err(self.loaded.refuse(global)),
        }
    }

    /// Reads and plans.
    ///
    /// # Errors
    /// The exit code; what is wrong is printed.
    pub(crate) async fn plan(&mut self, owned: &Owned, options: &PlanOptions, global: &Global) -> Result<Plan, Exit> {
        let snapshot = self.refresh(owned, options, global).await?;
        self.plan_from(&snapshot, owned, options, global)
    }

    /// Plans from what was read.
    ///
    /// # Errors
    /// The exit code; what is wrong is printed.
    pub(crate) fn plan_from(
        &mut self,
        snapshot: &Snapshot,
        owned: &Owned,
        options: &PlanOptions,
        global: &Global,
    ) -> Result<Plan, Exit> {
        let options = &PlanOptions { caller: self.caller.clone(), ..options.clone() };
        let owned = &*ways::with(owned, &self.ways);
        let loaded = &mut self.loaded;
        let plan = akson_planner::plan(&self.config, snapshot, owned, loaded.catalog, options, &mut loaded.diagnostics);
        match plan {
            Some(plan) if !loaded.diagnostics.has_errors() => Ok(plan),
            _ => Err(loaded.refuse(global)),
        }
    }

    /// The plan as a document.
    pub(crate) fn document(&self, plan: &Plan, all: bool) -> PlanDocument {
        let value = akson_planner::json::to_json(plan, &self.loaded.sources, &self.loaded.diagnostics, all);
        serde_json::from_value(value).expect("the planner's document is the one that is read here")
    }

    /// One more finding, printed with the rest.
    pub(crate) fn refuse_with(&mut self, diagnostic: Diagnostic, global: &Global) -> Exit {
        self.loaded.refuse_with(diagnostic, global)
    }

    /// Prints what was found so far to stderr, for commands whose result goes to stdout.
    pub(crate) fn report(&mut self, global: &Global) {
        load::report(&self.loaded.diagnostics, &self.loaded.sources, global);
        self.loaded.diagnostics = Diagnostics::new();
    }

    /// First Ctrl-C, or the signal that a pipeline ends its jobs with: nothing new is sent, what is in flight is finished and recorded. Second: the
    /// end at once, which loses nothing either.
    pub(crate) fn stop_on_interrupt(&self) {
        let cancel = self.cancel.clone();
        tokio::spawn(async move {
            if !stop_is_asked().await {
                return;
            }
            cancel.stop();
            output::aside("interrupted: finishing what is in flight; press Ctrl-C again to end at once");
            if stop_is_asked().await {
                output::aside(
                    "ended at once: what was sent stands in the ledger, and the next run looks what came of it",
                );
                std::process::exit(Exit::Interrupted as i32);
            }
        });
    }
}

/// Waits until somebody wants the run to stop. Whether that can be heard at all.
async fn stop_is_asked() -> bool {
    #[cfg(unix)]
    {
        let Ok(mut ended) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else {
            return tokio::signal::ctrl_c().await.is_ok();
        };
        tokio::select! {
            heard = tokio::signal::ctrl_c() => heard.is_ok(),
            heard = ended.recv() => heard.is_some(),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.is_ok()
}

/// What a plan is asked for, in the planner's words.
pub(crate) fn plan_options(asked: &planfile::Asked, global: &Global) -> PlanOptions {
    PlanOptions {
        mode: if asked.destroy { Mode::Destroy } else { Mode::Apply },
        targets: asked.targets.clone(),
        replace: asked.replace.clone(),
        max_deletes: asked.max_deletes,
        cloud: global.cloud.as_str().to_owned(),
        adopt_only: false,
        caller: Caller::default(),
        today: Some(clock::today()),
    }
}

/// What is ours, or that there is no ledger yet.
pub(crate) fn owned(document: Option<&Document>) -> Owned {
    document.map(Document::owned).unwrap_or_default()
}
