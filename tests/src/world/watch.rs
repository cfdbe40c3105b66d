//! Looks at every request that changes something as it arrives, and at every write of the ledger, with the eyes of one who knows all:
//! the durable ledger, what lives, the plan's order, who else is at it. What must hold is said in `rules`. Not what a life must end in.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use akson_applier::ledger::{Document, LedgerStore, Loaded, MemoryStore, StoreError};
use akson_catalog::SymbolicId;
use akson_config::Config;
use akson_emulator::God;
use akson_planner::{Plan, Work};
use http::Method;
use tokio::time::Instant;

mod rules;

pub(super) use rules::{at_a_step, made_by_post};
use rules::{consented, duplicates, follows, in_order, unrecorded};

/// What all runs of a world have in common.
#[derive(Debug, Default)]
pub(super) struct Watch {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    runs: usize,
    /// Which run has the ledger's lock.
    inside: Option<usize>,
    /// Requests that change something and are on their way, by what they change: of which run, and how many.
    flights: BTreeMap<String, (usize, usize)>,
}

/// What is known of one run.
pub(crate) struct Watched {
    watch: Arc<Watch>,
    run: usize,
    /// How often it is sure to have the lock.
    sure: Option<usize>,
    state: Mutex<RunState>,
}

#[derive(Default)]
struct RunState {
    /// When it was sure to have the lock, and how often it was by then.
    assured: Option<(Instant, usize)>,
    /// None before there is a plan: nothing may be changed then.
    order: Option<Order>,
    /// Entries that are not as they were when the plan was made, or were not in between.
    touched: BTreeSet<SymbolicId>,
    deleted: BTreeSet<SymbolicId>,
}

/// What a run may do and when, from its plan.
pub(super) struct Order {
    steps: BTreeMap<SymbolicId, Step>,
    /// The ledger as it was planned from.
    before: Document,
    /// Whether what is declared says that it is protected.
    protects: BTreeMap<SymbolicId, bool>,
    max_deletes: Option<usize>,
}

/// What a step of a plan does, as far as its order matters.
#[derive(Debug, Clone)]
struct Step {
    address: String,
    does: Does,
    needs: Vec<SymbolicId>,
    /// Of those, what need only have been answered for the first time.
    early: BTreeSet<SymbolicId>,
    /// What stands in its block, needed or not.
    names: Vec<SymbolicId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Does {
    Write,
    Delete,
    Record,
    Forget,
}

/// A request on its way.
pub(super) struct Flight {
    watch: Arc<Watch>,
    target: String,
}

impl Drop for Flight {
    fn drop(&mut self) {
        let mut state = self.watch.state();
        if let Some((_, count)) = state.flights.get_mut(&self.target) {
            *count -= 1;
        }
        state.flights.retain(|_, (_, count)| *count > 0);
    }
}

impl Watch {
    fn state(&self) -> MutexGuard<'_, State> {
        // A check that fails panics: what it saw is still right.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more run.
    pub(super) fn run(self: &Arc<Self>, sure: Option<usize>) -> Watched {
        let mut state = self.state();
        state.runs += 1;
        Watched { watch: Arc::clone(self), run: state.runs, sure, state: Mutex::default() }
    }

    /// The lock of a run that died is free.
    pub(super) fn holder_died(&self) {
        self.state().inside = None;
    }
}

impl Watched {
    fn state(&self) -> MutexGuard<'_, RunState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The run has its plan.
    pub(super) fn planned(&self, plan: &Plan, before: Document, config: &Config, max_deletes: Option<usize>) {
        let steps = plan.changes.iter().filter_map(|change| {
            let does = match change.work {
                Work::Nothing => return None,
                Work::Write { .. } => Does::Write,
                Work::Delete { .. } => Does::Delete,
                Work::Record { .. } => Does::Record,
                Work::Forget => Does::Forget,
            };
            let needs = change.needs.clone();
            let names = change.dependencies.clone();
            let early = change.early.keys().cloned().collect();
            Some((change.symbolic_id.clone(), Step { address: change.address.clone(), does, needs, early, names }))
        });
        let declared = config.resources.iter().filter(|resource| !resource.existing);
        let protects = declared.map(|resource| (resource.symbolic_id.clone(), resource.protect)).collect();
        let mut order = Order { steps: steps.collect(), before, protects, max_deletes };
        order.add_what_follows();
        self.state().order = Some(order);
    }

    /// Whether the run has the lock still.
    fn has_lock(&self) -> Result<(), StoreError> {
        let assured = self.state().assured.map_or(0, |(_, times)| times);
        if self.sure.is_some_and(|sure| assured >= sure) { Err(StoreError::Lost) } else { Ok(()) }
    }

    /// The run wants to know whether it has.
    fn assure(&self) -> Result<(), StoreError> {
        self.has_lock()?;
        let mut state = self.state();
        let times = state.assured.map_or(0, |(_, times)| times);
        state.assured = Some((Instant::now(), times + 1));
        Ok(())
    }

    /// A request that changes something is about to be processed.
    ///
    /// # Panics
    /// If it may not be sent now.
    pub(super) fn arrives(&self, method: &Method, target: &str, of: &[SymbolicId], document: &Document) -> Flight {
        {
            let mut state = self.state();
            let deletes = *method == Method::DELETE && !target.ends_with("/$ref");
            if deletes {
                state.deleted.extend(of.iter().cloned());
            }
            let RunState { assured, order, touched, deleted } = &*state;
            let assured = assured.map(|(when, _)| when);
            assert_eq!(assured, Some(Instant::now()), "{method} {target}: the lock was not looked at as it went out");
            let judged = match order {
                None => Err("there is no plan yet".to_owned()),
                Some(order) => in_order(order, of, touched, document)
                    .and_then(|()| if deletes { consented(order, of, deleted, document) } else { Ok(()) }),
            };
            judged.unwrap_or_else(|why| panic!("{method} {target}: {why}"));
        }
        let mut common = self.watch.state();
        assert_eq!(common.inside, Some(self.run), "{method} {target} of a run that has not got the lock");
        let (other, count) = common.flights.entry(target.to_owned()).or_insert((self.run, 0));
        assert_eq!(*other, self.run, "{method} {target}: another run's request is on its way there");
        *count += 1;
        Flight { watch: Arc::clone(&self.watch), target: target.to_owned() }
    }
}

/// A request that changes something was processed: looks at what lives now.
///
/// # Panics
/// If something may not.
pub(super) fn processed(god: &God, ours: Option<&str>, document: Option<&Document>) {
    let snapshot = god.snapshot();
    duplicates(&snapshot).unwrap_or_else(|why| panic!("{why}"));
    if let Some(ours) = ours {
        unrecorded(&snapshot, ours, document).unwrap_or_else(|why| panic!("{why}"));
    }
}

/// A store whose every write is looked at. What is durable is seen in `memory`.
pub(super) struct WatchedStore {
    pub inner: Arc<dyn LedgerStore>,
    pub memory: MemoryStore,
    pub watched: Arc<Watched>,
}

#[async_trait::async_trait]
impl LedgerStore for WatchedStore {
    async fn load(&self) -> Result<Loaded, StoreError> {
        self.inner.load().await
    }

    async fn commit(&self, bytes: &[u8], follows: u64) -> Result<(), StoreError> {
        self.watched(self.inner.commit(bytes, follows)).await
    }

    fn appends_from(&self) -> Option<usize> {
        self.inner.appends_from()
    }

    async fn append(&self, record: &[u8], follows: u64) -> Result<(), StoreError> {
        self.watched(self.inner.append(record, follows)).await
    }

    async fn lock(&self, holder: &str) -> Result<(), StoreError> {
        self.inner.lock(holder).await?;
        let before = self.watched.watch.state().inside.replace(self.watched.run);
        assert_eq!(before, None, "two runs have the ledger's lock");
        Ok(())
    }

    async fn unlock(&self) -> Result<(), StoreError> {
        self.watched.watch.state().inside = None;
        self.inner.unlock().await
    }

    async fn break_lock(&self) -> Result<bool, StoreError> {
        self.inner.break_lock().await
    }

    async fn assure(&self) -> Result<(), StoreError> {
        self.inner.assure().await?;
        self.watched.assure()
    }

    fn place(&self) -> String {
        self.inner.place()
    }
}

impl WatchedStore {
    /// A write, and what it made of the ledger.
    async fn watched(&self, write: impl Future<Output = Result<(), StoreError>>) -> Result<(), StoreError> {
        self.watched.has_lock()?;
        let before = self.memory.bytes();
        let outcome = write.await;
        let after = self.memory.bytes();
        let document = follows_or_panics(before.as_deref(), after.as_deref(), outcome.is_ok());
        let mut state = self.watched.state();
        let RunState { order, touched, .. } = &mut *state;
        if let (Some(order), Some(document)) = (order, document) {
            let ids = order.steps.keys();
            touched.extend(ids.filter(|id| order.before.entries.get(id) != document.entries.get(id)).cloned());
        }
        outcome
    }
}

fn follows_or_panics(before: Option<&[u8]>, after: Option<&[u8]>, succeeded: bool) -> Option<Document> {
    follows(before, after, succeeded).unwrap_or_else(|why| panic!("a write of the ledger: {why}"))
}

#[cfg(test)]
mod tests;
