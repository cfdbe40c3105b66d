//! `az` and `azd`: running them, and who is signed in with them. Their tokens are read by `azure_identity`.

use std::{
    ffi::{OsStr, OsString},
    io,
    process::{Output, Stdio},
    time::Duration,
};

use azure_identity::Executor;
use serde_json::Value;
use tokio::process::Command;

use super::Environment;
use crate::{Audience, Cloud};

/// How long a tool may take. `az` starts slowly and asks the network; it must not hang for ever.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest text of a tool's that is kept, in characters.
const TEXT_LIMIT: usize = 400;

/// The tools on a path.
#[derive(Debug, Clone)]
pub(super) struct Tools {
    path: Option<OsString>,
}

/// Who is signed in with `az`, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) subscription: String,
    pub(super) tenant: String,
    /// `alice@contoso.com`, or an application's id.
    pub(super) user: String,
    /// `AzureCloud`
    pub(super) cloud: Option<String>,
}

impl Tools {
    pub(super) fn new(environment: &Environment) -> Self {
        Self { path: environment.raw("PATH").cloned() }
    }

    /// The account of `az`: of this subscription, or the one that is set.
    ///
    /// # Errors
    /// Why there is none, for people.
    pub(super) async fn account(&self, subscription: Option<&str>) -> Result<Account, String> {
        let mut arguments = vec!["account", "show", "--output", "json", "--only-show-errors"];
        if let Some(subscription) = subscription {
            if !is_plain(subscription) {
                return Err(format!("`{}` is no id of a subscription", printable(subscription)));
            }
            arguments.extend(["--subscription", subscription]);
        }
        let answer: Value = serde_json::from_slice(&self.ask("az", &arguments).await?)
            .map_err(|_| "`az account show` did not answer with JSON".to_owned())?;
        let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).filter(|text| is_plain_name(text));
        let missing = |name: &str| format!("`az account show` did not say the {name}");
        Ok(Account {
            subscription: text("/id").ok_or_else(|| missing("subscription"))?.to_owned(),
            tenant: text("/tenantId").ok_or_else(|| missing("tenant"))?.to_owned(),
            user: text("/user/name").unwrap_or("an unnamed user").to_owned(),
            cloud: text("/environmentName").map(str::to_owned),
        })
    }

    /// Whether `azd` gives tokens.
    ///
    /// # Errors
    /// Why not, for people.
    pub(super) async fn azd_is_signed_in(&self, cloud: &Cloud) -> Result<(), String> {
        let scope = cloud.scope(Audience::Arm);
        self.ask("azd", &["auth", "token", "--output", "json", "--no-prompt", "--scope", &scope]).await.map(drop)
    }

    async fn ask(&self, tool: &str, arguments: &[&str]) -> Result<Vec<u8>, String> {
        if !self.is_there(tool) {
            return Err(format!("`{tool}` is not on the PATH"));
        }
        let mut words: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
        // What is installed there is a batch file, which only the shell runs.
        let program = if cfg!(windows) {
            words.splice(0..0, [OsStr::new("/C"), OsStr::new(tool)]);
            "cmd"
        } else {
            tool
        };
        match self.run(OsStr::new(program), &words).await {
            Ok(output) if output.status.success() => Ok(output.stdout),
            Ok(output) => Err(format!("`{tool}` says: {}", printable(&String::from_utf8_lossy(&output.stderr)))),
            Err(error) => Err(format!("`{tool}` cannot be run: {error}")),
        }
    }

    fn is_there(&self, tool: &str) -> bool {
        let names: &[&str] = if cfg!(windows) { &[".exe", ".cmd", ".bat"] } else { &[""] };
        let folders = self.path.iter().flat_map(std::env::split_paths);
        folders.into_iter().any(|folder| names.iter().any(|end| folder.join(format!("{tool}{end}")).is_file()))
    }
}

#[async_trait::async_trait]
impl Executor for Tools {
    async fn run(&self, program: &OsStr, arguments: &[&OsStr]) -> io::Result<Output> {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        if let Some(path) = &self.path {
            command.env("PATH", path);
        }
        match tokio::time::timeout(PATIENCE, command.output()).await {
            Ok(output) => output,
            Err(_) => {
                let message = format!("it did not end within {} s", PATIENCE.as_secs());
                Err(io::Error::new(io::ErrorKind::TimedOut, message))
            }
        }
    }
}

/// Nothing that a shell would read as more than a word.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.starts_with('-') && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_plain_name(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control)
}

/// One line of bounded length without anything that moves a cursor.
fn printable(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(TEXT_LIMIT).collect()
}
