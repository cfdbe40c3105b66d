//! A stack over many days: somebody looks for drift every hour, others edit what is there behind its back, and its author edits the
//! files. All in virtual time, decided by a seed.

use std::fmt::Write as _;

use akson_applier::End;
use akson_planner::{Action, Cause, Plan, place::covers};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::json;
use tokio::time::{Duration, sleep};

use super::{calm, complete, converge, foreign, foreign_now, ours_now, schedule::Stack};
use crate::world::{World, sends};

/// How likely somebody else edits something in an hour.
const OUTSIDE: f64 = 1.0 / 48.0;
/// How likely the author does.
const AUTHOR: f64 = 1.0 / 250.0;

/// What so many days came to.
#[derive(Debug, Default)]
pub struct Year {
    /// How often drift was looked for.
    pub looks: usize,
    /// What others did, each found by the next look.
    pub outside: usize,
    /// What the author did, each applied.
    pub author: usize,
}

/// Lives through so many days.
///
/// # Panics
/// If a look tells of drift where there is none, or of none where there is some; if it changes anything; if what was found does not go.
pub async fn year(days: u32, seed: u64) -> Year {
    let mut dice = StdRng::seed_from_u64(seed);
    let world = World::of_seed(seed, dice.random());
    let foreign = foreign(&world);
    let (mut stack, mut year, mut life) = (Stack::new(&mut dice), Year::default(), super::Life::default());
    calm(&world);
    world.apply(&stack.text()).await;
    converge(&world, &stack, &mut life).await;
    for hour in 0..u64::from(days) * 24 {
        sleep(Duration::from_secs(3600)).await;
        // What was asked stays in memory as long as nobody forgets it.
        world.god().clear_request_log();
        let edited = dice.random_bool(OUTSIDE).then(|| edit(&world, &mut dice)).flatten();
        let plan = look(&world, &stack).await;
        year.looks += 1;
        match &edited {
            None => assert!(changes(&plan).is_empty(), "hour {hour}: {:?}, and nobody did anything", changes(&plan)),
            Some((id, deleted)) => {
                year.outside += 1;
                told(&plan, id, *deleted, hour);
                let outcome = world.apply(&stack.text()).await;
                assert_eq!(outcome.report.end, End::Done, "hour {hour}: {:#?}", outcome.report.diagnostics.sorted());
                let _ = writeln!(life.story, "hour {hour}: {id} was changed outside, and is as declared again");
            }
        }
        if dice.random_bool(AUTHOR) {
            year.author += 1;
            stack.edit(&mut dice);
            let _ = writeln!(life.story, "hour {hour}: now {stack:?}");
            converge(&world, &stack, &mut life).await;
        }
    }
    assert!(changes(&look(&world, &stack).await).is_empty(), "{}", life.story);
    complete(&world, &stack, &life);
    assert_eq!(foreign_now(&world), foreign, "something foreign was touched\n{}", life.story);
    year
}

/// Looks for drift, which changes nothing.
async fn look(world: &World, stack: &Stack) -> Plan {
    let ledger = world.store.document().map(|document| document.write());
    let plan = world.look(&stack.text()).await.unwrap_or_else(|why| panic!("{why}"));
    let asked = world.god().requests();
    let signs_in = |path: &str| path.ends_with("/oauth2/v2.0/token");
    let reads = asked.iter().all(|request| request.method == "GET" || signs_in(&request.path));
    assert!(reads, "a look sends what changes something");
    assert_eq!(world.store.document().map(|document| document.write()), ledger, "a look writes the ledger");
    plan
}

/// What a plan would do, by id.
fn changes(plan: &Plan) -> Vec<(&str, Action)> {
    let told = plan.changes.iter().filter(|change| change.action != Action::NoOp);
    told.map(|change| (change.symbolic_id.as_str(), change.action)).collect()
}

/// The edit is told as what it is; whatever else is told follows from it.
fn told(plan: &Plan, id: &str, deleted: bool, hour: u64) {
    let change = plan.changes.iter().find(|change| change.symbolic_id.as_str() == id);
    let change =
        change.unwrap_or_else(|| panic!("hour {hour}: nobody says that {id} was changed: {:?}", changes(plan)));
    let expected = if deleted { Action::Create } else { Action::Update };
    assert_eq!(change.action, expected, "hour {hour}: {id}");
    assert!(sends(plan), "hour {hour}: {id}");
    assert!(
        deleted || change.reasons.iter().any(|reason| reason.cause == Cause::Drift),
        "hour {hour}: {id}: {:?}",
        change.reasons
    );
    if !deleted {
        assert_eq!(changes(plan).len(), 1, "hour {hour}: {id} was edited, and {:?}", changes(plan));
        return;
    }
    for other in plan.changes.iter().filter(|other| other.action != Action::NoOp) {
        let follows =
            covers(&change.symbolic_id, &other.symbolic_id) || other.dependencies.contains(&change.symbolic_id);
        assert!(follows, "hour {hour}: {id} was deleted, and {:?}", changes(plan));
    }
}

/// Somebody else edits or deletes something of ours: its id, and whether it is gone.
fn edit(world: &World, dice: &mut StdRng) -> Option<(String, bool)> {
    let ours: Vec<String> = ours_now(world).into_iter().collect();
    let id = ours.choose(dice)?.clone();
    let is = |part: &str| id.contains(part);
    let bare = id.matches("/providers/").count() == 0;
    if is("/federatedidentitycredentials/") && dice.random_bool(0.5) {
        let other = json!(format!("repo:somebody/else-{}:ref:refs/heads/main", dice.random::<u32>()));
        world.god().edit(&id, |object| object["properties"]["subject"] = other).ok()?;
        return Some((id, false));
    }
    // A group or a vault that somebody deletes takes along what is in it, or its name; a lock keeps its identity.
    let deletable = is("/federatedidentitycredentials/")
        || is("/providers/microsoft.authorization/locks/")
        || (is("/userassignedidentities/") && !id.ends_with("/id-kept"));
    if deletable && dice.random_bool(0.5) {
        return world.god().delete_object(&id).is_ok_and(|there| there).then_some((id, true));
    }
    if is("/providers/microsoft.authorization/locks/") {
        world.god().edit(&id, |object| object["properties"]["level"] = json!("ReadOnly")).ok()?;
        return Some((id, false));
    }
    // Only what is declared of its tags is ours.
    let tag = if bare {
        "owner"
    } else if is("/vaults/") {
        "reader"
    } else {
        return None;
    };
    let other = json!(format!("somebody {}", dice.random::<u32>()));
    world.god().edit(&id, |object| object["tags"][tag] = other).ok()?;
    Some((id, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn forty_days() {
        let lived = year(40, 7).await;
        assert_eq!(lived.looks, 40 * 24);
        assert!(lived.outside > 0 && lived.author > 0, "{lived:?}");
    }
}
