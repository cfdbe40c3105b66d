//! The ledger in a blob against Azurite, the storage emulator that others wrote: real processes, real leases, and the minute in which a
//! lease ends by itself. `AKSON_AZURITE` names its program; without it there is nothing to try, and that is said.

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use akson_azure::{Transport as _, network::Network};
use akson_emulator::{Emulator, Options, Store};
use akson_tests::{Folder, Ran, azure::Azure};
use bytes::Bytes;
use http::Request;
use serde_json::Value;

use super::stacks::TEAMS;

const ACCOUNT: &str = "platform";
const HOST: &str = "platform.blob.core.windows.net";
/// The time in which a lease ends that nobody renews, and some to spare for a slow machine.
const LEASE: Duration = Duration::from_secs(150);

/// A running Azurite, and its certificate.
struct Azurite {
    child: Child,
    address: SocketAddr,
    certificate: String,
    _folder: tempfile::TempDir,
}

impl Azurite {
    fn start(program: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(vec![HOST.to_owned()]).unwrap();
        let certificate = made.cert.pem();
        let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        fs::write(&cert, &certificate).unwrap();
        fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        let mut child = Command::new(program)
            // It asks for no port of its own choice, so that it says which one it got.
            .args(["--blobHost", "127.0.0.1", "--blobPort", "0", "--inMemoryPersistence"])
            .args(["--skipApiVersionCheck", "--disableTelemetry", "--oauth", "basic", "--cert"])
            .arg(&cert)
            .arg("--key")
            .arg(&key)
            .env("AZURITE_ACCOUNTS", format!("{ACCOUNT}:a2V5"))
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Azurite starts");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, port) = line.split_once("successfully listens on https://127.0.0.1:")?;
            port.trim().parse().ok()
        });
        // Its log would fill the pipe, and stop it.
        thread::spawn(move || lines.for_each(drop));
        let port: u16 = said.expect("Azurite says where it listens");
        Self { child, address: (Ipv4Addr::LOCALHOST, port).into(), certificate, _folder: folder }
    }

    /// Makes the container of the ledgers, as a person would beforehand.
    fn make_container(&self, azure: &Azure) {
        akson_azure::network::install_tls();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let who = azure.emulator.identity();
            let login = Request::post(format!("https://login.microsoftonline.com/{}/oauth2/v2.0/token", who.tenant))
                .header("content-type", "application/x-www-form-urlencoded")
                .body(Bytes::from(format!(
                    "grant_type=client_credentials&client_id={}&client_secret={}&scope=https%3A%2F%2Fstorage.azure.com%2F.default",
                    who.client_id, who.client_secret
                )));
            let answer = Network::loopback(&azure.url).unwrap().send(login.unwrap()).await.unwrap();
            let answer: Value = serde_json::from_slice(answer.body()).unwrap();
            let make = Request::put(format!("https://{HOST}/ledgers?restype=container"))
                .header("authorization", format!("Bearer {}", answer["access_token"].as_str().expect("a token")))
                .header("x-ms-version", "2021-12-02")
                .header("content-length", "0")
                .body(Bytes::new());
            let made = Network::pinned(self.address, &self.certificate).unwrap().send(make.unwrap()).await.unwrap();
            assert_eq!(made.status(), 201, "{:?}", made.body());
        });
    }
}

impl Drop for Azurite {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A stack of its own whose ledger is in Azurite, beside the others.
struct Stack<'a> {
    azure: &'a Azure,
    name: &'static str,
    text: String,
}

impl<'a> Stack<'a> {
    fn new(azure: &'a Azure, name: &'static str) -> Self {
        let text = TEAMS.replace("team", name);
        let ledger = format!("  ledger = azure_blob(\"https://{HOST}/ledgers/{name}.json\")");
        let head = format!("stack \"{name}s\" {{");
        assert!(text.contains(&head), "{text}");
        Self { azure, name, text: text.replacen(&head, &format!("{head}\n{ledger}"), 1) }
    }

    fn folder(&self) -> Folder {
        Folder::with(&self.text)
    }

    fn command(&self, folder: &Folder, arguments: &[&str]) -> Command {
        let mut command = self.azure.command(folder, arguments);
        command.envs(self.azure.secret());
        command
    }

    fn akson(&self, folder: &Folder, arguments: &[&str]) -> Ran {
        Ran::of(&mut self.command(folder, arguments))
    }

    /// Nothing is left to do, for a folder that never saw the stack; and nothing is left on this machine's disk.
    #[track_caller]
    fn settled(&self) {
        let folder = self.folder();
        let _ = self.akson(&folder, &["plan", "--detailed-exitcode"]).exits(0).says("No changes");
        let entries = self.akson(&folder, &["ledger", "show", "--format", "json"]).exits(0).json();
        assert_eq!(entries["entries"].as_array().unwrap().len(), 9, "{}", self.name);
        assert!(!Path::new(&folder.path().join(".akson/public")).exists(), "a ledger in a file as well");
    }

    /// An apply that has begun: its group is there.
    fn begun(&self, folder: &Folder) -> Child {
        let mut command = self.command(folder, &["apply", "--auto-approve"]);
        let mut run = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("akson starts");
        let group = format!("/{}s-rg", self.name);
        while !self.azure.emulator.god().ids().iter().any(|id| id.ends_with(&group)) {
            assert_eq!(run.try_wait().unwrap(), None, "it ended before it began");
            thread::sleep(Duration::from_millis(5));
        }
        run
    }

    /// Applies again and again until the lease of a run that is no more has ended; how long that took.
    fn gets_in(&self, folder: &Folder) -> Duration {
        let began = Instant::now();
        loop {
            let ran = self.akson(folder, &["apply", "--auto-approve"]);
            if ran.code == 0 {
                return began.elapsed();
            }
            let _ = ran.exits(1).says("AKS0601");
            assert!(began.elapsed() < LEASE, "the lease does not end");
            thread::sleep(Duration::from_secs(1));
        }
    }
}

fn two_folders_share_one(stack: &Stack<'_>) {
    let (first, second) = (stack.folder(), stack.folder());
    let _ = stack.akson(&first, &["apply", "--auto-approve"]).exits(0).says("the ledger is https://platform.blob");
    stack.settled();
    let _ = stack.akson(&second, &["ledger", "unlock"]).exits(0).says("nobody holds the ledger");
    let _ = stack.akson(&second, &["destroy", "--auto-approve"]).exits(0);
    let _ = stack.akson(&first, &["plan", "--detailed-exitcode"]).exits(2).says("9 to create");
}

fn of_twenty_at_once_one_is_in(stack: &Stack<'_>) {
    let folders: Vec<Folder> = (0..20).map(|_| stack.folder()).collect();
    let runs: Vec<Child> = folders
        .iter()
        .map(|folder| {
            let mut command = stack.command(folder, &["apply", "--auto-approve"]);
            command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("akson starts")
        })
        .collect();
    let mut won = 0;
    for run in runs {
        let ended = run.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        match ended.status.code() {
            Some(0) => won += 1,
            Some(1) => assert!(said.contains("AKS0601"), "{said}"),
            other => panic!("{other:?}: {said}"),
        }
    }
    assert!(won > 0, "nobody got in");
    stack.settled();
}

/// A run that is killed keeps others out until its lease has ended, or somebody says that it is no more.
fn a_killed_run(stack: &Stack<'_>) {
    let folder = stack.folder();
    let mut run = stack.begun(&folder);
    run.kill().unwrap();
    let killed = run.wait_with_output().unwrap();
    assert!(!killed.status.success(), "it was over before it was killed");
    let other = stack.folder();
    let _ = stack.akson(&other, &["apply", "--auto-approve"]).exits(1).says("AKS0601").says("ledger unlock");
    let _ = stack.akson(&other, &["ledger", "unlock"]).exits(0);
    let _ = stack.akson(&other, &["apply", "--auto-approve"]).exits(0);
    stack.settled();
    // Once more, and nobody says anything.
    let _ = stack.akson(&other, &["destroy", "--auto-approve"]).exits(0);
    let mut run = stack.begun(&folder);
    run.kill().unwrap();
    assert!(!run.wait().unwrap().success(), "it was over before it was killed");
    let waited = stack.gets_in(&other);
    assert!(waited > Duration::from_secs(20), "it was let in after {waited:?}");
    stack.settled();
}

/// A run that sleeps for longer than its lease finds that it was lost, and sends and writes nothing more.
#[cfg(unix)]
fn a_run_that_overslept(stack: &Stack<'_>) {
    let (folder, other) = (stack.folder(), stack.folder());
    let sleeper = stack.begun(&folder);
    let signal = |name: &str| {
        let sent = Command::new("kill").args(["-s", name, &sleeper.id().to_string()]).status();
        assert!(sent.unwrap().success());
    };
    signal("STOP");
    stack.gets_in(&other);
    stack.settled();
    let of_this_stack = || {
        let mut ids = stack.azure.emulator.god().ids();
        ids.retain(|id| id.contains(&format!("/{}s-rg", stack.name)));
        ids
    };
    let before = of_this_stack();
    signal("CONT");
    let ended = sleeper.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(3), "{said}");
    assert!(said.contains("AKS0608"), "{said}");
    assert_eq!(of_this_stack(), before);
    stack.settled();
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn ledgers_in_azurite() {
    let Ok(program) = env::var("AKSON_AZURITE") else {
        eprintln!("skipped: AKSON_AZURITE does not name an Azurite");
        return;
    };
    let azurite = Azurite::start(&program);
    // Tokens are judged by Azurite's clock. A world on disk begins at this machine's time, and there it must pass as usual.
    let world = tempfile::tempdir().unwrap();
    let store = Store::Directory(world.path().to_owned());
    let emulator = Emulator::open(Options { store, ..Options::default() }).unwrap();
    let azure = Azure::beside(emulator, Some((azurite.address, &azurite.certificate)));
    azurite.make_container(&azure);
    thread::scope(|scope| {
        scope.spawn(|| two_folders_share_one(&Stack::new(&azure, "share")));
        scope.spawn(|| of_twenty_at_once_one_is_in(&Stack::new(&azure, "crowd")));
        scope.spawn(|| a_killed_run(&Stack::new(&azure, "ended")));
        #[cfg(unix)]
        scope.spawn(|| a_run_that_overslept(&Stack::new(&azure, "sleep")));
    });
}
