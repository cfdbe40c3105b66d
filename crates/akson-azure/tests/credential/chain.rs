//! Which credential is taken: the order, and what is refused.

use akson_azure::credential::{CredentialError, CredentialKind};

use super::script::{Script, choose};

const APPLICATION: [(&str, &str); 2] = [("AZURE_TENANT_ID", "t-1"), ("AZURE_CLIENT_ID", "c-1")];
const SECRET: (&str, &str) = ("AZURE_CLIENT_SECRET", "s3cret");
const GITHUB: [(&str, &str); 2] = [
    ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://token.actions.example/x?api-version=2.0"),
    ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "job-token"),
];
const PIPELINES: [(&str, &str); 5] = [
    ("SYSTEM_OIDCREQUESTURI", "https://pipelines.example/oidctoken"),
    ("SYSTEM_ACCESSTOKEN", "build-token"),
    ("AZURESUBSCRIPTION_TENANT_ID", "t-2"),
    ("AZURESUBSCRIPTION_CLIENT_ID", "c-2"),
    ("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "connection"),
];
const FILE: (&str, &str) = ("AZURE_FEDERATED_TOKEN_FILE", "/var/run/secrets/token");
const IDENTITY: (&str, &str) = ("IDENTITY_ENDPOINT", "http://localhost:8081/msi/token");

async fn check(groups: &[&[(&str, &str)]], wanted: Option<&str>, described: &str) {
    let script = Script::entra();
    let credentials = choose(&groups.concat(), wanted, &script).await.unwrap();
    assert_eq!(credentials.describe(), described);
    assert_eq!(script.asked().len(), 0, "a choice asks nobody");
    assert!(!format!("{credentials:?}").contains("s3cret"));
}

#[tokio::test]
async fn the_first_that_is_there() {
    let all: [&[(&str, &str)]; 6] = [&APPLICATION, &[SECRET], &GITHUB, &PIPELINES, &[FILE], &[IDENTITY]];
    check(&all, None, "signed in with a client secret as application c-1, tenant t-1").await;
    check(&[&APPLICATION, &GITHUB, &PIPELINES], None, "signed in with GitHub OIDC as application c-1, tenant t-1")
        .await;
    check(&[&PIPELINES, &[IDENTITY]], None, "signed in with Azure Pipelines as application c-2, tenant t-2").await;
    check(&[&APPLICATION, &[FILE, IDENTITY]], None, "signed in with workload identity as application c-1, tenant t-1")
        .await;
    check(&[&[IDENTITY]], None, "signed in with managed identity of this machine").await;
    check(&[&[IDENTITY, APPLICATION[1]]], None, "signed in with managed identity as application c-1").await;
    // A job's right to ask for tokens may be meant for something else.
    check(&[&GITHUB, &[IDENTITY]], None, "signed in with managed identity of this machine").await;
    check(
        &[&APPLICATION, &[("AZURE_CLIENT_SECRET", ""), IDENTITY]],
        None,
        "signed in with managed identity as application c-1",
    )
    .await;
}

#[tokio::test]
async fn the_wanted_one() {
    let all: [&[(&str, &str)]; 4] = [&APPLICATION, &[SECRET], &GITHUB, &[FILE]];
    check(&all, Some("github-oidc"), "signed in with GitHub OIDC as application c-1, tenant t-1").await;
    check(&all, Some("workload-identity"), "signed in with workload identity as application c-1, tenant t-1").await;
    check(&[], Some("managed-identity"), "signed in with managed identity of this machine").await;
}

#[tokio::test]
async fn the_names_of_another_tool() {
    let arm = [("ARM_TENANT_ID", "t-3"), ("ARM_CLIENT_ID", "c-3"), ("ARM_CLIENT_SECRET", "s3cret")];
    check(&[&arm], None, "signed in with a client secret as application c-3, tenant t-3").await;
}

async fn refused(groups: &[&[(&str, &str)]], wanted: Option<&str>, said: &str) {
    let error = choose(&groups.concat(), wanted, &Script::entra()).await.unwrap_err();
    assert_eq!(error.to_string(), said);
    assert!(!error.help().is_empty());
}

#[tokio::test]
async fn what_is_begun_and_not_whole_is_refused() {
    let secret = "a client secret cannot be used: AZURE_TENANT_ID is not set";
    refused(&[&[SECRET, APPLICATION[1], IDENTITY]], None, secret).await;
    refused(&[&[FILE, APPLICATION[0], IDENTITY]], None, "workload identity cannot be used: AZURE_CLIENT_ID is not set")
        .await;
    refused(&[&GITHUB], Some("github-oidc"), "GitHub OIDC cannot be used: AZURE_TENANT_ID is not set").await;
    refused(&[&APPLICATION], Some("client-secret"), "a client secret cannot be used: AZURE_CLIENT_SECRET is not set")
        .await;
    refused(&[&[IDENTITY]], Some("az"), "the Azure CLI cannot be used: `az` is not on the PATH").await;
    let absent = ("AZURE_CLIENT_CERTIFICATE_PATH", "/nowhere/client.pem");
    let error = choose(&[&APPLICATION[..], &[absent, IDENTITY]].concat(), None, &Script::entra()).await.unwrap_err();
    assert!(
        error.to_string().starts_with("a client certificate cannot be used: `/nowhere/client.pem` cannot be read:")
    );
}

#[tokio::test]
async fn nothing_is_there() {
    let error = choose(&GITHUB, None, &Script::entra()).await.unwrap_err();
    let CredentialError::NotFound { looked_for } = &error else { panic!("{error:?}") };
    let told: Vec<String> = looked_for.iter().map(|(kind, because)| format!("{}: {because}", kind.title())).collect();
    assert_eq!(
        told,
        [
            "a client secret: AZURE_CLIENT_SECRET is not set",
            "a client certificate: AZURE_CLIENT_CERTIFICATE_PATH is not set",
            "GitHub OIDC: AZURE_TENANT_ID is not set",
            "Azure Pipelines: SYSTEM_OIDCREQUESTURI is not set",
            "workload identity: AZURE_FEDERATED_TOKEN_FILE is not set",
            "managed identity: IDENTITY_ENDPOINT is not set",
            "the Azure CLI: `az` is not on the PATH",
            "the Azure Developer CLI: `azd` is not on the PATH",
        ]
    );
    assert!(error.help().contains("az login"));
}

#[test]
fn names() {
    for kind in CredentialKind::ALL {
        assert_eq!(kind.as_str().parse(), Ok(kind));
    }
    assert_eq!("azd".parse(), Ok(CredentialKind::AzureDeveloperCli));
    let error = "password".parse::<CredentialKind>().unwrap_err();
    assert!(error.to_string().starts_with("there is no credential `password`; there are client-secret, client-cert"));
}
