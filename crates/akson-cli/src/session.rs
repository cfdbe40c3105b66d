//! One run against a cloud: configuration, engine and ledger brought together. What is done with them is in `commands`.

use std::{collections::BTreeMap, sync::Arc};

use akson_applier::{
    Cancel, Engine, EngineOptions, Limits, Pace,
    ledger::{Binding, Document, Fallback, Ledger, LedgerStore, peek},
    look_around, refresh, report, settle,
};
use akson_azure::recording::{Recorder, Replay};
use akson_config::{Config, Inputs};
use akson_diagnostics::{Diagnostic, Diagnostics, SourceId};
use akson_planner::{
    Caller, Owned, Plan, Snapshot,
    options::{Mode, PlanOptions},
    waves::first_wave,
};

use crate::{
    arguments::{FromRecording, Global},
    clock,
    cloud::{self, Identity, Session},
    document::PlanDocument,
    exit::Exit,
    guard, ledgers,
    load::{self, Loaded},
    output, planfile, progress,
    recording::{Made, Recording, Told},
    sign_in::{self, Written},
    views::{literal, plan},
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
    ways: BTreeMap<akson_catalog::SymbolicId, akson_planner::Way>,
    /// What answers in place of a cloud.
    replay: Option<(String, Arc<Replay>)>,
    /// What is remembered of the answers.
    recorder: Option<Arc<Recorder>>,
}

/// What a run looks at.
#[derive(Default)]
pub(crate) enum Source {
    /// A cloud.
    #[default]
    Live,
    /// A cloud, whose answers are remembered.
    Remembered,
    /// A recording; what it does not tell is taken for absent, if that is wanted.
    Recorded(Box<Recording>, bool),
}

impl Source {
    /// What the flags ask for, and the flags of every command as they are for that: a recording is of a cloud of its own.
    ///
    /// # Errors
    /// The exit code; what is wrong is printed.
    pub(crate) fn of(asked: &FromRecording, global: &Global) -> Result<(Self, Global), Exit> {
        let mut global = global.clone();
        let Some(path) = &asked.snapshot else { return Ok((Source::Live, global)) };
        let opened = Recording::read(&global.directory.join(path)).and_then(|recording| {
            global.cloud = recording.cloud()?;
            Ok(recording)
        });
        match opened {
            Ok(recording) => Ok((Source::Recorded(Box::new(recording), asked.assume_absent), global)),
            Err(diagnostic) => Err(Loaded::empty().refuse_with(*diagnostic, &global)),
        }
    }
}

impl Run {
    /// Reads the configuration and signs in. A broken configuration is refused before anything is opened or created.
    ///
    /// # Errors
    /// The exit code; what is wrong is printed.
    pub(crate) async fn open(global: &Global, parallelism: usize) -> Result<Self, Exit> {
        Self::open_from(global, parallelism, Source::Live).await
    }

    /// The same, looking at something else than a cloud.
    ///
    /// # Errors
    /// The exit code; what is wrong is printed.
    pub(crate) async fn open_from(global: &Global, parallelism: usize, source: Source) -> Result<Self, Exit> {
        let mut loaded = Loaded::read(global);
        // What is wrong with every tenant and subscription is told before a world is made or a token asked for.
        let written = match loaded.evaluate(global, None) {
            Some(config) if !loaded.diagnostics.has_errors() => {
                let written = Written::of(&config.stack);
                if let Source::Recorded(recording, _) = &source
                    && let Err(diagnostic) =
                        recording.fits(&config.stack.label, written.tenant.as_deref(), written.subscription.as_deref())
                {
                    return Err(loaded.refuse_with(*diagnostic, global));
                }
                written
            }
            _ => return Err(loaded.refuse(global)),
        };
        loaded.diagnostics = Diagnostics::new();
        if let (Some(observer), Some(stack)) = (&global.observer, &written.name) {
            observer.learn(stack);
        }
        let signing_in = progress::signing_in(global);
        let opened = match &source {
            Source::Live | Source::Remembered => cloud::open(global, &written).await.map(|session| (session, None)),
            Source::Recorded(recording, assume_absent) => recording
                .session(*assume_absent)
                .map(|(session, replay)| (session, Some((recording.label.recorded_at.clone(), replay)))),
        };
        let (mut session, replay) = match opened {
            Ok(opened) => opened,
            Err(diagnostic) => return Err(loaded.refuse_with(*diagnostic, global)),
        };
        if let Some(observer) = &global.observer {
            session.transport = observer.counted(session.transport);
        }
        let cancel = Cancel::new();
        let way = ledgers::Way {
            cloud: akson_azure::Cloud::by_name(session.cloud.as_str()).unwrap_or(akson_azure::Cloud::PUBLIC),
            transport: Arc::clone(&session.transport),
            tokens: Arc::clone(&session.tokens),
            pace: Pace::new(session.time_scale),
        };
        if let Some(progress) = &global.progress {
            session.transport = progress.counted(session.transport);
        }
        // What is read of the ledger is no answer to a plan: it is kept by itself.
        let recorder = matches!(source, Source::Remembered).then(|| {
            let recorder = Arc::new(Recorder::new(Arc::clone(&session.transport)));
            session.transport = recorder.clone();
            recorder
        });
        let engine = engine(&session, parallelism, &cancel);
        let mut identity = session.identity;
        if let Some(signed_in) = &session.signed_in {
            match sign_in::settle_tenant(&engine, &identity, signed_in, &written).await {
                Ok(tenant) => identity.tenant = tenant,
                Err(diagnostic) => return Err(loaded.refuse_with(*diagnostic, global)),
            }
            drop(signing_in);
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
        let stored = match &source {
            Source::Recorded(recording, _) => Ok(recording.store()),
            _ => ledgers::store(&global.directory, global.ledger.as_deref(), &config.stack, &binding, way),
        };
        let store = match stored {
            Ok(store) => store,
            Err(diagnostic) => return Err(loaded.refuse_with(*diagnostic, global)),
        };
        // Said each time: a change of its place would be a change of what is ours.
        if !global.quiet && replay.is_none() && (global.ledger.is_some() || config.stack.ledger.is_some()) {
            output::aside(&format!("the ledger is {}", literal::safe(&store.place())));
        }
        let mut addresses = global.caller_addresses.clone();
        if addresses.is_empty() {
            addresses.extend(session.caller_address);
        }
        let (caller, ways) = match &source {
            Source::Recorded(recording, _) => (recording.caller(), recording.ways()),
            _ => (Caller { object_id: None, addresses }, ways::known(&global.directory)),
        };
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
            ways,
            replay,
            recorder,
        })
    }

    /// What is ours, without locking anything: for commands that only look.
    ///
    /// # Errors
    /// The exit code; what is wrong is printed.
    pub(crate) async fn peek(&mut self, global: &Global) -> Result<Option<Document>, Exit> {
        let reading = progress::reading(global, "Reading the ledger");
        let peeked = peek(self.store.as_ref(), &self.binding).await;
        drop(reading);
        match peeked {
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
        let opening = progress::reading(global, "Opening the ledger");
        let opened = Ledger::open(Arc::clone(&self.store), &self.binding, self.engine.run()).await;
        drop(opening);
        match opened {
            Ok((ledger, fallback)) => {
                self.tell(fallback.as_ref());
                if self.outlives && ledger.has_intents_of_others() && !global.quiet {
                    output::aside(
                        "an earlier run ended in the middle: waiting until none of its requests can be on its way",
                    );
                }
                let _waiting = progress::reading(global, "Waiting for an earlier run's requests");
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
        let (config, catalog) = (&self.config, self.loaded.catalog);
        let reading = refresh(&self.engine, config, owned, catalog, options);
        let read = progress::counted(global, reading, || first_wave(config, owned, catalog, options).len()).await;
        match read {
            Ok(snapshot) => {
                // Its token is in memory by now.
                self.caller.object_id = self.engine.signed_in().await.or_else(|| self.caller.object_id.take());
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

    /// Plans as if files had other texts; this run goes on as it was. Without a snapshot what is there is read again.
    ///
    /// # Errors
    /// What is wrong with the configuration then.
    pub(crate) async fn plan_with(
        &self,
        texts: &BTreeMap<SourceId, String>,
        snapshot: Option<&Snapshot>,
        (owned, options): (&Owned, &PlanOptions),
        global: &Global,
    ) -> Result<Plan, Diagnostics> {
        let mut loaded = self.loaded.with_texts(texts);
        let Some(mut config) = loaded.evaluate(global, Some(&self.identity)) else { return Err(loaded.diagnostics) };
        let held = akson_planner::held_names(&config, owned);
        if !held.is_empty() {
            match loaded.evaluate_with(global, &self.identity, held) {
                Some(again) => config = again,
                None => return Err(loaded.diagnostics),
            }
        }
        let options = &PlanOptions { caller: self.caller.clone(), ..options.clone() };
        let owned = &*ways::with(owned, &self.ways);
        let read = match snapshot {
            Some(_) => None,
            None => {
                let _reading = progress::reading_cloud(global);
                match refresh(&self.engine, &config, owned, loaded.catalog, options).await {
                    Ok(read) => Some(read),
                    Err(failure) => return Err(Diagnostics::from(report::read_for(&failure, &config))),
                }
            }
        };
        let Some(snapshot) = snapshot.or(read.as_ref()) else { return Err(loaded.diagnostics) };
        let plan = akson_planner::plan(&config, snapshot, owned, loaded.catalog, options, &mut loaded.diagnostics);
        plan.filter(|_| !loaded.diagnostics.has_errors()).ok_or(loaded.diagnostics)
    }

    /// What the configuration is evaluated with.
    pub(crate) fn inputs(&self, global: &Global) -> Inputs {
        self.loaded.inputs(global, Some(&self.identity))
    }

    /// Whether the guard file refuses the plan. Why is told with the rest of what was found.
    pub(crate) fn is_guarded(&mut self, plan: &Plan, global: &Global) -> bool {
        let place = self.store.place();
        let ledger = if place.starts_with("https://") { place.as_str() } else { akson_planner::guard::LOCAL_LEDGER };
        guard::check(global, plan, ledger, &mut self.loaded.sources, &mut self.loaded.diagnostics)
    }

    /// The plan as a document.
    pub(crate) fn document(&self, plan: &Plan, all: bool) -> PlanDocument {
        let value = akson_planner::json::to_json(plan, &self.loaded.sources, &self.loaded.diagnostics, all);
        let mut document: PlanDocument =
            serde_json::from_value(value).expect("the planner's document is the one that is read here");
        document.recording = self.made();
        document
    }

    /// Reads around what a plan needed, and makes a recording of all that was answered. None if nothing was to be remembered.
    pub(crate) async fn recording(
        &self,
        snapshot: &Snapshot,
        ledger: Option<&Document>,
        options: &PlanOptions,
        digest: &str,
        global: &Global,
    ) -> Option<Recording> {
        let recorder = self.recorder.as_ref()?;
        let _reading = progress::reading_cloud(global);
        let owned = owned(ledger);
        let owned = &*ways::with(&owned, &self.ways);
        look_around(&self.engine, &self.config, owned, self.loaded.catalog, options, snapshot).await;
        let told = Told { binding: &self.binding, caller: &self.caller, ledger, ways: &self.ways, digest };
        Some(Recording::new(recorder, &told, &self.config, self.loaded.catalog))
    }

    /// Says that what is shown is as it was when it was recorded.
    pub(crate) fn tell_recording(&self, global: &Global) {
        if let Some(made) = self.made().filter(|_| !global.quiet) {
            output::aside(&plan::recorded(&made));
        }
    }

    /// Which recording it looks at, if it does.
    fn made(&self) -> Option<Made> {
        let (recorded_at, replay) = self.replay.as_ref()?;
        Some(Made { recorded_at: recorded_at.clone(), assumed_absent: replay.assumed() })
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
                progress::take_away();
                std::process::exit(Exit::Interrupted as i32);
            }
        });
    }
}

/// Waits until somebody wants the run to stop. Whether that can be heard at all.
pub(crate) async fn stop_is_asked() -> bool {
    progress::is_heard();
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
        revert: asked.revert.clone(),
        today: Some(clock::today()),
    }
}

/// What is ours, or that there is no ledger yet.
pub(crate) fn owned(document: Option<&Document>) -> Owned {
    document.map(Document::owned).unwrap_or_default()
}
