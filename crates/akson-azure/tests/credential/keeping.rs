//! How long a token is kept, and what is told of one that is refused.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use akson_azure::{Audience, TokenError, TokenSource as _, TransportError, credential::Credentials};
use akson_catalog::Secret;

use super::script::{Script, ask, choose, token};

const GIVEN: [(&str, &str); 3] =
    [("AZURE_TENANT_ID", "t-1"), ("AZURE_CLIENT_ID", "c-1"), ("AZURE_CLIENT_SECRET", "s3cret")];

async fn at(credentials: &Credentials, audience: Audience, seconds: u64, refused: Option<&str>) -> String {
    let refused = refused.map(Secret::new);
    let token = credentials.token(audience, Duration::from_secs(seconds), refused.as_ref()).await.unwrap();
    token.expose().to_owned()
}

#[tokio::test]
async fn one_for_each_audience_until_near_its_end() {
    let count = AtomicUsize::new(0);
    let script = Script::new(move |_| Ok((200, token(&count.fetch_add(1, Ordering::Relaxed).to_string(), 3600))));
    let credentials = choose(&GIVEN, None, &script).await.unwrap();
    assert_eq!(at(&credentials, Audience::Arm, 0, None).await, "0");
    assert_eq!(at(&credentials, Audience::Graph, 0, None).await, "1");
    assert_eq!(at(&credentials, Audience::Arm, 3290, None).await, "0");
    assert_eq!(at(&credentials, Audience::Arm, 3301, None).await, "2", "five minutes before its end");
    assert_eq!(at(&credentials, Audience::Arm, 3301, Some("2")).await, "3", "not the one that was refused");
    assert_eq!(at(&credentials, Audience::Arm, 3301, Some("2")).await, "3", "another that held the old one");
    assert_eq!(at(&credentials, Audience::Graph, 10, None).await, "1");
    assert_eq!(script.asked().len(), 4);
}

async fn error_of(answer: Result<(u16, &'static str), TransportError>) -> TokenError {
    let script = Script::new(move |_| answer.clone().map(|(status, body)| (status, body.to_owned())));
    let credentials = choose(&GIVEN, None, &script).await.unwrap();
    let error = ask(&credentials).await.unwrap_err();
    assert_eq!(script.asked().len(), 1, "whoever waits for a token decides how often it is asked for");
    error
}

#[tokio::test]
async fn refusals_and_failures_are_told_apart() {
    let host = "login.microsoftonline.com".to_owned();
    let body = r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret","error_codes":[7000215]}"#;
    assert_eq!(
        error_of(Ok((401, body))).await,
        TokenError::Refused {
            code: "invalid_client".to_owned(),
            message: "AADSTS7000215: Invalid client secret".to_owned()
        }
    );
    let retry_after = Some(Duration::from_secs(7));
    assert_eq!(
        error_of(Ok((503, "<html>"))).await,
        TokenError::Unavailable { host: host.clone(), detail: "it answered 503".to_owned(), retry_after }
    );
    let broken = TransportError::Broken { host: host.clone(), detail: "reset".to_owned() };
    assert_eq!(
        error_of(Err(broken.clone())).await,
        TokenError::Unavailable { host: host.clone(), detail: broken.to_string(), retry_after: None }
    );
    let untrusted = TransportError::Untrusted { host, detail: "expired".to_owned() };
    assert_eq!(
        error_of(Err(untrusted.clone())).await,
        TokenError::Refused { code: "untrusted".to_owned(), message: untrusted.to_string() }
    );
    let host = "login.microsoftonline.com".to_owned();
    let detail = "its answer holds no token".to_owned();
    assert_eq!(error_of(Ok((200, "{}"))).await, TokenError::Unavailable { host, detail, retry_after: None });
}
