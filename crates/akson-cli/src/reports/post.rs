//! Sending of reports: over a client of their own that never had a token of Azure's, tried again for a while. Not what is sent.

use std::time::Duration;

use akson_applier::Cancel;
use akson_azure::{Answer, Transport, TransportError};
use bytes::Bytes;
use http::{Request, header::CONTENT_TYPE};
use serde_json::Value;

/// How long to wait before the next try.
const AGAIN: [Duration; 3] = [Duration::from_millis(500), Duration::from_millis(1_500), Duration::from_millis(4_500)];
/// A wish to wait for longer is not granted: the look is reported next time.
const LONGEST_WISH: Duration = Duration::from_secs(60);

/// Why a report was not delivered. Never a URL, and of an answer only what can hold none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// Trying again would change nothing.
    #[error("{0}")]
    Refused(String),
    /// It may get through later.
    #[error("{because}")]
    Later {
        /// In words.
        because: String,
        /// When, if that was said.
        after: Option<Duration>,
    },
}

/// Where reports leave.
pub(crate) struct Post<'a> {
    pub(crate) transport: &'a dyn Transport,
    /// Ends the tries.
    pub(crate) cancel: &'a Cancel,
}

impl Post<'_> {
    /// Sends JSON somewhere; the answer, if it is one of success.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) async fn send(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Answer, Failure> {
        let bytes = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        self.send_bytes(method, url, headers, bytes).await
    }

    /// The same with a body that is JSON already.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) async fn send_bytes(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Answer, Failure> {
        let mut request = Request::builder().method(method).uri(url).header(CONTENT_TYPE, "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body).map_err(|_| Failure::Refused("it is no request".to_owned()))?;
        match self.transport.send(request).await {
            Ok(response) => {
                let answer = Answer::of(response);
                if answer.is_success() { Ok(answer) } else { Err(refused(&answer)) }
            }
            Err(error) => Err(broken(&error)),
        }
    }

    /// Tries until it works, cannot work or takes too long.
    ///
    /// # Errors
    /// The last [`Failure`].
    pub(crate) async fn deliver(&self, mut once: impl AsyncFnMut() -> Result<(), Failure>) -> Result<(), Failure> {
        for wait in AGAIN {
            match once().await {
                Err(Failure::Later { after, .. })
                    if !self.cancel.is_stopped() && after.is_none_or(|after| after <= LONGEST_WISH) =>
                {
                    tokio::select! {
                        () = tokio::time::sleep(wait.max(after.unwrap_or_default())) => {}
                        () = self.cancel.stopped() => {}
                    }
                }
                done => return done,
            }
        }
        once().await
    }
}

fn refused(answer: &Answer) -> Failure {
    let status = answer.status.as_u16();
    // Slack says why in a word, such as `no_service`; longer texts may repeat what they were sent.
    let word = match &answer.body {
        akson_azure::answer::Body::Other { excerpt, .. }
            if excerpt.len() <= 40 && excerpt.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') =>
        {
            format!(" ({excerpt})")
        }
        _ => String::new(),
    };
    let because = format!("it answered {status}{word}");
    let limited =
        status == 403 && (answer.header("x-ratelimit-remaining") == Some("0") || answer.retry_after().is_some());
    if matches!(status, 408 | 425 | 429 | 500..=599) || limited {
        Failure::Later { because, after: answer.retry_after() }
    } else {
        Failure::Refused(because)
    }
}

fn broken(error: &TransportError) -> Failure {
    match error {
        TransportError::NotRecorded { .. } => Failure::Refused(error.to_string()),
        TransportError::Untrusted { host, .. } => Failure::Refused(format!("{host} is not trusted")),
        TransportError::Refused { host, detail } if detail.starts_with("nothing leaves") => {
            Failure::Refused(format!("{host}: {detail}"))
        }
        // The system's words, unless they may quote the URL.
        TransportError::Refused { host, detail } if !detail.contains("://") => {
            Failure::Later { because: format!("could not connect to {host}: {detail}"), after: None }
        }
        TransportError::Refused { host, .. } => {
            Failure::Later { because: format!("could not connect to {host}"), after: None }
        }
        TransportError::Broken { host, .. } => {
            Failure::Later { because: format!("the connection to {host} broke"), after: None }
        }
        TransportError::TimedOut { .. } => Failure::Later { because: error.to_string(), after: None },
    }
}
