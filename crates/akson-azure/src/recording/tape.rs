//! Remembers what is read through another transport. It changes nothing of it, and no header is kept: neither a token nor who asked.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use http::{Method, Request, Response, Uri};
use serde_json::Value;

use super::{Outcome, Recorded, items_of, key, parameter, without_parameter};
use crate::{Cloud, Transport, TransportError};

/// The token of Kubernetes for the next page.
const CONTINUE: &str = "continue";
/// Where it stands in a page.
const CONTINUED: &str = "/metadata/continue";

/// A transport that remembers.
pub struct Recorder {
    inner: Arc<dyn Transport>,
    tape: Mutex<Tape>,
}

#[derive(Default)]
struct Tape {
    answers: BTreeMap<(String, String), Recorded>,
    /// Links to next pages that were not followed yet: to the first page's key.
    open: BTreeMap<(String, String), (String, String)>,
}

impl Recorder {
    /// Remembers what goes through `inner`.
    pub fn new(inner: Arc<dyn Transport>) -> Self {
        Self { inner, tape: Mutex::default() }
    }

    /// All that is whole: lists whose last page came, objects, absences, and clusters that could not be looked into. Sorted.
    pub fn answers(&self) -> Vec<Recorded> {
        let tape = self.tape();
        let unfinished: Vec<&(String, String)> = tape.open.values().collect();
        let is_whole = |at: &(String, String), recorded: &Recorded| {
            let continued = matches!(&recorded.outcome, Outcome::Answer(200, body) if token(body).is_some());
            let of_cluster = is_cluster(&recorded.host);
            !unfinished.contains(&at)
                && !continued
                && match recorded.outcome {
                    Outcome::Answer(200 | 404, _) => true,
                    Outcome::Answer(..) | Outcome::None(_) => of_cluster,
                }
        };
        tape.answers
            .iter()
            .filter(|(at, recorded)| is_whole(at, recorded))
            .map(|(_, recorded)| recorded.clone())
            .collect()
    }

    fn tape(&self) -> MutexGuard<'_, Tape> {
        // Nothing that holds it can panic half way through a change.
        self.tape.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait::async_trait]
impl Transport for Recorder {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let uri = (request.method() == Method::GET).then(|| request.uri().clone());
        let answer = self.inner.send(request).await;
        if let Some(uri) = uri {
            let outcome = match &answer {
                Ok(response) => Outcome::Answer(
                    response.status().as_u16(),
                    serde_json::from_slice(response.body()).unwrap_or_default(),
                ),
                Err(error) => Outcome::None(error.to_string()),
            };
            self.tape().take(&uri, outcome);
        }
        answer
    }
}

impl Tape {
    fn take(&mut self, uri: &Uri, outcome: Outcome) {
        let host = uri.host().unwrap_or_default().to_owned();
        let path = uri.path_and_query().map_or_else(|| uri.path().to_owned(), ToString::to_string);
        let at = key(&host, &path);
        if let Some(first) = self.open.get(&at).cloned() {
            // A page that did not come is asked for again, and leads on from here.
            if let Outcome::Answer(200, body) = outcome {
                self.open.remove(&at);
                self.join(&first, &host, body);
            }
            return;
        }
        if is_cluster(&host) && parameter(&path, CONTINUE).is_some() {
            let first = key(&host, &without_parameter(&path, CONTINUE));
            if let (Outcome::Answer(200, body), true) = (outcome, self.answers.contains_key(&first)) {
                self.join(&first, &host, body);
            }
            return;
        }
        // The first page, perhaps again: what came of it before counts no more.
        self.open.retain(|_, first| *first != at);
        let mut outcome = outcome;
        if let Outcome::Answer(200, body) = &mut outcome {
            self.lead_on(&at, &host, body);
        }
        self.answers.insert(at, Recorded { host, path, outcome });
    }

    /// Puts a later page behind the first.
    fn join(&mut self, first: &(String, String), host: &str, mut page: Value) {
        self.lead_on(first, host, &mut page);
        let next = page.pointer(CONTINUED).cloned();
        let items = items_of(&mut page).map(std::mem::take).unwrap_or_default();
        let Some(Recorded { outcome: Outcome::Answer(_, body), .. }) = self.answers.get_mut(first) else { return };
        if let Some(all) = items_of(body) {
            all.extend(items);
        }
        if let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("remainingItemCount");
            metadata.insert(CONTINUE.to_owned(), next.unwrap_or_default());
        }
    }

    /// Takes the link to the next page out of a page, and waits for that.
    fn lead_on(&mut self, first: &(String, String), host: &str, page: &mut Value) {
        let Some(members) = page.as_object_mut() else { return };
        for name in ["nextLink", "@odata.nextLink"] {
            let link = members.remove(name);
            let link = link.as_ref().and_then(Value::as_str).filter(|link| !link.is_empty());
            if let Some(uri) = link.and_then(|link| link.parse::<Uri>().ok()) {
                let path = uri.path_and_query().map(ToString::to_string).unwrap_or_default();
                self.open.insert(key(uri.host().unwrap_or(host), &path), first.clone());
            }
        }
    }
}

/// The token in a page of a cluster's list that leads to the next.
fn token(body: &Value) -> Option<&str> {
    body.pointer(CONTINUED).and_then(Value::as_str).filter(|token| !token.is_empty())
}

/// Whether a host is an API server's.
fn is_cluster(host: &str) -> bool {
    Cloud::ALL
        .iter()
        .any(|cloud| host.to_ascii_lowercase().strip_suffix(cloud.cluster).is_some_and(|name| name.ends_with('.')))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails should say where")]
    use serde_json::json;

    use super::*;

    const ARM: &str = "https://management.azure.com";
    const API: &str = "https://x.hcp.westeurope.azmk8s.io";

    /// What is on a tape after these reads.
    fn tape(reads: &[(&str, Outcome)]) -> Vec<Value> {
        struct Nobody;
        #[async_trait::async_trait]
        impl Transport for Nobody {
            async fn send(&self, _: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
                Ok(Response::new(Bytes::new()))
            }
        }
        let recorder = Recorder::new(Arc::new(Nobody));
        for (url, outcome) in reads {
            recorder.tape().take(&url.parse().unwrap(), outcome.clone());
        }
        recorder.answers().iter().map(Recorded::to_json).collect()
    }

    fn answer(status: u16, body: Value) -> Outcome {
        Outcome::Answer(status, body)
    }

    #[test]
    fn pages_become_one_list_without_links() {
        let link = format!("{ARM}/list?api-version=1&$skiptoken=eyJ");
        let pages = tape(&[
            (&format!("{ARM}/list?api-version=1"), answer(200, json!({"value": [1], "nextLink": link}))),
            (&link, answer(503, Value::Null)),
            (&link, answer(200, json!({"value": [2], "nextLink": ""}))),
        ]);
        assert_eq!(
            pages,
            [
                json!({"host": "management.azure.com", "path": "/list?api-version=1", "status": 200, "body": {"value": [1, 2]}})
            ]
        );
        let pages = tape(&[
            (&format!("{API}/api/v1/pods?limit=5"), answer(200, json!({"items": [1], "metadata": {"continue": "c"}}))),
            (&format!("{API}/api/v1/pods?limit=5&continue=c"), answer(200, json!({"items": [2], "metadata": {}}))),
        ]);
        assert_eq!(pages[0]["body"]["items"], json!([1, 2]));
        assert_eq!(pages[0]["path"], "/api/v1/pods?limit=5");
    }

    #[test]
    fn what_is_not_whole_is_left_out() {
        let link = format!("{ARM}/list?page=2");
        let half = [(format!("{ARM}/list"), answer(200, json!({"value": [1], "nextLink": link})))];
        let half: Vec<(&str, Outcome)> = half.iter().map(|(url, outcome)| (url.as_str(), outcome.clone())).collect();
        assert!(tape(&half).is_empty());
        assert!(
            tape(&[(&format!("{API}/apis?limit=5"), answer(200, json!({"items": [], "metadata": {"continue": "c"}})))])
                .is_empty()
        );
        assert!(
            tape(&[
                (&format!("{ARM}/x"), answer(403, json!({}))),
                (&format!("{ARM}/y"), Outcome::None("reset".to_owned()))
            ])
            .is_empty()
        );
        // Why nobody could look into a cluster is a part of the plan.
        let closed = tape(&[
            (&format!("{API}/x"), answer(403, json!({}))),
            (&format!("{API}/y"), Outcome::None("reset".to_owned())),
        ]);
        assert_eq!(closed.len(), 2);
    }

    #[test]
    fn the_last_answer_counts() {
        let again = tape(&[
            (&format!("{ARM}/x"), answer(404, json!({}))),
            (&format!("{ARM}/X"), answer(200, json!({"id": "/x"}))),
        ]);
        assert_eq!(again.len(), 1);
        assert_eq!(again[0]["status"], 200);
    }
}
