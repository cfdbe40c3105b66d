//! What happens in a life, as a value: it is drawn from a seed, kept in a file if something did not hold, and made smaller as long as it
//! still does not. Not the playing.

use std::{collections::BTreeSet, fmt::Write as _};

use akson_emulator::{Effect, FaultRule, RetryAfter};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde::{Deserialize, Serialize};

use crate::world::Kill;

/// A life before it is lived.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// Of the engine's randomness.
    pub(super) seed: u64,
    /// Of the emulator's.
    pub(super) emulator: u64,
    pub(super) stages: Vec<Stage>,
    /// A destroy in bad weather, before the one that must leave nothing.
    pub(super) farewell: Option<Step>,
}

/// A stack, and runs of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Stage {
    pub(super) stack: Stack,
    pub(super) runs: Vec<Step>,
}

/// One run and its weather.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Step {
    pub(super) faults: Vec<FaultRule>,
    /// How likely a write of the ledger fails.
    pub(super) failing_writes: f64,
    /// Which of them.
    pub(super) ledger: u64,
    pub(super) destroys: bool,
    pub(super) kill: Option<Death>,
    /// How many deletions its plan may have.
    #[serde(default)]
    pub(super) max_deletes: Option<usize>,
}

/// A kill at a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Death {
    Before(usize),
    After(usize),
    OnItsWay(usize),
}

impl Death {
    pub(super) fn kill(self) -> Kill {
        match self {
            Self::Before(number) => Kill::Before(number),
            Self::After(number) => Kill::After(number),
            Self::OnItsWay(number) => Kill::OnItsWay(number),
        }
    }
}

/// What a stack of the simulation declares; it changes from stage to stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Stack {
    teams: BTreeSet<String>,
    repositories: BTreeSet<String>,
    owner: String,
    vault: bool,
    lock: bool,
    /// Whether there is something that can be protected, and whether it is. It is never taken out of the text.
    #[serde(default)]
    guarded: Option<bool>,
    /// Names of blocks, which must not matter.
    block: String,
}

impl Schedule {
    /// The life of a seed.
    pub fn of_seed(seed: u64) -> Self {
        let mut dice = StdRng::seed_from_u64(seed);
        let emulator = dice.random();
        let mut stack = Stack::new(&mut dice);
        let mut stages = Vec::new();
        for stage in 0..dice.random_range(1..=4) {
            if stage > 0 {
                stack.edit(&mut dice);
            }
            let runs = (0..dice.random_range(1..=3))
                .map(|_| {
                    let destroys = dice.random_bool(0.1);
                    Step::new(&mut dice, destroys)
                })
                .collect();
            stages.push(Stage { stack: stack.clone(), runs });
        }
        let farewell = dice.random_bool(0.5).then(|| Step::new(&mut dice, true));
        Self { seed, emulator, stages, farewell }
    }

    /// All that has one thing less.
    fn smaller(&self) -> Vec<Self> {
        let mut smaller = Vec::new();
        let mut without = |change: &dyn Fn(&mut Self)| {
            let mut one = self.clone();
            change(&mut one);
            if one != *self {
                smaller.push(one);
            }
        };
        without(&|one| one.farewell = None);
        for stage in 0..self.stages.len() {
            without(&|one| drop(one.stages.remove(stage)));
            for run in 0..self.stages[stage].runs.len() {
                let step = &self.stages[stage].runs[run];
                without(&|one| drop(one.stages[stage].runs.remove(run)));
                without(&|one| one.stages[stage].runs[run].failing_writes = 0.0);
                without(&|one| one.stages[stage].runs[run].kill = None);
                without(&|one| one.stages[stage].runs[run].max_deletes = None);
                for fault in 0..step.faults.len() {
                    without(&|one| drop(one.stages[stage].runs[run].faults.remove(fault)));
                }
            }
        }
        smaller
    }
}

/// The smallest schedule found that still fails.
pub fn shrunk(mut schedule: Schedule, fails: impl Fn(&Schedule) -> bool) -> Schedule {
    while let Some(smaller) = schedule.smaller().into_iter().find(|smaller| fails(smaller)) {
        schedule = smaller;
    }
    schedule
}

impl Step {
    fn new(dice: &mut StdRng, destroys: bool) -> Self {
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
        let mut faults = Vec::new();
        for _ in 0..dice.random_range(0..=3) {
            let effect = effects.choose(dice).expect("there are effects").clone();
            let mut rule = FaultRule::new(effect).with_probability(*[0.02, 0.1, 0.3].choose(dice).expect("not empty"));
            if dice.random_bool(0.5) {
                rule = rule.after();
            }
            if dice.random_bool(0.5) {
                rule = rule.on_method(["PUT", "GET", "DELETE"].choose(dice).expect("not empty"));
            }
            faults.push(rule);
        }
        let failing_writes = *[0.0, 0.0, 0.03, 0.2].choose(dice).expect("not empty");
        let number = dice.random_range(0..40);
        let kill = match dice.random_range(0..5) {
            0 => Some(Death::Before(number)),
            1 => Some(Death::After(number)),
            2 => Some(Death::OnItsWay(number)),
            _ => None,
        };
        let ledger = dice.random();
        let max_deletes = dice.random_bool(0.2).then(|| dice.random_range(0..4));
        Self { faults, failing_writes, ledger, destroys, kill, max_deletes }
    }
}

impl Stack {
    pub(super) fn new(dice: &mut StdRng) -> Self {
        let mut some = |names: &[&str]| -> BTreeSet<String> {
            names.iter().filter(|_| dice.random_bool(0.7)).map(|name| (*name).to_owned()).collect()
        };
        let (teams, repositories) = (some(&["a", "b", "c"]), some(&["x", "y"]));
        let (vault, lock) = (dice.random_bool(0.7), dice.random_bool(0.3));
        let guarded = dice.random_bool(0.2).then_some(true);
        let mut stack = Self { teams, repositories, vault, lock, guarded, ..Self::plain() };
        stack.teams.insert("a".to_owned());
        stack
    }

    /// The least of it.
    pub(super) fn plain() -> Self {
        Self {
            teams: ["a".to_owned()].into(),
            repositories: BTreeSet::new(),
            owner: "platform".to_owned(),
            vault: false,
            lock: false,
            guarded: None,
            block: "main".to_owned(),
        }
    }

    pub(super) fn edit(&mut self, dice: &mut StdRng) {
        let flip = |set: &mut BTreeSet<String>, item: &str| {
            if !set.remove(item) {
                set.insert(item.to_owned());
            }
        };
        match dice.random_range(0..7) {
            0 => flip(&mut self.teams, ["b", "c"].choose(dice).expect("not empty")),
            1 => flip(&mut self.repositories, ["x", "y"].choose(dice).expect("not empty")),
            2 => self.owner = String::from(if self.owner == "platform" { "security" } else { "platform" }),
            3 => self.vault = !self.vault,
            4 => self.lock = !self.lock,
            5 => self.guarded = Some(!self.guarded.unwrap_or_default()),
            _ => self.block = String::from(if self.block == "main" { "renamed" } else { "main" }),
        }
    }

    /// The same with nothing protected: its author consents to deletions.
    pub(super) fn unguarded(&self) -> Self {
        Self { guarded: self.guarded.map(|_| false), ..self.clone() }
    }

    pub(super) fn text(&self) -> String {
        let Self { teams, repositories, owner, vault, lock, guarded, block } = self;
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
        if let Some(guarded) = guarded {
            let _ = write!(
                text,
                r#"
identity "guarded" {{
  name           = "id-guarded"
  resource_group = resource_group.{block}
  protect        = {guarded}
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_shrinks_to_what_matters() {
        let schedule = (0..1000).map(Schedule::of_seed).find(|schedule| {
            schedule.stages.len() == 4
                && schedule.stages.iter().flat_map(|stage| &stage.runs).any(|run| run.kill.is_some())
        });
        let kills = |schedule: &Schedule| {
            schedule.stages.iter().flat_map(|stage| &stage.runs).filter(|run| run.kill.is_some()).count()
        };
        let small = shrunk(schedule.unwrap(), |schedule| kills(schedule) > 0);
        assert_eq!((small.stages.len(), small.stages[0].runs.len(), kills(&small)), (1, 1, 1));
        assert!(small.stages[0].runs[0].faults.is_empty() && small.farewell.is_none());
        let text = serde_json::to_string(&small).unwrap();
        assert_eq!(serde_json::from_str::<Schedule>(&text).unwrap(), small);
    }
}
