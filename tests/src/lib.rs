//! The harness of the end-to-end tests: the real binary in a folder of its own, and what it printed.
//!
//! No mocks and no sleeping: a test runs `akson` as a user would and reads its exit code, its streams and the emulator's world.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a harness fails its test by panicking"
)]

pub mod azure;
pub mod fleet;
pub mod hostile;
pub mod pipeline;
pub mod scenario;
pub mod sim;
pub mod web;
pub mod world;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, OnceLock},
};

use akson_emulator::{Emulator, Options, Store};
use serde_json::Value;

/// The repository's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests' package lies in the repository")
}

/// How many times the usual number of cases to try: `AKSON_SCALE`, which `cargo xtask release-check` sets.
pub fn scale() -> usize {
    std::env::var("AKSON_SCALE").ok().and_then(|text| text.parse().ok()).filter(|scale| *scale > 0).unwrap_or(1)
}

/// Puts a program there, a script. It is not written here: a process that another test is just starting would have it open for writing,
/// until it runs its own program, and what is open for writing does not run.
#[cfg(unix)]
pub fn install(path: &Path, script: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let text = path.with_extension("text");
    std::fs::write(&text, script).expect("it can be written");
    let copied = Command::new("cp").arg(&text).arg(path).status();
    assert!(copied.is_ok_and(|status| status.success()), "{} is copied", path.display());
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("its mode can be set");
}

/// A cargo that builds what a terminal's would. What cargo tells a program of the package it runs is not passed on: the build script of
/// `ring` takes it for a change, and all that needs it is compiled anew.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")) {
            command.env_remove(name);
        }
    }
    command
}

/// The binary under test, built once in the profile of the tests.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let mut build = cargo();
        build.args(["build", "--quiet", "--package", "akson-cli", "--message-format=json"]);
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        let output = build.stderr(Stdio::inherit()).output().expect("cargo runs");
        assert!(output.status.success(), "the binary builds");
        let messages = String::from_utf8_lossy(&output.stdout);
        messages
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter_map(|message| message.get("executable").and_then(Value::as_str).map(PathBuf::from))
            .next_back()
            .expect("cargo names the executable")
    })
}

/// A configuration's folder for one test.
pub struct Folder {
    directory: tempfile::TempDir,
    emulator: Option<String>,
}

/// What a run printed and how it ended.
#[derive(Debug)]
#[must_use = "look at the exit code or the output"]
pub struct Ran {
    /// The exit code; -1 if a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ran {
    /// Runs a command to its end.
    pub fn of(command: &mut Command) -> Self {
        let output = command.output().expect("akson starts");
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Fails the test unless it ended with `code`.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// Standard output as one JSON document.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr))
    }

    /// Standard output as JSON lines.
    #[track_caller]
    pub fn json_lines(&self) -> Vec<Value> {
        self.stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
            .collect()
    }

    /// Fails the test unless a stream contains `text`.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(
            self.stdout.contains(text) || self.stderr.contains(text),
            "`{text}` is not in\n--- stdout\n{}\n--- stderr\n{}",
            self.stdout,
            self.stderr
        );
        self
    }
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

impl Folder {
    /// An empty one.
    pub fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("there is room for a folder"), emulator: None }
    }

    /// One with a `main.aks`, or several files: each after the first begins with a line `//- NAME`.
    pub fn with(text: &str) -> Self {
        let folder = Self::new();
        let mut name = "main.aks".to_owned();
        let mut content = String::new();
        for line in text.split_inclusive('\n') {
            if let Some(next) = line.strip_prefix("//- ") {
                folder.write_below(&name, &std::mem::take(&mut content));
                next.trim().clone_into(&mut name);
            } else {
                content.push_str(line);
            }
        }
        folder.write_below(&name, &content);
        folder
    }

    /// Writes a file that may lie in folders below.
    fn write_below(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).unwrap();
        }
        fs::write(path, text).unwrap();
    }

    /// A copy of an example.
    pub fn example(name: &str) -> Self {
        let folder = Self::new();
        let from = root().join("examples").join(name);
        for entry in fs::read_dir(from).expect("the example is there") {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
            }
        }
        folder
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a file in it.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Replaces a text in a file that must contain it.
    #[track_caller]
    pub fn edit(&self, name: &str, from: &str, to: &str) {
        let path = self.path().join(name);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "`{from}` is not in {name}");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    /// Uses a running emulator from now on.
    pub fn use_emulator(&mut self, url: &str) {
        self.emulator = Some(url.to_owned());
    }

    /// The command `akson -C . ARGUMENTS` in this folder, with an environment of its own.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command
            .current_dir(self.path())
            .env_clear()
            .env("AKSON_CLOUD", "emulator")
            // Of the examples.
            .env("DB_PASSWORD", "correct-horse")
            .args(arguments)
            .stdin(Stdio::null());
        if let Some(url) = &self.emulator {
            command.env("AKSON_EMULATOR_URL", url);
        }
        command
    }

    /// Runs `akson ARGUMENTS`.
    pub fn akson(&self, arguments: &[&str]) -> Ran {
        Ran::of(&mut self.command(arguments))
    }

    /// Applies without asking.
    pub fn apply(&self) -> Ran {
        self.akson(&["apply", "--auto-approve"])
    }

    /// The plan as JSON; the run must succeed.
    #[track_caller]
    pub fn plan(&self) -> Value {
        self.akson(&["plan", "--format", "json"]).exits(0).json()
    }

    /// The actions of the plan as `address action`, sorted.
    #[track_caller]
    pub fn actions(&self) -> Vec<String> {
        actions(&self.plan())
    }

    /// Fails the test unless a plan finds nothing to do.
    #[track_caller]
    pub fn settled(&self) {
        let ran = self.akson(&["plan", "--detailed-exitcode"]);
        assert_eq!(ran.code, 0, "the plan is not empty\n{}\n{}", ran.stdout, ran.stderr);
    }

    /// The world of the embedded emulator while no `akson` runs; dropping it closes it.
    pub fn world(&self) -> Arc<Emulator> {
        let store = Store::Directory(self.path().join(".akson/emulator/world"));
        Emulator::open(Options { store, ..Options::default() }).expect("the world opens")
    }

    /// Starts `akson emulator start` here; it ends when the value is dropped.
    pub fn start_emulator(&self, arguments: &[&str]) -> RunningEmulator {
        use std::io::BufRead as _;
        let mut all = vec!["emulator", "start"];
        all.extend_from_slice(arguments);
        let mut child = self.command(&all).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
        let mut line = String::new();
        std::io::BufReader::new(child.stdout.take().expect("stdout is piped")).read_line(&mut line).unwrap();
        RunningEmulator { child, url: line.trim().to_owned() }
    }
}

/// A running `akson emulator start`.
pub struct RunningEmulator {
    child: Child,
    /// Where it listens.
    pub url: String,
}

impl RunningEmulator {
    /// Calls one of the emulator's own paths; the body of the answer.
    pub fn ask(&self, method: &str, path: &str, body: &str) -> String {
        use std::io::{Read as _, Write as _};
        let address = self.url.trim_start_matches("http://");
        let mut stream = std::net::TcpStream::connect(address).expect("the emulator listens");
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
    }
}

impl Drop for RunningEmulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The actions of a plan document as `address action`, sorted.
#[track_caller]
pub fn actions(plan: &Value) -> Vec<String> {
    let mut actions: Vec<String> = plan["changes"]
        .as_array()
        .expect("a plan lists changes")
        .iter()
        .map(|change| format!("{} {}", change["address"].as_str().unwrap(), change["action"].as_str().unwrap()))
        .collect();
    actions.sort();
    actions
}
