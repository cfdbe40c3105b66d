//! `cargo xtask bench`: whole commands of the release binary on a generated stack and the embedded emulator: wall time, CPU time and
//! requests, each as the median of several runs and as a ratio to `check`. Functions are measured by criterion, in each crate's `benches`.

use std::{
    fmt::Write as _,
    fs, io,
    path::Path,
    process::{Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

/// How often each command is run.
const RUNS: usize = 5;

/// `cargo xtask bench [TEAMS]`: a team is a group, an identity and two credentials.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let teams = match arguments.first().map(|text| text.parse::<usize>()) {
        None => 50,
        Some(Ok(teams)) => teams,
        Some(Err(_)) => {
            eprintln!("usage: cargo xtask bench [TEAMS]");
            return ExitCode::from(64);
        }
    };
    match measure(&crate::root(), teams) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(root: &Path, teams: usize) -> io::Result<()> {
    let mut build = akson_tests::cargo();
    build.args(["build", "--release", "--quiet", "--package", "akson-cli"]);
    if !build.status()?.success() {
        return Err(io::Error::other("the binary does not build"));
    }
    let binary = root.join("target/release/akson");
    let folder = root.join("target/bench");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("main.aks"), stack(teams))?;
    println!("{} resources, median of {RUNS} runs", 4 * teams);
    let check = median(RUNS, || timed(&binary, &folder, &["check"]))?;
    row("check", check, check, None);
    let fresh = median(RUNS, || timed(&binary, &folder, &["plan"]))?;
    row("plan, nothing there", fresh, check, Some(reads(&binary, &folder)?));
    let apply = median(1, || timed(&binary, &folder, &["apply", "--auto-approve"]))?;
    row("apply, once", apply, check, None);
    let settled = median(RUNS, || timed(&binary, &folder, &["plan", "--detailed-exitcode"]))?;
    row("plan, nothing to do", settled, check, Some(reads(&binary, &folder)?));
    fs::remove_dir_all(&folder)
}

fn row(name: &str, time: Duration, base: Duration, requests: Option<u64>) {
    let ratio = time.as_secs_f64() / base.as_secs_f64().max(1e-6);
    let requests = requests.map(|requests| format!("{requests} requests")).unwrap_or_default();
    println!("{name:<22} {:>8.0} ms  {ratio:>6.1} x check  {requests}", time.as_secs_f64() * 1000.0);
}

fn median(runs: usize, mut once: impl FnMut() -> io::Result<Duration>) -> io::Result<Duration> {
    let mut times = Vec::with_capacity(runs);
    for _ in 0..runs {
        times.push(once()?);
    }
    times.sort();
    Ok(times.get(times.len() / 2).copied().unwrap_or_default())
}

fn akson(binary: &Path, folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary);
    command.current_dir(folder).env("AKSON_CLOUD", "emulator").env_remove("AKSON_EMULATOR_URL").args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn timed(binary: &Path, folder: &Path, arguments: &[&str]) -> io::Result<Duration> {
    let began = Instant::now();
    let status = akson(binary, folder, arguments).status()?;
    let took = began.elapsed();
    if status.success() { Ok(took) } else { Err(io::Error::other(format!("`akson {}` fails", arguments.join(" ")))) }
}

/// How many requests a plan reads with.
fn reads(binary: &Path, folder: &Path) -> io::Result<u64> {
    let output = akson(binary, folder, &["plan", "--format", "json"]).stdout(Stdio::piped()).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let reads = text.rsplit_once("\"reads\":").map(|(_, rest)| rest.trim_start());
    let digits = reads.map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
    digits.and_then(|digits| digits.parse().ok()).ok_or_else(|| io::Error::other("the plan does not count its reads"))
}

fn stack(teams: usize) -> String {
    let mut text = String::from("stack \"bench\" {\n  location = \"westeurope\"\n}\n");
    for team in 0..teams {
        let _ = write!(
            text,
            r#"
resource_group "g{team}" {{
  name = "bench-{team}"
}}

identity "i{team}" {{
  name           = "id-{team}"
  resource_group = resource_group.g{team}
  tags           = {{ team = "{team}" }}
}}

federated_credential "c{team}" {{
  for_each = ["main", "release"]
  identity = identity.i{team}
  issuer   = "https://token.actions.githubusercontent.com"
  subject  = "repo:example/r{team}:ref:refs/heads/${{each.key}}"
}}
"#
        );
    }
    text
}
