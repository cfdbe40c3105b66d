//! `cargo xtask bench`: whole commands of the release binary on a generated stack and the embedded emulator: wall time, CPU time and
//! requests, each as the median of several runs and as a ratio to `check`. Functions are measured by criterion, in each crate's `benches`; how near
//! an apply comes to what Azure allows is `apply`.

mod apply;
mod slots;

use akson_emulator::{Emulator, Latency, Options, Store};
use akson_tests::azure::Azure;
use std::{
    fmt::Write as _,
    fs, io,
    path::Path,
    process::{Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

/// How often each command is run.
const RUNS: usize = 5;
/// Of one team: see [`stack`].
const RESOURCES: usize = 50;
/// What an answer of Azure takes in the run over HTTP, in seconds.
const LATENCY: f64 = 0.03;
/// How many objects other tools read at once.
const OTHERS: usize = 10;

/// `cargo xtask bench [TEAMS]`: a team has 50 resources; `cargo xtask bench apply`.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    if let Some(("apply", rest)) = arguments.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        return apply::run(rest);
    }
    let teams = match arguments.first().map(|text| text.parse::<usize>()) {
        None => 40,
        Some(Ok(teams)) if teams > 0 => teams,
        Some(_) => {
            eprintln!("usage: cargo xtask bench [TEAMS] | apply");
            return ExitCode::from(64);
        }
    };
    match measure(teams) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(teams: usize) -> io::Result<()> {
    let mut build = akson_tests::cargo();
    build.args(["build", "--release", "--quiet", "--package", "akson-cli"]);
    if !build.status()?.success() {
        return Err(io::Error::other("the binary does not build"));
    }
    let binary = akson_tests::root().join("target/release/akson");
    let folder = akson_tests::root().join("target/bench");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("main.aks"), stack(teams))?;
    let resources = RESOURCES * teams;
    println!("{resources} resources, median of {RUNS} runs");
    let check = median(RUNS, || timed(&binary, &folder, &["check"]))?;
    row("check", check, check, None);
    let fresh = median(RUNS, || timed(&binary, &folder, &["plan"]))?;
    row("plan, nothing there", fresh, check, Some(reads(&binary, &folder)?));
    let apply = median(1, || timed(&binary, &folder, &["apply", "--auto-approve"]))?;
    row("apply, once", apply, check, None);
    let settled = median(RUNS, || timed(&binary, &folder, &["plan", "--detailed-exitcode"]))?;
    let requests = reads(&binary, &folder)?;
    row("plan, nothing to do", settled, check, Some(requests));
    let world = folder.join(".akson/emulator/world");
    let options =
        Options { store: Store::Directory(world), latency: Latency::Fixed { seconds: LATENCY }, ..Options::default() };
    let azure = Azure::serve(Emulator::open(options).map_err(io::Error::other)?);
    let far = median(RUNS, || {
        let mut command = akson(&binary, &folder, &["plan", "--detailed-exitcode"]);
        timed_command(command.env("AKSON_EMULATOR_URL", &azure.url))
    })?;
    row(&format!("the same, {:.0} ms away", LATENCY * 1000.0), far, check, Some(requests));
    // Reckoned, and at best: without a limit of the services.
    let waits = u32::try_from(resources.div_ceil(OTHERS)).unwrap_or(u32::MAX);
    let singly = Duration::from_secs_f64(LATENCY) * waits;
    row(&format!("one GET each, {OTHERS} at once"), singly, check, u64::try_from(resources).ok());
    fs::remove_dir_all(&folder)
}

fn row(name: &str, time: Duration, base: Duration, requests: Option<u64>) {
    let ratio = time.as_secs_f64() / base.as_secs_f64().max(1e-6);
    let requests = requests.map(|requests| format!("{requests} requests")).unwrap_or_default();
    println!("{name:<24} {:>8.0} ms  {ratio:>6.1} x check  {requests}", time.as_secs_f64() * 1000.0);
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
    timed_command(&mut akson(binary, folder, arguments))
}

fn timed_command(command: &mut Command) -> io::Result<Duration> {
    let began = Instant::now();
    let status = command.status()?;
    let took = began.elapsed();
    if status.success() { Ok(took) } else { Err(io::Error::other(format!("{command:?} fails"))) }
}

/// How many requests a plan reads with.
fn reads(binary: &Path, folder: &Path) -> io::Result<u64> {
    let output = akson(binary, folder, &["plan", "--format", "json"]).stdout(Stdio::piped()).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let reads = text.rsplit_once("\"reads\":").map(|(_, rest)| rest.trim_start());
    let digits = reads.map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
    digits.and_then(|digits| digits.parse().ok()).ok_or_else(|| io::Error::other("the plan does not count its reads"))
}

/// A stack of as many teams: each with an identity that twenty branches may use and that has a role on twenty groups, a vault, a
/// locked group and some network.
fn stack(teams: usize) -> String {
    let mut text = String::from("stack \"bench\" {\n  location = \"westeurope\"\n}\n");
    for team in 0..teams {
        let groups: Vec<String> =
            (0..20).map(|step| format!("\"g{step}\" = resource_group.g{}", (team + step) % teams)).collect();
        let _ = write!(
            text,
            r#"
resource_group "g{team}" {{
  name = "bench-{team}"
}}

lock "g{team}" {{
  name  = "keep"
  on    = resource_group.g{team}
  level = cannot_delete
}}

identity "i{team}" {{
  name           = "id-{team}"
  resource_group = resource_group.g{team}
  tags           = {{ team = "{team}" }}
}}

federated_credential "c{team}" {{
  for_each = [for number in range(20) : "branch-${{number}}"]
  identity = identity.i{team}
  issuer   = "https://token.actions.githubusercontent.com"
  subject  = "repo:example/r{team}:ref:refs/heads/${{each.key}}"
}}

grant "r{team}" {{
  for_each = {{ {groups} }}
  to       = identity.i{team}
  role     = each.key == "g0" ? "Reader" : "Monitoring Reader"
  on       = each.value
}}

vault "v{team}" {{
  name             = "bench-kv-{team}"
  resource_group   = resource_group.g{team}
  purge_protection = enabled
}}

network "n{team}" {{
  name           = "net-{team}"
  resource_group = resource_group.g{team}
  ranges         = ["10.{team}.0.0/16"]
}}

subnet "s{team}" {{
  name    = "nodes"
  network = network.n{team}
  ranges  = ["10.{team}.0.0/20"]
}}

route_table "t{team}" {{
  name           = "routes"
  resource_group = resource_group.g{team}
}}

network_security_group "a{team}" {{
  name           = "allowed"
  resource_group = resource_group.g{team}
}}

public_ip "p{team}" {{
  name           = "out"
  resource_group = resource_group.g{team}
}}

log_workspace "l{team}" {{
  name           = "logs-{team}"
  resource_group = resource_group.g{team}
}}
"#,
            groups = groups.join(", ")
        );
    }
    text
}
