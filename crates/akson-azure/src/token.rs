//! Where tokens come from. Not where they may go: that is [`Cloud::audience_of`].

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use akson_catalog::Secret;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use futures_util::lock::Mutex;
use http::{Request, header::CONTENT_TYPE};
use url::form_urlencoded;

use crate::{Answer, Audience, Cloud, Transport, TransportError, may_have_happened, redact::without};

/// Gives tokens. They are asked for again and again, also in the middle of an apply, and come from memory while they are good.
#[async_trait::async_trait]
pub trait TokenSource: Send + Sync {
    /// A token for `audience` that is good at `now` (the time since a start of the caller's choosing, in the cloud's time).
    /// `refused` is a token that was answered with 401: not this one again.
    ///
    /// # Errors
    /// [`TokenError`]
    async fn token(&self, audience: Audience, now: Duration, refused: Option<&Secret>) -> Result<Secret, TokenError>;
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Sign-in was refused.
    #[error("sign-in was refused: {code}")]
    Refused {
        /// The code: `invalid_client`.
        code: String,
        /// The service's words. Foreign text.
        message: String,
    },
    /// The token endpoint did not answer, or not as one; asking again may help.
    #[error("{host} gave no token: {detail}")]
    Unavailable {
        /// The host asked.
        host: String,
        /// Why.
        detail: String,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
}

impl TokenError {
    /// The same with another time to wait.
    fn after(mut self, wait: Duration) -> Self {
        if let TokenError::Unavailable { retry_after, .. } = &mut self {
            *retry_after = Some(wait);
        }
        self
    }
}

/// An application's client id and secret. Tokens are kept in memory and asked for once at a time.
pub struct ClientCredentials {
    transport: Arc<dyn Transport>,
    cloud: Cloud,
    tenant: String,
    client: String,
    secret: Secret,
    kept: Memory,
}

/// Tokens in memory, one for each audience.
#[derive(Default)]
pub(crate) struct Memory(Mutex<Remembered>);

#[derive(Default)]
struct Remembered {
    kept: BTreeMap<Audience, Kept>,
    /// Until when the token endpoint asked not to be asked, and what it said.
    closed: Option<(Duration, TokenError)>,
}

/// A token, and from when on another is asked for.
pub(crate) struct Kept {
    token: Secret,
    renew_at: Duration,
}

impl Kept {
    /// A token that was given at `now` and lives this long.
    pub(crate) fn new(token: Secret, now: Duration, life: Duration) -> Self {
        Self { token, renew_at: now + life.saturating_sub(MARGIN).max(life / 2) }
    }
}

impl Memory {
    /// The token that is kept, or the one that `ask` finds. Whoever comes while one asks waits here and finds the answer, also where that
    /// is to come back later.
    pub(crate) async fn token(
        &self,
        audience: Audience,
        now: Duration,
        refused: Option<&Secret>,
        ask: impl Future<Output = Result<Kept, TokenError>>,
    ) -> Result<Secret, TokenError> {
        let mut memory = self.0.lock().await;
        if let Some(have) = memory.kept.get(&audience)
            && now < have.renew_at
            && refused != Some(&have.token)
        {
            return Ok(have.token.clone());
        }
        if let Some((until, why)) = &memory.closed
            && now < *until
        {
            return Err(why.clone().after(until.saturating_sub(now)));
        }
        memory.closed = None;
        let fresh = match ask.await {
            Ok(fresh) => fresh,
            Err(error) => {
                if let TokenError::Unavailable { retry_after: Some(wait), .. } = &error {
                    memory.closed = Some((now + *wait, error.clone()));
                }
                return Err(error);
            }
        };
        let token = fresh.token.clone();
        memory.kept.insert(audience, fresh);
        Ok(token)
    }
}

/// A token is renewed this long before its end, or after half of its life if that is shorter.
const MARGIN: Duration = Duration::from_secs(300);

impl ClientCredentials {
    /// Signs in as an application of a tenant.
    pub fn new(
        transport: Arc<dyn Transport>,
        cloud: Cloud,
        tenant: impl Into<String>,
        client: impl Into<String>,
        secret: Secret,
    ) -> Self {
        Self { transport, cloud, tenant: tenant.into(), client: client.into(), secret, kept: Memory::default() }
    }

    async fn ask(&self, audience: Audience, now: Duration) -> Result<Kept, TokenError> {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", &self.client)
            .append_pair("client_secret", self.secret.expose())
            .append_pair("grant_type", "client_credentials")
            .append_pair("scope", &self.cloud.scope(audience))
            .finish();
        let request = Request::post(format!("https://{}/{}/oauth2/v2.0/token", self.cloud.login, self.tenant))
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Bytes::from(form))
            .map_err(|_| TokenError::Refused {
                code: "tenant".to_owned(),
                message: "the tenant cannot stand in a URL".to_owned(),
            })?;
        let answer = self.transport.send(request).await.map_err(|error| self.unavailable(&error))?;
        let answer = Answer::of(answer);
        if answer.is_success() {
            return self.read(&answer, now);
        }
        let error = answer.error();
        if answer.status.as_u16() == 429 || may_have_happened(answer.status.as_u16()) {
            let detail = format!("it answered {}", answer.status.as_u16());
            return Err(TokenError::Unavailable {
                host: self.cloud.login.to_owned(),
                detail,
                retry_after: answer.retry_after(),
            });
        }
        let message = without(&error.message, &self.secret);
        Err(TokenError::Refused { code: error.code, message })
    }

    fn read(&self, answer: &Answer, now: Duration) -> Result<Kept, TokenError> {
        let body = answer.json();
        let token = body.and_then(|body| body.get("access_token")?.as_str()).filter(|token| !token.is_empty());
        let Some(token) = token else {
            let detail = "its answer holds no token".to_owned();
            return Err(TokenError::Unavailable { host: self.cloud.login.to_owned(), detail, retry_after: None });
        };
        let life = body.and_then(|body| seconds(body.get("expires_in")?)).unwrap_or_default();
        Ok(Kept::new(Secret::new(token), now, life))
    }

    fn unavailable(&self, error: &TransportError) -> TokenError {
        TokenError::Unavailable { host: self.cloud.login.to_owned(), detail: error.to_string(), retry_after: None }
    }
}

/// A number of seconds, also as text, as some endpoints have it.
fn seconds(value: &serde_json::Value) -> Option<Duration> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).map(Duration::from_secs)
}

#[async_trait::async_trait]
impl TokenSource for ClientCredentials {
    async fn token(&self, audience: Audience, now: Duration, refused: Option<&Secret>) -> Result<Secret, TokenError> {
        self.kept.token(audience, now, refused, self.ask(audience, now)).await
    }
}

/// The object id of whom a token was given to, which stands in it. None of a token that does not say: to its bearer it is opaque.
pub fn object_id_of(token: &Secret) -> Option<String> {
    let claims = token.expose().split('.').nth(1)?;
    let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&claims).ok()?;
    let id = claims.get("oid")?.as_str()?;
    uuid::Uuid::try_parse(id).ok().map(|id| id.to_string())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test that fails should say where")]
    use std::sync::Mutex as StdMutex;

    use http::Response;

    use super::*;

    /// Answers from a list: enough to see what a source decides.
    struct Script {
        answers: StdMutex<Vec<Result<(u16, String), TransportError>>>,
        asked: StdMutex<Vec<(String, String)>>,
    }

    #[async_trait::async_trait]
    impl Transport for Script {
        async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
            let body = String::from_utf8(request.body().to_vec()).unwrap();
            self.asked.lock().unwrap().push((request.uri().to_string(), body));
            let (status, body) = self.answers.lock().unwrap().remove(0)?;
            Ok(Response::builder().status(status).header("retry-after", "7").body(Bytes::from(body)).unwrap())
        }
    }

    fn source(answers: Vec<Result<(u16, &str), TransportError>>) -> (Arc<Script>, ClientCredentials) {
        let answers =
            answers.into_iter().map(|answer| answer.map(|(status, body)| (status, body.to_owned()))).collect();
        let script = Arc::new(Script { answers: StdMutex::new(answers), asked: StdMutex::default() });
        let source = ClientCredentials::new(script.clone(), Cloud::PUBLIC, "t-1", "app", Secret::new("s&cret"));
        (script, source)
    }

    fn ask(source: &ClientCredentials, seconds: u64, refused: Option<&str>) -> Result<String, TokenError> {
        let refused = refused.map(Secret::new);
        let token = source.token(Audience::Arm, Duration::from_secs(seconds), refused.as_ref());
        futures_util::FutureExt::now_or_never(token).unwrap().map(|token| token.expose().to_owned())
    }

    #[test]
    fn a_token_is_kept_until_near_its_end() {
        let (script, source) = source(vec![
            Ok((200, r#"{"access_token":"one","expires_in":3600}"#)),
            Ok((200, r#"{"access_token":"two","expires_in":"60"}"#)),
            Ok((200, r#"{"access_token":"three","expires_in":3600}"#)),
        ]);
        assert_eq!(ask(&source, 0, None).unwrap(), "one");
        assert_eq!(ask(&source, 3299, None).unwrap(), "one");
        assert_eq!(ask(&source, 3300, None).unwrap(), "two", "five minutes before the end");
        assert_eq!(ask(&source, 3329, None).unwrap(), "two");
        assert_eq!(ask(&source, 3330, None).unwrap(), "three", "half of a short life");
        let asked = script.asked.lock().unwrap().clone();
        assert_eq!(asked[0].0, "https://login.microsoftonline.com/t-1/oauth2/v2.0/token");
        assert_eq!(
            asked[0].1,
            "client_id=app&client_secret=s%26cret&grant_type=client_credentials&scope=https%3A%2F%2Fmanagement.azure.com%2F.default"
        );
    }

    #[test]
    fn whom_a_token_was_given_to_stands_in_it() {
        #[track_caller]
        fn check(claims: &str, id: Option<&str>) {
            let token = Secret::new(format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims)));
            assert_eq!(object_id_of(&token).as_deref(), id, "{claims}");
        }
        let id = "0a0a0a0a-0000-4000-8000-00000000000f";
        check(&format!(r#"{{"oid":"{id}","aud":"x"}}"#), Some(id));
        check(&format!(r#"{{"oid":"{}"}}"#, id.to_uppercase()), Some(id));
        check(r#"{"oid":"somebody"}"#, None);
        check(r#"{"sub":"x"}"#, None);
        check("nonsense", None);
        for opaque in ["", "opaque", "a.b.c", "a.!.c"] {
            assert_eq!(object_id_of(&Secret::new(opaque)), None);
        }
    }

    #[test]
    fn a_refused_token_is_not_given_again() {
        let (script, source) = source(vec![
            Ok((200, r#"{"access_token":"one","expires_in":3600}"#)),
            Ok((200, r#"{"access_token":"two","expires_in":3600}"#)),
        ]);
        assert_eq!(ask(&source, 0, None).unwrap(), "one");
        assert_eq!(ask(&source, 1, Some("one")).unwrap(), "two");
        assert_eq!(ask(&source, 1, Some("one")).unwrap(), "two", "another step that held the old one");
        assert_eq!(script.asked.lock().unwrap().len(), 2);
    }

    #[test]
    fn who_comes_while_the_endpoint_is_closed_does_not_ask() {
        let (script, source) = source(vec![
            Ok((429, "{}")),
            Ok((200, r#"{"access_token":"one","expires_in":3600}"#)),
            Ok((200, r#"{"access_token":"two","expires_in":3600}"#)),
        ]);
        let wait = |seconds: u64| match ask(&source, seconds, None).unwrap_err() {
            TokenError::Unavailable { retry_after, .. } => retry_after.map(|wait| wait.as_secs()),
            TokenError::Refused { .. } => panic!("it was not refused"),
        };
        assert_eq!([100, 100, 103, 106].map(wait), [Some(7), Some(7), Some(4), Some(1)]);
        assert_eq!(script.asked.lock().unwrap().len(), 1);
        assert_eq!(ask(&source, 107, None).unwrap(), "one");
        assert_eq!(ask(&source, 106, Some("one")).unwrap(), "two", "it is open again");
    }

    #[test]
    fn refusals_and_failures_are_told_apart() {
        let host = "login.microsoftonline.com".to_owned();
        let broken = TransportError::Broken { host: host.clone(), detail: "reset".to_owned() };
        let (_, source) = source(vec![
            Ok((401, r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret"}"#)),
            Ok((503, "<html>")),
            Ok((200, "{}")),
            Err(broken.clone()),
        ]);
        assert_eq!(
            ask(&source, 0, None).unwrap_err(),
            TokenError::Refused {
                code: "invalid_client".to_owned(),
                message: "AADSTS7000215: Invalid client secret".to_owned()
            }
        );
        let unavailable = |detail: &str, retry_after| TokenError::Unavailable {
            host: host.clone(),
            detail: detail.to_owned(),
            retry_after,
        };
        assert_eq!(ask(&source, 0, None).unwrap_err(), unavailable("it answered 503", Some(Duration::from_secs(7))));
        assert_eq!(ask(&source, 7, None).unwrap_err(), unavailable("its answer holds no token", None));
        assert_eq!(ask(&source, 7, None).unwrap_err(), unavailable(&broken.to_string(), None));
    }
}
