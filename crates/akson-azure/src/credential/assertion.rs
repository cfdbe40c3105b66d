//! What stands in for a client secret: a signed statement of our own, or a token of the pipeline that this runs in.

use std::{fmt, sync::Arc};

use akson_catalog::Secret;
use azure_core::{
    error::{Error, ErrorKind},
    http::ClientMethodOptions,
};
use azure_identity::ClientAssertion;
use bytes::Bytes;
use http::{
    Request,
    header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, HeaderValue},
};
use jiff::Timestamp;
use url::Url;
use uuid::Uuid;

use super::{certificate::Certificate, wire::Wire};
use crate::Answer;

/// Signed with a certificate's key.
pub(super) struct SignedAssertion {
    pub(super) certificate: Arc<Certificate>,
    pub(super) audience: String,
    pub(super) client: String,
}

/// From GitHub, for the job that this runs in.
pub(super) struct GithubAssertion {
    pub(super) wire: Arc<Wire>,
    pub(super) url: String,
    pub(super) token: Secret,
    pub(super) audience: &'static str,
}

/// From Azure Pipelines, for a service connection.
pub(super) struct PipelinesAssertion {
    pub(super) wire: Arc<Wire>,
    pub(super) url: String,
    pub(super) token: Secret,
    pub(super) connection: String,
}

/// The version of the pipelines' token endpoint.
const PIPELINES_VERSION: &str = "7.1";

#[async_trait::async_trait]
impl ClientAssertion for SignedAssertion {
    async fn secret(&self, _options: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let now = Timestamp::now().as_second();
        self.certificate
            .assertion(&self.audience, &self.client, &Uuid::new_v4().to_string(), now)
            .map_err(|error| Error::with_message(ErrorKind::Credential, error))
    }
}

#[async_trait::async_trait]
impl ClientAssertion for GithubAssertion {
    async fn secret(&self, _options: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let mut url = parse(&self.url)?;
        url.query_pairs_mut().append_pair("audience", self.audience);
        let request = Request::get(url.as_str()).header(AUTHORIZATION, bearer(&self.token)?);
        ask(&self.wire, request, "value").await
    }
}

#[async_trait::async_trait]
impl ClientAssertion for PipelinesAssertion {
    async fn secret(&self, _options: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let mut url = parse(&self.url)?;
        url.query_pairs_mut()
            .append_pair("api-version", PIPELINES_VERSION)
            .append_pair("serviceConnectionId", &self.connection);
        let request = Request::post(url.as_str())
            .header(AUTHORIZATION, bearer(&self.token)?)
            .header(CONTENT_LENGTH, "0")
            // Otherwise a token that is refused is answered with a page to sign in at.
            .header("x-tfs-fedauthredirect", "Suppress");
        ask(&self.wire, request, "oidcToken").await
    }
}

/// The pipelines' own variables name the host: it gets the pipelines' token, and never one of ours.
fn parse(url: &str) -> azure_core::Result<Url> {
    let broken = || Error::with_message(ErrorKind::Credential, "the address to ask for an OIDC token is no https URL");
    Url::parse(url).ok().filter(|url| url.scheme() == "https").ok_or_else(broken)
}

fn bearer(token: &Secret) -> azure_core::Result<HeaderValue> {
    let broken = |_| Error::with_message(ErrorKind::Credential, "the token for OIDC requests cannot stand in a header");
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose())).map_err(broken)?;
    value.set_sensitive(true);
    Ok(value)
}

async fn ask(wire: &Wire, request: http::request::Builder, field: &str) -> azure_core::Result<String> {
    let broken = |detail: String| Error::with_message(ErrorKind::Credential, detail);
    let request = request.header(ACCEPT, "application/json").body(Bytes::new());
    let answer = Answer::of(wire.send(request.map_err(|error| broken(error.to_string()))?).await?);
    if !answer.is_success() {
        return Err(broken(format!("the request for an OIDC token was answered with {}", answer.status)));
    }
    let token = answer.json().and_then(|body| body.get(field)?.as_str()).filter(|token| !token.is_empty());
    token.map(str::to_owned).ok_or_else(|| broken("the answer to the request for an OIDC token holds none".to_owned()))
}

impl fmt::Debug for SignedAssertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignedAssertion")
    }
}

impl fmt::Debug for GithubAssertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GithubAssertion")
    }
}

impl fmt::Debug for PipelinesAssertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PipelinesAssertion")
    }
}
