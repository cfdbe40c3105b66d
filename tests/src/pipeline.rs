//! Runners for the pipelines that are there to be copied: a GitHub job or an Azure DevOps stage is carried out step by step, with its own shell,
//! conditions and expressions, the emulator in place of Azure, and scripts in place of `gh` and `curl` that keep comments and issues in
//! files. Not a linter, and not all of either language: an expression that it does not know fails the test.

pub mod devops;
pub mod expression;
pub mod github;

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

use crate::{Folder, Ran, binary, install, root};

/// Comments, issues and threads as one JSON array each; `--jq` is jq's own. Whoever asks for anything else gets an error.
const GH: &str = include_str!("pipeline/gh.sh");
const CURL: &str = include_str!("pipeline/curl.sh");

/// A machine that runs jobs, around a folder with a configuration.
pub struct Machine {
    /// What was checked out.
    pub folder: Folder,
    temp: tempfile::TempDir,
}

/// What a script came to.
struct Script {
    code: i32,
    stdout: String,
}

impl Machine {
    /// One around a folder; none if there is no jq, which the pipelines need.
    pub fn new(folder: Folder) -> Option<Self> {
        if !Command::new("jq").arg("--version").output().is_ok_and(|ran| ran.status.success()) {
            return None;
        }
        let temp = tempfile::tempdir().unwrap();
        let bin = temp.path().join("bin");
        fs::create_dir(&bin).unwrap();
        symlink(binary(), bin.join("akson")).unwrap();
        for (name, text) in [("gh", GH), ("curl", CURL)] {
            install(&bin.join(name), text);
        }
        let machine = Self { folder, temp };
        machine.put("event.json", "{\"pull_request\":{\"number\":7}}");
        for list in ["comments", "issues", "pulls", "runs", "threads"] {
            machine.put(&format!("{list}.json"), "[]");
        }
        Some(machine)
    }

    /// A file in the machine's temporary folder.
    pub fn place(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    /// Writes such a file.
    pub fn put(&self, name: &str, text: &str) {
        fs::write(self.place(name), text).unwrap();
    }

    /// Reads such a file; nothing if it is not there.
    pub fn file(&self, name: &str) -> String {
        fs::read_to_string(self.place(name)).unwrap_or_default()
    }

    /// One of the lists that `gh` and `curl` keep.
    pub fn list(&self, name: &str) -> Vec<Value> {
        serde_json::from_str(&self.file(&format!("{name}.json"))).unwrap()
    }

    /// Runs a script as both services run bash; `environment` is all that it sees beside the machine's own.
    fn bash(&self, script: &str, options: &[&str], environment: &[(String, String)]) -> Script {
        let path = format!("{}:{}", self.place("bin").display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("bash");
        command
            .args(options)
            .args(["-c", script])
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.temp.path())
            .env("FAKE", self.temp.path())
            .env("AKSON_CLOUD", "emulator")
            .env("CI", "true")
            .envs(environment.iter().cloned());
        let ran = Ran::of(&mut command);
        self.put("log", &format!("{}--- {script}\n{}{}\n", self.file("log"), ran.stdout, ran.stderr));
        Script { code: ran.code, stdout: ran.stdout }
    }

    /// Copies a file, or what is in a folder, into a folder.
    fn copy(from: &Path, into: &Path) {
        fs::create_dir_all(into).unwrap();
        if from.is_file() {
            fs::copy(from, into.join(from.file_name().unwrap())).unwrap();
            return;
        }
        let entries = fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
        for entry in entries {
            Self::copy(&entry.unwrap().path(), into);
        }
    }
}

/// A YAML file of this project.
pub fn yaml(path: &str) -> Value {
    let text = fs::read_to_string(root().join(path)).unwrap();
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}
