//! `cargo xtask release-check [--quick]`: everything that is tried before a version is called done, in the figures of a release, one
//! row each; the table is Markdown. Quick is the same in the figures of every day, to see that each row runs.

use std::{
    env, io,
    process::{Command, ExitCode, Stdio},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// One thing that is tried.
struct Row {
    what: &'static str,
    program: Program,
    arguments: Vec<String>,
    /// How many times the usual number of cases its test tries.
    scale: usize,
}

enum Program {
    /// This program itself.
    Xtask,
    Cargo,
}

/// How a row came out.
struct Came {
    held: bool,
    /// The last line that it printed.
    figure: String,
    took: Duration,
}

pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let quick = match arguments {
        [] => false,
        [flag] if flag == "--quick" => true,
        _ => {
            eprintln!("usage: cargo xtask release-check [--quick]");
            return ExitCode::from(64);
        }
    };
    println!("| tried | outcome | figure | time |\n|---|---|---|---|");
    let mut all = true;
    for row in rows(quick) {
        let came = match row.run() {
            Ok(came) => came,
            Err(error) => Came { held: false, figure: error.to_string(), took: Duration::ZERO },
        };
        all &= came.held;
        let outcome = if came.held { "held" } else { "**failed**" };
        println!("| {} | {outcome} | {} | {} s |", row.what, came.figure, came.took.as_secs());
    }
    if all { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn rows(quick: bool) -> Vec<Row> {
    let of = |full: usize, small: usize| if quick { small } else { full };
    let own = |what, arguments: &[&str]| Row {
        what,
        program: Program::Xtask,
        arguments: arguments.iter().map(|text| (*text).to_owned()).collect(),
        scale: 1,
    };
    let sim = |what, arguments: &[&str]| own(what, &[&["sim"], arguments].concat());
    let test = |what, package: &str, target: &str, filter: &str, scale| Row {
        what,
        program: Program::Cargo,
        arguments: ["test", "--release", "--quiet", "--package", package, "--test", target, filter]
            .map(str::to_owned)
            .to_vec(),
        scale,
    };
    let seeds = of(100_000, 1_000).to_string();
    let mut rows = vec![
        sim("lives from seeds, with faults, kills and failing writes of the ledger", &["--seeds", &seeds]),
        sim("scenarios killed before, after and during every request", &["--exhaust", "kills"]),
    ];
    if quick {
        rows.push(sim("a scenario killed twice, every pair", &["--exhaust", "pairs", "--scenario", "a-lock-goes"]));
        rows.push(sim(
            "a scenario, every trouble at every request",
            &["--exhaust", "troubles", "--scenario", "a-lock-goes"],
        ));
    } else {
        rows.push(sim("two scenarios killed twice, every pair", &["--exhaust", "pairs"]));
        rows.push(sim("scenarios, every trouble at every request", &["--exhaust", "troubles"]));
    }
    let (triples, deaths) = if quick {
        ("the planner against its reference, 20,000 cases", "processes killed (10), stopped, twenty at once")
    } else {
        ("the planner against its reference, 1,000,000 cases", "processes killed (2,000), stopped, twenty at once")
    };
    rows.extend([
        test(triples, "akson-planner", "planner", "differential", of(50, 1)),
        test(deaths, "akson-tests", "e2e", "crash", of(200, 1)),
        test("every operation on the ledger's files fails", "akson-tests", "engine", "disk", 1),
        own("stacks that share a subscription, against what its limits allow", &["bench", "apply"]),
        test("secrets looked for in all that is written", "akson-tests", "e2e", "canaries", of(20, 1)),
        own("days in virtual time, a look for drift every hour", &["soak", "--days", if quick { "30" } else { "365" }]),
        own("lives in one process, which does not grow", &["soak", "--hours", if quick { "0.01" } else { "0.5" }]),
    ]);
    rows
}

impl Row {
    fn run(&self) -> io::Result<Came> {
        let began = Instant::now();
        let mut command = match self.program {
            Program::Xtask => Command::new(env::current_exe()?),
            Program::Cargo => akson_tests::cargo(),
        };
        command.args(&self.arguments).env("AKSON_SCALE", self.scale.to_string());
        if self.scale > 1 {
            command.env("PROPTEST_CASES", (self.scale * 20_000).to_string());
        }
        // The gate's cases are the same each time; here they are new ones.
        let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        command.env("PROPTEST_RNG_SEED", seed.to_string());
        let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut lines = printed.lines().map(str::trim).filter(|line| !line.is_empty());
        let figure = lines.next_back().unwrap_or_default().replace('|', "/");
        // A filter that fits no test succeeds, too.
        let ran = !figure.contains(" 0 passed");
        if !output.status.success() || !ran {
            eprintln!("{printed}\nmade-up cases: PROPTEST_RNG_SEED={seed}");
        }
        Ok(Came { held: output.status.success() && ran, figure, took: began.elapsed() })
    }
}
