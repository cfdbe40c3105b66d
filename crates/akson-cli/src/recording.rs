//! A recording: the file with what Azure answered a plan, from which the same plan is made without Azure. What is on it is decided by
//! `akson_azure::recording`; here is the file, what it is of, and the session with it in place of a cloud.

mod secrets;

use std::{collections::BTreeMap, fs, io::Write as _, path::Path, sync::Arc, time::Duration};

use akson_applier::ledger::{Binding, Document, LedgerStore, MemoryStore};
use akson_azure::{
    Audience, TokenError, TokenSource,
    recording::{Recorded, Recorder, Replay},
};
use akson_catalog::{Catalog, Secret, SymbolicId};
use akson_config::Config;
use akson_diagnostics::{Diagnostic, SafeText};
use akson_planner::{Caller, Way};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    arguments::Cloud,
    cloud::{Identity, Session},
    codes::{BAD_RECORDING, NOT_WRITTEN},
    views::literal,
};

const FORMAT: &str = "akson-recording-1";
/// How much faster than ours time passes in a recording: nothing is waited for.
const TIME_SCALE: f64 = 1e6;

/// What is on a recording, but for the answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Label {
    format: String,
    /// The version that wrote it.
    akson: String,
    /// When, in RFC 3339.
    pub(crate) recorded_at: String,
    pub(crate) stack: String,
    stack_id: String,
    pub(crate) cloud: String,
    tenant: String,
    subscription: String,
    /// Of the plan that was made from it.
    digest: String,
    /// Who read, and from where: what a plan must not lock out.
    caller: Option<String>,
    #[serde(default)]
    caller_addresses: Vec<std::net::IpAddr>,
    /// The ledger as it was: ids and hashes, without values.
    ledger: Option<String>,
    /// How clusters are reached that the ledger does not know: addresses and public certificates.
    #[serde(default)]
    clusters: BTreeMap<String, Reached>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Reached {
    host: String,
    authority: String,
}

/// A recording that was read.
#[derive(Debug, Clone)]
pub(crate) struct Recording {
    pub(crate) label: Label,
    answers: Vec<Recorded>,
}

/// What a plan says of the recording that it was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Made {
    pub(crate) recorded_at: String,
    /// What the recording does not tell, and was taken for absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) assumed_absent: Vec<String>,
}

/// All that a run knows when it has read.
pub(crate) struct Told<'r> {
    pub(crate) binding: &'r Binding,
    pub(crate) caller: &'r Caller,
    pub(crate) ledger: Option<&'r Document>,
    pub(crate) ways: &'r BTreeMap<SymbolicId, Way>,
    pub(crate) digest: &'r str,
}

impl Recording {
    /// Of what went through a recorder, without secrets.
    pub(crate) fn new(recorder: &Recorder, told: &Told<'_>, config: &Config, catalog: &Catalog) -> Self {
        let reached = |way: &Way| Reached { host: way.host.clone(), authority: way.authority.clone() };
        let label = Label {
            format: FORMAT.to_owned(),
            akson: env!("CARGO_PKG_VERSION").to_owned(),
            recorded_at: jiff::Timestamp::now().to_string(),
            stack: told.binding.stack.clone(),
            stack_id: told.binding.stack_id.clone(),
            cloud: told.binding.cloud.clone(),
            tenant: told.binding.tenant.clone(),
            subscription: told.binding.subscription.clone(),
            digest: told.digest.to_owned(),
            caller: told.caller.object_id.clone(),
            caller_addresses: told.caller.addresses.clone(),
            ledger: told.ledger.map(|document| String::from_utf8_lossy(&document.write()).into_owned()),
            clusters: told.ways.iter().map(|(id, way)| (id.as_str().to_owned(), reached(way))).collect(),
        };
        let mut answers = recorder.answers();
        secrets::remove(&mut answers, config, catalog);
        Self { label, answers }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// A diagnostic if it cannot be read or is none.
    pub(crate) fn read(path: &Path) -> Result<Self, Box<Diagnostic>> {
        let bad = |detail: String| {
            let name = literal::safe(&path.display().to_string());
            Box::new(
                Diagnostic::error(BAD_RECORDING, format!("cannot read the recording `{name}`: {}", SafeText(&detail)))
                    .help("make one with `akson plan --record FILE`"),
            )
        };
        let text = fs::read_to_string(path).map_err(|error| bad(error.to_string()))?;
        let mut lines = text.lines().enumerate();
        let (_, first) = lines.next().ok_or_else(|| bad("it is empty".to_owned()))?;
        let form: Value = serde_json::from_str(first).map_err(|error| bad(format!("it is no recording: {error}")))?;
        match form.get("format").and_then(Value::as_str) {
            Some(FORMAT) => {}
            Some(other) => return Err(bad(format!("its format is `{other}`, and this version reads `{FORMAT}`"))),
            None => return Err(bad("it is no recording".to_owned())),
        }
        let label = serde_json::from_value(form).map_err(|error| bad(format!("it is no recording: {error}")))?;
        let mut answers = Vec::new();
        for (number, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
            let broken = || bad(format!("line {} holds no answer", number + 1));
            let line: Value = serde_json::from_str(line).map_err(|_| broken())?;
            answers.push(Recorded::of_json(&line).ok_or_else(broken)?);
        }
        Ok(Self { label, answers })
    }

    /// Its text: what it is of in the first line, and an answer in each of the rest.
    fn text(&self) -> Result<String, serde_json::Error> {
        let mut text = serde_json::to_string(&self.label)?;
        for answer in &self.answers {
            text.push('\n');
            text.push_str(&answer.to_json().to_string());
        }
        text.push('\n');
        Ok(text)
    }

    /// Writes it as a whole: it is there completely or not at all.
    ///
    /// # Errors
    /// A diagnostic if it cannot be written.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Box<Diagnostic>> {
        let failed = |error: std::io::Error| {
            Box::new(
                Diagnostic::error(NOT_WRITTEN, format!("cannot write `{}`: {error}", path.display()))
                    .help("mend the folder's permissions or free some space; nothing else was changed"),
            )
        };
        let text = self.text().map_err(|error| failed(error.into()))?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut temporary = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        temporary.write_all(text.as_bytes()).and_then(|()| temporary.as_file().sync_all()).map_err(failed)?;
        temporary.persist(path).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// How many answers it has.
    pub(crate) fn len(&self) -> usize {
        self.answers.len()
    }

    /// The digest of the plan that was made when it was recorded.
    pub(crate) fn digest(&self) -> &str {
        &self.label.digest
    }

    /// Which cloud it is of.
    ///
    /// # Errors
    /// A diagnostic if there is no such cloud.
    pub(crate) fn cloud(&self) -> Result<Cloud, Box<Diagnostic>> {
        use clap::ValueEnum as _;
        Cloud::from_str(&self.label.cloud, false).map_err(|_| {
            Box::new(
                Diagnostic::error(
                    BAD_RECORDING,
                    format!("the recording is of a cloud that is none: `{}`", SafeText(&self.label.cloud)),
                )
                .help("make one with `akson plan --record FILE`"),
            )
        })
    }

    /// Refuses a stack that it is not of.
    ///
    /// # Errors
    /// A diagnostic that says what differs.
    pub(crate) fn fits(
        &self,
        stack: &str,
        tenant: Option<&str>,
        subscription: Option<&str>,
    ) -> Result<(), Box<Diagnostic>> {
        let label = &self.label;
        let differs = |what: &str, of: &str, wanted: Option<&str>| {
            let wanted = wanted.filter(|wanted| !wanted.eq_ignore_ascii_case(of))?;
            Some((what.to_owned(), of.to_owned(), wanted.to_owned()))
        };
        let found = differs("stack", &label.stack, Some(stack))
            .or_else(|| differs("tenant", &label.tenant, tenant))
            .or_else(|| differs("subscription", &label.subscription, subscription));
        match found {
            None => Ok(()),
            Some((what, of, wanted)) => Err(Box::new(
                Diagnostic::error(
                    BAD_RECORDING,
                    format!("the recording is of the {what} `{}`, and this is `{}`", SafeText(&of), SafeText(&wanted)),
                )
                .note("what is in one place says nothing of another")
                .help("take the recording of this stack, or make one with `akson plan --record FILE`"),
            )),
        }
    }

    /// A session with it in place of a cloud, and what answers in it.
    ///
    /// # Errors
    /// A diagnostic if it is of no cloud.
    pub(crate) fn session(&self, assume_absent: bool) -> Result<(Session, Arc<Replay>), Box<Diagnostic>> {
        let replay = Arc::new(Replay::new(self.answers.iter().cloned(), assume_absent));
        let session = Session {
            cloud: self.cloud()?,
            transport: replay.clone(),
            tokens: Arc::new(Nobody),
            identity: Identity { tenant: self.label.tenant.clone(), subscription: self.label.subscription.clone() },
            signed_in: None,
            time_scale: TIME_SCALE,
            outlives: false,
            caller_address: None,
        };
        Ok((session, replay))
    }

    /// Who read.
    pub(crate) fn caller(&self) -> Caller {
        Caller { object_id: self.label.caller.clone(), addresses: self.label.caller_addresses.clone() }
    }

    /// The ledger as it was.
    pub(crate) fn store(&self) -> Arc<dyn LedgerStore> {
        let store = MemoryStore::new();
        store.put(self.label.ledger.as_ref().map(|text| text.clone().into_bytes()));
        Arc::new(store)
    }

    /// The ways into clusters that were known beside the ledger's.
    pub(crate) fn ways(&self) -> BTreeMap<SymbolicId, Way> {
        let way = |reached: &Reached| Way { host: reached.host.clone(), authority: reached.authority.clone() };
        self.label.clusters.iter().map(|(id, reached)| (SymbolicId::from_ledger(id.as_str()), way(reached))).collect()
    }
}

/// Nobody signs in to a recording; what is asked of it needs no token, and gets one that is none.
struct Nobody;

#[async_trait::async_trait]
impl TokenSource for Nobody {
    async fn token(&self, _: Audience, _: Duration, _: Option<&Secret>) -> Result<Secret, TokenError> {
        Ok(Secret::new("recorded"))
    }
}
