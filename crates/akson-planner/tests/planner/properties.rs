//! Properties over random stacks: what is applied is in sync; foreign things stay as they are; a plan's steps keep their order
//! under any outcome; the digest follows what is done and nothing else.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use akson_catalog::SymbolicId;
use akson_planner::{Action, Mode, Outcome, Plan, PlanOptions, Schedule, StepId, StepState, Work, digest::digest};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::{
    azure::World,
    declare::{Blocks, text},
};

/// A stack in short: what there is of a few names, with which values.
#[derive(Debug, Clone)]
struct Sketch {
    groups: Vec<Group>,
    /// Whether an output of the first identity is a tag of every vault.
    linked: bool,
}

#[derive(Debug, Clone)]
struct Group {
    tag: Option<u8>,
    identities: Vec<(u8, Vec<u8>)>,
    vault: Option<bool>,
    lock: bool,
}

fn sketches() -> impl Strategy<Value = Sketch> {
    let credentials = prop::collection::vec(0..3_u8, 0..3);
    let identities = prop::collection::vec((0..2_u8, credentials), 0..3);
    let group = (prop::option::of(0..2_u8), identities, prop::option::of(any::<bool>()), any::<bool>())
        .prop_map(|(tag, identities, vault, lock)| Group { tag, identities, vault, lock });
    (prop::collection::vec(group, 0..3), any::<bool>()).prop_map(|(groups, linked)| Sketch { groups, linked })
}

/// `rename` changes what blocks are called; `reverse` the order they stand in.
fn blocks(sketch: &Sketch, rename: &str, reverse: bool) -> Blocks {
    let mut blocks = Blocks::new();
    let label = |name: &str| format!("{rename}{name}");
    let mut first: Option<String> = None;
    for (at, group) in sketch.groups.iter().enumerate() {
        let name = format!("group{at}");
        let block =
            blocks.block("resource_group", &label(&name)).set("name", text(&name)).set("location", text("westeurope"));
        match group.tag {
            Some(tag) => block.tag("v", &format!("v{tag}")).add(),
            None => block.add(),
        }
        let reference = blocks.reference(&format!("resource_group.{}", label(&name)));
        for (number, (tag, credentials)) in group.identities.iter().enumerate() {
            let name = format!("identity{at}{number}");
            let block =
                blocks.block("identity", &label(&name)).set("name", text(&name)).set("location", text("westeurope"));
            block.set("resource_group", reference.clone()).tag("v", &format!("v{tag}")).add();
            let address = format!("identity.{}", label(&name));
            first.get_or_insert_with(|| address.clone());
            for (place, subject) in credentials.iter().enumerate() {
                let identity = blocks.reference(&address);
                let name = format!("credential{at}{number}{place}");
                let block = blocks.block("federated_credential", &label(&name)).set("name", text(&format!("c{place}")));
                let block = block.set("identity", identity).set("issuer", text("https://issuer.example.com"));
                block.set("subject", text(&format!("s{place}{subject}"))).add();
            }
        }
        if let Some(protected) = group.vault {
            let name = format!("vault{at}");
            let tag = first.clone().filter(|_| sketch.linked).map(|first| blocks.output_of(&first, "principal_id"));
            let mut block =
                blocks.block("vault", &label(&name)).set("name", text(&name)).set("location", text("westeurope"));
            block = block.set("resource_group", reference.clone());
            if protected {
                block = block.set("purge_protection", text("enabled"));
            }
            if let Some(tag) = tag {
                block =
                    block.set("tags", akson_catalog::Value::Map([("principal".to_owned(), tag)].into_iter().collect()));
            }
            block.add();
        }
        if group.lock {
            let block = blocks.block("lock", &label(&format!("lock{at}"))).set("name", text("keep"));
            block.set("on", reference).set("level", text("cannot_delete")).add();
        }
    }
    if reverse {
        blocks.config.resources.reverse();
    }
    blocks
}

fn options(mode: Mode) -> PlanOptions {
    PlanOptions { mode, cloud: "emulator".to_owned(), ..PlanOptions::default() }
}

/// What a lock or a soft-deleted name makes illegal between two stacks is not what these tests are about.
fn free(mut sketch: Sketch, other: &Sketch) -> Sketch {
    for (at, group) in sketch.groups.iter_mut().enumerate() {
        let before = other.groups.get(at);
        group.lock &= before.is_none_or(|before| !before.lock);
        // Purge protection only ever goes on.
        if before.is_some_and(|before| before.vault == Some(true)) && group.vault == Some(false) {
            group.vault = Some(true);
        }
    }
    sketch
}

fn foreign(world: &mut World, group: &str) -> Json {
    let body = json!({"location": "westeurope", "tags": {"theirs": "yes"}});
    let id = format!("{group}/providers/Microsoft.Network/routeTables/theirs");
    world.azure.insert(&id, body);
    world.azure.objects[&akson_planner::place::symbolic(&id)].clone()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(300), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_applied_is_in_sync_and_the_next_stack_too(first in sketches(), second in sketches()) {
        let second = free(second, &first);
        let mut world = World::new();
        for sketch in [&first, &second] {
            let blocks = blocks(sketch, "", false);
            let plan = world.plan(&blocks.config).sound();
            check_order(&plan, &world);
            world.carry_out(&plan);
            let again = world.plan(&blocks.config).sound();
            prop_assert!(again.is_empty(), "{:#?}", again.changes);
            world.carry_out(&again);
            let last = world.plan(&blocks.config).sound();
            prop_assert!(last.changes.iter().all(|change| matches!(change.work, Work::Nothing)), "{:#?}", last.changes);
        }
    }

    #[test]
    fn destroy_leaves_what_is_foreign_and_nothing_else(sketch in sketches()) {
        let mut world = World::new();
        let blocks = blocks(&sketch, "", false);
        world.apply(&blocks.config);
        let theirs = sketch.groups.first().map(|_| foreign(&mut world, blocks.config.resources[0].symbolic_id.as_str()));
        let planned = world.plan_with(&blocks.config, &options(Mode::Destroy));
        let plan = planned.sound();
        check_order(&plan, &world);
        world.carry_out(&plan);
        let left: Vec<&Json> = world.azure.objects.values().collect();
        match theirs {
            None => prop_assert!(left.is_empty(), "{left:#?}"),
            Some(theirs) => {
                prop_assert_eq!(left.len(), 2, "the group it lies in, and itself: {:#?}", &left);
                prop_assert!(left.contains(&&theirs));
            }
        }
    }

    #[test]
    fn names_of_blocks_and_their_order_do_not_change_a_plan(first in sketches(), second in sketches()) {
        let second = free(second, &first);
        let mut world = World::new();
        world.apply(&blocks(&first, "", false).config);
        let plain = world.plan(&blocks(&second, "", false).config).sound();
        let renamed = world.plan(&blocks(&second, "other_", true).config).sound();
        prop_assert_eq!(&plain.digest, &renamed.digest);
        let actions = |plan: &Plan| plan.changes.iter().map(|change| (change.symbolic_id.clone(), change.action)).collect::<BTreeMap<_, _>>();
        prop_assert_eq!(actions(&plain), actions(&renamed));
    }

    #[test]
    fn any_change_of_a_plan_changes_its_digest(sketch in sketches(), pick in any::<prop::sample::Index>(), what in 0..5_u8) {
        let plan = World::new().plan(&blocks(&sketch, "", false).config).sound();
        prop_assume!(!plan.changes.is_empty());
        let mut other = plan.clone();
        let at = pick.index(other.changes.len());
        let change = &mut other.changes[at];
        match what {
            0 => change.action = Action::Update,
            1 => change.symbolic_id = SymbolicId::from_ledger(format!("{}x", change.symbolic_id)),
            2 => change.differences[0].pointer.push('x'),
            3 => change.differences[0].after = text("other"),
            _ => change.differences[0].before = Some(json!("other")),
        }
        prop_assert_ne!(digest(&plan), digest(&other));
        // What is for display, and the time of reading, are no part of it.
        let mut same = plan.clone();
        same.reads += 7;
        same.changes[at].address = "elsewhere.x".to_owned();
        same.changes[at].notes.push("a note".to_owned());
        same.changes[at].source = None;
        prop_assert_eq!(digest(&plan), digest(&same));
    }

    #[test]
    fn steps_keep_their_order_whatever_becomes_of_them(
        first in sketches(),
        second in sketches(),
        parallelism in 1..6_usize,
        picks in prop::collection::vec((any::<prop::sample::Index>(), 0..8_u8), 60),
    ) {
        let second = free(second, &first);
        let mut world = World::new();
        world.apply(&blocks(&first, "", false).config);
        let plan = world.plan(&blocks(&second, "", false).config).sound();
        let once = run(&plan, parallelism, &picks);
        prop_assert_eq!(&once, &run(&plan, parallelism, &picks), "the same outcomes, the same order");
    }
}

/// Every step stands after what it needs, and a deletion before that of what it lies in and after that of its locks.
#[track_caller]
fn check_order(plan: &Plan, world: &World) {
    let mut done: BTreeSet<&SymbolicId> = BTreeSet::new();
    let mut schedule = Schedule::new(plan);
    let mut ready = VecDeque::new();
    let steps: BTreeSet<&SymbolicId> =
        plan.changes.iter().filter(|change| change.work.is_step()).map(|change| &change.symbolic_id).collect();
    loop {
        ready.extend(schedule.next_ready(1));
        let Some(StepId(at)) = ready.pop_front() else { break };
        let change = &plan.changes[at];
        let id = &change.symbolic_id;
        match &change.work {
            Work::Delete { .. } => {
                let inside =
                    world.azure.objects.keys().filter(|other| *other != id && akson_planner::place::covers(id, other));
                for other in inside.filter(|other| steps.contains(other)) {
                    assert!(done.contains(other), "{id} before {other}, which lies in it");
                }
                for lock in
                    plan.changes.iter().filter(|lock| lock.kind.keyword == "lock" && lock.action == Action::Delete)
                {
                    let scope = akson_planner::place::scope_of(&lock.symbolic_id);
                    let locked = change.kind.keyword != "lock" && akson_planner::place::covers(&scope, id);
                    assert!(!locked || done.contains(&lock.symbolic_id), "{id} before its lock {}", lock.symbolic_id);
                }
            }
            _ => {
                for on in change.dependencies.iter().filter(|on| steps.contains(on)) {
                    assert!(done.contains(on), "{id} before {on}, which it depends on");
                }
            }
        }
        done.insert(id);
        schedule.complete(StepId(at), Outcome::Succeeded);
    }
    assert_eq!(done, steps, "every step was done");
}

/// Runs a schedule with the outcomes that `picks` say, checking what must hold at every moment. Answers what happened.
fn run(plan: &Plan, parallelism: usize, picks: &[(prop::sample::Index, u8)]) -> Vec<String> {
    let mut schedule = Schedule::new(plan);
    let mut running: Vec<StepId> = Vec::new();
    let mut ended: BTreeMap<StepId, Outcome> = BTreeMap::new();
    let mut skipped: BTreeSet<StepId> = BTreeSet::new();
    let mut trace = Vec::new();
    let by_id: BTreeMap<&SymbolicId, StepId> = plan
        .changes
        .iter()
        .enumerate()
        .filter(|(_, change)| change.work.is_step())
        .map(|(at, change)| (&change.symbolic_id, StepId(at)))
        .collect();
    let needs = |step: StepId| plan.changes[step.0].needs.iter().filter_map(|need| by_id.get(need).copied());
    let domain = |step: StepId| plan.changes[step.0].conflict_domain.clone();
    let kind = |step: StepId| plan.changes[step.0].kind.keyword.clone();
    let mut picks = picks.iter().cycle();
    loop {
        for step in schedule.next_ready(parallelism) {
            trace.push(format!("start {}", plan.changes[step.0].symbolic_id));
            assert!(!ended.contains_key(&step) && !skipped.contains(&step) && !running.contains(&step), "started once");
            for need in needs(step) {
                assert_eq!(ended.get(&need), Some(&Outcome::Succeeded), "what it needs has succeeded");
            }
            if let Some(domain_of) = domain(step) {
                assert!(
                    running.iter().all(|other| domain(*other).as_ref() != Some(&domain_of)),
                    "one of a domain at a time"
                );
            }
            running.push(step);
        }
        for step in &running {
            let of_its_kind = running.iter().filter(|other| kind(**other) == kind(*step)).count();
            assert!(of_its_kind <= parallelism);
        }
        // Whatever waits has not got what it needs, or stands behind others.
        for (step, _) in schedule.iter().filter(|(_, state)| *state == StepState::Waiting) {
            let is_met = needs(step).all(|need| ended.get(&need) == Some(&Outcome::Succeeded));
            let is_barred =
                domain(step).is_some_and(|of| running.iter().any(|other| domain(*other) == Some(of.clone())));
            let is_crowded = running.iter().filter(|other| kind(**other) == kind(step)).count() == parallelism;
            assert!(!is_met || is_barred || is_crowded, "{} could run", plan.changes[step.0].symbolic_id);
        }
        if running.is_empty() {
            break;
        }
        assert!(!schedule.is_finished());
        let (pick, outcome) = picks.next().unwrap();
        let step = running.remove(pick.index(running.len()));
        let outcome = match outcome {
            0 => Outcome::Failed,
            1 => Outcome::Interrupted,
            _ => Outcome::Succeeded,
        };
        trace.push(format!("{outcome:?} {}", plan.changes[step.0].symbolic_id));
        ended.insert(step, outcome);
        for other in schedule.complete(step, outcome) {
            assert_eq!(schedule.state(other), Some(StepState::Skipped(step)));
            assert!(skipped.insert(other), "skipped once");
        }
    }
    assert!(schedule.is_finished());
    assert_eq!(schedule.remaining(), [], "everything ended or was skipped");
    assert_eq!(ended.len() + skipped.len(), schedule.len());
    for step in &skipped {
        let blocked = needs(*step).any(|need| {
            skipped.contains(&need) || ended.get(&need).is_some_and(|outcome| *outcome != Outcome::Succeeded)
        });
        assert!(blocked, "only what waits for a failure is skipped");
    }
    trace
}
