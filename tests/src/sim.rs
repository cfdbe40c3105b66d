//! The simulation: a life of a stack from a seed, with faults, kills, failing ledger writes and edits in between, and what must hold
//! whatever happens. Engine, emulator, ledger and clock run in the caller's thread under paused time; a seed decides all of it.
//!
//! What is checked: no mutating request without a durable intent (by the wire, as it arrives), no orphan, no duplicate, nothing foreign
//! touched, and in the end an empty plan; after a destroy nothing of ours.

use std::{collections::BTreeSet, fmt::Write as _};

use akson_applier::{Cancel, ledger::WriteFault};
use akson_emulator::{Effect, FaultRule, RetryAfter};
use akson_planner::{OwnedState, options::Mode};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};

use crate::world::{Kill, World};

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
}

/// What a stack of the simulation declares; it changes from stage to stage.
#[derive(Debug, Clone)]
struct Stack {
    teams: BTreeSet<&'static str>,
    repositories: BTreeSet<&'static str>,
    owner: &'static str,
    vault: bool,
    lock: bool,
    /// Names of blocks, which must not matter.
    block: &'static str,
}

/// Lives through a seed.
///
/// # Panics
/// If anything does not hold that must; the story is in the message.
pub async fn live(seed: u64) -> Life {
    let mut dice = StdRng::seed_from_u64(seed);
    let world = World::of_seed(seed, dice.random());
    let mut life = Life::default();
    let foreign = foreign(&world);
    let mut stack = Stack::new(&mut dice);
    for stage in 0..dice.random_range(1..=4) {
        if stage > 0 {
            stack.edit(&mut dice);
        }
        let _ = writeln!(life.story, "stage {stage}: {stack:?}");
        for _ in 0..dice.random_range(1..=3) {
            disturb(&world, &mut dice, &mut life);
            let mode = if dice.random_bool(0.1) { Mode::Destroy } else { Mode::Apply };
            run(&world, &stack, mode, &mut dice, &mut life).await;
            assert_eq!(foreign_now(&world), foreign, "something foreign was touched\n{}", life.story);
        }
    }
    calm(&world);
    converge(&world, &stack, &mut life).await;
    complete(&world, &stack, &life);
    if dice.random_bool(0.5) {
        disturb(&world, &mut dice, &mut life);
        run(&world, &stack, Mode::Destroy, &mut dice, &mut life).await;
        calm(&world);
    }
    gone(&world, &stack, &mut life).await;
    assert_eq!(foreign_now(&world), foreign, "something foreign was touched\n{}", life.story);
    life.requests = world.god().requests().len();
    life
}

/// One run in bad weather.
async fn run(world: &World, stack: &Stack, mode: Mode, dice: &mut StdRng, life: &mut Life) {
    life.runs += 1;
    let text = stack.text();
    let number = dice.random_range(0..40);
    let kill = match dice.random_range(0..5) {
        0 => Some(Kill::Before(number)),
        1 => Some(Kill::After(number)),
        2 => Some(Kill::OnItsWay(number)),
        _ => None,
    };
    if let Some(kill) = kill {
        let died = world.kill(&text, mode, kill).await;
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
fn disturb(world: &World, dice: &mut StdRng, life: &mut Life) {
    let status = |status: u16, retry_after| Effect::Status { status, retry_after, html: status == 502 };
    let effects = [
        Effect::Reset,
        Effect::Latency { seconds: 12.0 },
        status(429, RetryAfter::Seconds(3)),
        status(429, RetryAfter::Absent),
        status(500, RetryAfter::Absent),
        status(502, RetryAfter::Absent),
        status(503, RetryAfter::Seconds(1)),
    ];
    let mut rules = Vec::new();
    for _ in 0..dice.random_range(0..=3) {
        let effect = effects.choose(dice).expect("there are effects").clone();
        let mut rule = FaultRule::new(effect).with_probability(*[0.02, 0.1, 0.3].choose(dice).expect("not empty"));
        if dice.random_bool(0.5) {
            rule = rule.after();
        }
        if dice.random_bool(0.5) {
            rule = rule.on_method(["PUT", "GET", "DELETE"].choose(dice).expect("not empty"));
        }
        rules.push(rule);
    }
    let _ = writeln!(life.story, "  faults: {rules:?}");
    world.god().set_faults(rules);
    let failing = *[0.0, 0.0, 0.03, 0.2].choose(dice).expect("not empty");
    let mut own = StdRng::seed_from_u64(dice.random());
    world.store.fail(move |_| match own.random_bool(failing) {
        false => WriteFault::None,
        true if own.random_bool(0.5) => WriteFault::Before,
        true => WriteFault::After,
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

impl Stack {
    fn new(dice: &mut StdRng) -> Self {
        let mut stack = Self {
            teams: ["a", "b", "c"].into_iter().filter(|_| dice.random_bool(0.7)).collect(),
            repositories: ["x", "y"].into_iter().filter(|_| dice.random_bool(0.7)).collect(),
            owner: "platform",
            vault: dice.random_bool(0.7),
            lock: dice.random_bool(0.3),
            block: "main",
        };
        stack.teams.insert("a");
        stack
    }

    fn edit(&mut self, dice: &mut StdRng) {
        let flip = |set: &mut BTreeSet<&'static str>, item| {
            if !set.remove(item) {
                set.insert(item);
            }
        };
        match dice.random_range(0..6) {
            0 => flip(&mut self.teams, ["b", "c"].choose(dice).expect("not empty")),
            1 => flip(&mut self.repositories, ["x", "y"].choose(dice).expect("not empty")),
            2 => self.owner = if self.owner == "platform" { "security" } else { "platform" },
            3 => self.vault = !self.vault,
            4 => self.lock = !self.lock,
            _ => self.block = if self.block == "main" { "renamed" } else { "main" },
        }
    }

    fn text(&self) -> String {
        let Self { teams, repositories, owner, vault, lock, block } = self;
        let mut text = format!(
            r#"stack "sim" {{ location = "westeurope" }}

resource_group "{block}" {{
  name = "sim-rg"
  tags = {{ owner = "{owner}" }}
}}

identity "team" {{
  for_each       = {teams:?}
  name           = "id-${{each.key}}"
  resource_group = resource_group.{block}
}}

federated_credential "ci" {{
  for_each = {repositories:?}
  identity = identity.team["a"]
  issuer   = "https://token.actions.githubusercontent.com"
  subject  = "repo:example/${{each.key}}:ref:refs/heads/main"
}}
"#,
            teams = Vec::from_iter(teams),
            repositories = Vec::from_iter(repositories),
        );
        if *vault {
            let _ = write!(
                text,
                r#"
vault "{block}" {{
  name           = "kv-simulated-1"
  resource_group = resource_group.{block}
  tags           = {{ reader = identity.team["a"].client_id }}
}}
"#
            );
        }
        if *lock {
            let _ = write!(
                text,
                r#"
identity "kept" {{
  name           = "id-kept"
  resource_group = resource_group.{block}
}}

lock "{block}" {{
  name  = "keep"
  on    = identity.kept
  level = cannot_delete
}}
"#
            );
        }
        text
    }
}
