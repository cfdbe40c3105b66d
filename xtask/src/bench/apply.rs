//! `cargo xtask bench apply`: how near an apply comes to what the services' durations and limits allow, in virtual time, for stacks that
//! share a subscription; and what the engine itself spends on each operation. Not how long whole commands take: that is `bench`.

use std::{
    process::{Command, ExitCode},
    time::Duration,
};

use akson_tests::fleet::{Came, Size, come_up};

use super::slots;

/// How many stacks come up at once.
const FLEETS: [usize; 3] = [1, 4, 20];
/// How many times as much there is in one stack.
const SIZES: [usize; 3] = [1, 4, 20];
/// What each fleet is drawn from: the median is told.
const SEEDS: [u64; 3] = [1, 2, 3];
/// The greatest ratio that holds.
const HOLDS: f64 = 1.05;

pub(super) fn run(arguments: &[String]) -> ExitCode {
    if !arguments.is_empty() {
        eprintln!("usage: cargo xtask bench apply");
        return ExitCode::from(64);
    }
    if cfg!(debug_assertions) {
        // What it spends is only worth telling of a build for users.
        let mut optimised = akson_tests::cargo();
        optimised.args(["run", "--release", "--quiet", "--package", "xtask", "--", "bench", "apply"]);
        return ended(&mut optimised);
    }
    let mut ratios = Vec::new();
    println!("stacks  resources  makespan     bound  ratio  ten slots  requests  polls  throttled");
    for stacks in FLEETS {
        let came = median(stacks);
        row(stacks, &came);
        ratios.push(came.ratio());
    }
    println!("\nresources  CPU an operation  makespan     bound  ratio");
    let mut costs = Vec::new();
    for times in SIZES {
        let came = once(1, Size::WHOLE.times(times), SEEDS[0]);
        let cost = came.engine.as_secs_f64() / f64::from(u32::try_from(came.operations).unwrap_or(u32::MAX));
        let (makespan, bound) = (came.makespan.as_secs_f64(), came.bound().as_secs_f64());
        println!(
            "{:>9}  {:>13.3} ms  {makespan:>6.0} s  {bound:>6.0} s  {:>5.3}",
            came.operations,
            cost * 1000.0,
            came.ratio()
        );
        costs.push(cost);
    }
    let growth = costs.last().zip(costs.first()).map_or(1.0, |(last, first)| last / first);
    let told: Vec<String> = FLEETS.iter().zip(&ratios).map(|(stacks, ratio)| format!("{stacks}: {ratio:.3}")).collect();
    println!("\nmakespan over bound of {}; CPU an operation grows by {growth:.2}", told.join(", "));
    if ratios.iter().all(|ratio| *ratio <= HOLDS) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn ended(command: &mut Command) -> ExitCode {
    match command.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The run whose ratio is in the middle.
fn median(stacks: usize) -> Came {
    let mut came: Vec<Came> = SEEDS.iter().map(|seed| once(stacks, Size::WHOLE, *seed)).collect();
    came.sort_by(|one, other| one.ratio().total_cmp(&other.ratio()));
    came.swap_remove(came.len() / 2)
}

fn once(stacks: usize, size: Size, seed: u64) -> Came {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime can be made").block_on(come_up(stacks, size, seed))
}

fn row(stacks: usize, came: &Came) {
    let slots = slots::makespan(stacks, Size::WHOLE).as_secs_f64();
    let seconds = |duration: Duration| duration.as_secs_f64();
    println!(
        "{stacks:>6}  {:>9}  {:>6.0} s  {:>6.0} s  {:>5.3}  {:>9.2}  {:>8}  {:>5}  {:>9}",
        came.operations,
        seconds(came.makespan),
        seconds(came.bound()),
        came.ratio(),
        slots / seconds(came.bound()),
        came.requests,
        came.polls,
        came.throttled
    );
}
