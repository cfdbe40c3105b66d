//! Who is told of a look, when, and how. Not what there is to tell: see `drift`.
//!
//! Files and issues are brought up to date by every look. Messages are sent when `--report-on` says so; what was told last is remembered
//! for as long as the process lives.

pub(crate) mod file;
mod github;
mod items;
mod junit;
mod markdown;
mod post;
mod sarif;
mod slack;
mod target;
mod teams;
#[cfg(test)]
mod tests;
mod webhook;

use std::{collections::BTreeMap, path::Path};

use akson_applier::Cancel;
use akson_azure::{Transport, network::Network};
use akson_catalog::Secret;
use akson_diagnostics::render::json;
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::schedule::{Look, Metrics, Outcome, ReportArguments, ReportOn};
use github::Issues;
pub(crate) use items::summary;
use post::{Failure, Post};
use target::{Form, Target};

/// The secret that bodies of webhooks are signed with.
const SECRET: &str = "AKSON_WEBHOOK_SECRET";
const SIGNATURE: &str = "x-akson-signature-256";

/// All that are told.
pub(crate) struct Reports {
    targets: Vec<Ready>,
    on: ReportOn,
    /// By target and stack: what was told last.
    last: BTreeMap<(usize, String), Said>,
}

/// A target with what it needs of the environment.
struct Ready {
    target: Target,
    issues: Option<Issues>,
}

/// What was said of a look.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    outcome: Outcome,
    is_drift: bool,
    /// Of all that matters in it.
    content: String,
}

/// What became of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) kind: &'static str,
    /// What may be told of its target.
    pub(crate) target: String,
    /// Why it was not delivered.
    pub(crate) failure: Option<String>,
}

impl Reports {
    /// Reads the flags. `many` is whether there may be more than one stack.
    ///
    /// # Errors
    /// What is wrong with them, in a sentence without secrets.
    pub(crate) fn new(asked: &ReportArguments, many: bool) -> Result<Self, String> {
        let mut targets = Vec::new();
        for written in &asked.targets {
            let target = Target::parse(written, many, variable)?;
            let issues = match &target {
                Target::Issue(repository) => Some(
                    Issues::open(repository.as_deref(), variable)
                        .map_err(|because| format!("`--report github-issue`: {because}"))?,
                ),
                Target::StepSummary if variable("GITHUB_STEP_SUMMARY").is_none_or(|path| path.is_empty()) => {
                    return Err("`--report step-summary`: GITHUB_STEP_SUMMARY is not set".to_owned());
                }
                _ => None,
            };
            targets.push(Ready { target, issues });
        }
        Ok(Self { targets, on: asked.report_on, last: BTreeMap::new() })
    }

    /// Whether nobody is told.
    pub(crate) fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// Tells of a look whoever is to be told of it, one after the other.
    pub(crate) async fn tell(&mut self, look: &Look, metrics: &Metrics, cancel: &Cancel) -> Vec<Delivery> {
        let mut deliveries = Vec::new();
        // A connection of their own for each look: what goes out here has never met a token of Azure's.
        let mut network = None;
        for at in 0..self.targets.len() {
            let key = (at, look.folder.clone());
            let ready = &self.targets[at];
            let said = Said::of(look);
            if ready.target.is_message() && !is_due(self.on, self.last.get(&key), &said) {
                continue;
            }
            let result = match &ready.target {
                Target::StepSummary | Target::File(..) => written(&ready.target, look, metrics),
                _ => match network.get_or_insert_with(|| Network::open().map_err(|error| error.to_string())) {
                    Ok(network) => sent(ready, look, network, cancel).await,
                    Err(error) => Err(Failure::Refused(error.clone())),
                },
            };
            if result.is_ok() {
                self.last.insert(key, said);
            }
            deliveries.push(Delivery {
                kind: ready.target.kind(),
                target: ready.target.shown(),
                failure: result.err().map(|failure| failure.to_string()),
            });
        }
        deliveries
    }

    /// The file of metrics among the targets.
    pub(crate) fn metrics_file(&self) -> Option<std::path::PathBuf> {
        self.targets.iter().find_map(|ready| match &ready.target {
            Target::File(Form::Prom, path) => Some(path.clone()),
            _ => None,
        })
    }

    /// Forgets the stacks that are there no more.
    pub(crate) fn keep(&mut self, folders: &[String]) {
        self.last.retain(|(_, folder), _| folders.contains(folder));
    }
}

impl Said {
    fn of(look: &Look) -> Self {
        let is_drift = look.document.as_ref().is_some_and(crate::drift::DriftDocument::is_drift);
        Self { outcome: look.outcome, is_drift, content: content(look) }
    }
}

/// Whether a message is to be sent, after the last that was.
fn is_due(on: ReportOn, last: Option<&Said>, now: &Said) -> bool {
    match on {
        ReportOn::Always => true,
        ReportOn::Drift if now.is_drift => true,
        ReportOn::Drift => match last {
            Some(last) => last.outcome != now.outcome,
            None => now.outcome != Outcome::InSync,
        },
        ReportOn::Change => match last {
            Some(last) => last != now,
            None => now.outcome != Outcome::InSync,
        },
    }
}

/// What makes two looks the same to a reader: not when they were, and not who did it, which becomes known later.
fn content(look: &Look) -> String {
    let found = items::items(look);
    let mut digest = Sha256::new();
    for item in &found {
        digest.update(format!("{:?}\n{:?}\n{:?}\n{:?}\n", item.severity, item.subject, item.what, item.edits));
    }
    digest.update(look.error.as_ref().map(|error| error.code.as_str()).unwrap_or_default());
    digest.finalize().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

async fn sent(ready: &Ready, look: &Look, transport: &dyn Transport, cancel: &Cancel) -> Result<(), Failure> {
    let post = Post { transport, cancel };
    match &ready.target {
        Target::Slack(address) => {
            let message = slack::message(look);
            post.deliver(async || post.send("POST", address.url(), &[], Some(&message)).await.map(|_| ())).await
        }
        Target::Teams(address) => {
            let message = teams::message(look);
            post.deliver(async || post.send("POST", address.url(), &[], Some(&message)).await.map(|_| ())).await
        }
        Target::Webhook(address) => {
            let body = Bytes::from(json::text(&webhook::document(look)));
            let secret = variable(SECRET).filter(|secret| !secret.is_empty()).map(Secret::new);
            let signature = secret.map(|secret| webhook::signature(&secret, &body));
            let mut headers = vec![("x-akson-event", "drift")];
            headers.extend(signature.as_deref().map(|signature| (SIGNATURE, signature)));
            post.deliver(async || post.send_bytes("POST", address.url(), &headers, body.clone()).await.map(|_| ()))
                .await
        }
        Target::Issue(_) => match &ready.issues {
            Some(issues) => post.deliver(async || issues.sync(&post, look).await).await,
            None => Ok(()),
        },
        Target::StepSummary | Target::File(..) => Ok(()),
    }
}

fn written(target: &Target, look: &Look, metrics: &Metrics) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::Refused(error.to_string());
    let (form, path) = match target {
        Target::StepSummary => {
            let path = variable("GITHUB_STEP_SUMMARY").unwrap_or_default();
            return file::append_summary(Path::new(&path), &markdown::text(look, None)).map_err(failed);
        }
        Target::File(form, path) => (form, target::path_for(path, &look.folder)),
        _ => return Ok(()),
    };
    let text = match form {
        Form::Markdown => markdown::text(look, None),
        Form::Json => json::text(&webhook::document(look)),
        Form::Sarif => json::text(&sarif::log(look)),
        Form::Junit => junit::text(look),
        Form::Prom => metrics.text(),
    };
    file::write(&path, &text).map_err(failed)
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
