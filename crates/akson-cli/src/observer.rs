//! What a run is seen to do: the error that it ended with, and the requests that it sent. Not a log: counts and one sentence, for who
//! watches many runs.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use akson_azure::{Answer, Transport, TransportError};
use akson_diagnostics::{Diagnostics, SafeText, Severity};
use bytes::Bytes;
use serde::Serialize;
use tokio::time::Instant;

/// Hosts that are told apart; each vault and each cluster has one of its own.
const MOST_HOSTS: usize = 64;
/// Where the requests to all further hosts are counted.
const OTHERS: &str = "other";

/// Sees one run.
#[derive(Debug, Default)]
pub(crate) struct Observer {
    seen: Mutex<Seen>,
}

/// What was seen.
#[derive(Debug, Default, Clone)]
pub(crate) struct Seen {
    /// The stack's name.
    pub(crate) stack: Option<String>,
    /// The first error.
    pub(crate) error: Option<Told>,
    /// Requests by host and what came of them: a status, or `none` where no answer came.
    pub(crate) requests: BTreeMap<(String, String), u64>,
    /// Until when a service asked to be left alone.
    wait_until: Option<Instant>,
}

/// An error in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Told {
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Observer {
    /// Takes note of what is printed.
    pub(crate) fn hear(&self, diagnostics: &Diagnostics) {
        let mut seen = self.lock();
        if seen.error.is_none() {
            let first = diagnostics.sorted().into_iter().find(|found| found.severity == Severity::Error);
            seen.error =
                first.map(|found| Told { code: found.code.to_string(), message: SafeText(&found.message).to_string() });
        }
    }

    /// Takes note of which stack it is.
    pub(crate) fn learn(&self, stack: &str) {
        self.lock().stack = Some(stack.to_owned());
    }

    /// The same transport, with its requests counted.
    pub(crate) fn counted(self: &Arc<Self>, transport: Arc<dyn Transport>) -> Arc<dyn Transport> {
        Arc::new(Counted { transport, observer: Arc::clone(self) })
    }

    /// What was seen so far.
    pub(crate) fn seen(&self) -> Seen {
        self.lock().clone()
    }

    fn count(&self, host: &str, code: &str) {
        let mut seen = self.lock();
        let known = seen.requests.keys().any(|(known, _)| known == host);
        let host = if known || hosts(&seen.requests) < MOST_HOSTS { host } else { OTHERS };
        *seen.requests.entry((host.to_owned(), code.to_owned())).or_default() += 1;
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    /// How long a service still asked to be left alone.
    pub(crate) fn wait(&self) -> Duration {
        self.wait_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()))
    }
}

fn hosts(requests: &BTreeMap<(String, String), u64>) -> usize {
    let mut last = "";
    requests.keys().filter(|(host, _)| std::mem::replace(&mut last, host) != host).count()
}

struct Counted {
    transport: Arc<dyn Transport>,
    observer: Arc<Observer>,
}

#[async_trait::async_trait]
impl Transport for Counted {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        let host = request.uri().host().unwrap_or_default().to_ascii_lowercase();
        let answer = self.transport.send(request).await;
        match &answer {
            Ok(answer) => {
                self.observer.count(&host, answer.status().as_str());
                if matches!(answer.status().as_u16(), 429 | 503) {
                    let head = head_of(answer);
                    if let Some(wait) = head.retry_after() {
                        let until = Instant::now() + wait;
                        let mut seen = self.observer.lock();
                        seen.wait_until = seen.wait_until.max(Some(until));
                    }
                }
            }
            Err(_) => self.observer.count(&host, "none"),
        }
        answer
    }
}

/// An answer without its body.
pub(crate) fn head_of(answer: &http::Response<Bytes>) -> Answer {
    let mut head = http::Response::new(Bytes::new());
    *head.status_mut() = answer.status();
    *head.headers_mut() = answer.headers().clone();
    Answer::of(head)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that fails should say where")]
    use akson_diagnostics::{Code, Diagnostic};

    use super::*;

    struct Busy;

    #[async_trait::async_trait]
    impl Transport for Busy {
        async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
            match request.uri().path() {
                "/busy" => Ok(http::Response::builder()
                    .status(429)
                    .header("retry-after", "90")
                    .body(Bytes::from_static(b"{}"))
                    .unwrap()),
                "/gone" => Err(TransportError::Refused { host: "h".to_owned(), detail: String::new() }),
                _ => Ok(http::Response::new(Bytes::new())),
            }
        }
    }

    #[tokio::test]
    async fn requests_are_counted_by_host_and_answer() {
        let observer = Arc::new(Observer::default());
        let transport = observer.counted(Arc::new(Busy));
        let send = |url: String| transport.send(http::Request::get(url).body(Bytes::new()).unwrap());
        for url in ["https://A.example/x", "https://a.example/y", "https://b.example/busy"] {
            assert!(send(url.to_owned()).await.is_ok());
        }
        assert!(send("https://b.example/gone".to_owned()).await.is_err());
        let seen = observer.seen();
        let counts: Vec<_> = seen.requests.iter().map(|((host, code), n)| format!("{host} {code} {n}")).collect();
        assert_eq!(counts, ["a.example 200 2", "b.example 429 1", "b.example none 1"]);
        let wait = seen.wait().as_secs();
        assert!((85..=90).contains(&wait), "{wait}");
        // However many hosts there are, what is kept has a bound.
        for n in 0..200 {
            assert!(send(format!("https://kv{n}.example/")).await.is_ok());
        }
        let seen = observer.seen();
        assert_eq!(hosts(&seen.requests), MOST_HOSTS + 1);
        assert_eq!(seen.requests[&(OTHERS.to_owned(), "200".to_owned())], 200 - 62);
    }

    #[test]
    fn the_first_error_is_kept() {
        let observer = Observer::default();
        observer.hear(&Diagnostics::from(Diagnostic::warning(Code(1), "a warning")));
        assert_eq!(observer.seen().error, None);
        observer.hear(&Diagnostics::from(Diagnostic::error(Code(571), "one\u{1b}")));
        observer.hear(&Diagnostics::from(Diagnostic::error(Code(572), "two")));
        let told = observer.seen().error.unwrap();
        assert_eq!((told.code.as_str(), told.message.as_str()), ("AKS0571", "one\\u{1b}"));
    }
}
