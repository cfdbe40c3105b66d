//! By which requests a token is asked for, one credential a test.

use std::{fs, path::Path, sync::Arc, time::Duration};

use akson_azure::{
    Audience, Cloud, TokenSource as _, Transport,
    credential::{CredentialKind, Credentials},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, alg_id, pem::PemObject as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::script::{Script, ask, choose, environment, token};

const LOGIN: &str = "https://login.microsoftonline.com/t-1/oauth2/v2.0/token";
const APPLICATION: [(&str, &str); 2] = [("AZURE_TENANT_ID", "t-1"), ("AZURE_CLIENT_ID", "c-1")];

fn with<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&APPLICATION[..], more].concat()
}

fn field<'a>(form: &'a [(String, String)], name: &str) -> &'a str {
    form.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str())
}

#[track_caller]
fn check_assertion(form: &[(String, String)]) -> &str {
    assert_eq!(field(form, "client_id"), "c-1");
    assert_eq!(field(form, "grant_type"), "client_credentials");
    assert_eq!(field(form, "scope"), "https://management.azure.com/.default");
    assert_eq!(field(form, "client_assertion_type"), "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    assert_eq!(field(form, "client_secret"), "");
    field(form, "client_assertion")
}

#[tokio::test]
async fn a_client_secret() {
    let script = Script::entra();
    let credentials = choose(&with(&[("AZURE_CLIENT_SECRET", "s&cret")]), None, &script).await.unwrap();
    assert_eq!(ask(&credentials).await.unwrap(), "one");
    let form = script.form(LOGIN);
    assert_eq!(field(&form, "client_secret"), "s&cret");
    assert_eq!(field(&form, "scope"), "https://management.azure.com/.default");
    assert_eq!(credentials.tenant(), Some("t-1"));
}

#[tokio::test]
async fn each_cloud_signs_in_at_its_own_host() {
    for (cloud, login, scope) in [
        (Cloud::USGOV, "login.microsoftonline.us", "https://vault.usgovcloudapi.net/.default"),
        (Cloud::CHINA, "login.chinacloudapi.cn", "https://vault.azure.cn/.default"),
    ] {
        let script = Script::entra();
        // The variable of other tools does not lead a sign-in away from the chosen cloud.
        let given =
            environment(&with(&[("AZURE_CLIENT_SECRET", "s"), ("AZURE_AUTHORITY_HOST", "https://evil.example")]));
        let transport = Arc::clone(&script) as Arc<dyn Transport>;
        let credentials = Credentials::choose(cloud, &given, None, transport).await.unwrap();
        credentials.token(Audience::KeyVault, Duration::ZERO, None).await.unwrap();
        let form = script.form(&format!("https://{login}/t-1/oauth2/v2.0/token"));
        assert_eq!(field(&form, "scope"), scope);
    }
}

const PEM: &str = include_str!("client.pem");

fn json(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// Whether the key of the test's certificate made this signature.
fn is_signed(message: &str, signature: &[u8]) -> bool {
    let key = PrivateKeyDer::from_pem_slice(PEM.as_bytes()).unwrap();
    let key = rustls::crypto::ring::sign::any_supported_type(&key).unwrap();
    // Before the key itself stand 24 bytes that say which algorithm it is for.
    let public = &key.public_key().unwrap()[24..];
    let provider = rustls::crypto::ring::default_provider();
    let mut verifiers = provider.signature_verification_algorithms.all.iter();
    verifiers.any(|verifier| {
        verifier.signature_alg_id() == alg_id::RSA_PSS_SHA256
            && verifier.verify_signature(public, message.as_bytes(), signature).is_ok()
    })
}

#[tokio::test]
async fn a_client_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("client.pem");
    fs::write(&file, PEM).unwrap();
    let file = file.to_str().unwrap();
    let certificate = CertificateDer::from_pem_slice(PEM.as_bytes()).unwrap();
    let script = Script::entra();
    let plain = with(&[("AZURE_CLIENT_CERTIFICATE_PATH", file)]);
    let credentials = choose(&plain, None, &script).await.unwrap();
    assert_eq!(credentials.describe(), "signed in with a client certificate as application c-1, tenant t-1");
    assert_eq!(ask(&credentials).await.unwrap(), "one");
    let form = script.form(LOGIN);
    let assertion = check_assertion(&form);
    let parts: Vec<&str> = assertion.split('.').collect();
    let (head, claims) = (json(parts[0]), json(parts[1]));
    assert_eq!((head["alg"].as_str(), head["typ"].as_str()), (Some("PS256"), Some("JWT")));
    assert_eq!(head["x5t#S256"], URL_SAFE_NO_PAD.encode(Sha256::digest(&certificate)));
    assert_eq!(head.get("x5c"), None);
    assert_eq!(
        (claims["aud"].as_str(), claims["iss"].as_str(), claims["sub"].as_str()),
        (Some(LOGIN), Some("c-1"), Some("c-1"))
    );
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap(), 600);
    let signature = URL_SAFE_NO_PAD.decode(parts[2]).unwrap();
    let signed = format!("{}.{}", parts[0], parts[1]);
    assert!(is_signed(&signed, &signature));
    assert!(!is_signed(&format!("{signed}x"), &signature), "the check can fail");

    let with_chain = with(&[("AZURE_CLIENT_CERTIFICATE_PATH", file), ("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN", "true")]);
    ask(&choose(&with_chain, None, &script).await.unwrap()).await.unwrap();
    let form = script.form(LOGIN);
    let again = check_assertion(&form);
    assert_eq!(json(again.split('.').next().unwrap())["x5c"][0], STANDARD.encode(&certificate));
    assert_ne!(json(again.split('.').nth(1).unwrap())["jti"], claims["jti"], "each statement has an id of its own");
}

#[tokio::test]
async fn certificates_that_cannot_be_used() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("client.pem");
    let path = file.to_str().unwrap().to_owned();
    let key_at = PEM.find("-----BEGIN PRIVATE KEY-----").unwrap();
    let other = rcgen::generate_simple_self_signed(vec!["akson".to_owned()]).unwrap();
    let (other_certificate, other_key) = (other.cert.pem(), other.signing_key.serialize_pem());
    for (content, because) in [
        ("hello".to_owned(), "holds no certificate in PEM; convert it with `openssl pkcs12 -nodes` if it is a PFX"),
        (PEM[..key_at].to_owned(), "holds no private key in PEM, or one with a password"),
        (format!("{other_certificate}{other_key}"), "holds a key that is not RSA, which Entra requires"),
        (format!("{other_certificate}{}", &PEM[key_at..]), "holds a key that is not the certificate's"),
    ] {
        fs::write(&file, content).unwrap();
        let given = with(&[("AZURE_CLIENT_CERTIFICATE_PATH", &path)]);
        let error = choose(&given, None, &Script::entra()).await.unwrap_err();
        assert_eq!(error.to_string(), format!("a client certificate cannot be used: `{path}` {because}"));
    }
}

/// Answers the pipeline's request with its token, and Entra's with one of its own.
fn pipeline(body: &'static str) -> Arc<Script> {
    Script::new(move |request| {
        let login = request.uri().host() == Some("login.microsoftonline.com");
        Ok((200, if login { token("one", 3600) } else { body.to_owned() }))
    })
}

#[tokio::test]
async fn github() {
    let script = pipeline(r#"{"count":1,"value":"from-github"}"#);
    let given = with(&[
        ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://run.actions.example/token?api-version=2.0"),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "job-token"),
    ]);
    let credentials = choose(&given, None, &script).await.unwrap();
    assert_eq!(ask(&credentials).await.unwrap(), "one");
    let first = script.asked().remove(0);
    assert_eq!(first.method(), "GET");
    assert_eq!(
        first.uri(),
        "https://run.actions.example/token?api-version=2.0&audience=api%3A%2F%2FAzureADTokenExchange"
    );
    assert_eq!(first.headers()["authorization"], "Bearer job-token");
    let form = script.form(LOGIN);
    assert_eq!(check_assertion(&form), "from-github");
    let last = script.asked().pop().unwrap();
    assert!(last.headers().get("authorization").is_none(), "the job's token stays with its host");
}

#[tokio::test]
async fn azure_pipelines() {
    let script = pipeline(r#"{"oidcToken":"from-pipelines"}"#);
    let given = [
        ("SYSTEM_OIDCREQUESTURI", "https://pipelines.example/org/_apis/oidctoken"),
        ("SYSTEM_ACCESSTOKEN", "build-token"),
        ("AZURESUBSCRIPTION_TENANT_ID", "t-1"),
        ("AZURESUBSCRIPTION_CLIENT_ID", "c-1"),
        ("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "connection 1"),
    ];
    let credentials = choose(&given, None, &script).await.unwrap();
    assert_eq!(ask(&credentials).await.unwrap(), "one");
    let first = script.asked().remove(0);
    assert_eq!(first.method(), "POST");
    assert_eq!(
        first.uri(),
        "https://pipelines.example/org/_apis/oidctoken?api-version=7.1&serviceConnectionId=connection+1"
    );
    assert_eq!(first.headers()["authorization"], "Bearer build-token");
    assert_eq!(first.headers()["x-tfs-fedauthredirect"], "Suppress");
    let form = script.form(LOGIN);
    assert_eq!(check_assertion(&form), "from-pipelines");
}

#[tokio::test]
async fn a_pipeline_that_gives_no_token() {
    let given = |url: &'static str| {
        with(&[("ACTIONS_ID_TOKEN_REQUEST_URL", url), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "job-token")])
    };
    let url = "https://run.actions.example/token";
    for (url, status, body, told) in [
        (url, 403, r#"{"code":"Forbidden","message":"not in this job"}"#, "sign-in was refused: Forbidden"),
        (url, 200, "<html>", "sign-in was refused: github-oidc"),
        (url, 503, "", "run.actions.example gave no token: it answered 503"),
        ("http://run.actions.example/token", 200, "", "sign-in was refused: github-oidc"),
    ] {
        let script = Script::new(move |_| Ok((status, body.to_owned())));
        let credentials = choose(&given(url), None, &script).await.unwrap();
        let error = ask(&credentials).await.unwrap_err();
        assert_eq!(error.to_string(), told, "{error:?}");
        assert!(!format!("{error:?}").contains("job-token"));
    }
}

#[tokio::test]
async fn workload_identity() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    let path = file.to_str().unwrap().to_owned();
    let given = with(&[("AZURE_FEDERATED_TOKEN_FILE", &path)]);
    let script = Script::entra();
    let credentials = choose(&given, None, &script).await.unwrap();
    let error = ask(&credentials).await.unwrap_err();
    assert_eq!(error.to_string(), "sign-in was refused: workload-identity");
    fs::write(&file, "from-the-cluster").unwrap();
    assert_eq!(ask(&credentials).await.unwrap(), "one");
    let form = script.form(LOGIN);
    assert_eq!(check_assertion(&form), "from-the-cluster");
    assert!(Path::new(&path).exists());
}

#[tokio::test]
async fn managed_identity_of_a_machine() {
    let body = r#"{"access_token":"imds","expires_on":"4102444800","resource":"https://management.azure.com","token_type":"Bearer"}"#;
    let script = Script::new(move |_| Ok((200, body.to_owned())));
    let credentials = choose(&[("AZURE_CLIENT_ID", "c-9")], Some("managed-identity"), &script).await.unwrap();
    assert_eq!(credentials.kind(), CredentialKind::ManagedIdentity);
    assert_eq!(ask(&credentials).await.unwrap(), "imds");
    let request = script.asked().remove(0);
    assert_eq!(request.headers()["metadata"], "true");
    assert_eq!(
        request.uri(),
        "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2019-08-01&resource=https%3A%2F%2Fmanagement.azure.com&client_id=c-9"
    );
}
