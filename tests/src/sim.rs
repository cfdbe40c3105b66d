//! The simulation: a life of a stack from a seed, with faults, kills, failing ledger writes and edits in between, and what must hold
//! whatever happens. Engine, emulator, ledger and clock run in the caller's thread under paused time; a seed decides all of it.
//!
//! What is checked: by the world's wire and watch, at every request and every write of the ledger, what stands there; here, nothing
//! foreign touched, each run over in time, in the end an empty plan with no orphan and no duplicate, after a destroy nothing of ours; and
//! of some lives that the same seed is the same life.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::PathBuf,
    time::Duration,
};

use akson_applier::{Cancel, ledger::WriteFault};
use akson_planner::{OwnedState, options::Mode};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom as _};
use serde_json::{Value, json};

use crate::world::World;

mod schedule;
mod year;

pub use schedule::{Schedule, shrunk};
use schedule::{Stack, Step};
pub use year::{Year, year};

/// What a life came to.
#[derive(Debug, Default)]
pub struct Life {
    /// What happened, a line each: printed where it failed.
    pub story: String,
    /// How many runs there were.
    pub runs: usize,
    /// How many of them were killed.
    pub kills: usize,
    /// How many requests the emulator answered.
    pub requests: usize,
    /// What all of them were, when, and how they were answered, as a hash.
    pub trace: u64,
}

/// No run takes longer, whatever happens to it: its deadlines follow each other.
const LONGEST: Duration = Duration::from_secs(12 * 3600);
/// Each so many seeds are lived through twice.
const TWICE: u64 = 25;

/// Where lives are kept in which something did not hold.
pub fn regressions() -> PathBuf {
    crate::root().join("tests/regressions")
}

/// Lives through a seed.
///
/// # Panics
/// If anything does not hold that must; the story is in the message.
pub async fn live(seed: u64) -> Life {
    let schedule = Schedule::of_seed(seed);
    let life = play(&schedule).await;
    if seed.is_multiple_of(TWICE) {
        let again = play(&schedule).await;
        assert_eq!(
            (life.trace, &life.story),
            (again.trace, &again.story),
            "the same seed is another life\n{}\n{}",
            life.story,
            again.story
        );
    }
    life
}

/// Plays a schedule.
///
/// # Panics
/// If anything does not hold that must; the story is in the message.
pub async fn play(schedule: &Schedule) -> Life {
    let mut world = World::of_seed(schedule.seed, schedule.emulator);
    world.ours = Some("/sim-rg".to_owned());
    let mut life = Life::default();
    let foreign = foreign(&world);
    for (number, stage) in schedule.stages.iter().enumerate() {
        let _ = writeln!(life.story, "stage {number}: {:?}", stage.stack);
        for step in &stage.runs {
            run(&mut world, &stage.stack, step, &mut life).await;
            assert_eq!(foreign_now(&world), foreign, "something foreign was touched\n{}", life.story);
        }
    }
    let last = schedule.stages.last().map_or_else(Stack::plain, |stage| stage.stack.clone());
    calm(&world);
    converge(&world, &last, &mut life).await;
    complete(&world, &last, &life);
    if let Some(step) = &schedule.farewell {
        run(&mut world, &last, step, &mut life).await;
        calm(&world);
    }
    gone(&world, &last.unguarded(), &mut life).await;
    assert_eq!(foreign_now(&world), foreign, "something foreign was touched\n{}", life.story);
    let requests = world.god().requests();
    life.requests = requests.len();
    let mut hasher = DefaultHasher::new();
    for request in &requests {
        format!("{request:?}").hash(&mut hasher);
    }
    life.trace = hasher.finish();
    life
}

/// One run in bad weather.
async fn run(world: &mut World, stack: &Stack, step: &Step, life: &mut Life) {
    life.runs += 1;
    disturb(world, step, life);
    world.max_deletes = step.max_deletes;
    let began = tokio::time::Instant::now();
    run_in(world, stack, step, life).await;
    assert!(began.elapsed() < LONGEST, "it takes {:?}\n{}", began.elapsed(), life.story);
    world.max_deletes = None;
}

async fn run_in(world: &World, stack: &Stack, step: &Step, life: &mut Life) {
    let text = stack.text();
    let mode = if step.destroys { Mode::Destroy } else { Mode::Apply };
    if let Some(kill) = step.kill {
        let died = world.kill(&text, mode, kill.kill()).await;
        life.kills += usize::from(died);
        let _ = writeln!(life.story, "  {mode:?}, {kill:?}: {}", if died { "killed" } else { "ended before" });
        return;
    }
    match world.attempt(&text, mode, &Cancel::new()).await {
        Ok(outcome) => {
            let _ = writeln!(life.story, "  {mode:?}: {:?} {:?}", outcome.report.end, outcome.report.counts);
        }
        Err(why) => {
            let _ = writeln!(life.story, "  {mode:?}: no plan: {}", why.lines().next().unwrap_or_default());
        }
    }
}

/// Faults of the network, of the services and of the ledger's disk.
fn disturb(world: &World, step: &Step, life: &mut Life) {
    let _ = writeln!(life.story, "  faults: {:?}", step.faults);
    world.god().set_faults(step.faults.clone());
    let failing = step.failing_writes;
    let mut own = StdRng::seed_from_u64(step.ledger);
    let faults = [WriteFault::Before, WriteFault::After, WriteFault::Torn];
    world.store.fail(move |_| {
        let fails = own.random_bool(failing);
        if fails { *faults.choose(&mut own).expect("not empty") } else { WriteFault::None }
    });
}

/// No faults any more.
fn calm(world: &World) {
    world.god().set_faults(Vec::new());
    world.store.fail(|_| WriteFault::None);
}

/// Applies until nothing is left to do, in fair weather: at once, but for what a dead run was still deleting.
async fn converge(world: &World, stack: &Stack, life: &mut Life) {
    for _ in 0..4 {
        life.runs += 1;
        match world.attempt(&stack.text(), Mode::Apply, &Cancel::new()).await {
            Ok(outcome) => {
                let idle = outcome.plan.changes.iter().all(|change| !change.work.is_step());
                if outcome.plan.is_empty() && idle {
                    return;
                }
                let _ = writeln!(life.story, "  fair weather: {:?}", outcome.report.counts);
            }
            Err(why) => {
                let _ = writeln!(life.story, "  fair weather: {why}");
            }
        }
    }
    panic!("it never converges to an empty plan\n{}", life.story);
}

/// All that is declared is there, once, and ours; nothing else is.
fn complete(world: &World, stack: &Stack, life: &Life) {
    let config = world.config(&stack.text());
    let declared: BTreeSet<String> =
        config.resources.iter().map(|resource| resource.symbolic_id.as_str().to_owned()).collect();
    assert_eq!(ours_now(world), declared, "orphans, duplicates or gaps\n{}", life.story);
    let document = world.store.document().expect("there is a ledger after an apply");
    let owned: BTreeSet<String> = document.entries.keys().map(|id| id.as_str().to_owned()).collect();
    assert_eq!(owned, declared, "the ledger says otherwise\n{}", life.story);
    let states: Vec<OwnedState> = document.entries.values().map(|entry| entry.owned.state).collect();
    assert!(states.iter().all(|state| *state == OwnedState::Owned), "{states:?}\n{}", life.story);
}

/// A destroy in fair weather leaves nothing.
async fn gone(world: &World, stack: &Stack, life: &mut Life) {
    for _ in 0..3 {
        life.runs += 1;
        if let Err(why) = world.attempt(&stack.text(), Mode::Destroy, &Cancel::new()).await {
            let _ = writeln!(life.story, "  destroy: {why}");
        }
    }
    let left = ours_now(world);
    assert!(left.is_empty(), "a destroy leaves {left:?}\n{}", life.story);
    let entries = world.store.document().map(|document| document.entries.len()).unwrap_or_default();
    assert_eq!(entries, 0, "the ledger is not empty after a destroy\n{}", life.story);
}

fn ours_now(world: &World) -> BTreeSet<String> {
    world.god().ids().into_iter().filter(|id| id.contains("/sim-rg")).collect()
}

/// Somebody else's group with an identity in it, in the same subscription.
fn foreign(world: &World) -> Value {
    let subscription = world.emulator.identity().subscription;
    let id = format!(
        "/subscriptions/{subscription}/resourceGroups/foreign-rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/foreign"
    );
    let seeded = world.emulator.seed(vec![json!({
        "id": id, "name": "foreign", "type": "Microsoft.ManagedIdentity/userAssignedIdentities", "location": "westeurope"
    })]);
    seeded.expect("a foreign object can be seeded");
    foreign_now(world)
}

fn foreign_now(world: &World) -> Value {
    let objects = world.god().snapshot().objects;
    objects.into_iter().filter(|(id, _)| id.contains("/foreign-rg")).collect::<serde_json::Map<_, _>>().into()
}
