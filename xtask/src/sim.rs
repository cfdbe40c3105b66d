//! `cargo xtask sim`: many lives of a stack, each from a seed, in as many threads as there are cores. What a life is, and what must
//! hold in it, stands in `akson_tests::sim`; here is the counting, and how a failure is told and replayed.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use akson_tests::sim::{Life, live};

mod exhaust;

use exhaust::Exhaust;

/// What is asked for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Asked {
    first: u64,
    seeds: u64,
    /// Print the life's story.
    story: bool,
    exhaust: Option<Exhaust>,
    scenario: Option<String>,
    case: Option<String>,
}

const USAGE: &str = "usage: cargo xtask sim [--seeds N] [--from S] | --seed S
       cargo xtask sim --exhaust kills|pairs|troubles [--scenario NAME [--case PLACE]]";

/// `cargo xtask sim`: see [`USAGE`].
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let asked = match asked(arguments) {
        Ok(asked) => asked,
        Err(message) => {
            eprintln!("error: {message}\n{USAGE}");
            return ExitCode::from(64);
        }
    };
    std::panic::set_hook(Box::new(|_| {}));
    if let Some(what) = asked.exhaust {
        return exhaust::run(what, asked.scenario.as_deref(), asked.case.as_deref());
    }
    let began = Instant::now();
    let next = AtomicU64::new(asked.first);
    let end = asked.first + asked.seeds;
    let sum = Mutex::new((Life::default(), Vec::<(u64, String)>::new()));
    std::thread::scope(|scope| {
        for _ in 0..threads() {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    let outcome = one(seed);
                    let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
                    match outcome {
                        Ok(life) => {
                            sum.0.runs += life.runs;
                            sum.0.kills += life.kills;
                            sum.0.requests += life.requests;
                            if asked.story {
                                println!("{}", life.story);
                            }
                        }
                        Err(why) => sum.1.push((seed, why)),
                    }
                }
            });
        }
    });
    let (life, mut failures) = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    failures.sort();
    for (seed, why) in failures.iter().take(5) {
        println!("seed {seed} failed: {why}\nreplay: cargo run --release -p xtask -- sim --seed {seed}\n");
    }
    let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    println!(
        "{} seeds, {} failed; {} runs, {} killed, {} requests; {} seeds a minute",
        asked.seeds,
        failures.len(),
        life.runs,
        life.kills,
        life.requests,
        asked.seeds.saturating_mul(60_000) / milliseconds.max(1),
    );
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One life, in a runtime of its own with a clock of its own.
fn one(seed: u64) -> Result<Life, String> {
    in_own_time(async || live(seed).await)
}

/// Runs something in a runtime with a clock of its own; a panic is an error.
fn in_own_time<T>(run: impl AsyncFnOnce() -> T) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    catch_unwind(AssertUnwindSafe(|| runtime.block_on(run()))).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
    })
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)
}

fn asked(arguments: &[String]) -> Result<Asked, String> {
    let mut asked = Asked { seeds: 100, ..Asked::default() };
    let mut rest = arguments.iter();
    while let Some(flag) = rest.next() {
        let value = rest.next().ok_or_else(|| format!("`{flag}` needs a value"))?;
        let number = || value.parse().map_err(|_| format!("`{value}` is no whole number"));
        match flag.as_str() {
            "--seeds" => asked.seeds = number()?,
            "--from" => asked.first = number()?,
            "--seed" => asked = Asked { first: number()?, seeds: 1, story: true, ..asked },
            "--exhaust" => {
                asked.exhaust = Some(match value.as_str() {
                    "kills" => Exhaust::Kills,
                    "pairs" => Exhaust::Pairs,
                    "troubles" => Exhaust::Troubles,
                    _ => return Err(format!("`{value}` cannot be exhausted")),
                });
            }
            "--scenario" => asked.scenario = Some(value.clone()),
            "--case" => asked.case = Some(value.clone()),
            _ => return Err(format!("there is no flag `{flag}`")),
        }
    }
    // A scenario by itself is killed everywhere.
    if asked.scenario.is_some() && asked.exhaust.is_none() {
        asked.exhaust = Some(Exhaust::Kills);
    }
    Ok(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags() {
        let check = |text: &str| asked(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(check("--seeds 10 --from 5"), Ok(Asked { first: 5, seeds: 10, ..Asked::default() }));
        assert_eq!(check("--seed 7"), Ok(Asked { first: 7, seeds: 1, story: true, ..Asked::default() }));
        let exhausted = check("--scenario secrets").unwrap_or_default();
        assert_eq!((exhausted.exhaust, exhausted.scenario.as_deref()), (Some(Exhaust::Kills), Some("secrets")));
        assert!(check("--exhaust nothing").is_err());
        assert!(check("--seeds").is_err() && check("--seeds x").is_err() && check("--what 1").is_err());
    }
}
