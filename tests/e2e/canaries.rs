//! Secrets stay where they belong: canaries in every input that holds one, a life with faults, kills and refusals, and then a search of
//! everything that was said and everything that lies on the disk.

use std::{fs, path::Path, process::Stdio, time::Duration};

use akson_emulator::{Effect, FaultRule, RetryAfter};
use akson_tests::{Folder, scale};
use serde_json::{Value, json};

/// What must be found nowhere.
const FROM_ENVIRONMENT: &str = "canary-environment-19ab5e27";
const SPOKEN: &str = "canary with \"quotes\" & signs 5512aa";
const IN_WINDOWS: &str = "Canary-Windows-9e3f!";

fn stack(version: u8, more: &str) -> String {
    format!(
        r#"stack "app" {{
  location = "westeurope"
}}

variable "spoken" {{
  type      = string
  sensitive = true
}}

variable "windows" {{
  type      = string
  sensitive = true
}}

resource_group "app" {{ name = "app-rg" }}

vault "app" {{
  name           = "kv-canaries-test"
  resource_group = resource_group.app
}}

secret "environment" {{
  vault   = vault.app
  name    = "environment"
  value   = env("CANARY")
  version = {version}
}}

secret "spoken" {{
  vault   = vault.app
  name    = "spoken"
  value   = var.spoken
  version = {version}
}}

secret "made" {{
  vault = vault.app
  name  = "made"
  value = generated(40)
}}

secret "joined" {{
  vault   = vault.app
  name    = "joined"
  value   = "user:${{var.spoken}}@host"
  version = {version}
}}

cluster "main" {{
  name           = "aks"
  resource_group = resource_group.app
  entra = none

  windows {{
    admin_username = "azureuser"
    admin_password = var.windows
  }}

  node_pool "system" {{
    mode    = system
    vm_size = "Standard_D4s_v5"
    scale   = fixed(3)
  }}
}}

output "password" {{
  value     = var.spoken
  sensitive = true
}}
{more}"#
    )
}

struct Life {
    folder: Folder,
    /// Everything that any run said.
    said: Vec<(String, String)>,
}

impl Life {
    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = self.folder.command(arguments);
        command.env("CANARY", FROM_ENVIRONMENT);
        command
    }

    fn with_variables(arguments: &[&str]) -> Vec<String> {
        let variables = [format!("spoken={SPOKEN}"), format!("windows={IN_WINDOWS}")];
        let mut all: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        all.extend(variables.into_iter().flat_map(|variable| ["--var".to_owned(), variable]));
        all
    }

    /// Runs it, whatever comes of it, and keeps what it said; its code.
    fn run(&mut self, arguments: &[&str]) -> i32 {
        let all = Self::with_variables(arguments);
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let output = self.command(&all).output().expect("akson starts");
        let text = format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        self.said.push((arguments.join(" "), text));
        output.status.code().unwrap_or(-1)
    }

    /// Begins it and kills it after so many milliseconds: the moment is the input, not a wait.
    fn kill(&mut self, arguments: &[&str], milliseconds: u64) {
        let all = Self::with_variables(arguments);
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let mut child = self.command(&all).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("akson starts");
        std::thread::sleep(Duration::from_millis(milliseconds));
        let _ = child.kill();
        let output = child.wait_with_output().unwrap();
        let text = format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        self.said.push((format!("{} (killed)", arguments.join(" ")), text));
    }
}

/// Every file below, but for the emulator's own world, which is Azure.
fn files(directory: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with(".akson/emulator/world") {
            continue;
        }
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push((path.display().to_string(), String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned()));
        }
    }
}

/// What is a token, a signature or a canary in a text.
fn leaks(text: &str, canaries: &[String]) -> Vec<String> {
    let mut found: Vec<String> = canaries.iter().filter(|canary| text.contains(*canary)).cloned().collect();
    let token = |part: &str| part.starts_with("eyJ") && part.len() > 40 && part.contains('.');
    let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_')));
    found.extend(words.filter(|word| token(word)).map(|word| format!("a token: {}", &word[..20])));
    // The emulator signs the URLs of operations as Azure does.
    if text.contains("&s=") && !text.contains("&s=[redacted]") {
        found.push("a signed URL".to_owned());
    }
    found
}

fn spellings(secret: &str) -> Vec<String> {
    let json = json!(secret).to_string();
    let encoded = secret.replace('"', "%22").replace('&', "%26").replace(' ', "+");
    vec![secret.to_owned(), json.trim_matches('"').to_owned(), encoded]
}

#[test]
fn a_life_with_faults_kills_and_refusals_tells_none() {
    for round in 0..scale() as u64 {
        live(round);
    }
}

/// One such life; each is killed at other moments.
fn live(round: u64) {
    let mut folder = Folder::with(&stack(1, ""));
    let emulator = folder.start_emulator(&["--time-scale", "400"]);
    folder.use_emulator(&emulator.url);
    let mut life = Life { folder, said: Vec::new() };
    let info: Value = serde_json::from_str(&emulator.ask("GET", "/_emulator/info", "")).unwrap();
    let mut canaries: Vec<String> =
        [FROM_ENVIRONMENT, SPOKEN, IN_WINDOWS].iter().flat_map(|secret| spellings(secret)).collect();
    canaries.push(info["client_secret"].as_str().unwrap().to_owned());

    for arguments in [&["check"][..], &["fmt", "--check"], &["graph"], &["expand"], &["plan"], &["plan", "--verbose"]] {
        life.run(arguments);
    }
    life.run(&["plan", "--format", "markdown"]);
    life.run(&["plan", "--format", "json", "--all"]);
    life.run(&["plan", "--out", "saved.plan"]);
    life.run(&["show", "saved.plan"]);
    life.run(&["plan", "--record", "saved.recording"]);
    for milliseconds in [150, 400, 700] {
        life.kill(&["apply", "--auto-approve", "--verbose"], milliseconds + 37 * round % 300);
    }
    // Everything goes wrong, some of it after it was processed, and some of it for ever.
    let faults: Vec<FaultRule> = vec![
        FaultRule::new(Effect::Reset).with_probability(0.15).after(),
        FaultRule::new(Effect::Status { status: 502, retry_after: RetryAfter::Absent, html: true })
            .with_probability(0.15),
    ];
    assert_eq!(emulator.ask("POST", "/_emulator/faults", &serde_json::to_string(&faults).unwrap()), "");
    life.run(&["apply", "--auto-approve", "--format", "json"]);
    life.run(&["apply", "--auto-approve", "--verbose"]);
    let denied = json!([{"action": "Microsoft.KeyVault/vaults/secrets/*", "scope": "/"}]);
    emulator.ask("POST", "/_emulator/denied", &denied.to_string());
    emulator.ask("DELETE", "/_emulator/faults", "");
    life.folder.write("main.aks", &stack(2, ""));
    life.run(&["apply", "--auto-approve"]);
    emulator.ask("POST", "/_emulator/denied", "[]");
    assert_eq!(life.run(&["apply", "--auto-approve"]), 0, "{:#?}", life.said.last());
    assert_eq!(life.run(&["plan", "--detailed-exitcode"]), 0, "{:#?}", life.said.last());
    for arguments in [
        &["drift"][..],
        &["plan", "--record", "later.recording"],
        &["plan", "--snapshot", "later.recording"],
        &["drift", "--format", "json"],
        &["ledger", "show"],
        &["ledger", "show", "--format", "json"],
        &["apply", "saved.plan"],
        &["import", "--format", "json"],
        &["plan", "--destroy", "--format", "json"],
    ] {
        life.run(arguments);
    }
    // Wrong in every stage, with the secrets in scope.
    for wrong in [
        "resource_group \"x\" { name = var.spoken }\n",
        "output \"open\" { value = var.spoken }\n",
        "identity \"x\" {\n  name = \"${var.spoken}-${env(\"CANARY\")}\"\n  resource_group = resource_group.app\n}\n",
        "secret \"x\" {\n  vault = vault.app\n  name = var.spoken\n  value = var.windows\n}\n",
        "locals { broken = tonumber(var.spoken) }\n",
    ] {
        life.folder.write("main.aks", &stack(2, wrong));
        for format in ["human", "json", "sarif"] {
            life.run(&["check", "--format", format]);
        }
        life.run(&["plan"]);
    }
    life.folder.write("main.aks", &stack(2, ""));
    life.run(&["ledger", "recover", "--yes"]);
    life.run(&["destroy", "--auto-approve", "--verbose"]);

    let mut everything = std::mem::take(&mut life.said);
    assert!(everything.iter().any(|(_, text)| text.contains("step_failed") || text.contains("fail")), "some failed");
    files(life.folder.path(), &mut everything);
    assert!(everything.len() > 45);
    // The search finds what it looks for.
    assert!(!leaks(&format!("x {SPOKEN} y"), &canaries).is_empty());
    assert!(!leaks("eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJvaWQiOiJ4In0.c2ln", &canaries).is_empty());
    for (place, text) in &everything {
        let found = leaks(text, &canaries);
        assert!(found.is_empty(), "{place}: {found:?}\n{text}");
    }
}
