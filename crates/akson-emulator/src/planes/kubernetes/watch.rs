//! Watches: what happens to the objects of a collection, from a resource version on, a line of JSON an event.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::fields::Body;
use super::journal::Change;
use super::list::{self, Selection};
use super::status::{self, Outcome};
use super::{Call, Target, store, table};
use crate::clock::WorldTime;
use crate::emulator::{Inner, State};
use crate::reply;

/// How long a watch lasts that does not say it: as API servers do, the caller's time.
const USUAL: Duration = Duration::from_secs(1800);
/// How often is looked for what has changed.
const LOOK: Duration = Duration::from_millis(100);

/// A watch that was begun.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    target: Target,
    /// Another cluster of the same name is not watched.
    created: WorldTime,
    selection: Selection,
    form: Form,
    /// The last resource version that was told.
    version: u64,
    /// What is told first.
    first: Vec<Body>,
    /// Whether the caller wants to hear how far the watch has come when it ends.
    bookmarks: bool,
    ends: Instant,
    over: bool,
}

/// In which form objects are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Whole,
    Metadata,
    Table,
}

/// `GET` of a collection with `watch`.
pub(super) fn begin(call: &Call<'_>, target: Target) -> Outcome {
    let query = &call.visit.query;
    if query.get("sendInitialEvents").is_some_and(|asked| !asked.is_empty()) {
        let cause = status::Cause {
            reason: "FieldValueForbidden",
            message: "Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled"
                .to_owned(),
            field: "sendInitialEvents".to_owned(),
        };
        return Err(status::invalid_as("ListOptions.meta.k8s.io", "", &[cause]));
    }
    let row = call.state.world.kube_clusters.get(&target.cluster).ok_or_else(status::no_such_path)?;
    let (created, current) = (row.created, row.version);
    let mut selection = list::selection(call, target.kind)?;
    if !target.name.is_empty() {
        selection.only(&target.name);
    }
    let asked = query.get("resourceVersion").unwrap_or_default();
    let from_now = asked.is_empty() || asked == "0";
    let version = if from_now {
        current
    } else {
        asked.parse().map_err(|_| status::bad_request(format!("Invalid value: {asked:?}: invalid resource version")))?
    };
    let collection = Target { name: String::new(), ..target };
    let first = if from_now { list::all(call, &collection, &selection) } else { Vec::new() };
    let seconds = match query.get("timeoutSeconds") {
        None | Some("" | "0") => USUAL,
        Some(text) => Duration::from_secs(
            text.parse()
                .map_err(|_| status::bad_request(format!("strconv.ParseInt: parsing {text:?}: invalid syntax")))?,
        ),
    };
    let form = if table::is_wanted(call) {
        Form::Table
    } else if list::wants_metadata(call, "PartialObjectMetadata") {
        Form::Metadata
    } else {
        Form::Whole
    };
    let watch = Watch {
        target: collection,
        created,
        selection,
        form,
        version,
        first: first.into_iter().map(|(_, body)| body).collect(),
        bookmarks: query.get("allowWatchBookmarks").is_some_and(|asked| matches!(asked, "true" | "1")),
        ends: Instant::now() + seconds,
        over: false,
    };
    let mut answer = reply::typed(StatusCode::OK, "application/json", Bytes::new());
    answer.extensions_mut().insert(watch);
    Ok(answer)
}

impl Inner {
    /// The next events of a watch, as soon as there are some; `None` when it is over.
    pub(crate) async fn next_events(&self, watch: &mut Watch) -> Option<Bytes> {
        loop {
            if watch.over {
                return None;
            }
            let events = {
                let mut state = self.lock();
                let now = self.now();
                super::super::settle(&mut state.world, now);
                // What cannot be stored has not happened.
                let _ = state.commit(now);
                watch.look(&state, now)
            };
            if !events.is_empty() {
                let lines = events.iter().map(|event| format!("{event}\n"));
                return Some(lines.collect::<String>().into());
            }
            tokio::time::sleep_until((Instant::now() + LOOK).min(watch.ends)).await;
        }
    }
}

impl Watch {
    /// What there is to tell now.
    fn look(&mut self, state: &State, now: WorldTime) -> Vec<Value> {
        let row = state.world.kube_clusters.get(&self.target.cluster).filter(|row| row.created == self.created);
        let Some(row) = row else {
            self.over = true;
            return Vec::new();
        };
        let mut events: Vec<Value> =
            std::mem::take(&mut self.first).iter().map(|body| self.event("ADDED", body, now)).collect();
        let Some(changes) = state.journal.since(&self.target.cluster, self.version, row.version) else {
            self.over = true;
            let why = format!("too old resource version: {} ({})", self.version, row.version);
            let gone: Value = serde_json::from_slice(status::expired(why).into_answer().body()).unwrap_or_default();
            return vec![json!({ "type": "ERROR", "object": gone })];
        };
        let prefix = store::prefix_of(&self.target.cluster, self.target.kind, self.target.namespace.as_deref());
        for change in changes {
            self.version = self.version.max(change.version);
            if change.key.starts_with(&prefix) {
                events.extend(self.told(change, now));
            }
        }
        if Instant::now() >= self.ends {
            self.over = true;
            if self.bookmarks {
                events.push(self.bookmark());
            }
        }
        events
    }

    /// What a change is to somebody who sees only what is selected.
    fn told(&self, change: &Change, now: WorldTime) -> Option<Value> {
        let seen = |body: &Option<Body>| body.clone().filter(|body| self.selection.holds(body));
        match (seen(&change.before), seen(&change.after)) {
            (None, None) => None,
            (None, Some(body)) => Some(self.event("ADDED", &body, now)),
            (Some(_), Some(body)) => Some(self.event("MODIFIED", &body, now)),
            (Some(mut body), None) => {
                // It goes with the version at which it went.
                if let Some(Value::Object(metadata)) = body.get_mut("metadata") {
                    metadata.insert("resourceVersion".to_owned(), change.version.to_string().into());
                }
                Some(self.event("DELETED", &body, now))
            }
        }
    }

    fn event(&self, what: &str, body: &Body, now: WorldTime) -> Value {
        let object = match self.form {
            Form::Whole => Value::Object(body.clone()),
            Form::Metadata => list::metadata_of(body),
            Form::Table => {
                let metadata = json!({ "resourceVersion": self.version.to_string() });
                table::of(self.target.kind, std::iter::once(body), &metadata, table::Include::Metadata, now)
            }
        };
        json!({ "type": what, "object": object })
    }

    fn bookmark(&self) -> Value {
        json!({
            "type": "BOOKMARK",
            "object": {
                "kind": self.target.kind.word,
                "apiVersion": self.target.kind.api_version(),
                "metadata": { "resourceVersion": self.version.to_string(), "creationTimestamp": null },
            },
        })
    }
}
