//! `cargo xtask soak --hours H`: lives of the simulation one after another for hours, in one process. Beside what must hold in each, the
//! process itself must not grow: memory and open files are looked at once it has warmed up, and at the end.
//!
//! `cargo xtask soak --days D`: so many days of one stack in virtual time, with a look for drift every hour.

use std::{
    fs,
    process::ExitCode,
    time::{Duration, Instant},
};

use akson_tests::sim::{live, year};

use crate::sim::in_own_time;

/// The part of the time after which memory should not grow any more.
const WARM_UP: f64 = 0.2;
/// How much it may grow all the same, in percent.
const GROWTH: u64 = 5;

pub(crate) fn run(arguments: &[String]) -> ExitCode {
    if let [flag, days] = arguments
        && flag == "--days"
        && let Ok(days) = days.parse()
    {
        return of_days(days);
    }
    let hours = match arguments {
        [flag, hours] if flag == "--hours" => hours.parse::<f64>().ok().filter(|hours| *hours > 0.0 && *hours < 1000.0),
        _ => None,
    };
    let Some(hours) = hours else {
        eprintln!("usage: cargo xtask soak --hours H\n       cargo xtask soak --days D");
        return ExitCode::from(64);
    };
    let whole = Duration::from_secs_f64(hours * 3600.0);
    let began = Instant::now();
    let mut warm: Option<Size> = None;
    let (mut seed, mut runs) = (1_000_000, 0);
    while began.elapsed() < whole {
        match in_own_time(async || live(seed).await) {
            Ok(life) => runs += life.runs,
            Err(why) => {
                println!("seed {seed} failed: {why}\nreplay: cargo run --release -p xtask -- sim --seed {seed}");
                return ExitCode::FAILURE;
            }
        }
        seed += 1;
        if warm.is_none() && began.elapsed() > whole.mul_f64(WARM_UP) {
            warm = Size::now();
        }
    }
    let lives = seed - 1_000_000;
    let (Some(warm), Some(end)) = (warm, Size::now()) else {
        println!("{lives} lives, {runs} runs; how large the process is cannot be seen here");
        return ExitCode::SUCCESS;
    };
    println!(
        "{lives} lives, {runs} runs; {} KiB and {} open files after warm-up, {} KiB and {} at the end",
        warm.kibibytes, warm.files, end.kibibytes, end.files
    );
    let grew = end.kibibytes > warm.kibibytes + warm.kibibytes * GROWTH / 100 || end.files > warm.files;
    if grew { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// The seed of the days.
const DAYS: u64 = 2026;

fn of_days(days: u32) -> ExitCode {
    match in_own_time(async || year(days, DAYS).await) {
        Ok(lived) => {
            println!(
                "{} looks, {} outside edits found and reverted, {} author's edits applied, an empty plan at the end",
                lived.looks, lived.outside, lived.author
            );
            ExitCode::SUCCESS
        }
        Err(why) => {
            println!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// How much the process holds, where the system tells.
struct Size {
    kibibytes: u64,
    files: usize,
}

impl Size {
    fn now() -> Option<Self> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kibibytes = resident.trim().trim_end_matches("kB").trim().parse().ok()?;
        Some(Self { kibibytes, files: fs::read_dir("/proc/self/fd").ok()?.count() })
    }
}
