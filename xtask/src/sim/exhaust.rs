//! Scenarios disturbed at every place in turn, instead of by chance: killed at each request, killed twice, each request in each trouble.

use std::{
    collections::BTreeMap,
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use akson_tests::{
    scenario::{Came, Disturbance, EndState, Scenario},
    world::{Kill, TROUBLES},
};

use super::{in_own_time, threads};

/// What is tried at every place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exhaust {
    /// A kill before, after and during each request.
    Kills,
    /// Each pair of kills.
    Pairs,
    /// Each trouble at each request.
    Troubles,
}

/// Scenarios whose pairs of kills are tried: one that makes things and one that takes them away.
const PAIRED: [&str; 2] = ["identities", "people-go"];

struct Case<'a> {
    scenario: &'a Scenario,
    end: &'a EndState,
    by: Disturbance,
    label: String,
}

/// Tries all of one sort, of one scenario or of all; a label picks one case.
pub(super) fn run(what: Exhaust, scenario: Option<&str>, label: Option<&str>) -> ExitCode {
    let began = Instant::now();
    let all = Scenario::all();
    let picked: Vec<Scenario> = all
        .into_iter()
        .filter(|each| scenario.is_none_or(|name| name == each.name))
        .filter(|each| what != Exhaust::Pairs || scenario.is_some() || PAIRED.contains(&each.name.as_str()))
        .collect();
    if picked.is_empty() {
        eprintln!("error: there is no such scenario; they are the folders of tests/scenarios");
        return ExitCode::from(64);
    }
    let mut ends = Vec::new();
    for scenario in picked {
        match in_own_time(async || scenario.undisturbed().await) {
            Ok((end, requests)) => ends.push((scenario, end, requests)),
            Err(why) => {
                println!("{} fails undisturbed: {why}", scenario.name);
                return ExitCode::FAILURE;
            }
        }
    }
    let mut cases = Vec::new();
    for (scenario, end, requests) in &ends {
        for (by, name) in places(what, *requests) {
            if label.is_none_or(|label| label == name) {
                cases.push(Case { scenario, end, by, label: name });
            }
        }
    }
    let outcome = Outcome::of(&cases);
    outcome.print(what, cases.len(), began);
    if outcome.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Where and how a run of so many requests is disturbed.
fn places(what: Exhaust, requests: usize) -> Vec<(Disturbance, String)> {
    type MakeKill = fn(usize) -> Kill;
    let kinds: [(&str, MakeKill); 3] =
        [("before", Kill::Before), ("after", Kill::After), ("on-its-way", Kill::OnItsWay)];
    // A disturbed run can take more requests than an undisturbed one: its own end is not known, so that the last places hit nothing.
    let numbers = 0..requests + 3;
    let kills = || kinds.into_iter().flat_map(|(name, kill)| numbers.clone().map(move |at| (name, kill(at), at)));
    match what {
        Exhaust::Kills => kills().map(|(name, kill, at)| (Disturbance::Kill(kill), format!("{name}:{at}"))).collect(),
        Exhaust::Pairs => {
            let pairs = kills().flat_map(|first| kills().map(move |second| (first, second)));
            pairs
                .map(|((name, first, at), (then, second, later))| {
                    (Disturbance::Kills(first, second), format!("{name}:{at},{then}:{later}"))
                })
                .collect()
        }
        Exhaust::Troubles => TROUBLES
            .into_iter()
            .flat_map(|trouble| {
                numbers.clone().map(move |at| (Disturbance::Trouble(at, trouble), format!("{trouble:?}:{at}")))
            })
            .collect(),
    }
}

#[derive(Default)]
struct Outcome {
    /// How many held, by scenario.
    held: BTreeMap<String, usize>,
    failures: Vec<(String, String, String)>,
}

impl Outcome {
    fn of(cases: &[Case<'_>]) -> Self {
        let next = AtomicUsize::new(0);
        let outcome = Mutex::new(Self::default());
        std::thread::scope(|scope| {
            for _ in 0..threads() {
                scope.spawn(|| {
                    while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let came = in_own_time(async || case.scenario.disturbed(case.by, case.end).await);
                        let mut outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner);
                        let name = case.scenario.name.clone();
                        match came.and_then(|held| held) {
                            Ok(Came::Held) => *outcome.held.entry(name).or_default() += 1,
                            Ok(Came::Undisturbed) => {}
                            Err(why) => outcome.failures.push((name, case.label.clone(), why)),
                        }
                    }
                });
            }
        });
        outcome.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn print(&self, what: Exhaust, cases: usize, began: Instant) {
        let flag = match what {
            Exhaust::Kills => "kills",
            Exhaust::Pairs => "pairs",
            Exhaust::Troubles => "troubles",
        };
        for (name, label, why) in self.failures.iter().take(5) {
            println!("{name}, {label}: {why}");
            println!("replay: cargo run --release -p xtask -- sim --exhaust {flag} --scenario {name} --case {label}\n");
        }
        for (name, held) in &self.held {
            println!("{name:<28} {held:>6} held");
        }
        let held: usize = self.held.values().sum();
        let failed = self.failures.len();
        println!("{cases} places, {held} disturbed a run, {failed} failed; {} s", began.elapsed().as_secs());
    }
}
