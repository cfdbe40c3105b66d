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

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    first: u64,
    seeds: u64,
    /// Print the life's story.
    story: bool,
}

/// `cargo xtask sim [--seeds N] [--from S] | --seed S`.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let asked = match asked(arguments) {
        Ok(asked) => asked,
        Err(message) => {
            eprintln!("error: {message}\nusage: cargo xtask sim [--seeds N] [--from S] | --seed S");
            return ExitCode::from(64);
        }
    };
    std::panic::set_hook(Box::new(|_| {}));
    let began = Instant::now();
    let next = AtomicU64::new(asked.first);
    let end = asked.first + asked.seeds;
    let sum = Mutex::new((Life::default(), Vec::<(u64, String)>::new()));
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
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
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    catch_unwind(AssertUnwindSafe(|| runtime.block_on(live(seed)))).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
    })
}

fn asked(arguments: &[String]) -> Result<Asked, String> {
    let mut asked = Asked { first: 0, seeds: 100, story: false };
    let mut rest = arguments.iter();
    while let Some(flag) = rest.next() {
        let value = rest.next().ok_or_else(|| format!("`{flag}` needs a number"))?;
        let number: u64 = value.parse().map_err(|_| format!("`{value}` is no whole number"))?;
        match flag.as_str() {
            "--seeds" => asked.seeds = number,
            "--from" => asked.first = number,
            "--seed" => asked = Asked { first: number, seeds: 1, story: true },
            _ => return Err(format!("there is no flag `{flag}`")),
        }
    }
    Ok(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags() {
        let check = |text: &str| asked(&text.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(check("--seeds 10 --from 5"), Ok(Asked { first: 5, seeds: 10, story: false }));
        assert_eq!(check("--seed 7"), Ok(Asked { first: 7, seeds: 1, story: true }));
        assert!(check("--seeds").is_err() && check("--seeds x").is_err() && check("--what 1").is_err());
    }
}
