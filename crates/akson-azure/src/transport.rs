//! The one seam to the outside: a request goes out, a response or a broken connection comes back.

use std::{fmt, sync::Arc};

use bytes::Bytes;

/// Sends one request. Implemented by reqwest (`network.rs`) and, in the CLI and the test harness, by an adapter of the in-process emulator.
///
/// URLs are always Azure's real ones (`https://management.azure.com/…`); where they lead is the transport's business.
#[async_trait::async_trait]
pub trait Transport: Send + Sync {
    /// Sends `request` and waits for the whole response.
    ///
    /// # Errors
    /// [`TransportError`] if no whole response came: the request may or may not have been processed, but for [`TransportError::Refused`],
    /// [`TransportError::Untrusted`] and [`TransportError::NotRecorded`].
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError>;
}

/// Set on a request (`request.extensions_mut().insert(…)`): the host is trusted if this authority vouches for it, and no other is asked.
/// A cluster's API server has an authority of its own, which is known only once the cluster is. A transport without TLS takes no notice.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TrustCa(Arc<str>);

impl TrustCa {
    /// An authority's certificates in PEM.
    pub fn new(pem: impl Into<Arc<str>>) -> Self {
        Self(pem.into())
    }

    /// Its certificates in PEM.
    pub fn pem(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for TrustCa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TrustCa({} bytes)", self.0.len())
    }
}

/// Why no response came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// Nothing listened: the request was certainly not processed.
    #[error("could not connect to {host}: {detail}")]
    Refused {
        /// The host asked for.
        host: String,
        /// The system's words.
        detail: String,
    },
    /// The host could not prove who it is: the request was not sent, and trying again will not help.
    #[error("{host} is not trusted: {detail}")]
    Untrusted {
        /// The host asked for.
        host: String,
        /// What is wrong with its certificate.
        detail: String,
    },
    /// The connection broke; it may have been processed.
    #[error("the connection to {host} broke: {detail}")]
    Broken {
        /// The host asked for.
        host: String,
        /// The system's words.
        detail: String,
    },
    /// No response within the request's time; it may have been processed.
    #[error("no answer from {host} within {seconds} s")]
    TimedOut {
        /// The host asked for.
        host: String,
        /// The limit.
        seconds: u64,
    },
    /// It is answered from a recording, and that does not tell it: nobody was asked.
    #[error("the recording does not tell it")]
    NotRecorded {
        /// The host that would be asked.
        host: String,
        /// The path and query.
        path: String,
        /// Of a question by names: those that it does not tell.
        names: Vec<String>,
    },
}

impl TransportError {
    /// The host that was asked for.
    pub fn host(&self) -> &str {
        match self {
            Self::Refused { host, .. }
            | Self::Untrusted { host, .. }
            | Self::Broken { host, .. }
            | Self::TimedOut { host, .. }
            | Self::NotRecorded { host, .. } => host,
        }
    }
}
