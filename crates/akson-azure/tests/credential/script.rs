//! A transport that answers by a function, and remembers what it was asked.

use std::sync::{Arc, Mutex};

use akson_azure::{
    Audience, Cloud, TokenError, TokenSource, Transport, TransportError,
    credential::{CredentialError, CredentialKind, Credentials, Environment},
};
use bytes::Bytes;
use http::{Request, Response};

type Answer = dyn Fn(&Request<Bytes>) -> Result<(u16, String), TransportError> + Send + Sync;

/// The outside.
pub(crate) struct Script {
    answer: Box<Answer>,
    asked: Mutex<Vec<Request<Bytes>>>,
}

impl Script {
    pub(crate) fn new(
        answer: impl Fn(&Request<Bytes>) -> Result<(u16, String), TransportError> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { answer: Box::new(answer), asked: Mutex::default() })
    }

    /// Entra, which gives a token to everybody.
    pub(crate) fn entra() -> Arc<Self> {
        Self::new(|_| Ok((200, token("one", 3600))))
    }

    pub(crate) fn asked(&self) -> Vec<Request<Bytes>> {
        self.asked.lock().unwrap().clone()
    }

    /// The form of the last request, to this URL.
    #[track_caller]
    pub(crate) fn form(&self, uri: &str) -> Vec<(String, String)> {
        let request = self.asked().pop().unwrap();
        assert_eq!(request.uri(), uri);
        url::form_urlencoded::parse(request.body()).into_owned().collect()
    }
}

/// The answer of a token endpoint.
pub(crate) fn token(token: &str, seconds: u64) -> String {
    format!(r#"{{"token_type":"Bearer","expires_in":{seconds},"ext_expires_in":{seconds},"access_token":"{token}"}}"#)
}

#[async_trait::async_trait]
impl Transport for Script {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        self.asked.lock().unwrap().push(request.clone());
        let (status, body) = (self.answer)(&request)?;
        Ok(Response::builder().status(status).header("retry-after", "7").body(Bytes::from(body)).unwrap())
    }
}

/// An environment of these variables, and no tools.
pub(crate) fn environment(pairs: &[(&str, &str)]) -> Environment {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// Chooses in the public cloud.
pub(crate) async fn choose(
    pairs: &[(&str, &str)],
    wanted: Option<&str>,
    script: &Arc<Script>,
) -> Result<Credentials, CredentialError> {
    let wanted: Option<CredentialKind> = wanted.map(|name| name.parse().unwrap());
    let transport = Arc::clone(script) as Arc<dyn Transport>;
    Credentials::choose(Cloud::PUBLIC, &environment(pairs), wanted, transport).await
}

/// A token for ARM, in the first second.
pub(crate) async fn ask(credentials: &Credentials) -> Result<String, TokenError> {
    let token = credentials.token(Audience::Arm, std::time::Duration::ZERO, None).await;
    token.map(|token| token.expose().to_owned())
}
