//! Building blocks of answers: JSON with the content type that Azure sends, empty bodies, headers.
//! What an error says stands in `errors`.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use serde::Serialize;

/// An answer of any plane.
pub(crate) type Answer = Response<Bytes>;

/// A JSON answer.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    let bytes = serde_json::to_vec(body).unwrap_or_default();
    typed(status, "application/json; charset=utf-8", bytes.into())
}

/// An answer with this content type.
pub(crate) fn typed(status: StatusCode, content_type: &'static str, body: Bytes) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Answer {
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = status;
    answer
}

/// Marks an answer that does not reach the caller.
#[derive(Clone, Copy, Debug)]
struct Reset;

/// No answer: nobody is there, or the network lets nothing through.
pub(crate) fn reset() -> Answer {
    let mut answer = empty(StatusCode::SERVICE_UNAVAILABLE);
    answer.extensions_mut().insert(Reset);
    answer
}

/// Whether the caller gets a reset connection and no answer.
pub(crate) fn is_reset(answer: &Answer) -> bool {
    answer.extensions().get::<Reset>().is_some()
}

/// Sets headers on an answer.
pub(crate) trait WithHeader: Sized {
    /// Sets a header; a value that no header can hold is left out.
    #[must_use]
    fn with(self, name: &'static str, value: &str) -> Self;
}

impl WithHeader for Answer {
    fn with(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers_mut().insert(HeaderName::from_static(name), value);
        }
        self
    }
}
