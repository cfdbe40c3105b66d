//! Our transport as `azure_core` wants it, with a memory of the last exchange: what went wrong is read from there, not from texts.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use azure_core::{
    error::{Error, ErrorKind},
    http::{
        AsyncRawResponse, HttpClient, Request as AzureRequest, StatusCode,
        headers::{HeaderName, HeaderValue, Headers},
        request::Body,
    },
};
use bytes::Bytes;
use http::{Request, Response};

use crate::{Answer, TokenError, Transport, TransportError, may_have_happened};

/// One token's exchanges.
pub(super) struct Wire {
    transport: Arc<dyn Transport>,
    last: Mutex<Option<Last>>,
}

struct Last {
    host: String,
    outcome: Result<Answer, TransportError>,
}

impl Wire {
    pub(super) fn new(transport: Arc<dyn Transport>) -> Self {
        Self { transport, last: Mutex::new(None) }
    }

    /// Sends, and remembers what came of it.
    ///
    /// # Errors
    /// One that `azure_core` does not retry.
    pub(super) async fn send(&self, request: Request<Bytes>) -> azure_core::Result<Response<Bytes>> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let outcome = self.transport.send(request).await;
        let remembered = outcome.clone().map(Answer::of);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Last { host, outcome: remembered });
        outcome.map_err(|error| Error::with_error(ErrorKind::Other, error, "no answer"))
    }

    /// What the last exchange says about there being no token; none if it was a good one, or there was none.
    pub(super) fn why(&self) -> Option<TokenError> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        let host = last.host;
        match last.outcome {
            Ok(answer) if answer.is_success() => None,
            Ok(answer) => {
                let status = answer.status.as_u16();
                if status == 429 || may_have_happened(status) {
                    let (detail, retry_after) = (format!("it answered {status}"), answer.retry_after());
                    return Some(TokenError::Unavailable { host, detail, retry_after });
                }
                let error = answer.error();
                Some(TokenError::Refused { code: error.code, message: error.message })
            }
            Err(error @ TransportError::Untrusted { .. }) => {
                Some(TokenError::Refused { code: "untrusted".to_owned(), message: error.to_string() })
            }
            Err(error) => Some(TokenError::Unavailable { host, detail: error.to_string(), retry_after: None }),
        }
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

#[async_trait::async_trait]
impl HttpClient for Wire {
    async fn execute_request(&self, request: &AzureRequest) -> azure_core::Result<AsyncRawResponse> {
        let broken = |error: http::Error| Error::with_error(ErrorKind::DataConversion, error, "no such request");
        let Body::Bytes(body) = request.body().clone() else {
            return Err(Error::with_message(ErrorKind::DataConversion, "a request for a token has no stream"));
        };
        let mut outgoing = Request::builder().method(request.method().as_ref()).uri(request.url().as_str());
        for (name, value) in request.headers().iter() {
            outgoing = outgoing.header(name.as_str(), value.as_str());
        }
        let response = self.send(outgoing.body(body).map_err(broken)?).await?;
        let (parts, body) = response.into_parts();
        let headers: HashMap<HeaderName, HeaderValue> = parts
            .headers
            .iter()
            .filter_map(|(name, value)| {
                let value = value.to_str().ok()?.to_owned();
                Some((HeaderName::from(name.as_str().to_owned()), HeaderValue::from(value)))
            })
            .collect();
        Ok(AsyncRawResponse::from_bytes(StatusCode::from(parts.status.as_u16()), Headers::from(headers), body))
    }
}
